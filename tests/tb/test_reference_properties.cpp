// SPDX-License-Identifier: Apache-2.0
// Properties with published parameters: dipoles of DFTB+ 25.1, chemistry of carbon bonds, graphene.
#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/bands.hpp"
#include "stembridge/tb/near_fermi.hpp"
#include "stembridge/tb/properties.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using nlohmann::json;

namespace {

std::unique_ptr<ElectronicState> converged(const std::filesystem::path& set, const Structure& s,
                                           SccDftbOptions options = {}) {
    options.parameters = {set};
    options.scc.tolerance = 1e-10;
    SccDftb calculator(options);
    Evaluation evaluation;
    calculator.evaluate(s, {.forces = false}, evaluation, Context{});
    return calculator.electronic_state();
}

Structure from_angstrom(std::initializer_list<std::tuple<int, double, double, double>> atoms) {
    Structure s;
    for (const auto& [z, x, y, w] : atoms) s.add(z, Eigen::Vector3d(x, y, w) * units::angstrom);
    return s;
}

/// Mayer bond order of the first two atoms.
double first_bond(const std::filesystem::path& set, const Structure& s) {
    const auto state = converged(set, s);
    for (const BondOrder& b : bond_orders(*state, spectrum(*state), 0.1))
        if (b.i == 0 && b.j == 1) return b.mayer;
    return 0;
}

/// Graphene with n x n cells of two atoms.
Structure graphene(int n) {
    const double a = 2.467 * units::angstrom;
    const Eigen::Vector3d a1(a, 0, 0), a2(-a / 2, a * std::sqrt(3.0) / 2, 0);
    Structure s;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            s.add(6, i * a1 + j * a2);
            s.add(6, (i + 1.0 / 3) * a1 + (j + 2.0 / 3) * a2);
        }
    s.cell.vectors << n * a1, n * a2, Eigen::Vector3d(0, 0, 40);
    s.cell.periodic = {true, true, true};
    return s;
}

SccDftbOptions with_grid(int n) {
    SccDftbOptions options;
    options.kpoints.divisions = {n, n, 1};
    options.kpoints.gamma_centered = true;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_properties)

BOOST_AUTO_TEST_CASE(dipoles_agree_with_the_published_code) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    std::ifstream file(folder / "dftb" / "reference.json");
    const json data = json::parse(file);
    const double bohr = data["bohr_in_angstrom"];
    int compared = 0;
    for (const json& c : data["cases"]) {
        const std::string name = c["name"];
        if (name != "h2o_mio" && name != "benzene_mio") continue;
        Structure s;
        for (std::size_t i = 0; i < c["geometry"]["species"].size(); ++i) {
            const auto& x = c["geometry"]["positions_A"][i];
            s.add(atomic_number(c["geometry"]["species"][i].get<std::string>()),
                  Eigen::Vector3d(x[0], x[1], x[2]) / bohr);
        }
        SccDftbOptions options;
        options.electronic_temperature =
            c["filling_temperature_K"].get<double>() * data["boltzmann_Ha_per_K"].get<double>();
        const Eigen::Vector3d mine = dipole(*converged(folder / "skf" / "mio-1-1", s, options));
        const auto& d = c["dipole_au"];
        // Charges agree to 1e-6 e, over molecules of a few bohr.
        BOOST_TEST((mine - Eigen::Vector3d(d[0], d[1], d[2])).norm() < 1e-5, name);
        ++compared;
    }
    BOOST_TEST(compared == 2);
}

BOOST_AUTO_TEST_CASE(carbon_bonds_order_as_chemistry_has_them) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    const auto set = folder / "skf" / "mio-1-1";
    const double ethane = first_bond(set, from_angstrom({{6, 0, 0, 0.765},
                                                         {6, 0, 0, -0.765},
                                                         {1, 1.017, 0, 1.164},
                                                         {1, -0.5085, 0.8807, 1.164},
                                                         {1, -0.5085, -0.8807, 1.164},
                                                         {1, -1.017, 0, -1.164},
                                                         {1, 0.5085, 0.8807, -1.164},
                                                         {1, 0.5085, -0.8807, -1.164}}));
    const double ethene = first_bond(set, from_angstrom({{6, 0, 0, 0.667},
                                                         {6, 0, 0, -0.667},
                                                         {1, 0, 0.923, 1.238},
                                                         {1, 0, -0.923, 1.238},
                                                         {1, 0, 0.923, -1.238},
                                                         {1, 0, -0.923, -1.238}}));
    const double ethyne = first_bond(
        set, from_angstrom({{6, 0, 0, 0.602}, {6, 0, 0, -0.602}, {1, 0, 0, 1.66}, {1, 0, 0, -1.66}}));
    Structure ring;
    for (int element : {6, 1})
        for (int k = 0; k < 6; ++k) {
            const double radius = (element == 6 ? 1.397 : 2.484) * units::angstrom;
            ring.add(element, {radius * std::cos(k * M_PI / 3), radius * std::sin(k * M_PI / 3), 0});
        }
    const double benzene = first_bond(set, ring);
    BOOST_TEST_MESSAGE(
        fmt::format("Mayer bond orders: ethane {:.3f}, benzene {:.3f}, ethene {:.3f}, ethyne {:.3f}", ethane,
                    benzene, ethene, ethyne));
    // Single, aromatic, double, triple: within 0.2 of the formal orders 1, 3/2, 2, 3.
    BOOST_TEST(std::abs(ethane - 1) < 0.2);
    BOOST_TEST(std::abs(benzene - 1.45) < 0.2);
    BOOST_TEST(std::abs(ethene - 2) < 0.2);
    BOOST_TEST(std::abs(ethyne - 3) < 0.2);
}

