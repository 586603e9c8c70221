// SPDX-License-Identifier: Apache-2.0
// From detections to a cell: repair, crop, termination, box, fixed atoms.
#include "stembridge/structure/builders.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <set>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/analysis.hpp"
#include "structures.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using units::angstrom;
namespace tt = boost::test_tools;

namespace {

Detections detections_of(const Structure& structure) {
    Detections result;
    for (int i = 0; i < structure.size(); ++i) {
        Detection d;
        d.x_angstrom = structure.positions(0, i) / angstrom;
        d.y_angstrom = structure.positions(1, i) / angstrom;
        d.atomic_number = structure.atomic_numbers[static_cast<std::size_t>(i)];
        d.probability = 0.9;
        result.push_back(d);
    }
    return result;
}

/// A sheet as a cluster: what a frame looks like.
Structure frame() {
    Structure sheet = graphene_sheet(14, 8);
    sheet.cell = Cell{};
    sheet.positions.row(2).setZero();
    return sheet;
}

CropOptions crop_nearest(const Structure& structure, int n) {
    CropOptions options;
    options.centre = structure.positions.rowwise().mean().head<2>();
    options.n_atoms = n;
    return options;
}

template <class Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

bool any_contains(const std::vector<std::string>& texts, const std::string& part) {
    for (const std::string& text : texts)
        if (contains(text, part)) return true;
    return false;
}

double smallest_distance(const Structure& structure, int element_a, int element_b) {
    double smallest = 1e9;
    for (int i = 0; i < structure.size(); ++i)
        for (int j = 0; j < i; ++j)
            if (std::minmax(structure.atomic_numbers[static_cast<std::size_t>(i)],
                            structure.atomic_numbers[static_cast<std::size_t>(j)]) ==
                std::minmax(element_a, element_b))
                smallest =
                    std::min(smallest, (structure.positions.col(i) - structure.positions.col(j)).norm());
    return smallest;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_builders)

// --- detections
// ----------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(detections_become_a_planar_structure_in_bohr) {
    Detections detections = detections_of(graphene_flake(5 * angstrom));
    detections[3].probability = 0.2;
    detections[5].atomic_number = 0;
    detections[7].probability = std::numeric_limits<double>::quiet_NaN();
    detections[8].atomic_number = 14;
    BuildReport report;
    const Derived made = structure_from_detections(detections, {}, report);
    BOOST_TEST(made.structure.size() == static_cast<int>(detections.size()) - 3);
    BOOST_TEST(made.structure.count(14) == 1);
    BOOST_TEST(report.removed.size() == 3u);
    BOOST_TEST(report.removed[0].index == 3);
    BOOST_TEST(any_contains(report.warnings, "unknown species"));
    for (int i = 0; i < made.structure.size(); ++i) {
        const Detection& d = detections[static_cast<std::size_t>(made.origin[static_cast<std::size_t>(i)])];
        BOOST_TEST(made.structure.positions(0, i) == d.x_angstrom / 0.529177210903, tt::tolerance(1e-12));
        BOOST_TEST(made.structure.positions(2, i) == 0.0);
    }
    BOOST_TEST(!made.structure.cell.is_periodic());
}

BOOST_AUTO_TEST_CASE(detections_that_cannot_be_used_are_refused_with_the_reason) {
    BuildReport report;
    BOOST_TEST(
        contains(message_of([&] { structure_from_detections({}, {}, report); }), "no atoms were detected"));
    Detections detections = detections_of(graphene_flake(3 * angstrom));
    DetectionOptions strict;
    strict.min_probability = 0.95;
    BOOST_TEST(contains(message_of([&] { structure_from_detections(detections, strict, report); }), "0.95"));
    detections[2].atomic_number = 0;
    DetectionOptions refuse;
    refuse.refuse_unknown = true;
    BOOST_TEST(
        contains(message_of([&] { structure_from_detections(detections, refuse, report); }), "detection 3"));
    detections[1].x_angstrom = std::numeric_limits<double>::infinity();
    BOOST_CHECK_THROW(structure_from_detections(detections, {}, report), InputError);
}

