// SPDX-License-Identifier: Apache-2.0
// stembridge adsorb: an atom or group over a sheet.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {

void add_adsorb(CLI::App& program, Action& action) {
    struct Options {
        std::string structure, out, height = "2.0 angstrom";
        int at = 0;
        AdsorbateOptions adsorbate;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("adsorb", "Put an atom or a group over a sheet");
    command->add_option("structure", options->structure, "Structure file")->required();
    command->add_option("--out", options->out, "Structure file to write")->required();
    command->add_option("--species", options->adsorbate.species, "Cr (or any element), CH, CH2, CH3")
        ->required();
    command->add_option("--site", options->adsorbate.site, "hollow, bridge or top")->required();
    command->add_option("--at", options->at,
                        "Atom of the site, counted from 1; left out = nearest to the middle");
    command->add_option("--height", options->height, "Of the first adsorbed atom over the site")
        ->capture_default_str();
    command->callback([options, &action] {
        action = [options](Session& session) {
            AdsorbateOptions adsorbate = options->adsorbate;
            if (options->at != 0) adsorbate.at = options->at - 1;
            adsorbate.height = parse_quantity(options->height, Dimension::length);
            const Structure result = add_adsorbate(io::read_structure(options->structure), adsorbate);
            io::write_structure(options->out, result);
            session.info(fmt::format("{} with {} at {}: {}", options->structure, adsorbate.species,
                                     adsorbate.site, result.formula()));
        };
    });
}

}  // namespace stembridge::app
