// SPDX-License-Identifier: Apache-2.0
// One reader per file of VASP, and what they share.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "stembridge/io/vasp_run.hpp"

namespace stembridge::io {

/// Content that no single healthy run of VASP can have written; becomes VaspStatus::malformed.
class Damage : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Damage at a line. @param position byte in the text
[[noreturn]] void throw_damage(std::string_view text, std::size_t position, const std::string& what);

/// Each fills steps, settings, species, version, notes and the status. @throw Damage
void read_vasprun(std::string_view text, VaspRun& run);
void read_outcar(std::string_view text, VaspRun& run);
void read_oszicar(std::string_view text, VaspRun& run);
void read_xdatcar(std::string_view text, VaspRun& run);
/// @throw FileError
void read_poscar_file(std::string_view text, VaspRun& run);

/// "5.4.4" of "5.4.4.18Apr17-6-g9f103f2a35".
std::string plain_version(std::string_view text);

/// Temperature of a step from its kinetic energy, by the degrees of freedom VASP counts.
std::optional<double> temperature(const VaspRun& run, double kinetic_ev);

/// Decides between complete and not_converged for a run that ended by itself, and notes what is odd.
/// @param ions_converged what the file says about it, if anything
void judge_ended_run(VaspRun& run, std::optional<bool> ions_converged);

}  // namespace stembridge::io
