// SPDX-License-Identifier: Apache-2.0
// Gauss-Seidel sweeps of small least-squares problems, one per atom.
#include "fit_atoms.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "filters.hpp"

namespace stembridge::ml {
namespace {

constexpr double window_angstrom = 0.85, reach_in_widths = 3.5;
constexpr double first_width_angstrom = 0.45, narrowest_angstrom = 0.28, widest_angstrom = 0.75;
constexpr double largest_move_angstrom = 0.12, farthest_angstrom = 0.6;
constexpr int sweeps = 6;
/// Errors of fitted positions over those of an isolated atom in the same noise, and what stays without noise
/// [measured on simulated frames of 1.9e3 to 3e4 electrons per pixel, hollow/peak 0.3 and 0.62].
constexpr double neighbours = 1.5, model_error_angstrom = 0.02;

class Fitter {
  public:
    Fitter(const Pixels& image, const std::vector<Eigen::Vector2d>& start, double scale, PositionPrior prior)
        : image_(image), start_(start), scale_(scale), prior_(prior), width_(first_width_angstrom / scale) {
        const Pixels smooth = gaussian_blur(image, 0.3 / scale), slow = gaussian_blur(image, 3.0 / scale);
        for (const auto& p : start) {
            FittedAtom atom{p.x(), p.y(), 0, bilinear(slow, p.x(), p.y()), 0};
            atom.amplitude = std::max(0.0, 1.3 * (bilinear(smooth, p.x(), p.y()) - atom.background));
            atoms_.push_back(atom);
        }
        noise_ = 0;
        render();
    }

    AtomFit run() {
        for (int sweep = 0; sweep < sweeps; ++sweep) {
            for (std::size_t i = 0; i < atoms_.size(); ++i) improve(i);
            if (sweep < sweeps - 1) improve_width();
            measure_noise();
        }
        AtomFit fit{atoms_, width_, median_amplitude(), noise_};
        for (std::size_t i = 0; i < fit.atoms.size(); ++i) {
            fit.atoms[i].sigma_px = position_error(i);
            if (prior_.known()) fit.atoms[i].prior_px = prior_error(fit_error(i));
        }
        return fit;
    }

  private:
    /// Calls action(y, x, dx, dy) for the pixels within a radius of a position.
    template <class Action>
    void window(double x, double y, double radius, const Action& action) const {
        const int x0 = std::max(0, static_cast<int>(std::ceil(x - radius))),
                  y0 = std::max(0, static_cast<int>(std::ceil(y - radius)));
        const int x1 =
            std::min(static_cast<int>(image_.cols()) - 1, static_cast<int>(std::floor(x + radius)));
        const int y1 =
            std::min(static_cast<int>(image_.rows()) - 1, static_cast<int>(std::floor(y + radius)));
        for (int row = y0; row <= y1; ++row)
            for (int column = x0; column <= x1; ++column) {
                const double dx = column - x, dy = row - y;
                if (dx * dx + dy * dy <= radius * radius) action(row, column, dx, dy);
            }
    }
    double gaussian(double dx, double dy) const {
        return std::exp(-0.5 * (dx * dx + dy * dy) / (width_ * width_));
    }

    void add(const FittedAtom& atom, double sign) {
        window(atom.x, atom.y, reach_in_widths * width_, [&](int row, int column, double dx, double dy) {
            model_(row, column) += static_cast<float>(sign * atom.amplitude * gaussian(dx, dy));
        });
    }
    void render() {
        model_ = Pixels::Zero(image_.rows(), image_.cols());
        for (const FittedAtom& atom : atoms_) add(atom, 1);
    }

