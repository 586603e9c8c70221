// SPDX-License-Identifier: Apache-2.0
// Poles and weights that turn functions of a matrix into sums of inverses.
#pragma once

#include <Eigen/Dense>
#include <complex>
#include <functional>
#include <vector>

namespace stembridge::tb {

/// f(x) = 1 / (1 + e^x).
double fermi_function(double x);
/// -f ln f - (1 - f) ln(1 - f).
double entropy_function(double x);

/// Poles z_j above the real axis such that f(x), f(x - d), the entropy and x f(x) with their shifted forms
/// are sums 2 Re[w_j / (x - z_j)] without a constant for x in a window and all |d| up to a limit. x is (e -
/// mu) / kT.
class PoleExpansion {
  public:
    /// Where the expansion must hold.
    struct Window {
        double lowest = 0, highest = 0;  ///< of x
        double shift = 2;                ///< largest |d|
    };
    /// Fits by the set-valued AAA algorithm on several grids and keeps the best; when all of them fail, poles
    /// on a contour. The same on every machine, whatever the number of threads.
    /// @param n_poles wanted  @param good largest error at which no better set is looked for
    /// @source Nakatsukasa, Sete, Trefethen, SIAM J. Sci. Comput. 40, A1494 (2018), doi:10.1137/16M1106122
    PoleExpansion(const Window& window, int n_poles, double good = 2e-7);
    /// Poles on the contour of an elliptic map, which cannot fail but need more poles.
    /// @source Lin, Lu, Ying, E, Chin. Ann. Math. B 30, 729 (2009), doi:10.1007/s11401-009-0201-7
    static PoleExpansion on_contour(const Window& window, int n_poles);

    const std::vector<std::complex<double>>& poles() const { return poles_; }
    const Window& window() const { return window_; }
    /// Weights of the best fit of g on the window.
    Eigen::VectorXcd weights(const std::function<double(double)>& g) const;
    Eigen::VectorXcd fermi_weights(double d) const;
    Eigen::VectorXcd entropy_weights(double d) const;
    /// Of (x - d) f(x - d).
    Eigen::VectorXcd energy_weights(double d) const;
    /// Largest deviation of the fit from g on points that the fit has not seen.
    double error(const std::function<double(double)>& g) const;
    /// Largest error of f(x - d), the entropy and x f / |lowest| over some d, the last two by what they do
    /// to energies and forces.
    double largest_error() const { return largest_error_; }

  private:
    PoleExpansion(const Window& window, std::vector<std::complex<double>> poles);
    double measure() const;

    Window window_;
    std::vector<std::complex<double>> poles_;
    Eigen::VectorXd grid_;
    Eigen::MatrixXd from_samples_, to_weights_;  ///< pseudo-inverse of the fit in two factors
    double largest_error_ = 0;
};

}  // namespace stembridge::tb