// --- repair
// --------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(of_two_atoms_that_are_too_close_the_more_probable_stays) {
    const Structure flake = graphene_flake(6 * angstrom);
    Structure doubled = flake;
    doubled.add(14, flake.positions.col(4) + Eigen::Vector3d(0.6 * angstrom, 0, 0));
    std::vector<double> probability(doubled.atomic_numbers.size(), 0.8);
    probability.back() = 0.4;
    RepairOptions options;
    for (const auto mode : {RepairOptions::Short::merge, RepairOptions::Short::remove}) {
        options.on_short = mode;
        BuildReport report;
        const Derived repaired = repair_short_bonds(doubled, probability, options, report);
        BOOST_TEST(repaired.structure.size() == flake.size());
        BOOST_TEST(repaired.structure.count(14) == 0);
        BOOST_REQUIRE(report.removed.size() == 1u);
        BOOST_TEST(report.removed[0].index == flake.size());
        BOOST_TEST(report.removed[0].atomic_number == 14);
        // weighted mean: 0.4 / (0.8 + 0.4) of the way
        const double moved = mode == RepairOptions::Short::merge ? 0.2 * angstrom : 0.0;
        BOOST_TEST(repaired.structure.positions(0, 4) - flake.positions(0, 4) == moved, tt::tolerance(1e-9));
    }
    options.on_short = RepairOptions::Short::refuse;
    BuildReport report;
    const std::string message =
        message_of([&] { repair_short_bonds(doubled, probability, options, report); });
    BOOST_TEST(contains(message, "atom 5 (C)"));
    BOOST_TEST(contains(message, "0.600 angstrom"));
    BOOST_CHECK_THROW(repair_short_bonds(doubled, {1.0}, options, report), InputError);
}

BOOST_AUTO_TEST_CASE(atoms_exactly_on_top_of_each_other_and_chains_of_short_contacts_are_resolved) {
    Structure s = graphene_flake(6 * angstrom);
    const int n = s.size();
    s.add(6, s.positions.col(0));
    for (int k = 1; k < 4; ++k) s.add(6, s.positions.col(9) + Eigen::Vector3d(0, 0, 0.5 * angstrom * k));
    BuildReport report;
    const Derived repaired = repair_short_bonds(s, {}, {}, report);
    BOOST_TEST(smallest_distance(repaired.structure, 6, 6) > 1.06 * angstrom);
    BOOST_TEST(repaired.structure.size() <= n + 1);
    BOOST_TEST(static_cast<int>(report.removed.size()) == s.size() - repaired.structure.size());
    repaired.structure.validate();
}

BOOST_AUTO_TEST_CASE(a_good_structure_is_not_repaired_and_long_bonds_are_reported) {
    const Structure flake = rattled(graphene_flake(8 * angstrom), 0.05 * angstrom, 4);
    BuildReport report;
    const Derived same = repair_short_bonds(flake, {}, {}, report);
    BOOST_TEST((same.structure.positions - flake.positions).norm() == 0.0);
    BOOST_TEST(report.removed.empty());
    Structure stretched;
    stretched.add(6, {0, 0, 0});
    stretched.add(6, {1.8 * angstrom, 0, 0});
    report_long_bonds(repair_short_bonds(stretched, {}, {}, report), {}, report);
    BOOST_TEST(report.counters["long_bonds"] == 1);
    BOOST_TEST(any_contains(report.warnings, "1.80 angstrom"));
}

BOOST_AUTO_TEST_CASE(regularisation_evens_bonds_within_its_limit) {
    const Structure flake = rattled(graphene_flake(10 * angstrom), 0.05 * angstrom, 7);
    RegulariseOptions options;
    options.max_displacement = 0.1 * angstrom;
    BuildReport report;
    const Structure even = regularise_in_plane(flake, options, report);
    const double before = analyze(flake).bonds.at("C-C").standard_deviation;
    BOOST_TEST(analyze(even).bonds.at("C-C").standard_deviation < 0.5 * before);
    BOOST_TEST((even.positions - flake.positions).colwise().norm().maxCoeff() <=
               0.1 * angstrom * (1 + 1e-12));
    BOOST_TEST((even.positions - flake.positions).row(2).norm() == 0.0);
}

