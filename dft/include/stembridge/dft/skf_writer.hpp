// SPDX-License-Identifier: Apache-2.0
// Writing of Slater-Koster files (.skf).
#pragma once

#include <filesystem>
#include <string>

#include "stembridge/tb/tables/skf.hpp"

namespace stembridge::dft {

/// The text of a Slater-Koster file: simple format, extended where `table.extended` is set.
/// @param spin_polarization energy of the free atom, hartree; only in files of an element with itself
/// @param documentation lines that follow the numbers inside a <Documentation> block
/// @throw InputError when the simple format cannot hold the table (f shells) or a number is not finite
/// @source Slater-Koster file format description, dftb.org
std::string skf_text(const tb::SkfTable& table, double spin_polarization, const std::string& documentation);

/// Writes skf_text() under a temporary name and renames it. @throw FileError
void write_skf(const std::filesystem::path& path, const tb::SkfTable& table, double spin_polarization,
               const std::string& documentation);

}  // namespace stembridge::dft
