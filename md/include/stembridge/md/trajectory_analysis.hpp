// SPDX-License-Identifier: Apache-2.0
// What a trajectory says as a whole: displacements, pair distances, melting, vibrations.
#pragma once

#include <Eigen/Dense>
#include <map>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge::md {

/// Frames whose atoms never jump by a lattice vector, see unwrapped(). @throw InputError when the atoms
/// differ
std::vector<Structure> unwrapped_frames(const std::vector<Structure>& frames);

/// Mean square displacement from the first frame along each axis, (3, frames), bohr^2. The motion of the
/// centre of mass of all atoms is taken out. @param frames unwrapped  @param atoms indices, empty = all
/// @throw InputError when there are no frames or atoms
Eigen::Matrix3Xd mean_square_displacements(const std::vector<Structure>& frames,
                                           const std::vector<int>& atoms = {});

/// Pair distances of two elements, means over frames.
struct RadialDistribution {
    double width = 0;                  ///< of a bin, bohr; bin k covers k width to (k + 1) width
    std::vector<double> neighbors;     ///< mean number per atom of the first element and per bohr
    std::vector<double> coordination;  ///< mean number of neighbours up to the end of each bin
    /// g(r): `neighbors` over those of the same atoms spread evenly over the sheet (2 pi r rho, cells that
    /// repeat in two directions or leave vacuum over a sheet) or the cell (4 pi r^2 rho); empty of a cluster,
    /// which fills no space
    std::vector<double> g;
};

/// By pairs such as "C-C", "C-H", the first element being the one around which is counted.
/// @param longest bohr  @throw InputError for no frames, a width or length that is not positive
std::map<std::string, RadialDistribution> radial_distributions(const std::vector<Structure>& frames,
                                                               double longest, double width);

/// Mean over pairs of sqrt(<r^2> - <r>^2) / <r>: some 0.03 in a solid, above 0.1 once it melts.
/// @param frames unwrapped, at least two  @param pairs those bonded in some frame, for a sheet its first
/// @throw InputError when there are too few frames or no pairs
/// @source Lindemann, Phys. Z. 11, 609 (1910), in the form of Zhou, Vitkup, Karplus, J. Mol. Biol. 285, 1371
/// (1999)
double lindemann_index(const std::vector<Structure>& frames, const std::vector<Bond>& pairs);

/// Vibrational density of states from velocities.
struct VibrationalDensity {
    std::vector<double> frequencies;  ///< hbar omega, hartree, evenly spaced from 0
    std::vector<double> density;      ///< per hartree; its integral is 1
    double highest = 0;               ///< beyond this, the frames are too far apart to tell, hartree
    double resolution = 0;            ///< full width of a line at half maximum, hartree
};

/// Cosine transform of the mass-weighted velocity autocorrelation function under a Hann window:
///   C(t) = sum_i m_i <v_i(0) . v_i(t)>,  D(omega) ~ integral of C(t) w(t) cos(omega t) dt
/// @param frames with velocities, evenly spaced  @param spacing of frames, atomic time units
/// @param longest_lag frames; 0 = half of them  @param atoms indices, empty = all
/// @throw InputError when velocities are missing, or there are fewer than 8 frames
/// @source Dickey, Paskin, Phys. Rev. 188, 1407 (1969)
VibrationalDensity vibrational_density(const std::vector<Structure>& frames, double spacing,
                                       int longest_lag = 0, const std::vector<int>& atoms = {});

}  // namespace stembridge::md
