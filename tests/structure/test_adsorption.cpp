// SPDX-License-Identifier: Apache-2.0
// Sites on a sheet, which of them are equivalent, and what is put on them.
#include "stembridge/structure/adsorption.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/builders.hpp"
#include "structures.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using units::angstrom;
namespace tt = boost::test_tools;

namespace {

std::map<std::string, int> multiplicities(const std::vector<AdsorptionSite>& sites) {
    std::map<std::string, int> result;
    for (const AdsorptionSite& site : sites) result[site.name()] += site.multiplicity;
    return result;
}

/// A flake with a Stone-Wales defect, its turned bond in the middle.
struct StoneWales {
    Structure structure;
    Eigen::Vector2d middle;
    StoneWales() {
        structure = graphene_flake(13 * angstrom);
        const int i = atom_in_the_middle(structure);
        const int j = BondGraph(structure).of(i).front().j;
        structure = with_rotated_bond(structure, i, j);
        middle = (structure.positions.col(i) + structure.positions.col(j)).head<2>() / 2;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_adsorption)

BOOST_AUTO_TEST_CASE(graphene_has_one_hollow_one_bridge_and_one_top_site) {
    const Structure sheet = graphene_sheet(6, 4);
    SiteOptions options;
    options.radius = 5 * angstrom;
    const auto sites = adsorption_sites(sheet, options);
    BOOST_REQUIRE(sites.size() == 3u);
    const auto all = multiplicities(sites);
    BOOST_TEST(all.at("top 6-6-6") > 20);
    // Per atom of graphene there is half a ring and one and a half bonds.
    BOOST_TEST(all.at("bridge 6-6") == 1.5 * all.at("top 6-6-6"), tt::tolerance(0.2));
    BOOST_TEST(all.at("hollow 6") == 0.5 * all.at("top 6-6-6"), tt::tolerance(0.2));

    options.inequivalent = false;
    BOOST_TEST(multiplicities(adsorption_sites(sheet, options)) == all);
    // Noise of a relaxed sheet does not split them, a turned sheet neither.
    options.inequivalent = true;
    BOOST_TEST(adsorption_sites(rattled(sheet, 0.02 * angstrom, 4), options).size() == 3u);
    options.kinds = {"hollow"};
    BOOST_TEST(adsorption_sites(sheet, options).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_sheet_without_a_third_lattice_vector_has_the_same_sites_and_heights) {
    Structure sheet = graphene_sheet(6, 4);
    SiteOptions options;
    options.radius = 5 * angstrom;
    const auto sites = adsorption_sites(sheet, options);
    sheet.cell.periodic = {true, true, false};
    sheet.cell.vectors.col(2).setZero();
    const auto flat = adsorption_sites(sheet, options);
    BOOST_REQUIRE(flat.size() == sites.size());
    BOOST_TEST(multiplicities(flat) == multiplicities(sites));
    for (const AdsorptionSite& site : flat) BOOST_TEST(site.distance <= options.radius);
    const auto hollow = [&](const AdsorptionSite& site) { return site.kind == "hollow"; };
    const auto found = std::find_if(flat.begin(), flat.end(), hollow);
    BOOST_REQUIRE((found != flat.end()));
    // A hollow is 1.42 angstrom from its atoms: Cr sinks deeper than over an atom.
    BOOST_TEST(natural_height(sheet, *found, "Cr") < 1.9 * angstrom);
    BOOST_TEST(natural_height(sheet, *found, "Cr") > 1.2 * angstrom);
}

BOOST_AUTO_TEST_CASE(sites_of_a_stone_wales_defect_follow_its_symmetry) {
    const StoneWales defect;
    SiteOptions options;
    options.centre = defect.middle;
    options.radius = 3.2 * angstrom;
    options.environment = 4 * angstrom;
    const auto sites = adsorption_sites(defect.structure, options);
    const auto all = multiplicities(sites);
    // The defect has the point group D2h: the turned bond is alone, its two atoms are one site, and so are
    // the two pentagons and the two heptagons.
    int turned_bond = 0;
    for (const AdsorptionSite& site : sites)
        if (site.kind == "bridge" && site.distance < 0.2 * angstrom) {
            ++turned_bond;
            BOOST_TEST(site.multiplicity == 1);
            BOOST_TEST(site.name() == "bridge 7-7");
        }
    BOOST_TEST(turned_bond == 1);
    BOOST_TEST(all.at("hollow 5") == 2);
    BOOST_TEST(all.at("hollow 7") == 2);
    BOOST_TEST(all.at("top 5-7-7") == 2);
    for (const AdsorptionSite& site : sites)
        if (site.name() == "hollow 5" || site.name() == "hollow 7" || site.name() == "top 5-7-7")
            BOOST_TEST(site.multiplicity == 2);
    // Sorted by the distance from the middle.
    for (std::size_t k = 1; k < sites.size(); ++k)
        BOOST_TEST(sites[k].distance >= sites[k - 1].distance - 1e-5);
}

BOOST_AUTO_TEST_CASE(an_other_element_makes_other_sites) {
    Structure sheet = graphene_sheet(8, 5);
    const int atom = atom_in_the_middle(sheet);
    sheet = with_substitution(sheet, atom, 14);
    SiteOptions options;
    options.centre = sheet.positions.col(atom).head<2>();
    options.radius = 1.6 * angstrom;
    options.environment = 2 * angstrom;
    // Over Si, over its three neighbours, its three bonds, its three rings.
    const auto sites = adsorption_sites(sheet, options);
    BOOST_REQUIRE(sites.size() == 4u);
    BOOST_TEST(sites[0].multiplicity == 1);
    for (std::size_t k = 1; k < 4; ++k) BOOST_TEST(sites[k].multiplicity == 3);
}

BOOST_AUTO_TEST_CASE(the_edge_and_what_sits_on_the_sheet_carry_no_sites) {
    BuildReport report;
    const Structure flake = terminate_with_hydrogen(graphene_flake(8 * angstrom), {}, report).structure;
    SiteOptions options;
    options.radius = 100 * angstrom;
    options.inequivalent = false;
    const auto edges = find_edges(flake, BondGraph(flake));
    for (const AdsorptionSite& site : adsorption_sites(flake, options)) {
        if (site.kind == "hollow") continue;
        for (const int atom : site.atoms) {
            BOOST_TEST(flake.atomic_numbers[static_cast<std::size_t>(atom)] == 6);
            BOOST_TEST(!std::binary_search(edges->outer.begin(), edges->outer.end(), atom));
        }
    }
    const auto sites = adsorption_sites(flake, {});
    const Structure loaded = with_adsorbate(flake, sites.front(), "Cr", 1.6 * angstrom);
    for (const AdsorptionSite& site : adsorption_sites(loaded, options))
        for (const int atom : site.atoms) BOOST_TEST(atom < flake.size());
    // Where it sits is found again.
    BOOST_TEST(nearest_site(flake, loaded.positions.col(flake.size())).name() == sites.front().name());

    options.kinds = {"valley"};
    BOOST_CHECK_THROW(adsorption_sites(flake, options), InputError);
    options.kinds = {"top"};
    options.radius = -1;
    BOOST_CHECK_THROW(adsorption_sites(flake, options), InputError);
    options.radius = angstrom;
    options.centre = Eigen::Vector2d(1e3, 0);
    BOOST_CHECK_THROW(adsorption_sites(flake, options), InputError);
    BOOST_CHECK_THROW(adsorption_sites(Structure{}, {}), InputError);
}

BOOST_AUTO_TEST_CASE(natural_heights_make_bonds_of_the_sum_of_covalent_radii) {
    const Structure sheet = graphene_sheet(6, 4);
    SiteOptions options;
    for (const AdsorptionSite& site : adsorption_sites(sheet, options)) {
        const double height = natural_height(sheet, site, "Cr");
        const Structure with = with_adsorbate(sheet, site, "Cr", height);
        double nearest = 1e9;
        for (int i = 0; i < sheet.size(); ++i)
            nearest = std::min(nearest, (with.positions.col(sheet.size()) - with.positions.col(i)).norm());
        BOOST_TEST(nearest == (1.39 + 0.73) * angstrom, tt::tolerance(0.02));  // Cordero: Cr 1.39, C 0.73
    }
}

BOOST_AUTO_TEST_CASE(groups_turn_and_go_to_either_side) {
    const Structure sheet = graphene_sheet(6, 4);
    const auto sites = adsorption_sites(sheet, {});
    const AdsorptionSite& bridge =
        *std::find_if(sites.begin(), sites.end(), [](const auto& s) { return s.kind == "bridge"; });
    const int n = sheet.size();
    const Structure along = with_adsorbate(sheet, bridge, "CH2", 1.3 * angstrom);
    const Structure across = with_adsorbate(sheet, bridge, "CH2", 1.3 * angstrom, M_PI / 2);
    const Eigen::Vector3d bond = (sheet.positions.col(bridge.atoms[0]) - bridge.position).normalized();
    const auto hh = [&](const Structure& s) {
        return Eigen::Vector3d((s.positions.col(n + 1) - s.positions.col(n + 2)).normalized());
    };
    BOOST_TEST(std::abs(hh(along).dot(bond)) == 1.0, tt::tolerance(1e-9));
    BOOST_TEST(std::abs(hh(across).dot(bond)) < 1e-9);
    const Structure below = with_adsorbate(sheet, bridge, "CH2", 1.3 * angstrom, 0, true);
    BOOST_TEST(below.positions(2, n) - bridge.position(2) == -1.3 * angstrom, tt::tolerance(1e-9));
    BOOST_TEST(below.positions(2, n + 1) < below.positions(2, n));
    BOOST_TEST(adsorbate_alone("CH3").formula() == "CH3");
    BOOST_TEST(adsorbate_alone("Cr").size() == 1);
    BOOST_CHECK_THROW(adsorbate_alone("CH4"), InputError);
    BOOST_CHECK_THROW(with_adsorbate(sheet, bridge, "Cr", 0), InputError);
}

BOOST_AUTO_TEST_CASE(bonds_open_evenly_and_hydrogen_leaves) {
    BuildReport report;
    const Structure flake = terminate_with_hydrogen(graphene_flake(8 * angstrom), {}, report).structure;
    const int i = atom_in_the_middle(flake);
    const BondGraph graph(flake);
    const int j = graph.of(i).front().j;
    const OpenedBond open = with_open_bond(flake, i, j, 2.2 * angstrom);
    BOOST_TEST((open.structure.positions.col(i) - open.structure.positions.col(j)).norm() == 2.2 * angstrom,
               tt::tolerance(1e-9));
    const BondGraph opened(open.structure);
    for (const Neighbor& n : opened.of(i)) BOOST_TEST(n.j != j);
    BOOST_TEST(opened.coordination(i) == graph.coordination(i) - 1);

    const int hydrogen = flake.size() - 1;
    const int carbon = graph.of(hydrogen).front().j;
    const OpenedBond bare = with_open_bond(flake, carbon, hydrogen, 2.2 * angstrom);
    BOOST_TEST(bare.structure.size() == flake.size() - 1);
    BOOST_TEST(bare.structure.count(1) == flake.count(1) - 1);
    BOOST_TEST(bare.origin.size() == static_cast<std::size_t>(bare.structure.size()));

    BOOST_CHECK_THROW(with_open_bond(flake, i, i, 2.2 * angstrom), InputError);
    BOOST_CHECK_THROW(with_open_bond(flake, i, hydrogen, 2.2 * angstrom), InputError);
    BOOST_CHECK_THROW(with_open_bond(flake, i, j, 1.0 * angstrom), InputError);
    BOOST_CHECK_THROW(with_open_bond(flake, i, 100000, 2.2 * angstrom), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
