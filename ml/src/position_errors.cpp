// SPDX-License-Identifier: Apache-2.0
#include "position_errors.hpp"

#include <algorithm>

#include "filters.hpp"

namespace stembridge::ml {
namespace {

using Vector = FrameModel::Vector;

/// Neighbours up to here are fitted together with an atom when its error is predicted.
constexpr double neighbor_angstrom = 1.9, judged_angstrom = 1.1;
/// What stays without noise, from what the model lacks [measured on simulated frames].
constexpr double model_error_angstrom = 0.003, bright_neighbor_error_angstrom = 0.01;
/// Errors where the places of the neighbours' neighbours are unknown as well, over those where they are
/// known: 1.02 to 1.05, the more the atoms overlap [Fisher's information of the sheet].
constexpr double cost_of_farther_neighbors = 1.03;
/// Errors where each window has a level of its own, over those without [measured on simulated frames].
constexpr double cost_of_level = 1.25;

/// Variance per axis, angstrom^2, of the first of a group, for independent pixels.
double position_variance(const FrameModel& frame, const std::vector<const FittedAtom*>& group) {
    constexpr int most = 15;
    Eigen::Matrix<double, most, most> information = Eigen::Matrix<double, most, most>::Zero();
    const int n = 3 * static_cast<int>(group.size());
    // What a faint atom would say of its position if it were brighter: nothing is divided by 0.
    const auto amplitude = [&](const FittedAtom& a) { return std::max(a.shared, 0.1 * frame.typical); };
    Eigen::Matrix<double, most, 1> basis;
    for (const FittedAtom* middle : group)
        frame.window(middle->x, middle->y, judged_angstrom, [&](int row, int column, const Vector&, double) {
            // Each pixel once, for the nearest atom of the group.
            const Vector pixel(column, row);
            const auto distance2 = [&](const FittedAtom& a) {
                const Vector d = pixel - Vector(a.x, a.y);
                return d.dot(frame.metric * d);
            };
            const double own = distance2(*middle);
            for (const FittedAtom* other : group)
                if (other != middle && distance2(*other) < own) return;
            int column_of = 0;
            for (const FittedAtom* a : group) {
                const Vector d = frame.map * (pixel - Vector(a->x, a->y));
                const double r2 = d.squaredNorm();
                const Vector slope = -2 * frame.profile.slope(r2) * d;
                basis(column_of++) = amplitude(*a) * slope.x();
                basis(column_of++) = amplitude(*a) * slope.y();
                basis(column_of++) = frame.profile.value(r2);
            }
            const double w = frame.weight(frame.model(row, column) + frame.background(row, column));
            information.topLeftCorner(n, n).selfadjointView<Eigen::Lower>().rankUpdate(basis.head(n), w);
        });
    for (std::size_t k = 0; k < group.size(); ++k) {
        const auto i = static_cast<std::size_t>(group[k] - frame.atoms.data());
        const auto first = static_cast<Eigen::Index>(3 * k);
        if (frame.like_carbon(i)) information(first + 2, first + 2) += frame.carbon_information();
        if (i < frame.found) continue;
        for (const Eigen::Index axis : {first, first + 1})
            information(axis, axis) += frame.correlation / std::pow(beyond_error_angstrom, 2);
    }
    const Eigen::MatrixXd covariance =
        information.topLeftCorner(n, n).ldlt().solve(Eigen::MatrixXd::Identity(n, n));
    const double variance = 0.5 * (covariance(0, 0) + covariance(1, 1));
    return std::isfinite(variance) && variance > 0 ? variance : farthest_angstrom * farthest_angstrom;
}

}  // namespace

void predict_errors(FrameModel& frame, const KnownStarts& known) {
    std::vector<Vector> positions;
    for (const FittedAtom& atom : frame.atoms) positions.emplace_back(atom.x, atom.y);
    const NeighborBins bins(positions, neighbor_angstrom / frame.smallest_scale);
#pragma omp parallel for schedule(dynamic, 32)
    for (std::size_t i = 0; i < frame.found; ++i) {
        FittedAtom& atom = frame.atoms[i];
        std::vector<int> near;
        std::vector<const FittedAtom*> group{&atom};
        bins.within(positions[i], neighbor_angstrom / frame.smallest_scale, near);
        std::sort(near.begin(), near.end(), [&](int a, int b) {
            return (positions[static_cast<std::size_t>(a)] - positions[i]).squaredNorm() <
                   (positions[static_cast<std::size_t>(b)] - positions[i]).squaredNorm();
        });
        for (const int j : near) {
            const Vector away = frame.map * (positions[static_cast<std::size_t>(j)] - positions[i]);
            if (j != static_cast<int>(i) && away.norm() < neighbor_angstrom && group.size() < 5)
                group.push_back(&frame.atoms[static_cast<std::size_t>(j)]);
        }
        const double variance = position_variance(frame, group);
        const double noise = std::sqrt(frame.correlation * variance) * cost_of_farther_neighbors *
                             (frame.free_levels || frame.in_glow(atom) ? cost_of_level : 1);
        const bool outshone = std::any_of(group.begin() + 1, group.end(), [&](const FittedAtom* a) {
            return a->shared > outshining * std::max(atom.shared, frame.typical);
        });
        atom.fit_angstrom = std::min(
            farthest_angstrom,
            std::hypot(noise, model_error_angstrom, outshone ? bright_neighbor_error_angstrom : 0.0));
        atom.sigma_angstrom = atom.fit_angstrom;
        if (i < known.count()) atom.start_angstrom = known.error(i, noise);
    }
}

}  // namespace stembridge::ml
