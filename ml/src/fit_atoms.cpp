// SPDX-License-Identifier: Apache-2.0
// Gauss-Seidel sweeps of small weighted least-squares problems, one per atom: Fisher's scoring.
#include "fit_atoms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "atoms_beyond_frame.hpp"
#include "filters.hpp"
#include "frame_model.hpp"
#include "position_errors.hpp"

namespace stembridge::ml {
namespace {

using Vector = Eigen::Vector2d;

constexpr double glow_window_angstrom = 1.2;
/// Where starts miss atoms: reaches no neighbour, whose light would pull.
constexpr double narrow_window_angstrom = 0.85;
constexpr double background_angstrom = 2.0;
constexpr double largest_move_angstrom = 0.12, stray_angstrom = 0.3, stray_sigmas = 3;
constexpr int sweeps = 8, held_sweeps = 4, profile_sweeps = 4;
/// A profile needs atoms whose places are known: brightness of C over its error where there is no prior.
constexpr double least_signal = 10;
/// Pixels up to here tell of the profile.
constexpr double profile_angstrom = 2.0;
/// Weights of its Gaussians as they are for probes of 0.9 to 1.3 angstrom, and how they vary.
constexpr std::array<double, ProbeProfile::components> usual_weights{0, 0.4, 0.6, 0, 0},
    usual_weight_spread{0.2, 0.3, 0.3, 0.2, 0.1};

class Fitter {
  public:
    Fitter(FrameModel start, KnownStarts known) : frame_(std::move(start)), known_(std::move(known)) {}

    AtomFit run() {
        for (int sweep = 0; sweep < sweeps; ++sweep) {
            const bool last = sweep + 1 == sweeps;
            if (sweep == held_sweeps) held_ = false;
            improve_all();
            frame_.typical = frame_.median_amplitude();
            frame_.measure_carbon_spread();
            if (sweep == 0 && !frame_.free_levels && frame_.carbon_spread > 0) continue_beyond_frame();
            if (sweep >= 1 && sweep <= profile_sweeps) improve_profile();
            frame_.render();
            if (sweep <= profile_sweeps)
                frame_.background =
                    gaussian_blur(frame_.image - frame_.model, background_angstrom / frame_.scale);
            frame_.measure_background();
            if (last || (sweep < held_sweeps && sweep % 2 == 0)) {
                frame_.measure_variance();
                frame_.measure_correlation();
                if (last || held_) predict_errors(frame_, known_);
            }
        }
        if (known_.combined && known_.count() > 0) combine_with_start();
        if (!known_.combined) take_back_strays();
        frame_.atoms.resize(frame_.found);
        return {frame_.atoms,
                frame_.profile,
                frame_.typical,
                frame_.correlation,
                frame_.background,
                frame_.usual_background,
                frame_.image - frame_.model - frame_.background};
    }

  private:
    /// Light from outside pulls at the atoms near the border unless there are atoms that it belongs to.
    void continue_beyond_frame() {
        std::vector<Vector> positions;
        std::vector<char> carbon;
        for (const FittedAtom& atom : frame_.found_atoms()) {
            positions.emplace_back(atom.x, atom.y);
            carbon.push_back(atom.shared < outshining * frame_.typical);
        }
        for (const Vector& place :
             atoms_beyond_frame(positions, carbon, frame_.map, static_cast<int>(frame_.image.cols()),
                                static_cast<int>(frame_.image.rows()), ProbeProfile::reach_angstrom)) {
            FittedAtom atom;
            atom.x = place.x();
            atom.y = place.y();
            atom.amplitude = atom.shared = frame_.typical;
            frame_.atoms.push_back(atom);
            frame_.start.push_back(place);
        }
    }

    /// Each atom once. Strips of the frame with another strip between them share no pixel: every second one
    /// side by side, then those between, with the same result for any number of threads.
    void improve_all() {
        const double width =
            2 * (ProbeProfile::reach_angstrom + largest_move_angstrom) / frame_.smallest_scale;
        std::vector<std::vector<std::size_t>> strips(
            static_cast<std::size_t>(static_cast<double>(frame_.image.cols()) / width) + 1);
        for (std::size_t i = 0; i < frame_.atoms.size(); ++i) {
            const double strip =
                std::clamp(frame_.atoms[i].x / width, 0.0, static_cast<double>(strips.size() - 1));
            strips[static_cast<std::size_t>(strip)].push_back(i);
        }
        for (std::size_t first = 0; first < 2; ++first)
#pragma omp parallel for schedule(dynamic)
            for (std::size_t strip = first; strip < strips.size(); strip += 2)
                for (const std::size_t i : strips[strip]) improve(i);
    }

