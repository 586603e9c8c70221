// SPDX-License-Identifier: Apache-2.0
#include "nose_hoover_chain.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "stembridge/base/errors.hpp"

namespace stembridge::md {
namespace {

std::vector<double> suzuki_yoshida(int order) {
    if (order == 1) return {1};
    if (order == 3) {
        const double w = 1 / (2 - std::cbrt(2.0));
        return {w, 1 - 2 * w, w};
    }
    if (order == 5) {
        const double w = 1 / (4 - std::cbrt(4.0));
        return {w, w, 1 - 4 * w, w, w};
    }
    throw InputError("the Suzuki-Yoshida order of the Nose-Hoover chain must be 1, 3 or 5");
}

}  // namespace

NoseHooverChain::NoseHooverChain(double reference_kT, int degrees_of_freedom, double period, int length,
                                 int substeps, int order)
    : n_f_(degrees_of_freedom),
      substeps_(substeps),
      weights_(suzuki_yoshida(order)),
      v_(Eigen::VectorXd::Zero(length)) {
    // Q_1 = N_f kT / omega^2, Q_j = kT / omega^2
    const double omega = 2 * std::numbers::pi / period;
    mass_ = Eigen::VectorXd::Constant(length, reference_kT / (omega * omega));
    mass_(0) *= n_f_;
}

double NoseHooverChain::half_step(double kinetic, double kT, double timestep) {
    const Eigen::Index last = v_.size() - 1;
    double scale = 1;
    // Force on thermostat j: G_1 = (2 E_kin - N_f kT) / Q_1, G_j = (Q_{j-1} v_{j-1}^2 - kT) / Q_j
    const auto force = [&](Eigen::Index j) {
        if (j == 0) return (2 * kinetic * scale * scale - n_f_ * kT) / mass_(0);
        return (mass_(j - 1) * v_(j - 1) * v_(j - 1) - kT) / mass_(j);
    };
    // v_j: half of its damping by thermostat j + 1, the push of G_j, the other half.
    const auto kick = [&](Eigen::Index j, double dt) {
        const double damping = j < last ? std::exp(-dt / 8 * v_(j + 1)) : 1;
        v_(j) = (v_(j) * damping + dt / 4 * force(j)) * damping;
    };
    // A large system far from the target drives the chain fast (G_2 grows as N_f): it then takes shorter
    // steps.
    constexpr double steps_per_time = 4, most_substeps = 1000;
    double fastest = 0;
    for (Eigen::Index j = 0; j <= last; ++j)
        fastest = std::max({fastest, std::abs(v_(j)), std::sqrt(std::abs(force(j)))});
    const double reach = fastest * timestep;
    const int substeps =
        reach < 1 ? substeps_
                  : std::max(substeps_, static_cast<int>(std::min(steps_per_time * reach, most_substeps)));
    for (int n = 0; n < substeps; ++n) {
        for (const double weight : weights_) {
            const double dt = weight * timestep / substeps;
            for (Eigen::Index j = last; j >= 0; --j) kick(j, dt);
            scale *= std::exp(-dt / 2 * v_(0));
            taken_ += dt / 2 * kT * (v_.sum() + (n_f_ - 1) * v_(0));
            for (Eigen::Index j = 0; j <= last; ++j) kick(j, dt);
        }
    }
    return scale;
}

double NoseHooverChain::energy() const {
    return 0.5 * (mass_.array() * v_.array().square()).sum() + taken_;
}

State NoseHooverChain::save() const {
    State state;
    state.put("taken", taken_);
    state.put("v", v_);
    return state;
}

void NoseHooverChain::restore(const State& state) {
    const Eigen::MatrixXd v = state.matrix("v", 1);
    if (v.cols() != v_.size())
        throw FileError("the checkpoint was written with another length of the Nose-Hoover chain");
    taken_ = state.number("taken");
    v_ = v.transpose();
}

}  // namespace stembridge::md
