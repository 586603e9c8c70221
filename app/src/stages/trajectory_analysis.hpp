// SPDX-License-Identifier: Apache-2.0
// What happens in a trajectory over time: numbers, tables and curves.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stembridge/io/config.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/structure_file.hpp"

namespace stembridge::app {

/// The analysis of a trajectory.
struct TrajectoryAnalysis {
    nlohmann::json numbers;                                   ///< for analysis.json and report.json
    std::vector<io::Figure> figures;                          ///< curves over time, the most telling first
    std::vector<std::pair<std::string, std::string>> tables;  ///< file name and content (CSV)
    std::vector<std::string> notes;                           ///< what could not be done, and why
};

/// Rings, defects followed, bond events, healing, bonds and angles ring by ring, displacements, pair
/// distances, Lindemann index, vibrational density of states, charges and magnetisation of a trajectory.
/// @param frames of one trajectory, at least one; times are taken from "time_fs" of each frame, else from
/// analyze.frame_spacing  @param prefix of the ids in the figures, different for each on a page  @throw
/// InputError when the frames have different atoms
TrajectoryAnalysis analyze_trajectory(const io::Config& config, const std::vector<io::Frame>& frames,
                                      const std::string& prefix = "");

/// Writes analysis.json, the tables and the figures (.svg). @throw FileError
void write_analysis(const TrajectoryAnalysis& analysis, const std::filesystem::path& folder);

/// How far found coordinates are from relaxed ones: numbers, and coordinates.csv. @throw InputError when the
/// structures have different atoms
TrajectoryAnalysis compare_coordinates(const Structure& found, const Structure& relaxed);

}  // namespace stembridge::app
