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
    /// Calls what(segment) for the values of each atom that has any.
    template <class Vector, class What>
    void for_each_atom(Vector&& values, const What& what) const {
        for (std::size_t first = 0; first < list_.size();) {
            std::size_t end = first;
            while (end < list_.size() && list_[end].atom == list_[first].atom) ++end;
            what(values.segment(static_cast<Eigen::Index>(first), static_cast<Eigen::Index>(end - first)));
            first = end;
        }
    }
    /// Largest norm over the atoms.
    double largest(const Eigen::VectorXd& values) const {
        double largest = 0;
        for_each_atom(values, [&](const auto& of_atom) { largest = std::max(largest, of_atom.norm()); });
        return largest;
    }

  private:
    int n_columns_;
    std::vector<Coordinate> list_;
};

}  // namespace stembridge::md
