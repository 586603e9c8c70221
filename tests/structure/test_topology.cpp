// SPDX-License-Identifier: Apache-2.0
// Bonds, rings, edges and defects.
#include "stembridge/structure/topology.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <ctime>
#include <set>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/builders.hpp"
#include "structures.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using units::angstrom;
using Counts = std::map<int, int>;

namespace {

Counts counts_of(const Structure& structure) {
    return ring_counts(find_rings(BondGraph(structure)));
}

std::vector<Defect> defects_of(const Structure& structure) {
    const BondGraph graph(structure);
    return find_defects(structure, graph, find_rings(graph), find_edges(structure, graph));
}

std::vector<std::string> kinds_of(const Structure& structure) {
    std::vector<std::string> kinds;
    for (const Defect& defect : defects_of(structure)) kinds.push_back(defect.kind);
    return kinds;
}

/// The first neighbour of an atom in the graph.
int partner_of(const Structure& structure, int atom) {
    return BondGraph(structure).of(atom).front().j;
}

/// A vacancy in which two of the three dangling atoms have formed a bond.
Structure reconstructed_vacancy(const Structure& sheet) {
    const int atom = atom_in_the_middle(sheet);
    const BondGraph graph(sheet);
    Structure moved = sheet;
    const Neighbor a = graph.of(atom)[0], b = graph.of(atom)[1];
    const Eigen::Vector3d apart = b.r_ij - a.r_ij;
    moved.positions.col(a.j) += 0.17 * apart;
    moved.positions.col(b.j) -= 0.17 * apart;
    return without_atoms(moved, {atom});
}

/// Corners of a truncated icosahedron with edges of 1.43 angstrom.
Structure buckminsterfullerene() {
    const double phi = (1 + std::sqrt(5.0)) / 2;
    const std::vector<Eigen::Vector3d> seeds = {
        {0, 1, 3 * phi}, {1, 2 + phi, 2 * phi}, {phi, 2, 2 * phi + 1}};
    Structure result;
    std::set<std::array<long, 3>> seen;
    for (const Eigen::Vector3d& seed : seeds)
        for (int turn = 0; turn < 3; ++turn)
            for (int signs = 0; signs < 8; ++signs) {
                Eigen::Vector3d p;
                for (int k = 0; k < 3; ++k) p(k) = seed((k + turn) % 3) * ((signs >> k & 1) != 0 ? -1 : 1);
                if (seen.insert({std::lround(1e6 * p(0)), std::lround(1e6 * p(1)), std::lround(1e6 * p(2))})
                        .second)
                    result.add(6, p * 1.43 * angstrom / 2);
            }
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_topology)

BOOST_AUTO_TEST_CASE(carbon_hydrogen_and_carbon_carbon_bonds_end_where_they_should) {
    const BondCriteria criteria;
    BOOST_TEST(criteria.limit(6, 6) / angstrom == 1.90, boost::test_tools::tolerance(1e-3));
    BOOST_TEST(criteria.limit(1, 6) < 1.4 * angstrom);
    BOOST_TEST(criteria.limit(1, 6) > 1.2 * angstrom);
    BOOST_TEST(criteria.limit(1, 1) > 0.74 * angstrom);
    BondCriteria own;
    own.longest[{6, 14}] = 2.0;
    BOOST_TEST(own.limit(14, 6) == 2.0);
    own.factor = 0;
    BOOST_CHECK_THROW(BondGraph(graphene_flake(5), own), InputError);
}

BOOST_AUTO_TEST_CASE(every_bond_stands_once_also_to_own_images) {
    const Structure cell = graphene_sheet(1, 1);  // 4 atoms, 6 bonds
    const BondGraph graph(cell);
    BOOST_TEST(graph.bonds().size() == 6u);
    for (int i = 0; i < 4; ++i) BOOST_TEST(graph.coordination(i) == 3);
    Structure chain;  // one atom per cell
    chain.cell.vectors.diagonal() << 1.4 * angstrom, 20, 20;
    chain.cell.periodic = {true, false, false};
    chain.add(6, Eigen::Vector3d::Zero());
    BOOST_TEST(BondGraph(chain).bonds().size() == 1u);
    BOOST_TEST(BondGraph(chain).coordination(0) == 2);
}

BOOST_AUTO_TEST_CASE(a_pristine_flake_has_the_hexagons_of_eulers_formula) {
    for (const double radius : {1.5, 4.0, 8.0, 15.0}) {
        const Structure flake = graphene_flake(radius * angstrom);
        const int n_bonds = static_cast<int>(BondGraph(flake).bonds().size());
        // faces = edges - vertices + 1 for a connected planar graph, without the outer face
        BOOST_TEST(counts_of(flake) == (Counts{{6, n_bonds - flake.size() + 1}}));
        BOOST_TEST(kinds_of(flake).empty());
    }
    BOOST_TEST(graphene_flake(1.5 * angstrom).size() == 6);
    BOOST_TEST(graphene_flake(3.8 * angstrom).size() == 24);  // coronene
}

BOOST_AUTO_TEST_CASE(a_periodic_sheet_has_half_as_many_hexagons_as_atoms_however_small_the_cell) {
    for (const auto& [nx, ny] : {std::pair{1, 1}, {2, 1}, {1, 2}, {3, 2}, {7, 4}}) {
        const Structure sheet = graphene_sheet(nx, ny);
        BOOST_TEST(counts_of(sheet) == (Counts{{6, 2 * nx * ny}}));
        const auto edges = find_edges(sheet, BondGraph(sheet));
        BOOST_REQUIRE(edges.has_value());
        BOOST_TEST(edges->outer.empty());
        BOOST_TEST(edges->holes.empty());
        BOOST_TEST(kinds_of(sheet).empty());
    }
    Structure primitive;  // two atoms
    const double a = 2.46 * angstrom;
    primitive.cell.vectors << a, a / 2, 0, 0, a * std::sqrt(3.0) / 2, 0, 0, 0, 20;
    primitive.cell.periodic = {true, true, false};
    primitive.add(6, {0, 0, 0});
    primitive.add(6, {a / 2, a / (2 * std::sqrt(3.0)), 0});
    BOOST_TEST(counts_of(primitive) == (Counts{{6, 1}}));
}

BOOST_AUTO_TEST_CASE(a_path_around_the_cell_is_not_a_ring) {
    Structure chain;
    chain.cell.vectors.diagonal() << 6 * 1.4 * angstrom, 20, 20;
    chain.cell.periodic = {true, true, true};
    for (int k = 0; k < 6; ++k) chain.add(6, Eigen::Vector3d(1.4 * angstrom * k, 0, 0));
    BOOST_TEST(BondGraph(chain).coordination(0) == 2);
    BOOST_TEST(counts_of(chain).empty());
}

BOOST_AUTO_TEST_CASE(rings_do_not_depend_on_which_image_the_coordinates_name) {
    Structure sheet = graphene_sheet(3, 2);
    Random random(3);
    for (int i = 0; i < sheet.size(); ++i)
        sheet.positions.col(i) +=
            sheet.cell.vector(0) * random.below(7) - sheet.cell.vector(1) * random.below(5);
    const auto rings = find_rings(BondGraph(sheet));
    BOOST_TEST(ring_counts(rings) == (Counts{{6, 12}}));
    for (const Ring& ring : rings) {  // in one piece: every side is a bond
        const Eigen::Matrix3Xd corners = ring_positions(ring, sheet);
        for (int k = 0; k < 6; ++k)
            BOOST_TEST((corners.col((k + 1) % 6) - corners.col(k)).norm() == 1.42 * angstrom,
                       boost::test_tools::tolerance(1e-9));
    }
}

BOOST_AUTO_TEST_CASE(rings_of_closed_cages_are_their_faces) {
    const Structure c60 = buckminsterfullerene();
    BOOST_REQUIRE(c60.size() == 60);
    BOOST_TEST(ring_counts(find_rings(BondGraph(c60), 3, 8)) == (Counts{{5, 12}, {6, 20}}));
    BOOST_TEST(!find_edges(c60, BondGraph(c60)).has_value());
    // A cube has 6 faces, and 4 hexagons around its space diagonals that are shortest-path rings as well.
    Structure cubane;
    for (int corner = 0; corner < 8; ++corner)
        cubane.add(6, 1.57 * angstrom * Eigen::Vector3d(corner & 1, corner >> 1 & 1, corner >> 2));
    BOOST_TEST(counts_of(cubane) == (Counts{{4, 6}, {6, 4}}));
}

BOOST_AUTO_TEST_CASE(two_fused_rings_do_not_make_their_outline_a_ring) {
    const Structure naphthalene = without_atoms(graphene_flake(1.5 * angstrom), {});
    BOOST_TEST(counts_of(naphthalene) == (Counts{{6, 1}}));
    Structure two = graphene_sheet(2, 2);
    two.cell = Cell{};
    const BondGraph graph(two);
    const auto rings = find_rings(graph, 3, 12);
    for (const Ring& ring : rings) BOOST_TEST(ring.size() == 6);
}

BOOST_AUTO_TEST_CASE(a_turned_bond_is_a_stone_wales_defect_also_when_rattled) {
    for (const bool periodic : {true, false}) {
        Structure sheet = graphene_sheet(7, 4);
        if (!periodic) sheet = graphene_flake(12 * angstrom);
        const int n_hexagons = counts_of(sheet)[6];
        const int i = atom_in_the_middle(sheet), j = partner_of(sheet, i);
        const Structure stone_wales = with_rotated_bond(sheet, i, j);
        for (const std::uint64_t seed : {0, 1, 2, 3}) {
            // 0.04 angstrom per coordinate leaves five standard deviations to the bond limit.
            const Structure s = rattled(stone_wales, seed == 0 ? 0 : 0.04 * angstrom, seed);
            BOOST_TEST(counts_of(s) == (Counts{{5, 2}, {6, n_hexagons - 4}, {7, 2}}));
            const auto defects = defects_of(s);
            BOOST_REQUIRE(defects.size() == 1u);
            BOOST_TEST(defects[0].kind == "5-7-7-5");
            BOOST_TEST(defects[0].ring_sizes == (std::vector{5, 5, 7, 7}));
            BOOST_TEST(defects[0].atoms.size() == 16u);
            const std::set<int> atoms(defects[0].atoms.begin(), defects[0].atoms.end());
            BOOST_TEST(atoms.count(i) == 1u);
            BOOST_TEST(atoms.count(j) == 1u);
            const Eigen::Vector3d middle = (stone_wales.positions.col(i) + stone_wales.positions.col(j)) / 2;
            BOOST_TEST((defects[0].centre - middle).norm() < 0.1 * angstrom);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_reconstructed_divacancy_is_5_8_5) {
    const Structure sheet = graphene_sheet(7, 4);
    const int i = atom_in_the_middle(sheet);
    const Structure s = with_divacancy(sheet, i, partner_of(sheet, i));
    BOOST_TEST(s.size() == sheet.size() - 2);
    for (const std::uint64_t seed : {0, 1, 2}) {
        const Structure moved = rattled(s, seed == 0 ? 0 : 0.03 * angstrom, seed);
        // the pair was in 4 of the 56 hexagons
        BOOST_TEST(counts_of(moved) == (Counts{{5, 2}, {6, 52}, {8, 1}}));
        BOOST_TEST(kinds_of(moved) == (std::vector<std::string>{"5-8-5"}));
    }
}

BOOST_AUTO_TEST_CASE(a_missing_atom_is_a_vacancy_and_the_open_edge_is_not) {
    for (const bool periodic : {true, false}) {
        const Structure sheet = periodic ? graphene_sheet(7, 4) : graphene_flake(12 * angstrom);
        const Structure s = without_atoms(sheet, {atom_in_the_middle(sheet)});
        const BondGraph graph(s);
        const auto edges = find_edges(s, graph);
        BOOST_REQUIRE(edges.has_value());
        BOOST_REQUIRE(edges->holes.size() == 1u);
        BOOST_TEST(edges->holes[0].size() == 12);
        BOOST_TEST(edges->outer.empty() == periodic);
        int n_two = 0;
        for (const int atom : edges->holes[0].atoms) n_two += graph.coordination(atom) == 2 ? 1 : 0;
        BOOST_TEST(n_two == 3);
        BOOST_TEST(kinds_of(s) == (std::vector<std::string>{"vacancy"}));
        BOOST_TEST(kinds_of(reconstructed_vacancy(sheet)) == (std::vector<std::string>{"vacancy"}));
        BOOST_TEST(counts_of(reconstructed_vacancy(sheet))[9] == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_large_hole_is_called_a_hole) {
    const Structure sheet = graphene_sheet(9, 6);
    const Eigen::Vector3d middle = sheet.positions.rowwise().mean();
    std::vector<int> gone;
    for (int i = 0; i < sheet.size(); ++i)
        if ((sheet.positions.col(i) - middle).norm() < 4 * angstrom) gone.push_back(i);
    BuildReport report;
    const Structure s = remove_dangling(without_atoms(sheet, gone), report).structure;
    BOOST_TEST(kinds_of(s) == (std::vector<std::string>{"hole"}));
}

BOOST_AUTO_TEST_CASE(three_pentagons_around_three_heptagons_are_555_777) {
    // Turning a bond that the octagon of a divacancy shares with a hexagon gives 555-777; springs let the new
    // rings open before the bonds are counted.
    const Structure sheet = graphene_sheet(8, 5);
    const int i = atom_in_the_middle(sheet);
    const Structure divacancy = with_divacancy(sheet, i, partner_of(sheet, i));
    RegulariseOptions springs;
    springs.max_displacement = 1.5 * angstrom;
    springs.restoring_stiffness = 1e-3;
    springs.iterations = 400;
    BuildReport report;
    const Structure relaxed = regularise_in_plane(divacancy, springs, report);
    int n_found = 0;
    for (const Ring& ring : find_rings(BondGraph(relaxed), 8, 8))
        for (int k = 0; k < 8; ++k) {
            const int a = ring.atoms[static_cast<std::size_t>(k)],
                      b = ring.atoms[static_cast<std::size_t>((k + 1) % 8)];
            const Structure turned = regularise_in_plane(with_rotated_bond(relaxed, a, b), springs, report);
            const auto kinds = kinds_of(turned);
            if (kinds == std::vector<std::string>{"555-777"}) {
                ++n_found;
                BOOST_TEST(counts_of(turned)[5] == 3);
                BOOST_TEST(counts_of(turned)[7] == 3);
            }
        }
    BOOST_TEST(n_found > 0);
}

BOOST_AUTO_TEST_CASE(a_foreign_atom_in_the_sheet_is_a_substitution) {
    const Structure sheet = graphene_sheet(7, 4);
    const int i = atom_in_the_middle(sheet), j = partner_of(sheet, i);
    const auto single = defects_of(with_substitution(sheet, i, 14));
    BOOST_REQUIRE(single.size() == 1u);
    BOOST_TEST(single[0].kind == "substitution");
    BOOST_TEST(single[0].atoms == std::vector{i});
    const auto pair = defects_of(with_substitution(with_substitution(sheet, i, 7), j, 7));
    BOOST_REQUIRE(pair.size() == 1u);
    BOOST_TEST(pair[0].atoms.size() == 2u);
}

BOOST_AUTO_TEST_CASE(hydrogen_and_adsorbed_atoms_are_no_defects) {
    BuildReport report;
    const Structure flake = terminate_with_hydrogen(graphene_flake(8 * angstrom), {}, report).structure;
    BOOST_TEST(kinds_of(flake).empty());
    AdsorbateOptions chromium;
    chromium.height = 1.7 * angstrom;
    const Structure with_cr = add_adsorbate(flake, chromium);
    const BondGraph graph(with_cr);
    BOOST_TEST(graph.coordination(with_cr.size() - 1) == 6);
    BOOST_TEST(adsorbed_atoms(with_cr, graph) == std::vector{with_cr.size() - 1});
}

BOOST_AUTO_TEST_CASE(the_outer_edge_of_a_ribbon_runs_through_the_cell) {
    Structure ribbon = graphene_sheet(4, 3);
    ribbon.cell.periodic = {true, false, true};
    const BondGraph graph(ribbon);
    const auto edges = find_edges(ribbon, graph);
    BOOST_REQUIRE(edges.has_value());
    // An edge period has one two-fold and one three-fold atom; cut between cells, one side ends in single
    // bonds that hang on the edge: 2 sides of 4 periods each with at least two atoms.
    BOOST_TEST(edges->outer.size() >= 16u);
    for (int i = 0; i < ribbon.size(); ++i)
        if (graph.coordination(i) < 3)
            BOOST_TEST((std::find(edges->outer.begin(), edges->outer.end(), i) != edges->outer.end()));
    BOOST_TEST(edges->outer.size() < static_cast<std::size_t>(ribbon.size()));
}

BOOST_AUTO_TEST_CASE(fragments_come_largest_first) {
    Structure two = graphene_flake(1.5 * angstrom);
    const Structure coronene = graphene_flake(3.8 * angstrom);
    for (int i = 0; i < coronene.size(); ++i)
        two.add(6, coronene.positions.col(i) + Eigen::Vector3d(30, 0, 0));
    const auto parts = fragments(BondGraph(two));
    BOOST_REQUIRE(parts.size() == 2u);
    BOOST_TEST(parts[0].size() == 24u);
    BOOST_TEST(parts[1] == (std::vector{0, 1, 2, 3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(crossing_bonds_do_not_make_holes) {
    // A square of false detections in the middle of a hexagon: every diagonal is a bond.
    Structure s = graphene_flake(8 * angstrom);
    for (const double x : {-0.55, 0.55})
        for (const double y : {-0.55, 0.55}) s.add(6, Eigen::Vector3d(x, y, 0) * angstrom);
    const auto edges = find_edges(s, BondGraph(s));
    BOOST_REQUIRE(edges.has_value());
    BOOST_TEST(edges->holes.empty());
}

BOOST_AUTO_TEST_CASE(a_frame_of_2100_atoms_takes_less_than_half_a_second) {
    const Structure sheet = rattled(graphene_sheet(35, 15), 0.05 * angstrom, 1);
    // Processor time, the best of three: other work on the machine must not count.
    double best = 1e9;
    for (int run = 0; run < 3; ++run) {
        const std::clock_t start = std::clock();
        BOOST_TEST(defects_of(sheet).empty());
        best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    BOOST_TEST(best < 0.5);  // about 0.04 s
    BOOST_TEST(sheet.size() == 2100);
    BOOST_TEST(counts_of(sheet)[6] == 1050);
}

BOOST_AUTO_TEST_CASE(ring_sizes_that_cannot_be_searched_are_refused) {
    const BondGraph graph(graphene_flake(5));
    BOOST_CHECK_THROW(find_rings(graph, 2, 10), InputError);
    BOOST_CHECK_THROW(find_rings(graph, 6, 5), InputError);
    BOOST_CHECK_THROW(find_rings(graph, 3, 20), InputError);
}

BOOST_AUTO_TEST_CASE(empty_and_tiny_structures_have_no_rings_and_no_defects) {
    const Structure nothing;
    BOOST_TEST(counts_of(nothing).empty());
    BOOST_TEST(kinds_of(nothing).empty());
    Structure one;
    one.add(6, Eigen::Vector3d::Zero());
    BOOST_TEST(counts_of(one).empty());
    BOOST_TEST(kinds_of(one).empty());
}

BOOST_AUTO_TEST_SUITE_END()
