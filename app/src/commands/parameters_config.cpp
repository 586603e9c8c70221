// SPDX-License-Identifier: Apache-2.0
#include "commands/parameters_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/config.hpp"

namespace stembridge::app {
namespace {

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
            "By element: configuration, shells, relativity (none, zora), wave and density (confinement: a "
            "radius, or a table of radius and exponent, or of radius, height and slope; wave also a list "
            "by l), exponent (of the confinement), slater (table of exponents and powers, instead of "
            "splines), hubbard (highest, shell)"),
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
                   "By pair (C-H): cutoff, spacing of the knots, smoothness (factor at the cut-off), "
                   "smoothness_growth (1/bohr), attractive_beyond"),
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

/// "2.7 bohr": (r / radius)^exponent; or a table with radius and exponent (power), or with radius, height and
/// slope (Woods-Saxon).
dft::Confinement confinement(const io::Value& value, double exponent) {
    if (!value.is_table())
        return dft::Confinement::power(parse_quantity(value.text(), Dimension::length), exponent);
    std::optional<double> radius, height, slope;
    for (const auto& [key, entry] : value.table()) {
        if (key == "radius")
            radius = parse_quantity(entry.text(), Dimension::length);
        else if (key == "exponent")
            exponent = entry.number();
        else if (key == "height")
            height = parse_quantity(entry.text(), Dimension::energy);
        else if (key == "slope")
            slope = entry.number();
        else
            unknown_key(entry, "radius, exponent; or radius, height, slope (1/bohr)");
    }
    if (!radius || height.has_value() != slope.has_value() ||
        (height && value.table().count("exponent") != 0))
        throw InputError(fmt::format(
            "{}: a confinement has a radius and an exponent, or a radius, a height and a slope (1/bohr)",
            value.where()));
    return height ? dft::Confinement::woods_saxon(*height, *slope, *radius)
                  : dft::Confinement::power(*radius, exponent);
}

/// { exponents = [0.5, 1.14], powers = 3 }
dft::SlaterFunctions slater_functions(const io::Value& value) {
    dft::SlaterFunctions functions;
    for (const auto& [key, entry] : value.table()) {
        if (key == "exponents")
            functions.exponents = entry.numbers();
        else if (key == "powers")
            functions.powers = static_cast<int>(entry.integer());
        else
            unknown_key(entry, "exponents, powers");
    }
    if (functions.exponents.empty() || functions.powers < 1 || functions.powers > 10)
        throw InputError(fmt::format("{}: expected exponents (1/bohr) and powers in 1..10", value.where()));
    return functions;
}

dft::ElementOptions element_options(const std::string& symbol, const io::Value& table) {
    dft::ElementOptions e;
    e.atomic_number = atomic_number(symbol);
    double exponent = 2;
    const auto& keys = table.table();
    if (const auto found = keys.find("exponent"); found != keys.end()) exponent = found->second.number();
    std::optional<dft::Confinement> density;
    std::optional<dft::SlaterFunctions> slater;
    for (const auto& [key, value] : keys) {
        if (key == "configuration")
            e.configuration = value.text();
        else if (key == "shells")
            for (const io::Value& shell : value.list()) e.valence.push_back(shell_of(shell.text(), shell));
        else if (key == "relativity" && (value.text() == "none" || value.text() == "zora"))
            e.relativity = value.text() == "zora" ? dft::Relativity::zora : dft::Relativity::none;
        else if (key == "relativity")
            throw InputError(fmt::format("{}: accepted are none, zora", value.where()));
        else if (key == "wave" && value.is_list())
            for (const io::Value& entry : value.list()) e.wave.push_back(confinement(entry, exponent));
        else if (key == "wave")
            e.wave.push_back(confinement(value, exponent));
        else if (key == "density")
            density = confinement(value, exponent);
        else if (key == "slater")
            slater = slater_functions(value);
        else if (key == "hubbard" && (value.text() == "highest" || value.text() == "shell"))
            e.shell_resolved_hubbard = value.text() == "shell";
        else if (key == "hubbard")
            throw InputError(fmt::format("{}: accepted are highest, shell", value.where()));
        else if (key != "exponent")
            unknown_key(value, "configuration, shells, relativity, wave, density, exponent, slater, hubbard");
    }
    if (e.configuration.empty() || e.valence.empty() || e.wave.empty() || !density)
        throw InputError(
            fmt::format("{}: configuration, shells, wave and density are needed", table.where()));
    e.density = *density;
    if (slater) {
        int highest = 0;
        for (const dft::Shell& shell : dft::parse_configuration(e.configuration))
            highest = std::max(highest, shell.l);
        e.slater.assign(static_cast<std::size_t>(highest) + 1, *slater);
    }
    return e;
}

dft::RepulsivePairOptions pair_options(const std::string& name, const io::Value& table) {
    dft::RepulsivePairOptions p;
    std::tie(p.first, p.second) = parse_element_pair(name, table.where());
    for (const auto& [key, value] : table.table()) {
        if (key == "cutoff")
            p.cutoff = parse_quantity(value.text(), Dimension::length);
        else if (key == "spacing")
            p.spacing = parse_quantity(value.text(), Dimension::length);
        else if (key == "smoothness")
            p.smoothness = value.number();
        else if (key == "smoothness_growth")
            p.smoothness_growth = value.number();
        else if (key == "attractive_beyond")
            p.attractive_beyond = parse_quantity(value.text(), Dimension::length);
        else
            unknown_key(value, "cutoff, spacing, smoothness, smoothness_growth, attractive_beyond");
    }
    return p;
}

}  // namespace

dft::ElementPair parse_element_pair(const std::string& name, const std::string& where) {
    const std::size_t dash = name.find('-');
    if (dash == std::string::npos)
        throw InputError(fmt::format("{}: '{}' is no pair; expected as in C-H", where, name));
    return dft::element_pair(atomic_number(name.substr(0, dash)), atomic_number(name.substr(dash + 1)));
}

dft::ParameterOptions read_parameter_options(const std::filesystem::path& file) {
    const io::Config c = io::Config::read(file, parameters_schema());
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

}  // namespace stembridge::app
