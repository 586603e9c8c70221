// SPDX-License-Identifier: Apache-2.0
// Structures and trajectories from and to files.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"

namespace stembridge::io {

/// A structure with what was computed for it. Atomic units in memory; in a file "energy" and names beginning
/// with "energy_" are eV, "forces" eV/angstrom; every other number is written as it is.
struct Frame {
    Structure structure;
    std::map<std::string, double> info;  ///< scalars, e.g. "energy", "step", "time_fs"
    std::map<std::string, Eigen::MatrixXd>
        arrays;  ///< (components, n_atoms), e.g. "forces", "charges" (1, n)
};

/// One structure; the format follows the suffix or the name: .extxyz/.xyz, .vasp/.poscar/POSCAR*/CONTCAR*,
/// .gen.
///
/// POSCAR flags act along lattice vectors and are taken over where these are Cartesian axes; a velocity block
/// of zeros counts as no velocities.
/// @param frame counted from 0; -1 = the last
/// @throw FileError (file:line) when the file is missing, truncated or malformed  @throw InputError when
/// there is no such frame or the suffix is unknown
Structure read_structure(const std::filesystem::path& path, int frame = -1);

/// Writes one structure atomically; the format follows the name as in read_structure(). Numbers have as many
/// digits as are needed to read the same bits back. .xyz is written as extended XYZ, which XYZ readers
/// understand. POSCAR keeps the order of the atoms (one block per run of equal elements) and is always
/// periodic; gen holds no velocities and no fixed atoms. @throw FileError  @throw InputError when the format
/// cannot hold the structure
void write_structure(const std::filesystem::path& path, const Structure& structure);

/// What write_structure() would write, e.g. to know whether a file holds it. @throw InputError as there
std::string structure_text(const std::filesystem::path& path, const Structure& structure);

/// What write_structure() would refuse, told before there is anything to write. @throw InputError when the
/// name tells no format
void require_structure_name(const std::filesystem::path& path);
/// @throw InputError when the format of that name cannot hold the structure either
void require_writable(const std::filesystem::path& path, const Structure& structure);

/// All frames of an .extxyz/.xyz file. A last frame that is cut off is an error. @throw FileError
std::vector<Frame> read_trajectory(const std::filesystem::path& path);

/// Appends frames to an .extxyz file.
class TrajectoryWriter {
  public:
    /// Starts a new file, or continues one after its first `keep_frames` frames: what follows them (also a
    /// frame that a crash cut off) is removed, so that a resumed run gives the same file byte for byte.
    /// @throw FileError when it cannot be opened or holds fewer frames
    explicit TrajectoryWriter(const std::filesystem::path& path, std::int64_t keep_frames = 0);
    ~TrajectoryWriter();
    TrajectoryWriter(TrajectoryWriter&& other) noexcept;
    TrajectoryWriter& operator=(TrajectoryWriter&& other) noexcept;

    /// Appends one frame; it has reached the operating system when this returns. A frame that did not fit
    /// (disk full) is removed again. @throw FileError
    void write(const Frame& frame);
    /// Waits until every frame is on the disk; to be called before a checkpoint that counts them. @throw
    /// FileError
    void sync();
    /// Frames in the file.
    std::int64_t n_frames() const { return n_frames_; }

  private:
    std::filesystem::path path_;
    int descriptor_ = -1;
    std::int64_t n_frames_ = 0;
    std::int64_t size_ = 0;  // bytes
};

}  // namespace stembridge::io
