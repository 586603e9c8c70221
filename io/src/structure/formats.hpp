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

/// A POSCAR with its flags as they stand there.
struct PoscarContent {
    Structure structure;                               ///< without fixed coordinates
    Eigen::Array<bool, 3, Eigen::Dynamic> free_along;  ///< (3, n) free along each lattice vector, or empty
    std::int64_t first_atom_line = 0;                  ///< where the positions begin
};
PoscarContent read_poscar_content(LineReader& lines);
/// The same with the flags as fixed Cartesian axes. @throw FileError where they are none
Structure read_poscar(LineReader& lines);
/// Which Cartesian axes the flags of an atom along lattice vectors fix: the free vectors must span the free
/// axes and nothing else. @return false when they do not
bool cartesian_flags(const Eigen::Matrix3d& vectors, const Eigen::Array<bool, 3, 1>& free_along,
                     Eigen::Ref<Eigen::Array<bool, 3, 1>> fixed);
std::string format_poscar(const Structure& structure);

Structure read_gen(LineReader& lines);
std::string format_gen(const Structure& structure);

}  // namespace stembridge::io
