// SPDX-License-Identifier: Apache-2.0
// How to add an energy term of one's own to SCC-DFTB: a Morse potential between chosen pairs of atoms.
//
// usage: pair_term FOLDER_OF_SKF_FILES
//
// The term is a class derived from EnergyTerm; SccDftb::add_term hands it to the engine, and no file of the
// project is touched. It then takes part in energy, forces and stress, and so in relaxation and dynamics: md/
// works with any Calculator.
//
// A term may depend on the charges, too: it gets them in energy(), adds dE/dq in add_potential(), and thereby
// takes part in self-consistency. A D3 correction, for example, is such a class without charges: update()
// counts the coordination numbers from a NeighborList, takes the C6 from them and sums the pairs (energy and
// gradients in one go, kept until asked for); energy(), add_forces() and add_stress() hand them out. A D4
// correction does the same with C6 that depend on Charges::electrons, and returns their derivative in
// add_potential(). Either may be a thin wrapper around a library.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "stembridge/base/context.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/tb/scc_dftb.hpp"

using namespace stembridge;

namespace {

/// E = sum D [ (1 - exp(-a (R - R0)))^2 - 1 ] over the pairs of two elements, images included, that are
/// closer than a cut-off. Hartree atomic units.
class MorsePairs final : public tb::EnergyTerm {
  public:
    struct Parameters {
        int first_element, second_element;
        double depth, steepness, distance, cutoff;
    };
    explicit MorsePairs(const Parameters& parameters) : p_(parameters) {}

    /// Under this name the energy appears in Evaluation::terms.
    std::string name() const override { return "morse"; }

    /// A new geometry: everything that does not depend on the charges is best done here.
    void update(const Structure& structure, const tb::Basis&, const tb::Sites&) override {
        elements_ = structure.atomic_numbers;
        pairs_.emplace(structure, p_.cutoff);
    }

    double energy(const tb::Charges&) const override {
        double sum = 0;
        for_pairs([&](int, const Neighbor&, double value, double) { sum += 0.5 * value; });
        return sum;
    }

    /// dE/dq; this term does not know the charges.
    void add_potential(const tb::Charges&, tb::Charges&) const override {}

    void add_forces(const tb::Charges&, Eigen::Matrix3Xd& forces) const override {
        // Atom i is pulled towards j where the energy grows with the distance.
        for_pairs([&](int i, const Neighbor& n, double, double slope) {
            forces.col(i) += slope / n.distance * n.r_ij;
        });
    }

    void add_stress(const tb::Charges&, Eigen::Matrix3d& strain_derivative) const override {
        // dE/d(strain) = 1/2 sum dV/dR r r^T / R; the engine divides by the volume.
        for_pairs([&](int, const Neighbor& n, double, double slope) {
            strain_derivative += 0.5 * slope / n.distance * n.r_ij * n.r_ij.transpose();
        });
    }

  private:
    /// Calls visit(i, neighbour, V, dV/dR) for every pair of the list, which holds each from either side.
    template <class Visit>
    void for_pairs(Visit visit) const {
        const auto chosen = std::minmax(p_.first_element, p_.second_element);
        for (int i = 0; i < pairs_->n_atoms(); ++i)
            for (const Neighbor& n : pairs_->of(i)) {
                const int a = elements_[static_cast<std::size_t>(i)],
                          b = elements_[static_cast<std::size_t>(n.j)];
                if (std::minmax(a, b) != chosen) continue;
                const double e = std::exp(-p_.steepness * (n.distance - p_.distance));
                // V = D [ (1 - e)^2 - 1 ] = D e (e - 2)
                visit(i, n, p_.depth * e * (e - 2), 2 * p_.depth * p_.steepness * e * (1 - e));
            }
    }

