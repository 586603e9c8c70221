// SPDX-License-Identifier: Apache-2.0
// stembridge serve: energies and forces for a program that speaks i-PI.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stembridge/io/ipi.hpp"
#include "stembridge/io/structure_file.hpp"

namespace stembridge::app {
namespace {

struct Options {
    Options() : config(run_schema()) {}
    ConfigOptions config;
    std::string structure, address, wait = "0 s";
};

void run(const Options& options, Session& session) {
    const io::SocketAddress address = io::SocketAddress::parse(options.address);
    const double seconds_to_wait = parse_quantity(options.wait, Dimension::time) / units::second;
    const io::Config config = options.config.config();
    set_threads(static_cast<int>(config.integer("run.threads")));
    const Structure structure = io::read_structure(options.structure);
    structure.validate();
    const auto calculator = make_calculator(config, structure);
    session.info(fmt::format("{}: {} atoms ({}), {}", options.structure, structure.size(),
                             structure.formula(), calculator->description()));
    const int evaluations = io::serve(*calculator, structure, address, session.context(), seconds_to_wait);
    session.info(fmt::format("{} evaluations", evaluations));
}

}  // namespace

void add_serve(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "serve", "Energies and forces for a program that moves atoms (i-PI, ASE, ...)");
    command->add_option("structure", options->structure, "Structure file: the elements and what repeats")
        ->required();
    command
        ->add_option("--address", options->address,
                     "Of the i-PI server: unix:NAME (socket /tmp/ipi_NAME) or HOST:PORT")
        ->required();
    command->add_option("--wait", options->wait, "Longest time to wait for the server [0 s]");
    options->config.add_calculator(*command);
    command->callback(
        [options, &action] { action = [options](Session& session) { run(*options, session); }; });
}

}  // namespace stembridge::app
