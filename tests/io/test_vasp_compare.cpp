// SPDX-License-Identifier: Apache-2.0
// A VASP run beside our numbers: what is compared with what, in which unit and sign, and what is refused.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "io/vasp_texts.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/vasp_compare.hpp"

using namespace stembridge;
using namespace stembridge::io;
using namespace stembridge::testing;
using Kind = VaspRun::Kind;

namespace {

VaspRun two_steps(const VasprunText& t = {}) {
    return read_vasp_text(vasprun_head(t) + vasprun_step(t, -10, "0.3 0.4 0.0", "0.0 0.0 0.0") +
                              vasprun_step(t, -11, "0.1 0.0 0.0", "0.0 0.0 0.0") + vasprun_tail(),
                          "vasprun.xml", Kind::vasprun);
}

/// Our numbers, equal to those of the run but for the zero of the energy.
std::vector<Evaluation> equal_numbers(const VaspRun& run) {
    std::vector<Evaluation> result;
    for (const VaspStep& step : run.steps) {
        Evaluation e;
        e.energy = (*step.energy_free_ev + 500) * units::electronvolt;
        e.energy_zero = (*step.energy_zero_ev + 700) * units::electronvolt;
        e.forces = step.forces_ev_per_angstrom * units::electronvolt_per_angstrom;
        // VASP: positive = compressed, kbar; ours: tension positive, atomic units.
        e.stress = Eigen::Matrix3d(-*step.stress_kbar * 0.1 * units::gigapascal);
        result.push_back(e);
    }
    return result;
}

constexpr double rounding = 1e-9;

}  // namespace

BOOST_AUTO_TEST_SUITE(test_vasp_compare)

