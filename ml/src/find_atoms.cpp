// SPDX-License-Identifier: Apache-2.0
// Calibration, segmentation, positions, filters: the whole way from a frame to atoms.
#include "stembridge/ml/find_atoms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "filters.hpp"
#include "fit_atoms.hpp"
#include "lattice_prior.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/ml/votes.hpp"

namespace stembridge::ml {
namespace {

/// Radius of the discs the networks are trained on, and how far a blob's pixels may be from its centre.
constexpr double disc_angstrom = 0.30, blob_angstrom = 0.55;

/// How well the network alone knows a position: better than a fit of the frame alone where the electrons are
/// few, as it has seen lattices [measured on simulated frames of 1.9e3 to 3e4 electrons per pixel].
const KnownStarts network_error{
    .looseness = {}, .least_angstrom = 0.0165, .share_of_fit = 0.28, .correlation = 0.4};
/// That many times worse where the lattice that it has learnt is bent: beside Si, next but one to it, at
/// edges and vacancies.
constexpr double beside_silicon = 1.75, near_silicon = 1.2, at_edge = 1.4;
/// Longest bonds of C with C and with Si or Cr, and farthest second neighbours of those.
constexpr double carbon_bond_angstrom = 1.85, silicon_bond_angstrom = 2.1, second_neighbor_angstrom = 3.0;

/// An atom fainter than this share of the median of those with two bonds is noise in vacuum; so is one near
/// vacuum that is not so many of its errors bright.
constexpr double faintest = 0.2, faintest_error = 2.5;
/// Atoms at the edge of the sheet stand out of it: no farther than the first; its noise is taken for atoms up
/// to the second.
constexpr double edge_angstrom = 1.5, near_vacuum_angstrom = 3.0;
/// Atoms at the rim of the contamination, mostly Si, lie in its glow: so far outside the clean region the
/// network may find them.
constexpr double rim_angstrom = 3.0;

/// Maxima that no network explains are atoms as well, clusters of Si being rare in training, where they are
/// so much brighter than C, so far from other atoms, and within so far have this share of the atoms of a
/// sheet.
constexpr double overlooked_brightness = 2, overlooked_distance_angstrom = 1, sheet_angstrom = 4,
                 overlooked_sheet = 0.4, overlooked_glow = 0.15;
/// So often they are right [measured on simulated frames].
constexpr double overlooked_probability = 0.9;

/// Phase of the lattice's waves above which the atoms are dark: bright ones have -1, noise 0.
constexpr double clearly_dark = 0.3;

/// Below this a frame's confidence is told as a warning.
constexpr double low_confidence = 0.7;

/// What the lattice says where it is not used to calibrate: its strength (0 = there is none), its distortion.
LatticeCalibration judged_by_lattice(LatticeCalibration used, const std::optional<LatticeCalibration>& seen) {
    used.peak_to_background = seen ? seen->peak_to_background : 0;
    if (seen) used.anisotropy = seen->anisotropy;
    return used;
}

/// Whether the map is 1 within so many pixels of a place, blurred to a standard deviation of half of them: a
/// straight border is blurred to 0.023 at two standard deviations.
bool reaches(const Pixels& blurred_map, const Eigen::Vector2d& place) {
    return bilinear(blurred_map, place.x(), place.y()) >= 0.023;
}

/// The lattice's calibration; where the frame shows none and that may be, the nominal one.
/// @param calibrated whether it is the lattice's
LatticeCalibration calibration_of(const Image& image, const FindAtomsOptions& options,
                                  std::optional<double> nominal, const Context& context, bool& calibrated) {
    const std::string where = image.source.empty() ? "image" : image.source;
    calibrated = false;
    if (options.calibrate) try {
            LatticeCalibration found = calibrate_lattice(image, nominal, context);
            calibrated = true;
            return found;
        } catch (const NumericalError& error) {
            if (options.require_lattice) throw;
            if (!nominal)
                throw NumericalError(std::string(error.what()) +
                                     ". A frame without it needs its pixel size to be given");
            context.warning(fmt::format(
                "{}; the pixel size of {:.4g} angstrom is taken as it was given, and distortions of the scan "
                "stay",
                error.what(), *nominal));
        }
    if (!nominal)
        throw InputError(
            fmt::format("{}: the pixel size is unknown; give it, or let the lattice calibrate it", where));
    return nominal_calibration(*nominal);
}

/// A blob of the atom probability, on the network's grid.
struct Blob {
    Eigen::Vector2d position;
    double atom = 0;     ///< probability of an atom
    double silicon = 0;  ///< share of it that is Si
    double spread = 0;   ///< of that probability over the members
    Votes votes;         ///< of the members of an ensemble
};

std::vector<Blob> find_blobs(const Segmentation& segmentation, double pixel_angstrom,
                             double minimum_distance_angstrom) {
    const Pixels atom = segmentation.atom_probability();
    const Pixels smooth = gaussian_blur(atom, 0.15 / pixel_angstrom);
    const auto maxima = local_maxima(smooth, 0.1, minimum_distance_angstrom / pixel_angstrom);
    std::vector<Eigen::Vector2d> centres;
    centres.reserve(maxima.size());
    for (const Maximum& m : maxima) centres.emplace_back(m.x, m.y);
    const double reach = blob_angstrom / pixel_angstrom,
                 disc_area = std::numbers::pi * std::pow(disc_angstrom / pixel_angstrom, 2);
    const auto silicon_class =
        std::find(segmentation.atomic_numbers.begin(), segmentation.atomic_numbers.end(), 14);
    const Pixels* silicon_map =
        silicon_class == segmentation.atomic_numbers.end()
            ? nullptr
            : &segmentation
                   .mean[static_cast<std::size_t>(silicon_class - segmentation.atomic_numbers.begin())];

    // Every pixel belongs to its nearest maximum; a blob's position is its probability-weighted centroid.
    const NeighborBins bins(centres, reach);
    std::vector<Blob> blobs(centres.size());
    std::vector<double> weights(centres.size(), 0), silicon(centres.size(), 0), variance(centres.size(), 0);
    for (auto& blob : blobs) blob.position.setZero();
    std::vector<int> near;
    for (Eigen::Index y = 0; y < atom.rows(); ++y)
        for (Eigen::Index x = 0; x < atom.cols(); ++x) {
            if (atom(y, x) < 0.02f) continue;
            const Eigen::Vector2d p(static_cast<double>(x), static_cast<double>(y));
            bins.within(p, reach, near);
            if (near.empty()) continue;
            const int owner = *std::min_element(near.begin(), near.end(), [&](int a, int b) {
                return (centres[static_cast<std::size_t>(a)] - p).squaredNorm() <
                       (centres[static_cast<std::size_t>(b)] - p).squaredNorm();
            });
            const auto i = static_cast<std::size_t>(owner);
            weights[i] += atom(y, x);
            blobs[i].position += atom(y, x) * p;
            if (silicon_map != nullptr) silicon[i] += (*silicon_map)(y, x);
            variance[i] += atom(y, x) * segmentation.spread.back()(y, x);
        }
    for (std::size_t i = 0; i < blobs.size(); ++i) {
        Blob& blob = blobs[i];
        const double weight = std::max(weights[i], 1e-12);
        blob.position = weights[i] > 0 ? Eigen::Vector2d(blob.position / weight) : centres[i];
        blob.atom = probability_of_share(weights[i] / disc_area);
        blob.silicon = silicon[i] / weight;
        blob.spread = variance[i] / weight;
    }
    std::vector<int> elements;
    for (std::size_t i = 0; i < blobs.size(); ++i) {
        centres[i] = blobs[i].position;
        elements.push_back(blobs[i].silicon > 0.5 ? 14 : 6);
    }
    const auto votes = votes_of(segmentation, centres, elements, disc_angstrom / pixel_angstrom);
    for (std::size_t i = 0; i < blobs.size(); ++i) {
        blobs[i].votes = votes[i];
        if (!segmentation.members.empty()) blobs[i].spread = votes[i].spread;
    }
    return blobs;
}

/// How much worse than in a perfect sheet the network knows the position of each atom.
std::vector<double> looseness(const std::vector<Blob>& blobs, double scale) {
    std::vector<Eigen::Vector2d> positions;
    for (const Blob& blob : blobs) positions.push_back(blob.position);
    const NeighborBins bins(positions, second_neighbor_angstrom / scale);
    std::vector<double> result;
    std::vector<int> near;
    for (std::size_t i = 0; i < blobs.size(); ++i) {
        bins.within(positions[i], second_neighbor_angstrom / scale, near);
        double silicon = second_neighbor_angstrom;
        int bonds = 0;
        for (const int j : near) {
            if (j == static_cast<int>(i)) continue;
            const auto k = static_cast<std::size_t>(j);
            const double distance = scale * (positions[k] - positions[i]).norm();
            bonds += distance < carbon_bond_angstrom;
            if (blobs[k].silicon > 0.5) silicon = std::min(silicon, distance);
        }
        result.push_back(silicon < silicon_bond_angstrom      ? beside_silicon
                         : bonds < 3                          ? at_edge
                         : silicon < second_neighbor_angstrom ? near_silicon
                                                              : 1);
    }
    return result;
}

/// The map of one grid on another, scaled so that network pixel = frame pixel * factor.
Pixels on_frame(const Pixels& map, double factor, Eigen::Index height, Eigen::Index width) {
    Pixels result(height, width);
    for (Eigen::Index y = 0; y < height; ++y)
        for (Eigen::Index x = 0; x < width; ++x)
            result(y, x) = static_cast<float>(
                bilinear(map, static_cast<double>(x) * factor, static_cast<double>(y) * factor));
    return result;
}

/// Median brightness of the atoms that have two neighbours at least at the distance of bonds: of all, where
/// there are none. Noise in vacuum has fewer.
double bonded_amplitude(const AtomFit& fit, double scale) {
    std::vector<Eigen::Vector2d> positions;
    for (const FittedAtom& atom : fit.atoms) positions.emplace_back(atom.x, atom.y);
    const double reach = carbon_bond_angstrom / scale;
    const NeighborBins bins(positions, reach);
    std::vector<float> amplitudes;
    std::vector<int> near;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        bins.within(positions[i], reach, near);
        if (near.size() >= 3) amplitudes.push_back(static_cast<float>(fit.atoms[i].amplitude));
    }
    return amplitudes.empty() ? fit.median_amplitude : quantile(amplitudes, 0.5);
}

/// Median of the background on a circle over what is usual.
double glow_around(const AtomFit& fit, const Eigen::Vector2d& place, double radius_px) {
    std::vector<float> levels;
    for (int k = 0; k < 12; ++k) {
        const double angle = k * std::numbers::pi / 6;
        const double x = place.x() + radius_px * std::cos(angle), y = place.y() + radius_px * std::sin(angle);
        if (x < 0 || y < 0 || x > static_cast<double>(fit.background.cols() - 1) ||
            y > static_cast<double>(fit.background.rows() - 1))
            continue;
        levels.push_back(static_cast<float>(bilinear(fit.background, x, y) - fit.usual_background));
    }
    return quantile(levels, 0.5);
}

/// Maxima of what a fit leaves that are as bright as Si, in the sheet that the atoms of the fit form and
/// apart from them.
std::vector<Eigen::Vector2d> overlooked_atoms(const AtomFit& fit, const Pixels& region, double scale) {
    std::vector<Eigen::Vector2d> atoms;
    for (const FittedAtom& atom : fit.atoms) atoms.emplace_back(atom.x, atom.y);
    const double apart = overlooked_distance_angstrom / scale, around = sheet_angstrom / scale;
    const NeighborBins bins(atoms, around);
    const Pixels smooth = gaussian_blur(fit.rest, 0.25 / scale);
    // Atoms of a perfect sheet within that distance, as far as that is inside the frame.
    const auto expected = [&](const Eigen::Vector2d& place) {
        const auto length = [&](double x, Eigen::Index n) {
            return std::min(x + around, static_cast<double>(n) - 0.5) - std::max(x - around, -0.5);
        };
        return atoms_per_angstrom2 * std::numbers::pi / 4 * scale * scale * length(place.x(), smooth.cols()) *
               length(place.y(), smooth.rows());
    };
    std::vector<Eigen::Vector2d> places;
    std::vector<int> near;
    for (const Maximum& m : local_maxima(smooth, overlooked_brightness * fit.median_amplitude, apart)) {
        const Eigen::Vector2d place(m.x, m.y);
        if (bilinear(region, m.x, m.y) < 0.5) continue;
        bins.within(place, apart, near);
        if (!near.empty()) continue;
        bins.within(place, around, near);
        if (static_cast<double>(near.size()) < overlooked_sheet * expected(place)) continue;
        if (glow_around(fit, place, around) > overlooked_glow * m.value) continue;
        places.push_back(place);
    }
    return places;
}

/// Atoms where they would be in a frame of straight rows.
Detections straightened(Detections atoms, const RowCorrection& rows) {
    for (Detection& atom : atoms) {
        const Eigen::Vector2d displacement = rows.at(atom.y_px);
        atom.x_px -= displacement.x();
        atom.y_px -= displacement.y();
    }
    return atoms;
}

/// Sets the positions in angstrom.
void place(Detections& atoms, const LatticeCalibration& calibration, const RowCorrection& rows) {
    Detections straight = straightened(atoms, rows);
    calibration.apply(straight);
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        atoms[i].x_angstrom = straight[i].x_angstrom;
        atoms[i].y_angstrom = straight[i].y_angstrom;
    }
}

