// SPDX-License-Identifier: Apache-2.0
// stembridge adsorb: an atom or group over a sheet; with --enumerate at every inequivalent site, relaxed.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stages/stages.hpp"
#include "stages/studies.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/structure/adsorption.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace {

constexpr const char* usual_height = "2.0 angstrom";

struct Options {
    ConfigOptions config{run_schema()};
    std::string structure, out, height, species, site, broken;
    int at = 0;
    bool enumerate = false;
};

void place_one(const Options& options, Session& session) {
    if (options.site.empty()) throw InputError("--site is not given: hollow, bridge or top (or --enumerate)");
    const std::string without_effect = options.config.given_but({"--break-length", "--seed", "--threads"});
    if (!without_effect.empty())
        throw InputError(without_effect +
                         ": only with --enumerate; one adsorbate is placed by --site, --at and --height, and "
                         "not relaxed");
    AdsorbateOptions adsorbate;
    adsorbate.species = options.species;
    adsorbate.site = options.site;
    if (options.at != 0) adsorbate.at = options.at - 1;
    adsorbate.height =
        parse_quantity(options.height.empty() ? usual_height : options.height, Dimension::length);
    Structure sheet = io::read_structure(options.structure);
    if (!options.broken.empty()) {
        int i = 0, j = 0, end = 0;
        if (std::sscanf(options.broken.c_str(), "%d-%d%n", &i, &j, &end) != 2 ||
            end != static_cast<int>(options.broken.size()))
            throw InputError(
                fmt::format("--break: '{}' is no bond; accepted are two atoms counted from 1, "
                            "e.g. 12-13",
                            options.broken));
        const double length = options.config.config().quantity("adsorb.break_length");
        sheet = with_open_bond(sheet, i - 1, j - 1, length).structure;
    }
    const Structure result = add_adsorbate(sheet, adsorbate);
    io::write_structure(options.out, result);
    session.info(fmt::format("{} with {} at {}: {}", options.structure, adsorbate.species, adsorbate.site,
                             result.formula()));
}

void place_everywhere(const Options& options, Session& session) {
    if (!options.site.empty() || options.at != 0 || !options.height.empty())
        throw InputError(
            "--site, --at and --height place one adsorbate; with --enumerate say --sites, --center, "
            "--radius, --heights");
    const io::Config config = options.config.config();
    set_threads(static_cast<int>(config.integer("run.threads")));
    const Structure sheet = io::read_structure(options.structure);
    auto files = table_files(config, sheet);
    files.push_back(options.structure);
    StageFolder folder(options.out, "adsorb", inputs_hash(config, {"calculator", "relax", "adsorb"}, files));
    session.attach_folder(folder.path());
    folder.claim(session);
    folder.begin();
    const Timer timer;
    folder.attempt([&] {
        try {
            folder.finish({"adsorption.json"}, timer.seconds(),
                          adsorption(config, sheet, folder.path(), session));
        } catch (const StoppedError&) {
            folder.stop(timer.seconds());
            throw;
        }
    });
    session.info("table: " + (folder / "adsorption.csv").string());
}

}  // namespace

void add_adsorb(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "adsorb", "Put an atom or a group over a sheet; --enumerate: at every inequivalent site, relaxed");
    command->add_option("structure", options->structure, "Structure file")->required();
    command->add_option("--out", options->out, "Structure file to write; with --enumerate a folder")
        ->required();
    command
        ->add_option("--species", options->species,
                     "Cr (or any element), CH, CH2, CH3; with --enumerate several with commas")
        ->required();
    command->add_option("--site", options->site, "hollow, bridge or top");
    command->add_option("--at", options->at,
                        "Atom of the site, counted from 1; left out = nearest to the middle");
    command->add_option("--height", options->height, "Of the first adsorbed atom over the site")
        ->default_str(usual_height);
    command->add_flag("--enumerate", options->enumerate,
                      "All inequivalent sites around the largest defect (or --center), each relaxed, with "
                      "binding energies; started again it continues");
    command->add_option("--break", options->broken,
                        "Bonds that are opened first: 12-13; with --enumerate also \"site\"");
    options->config.add_words(*command, "--sites", "adsorb.sites");
    options->config.add(*command, "--center", "adsorb.center_angstrom");
    options->config.add(*command, "--radius", "adsorb.radius");
    options->config.add(*command, "--max-sites", "adsorb.max_sites");
    options->config.add(*command, "--heights", "adsorb.heights");
    options->config.add(*command, "--orientations", "adsorb.orientations_degrees");
    options->config.add(*command, "--side", "adsorb.side");
    options->config.add_flag(*command, "--all", "adsorb.inequivalent", "false",
                             "Equivalent sites too, not only one of each kind");
    options->config.add_flag(*command, "--no-relax", "adsorb.relax", "false",
                             "Only write the starts, without relaxations and energies");
    options->config.add_flag(*command, "--unpolarized", "adsorb.spin", "off",
                             "No spin polarisation at all, which binds open shells too strongly");
    options->config.add(*command, "--break-length", "adsorb.break_length");
    options->config.add(*command, "--max-force", "relax.max_force");
    options->config.add(*command, "--max-steps", "relax.max_steps");
    options->config.add(*command, "--fix", "relax.fix");
    options->config.add(*command, "--seed", "run.seed");
    options->config.add_calculator(*command);
    command->callback([options, &action] {
        if (options->enumerate) {
            options->config.set("adsorb.species", list_of(options->species, ','), "--species");
            if (!options->broken.empty())
                options->config.set("adsorb.break", list_of(options->broken, ','), "--break");
        }
        action = [options](Session& session) {
            if (options->enumerate)
                place_everywhere(*options, session);
            else
                place_one(*options, session);
        };
    });
}

}  // namespace stembridge::app
