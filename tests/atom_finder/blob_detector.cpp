// SPDX-License-Identifier: Apache-2.0
#include "blob_detector.hpp"

#include <vector>

namespace stembridge::atom_finder {

Detections blob_centres(const Image& frame, double angstrom_per_pixel, ml::SegmentationNetwork& network) {
    const double factor = angstrom_per_pixel / network.pixel_size_angstrom();
    const ml::Segmentation seen =
        network.segment(ml::normalise_frame(ml::resample(frame.pixels, factor), {}));
    Detections atoms;
    for (std::size_t c = 0; c < seen.mean.size(); ++c) {
        if (seen.atomic_numbers[c] == 0) continue;
        const Pixels& p = seen.mean[c];
        Pixels left = (p > 0.5f).cast<float>();
        std::vector<Eigen::Index> region;
        for (Eigen::Index first = 0; first < left.size(); ++first) {
            if (left.data()[first] == 0) continue;
            region.assign(1, first);
            left.data()[first] = 0;
            double x_sum = 0, y_sum = 0, p_sum = 0;
            for (std::size_t next = 0; next < region.size(); ++next) {
                const Eigen::Index y = region[next] / p.cols(), x = region[next] % p.cols();
                x_sum += static_cast<double>(x);
                y_sum += static_cast<double>(y);
                p_sum += p(y, x);
                const auto visit = [&](Eigen::Index yy, Eigen::Index xx) {
                    if (yy < 0 || xx < 0 || yy >= p.rows() || xx >= p.cols() || left(yy, xx) == 0) return;
                    left(yy, xx) = 0;
                    region.push_back(yy * p.cols() + xx);
                };
                visit(y, x - 1);
                visit(y, x + 1);
                visit(y - 1, x);
                visit(y + 1, x);
            }
            const auto n = static_cast<double>(region.size());
            Detection atom;
            atom.x_px = x_sum / n / factor;
            atom.y_px = y_sum / n / factor;
            atom.atomic_number = seen.atomic_numbers[c];
            atom.probability = p_sum / n;
            atoms.push_back(atom);
        }
    }
    return atoms;
}

}  // namespace stembridge::atom_finder
