// SPDX-License-Identifier: Apache-2.0
#include "scc/mixer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace stembridge::tb {
namespace {

/// Past vectors, newest last.
struct History {
    std::vector<Eigen::VectorXd> x, r;

    void push(const Eigen::VectorXd& new_x, const Eigen::VectorXd& new_r, std::size_t depth) {
        x.push_back(new_x);
        r.push_back(new_r);
        if (x.size() > depth + 1) {
            x.erase(x.begin());
            r.erase(r.begin());
        }
    }
    /// Leaves what came after the last step to the newest along which this part of r grew.
    void forget_saddles(Eigen::Index first, Eigen::Index size) {
        for (std::size_t j = x.size() - 1; j-- > 0;) {
            const auto part = [&](const std::vector<Eigen::VectorXd>& of) {
                return (of.back() - of[j]).segment(first, size).eval();
            };
            if (part(x).dot(part(r)) <= 0) continue;
            x.erase(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(j) + 1);
            r.erase(r.begin(), r.begin() + static_cast<std::ptrdiff_t>(j) + 1);
            return;
        }
    }
};

class SimpleMixer final : public ChargeMixer {
  public:
    explicit SimpleMixer(double step) : step_(step) {}
    Eigen::VectorXd next(const Eigen::VectorXd& x, const Eigen::VectorXd& r, const Preconditioner&) override {
        return x + step_ * r;
    }
    bool wants_preconditioner() const override { return false; }

  private:
    double step_;
};

/// x_next = x - sum_j c_j (x - x_j) + step P [ r - sum_j c_j (r - r_j) ] with the c_j that make the bracket
/// smallest. The history holds raw residuals, so that P may change from one cycle to the next. A larger
/// system has more slow directions (each dangling bond brings some) and gains from a longer history; a small
/// one loses by it, since the first cycles are far from linear.
class AndersonMixer final : public ChargeMixer {
  public:
    /// @param depth pairs of vectors kept at least
    AndersonMixer(double step, std::size_t depth, bool preconditioned)
        : step_(step), depth_(depth), preconditioned_(preconditioned) {}

    Eigen::VectorXd next(const Eigen::VectorXd& x, const Eigen::VectorXd& r,
                         const Preconditioner& precondition) override {
        constexpr std::size_t size_per_pair = 50, largest_depth = 20;
        const auto by_size = std::min(static_cast<std::size_t>(x.size()) / size_per_pair, largest_depth);
        history_.push(x, r, std::max(depth_, by_size));
        if (precondition.n_spins > 0) history_.forget_saddles(precondition.first_spin, precondition.n_spins);
        const auto m = static_cast<Eigen::Index>(history_.x.size()) - 1;
        Eigen::VectorXd x_best = x, r_best = r;
        if (m > 0) {
            Eigen::MatrixXd dx(x.size(), m), dr(x.size(), m);
            for (Eigen::Index j = 0; j < m; ++j) {
                dx.col(j) = x - history_.x[static_cast<std::size_t>(j)];
                dr.col(j) = r - history_.r[static_cast<std::size_t>(j)];
            }
            // Normal equations, scaled to a unit diagonal and slightly regularised.
            const Eigen::VectorXd norm = dr.colwise().norm().cwiseMax(1e-300);
            for (Eigen::Index j = 0; j < m; ++j) {
                dx.col(j) /= norm(j);
                dr.col(j) /= norm(j);
            }
            Eigen::MatrixXd normal = dr.transpose() * dr;
            normal.diagonal().array() += 1e-10;
            const Eigen::VectorXd c = normal.ldlt().solve(dr.transpose() * r);
            if (c.allFinite()) {
                x_best -= dx * c;
                r_best -= dr * c;
            }
        }
        return x_best + step_ * (preconditioned_ && precondition.apply ? precondition.apply(r_best) : r_best);
    }
    bool wants_preconditioner() const override { return preconditioned_; }

  private:
    double step_;
    std::size_t depth_;
    bool preconditioned_;
    History history_;
};

/// Direct inversion in the iterative subspace: x_next = sum_j c_j (x_j + step r_j) with sum_j c_j = 1 and the
/// c_j that make |sum_j c_j r_j| smallest.
class DiisMixer final : public ChargeMixer {
  public:
    DiisMixer(double step, std::size_t depth) : step_(step), depth_(depth) {}

