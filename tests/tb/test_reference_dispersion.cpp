// SPDX-License-Identifier: Apache-2.0
// Tkatchenko-Scheffler dispersion with a published set against measured and computed values of the
// literature.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/units.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

SccDftbOptions options_in(const std::filesystem::path& reference) {
    SccDftbOptions o;
    o.parameters = {reference / "skf" / "mio-1-1"};
    o.dispersion = Dispersion::tkatchenko_scheffler;
    o.scc.tolerance = 1e-9;
    return o;
}

void add_benzene(Structure& s, const Eigen::Vector3d& at) {
    for (int k = 0; k < 6; ++k) {
        const Eigen::Vector3d u(std::cos(M_PI / 3 * k), std::sin(M_PI / 3 * k), 0);
        s.add(6, at + 1.39 * units::angstrom * u);
        s.add(1, at + 2.48 * units::angstrom * u);
    }
}

/// Graphene as a sheet, with a second layer in AB stacking where a distance is given (angstrom).
Structure graphene(double distance_angstrom) {
    const double a = 2.46 * units::angstrom;
    Structure s;
    s.cell.vectors.col(0) << a, 0, 0;
    s.cell.vectors.col(1) << a / 2, a * std::sqrt(3.0) / 2, 0;
    s.cell.vectors.col(2) << 0, 0, 20;
    s.cell.periodic = {true, true, false};
    const Eigen::Vector3d step = (s.cell.vector(0) + s.cell.vector(1)) / 3;
    s.add(6, {0, 0, 0});
    s.add(6, step);
    if (distance_angstrom == 0) return s;
    const Eigen::Vector3d up(0, 0, distance_angstrom * units::angstrom);
    s.add(6, step + up);
    s.add(6, 2 * step + up);
    return s;
}

Evaluation evaluate(const SccDftbOptions& o, const Structure& s) {
    SccDftb calculator(o);
    Evaluation out;
    calculator.evaluate(s, {.forces = false, .stress = false}, out, Context{});
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_dispersion)

BOOST_AUTO_TEST_CASE(benzene_has_its_c6) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const SccDftbOptions o = options_in(reference);
    Structure one, two;
    add_benzene(one, {0, 0, 0});
    add_benzene(two, {0, 0, 0});
    const double far = 50;
    add_benzene(two, {0, 0, far});
    // Of a molecule with 9 bohr across, 1 / R^6 of the atoms differs from that of the centres by less than 5
    // %.
    const double c6 =
        (2 * evaluate(o, one).terms.at("dispersion") - evaluate(o, two).terms.at("dispersion")) *
        std::pow(far, 6);
    // This population gives 15 % less than the measured value.
    // 1723: from dipole oscillator strengths, Kumar and Meath, Mol. Phys. 75, 311 (1992)
    BOOST_TEST_MESSAGE("C6 of benzene: " << c6 << " hartree bohr^6");
    BOOST_TEST(std::abs(c6 - 1723) < 0.2 * 1723);
}

BOOST_AUTO_TEST_CASE(two_layers_of_graphene_bind_as_those_of_graphite) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    SccDftbOptions o = options_in(reference);
    o.kpoints = {{6, 6, 1}, true, {}};
    const double alone = evaluate(o, graphene(0)).energy;
    const auto binding_ev = [&](double d_angstrom) {
        return (evaluate(o, graphene(d_angstrom)).energy - 2 * alone) / 4 / units::electronvolt;
    };
    // A layer of graphite has two neighbours: it binds with 0.052 +- 0.005 eV per atom (Zacharia et al.,
    // Phys. Rev. B 69, 155406 (2004)), 0.048 by the random-phase approximation (Lebegue et al., Phys. Rev.
    // Lett. 105, 196401 (2010)); PBE with this model gives about 0.08.
    const double graphite = 2 * binding_ev(3.35);
    BOOST_TEST_MESSAGE("at 3.35 angstrom twice " << graphite / 2 << " eV per atom");
    BOOST_TEST(graphite < -0.04);
    BOOST_TEST(graphite > -0.09);
    // The tables of this set repel little at such distances: the minimum lies closer than the measured 3.35.
    double lowest = 0, best = 0;
    for (double d = 2.5; d < 3.55; d += 0.1)
        if (const double e = binding_ev(d); e < lowest) {
            lowest = e;
            best = d;
        }
    BOOST_TEST_MESSAGE("lowest at " << best << " angstrom: " << lowest << " eV per atom");
    BOOST_TEST(best > 2.75);
    BOOST_TEST(best < 3.5);
}

BOOST_AUTO_TEST_SUITE_END()
