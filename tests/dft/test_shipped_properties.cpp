// SPDX-License-Identifier: Apache-2.0
// What the shipped set gives beside its own PBE reference structures: lattice constant, defects, silicon in
// graphene, chromium on graphene.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include "stembridge/base/units.hpp"
#include "stembridge/dft/reference_data.hpp"
#include "stembridge/md/relax.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"

using namespace stembridge;
using dft::ReferenceStructure;
using units::angstrom;
using units::electronvolt;

namespace {

std::filesystem::path shipped() {
    return stembridge::testing::source_folder() / "data" / "parameters" / "stembridge-1";
}

const std::map<std::string, ReferenceStructure>& references() {
    static const std::map<std::string, ReferenceStructure> all = [] {
        std::map<std::string, ReferenceStructure> found;
        for (ReferenceStructure& r :
             dft::read_reference_structures(shipped() / "reference" / "periodic.extxyz"))
            found.emplace(r.name, std::move(r));
        return found;
    }();
    return all;
}

std::unique_ptr<Calculator> calculator_for(const ReferenceStructure& r) {
    tb::SccDftbOptions o;
    o.parameters = {shipped()};
    o.electronic_temperature = std::max(r.electronic_temperature, 300 * units::kelvin);
    o.kpoints.divisions = r.kpoints;
    o.scc.shell_resolved = true;
    o.scc.tolerance = 1e-6;
    o.scc.max_iterations = 500;
    o.spin.polarized = r.spin_polarized;
    o.spin.unpaired = r.unpaired;
    return tb::make_scc_dftb(o);
}

Evaluation evaluated(const ReferenceStructure& r, bool stress = false) {
    Evaluation out;
    calculator_for(r)->evaluate(r.structure, {true, stress}, out, {});
    return out;
}
double energy_of(const std::string& name) {
    return evaluated(references().at(name)).energy;
}
double pbe(const std::string& name) {
    return references().at(name).energy;
}

/// Another calculator with constant forces added: its minimum is where the forces of the other method vanish,
/// to first order in the distance from the structure where they were taken.
class Tilted final : public Calculator {
  public:
    Tilted(Calculator& inner, Eigen::Matrix3Xd origin, Eigen::Matrix3Xd forces)
        : inner_(inner), origin_(std::move(origin)), forces_(std::move(forces)) {}
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override {
        inner_.evaluate(structure, wanted, out, context);
        const double work = forces_.cwiseProduct(structure.positions - origin_).sum();
        out.energy -= work;
        out.energy_zero -= work;
        if (wanted.forces) out.forces += forces_;
    }
    Wanted offers(const Structure& structure) const override { return inner_.offers(structure); }
    std::string description() const override { return "tilted " + inner_.description(); }

