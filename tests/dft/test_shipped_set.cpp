// SPDX-License-Identifier: Apache-2.0
// The shipped set: complete, marked where it is not, and what the code makes today.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/dft/make_parameters.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::dft;

namespace {

std::filesystem::path shipped() {
    return stembridge::testing::source_folder() / "data" / "parameters" / "stembridge-1";
}

tb::SkfTable shipped_table(const std::string& a, const std::string& b) {
    return tb::read_skf(shipped() / (a + "-" + b + ".skf"), a == b);
}

/// The settings of H and C in config.toml of the set.
ParameterOptions hydrogen_and_carbon() {
    ParameterOptions options;
    options.name = "stembridge-1";
    ElementOptions h;
    h.atomic_number = 1;
    h.configuration = "1s1";
    h.valence = {{1, 0}};
    h.wave = {Confinement::power(3.0)};
    h.density = Confinement::power(2.5);
    ElementOptions c;
    c.atomic_number = 6;
    c.configuration = "[He] 2s2 2p2";
    c.valence = {{2, 0}, {2, 1}};
    c.wave = {Confinement::power(2.7)};
    c.density = Confinement::power(7.0);
    options.elements = {h, c};
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_shipped_set)

BOOST_AUTO_TEST_CASE(all_sixteen_pairs_are_there_and_repel) {
    const std::vector<std::string> symbols = {"H", "C", "Si", "Cr"};
    const auto files = tb::find_skf({shipped()}, symbols);
    BOOST_TEST(files.size() == 16u);
    for (const auto& [pair, file] : files) {
        const tb::SkfTable table = tb::read_skf(file, pair.first == pair.second);
        BOOST_TEST_INFO(file.filename().string());
        BOOST_TEST(table.repulsive.is_spline());
        BOOST_TEST(table.repulsive.missing_below() == 0);
        // Repulsive everywhere, also under the first knot; C-C may attract a little between the first and
        // the second neighbours of graphene.
        const bool carbon = pair.first == "C" && pair.second == "C";
        const double cutoff = table.repulsive.cutoff();
        for (double r = 0.3 * cutoff; r < cutoff; r += 0.05) {
            BOOST_TEST(table.repulsive.evaluate(r)[0] >= (carbon ? -0.015 : -1e-12));
            BOOST_TEST(table.repulsive.evaluate(r)[1] <= (carbon && r > 3.5 ? 0.02 : 1e-12));
        }
        // Both orders hold the same repulsion.
        const tb::SkfTable reverse = shipped_table(pair.second, pair.first);
        BOOST_TEST(reverse.repulsive.evaluate(3.1)[0] == table.repulsive.evaluate(3.1)[0]);
    }
    BOOST_TEST(std::abs((*shipped_table("Cr", "Cr").atom)[2].hubbard - 0.31219) < 5e-4);
    BOOST_TEST((*shipped_table("C", "C").atom)[0].hubbard == (*shipped_table("C", "C").atom)[1].hubbard);
}

BOOST_AUTO_TEST_CASE(a_pair_made_again_equals_the_shipped_one) {
    const stembridge::testing::TemporaryFolder folder;
    ParameterOptions options = hydrogen_and_carbon();
    options.only = {{1, 6}};
    const ParameterSet set = make_parameters(options, folder.path(), {}, {});
    BOOST_TEST(set.files.size() == 4u);  // both orders, the spin constants and the orbitals
    for (const auto& [a, b] : {std::pair<std::string, std::string>("H", "C"), {"C", "H"}}) {
        const tb::SkfTable made = tb::read_skf(folder.path() / "electronic" / (a + "-" + b + ".skf"), false);
        const tb::SkfTable expected = shipped_table(a, b);
        BOOST_TEST(made.mass_dalton == expected.mass_dalton);
        BOOST_REQUIRE(made.values.size() == expected.values.size());
        double largest = 0;
        for (std::size_t k = 0; k < made.values.size(); ++k)
            largest = std::max(largest, std::abs(made.values[k] - expected.values[k]));
        BOOST_TEST(largest < 1e-8);  // the digits of the file and other processors' rounding
        BOOST_TEST(made.repulsive.is_zero());
    }
    const tb::OrbitalTable orbitals = tb::read_orbitals(folder.path() / tb::orbitals_file_name);
    const tb::OrbitalTable all = tb::read_orbitals(shipped() / tb::orbitals_file_name);
    BOOST_TEST(orbitals.orbitals.size() == 3u);
    BOOST_TEST(all.orbitals.size() == 8u);
    for (const tb::RadialOrbital& made : orbitals.orbitals) {
        const tb::RadialOrbital* expected = all.find(made.symbol, made.l);
        BOOST_REQUIRE(expected != nullptr);
        BOOST_TEST(made.n == expected->n);
        // The shipped table reaches farther, as Cr needs it; eight digits are written.
        BOOST_REQUIRE(orbitals.r.size() <= all.r.size());
        double largest = 0;
        for (std::size_t k = 0; k < orbitals.r.size(); ++k) {
            BOOST_REQUIRE(orbitals.r[k] == all.r[k]);
            largest = std::max(largest, std::abs(made.values[k] - expected->values[k]));
        }
        BOOST_TEST(largest < 1e-6);
        // Positive in the outermost lobe.
        const auto last = std::find_if(made.values.rbegin(), made.values.rend(),
                                       [](double v) { return std::abs(v) > 1e-3; });
        BOOST_TEST(*last > 0);
    }
    // The second time the electronic tables are taken from before.
    std::vector<std::string> messages;
    Context context;
    context.log_sink = [&](Context::Level, std::string_view text) { messages.emplace_back(text); };
    make_parameters(options, folder.path(), {}, context);
    BOOST_TEST(std::any_of(messages.begin(), messages.end(), [](const std::string& m) {
        return m.find("H-C: electronic tables found") != std::string::npos;
    }));
}

BOOST_AUTO_TEST_CASE(bad_settings_are_refused) {
    const stembridge::testing::TemporaryFolder folder;
    ParameterOptions options = hydrogen_and_carbon();
    options.elements[1].configuration = "[He] 2s2 2p3";
    BOOST_CHECK_THROW(make_parameters(options, folder.path(), {}, {}), InputError);
    options = hydrogen_and_carbon();
    options.elements[1] = options.elements[0];
    BOOST_CHECK_THROW(make_parameters(options, folder.path(), {}, {}), InputError);
    options = hydrogen_and_carbon();
    options.repulsive.pairs = {{6, 14, 4.8}};
    BOOST_CHECK_THROW(make_parameters(options, folder.path(), {}, {}), InputError);
    options = hydrogen_and_carbon();  // the references hold silicon and chromium too
    options.references = {shipped() / "reference" / "molecules.extxyz"};
    BOOST_CHECK_THROW(make_parameters(options, folder.path(), {}, {}), InputError);
    options = hydrogen_and_carbon();
    options.functional = "nothing";
    BOOST_CHECK_THROW(make_parameters(options, folder.path(), {}, {}), InputError);
    options = hydrogen_and_carbon();
    options.elements.clear();
    BOOST_CHECK_THROW(make_parameters(options, folder.path(), {}, {}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
