// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/neighbor_list.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/completed_cell.hpp"

namespace stembridge {
namespace {

/// Regular bins over a set of points, at least `width` wide, so that partners lie in the 27 bins around a
/// point.
class Bins {
  public:
    Bins(const Eigen::Matrix3Xd& points, double width) : low_(points.rowwise().minCoeff()) {
        const Eigen::Vector3d extent = points.rowwise().maxCoeff() - low_;
        for (int k = 0; k < 3; ++k) {
            // No more than about two bins per point and direction, however sparse the points are.
            const double finest = extent(k) / (2 * std::cbrt(static_cast<double>(points.cols())) + 1);
            width_[k] = std::max({width, finest, 1e-6});
            n_[k] = static_cast<int>(extent(k) / width_[k]) + 1;
        }
        members_.resize(static_cast<std::size_t>(n_[0]) * n_[1] * n_[2]);
        for (int p = 0; p < points.cols(); ++p) members_[index(bin_of(points.col(p)))].push_back(p);
    }

    template <class Visit>
    void around(const Eigen::Vector3d& point, Visit visit) const {
        const Eigen::Vector3i centre = bin_of(point);
        for (int a = std::max(0, centre(0) - 1); a <= std::min(n_[0] - 1, centre(0) + 1); ++a)
            for (int b = std::max(0, centre(1) - 1); b <= std::min(n_[1] - 1, centre(1) + 1); ++b)
                for (int c = std::max(0, centre(2) - 1); c <= std::min(n_[2] - 1, centre(2) + 1); ++c)
                    for (const int p : members_[index({a, b, c})]) visit(p);
    }

  private:
    Eigen::Vector3i bin_of(const Eigen::Vector3d& point) const {
        Eigen::Vector3i bin;
        for (int k = 0; k < 3; ++k)
            bin(k) =
                static_cast<int>(std::clamp(std::floor((point(k) - low_(k)) / width_[k]), -2.0, n_[k] + 1.0));
        return bin;
    }
    std::size_t index(const Eigen::Vector3i& bin) const {
        return (static_cast<std::size_t>(bin(0)) * n_[1] + bin(1)) * n_[2] + bin(2);
    }

    Eigen::Vector3d low_;
    std::array<double, 3> width_{};
    std::array<int, 3> n_{};
    std::vector<std::vector<int>> members_;
};

/// Distance between the lattice planes spanned by the other two vectors, bohr.
double plane_spacing(const Cell& cell, int axis) {
    const Eigen::Vector3d normal = cell.vector((axis + 1) % 3).cross(cell.vector((axis + 2) % 3));
    return std::abs(normal.dot(cell.vector(axis))) / normal.norm();
}

}  // namespace

NeighborList::NeighborList(const Structure& structure, double cutoff)
    : neighbors_(static_cast<std::size_t>(structure.size())), cutoff_(cutoff) {
    const int n = structure.size();
    if (n == 0) return;

    // Periodic images of every atom that can lie within the cut-off of an atom inside the wrapped cell.
    Eigen::Matrix3Xd wrapped = structure.positions;
    Eigen::Matrix3Xi wraps = Eigen::Matrix3Xi::Zero(3, n);  // wrapped = original - vectors * wraps
    std::array<int, 3> reach = {0, 0, 0};
    if (structure.cell.is_periodic()) {
        const Cell frame = completed(structure.cell);
        if (frame.volume() < 1e-9)
            throw InputError("the lattice vectors of the periodic directions are linearly dependent");
        const Eigen::Matrix3Xd fractions = frame.fractional(structure.positions);
        for (int k = 0; k < 3; ++k) {
            if (!structure.cell.periodic[static_cast<std::size_t>(k)]) continue;
            reach[static_cast<std::size_t>(k)] =
                static_cast<int>(std::ceil(cutoff / plane_spacing(frame, k)));
            for (int i = 0; i < n; ++i) {
                wraps(k, i) = static_cast<int>(std::floor(fractions(k, i)));
                wrapped.col(i) -= frame.vector(k) * wraps(k, i);
            }
        }
    }

    struct Shift {
        std::array<int, 3> image;
        Eigen::Vector3d vector;
    };
    std::vector<Shift> shifts;
    for (int a = -reach[0]; a <= reach[0]; ++a)
        for (int b = -reach[1]; b <= reach[1]; ++b)
            for (int c = -reach[2]; c <= reach[2]; ++c) {
                Shift& shift = shifts.emplace_back(Shift{{a, b, c}, Eigen::Vector3d::Zero()});
                for (int k = 0; k < 3; ++k)
                    if (const int times = shift.image[static_cast<std::size_t>(k)]; times != 0)
                        shift.vector += structure.cell.vector(k) * times;
            }

    // By atom, then image: points in ascending order are neighbours in the order of the list.
    struct Image {
        int atom;
        std::array<int, 3> shift;
    };
    std::vector<Image> images;
    std::vector<double> coordinates;
    const Eigen::Vector3d low = wrapped.rowwise().minCoeff().array() - cutoff;
    const Eigen::Vector3d high = wrapped.rowwise().maxCoeff().array() + cutoff;
    for (int j = 0; j < n; ++j)
        for (const Shift& shift : shifts) {
            const Eigen::Vector3d p = wrapped.col(j) + shift.vector;
            if ((p.array() < low.array()).any() || (p.array() > high.array()).any()) continue;
            images.push_back({j, shift.image});
            coordinates.insert(coordinates.end(), p.data(), p.data() + 3);
        }
    const Eigen::Map<const Eigen::Matrix3Xd> points(coordinates.data(), 3,
                                                    static_cast<Eigen::Index>(images.size()));

    const Bins bins(points, cutoff);
    std::vector<int> near;
    for (int i = 0; i < n; ++i) {
        near.clear();
        bins.around(wrapped.col(i), [&](int p) {
            if ((points.col(p) - wrapped.col(i)).squaredNorm() > cutoff * cutoff) return;
            const Image& image = images[static_cast<std::size_t>(p)];
            const bool itself = image.atom == i && image.shift == std::array<int, 3>{0, 0, 0};
            if (!itself) near.push_back(p);
        });
        std::sort(near.begin(), near.end());
        auto& list = neighbors_[static_cast<std::size_t>(i)];
        list.reserve(near.size());
        for (const int p : near) {
            const Image& image = images[static_cast<std::size_t>(p)];
            Neighbor& neighbor = list.emplace_back();
            neighbor.j = image.atom;
            // r_ij from the positions as given, so that wrapping changes no bit of it.
            neighbor.r_ij = structure.positions.col(image.atom) - structure.positions.col(i);
            for (int k = 0; k < 3; ++k) {
                const auto axis = static_cast<std::size_t>(k);
                neighbor.image[axis] = image.shift[axis] - wraps(k, image.atom) + wraps(k, i);
                if (neighbor.image[axis] != 0)
                    neighbor.r_ij += structure.cell.vector(k) * neighbor.image[axis];
            }
            neighbor.distance = neighbor.r_ij.norm();
        }
    }
}

}  // namespace stembridge
