// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/thermochemistry.hpp"

#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/md/vibrations.hpp"

namespace stembridge::md {
namespace {

void require(bool sensible, const char* message) {
    if (!sensible) throw InputError(message);
}

}  // namespace

HarmonicThermochemistry harmonic_thermochemistry(const Eigen::VectorXd& frequencies, double kT) {
    require(std::isfinite(kT) && kT >= 0, "the temperature of a thermochemistry must not be negative");
    HarmonicThermochemistry result;
    result.temperature = kT;
    for (const double omega : frequencies) {
        if (!(omega > 0)) {
            ++result.left_out;
            continue;
        }
        result.zero_point_energy += omega / 2;
        if (kT == 0) continue;
        // n = 1 / (e^x - 1); c = x^2 e^x n^2 = x^2 n (n + 1)
        const double x = omega / kT, n = 1 / std::expm1(x);
        if (n == 0) continue;  // frozen: x^2 n and x n are 0 as well
        result.internal_energy += omega * n;
        result.heat_capacity += x * n * x * (n + 1);
        result.entropy += x * n - std::log(-std::expm1(-x));
    }
    result.internal_energy += result.zero_point_energy;
    result.free_energy = result.internal_energy - kT * result.entropy;
    return result;
}

IdealGasThermochemistry ideal_gas_thermochemistry(const Structure& molecule,
                                                  const Eigen::VectorXd& frequencies,
                                                  const IdealGasOptions& options) {
    const double kT = options.temperature;
    require(!molecule.cell.is_periodic(), "a periodic structure is no molecule of an ideal gas");
    require(std::isfinite(kT) && kT > 0, "the temperature of an ideal gas must be positive");
    require(std::isfinite(options.pressure) && options.pressure > 0,
            "the pressure of an ideal gas must be positive");
    require(options.symmetry_number >= 1, "the symmetry number of a molecule is at least 1");
    require(options.multiplicity >= 1, "the multiplicity of a molecule is at least 1");
    const Inertia body = inertia(molecule, options.masses);
    const double mass = options.masses.size() == 0 ? molecule.masses().sum() : options.masses.sum();

    IdealGasThermochemistry result;
    result.vibrations = harmonic_thermochemistry(frequencies, kT);
    result.enthalpy = result.vibrations.internal_energy + (1.5 + body.rotations / 2.0 + 1) * kT;
    result.translational_entropy =
        std::log(std::pow(mass * kT / (2 * M_PI), 1.5) * kT / options.pressure) + 2.5;
    if (body.rotations == 2)
        result.rotational_entropy = std::log(2 * body.moments(2) * kT / options.symmetry_number) + 1;
    if (body.rotations == 3)
        result.rotational_entropy = 0.5 * (std::log(M_PI) + (2 * kT * body.moments).array().log().sum()) -
                                    std::log(options.symmetry_number) + 1.5;
    result.electronic_entropy = std::log(options.multiplicity);
    result.entropy = result.vibrations.entropy + result.translational_entropy + result.rotational_entropy +
                     result.electronic_entropy;
    result.gibbs_energy = result.enthalpy - kT * result.entropy;
    return result;
}

}  // namespace stembridge::md
