// SPDX-License-Identifier: Apache-2.0
// Gauss-Seidel sweeps of small weighted least-squares problems, one per atom: Fisher's scoring.
#include "fit_atoms.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <span>

#include "atoms_beyond_frame.hpp"
#include "filters.hpp"

namespace stembridge::ml {
namespace {

using Vector = Eigen::Vector2d;

constexpr double window_angstrom = 1.5, glow_window_angstrom = 1.2, first_width_angstrom = 0.45;
/// Where starts miss atoms: reaches no neighbour, whose light would pull.
constexpr double narrow_window_angstrom = 0.85;
constexpr double background_angstrom = 2.0;
constexpr double largest_move_angstrom = 0.12, farthest_angstrom = 0.6, stray_angstrom = 0.3,
                 stray_sigmas = 3;
constexpr int sweeps = 8, held_sweeps = 4, profile_sweeps = 4;
/// A profile needs atoms whose places are known: brightness of C over its error where there is no prior.
constexpr double least_signal = 10;
/// Pixels up to here tell of the profile.
constexpr double profile_angstrom = 2.0;
/// Weights of its Gaussians as they are for probes of 0.9 to 1.3 angstrom, and how they vary.
constexpr std::array<double, ProbeProfile::components> usual_weights{0, 0.4, 0.6, 0, 0},
    usual_weight_spread{0.2, 0.3, 0.3, 0.2, 0.1};
/// How well the place of an atom outside of the frame is known before its light is looked at.
constexpr double beyond_error_angstrom = 0.06;
/// Neighbours up to here are fitted together with an atom when its error is predicted.
constexpr double neighbor_angstrom = 1.9, judged_angstrom = 1.1;
/// What stays without noise, from what the model lacks [measured on simulated frames].
constexpr double model_error_angstrom = 0.003, bright_neighbor_error_angstrom = 0.01;
/// Variance of white noise that the fit of the atoms around a hollow leaves there [measured on simulated
/// frames].
constexpr double left_in_hollows = 0.8;
/// Errors where the places of the neighbours' neighbours are unknown as well, over those where they are
/// known: 1.02 to 1.05, the more the atoms overlap [Fisher's information of the sheet].
constexpr double cost_of_farther_neighbors = 1.03;
/// Brightness over that of C from which an atom outshines its neighbours: what its image lacks in the model
/// pulls at them.
constexpr double outshining = 2.5;
constexpr double least_carbon_spread = 0.03;
/// Errors where each window has a level of its own, over those without [measured on simulated frames].
constexpr double cost_of_level = 1.25;

class Fitter {
  public:
    Fitter(const Pixels& image, const std::vector<Vector>& start, const Eigen::Matrix2d& angstrom_per_pixel,
           const KnownStarts& known, bool free_levels)
        : image_(image),
          start_(start),
          map_(angstrom_per_pixel),
          metric_(angstrom_per_pixel.transpose() * angstrom_per_pixel),
          scale_(std::sqrt(std::abs(angstrom_per_pixel.determinant()))),
          known_(known),
          free_levels_(free_levels) {
        const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> eigen(metric_);
        smallest_scale_ = std::sqrt(std::max(eigen.eigenvalues()(0), 1e-12));
        const Pixels smooth = gaussian_blur(image, 0.3 / scale_);
        background_ = gaussian_blur(image, 3.0 / scale_);
        for (const auto& p : start) {
            FittedAtom atom;
            atom.x = p.x();
            atom.y = p.y();
            atom.amplitude = atom.shared =
                std::max(0.0, 1.3 * (bilinear(smooth, p.x(), p.y()) - bilinear(background_, p.x(), p.y())));
            atoms_.push_back(atom);
        }
        typical_ = median_amplitude();
        render();
    }

    AtomFit run() {
        for (int sweep = 0; sweep < sweeps; ++sweep) {
            const bool last = sweep + 1 == sweeps;
            if (sweep == held_sweeps) held_ = false;
            improve_all();
            typical_ = median_amplitude();
            measure_carbon_spread();
            if (sweep == 0 && !free_levels_ && carbon_spread_ > 0) continue_beyond_frame();
            if (sweep >= 1 && sweep <= profile_sweeps) improve_profile();
            render();
            if (sweep <= profile_sweeps)
                background_ = gaussian_blur(image_ - model_, background_angstrom / scale_);
            measure_background();
            if (last || (sweep < held_sweeps && sweep % 2 == 0)) {
                measure_variance();
                measure_correlation();
                if (last || held_) predict_errors();
            }
        }
        if (known_.combined && known_.count() > 0) combine_with_start();
        if (!known_.combined) take_back_strays();
        atoms_.resize(found_);
        return {atoms_,
                profile_,
                typical_,
                correlation_,
                background_,
                usual_background_,
                image_ - model_ - background_};
    }

