// SPDX-License-Identifier: Apache-2.0
// The calculator as a whole on an invented parameter set: derivatives, invariances, restart, bad input.
#include <Eigen/Geometry>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"
#include "synthetic.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using testing::crystal;
using testing::molecule;

namespace {

struct Set {
    testing::TemporaryFolder folder;
    Set() { testing::write_synthetic_set(folder.path()); }
    SccDftbOptions options(double temperature_k = 300) const {
        return testing::synthetic_options(folder.path(), temperature_k);
    }
};

Evaluation evaluate(SccDftb& calculator, const Structure& s, bool stress = false) {
    Evaluation out;
    calculator.evaluate(s, {.forces = true, .stress = stress}, out, Context{});
    return out;
}
Evaluation evaluate(const SccDftbOptions& options, const Structure& s, bool stress = false) {
    SccDftb calculator(options);
    return evaluate(calculator, s, stress);
}

/// A corrugated sheet in the plane of two lattice vectors, which is not that of x and y.
Structure sheet() {
    Structure s = crystal();
    s.cell.vectors.col(2) << 0, 0, 30;
    s.cell.periodic = {true, true, false};
    return s;
}

/// The same, repeated along one direction that is not an axis, with room to either side.
Structure chain() {
    Structure s = crystal();
    s.cell.vectors.col(1) << 0, 35, 5;
    s.cell.vectors.col(2) << 3, 0, 40;
    s.cell.periodic = {true, false, false};
    return s;
}

/// Central differences at two steps, extrapolated: their own error falls to about 1e-10, so that forces can
/// be asked to agree to 1e-6 of the largest one.
void check_forces(const SccDftbOptions& options, const Structure& s) {
    SccDftb calculator(options);
    const Eigen::Matrix3Xd forces = evaluate(calculator, s).forces;
    const Eigen::Matrix3Xd wide = testing::numerical_forces(calculator, s, 4e-3);
    const Eigen::Matrix3Xd narrow = testing::numerical_forces(calculator, s, 2e-3);
    const Eigen::Matrix3Xd reference = (4 * narrow - wide) / 3;
    BOOST_TEST((forces - reference).cwiseAbs().maxCoeff() <= 1e-6 * reference.cwiseAbs().maxCoeff());
}

void check_stress(const SccDftbOptions& options, const Structure& s) {
    SccDftb calculator(options);
    const Eigen::Matrix3d stress = *evaluate(calculator, s, true).stress;
    const Eigen::Matrix3d wide = testing::numerical_stress(calculator, s, 4e-4);
    const Eigen::Matrix3d narrow = testing::numerical_stress(calculator, s, 2e-4);
    const Eigen::Matrix3d reference = (4 * narrow - wide) / 3;
    BOOST_TEST((stress - reference).cwiseAbs().maxCoeff() <= 1e-6 * reference.cwiseAbs().maxCoeff());
}

template <class E, class F>
std::string message_of(F f) {
    try {
        f();
    } catch (const E& e) {
        return e.what();
    }
    return "nothing was thrown";
}

bool mentions(const std::string& message, const std::string& part) {
    return message.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_scc_dftb)

BOOST_AUTO_TEST_CASE(forces_match_differences_of_the_energy_of_a_molecule) {
    const Set set;
    for (const double temperature_k : {0.0, 300.0, 5000.0})
        check_forces(set.options(temperature_k), molecule());
}

BOOST_AUTO_TEST_CASE(forces_and_stress_match_differences_of_the_energy_of_a_crystal) {
    const Set set;
    for (const double temperature_k : {0.0, 300.0, 5000.0}) {
        check_forces(set.options(temperature_k), crystal());
        check_stress(set.options(temperature_k), crystal());
    }
}

BOOST_AUTO_TEST_CASE(forces_and_stress_match_differences_for_every_variant) {
    const Set set;
    std::vector<SccDftbOptions> variants;
    SccDftbOptions o = set.options(2000);
    o.scc.shell_resolved = true;
    variants.push_back(o);
    o = set.options(2000);
    o.charge = 1;
    variants.push_back(o);
    o = set.options(2000);
    o.scc.enabled = false;
    variants.push_back(o);
    for (const Filling filling : {Filling::gaussian, Filling::methfessel_paxton}) {
        o = set.options(2000);
        o.filling = filling;
        variants.push_back(o);
    }
    o = set.options(2000);
    o.spin.polarized = true;
    o.spin.unpaired = 2;
    o.spin.constants = {{1, Eigen::MatrixXd::Constant(1, 1, -0.07)},
                        {6, Eigen::MatrixXd::Constant(2, 2, -0.03)},
                        {14, Eigen::MatrixXd::Constant(3, 3, -0.02)}};
    variants.push_back(o);
    o.spin.unpaired.reset();
    variants.push_back(o);
    for (std::size_t k = 0; k < variants.size(); ++k) BOOST_TEST_CONTEXT("variant " << k) {
            check_forces(variants[k], molecule());
            check_stress(variants[k], crystal());
        }
}

BOOST_AUTO_TEST_CASE(forces_and_stress_match_differences_with_third_order) {
    const Set set;
    SccDftbOptions o = set.options(2000);
    o.third_order.hubbard_derivatives = {{1, -0.18}, {6, -0.15}, {14, -0.07}};
    const double second_order = evaluate(o, molecule()).energy;
    for (const ThirdOrder mode : {ThirdOrder::diagonal, ThirdOrder::full}) {
        o.third_order.mode = mode;
        BOOST_TEST(std::abs(evaluate(o, molecule()).energy - second_order) > 1e-6);
        check_forces(o, molecule());
        check_stress(o, crystal());
    }
    o.third_order.damping_exponent = 4.0;
    check_forces(o, crystal());
    check_stress(o, crystal());
    o.third_order.hubbard_derivatives.erase(14);
    BOOST_TEST(mentions(message_of<InputError>([&] { evaluate(o, molecule()); }), "no value for Si"));
}

BOOST_AUTO_TEST_CASE(forces_and_stress_match_differences_with_dispersion) {
    const Set set;
    SccDftbOptions o = set.options(2000);
    o.dispersion = Dispersion::lennard_jones;
    check_forces(o, molecule());
    check_forces(o, crystal());
    check_stress(o, crystal());
    BOOST_TEST(evaluate(o, molecule()).terms.at("dispersion") != 0.0);
    o.dispersion = Dispersion::slater_kirkwood;
    BOOST_CHECK_THROW(evaluate(o, molecule()), UnsupportedError);
    Structure hydrocarbon = molecule(), packed = crystal();
    hydrocarbon.atomic_numbers[2] = packed.atomic_numbers[2] = 6;
    check_forces(o, hydrocarbon);
    check_forces(o, packed);
    check_stress(o, packed);
}

BOOST_AUTO_TEST_CASE(dispersion_alone_has_the_slope_of_its_forces_and_stress) {
    // These models do not act on the charges: what they add to forces and stress is theirs alone.
    const Set set;
    for (const Dispersion model : {Dispersion::lennard_jones, Dispersion::slater_kirkwood})
        for (Structure s : {molecule(), crystal(), sheet(), chain()}) {
            s.atomic_numbers[2] = 6;
            SccDftbOptions o = set.options(2000);
            SccDftb without(o);
            o.dispersion = model;
            SccDftb with(o);
            const bool periodic = s.cell.is_periodic();
            const Evaluation a = evaluate(without, s, periodic), b = evaluate(with, s, periodic);
            const auto energy = [&](const Structure& t) { return evaluate(with, t).terms.at("dispersion"); };
            const Eigen::Matrix3Xd forces = b.forces - a.forces;
            const auto slope = [](const auto& f, double h) {
                return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
            };
            for (const int atom : {0, 2, 4})
                for (int axis = 0; axis < 3; ++axis) {
                    const auto moved = [&](double h) {
                        Structure t = s;
                        t.positions(axis, atom) += h;
                        return energy(t);
                    };
                    BOOST_CHECK_SMALL(forces(axis, atom) + slope(moved, 2e-3),
                                      1e-6 * forces.cwiseAbs().maxCoeff());
                }
            if (!periodic) continue;
            const Eigen::Matrix3d stress = *b.stress - *a.stress;
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j <= i; ++j) {
                    const auto strained = [&](double h) {
                        Eigen::Matrix3d d = Eigen::Matrix3d::Identity();
                        d(i, j) += h / 2;
                        d(j, i) += h / 2;
                        Structure t = s;
                        t.positions = d * s.positions;
                        t.cell.vectors = d * s.cell.vectors;
                        return energy(t);
                    };
                    BOOST_CHECK_SMALL(stress(i, j) - slope(strained, 2e-4) / s.cell.volume(),
                                      1e-6 * stress.cwiseAbs().maxCoeff());
                }
        }
}