// --- crop
// ----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_crop_of_n_atoms_has_n_atoms_with_two_or_three_bonds_each) {
    const Structure sheet = frame();
    for (const int n : {24, 54, 91, 96, 120, 200}) {
        BuildReport report;
        const Derived patch = crop(sheet, crop_nearest(sheet, n), report);
        BOOST_TEST(patch.structure.size() == n);
        const BondGraph graph(patch.structure);
        BOOST_TEST(fragments(graph).size() == 1u);
        for (int i = 0; i < n; ++i) {
            BOOST_TEST(graph.coordination(i) >= 2);
            BOOST_TEST(graph.coordination(i) <= 3);
            BOOST_TEST((patch.structure.positions.col(i) -
                        sheet.positions.col(patch.origin[static_cast<std::size_t>(i)]))
                           .norm() == 0.0);
        }
        const Structure ended = terminate_with_hydrogen(patch.structure, {}, report).structure;
        BOOST_TEST(smallest_distance(ended, 1, 1) > 1.5 * angstrom);
    }
}

BOOST_AUTO_TEST_CASE(without_a_clean_edge_a_crop_is_exactly_the_nearest_atoms) {
    const Structure sheet = frame();
    CropOptions options = crop_nearest(sheet, 91);
    options.clean_edge = false;
    BuildReport report;
    const Derived patch = crop(sheet, options, report);
    BOOST_TEST(patch.structure.size() == 91);
    const auto distance = [&](const Eigen::Vector3d& p) { return (p.head<2>() - options.centre).norm(); };
    double farthest_inside = 0, nearest_outside = 1e9;
    const std::set<int> inside(patch.origin.begin(), patch.origin.end());
    for (int i = 0; i < sheet.size(); ++i) {
        const double d = distance(sheet.positions.col(i));
        if (inside.count(i) != 0)
            farthest_inside = std::max(farthest_inside, d);
        else
            nearest_outside = std::min(nearest_outside, d);
    }
    BOOST_TEST(farthest_inside <= nearest_outside + 1e-9);
}

BOOST_AUTO_TEST_CASE(crops_by_radius_polygon_and_defect_hold_what_they_should) {
    Structure sheet = frame();
    const Eigen::Vector2d middle = sheet.positions.rowwise().mean().head<2>();
    BuildReport report;
    CropOptions circle;
    circle.by = CropOptions::By::radius;
    circle.centre = middle;
    circle.radius = 7 * angstrom;
    circle.clean_edge = false;
    for (const Derived round = crop(sheet, circle, report); const int i : round.origin)
        BOOST_TEST((sheet.positions.col(i).head<2>() - middle).norm() <= circle.radius);
    CropOptions triangle;
    triangle.by = CropOptions::By::polygon;
    triangle.clean_edge = false;
    triangle.polygon = {middle, middle + Eigen::Vector2d(20, 0), middle + Eigen::Vector2d(0, 20)};
    const Derived corner = crop(sheet, triangle, report);
    int n_expected = 0;
    for (int i = 0; i < sheet.size(); ++i) {
        const Eigen::Vector2d p = sheet.positions.col(i).head<2>() - middle;
        n_expected += p(0) > 0 && p(1) > 0 && p.sum() < 20 ? 1 : 0;
    }
    BOOST_TEST(corner.structure.size() == n_expected);

    const int i = atom_near(sheet, middle(0) + 6 * angstrom, middle(1));
    sheet = with_rotated_bond(sheet, i, BondGraph(sheet).of(i).front().j);
    CropOptions around;
    around.by = CropOptions::By::defect;
    around.n_atoms = 60;
    const Derived patch = crop(sheet, around, report);
    BOOST_TEST(patch.structure.size() == 60);
    const auto found = analyze(patch.structure).defects;
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].kind == "5-7-7-5");
    around.defect = 1;
    BOOST_CHECK_THROW(crop(sheet, around, report), InputError);
    around.defect = 0;
    around.defect_kind = "5-8-5";
    BOOST_TEST(contains(message_of([&] { crop(sheet, around, report); }), "the structure has 5-7-7-5 (1)"));
}

