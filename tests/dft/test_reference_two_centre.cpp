// SPDX-License-Identifier: Apache-2.0
// Two-centre integrals against published tables made with the same confinement.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/support.hpp"
#include "two_centre_support.hpp"

using namespace stembridge;
using namespace stembridge::dft;
using namespace stembridge::dft::testing;

namespace {

/// Largest differences of H and S over sampled distances from 1.4 bohr on, for the shells up to l1 and l2.
std::pair<double, double> differences(const PseudoAtom& a, const PseudoAtom& b,
                                      const std::filesystem::path& file, bool homonuclear, int l_max) {
    const TwoCentre pair(a, b, {});
    const tb::SkfTable published = tb::read_skf(file, homonuclear);
    double h = 0, s = 0;
    for (double r = 1.4; r < 8; r += 0.2) {
        const int row = static_cast<int>(std::lround(r / published.spacing));
        const TwoCentreIntegrals own = pair.at(row * published.spacing);
        for (int l1 = 0; l1 <= l_max; ++l1)
            for (int l2 = l1; l2 <= l_max; ++l2)
                for (int m = 0; m <= l1; ++m) {
                    const auto i = static_cast<std::size_t>(l1), j = static_cast<std::size_t>(l2),
                               k = static_cast<std::size_t>(m);
                    h = std::max(h,
                                 std::abs(own.hamiltonian[i][j][k] - published.hamiltonian(row, l1, l2, m)));
                    s = std::max(s, std::abs(own.overlap[i][j][k] - published.overlap(row, l1, l2, m)));
                }
    }
    BOOST_TEST_MESSAGE(file.filename().string() << ": dH " << h << ", dS " << s);
    return {h, s};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_two_centre)

// The published sets were made with few Slater functions; the complete basis differs by up to 5e-5 and 3e-4.
BOOST_AUTO_TEST_CASE(the_complete_basis_agrees_with_published_sets) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const PseudoAtom h = hydrogen(), c = carbon(), si = silicon();
    const auto check = [](std::pair<double, double> difference, double overlap = 3e-4) {
        BOOST_TEST(difference.first < 8e-5);
        BOOST_TEST(difference.second < overlap);
    };
    check(differences(c, c, reference / "skf/mio-1-1/C-C.skf", true, 1));
    check(differences(h, h, reference / "skf/mio-1-1/H-H.skf", true, 0));
    check(differences(c, h, reference / "skf/mio-1-1/C-H.skf", false, 0));
    // s of hydrogen with p of carbon, most at 3.6 bohr: the errors of both published bases add up. The next
    // test takes them apart; test_two_centre shows that larger Slater bases tend to the splines.
    check(differences(h, c, reference / "skf/mio-1-1/H-C.skf", false, 1), 3.3e-4);
    check(differences(si, si, reference / "skf/pbc-0-3/Si-Si.skf", true, 1));
    check(differences(si, c, reference / "skf/pbc-0-3/Si-C.skf", false, 1));
    check(differences(c, si, reference / "skf/pbc-0-3/C-Si.skf", false, 1));
}

BOOST_AUTO_TEST_CASE(their_own_slater_basis_agrees_to_the_digits_of_the_file) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const SlaterFunctions carbon_basis{{0.5, 1.14, 2.62, 6.0}, 3}, hydrogen_basis{{0.5, 1.0, 2.0}, 3};
    const PseudoAtom c = pseudo_atom(6, "[He] 2s2 2p2", 2.7, 7.0, {{2, 0}, {2, 1}}, Relativity::none,
                                     {carbon_basis, carbon_basis});
    const PseudoAtom h = pseudo_atom(1, "1s1", 3.0, 2.5, {{1, 0}}, Relativity::none, {hydrogen_basis});
    const auto mio = reference / "skf/mio-1-1";
    const auto cc = differences(c, c, mio / "C-C.skf", true, 1);
    BOOST_TEST(cc.first < 2e-5);
    BOOST_TEST(cc.second < 2e-6);
    const auto hh = differences(h, h, mio / "H-H.skf", true, 0);
    BOOST_TEST(hh.first < 3e-5);
    BOOST_TEST(hh.second < 2e-6);
    // H-C: with both published bases the overlap agrees to the digits of the file, so the difference of the
    // complete basis comes from theirs: four fifths from the three exponents of hydrogen.
    const auto hc = differences(h, c, mio / "H-C.skf", false, 1);
    BOOST_TEST(hc.first < 6e-5);
    BOOST_TEST(hc.second < 2e-6);
    const double from_hydrogen = differences(hydrogen(), c, mio / "H-C.skf", false, 1).second;
    const double from_carbon = differences(h, carbon(), mio / "H-C.skf", false, 1).second;
    BOOST_TEST(from_hydrogen > 4 * from_carbon);
    BOOST_TEST(from_hydrogen < 3e-4);
}

BOOST_AUTO_TEST_SUITE_END()
