// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/fermi_recursion.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"

namespace stembridge::tb {

template <typename Real>
void FermiRecursion<Real>::Scratch::resize(Device& device, std::size_t n_elements) {
    for (auto* matrix : {&square, &work, &product, &denominator}) matrix->resize(device, n_elements);
}

template <typename Real>
FermiRecursion<Real>::FermiRecursion(Device& device, int n, Scratch& scratch)
    : device_(device),
      n_(n),
      scratch_(scratch),
      t_(device, static_cast<std::size_t>(n) * static_cast<std::size_t>(n)) {}

template <typename Real>
void FermiRecursion<Real>::begin(const DeviceArray<Real>& a, double mu, double kT) {
    DenseOperations<Real>& on = device_.dense(Real());
    const std::size_t size = t_.size();
    mu_ = mu;
    kT_ = kT;
    // The Pade approximant of odd order 7 over 6, good to 4e-12 for |u| <= 1:
    // tanh u = u (135135 + 17325 u^2 + 378 u^4 + u^6) / (135135 + 62370 u^2 + 3150 u^4 + 28 u^6)
    Real *u = t_.data(), *u2 = scratch_.square.data(), *u4 = scratch_.work.data(),
         *u6 = scratch_.product.data(), *below = scratch_.denominator.data();
    on.combine(size, 0.5 / kT, a.data(), 0, u);
    on.add_to_diagonal(n_, -0.5 * mu / kT, u);
    on.multiply_by_own_transpose(n_, u, u2);
    on.mirror_lower(n_, u2);
    on.multiply_by_own_transpose(n_, u2, u4);
    on.mirror_lower(n_, u4);
    on.multiply(false, false, n_, n_, n_, 1, u2, n_, u4, n_, 0, u6, n_);
    constexpr double scale = 1.0 / 135135;
    on.combine(size, 28 * scale, u6, 0, below);
    on.combine(size, 3150 * scale, u4, 1, below);
    on.combine(size, 62370 * scale, u2, 1, below);
    on.add_to_diagonal(n_, 1, below);
    Real* above = u6;
    on.combine(size, 378 * scale, u4, scale, above);
    on.combine(size, 17325 * scale, u2, 1, above);
    on.add_to_diagonal(n_, 1, above);
    on.multiply(false, false, n_, n_, n_, 1, u, n_, above, n_, 0, u4, n_);
    t_.swap(scratch_.work);
    divide();
    // ln cosh u = -1/2 ln(1 - tanh^2 u)
    square();
    on.combine(size, -1, scratch_.square.data(), 0, below);
    on.add_to_diagonal(n_, 1, below);
    if (!on.cholesky(n_, below))
        throw NumericalError("the Fermi operator could not be started: the spectrum is wider than assumed");
    log_cosh_ = -on.log_of_diagonal(n_, below);
    measure();
}

template <typename Real>
void FermiRecursion<Real>::halve_temperature() {
    DenseOperations<Real>& on = device_.dense(Real());
    // tanh 2u = 2 T / (1 + T^2),  ln cosh 2u = 2 ln cosh u + ln(1 + T^2)
    square();
    on.combine(t_.size(), 1, scratch_.square.data(), 0, scratch_.denominator.data());
    on.add_to_diagonal(n_, 1, scratch_.denominator.data());
    on.combine(t_.size(), 2, t_.data(), 0, t_.data());
    log_cosh_ = 2 * log_cosh_ + divide();
    kT_ /= 2;
    measure();
}

template <typename Real>
void FermiRecursion<Real>::shift(double d) {
    DenseOperations<Real>& on = device_.dense(Real());
    // tanh(u - d/2) = (T - t) / (1 - t T),  ln cosh(u - d/2) = ln cosh u + ln cosh(d/2) + ln(1 - t T)
    const double t = std::tanh(d / 2);
    on.combine(t_.size(), -t, t_.data(), 0, scratch_.denominator.data());
    on.add_to_diagonal(n_, 1, scratch_.denominator.data());
    on.add_to_diagonal(n_, -t, t_.data());
    log_cosh_ += n_ * std::log(std::cosh(d / 2)) + divide();
    mu_ += d * kT_;
    measure();
}

template <typename Real>
double FermiRecursion<Real>::divide() {
    DenseOperations<Real>& on = device_.dense(Real());
    Real* l = scratch_.denominator.data();
    if (!on.cholesky(n_, l))
        throw NumericalError(
            "the Fermi operator failed: the Hamiltonian holds numbers that are not finite, or the structure "
            "is unphysical");
    on.solve_triangular(false, false, n_, n_, l, t_.data(), n_);
    on.solve_triangular(false, true, n_, n_, l, t_.data(), n_);
    on.symmetrize(n_, t_.data());
    return 2 * on.log_of_diagonal(n_, l);
}

template <typename Real>
const DeviceArray<Real>& FermiRecursion<Real>::square() {
    DenseOperations<Real>& on = device_.dense(Real());
    on.multiply_by_own_transpose(n_, t_.data(), scratch_.square.data());
    on.mirror_lower(n_, scratch_.square.data());
    return scratch_.square;
}

template <typename Real>
void FermiRecursion<Real>::measure() {
    DenseOperations<Real>& on = device_.dense(Real());
    electrons_ = (n_ - on.trace(n_, t_.data())) / 2;
    slope_ = (n_ - on.dot(t_.size(), t_.data(), t_.data())) / 4;
}

template <typename Real>
double FermiRecursion<Real>::entropy(const DeviceArray<Real>& a) const {
    DenseOperations<Real>& on = device_.dense(Real());
    // s = ln 2 cosh u - u tanh u,  u = (A - mu) / 2 kT
    const double u_tanh_u =
        0.5 / kT_ * (on.dot(t_.size(), a.data(), t_.data()) - mu_ * on.trace(n_, t_.data()));
    return log_cosh_ + n_ * std::log(2.0) - u_tanh_u;
}

template <typename Real>
double FermiRecursion<Real>::energy(const DeviceArray<Real>& a) const {
    DenseOperations<Real>& on = device_.dense(Real());
    return (on.trace(n_, a.data()) - on.dot(t_.size(), a.data(), t_.data())) / 2;
}

template class FermiRecursion<double>;
template class FermiRecursion<float>;

SpectralRange spectral_range(Device& device, int n, const DeviceArray<double>& a) {
    DenseOperations<double>& on = device.dense(0.0);
    const auto size = static_cast<std::size_t>(n);
    const int n_steps = std::min(n, 24);
    Random random(1);
    std::vector<double> start(size);
    for (double& x : start) x = random.normal();
    DeviceArray<double> v(device, start), before(device, size), next(device, size);
    before.set_zero();
    on.combine(size, 0, v.data(), 1 / std::sqrt(on.dot(size, v.data(), v.data())), v.data());
    Eigen::VectorXd alpha(n_steps), beta(n_steps);
    int steps = 0;
    while (steps < n_steps) {
        // beta_k v_k+1 = A v_k - alpha_k v_k - beta_k-1 v_k-1
        on.multiply(false, false, n, 1, n, 1, a.data(), n, v.data(), n, 0, next.data(), n);
        alpha(steps) = on.dot(size, v.data(), next.data());
        on.combine(size, -alpha(steps), v.data(), 1, next.data());
        if (steps > 0) on.combine(size, -beta(steps - 1), before.data(), 1, next.data());
        beta(steps) = std::sqrt(on.dot(size, next.data(), next.data()));
        if (!std::isfinite(beta(steps)))
            throw NumericalError("the Hamiltonian holds numbers that are not finite");
        ++steps;
        if (beta(steps - 1) < 1e-10) break;
        before.swap(v);
        v.swap(next);
        on.combine(size, 0, v.data(), 1 / beta(steps - 1), v.data());
    }
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> ritz;
    ritz.computeFromTridiagonal(alpha.head(steps), beta.head(std::max(0, steps - 1)));
    const Eigen::VectorXd& e = ritz.eigenvalues();
    // The last component times beta bounds the distance of a Ritz value from a level.
    const auto residual = [&](Eigen::Index k) {
        return std::abs(beta(steps - 1) * ritz.eigenvectors()(steps - 1, k));
    };
    const double margin = 0.02 * (e(steps - 1) - e(0)) + 1e-6;
    return {e(0) - residual(0) - margin, e(steps - 1) + residual(steps - 1) + margin};
}

}  // namespace stembridge::tb
