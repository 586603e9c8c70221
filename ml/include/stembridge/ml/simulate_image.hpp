// SPDX-License-Identifier: Apache-2.0
// Simulated Z-contrast STEM frames of thin sheets, with the defects of real frames and exact truth.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

/// An atom of a scene, projected along the beam.
struct SceneAtom {
    double x_angstrom = 0;
    double y_angstrom = 0;
    int atomic_number = 6;
};

/// Geometric aberrations of the probe: coefficients C_nm in angstrom, directions in degrees from the x axis.
/// @source Krivanek, Dellby, Lupini, Ultramicroscopy 78, 1 (1999)
struct Aberrations {
    double defocus_angstrom = 0;      ///< C10
    double astigmatism_angstrom = 0;  ///< C12
    double astigmatism_angle_deg = 0;
    double coma_angstrom = 0;  ///< C21
    double coma_angle_deg = 0;
    double threefold_angstrom = 0;  ///< C23
    double threefold_angle_deg = 0;
    double spherical_angstrom = 0;    ///< C30; 1 um = 1e4 angstrom
    double fifth_order_angstrom = 0;  ///< C50; 1 mm = 1e7 angstrom
    bool any() const {
        return defocus_angstrom != 0 || astigmatism_angstrom != 0 || coma_angstrom != 0 ||
               threefold_angstrom != 0 || spherical_angstrom != 0 || fifth_order_angstrom != 0;
    }
};

/// What the beam does. Defaults: 60 kV, 31 mrad, a source and tails as seen in real frames of graphene.
struct ProbeOptions {
    double beam_energy_kev = 60;
    double convergence_mrad = 31;
    double source_fwhm_angstrom = 0.9;
    double tail_fraction = 0.3;       ///< t: share of the beam in the tail, 0..1
    double tail_fwhm_angstrom = 4.5;  ///< Gaussian tail
    double hollow_to_peak = 0.62;  ///< black level so that graphene has this hollow/peak; 0 = no black level
    double z_exponent = 1.7;       ///< scattering ~ Z^exponent; 1.7 (MADF) to 1.95 (HAADF)
    double strength = 1;  ///< scattering of all atoms over that of 54-200 mrad at 60 kV; see annular_detector
    Aberrations aberrations;
};

/// How the beam is moved. A perfect scan by default.
struct ScanOptions {
    int width = 896;
    int height = 896;
    double pixel_size_angstrom = 0.104;  ///< area-equivalent
    double origin_x_angstrom = 0;        ///< scene position under the pixel (0, 0) of the undistorted scan
    double origin_y_angstrom = 0;
    double anisotropy = 0;             ///< ratio of the two principal scales minus one, e.g. 0.067
    double anisotropy_angle_deg = 0;   ///< direction of the larger scale from the x axis
    double shear = 0;                  ///< x += shear * y
    double rotation_deg = 0;           ///< of the scan in the scene
    std::array<double, 2> drift_px{};  ///< slow drift over the whole frame, with a gentle curve
    double line_jitter_px = 0;  ///< standard deviation of the displacement of lines, 1/f and mains parts
    double mains_periods_per_line = 0.13;  ///< periods of the mains in the time of one line
    double flyback_px = 0;                 ///< stretch of the first pixels of a line
    double flyback_length_px = 12;         ///< decay length of that stretch
    double tears = 0;        ///< expected jumps of the beam along a line, tearing what it crosses
    double tear_px = 4;      ///< mean size of a jump
    double tear_lines = 20;  ///< lines over which the beam creeps back
    double hops = 0;         ///< expected atoms that hop while the beam crosses them: torn in two
    double hop_angstrom = 1.4;
};

/// Amorphous material that hides the lattice on one side or in patches.
struct ContaminationOptions {
    double coverage = 0;           ///< share of the frame, 0 = none
    double level = 4;              ///< mean brightness in units of the mean of graphene
    double speckle = 0.35;         ///< relative strength of the bright speckle
    double border_angstrom = 2.0;  ///< width of the soft border
    double direction_deg = 0;      ///< side on which it lies, 0 = right, 90 = bottom
    double silicon_at_rim = 0;     ///< share of the atoms under the thin rim that are Si
    double roughness = 0.35;       ///< 0 = straight border, 1 = patches everywhere
};

/// How electrons become numbers.
struct DetectorOptions {
    double electrons_per_pixel = 1873;  ///< beam electrons; <= 0 gives the expectation without noise
    double blur_px = 0;                 ///< Gaussian sigma of the correlation of the noise between pixels
    double gain = 1;                    ///< numbers per detected electron
    double read_noise = 0;              ///< Gaussian, in detected electrons
    double saturation = 0;              ///< largest value, 0 = none
};

