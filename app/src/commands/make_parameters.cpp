// SPDX-License-Identifier: Apache-2.0
// stembridge make-parameters: a Slater-Koster set from its configuration and reference structures.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>

#include "commands/commands.hpp"
#include "commands/parameters_report.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/dft/make_parameters.hpp"
#include "stembridge/io/config.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// The smallest electronic temperature of a fit, for references that have none.
constexpr double least_temperature = 300 * units::kelvin;

io::Schema parameters_schema() {
    using io::Key;
    const dft::ParameterOptions o;
    return {
        Key::text("set.name", "", "Name, written into every file"),
        Key::text("set.functional", o.functional, "lda, pbe, or libxc names joined by '+'"),
        Key::choice("set.superposition", {"density", "potential"}, "density",
                    "What stands for the potential of two atoms"),
        Key::texts("set.notes", "", "Lines for the documentation of every file"),
        Key::files("set.references", {}, "", "Reference structures (extended XYZ); none = no repulsive part"),
        Key::table(
            "elements",
            "By element: configuration, shells, relativity (none, zora), wave and density (confinement "
            "radii), exponent (of the confinement), hubbard (highest, shell)"),
        Key::quantity("tables.spacing", Dimension::length, fmt::format("{} bohr", o.tables.spacing),
                      "Distance of rows"),
        Key::quantity("tables.first_distance", Dimension::length,
                      fmt::format("{} bohr", o.tables.first_distance), "Rows before it are zero"),
        Key::quantity("tables.longest", Dimension::length, fmt::format("{} bohr", o.tables.longest),
                      "The tables end here at the latest"),
        Key::number("tables.end_tolerance", fmt::format("{}", o.tables.end_tolerance),
                    "They end after a bohr with all integrals below this"),
        Key::number("tables.integral_tolerance", fmt::format("{}", o.integrals.tolerance),
                    "Largest change of an integral by a finer grid"),
        Key::number("repulsive.energy_weight", fmt::format("{}", o.repulsive.energy_weight),
                    "Per hartree of a structure")
            .at_least(0),
        Key::number("repulsive.force_weight", fmt::format("{}", o.repulsive.force_weight),
                    "Per hartree/bohr of a force component")
            .at_least(0),
        Key::number("repulsive.stress_weight", fmt::format("{}", o.repulsive.stress_weight),
                    "Per hartree of a component of the virial (volume times stress)")
            .at_least(0),
        Key::number("repulsive.strained_force", fmt::format("{}", o.repulsive.strained_force),
                    "Structures with larger forces count less, hartree/bohr")
            .positive(),
        Key::number("repulsive.smoothness", fmt::format("{}", o.repulsive.smoothness),
                    "Weight of second differences of the curvature")
            .at_least(0),
        Key::table("repulsive.weights", "Factors by group or name of reference structures; 0 = test only"),
        Key::table("repulsive.pairs",
                   "By pair (C-H): cutoff, spacing of the knots, smoothness (factor), attractive_beyond"),
    };
}

[[noreturn]] void unknown_key(const io::Value& value, const std::string& accepted) {
    throw InputError(fmt::format("{}: unknown key; accepted are {}", value.where(), accepted));
}

std::pair<int, int> shell_of(const std::string& name, const io::Value& value) {
    const std::size_t l = name.size() == 2 ? std::string("spdf").find(name[1]) : std::string::npos;
    if (l == std::string::npos || name[0] < '1' || name[0] > '7')
        throw InputError(fmt::format("{}: '{}' is no shell; expected as in \"3d\"", value.where(), name));
    return {name[0] - '0', static_cast<int>(l)};
}

dft::ElementOptions element_options(const std::string& symbol, const io::Value& table) {
    dft::ElementOptions e;
    e.atomic_number = atomic_number(symbol);
    std::vector<double> wave;
    double density = 0, exponent = 2;
    for (const auto& [key, value] : table.table()) {
        if (key == "configuration")
            e.configuration = value.text();
        else if (key == "shells")
            for (const io::Value& shell : value.list()) e.valence.push_back(shell_of(shell.text(), shell));
        else if (key == "relativity" && (value.text() == "none" || value.text() == "zora"))
            e.relativity = value.text() == "zora" ? dft::Relativity::zora : dft::Relativity::none;
        else if (key == "relativity")
            throw InputError(fmt::format("{}: accepted are none, zora", value.where()));
        else if (key == "wave" && value.is_list())
            for (const io::Value& radius : value.list())
                wave.push_back(parse_quantity(radius.text(), Dimension::length));
        else if (key == "wave")
            wave.push_back(parse_quantity(value.text(), Dimension::length));
        else if (key == "density")
            density = parse_quantity(value.text(), Dimension::length);
        else if (key == "exponent")
            exponent = value.number();
        else if (key == "hubbard" && (value.text() == "highest" || value.text() == "shell"))
            e.shell_resolved_hubbard = value.text() == "shell";
        else if (key == "hubbard")
            throw InputError(fmt::format("{}: accepted are highest, shell", value.where()));
        else
            unknown_key(value, "configuration, shells, relativity, wave, density, exponent, hubbard");
    }
    if (e.configuration.empty() || e.valence.empty() || wave.empty() || density == 0)
        throw InputError(
            fmt::format("{}: configuration, shells, wave and density are needed", table.where()));
    for (const double radius : wave) e.wave.push_back(dft::Confinement::power(radius, exponent));
    e.density = dft::Confinement::power(density, exponent);
    return e;
}

