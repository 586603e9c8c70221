// SPDX-License-Identifier: Apache-2.0
// Units: Hartree atomic units inside, everything else only at the edge.
#pragma once

#include <string>
#include <string_view>

namespace stembridge {

/// Conversion factors, named "how many atomic units is one ...". @source CODATA 2018
namespace units {
inline constexpr double angstrom = 1.0 / 0.529177210903;        ///< bohr
inline constexpr double electronvolt = 1.0 / 27.211386245988;   ///< hartree
inline constexpr double femtosecond = 1.0 / 0.024188843265857;  ///< atomic time units
inline constexpr double second = 1e15 * femtosecond;            ///< atomic time units
inline constexpr double dalton = 1822.888486209;                ///< electron masses
inline constexpr double kelvin = 3.1668115634556e-6;            ///< hartree (as kT)
inline constexpr double electronvolt_per_angstrom = electronvolt / angstrom;
inline constexpr double gigapascal = 1.0 / 29421.02648438959;    ///< hartree/bohr^3
inline constexpr double inverse_centimetre = 4.556335252912e-6;  ///< hartree
}  // namespace units

/// What a quantity measures; decides which unit strings are accepted.
enum class Dimension {
    length,
    energy,
    force,
    time,
    temperature,
    mass,
    pressure,
    wavenumber,
    electric_field,
    number
};

/// Value in atomic units of a string such as "1e-3 eV/angstrom".
/// Temperatures become kT in hartree, wavenumbers become energies in hartree. Dimension::number takes a bare
/// number.
/// @throw InputError when the number or the unit is missing, unknown, or of another dimension; the message
/// lists the accepted units
double parse_quantity(std::string_view text, Dimension dimension);

/// The units accepted for a dimension, for messages and documentation, e.g. "bohr, angstrom, pm, nm".
std::string accepted_units(Dimension dimension);

}  // namespace stembridge
