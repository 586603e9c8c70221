// SPDX-License-Identifier: Apache-2.0
#include "coulomb/reciprocal.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

/// Two or three lattice vectors that repeat, with the volume or area they span.
struct Lattice {
    explicit Lattice(const Cell& cell) {
        std::vector<int> repeated;
        for (int k = 0; k < 3; ++k)
            if (cell.periodic[static_cast<std::size_t>(k)]) repeated.push_back(k);
        is_sheet = repeated.size() == 2;
        if (is_sheet) {
            const Eigen::Vector3d a = cell.vector(repeated[0]), b = cell.vector(repeated[1]);
            const Eigen::Vector3d product = a.cross(b);
            size = product.norm();
            if (size > smallest) {
                normal = product / size;
                reciprocal_a = 2 * M_PI / size * b.cross(normal);
                reciprocal_b = 2 * M_PI / size * normal.cross(a);
                length_a = a.norm();
                length_b = b.norm();
            }
        } else {
            size = repeated.size() == 3 ? cell.volume() : 0;
        }
        if (size < smallest)
            throw InputError(
                "the lattice sum needs a cell that is periodic in two or three independent directions");
    }

    static constexpr double smallest = 1e-6;
    bool is_sheet;
    double size = 0, length_a = 0, length_b = 0;
    Eigen::Vector3d normal = Eigen::Vector3d::Zero(), reciprocal_a, reciprocal_b;
};

}  // namespace

Eigen::Matrix3Xd half_sphere(const Cell& cell, double cutoff) {
    const Eigen::Matrix3d b = cell.reciprocal();
    // |n_k| <= cutoff |a_k| / 2 pi
    Eigen::Vector3i reach;
    for (int k = 0; k < 3; ++k)
        reach(k) = static_cast<int>(std::floor(cutoff * cell.vector(k).norm() / (2 * M_PI)));
    std::vector<double> vectors;
    for (int l = 0; l <= reach(0); ++l)
        for (int m = l == 0 ? 0 : -reach(1); m <= reach(1); ++m)
            for (int n = l == 0 && m == 0 ? 1 : -reach(2); n <= reach(2); ++n) {
                const Eigen::Vector3d g = b * Eigen::Vector3d(l, m, n);
                if (g.squaredNorm() <= cutoff * cutoff) vectors.insert(vectors.end(), g.data(), g.data() + 3);
            }
    return Eigen::Map<const Eigen::Matrix3Xd>(vectors.data(), 3,
                                              static_cast<Eigen::Index>(vectors.size() / 3));
}

double thickness(const Eigen::Matrix3Xd& positions, const Eigen::Vector3d& normal) {
    const Eigen::RowVectorXd height = normal.transpose() * positions;
    return height.maxCoeff() - height.minCoeff();
}

Waves lattice_waves(const Structure& structure, double alpha, double x) {
    const Lattice lattice(structure.cell);
    const double cutoff = 2 * alpha * x;
    Waves waves;
    waves.size = lattice.size;
    if (!lattice.is_sheet) {
        waves.g = half_sphere(structure.cell, cutoff);
        waves.measure = Eigen::VectorXd::Constant(waves.g.cols(), 1 / lattice.size);
        return waves;
    }
    waves.normal = lattice.normal;
    const double h = thickness(structure.positions, lattice.normal);
    std::vector<double> vectors, measure;
    const int reach_a = static_cast<int>(std::floor(cutoff * lattice.length_a / (2 * M_PI)));
    const int reach_b = static_cast<int>(std::floor(cutoff * lattice.length_b / (2 * M_PI)));
    for (int l = 0; l <= reach_a; ++l)
        for (int m = l == 0 ? 1 : -reach_b; m <= reach_b; ++m) {
            const Eigen::Vector3d in_plane = l * lattice.reciprocal_a + m * lattice.reciprocal_b;
            const double g = in_plane.norm();
            if (g > cutoff) continue;
            // exp(-G (L - h)) = tolerance
            const double length = h + x * x / g, dk = 2 * M_PI / length;
            const int reach = static_cast<int>(std::floor(std::sqrt(cutoff * cutoff - g * g) / dk));
            for (int n = -reach; n <= reach; ++n) {
                const Eigen::Vector3d wave = in_plane + n * dk * lattice.normal;
                vectors.insert(vectors.end(), wave.data(), wave.data() + 3);
                measure.push_back(1 / (lattice.size * length));
            }
        }
    const auto count = static_cast<Eigen::Index>(measure.size());
    waves.g = Eigen::Map<const Eigen::Matrix3Xd>(vectors.data(), 3, count);
    waves.measure = Eigen::Map<const Eigen::VectorXd>(measure.data(), count);
    return waves;
}

double balanced_splitting(const Structure& structure) {
    const Lattice lattice(structure.cell);
    const double density = structure.size() / (lattice.size * lattice.size);
    return lattice.is_sheet ? 1.3 * std::pow(density, 1.0 / 4) : std::sqrt(M_PI) * std::pow(density, 1.0 / 6);
}

Eigen::Matrix3d Waves::strain_derivative(const Eigen::Matrix3d& in_plane, const Eigen::Matrix3Xd& positions,
                                         const Eigen::Matrix3Xd& forces) const {
    // D_az = sum_i dE/dr_ia z_i
    const Eigen::Vector3d along = -forces * (positions.transpose() * normal);
    const Eigen::Vector3d across = span() * along;
    return span() * in_plane * span() + across * normal.transpose() + normal * across.transpose() +
           normal.dot(along) * normal * normal.transpose();
}

}  // namespace stembridge::tb
