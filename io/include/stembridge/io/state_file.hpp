// SPDX-License-Identifier: Apache-2.0
// Checkpoints: a State in an HDF5 file, bit by bit, with a digest that finds damage.
#pragma once

#include <filesystem>
#include <functional>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"

namespace stembridge::io {

/// Writes a state atomically (temporary name, flush, rename). Entries are datasets under their names; the
/// root has the attributes format, version and sha256. Floats that lose nothing are stored with 16 bits.
/// @throw FileError; a previous file is then unchanged
void write_state(const std::filesystem::path& path, const State& state);

/// Reads a state to the same bits. @throw FileError when missing, damaged or of another format
State read_state(const std::filesystem::path& path);

/// write_state(), keeping the one before: checkpoint.h5 becomes checkpoint.prev.h5. @throw FileError; the
/// previous ones are then unchanged
void write_checkpoint(const std::filesystem::path& path, const State& state);

/// The newest usable checkpoint: `path`, or the one before when it is missing, damaged or refused (a warning
/// says so). @param check throws FileError for one that does not fit the files beside it
/// @throw FileError when neither can be used
State read_checkpoint(const std::filesystem::path& path, const Context& context,
                      const std::function<void(const State&)>& check = {});

/// Whether there is a checkpoint or the one before it.
bool has_checkpoint(const std::filesystem::path& path);

}  // namespace stembridge::io
