// SPDX-License-Identifier: Apache-2.0
// The figures of a report.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report_parts.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/tracking.hpp"

namespace stembridge::io {
namespace {

std::vector<double> relative_to(const std::vector<double>& values, double origin, double factor = 1) {
    std::vector<double> result;
    result.reserve(values.size());
    for (const double value : values) result.push_back((value - origin) * factor);
    return result;
}

std::vector<double> counting(std::size_t n) {
    std::vector<double> numbers(n);
    for (std::size_t k = 0; k < n; ++k) numbers[k] = static_cast<double>(k);
    return numbers;
}

// Mean over `half` values before and after each one.
std::vector<double> running_mean(const std::vector<double>& values, std::size_t half) {
    std::vector<double> sums(values.size() + 1, 0.0);
    for (std::size_t k = 0; k < values.size(); ++k) sums[k + 1] = sums[k] + values[k];
    std::vector<double> means;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const std::size_t begin = k < half ? 0 : k - half;
        const std::size_t end = std::min(values.size(), k + half + 1);
        means.push_back((sums[end] - sums[begin]) / static_cast<double>(end - begin));
    }
    return means;
}

StructureView view_of(const ReportData& data, const std::string& name, const std::string& caption,
                      const ReportStructure& content) {
    StructureView view;
    view.name = name;
    view.caption = caption;
    view.structure = content.structure;
    view.bonds = content.bonds;
    view.rings = content.analysis.rings;
    view.y_down = data.y_down;
    return view;
}

// The longest arrow becomes about 1.2 angstrom long, by a round factor.
double arrow_scale(const Eigen::Matrix3Xd& displacements) {
    const double longest = displacements.cols() == 0
                               ? 0
                               : displacements.topRows(2).colwise().norm().maxCoeff() / units::angstrom;
    return longest > 0 ? std::clamp(nice_length(1.2 / longest), 1.0, 50.0) : 1;
}

void add_relaxation(Figures& figures, const ReportData& data, const std::array<double, 4>& window) {
    const ReportRelaxation& relaxation = *data.relaxation;
    StructureView before =
        view_of(data, "before-relaxation", "Structure before the relaxation, rings filled by size",
                relaxation.before);
    if (before.structure.size() <= most_arrows) {
        before.displacements = relaxation_displacements(relaxation);
        before.displacement_scale = arrow_scale(before.displacements);
    }
    before.window_angstrom = window;
    StructureView after = view_of(data, "after-relaxation",
                                  "Structure after the relaxation, rings filled by size", relaxation.after);
    after.window_angstrom = window;
    figures[before.name] = draw(before);
    figures[after.name] = draw(after);
    if (relaxation.energy_ev.empty()) return;

    CurvePlot plot;
    plot.name = "relaxation";
    plot.caption = "Energy and largest force against the step of the relaxation";
    plot.x.label = "step";
    plot.x.counts = true;
    plot.panel_height = 150;
    const std::vector<double> steps = counting(relaxation.energy_ev.size());
    plot.panels.push_back(
        {{"energy above the last one / eV"},
         {{"energy", steps, relative_to(relaxation.energy_ev, relaxation.energy_ev.back()), 0}},
         {}});
    plot.panels.push_back({{"largest force / eV/Å", Scale::logarithmic},
                           {{"largest force", steps, relaxation.max_force_ev_per_angstrom, 0}},
                           {{"tolerance", relaxation.tolerance_ev_per_angstrom}}});
    figures[plot.name] = draw(plot);
}

void add_dynamics(Figures& figures, const ReportData& data, std::size_t index,
                  const std::array<double, 4>& window) {
    const ReportDynamics& run = data.dynamics[index];
    if (!run.time_fs.empty()) {
        CurvePlot plot;
        plot.name = dynamics_figure("thermo", index);
        plot.caption = fmt::format("{}: energy, temperature and conserved quantity against time", run.name);
        plot.panel_height = 110;
        const bool long_run = run.time_fs.back() >= 5000;
        plot.x.label = long_run ? "time / ps" : "time / fs";
        const std::vector<double> time = relative_to(run.time_fs, 0, long_run ? 1e-3 : 1);
        if (!run.temperature_k.empty()) {
            Panel panel{{"temperature / K"}, {{"each step", time, run.temperature_k, 1, true}}, {}};
            panel.curves.push_back(
                {"running mean", time, running_mean(run.temperature_k, time.size() / 40), 1});
            if (run.target_k) panel.levels.push_back({"target", *run.target_k});
            plot.panels.push_back(panel);
        }
        if (!run.potential_ev.empty())
            plot.panels.push_back(
                {{"potential energy from the start / eV"},
                 {{"potential energy", time, relative_to(run.potential_ev, run.potential_ev.front()), 0}},
                 {}});
        if (!run.conserved_ev.empty()) {
            const bool per_atom = run.n_atoms > 0;
            const std::vector<double> deviation = relative_to(run.conserved_ev, run.conserved_ev.front(),
                                                              1000.0 / (per_atom ? run.n_atoms : 1));
            plot.panels.push_back({{per_atom ? "conserved quantity from the start / meV per atom"
                                             : "conserved quantity from the start / meV"},
                                   {{"conserved quantity", time, deviation, 2}},
                                   {}});
        }
        figures[plot.name] = draw(plot);
    }
    for (Figure shown : run.over_time) {
        shown.name = dynamics_figure(shown.name, index);
        figures[shown.name] = shown;
    }
    if (run.last) {
        StructureView view =
            view_of(data, dynamics_figure("structure", index),
                    fmt::format("{}: last structure and where the atoms were", run.name), *run.last);
        view.snapshots = run.snapshots;
        view.window_angstrom = window;
        figures[view.name] = draw(view);
    }
}

void add_bond_lengths(Figures& figures, const ReportData& data) {
    Histogram plot;
    plot.name = "bond-lengths";
    plot.caption = "Lengths of the C-C bonds along the chain";
    plot.x.label = "C–C bond length / Å";
    plot.counted = "bonds";
    const auto add = [&](const std::string& label, const ReportStructure& content, int color) {
        const auto found = content.analysis.bond_lengths.find("C-C");
        if (found == content.analysis.bond_lengths.end()) return;
        plot.samples.push_back({label, relative_to(found->second, 0, 1 / units::angstrom), color});
    };
    if (data.relaxation) {
        add("before relaxation", data.relaxation->before, 5);
        add("relaxed", data.relaxation->after, 0);
    } else if (data.build) {
        add("built", data.build->built, 0);
    }
    for (std::size_t k = 0; k < data.dynamics.size(); ++k)
        if (!data.dynamics[k].cc_lengths_angstrom.empty())
            plot.samples.push_back({data.dynamics[k].name, data.dynamics[k].cc_lengths_angstrom,
                                    k == 0 ? 1 : 2 + static_cast<int>(k % 3)});
    if (!plot.samples.empty()) figures[plot.name] = draw(plot);
}

void add_frame(Figures& figures, const ReportFrame& frame) {
    MicrographView view;
    view.name = "frame";
    view.caption = "The frame with the atoms found in it";
    view.image = frame.image;
    view.atoms = frame.atoms;
    view.pixel_size_angstrom = frame.pixel_size_angstrom;
    view.outline_px = frame.outline_px;
    figures[view.name] = draw(view);
}

std::array<double, 4> squared(std::array<double, 4> window) {
    const double half = 0.5 * std::max(window[1] - window[0], window[3] - window[2]);
    const double x = 0.5 * (window[0] + window[1]);
    const double y = 0.5 * (window[2] + window[3]);
    return {x - half, x + half, y - half, y + half};
}

// Frame, atoms, structure, dynamics: the same piece four times, as far as the chain came.
void add_overview(Figures& figures, const ReportData& data, const std::array<double, 4>& window) {
    const std::vector<ReportState> states = report_states(data);
    if (!data.frame || data.frame->image.pixels.size() == 0) return;
    const ReportFrame& frame = *data.frame;
    constexpr double width = 200;  // a phone shows two beside each other, with legible scale bars

    Eigen::Vector2d center(0.5 * frame.image.width(), 0.5 * frame.image.height());
    double half = std::min(150.0, 0.5 * std::min(frame.image.width(), frame.image.height()));
    if (!frame.outline_px.empty()) {
        Eigen::Array2d low = frame.outline_px.front();
        Eigen::Array2d high = low;
        for (const Eigen::Vector2d& corner : frame.outline_px) {
            low = low.min(corner.array());
            high = high.max(corner.array());
        }
        center = 0.5 * (low + high);
        half = 0.54 * (high - low).maxCoeff();
        // The structures are shown at the same magnification.
        if (frame.pixel_size_angstrom > 0 && !states.empty())
            half = std::max(half, 0.5 * (window[1] - window[0]) / frame.pixel_size_angstrom);
    }
    MicrographView detail;
    detail.image = frame.image;
    detail.pixel_size_angstrom = frame.pixel_size_angstrom;
    detail.legend = false;
    detail.width = width;
    detail.window_px = {
        static_cast<int>(std::lround(center[0] - half)), static_cast<int>(std::lround(center[0] + half)),
        static_cast<int>(std::lround(center[1] - half)), static_cast<int>(std::lround(center[1] + half))};
    std::vector<std::string> titles;
    std::vector<Figure> panels;
    const auto add = [&](const Figure& figure, const std::string& title) {
        figures[figure.name] = figure;
        panels.push_back(figure);
        titles.push_back(title);
    };
    detail.name = "overview-1";
    detail.caption = "Part of the frame";
    add(draw(detail), "Frame");
    detail.name = "overview-2";
    detail.caption = "The same part with the atoms found";
    detail.atoms = frame.atoms;
    detail.pixel_size_angstrom = 0;
    if (!detail.atoms.empty()) {
        detail.pixel_size_angstrom = frame.pixel_size_angstrom;
        add(draw(detail), "Atoms found");
    }
    const auto add_structure = [&](const ReportState& state, const std::vector<Eigen::Matrix3Xd>& snapshots) {
        StructureView view =
            view_of(data, fmt::format("overview-{}", panels.size() + 1), state.label, *state.content);
        view.snapshots = snapshots;
        view.window_angstrom = window;
        view.side = false;
        view.legend = false;
        view.width = width;
        std::string title = state.label;
        title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
        add(draw(view), title);
    };
    if (data.relaxation)
        add_structure({"relaxed", &data.relaxation->after}, {});
    else if (data.build)
        add_structure({"built", &data.build->built}, {});
    for (const ReportDynamics& run : data.dynamics)
        if (run.last) {
            add_structure({fmt::format("dynamics, {}", run.name), &*run.last}, run.snapshots);
            break;
        }
    figures["overview"] = side_by_side("overview", "From the frame to the dynamics", panels, titles, width);
}

void add_timings(Figures& figures, const ReportData& data) {
    BarChart chart;
    chart.name = "timings";
    chart.caption = "Wall time of each stage";
    chart.axis = "wall time / s";
    for (const ReportStage& stage : data.stages)
        if (stage.status != ReportStage::Status::not_run)
            chart.bars.push_back(
                {stage.name, stage.wall_seconds, fmt::format("{:.3g} s", stage.wall_seconds)});
    if (!chart.bars.empty() && !data.published_timings.empty()) chart.scale = Scale::logarithmic;
    for (const ReportTiming& timing : data.published_timings)
        if (!chart.bars.empty()) chart.bars.push_back({timing.name, timing.seconds, timing.text, true});
    if (!chart.bars.empty()) figures[chart.name] = draw(chart);
}

}  // namespace

