// SPDX-License-Identifier: Apache-2.0
// stembridge build: the build stage alone, from detections or a structure to one structure file.
#include <CLI/CLI.hpp>

#include <filesystem>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stage_folder.hpp"
#include "stages/stages.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;

void add_build(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string input, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command =
        program.add_subcommand("build", "Detections or a structure to a cell: crop, repair, terminate, box");
    command->add_option("input", options->input, "atoms.csv of find-atoms, or a structure file")->required();
    command
        ->add_option("--out", options->out,
                     "Structure file to write; details go to the folder STEM.build beside it")
        ->required();
    options->config.add(*command, "--crop", "build.crop.by");
    options->config.add(*command, "--center-px", "build.crop.center_px");
    options->config.add(*command, "--center", "build.crop.center_angstrom");
    options->config.add(*command, "--atoms", "build.crop.atoms");
    options->config.add(*command, "--radius", "build.crop.radius");
    options->config.add(*command, "--defect", "build.crop.defect");
    options->config.add(*command, "--defect-kind", "build.crop.defect_kind");
    options->config.add(*command, "--patches", "build.crop.patches");
    options->config.add(*command, "--patch", "build.crop.patch");
    options->config.add(*command, "--cell", "build.cell");
    options->config.add(*command, "--cell-size", "build.supercell.size");
    options->config.add(*command, "--cell-shape", "build.supercell.shape");
    options->config.add(*command, "--repeat", "build.repeat");
    options->config.add(*command, "--surface", "build.surface");
    options->config.add(*command, "--layers", "build.layers");
    options->config.add(*command, "--fix", "build.fix");
    options->config.add(*command, "--max-sigma", "build.max_sigma");
    options->config.add(*command, "--terminate", "build.terminate");
    options->config.add(*command, "--terminate-where", "build.terminate_where");
    options->config.add(*command, "--vacuum", "build.vacuum");
    options->config.add(*command, "--short-bonds", "build.short_bonds");
    options->config.add(*command, "--min-probability", "build.min_probability");
    options->config.add_flag(*command, "--periodic", "build.periodic", "true");
    options->config.add_config_file(*command);
    command->callback([options, &action] {
        action = [options](Session& session) {
            const fs::path out = fs::absolute(options->out);
            const fs::path work = out.parent_path() / (out.stem().string() + ".build");
            io::require_structure_name(out);
            require_place_for(out);
            make_folder(work);
            build(options->config.config(), options->input, work, session);
            io::write_structure(out, io::read_structure(work / "structure.extxyz"));
        };
    });
}

}  // namespace stembridge::app