    Eigen::VectorXd next(const Eigen::VectorXd& x, const Eigen::VectorXd& r, const Preconditioner&) override {
        history_.push(x, r, depth_ - 1);
        // ( B  1 ) (c)   (0)
        // ( 1  0 ) (l) = (1)   with B_ij = r_i . r_j, scaled by the residual of now
        const auto m = static_cast<Eigen::Index>(history_.x.size());
        Eigen::MatrixXd residuals(r.size(), m);
        for (Eigen::Index j = 0; j < m; ++j) residuals.col(j) = history_.r[static_cast<std::size_t>(j)];
        Eigen::MatrixXd a = Eigen::MatrixXd::Ones(m + 1, m + 1);
        a.topLeftCorner(m, m) = residuals.transpose() * residuals / std::max(r.squaredNorm(), 1e-300);
        a(m, m) = 0;
        const Eigen::VectorXd c = a.completeOrthogonalDecomposition().solve(Eigen::VectorXd::Unit(m + 1, m));
        // Residuals that are multiples of each other may determine no c: it starts anew.
        if (!c.allFinite() || std::abs(c.head(m).sum() - 1) > 1e-6) {
            history_ = {};
            return x + step_ * r;
        }
        Eigen::VectorXd result = Eigen::VectorXd::Zero(x.size());
        for (Eigen::Index j = 0; j < m; ++j)
            result += c(j) * (history_.x[static_cast<std::size_t>(j)] + step_ * residuals.col(j));
        return result;
    }
    bool wants_preconditioner() const override { return false; }

  private:
    double step_;
    std::size_t depth_;
    History history_;
};

/// Johnson's modification of Broyden's second method.
class BroydenMixer final : public ChargeMixer {
  public:
    explicit BroydenMixer(double step) : step_(step) {}

    Eigen::VectorXd next(const Eigen::VectorXd& x, const Eigen::VectorXd& r, const Preconditioner&) override {
        constexpr double w0 = 0.01, largest_weight = 1e5, weight_scale = 1e-2;
        if (last_r_.size() == r.size() && (r - last_r_).norm() > 0) {
            const Eigen::VectorXd d = r - last_r_;
            df_.push_back(d / d.norm());
            u_.push_back(step_ * df_.back() + (x - last_x_) / d.norm());
            weight_.push_back(std::clamp(weight_scale / last_r_.norm(), 1.0, largest_weight));
        }
        last_x_ = x;
        last_r_ = r;
        Eigen::VectorXd result = x + step_ * r;
        const auto m = static_cast<Eigen::Index>(df_.size());
        if (m == 0) return result;
        // gamma = w (w0^2 + w df.df w)^-1 w df.r
        Eigen::MatrixXd a(m, m);
        Eigen::VectorXd c(m);
        for (Eigen::Index i = 0; i < m; ++i) {
            const auto k = static_cast<std::size_t>(i);
            c(i) = weight_[k] * df_[k].dot(r);
            for (Eigen::Index j = 0; j < m; ++j)
                a(i, j) = weight_[k] * weight_[static_cast<std::size_t>(j)] *
                          df_[k].dot(df_[static_cast<std::size_t>(j)]);
        }
        a.diagonal().array() += w0 * w0;
        const Eigen::VectorXd g = a.ldlt().solve(c);
        for (Eigen::Index i = 0; i < m; ++i)
            result -= weight_[static_cast<std::size_t>(i)] * g(i) * u_[static_cast<std::size_t>(i)];
        return result;
    }
    bool wants_preconditioner() const override { return false; }

  private:
    double step_;
    Eigen::VectorXd last_x_, last_r_;
    std::vector<Eigen::VectorXd> df_, u_;
    std::vector<double> weight_;
};

}  // namespace

std::unique_ptr<ChargeMixer> make_mixer(Mixer kind, double step) {
    const auto or_default = [&](double value) { return step > 0 ? step : value; };
    switch (kind) {
        case Mixer::simple:
            return std::make_unique<SimpleMixer>(or_default(0.2));
        case Mixer::broyden:
            return std::make_unique<BroydenMixer>(or_default(0.2));
        case Mixer::anderson:
            return std::make_unique<AndersonMixer>(or_default(0.2), 8, false);
        case Mixer::diis:
            return std::make_unique<DiisMixer>(or_default(0.2), 8);
        case Mixer::preconditioned:
            break;
    }
    return std::make_unique<AndersonMixer>(or_default(0.8), 5, true);
}

}  // namespace stembridge::tb