  private:
    Calculator& inner_;
    Eigen::Matrix3Xd origin_, forces_;
};

struct SiliconSite {
    double bond = 0;    ///< mean of the three Si-C distances, bohr
    double height = 0;  ///< of Si above the mean of all C, bohr
};

SiliconSite relaxed_silicon(const ReferenceStructure& r, Calculator& calculator) {
    md::RelaxOptions options;
    options.max_force = 0.01 * units::electronvolt_per_angstrom;
    options.max_steps = 300;
    Structure s = r.structure;
    BOOST_REQUIRE(md::relax(s, calculator, options).status == md::RelaxStatus::converged);
    SiliconSite site;
    double carbon = 0;
    for (int i = 0; i < s.size(); ++i) {
        if (s.atomic_numbers[static_cast<std::size_t>(i)] != 14) {
            carbon += s.positions(2, i) / (s.size() - 1);
            continue;
        }
        site.height += s.positions(2, i);
        std::vector<double> distances;
        const NeighborList list(s, 6);
        for (const Neighbor& n : list.of(i)) distances.push_back(n.distance);
        std::sort(distances.begin(), distances.end());
        site.bond = (distances.at(0) + distances.at(1) + distances.at(2)) / 3;
    }
    site.height -= carbon;
    return site;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_shipped_properties)

BOOST_AUTO_TEST_CASE(the_lattice_constant_of_graphene_is_that_of_pbe) {
    // PBE: where the stress of the reference cells changes sign, between the two nearest.
    std::map<double, double> stress;
    for (const auto& [name, r] : references())
        if (r.group == "g11_k") stress[r.structure.cell.vector(0).norm()] = (*r.stress)(0, 0);
    BOOST_REQUIRE(stress.size() >= 3u);
    const auto above = std::find_if(stress.begin(), stress.end(), [](const auto& s) { return s.second > 0; });
    BOOST_REQUIRE((above != stress.end() && above != stress.begin()));
    const auto below = std::prev(above);
    const double expected =
        below->first - below->second * (above->first - below->first) / (above->second - below->second);
    BOOST_TEST(std::abs(expected / angstrom - 2.470) < 0.003);

    // Own: the same cell strained until the stress vanishes, by the secant method.
    ReferenceStructure cell = references().at("g11_2.467");
    const double a0 = cell.structure.cell.vector(0).norm();
    const Structure at_a0 = cell.structure;
    const auto tension = [&](double a) {
        cell.structure = at_a0;
        cell.structure.cell.vectors.leftCols<2>() *= a / a0;
        cell.structure.positions.topRows<2>() *= a / a0;
        return (*evaluated(cell, true).stress)(0, 0);
    };
    double a = a0, last = 1.01 * a0, f = tension(a), f_last = tension(last);
    for (int step = 0; step < 5 && std::abs(a - last) > 1e-4; ++step) {
        const double next = a - f * (a - last) / (f - f_last);
        last = a;
        f_last = f;
        a = next;
        f = tension(a);
    }
    BOOST_TEST_MESSAGE("lattice constant " << a / angstrom << ", PBE " << expected / angstrom << " angstrom");
    BOOST_TEST(std::abs(a / expected - 1) < 0.005);
}

BOOST_AUTO_TEST_CASE(formation_energies_of_defects_are_near_those_of_pbe) {
    // Both on the geometry of the reference, which is not relaxed.
    const double perfect = energy_of("g44_strain_1.00") / 32, perfect_pbe = pbe("g44_strain_1.00") / 32;
    for (const auto& [name, n] : {std::pair("g44_vac_0", 31), std::pair("g55_SW_1", 50)}) {
        const double own = energy_of(name) - n * perfect, expected = pbe(name) - n * perfect_pbe;
        BOOST_TEST_MESSAGE(name << ": " << own / electronvolt << ", PBE " << expected / electronvolt
                                << " eV");
        BOOST_TEST(std::abs(own - expected) < 0.7 * electronvolt);
    }
}

BOOST_AUTO_TEST_CASE(silicon_in_graphene_sits_where_pbe_puts_it) {
    // The PBE minimum: the same surface tilted by the difference of forces at a structure near the minimum.
    const ReferenceStructure& near = references().at("g44_Si_2");
    const auto calculator = calculator_for(near);
    const SiliconSite own = relaxed_silicon(near, *calculator);
    Tilted tilted(*calculator, near.structure.positions, near.forces - evaluated(near).forces);
    const SiliconSite expected = relaxed_silicon(near, tilted);
    BOOST_TEST_MESSAGE("Si-C " << own.bond / angstrom << ", PBE " << expected.bond / angstrom << "; height "
                               << own.height / angstrom << ", PBE " << expected.height / angstrom
                               << " angstrom");
    BOOST_TEST(std::abs(own.bond - expected.bond) < 0.05 * angstrom);
    BOOST_TEST(std::abs(own.height - expected.height) < 0.15 * angstrom);
}

BOOST_AUTO_TEST_CASE(chromium_on_graphene_prefers_the_sites_of_pbe) {
    const std::vector<std::string> names = {"crg_hollow_1.5_nm", "crg_hollow_1.8_nm", "crg_top_1.8_nm",
                                            "crg_top_1.5_nm"};
    std::vector<double> own, expected;
    std::vector<Evaluation> evaluations;
    for (const std::string& name : names) {
        evaluations.push_back(evaluated(references().at(name)));
        own.push_back(evaluations.back().energy);
        expected.push_back(pbe(name));
        BOOST_TEST_MESSAGE(name << ": " << (own.back() - own.front()) / electronvolt << ", PBE "
                                << (expected.back() - expected.front()) / electronvolt << " eV");
    }
    BOOST_TEST(std::is_sorted(expected.begin(), expected.end()));
    BOOST_TEST(std::is_sorted(own.begin(), own.end()));

    // C-Cr at the hollow site, from where the force on Cr vanishes between (or just below) the two heights.
    const auto height = [&](double force_low, double force_high) {
        return 1.5 - force_low * (1.8 - 1.5) / (force_high - force_low);
    };
    const auto distance = [](double z) { return std::hypot(2.467 / std::sqrt(3.0), z); };
    const auto last = references().at(names[0]).structure.size() - 1;
    const auto force = [&](std::size_t k) { return evaluations[k].forces(2, last); };
    const auto pbe_force = [&](std::size_t k) { return references().at(names[k]).forces(2, last); };
    const double bond = distance(height(force(0), force(1)));
    const double expected_bond = distance(height(pbe_force(0), pbe_force(1)));
    BOOST_TEST_MESSAGE("C-Cr at the hollow site " << bond << ", PBE " << expected_bond << " angstrom");
    BOOST_TEST(std::abs(bond - expected_bond) < 0.1);

    // Binding to the flat sheet, against the free atom with six unpaired electrons.
    const double binding = own[0] - energy_of("g44_strain_1.00") - energy_of("atom_Cr");
    const double expected_binding = expected[0] - pbe("g44_strain_1.00") - pbe("atom_Cr");
    BOOST_TEST_MESSAGE("energy against sheet and atom " << binding / electronvolt << ", PBE "
                                                        << expected_binding / electronvolt << " eV");
    BOOST_TEST(std::abs(binding - expected_binding) < 0.4 * electronvolt);
}

BOOST_AUTO_TEST_CASE(chromium_without_spin_prefers_the_sites_of_pbe_on_a_flat_sheet) {
    const std::vector<std::string> names = {"cr34_hollow_1.5_nm", "cr34_top_1.8_nm", "cr34_bridge_1.8_nm"};
    std::vector<double> own, expected;
    for (const std::string& name : names) {
        own.push_back(energy_of(name));
        expected.push_back(pbe(name));
        BOOST_TEST_MESSAGE(name << ": " << (own.back() - own.front()) / electronvolt << ", PBE "
                                << (expected.back() - expected.front()) / electronvolt << " eV");
    }
    BOOST_TEST(std::is_sorted(expected.begin(), expected.end()));
    BOOST_TEST(std::is_sorted(own.begin(), own.end()));
}

BOOST_AUTO_TEST_CASE(chromium_with_spin_prefers_the_sites_of_pbe) {
    // 2.1 angstrom above the flat sheet, six unpaired electrons: hollow, bridge, top within 0.1 eV.
    const std::vector<std::string> names = {"cr34_hollow_2.1_sp", "cr34_bridge_2.1_sp", "cr34_top_2.1_sp"};
    std::vector<double> own, expected;
    for (const std::string& name : names) {
        own.push_back(energy_of(name));
        expected.push_back(pbe(name));
        BOOST_TEST_MESSAGE(name << ": " << (own.back() - own.front()) / electronvolt << ", PBE "
                                << (expected.back() - expected.front()) / electronvolt << " eV");
        BOOST_TEST(std::abs(own.back() - own.front() - expected.back() + expected.front()) <
                   0.05 * electronvolt);
    }
    BOOST_TEST(std::is_sorted(expected.begin(), expected.end()));
    BOOST_TEST(std::is_sorted(own.begin(), own.end()));

    // Two heights above the hollow site: both pull outwards at 2.1 and inwards at 2.5 angstrom; C-Cr from the
    // zero between.
    const auto bond = [](double force_low, double force_high) {
        const double height = 2.1 - force_low * (2.5 - 2.1) / (force_high - force_low);
        return std::hypot(2.467 / std::sqrt(3.0), height);
    };
    const ReferenceStructure &low = references().at("cr34_hollow_2.1_sp"),
                             &high = references().at("cr34_hollow_2.5_sp");
    const auto last = low.structure.size() - 1;
    const double distance = bond(evaluated(low).forces(2, last), evaluated(high).forces(2, last));
    const double expected_distance = bond(low.forces(2, last), high.forces(2, last));
    BOOST_TEST_MESSAGE("C-Cr at the hollow site " << distance << ", PBE " << expected_distance
                                                  << " angstrom");
    BOOST_TEST(std::abs(distance - expected_distance) < 0.1);

    const double binding = own[0] - energy_of("g34_flat") - energy_of("atom_Cr");
    const double expected_binding = expected[0] - pbe("g34_flat") - pbe("atom_Cr");
    BOOST_TEST_MESSAGE("energy against sheet and atom " << binding / electronvolt << ", PBE "
                                                        << expected_binding / electronvolt << " eV");
    BOOST_TEST(std::abs(binding - expected_binding) < 0.4 * electronvolt);
}

BOOST_AUTO_TEST_SUITE_END()