BOOST_AUTO_TEST_CASE(slater_kirkwood_dispersion_keeps_its_environments_while_a_bond_breaks) {
    // C2 about the 1.52 angstrom at which the bond counts no more; the hydrogens make its polarisabilities
    // differ.
    const Set set;
    SccDftbOptions o = set.options(2000);
    o.dispersion = Dispersion::slater_kirkwood;
    const auto ethene = [](double length_angstrom) {
        Structure s;
        for (const auto& [length, height] : {std::pair{length_angstrom, 7.0}, {1.4, 0.0}})
            for (const double side : {-1.0, 1.0}) {
                const double half = length / 2 * units::angstrom;
                s.add(6, {side * half, 0, height});
                s.add(1, {side * (half + 1.2), 1.6, height + 0.1});
                s.add(1, {side * (half + 1.2), -1.6, height});
            }
        return s;
    };
    SccDftb calculator(o);
    const auto dispersion = [&](SccDftb& with, double length) {
        return evaluate(with, ethene(length)).terms.at("dispersion");
    };
    dispersion(calculator, 1.40);
    // Equal steps of 0.002 bohr: what is left of second order lies far below the jump of another count.
    const double before = dispersion(calculator, 1.519), at = dispersion(calculator, 1.520),
                 after = dispersion(calculator, 1.521);
    BOOST_CHECK_SMALL(after - 2 * at + before, 1e-8);
    SccDftb begun_broken(o);
    BOOST_TEST(std::abs(dispersion(begun_broken, 1.521) - after) > 1e-5);
    const Structure limit = ethene(1.52);
    const Eigen::Matrix3Xd forces = evaluate(calculator, limit).forces;
    BOOST_CHECK_SMALL((forces - testing::numerical_forces(calculator, limit, 2e-3)).cwiseAbs().maxCoeff(),
                      1e-5 * forces.cwiseAbs().maxCoeff());
    // A restored calculator goes on with the same environments; one that forgot counts anew.
    SccDftb restored(o);
    restored.restore(calculator.save());
    BOOST_TEST(dispersion(restored, 1.521) == after);
    calculator.forget();
    BOOST_TEST(dispersion(calculator, 1.521) == dispersion(begun_broken, 1.521));
}

BOOST_AUTO_TEST_CASE(dispersion_of_a_cell_is_that_of_its_supercell) {
    const Set set;
    for (const Dispersion model :
         {Dispersion::lennard_jones, Dispersion::slater_kirkwood, Dispersion::tkatchenko_scheffler}) {
        SccDftbOptions o = set.options(300);
        o.dispersion = model;
        Structure cell = crystal();
        cell.atomic_numbers[2] = 6;
        Structure supercell = cell;
        for (int i = 0; i < cell.size(); ++i)
            supercell.add(cell.atomic_numbers[static_cast<std::size_t>(i)],
                          cell.positions.col(i) + cell.cell.vector(0));
        supercell.cell.vectors.col(0) *= 2;
        SccDftbOptions small = o;
        small.kpoints = {{2, 1, 1}, true, {}};
        BOOST_CHECK_SMALL(
            evaluate(o, supercell).terms.at("dispersion") - 2 * evaluate(small, cell).terms.at("dispersion"),
            1e-10);
        // A molecule alone in a large cell: its images are 60 bohr away, C6 / R^6 falls below 1e-8.
        Structure boxed = molecule();
        boxed.atomic_numbers[2] = 6;
        const double free = evaluate(o, boxed).terms.at("dispersion");
        boxed.cell.vectors = 60 * Eigen::Matrix3d::Identity();
        boxed.cell.periodic = {true, true, true};
        BOOST_CHECK_SMALL(evaluate(o, boxed).terms.at("dispersion") - free, 1e-7);
    }
}

BOOST_AUTO_TEST_CASE(dispersion_of_a_chain_is_the_limit_of_many_cells_and_does_not_know_its_box) {
    const Set set;
    for (const Dispersion model : {Dispersion::lennard_jones, Dispersion::slater_kirkwood}) {
        SccDftbOptions o = set.options(2000);
        o.scc.enabled = false;  // dispersion alone is compared
        o.dispersion = model;
        Structure cell = chain();
        cell.atomic_numbers[2] = 6;
        const double energy = evaluate(o, cell).terms.at("dispersion");
        Structure wide = cell;
        wide.cell.vectors.rightCols(2) *= 1.5;
        BOOST_CHECK_SMALL(evaluate(o, wide).terms.at("dispersion") - energy, 1e-12);
        if (model == Dispersion::slater_kirkwood) continue;  // whose ends are bonded in another way
        // One cell more adds its energy with all cells up to N: what is missing, n^2 C6 / (5 L^6 N^5), is
        // 1e-8.
        const auto of_cells = [&](int n) {
            Structure finite;
            for (int k = 0; k < n; ++k)
                for (int i = 0; i < cell.size(); ++i)
                    finite.add(cell.atomic_numbers[static_cast<std::size_t>(i)],
                               cell.positions.col(i) + k * cell.cell.vector(0));
            return evaluate(o, finite).terms.at("dispersion");
        };
        BOOST_CHECK_SMALL(of_cells(21) - of_cells(20) - energy, 3e-8);
    }
}