/// What stands between the atoms and a frame.
struct SimulationOptions {
    ProbeOptions probe;
    ScanOptions scan;
    ContaminationOptions contamination;
    DetectorOptions detector;
};

/// Where an atom of the scene is in the frame.
struct TrueAtom {
    double x_px = 0;
    double y_px = 0;
    int atomic_number = 6;
    bool covered = false;  ///< hidden by contamination: neither a hit nor a miss
};

/// A frame with known truth.
struct SimulatedFrame {
    Image image;
    Pixels contamination;                ///< (height, width) brightness in units of the mean of graphene
    std::vector<TrueAtom> atoms;         ///< those inside the frame, with all distortions
    Eigen::Matrix2d angstrom_per_pixel;  ///< linear part of the map from pixels to scene
    double mean_electrons_graphene = 0;  ///< detected electrons per pixel of clean graphene
};

/// Frame of a list of atoms: I(r) = b + sum_i s_i [(1 - t) core(r - r_i) + t tail(r - r_i)], sampled where
/// the distorted scan puts the beam, plus contamination, then Poisson noise, correlation, gain, saturation.
/// @param atoms positions in angstrom, any order  @param options see above
/// @param context its seed makes all randomness (noise, jitter, contamination); its stop token is looked at
/// @throw InputError for options that make no sense (key named)
SimulatedFrame simulate_image(const std::vector<SceneAtom>& atoms, const SimulationOptions& options,
                              const Context& context);

/// Share of a full frame's beam electrons that one atom scatters to the detector when the beam is spread over
/// 1 square angstrom: the integral of its image over the beam current, angstrom^2.
/// @source anchored at 1.50e-3 under a 60 kV, 31 mrad probe for C, 54-200 mrad (multislice)
double scattering_area(int atomic_number, double z_exponent);

/// What an annular detector sees: for ProbeOptions::strength and z_exponent.
struct DetectorSignal {
    double strength = 1;
    double z_exponent = 1.69;
};

/// @param inner_mrad, outer_mrad collection angles; inner ones of 40 to 130 mrad at 60 kV are known
/// @throw InputError outside of them
/// @source interpolated between multislice results for C, Si, Cr at 54-200 and 86-200 mrad, 60 kV
DetectorSignal annular_detector(double inner_mrad, double outer_mrad, double energy_kev);

/// What a random sheet of graphene holds. Numbers are expectations per 100 x 100 angstrom.
struct SceneOptions {
    double width_angstrom = 93.2;
    double height_angstrom = 93.2;
    double margin_angstrom = 6;  ///< the sheet goes on this far outside the window
    double rotation_deg = 0;     ///< of the zigzag direction from the x axis
    double lattice_angstrom = 2.46;
    double divacancies = 0;    ///< reconstructed, e.g. 5-8-5 and 555-777
    double interstitials = 0;  ///< inverse Stone-Wales and its kin
    double stone_wales = 0;    ///< 5-7-7-5
    double vacancies = 0;
    double holes = 0;  ///< of radius hole_radius
    double hole_radius_angstrom = 6;
    bool grain_boundary = false;  ///< a second, misoriented grain
    double misorientation_deg = 22;
    double silicon_substitutions = 0;  ///< 3-fold and, in every fourth case, 4-fold in a double vacancy
    double silicon_adatoms = 0;        ///< on bonds, above the sheet
    double silicon_clusters = 0;       ///< dimers and trimers of substitutions
    double silicon_edge_share =
        0;  ///< share of the atoms with two bonds, at holes and vacancies, that are Si
    double chromium_substitutions = 0;    ///< 3-fold
    double chromium_adatoms = 0;          ///< over hollows
    double carbon_adatoms = 0;            ///< on bonds
    double displacement_angstrom = 0.03;  ///< random displacement of each atom per axis
    double strain = 0.003;                ///< long-wave strain
};

/// A random sheet: ring centres of one or two lattices with defects, triangulated; atoms in the triangles, so
/// that every defect is a proper network of rings; then relaxed with springs. The window's corner is (0, 0).
std::vector<SceneAtom> random_scene(const SceneOptions& options, const Context& context);

/// The frame that data/frames ships: 896 x 896 at 0.104 angstrom, about 2,000 C and 22 Si, contamination on
/// one side, twice the dose of a usual real frame. The same seed gives the same frame.
SimulatedFrame example_frame(const Context& context);

}  // namespace stembridge::ml