BOOST_AUTO_TEST_CASE(crops_that_make_no_sense_are_refused) {
    const Structure sheet = frame();
    BuildReport report;
    CropOptions options = crop_nearest(sheet, 0);
    BOOST_CHECK_THROW(crop(sheet, options, report), InputError);
    options.n_atoms = sheet.size() + 1;
    BOOST_TEST(contains(message_of([&] { crop(sheet, options, report); }), std::to_string(sheet.size())));
    options.by = CropOptions::By::radius;
    options.radius = 3 * angstrom;
    options.centre = Eigen::Vector2d(1000, 1000);
    BOOST_TEST(contains(message_of([&] { crop(sheet, options, report); }), "holds no atoms"));
    options.radius = -1;
    BOOST_CHECK_THROW(crop(sheet, options, report), InputError);
    options.by = CropOptions::By::polygon;
    BOOST_CHECK_THROW(crop(sheet, options, report), InputError);
    options.by = CropOptions::By::nearest;
    options.n_atoms = 30;
    BOOST_TEST(contains(message_of([&] { crop(sheet, options, report); }), "outside of the structure"));
    options.centre(0) = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_THROW(crop(sheet, options, report), InputError);
}

BOOST_AUTO_TEST_CASE(dangling_chains_and_fragments_are_removed_and_reported) {
    const Structure flake = graphene_flake(6 * angstrom);
    Structure s = flake;
    // a chain of two on the outermost atom, a lone atom, a benzene ring far away
    Eigen::Index outermost = 0;
    flake.positions.row(0).maxCoeff(&outermost);
    for (int k = 1; k < 3; ++k)
        s.add(6, flake.positions.col(outermost) + Eigen::Vector3d(1.42 * angstrom * k, 0, 0));
    s.add(14, Eigen::Vector3d(0, 40, 0));
    const Structure benzene = graphene_flake(1.5 * angstrom);
    for (int i = 0; i < 6; ++i) s.add(6, benzene.positions.col(i) + Eigen::Vector3d(60, 0, 0));
    BuildReport report;
    const Derived cleaned = remove_dangling(s, report);
    BOOST_TEST(cleaned.structure.size() == flake.size());
    BOOST_TEST((cleaned.structure.positions - flake.positions).norm() == 0.0);
    BOOST_TEST(report.removed.size() == 9u);
    std::map<std::string, int> reasons;
    for (const RemovedAtom& atom : report.removed) ++reasons[atom.reason];
    BOOST_TEST(reasons["a single bond"] == 2);
    BOOST_TEST(reasons["no bond"] == 1);
    BOOST_TEST(reasons["in a separate fragment of 6 atoms"] == 6);
    BOOST_TEST(any_contains(report.messages, "(Si)"));
    // hydrogen stays with its carbon
    const Structure ended = terminate_with_hydrogen(flake, {}, report).structure;
    BOOST_TEST(remove_dangling(ended, report).structure.size() == ended.size());
    Structure pair;
    pair.add(6, {0, 0, 0});
    pair.add(6, {2.6, 0, 0});
    BOOST_CHECK_THROW(remove_dangling(pair, report), InputError);
}

// --- hydrogen
// ------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(hydrogen_ends_each_two_fold_carbon_in_the_plane_at_120_degrees) {
    const Structure flake = graphene_flake(8 * angstrom);
    BuildReport report;
    const Derived ended = terminate_with_hydrogen(flake, {}, report);
    const BondGraph before(flake), after(ended.structure);
    int n_two = 0;
    for (int i = 0; i < flake.size(); ++i) n_two += before.coordination(i) == 2 ? 1 : 0;
    BOOST_TEST(ended.structure.count(1) == n_two);
    BOOST_TEST(report.counters["hydrogen_added"] == n_two);
    for (int h = flake.size(); h < ended.structure.size(); ++h) {
        BOOST_TEST(ended.origin[static_cast<std::size_t>(h)] == -1);
        BOOST_REQUIRE(after.coordination(h) == 1);
        const Neighbor bond = after.of(h).front();
        BOOST_TEST(bond.distance == 1.09 * angstrom, tt::tolerance(1e-12));
        BOOST_TEST(std::abs(bond.r_ij(2)) < 1e-12);
        for (const Neighbor& other : before.of(bond.j))
            BOOST_TEST(std::acos(other.r_ij.normalized().dot(-bond.r_ij.normalized())) == 2 * M_PI / 3,
                       tt::tolerance(1e-9));
    }
    for (int i = 0; i < flake.size(); ++i) BOOST_TEST(after.coordination(i) == 3);
}

