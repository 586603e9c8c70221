// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/report.hpp"

#include <fmt/format.h>

#include "report_parts.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::io {
namespace {

void check_lengths(const std::string& what, std::size_t length, std::size_t expected) {
    if (length != 0 && length != expected)
        throw InputError(
            fmt::format("report: {} has {} values where {} are expected", what, length, expected));
}

void check(const ReportData& data) {
    if (data.relaxation)
        check_lengths("relaxation: max_force_ev_per_angstrom",
                      data.relaxation->max_force_ev_per_angstrom.size(), data.relaxation->energy_ev.size());
    for (const ReportDynamics& run : data.dynamics) {
        check_lengths(fmt::format("dynamics '{}': potential_ev", run.name), run.potential_ev.size(),
                      run.time_fs.size());
        check_lengths(fmt::format("dynamics '{}': temperature_k", run.name), run.temperature_k.size(),
                      run.time_fs.size());
        check_lengths(fmt::format("dynamics '{}': conserved_ev", run.name), run.conserved_ev.size(),
                      run.time_fs.size());
    }
}

}  // namespace

ReportStructure report_structure(const Structure& structure, const AnalysisOptions& options) {
    return {structure, BondGraph(structure, options.bonds).bonds(), analyze(structure, options)};
}

void write_report(const std::filesystem::path& folder, const ReportData& data) {
    check(data);
    const Figures figures = report_figures(data);
    for (const auto& [name, figure] : figures)
        write_text_atomically(folder / "figures" / (name + ".svg"), standalone_svg(figure));
    if (data.frame && data.frame->image.pixels.size() > 0) {
        const Pixels& pixels = data.frame->image.pixels;
        write_png8(folder / "figures" / "frame.png", to_bitmap(pixels, contrast_of(pixels)));
    }
    write_text_atomically(folder / "report.json", report_json(data));
    // The page comes last: where it is, the rest is.
    write_text_atomically(folder / "index.html", report_page(data, figures));
}

}  // namespace stembridge::io
