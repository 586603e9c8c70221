// SPDX-License-Identifier: Apache-2.0
// Which number of unpaired electrons is the lowest in energy.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "stages/studies.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// Energy at zero electronic temperature, hartree; infinite when there is none.
double energy_of(const StudyRelaxation& run) {
    const auto found = run.results.find("energy_zero_hartree");
    return run.relaxed && found != run.results.end() && found->is_number()
               ? found->get<double>()
               : std::numeric_limits<double>::infinity();
}

}  // namespace

std::vector<std::optional<int>> possible_spin_states(const Structure& structure, double charge) {
    long electrons = -std::lround(charge);  // closed cores hold even numbers
    for (const int z : structure.atomic_numbers) electrons += z;
    std::vector<std::optional<int>> states;
    for (int unpaired = static_cast<int>(std::abs(electrons % 2)); unpaired <= 6; unpaired += 2)
        states.emplace_back(unpaired);
    return states;
}

SpinState lowest_spin_state(const io::Config& config, const Structure& start, const fs::path& folder,
                            const std::vector<std::optional<int>>& states, Session& session) {
    std::optional<SpinState> best;
    nlohmann::json tried = nlohmann::json::array();
    std::string problems;
    std::vector<double> kelvin;
    for (const std::optional<int>& unpaired : states) {
        io::Config own = config;
        if (unpaired) own.set("calculator.spin.unpaired", std::to_string(*unpaired), "spin state");
        SpinState state;
        state.unpaired = unpaired;
        state.folder = unpaired ? folder / fmt::format("unpaired-{}", *unpaired) : folder;
        state.run = relax_in_study(own, start, state.folder, session);
        const double energy = energy_of(state.run);
        tried.push_back({{"unpaired", unpaired ? nlohmann::json(*unpaired) : nlohmann::json(nullptr)},
                         {"status", state.run.status},
                         {"energy_zero_hartree",
                          std::isfinite(energy) ? nlohmann::json(energy) : nlohmann::json(nullptr)},
                         {"electronic_temperature_k", electronic_temperature_k(state.run)}});
        if (std::isfinite(energy)) kelvin.push_back(electronic_temperature_k(state.run));
        if (!state.run.relaxed)
            problems += fmt::format(
                "\n  {}: {}", unpaired ? fmt::format("{} unpaired electrons", *unpaired) : "free moment",
                state.run.error);
        if (!best || energy < energy_of(best->run)) best = std::move(state);
    }
    tell_of_temperatures(kelvin, fmt::format("spin states in {}", folder.filename().string()), session);
    best->tried = std::move(tried);
    if (!best->run.relaxed && states.size() > 1)
        best->run.error = "no spin state could be relaxed:" + problems;
    return *best;
}

}  // namespace stembridge::app