std::string dynamics_figure(const std::string& kind, std::size_t index) {
    return fmt::format("dynamics-{}-{}", index + 1, kind);
}

std::vector<ReportState> report_states(const ReportData& data) {
    std::vector<ReportState> states;
    if (data.relaxation) {
        states.push_back({"before", &data.relaxation->before});
        states.push_back({"relaxed", &data.relaxation->after});
    } else if (data.build) {
        states.push_back({"built", &data.build->built});
    }
    for (const ReportDynamics& run : data.dynamics)
        if (run.last) states.push_back({fmt::format("after {}", run.name), &*run.last});
    return states;
}

Eigen::Matrix3Xd relaxation_displacements(const ReportRelaxation& relaxation) {
    const Structure& before = relaxation.before.structure;
    const Structure& after = relaxation.after.structure;
    if (before.atomic_numbers != after.atomic_numbers) return {};
    // Atoms may have been brought back into the cell: the shortest image counts.
    return unwrapped(after, before).positions - before.positions;
}

Spread spread_of(const std::vector<double>& values) {
    if (values.empty()) return {};
    const Eigen::Map<const Eigen::ArrayXd> v(values.data(), static_cast<Eigen::Index>(values.size()));
    return {v.mean(), std::sqrt((v - v.mean()).square().mean())};
}

Figures report_figures(const ReportData& data) {
    Figures figures;
    std::vector<const Structure*> structures;
    for (const ReportState& state : report_states(data)) structures.push_back(&state.content->structure);
    const std::array<double, 4> window = common_window(structures);
    if (data.frame && data.frame->image.pixels.size() > 0) add_frame(figures, *data.frame);
    if (data.relaxation) {
        add_relaxation(figures, data, window);
    } else if (data.build) {
        StructureView view =
            view_of(data, "built", "The structure as built, rings filled by size", data.build->built);
        view.window_angstrom = window;
        figures[view.name] = draw(view);
    }
    for (std::size_t k = 0; k < data.dynamics.size(); ++k) add_dynamics(figures, data, k, window);
    add_maps(figures, data);
    add_bond_lengths(figures, data);
    add_overview(figures, data, squared(window));
    add_timings(figures, data);
    for (const ReportSection& section : data.sections)
        for (const ReportBlock& block : section.blocks)
            if (block.figure) figures[block.figure->name] = *block.figure;
    return figures;
}

}  // namespace stembridge::io
