// SPDX-License-Identifier: Apache-2.0
#include "checkpoint.hpp"

namespace stembridge::md {

State state_of(const Evaluation& evaluation) {
    State state;
    state.put("energy", evaluation.energy);
    state.put("energy_zero", evaluation.energy_zero);
    for (const auto& [name, value] : evaluation.terms) state.put("terms/" + name, value);
    state.put("forces", evaluation.forces);
    if (evaluation.stress) state.put("stress", *evaluation.stress);
    state.put("charges", evaluation.charges);
    state.put("spin_moments", evaluation.spin_moments);
    if (evaluation.fermi_level) state.put("fermi_level", *evaluation.fermi_level);
    state.put("iterations", std::int64_t{evaluation.iterations});
    state.put("residual", evaluation.residual);
    state.put("converged", std::int64_t{evaluation.converged});
    state.put("energy_bound", evaluation.energy_bound);
    if (evaluation.electronic_temperature)
        state.put("electronic_temperature", *evaluation.electronic_temperature);
    state.put("fallback", evaluation.fallback);
    state.put("solver", evaluation.solver);
    state.put("n_orbitals", std::int64_t{evaluation.n_orbitals});
    return state;
}

Evaluation evaluation_of(const State& state) {
    const auto vector = [&](const std::string& name) -> Eigen::VectorXd {
        const auto& values = state.get<std::vector<double>>(name);
        return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
    };
    Evaluation evaluation;
    evaluation.energy = state.number("energy");
    evaluation.energy_zero = state.number("energy_zero");
    const State terms = state.part("terms");
    for (const auto& entry : terms.values()) evaluation.terms[entry.first] = terms.number(entry.first);
    evaluation.forces = state.matrix("forces", 3);
    if (state.has("stress")) evaluation.stress = Eigen::Matrix3d(state.matrix("stress", 3));
    evaluation.charges = vector("charges");
    evaluation.spin_moments = vector("spin_moments");
    if (state.has("fermi_level")) evaluation.fermi_level = state.number("fermi_level");
    evaluation.iterations = static_cast<int>(state.integer("iterations"));
    evaluation.residual = state.number("residual");
    evaluation.converged = state.integer("converged") != 0;
    evaluation.energy_bound = state.number("energy_bound");
    if (state.has("electronic_temperature"))
        evaluation.electronic_temperature = state.number("electronic_temperature");
    evaluation.fallback = state.get<std::string>("fallback");
    evaluation.solver = state.get<std::string>("solver");
    evaluation.n_orbitals = static_cast<int>(state.integer("n_orbitals"));
    return evaluation;
}

State state_of(const Structure& structure) {
    State state;
    state.put("atomic_numbers",
              std::vector<std::int64_t>(structure.atomic_numbers.begin(), structure.atomic_numbers.end()));
    state.put("positions", structure.positions);
    return state;
}

void restore_positions(const State& state, Structure& structure) {
    const auto& saved = state.get<std::vector<std::int64_t>>("atomic_numbers");
    const std::vector<std::int64_t> present(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    const Eigen::Matrix3Xd positions = state.matrix("positions", 3);
    if (saved != present || positions.cols() != structure.size())
        throw FileError("the checkpoint was written for other atoms than those of this structure");
    structure.positions = positions;
}

}  // namespace stembridge::md
