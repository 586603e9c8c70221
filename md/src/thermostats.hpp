// SPDX-License-Identifier: Apache-2.0
// Heat baths: each acts on the velocities at its places within a time step and keeps account of the heat.
#pragma once

#include <memory>

#include "coordinates.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/md/dynamics.hpp"

namespace stembridge::md {

/// The atoms as a bath sees them.
struct ThermalMotion {
    Structure& structure;
    const FreeCoordinates& free;
    const Eigen::VectorXd& masses;
    int degrees_of_freedom;
    Random& random;
    double timestep;

    double kinetic() const;
    void scale(double factor);
};

/// One heat bath.
class Thermostat {
  public:
    virtual ~Thermostat() = default;
    /// Before the first half kick. @param kT of the bath at this instant, hartree
    virtual void begin(ThermalMotion&, double) {}
    /// Between two half drifts, which are one drift for a bath that does nothing there.
    virtual void between_drifts(ThermalMotion&, double) {}
    /// After the last half kick. @param step number of the step that ends
    virtual void end(ThermalMotion&, double, std::int64_t) {}
    /// Whether between_drifts() does anything.
    virtual bool cuts_drift() const { return false; }

    /// What makes E_kin + F a conserved quantity when added to it, hartree.
    virtual double energy() const = 0;
    virtual std::unique_ptr<Thermostat> clone() const = 0;
    virtual State save() const = 0;
    virtual void restore(const State& state) = 0;
};

/// The bath of an ensemble; none for "nve". @param reference_kT sets the masses of a Nose-Hoover chain
std::unique_ptr<Thermostat> make_thermostat(const DynamicsOptions& options, int degrees_of_freedom,
                                            double reference_kT);

/// Whether the bath of an ensemble only scales velocities, so that it cannot set atoms at rest in motion.
bool only_scales_velocities(const std::string& ensemble);

}  // namespace stembridge::md
