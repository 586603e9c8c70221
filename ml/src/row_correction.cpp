// SPDX-License-Identifier: Apache-2.0
// A smooth displacement of rows by penalised least squares.
#include "stembridge/ml/row_correction.hpp"

#include <algorithm>
#include <cmath>

#include "filters.hpp"

namespace stembridge::ml {
namespace {

using Vector = Eigen::Vector2d;

/// The misfit of one lattice vector: u(to) - u(from) should be this.
struct Misfit {
    double from_y, to_y;
    Vector value;
    bool left_out;  ///< in the second half of the columns
};

/// Weights of the two knots around a row.
struct Between {
    Eigen::Index knot;
    double share;  ///< of the knot after
    Between(double y, double spacing, Eigen::Index knots)
        : knot(std::clamp<Eigen::Index>(static_cast<Eigen::Index>(y / spacing), 0, knots - 2)),
          share(y / spacing - static_cast<double>(knot)) {}
};

std::vector<Misfit> misfits(const LatticeCalibration& calibration, const Detections& atoms, double block_px) {
    std::vector<Vector> points;
    for (const Detection& atom : atoms)
        if (atom.atomic_number == 6) points.emplace_back(atom.x_px, atom.y_px);
    std::vector<Misfit> result;
    if (points.empty()) return result;
    const Eigen::Matrix2d& lattice = calibration.lattice_px;
    const Eigen::Matrix2d inverse = lattice.inverse();
    const double longest = std::max(lattice.col(0).norm(), lattice.col(1).norm());
    const NeighborBins bins(points, 1.25 * longest);
    std::vector<int> near;
    for (std::size_t i = 0; i < points.size(); ++i) {
        bins.within(points[i], 1.25 * longest, near);
        for (const int j : near) {
            if (j <= static_cast<int>(i)) continue;
            const Vector& other = points[static_cast<std::size_t>(j)];
            const Vector v = other - points[i], index = inverse * v;
            const Vector whole(std::round(index.x()), std::round(index.y()));
            constexpr double tolerance = 0.2;
            if (whole.squaredNorm() + whole.prod() != 1 || (index - whole).norm() > tolerance) continue;
            const bool odd = static_cast<std::int64_t>(0.5 * (other.x() + points[i].x()) / block_px) % 2 != 0;
            result.push_back({points[i].y(), other.y(), v - lattice * whole, odd});
        }
    }
    return result;
}

/// Normal equations of the misfits of one half (or both), and of the bending.
class Rows {
  public:
    Rows(const std::vector<Misfit>& misfits, double spacing, Eigen::Index knots)
        : misfits_(misfits), spacing_(spacing), knots_(knots), bending_(Eigen::MatrixXd::Zero(knots, knots)) {
        for (Eigen::Index k = 1; k + 1 < knots; ++k) {
            Eigen::VectorXd row = Eigen::VectorXd::Zero(knots);
            row.segment<3>(k - 1) << 1, -2, 1;
            bending_ += row * row.transpose();
        }
    }
    /// u of the knots (knots, 2). @param all both halves, not the first alone
    Eigen::MatrixX2d solve(double stiffness, bool all) const {
        Eigen::MatrixXd normal = stiffness * bending_ + 1e-6 * Eigen::MatrixXd::Identity(knots_, knots_);
        Eigen::MatrixX2d right = Eigen::MatrixX2d::Zero(knots_, 2);
        for (const Misfit& misfit : misfits_) {
            if (misfit.left_out && !all) continue;
            for (const auto& [a, wa] : weights(misfit)) {
                right.row(a) += wa * misfit.value.transpose();
                for (const auto& [b, wb] : weights(misfit)) normal(a, b) += wa * wb;
            }
        }
        return normal.ldlt().solve(right);
    }
    /// Sum of squares that u leaves of the half it has not seen.
    double left_of_the_rest(const Eigen::MatrixX2d& u) const {
        double sum = 0;
        for (const Misfit& misfit : misfits_) {
            if (!misfit.left_out) continue;
            Vector rest = misfit.value;
            for (const auto& [knot, weight] : weights(misfit)) rest -= weight * u.row(knot).transpose();
            sum += rest.squaredNorm();
        }
        return sum;
    }

  private:
    std::array<std::pair<Eigen::Index, double>, 4> weights(const Misfit& misfit) const {
        const Between to(misfit.to_y, spacing_, knots_), from(misfit.from_y, spacing_, knots_);
        return {{{to.knot, 1 - to.share},
                 {to.knot + 1, to.share},
                 {from.knot, from.share - 1},
                 {from.knot + 1, -from.share}}};
    }
    const std::vector<Misfit>& misfits_;
    double spacing_;
    Eigen::Index knots_;
    Eigen::MatrixXd bending_;
};

}  // namespace

Eigen::Vector2d RowCorrection::at(double y_px) const {
    if (knots_px.size() < 2) return Vector::Zero();
    const double last = spacing_px * static_cast<double>(knots_px.size() - 1);
    const Between place(std::clamp(y_px, 0.0, last), spacing_px, static_cast<Eigen::Index>(knots_px.size()));
    const auto knot = static_cast<std::size_t>(place.knot);
    return (1 - place.share) * knots_px[knot] + place.share * knots_px[knot + 1];
}

double RowCorrection::rms_px() const {
    double squares = 0;
    for (const Vector& u : knots_px) squares += u.squaredNorm();
    return knots_px.empty() ? 0 : std::sqrt(squares / static_cast<double>(knots_px.size()));
}

RowCorrection row_correction(const LatticeCalibration& calibration, const Detections& atoms, int height_px) {
    RowCorrection result;
    if (calibration.lattice_px.determinant() == 0 || height_px < 2) return result;
    // An atom is as wide as 1 angstrom of rows: nothing faster can be seen in it.
    result.spacing_px = 1.0 / calibration.scale_angstrom;
    const double block_px = 10.0 / calibration.scale_angstrom;
    const std::vector<Misfit> found = misfits(calibration, atoms, block_px);
    const auto unseen = std::count_if(found.begin(), found.end(), [](const Misfit& m) { return m.left_out; });
    constexpr std::ptrdiff_t fewest = 100;
    if (unseen < fewest || static_cast<std::ptrdiff_t>(found.size()) - unseen < fewest) return result;
    const auto knots = static_cast<Eigen::Index>(std::ceil((height_px - 1) / result.spacing_px)) + 1;
    if (knots < 4) return result;
    const Rows rows(found, result.spacing_px, knots);
    const double before = rows.left_of_the_rest(Eigen::MatrixX2d::Zero(knots, 2));
    double best = before, best_stiffness = 0;
    for (double stiffness = 1e6; stiffness > 0.5; stiffness /= 10) {
        const double after = rows.left_of_the_rest(rows.solve(stiffness, false));
        if (after < best) {
            best = after;
            best_stiffness = stiffness;
        }
    }
    // Noise alone predicts a little of itself by chance.
    constexpr double least_improvement = 0.003;
    if (best > (1 - least_improvement) * before) return result;
    result.improvement = 1 - best / before;
    Eigen::MatrixX2d u = rows.solve(best_stiffness, true);
    // Mean and slope belong to the calibration.
    Eigen::MatrixX2d line(knots, 2);
    line.col(0).setOnes();
    line.col(1).setLinSpaced(knots, -1, 1);
    u -= line * (line.transpose() * line).inverse() * (line.transpose() * u);
    for (Eigen::Index k = 0; k < knots; ++k) result.knots_px.emplace_back(u.row(k).transpose());
    return result;
}

}  // namespace stembridge::ml
