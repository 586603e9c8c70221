// SPDX-License-Identifier: Apache-2.0
// Cells that repeat: cut out of a sheet along its lattice, supercells of crystals, surfaces.
#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/completed_cell.hpp"

namespace stembridge {
namespace {

/// Fraction in [0, 1), with what is 1 but for rounding at 0.
double wrapped(double fraction) {
    constexpr double rounding = 1e-9;
    const double result = fraction - std::floor(fraction + rounding);
    return std::abs(result) < rounding ? 0 : result;
}

/// Distance of the atoms near a cell from its border, for the best of the places that the cell can have
/// within one primitive cell. @return fractional shift of the primitive cell
Eigen::Vector2d quiet_border(const Eigen::Matrix2Xd& positions, const PlanarLattice& lattice,
                             const PlanarSupercell& cell, const Eigen::Vector2d& centre) {
    constexpr int grid = 12;
    const Eigen::Matrix2d vectors = lattice.vectors * cell.multiples.cast<double>();
    const Eigen::Matrix2d inverse = vectors.inverse();
    // Height of the cell over each of its two sides.
    const Eigen::Vector2d height(1 / inverse.row(0).norm(), 1 / inverse.row(1).norm());
    Eigen::Vector2d best = Eigen::Vector2d::Zero();
    double best_distance = -1;
    for (int i = 0; i < grid; ++i)
        for (int j = 0; j < grid; ++j) {
            const Eigen::Vector2d shift(static_cast<double>(i) / grid, static_cast<double>(j) / grid);
            const Eigen::Vector2d middle = centre + lattice.vectors * shift;
            double distance = std::numeric_limits<double>::infinity();
            for (Eigen::Index k = 0; k < positions.cols(); ++k) {
                const Eigen::Vector2d s = inverse * (positions.col(k) - middle);
                for (const int axis : {0, 1})
                    if (std::abs(s(1 - axis)) < 0.5)
                        distance = std::min(distance, std::abs(std::abs(s(axis)) - 0.5) * height(axis));
            }
            if (distance > best_distance + 1e-9) {
                best_distance = distance;
                best = shift;
            }
        }
    return best;
}

}  // namespace

Derived periodic_supercell(const Structure& structure, const Eigen::Vector2d& centre,
                           const SupercellOptions& options, BuildReport& report) {
    constexpr double height = 20 * units::angstrom;
    const PlanarLattice lattice = find_planar_lattice(structure);
    const PlanarSupercell cell = choose_supercell(lattice, options);
    const Eigen::Matrix2Xd in_plane = structure.positions.topRows<2>();
    const Eigen::Vector2d middle = centre + lattice.vectors * quiet_border(in_plane, lattice, cell, centre);
    const Eigen::Matrix2d inverse = (lattice.vectors * cell.multiples.cast<double>()).inverse();

    Derived result;
    result.structure.cell.vectors.setZero();
    result.structure.cell.vectors.topLeftCorner<2, 2>() = cell.cell;
    result.structure.cell.vectors(2, 2) = height;
    result.structure.cell.periodic = {true, true, false};
    const double z = structure.size() == 0 ? 0 : structure.positions.row(2).mean();
    for (int i = 0; i < structure.size(); ++i) {
        const Eigen::Vector2d s = inverse * (in_plane.col(i) - middle) + Eigen::Vector2d(0.5, 0.5);
        if (s.minCoeff() < 0 || s.maxCoeff() >= 1) continue;
        const Eigen::Vector2d place = cell.cell * s;
        result.structure.add(element_of(structure, i),
                             {place(0), place(1), structure.positions(2, i) - z + height / 2});
        result.origin.push_back(i);
    }
    const auto expected = static_cast<int>(lattice.basis.size()) * cell.n_primitive;
    const int found = result.structure.size();
    report.messages.push_back(fmt::format(
        "{} lattice: {:.3f} and {:.3f} angstrom, {:.2f} degrees, {} atoms in the primitive cell; {:.0f} % of "
        "the atoms lie on it to {:.3f} angstrom",
        lattice.kind, lattice.vectors.col(0).norm() / units::angstrom,
        lattice.vectors.col(1).norm() / units::angstrom,
        std::acos(lattice.vectors.col(0).normalized().dot(lattice.vectors.col(1).normalized())) * 180 / M_PI,
        lattice.basis.size(), 100 * lattice.share, lattice.residual / units::angstrom));
    const Eigen::Matrix2d& e = cell.strain;
    report.messages.push_back(
        fmt::format("periodic cell of {:.3f} x {:.3f} angstrom, {} primitive cells ({} {} / {} {}); strain "
                    "xx {:+.4f}, yy "
                    "{:+.4f}, xy {:+.4f}",
                    cell.cell.col(0).norm() / units::angstrom, cell.cell.col(1).norm() / units::angstrom,
                    cell.n_primitive, cell.multiples(0, 0), cell.multiples(1, 0), cell.multiples(0, 1),
                    cell.multiples(1, 1), e(0, 0), e(1, 1), e(0, 1)));
    report.messages.push_back(fmt::format("{} atoms lie in it, the perfect lattice has {}", found, expected));
    if (2 * found < expected)
        throw InputError(
            fmt::format("the periodic cell holds {} atoms where the lattice has {}: the sheet "
                        "does not fill it; ask for a smaller cell or another place",
                        found, expected));
    if (10 * found < 9 * expected)
        report.warnings.push_back(
            fmt::format("the periodic cell holds {} atoms where the lattice has {}: it "
                        "reaches over holes or the edge of the frame",
                        found, expected));
    report.counters["cropped_away"] += structure.size() - found;
    report.lattice = lattice;
    report.supercell = cell;
    return result;
}

Eigen::Vector3d nearest_image(const Cell& cell, const Eigen::Vector3d& r) {
    if (!cell.is_periodic()) return r;
    Eigen::Vector3d whole = completed(cell).fractional(r);
    for (int k = 0; k < 3; ++k)
        whole(k) = cell.periodic[static_cast<std::size_t>(k)] ? std::round(whole(k)) : 0;
    return r - cell.vectors * whole;
}

Structure matrix_supercell(const Structure& structure, const Eigen::Matrix3i& m) {
    const double copies = std::round(m.cast<double>().determinant());
    if (copies < 1) throw InputError("the matrix of a supercell must have a positive determinant");
    for (int k = 0; k < 3; ++k) {
        if (structure.cell.periodic[static_cast<std::size_t>(k)]) continue;
        for (int j = 0; j < 3; ++j)
            if ((j == k ? m(k, j) != 1 : m(k, j) != 0 || m(j, k) != 0))
                throw InputError(
                    fmt::format("the cell does not repeat along vector {}: no supercell along it", k + 1));
    }
    Structure result;
    result.comment = structure.comment;
    result.cell = structure.cell;
    result.cell.vectors = structure.cell.vectors * m.cast<double>();
    const Eigen::Matrix3d to_new = m.cast<double>().inverse();
    const Eigen::Vector3i reach = m.cwiseAbs().rowwise().sum();
    std::vector<int> source;
    std::vector<Eigen::Vector3d> places;
    const Cell whole = completed(structure.cell);
    const Eigen::Matrix3d vectors = whole.vectors * m.cast<double>();
    const Eigen::Matrix3Xd fractions = whole.fractional(structure.positions);
    for (int a = -reach(0); a <= reach(0); ++a)
        for (int b = -reach(1); b <= reach(1); ++b)
            for (int c = -reach(2); c <= reach(2); ++c) {
                // Whole cells: the corner of a copy is in the new cell or not.
                const Eigen::Vector3d corner = to_new * Eigen::Vector3d(a, b, c);
                const auto inside = [](double f) { return f > -1e-9 && f < 1 - 1e-9; };
                if (!inside(corner(0)) || !inside(corner(1)) || !inside(corner(2))) continue;
                for (int i = 0; i < structure.size(); ++i) {
                    source.push_back(i);
                    Eigen::Vector3d s = to_new * (fractions.col(i) + Eigen::Vector3d(a, b, c));
                    for (int k = 0; k < 3; ++k)
                        if (structure.cell.periodic[static_cast<std::size_t>(k)]) s(k) = wrapped(s(k));
                    places.push_back(vectors * s);
                }
            }
    const Cell cell = result.cell;
    result = structure.selected(source);
    result.cell = cell;
    for (std::size_t k = 0; k < places.size(); ++k)
        result.positions.col(static_cast<Eigen::Index>(k)) = places[k];
    return result;
}

Structure surface_slab(const Structure& crystal, const std::array<int, 3>& hkl, int layers, double vacuum) {
    if (!crystal.cell.is_fully_periodic() || !(crystal.cell.volume() > 0))
        throw InputError("a surface needs a crystal that repeats in three directions");
    if (!(vacuum > 0) || layers < 1)
        throw InputError("the number of layers and the vacuum of a surface must be positive");
    const int divisor = std::gcd(std::gcd(hkl[0], hkl[1]), hkl[2]);
    if (divisor == 0) throw InputError("the surface (0 0 0) does not exist: one index must not be zero");
    const Eigen::Vector3i plane = Eigen::Vector3i(hkl[0], hkl[1], hkl[2]) / divisor;
    if (plane.cwiseAbs().maxCoeff() > 9)
        throw InputError(fmt::format("the surface ({} {} {}) has an index above 9", hkl[0], hkl[1], hkl[2]));

    // Lattice vectors n with h.n = 0 lie in the surface, those with h.n = 1 lead to the next plane.
    const int reach = std::max(3, 2 * plane.cwiseAbs().maxCoeff());
    std::vector<Eigen::Vector3i> in_plane, next;
    for (int a = -reach; a <= reach; ++a)
        for (int b = -reach; b <= reach; ++b)
            for (int c = -reach; c <= reach; ++c) {
                const Eigen::Vector3i n(a, b, c);
                if (plane.dot(n) == 0 && !n.isZero()) in_plane.push_back(n);
                if (plane.dot(n) == 1) next.push_back(n);
            }
    const auto length = [&](const Eigen::Vector3i& n) {
        return (crystal.cell.vectors * n.cast<double>()).squaredNorm();
    };
    const auto shorter = [&](const Eigen::Vector3i& a, const Eigen::Vector3i& b) {
        return length(a) < length(b) - 1e-9;
    };
    std::stable_sort(in_plane.begin(), in_plane.end(), shorter);
    std::stable_sort(next.begin(), next.end(), shorter);
    // The shortest two whose cross product is (hkl) itself span the plane's lattice.
    Eigen::Matrix3i m;
    const Eigen::Vector3i first = in_plane.front();
    const auto second = std::find_if(in_plane.begin(), in_plane.end(),
                                     [&](const Eigen::Vector3i& n) { return first.cross(n) == plane; });
    if (second == in_plane.end() || next.empty())
        throw std::logic_error("no primitive vectors in a lattice plane");
    m << first, *second, next.front();
    m.col(2) *= layers;

    Structure slab = matrix_supercell(crystal, m);
    const Eigen::Vector3d a = slab.cell.vector(0), b = slab.cell.vector(1);
    const Eigen::Vector3d normal = a.cross(b).normalized();
    Eigen::Matrix3d axes;
    axes << a.normalized(), normal.cross(a).normalized(), normal;
    slab.positions = axes.transpose() * slab.positions;
    if (slab.velocities.cols() != 0) slab.velocities = axes.transpose() * slab.velocities;
    slab.fixed.resize(3, 0);
    slab.cell.vectors = axes.transpose() * slab.cell.vectors;
    // Remove rounding where the vectors lie along the axes, and stand the third one upright.
    slab.cell.vectors(1, 0) = slab.cell.vectors(2, 0) = slab.cell.vectors(2, 1) = 0;
    const double low = slab.positions.row(2).minCoeff(), high = slab.positions.row(2).maxCoeff();
    slab.positions.row(2).array() += vacuum / 2 - low;
    slab.cell.vectors.col(2) << 0, 0, high - low + vacuum;
    slab.cell.periodic = {true, true, false};
    // Atoms back into the cell of the plane.
    const Eigen::Matrix3d inverse = slab.cell.vectors.inverse();
    for (int i = 0; i < slab.size(); ++i) {
        Eigen::Vector3d s = inverse * slab.positions.col(i);
        s(0) = wrapped(s(0));
        s(1) = wrapped(s(1));
        slab.positions.col(i) = slab.cell.vectors * s;
    }
    return slab;
}

}  // namespace stembridge