/// Brightness has no unit here; squares of what is far from counts (ampere, coulomb) leave single precision.
void bring_within_reach(Pixels& pixels) {
    constexpr float smallest = 1e-6F, largest = 1e12F;
    const float low = pixels.minCoeff(), range = pixels.maxCoeff() - low;
    if (range < smallest || range > largest) pixels = (pixels - low) / range;
}

}  // namespace

double saturated_share(const Pixels& pixels) {
    if (pixels.size() == 0) return 0;
    const float largest = pixels.maxCoeff();
    float next = -std::numeric_limits<float>::infinity();
    for (Eigen::Index i = 0; i < pixels.size(); ++i)
        if (pixels.data()[i] < largest) next = std::max(next, pixels.data()[i]);
    const auto at_largest = (pixels == largest).count(), at_next = (pixels == next).count();
    const double share = static_cast<double>(at_largest) / static_cast<double>(pixels.size());
    return share > 1e-3 && 2 * at_largest > 3 * at_next && at_next > 0 ? share : 0;
}

FindAtomsResult find_atoms(const Image& recorded, SegmentationNetwork* network,
                           const FindAtomsOptions& options, const Context& context) {
    require_usable(recorded, 48);
    const std::string where = recorded.source.empty() ? "image" : recorded.source;
    const std::optional<double> nominal =
        options.pixel_size_angstrom ? options.pixel_size_angstrom : recorded.pixel_size_angstrom;
    FindAtomsResult result;
    Image image = recorded;
    bring_within_reach(image.pixels);
    result.outliers = replace_outliers(image.pixels);
    if (result.outliers > 0)
        context.warning(fmt::format(
            "{}: {} single pixels far brighter or darker than all their neighbours (hot or dead ones, "
            "cosmic rays) are replaced by the median of those",
            where, result.outliers));
    require_usable(image, 48);
    result.saturated_share = saturated_share(image.pixels);
    if (result.saturated_share > 0)
        context.warning(
            fmt::format("{}: {:.1f} % of the pixels are saturated (all at {}): atoms under them have no "
                        "true brightness, and Si cannot be told from C there",
                        where, 100 * result.saturated_share, image.pixels.maxCoeff()));
    result.calibration = calibration_of(image, options, nominal, context, result.calibrated);
    const std::optional<LatticeCalibration> seen =
        result.calibrated ? result.calibration : lattice_at(image, result.calibration.scale_angstrom);
    const bool clear = seen && seen->peak_to_background >= clear_lattice_peak;
    const double dark = options.contrast == AtomContrast::automatic
                            ? dark_atom_phase(image, clear ? *seen : result.calibration)
                            : 0;
    result.inverted = options.contrast == AtomContrast::dark || dark > clearly_dark;
    if (result.inverted) image.pixels = image.pixels.maxCoeff() - image.pixels;
    if (dark > clearly_dark)
        context.warning(
            fmt::format("{}: inverted contrast: the atoms are dark (or the sheet has two layers); the frame "
                        "is turned over before they are looked for",
                        where));
    const double scale = result.calibration.scale_angstrom;
    const FrameRegions regions = frame_regions(image, clear ? *seen : result.calibration);
    result.region = regions.clean;
    result.vacuum = regions.vacuum;
    const Pixels sheet = regions.sheet();
    context.debug(
        fmt::format("{}: {:.4f} angstrom per pixel, anisotropy {:.1f} %, {:.0f} % of the frame is clean, "
                    "{:.0f} % of it vacuum",
                    where, scale, 100 * result.calibration.anisotropy, 100 * result.region.mean(),
                    100 * result.vacuum.mean()));
    if (sheet.maxCoeff() < 0.5f)
        throw InputError(fmt::format("{}: no atoms found: the whole frame looks like contamination", where));
    Brightness brightness;
    result.baseline =
        classical_detector(image, result.calibration, regions, options.classical, context, &brightness);

    if (network == nullptr) {
        result.method = "classical";
        Brightness kept;
        for (std::size_t i = 0; i < result.baseline.size(); ++i) {
            if (result.baseline[i].probability < options.minimum_probability) continue;
            result.atoms.push_back(result.baseline[i]);
            kept.amplitudes.push_back(brightness.amplitudes[i]);
            kept.errors.push_back(brightness.errors[i]);
        }
        brightness = std::move(kept);
        result.mean = result.spread = Pixels::Zero(image.height(), image.width());
    } else {
        result.method = "network";
        const double grid = network->pixel_size_angstrom(), factor = scale / grid;
        if (context.stop_requested()) throw StoppedError("stopped while finding atoms");
        const Pixels seen = normalise_frame(resample(image.pixels, factor), resample(sheet, factor));
        const Segmentation segmentation = network->segment(seen);
        result.mean = on_frame(segmentation.atom_probability(), factor, image.height(), image.width());
        result.spread = on_frame(segmentation.spread.back(), factor, image.height(), image.width());

        std::vector<Blob> blobs = find_blobs(segmentation, grid, options.minimum_distance_angstrom);
        // Nothing deep in contamination, nothing in vacuum, nothing outside.
        const Pixels clean_nearby = gaussian_blur(result.region, 0.5 * rim_angstrom / scale),
                     solid_nearby = gaussian_blur(1.0f - result.vacuum, 0.5 * edge_angstrom / scale);
        std::erase_if(blobs, [&](Blob& blob) {
            blob.position /= factor;
            return blob.atom < options.minimum_probability || !reaches(clean_nearby, blob.position) ||
                   !reaches(solid_nearby, blob.position);
        });
        std::vector<Eigen::Vector2d> start;
        start.reserve(blobs.size());
        for (const Blob& blob : blobs) start.push_back(blob.position);
        KnownStarts known = network_error;
        known.looseness = looseness(blobs, scale);
        known.combined = options.positions == Positions::network;
        AtomFit fit = fit_atoms(image.pixels, start, result.calibration.angstrom_per_pixel, known);
        // Bright atoms in surroundings that the networks have not learnt; those found first tell of a sheet
        // around others.
        for (int round = 0; round < 2; ++round) {
            const auto overlooked = overlooked_atoms(fit, result.region, scale);
            if (overlooked.empty()) break;
            for (const auto& place : overlooked) {
                blobs.push_back(
                    {.position = place, .atom = overlooked_probability, .silicon = 1, .votes = {}});
                start.push_back(place);
            }
            fit = fit_atoms(image.pixels, start, result.calibration.angstrom_per_pixel, known);
        }
        brightness = {};
        const Pixels vacuum_nearby = gaussian_blur(result.vacuum, 0.5 * near_vacuum_angstrom / scale);
        const double usual = bonded_amplitude(fit, scale);
        for (std::size_t i = 0; i < blobs.size(); ++i) {
            const FittedAtom& fitted = fit.atoms[i];
            if (fitted.amplitude < faintest * usual ||
                (fitted.amplitude < faintest_error * fitted.amplitude_error &&
                 reaches(vacuum_nearby, blobs[i].position)))
                continue;
            Detection atom;
            const bool fits = options.positions != Positions::blobs || i >= known.count();
            atom.x_px = fits ? fitted.x : start[i].x();
            atom.y_px = fits ? fitted.y : start[i].y();
            atom.atomic_number = blobs[i].silicon > 0.5 ? 14 : 6;
            atom.probability = blobs[i].atom * std::max(blobs[i].silicon, 1 - blobs[i].silicon);
            atom.spread = blobs[i].spread;
            atom.votes = blobs[i].votes.same_class;
            atom.sigma_angstrom = fits ? fitted.sigma_angstrom : fitted.start_angstrom;
            result.atoms.push_back(atom);
            brightness.amplitudes.push_back(fitted.amplitude);
            brightness.errors.push_back(fitted.amplitude_error);
        }
        mark_unknown(result.atoms, brightness.amplitudes);
        sort_in_reading_order(result.atoms, brightness);
    }
    if (result.atoms.empty())
        throw InputError(
            fmt::format("{}: no atoms found with probability above {}", where, options.minimum_probability));

    if (result.calibrated) result.calibration = refine_calibration(result.calibration, result.atoms);
    if (result.calibrated && options.correction == ScanCorrection::rows) {
        result.rows = row_correction(result.calibration, result.atoms, image.height());
        result.calibration = refine_calibration(result.calibration, straightened(result.atoms, result.rows));
    }
    if (result.calibrated && options.correction == ScanCorrection::scale)
        result.calibration.angstrom_per_pixel =
            result.calibration.scale_angstrom * Eigen::Matrix2d::Identity();
    place(result.atoms, result.calibration, result.rows);
    if (options.positions == Positions::lattice)
        result.lattice_deviation_angstrom =
            apply_lattice_prior(result.atoms, result.calibration.angstrom_per_pixel.inverse());
    place(result.baseline, result.calibration, result.rows);
    result.bonds = carbon_bonds(result.atoms);
    result.confidence = frame_confidence(
        result.atoms, brightness.amplitudes, brightness.errors, sheet,
        result.calibrated ? result.calibration : judged_by_lattice(result.calibration, seen));
    if (result.confidence.value < low_confidence) {
        std::string doubts;
        for (const std::string& doubt : result.confidence.doubts)
            doubts += (doubts.empty() ? "" : "; ") + doubt;
        context.warning(fmt::format("{}: low confidence ({:.2f}) that this is a single sheet of graphene: {}",
                                    where, result.confidence.value, doubts));
    }
    for (Detections* atoms : {&result.atoms, &result.baseline})
        for (Detection& atom : *atoms) atom.probability *= result.confidence.value;
    return result;
}

}  // namespace stembridge::ml
