// SPDX-License-Identifier: Apache-2.0
// Statistics of bonds, angles and coordination.
#include "stembridge/structure/analysis.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/builders.hpp"
#include "structures.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using units::angstrom;
namespace tt = boost::test_tools;

BOOST_AUTO_TEST_SUITE(test_analysis)

BOOST_AUTO_TEST_CASE(statistics_match_their_definition) {
    const Statistics s = statistics_of({1, 2, 3, 6});
    BOOST_TEST(s.count == 4);
    BOOST_TEST(s.mean == 3.0, tt::tolerance(1e-15));
    BOOST_TEST(s.standard_deviation == std::sqrt(3.5), tt::tolerance(1e-14));
    BOOST_TEST(s.min == 1.0);
    BOOST_TEST(s.max == 6.0);
    BOOST_TEST(statistics_of({}).count == 0);
}

BOOST_AUTO_TEST_CASE(pristine_graphene_has_one_length_and_one_angle) {
    const Structure sheet = graphene_sheet(4, 3);
    const StructureAnalysis a = analyze(sheet);
    BOOST_TEST(a.ring_counts.at(6) == 24);
    BOOST_TEST(a.bonds.size() == 1u);
    BOOST_TEST(a.bonds.at("C-C").count == 72);
    BOOST_TEST(a.bonds.at("C-C").mean == 1.42 * angstrom, tt::tolerance(1e-12));
    BOOST_TEST(a.bonds.at("C-C").standard_deviation < 1e-10);
    BOOST_TEST(a.bond_lengths.at("C-C").size() == 72u);
    BOOST_TEST(a.angles.at("C").count == 144);
    BOOST_TEST(a.angles.at("C").mean == 2 * M_PI / 3, tt::tolerance(1e-10));
    BOOST_TEST((a.coordination.at("C") == std::map<int, int>{{3, 48}}));
    BOOST_TEST(a.bonds_by_ring_size.at(6).at("C-C").count == 144);  // each bond is in two rings
    BOOST_TEST(a.defects.empty());
    BOOST_TEST(a.n_fragments == 1);
}

BOOST_AUTO_TEST_CASE(pairs_are_named_in_alphabetical_order) {
    const Structure sheet = graphene_sheet(4, 3);
    const int i = atom_in_the_middle(sheet);
    const Structure mixed = with_substitution(sheet, i, 5);
    const StructureAnalysis a = analyze(mixed);
    BOOST_TEST(a.bonds.at("B-C").count == 3);
    BOOST_TEST(a.bonds.at("C-C").count == 69);
    BOOST_TEST(a.coordination.at("B").at(3) == 1);
    BOOST_TEST(a.angles.at("B").count == 3);
    BOOST_REQUIRE(a.defects.size() == 1u);
    BOOST_TEST(a.defects[0].kind == "substitution");
}

BOOST_AUTO_TEST_CASE(bonds_of_odd_rings_are_counted_by_ring_size) {
    const Structure sheet = graphene_sheet(7, 4);
    const int i = atom_in_the_middle(sheet);
    const StructureAnalysis a = analyze(with_rotated_bond(sheet, i, BondGraph(sheet).of(i).front().j));
    BOOST_TEST(a.bonds_by_ring_size.at(5).at("C-C").count == 10);
    BOOST_TEST(a.bonds_by_ring_size.at(7).at("C-C").count == 14);
    BOOST_TEST(a.bonds_by_ring_size.at(6).at("C-C").count == 6 * a.ring_counts.at(6));
    BOOST_TEST(a.bonds.at("C-C").count == 168);  // 3/2 per atom, as before the turn
}

BOOST_AUTO_TEST_CASE(an_adsorbed_metal_atom_does_not_change_the_rings) {
    const Structure flake = graphene_flake(8 * angstrom);
    const StructureAnalysis before = analyze(flake);
    for (const std::string site : {"hollow", "bridge", "top"}) {
        AdsorbateOptions options;
        options.site = site;
        options.height = 1.8 * angstrom;
        const StructureAnalysis after = analyze(add_adsorbate(flake, options));
        BOOST_TEST(after.ring_counts == before.ring_counts);
        BOOST_TEST(after.defects.empty());
        BOOST_TEST(after.adsorbed == std::vector{flake.size()});
        BOOST_TEST(after.bonds.at("C-Cr").count > 0);
    }
}

BOOST_AUTO_TEST_CASE(a_malformed_structure_is_refused) {
    Structure s = graphene_flake(5 * angstrom);
    s.positions(1, 2) = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_THROW(analyze(s), InputError);
    Structure on_top = graphene_flake(5 * angstrom);
    on_top.add(6, on_top.positions.col(0));
    BOOST_CHECK_THROW(analyze(on_top), InputError);
    Structure flat = graphene_sheet(2, 2);
    flat.cell.vectors.col(1) = flat.cell.vectors.col(0);
    BOOST_CHECK_THROW(analyze(flat), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
