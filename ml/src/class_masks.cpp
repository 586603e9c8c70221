// SPDX-License-Identifier: Apache-2.0
// Class masks with anti-aliased discs, and windows of labelled frames.
#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/training.hpp"

namespace stembridge::ml {
namespace {

/// Index of the mirror image of a row or column outside 0..n-1.
Eigen::Index mirrored(Eigen::Index i, Eigen::Index n) {
    const Eigen::Index period = 2 * std::max<Eigen::Index>(n - 1, 1);
    i = ((i % period) + period) % period;
    return i < n ? i : period - i;
}

}  // namespace

std::vector<Pixels> class_masks(const std::vector<Eigen::Vector3d>& atoms, int height, int width,
                                double radius_px) {
    Pixels carbon = Pixels::Zero(height, width), silicon = carbon;
    const int reach = static_cast<int>(radius_px) + 2;
    for (const Eigen::Vector3d& atom : atoms) {
        Pixels& mask = atom.z() == 14 ? silicon : carbon;
        const int column = static_cast<int>(std::floor(atom.x())),
                  row = static_cast<int>(std::floor(atom.y()));
        for (int y = std::max(0, row - reach); y <= std::min(height - 1, row + reach); ++y)
            for (int x = std::max(0, column - reach); x <= std::min(width - 1, column + reach); ++x)
                mask(y, x) = std::max(
                    mask(y, x), static_cast<float>(std::clamp(
                                    radius_px + 0.5 - std::hypot(x - atom.x(), y - atom.y()), 0.0, 1.0)));
    }
    carbon = carbon.min(1.0f - silicon);
    Pixels background = 1.0f - carbon - silicon;
    return {std::move(carbon), std::move(silicon), std::move(background)};
}

TrainingCrop experimental_crop(const LabelledFrame& frame, int side, std::uint64_t seed) {
    const Eigen::Index height = frame.image.rows(), width = frame.image.cols();
    if (frame.trusted.rows() != height || frame.trusted.cols() != width || height < 8 || width < 8)
        throw InputError("training: a labelled frame needs 8 x 8 pixels and a map of where its labels hold");
    Random random(seed);
    TrainingCrop crop;
    crop.image.resize(side, side);
    crop.trusted.resize(side, side);
    Eigen::Index left = 0, top = 0;
    // Windows in contamination teach nothing; a frame of nothing else ends the search.
    for (int attempt = 0; attempt < 20; ++attempt) {
        left = random.below(std::max<Eigen::Index>(1, width - side + 1));
        top = random.below(std::max<Eigen::Index>(1, height - side + 1));
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                const Eigen::Index row = mirrored(top + y, height), column = mirrored(left + x, width);
                const bool inside = top + y < height && left + x < width;
                crop.image(y, x) = frame.image(row, column);
                crop.trusted(y, x) = inside && frame.trusted(row, column) > 0.5f ? 1.0f : 0.0f;
            }
        if (crop.trusted.mean() > 0.5f) break;
    }
    for (const Eigen::Vector3d& atom : frame.atoms) {
        const double x = atom.x() - static_cast<double>(left), y = atom.y() - static_cast<double>(top);
        if (x > -4 && y > -4 && x < side + 3 && y < side + 3) crop.atoms.emplace_back(x, y, atom.z());
    }
    return crop;
}

}  // namespace stembridge::ml
