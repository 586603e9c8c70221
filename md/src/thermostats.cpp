// SPDX-License-Identifier: Apache-2.0
#include "thermostats.hpp"

#include <cmath>

#include "nose_hoover_chain.hpp"
#include "stembridge/md/observables.hpp"

namespace stembridge::md {
namespace {

class ChainThermostat final : public Thermostat {
  public:
    explicit ChainThermostat(NoseHooverChain chain) : chain_(std::move(chain)) {}
    void begin(ThermalMotion& atoms, double kT) override { half_step(atoms, kT); }
    void end(ThermalMotion& atoms, double kT, std::int64_t) override { half_step(atoms, kT); }
    double energy() const override { return chain_.energy(); }
    std::unique_ptr<Thermostat> clone() const override { return std::make_unique<ChainThermostat>(*this); }
    State save() const override { return chain_.save(); }
    void restore(const State& state) override { chain_.restore(state); }

  private:
    void half_step(ThermalMotion& atoms, double kT) {
        atoms.scale(chain_.half_step(atoms.kinetic(), kT, atoms.timestep));
    }
    NoseHooverChain chain_;
};

/// A bath that is known by the heat it has given to the atoms.
class CountingThermostat : public Thermostat {
  public:
    double energy() const override { return -heat_; }
    State save() const override {
        State state;
        state.put("heat", heat_);
        return state;
    }
    void restore(const State& state) override { heat_ = state.number("heat"); }

  protected:
    /// Changes the velocities by `change` and counts the heat.
    template <class Change>
    void count(const ThermalMotion& atoms, const Change& change) {
        const double before = atoms.kinetic();
        change();
        heat_ += atoms.kinetic() - before;
    }

  private:
    double heat_ = 0;
};

class LangevinThermostat final : public CountingThermostat {
  public:
    explicit LangevinThermostat(double friction) : friction_(friction) {}
    bool cuts_drift() const override { return true; }
    /// v <- c v + sqrt((1 - c^2) kT / m) R, c = exp(-friction dt)
    void between_drifts(ThermalMotion& atoms, double kT) override {
        const double c = std::exp(-friction_ * atoms.timestep);
        const double noise = std::sqrt((1 - c * c) * kT);
        count(atoms, [&] {
            for (const auto& [axis, atom] : atoms.free) {
                double& v = atoms.structure.velocities(axis, atom);
                v = c * v + noise / std::sqrt(atoms.masses(atom)) * atoms.random.normal();
            }
        });
    }
    std::unique_ptr<Thermostat> clone() const override { return std::make_unique<LangevinThermostat>(*this); }

  private:
    double friction_;
};

class BerendsenThermostat final : public CountingThermostat {
  public:
    explicit BerendsenThermostat(double time) : time_(time) {}
    /// v <- v sqrt(1 + dt / tau (K_0 / K - 1)), K_0 = N_f kT / 2
    void end(ThermalMotion& atoms, double kT, std::int64_t) override {
        const double kinetic = atoms.kinetic(), wanted = atoms.degrees_of_freedom * kT / 2;
        if (kinetic == 0) return;
        count(atoms, [&] { atoms.scale(std::sqrt(1 + atoms.timestep / time_ * (wanted / kinetic - 1))); });
    }
    std::unique_ptr<Thermostat> clone() const override {
        return std::make_unique<BerendsenThermostat>(*this);
    }

  private:
    double time_;
};

class RescalingThermostat final : public CountingThermostat {
  public:
    explicit RescalingThermostat(int every) : every_(every) {}
    /// v <- v sqrt(K_0 / K)
    void end(ThermalMotion& atoms, double kT, std::int64_t step) override {
        const double kinetic = atoms.kinetic();
        if (step % every_ != 0 || kinetic == 0) return;
        count(atoms, [&] { atoms.scale(std::sqrt(atoms.degrees_of_freedom * kT / 2 / kinetic)); });
    }
    std::unique_ptr<Thermostat> clone() const override {
        return std::make_unique<RescalingThermostat>(*this);
    }

  private:
    int every_;
};

class StochasticRescalingThermostat final : public CountingThermostat {
  public:
    explicit StochasticRescalingThermostat(double time) : time_(time) {}
    /// alpha^2 = c + (1 - c) k (R_1^2 + ... + R_Nf^2) + 2 R_1 sqrt(c (1 - c) k), k = K_0 / (N_f K),
    /// c = exp(-dt / tau); alpha has the sign of R_1 + sqrt(c / ((1 - c) k))
    void end(ThermalMotion& atoms, double kT, std::int64_t) override {
        const double kinetic = atoms.kinetic();
        if (kinetic == 0) return;
        const double c = std::exp(-atoms.timestep / time_), k = kT / 2 / kinetic;
        const double first = atoms.random.normal();
        double squares = first * first;
        for (int i = 1; i < atoms.degrees_of_freedom; ++i) squares += std::pow(atoms.random.normal(), 2);
        const double cross = std::sqrt(c * (1 - c) * k);
        const double square = c + (1 - c) * k * squares + 2 * first * cross;
        const bool turned = first * (1 - c) * k + cross < 0;
        count(atoms, [&] { atoms.scale((turned ? -1 : 1) * std::sqrt(std::max(0.0, square))); });
    }
    std::unique_ptr<Thermostat> clone() const override {
        return std::make_unique<StochasticRescalingThermostat>(*this);
    }

  private:
    double time_;
};

}  // namespace

double ThermalMotion::kinetic() const {
    return kinetic_energy(structure);
}

void ThermalMotion::scale(double factor) {
    for (const auto& [axis, atom] : free) structure.velocities(axis, atom) *= factor;
}

std::unique_ptr<Thermostat> make_thermostat(const DynamicsOptions& o, int degrees_of_freedom,
                                            double reference_kT) {
    if (o.ensemble == "nvt")
        return std::make_unique<ChainThermostat>(NoseHooverChain(reference_kT, degrees_of_freedom,
                                                                 o.thermostat_period, o.chain_length,
                                                                 o.chain_substeps, o.suzuki_yoshida_order));
    if (o.ensemble == "langevin") return std::make_unique<LangevinThermostat>(o.friction);
    if (o.ensemble == "berendsen") return std::make_unique<BerendsenThermostat>(o.thermostat_time);
    if (o.ensemble == "rescale") return std::make_unique<RescalingThermostat>(o.rescale_every);
    if (o.ensemble == "bussi") return std::make_unique<StochasticRescalingThermostat>(o.thermostat_time);
    return nullptr;
}

bool only_scales_velocities(const std::string& ensemble) {
    return ensemble != "nve" && ensemble != "langevin";
}

}  // namespace stembridge::md
