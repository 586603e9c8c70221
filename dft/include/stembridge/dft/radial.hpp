// SPDX-License-Identifier: Apache-2.0
// Functions of the distance from a nucleus, as B-splines on intervals that grow exponentially.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <vector>

namespace stembridge::dft {

/// How finely the radial functions of an atom are resolved.
struct RadialGrid {
    int degree = 8;         ///< of the splines, 3..12
    int intervals = 80;     ///< exponential: the first is the shortest
    double radius = 30;     ///< bohr; every function vanishes there
    double first = 0;       ///< length of the first interval, bohr; 0 = chosen by the nuclear charge
    int gauss_points = 14;  ///< per interval
};

/// B-splines of one degree over given intervals, with full multiplicity of the knots at both ends.
class SplineBasis {
  public:
    static constexpr int max_degree = 12;
    using Local = std::array<double, max_degree + 1>;

    SplineBasis() = default;
    /// @param breakpoints ascending ends of the intervals, bohr  @throw InputError when they do not ascend or
    /// the degree is outside 1..12
    SplineBasis(int degree, std::vector<double> breakpoints);

    int size() const { return static_cast<int>(breakpoints_.size()) - 1 + degree_; }
    int degree() const { return degree_; }
    const std::vector<double>& breakpoints() const { return breakpoints_; }
    double radius() const { return breakpoints_.back(); }

    /// Values and first derivatives of the degree + 1 splines that do not vanish at r.
    /// @param r within the intervals, bohr  @return index of the first of them
    /// @source de Boor, A Practical Guide to Splines (1978), chapter X
    int evaluate(double r, Local& values, Local& derivatives) const;

  private:
    int degree_ = 0;
    std::vector<double> breakpoints_;
    std::vector<double> knots_;
};

/// Several functions of r in one spline basis; zero beyond its radius.
class RadialFunctions {
  public:
    RadialFunctions() = default;
    /// @param coefficients (splines, functions)
    RadialFunctions(SplineBasis basis, Eigen::MatrixXd coefficients);

    int count() const { return static_cast<int>(coefficients_.cols()); }
    const SplineBasis& basis() const { return basis_; }
    const Eigen::MatrixXd& coefficients() const { return coefficients_; }

    /// Value and first derivative of every function. @param r bohr
    /// @param values, derivatives arrays of count() numbers, overwritten
    void evaluate(double r, double* values, double* derivatives) const;
    /// Value of one function.
    double value(int function, double r) const;

  private:
    SplineBasis basis_;
    Eigen::MatrixXd coefficients_;
};

}  // namespace stembridge::dft
