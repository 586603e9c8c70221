// SPDX-License-Identifier: Apache-2.0
// What is written to a Slater-Koster file is what the reader finds there.
#include "stembridge/dft/skf_writer.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::dft;

namespace {

tb::SkfTable random_table(bool extended, std::uint64_t seed) {
    Random random(seed);
    tb::SkfTable table;
    table.extended = extended;
    table.spacing = 0.02;
    table.n_rows = 40;
    table.mass_dalton = 51.996;
    table.values.assign(static_cast<std::size_t>(table.n_rows) * 2 * tb::SkfTable::n_integrals, 0.0);
    for (int row = 20; row <= table.n_rows; ++row)
        for (int l1 = 0; l1 <= 3; ++l1)
            for (int l2 = l1; l2 <= (extended ? 3 : 2); ++l2)
                for (int m = 0; m <= l1; ++m)
                    if (l1 <= (extended ? 3 : 2)) {
                        table.hamiltonian(row, l1, l2, m) = random.uniform(-1, 1);
                        table.overlap(row, l1, l2, m) = random.uniform(-1, 1);
                    }
    return table;
}

void check_round_trip(const tb::SkfTable& table, bool homonuclear) {
    const stembridge::testing::TemporaryFolder folder;
    write_skf(folder.path() / "A-B.skf", table, -0.125, "a line\nanother");
    const tb::SkfTable read = tb::read_skf(folder.path() / "A-B.skf", homonuclear);
    BOOST_TEST(read.extended == table.extended);
    BOOST_TEST(read.spacing == table.spacing);
    BOOST_TEST(read.mass_dalton == table.mass_dalton);
    BOOST_REQUIRE(read.values.size() == table.values.size());
    double largest = 0;
    for (std::size_t k = 0; k < read.values.size(); ++k)
        largest = std::max(largest, std::abs(read.values[k] - table.values[k]));
    BOOST_TEST(largest < 1e-11);  // eleven decimals
    BOOST_TEST(std::abs(read.first_distance() - 0.4) < 1e-12);
    BOOST_TEST(read.atom.has_value() == homonuclear);
    if (homonuclear)
        for (std::size_t l = 0; l < 3; ++l) {
            BOOST_TEST(std::abs((*read.atom)[l].onsite_energy - (*table.atom)[l].onsite_energy) < 1e-11);
            BOOST_TEST(std::abs((*read.atom)[l].hubbard - (*table.atom)[l].hubbard) < 1e-11);
            BOOST_TEST((*read.atom)[l].occupation == (*table.atom)[l].occupation);
        }
    BOOST_TEST(read.repulsive.cutoff() == table.repulsive.cutoff());
    for (double r = 0.6; r < 4; r += 0.1) {
        const auto a = read.repulsive.evaluate(r), b = table.repulsive.evaluate(r);
        for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(std::abs(a[k] - b[k]) < 1e-10 * (1 + std::abs(b[k])));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_skf_writer)

BOOST_AUTO_TEST_CASE(simple_format_is_read_back) {
    tb::SkfTable table = random_table(false, 1);
    check_round_trip(table, false);
    table.atom.emplace();
    (*table.atom)[0] = {-0.14721165, 0.20025, 1};
    (*table.atom)[1] = {-0.0363136, 0.12326, 0};
    (*table.atom)[2] = {-0.1071203, 0.312096, 5};
    table.repulsive = tb::SkfRepulsive::spline(
        {2.1, 3.3, -0.01},
        {{1.0, 1.3, {0.5, -0.4, 0.2, -0.01, 0, 0}}, {1.3, 3.1, {0.3, -0.2, 0.1, 0.02, 0.001, -0.003}}});
    check_round_trip(table, true);
}

BOOST_AUTO_TEST_CASE(extended_format_is_read_back) {
    tb::SkfTable table = random_table(true, 2);
    check_round_trip(table, false);
    table.atom.emplace();
    (*table.atom)[3] = {0.1, 0.4, 3};
    check_round_trip(table, true);
}

BOOST_AUTO_TEST_CASE(zeros_are_short_and_the_documentation_is_kept) {
    tb::SkfTable table = random_table(false, 3);
    const std::string text = skf_text(table, 0, "<Functional>pbe</Functional>");
    BOOST_TEST(text.find("\n20*0.0\n") != std::string::npos);
    BOOST_TEST(text.find("<Documentation>\n<Functional>pbe</Functional>\n</Documentation>\n") !=
               std::string::npos);
    BOOST_TEST(text.starts_with("0.02 41\n"));
}

BOOST_AUTO_TEST_CASE(what_the_format_cannot_hold_is_refused) {
    tb::SkfTable table = random_table(true, 4);
    table.extended = false;
    BOOST_CHECK_THROW(skf_text(table, 0, ""), InputError);
    table = random_table(false, 5);
    table.values[800] = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_THROW(skf_text(table, 0, ""), InputError);
    table = random_table(false, 6);
    BOOST_CHECK_THROW(write_skf("/no/such/folder/A-B.skf", table, 0, ""), FileError);
}

BOOST_AUTO_TEST_SUITE_END()
