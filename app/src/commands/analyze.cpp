// SPDX-License-Identifier: Apache-2.0
// stembridge analyze: rings, defects, bonds, angles, coordination of a structure or of the last frame of a
// trajectory; what happens over a trajectory; found coordinates against relaxed ones.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stage_folder.hpp"
#include "stages/trajectory_analysis.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/settings/analyze.hpp"
#include "stembridge/structure/analysis.hpp"

namespace stembridge::app {
namespace {

void print(const StructureAnalysis& a) {
    std::string text = "rings       ";
    for (const auto& [size, count] : a.ring_counts) text += fmt::format("  {}: {}", size, count);
    text += "\ndefects     ";
    std::map<std::string, int> kinds;
    for (const Defect& defect : a.defects) ++kinds[defect.kind];
    for (const auto& [kind, count] : kinds) text += fmt::format("  {} x {}", count, kind);
    if (kinds.empty()) text += "  none";
    text += "\ncoordination";
    for (const auto& [element, histogram] : a.coordination)
        for (const auto& [neighbours, count] : histogram)
            text += fmt::format("  {}({}): {}", element, neighbours, count);
    for (const auto& [pair, s] : a.bonds)
        text += fmt::format("\n{:<12}  {} bonds, {:.4f} +- {:.4f} angstrom ({:.4f} to {:.4f})", pair, s.count,
                            s.mean / units::angstrom, s.standard_deviation / units::angstrom,
                            s.min / units::angstrom, s.max / units::angstrom);
    std::fputs((text + "\n").c_str(), stdout);
}

}  // namespace

namespace {

struct Options {
    ConfigOptions config{run_schema()};
    std::string structure, json, out, against;
    int frame = -1;
    bool one_frame = false;
};

bool is_trajectory(const std::filesystem::path& path) {
    return path.extension() == ".extxyz" || path.extension() == ".xyz";
}

void print_course(const TrajectoryAnalysis& course) {
    const nlohmann::json& n = course.numbers;
    std::string text = fmt::format("{} frames", n["frames"].get<int>());
    const auto& healing = n["healing"];
    text += fmt::format("\nhexagons      {} -> {}\nholes         {:.1f} -> {:.1f} angstrom^2",
                        healing["hexagons_first"].get<double>(), healing["hexagons_last"].get<double>(),
                        healing["hole_area_first_angstrom2"].get<double>(),
                        healing["hole_area_last_angstrom2"].get<double>());
    text += fmt::format("\nbonds         {} formed, {} broken", n["bond_events"]["formed"].get<int>(),
                        n["bond_events"]["broken"].get<int>());
    const std::string unit = n.contains("time_fs") ? "_fs" : "_frame";
    for (const auto& defect : n["defects"])
        text += fmt::format("\ndefect {:<6} {:<12} from {:g} to {:g}{}", defect["id"].get<int>(),
                            defect["kind"].get<std::string>(), defect["appeared" + unit].get<double>(),
                            defect["last_seen" + unit].get<double>(),
                            defect["to_end"].get<bool>() ? ", still there" : "");
    if (n.contains("lindemann"))
        text += fmt::format("\nLindemann     {:.4f}", n["lindemann"]["whole"].get<double>());
    for (const auto& note : course.notes) text += "\nnote: " + note;
    std::fputs((text + "\n").c_str(), stdout);
}

void print_comparison(const nlohmann::json& n) {
    std::fputs(
        fmt::format("found against relaxed: {} atoms, mean {:.4f}, rms {:.4f}, largest {:.4f} angstrom; "
                    "mean {:.2f} % of a bond, {:.0f} % of the atoms below 5 %; bond lengths off by "
                    "{:.2f} %\n",
                    n["atoms"].get<int>(), n["mean_angstrom"].get<double>(), n["rms_angstrom"].get<double>(),
                    n["largest_angstrom"].get<double>(), n["mean_percent_of_bond"].get<double>(),
                    100 * n["share_below_5_percent"].get<double>(),
                    n["mean_bond_length_error_percent"].get<double>())
            .c_str(),
        stdout);
}

void analyze_file(const Options& options, Session& session) {
    const io::Config config = options.config.config();
    if (!options.json.empty()) require_place_for(options.json);
    if (!options.out.empty()) make_folder(options.out);
    AnalysisOptions analysis;
    analysis.largest_ring = static_cast<int>(config.integer("analyze.largest_ring"));
    analysis.bonds.factor = config.number("analyze.bond_factor");
    const Structure structure = io::read_structure(options.structure, options.frame);
    const StructureAnalysis result = analyze(structure, analysis);
    nlohmann::json j = nlohmann::json::parse(settings::to_json(result));
    print(result);
    if (!options.against.empty()) {
        const TrajectoryAnalysis comparison =
            compare_coordinates(io::read_structure(options.against), structure);
        j["coordinates"] = comparison.numbers;
        print_comparison(comparison.numbers);
        if (!options.out.empty()) write_analysis(comparison, options.out);
    }
    if (!options.one_frame && options.against.empty() && is_trajectory(options.structure)) {
        const auto frames = io::read_trajectory(options.structure);
        if (frames.size() > 1 || !options.out.empty()) {
            const TrajectoryAnalysis course = analyze_trajectory(config, frames);
            j["over_time"] = course.numbers;
            print_course(course);
            if (!options.out.empty()) {
                write_analysis(course, options.out);
                session.info("tables and curves: " + options.out);
            }
        }
    }
    if (!options.json.empty()) io::write_text_atomically(options.json, j.dump(1) + "\n");
}

}  // namespace

void add_analyze(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "analyze",
        "Rings, defects, bonds, angles, coordination; of a trajectory also what happens over time");
    command->add_option("structure", options->structure, "Structure or trajectory file")->required();
    CLI::Option* frame =
        command
            ->add_option("--frame", options->frame,
                         "One frame of a trajectory, counted from 0; left out = the last, and "
                         "the course of all")
            ->capture_default_str();
    command->add_option("--json", options->json, "Where the result is written");
    command->add_option("--out", options->out, "Folder for tables (CSV) and curves (SVG) of a trajectory");
    command->add_option("--against", options->against,
                        "Found coordinates (a structure file) to compare with, atom by atom");
    options->config.add(*command, "--largest-ring", "analyze.largest_ring");
    options->config.add(*command, "--bond-factor", "analyze.bond_factor");
    options->config.add(*command, "--break-factor", "analyze.break_factor");
    options->config.add(*command, "--frame-spacing", "analyze.frame_spacing");
    options->config.add(*command, "--least-frames", "analyze.least_frames");
    options->config.add_config_file(*command);
    command->callback([options, frame, &action] {
        options->one_frame = frame->count() > 0;
        action = [options](Session& session) { analyze_file(*options, session); };
    });
}

}  // namespace stembridge::app
