// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/units.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/text.hpp"

namespace stembridge {
namespace {

using UnitTable = std::vector<std::pair<std::string_view, double>>;

const UnitTable& unit_table(Dimension dimension) {
    using namespace units;
    static const UnitTable length = {
        {"bohr", 1}, {"angstrom", angstrom}, {"pm", 0.01 * angstrom}, {"nm", 10 * angstrom}};
    static const UnitTable energy = {{"hartree", 1},
                                     {"eV", electronvolt},
                                     {"meV", 1e-3 * electronvolt},
                                     {"kcal/mol", 1 / 627.5094740631},
                                     {"kJ/mol", 1 / 2625.4996394799}};
    static const UnitTable force = {{"hartree/bohr", 1},
                                    {"eV/angstrom", electronvolt_per_angstrom},
                                    {"meV/angstrom", 1e-3 * electronvolt_per_angstrom}};
    static const UnitTable time = {
        {"fs", femtosecond}, {"ps", 1e3 * femtosecond},   {"ns", 1e6 * femtosecond},
        {"s", second},       {"min", 6e16 * femtosecond}, {"h", 3.6e18 * femtosecond},
        {"a.u.", 1}};
    static const UnitTable temperature = {{"K", kelvin}, {"hartree", 1}, {"eV", electronvolt}};
    static const UnitTable mass = {{"u", dalton}, {"me", 1}};
    static const UnitTable pressure = {
        {"GPa", gigapascal}, {"kbar", 0.1 * gigapascal}, {"hartree/bohr^3", 1}};
    static const UnitTable wavenumber = {{"cm^-1", inverse_centimetre}, {"1/cm", inverse_centimetre}};
    static const UnitTable electric_field = {{"hartree/(bohr e)", 1},
                                             {"V/angstrom", electronvolt_per_angstrom}};
    static const UnitTable number = {{"", 1}};
    switch (dimension) {
        case Dimension::length:
            return length;
        case Dimension::energy:
            return energy;
        case Dimension::force:
            return force;
        case Dimension::time:
            return time;
        case Dimension::temperature:
            return temperature;
        case Dimension::mass:
            return mass;
        case Dimension::pressure:
            return pressure;
        case Dimension::wavenumber:
            return wavenumber;
        case Dimension::electric_field:
            return electric_field;
        case Dimension::number:
            return number;
    }
    throw std::logic_error("unit_table: unknown dimension");
}

/// The unit with Å (either letter of Unicode) spelt out.
std::string spelt_out(std::string_view unit) {
    std::string text(unit);
    for (const std::string_view letter : {"\u00c5", "\u212b"})
        for (auto at = text.find(letter); at != std::string::npos; at = text.find(letter, at))
            text.replace(at, letter.size(), "angstrom");
    return text;
}

}  // namespace

double parse_quantity(std::string_view text, Dimension dimension) {
    const std::string_view quantity = trimmed(text);
    double value = 0;
    const auto [end, status] = std::from_chars(quantity.data(), quantity.data() + quantity.size(), value);
    if (status != std::errc{} || !std::isfinite(value))
        throw InputError(fmt::format("'{}' does not begin with a number; expected a number and a unit ({})",
                                     text, accepted_units(dimension)));
    const std::string unit =
        spelt_out(trimmed({end, static_cast<std::size_t>(quantity.data() + quantity.size() - end)}));
    for (const auto& [name, factor] : unit_table(dimension))
        if (name == unit) return value * factor;
    if (unit.empty())
        throw InputError(
            fmt::format("'{}' has no unit; accepted units: {}", text, accepted_units(dimension)));
    throw InputError(fmt::format("'{}' has the unit '{}', which is not accepted here; accepted units: {}",
                                 text, unit, accepted_units(dimension)));
}

std::string accepted_units(Dimension dimension) {
    if (dimension == Dimension::number) return "none: a bare number";
    std::string list;
    for (const auto& [name, factor] : unit_table(dimension)) {
        if (!list.empty()) list += ", ";
        list += name;
    }
    return list;
}

}  // namespace stembridge
