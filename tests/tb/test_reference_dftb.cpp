// SPDX-License-Identifier: Apache-2.0
// Agreement with published numbers: DFTB+ 25.1 (dftb/reference.json of the reference data, which names
// commit, units and conversion constants), every case whose feature exists.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "stembridge/base/elements.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "stembridge/tb/tables/skf.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using nlohmann::json;

namespace {

// Cases of features that are not built yet would be named here and in the output: expected failures.
const std::set<std::string> not_built = {};

struct Reference {
    json data;
    double bohr_in_angstrom, boltzmann;
    std::filesystem::path tables;
};

Reference load(const std::filesystem::path& folder) {
    std::ifstream file(folder / "dftb" / "reference.json");
    Reference r{json::parse(file), 0, 0, folder / "skf"};
    r.bohr_in_angstrom = r.data["bohr_in_angstrom"];
    r.boltzmann = r.data["boltzmann_Ha_per_K"];
    return r;
}

Structure structure_of(const json& geometry, double bohr) {
    Structure s;
    for (std::size_t i = 0; i < geometry["species"].size(); ++i) {
        const auto& x = geometry["positions_A"][i];
        s.add(atomic_number(geometry["species"][i].get<std::string>()),
              Eigen::Vector3d(x[0], x[1], x[2]) / bohr);
    }
    if (!geometry["lattice_A"].is_null()) {
        for (int k = 0; k < 3; ++k) {
            const auto& a = geometry["lattice_A"][static_cast<std::size_t>(k)];
            s.cell.vectors.col(k) = Eigen::Vector3d(a[0], a[1], a[2]) / bohr;
        }
        s.cell.periodic = {true, true, true};
    }
    return s;
}

Eigen::MatrixXd matrix_of(const json& rows) {
    Eigen::MatrixXd m(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows[0].size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = 0; j < rows[i].size(); ++j)
            m(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = rows[i][j];
    return m;
}

SccDftbOptions options_of(const json& c, const Reference& r) {
    const std::map<std::string, std::vector<std::string>> folders = {{"mio", {"mio-1-1"}},
                                                                     {"pbc", {"pbc-0-3"}},
                                                                     {"3ob", {"3ob-3-1"}},
                                                                     {"matsci", {"matsci-0-3"}},
                                                                     {"trans3d", {"trans3d-0-1", "mio-1-1"}}};
    SccDftbOptions o;
    for (const std::string& f : folders.at(c["parameter_set"])) o.parameters.push_back(r.tables / f);
    o.electronic_temperature = c["filling_temperature_K"].get<double>() * r.boltzmann;
    o.charge = c["charge"];
    o.scc.tolerance = 1e-9;
    o.scc.max_iterations = 500;
    o.scc.shell_resolved = c["shell_resolved_scc"];
    for (const auto& [symbol, l] : c["max_l"].items())
        o.max_angular_momentum[atomic_number(symbol)] =
            static_cast<int>(std::string("spdf").find(l.get<std::string>()));
    if (c["kpoints"].is_object()) {
        const auto& k = c["kpoints"];
        for (std::size_t i = 0; i < 3; ++i) o.kpoints.divisions[i] = k["supercell_folding"][i];
        o.kpoints.gamma_centered = k["shift"] == json::array({0, 0, 0});
    }
    if (const auto& s = c["spin"]; !s.is_null()) {
        o.spin.polarized = true;
        if (!s["shared_fermi_level"].get<bool>()) o.spin.unpaired = s["unpaired"].get<double>();
        for (const auto& [symbol, w] : s["W_Ha"].items())
            o.spin.constants[atomic_number(symbol)] = matrix_of(w);
    }
    if (const auto& t = c["dftb3"]; !t.is_null()) {
        o.third_order.mode = third_order_from_name(t["third_order"].get<std::string>());
        for (const auto& [symbol, d] : t["hubbard_derivs_Ha"].items())
            o.third_order.hubbard_derivatives[atomic_number(symbol)] = d;
        if (t.contains("damping_exponent") && !t["damping_exponent"].is_null())
            o.third_order.damping_exponent = t["damping_exponent"].get<double>();
    }
    if (const auto& d = c["dispersion"]; !d.is_null())
        o.dispersion = d.get<std::string>().starts_with("Lennard") ? Dispersion::lennard_jones
                                                                   : Dispersion::slater_kirkwood;
    if (c["extra"].get<std::string>().find("PointCharges") != std::string::npos)
        for (const auto& [x, y, z, q] : {std::array{3.0, 0.5, 0.0, 0.4}, std::array{-2.0, -2.5, 1.0, -0.3}})
            o.external.point_charges.push_back({Eigen::Vector3d(x, y, z) / r.bohr_in_angstrom, q});
    return o;
}

/// Tolerances of every key, in the order of the file's units.
constexpr double energy_tolerance = 1e-8;     // hartree per atom
constexpr double force_tolerance = 1e-6;      // hartree/bohr
constexpr double charge_tolerance = 1e-6;     // e
constexpr double stress_tolerance = 1e-7;     // hartree/bohr^3
constexpr double level_tolerance = 1e-7;      // hartree, Fermi level and eigenvalues
constexpr double repulsive_tolerance = 1e-9;  // hartree per atom; the file gives 10 decimals

void compare(const json& c, const Reference& r) {
    const std::string name = c["name"];
    const Structure structure = structure_of(c["geometry"], r.bohr_in_angstrom);
    SccDftb calculator(options_of(c, r));
    Evaluation out;
    calculator.evaluate(structure, {.forces = true, .stress = !c["stress_Ha_per_bohr3"].is_null()}, out,
                        Context{});
    const int n = structure.size();
    const double energy = std::abs(out.energy - c["mermin_free_energy_Ha"].get<double>()) / n;
    const double zero = std::abs(out.energy_zero - c["extrapolated0_energy_Ha"].get<double>()) / n;
    const double repulsive = std::abs(out.terms.at("repulsive") - c["repulsive_Ha"].get<double>()) / n;
    const double forces = (out.forces.transpose() - matrix_of(c["forces_Ha_per_bohr"])).cwiseAbs().maxCoeff();
    double charges = 0;
    for (int i = 0; i < n; ++i)
        charges = std::max(
            charges, std::abs(out.charges(i) - c["charges"][static_cast<std::size_t>(i)].get<double>()));
    BOOST_CHECK_MESSAGE(energy < energy_tolerance, name << ": free energy per atom off by " << energy);
    BOOST_CHECK_MESSAGE(zero < energy_tolerance,
                        name << ": zero-temperature energy per atom off by " << zero);
    BOOST_CHECK_MESSAGE(repulsive < repulsive_tolerance,
                        name << ": repulsive energy per atom off by " << repulsive);
    BOOST_CHECK_MESSAGE(forces < force_tolerance, name << ": forces off by " << forces);
    BOOST_CHECK_MESSAGE(charges < charge_tolerance, name << ": charges off by " << charges);
    double stress = 0, fermi = 0;
    if (!c["stress_Ha_per_bohr3"].is_null()) {
        // The file's sign is -(1/V) dF/dstrain.
        stress = (*out.stress + matrix_of(c["stress_Ha_per_bohr3"])).cwiseAbs().maxCoeff();
        BOOST_CHECK_MESSAGE(stress < stress_tolerance, name << ": stress off by " << stress);
    }
    double highest = -1e9;
    for (const auto& e : c["fermi_level_Ha"]) highest = std::max(highest, e.get<double>());
    fermi = std::abs(*out.fermi_level - highest);
    BOOST_CHECK_MESSAGE(fermi < level_tolerance, name << ": Fermi level off by " << fermi);
    double levels = 0;
    if (const auto& e = c["eigenvalues_Ha"]; !e.is_null() && e["shape_orb_k_spin"][1] == 1) {
        // One value per orbital, orbitals running fastest, then spins.
        std::size_t at = 0;
        for (const Eigen::MatrixXd& mine : calculator.eigenvalues())
            for (Eigen::Index i = 0; i < mine.rows(); ++i)
                levels = std::max(levels, std::abs(mine(i, 0) - e["values"][at++].get<double>()));
        BOOST_CHECK_MESSAGE(levels < level_tolerance, name << ": eigenvalues off by " << levels);
    }
    BOOST_TEST_MESSAGE(
        fmt::format("{}: energy {:.1e}, forces {:.1e}, charges {:.1e}, stress {:.1e}, Fermi level {:.1e}, "
                    "levels {:.1e}, {} cycles",
                    name, energy, forces, charges, stress, fermi, levels, out.iterations));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_dftb)

BOOST_AUTO_TEST_CASE(single_points_agree_with_the_published_code) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    const Reference r = load(folder);
    for (const json& c : r.data["cases"]) {
        if (c["driver"] != "none") continue;
        BOOST_TEST_CONTEXT(c["name"]) {
            if (not_built.count(c["name"]) != 0) {
                BOOST_TEST_MESSAGE(
                    "expected failure (feature not built yet): " << c["name"].get<std::string>());
                continue;
            }
            BOOST_CHECK_NO_THROW(compare(c, r));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_relaxation_agrees_with_the_published_code) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    const Reference r = load(folder);
    for (json c : r.data["cases"]) {
        if (c["driver"] != "geometry_optimisation") continue;
        c["geometry"]["positions_A"] = c["final_geometry"]["positions_A"];
        const Structure structure = structure_of(c["geometry"], r.bohr_in_angstrom);
        SccDftb calculator(options_of(c, r));
        Evaluation out;
        calculator.evaluate(structure, {.forces = true, .stress = false}, out, Context{});
        BOOST_CHECK_SMALL(out.energy - c["mermin_free_energy_Ha"].get<double>(),
                          energy_tolerance * structure.size());
        BOOST_CHECK_SMALL((out.forces.transpose() - matrix_of(c["forces_Ha_per_bohr"])).cwiseAbs().maxCoeff(),
                          force_tolerance);
        // The published relaxation ended at a largest force of 1e-5 hartree/bohr.
        BOOST_TEST(out.forces.cwiseAbs().maxCoeff() < 1.1e-5);
    }
}

BOOST_AUTO_TEST_CASE(a_trajectory_follows_that_of_the_published_code) {
    STEMBRIDGE_REQUIRE_REFERENCE(folder);
    const Reference r = load(folder);
    for (const json& c : r.data["cases"]) {
        if (c["driver"] != "molecular_dynamics") continue;
        Structure s = structure_of(c["geometry"], r.bohr_in_angstrom);
        const int n = s.size();
        // "Velocities [AA/ps] { ... }" of the input; masses in u from the tables.
        const std::string input = c["driver_input"];
        std::istringstream words(input.substr(input.find('{', input.find("Velocities")) + 1));
        Eigen::Matrix3Xd v(3, n);
        for (Eigen::Index k = 0; k < v.size(); ++k) words >> v(k);
        v *= 1 / r.bohr_in_angstrom / (1000 * units::femtosecond);
        Eigen::RowVectorXd mass(n);
        for (int i = 0; i < n; ++i) {
            const std::string symbol = c["geometry"]["species"][static_cast<std::size_t>(i)];
            mass(i) = read_skf(r.tables / "mio-1-1" / (symbol + "-" + symbol + ".skf"), true).mass_dalton *
                      units::dalton;
        }
        const double dt = 0.25 * units::femtosecond;
        SccDftb calculator(options_of(c, r));
        Evaluation out;
        calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
        for (std::size_t step = 0; step < c["md"].size(); ++step) {
            const json& expected = c["md"][step];
            // Published with 10 decimals; positions after the rounding of the units' constants agree to 1e-7.
            BOOST_CHECK_SMALL(out.energy - expected["potential_Ha"].get<double>(), 1e-6);
            if (step + 1 == c["md"].size()) break;
            // Velocity Verlet
            v += 0.5 * dt * out.forces * mass.cwiseInverse().asDiagonal();
            s.positions += dt * v;
            calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
            v += 0.5 * dt * out.forces * mass.cwiseInverse().asDiagonal();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
