// SPDX-License-Identifier: Apache-2.0
// Lattice of a sheet from its atoms, and commensurate supercells.
#include "stembridge/structure/planar_lattice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "build_report.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge {
namespace {

using Eigen::Matrix2d;
using Eigen::Vector2d;

double cross(const Vector2d& a, const Vector2d& b) {
    return a(0) * b(1) - a(1) * b(0);
}

/// The heavy atoms of a sheet in its plane, with pairs of equal elements.
struct Plane {
    std::vector<int> elements;
    Eigen::Matrix2Xd positions;
    std::vector<std::vector<Neighbor>> pairs;

    Plane(const Structure& structure, double longest) {
        Structure flat;
        for (int i = 0; i < structure.size(); ++i)
            if (element_of(structure, i) != 1)
                flat.add(element_of(structure, i), {structure.positions(0, i), structure.positions(1, i), 0});
        elements = flat.atomic_numbers;
        positions = flat.positions.topRows<2>();
        const NeighborList list(flat, longest);
        pairs.resize(elements.size());
        for (int i = 0; i < size(); ++i)
            for (const Neighbor& n : list.of(i))
                if (element(n.j) == element(i)) pairs[static_cast<std::size_t>(i)].push_back(n);
    }
    int size() const { return static_cast<int>(elements.size()); }
    int element(int atom) const { return elements[static_cast<std::size_t>(atom)]; }
};

/// A vector that leads from many atoms to others of their kind.
struct Translation {
    Vector2d vector;
    int count = 0;
};

/// Maxima of the density of pair vectors in the upper half plane.
std::vector<Translation> translations(const Plane& plane, double tolerance) {
    const double bin = tolerance / 2;
    std::map<std::pair<int, int>, std::vector<Vector2d>> bins;
    for (const auto& of_atom : plane.pairs)
        for (const Neighbor& n : of_atom)
            bins[{static_cast<int>(std::floor(n.r_ij(0) / bin)),
                  static_cast<int>(std::floor(n.r_ij(1) / bin))}]
                .push_back(n.r_ij.head<2>());
    // Number and mean of the vectors within the tolerance of a point.
    const auto around = [&](const Vector2d& point) {
        Translation t{Vector2d::Zero(), 0};
        const int x = static_cast<int>(std::floor(point(0) / bin));
        const int y = static_cast<int>(std::floor(point(1) / bin));
        for (int i = x - 2; i <= x + 2; ++i)
            for (int j = y - 2; j <= y + 2; ++j) {
                const auto found = bins.find({i, j});
                if (found == bins.end()) continue;
                for (const Vector2d& v : found->second)
                    if ((v - point).norm() <= tolerance) {
                        t.vector += v;
                        ++t.count;
                    }
            }
        if (t.count > 0) t.vector /= t.count;
        return t;
    };
    std::vector<Translation> peaks;
    for (const auto& [place, members] : bins) {
        if (place.second < -1 || 20 * static_cast<int>(members.size()) < plane.size()) continue;
        Translation t = around(members.front());
        for (int round = 0; round < 5; ++round) t = around(t.vector);
        if (t.vector(1) < -1e-3 * tolerance || (std::abs(t.vector(1)) <= tolerance / 4 && t.vector(0) < 0))
            t.vector = -t.vector;
        const bool known = std::any_of(peaks.begin(), peaks.end(), [&](const Translation& p) {
            return std::min((p.vector - t.vector).norm(), (p.vector + t.vector).norm()) < tolerance;
        });
        if (!known) peaks.push_back(t);
    }
    return peaks;
}

/// Shortest two vectors of a lattice, right-handed. @source Gauss reduction of a binary quadratic form
Matrix2d reduced(Vector2d a, Vector2d b) {
    while (true) {
        if (a.squaredNorm() > b.squaredNorm()) std::swap(a, b);
        const double n = a.dot(b) / a.squaredNorm();
        if (std::abs(n) <= 0.5 + 1e-9) break;
        b -= std::round(n) * a;
    }
    Matrix2d result;
    result << a, b;
    if (cross(a, b) < 0) result.col(1) = -b;
    return result;
}

std::string kind_of(const Matrix2d& vectors) {
    const double a = vectors.col(0).norm(), b = vectors.col(1).norm();
    const double angle = std::acos(vectors.col(0).dot(vectors.col(1)) / (a * b)) * 180 / M_PI;
    const bool equal = std::abs(a - b) < 0.02 * b;
    const auto is = [&](double wanted) { return std::abs(angle - wanted) < 1.5; };
    if (equal && (is(60) || is(120))) return "hexagonal";
    if (is(90)) return equal ? "square" : "rectangular";
    // Rhombic, or the short vector half of the centred cell's side.
    const double along = std::abs(vectors.col(0).dot(vectors.col(1))) / (a * a);
    if (equal || std::abs(along - 0.5) < 0.02) return "centred rectangular";
    return "oblique";
}

/// Atoms that hang together by lattice steps: where each is counted from the first.
struct Walk {
    std::vector<int> atoms;
    std::vector<Vector2d> steps;
};

std::vector<Walk> walks(const Plane& plane, const Matrix2d& vectors, double tolerance) {
    const Matrix2d inverse = vectors.inverse();
    const double reach = 1.05 * (vectors.col(0).norm() + vectors.col(1).norm()) + tolerance;
    std::vector<bool> seen(plane.elements.size(), false);
    std::vector<Walk> result;
    for (int start = 0; start < plane.size(); ++start) {
        if (seen[static_cast<std::size_t>(start)]) continue;
        seen[static_cast<std::size_t>(start)] = true;
        Walk walk{{start}, {Vector2d::Zero()}};
        for (std::size_t k = 0; k < walk.atoms.size(); ++k)
            for (const Neighbor& n : plane.pairs[static_cast<std::size_t>(walk.atoms[k])]) {
                if (seen[static_cast<std::size_t>(n.j)] || n.distance > reach) continue;
                const Vector2d r = n.r_ij.head<2>();
                const Vector2d step = (inverse * r).array().round().matrix();
                if (step.cwiseAbs().maxCoeff() > 1 || (r - vectors * step).norm() > tolerance) continue;
                seen[static_cast<std::size_t>(n.j)] = true;
                walk.atoms.push_back(n.j);
                walk.steps.push_back(walk.steps[k] + step);
            }
        result.push_back(std::move(walk));
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const Walk& a, const Walk& b) { return a.atoms.size() > b.atoms.size(); });
    return result;
}