/// "C-H". @throw InputError
dft::ElementPair pair_of(const std::string& name, const std::string& where) {
    const std::size_t dash = name.find('-');
    if (dash == std::string::npos)
        throw InputError(fmt::format("{}: '{}' is no pair; expected as in C-H", where, name));
    return dft::element_pair(atomic_number(name.substr(0, dash)), atomic_number(name.substr(dash + 1)));
}

dft::RepulsivePairOptions pair_options(const std::string& name, const io::Value& table) {
    dft::RepulsivePairOptions p;
    std::tie(p.first, p.second) = pair_of(name, table.where());
    for (const auto& [key, value] : table.table()) {
        if (key == "cutoff")
            p.cutoff = parse_quantity(value.text(), Dimension::length);
        else if (key == "spacing")
            p.spacing = parse_quantity(value.text(), Dimension::length);
        else if (key == "smoothness")
            p.smoothness = value.number();
        else if (key == "attractive_beyond")
            p.attractive_beyond = parse_quantity(value.text(), Dimension::length);
        else
            unknown_key(value, "cutoff, spacing, smoothness, attractive_beyond");
    }
    return p;
}

dft::ParameterOptions parameter_options(const io::Config& c) {
    dft::ParameterOptions o;
    o.name = c.text("set.name");
    o.functional = c.text("set.functional");
    o.integrals.superposition = c.text("set.superposition") == "density" ? dft::Superposition::density
                                                                         : dft::Superposition::potential;
    if (c.has("set.notes")) o.notes = c.texts("set.notes");
    if (c.has("set.references")) o.references = c.files("set.references");
    for (const auto& [symbol, table] : c.table("elements").table())
        o.elements.push_back(element_options(symbol, table));
    std::sort(o.elements.begin(), o.elements.end(),
              [](const auto& a, const auto& b) { return a.atomic_number < b.atomic_number; });
    o.tables.spacing = c.quantity("tables.spacing");
    o.tables.first_distance = c.quantity("tables.first_distance");
    o.tables.longest = c.quantity("tables.longest");
    o.tables.end_tolerance = c.number("tables.end_tolerance");
    o.integrals.tolerance = c.number("tables.integral_tolerance");
    o.repulsive.energy_weight = c.number("repulsive.energy_weight");
    o.repulsive.force_weight = c.number("repulsive.force_weight");
    o.repulsive.stress_weight = c.number("repulsive.stress_weight");
    o.repulsive.strained_force = c.number("repulsive.strained_force");
    o.repulsive.smoothness = c.number("repulsive.smoothness");
    if (c.has("repulsive.weights"))
        for (const auto& [name, value] : c.table("repulsive.weights").table())
            o.repulsive.weights[name] = value.number();
    if (c.has("repulsive.pairs"))
        for (const auto& [name, table] : c.table("repulsive.pairs").table())
            o.repulsive.pairs.push_back(pair_options(name, table));
    return o;
}

std::unique_ptr<Calculator> electronic_calculator(const fs::path& folder,
                                                  const dft::ElectronicSettings& settings) {
    tb::SccDftbOptions o;
    o.parameters = {folder};
    o.electronic_temperature = std::max(settings.electronic_temperature, least_temperature);
    o.scc.shell_resolved = true;
    o.scc.tolerance = 1e-7;
    o.scc.max_iterations = 500;
    o.spin.polarized = settings.spin_polarized;
    o.spin.unpaired = settings.unpaired;
    o.kpoints.divisions = settings.kpoints;
    return tb::make_scc_dftb(o);
}

struct Options {
    std::string config, out;
    std::vector<std::string> only;
    int threads = 0;
};

void run(const Options& options, Session& session) {
    const io::Config config = io::Config::read(options.config, parameters_schema());
    set_threads(options.threads);
    dft::ParameterOptions parameters = parameter_options(config);
    for (const std::string& name : options.only) parameters.only.push_back(pair_of(name, "--only"));
    const Timer timer;
    const fs::path out = options.out;
    const dft::ParameterSet set =
        dft::make_parameters(parameters, out, electronic_calculator, session.context());
    if (set.fit) {
        write_parameters_report(out, parameters.name, set);
        for (const auto& [key, constant] : set.fit->constants)
            session.info(fmt::format("constant of {} in {}: {:.6f} hartree", element_symbol(key.second),
                                     key.first, constant));
    }
    for (const auto& [first, second] : set.without_repulsive)
        session.warning(
            fmt::format("{}-{}: no repulsive energy (no reference data); the pair is refused at short "
                        "distances",
                        element_symbol(first), element_symbol(second)));
    session.info(fmt::format("{} files in {} ({:.0f} s)", set.files.size(), out.string(), timer.seconds()));
}

}  // namespace

void add_make_parameters(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "make-parameters", "Slater-Koster tables from atoms, integrals and a repulsive fit; resumes");
    command->add_option("config", options->config, "Settings of the set (TOML)")->required();
    command->add_option("--out", options->out, "Folder for the tables")->required();
    command->add_option("--only", options->only, "Pairs to make, electronic part only, e.g. C-H");
    command->add_option("--threads", options->threads, "Threads; 0 = all processors")
        ->check(CLI::Range(0, 1024));
    command->callback(
        [options, &action] { action = [options](Session& session) { run(*options, session); }; });
}

}  // namespace stembridge::app