  private:
    /// Calls action(y, x, d) for the pixels within a radius (angstrom) of a position; d in pixels.
    template <class Action>
    void window(double x, double y, double radius, const Action& action) const {
        const double reach = radius / smallest_scale_;
        const int x0 = std::max(0, static_cast<int>(std::ceil(x - reach))),
                  y0 = std::max(0, static_cast<int>(std::ceil(y - reach)));
        const int x1 = std::min(static_cast<int>(image_.cols()) - 1, static_cast<int>(std::floor(x + reach)));
        const int y1 = std::min(static_cast<int>(image_.rows()) - 1, static_cast<int>(std::floor(y + reach)));
        for (int row = y0; row <= y1; ++row)
            for (int column = x0; column <= x1; ++column) {
                const Vector d(column - x, row - y);
                const double r2 = d.dot(metric_ * d);
                if (r2 <= radius * radius) action(row, column, d, r2);
            }
    }

    void add(Pixels& target, const FittedAtom& atom, double sign) const {
        window(atom.x, atom.y, ProbeProfile::reach_angstrom,
               [&](int row, int column, const Vector&, double r2) {
                   target(row, column) += static_cast<float>(sign * atom.shared * profile_.value(r2));
               });
    }
    std::span<const FittedAtom> found() const { return std::span(atoms_).first(found_); }
    /// Light from outside pulls at the atoms near the border unless there are atoms that it belongs to.
    void continue_beyond_frame() {
        std::vector<Vector> positions;
        std::vector<char> carbon;
        for (const FittedAtom& atom : found()) {
            positions.emplace_back(atom.x, atom.y);
            carbon.push_back(atom.shared < outshining * typical_);
        }
        for (const Vector& place :
             atoms_beyond_frame(positions, carbon, map_, static_cast<int>(image_.cols()),
                                static_cast<int>(image_.rows()), ProbeProfile::reach_angstrom)) {
            FittedAtom atom;
            atom.x = place.x();
            atom.y = place.y();
            atom.amplitude = atom.shared = typical_;
            atoms_.push_back(atom);
            start_.push_back(place);
        }
    }
    void render() {
        model_ = Pixels::Zero(image_.rows(), image_.cols());
        for (const FittedAtom& atom : atoms_) add(model_, atom, 1);
    }

    /// 1 / variance of a pixel whose expectation is given.
    double weight(double brightness) const {
        return 1 / std::max(variance_[0] + variance_[1] * brightness, variance_floor_);
    }