BOOST_AUTO_TEST_CASE(vacancies_inside_stay_open_unless_asked_for) {
    const Structure flake = graphene_flake(10 * angstrom);
    const Structure s = without_atoms(flake, {atom_in_the_middle(flake)});
    BuildReport report;
    const Structure edge_only = terminate_with_hydrogen(s, {}, report).structure;
    BOOST_TEST(any_contains(report.messages, "3 carbon atoms with a dangling bond inside"));
    TerminationOptions everywhere;
    everywhere.where = TerminationOptions::Where::everywhere;
    BuildReport second;
    const Structure all = terminate_with_hydrogen(s, everywhere, second).structure;
    BOOST_TEST(all.count(1) == edge_only.count(1) + 3);
    // Three H in a vacancy point at its middle: they are pushed apart as far as allowed, or reported.
    BOOST_TEST(second.counters["hydrogen_tilted"] > 0);
    BOOST_TEST((smallest_distance(all, 1, 1) > 1.5 * angstrom || !second.warnings.empty()));
}

BOOST_AUTO_TEST_CASE(hydrogen_atoms_that_would_collide_are_tilted_apart) {
    // A two-fold atom missing from a zigzag edge leaves two that face its place: without a tilt their H would
    // be 0.57 angstrom apart.
    BuildReport unused;
    const Structure flake = remove_dangling(frame(), unused).structure;
    const BondGraph graph(flake);
    int notch = -1;
    for (int i = 0; i < flake.size() && notch < 0; ++i)
        if (graph.coordination(i) == 2 && graph.coordination(graph.of(i)[0].j) == 3 &&
            graph.coordination(graph.of(i)[1].j) == 3)
            notch = i;
    BOOST_REQUIRE(notch >= 0);
    const Structure s = without_atoms(flake, {notch});
    BuildReport report;
    const Structure ended = terminate_with_hydrogen(s, {}, report).structure;
    BOOST_TEST(report.counters["hydrogen_tilted"] > 0);
    BOOST_TEST(smallest_distance(ended, 1, 1) >= 1.49 * angstrom);
    BOOST_TEST(smallest_distance(ended, 1, 6) == 1.09 * angstrom, tt::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_one_fold_carbon_gets_two_hydrogen_atoms) {
    Structure ethylene;
    ethylene.add(6, {0, 0, 0});
    ethylene.add(6, {1.33 * angstrom, 0, 0});
    TerminationOptions everywhere;
    everywhere.where = TerminationOptions::Where::everywhere;
    BuildReport report;
    const Structure ended = terminate_with_hydrogen(ethylene, everywhere, report).structure;
    BOOST_TEST(ended.formula() == "C2H4");
    BOOST_TEST(report.counters["odd_electrons"] == 0);
    const StructureAnalysis a = analyze(ended);
    BOOST_TEST(a.angles.at("C").mean == 2 * M_PI / 3, tt::tolerance(1e-9));
    BOOST_TEST(a.bonds.at("C-H").count == 4);
}

BOOST_AUTO_TEST_CASE(an_odd_number_of_electrons_is_warned_of) {
    const Structure coronene = graphene_flake(3.8 * angstrom);
    BuildReport even;
    const Structure whole = terminate_with_hydrogen(coronene, {}, even).structure;
    BOOST_TEST(whole.formula() == "C24H12");
    BOOST_TEST(!any_contains(even.warnings, "odd number of electrons"));
    BuildReport odd;
    terminate_with_hydrogen(with_substitution(coronene, atom_in_the_middle(coronene), 7), {}, odd);
    BOOST_TEST(any_contains(odd.warnings, "odd number of electrons"));
    BuildReport charged;
    TerminationOptions cation;
    cation.charge = 1;
    terminate_with_hydrogen(coronene, cation, charged);
    BOOST_TEST(any_contains(charged.warnings, "odd number of electrons"));
}

// --- box and fixed atoms
// -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_cluster_stands_in_the_middle_of_its_box) {
    Structure flake = graphene_flake(6 * angstrom);
    flake.positions.colwise() += Eigen::Vector3d(100, -50, 3);
    const Structure boxed = center_in_box(flake, 12 * angstrom);
    const Eigen::Vector3d low = boxed.positions.rowwise().minCoeff(),
                          high = boxed.positions.rowwise().maxCoeff();
    for (int k = 0; k < 3; ++k) {
        BOOST_TEST(boxed.cell.vectors(k, k) == high(k) - low(k) + 12 * angstrom, tt::tolerance(1e-12));
        BOOST_TEST(low(k) == 6 * angstrom, tt::tolerance(1e-12));
    }
    BOOST_TEST(!boxed.cell.is_periodic());
    BOOST_TEST(center_in_box(flake, 12 * angstrom, true).cell.is_fully_periodic());
    BOOST_CHECK_THROW(center_in_box(flake, 0), InputError);
    BOOST_CHECK_THROW(center_in_box(Structure{}), InputError);
}

