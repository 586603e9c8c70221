// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/poles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace stembridge::tb {
namespace {

using Complex = std::complex<double>;
using Function = std::function<double(double)>;

/// Uniform points around the step, geometric ones on both sides up to the ends of the window.
Eigen::VectorXd make_grid(const PoleExpansion::Window& window, int per_decade, int core) {
    const double middle = 10 + window.shift;
    std::vector<double> x;
    const auto side = [&](double end) {
        const double decades = std::log10(std::abs(end) / middle);
        if (decades <= 0) return;
        const int n = static_cast<int>(std::ceil(per_decade * decades)) + 20;
        for (int i = 1; i <= n; ++i) x.push_back(std::copysign(middle * std::pow(10, decades * i / n), end));
    };
    side(window.lowest);
    std::reverse(x.begin(), x.end());
    for (int i = 0; i < core; ++i) x.push_back(-middle + 2 * middle * i / (core - 1));
    side(window.highest);
    return Eigen::Map<Eigen::VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
}

// What an error of the entropy (times kT) and of the weights of the energy-weighted matrix does to energies
// and forces, against one of the populations.
constexpr double entropy_counts = 0.02, energy_counts = 0.5;

std::vector<Function> functions_to_fit(const PoleExpansion::Window& window) {
    // Where the Fermi level is nearly known, the entropy would draw the most poles to the axis, and it needs
    // the least accuracy. Else the shifted steps need them there anyway.
    const double entropy = window.shift < 1 ? 0.01 : 1, energy = window.shift < 1 ? 0.3 : 1;
    std::vector<Function> all = {
        fermi_function, [entropy](double x) { return entropy * entropy_function(x); },
        [scale = energy / -window.lowest](double x) { return scale * x * fermi_function(x); }};
    if (window.shift > 0)
        for (const double part : {-1.0, -0.5, 0.5, 1.0})
            all.emplace_back([d = part * window.shift](double x) { return fermi_function(x - d); });
    return all;
}

/// Barycentric support points and weights of the rational functions of degree `degree` with one denominator
/// that come closest to all columns of `values`.
struct Barycentric {
    std::vector<Eigen::Index> support;
    Eigen::VectorXd weights;
};

Barycentric set_valued_aaa(const Eigen::VectorXd& x, const Eigen::MatrixXd& values, int degree) {
    const Eigen::Index n = x.size(), n_functions = values.cols();
    Barycentric result;
    std::vector<bool> taken(static_cast<std::size_t>(n), false);
    Eigen::MatrixXd approximation = values.colwise().mean().replicate(n, 1);
    for (int step = 0; step <= degree; ++step) {
        // The sample with the largest error becomes a support point.
        Eigen::VectorXd error = (values - approximation).cwiseAbs().rowwise().maxCoeff();
        for (const Eigen::Index k : result.support) error(k) = -1;
        Eigen::Index next = 0;
        error.maxCoeff(&next);
        result.support.push_back(next);
        taken[static_cast<std::size_t>(next)] = true;
        // Loewner matrix (F(x_i) - F(x_k)) / (x_i - x_k), all functions one below the other.
        const auto m = static_cast<Eigen::Index>(result.support.size());
        const Eigen::Index rest = n - m;
        Eigen::MatrixXd loewner(rest * n_functions, m), cauchy(n, m);
        for (Eigen::Index k = 0; k < m; ++k) {
            const Eigen::Index s = result.support[static_cast<std::size_t>(k)];
            Eigen::Index row = 0;
            for (Eigen::Index i = 0; i < n; ++i) {
                if (taken[static_cast<std::size_t>(i)]) continue;
                cauchy(i, k) = 1 / (x(i) - x(s));
                for (Eigen::Index c = 0; c < n_functions; ++c)
                    loewner(c * rest + row, k) = (values(i, c) - values(s, c)) * cauchy(i, k);
                ++row;
            }
        }
        // Weights: the direction that the matrix shrinks most.
        Eigen::MatrixXd triangle = loewner;
        if (loewner.rows() > m) {
            const Eigen::HouseholderQR<Eigen::MatrixXd> qr(loewner);
            triangle = qr.matrixQR().topRows(m).triangularView<Eigen::Upper>();
        }
        const Eigen::BDCSVD<Eigen::MatrixXd> svd(triangle, Eigen::ComputeFullV);
        result.weights = svd.matrixV().col(m - 1);
        Eigen::MatrixXd weighted(m, n_functions);
        for (Eigen::Index k = 0; k < m; ++k)
            weighted.row(k) = result.weights(k) * values.row(result.support[static_cast<std::size_t>(k)]);
        for (Eigen::Index i = 0; i < n; ++i)
            approximation.row(i) =
                taken[static_cast<std::size_t>(i)]
                    ? Eigen::RowVectorXd(values.row(i))
                    : Eigen::RowVectorXd(cauchy.row(i) * weighted / cauchy.row(i).dot(result.weights));
    }
    return result;
}

/// Zeros of the barycentric denominator above the real axis; empty when one lies on it.
std::vector<Complex> poles_above_axis(const Eigen::VectorXd& x, const Barycentric& fit) {
    // The finite eigenvalues of the pencil [0 b^T; 1 diag(x)] - z diag(0, 1, .., 1).
    const Eigen::Index m = fit.weights.size();
    Eigen::MatrixXd e = Eigen::MatrixXd::Zero(m + 1, m + 1), b = Eigen::MatrixXd::Identity(m + 1, m + 1);
    b(0, 0) = 0;
    e.row(0).tail(m) = fit.weights.transpose();
    e.col(0).tail(m).setOnes();
    for (Eigen::Index k = 0; k < m; ++k) e(k + 1, k + 1) = x(fit.support[static_cast<std::size_t>(k)]);
    const Eigen::GeneralizedEigenSolver<Eigen::MatrixXd> solver(e, b, false);
    if (solver.info() != Eigen::Success) return {};
    std::vector<std::pair<double, Complex>> sorted;
    for (Eigen::Index k = 0; k <= m; ++k)
        sorted.emplace_back(std::abs(solver.betas()(k)) / (1e-300 + std::abs(solver.alphas()(k))),
                            solver.alphas()(k) / solver.betas()(k));
    // The two infinite ones have the smallest beta / alpha.
    std::sort(sorted.begin(), sorted.end(), [](const auto& p, const auto& q) { return p.first < q.first; });
    std::vector<Complex> poles;
    for (std::size_t k = 2; k < sorted.size(); ++k) {
        const Complex z = sorted[k].second;
        if (!(std::abs(z.imag()) >= 1e-3) || !std::isfinite(std::abs(z))) return {};
        if (z.imag() > 0) poles.push_back(z);
    }
    std::sort(poles.begin(), poles.end(), [](Complex p, Complex q) { return std::abs(p) < std::abs(q); });
    return poles;
}

/// Jacobi's elliptic functions of a real argument. @param k modulus
struct Jacobi {
    double sn, cn, dn;
};

Jacobi jacobi(double u, double k) {
    // Descending Landen transformation by the arithmetic-geometric mean.
    double a = 1, b = std::sqrt(1 - k * k), c = k;
    std::vector<double> as = {a}, cs = {c};
    while (std::abs(c) > 1e-16 * a && as.size() < 30) {
        c = (a - b) / 2;
        const double next = (a + b) / 2;
        b = std::sqrt(a * b);
        a = next;
        as.push_back(a);
        cs.push_back(c);
    }
    double phi = std::ldexp(a * u, static_cast<int>(as.size()) - 1);
    for (std::size_t n = as.size() - 1; n > 0; --n)
        phi = (phi + std::asin(cs[n] / as[n] * std::sin(phi))) / 2;
    const double sn = std::sin(phi);
    return {sn, std::cos(phi), std::sqrt(1 - k * k * sn * sn)};
}

Complex complex_sn(Complex t, double k, double k_prime) {
    const Jacobi u = jacobi(t.real(), k), v = jacobi(t.imag(), k_prime);
    return Complex(u.sn * v.dn, u.cn * u.dn * v.sn * v.cn) /
           (v.cn * v.cn + k * k * u.sn * u.sn * v.sn * v.sn);
}

}  // namespace