BOOST_AUTO_TEST_CASE(forces_and_stress_match_differences_with_dispersion_by_populations) {
    const Set set;
    SccDftbOptions o = set.options(2000);
    o.dispersion = Dispersion::tkatchenko_scheffler;
    check_forces(o, molecule());
    for (const Structure& s : {crystal(), sheet()}) {
        check_forces(o, s);
        check_stress(o, s);
    }
    o.kpoints = {{2, 3, 1}, false, {}};
    o.spin.polarized = true;
    o.spin.constants = {{1, Eigen::MatrixXd::Constant(1, 1, -0.07)},
                        {6, Eigen::MatrixXd::Constant(2, 2, -0.03)},
                        {14, Eigen::MatrixXd::Constant(3, 3, -0.02)}};
    check_forces(o, sheet());
    check_stress(o, sheet());
}

BOOST_AUTO_TEST_CASE(dispersion_by_populations_of_free_atoms_is_that_of_the_table) {
    // Far outside the range of the tables every atom is free: v = 1 and E = -f C6 / R^6 with f = 1 - 1e-17.
    const Set set;
    SccDftbOptions o = set.options(0);
    o.dispersion = Dispersion::tkatchenko_scheffler;
    const auto dispersion = [&](int a, int b) {
        Structure pair;
        pair.add(a, {0, 0, 0});
        pair.add(b, {0, 25, 0});
        return evaluate(o, pair).terms.at("dispersion") * std::pow(25.0, 6);
    };
    BOOST_TEST(dispersion(6, 6) == -46.6, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(dispersion(14, 14) == -305.0, boost::test_tools::tolerance(1e-9));
    // Bonded atoms are smaller: less than the same C6 with v = 1.
    Structure dimer;
    for (const double x : {0.0, 2.5}) dimer.add(6, {x, 0, 0});
    Structure two = dimer;
    for (const double x : {0.0, 2.5}) two.add(6, {x, 40, 0});
    const double bonded =
        (2 * evaluate(o, dimer).terms.at("dispersion") - evaluate(o, two).terms.at("dispersion")) *
        std::pow(40.0, 6);
    BOOST_TEST(bonded < 4 * 46.6 * 0.98);
    BOOST_TEST(bonded > 0);
}

BOOST_AUTO_TEST_CASE(a_slab_does_not_know_the_height_of_its_box) {
    const Set set;
    for (const Dispersion model :
         {Dispersion::none, Dispersion::lennard_jones, Dispersion::tkatchenko_scheffler}) {
        SccDftbOptions o = set.options(1000);
        o.dispersion = model;
        Structure slab = sheet();
        const double energy = evaluate(o, slab).energy;
        slab.cell.vectors.col(2) << 3, -2, 7;
        BOOST_CHECK_SMALL(evaluate(o, slab).energy - energy, 1e-11);
        slab.cell.vectors.col(2).setZero();
        BOOST_CHECK_SMALL(evaluate(o, slab).energy - energy, 1e-11);
    }
}

BOOST_AUTO_TEST_CASE(a_slab_is_the_limit_of_a_crystal_with_much_vacuum) {
    // Two inversion images of a molecule in one cell: no dipole along the normal, so that what is left of the
    // interaction of the images falls exponentially; dispersion of sheets falls as the fourth power.
    const Set set;
    Structure s = molecule();
    for (int i = 0; i < 5; ++i) s.add(s.atomic_numbers[static_cast<std::size_t>(i)], -s.positions.col(i));
    s.positions.leftCols(5).colwise() += Eigen::Vector3d(0, 0, 4);
    s.positions.rightCols(5).colwise() -= Eigen::Vector3d(0, 0, 4);
    s.cell.vectors = crystal().cell.vectors;
    s.cell.vectors.col(2) << 0, 0, 70;
    s.cell.periodic = {true, true, false};
    Structure boxed = s;
    boxed.cell.periodic = {true, true, true};
    SccDftbOptions o = set.options(1000);
    BOOST_CHECK_SMALL(evaluate(o, s).energy - evaluate(o, boxed).energy, 1e-9);
    o.dispersion = Dispersion::tkatchenko_scheffler;
    const double image = evaluate(o, s).terms.at("dispersion") - evaluate(o, boxed).terms.at("dispersion");
    // pi/2 sum C6 / (A d^4) with about 3000 hartree bohr^6, 55 bohr^2 and d = 70 bohr on either side
    BOOST_TEST(image > 0);
    BOOST_TEST(image < 1e-5);
}

BOOST_AUTO_TEST_CASE(forces_match_differences_with_point_charges_and_a_field) {
    const Set set;
    SccDftbOptions o = set.options(2000);
    o.external.point_charges = {{{5, -4, 3}, 0.7}, {{-4, 2, -3}, -0.4}};
    check_forces(o, molecule());
    check_forces(o, crystal());
    check_forces(o, sheet());
    o.external.field = Eigen::Vector3d(0.01, -0.02, 0.005);
    check_forces(o, molecule());
    // A sheet can be in a field along its normal.
    SccDftbOptions across = o;
    across.external.field = 0.01 * sheet().cell.vector(0).cross(sheet().cell.vector(1)).normalized();
    check_forces(across, sheet());
    BOOST_TEST(mentions(message_of<InputError>([&] { evaluate(o, crystal()); }), "field"));
    o.external.field.setZero();
    BOOST_TEST(!SccDftb(o).offers(crystal()).stress);
    BOOST_CHECK_THROW(evaluate(o, crystal(), true), UnsupportedError);
    o.external.point_charges[0].position = molecule().positions.col(2);
    BOOST_TEST(mentions(message_of<InputError>([&] { evaluate(o, molecule()); }), "point charge 1"));
}

BOOST_AUTO_TEST_CASE(the_energy_in_a_field_has_the_dipole_as_slope) {
    const Set set;
    SccDftbOptions o = set.options(300);
    const Evaluation none = evaluate(o, molecule());
    const Eigen::Vector3d dipole = molecule().positions * none.charges;
    for (int axis = 0; axis < 3; ++axis) {
        const auto energy = [&](double f) {
            SccDftbOptions in_field = o;
            in_field.external.field = f * Eigen::Vector3d::Unit(axis);
            return evaluate(in_field, molecule()).energy;
        };
        BOOST_CHECK_SMALL(dipole(axis) + (energy(1e-4) - energy(-1e-4)) / 2e-4, 1e-5);
    }
}

/// A method developer's term: a spring from the first atom to the origin, as strong as its charge squared.
class ChargedSpring final : public EnergyTerm {
  public:
    std::string name() const override { return "spring"; }
    void update(const Structure& structure, const Basis&, const Sites&) override { x_ = structure.positions; }
    double energy(const Charges& q) const override {
        return 1e-3 * q.electrons(0) * q.electrons(0) * x_.col(0).squaredNorm();
    }
    void add_potential(const Charges& q, Charges& potential) const override {
        potential.electrons(0) += 2e-3 * q.electrons(0) * x_.col(0).squaredNorm();
    }
    void add_forces(const Charges& q, Eigen::Matrix3Xd& forces) const override {
        forces.col(0) -= 2e-3 * q.electrons(0) * q.electrons(0) * x_.col(0);
    }
    void add_stress(const Charges& q, Eigen::Matrix3d& strain) const override {
        strain += 2e-3 * q.electrons(0) * q.electrons(0) * x_.col(0) * x_.col(0).transpose();
    }

  private:
    Eigen::Matrix3Xd x_;
};

BOOST_AUTO_TEST_CASE(a_term_of_ones_own_takes_part_in_everything) {
    const Set set;
    SccDftb plain(set.options(2000)), with(set.options(2000));
    with.add_term(std::make_unique<ChargedSpring>());
    BOOST_CHECK_THROW(with.add_term(std::make_unique<ChargedSpring>()), InputError);
    Structure moved = molecule();
    moved.positions.colwise() += Eigen::Vector3d(4, 3, -2);
    const Evaluation out = evaluate(with, moved);
    BOOST_TEST(std::abs(out.energy - evaluate(plain, moved).energy) > 1e-5);
    BOOST_TEST(out.terms.at("spring") > 0);
    const Eigen::Matrix3Xd reference =
        (4 * testing::numerical_forces(with, moved, 2e-3) - testing::numerical_forces(with, moved, 4e-3)) / 3;
    BOOST_TEST((out.forces - reference).cwiseAbs().maxCoeff() <= 1e-6 * reference.cwiseAbs().maxCoeff());
}

BOOST_AUTO_TEST_CASE(a_slab_has_forces_that_match_differences) {
    const Set set;
    Structure slab = crystal();
    slab.cell.vectors.col(2) << 0, 0, 30;
    slab.cell.periodic = {true, true, false};
    check_forces(set.options(1000), slab);
    check_stress(set.options(1000), slab);
    // Without a third vector it has the same forces and no volume that a stress would refer to.
    Structure flat = slab;
    flat.cell.vectors.col(2).setZero();
    check_forces(set.options(1000), flat);
    BOOST_TEST(SccDftb(set.options(1000)).offers(slab).stress);
    BOOST_TEST(!SccDftb(set.options(1000)).offers(flat).stress);
    // A wire is a box with vacuum around it.
    slab.cell.periodic = {true, false, false};
    slab.cell.vectors.col(1) << 0, 30, 0;
    check_forces(set.options(1000), slab);
    slab.cell.vectors.col(2) << 0, 0, 8;
    BOOST_TEST(mentions(message_of<InputError>([&] { evaluate(set.options(), slab); }), "vacuum"));
}

BOOST_AUTO_TEST_CASE(energy_is_invariant) {
    const Set set;
    const Structure s = molecule();
    const double energy = evaluate(set.options(), s).energy;
    Structure moved = s;
    moved.positions.colwise() += Eigen::Vector3d(3, -7, 11);
    BOOST_CHECK_SMALL(evaluate(set.options(), moved).energy - energy, 1e-11);
    Structure turned = s;
    const Eigen::Matrix3d rotation =
        Eigen::AngleAxisd(1.1, Eigen::Vector3d(1, 2, -1).normalized()).toRotationMatrix();
    turned.positions = rotation * s.positions;
    const Evaluation turned_result = evaluate(set.options(), turned);
    BOOST_CHECK_SMALL(turned_result.energy - energy, 1e-11);
    BOOST_CHECK((turned_result.forces - rotation * evaluate(set.options(), s).forces).isZero(1e-9));
    const Evaluation permuted = evaluate(set.options(), s.selected({3, 0, 4, 2, 1}));
    BOOST_CHECK_SMALL(permuted.energy - energy, 1e-11);
    BOOST_CHECK_SMALL(permuted.charges(0) - evaluate(set.options(), s).charges(3), 1e-9);
    // A crystal: shifted by lattice vectors atom by atom.
    const Structure c = crystal();
    Structure wrapped = c;
    wrapped.positions.col(1) += c.cell.vector(0) - 2 * c.cell.vector(2);
    BOOST_CHECK_SMALL(evaluate(set.options(), wrapped).energy - evaluate(set.options(), c).energy, 1e-11);
}

BOOST_AUTO_TEST_CASE(every_variant_is_invariant) {
    const Set set;
    const Eigen::Matrix3d rotation =
        Eigen::AngleAxisd(0.7, Eigen::Vector3d(2, -1, 1).normalized()).toRotationMatrix();
    SccDftbOptions o = set.options(1000);
    std::vector<SccDftbOptions> variants = {o};
    o.dispersion = Dispersion::tkatchenko_scheffler;
    variants.push_back(o);
    o.dispersion = Dispersion::lennard_jones;
    o.scc.shell_resolved = true;
    variants.push_back(o);
    o.scc.shell_resolved = false;
    o.third_order = {ThirdOrder::full, {{1, -0.18}, {6, -0.15}, {14, -0.07}}, 4.0};
    variants.push_back(o);
    o.spin.polarized = true;
    o.spin.constants = {{1, Eigen::MatrixXd::Constant(1, 1, -0.07)},
                        {6, Eigen::MatrixXd::Constant(2, 2, -0.03)},
                        {14, Eigen::MatrixXd::Constant(3, 3, -0.02)}};
    variants.push_back(o);
    for (std::size_t k = 0; k < variants.size(); ++k)
        for (const Structure& s : {molecule(), sheet(), crystal()}) BOOST_TEST_CONTEXT("variant " << k) {
                const bool periodic = s.cell.is_periodic();
                const Evaluation plain = evaluate(variants[k], s, periodic);
                Structure moved = s;
                moved.positions.colwise() += Eigen::Vector3d(0.3, -7, 11);
                moved.positions = rotation * moved.positions;
                moved.cell.vectors = rotation * s.cell.vectors;
                if (periodic) moved.positions.col(1) += moved.cell.vector(0) - 2 * moved.cell.vector(1);
                const std::vector<int> order = {3, 0, 4, 2, 1};
                moved = moved.selected(order);
                const Evaluation other = evaluate(variants[k], moved, periodic);
                BOOST_CHECK_SMALL(other.energy - plain.energy, 1e-9);
                for (int i = 0; i < 5; ++i)
                    BOOST_CHECK((other.forces.col(i) -
                                 rotation * plain.forces.col(order[static_cast<std::size_t>(i)]))
                                    .isZero(1e-8));
                if (periodic)
                    BOOST_CHECK(
                        (*other.stress - rotation * *plain.stress * rotation.transpose()).isZero(1e-9));
            }
}

BOOST_AUTO_TEST_CASE(a_supercell_of_a_sheet_equals_kpoints) {
    const Set set;
    SccDftbOptions o = set.options(1000);
    o.dispersion = Dispersion::tkatchenko_scheffler;
    const Structure cell = sheet();
    Structure supercell = cell;
    for (int i = 0; i < cell.size(); ++i)
        supercell.add(cell.atomic_numbers[static_cast<std::size_t>(i)],
                      cell.positions.col(i) + cell.cell.vector(0));
    supercell.cell.vectors.col(0) *= 2;
    o.kpoints = {{1, 2, 1}, false, {}};
    const Evaluation large = evaluate(o, supercell, true);
    o.kpoints = {{1, 1, 1}, false, {{0, 0.25, 0, 0.5}, {0.5, 0.25, 0, 0.5}}};
    const Evaluation small = evaluate(o, cell, true);
    BOOST_CHECK_SMALL(large.energy - 2 * small.energy, 1e-9);
    BOOST_CHECK((large.forces.leftCols(5) - small.forces).isZero(1e-8));
    BOOST_CHECK((*large.stress - *small.stress).isZero(1e-9));
}

BOOST_AUTO_TEST_CASE(a_supercell_equals_kpoints) {
    const Set set;
    SccDftbOptions o = set.options(1000);
    const Structure cell = crystal();
    Structure supercell = cell;
    for (int i = 0; i < cell.size(); ++i)
        supercell.add(cell.atomic_numbers[static_cast<std::size_t>(i)],
                      cell.positions.col(i) + cell.cell.vector(1));
    supercell.cell.vectors.col(1) *= 2;
    const Evaluation large = evaluate(o, supercell, true);
    o.kpoints = {{1, 2, 1}, true, {}};
    const Evaluation small = evaluate(o, cell, true);
    BOOST_CHECK_SMALL(large.energy - 2 * small.energy, 1e-9);
    BOOST_CHECK((large.forces.leftCols(5) - small.forces).isZero(1e-8));
    BOOST_CHECK((*large.stress - *small.stress).isZero(1e-9));
    BOOST_CHECK((large.charges.head(5) - small.charges).isZero(1e-8));
    BOOST_CHECK_SMALL(*large.fermi_level - *small.fermi_level, 1e-9);
}

BOOST_AUTO_TEST_CASE(forces_and_stress_match_differences_with_kpoints) {
    const Set set;
    SccDftbOptions o = set.options(1000);
    o.kpoints = {{2, 1, 3}, false, {}};
    check_forces(o, crystal());
    check_stress(o, crystal());
    o.spin.polarized = true;
    o.spin.unpaired = 1.5;
    o.spin.constants = {{1, Eigen::MatrixXd::Constant(1, 1, -0.07)},
                        {6, Eigen::MatrixXd::Constant(2, 2, -0.03)},
                        {14, Eigen::MatrixXd::Constant(3, 3, -0.02)}};
    check_forces(o, crystal());
    BOOST_CHECK_THROW(evaluate(o, molecule()), InputError);
}

BOOST_AUTO_TEST_CASE(forces_and_charges_add_up) {
    const Set set;
    SccDftbOptions o = set.options();
    o.charge = -0.5;
    for (const Structure& s : {molecule(), crystal()}) {
        const Evaluation out = evaluate(o, s);
        BOOST_CHECK_SMALL(out.forces.rowwise().sum().cwiseAbs().maxCoeff(), 1e-10);
        BOOST_CHECK_SMALL(out.charges.sum() + 0.5, 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(a_large_box_is_a_molecule_in_vacuum) {
    const Set set;
    const double free = evaluate(set.options(), molecule()).energy;
    Structure boxed = molecule();
    boxed.cell.vectors = 80 * Eigen::Matrix3d::Identity();
    boxed.cell.periodic = {true, true, true};
    // What is left is the interaction of the dipoles, which falls with the volume: about mu^2 / L^3.
    BOOST_CHECK_SMALL(evaluate(set.options(), boxed).energy - free, 1e-5);
}

BOOST_AUTO_TEST_CASE(far_fragments_do_not_know_each_other) {
    const Set set;
    Structure h2;
    h2.add(1, {0, 0, 0});
    h2.add(1, {1.5, 0, 0});
    Structure two = h2;
    two.add(1, {0, 60, 0});
    two.add(1, {1.5, 60, 0});
    BOOST_CHECK_SMALL(evaluate(set.options(), two).energy - 2 * evaluate(set.options(), h2).energy, 1e-11);
}

BOOST_AUTO_TEST_CASE(a_single_atom_has_its_atomic_energy) {
    const Set set;
    Structure carbon;
    carbon.add(6, {0, 0, 0});
    SccDftbOptions o = set.options(0);
    BOOST_CHECK_SMALL(evaluate(o, carbon).energy - (2 * -0.50 + 2 * -0.19), 1e-12);
}

BOOST_AUTO_TEST_CASE(all_mixers_find_the_same_charges) {
    const Set set;
    SccDftbOptions o = set.options();
    const Eigen::VectorXd charges = evaluate(o, molecule()).charges;
    BOOST_TEST(charges.cwiseAbs().maxCoeff() > 0.01);
    for (const Mixer mixer : {Mixer::anderson, Mixer::broyden, Mixer::diis, Mixer::simple}) {
        o.scc.mixer = mixer;
        if (mixer == Mixer::simple) o.scc.mixing = 0.03;
        o.scc.max_iterations = 2000;
        BOOST_CHECK((evaluate(o, molecule()).charges - charges).isZero(1e-9));
    }
}

BOOST_AUTO_TEST_CASE(later_evaluations_start_from_the_last_charges) {
    const Set set;
    SccDftb calculator(set.options());
    const Evaluation first = evaluate(calculator, crystal());
    const Evaluation again = evaluate(calculator, crystal());
    BOOST_TEST(first.iterations > 3);
    BOOST_TEST(again.iterations <= 2);
    calculator.forget();
    BOOST_TEST(evaluate(calculator, crystal()).iterations == first.iterations);
}

BOOST_AUTO_TEST_CASE(a_restored_calculator_goes_on_to_the_same_bits) {
    const Set set;
    SccDftbOptions o = set.options();
    o.scc.tolerance = 1e-5;  // loose, so that the history shows
    o.dispersion = Dispersion::tkatchenko_scheffler;
    SccDftb calculator(o);
    evaluate(calculator, crystal());
    const State state = calculator.save();
    Structure moved = crystal();
    moved.positions(0, 2) += 0.05;
    const Evaluation direct = evaluate(calculator, moved, true);
    SccDftb other(o);
    other.restore(state);
    const Evaluation restored = evaluate(other, moved, true);
    BOOST_TEST(direct.energy == restored.energy);
    BOOST_TEST((direct.forces.array() == restored.forces.array()).all());
    BOOST_TEST((direct.stress->array() == restored.stress->array()).all());
    BOOST_TEST((direct.charges.array() == restored.charges.array()).all());
    // Without dispersion by populations there are no populations to go on from: a start from free atoms.
    o.dispersion = Dispersion::none;
    SccDftb plain(o), fresh(o);
    plain.restore(state);
    BOOST_TEST(evaluate(plain, moved).energy == evaluate(fresh, moved).energy);
}

/// The molecule on a smooth way: a vibration with another phase for every coordinate.
Structure swinging(double phase) {
    Structure s = molecule();
    for (Eigen::Index k = 0; k < s.positions.size(); ++k)
        s.positions(k) += 0.1 * std::sin(phase + static_cast<double>(k));
    return s;
}

BOOST_AUTO_TEST_CASE(charges_predicted_along_a_smooth_way_save_cycles) {
    const Set set;
    const auto cycles = [&](bool predict) {
        SccDftbOptions o = set.options();
        o.scc.tolerance = 1e-6;
        o.scc.predict = predict;
        SccDftb calculator(o);
        int sum = 0;
        for (int step = 0; step < 20; ++step) {
            const int n = evaluate(calculator, swinging(0.1 * step)).iterations;
            if (step >= 4) sum += n;
        }
        return sum;
    };
    const int predicted = cycles(true), last = cycles(false);
    BOOST_TEST_MESSAGE("16 steps: " << last << " cycles from the last charges, " << predicted
                                    << " predicted");
    BOOST_TEST(predicted < 0.75 * last);
}

BOOST_AUTO_TEST_CASE(a_jump_of_the_geometry_does_not_spoil_the_next_evaluation) {
    const Set set;
    SccDftbOptions o = set.options();
    SccDftb calculator(o);
    for (int step = 0; step < 4; ++step) evaluate(calculator, swinging(0.1 * step));
    // An atom elsewhere, and the same number of other atoms.
    Structure moved = molecule();
    moved.positions(2, 3) += 3.0;
    Structure other = molecule();
    other.atomic_numbers[1] = 14;
    for (const Structure& s : {moved, other, molecule()}) {
        const Evaluation after = evaluate(calculator, s), fresh = evaluate(o, s);
        BOOST_CHECK_SMALL(after.energy - fresh.energy, 1e-10);
        BOOST_TEST(after.iterations <= fresh.iterations + 2);
    }
}

BOOST_AUTO_TEST_CASE(forces_are_as_good_as_they_are_wanted_for_fewer_cycles) {
    const Set set;
    SccDftbOptions options = set.options();
    options.scc.tolerance = 1e-10;
    options.scc.energy_tolerance = 1e-14;
    for (const Structure& s : {molecule(), crystal()}) {
        const Evaluation exact = evaluate(options, s);
        int cycles = exact.iterations;
        for (const double wanted : {1e-7, 1e-5, 1e-3}) {
            SccDftb calculator(options);
            Evaluation rough;
            calculator.evaluate(s, {.forces = true, .stress = false, .force_accuracy = wanted}, rough,
                                Context{});
            BOOST_TEST((rough.forces - exact.forces).cwiseAbs().maxCoeff() <= wanted);
            // The energy is off in second order only, and by no more than is said.
            BOOST_TEST(std::abs(rough.energy - exact.energy) <= rough.energy_bound + 1e-11);
            BOOST_TEST(rough.iterations <= cycles);
            cycles = rough.iterations;
            // Charges near their self-consistent values are enough, however much they would still change.
            SccDftbOptions until_they_stand = options;
            until_they_stand.scc.tolerance = 3 * wanted;
            until_they_stand.scc.energy_tolerance = 3e-4 * wanted;
            BOOST_TEST(rough.iterations <= evaluate(until_they_stand, s).iterations);
            // What comes after is as good as the options say again.
            const Evaluation after = evaluate(calculator, s);
            BOOST_TEST((after.forces - exact.forces).cwiseAbs().maxCoeff() <= 1e-9);
        }
        BOOST_TEST(cycles < exact.iterations);
    }
}

BOOST_AUTO_TEST_CASE(the_history_of_charges_is_part_of_the_saved_state) {
    const Set set;
    SccDftbOptions o = set.options();
    o.scc.tolerance = 1e-4;  // loose, so that the start shows in the bits
    SccDftb calculator(o);
    for (int step = 0; step < 5; ++step) evaluate(calculator, swinging(0.1 * step));
    SccDftb restored(o), newcomer(o);
    restored.restore(calculator.save());
    evaluate(newcomer, swinging(0.4));
    for (int step = 5; step < 7; ++step) {
        const Evaluation a = evaluate(calculator, swinging(0.1 * step));
        const Evaluation b = evaluate(restored, swinging(0.1 * step));
        BOOST_TEST(a.energy == b.energy);
        BOOST_TEST((a.forces.array() == b.forces.array()).all());
        BOOST_TEST(a.energy != evaluate(newcomer, swinging(0.1 * step)).energy);
    }
}

BOOST_AUTO_TEST_CASE(the_energy_bound_holds_and_ends_the_cycles) {
    const Set set;
    SccDftbOptions o = set.options();
    const double converged = evaluate(o, molecule()).energy;
    // Every energy on the way lies above the converged one, by no more than the bound.
    for (int cycles = 1; cycles <= 5; ++cycles) {
        o.scc.max_iterations = cycles;
        SccDftb calculator(o);
        Evaluation out;
        BOOST_CHECK_THROW(calculator.evaluate(molecule(), {.forces = false, .stress = false}, out, Context{}),
                          ConvergenceError);
        BOOST_TEST(out.energy - converged > -1e-12);
        BOOST_TEST(out.energy - converged <= out.energy_bound + 1e-12);
    }
    // With loose charges the bound on the energy decides.
    o.scc.max_iterations = 200;
    o.scc.tolerance = 0.5;
    int before = 0;
    for (const double per_atom : {1e-2, 1e-5, 1e-9}) {
        o.scc.energy_tolerance = per_atom;
        const Evaluation out = evaluate(o, molecule());
        BOOST_TEST(out.energy_bound <= per_atom * molecule().size());
        BOOST_TEST(out.iterations > before);
        before = out.iterations;
    }
}

/// A term whose charge self-interaction has no solution below a high temperature: the cycles swing between
/// two states, as levels at the Fermi level do.
class Switch final : public EnergyTerm {
  public:
    explicit Switch(double height) : height_(height) {}
    std::string name() const override { return "switch"; }
    void update(const Structure&, const Basis&, const Sites&) override {}
    double energy(const Charges&) const override { return 0; }
    void add_potential(const Charges& q, Charges& potential) const override {
        potential.electrons(0) += q.electrons(0) > 0.05 ? height_ : -height_;
    }
    void add_forces(const Charges&, Eigen::Matrix3Xd&) const override {}
    void add_stress(const Charges&, Eigen::Matrix3d&) const override {}

  private:
    double height_;
};

BOOST_AUTO_TEST_CASE(a_system_without_solution_takes_every_fallback_and_then_says_why) {
    const Set set;
    SccDftbOptions o = set.options();
    o.scc.tolerance = 1e-6;
    o.scc.max_iterations = 150;
    const auto run = [&](bool fallback, std::string& messages, Evaluation& out) {
        o.scc.fallback = fallback;
        SccDftb calculator(o);
        calculator.add_term(std::make_unique<Switch>(0.5));
        Context context;
        context.log_sink = [&](Context::Level level, std::string_view text) {
            if (level != Context::Level::debug) messages += std::string(text) + "\n";
        };
        return message_of<ConvergenceError>(
            [&] { calculator.evaluate(molecule(), {.forces = true, .stress = false}, out, context); });
    };
    std::string log;
    Evaluation out;
    const std::string message = run(true, log, out);
    BOOST_TEST(mentions(log, "states near the Fermi level"), log);
    for (const char* kelvin : {"1000 K", "2000 K", "4000 K"}) BOOST_TEST(mentions(log, kelvin), log);
    BOOST_TEST(mentions(message, "electronic temperature of 4000 K"), message);
    BOOST_TEST(mentions(message, "least settled atoms: "), message);
    BOOST_TEST(mentions(message, "from 300 K did not help"), message);
    BOOST_TEST(out.fallback == "electronic-temperature");
    BOOST_TEST(!out.converged);
    BOOST_CHECK_CLOSE(*out.electronic_temperature / units::kelvin, 4000.0, 1e-9);
    std::string quiet;
    BOOST_TEST(mentions(run(false, quiet, out), "electronic temperature of 300 K"));
    BOOST_TEST(quiet.empty());
    BOOST_TEST(out.fallback.empty());
}

BOOST_AUTO_TEST_CASE(a_raised_temperature_stays_with_the_system_and_its_saved_state) {
    const Set set;
    SccDftbOptions o = set.options();
    SccDftb calculator(o);
    evaluate(calculator, molecule());
    State state = calculator.save();
    state.put("raised_electronic_temperature", 1000 * units::kelvin);
    calculator.restore(state);
    const Evaluation warm = evaluate(calculator, molecule());
    BOOST_TEST(warm.fallback == "electronic-temperature");
    BOOST_CHECK_CLOSE(*warm.electronic_temperature / units::kelvin, 1000.0, 1e-9);
    BOOST_CHECK_SMALL(warm.energy - evaluate(set.options(1000), molecule()).energy, 1e-10);
    SccDftb other(o);
    other.restore(calculator.save());
    BOOST_TEST(evaluate(other, molecule()).fallback == "electronic-temperature");
    // Other atoms begin at the temperature that was asked for.
    Structure changed = molecule();
    changed.atomic_numbers[1] = 14;
    BOOST_TEST(evaluate(calculator, changed).fallback.empty());
}

BOOST_AUTO_TEST_CASE(the_same_input_gives_the_same_bits_and_threads_change_little) {
    const Set set;
    SccDftbOptions o = set.options();
    const Evaluation first = evaluate(o, crystal()), second = evaluate(o, crystal());
    BOOST_TEST(first.energy == second.energy);
    BOOST_TEST((first.forces.array() == second.forces.array()).all());
    o.threads = 1;
    BOOST_CHECK_SMALL(evaluate(o, crystal()).energy - first.energy, 1e-10);
}

BOOST_AUTO_TEST_CASE(a_failed_self_consistency_says_why_and_keeps_what_it_has) {
    const Set set;
    SccDftbOptions o = set.options();
    o.scc.max_iterations = 3;
    SccDftb calculator(o);
    Evaluation out;
    const std::string message = message_of<ConvergenceError>(
        [&] { calculator.evaluate(crystal(), {.forces = true, .stress = false}, out, Context{}); });
    BOOST_TEST(mentions(message, "gap at the Fermi level"));
    BOOST_TEST(mentions(message, "least settled atoms"));
    BOOST_TEST(mentions(message, "the error"));
    BOOST_TEST(!out.converged);
    BOOST_TEST(out.iterations == 3);
    BOOST_TEST(out.residual > o.scc.tolerance);
    BOOST_TEST(std::isfinite(out.energy));
    BOOST_TEST(out.forces.cols() == 5);
    BOOST_TEST(out.charges.size() == 5);
    // The charges so far are kept: with more cycles it goes on from them.
    o.scc.max_iterations = 200;
    SccDftb patient(o);
    patient.restore(calculator.save());
    BOOST_TEST(evaluate(patient, crystal()).converged);
}

BOOST_AUTO_TEST_CASE(energy_terms_add_up) {
    const Set set;
    const Evaluation out = evaluate(set.options(5000), crystal());
    const auto& t = out.terms;
    BOOST_CHECK_SMALL(t.at("electronic") + t.at("repulsive") + t.at("entropy") - out.energy, 1e-12);
    BOOST_CHECK_SMALL(t.at("h0") + t.at("coulomb") - t.at("electronic"), 1e-12);
    BOOST_TEST(t.at("entropy") < 0);
    BOOST_CHECK_SMALL(out.energy_zero - (out.energy - t.at("entropy") / 2), 1e-12);
}

BOOST_AUTO_TEST_CASE(a_calculator_goes_on_after_an_element_without_files) {
    const Set set;
    Structure methane, phosphine;
    methane.add(6, {0, 0, 0});
    methane.add(1, {1.2, 1.2, 1.2});
    methane.add(1, {-1.2, -1.2, 1.2});
    methane.add(1, {-1.2, 1.2, -1.2});
    methane.add(1, {1.2, -1.2, -1.2});
    phosphine.add(15, {0, 0, 0});
    phosphine.add(1, {2.6, 0, 0});
    SccDftb calculator(set.options()), undisturbed(set.options());
    evaluate(calculator, methane);
    evaluate(undisturbed, methane);
    BOOST_CHECK_THROW(evaluate(calculator, phosphine), InputError);
    const Evaluation after = evaluate(calculator, methane), expected = evaluate(undisturbed, methane);
    BOOST_TEST(after.energy == expected.energy);
    BOOST_TEST((after.forces == expected.forces));
    // The tables are read before the constants of the spins.
    SccDftbOptions polarized = set.options();
    polarized.spin.polarized = true;
    std::ofstream(set.folder.path() / "spinw.txt") << "C 1 2 no number\n";
    SccDftb broken(polarized);
    for (int attempt = 0; attempt < 2; ++attempt) BOOST_CHECK_THROW(evaluate(broken, methane), Error);
}

BOOST_AUTO_TEST_CASE(bad_structures_are_refused_by_name) {
    const Set set;
    Structure s = molecule();
    s.positions.col(1) = s.positions.col(0) + Eigen::Vector3d(0, 0, 0.2);
    BOOST_TEST(
        mentions(message_of<InputError>([&] { evaluate(set.options(), s); }), "atoms 1 (C) and 2 (C)"));
    BOOST_CHECK_THROW(evaluate(set.options(), Structure{}), InputError);
    Structure titanium = molecule();
    titanium.atomic_numbers[2] = 22;
    const std::string missing = message_of<InputError>([&] { evaluate(set.options(), titanium); });
    for (const char* pair : {"H-Ti", "C-Ti", "Ti-H", "Ti-C", "Ti-Ti"}) BOOST_TEST(mentions(missing, pair));
    Structure nan = molecule();
    nan.positions(1, 3) = std::nan("");
    BOOST_CHECK_THROW(evaluate(set.options(), nan), InputError);
    SccDftbOptions o = set.options();
    o.charge = 30;
    BOOST_CHECK_THROW(evaluate(o, molecule()), InputError);
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_at_construction) {
    const Set set;
    const auto refused = [&](auto change) {
        SccDftbOptions o = set.options();
        change(o);
        return message_of<Error>([&] { SccDftb calculator(o); });
    };
    BOOST_TEST(mentions(refused([](auto& o) { o.parameters.clear(); }), "parameters"));
    BOOST_TEST(mentions(refused([](auto& o) { o.parameters = {"/nowhere"}; }), "/nowhere"));
    BOOST_TEST(mentions(refused([](auto& o) { o.electronic_temperature = -1; }), "temperature"));
    BOOST_TEST(mentions(refused([](auto& o) { o.scc.tolerance = 0; }), "tolerance"));
    BOOST_TEST(mentions(refused([](auto& o) { o.scc.energy_tolerance = 0; }), "energy_tolerance"));
    BOOST_TEST(mentions(refused([](auto& o) { o.scc.max_iterations = 0; }), "max_iterations"));
    BOOST_TEST(mentions(refused([](auto& o) { o.kpoints.divisions = {0, 1, 1}; }), "k-point"));
    BOOST_TEST(mentions(refused([](auto& o) { o.spin.unpaired = 1; }), "polarized"));
    BOOST_TEST(mentions(refused([](auto& o) { o.device.method = "magic"; }), "device method"));
    BOOST_TEST(mentions(refused([](auto& o) {
                            o.dispersion = Dispersion::tkatchenko_scheffler;
                            o.scc.enabled = false;
                        }),
                        "scc.enabled"));
    BOOST_TEST(mentions(refused([](auto& o) { o.ts_scaling = 0; }), "ts_scaling"));
    BOOST_CHECK_THROW(mixer_from_name("shaker"), InputError);
    BOOST_CHECK(mixer_from_name("broyden") == Mixer::broyden);
    BOOST_CHECK(filling_from_name("methfessel-paxton") == Filling::methfessel_paxton);
}

BOOST_AUTO_TEST_CASE(description_names_what_differs_from_the_default) {
    const Set set;
    SccDftbOptions o = set.options(300);
    const std::string name = set.folder.path().filename().string();
    BOOST_TEST(SccDftb(o).description() == "SCC-DFTB, " + name + ", 300 K");
    o.kpoints.divisions = {6, 6, 1};
    o.charge = -1;
    o.dispersion = Dispersion::lennard_jones;
    BOOST_TEST(SccDftb(o).description() ==
               "SCC-DFTB, " + name + ", 300 K, 6 x 6 x 1 k-points, charge -1, dispersion");
}

BOOST_AUTO_TEST_CASE(shells_left_out_or_missing_are_named) {
    const Set set;
    SccDftbOptions o = set.options();
    o.max_angular_momentum = {{6, 0}};
    BOOST_TEST(mentions(message_of<InputError>([&] { evaluate(o, molecule()); }), "occupied p shell"));
    o.max_angular_momentum = {{1, 1}};
    BOOST_TEST(mentions(message_of<InputError>([&] { evaluate(o, molecule()); }), "up to s only"));
    // Silicon without its empty d shell is another, smaller model.
    o.max_angular_momentum = {{14, 1}};
    BOOST_TEST(evaluate(o, molecule()).n_orbitals == evaluate(set.options(), molecule()).n_orbitals - 5);
}

BOOST_AUTO_TEST_CASE(contradicting_files_of_a_pair_are_refused) {
    const Set set;
    std::filesystem::copy_file(set.folder.path() / "H-Si.skf", set.folder.path() / "H-C.skf",
                               std::filesystem::copy_options::overwrite_existing);
    BOOST_TEST(mentions(message_of<FileError>([&] { evaluate(set.options(), molecule()); }), "contradict"));
}

BOOST_AUTO_TEST_CASE(a_polynomial_that_is_zero_leaves_the_repulsion_to_the_other_file) {
    const Set set;
    const double both = evaluate(set.options(), molecule()).terms.at("repulsive");
    const auto file = set.folder.path() / "H-C.skf";
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    std::string emptied = text.str();
    const std::string polynomial = "1.0 0.0 0.02 0.01 5*0.0 3.5 10*0.0";
    emptied.replace(emptied.find(polynomial), polynomial.size(), "1.0 19*0.0");
    std::ofstream(file) << emptied;
    BOOST_TEST(evaluate(set.options(), molecule()).terms.at("repulsive") == both);
}

BOOST_AUTO_TEST_CASE(spin_constants_come_from_the_folder_when_not_given) {
    const Set set;
    SccDftbOptions o = set.options();
    o.spin.polarized = true;
    BOOST_TEST(mentions(message_of<InputError>([&] { evaluate(o, molecule()); }), "spin constants of C"));
    std::ofstream(set.folder.path() / "spinw.txt")
        << "H:\n -0.07\n\nC:\n -0.03 -0.025\n -0.025 -0.02\n\nSi:\n -0.02 -0.015 0.0\n -0.015 -0.014 0.0\n 0 "
           "0 -0.01\n";
    BOOST_TEST(evaluate(o, molecule()).spin_moments.size() == 5);
    std::ofstream(set.folder.path() / "spinw.txt") << "H:\n -0.07 x\n";
    BOOST_TEST(mentions(message_of<FileError>([&] { evaluate(o, molecule()); }), "spinw.txt:2"));
}

BOOST_AUTO_TEST_SUITE_END()
