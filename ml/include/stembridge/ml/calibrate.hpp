// SPDX-License-Identifier: Apache-2.0
// Scale, anisotropy, shear and rotation of a frame from the graphene lattice in it.
#pragma once

#include <Eigen/Dense>
#include <optional>

#include "stembridge/base/context.hpp"
#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

/// Lattice constant of graphene in angstrom.
inline constexpr double graphene_lattice_angstrom = 2.46;
/// Atoms of a perfect sheet per square angstrom: 2 in a cell.
inline constexpr double atoms_per_angstrom2 = 0.3816;

/// A lattice whose weakest peak in the power spectrum has so many times the local median is not noise.
inline constexpr double clear_lattice_peak = 18;

/// The linear map from pixels to angstrom and what it is made of.
struct LatticeCalibration {
    /// Position in angstrom = angstrom_per_pixel * (x_px, y_px). Symmetric: it does not turn the frame.
    Eigen::Matrix2d angstrom_per_pixel = Eigen::Matrix2d::Identity();
    Eigen::Matrix2d lattice_px = Eigen::Matrix2d::Zero();  ///< the two lattice vectors as columns, pixels
    double scale_angstrom = 0;                             ///< area-equivalent pixel size
    double smallest_scale_angstrom = 0;                    ///< along the principal axes
    double largest_scale_angstrom = 0;
    double anisotropy = 0;                   ///< largest / smallest - 1
    double principal_angle_deg = 0;          ///< of the largest scale from the x axis, [-90, 90)
    double shear = 0;                        ///< x_angstrom ~ x_px + shear * y_px when rows stay rows
    double rotation_deg = 0;                 ///< of a zigzag row from the x axis after correction, [0, 60)
    double scale_uncertainty_angstrom = 0;   ///< standard deviation of scale_angstrom
    std::optional<double> nominal_angstrom;  ///< what the caller or the file said
    double peak_to_background = 0;           ///< of the weakest lattice peak in the power spectrum
    int refinement_pairs = 0;                ///< pairs of atoms behind the refinement, 0 = Fourier peaks only

    /// Sets x_angstrom and y_angstrom of detections from their x_px and y_px.
    void apply(Detections& detections) const;
};

/// The calibration of a caller that does not want the lattice: equal scales, no shear.
LatticeCalibration nominal_calibration(double pixel_size_angstrom);

/// From the first-order Fourier peaks of the part of the frame that shows the lattice: of the whole frame,
/// else, where a pixel size is expected, of the half or quarter of its sides with the clearest ones.
/// @param nominal_angstrom expected pixel size; without it all sizes from 0.02 to 0.6 angstrom are tried
/// @throw InputError for NaN pixels, a frame smaller than 48 pixels, a constant frame, and for a nominal size
/// that is off by more than a quarter (the message names the measured one)
/// @throw NumericalError when no lattice is found
LatticeCalibration calibrate_lattice(const Image& image, std::optional<double> nominal_angstrom = {},
                                     const Context& context = {});

/// The strongest hexagon of Fourier peaks whose scale is within a tenth of a known one, however faint: tells
/// by its peak_to_background whether a frame that is not calibrated shows graphene.
/// @return nothing where there is none
/// @throw InputError as calibrate_lattice() for the pixels
std::optional<LatticeCalibration> lattice_at(const Image& image, double pixel_size_angstrom);

/// The same as calibrate_lattice() from positions of atoms: least squares over vectors between second
/// neighbours.
/// @return the refined calibration, or the first one unchanged when fewer than 30 pairs agree with it
LatticeCalibration refine_calibration(const LatticeCalibration& first, const Detections& atoms);

/// Distances of neighbours, and how many pairs there are.
struct BondStatistics {
    double mean_angstrom = 0;
    double deviation_angstrom = 0;
    int count = 0;
};
/// Mean and standard deviation of C-C neighbour distances (0.7 to 1.3 of 1.42 angstrom).
BondStatistics carbon_bonds(const Detections& atoms);

/// Whether the lattice shows dark atoms on bright ground, as a bright-field frame or an inverted file does:
/// from -1 (bright atoms, dark hollows) to 1 (dark atoms); near 0 without a lattice.
///
/// The three first-order waves of a sheet with wave vectors g1 + g2 + g3 = 0 meet with phase pi in the
/// hollows: the mean of F(g1) F(g2) F(g3) over its mean modulus is the cosine of their common phase, wherever
/// the origin is. Two layers in AB stacking look like dark atoms: their brightest sites form one triangular
/// lattice.
double dark_atom_phase(const Image& image, const LatticeCalibration& calibration);

}  // namespace stembridge::ml