/// Least squares over r = offset(walk) + A n with one A for all walks.
Matrix2d fitted(const Plane& plane, const std::vector<Walk>& walks) {
    Matrix2d steps = Matrix2d::Zero(), mixed = Matrix2d::Zero();
    for (const Walk& walk : walks) {
        Vector2d mean_r = Vector2d::Zero(), mean_n = Vector2d::Zero();
        const auto count = static_cast<double>(walk.atoms.size());
        for (std::size_t k = 0; k < walk.atoms.size(); ++k) {
            mean_r += plane.positions.col(walk.atoms[k]) / count;
            mean_n += walk.steps[k] / count;
        }
        for (std::size_t k = 0; k < walk.atoms.size(); ++k) {
            const Vector2d n = walk.steps[k] - mean_n;
            steps += n * n.transpose();
            mixed += (plane.positions.col(walk.atoms[k]) - mean_r) * n.transpose();
        }
    }
    return mixed * steps.inverse();
}

/// Symmetric strain of a deformation, seen in the deformed frame: sqrt(F F^T) - 1.
Matrix2d strain_of(const Matrix2d& f) {
    const Eigen::SelfAdjointEigenSolver<Matrix2d> eigen(f * f.transpose());
    return eigen.operatorSqrt() - Matrix2d::Identity();
}

/// The lattice vectors whose lengths lie between two bounds.
std::vector<Eigen::Vector2i> vectors_of_length(const Matrix2d& lattice, double shortest, double longest) {
    // |n_k| <= |r| |b_k|, with b the reciprocal vectors without 2 pi.
    const Matrix2d inverse = lattice.inverse();
    const int n = static_cast<int>(std::ceil(longest * inverse.row(0).norm()));
    const int m = static_cast<int>(std::ceil(longest * inverse.row(1).norm()));
    std::vector<Eigen::Vector2i> result;
    for (int i = -n; i <= n; ++i)
        for (int j = -m; j <= m; ++j) {
            const double length = (lattice * Vector2d(i, j)).norm();
            if (length >= shortest && length <= longest && (i != 0 || j != 0)) result.push_back({i, j});
        }
    return result;
}