    /// I - B - others ~ A p + q_x dp/dx + q_y dp/dy + b: linear unknowns, then r moves by q / A. The level b
    /// is 0 but in the rough glow of contamination.
    void improve(std::size_t i) {
        FittedAtom& atom = frame_.atoms[i];
        frame_.add(frame_.model, atom, -1);
        const bool glows = frame_.in_glow(atom);
        const double radius = frame_.free_levels ? narrow_window_angstrom
                              : glows            ? glow_window_angstrom
                                                 : window_angstrom;
        Eigen::Matrix4d normal = Eigen::Matrix4d::Zero();
        Eigen::Vector4d right = Eigen::Vector4d::Zero();
        int pixels = 0;
        frame_.window(atom.x, atom.y, radius, [&](int row, int column, const Vector& d, double r2) {
            const double p = frame_.profile.value(r2),
                         others = frame_.model(row, column) + frame_.background(row, column);
            // p(|S (r - r_i)|): dp/dr_i = -2 p'(r^2) S^T S (r - r_i)
            const Vector slope = -2 * frame_.profile.slope(r2) * (frame_.metric * d);
            const Eigen::Vector4d basis(p, slope.x(), slope.y(), 1);
            const double w = frame_.weight(others + atom.shared * p);
            normal.noalias() += w * basis * basis.transpose();
            right += w * (frame_.image(row, column) - others) * basis;
            ++pixels;
        });
        if (pixels >= 12 && normal(0, 0) > 0) {
            if (!frame_.free_levels && !glows) {
                normal.row(3).setZero();
                normal.col(3).setZero();
                normal(3, 3) = 1;
                right(3) = 0;
            }
            // What the frame alone says of the brightness; like C, it is drawn to that of C.
            const Eigen::Matrix2d brightness = normal({0, 3}, {0, 3});
            const Eigen::Matrix2d covariance = brightness.inverse();
            atom.amplitude = std::max(0.0, covariance.row(0).dot(Eigen::Vector2d(right(0), right(3))));
            atom.amplitude_error = std::sqrt(frame_.correlation * std::max(covariance(0, 0), 0.0));
            const Prior prior = prior_of(i);
            normal.topLeftCorner<3, 3>() += prior.normal;
            right.head<3>() += prior.right + prior.normal.col(0) * atom.shared;
            const Eigen::Vector4d solution = normal.ldlt().solve(right);
            if (solution.allFinite()) {
                atom.shared = std::max(0.0, solution(0));
                if (!still_ && atom.shared > 0.15 * frame_.typical)
                    move(i, solution.segment<2>(1) / atom.shared);
            }
        } else if (i >= frame_.found)
            atom.shared = frame_.typical;
        frame_.add(frame_.model, atom, 1);
    }

    /// What is known of an atom without its pixels, for changes of A and q: C are alike, known starts hold
    /// while the profile is measured, and what is outside of the frame is where the sheet goes on.
    struct Prior {
        Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
        Eigen::Vector3d right = Eigen::Vector3d::Zero();
    };
    Prior prior_of(std::size_t i) const {
        const FittedAtom& atom = frame_.atoms[i];
        Prior prior;
        if (frame_.like_carbon(i)) {
            prior.normal(0, 0) = frame_.carbon_information();
            prior.right(0) = frame_.carbon_information() * (frame_.typical - atom.shared);
        }
        // r + q / A has this error around the start.
        double error_angstrom = 0;
        if (i >= frame_.found)
            error_angstrom = beyond_error_angstrom;
        else if (held_ && i < known_.count())
            error_angstrom = atom.start_angstrom;
        if (error_angstrom > 0 && atom.shared > 0) {
            const Eigen::Matrix2d strength =
                frame_.correlation /
                std::pow(error_angstrom * std::max(atom.shared, 0.1 * frame_.typical), 2) * frame_.metric;
            prior.normal.bottomRightCorner<2, 2>() = strength;
            prior.right.tail<2>() = atom.shared * strength * (frame_.start[i] - Vector(atom.x, atom.y));
        }
        return prior;
    }

