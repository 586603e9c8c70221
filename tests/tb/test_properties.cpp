// SPDX-License-Identifier: Apache-2.0
// Properties of a converged calculation on an invented parameter set: sum rules, exact small cases, symmetry.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/tb/bands.hpp"
#include "stembridge/tb/properties.hpp"
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

std::unique_ptr<ElectronicState> converged(const SccDftbOptions& options, const Structure& s,
                                           Evaluation* out = nullptr) {
    SccDftb calculator(options);
    Evaluation evaluation;
    calculator.evaluate(s, {.forces = false}, evaluation, Context{});
    if (out) *out = evaluation;
    return calculator.electronic_state();
}

/// Spin-polarised options for the elements of the invented set.
SccDftbOptions with_spin(SccDftbOptions o) {
    o.spin.polarized = true;
    o.spin.unpaired = 2;
    o.spin.constants[1] = Eigen::MatrixXd::Constant(1, 1, -0.07);
    o.spin.constants[6] = Eigen::MatrixXd::Constant(2, 2, -0.03);
    o.spin.constants[14] = Eigen::MatrixXd::Constant(3, 3, -0.02);
    return o;
}

Structure hydrogen_molecule() {
    Structure s;
    s.add(1, {0, 0, 0});
    s.add(1, {1.4, 0, 0});
    return s;
}

SccDftbOptions with_kpoints(SccDftbOptions o) {
    o.kpoints.divisions = {2, 3, 1};
    o.kpoints.gamma_centered = true;
    return o;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_properties)

// M and K are neighbours on the border of the zone: |M - K| = |M| / sqrt(3), whichever angle the vectors
// have.
BOOST_AUTO_TEST_CASE(the_corner_of_a_hexagonal_zone_is_beside_the_middle_of_its_edge) {
    for (const double angle : {60.0, 120.0}) BOOST_TEST_CONTEXT(angle) {
            Cell cell;
            const double radians = angle / 180 * std::acos(-1.0);
            cell.vectors.col(0) = Eigen::Vector3d(4.65, 0, 0);
            cell.vectors.col(1) = 4.65 * Eigen::Vector3d(std::cos(radians), std::sin(radians), 0);
            cell.vectors.col(2) = Eigen::Vector3d(0, 0, 30);
            cell.periodic = {true, true, false};
            const auto path = band_path("G M K G", cell);
            const Eigen::Matrix3d reciprocal = cell.reciprocal();
            const Eigen::Vector3d m = reciprocal * path[1].k, k = reciprocal * path[2].k;
            BOOST_TEST((m - k).norm() == m.norm() / std::sqrt(3.0), boost::test_tools::tolerance(1e-12));
        }
    Cell fcc;  // 60 degrees between all vectors: not hexagonal
    fcc.vectors << 0, 5, 5, 5, 0, 5, 5, 5, 0;
    fcc.periodic = {true, true, true};
    BOOST_CHECK_THROW(band_path("G M K G", fcc), InputError);
}