Matrix2d upright(const Matrix2d& vectors) {
    const double a = vectors.col(0).norm();
    Matrix2d result;
    result << a, vectors.col(0).dot(vectors.col(1)) / a, 0, cross(vectors.col(0), vectors.col(1)) / a;
    return result;
}

}  // namespace

PlanarLattice find_planar_lattice(const Structure& structure, const PlanarLatticeOptions& options) {
    const Plane plane(structure, options.longest);
    const auto refuse = [&](const std::string& why) {
        throw InputError(
            fmt::format("no lattice is found in the {} heavy atoms: {}; a periodic cell needs a "
                        "crystalline sheet",
                        plane.size(), why));
    };
    if (plane.size() < 8) refuse("there are too few");
    std::vector<Translation> found = translations(plane, options.tolerance);
    int most = 0;
    for (const Translation& t : found) most = std::max(most, t.count);
    // A vector between different sites of the cell fits at most half of the atoms.
    std::erase_if(found, [&](const Translation& t) { return t.count < 0.75 * most; });
    std::sort(found.begin(), found.end(), [](const Translation& a, const Translation& b) {
        return a.vector.squaredNorm() < b.vector.squaredNorm();
    });
    const auto second = std::find_if(found.begin(), found.end(), [&](const Translation& t) {
        return std::abs(cross(found.front().vector, t.vector)) >
               0.2 * found.front().vector.norm() * t.vector.norm();
    });
    if (found.empty() || second == found.end()) refuse("no two vectors lead from atom to atom");

    PlanarLattice lattice;
    lattice.vectors = reduced(found.front().vector, second->vector);
    std::vector<Walk> parts;
    for (int round = 0; round < 3; ++round) {
        parts = walks(plane, lattice.vectors, options.tolerance);
        // Small pieces are other grains, or noise.
        const std::size_t least = std::max<std::size_t>(4, parts.front().atoms.size() / 10);
        std::erase_if(parts, [&](const Walk& walk) { return walk.atoms.size() < least; });
        if (parts.empty()) refuse("no four atoms lie on one");
        lattice.vectors = fitted(plane, parts);
    }
    lattice.vectors = reduced(lattice.vectors.col(0), lattice.vectors.col(1));
    parts = walks(plane, lattice.vectors, options.tolerance);

    double squares = 0;
    const Matrix2d inverse = lattice.vectors.inverse();
    const std::size_t least = std::max<std::size_t>(4, parts.front().atoms.size() / 10);
    for (const Walk& walk : parts) {
        if (walk.atoms.size() < least) continue;
        Vector2d offset = Vector2d::Zero();
        const auto count = static_cast<double>(walk.atoms.size());
        for (std::size_t k = 0; k < walk.atoms.size(); ++k)
            offset += (plane.positions.col(walk.atoms[k]) - lattice.vectors * walk.steps[k]) / count;
        for (std::size_t k = 0; k < walk.atoms.size(); ++k)
            squares +=
                (plane.positions.col(walk.atoms[k]) - lattice.vectors * walk.steps[k] - offset).squaredNorm();
        lattice.n_atoms += static_cast<int>(walk.atoms.size());
        Vector2d place = inverse * offset;
        place -= place.array().floor().matrix();
        const int element = plane.element(walk.atoms.front());
        const bool known = std::any_of(lattice.basis.begin(), lattice.basis.end(), [&](const auto& site) {
            Vector2d apart = place - site.second;
            apart -= apart.array().round().matrix();
            return (lattice.vectors * apart).norm() < 1.5 * options.tolerance;
        });
        if (!known) lattice.basis.emplace_back(element, place);
    }
    lattice.share = static_cast<double>(lattice.n_atoms) / plane.size();
    if (lattice.share < 0.5) refuse(fmt::format("only {:.0f} % lie on one", 100 * lattice.share));
    lattice.residual = std::sqrt(squares / (2.0 * lattice.n_atoms));
    lattice.kind = kind_of(lattice.vectors);
    return lattice;
}