BOOST_AUTO_TEST_CASE(graphene_is_a_metal_with_its_dirac_point_at_K) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    // K belongs to grids whose divisions are multiples of three.
    const auto state = converged(folder / "skf" / "pbc-0-3", graphene(1), with_grid(6));
    const Frontier f = frontier(spectrum(*state));
    BOOST_TEST(f.gap < 1e-6);
    BOOST_TEST(std::abs(f.homo.energy - state->fermi_levels[0]) < 1e-4);
    const auto corners = band_path("G M K G", state->structure.cell);
    const Bands b = bands(*state, corners, 4);
    BOOST_TEST(b.points.cols() == 13);
    // Two of the four filled and four empty bands touch at K, at the Fermi level.
    const Eigen::VectorXd at_k = b.levels[0].col(8);
    BOOST_TEST(std::abs(at_k(4) - at_k(3)) < 1e-6);
    BOOST_TEST(std::abs(at_k(3) - f.homo.energy) < 1e-6);
    BOOST_TEST(b.levels[0](4, 0) - b.levels[0](3, 0) > 0.1);   // but not at Gamma
    BOOST_TEST(b.levels[0](4, 4) - b.levels[0](3, 4) > 0.05);  // nor at M
    BOOST_TEST((b.levels[0].col(12) - b.levels[0].col(0)).cwiseAbs().maxCoeff() < 1e-12);
    // Bonds in a sheet: one and a third, each atom three of them by symmetry.
    int bonds = 0;
    for (const BondOrder& bond : bond_orders(*state, spectrum(*state), 0.8)) {
        BOOST_TEST(std::abs(bond.mayer - 1.25) < 0.15);
        ++bonds;
    }
    BOOST_TEST(bonds == 3);
}

BOOST_AUTO_TEST_CASE(bands_of_a_cell_fold_onto_the_levels_of_its_supercell_at_gamma) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    const auto set = folder / "skf" / "pbc-0-3";
    const auto cell = converged(set, graphene(1), with_grid(3));
    const auto supercell = converged(set, graphene(3));
    std::vector<double> folded;
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j)
            for (const double e : states_at(*cell, {i / 3.0, j / 3.0, 0}, 0, false).energies)
                folded.push_back(e);
    std::sort(folded.begin(), folded.end());
    const Eigen::VectorXd levels = states_at(*supercell, Eigen::Vector3d::Zero(), 0, false).energies;
    BOOST_TEST_REQUIRE(folded.size() == static_cast<std::size_t>(levels.size()));
    // Both are neutral by symmetry: the charges are the same to their tolerance, 1e-10 e.
    for (Eigen::Index k = 0; k < levels.size(); ++k)
        BOOST_TEST(std::abs(levels(k) - folded[static_cast<std::size_t>(k)]) < 1e-8);
}

BOOST_AUTO_TEST_CASE(levels_near_the_fermi_level_by_lanczos_equal_the_dense_ones) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    // A perfect sheet, full of degenerate levels, and one with an atom missing.
    for (const bool vacancy : {false, true}) {
        Structure s = graphene(4);
        if (vacancy) {
            std::vector<int> kept;
            for (int i = 1; i < s.size(); ++i) kept.push_back(i);
            s = s.selected(kept);
        }
        const auto state = converged(folder / "skf" / "pbc-0-3", s);
        const double energy = state->fermi_levels[0];
        const SelectedStates few = states_near(*state, 0, energy, 13);
        Eigen::VectorXd all = states_at(*state, Eigen::Vector3d::Zero(), 0, false).energies;
        std::sort(all.begin(), all.end(),
                  [&](double a, double b) { return std::abs(a - energy) < std::abs(b - energy); });
        std::sort(all.begin(), all.begin() + 13);
        BOOST_TEST((few.energies - all.head(13)).cwiseAbs().maxCoeff() < 1e-9);
        BOOST_TEST(few.residual < 1e-9);
        const Eigen::MatrixXd overlap =
            few.coefficients.transpose() * state->overlap.folded() * few.coefficients;
        BOOST_TEST((overlap - Eigen::MatrixXd::Identity(13, 13)).cwiseAbs().maxCoeff() < 1e-8);
        BOOST_CHECK_THROW(states_near(*state, 0, energy, 0), InputError);
        BOOST_CHECK_THROW(states_near(*state, 0, energy, 10000), InputError);
    }
}

BOOST_AUTO_TEST_SUITE_END()