double fermi_function(double x) {
    if (x > 700) return 0;
    const double e = std::exp(-std::abs(x));
    return x < 0 ? 1 / (1 + e) : e / (1 + e);
}

double entropy_function(double x) {
    const double a = std::abs(x);
    if (a > 700) return 0;
    const double e = std::exp(-a);
    return a * e / (1 + e) + std::log1p(e);
}

PoleExpansion::PoleExpansion(const Window& window, std::vector<Complex> poles)
    : window_(window), poles_(std::move(poles)), grid_(make_grid(window, 100, 500)) {
    const auto n = static_cast<Eigen::Index>(poles_.size());
    Eigen::MatrixXd basis(grid_.size(), 2 * n);
    for (Eigen::Index j = 0; j < n; ++j)
        for (Eigen::Index i = 0; i < grid_.size(); ++i) {
            const Complex r = 1.0 / (grid_(i) - poles_[static_cast<std::size_t>(j)]);
            basis(i, 2 * j) = 2 * r.real();
            basis(i, 2 * j + 1) = -2 * r.imag();
        }
    const Eigen::VectorXd norm = basis.colwise().norm();
    basis *= norm.cwiseInverse().asDiagonal();
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(basis, Eigen::ComputeThinU | Eigen::ComputeThinV);
    const double negligible = 1e-15 * svd.singularValues()(0);
    const Eigen::VectorXd inverse =
        svd.singularValues().unaryExpr([&](double s) { return s > negligible ? 1 / s : 0.0; });
    // Applied one after the other: errors along small singular values then cancel in the fit.
    from_samples_ = svd.matrixU().transpose();
    to_weights_ = norm.cwiseInverse().asDiagonal() * svd.matrixV() * inverse.asDiagonal();
    largest_error_ = measure();
}