PlanarSupercell choose_supercell(const PlanarLattice& lattice, const SupercellOptions& options) {
    using Shape = SupercellOptions::Shape;
    if (!(options.max_strain > 0)) throw InputError("the largest strain of a supercell must be positive");
    const bool given = options.shape == Shape::given;
    const Eigen::Vector2d wanted =
        given ? Eigen::Vector2d(options.cell.col(0).norm(), options.cell.col(1).norm()) : options.lengths;
    if (!(wanted.minCoeff() > 0) || !wanted.allFinite() ||
        (given && std::abs(options.cell.determinant()) < 1e-6 * wanted.prod()))
        throw InputError("the vectors of a supercell must have a length and an area");
    Matrix2d target = lattice.vectors;
    if (options.primitive) {
        const auto [a, b, angle] = *options.primitive;
        if (!(a > 0) || !(b > 0) || !(std::sin(angle) > 0.05))
            throw InputError(
                "lengths of primitive vectors must be positive and their angle between 0 and 180 "
                "degrees");
        Matrix2d primitive;
        primitive << a, b * std::cos(angle), 0, b * std::sin(angle);
        target = reduced(primitive.col(0), primitive.col(1));
        // Reduced vectors of a rhombus may enclose 60 or 120 degrees: take the choice that strains less.
        const Matrix2d first = target;
        for (const double sign : {1.0, -1.0}) {
            Matrix2d other = first;
            other.col(1) += sign * first.col(0);
            const auto size = [&](const Matrix2d& m) {
                return strain_of(m * lattice.vectors.inverse()).norm();
            };
            if (size(other) < size(target) - 1e-9) target = other;
        }
    }

    PlanarSupercell best;
    double best_cost = std::numeric_limits<double>::infinity();
    double least_strain = std::numeric_limits<double>::infinity();
    const auto consider = [&](const Eigen::Matrix2i& multiples, const Matrix2d& cell, double size_error) {
        PlanarSupercell trial;
        trial.multiples = multiples;
        trial.cell = upright(cell);
        trial.deformation = trial.cell * (lattice.vectors * multiples.cast<double>()).inverse();
        trial.strain = strain_of(trial.deformation);
        trial.n_primitive = multiples.determinant();
        const double strain = trial.strain.cwiseAbs().maxCoeff();
        least_strain = std::min(least_strain, strain);
        const double cost = size_error + 50 * strain;  // 1 % of strain is worth half of the size
        if (strain > options.max_strain || cost >= best_cost - 1e-12) return;
        best = trial;
        best_cost = cost;
    };
    if (options.shape == Shape::along_lattice) {
        const auto times = [&](int k) {
            return std::max(1, static_cast<int>(std::lround(wanted(k) / target.col(k).norm())));
        };
        const Eigen::Matrix2i multiples = Eigen::Vector2i(times(0), times(1)).asDiagonal();
        consider(multiples, target * multiples.cast<double>(), 0);
    } else {
        const double slack = given ? 1 + 2 * options.max_strain : 1.5;
        const auto first = vectors_of_length(target, wanted(0) / slack, wanted(0) * slack);
        const auto second = vectors_of_length(target, wanted(1) / slack, wanted(1) * slack);
        for (const Eigen::Vector2i& u : first)
            for (const Eigen::Vector2i& v : second) {
                Eigen::Matrix2i multiples;
                multiples << u, v;
                if (multiples.determinant() <= 0) continue;
                const Matrix2d cell = target * multiples.cast<double>();
                const double cosine =
                    cell.col(0).dot(cell.col(1)) / (cell.col(0).norm() * cell.col(1).norm());
                if (given) {
                    consider(multiples,
                             options.cell.determinant() > 0
                                 ? options.cell
                                 : Matrix2d(options.cell * Eigen::Vector2d(1, -1).asDiagonal()),
                             0);
                } else if (std::abs(cosine) < 0.2) {
                    const double height = cell.determinant() / cell.col(0).norm();
                    Matrix2d right;
                    right << cell.col(0).norm(), 0, 0, height;
                    consider(multiples, right,
                             std::abs(std::log(cell.col(0).norm() / wanted(0))) +
                                 std::abs(std::log(height / wanted(1))));
                }
            }
    }
    if (best.n_primitive == 0)
        throw InputError(fmt::format(
            "no supercell of the {} lattice near {:.1f} x {:.1f} angstrom is within a strain of {:.3g}{}; "
            "ask "
            "for another size or shape, or allow more strain",
            lattice.kind, wanted(0) / units::angstrom, wanted(1) / units::angstrom, options.max_strain,
            std::isfinite(least_strain) ? fmt::format(" (the nearest needs {:.3g})", least_strain) : ""));
    return best;
}

}  // namespace stembridge
