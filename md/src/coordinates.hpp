// SPDX-License-Identifier: Apache-2.0
// The coordinates that may move, as one vector. What is not in it is never written to.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// One free coordinate of a structure.
struct Coordinate {
    int axis;
    int atom;
};

/// The free coordinates, atom by atom. Coordinates of the cell follow, three by three, as if they were those
/// of more atoms.
class FreeCoordinates {
  public:
    /// @param cell_columns columns of three coordinates of the cell after those of the atoms
    explicit FreeCoordinates(const Structure& structure, int cell_columns = 0)
        : n_columns_(structure.size() + cell_columns) {
        for (int atom = 0; atom < n_columns_; ++atom)
            for (int axis = 0; axis < 3; ++axis)
                if (atom >= structure.size() || !structure.is_fixed(axis, atom))
                    list_.push_back({axis, atom});
    }

    int size() const { return static_cast<int>(list_.size()); }
    /// Columns of the arrays that gather() and add_to() take.
    int n_columns() const { return n_columns_; }
    auto begin() const { return list_.begin(); }
    auto end() const { return list_.end(); }

    Eigen::VectorXd gather(const Eigen::Matrix3Xd& from) const {
        Eigen::VectorXd values(size());
        Eigen::Index k = 0;
        for (const auto& [axis, atom] : list_) values(k++) = from(axis, atom);
        return values;
    }
    void add_to(Eigen::Matrix3Xd& to, const Eigen::VectorXd& values) const {
        Eigen::Index k = 0;
        for (const auto& [axis, atom] : list_) to(axis, atom) += values(k++);
    }
    /// Largest norm over the atoms.
    double largest(const Eigen::VectorXd& values) const {
        double largest = 0;
        for (std::size_t k = 0; k < list_.size();) {
            double square = 0;
            for (const int atom = list_[k].atom; k < list_.size() && list_[k].atom == atom; ++k)
                square += values(static_cast<Eigen::Index>(k)) * values(static_cast<Eigen::Index>(k));
            largest = std::max(largest, square);
        }
        return std::sqrt(largest);
    }

  private:
    int n_columns_;
    std::vector<Coordinate> list_;
};

}  // namespace stembridge::md
