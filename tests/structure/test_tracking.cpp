// SPDX-License-Identifier: Apache-2.0
// Bonds, rings and defects followed through trajectories that are made here, so that the answers are known.
#include "stembridge/structure/tracking.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/structure/builders.hpp"
#include "structures.hpp"

using namespace stembridge;
using namespace stembridge::testing;

namespace {

constexpr double angstrom = units::angstrom;

Structure pair_at(double distance, int a = 6, int b = 6) {
    Structure s;
    s.add(a, {0, 0, 0});
    s.add(b, {distance * angstrom, 0, 0});
    return s;
}

/// Two bonded atoms near the middle of a flake.
std::pair<int, int> middle_bond(const Structure& sheet) {
    const BondGraph graph(sheet);
    const Eigen::Vector3d centre = sheet.positions.rowwise().mean();
    std::pair<int, int> best;
    double nearest = 1e9;
    for (const Bond& bond : graph.bonds()) {
        const double d = ((sheet.positions.col(bond.i) + sheet.positions.col(bond.j)) / 2 - centre).norm();
        if (d < nearest) {
            nearest = d;
            best = {bond.i, bond.j};
        }
    }
    return best;
}

const DefectTrack* track_of(const std::vector<DefectTrack>& tracks, const std::string& kind) {
    for (const DefectTrack& track : tracks)
        if (track.kind == kind) return &track;
    return nullptr;
}

Structure shaken(Structure s, double deviation, std::uint64_t seed) {
    Random random(seed);
    for (double& x : s.positions.reshaped()) x += deviation * random.normal();
    return s;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_tracking)

BOOST_AUTO_TEST_CASE(a_bond_that_vibrates_about_its_limit_makes_no_events) {
    // Bonds of C-C form below 1.90 and break beyond 2.185 angstrom.
    BondTracker tracker;
    int t = 0;
    for (const double d : {1.42, 1.85, 1.95, 1.80, 2.10, 1.88, 2.15, 1.5}) tracker.update(t++, pair_at(d));
    BOOST_TEST(tracker.events().empty());
    for (const double d : {2.10, 2.25, 2.15, 1.95, 1.92, 1.85, 2.0}) tracker.update(t++, pair_at(d));
    BOOST_REQUIRE(tracker.events().size() == 2);
    const BondEvent broken = tracker.events()[0], formed = tracker.events()[1];
    BOOST_TEST(!broken.formed);
    BOOST_TEST(broken.time == 9);
    BOOST_TEST(broken.length == 2.25 * angstrom, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(formed.formed);
    BOOST_TEST(formed.time == 13);
    BOOST_TEST(formed.i == 0);
    BOOST_TEST(formed.j == 1);
    BOOST_CHECK_THROW(BondTracker({}, 0.9), InputError);
    BOOST_CHECK_THROW(tracker.update(t, pair_at(1.4, 6, 1)), InputError);
}

BOOST_AUTO_TEST_CASE(atoms_that_wrap_around_the_cell_break_no_bonds) {
    Structure sheet = graphene_sheet(2, 2);
    TopologyTracker tracker;
    const Eigen::Vector3d step = 0.4 * angstrom * Eigen::Vector3d(1, 0.3, 0);
    for (int t = 0; t < 30; ++t) {
        Structure frame = sheet;
        for (int i = 0; i < sheet.size(); ++i) {
            Eigen::Vector3d f = sheet.cell.vectors.inverse() * (sheet.positions.col(i) + t * step);
            for (int axis = 0; axis < 2; ++axis) f(axis) -= std::floor(f(axis));
            frame.positions.col(i) = sheet.cell.vectors * f;
        }
        tracker.update(t, frame);
    }
    BOOST_TEST(tracker.bond_events().empty());
    BOOST_TEST(tracker.frames().back().hexagons() == sheet.size() / 2);
    BOOST_TEST(tracker.frames().back().n_bonds == 3 * sheet.size() / 2);
}

BOOST_AUTO_TEST_CASE(a_frame_is_unwrapped_to_the_nearest_image) {
    Structure sheet = graphene_sheet(2, 2);
    Structure jumped = sheet;
    jumped.positions.col(0) += sheet.cell.vector(0) - 2 * sheet.cell.vector(1);
    jumped.positions.col(3) += Eigen::Vector3d(0.3, 0, 0);
    const Structure back = unwrapped(jumped, sheet);
    BOOST_TEST((back.positions.col(0) - sheet.positions.col(0)).norm() < 1e-12);
    BOOST_TEST((back.positions.col(3) - jumped.positions.col(3)).norm() < 1e-12);
    sheet.cell.vectors.col(2).setZero();
    sheet.cell.periodic[2] = false;
    jumped.cell = sheet.cell;
    BOOST_TEST((unwrapped(jumped, sheet).positions - back.positions).norm() < 1e-12);
    const Structure flake = graphene_flake(5 * angstrom);
    BOOST_TEST((unwrapped(flake, flake).positions - flake.positions).norm() == 0.0);
    BOOST_CHECK_THROW(unwrapped(sheet, flake), InputError);
}

BOOST_AUTO_TEST_CASE(a_stone_wales_defect_comes_and_goes_at_the_right_times) {
    const Structure sheet = graphene_flake(12 * angstrom);
    const auto [i, j] = middle_bond(sheet);
    const Structure defective = with_rotated_bond(sheet, i, j);
    TopologyTracker tracker;
    for (int t = 0; t < 40; ++t) {
        const bool turned = t >= 10 && t < 25;
        tracker.update(
            10.0 * t, shaken(turned ? defective : sheet, 0.02 * angstrom, static_cast<std::uint64_t>(t) + 1));
    }
    const auto tracks = tracker.defects();
    BOOST_REQUIRE(tracks.size() == 1);
    BOOST_TEST(tracks[0].kind == "5-7-7-5");
    BOOST_TEST(tracks[0].appeared == 100);
    BOOST_TEST(tracks[0].last_seen == 240);
    BOOST_TEST(tracks[0].frames == 15);
    BOOST_TEST(!tracks[0].from_start);
    BOOST_TEST(!tracks[0].to_end);
    BOOST_TEST(!tracks[0].became);
    BOOST_TEST(std::count(tracks[0].atoms.begin(), tracks[0].atoms.end(), i) == 1);
    // The turn breaks two bonds and makes two, there and back.
    int formed = 0, broken = 0;
    for (const BondEvent& event : tracker.bond_events()) ++(event.formed ? formed : broken);
    BOOST_TEST(formed == 4);
    BOOST_TEST(broken == 4);
    BOOST_TEST(tracker.frames()[0].hexagons() - tracker.frames()[12].hexagons() == 4);
    BOOST_TEST(tracker.frames()[12].ring_counts.at(5) == 2);
    BOOST_TEST(tracker.frames()[12].ring_counts.at(7) == 2);
    BOOST_TEST(tracker.frames()[39].hexagons() == tracker.frames()[0].hexagons());
}

BOOST_AUTO_TEST_CASE(a_defect_missed_for_a_frame_is_the_same_one_and_one_missed_for_longer_is_another) {
    const Structure sheet = graphene_flake(10 * angstrom);
    const auto [i, j] = middle_bond(sheet);
    const Structure defective = with_rotated_bond(sheet, i, j);
    const BondGraph graph(defective);
    const auto found = find_defects(defective, graph, find_rings(graph), find_edges(defective, graph));
    BOOST_REQUIRE(found.size() == 1);
    DefectTracker tracker(2);
    const std::string seen = "1110011100011";
    for (std::size_t t = 0; t < seen.size(); ++t)
        tracker.update(static_cast<double>(t), seen[t] == '1' ? found : std::vector<Defect>{});
    const auto tracks = tracker.tracks();
    BOOST_REQUIRE(tracks.size() == 2);
    BOOST_TEST(tracks[0].from_start);
    BOOST_TEST(tracks[0].last_seen == 7);
    BOOST_TEST(tracks[0].frames == 6);
    BOOST_TEST(!tracks[0].to_end);
    BOOST_TEST(tracks[1].appeared == 11);
    BOOST_TEST(tracks[1].to_end);
}

BOOST_AUTO_TEST_CASE(a_divacancy_that_reconstructs_becomes_the_next_defect) {
    const Structure sheet = graphene_flake(12 * angstrom);
    const auto [i, j] = middle_bond(sheet);
    const Structure open = without_atoms(sheet, {i, j});
    const Structure closed = with_divacancy(sheet, i, j);
    BOOST_REQUIRE(open.size() == closed.size());
    TopologyTracker tracker;
    for (int t = 0; t < 10; ++t) tracker.update(t, t < 4 ? open : closed);
    const auto tracks = tracker.defects();
    const DefectTrack* vacancy = track_of(tracks, "vacancy");
    const DefectTrack* reconstructed = track_of(tracks, "5-8-5");
    BOOST_REQUIRE(vacancy != nullptr);
    BOOST_REQUIRE(reconstructed != nullptr);
    BOOST_TEST(vacancy->from_start);
    BOOST_TEST(vacancy->last_seen == 3);
    BOOST_REQUIRE(vacancy->became.has_value());
    BOOST_TEST(*vacancy->became == reconstructed->id);
    BOOST_TEST(reconstructed->appeared == 4);
    BOOST_TEST(reconstructed->to_end);
    // Two atoms out of graphene join four hexagons to a hole of 14 atoms.
    const double hexagon = 1.5 * std::sqrt(3.0) * std::pow(1.42 * angstrom, 2);
    BOOST_TEST(tracker.frames()[0].hole_area == 4 * hexagon, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(tracker.frames()[9].hole_area == 0);
}

BOOST_AUTO_TEST_CASE(the_hole_of_one_missing_atom_has_the_area_of_three_hexagons) {
    const Structure sheet = graphene_flake(12 * angstrom);
    const Structure vacancy = without_atoms(sheet, {middle_bond(sheet).first});
    TopologyTracker tracker;
    tracker.update(0, vacancy);
    const double hexagon = 1.5 * std::sqrt(3.0) * std::pow(1.42 * angstrom, 2);
    BOOST_TEST(tracker.frames()[0].hole_area == 3 * hexagon, boost::test_tools::tolerance(1e-6));
    tracker.update(1, vacancy);
    BOOST_TEST(tracker.defects().size() == 1);
    BOOST_TEST(tracker.defects()[0].kind == "vacancy");
}

BOOST_AUTO_TEST_CASE(adatoms_chains_and_fragments_are_told_apart) {
    const Structure flake = graphene_flake(9 * angstrom);
    Structure decorated = add_adsorbate(flake, {});  // Cr over a hollow
    const int chromium = decorated.size() - 1;
    // A chain of three carbon atoms on an edge atom, outwards, and an atom that has left.
    int edge = 0;
    const BondGraph graph(flake);
    for (int i = 0; i < flake.size(); ++i)
        if (graph.coordination(i) == 2 && flake.positions(0, i) > flake.positions(0, edge)) edge = i;
    const Eigen::Vector3d out = flake.positions.col(edge).normalized();
    std::vector<int> chain;
    for (int k = 1; k <= 3; ++k) {
        chain.push_back(decorated.size());
        decorated.add(6, flake.positions.col(edge) + 1.35 * k * angstrom * out);
    }
    decorated.add(1, {0, 0, 9 * angstrom});
    const auto found = find_appendages(decorated, BondGraph(decorated));
    BOOST_REQUIRE(found.size() == 3);
    BOOST_TEST(found[0].kind == "adatom");
    BOOST_TEST(found[0].atoms == std::vector{chromium});
    BOOST_TEST(found[1].kind == "dangling chain");
    BOOST_TEST(found[1].atoms == chain);
    BOOST_TEST(found[2].kind == "fragment");
    BOOST_TEST(found[2].atoms == std::vector{decorated.size() - 1});
    BOOST_TEST(find_appendages(flake, graph).empty());
    // A molecule without a ring is no sheet with chains.
    BOOST_TEST(find_appendages(pair_at(1.4), BondGraph(pair_at(1.4))).empty());

    // Gone at the third frame.
    TopologyTracker tracker;
    Structure left = decorated;
    for (const int atom : chain) left.positions.col(atom) += 6 * angstrom * out;
    for (int t = 0; t < 6; ++t) tracker.update(t, t < 2 ? decorated : left);
    const auto tracks = tracker.defects();
    const DefectTrack* hanging = track_of(tracks, "dangling chain");
    BOOST_REQUIRE(hanging != nullptr);
    BOOST_TEST(hanging->last_seen == 1);
    BOOST_REQUIRE(hanging->became.has_value());
    BOOST_TEST(tracks[static_cast<std::size_t>(*hanging->became) - 1].kind == "fragment");
}

BOOST_AUTO_TEST_CASE(bonds_and_angles_of_a_ring_are_means_over_the_frames_that_have_it) {
    // A regular pentagon that breathes between two sizes.
    const auto pentagon = [](double bond) {
        Structure s;
        const double radius = bond / (2 * std::sin(M_PI / 5));
        for (int k = 0; k < 5; ++k)
            s.add(6, radius * angstrom *
                         Eigen::Vector3d(std::cos(2 * M_PI * k / 5), std::sin(2 * M_PI * k / 5), 0));
        return s;
    };
    TopologyTracker tracker;
    for (int t = 0; t < 10; ++t) tracker.update(t, pentagon(t % 2 == 0 ? 1.40 : 1.50));
    for (int t = 10; t < 15; ++t) tracker.update(t, pentagon(2.4));  // torn apart
    const auto records = tracker.rings().records();
    BOOST_REQUIRE(records.size() == 1);
    BOOST_TEST(records[0].ring.size() == 5);
    BOOST_TEST(records[0].frames == 10);
    BOOST_TEST(records[0].last == 9);
    for (std::size_t k = 0; k < 5; ++k) {
        BOOST_TEST(records[0].bond_means[k] == 1.45 * angstrom, boost::test_tools::tolerance(1e-9));
        BOOST_TEST(records[0].bond_deviations[k] == 0.05 * angstrom, boost::test_tools::tolerance(1e-6));
        BOOST_TEST(records[0].angle_means[k] == 108 * M_PI / 180, boost::test_tools::tolerance(1e-9));
        BOOST_TEST(records[0].angle_deviations[k] < 1e-6);
    }
    BOOST_TEST(tracker.rings().frames() == 15);
    BOOST_TEST(tracker.bond_events().size() == 5);
}

BOOST_AUTO_TEST_SUITE_END()