BOOST_AUTO_TEST_CASE(a_box_keeps_the_periodic_directions) {
    Structure sheet = graphene_sheet(3, 2);
    sheet.cell.periodic = {true, true, false};
    sheet.cell.vectors.col(1) += Eigen::Vector3d(1, 0, 0);
    const Structure boxed = center_in_box(sheet, 15 * angstrom);
    BOOST_TEST((boxed.cell.vectors.leftCols<2>() - sheet.cell.vectors.leftCols<2>()).norm() == 0.0);
    BOOST_TEST(boxed.cell.vectors(2, 2) == 15 * angstrom, tt::tolerance(1e-12));
    BOOST_TEST(boxed.positions(2, 0) == 7.5 * angstrom, tt::tolerance(1e-12));
    BOOST_TEST((boxed.positions.topRows<2>() - sheet.positions.topRows<2>()).norm() < 1e-12);
}

BOOST_AUTO_TEST_CASE(rules_fix_the_right_coordinates) {
    BuildReport report;
    const Structure flake = terminate_with_hydrogen(graphene_flake(8 * angstrom), {}, report).structure;
    const auto fixed_by = [&](const std::string& rule) {
        Structure s = flake;
        fix_atoms(s, rule);
        return s;
    };
    const Structure hydrogen = fixed_by("species:H");
    const Structure in_plane = fixed_by("xy");
    const Structure some = fixed_by("indices:1,3,5-7:z");
    const std::set<int> chosen = {0, 2, 4, 5, 6};
    for (int i = 0; i < flake.size(); ++i) {
        const bool is_h = flake.atomic_numbers[static_cast<std::size_t>(i)] == 1;
        for (int axis = 0; axis < 3; ++axis) {
            BOOST_TEST(hydrogen.is_fixed(axis, i) == is_h);
            BOOST_TEST(in_plane.is_fixed(axis, i) == (axis < 2));
            BOOST_TEST(some.is_fixed(axis, i) == (axis == 2 && chosen.count(i) == 1));
        }
    }
    const Structure perimeter = fixed_by("perimeter");
    const BondGraph graph(flake);
    for (int i = 0; i < flake.size(); ++i) {
        bool near_hydrogen = flake.atomic_numbers[static_cast<std::size_t>(i)] == 1;
        for (const Neighbor& n : graph.of(i))
            near_hydrogen = near_hydrogen || flake.atomic_numbers[static_cast<std::size_t>(n.j)] == 1;
        if (near_hydrogen) BOOST_TEST(perimeter.is_fixed(0, i));
        // the middle is free: two bonds inside the edge
        if (flake.positions.col(i).norm() < 4 * angstrom) BOOST_TEST(!perimeter.is_fixed(0, i));
    }
    Structure both = flake;  // rules add up
    fix_atoms(both, "species:H:x");
    fix_atoms(both, "all:z");
    BOOST_TEST(both.is_fixed(2, 0));
    BOOST_TEST(!both.is_fixed(0, 0));
    BOOST_TEST(both.is_fixed(0, flake.size() - 1));
    fix_atoms(both, "none");
    BOOST_TEST(!both.is_fixed(2, 0));
}

BOOST_AUTO_TEST_CASE(atoms_are_selected_by_element_and_number) {
    const Structure sheet = graphene_sheet(2, 2);
    BOOST_TEST(select_atoms(sheet, "species:C").size() == static_cast<std::size_t>(sheet.size()));
    BOOST_TEST(select_atoms(sheet, "species:Cr").empty());
    BOOST_TEST(select_atoms(sheet, "indices:2,4-5") == std::vector<int>({1, 3, 4}), tt::per_element());
    const std::string message = message_of([&] { select_atoms(sheet, "indices:0"); });
    BOOST_TEST(contains(message, "atoms 'indices:0': index 0 is not between 1"), message);
    BOOST_TEST(contains(message, "perimeter, all, species:H, indices:1,2,5-9"), message);
}

