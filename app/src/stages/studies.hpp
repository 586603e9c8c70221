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

/// Warns when energies that are compared belong to different electronic temperatures, because the
/// self-consistency of one of them needed a higher one.
/// @param kelvin of each energy  @param what the comparison, e.g. "barrier"  @return the warning, or nothing
std::optional<std::string> tell_of_temperatures(const std::vector<double>& kelvin, const std::string& what,
                                                Session& session);

/// Electronic temperature of a relaxation, K; 0 when its calculator has none.
double electronic_temperature_k(const StudyRelaxation& run);

/// The lowest of several spin states of a structure.
struct SpinState {
    StudyRelaxation run;          ///< of the first one when none could be relaxed
    std::optional<int> unpaired;  ///< electrons; nothing: the moment was free
    std::filesystem::path folder;
    nlohmann::json tried =
        nlohmann::json::array();  ///< [{unpaired, status, energy_zero_hartree, electronic_temperature_k}]
};

/// Numbers of unpaired electrons that a structure can have, up to six.
std::vector<std::optional<int>> possible_spin_states(const Structure& structure, double charge);

/// Relaxes a structure in each of some spin states, nothing = as [calculator] says (with a free moment,
/// unless it names spin.unpaired), and takes the lowest. A free moment alone is not enough: self-consistency
/// ends in one of several solutions, and which one that is depends on where the relaxation starts. Folders:
/// `folder` for nothing, folder/unpaired-N for the others. @param states at least one
/// @throw StoppedError after a checkpoint
SpinState lowest_spin_state(const io::Config& config, const Structure& start,
                            const std::filesystem::path& folder,
                            const std::vector<std::optional<int>>& states, Session& session);

/// Relaxations from one structure that differ in what is held fixed ([selective] variants), each in
/// folder/NAME. Writes selective.json. @throw the last error when none of them succeeds
nlohmann::json selective(const io::Config& config, const Structure& start,
                         const std::filesystem::path& folder, Session& session);

/// Adsorbates at the inequivalent sites of a region of a sheet ([adsorb]), relaxed one after the other, with
/// their binding energies. Writes folder/sheet, folder/alone/SPECIES, folder/sites/..., adsorption.json and
/// adsorption.csv. @throw InputError when [adsorb] does not fit the sheet
nlohmann::json adsorption(const io::Config& config, const Structure& sheet,
                          const std::filesystem::path& folder, Session& session);

/// The two states of a path ([neb]), as they are before they are relaxed.
struct BarrierEnds {
    Structure from, to;
    std::string title;                                  ///< "Cr: hollow 6 to hollow 6"
    std::optional<bool> spin_polarized = std::nullopt;  ///< left out = as [calculator] says
    std::optional<int> unpaired = std::nullopt;         ///< held along the path; left out = the same
};

/// The relaxed sheet and what neb.end names, or becomes of it by neb.rotate; or an adsorbate over two sites
/// of the sheet (neb.adsorbate), with the number of unpaired electrons that is lowest at the first of them.
/// @param folder for the relaxations that tell this number  @throw InputError when [neb] does not fit the
/// sheet
BarrierEnds barrier_ends(const io::Config& config, const Structure& sheet,
                         const std::filesystem::path& folder, Session& session);

/// What adsorb.spin says of these adsorbates: polarised where one has an open shell, unless it says
/// otherwise.
bool study_is_spin_polarized(const io::Config& config, const std::vector<std::string>& species);

/// Where the sites of a study lie: adsorb.center_angstrom, else the largest defect that is no hole; nothing
/// where there is none. @return x and y, bohr
std::optional<Eigen::Vector2d> middle_of_study(const io::Config& config, const Structure& sheet,
                                               Session& session);

/// What the report shows of a study, from the files of its folder; nothing when there are none.
/// @param clean_share of the frame, where atoms were looked for
std::optional<io::ReportSection> region_section(const std::filesystem::path& run,
                                                const std::optional<io::ReportFrame>& frame,
                                                double clean_share);
std::optional<io::ReportSection> selective_section(const std::filesystem::path& run, bool y_down);
std::optional<io::ReportSection> adsorption_section(const std::filesystem::path& run, bool y_down);
/// Of the paths in folders of the run: of its stage neb, and of `stembridge neb --out RUN/NAME`.
std::optional<io::ReportSection> barrier_section(const std::filesystem::path& run, bool y_down);

}  // namespace stembridge::app