    void move(std::size_t i, const Vector& by) {
        const double step = by.norm(), most = largest_move_angstrom / frame_.scale;
        Vector away = Vector(frame_.atoms[i].x, frame_.atoms[i].y) + (step > most ? most / step : 1) * by -
                      frame_.start[i];
        const double farthest = farthest_angstrom / frame_.scale;
        if (away.norm() > farthest) away *= farthest / away.norm();
        frame_.atoms[i].x = frame_.start[i].x() + away.x();
        frame_.atoms[i].y = frame_.start[i].y() + away.y();
    }

    /// Weights of the profile's Gaussians by least squares over the surroundings of all atoms outside of
    /// glow, together with the brightness and place of each, which are eliminated atom by atom (Schur's
    /// complement). What the background would take up, of the frame and of the Gaussians, is taken out first.
    void improve_profile() {
        constexpr std::size_t k = ProbeProfile::components;
        if (!held_ && frame_.median_error() * least_signal > frame_.typical) return;
        const Pixels& image = frame_.image;
        const double slow = background_angstrom / frame_.scale;
        std::array<Pixels, k> parts;
#pragma omp parallel for
        for (std::size_t c = 0; c < k; ++c) {
            parts[c] = Pixels::Zero(image.rows(), image.cols());
            const double w = ProbeProfile::widths_angstrom[c];
            const ProbeProfile gaussian(w);
            for (const FittedAtom& atom : frame_.atoms)
                frame_.window(atom.x, atom.y, std::min(4 * w, ProbeProfile::reach_angstrom),
                              [&](int row, int column, const Vector&, double r2) {
                                  parts[c](row, column) +=
                                      static_cast<float>(atom.shared * gaussian.value(r2));
                              });
            parts[c] -= gaussian_blur(parts[c], slow);
        }
        const Pixels rest = image - gaussian_blur(image, slow);
        // Each pixel tells of its nearest atom.
        using Indices = Eigen::Array<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        Indices owner = Indices::Constant(image.rows(), image.cols(), -1);
        Pixels nearest = Pixels::Constant(image.rows(), image.cols(), std::numeric_limits<float>::max());
        for (std::size_t i = 0; i < frame_.atoms.size(); ++i)
            frame_.window(frame_.atoms[i].x, frame_.atoms[i].y,
                          frame_.free_levels ? narrow_window_angstrom : profile_angstrom,
                          [&](int row, int column, const Vector&, double r2) {
                              if (r2 >= nearest(row, column)) return;
                              nearest(row, column) = static_cast<float>(r2);
                              owner(row, column) = static_cast<int>(i);
                          });
        struct Equations {
            Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
            Eigen::Matrix<double, 3, k> mixed = Eigen::Matrix<double, 3, k>::Zero();
            Eigen::Vector3d right = Eigen::Vector3d::Zero();
        };
        std::vector<Equations> atoms(frame_.atoms.size());
        std::vector<char> glows;
        for (const FittedAtom& atom : frame_.atoms)
            glows.push_back(frame_.in_glow(atom) ||
                            (frame_.free_levels && atom.amplitude > outshining * frame_.typical));
        Eigen::Matrix<double, k, k> normal = Eigen::Matrix<double, k, k>::Zero();
        Eigen::Matrix<double, k, 1> right = Eigen::Matrix<double, k, 1>::Zero();
        for (Eigen::Index y = 0; y < image.rows(); ++y)
            for (Eigen::Index x = 0; x < image.cols(); ++x) {
                if (owner(y, x) < 0 || glows[static_cast<std::size_t>(owner(y, x))]) continue;
                const auto i = static_cast<std::size_t>(owner(y, x));
                Eigen::Matrix<double, k, 1> basis;
                for (std::size_t c = 0; c < k; ++c) basis(static_cast<Eigen::Index>(c)) = parts[c](y, x);
                const Vector d(static_cast<double>(x) - frame_.atoms[i].x,
                               static_cast<double>(y) - frame_.atoms[i].y);
                const double r2 = d.dot(frame_.metric * d);
                const Vector slope = -2 * frame_.profile.slope(r2) * (frame_.metric * d);
                const Eigen::Vector3d own(frame_.profile.value(r2), slope.x(), slope.y());
                const double w = frame_.weight(frame_.model(y, x) + frame_.background(y, x));
                normal.noalias() += w * basis * basis.transpose();
                right += w * rest(y, x) * basis;
                atoms[i].normal += w * own * own.transpose();
                atoms[i].mixed += w * own * basis.transpose();
                atoms[i].right += w * rest(y, x) * own;
            }
        for (std::size_t i = 0; i < frame_.atoms.size(); ++i) {
            Equations& atom = atoms[i];
            if (!(atom.normal(0, 0) > 0)) continue;
            // A little is asked of directions that the pixels do not see.
            atom.normal.diagonal() *= 1 + 1e-6;
            const Prior prior = prior_of(i);
            const Eigen::Matrix3d inverse = (atom.normal + prior.normal).inverse();
            normal -= atom.mixed.transpose() * inverse * atom.mixed;
            right -= atom.mixed.transpose() * inverse * (atom.right + prior.right);
        }
        // Few electrons in a perfect lattice hardly tell Gaussians from each other and the wide ones from the
        // background.
        for (std::size_t c = 0; c < k; ++c) {
            const auto row = static_cast<Eigen::Index>(c);
            const double information = frame_.correlation / std::pow(usual_weight_spread[c], 2);
            normal(row, row) += information;
            right(row) += information * usual_weights[c];
        }
        const Eigen::Matrix<double, k, 1> solution = normal.ldlt().solve(right);
        std::array<double, k> weights;
        double top = 0;
        for (std::size_t c = 0; c < k; ++c) top += weights[c] = solution(static_cast<Eigen::Index>(c));
        if (!solution.allFinite() || top < 0.3 || top > 3) return;
        const ProbeProfile candidate(weights);
        if (candidate.fwhm_angstrom() < 0.5 || candidate.fwhm_angstrom() > 2.0) return;
        frame_.profile = candidate;
        for (FittedAtom& atom : frame_.atoms) {
            atom.amplitude *= top;
            atom.shared *= top;
        }
        frame_.typical *= top;
    }