BOOST_AUTO_TEST_CASE(an_unknown_rule_names_those_that_are_accepted) {
    Structure s = graphene_flake(5 * angstrom);
    for (const std::string rule :
         {"border", "", "species:Xx", "species:Cr", "indices:", "indices:0", "indices:3-99", "indices:5-2",
          "indices:1;2", "indices:1,,2", "perimeter:q", "indices:99999999999"}) {
        const std::string message = message_of([&] { fix_atoms(s, rule); });
        BOOST_TEST(contains(message, "perimeter, all, none, xy, species:H, indices:1,2,5-9"),
                   rule << ": " << message);
    }
    Structure periodic = graphene_sheet(2, 2);
    BOOST_CHECK_THROW(fix_atoms(periodic, "perimeter"), InputError);
}

// --- the whole stage
// -----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_whole_stage_turns_a_noisy_frame_into_a_closed_cluster) {
    Structure sheet = frame();
    const int i = atom_in_the_middle(sheet);
    sheet = rattled(with_rotated_bond(sheet, i, BondGraph(sheet).of(i).front().j), 0.03 * angstrom, 11);
    sheet.positions.row(2).setZero();
    sheet.add(6, sheet.positions.col(i) + Eigen::Vector3d(0.4 * angstrom, 0, 0));  // a double detection
    std::vector<double> probability(sheet.atomic_numbers.size(), 0.9);
    probability.back() = 0.5;
    BuildOptions options;
    options.crop = CropOptions{};
    options.crop->by = CropOptions::By::defect;
    options.crop->n_atoms = 91;
    options.fix = {"perimeter:xy"};
    BuildReport report;
    const Derived built = build_cluster(sheet, probability, options, report);
    BOOST_TEST(built.structure.count(6) == 91);
    BOOST_TEST(built.structure.count(1) > 20);
    BOOST_TEST(report.counters["merged"] == 1);
    const StructureAnalysis a = analyze(built.structure);
    BOOST_TEST(a.defects.at(0).kind == "5-7-7-5");
    BOOST_TEST((a.coordination.at("C") == std::map<int, int>{{3, 91}}));
    BOOST_TEST((a.coordination.at("H") == std::map<int, int>{{1, built.structure.count(1)}}));
    // origin leads back to the frame: one shift explains all positions but that of the merged atom
    const Eigen::Vector3d shift = built.structure.positions.col(0) - sheet.positions.col(built.origin[0]);
    for (int k = 0; k < built.structure.size(); ++k) {
        const int from = built.origin[static_cast<std::size_t>(k)];
        if (from < 0 || from == i) continue;
        BOOST_TEST((built.structure.positions.col(k) - sheet.positions.col(from) - shift).norm() < 1e-9);
    }
    BOOST_TEST(built.structure.fixed.row(0).count() > 0);
    BOOST_TEST(built.structure.fixed.row(2).count() == 0);
    BOOST_CHECK_THROW(build_cluster(Structure{}, {}, options, report), InputError);
}

// --- ideal structures
// ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(supercells_repeat_atoms_velocities_and_flags) {
    Structure cell = graphene_sheet(1, 1);
    cell.velocities = Eigen::Matrix3Xd::Random(3, 4);
    fix_atoms(cell, "indices:2");
    const Structure big = supercell(cell, {2, 3, 1});
    BOOST_TEST(big.size() == 24);
    BOOST_TEST(big.cell.vectors(1, 1) == 3 * cell.cell.vectors(1, 1));
    BOOST_TEST((big.velocities.middleCols(8, 4) - cell.velocities).norm() == 0.0);
    BOOST_TEST(big.is_fixed(0, 21));
    BOOST_TEST(!big.is_fixed(0, 20));
    big.validate();
    const StructureAnalysis a = analyze(big);
    BOOST_TEST(a.bonds.at("C-C").count == 36);
    BOOST_CHECK_THROW(supercell(cell, {0, 1, 1}), InputError);
    BOOST_CHECK_THROW(supercell(graphene_flake(5 * angstrom), {2, 1, 1}), InputError);
}

