// SPDX-License-Identifier: Apache-2.0
// Studies of one structure: many relaxations that are compared. Each of them is a stage folder of its own, so
// that what was interrupted continues and what is done is not done again; one that fails is named and the
// others go on.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "session.hpp"
#include "stembridge/io/config.hpp"
#include "stembridge/io/report.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::app {

/// How one relaxation of a study ended.
struct StudyRelaxation {
    std::string status;      ///< "done", "failed" or "not converged"
    std::string error;       ///< when it failed
    nlohmann::json results;  ///< of relax(); what there is when it failed
    std::optional<Structure> relaxed;
};

/// Relaxes a structure in a folder unless that is done already. @throw StoppedError after a checkpoint
StudyRelaxation relax_in_study(const io::Config& config, const Structure& start,
                               const std::filesystem::path& folder, Session& session);

/// Relaxations from one structure that differ in what is held fixed ([selective] variants), each in
/// folder/NAME. Writes selective.json. @throw the last error when none of them succeeds
nlohmann::json selective(const io::Config& config, const Structure& start,
                         const std::filesystem::path& folder, Session& session);

/// Adsorbates at the inequivalent sites of a region of a sheet ([adsorb]), relaxed one after the other, with
/// their binding energies. Writes folder/sheet, folder/alone/SPECIES, folder/sites/..., adsorption.json and
/// adsorption.csv. @throw InputError when [adsorb] does not fit the sheet
nlohmann::json adsorption(const io::Config& config, const Structure& sheet,
                          const std::filesystem::path& folder, Session& session);

/// What the report shows of a study, from the files of its folder; nothing when there are none.
std::optional<io::ReportSection> region_section(const std::filesystem::path& run,
                                                const std::optional<io::ReportFrame>& frame);
std::optional<io::ReportSection> selective_section(const std::filesystem::path& run, bool y_down);
std::optional<io::ReportSection> adsorption_section(const std::filesystem::path& run, bool y_down);
/// Of the paths that `stembridge neb --out RUN/NAME` left in folders of the run.
std::optional<io::ReportSection> barrier_section(const std::filesystem::path& run);

}  // namespace stembridge::app