PoleExpansion::PoleExpansion(const Window& window, int n_poles, double good) : window_(window) {
    // The errors of the grids differ by a factor of up to 100.
    struct Grid {
        int per_decade, core;
    };
    const std::vector<Function> functions = functions_to_fit(window);
    std::optional<PoleExpansion> best;
    // A temperature so high that fewer poles reach full accuracy gives pairs on the axis.
    for (const int n : {n_poles, n_poles + 2, n_poles - 4, n_poles - 8}) {
        for (const Grid& trial : {Grid{60, 300},
                                  {80, 400},
                                  {50, 250},
                                  {40, 200},
                                  {110, 500},
                                  {70, 350},
                                  {150, 700},
                                  {200, 1000}}) {
            const Eigen::VectorXd x = make_grid(window, trial.per_decade, trial.core);
            Eigen::MatrixXd values(x.size(), static_cast<Eigen::Index>(functions.size()));
            for (std::size_t c = 0; c < functions.size(); ++c)
                values.col(static_cast<Eigen::Index>(c)) = x.unaryExpr(functions[c]);
            std::vector<Complex> poles = poles_above_axis(x, set_valued_aaa(x, values, 2 * n));
            if (static_cast<int>(poles.size()) < n) continue;
            PoleExpansion candidate(window, std::move(poles));
            if (!best || candidate.largest_error_ < best->largest_error_) best = std::move(candidate);
            if (best->largest_error_ < good) break;
        }
        if (best) break;
    }
    // More nodes than any window in use needs.
    constexpr int contour_poles = 60;
    *this = best && best->largest_error_ < 1e-4 ? std::move(*best) : on_contour(window, contour_poles);
}

PoleExpansion PoleExpansion::on_contour(const Window& window, int n_poles) {
    // The square of the distance to the first Matsubara pole, and of the end of the window.
    const double m = M_PI * M_PI;
    const double reach = std::max(-window.lowest, window.highest) + window.shift;
    const double large = reach * reach + m, root = std::sqrt(large / m);
    const double k = (root - 1) / (root + 1), k_prime = std::sqrt(1 - k * k);
    const double quarter = std::comp_ellint_1(k), quarter_prime = std::comp_ellint_1(k_prime);
    std::vector<Complex> poles;
    for (int q = 1; q <= (n_poles + 1) / 2; ++q) {
        const Complex t(-quarter + 2 * (q - 0.5) * quarter / ((n_poles + 1) / 2), quarter_prime / 2);
        const Complex u = complex_sn(t, k, k_prime);
        const Complex w = std::sqrt(m * large) * (1 / k + u) / (1 / k - u);
        const Complex z = std::sqrt(w - m);
        for (const Complex& pole : {z, -z}) poles.push_back(pole.imag() > 0 ? pole : std::conj(pole));
    }
    return {window, std::move(poles)};
}

Eigen::VectorXcd PoleExpansion::weights(const Function& g) const {
    const Eigen::VectorXd w = to_weights_ * (from_samples_ * grid_.unaryExpr(g));
    Eigen::VectorXcd result(w.size() / 2);
    for (Eigen::Index j = 0; j < result.size(); ++j) result(j) = {w(2 * j), w(2 * j + 1)};
    return result;
}

Eigen::VectorXcd PoleExpansion::fermi_weights(double d) const {
    return weights([d](double x) { return fermi_function(x - d); });
}

Eigen::VectorXcd PoleExpansion::entropy_weights(double d) const {
    return weights([d](double x) { return entropy_function(x - d); });
}

Eigen::VectorXcd PoleExpansion::energy_weights(double d) const {
    return weights([d](double x) { return (x - d) * fermi_function(x - d); });
}

double PoleExpansion::error(const Function& g) const {
    const Eigen::VectorXd x = make_grid(window_, 977, 1999);
    const Eigen::VectorXcd w = weights(g);
    double largest = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
        double sum = 0;
        for (Eigen::Index j = 0; j < w.size(); ++j)
            sum += 2 * (w(j) / (x(i) - poles_[static_cast<std::size_t>(j)])).real();
        largest = std::max(largest, std::abs(sum - g(x(i))));
    }
    return largest;
}

double PoleExpansion::measure() const {
    double largest = 0;
    for (const double part : {-1.0, -0.4, 0.0, 0.7, 1.0}) {
        const double d = part * window_.shift;
        largest = std::max({largest, error([d](double x) { return fermi_function(x - d); }),
                            entropy_counts * error([d](double x) { return entropy_function(x - d); }),
                            energy_counts * error([d, scale = -window_.lowest](double x) {
                                return (x - d) * fermi_function(x - d) / scale;
                            })});
        if (window_.shift == 0) break;
    }
    return largest;
}

}  // namespace stembridge::tb
