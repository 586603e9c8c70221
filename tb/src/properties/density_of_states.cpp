// SPDX-License-Identifier: Apache-2.0
// Broadened levels, in total and by element and shell.
#include <algorithm>
#include <cmath>
#include <map>

#include "hamiltonian/bloch_sum.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/properties.hpp"

namespace stembridge::tb {
namespace {

/// Places of the parts of the density of states, and which one each orbital belongs to.
std::vector<std::size_t> part_of_orbitals(const Basis& basis, std::vector<DensityOfStates::Part>& parts) {
    std::map<std::pair<int, int>, std::size_t> place;
    for (int atom = 0; atom < basis.n_atoms(); ++atom)
        for (int l = 0; l < basis.n_shells(atom); ++l) place[{basis.element_index(atom), l}] = 0;
    for (auto& [key, index] : place) {
        index = parts.size();
        parts.push_back({.element = key.first, .l = key.second, .values = {}});
    }
    std::vector<std::size_t> result;
    for (int mu = 0; mu < basis.n_orbitals(); ++mu) {
        const int shell = basis.shell_of_orbital(mu), atom = basis.atom_of_shell(shell);
        result.push_back(place.at({basis.element_index(atom), shell - basis.first_shell(atom)}));
    }
    return result;
}

}  // namespace

DensityOfStates density_of_states(const ElectronicState& state, const Spectrum& spectrum,
                                  const Eigen::VectorXd& energies, double width) {
    if (!(width > 0)) throw InputError("the width of the density of states must be above 0");
    const Basis& basis = state.basis;
    DensityOfStates result;
    result.energies = energies;
    result.total = Eigen::MatrixXd::Zero(energies.size(), state.n_spins());
    const std::vector<std::size_t> part_of = part_of_orbitals(basis, result.parts);
    for (auto& part : result.parts) part.values = result.total;

    const double height = state.capacity() / (width * std::sqrt(2 * M_PI));
    for (int k = 0; k < state.kpoints.size(); ++k) {
        const Eigen::MatrixXcd s =
            bloch_sum(state.overlap, state.kpoints.points.col(k)).selfadjointView<Eigen::Lower>();
        for (int spin = 0; spin < state.n_spins(); ++spin) {
            const States& here = spectrum.states[static_cast<std::size_t>(spin)][static_cast<std::size_t>(k)];
            // Share of orbital mu in a level: Re c_mu^* (S c)_mu.
            const Eigen::MatrixXd share =
                here.coefficients.conjugate().cwiseProduct(s * here.coefficients).real();
            for (Eigen::Index level = 0; level < here.energies.size(); ++level) {
                Eigen::VectorXd shares =
                    Eigen::VectorXd::Zero(static_cast<Eigen::Index>(result.parts.size()));
                for (int mu = 0; mu < basis.n_orbitals(); ++mu)
                    shares(static_cast<Eigen::Index>(part_of[static_cast<std::size_t>(mu)])) +=
                        share(mu, level);
                const Eigen::ArrayXd x = (energies.array() - here.energies(level)) / width;
                const Eigen::VectorXd peak =
                    state.kpoints.weights(k) * height * (-0.5 * x.square()).exp().matrix();
                result.total.col(spin) += peak;
                for (std::size_t p = 0; p < result.parts.size(); ++p)
                    result.parts[p].values.col(spin) += shares(static_cast<Eigen::Index>(p)) * peak;
            }
        }
    }
    return result;
}

}  // namespace stembridge::tb