    /// The best linear combination of two measurements with correlated errors; then the brightness there.
    void combine_with_start() {
        for (std::size_t i = 0; i < known_.count(); ++i) {
            FittedAtom& atom = frame_.atoms[i];
            const double fit = atom.fit_angstrom, start = atom.start_angstrom,
                         covariance = known_.correlation * fit * start;
            const double share = std::clamp(
                (start * start - covariance) / (fit * fit + start * start - 2 * covariance), 0.0, 1.0);
            atom.x = frame_.start[i].x() + share * (atom.x - frame_.start[i].x());
            atom.y = frame_.start[i].y() + share * (atom.y - frame_.start[i].y());
            atom.sigma_angstrom = std::sqrt(std::pow(share * fit, 2) + std::pow((1 - share) * start, 2) +
                                            2 * share * (1 - share) * covariance);
        }
        frame_.render();
        still_ = true;
        improve_all();
        frame_.render();
        frame_.typical = frame_.median_amplitude();
    }

    /// A fit far from where the atom was known to be has found something else.
    void take_back_strays() {
        for (std::size_t i = 0; i < known_.count(); ++i) {
            FittedAtom& atom = frame_.atoms[i];
            const double away = (frame_.map * (Vector(atom.x, atom.y) - frame_.start[i])).norm();
            if (away <
                std::max(stray_angstrom, stray_sigmas * std::hypot(atom.fit_angstrom, atom.start_angstrom)))
                continue;
            atom.x = frame_.start[i].x();
            atom.y = frame_.start[i].y();
            atom.sigma_angstrom = atom.start_angstrom;
        }
    }

    FrameModel frame_;
    KnownStarts known_;
    bool held_ = known_.count() > 0, still_ = false;
};

}  // namespace

AtomFit fit_atoms(const Pixels& image, const std::vector<Vector>& start,
                  const Eigen::Matrix2d& angstrom_per_pixel, const KnownStarts& known, bool free_levels) {
    if (start.empty()) return {};
    return Fitter({image, start, angstrom_per_pixel, free_levels}, known).run();
}

}  // namespace stembridge::ml