BOOST_AUTO_TEST_CASE(shell_populations_add_to_the_electrons_and_give_the_charges_of_the_calculator) {
    const Set set;
    struct Case {
        SccDftbOptions options;
        Structure structure;
    };
    for (const auto& [options, structure] :
         {Case{set.options(), molecule()}, Case{with_spin(set.options()), molecule()},
          Case{with_kpoints(set.options()), crystal()}}) {
        Evaluation out;
        const auto state = converged(options, structure, &out);
        const Populations p = populations(*state);
        // Sums of some twenty numbers of order 1.
        BOOST_TEST(std::abs(p.shells.sum() - state->electrons.number) < 1e-12);
        BOOST_TEST((p.charges - out.charges).cwiseAbs().maxCoeff() < 1e-12);
        if (options.spin.polarized) BOOST_TEST(std::abs(p.spins.sum() - 2) < 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(the_density_of_states_integrates_to_all_orbitals_and_its_parts_add_up) {
    const Set set;
    const double width = 0.01;
    for (const bool spin : {false, true})
        for (const bool periodic : {false, true}) {
            const SccDftbOptions plain = periodic ? with_kpoints(set.options()) : set.options();
            const auto state = converged(spin ? with_spin(plain) : plain, periodic ? crystal() : molecule());
            const Spectrum levels = spectrum(*state);
            double low = 1e9, high = -1e9;
            for (const auto& of_spin : levels.states)
                for (const States& s : of_spin) {
                    low = std::min(low, s.energies.minCoeff());
                    high = std::max(high, s.energies.maxCoeff());
                }
            // A tenth of the width: sums over a Gaussian are then exact to rounding.
            const auto n = static_cast<Eigen::Index>((high - low + 20 * width) / (width / 10));
            const Eigen::VectorXd grid = Eigen::VectorXd::LinSpaced(n, low - 10 * width, high + 10 * width);
            const DensityOfStates dos = density_of_states(*state, levels, grid, width);
            const double integral = dos.total.sum() * (grid(1) - grid(0));
            BOOST_TEST(std::abs(integral - 2 * state->basis.n_orbitals()) < 1e-9);
            Eigen::MatrixXd sum = -dos.total;
            for (const auto& part : dos.parts) sum += part.values;
            BOOST_TEST(sum.cwiseAbs().maxCoeff() < 1e-9 * dos.total.maxCoeff());
            BOOST_TEST(dos.parts.size() == 6u);  // H s; C s p; Si s p d
        }
}

BOOST_AUTO_TEST_CASE(the_bond_order_of_two_orbitals_with_two_electrons_is_one) {
    const Set set;
    // At 0 K the bonding level holds both electrons; P S is then (1/2, 1/2; 1/2, 1/2) * 2 for any overlap.
    for (const bool spin : {false, true}) {
        SccDftbOptions options = set.options(0);
        if (spin) {
            options = with_spin(options);
            options.spin.unpaired = 0;
        }
        const auto state = converged(options, hydrogen_molecule());
        const auto bonds = bond_orders(*state, spectrum(*state), 0.01);
        BOOST_TEST_REQUIRE(bonds.size() == 1u);
        BOOST_TEST(std::abs(bonds[0].mayer - 1) < 1e-12);
        BOOST_TEST(std::abs(bonds[0].wiberg - 1) < 1e-12);
        BOOST_TEST(std::abs(bonds[0].distance - 1.4) < 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(bond_orders_do_not_depend_on_whether_a_supercell_or_kpoints_are_used) {
    const Set set;
    SccDftbOptions options = set.options(3000);
    // Two cells along the first vector = two k-points.
    const Structure cell = crystal();
    Structure twice = cell;
    twice.cell.vectors.col(0) *= 2;
    for (int i = 0; i < cell.size(); ++i)
        twice.add(cell.atomic_numbers[static_cast<std::size_t>(i)],
                  cell.positions.col(i) + cell.cell.vector(0));
    const auto folded = converged(options, twice);
    options.kpoints.divisions = {2, 1, 1};
    options.kpoints.gamma_centered = true;
    const auto sampled = converged(options, cell);
    const auto a = bond_orders(*sampled, spectrum(*sampled), 1e-3);
    const auto b = bond_orders(*folded, spectrum(*folded), 1e-3);
    double sum_a = 0, sum_b = 0;
    for (const auto& bond : a) sum_a += 2 * bond.mayer;
    for (const auto& bond : b) sum_b += bond.mayer;
    // Bonds of an atom with the same atom of the next cell are one per cell in the cell and one per two
    // cells, of double weight, in the supercell; so compare bonds between different atoms one by one.
    BOOST_TEST(sum_a > 1);
    BOOST_TEST(sum_b > 1);
    int compared = 0;
    for (const auto& bond : a) {
        if (bond.i == bond.j || bond.mayer < 0.05) continue;
        double best = 1;
        for (const auto& other : b)
            if (other.i % cell.size() == bond.i && other.j % cell.size() == bond.j &&
                std::abs(other.distance - bond.distance) < 1e-9)
                best =
                    std::min(best, std::abs(other.mayer - bond.mayer) + std::abs(other.wiberg - bond.wiberg));
        // The self-consistency stops at 1e-11 e.
        BOOST_TEST(best < 1e-8);
        ++compared;
    }
    BOOST_TEST(compared >= 4);
}

BOOST_AUTO_TEST_CASE(bond_orders_from_a_closed_shell_with_spin_equal_those_without) {
    const Set set;
    const auto plain = converged(set.options(), molecule());
    SccDftbOptions options = with_spin(set.options());
    options.spin.unpaired = 0;
    const auto spin = converged(options, molecule());
    const auto a = bond_orders(*plain, spectrum(*plain), 0), b = bond_orders(*spin, spectrum(*spin), 0);
    BOOST_TEST_REQUIRE(a.size() == b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
        BOOST_TEST(std::abs(a[k].mayer - b[k].mayer) < 1e-8);
        BOOST_TEST(std::abs(a[k].wiberg - b[k].wiberg) < 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(the_dipole_of_an_ion_moves_with_the_origin_and_that_of_a_molecule_does_not) {
    const Set set;
    const Eigen::Vector3d shift(1.5, -2, 0.7);
    for (const double charge : {0.0, 1.0}) {
        SccDftbOptions options = set.options();
        options.charge = charge;
        Structure moved = molecule();
        moved.positions.colwise() += shift;
        const Eigen::Vector3d change =
            dipole(*converged(options, moved)) - dipole(*converged(options, molecule()));
        BOOST_TEST((change - charge * shift).norm() < 1e-9);
    }
    BOOST_CHECK_THROW(dipole(*converged(set.options(), crystal())), UnsupportedError);
}

BOOST_AUTO_TEST_CASE(the_frontier_levels_are_those_around_the_fermi_level) {
    const Set set;
    for (const bool spin : {false, true}) {
        const auto state = converged(spin ? with_spin(set.options()) : set.options(), molecule());
        const Spectrum levels = spectrum(*state);
        const Frontier f = frontier(levels);
        if (spin) {
            // Two electrons more with spin up than with spin down.
            BOOST_TEST(f.homo.energy <= std::max(state->fermi_levels[0], state->fermi_levels[1]));
            continue;
        }
        const Eigen::VectorXd& e = levels.states[0][0].energies;
        const auto filled = static_cast<Eigen::Index>(state->electrons.number / 2);
        BOOST_TEST(f.homo.band == filled - 1);
        BOOST_TEST(f.homo.energy == e(filled - 1));
        BOOST_TEST(f.lumo.energy == e(filled));
        BOOST_TEST(f.gap == e(filled) - e(filled - 1));
    }
}

BOOST_AUTO_TEST_CASE(paths_of_bands_are_checked_against_the_cell) {
    Cell slab;
    slab.vectors.col(0) << 4, 0, 0;
    slab.vectors.col(1) << 2, 2 * std::sqrt(3.0), 0;
    slab.vectors.col(2) << 0, 0, 20;
    slab.periodic = {true, true, false};
    const auto path = band_path("G M K 0.25,0.5,0", slab);
    BOOST_TEST_REQUIRE(path.size() == 4u);
    // The corner of the zone: as far from Gamma as from the two nearest reciprocal lattice points.
    const Eigen::Matrix3d b = slab.reciprocal();
    const double distance = (b * path[2].k).norm();
    BOOST_TEST(std::abs((b * (path[2].k - Eigen::Vector3d(1, 0, 0))).norm() - distance) < 1e-12);
    BOOST_TEST(std::abs((b * (path[2].k - Eigen::Vector3d(1, 1, 0))).norm() - distance) < 1e-12);
    BOOST_TEST(path[3].k(1) == 0.5);
    for (const char* wrong : {"", "G", "G Q", "G 0.5,0", "G 0.5,0,0x", "G 0,0,0.5", "G A", "G nan,0,0"})
        BOOST_CHECK_THROW(band_path(wrong, slab), InputError);
    BOOST_CHECK_THROW(band_path("G M", Cell{}), InputError);
}

BOOST_AUTO_TEST_CASE(there_is_no_electronic_state_before_the_first_evaluation) {
    const Set set;
    BOOST_CHECK_THROW(SccDftb(set.options()).electronic_state(), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