    /// I - others ~ b + A g + (A dx) g_x + (A dy) g_y: four linear unknowns, then the position moves by dx,
    /// dy.
    void improve(std::size_t i) {
        FittedAtom& atom = atoms_[i];
        add(atom, -1);
        Eigen::Matrix4d normal = Eigen::Matrix4d::Zero();
        Eigen::Vector4d right = Eigen::Vector4d::Zero();
        window(atom.x, atom.y, window_angstrom / scale_, [&](int row, int column, double dx, double dy) {
            const double g = gaussian(dx, dy), w2 = width_ * width_;
            const Eigen::Vector4d basis(1, g, g * dx / w2, g * dy / w2);
            normal += basis * basis.transpose();
            right += basis * (image_(row, column) - model_(row, column));
        });
        if (normal(0, 0) >= 12) {
            if (prior_.known() && atom.amplitude > 0) {
                // The prior pulls x + q / A to the start. The normal equations know the fit's error as 1 /
                // (A^2 sum g_x^2); the prior weighs (fit / prior)^2 of that.
                const double fit = fit_error(i);
                const double weight = normal(2, 2) * std::pow(fit / prior_error(fit), 2);
                normal(2, 2) += weight;
                normal(3, 3) += weight;
                right(2) += weight * atom.amplitude * (start_[i].x() - atom.x);
                right(3) += weight * atom.amplitude * (start_[i].y() - atom.y);
            }
            const Eigen::Vector4d solution = normal.ldlt().solve(right);
            if (solution.allFinite()) {
                atom.background = solution(0);
                atom.amplitude = std::max(0.0, solution(1));
                if (atom.amplitude > 0.15 * typical_)
                    move(i, solution(2) / atom.amplitude, solution(3) / atom.amplitude);
            }
        }
        add(atom, 1);
    }
    void move(std::size_t i, double dx, double dy) {
        FittedAtom& atom = atoms_[i];
        const double step = std::hypot(dx, dy), most = largest_move_angstrom / scale_;
        const double shrink = step > most ? most / step : 1;
        atom.x += shrink * dx;
        atom.y += shrink * dy;
        const Eigen::Vector2d away(atom.x - start_[i].x(), atom.y - start_[i].y());
        const double farthest = farthest_angstrom / scale_;
        if (away.norm() > farthest) {
            atom.x = start_[i].x() + away.x() * farthest / away.norm();
            atom.y = start_[i].y() + away.y() * farthest / away.norm();
        }
    }

    /// One Gauss-Newton step for the common width from the typical atoms.
    void improve_width() {
        typical_ = median_amplitude();
        double up = 0, down = 0;
        for (const FittedAtom& atom : atoms_) {
            if (atom.amplitude < 0.5 * typical_ || atom.amplitude > 1.8 * typical_) continue;
            window(atom.x, atom.y, window_angstrom / scale_, [&](int row, int column, double dx, double dy) {
                const double slope =
                    atom.amplitude * gaussian(dx, dy) * (dx * dx + dy * dy) / (width_ * width_ * width_);
                up += slope * (image_(row, column) - model_(row, column) - atom.background);
                down += slope * slope;
            });
        }
        if (down > 0)
            width_ = std::clamp(width_ + std::clamp(up / down, -0.15 * width_, 0.15 * width_),
                                narrowest_angstrom / scale_, widest_angstrom / scale_);
        render();
    }

