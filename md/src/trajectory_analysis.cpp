// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/trajectory_analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/structure/tracking.hpp"

namespace stembridge::md {
namespace {

using std::numbers::pi;

std::vector<int> all_or(const std::vector<int>& atoms, const Structure& structure) {
    std::vector<int> chosen = atoms;
    if (atoms.empty()) {
        chosen.resize(static_cast<std::size_t>(structure.size()));
        std::iota(chosen.begin(), chosen.end(), 0);
    }
    for (const int atom : chosen)
        if (atom < 0 || atom >= structure.size())
            throw InputError(fmt::format("the trajectory has no atom {}", atom + 1));
    if (chosen.empty()) throw InputError("the trajectory has no atoms");
    return chosen;
}

/// How atoms are spread over a cell: over its area (a sheet), over its volume, or not at all (a cluster).
struct Space {
    double area = 0, volume = 0;

    explicit Space(const Structure& structure) {
        const Cell& cell = structure.cell;
        if (!cell.periodic[0] || !cell.periodic[1]) return;
        const Eigen::Vector3d normal = cell.vector(0).cross(cell.vector(1));
        const Eigen::RowVectorXd heights = normal.normalized().transpose() * structure.positions;
        const double thickness = heights.maxCoeff() - heights.minCoeff();
        if (!cell.periodic[2] || thickness < 0.5 * std::abs(cell.vector(2).dot(normal.normalized())))
            area = normal.norm();
        else
            volume = cell.volume();
    }
    /// Per atom and bohr of distance, when n atoms are spread evenly; 0 of a cluster.
    double neighbors(double r, int n) const {
        if (area > 0) return n / area * 2 * pi * r;
        return volume > 0 ? n / volume * 4 * pi * r * r : 0;
    }
};

}  // namespace

std::vector<Structure> unwrapped_frames(const std::vector<Structure>& frames) {
    std::vector<Structure> result;
    result.reserve(frames.size());
    for (const Structure& frame : frames)
        result.push_back(result.empty() ? frame : unwrapped(frame, result.back()));
    return result;
}

Eigen::Matrix3Xd mean_square_displacements(const std::vector<Structure>& frames,
                                           const std::vector<int>& atoms) {
    if (frames.empty()) throw InputError("a trajectory without frames has no displacements");
    const std::vector<int> chosen = all_or(atoms, frames.front());
    const Structure& first = frames.front();
    const Eigen::VectorXd masses = first.masses();
    // Along an axis on which something is held, nothing drifts as a whole.
    Eigen::Vector3d drifts = Eigen::Vector3d::Ones();
    if (first.fixed.cols() != 0) drifts = (!first.fixed.rowwise().any()).cast<double>();
    Eigen::Matrix3Xd result(3, static_cast<Eigen::Index>(frames.size()));
    for (std::size_t f = 0; f < frames.size(); ++f) {
        Eigen::Matrix3Xd moved = frames[f].positions - frames.front().positions;
        moved.colwise() -= drifts.cwiseProduct(moved * masses / masses.sum()).eval();
        result.col(static_cast<Eigen::Index>(f)) =
            moved(Eigen::all, chosen).rowwise().squaredNorm() / static_cast<double>(chosen.size());
    }
    return result;
}

std::map<std::string, RadialDistribution> radial_distributions(const std::vector<Structure>& frames,
                                                               double longest, double width) {
    if (frames.empty()) throw InputError("a trajectory without frames has no pair distances");
    if (!(width > 0) || !(longest > width))
        throw InputError("a radial distribution needs a positive bin width and a longer range");
    const auto n_bins = static_cast<std::size_t>(std::llround(longest / width));
    std::map<std::pair<int, int>, std::vector<double>> counts;
    for (const Structure& frame : frames) {
        const NeighborList pairs(frame, longest);
        for (int i = 0; i < frame.size(); ++i)
            for (const Neighbor& pair : pairs.of(i)) {
                const auto bin = static_cast<std::size_t>(pair.distance / width);
                if (bin >= n_bins) continue;
                auto& histogram = counts[{frame.atomic_numbers[static_cast<std::size_t>(i)],
                                          frame.atomic_numbers[static_cast<std::size_t>(pair.j)]}];
                histogram.resize(n_bins, 0);
                ++histogram[bin];
            }
    }
    std::map<std::string, RadialDistribution> result;
    const Structure& first = frames.front();
    const Space space(first);
    for (const auto& [elements, histogram] : counts) {
        const auto& [around, counted] = elements;
        RadialDistribution d;
        d.width = width;
        double sum = 0;
        for (std::size_t k = 0; k < n_bins; ++k) {
            const double each = histogram[k] / first.count(around) / static_cast<double>(frames.size());
            sum += each;
            d.neighbors.push_back(each / width);
            d.coordination.push_back(sum);
            const double even = space.neighbors((static_cast<double>(k) + 0.5) * width, first.count(counted));
            if (even > 0) d.g.push_back(d.neighbors.back() / even);
        }
        result[element_symbol(around) + "-" + element_symbol(counted)] = std::move(d);
    }
    return result;
}

double lindemann_index(const std::vector<Structure>& frames, const std::vector<Bond>& pairs) {
    if (frames.size() < 2) throw InputError("a Lindemann index needs at least two frames");
    if (pairs.empty()) throw InputError("a Lindemann index needs at least one pair of atoms");
    double sum = 0;
    for (const Bond& pair : pairs) {
        // About the first length, so that nothing cancels.
        const auto length = [&](const Structure& frame) {
            const Eigen::Vector3d shift =
                frame.cell.vectors * Eigen::Vector3d(pair.image[0], pair.image[1], pair.image[2]);
            return (frame.positions.col(pair.j) + shift - frame.positions.col(pair.i)).norm();
        };
        const double first = length(frames.front()), n = static_cast<double>(frames.size());
        double mean = 0, square = 0;
        for (const Structure& frame : frames) {
            const double d = length(frame) - first;
            mean += d / n;
            square += d * d / n;
        }
        sum += std::sqrt(std::max(0.0, square - mean * mean)) / (first + mean);
    }
    return sum / static_cast<double>(pairs.size());
}

VibrationalDensity vibrational_density(const std::vector<Structure>& frames, double spacing, int longest_lag,
                                       const std::vector<int>& atoms) {
    if (frames.size() < 8)
        throw InputError(fmt::format("{} frames are too few for a density of states; 8 are needed at least",
                                     frames.size()));
    if (!(spacing > 0)) throw InputError("the time between frames must be positive");
    const std::vector<int> chosen = all_or(atoms, frames.front());
    const Eigen::VectorXd root_masses = frames.front().masses().cwiseSqrt();
    const auto n_frames = static_cast<Eigen::Index>(frames.size());
    Eigen::MatrixXd v(3 * static_cast<Eigen::Index>(chosen.size()), n_frames);  // sqrt(m) v
    for (Eigen::Index f = 0; f < n_frames; ++f) {
        const Structure& frame = frames[static_cast<std::size_t>(f)];
        if (frame.velocities.cols() != frame.size())
            throw InputError("a frame of the trajectory has no velocities");
        for (std::size_t k = 0; k < chosen.size(); ++k)
            v.col(f).segment<3>(3 * static_cast<Eigen::Index>(k)) =
                root_masses(chosen[k]) * frame.velocities.col(chosen[k]);
    }
    const Eigen::Index lags =
        longest_lag > 0 ? std::min<Eigen::Index>(longest_lag + 1, n_frames - 1) : n_frames / 2;
    Eigen::VectorXd correlation(lags);
    for (Eigen::Index lag = 0; lag < lags; ++lag)
        correlation(lag) = v.leftCols(n_frames - lag).cwiseProduct(v.rightCols(n_frames - lag)).sum() /
                           static_cast<double>(n_frames - lag);
    for (Eigen::Index lag = 0; lag < lags; ++lag)
        correlation(lag) *= 0.5 * (1 + std::cos(pi * static_cast<double>(lag) / static_cast<double>(lags)));

    VibrationalDensity result;
    result.highest = pi / spacing;                                       // Nyquist
    result.resolution = 2 * pi / (static_cast<double>(lags) * spacing);  // of the Hann window
    const auto points = static_cast<int>(4 * lags);
    double area = 0;
    const double step = result.highest / points;
    for (int p = 0; p <= points; ++p) {
        const double omega = p * step;
        double sum = correlation(0) / 2;
        for (Eigen::Index lag = 1; lag < lags; ++lag)
            sum += correlation(lag) * std::cos(omega * static_cast<double>(lag) * spacing);
        result.frequencies.push_back(omega);
        result.density.push_back(std::max(0.0, sum));
        area += result.density.back() * step * (p == 0 || p == points ? 0.5 : 1);
    }
    if (area > 0)
        for (double& value : result.density) value /= area;
    return result;
}

}  // namespace stembridge::md
