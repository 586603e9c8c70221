// SPDX-License-Identifier: Apache-2.0
// stembridge analyze: rings, defects, bonds, angles, coordination of a structure or of the last frame of a
// trajectory.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/analysis.hpp"

namespace stembridge::app {
namespace {

nlohmann::json to_json(const StructureAnalysis& a) {
    nlohmann::json j = {{"ring_counts", nlohmann::json::object()},
                        {"defects", nlohmann::json::array()},
                        {"bonds", nlohmann::json::object()},
                        {"angles", nlohmann::json::object()},
                        {"coordination", nlohmann::json::object()},
                        {"bonds_by_ring_size", nlohmann::json::object()},
                        {"fragments", a.n_fragments},
                        {"adsorbed", nlohmann::json::array()}};
    for (const auto& [size, count] : a.ring_counts) j["ring_counts"][std::to_string(size)] = count;
    for (const Defect& defect : a.defects) {
        std::vector<int> atoms = defect.atoms;
        for (int& atom : atoms) ++atom;  // counted from 1, as on the command line
        j["defects"].push_back({{"kind", defect.kind},
                                {"atoms", atoms},
                                {"center_angstrom",
                                 {defect.centre.x() / units::angstrom, defect.centre.y() / units::angstrom,
                                  defect.centre.z() / units::angstrom}}});
    }
    const auto lengths = [](const Statistics& s) -> nlohmann::json {
        return {{"count", s.count},
                {"mean_angstrom", s.mean / units::angstrom},
                {"std_angstrom", s.standard_deviation / units::angstrom},
                {"min", s.min / units::angstrom},
                {"max", s.max / units::angstrom}};
    };
    for (const auto& [pair, statistics] : a.bonds) j["bonds"][pair] = lengths(statistics);
    for (const auto& [size, pairs] : a.bonds_by_ring_size)
        for (const auto& [pair, statistics] : pairs)
            j["bonds_by_ring_size"][std::to_string(size)][pair] = lengths(statistics);
    for (const auto& [center, s] : a.angles) {
        const double degree = 180 / M_PI;
        j["angles"][center] = {{"count", s.count},
                               {"mean_degree", s.mean * degree},
                               {"std_degree", s.standard_deviation * degree},
                               {"min", s.min * degree},
                               {"max", s.max * degree}};
    }
    for (const auto& [element, histogram] : a.coordination)
        for (const auto& [neighbours, count] : histogram)
            j["coordination"][element][std::to_string(neighbours)] = count;
    for (const int atom : a.adsorbed) j["adsorbed"].push_back(atom + 1);
    return j;
}

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

void add_analyze(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string structure, json;
        int frame = -1;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("analyze", "Rings, defects, bonds, angles, coordination");
    command->add_option("structure", options->structure, "Structure or trajectory file")->required();
    command->add_option("--frame", options->frame, "Frame of a trajectory, counted from 0; -1 = the last")
        ->capture_default_str();
    command->add_option("--json", options->json, "Where the result is written");
    options->config.add(*command, "--largest-ring", "analyze.largest_ring");
    options->config.add(*command, "--bond-factor", "analyze.bond_factor");
    command->callback([options, &action] {
        action = [options](Session&) {
            const io::Config config = options->config.config();
            AnalysisOptions analysis;
            analysis.largest_ring = static_cast<int>(config.integer("analyze.largest_ring"));
            analysis.bonds.factor = config.number("analyze.bond_factor");
            const StructureAnalysis result =
                analyze(io::read_structure(options->structure, options->frame), analysis);
            if (!options->json.empty())
                io::write_text_atomically(options->json, to_json(result).dump(1) + "\n");
            print(result);
        };
    });
}

}  // namespace stembridge::app