BOOST_AUTO_TEST_CASE(made_defects_have_bonds_of_a_sensible_length) {
    const Structure sheet = graphene_sheet(7, 4);
    const int i = atom_in_the_middle(sheet), j = BondGraph(sheet).of(i).front().j;
    for (const Structure& s : {with_rotated_bond(sheet, i, j), with_divacancy(sheet, i, j)}) {
        const Statistics lengths = analyze(s).bonds.at("C-C");
        BOOST_TEST(lengths.min > 1.25 * angstrom);  // 1.31 in a relaxed Stone-Wales defect
        BOOST_TEST(lengths.max < 1.70 * angstrom);
        s.validate();
    }
}

BOOST_AUTO_TEST_CASE(impossible_ideal_structures_are_refused) {
    const Structure sheet = graphene_sheet(3, 2);
    BOOST_CHECK_THROW(graphene_sheet(0, 1), InputError);
    BOOST_CHECK_THROW(graphene_sheet(1, 1, -1), InputError);
    BOOST_CHECK_THROW(graphene_flake(1.0 * angstrom), InputError);
    BOOST_CHECK_THROW(without_atoms(sheet, {24}), InputError);
    BOOST_CHECK_THROW(with_rotated_bond(sheet, 0, 0), InputError);
    BOOST_CHECK_THROW(with_rotated_bond(sheet, 0, 14), InputError);
    BOOST_CHECK_THROW(with_divacancy(sheet, 0, 14), InputError);
    BOOST_CHECK_THROW(with_substitution(sheet, 0, 0), InputError);
    BOOST_CHECK_THROW(with_substitution(sheet, -1, 14), InputError);
}

// --- adsorbates
// ----------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(adsorbates_stand_over_their_site) {
    const Structure flake = graphene_flake(8 * angstrom);
    const int at = atom_near(flake, 0, 1.42 * angstrom);
    AdsorbateOptions options;
    options.at = at;
    options.height = 2.1 * angstrom;
    const double d = 1.42 * angstrom;
    for (const auto& [site, from_atom] : {std::pair{"top", 0.0}, {"bridge", d / 2}, {"hollow", d}}) {
        options.site = site;
        const Structure s = add_adsorbate(flake, options);
        BOOST_TEST(s.size() == flake.size() + 1);
        BOOST_TEST(s.atomic_numbers.back() == 24);
        const Eigen::Vector3d away = s.positions.col(flake.size()) - flake.positions.col(at);
        BOOST_TEST(away(2) == 2.1 * angstrom, tt::tolerance(1e-9));
        BOOST_TEST(std::abs(away.head<2>().norm() - from_atom) < 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(hydrocarbon_groups_have_tetrahedral_hydrogen) {
    const Structure flake = graphene_flake(8 * angstrom);
    AdsorbateOptions options;
    options.site = "top";
    options.height = 1.6 * angstrom;
    const double tetrahedral = std::acos(-1.0 / 3.0);
    for (int n = 1; n <= 3; ++n) {
        options.species = n == 1 ? "CH" : "CH" + std::to_string(n);
        const Structure s = add_adsorbate(flake, options);
        BOOST_TEST(s.count(1) == n);
        const Eigen::Vector3d carbon = s.positions.col(flake.size());
        for (int k = 0; k < n; ++k) {
            const Eigen::Vector3d h = s.positions.col(flake.size() + 1 + k) - carbon;
            BOOST_TEST(h.norm() == 1.09 * angstrom, tt::tolerance(1e-9));
            BOOST_TEST(h(2) > 0.0);
            for (int l = 0; l < k; ++l) {
                const Eigen::Vector3d other = s.positions.col(flake.size() + 1 + l) - carbon;
                BOOST_TEST(std::acos(h.normalized().dot(other.normalized())) == tetrahedral,
                           tt::tolerance(1e-9));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(unknown_adsorbates_and_sites_are_refused) {
    const Structure flake = graphene_flake(8 * angstrom);
    AdsorbateOptions options;
    options.site = "side";
    BOOST_TEST(contains(message_of([&] { add_adsorbate(flake, options); }), "hollow, bridge, top"));
    options.site = "hollow";
    options.species = "CH4";
    BOOST_TEST(contains(message_of([&] { add_adsorbate(flake, options); }), "CH, CH2, CH3"));
    options.species = "Cr";
    options.at = flake.size();
    BOOST_CHECK_THROW(add_adsorbate(flake, options), InputError);
    BOOST_CHECK_THROW(add_adsorbate(Structure{}, {}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
