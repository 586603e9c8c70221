// SPDX-License-Identifier: Apache-2.0
// OSZICAR: one line per ionic step behind the lines of its electronic steps.
#include <fmt/format.h>

#include <cmath>

#include "structure/text.hpp"
#include "vasp/numbers.hpp"
#include "vasp/readers.hpp"

namespace stembridge::io {
namespace {

/// The number behind " F=" and the like.
std::optional<double> value_of(std::string_view line, std::string_view key) {
    const std::size_t at = line.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    return leading_number(line.substr(at + key.size()));
}

}  // namespace

void read_oszicar(std::string_view text, VaspRun& run) {
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
        throw_damage(text, zero, "zero bytes, which no run writes (a disk or file system error)");
    LineReader lines(text, run.file.string());
    int electronic = 0;
    int last = 0;
    for (std::size_t begin = 0; const auto line = lines.next(); begin = lines.position()) {
        const std::size_t colon = line->find(':');
        if (colon != std::string_view::npos && colon <= 5) {
            ++electronic;  // "DAV:   1 ...", "RMM:   2 ..."
            continue;
        }
        const auto number = leading_integer(*line);
        const bool has_free = line->find(" F=") != std::string_view::npos;
        if (!number || !has_free) continue;
        if (line->find("E0=") == std::string_view::npos || !lines.ended_with_newline()) break;  // cut off
        if (*number <= last)
            throw_damage(text, begin,
                         fmt::format("step {} follows step {} (several runs or programs in one file?)",
                                     *number, last));
        last = *number;
        VaspStep step;
        step.energy_free_ev = value_of(*line, " F=");
        step.energy_zero_ev = value_of(*line, "E0=");
        step.temperature_k = value_of(*line, " T=");
        step.kinetic_ev = value_of(*line, " EK=");
        if (step.temperature_k) step.conserved_ev = value_of(*line, " E=");
        step.magnetization = value_of(*line, " mag=");
        step.n_electronic = electronic;
        electronic = 0;
        run.steps.push_back(step);
    }
    run.notes.emplace_back("OSZICAR gives no positions, and does not tell whether the run converged");
    if (electronic > 0 || run.steps.empty() || !lines.only_blanks_follow()) {
        run.status = VaspStatus::unfinished;
        run.notes.push_back(
            fmt::format("the file ends inside a step after {} complete ones", run.steps.size()));
    }
}

}  // namespace stembridge::io
