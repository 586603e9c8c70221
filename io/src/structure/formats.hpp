// SPDX-License-Identifier: Apache-2.0
// One function per structure format and direction; structure_file.cpp picks by suffix.
#pragma once

#include <string>

#include "stembridge/io/structure_file.hpp"
#include "structure/text.hpp"

namespace stembridge::io {

/// One frame of (extended) XYZ, beginning at the next line.
Frame read_extxyz_frame(LineReader& lines);
/// Passes over one frame. @return false when it is cut off or no frame begins here
bool skip_extxyz_frame(LineReader& lines);
std::string format_extxyz_frame(const Frame& frame);

Structure read_poscar(LineReader& lines);
std::string format_poscar(const Structure& structure);

Structure read_gen(LineReader& lines);
std::string format_gen(const Structure& structure);

}  // namespace stembridge::io
