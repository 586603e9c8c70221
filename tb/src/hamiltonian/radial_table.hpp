// SPDX-License-Identifier: Apache-2.0
// Functions of a distance tabulated on a regular grid, with a smooth end.
#pragma once

#include <vector>

namespace stembridge::tb {

/// Several functions f_c(r) given at r = spacing, 2 spacing, ...: eighth-order interpolation inside the
/// table, a fifth-order polynomial that brings value, slope and curvature to zero over one bohr after the
/// last row.
class RadialTable {
  public:
    /// @param spacing bohr  @param values n_rows rows of n_columns numbers  @throw InputError for less than 8
    /// rows
    RadialTable(double spacing, int n_columns, std::vector<double> values);
    /// Distance from which on every function is zero, bohr.
    double range() const { return last_ + tail_length; }
    int n_columns() const { return n_columns_; }
    /// Values and derivatives of all functions. @param r bohr, not negative
    /// @param value n_columns numbers  @param derivative n_columns numbers, or null
    void evaluate(double r, double* value, double* derivative) const;

    static constexpr double tail_length = 1.0;  ///< bohr
    static constexpr int stencil = 8;

  private:
    double spacing_, last_;
    int n_columns_, n_rows_;
    std::vector<double> values_;
    std::vector<double> tail_;  ///< value, slope, curvature at the last row, per column
};

}  // namespace stembridge::tb
