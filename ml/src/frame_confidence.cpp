// SPDX-License-Identifier: Apache-2.0
#include "stembridge/ml/frame_confidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "filters.hpp"

namespace stembridge::ml {
namespace {

/// 0 at one value, 1 at another, linear between.
double rise(double value, double at_zero, double at_one) {
    return std::clamp((value - at_zero) / (at_one - at_zero), 0.0, 1.0);
}

/// Share of the atoms away from the frame's border that have two or three (Si: up to four) neighbours.
double share_with_bonds(const Detections& atoms, double width, double height, double scale) {
    const double bond = graphene_lattice_angstrom / std::sqrt(3.0), reach = 1.32 * bond;
    std::vector<Eigen::Vector2d> points;
    for (const Detection& atom : atoms) points.emplace_back(atom.x_angstrom, atom.y_angstrom);
    const NeighborBins bins(points, reach);
    std::vector<int> near;
    int inner = 0, bonded = 0;
    const double border = 2.5 / scale;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        const Detection& atom = atoms[i];
        if (atom.x_px < border || atom.y_px < border || atom.x_px > width - border ||
            atom.y_px > height - border)
            continue;
        ++inner;
        bins.within(points[i], reach, near);
        const auto neighbours = near.size() - 1;
        const bool crowded = std::any_of(near.begin(), near.end(), [&](int j) {
            return j != static_cast<int>(i) &&
                   (points[static_cast<std::size_t>(j)] - points[i]).norm() < 0.72 * bond;
        });
        bonded += !crowded && neighbours >= 2 && neighbours <= (atom.atomic_number == 6 ? 3 : 4);
    }
    return inner > 0 ? static_cast<double>(bonded) / inner : 0;
}

/// Spread of the brightness of C beyond its errors, over its median.
double excess_spread(const Detections& atoms, const std::vector<double>& amplitudes,
                     const std::vector<double>& errors) {
    std::vector<float> values, squares;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (atoms[i].atomic_number != 6) continue;
        values.push_back(static_cast<float>(amplitudes[i]));
        squares.push_back(static_cast<float>(errors[i] * errors[i]));
    }
    const double median = quantile(values, 0.5);
    const double deviation = (quantile(values, 0.84) - quantile(values, 0.16)) / 2;
    const double excess2 = deviation * deviation - quantile(squares, 0.5);
    return median > 0 ? std::sqrt(std::max(0.0, excess2)) / median : 1;
}

}  // namespace

FrameConfidence frame_confidence(const Detections& atoms, const std::vector<double>& amplitudes,
                                 const std::vector<double>& amplitude_errors, const Pixels& sheet,
                                 const LatticeCalibration& found) {
    FrameConfidence result;
    const double scale = found.scale_angstrom, area = static_cast<double>(sheet.sum()) * scale * scale;
    const double bonded =
        share_with_bonds(atoms, static_cast<double>(sheet.cols()), static_cast<double>(sheet.rows()), scale);
    const double filled = static_cast<double>(atoms.size()) / std::max(atoms_per_angstrom2 * area, 1.0);
    const double spread = excess_spread(atoms, amplitudes, amplitude_errors);
    result.lattice = rise(std::log(std::max(found.peak_to_background, 1.0)), std::log(9.0), std::log(18.0));
    result.scale = rise(found.anisotropy, 0.18, 0.11);
    result.neighbours = rise(bonded, 0.45, 0.75);
    result.density = rise(filled, 0.15, 0.45) * rise(filled, 1.8, 1.35);
    result.brightness = rise(spread, 0.5, 0.3);
    result.value = result.lattice * result.scale * result.neighbours * result.density * result.brightness;
    const auto doubt = [&](double part, const std::string& text) {
        if (part < 0.8) result.doubts.push_back(text);
    };
    doubt(result.lattice, found.peak_to_background > 0 ? "the lattice hardly stands out of the noise"
                                                       : "there is no graphene lattice in the spectrum");
    doubt(result.scale, fmt::format("the lattice is distorted by {:.0f} %", 100 * found.anisotropy));
    doubt(result.neighbours,
          fmt::format("only {:.0f} % of the atoms have two or three neighbours at the distance of bonds",
                      100 * bonded));
    doubt(result.density,
          fmt::format("there are {:.2f} times the atoms that the clean area of a sheet holds", filled));
    doubt(result.brightness,
          fmt::format("the brightness of C atoms differs by {:.0f} % beyond the noise", 100 * spread));
    return result;
}

}  // namespace stembridge::ml