    /// The filter that moves an atom, sum g_s (I - model), applied between the atoms: its variance over that
    /// of white noise tells how strong white noise would have to be (pixels are correlated). The places lie
    /// on the lines from an atom through its bonds, which are mirror axes of the lattice, and s runs across
    /// them: what the model lacks is symmetric and gives nothing.
    void measure_noise() {
        std::vector<float> responses;
        double norm = 0, level = 0;
        const double reach = 1.8 / scale_, distance = 0.72 / scale_;
        const NeighborBins bins(start_, reach);
        std::vector<int> near;
        const std::size_t every = std::max<std::size_t>(1, atoms_.size() / 1500);
        for (std::size_t i = 0; i < atoms_.size(); i += every) {
            bins.within(start_[i], reach, near);
            if (near.size() < 4) continue;  // the atom itself and three neighbours
            std::complex<double> threefold = 0;
            for (const int j : near) {
                const Eigen::Vector2d bond = start_[static_cast<std::size_t>(j)] - start_[i];
                if (bond.squaredNorm() > 0) threefold += std::polar(1.0, 3 * std::atan2(bond.y(), bond.x()));
            }
            // A bond's middle or a hollow, in one of six directions by turns.
            const double angle =
                std::arg(threefold) / 3 + std::numbers::pi / 3 * static_cast<double>(i / every % 6);
            const double ex = std::cos(angle), ey = std::sin(angle);
            const double x = atoms_[i].x + distance * ex, y = atoms_[i].y + distance * ey;
            if (x < 12 || y < 12 || x > static_cast<double>(image_.cols()) - 13 ||
                y > static_cast<double>(image_.rows()) - 13)
                continue;
            double sum = 0, squares = 0, mean = 0;
            int count = 0;
            window(x, y, window_angstrom / scale_, [&](int row, int column, double, double) {
                mean += image_(row, column) - model_(row, column);
                ++count;
            });
            mean /= std::max(count, 1);
            window(x, y, window_angstrom / scale_, [&](int row, int column, double dx, double dy) {
                const double slope = gaussian(dx, dy) * (ex * dy - ey * dx) / (width_ * width_);
                sum += slope * (image_(row, column) - model_(row, column) - mean);
                squares += slope * slope;
                level += slope * slope * image_(row, column);
            });
            responses.push_back(static_cast<float>(sum));
            norm = squares;
        }
        if (responses.size() < 20 || norm <= 0) return;
        const double deviation = (quantile(responses, 0.84) - quantile(responses, 0.16)) / 2;
        noise_ = deviation / std::sqrt(norm);
        noise_level_ = level / (norm * static_cast<double>(responses.size()));
    }

    /// Error of the fitted position per axis, without a prior: noise^2 / (A^2 sum g_x^2), where the noise is
    /// that of electrons, its square in proportion to the brightness, from where it was measured to the
    /// flanks of the atom. The neighbours, which are fitted with it, and what the model lacks make it larger.
    double fit_error(std::size_t i) const {
        double squares = 0, level = 0;
        window(atoms_[i].x, atoms_[i].y, window_angstrom / scale_,
               [&](int row, int column, double dx, double dy) {
                   const double weight = std::pow(gaussian(dx, dy) * dx / (width_ * width_), 2);
                   squares += weight;
                   level += weight * image_(row, column);
               });
        const double farthest = farthest_angstrom / scale_;
        const double amplitude = std::max(atoms_[i].amplitude, 0.1 * typical_);
        if (!(noise_ > 0) || !(squares > 0) || !(amplitude > 0)) return farthest;
        constexpr double brightest = 8;  // where the zero of the brightness is far off, so is their ratio
        const double brightness =
            noise_level_ > 0 ? std::clamp(level / squares / noise_level_, 1.0, brightest) : 1.0;
        const double noise = noise_ * std::sqrt(brightness) / (amplitude * std::sqrt(squares));
        return std::min(farthest, std::hypot(neighbours * noise, model_error_angstrom / scale_));
    }
    /// How well the position was known before: the part that the noise moves is a share of the error of the
    /// fit.
    double prior_error(double fit_error) const {
        return std::hypot(prior_.least_angstrom / scale_, prior_.share_of_fit * fit_error);
    }
    /// Both together: 1 / sigma^2 = 1 / fit^2 + 1 / prior^2.
    double position_error(std::size_t i) const {
        const double fit = fit_error(i);
        if (!prior_.known()) return fit;
        const double prior = prior_error(fit);
        return fit * prior / std::hypot(fit, prior);
    }
    double median_amplitude() const {
        std::vector<float> amplitudes;
        for (const FittedAtom& atom : atoms_) amplitudes.push_back(static_cast<float>(atom.amplitude));
        return quantile(amplitudes, 0.5);
    }

    const Pixels& image_;
    const std::vector<Eigen::Vector2d>& start_;
    double scale_;
    PositionPrior prior_;
    double width_, noise_ = 0, noise_level_ = 0, typical_ = 0;
    std::vector<FittedAtom> atoms_;
    Pixels model_;
};

}  // namespace

AtomFit fit_atoms(const Pixels& image, const std::vector<Eigen::Vector2d>& start, double scale_angstrom,
                  PositionPrior prior) {
    if (start.empty()) return {};
    return Fitter(image, start, scale_angstrom, prior).run();
}

}  // namespace stembridge::ml
