// SPDX-License-Identifier: Apache-2.0
// What the report is put together from: figures, page, numbers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stembridge/io/report.hpp"

namespace stembridge::io {

/// A structure at one point of the chain: "built", "relaxed", "300 K".
struct ReportState {
    std::string label;
    const ReportStructure* content = nullptr;
};

/// The structures of a report in the order of the chain, each once.
std::vector<ReportState> report_states(const ReportData& data);

/// Structures with more atoms are drawn without arrows: they would be a thicket.
inline constexpr int most_arrows = 600;

/// Displacement of each atom by the relaxation, (3, n) bohr; empty when the atoms differ.
Eigen::Matrix3Xd relaxation_displacements(const ReportRelaxation& relaxation);

/// Mean and standard deviation.
struct Spread {
    double mean = 0;
    double deviation = 0;
};
Spread spread_of(const std::vector<double>& values);

/// Figures by name.
using Figures = std::map<std::string, Figure>;
Figures report_figures(const ReportData& data);

/// The structure that maps show: relaxed, or else built; nullptr where there is none.
const ReportStructure* mapped_structure(const ReportData& data);

/// Adds map-rings, map-strain, map-height and map-charges, as far as there is something to show.
void add_maps(Figures& figures, const ReportData& data);

/// Instead of each map that would be of one colour, what it would show (HTML).
std::vector<std::string> maps_in_words(const ReportData& data);

/// Name of a figure of one of the dynamics.
std::string dynamics_figure(const std::string& kind, std::size_t index);

/// What happened over the time of one of the dynamics: curves, defects, numbers (HTML); empty when nothing
/// was analysed.
std::string over_time_html(const ReportDynamics& run, std::size_t index, const Figures& figures);

/// index.html.
std::string report_page(const ReportData& data, const Figures& figures);

/// The sections that studies bring with them, early or late ones.
std::string study_sections(const ReportData& data, bool early);
/// The 3-D view with its data and its library; empty where there is no structure or the library is missing.
std::string viewer_section(const ReportData& data);

/// report.json.
std::string report_json(const ReportData& data);

/// Style and script of the page.
std::string page_css();
std::string_view page_script();

}  // namespace stembridge::io