    /// Each atom once. Strips of the frame with another strip between them share no pixel: every second one
    /// side by side, then those between, with the same result for any number of threads.
    void improve_all() {
        const double width = 2 * (ProbeProfile::reach_angstrom + largest_move_angstrom) / smallest_scale_;
        std::vector<std::vector<std::size_t>> strips(
            static_cast<std::size_t>(static_cast<double>(image_.cols()) / width) + 1);
        for (std::size_t i = 0; i < atoms_.size(); ++i) {
            const double strip = std::clamp(atoms_[i].x / width, 0.0, static_cast<double>(strips.size() - 1));
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
        FittedAtom& atom = atoms_[i];
        add(model_, atom, -1);
        const bool glows = in_glow(atom);
        const double radius = free_levels_ ? narrow_window_angstrom
                              : glows      ? glow_window_angstrom
                                           : window_angstrom;
        Eigen::Matrix4d normal = Eigen::Matrix4d::Zero();
        Eigen::Vector4d right = Eigen::Vector4d::Zero();
        int pixels = 0;
        window(atom.x, atom.y, radius, [&](int row, int column, const Vector& d, double r2) {
            const double p = profile_.value(r2), others = model_(row, column) + background_(row, column);
            // p(|S (r - r_i)|): dp/dr_i = -2 p'(r^2) S^T S (r - r_i)
            const Vector slope = -2 * profile_.slope(r2) * (metric_ * d);
            const Eigen::Vector4d basis(p, slope.x(), slope.y(), 1);
            const double w = weight(others + atom.shared * p);
            normal.noalias() += w * basis * basis.transpose();
            right += w * (image_(row, column) - others) * basis;
            ++pixels;
        });
        if (pixels >= 12 && normal(0, 0) > 0) {
            if (!free_levels_ && !glows) {
                normal.row(3).setZero();
                normal.col(3).setZero();
                normal(3, 3) = 1;
                right(3) = 0;
            }
            // What the frame alone says of the brightness; like C, it is drawn to that of C.
            const Eigen::Matrix2d brightness = normal({0, 3}, {0, 3});
            const Eigen::Matrix2d covariance = brightness.inverse();
            atom.amplitude = std::max(0.0, covariance.row(0).dot(Eigen::Vector2d(right(0), right(3))));
            atom.amplitude_error = std::sqrt(correlation_ * std::max(covariance(0, 0), 0.0));
            const Prior prior = prior_of(i);
            normal.topLeftCorner<3, 3>() += prior.normal;
            right.head<3>() += prior.right + prior.normal.col(0) * atom.shared;
            const Eigen::Vector4d solution = normal.ldlt().solve(right);
            if (solution.allFinite()) {
                atom.shared = std::max(0.0, solution(0));
                if (!still_ && atom.shared > 0.15 * typical_) move(i, solution.segment<2>(1) / atom.shared);
            }
        } else if (i >= found_)
            atom.shared = typical_;
        add(model_, atom, 1);
    }
    /// What is known of an atom without its pixels, for changes of A and q: C are alike, known starts hold
    /// while the profile is measured, and what is outside of the frame is where the sheet goes on.
    struct Prior {
        Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
        Eigen::Vector3d right = Eigen::Vector3d::Zero();
    };
    Prior prior_of(std::size_t i) const {
        const FittedAtom& atom = atoms_[i];
        Prior prior;
        if (like_carbon(i)) {
            prior.normal(0, 0) = carbon_information();
            prior.right(0) = carbon_information() * (typical_ - atom.shared);
        }
        // r + q / A has this error around the start.
        double error_angstrom = 0;
        if (i >= found_)
            error_angstrom = beyond_error_angstrom;
        else if (held_ && i < known_.count())
            error_angstrom = atom.start_angstrom;
        if (error_angstrom > 0 && atom.shared > 0) {
            const Eigen::Matrix2d strength =
                correlation_ / std::pow(error_angstrom * std::max(atom.shared, 0.1 * typical_), 2) * metric_;
            prior.normal.bottomRightCorner<2, 2>() = strength;
            prior.right.tail<2>() = atom.shared * strength * (start_[i] - Vector(atom.x, atom.y));
        }
        return prior;
    }
    /// The best linear combination of two measurements with correlated errors; then the brightness there.
    void combine_with_start() {
        for (std::size_t i = 0; i < known_.count(); ++i) {
            FittedAtom& atom = atoms_[i];
            const double fit = atom.fit_angstrom, start = atom.start_angstrom,
                         covariance = known_.correlation * fit * start;
            const double share = std::clamp(
                (start * start - covariance) / (fit * fit + start * start - 2 * covariance), 0.0, 1.0);
            atom.x = start_[i].x() + share * (atom.x - start_[i].x());
            atom.y = start_[i].y() + share * (atom.y - start_[i].y());
            atom.sigma_angstrom = std::sqrt(std::pow(share * fit, 2) + std::pow((1 - share) * start, 2) +
                                            2 * share * (1 - share) * covariance);
        }
        render();
        still_ = true;
        improve_all();
        render();
        typical_ = median_amplitude();
    }
    /// A fit far from where the atom was known to be has found something else.
    void take_back_strays() {
        for (std::size_t i = 0; i < known_.count(); ++i) {
            FittedAtom& atom = atoms_[i];
            const double away = (map_ * (Vector(atom.x, atom.y) - start_[i])).norm();
            if (away <
                std::max(stray_angstrom, stray_sigmas * std::hypot(atom.fit_angstrom, atom.start_angstrom)))
                continue;
            atom.x = start_[i].x();
            atom.y = start_[i].y();
            atom.sigma_angstrom = atom.start_angstrom;
        }
    }
    bool in_glow(const FittedAtom& atom) const {
        return std::abs(bilinear(background_, atom.x, atom.y) - usual_background_) > 0.5 * typical_;
    }
    bool in_frame(const Vector& p) const {
        return p.x() >= 0 && p.y() >= 0 && p.x() <= static_cast<double>(image_.cols() - 1) &&
               p.y() <= static_cast<double>(image_.rows() - 1);
    }
    /// What is outside is taken for C.
    bool like_carbon(std::size_t i) const {
        if (!(carbon_spread_ > 0)) return false;
        if (i >= found_ && !in_frame(start_[i])) return true;
        const FittedAtom& atom = atoms_[i];
        const double deviation = std::hypot(atom.amplitude_error, carbon_spread_ * typical_);
        return atom.amplitude < 2 * typical_ && std::abs(atom.amplitude - typical_) < 3 * deviation;
    }
    /// Of the brightness of a C, in the units of normal equations of independent pixels.
    double carbon_information() const {
        return correlation_ / std::pow(carbon_spread_ * typical_, 2);
    }

    void measure_background() {
        std::vector<float> levels;
        for (const FittedAtom& atom : found())
            levels.push_back(static_cast<float>(bilinear(background_, atom.x, atom.y)));
        usual_background_ = quantile(levels, 0.4);
    }

    /// Relative spread of the brightness of C beyond its errors.
    void measure_carbon_spread() {
        std::vector<float> amplitudes, squares;
        for (const FittedAtom& atom : found()) {
            amplitudes.push_back(static_cast<float>(atom.amplitude));
            squares.push_back(static_cast<float>(atom.amplitude_error * atom.amplitude_error));
        }
        if (amplitudes.size() < 20 || !(typical_ > 0)) return;
        const double deviation = (quantile(amplitudes, 0.75) - quantile(amplitudes, 0.25)) / 1.349;
        const double excess2 = deviation * deviation - quantile(squares, 0.5);
        carbon_spread_ = std::max(least_carbon_spread, std::sqrt(std::max(excess2, 0.0)) / typical_);
    }
    void move(std::size_t i, const Vector& by) {
        const double step = by.norm(), most = largest_move_angstrom / scale_;
        Vector away = Vector(atoms_[i].x, atoms_[i].y) + (step > most ? most / step : 1) * by - start_[i];
        const double farthest = farthest_angstrom / scale_;
        if (away.norm() > farthest) away *= farthest / away.norm();
        atoms_[i].x = start_[i].x() + away.x();
        atoms_[i].y = start_[i].y() + away.y();
    }

    /// Weights of the profile's Gaussians by least squares over the surroundings of all atoms outside of
    /// glow, together with the brightness and place of each, which are eliminated atom by atom (Schur's
    /// complement). What the background would take up, of the frame and of the Gaussians, is taken out first.
    void improve_profile() {
        constexpr std::size_t k = ProbeProfile::components;
        if (!held_ && median_error() * least_signal > typical_) return;
        const double slow = background_angstrom / scale_;
        std::array<Pixels, k> parts;
#pragma omp parallel for
        for (std::size_t c = 0; c < k; ++c) {
            parts[c] = Pixels::Zero(image_.rows(), image_.cols());
            const double w = ProbeProfile::widths_angstrom[c];
            const ProbeProfile gaussian(w);
            for (const FittedAtom& atom : atoms_)
                window(atom.x, atom.y, std::min(4 * w, ProbeProfile::reach_angstrom),
                       [&](int row, int column, const Vector&, double r2) {
                           parts[c](row, column) += static_cast<float>(atom.shared * gaussian.value(r2));
                       });
            parts[c] -= gaussian_blur(parts[c], slow);
        }
        const Pixels rest = image_ - gaussian_blur(image_, slow);
        // Each pixel tells of its nearest atom.
        using Indices = Eigen::Array<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        Indices owner = Indices::Constant(image_.rows(), image_.cols(), -1);
        Pixels nearest = Pixels::Constant(image_.rows(), image_.cols(), std::numeric_limits<float>::max());
        for (std::size_t i = 0; i < atoms_.size(); ++i)
            window(atoms_[i].x, atoms_[i].y, free_levels_ ? narrow_window_angstrom : profile_angstrom,
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
        std::vector<Equations> atoms(atoms_.size());
        std::vector<char> glows;
        for (const FittedAtom& atom : atoms_)
            glows.push_back(in_glow(atom) || (free_levels_ && atom.amplitude > outshining * typical_));
        Eigen::Matrix<double, k, k> normal = Eigen::Matrix<double, k, k>::Zero();
        Eigen::Matrix<double, k, 1> right = Eigen::Matrix<double, k, 1>::Zero();
        for (Eigen::Index y = 0; y < image_.rows(); ++y)
            for (Eigen::Index x = 0; x < image_.cols(); ++x) {
                if (owner(y, x) < 0 || glows[static_cast<std::size_t>(owner(y, x))]) continue;
                const auto i = static_cast<std::size_t>(owner(y, x));
                Eigen::Matrix<double, k, 1> basis;
                for (std::size_t c = 0; c < k; ++c) basis(static_cast<Eigen::Index>(c)) = parts[c](y, x);
                const Vector d(static_cast<double>(x) - atoms_[i].x, static_cast<double>(y) - atoms_[i].y);
                const double r2 = d.dot(metric_ * d);
                const Vector slope = -2 * profile_.slope(r2) * (metric_ * d);
                const Eigen::Vector3d own(profile_.value(r2), slope.x(), slope.y());
                const double w = weight(model_(y, x) + background_(y, x));
                normal.noalias() += w * basis * basis.transpose();
                right += w * rest(y, x) * basis;
                atoms[i].normal += w * own * own.transpose();
                atoms[i].mixed += w * own * basis.transpose();
                atoms[i].right += w * rest(y, x) * own;
            }
        for (std::size_t i = 0; i < atoms_.size(); ++i) {
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
            const double information = correlation_ / std::pow(usual_weight_spread[c], 2);
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
        profile_ = candidate;
        for (FittedAtom& atom : atoms_) {
            atom.amplitude *= top;
            atom.shared *= top;
        }
        typical_ *= top;
    }

    /// Variance of a pixel as a line over its expected brightness, from what the model leaves.
    void measure_variance() {
        const Pixels expected = model_ + background_;
        Pixels rest = image_ - expected;
        rest -= gaussian_blur(rest, 0.5 / scale_);
        struct Sample {
            float brightness, square;
        };
        std::vector<Sample> samples;
        const std::size_t every = std::max<std::size_t>(1, found_ / 1000);
        for (std::size_t i = 0; i < found_; i += every) {
            if (atoms_[i].amplitude > 1.8 * typical_) continue;
            window(atoms_[i].x, atoms_[i].y, window_angstrom,
                   [&](int row, int column, const Vector&, double) {
                       const float r = rest(row, column);
                       samples.push_back({expected(row, column), r * r});
                   });
        }
        if (samples.size() < 500) return;
        // Line through the means of sixteen classes of brightness: sorted by halves, quarters, ...
        constexpr std::size_t classes = 16;
        const auto bound = [&samples](std::size_t c) {
            return samples.begin() + static_cast<std::ptrdiff_t>(samples.size() * c / classes);
        };
        for (std::size_t width = classes; width > 1; width /= 2)
            for (std::size_t c = 0; c < classes; c += width)
                std::nth_element(
                    bound(c), bound(c + width / 2), bound(c + width),
                    [](const Sample& a, const Sample& b) { return a.brightness < b.brightness; });
        double s1 = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
        for (std::size_t c = 0; c < classes; ++c) {
            double x = 0, y = 0;
            for (auto sample = bound(c); sample != bound(c + 1); ++sample) {
                x += sample->brightness;
                y += sample->square;
            }
            const auto n = static_cast<double>(bound(c + 1) - bound(c));
            x /= n;
            y /= n;
            // Means of squares err in proportion to themselves.
            const double w = 1 / std::max(y * y, 1e-30);
            s1 += w;
            sx += w * x;
            sy += w * y;
            sxx += w * x * x;
            sxy += w * x * y;
        }
        const double determinant = s1 * sxx - sx * sx;
        double slope = determinant > 0 ? (s1 * sxy - sx * sy) / determinant : 0;
        if (!(slope > 0)) slope = 0;
        variance_ = {(sy - slope * sx) / s1, slope};
        // Nowhere less than at the dark end of what was seen.
        const double dark = samples[samples.size() / 50].brightness;
        variance_floor_ = std::max(variance_[0] + slope * dark, 0.05 * sy / s1);
        variance_floor_ = std::max(variance_floor_, 1e-12 * typical_ * typical_ + 1e-30);
    }

    /// The filter that moves an atom, sum w dp/ds (I - model), applied in the hollows: its variance over that
    /// of independent pixels. There the fit takes little of the noise away, and what the model lacks is
    /// symmetric and gives nothing.
    void measure_correlation() {
        std::vector<float> responses;
        const double reach = 1.8 / scale_, bond = 1.42, radius = 0.85;
        const NeighborBins bins(start_, reach);
        const Eigen::Matrix2d inverse = map_.inverse();
        std::vector<int> near;
        const std::size_t every = std::max<std::size_t>(1, found_ / 1500);
        for (std::size_t i = 0; i < found_; i += every) {
            bins.within(start_[i], reach, near);
            if (near.size() != 4 || (!free_levels_ && in_glow(atoms_[i])))
                continue;  // the atom itself and three neighbours
            std::complex<double> threefold = 0;
            for (const int j : near) {
                const Vector d = map_ * (start_[static_cast<std::size_t>(j)] - start_[i]);
                if (d.squaredNorm() > 0) threefold += std::polar(1.0, 3 * std::atan2(d.y(), d.x()));
            }
            // A hollow lies opposite to a bond, in one of three directions by turns.
            const double angle =
                std::arg(threefold) / 3 + std::numbers::pi / 3 * (1 + 2 * static_cast<double>(i / every % 3));
            const Vector place = Vector(atoms_[i].x, atoms_[i].y) +
                                 inverse * (bond * Vector(std::cos(angle), std::sin(angle)));
            const double margin = radius / smallest_scale_ + 1;
            if (place.x() < margin || place.y() < margin ||
                place.x() > static_cast<double>(image_.cols()) - 1 - margin ||
                place.y() > static_cast<double>(image_.rows()) - 1 - margin)
                continue;
            for (const Vector& across : {Vector(1, 0), Vector(0, 1)}) {
                double sum = 0, squares = 0;
                window(place.x(), place.y(), radius, [&](int row, int column, const Vector& d, double r2) {
                    const double expected = model_(row, column) + background_(row, column);
                    const double w = weight(expected), slope = profile_.slope(r2) * across.dot(map_ * d);
                    sum += w * slope * (image_(row, column) - expected);
                    squares += w * slope * slope;
                });
                if (squares > 0) responses.push_back(static_cast<float>(sum / std::sqrt(squares)));
            }
        }
        if (responses.size() < 20) return;
        const double deviation = (quantile(responses, 0.84) - quantile(responses, 0.16)) / 2;
        // Narrow windows do not reach the hollows.
        correlation_ = std::max(deviation * deviation / (free_levels_ ? 1 : left_in_hollows), 1.0);
    }

    /// Covariance of the positions: inverse of Fisher's information of the atom and the neighbours that are
    /// fitted with it (brightness and position of each), times the correlation of the noise.
    void predict_errors() {
        std::vector<Vector> positions;
        for (const FittedAtom& atom : atoms_) positions.emplace_back(atom.x, atom.y);
        const NeighborBins bins(positions, neighbor_angstrom / smallest_scale_);
#pragma omp parallel for schedule(dynamic, 32)
        for (std::size_t i = 0; i < found_; ++i) {
            FittedAtom& atom = atoms_[i];
            std::vector<int> near;
            std::vector<const FittedAtom*> group{&atom};
            bins.within(positions[i], neighbor_angstrom / smallest_scale_, near);
            std::sort(near.begin(), near.end(), [&](int a, int b) {
                return (positions[static_cast<std::size_t>(a)] - positions[i]).squaredNorm() <
                       (positions[static_cast<std::size_t>(b)] - positions[i]).squaredNorm();
            });
            for (const int j : near) {
                const Vector away = map_ * (positions[static_cast<std::size_t>(j)] - positions[i]);
                if (j != static_cast<int>(i) && away.norm() < neighbor_angstrom && group.size() < 5)
                    group.push_back(&atoms_[static_cast<std::size_t>(j)]);
            }
            const double variance = position_variance(group);
            const double noise = std::sqrt(correlation_ * variance) * cost_of_farther_neighbors *
                                 (free_levels_ || in_glow(atom) ? cost_of_level : 1);
            const bool outshone = std::any_of(group.begin() + 1, group.end(), [&](const FittedAtom* a) {
                return a->shared > outshining * std::max(atom.shared, typical_);
            });
            atom.fit_angstrom = std::min(
                farthest_angstrom,
                std::hypot(noise, model_error_angstrom, outshone ? bright_neighbor_error_angstrom : 0.0));
            atom.sigma_angstrom = atom.fit_angstrom;
            if (i < known_.count()) atom.start_angstrom = known_.error(i, noise);
        }
    }
    /// Variance per axis, angstrom^2, of the first of a group, for independent pixels.
    double position_variance(const std::vector<const FittedAtom*>& group) const {
        constexpr int most = 15;
        Eigen::Matrix<double, most, most> information = Eigen::Matrix<double, most, most>::Zero();
        const int n = 3 * static_cast<int>(group.size());
        // What a faint atom would say of its position if it were brighter: nothing is divided by 0.
        const auto amplitude = [&](const FittedAtom& a) { return std::max(a.shared, 0.1 * typical_); };
        Eigen::Matrix<double, most, 1> basis;
        for (const FittedAtom* middle : group)
            window(middle->x, middle->y, judged_angstrom, [&](int row, int column, const Vector&, double) {
                // Each pixel once, for the nearest atom of the group.
                const Vector pixel(column, row);
                const auto distance2 = [&](const FittedAtom& a) {
                    const Vector d = pixel - Vector(a.x, a.y);
                    return d.dot(metric_ * d);
                };
                const double own = distance2(*middle);
                for (const FittedAtom* other : group)
                    if (other != middle && distance2(*other) < own) return;
                int column_of = 0;
                for (const FittedAtom* a : group) {
                    const Vector d = map_ * (pixel - Vector(a->x, a->y));
                    const double r2 = d.squaredNorm();
                    const Vector slope = -2 * profile_.slope(r2) * d;
                    basis(column_of++) = amplitude(*a) * slope.x();
                    basis(column_of++) = amplitude(*a) * slope.y();
                    basis(column_of++) = profile_.value(r2);
                }
                const double w = weight(model_(row, column) + background_(row, column));
                information.topLeftCorner(n, n).selfadjointView<Eigen::Lower>().rankUpdate(basis.head(n), w);
            });
        for (std::size_t k = 0; k < group.size(); ++k) {
            const auto i = static_cast<std::size_t>(group[k] - atoms_.data());
            const auto first = static_cast<Eigen::Index>(3 * k);
            if (like_carbon(i)) information(first + 2, first + 2) += carbon_information();
            if (i < found_) continue;
            for (const Eigen::Index axis : {first, first + 1})
                information(axis, axis) += correlation_ / std::pow(beyond_error_angstrom, 2);
        }
        const Eigen::MatrixXd covariance =
            information.topLeftCorner(n, n).ldlt().solve(Eigen::MatrixXd::Identity(n, n));
        const double variance = 0.5 * (covariance(0, 0) + covariance(1, 1));
        return std::isfinite(variance) && variance > 0 ? variance : farthest_angstrom * farthest_angstrom;
    }
    double median_error() const {
        std::vector<float> errors;
        for (const FittedAtom& atom : found()) errors.push_back(static_cast<float>(atom.amplitude_error));
        return quantile(errors, 0.5);
    }
    double median_amplitude() const {
        std::vector<float> amplitudes;
        for (const FittedAtom& atom : found()) amplitudes.push_back(static_cast<float>(atom.amplitude));
        return quantile(amplitudes, 0.5);
    }

    const Pixels& image_;
    std::vector<Vector> start_;                ///< of what was found, then of what is beyond the frame
    const std::size_t found_ = start_.size();  ///< of these
    Eigen::Matrix2d map_, metric_;
    double scale_, smallest_scale_ = 1;
    KnownStarts known_;
    bool held_ = known_.count() > 0;
    bool free_levels_, still_ = false;
    ProbeProfile profile_{first_width_angstrom};
    std::array<double, 2> variance_{1, 0};
    double variance_floor_ = 1, correlation_ = 1, typical_ = 0, carbon_spread_ = 0, usual_background_ = 0;
    std::vector<FittedAtom> atoms_;
    Pixels model_, background_;
};

}  // namespace

AtomFit fit_atoms(const Pixels& image, const std::vector<Vector>& start,
                  const Eigen::Matrix2d& angstrom_per_pixel, const KnownStarts& known, bool free_levels) {
    if (start.empty()) return {};
    return Fitter(image, start, angstrom_per_pixel, known, free_levels).run();
}

}  // namespace stembridge::ml