BOOST_AUTO_TEST_CASE(equal_numbers_differ_by_nothing_whatever_the_zero_of_the_energy) {
    const VaspRun run = two_steps();
    const VaspComparison c = compare_with_vasp(run, {0, 1}, equal_numbers(run));
    BOOST_TEST(c.free_ev->max < rounding);
    BOOST_TEST(c.zero_ev->max < rounding);
    BOOST_TEST(c.force_ev_per_angstrom.max < rounding);
    // The cell is 10 angstrom high with atoms at 0 and 1: vacuum, so the stress is compared in the plane.
    BOOST_REQUIRE(c.sheet_stress_n_per_m.has_value());
    BOOST_TEST(!c.stress_kbar.has_value());
    BOOST_TEST(c.sheet_stress_n_per_m->max < rounding);
    BOOST_TEST(*c.steps[1].vasp_free_ev == -1.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(differences_of_energy_force_and_stress_have_their_units) {
    const VaspRun run = two_steps();
    std::vector<Evaluation> ours = equal_numbers(run);
    ours[1].energy += 0.25 * units::electronvolt;
    ours[1].energy_zero -= 0.5 * units::electronvolt;
    ours[0].forces.col(1) += Eigen::Vector3d(0.3, 0, 0.4) * units::electronvolt_per_angstrom;
    (*ours[0].stress)(0, 0) += 0.1 * units::gigapascal;  // one kbar less pressure
    const VaspComparison c = compare_with_vasp(run, {0, 1}, ours);
    BOOST_TEST(c.free_ev->max == 0.25, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(c.zero_ev->max == 0.5, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(c.force_ev_per_angstrom.max == 0.5, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(c.force_ev_per_angstrom.rms == std::sqrt(0.25 / 12), boost::test_tools::tolerance(1e-9));
    // 1 kbar over 10 angstrom = 0.1 N/m
    BOOST_TEST(c.sheet_stress_n_per_m->max == 0.1, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_compared_is_refused) {
    VaspRun run = two_steps();
    BOOST_CHECK_NO_THROW(require_comparable(run, false));
    BOOST_CHECK_THROW(require_comparable(run, true), InputError);  // dispersion here only
    VasprunText dispersion;
    dispersion.offset = -0.5;
    BOOST_CHECK_THROW(require_comparable(two_steps(dispersion), false), InputError);
    BOOST_CHECK_NO_THROW(require_comparable(two_steps(dispersion), true));
    run.status = VaspStatus::malformed;
    BOOST_CHECK_THROW(require_comparable(run, false), InputError);
    BOOST_CHECK_THROW(
        require_comparable(read_vasp_text(xdatcar({0.1}, false, 1), "XDATCAR", Kind::xdatcar), false),
        InputError);
    const std::string head = vasprun_head();
    BOOST_CHECK_THROW(require_comparable(read_vasp_text(head, "vasprun.xml", Kind::vasprun), false),
                      InputError);
    VaspRun nameless = two_steps();
    nameless.species.clear();
    BOOST_CHECK_THROW(require_comparable(nameless, false), InputError);
    std::vector<Evaluation> fewer = equal_numbers(two_steps());
    fewer[0].forces.resize(3, 1);
    BOOST_CHECK_THROW(compare_with_vasp(two_steps(), {0, 1}, fewer), InputError);
}

BOOST_AUTO_TEST_CASE(geometries_are_compared_after_the_map_the_images_and_the_common_shift) {
    const VaspRun run = two_steps();
    Structure ours = to_structure(run, run.steps[1]);
    // The other order, shifted as a whole and by a lattice vector.
    ours = ours.selected({1, 0});
    ours.positions.colwise() += Eigen::Vector3d(0.7, 0.1, -0.2);
    ours.positions.col(0) += to_structure(run, run.steps[1]).cell.vector(1);
    BOOST_TEST(compare_geometry(run, ours, {1, 0}).displacement_angstrom.max < rounding);
    ours.positions(2, 0) += 0.2 * units::angstrom;
    const GeometryDifference d = compare_geometry(run, ours, {1, 0});
    // One of two atoms moved by 0.2: each lies 0.1 from the common centre.
    BOOST_TEST(d.displacement_angstrom.rms == 0.1, boost::test_tools::tolerance(1e-9));
    ours.atomic_numbers[0] = 14;
    BOOST_CHECK_THROW(compare_geometry(run, ours, {1, 0}), InputError);
    BOOST_CHECK_THROW(compare_geometry(run, ours.selected({0}), {0}), InputError);
}

BOOST_AUTO_TEST_CASE(steps_are_spread_with_first_and_last) {
    VaspRun run = two_steps();
    while (run.steps.size() < 11) run.steps.push_back(run.steps.front());
    BOOST_TEST((spread_steps(run, 3) == std::vector<int>{0, 5, 10}));
    BOOST_TEST((spread_steps(run, 1) == std::vector<int>{10}));
    BOOST_TEST(spread_steps(run, 0).size() == 11u);
    BOOST_TEST(spread_steps(run, 99).size() == 11u);
}

BOOST_AUTO_TEST_CASE(trajectories_give_mean_temperature_drift_and_distances_over_a_window) {
    TrajectorySeries series;
    series.n_atoms = 2;
    const VaspRun run = two_steps();
    for (int i = 0; i < 10; ++i) {
        series.times_fs.push_back(i);
        series.temperatures_k.push_back(i < 5 ? 300 : 900);
        series.conserved_ev.push_back(1e-3 * i);  // 1e-3 eV/fs = 1000 meV/ps for two atoms
        series.frames.push_back(to_structure(run, run.steps[0]));
    }
    const TrajectorySummary half = summarise(series, 4);
    BOOST_TEST(half.n_frames == 5);
    BOOST_TEST(*half.mean_temperature_k == 300.0);
    BOOST_TEST(*half.drift_mev_per_atom_per_ps == 500.0, boost::test_tools::tolerance(1e-9));
    const TrajectorySummary all = summarise(series, 100);
    BOOST_TEST(*all.mean_temperature_k == 600.0);
    BOOST_TEST(overlap(half.distances, all.distances) == 1.0, boost::test_tools::tolerance(1e-12));
    // Nearest images at 2 angstrom along x: two of them for each atom, in bins of 0.05.
    BOOST_TEST(all.distances[40] == 2 / 0.05, boost::test_tools::tolerance(1e-9));
    BOOST_CHECK_THROW(series_of(run), InputError);  // a relaxation
}

BOOST_AUTO_TEST_SUITE_END()