    Parameters p_;
    std::vector<int> elements_;
    std::optional<NeighborList> pairs_;
};

/// Methane, 1.2 angstrom from atom to atom, a little out of shape.
Structure methane() {
    Structure s;
    s.add(6, Eigen::Vector3d::Zero());
    const double x = 1.2 * units::angstrom / std::sqrt(3.0);
    for (const Eigen::Vector3d& corner : {Eigen::Vector3d(1, 1, 1), {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1.1}})
        s.add(1, x * corner);
    return s;
}

/// The same in a cell without right angles.
Structure methane_crystal() {
    Structure s = methane();
    s.cell.vectors.col(0) << 8.0, 0.5, 0.0;
    s.cell.vectors.col(1) << -1.0, 8.5, 0.4;
    s.cell.vectors.col(2) << 0.3, 0.6, 7.8;
    s.cell.periodic = {true, true, true};
    return s;
}

double energy_of(Calculator& calculator, const Structure& structure) {
    Evaluation out;
    calculator.evaluate(structure, {.forces = false, .stress = false}, out, Context{});
    return out.energy;
}

/// Largest difference between forces and central differences of the energy, hartree/bohr.
double error_of_forces(Calculator& calculator, const Structure& structure) {
    Evaluation out;
    calculator.evaluate(structure, {.forces = true, .stress = false}, out, Context{});
    constexpr double h = 1e-3;
    double worst = 0;
    for (int i = 0; i < structure.size(); ++i)
        for (int axis = 0; axis < 3; ++axis) {
            Structure plus = structure, minus = structure;
            plus.positions(axis, i) += h;
            minus.positions(axis, i) -= h;
            const double slope = (energy_of(calculator, plus) - energy_of(calculator, minus)) / (2 * h);
            worst = std::max(worst, std::abs(out.forces(axis, i) + slope));
        }
    return worst;
}

/// Largest difference between stress and central differences of the energy, hartree/bohr^3.
double error_of_stress(Calculator& calculator, const Structure& structure) {
    Evaluation out;
    calculator.evaluate(structure, {.forces = false, .stress = true}, out, Context{});
    constexpr double h = 1e-4;
    const auto strained = [&](int a, int b, double strain) {
        Eigen::Matrix3d d = Eigen::Matrix3d::Identity();
        d(a, b) += strain / 2;
        d(b, a) += strain / 2;
        Structure s = structure;
        s.positions = d * structure.positions;
        s.cell.vectors = d * structure.cell.vectors;
        return energy_of(calculator, s);
    };
    double worst = 0;
    for (int a = 0; a < 3; ++a)
        for (int b = 0; b <= a; ++b) {
            const double slope = (strained(a, b, h) - strained(a, b, -h)) / (2 * h) / structure.cell.volume();
            worst = std::max(worst, std::abs((*out.stress)(a, b) - slope));
        }
    return worst;
}

int demonstrate(const char* folder) {
    tb::SccDftbOptions options;
    options.parameters = {folder};
    options.scc.tolerance = 1e-11;
    tb::SccDftb plain(options), extended(options);

    // Carbon to hydrogen: 0.02 hartree deep at 2.1 bohr.
    const MorsePairs::Parameters morse{6, 1, 0.02, 1.0, 2.1, 30.0};
    extended.add_term(std::make_unique<MorsePairs>(morse));

    Evaluation before, after;
    plain.evaluate(methane(), {.forces = true, .stress = false}, before, Context{});
    extended.evaluate(methane(), {.forces = true, .stress = false}, after, Context{});
    const double added = after.terms.at("morse");
    fmt::print("methane without the term: {:15.9f} hartree\n", before.energy);
    fmt::print("methane with the term:    {:15.9f} hartree, of which the term {:.9f}\n", after.energy, added);

    // By hand: the four pairs of the molecule.
    double by_hand = 0;
    for (int i = 1; i < 5; ++i) {
        const double e = std::exp(-morse.steepness * (methane().positions.col(i).norm() - morse.distance));
        by_hand += morse.depth * e * (e - 2);
    }
    const double mismatch = std::abs(added - by_hand) + std::abs(after.energy - before.energy - added);
    const double forces = error_of_forces(extended, methane());
    const double forces_in_crystal = error_of_forces(extended, methane_crystal());
    const double stress = error_of_stress(extended, methane_crystal());
    fmt::print("difference from the sum by hand:          {:.1e} hartree\n", mismatch);
    fmt::print("forces against differences of the energy: {:.1e} hartree/bohr, in a crystal {:.1e}\n", forces,
               forces_in_crystal);
    fmt::print("stress against differences of the energy: {:.1e} hartree/bohr^3\n", stress);
    // Central differences with these steps are themselves off by about 1e-7.
    const bool right = mismatch < 1e-9 && std::max(forces, forces_in_crystal) < 1e-6 && stress < 1e-7;
    fmt::print("{}\n", right ? "the term is what it should be" : "THE TERM IS WRONG");
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: pair_term FOLDER_OF_SKF_FILES\n");
        return 2;
    }
    try {
        return demonstrate(argv[1]);
    } catch (const std::exception& e) {
        fmt::print(stderr, "{}\n", e.what());
        return EXIT_FAILURE;
    }
}
