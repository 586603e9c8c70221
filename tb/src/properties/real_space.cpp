// SPDX-License-Identifier: Apache-2.0
// Basis functions on grids, brick by brick: a brick of neighbouring points sees few atoms.
#include "stembridge/tb/real_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <utility>
#include <vector>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

constexpr double most_points = 2e8;
constexpr int brick_side = 8;
constexpr double table_step = 0.005;  // bohr

// --- radial functions

/// A function of r with its slope at equal distances, cubic in between.
class RadialFunction {
  public:
    RadialFunction() = default;
    /// @param r, values of the table  @param end the function is zero from here on
    RadialFunction(const std::vector<double>& r, const std::vector<double>& values, double end) : end_(end) {
        // Cubic spline: second derivatives m with
        //   h_k m_k-1 + 2 (h_k + h_k+1) m_k + h_k+1 m_k+1 = 6 (s_k+1 - s_k),  equal at each end and beside it
        const std::size_t n = r.size();
        const auto h = [&](std::size_t k) { return r[k] - r[k - 1]; };
        const auto s = [&](std::size_t k) { return (values[k] - values[k - 1]) / h(k); };
        std::vector<double> m(n, 0), diagonal(n, 1), right(n, 0);
        for (std::size_t k = 1; k + 1 < n; ++k) {
            diagonal[k] = 2 * (h(k) + h(k + 1)) + (k == 1 ? h(1) : 0) + (k + 2 == n ? h(n - 1) : 0);
            right[k] = 6 * (s(k + 1) - s(k));
            if (k == 1) continue;
            const double factor = h(k) / diagonal[k - 1];
            diagonal[k] -= factor * h(k);
            right[k] -= factor * right[k - 1];
        }
        for (std::size_t k = n - 2; k >= 1; --k)
            m[k] = (right[k] - (k + 2 < n ? h(k + 1) * m[k + 1] : 0)) / diagonal[k];
        m[0] = m[1];
        m[n - 1] = m[n - 2];

        const auto n_steps = static_cast<std::size_t>(std::ceil(end_ / table_step)) + 1;
        std::size_t k = 1;
        for (std::size_t i = 0; i <= n_steps; ++i) {
            const double x = std::min(static_cast<double>(i) * table_step, r.back());
            while (k + 1 < n && r[k] < x) ++k;
            const double a = r[k] - x, b = x - r[k - 1], width = h(k);
            value_.push_back((m[k - 1] * a * a * a + m[k] * b * b * b) / (6 * width) +
                             (values[k - 1] / width - m[k - 1] * width / 6) * a +
                             (values[k] / width - m[k] * width / 6) * b);
            slope_.push_back(table_step * ((m[k] * b * b - m[k - 1] * a * a) / (2 * width) + s(k) -
                                           (m[k] - m[k - 1]) * width / 6));
        }
    }

    double end() const { return end_; }
    double operator()(double r) const {
        if (r >= end_) return 0;
        const double x = r / table_step;
        const auto k = static_cast<std::size_t>(x);
        const double t = x - static_cast<double>(k), u = 1 - t;
        return u * u * ((1 + 2 * t) * value_[k] + t * slope_[k]) +
               t * t * ((3 - 2 * t) * value_[k + 1] - u * slope_[k + 1]);
    }

  private:
    double end_ = 0;
    std::vector<double> value_, slope_;
};

/// Distance beyond which less than `tolerance` of int R^2 r^2 dr is left.
double cut_off(const std::vector<double>& r, const std::vector<double>& values, double tolerance) {
    double outside = 0;
    for (std::size_t k = r.size() - 1; k > 0; --k) {
        outside +=
            0.5 * (r[k] - r[k - 1]) * (std::pow(values[k] * r[k], 2) + std::pow(values[k - 1] * r[k - 1], 2));
        if (outside > tolerance) return r[k];
    }
    return r[1];
}

/// Real spherical harmonics of one shell at the unit vector u, in the order of slater_koster.hpp.
void harmonics(int l, const Eigen::Vector3d& u, double* out) {
    if (l == 0) {
        out[0] = std::sqrt(1 / (4 * M_PI));
    } else if (l == 1) {
        for (int m = 0; m < 3; ++m) out[m] = std::sqrt(3 / (4 * M_PI)) * u(m);
    } else {
        const double c = std::sqrt(15 / (4 * M_PI));
        out[0] = c * u(0) * u(1);
        out[1] = c * u(1) * u(2);
        out[2] = c * (3 * u(2) * u(2) - 1) / std::sqrt(12.0);
        out[3] = c * u(0) * u(2);
        out[4] = c * 0.5 * (u(0) * u(0) - u(1) * u(1));
    }
}

// --- images of atoms

/// An atom, or its image, that reaches into a grid.
struct Site {
    int atom = 0;
    std::array<int, 3> image{};
    Eigen::Vector3d position;
};

/// The columns of the lattice vectors that repeat, and which they are.
std::pair<Eigen::Matrix3Xd, std::vector<int>> repeating(const Cell& cell) {
    std::vector<int> axes;
    for (int i = 0; i < 3; ++i)
        if (cell.periodic[static_cast<std::size_t>(i)]) axes.push_back(i);
    Eigen::Matrix3Xd vectors(3, static_cast<Eigen::Index>(axes.size()));
    for (std::size_t i = 0; i < axes.size(); ++i)
        vectors.col(static_cast<Eigen::Index>(i)) = cell.vector(axes[i]);
    return {vectors, axes};
}

/// Rows d_i with d_i . a_j = delta_ij in the space of the repeating vectors.
Eigen::MatrixXd dual(const Eigen::Matrix3Xd& vectors) {
    return (vectors.transpose() * vectors).inverse() * vectors.transpose();
}

/// All atoms and images within `radius` + `reach` of a point.
std::vector<Site> sites_around(const Structure& structure, const Eigen::Vector3d& center, double radius) {
    const auto [vectors, axes] = repeating(structure.cell);
    const Eigen::MatrixXd duals = axes.empty() ? Eigen::MatrixXd(0, 3) : dual(vectors);
    std::vector<Site> sites;
    for (int atom = 0; atom < structure.size(); ++atom) {
        const Eigen::Vector3d r = structure.positions.col(atom);
        std::array<int, 3> low{}, high{};
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const auto row = duals.row(static_cast<Eigen::Index>(i));
            const double middle = row.dot(center - r), half = row.norm() * radius;
            low[static_cast<std::size_t>(axes[i])] = static_cast<int>(std::ceil(middle - half));
            high[static_cast<std::size_t>(axes[i])] = static_cast<int>(std::floor(middle + half));
        }
        for (int a = low[0]; a <= high[0]; ++a)
            for (int b = low[1]; b <= high[1]; ++b)
                for (int c = low[2]; c <= high[2]; ++c) {
                    Eigen::Vector3d at = r;
                    if (!axes.empty()) at += structure.cell.vectors * Eigen::Vector3d(a, b, c);
                    if ((at - center).norm() <= radius) sites.push_back({atom, {a, b, c}, at});
                }
    }
    return sites;
}

// --- bricks of points

struct Brick {
    std::vector<Eigen::Index> index;  // of the points in the grid
    Eigen::Matrix3Xd points;
    Eigen::Vector3d center;
    double radius = 0;
};

int bricks_along(int points) {
    return (points + brick_side - 1) / brick_side;
}

Brick brick_of(const Grid& grid, int number) {
    std::array<int, 3> first{}, last{};
    for (int axis = 2; axis >= 0; --axis) {
        const auto at = static_cast<std::size_t>(axis);
        const int n = bricks_along(grid.points[at]);
        first[at] = number % n * brick_side;
        last[at] = std::min(first[at] + brick_side, grid.points[at]);
        number /= n;
    }
    Brick brick;
    brick.points.resize(3, Eigen::Index{last[0] - first[0]} * (last[1] - first[1]) * (last[2] - first[2]));
    for (int i = first[0]; i < last[0]; ++i)
        for (int j = first[1]; j < last[1]; ++j)
            for (int k = first[2]; k < last[2]; ++k) {
                brick.points.col(static_cast<Eigen::Index>(brick.index.size())) = grid.point(i, j, k);
                brick.index.push_back(grid.index(i, j, k));
            }
    brick.center = brick.points.rowwise().mean();
    brick.radius = (brick.points.colwise() - brick.center).colwise().norm().maxCoeff();
    return brick;
}

}  // namespace

Grid grid_around(const Structure& structure, double spacing, double margin) {
    if (!(spacing > 0 && margin > 0 && std::isfinite(spacing) && std::isfinite(margin)))
        throw InputError("a grid needs a positive spacing and a positive margin");
    const auto [vectors, axes] = repeating(structure.cell);
    // Directions perpendicular to the repeating ones: projections of the Cartesian axes.
    Eigen::Matrix3d free = Eigen::Matrix3d::Identity();
    if (!axes.empty()) free -= vectors * dual(vectors);
    Grid grid;
    double n_points = 1;
    std::vector<Eigen::Vector3d> taken;
    for (int axis = 0; axis < 3; ++axis) {
        const auto at = static_cast<std::size_t>(axis);
        double length = 0;
        Eigen::Vector3d direction;
        if (structure.cell.periodic[at]) {
            length = structure.cell.vector(axis).norm();
            direction = structure.cell.vector(axis) / length;
        } else {
            Eigen::Vector3d best = Eigen::Vector3d::Zero();
            // Its own axis where that is free, else the freest one.
            for (const int candidate : {axis, (axis + 1) % 3, (axis + 2) % 3}) {
                Eigen::Vector3d v = free.col(candidate);
                for (const Eigen::Vector3d& t : taken) v -= t.dot(v) * t;
                if (v.norm() > best.norm() + 1e-6) best = v;
            }
            direction = best.normalized();
            taken.push_back(direction);
            const Eigen::RowVectorXd along = direction.transpose() * structure.positions;
            grid.origin += (along.minCoeff() - margin) * direction;
            length = along.maxCoeff() - along.minCoeff() + 2 * margin;
        }
        const double n = std::ceil(length / spacing - 1e-9);
        const bool repeats = structure.cell.periodic[at];
        n_points *= n + (repeats ? 0 : 1);
        if (n_points > most_points)
            throw InputError(fmt::format("a grid of spacing {:.4g} bohr would have more than {:.0e} points",
                                         spacing, most_points));
        grid.points[at] = static_cast<int>(n) + (repeats ? 0 : 1);
        grid.steps.col(axis) = direction * (repeats ? length / n : spacing);
    }
    return grid;
}

void fix_phases(const Eigen::VectorXd& energies, Eigen::MatrixXd& coefficients, double degenerate) {
    // Of rows that are equal by symmetry the first one is taken, in spite of rounding.
    constexpr double as_large = 1 - 1e-6;
    for (Eigen::Index begin = 0, end = 0; begin < energies.size(); begin = end) {
        for (end = begin + 1; end < energies.size() && energies(end) - energies(end - 1) < degenerate;) ++end;
        for (Eigen::Index k = begin; k < end; ++k) {
            auto rest = coefficients.middleCols(k, end - k);
            const Eigen::VectorXd sizes = rest.rowwise().norm();
            Eigen::Index row = 0;
            while (sizes(row) < as_large * sizes.maxCoeff()) ++row;
            // Reflection v -> |v| e_1 of that row; then the first column carries all of it.
            const Eigen::VectorXd v = rest.row(row).transpose();
            Eigen::VectorXd w = v;
            w(0) -= v.norm();
            if (w.squaredNorm() > 0) rest -= (2 / w.squaredNorm()) * (rest * w).eval() * w.transpose();
        }
    }
}

class RealSpace::Implementation {
  public:
    Implementation(const ElectronicState& state, const OrbitalTable& table, double tolerance)
        : state_(&state), neighbors_(static_cast<std::size_t>(state.basis.n_atoms())) {
        std::string missing;
        for (const ElementData& element : state.basis.elements()) {
            radial_.emplace_back();
            double reach = 0;
            for (int l = 0; l < element.n_shells; ++l) {
                const RadialOrbital* orbital = table.find(element.symbol, l);
                if (!orbital) {
                    missing += fmt::format("{}{} {}", missing.empty() ? "" : ", ", element.symbol, "spdf"[l]);
                    continue;
                }
                const double end = cut_off(table.r, orbital->values, tolerance);
                radial_.back().emplace_back(table.r, orbital->values, end);
                reach = std::max(reach, end);
            }
            reach_.push_back(reach);
        }
        if (!missing.empty())
            throw InputError(fmt::format(
                "the table of orbitals has none of {}; make one for the whole set with make-parameters",
                missing));
        const auto& blocks = state.pattern.blocks();
        for (std::size_t b = 0; b < blocks.size(); ++b) {
            neighbors_[static_cast<std::size_t>(blocks[b].i)].push_back(
                {blocks[b].j, blocks[b].image, b, false});
            if (blocks[b].on_site()) continue;
            const auto [x, y, z] = blocks[b].image;
            neighbors_[static_cast<std::size_t>(blocks[b].j)].push_back({blocks[b].i, {-x, -y, -z}, b, true});
        }
        for (auto& list : neighbors_) std::sort(list.begin(), list.end());
    }

    double reach() const { return *std::max_element(reach_.begin(), reach_.end()); }
    const Basis& basis() const { return state_->basis; }
    const ElectronicState& state() const { return *state_; }

    /// Calls work(brick, sites) for all bricks that any atom reaches, side by side.
    template <class Work>
    void for_each_brick(const Grid& grid, const Work& work) const {
        const Eigen::Vector3d middle =
            grid.origin +
            grid.steps * Eigen::Vector3d(grid.points[0] - 1, grid.points[1] - 1, grid.points[2] - 1) / 2;
        double radius = 0;
        for (int corner = 0; corner < 8; ++corner)
            radius = std::max(radius, (grid.point((corner & 1) * (grid.points[0] - 1),
                                                  (corner >> 1 & 1) * (grid.points[1] - 1),
                                                  (corner >> 2 & 1) * (grid.points[2] - 1)) -
                                       middle)
                                          .norm());
        const std::vector<Site> all = sites_around(state_->structure, middle, radius + reach());
        const int n =
            bricks_along(grid.points[0]) * bricks_along(grid.points[1]) * bricks_along(grid.points[2]);
#pragma omp parallel for schedule(dynamic)
        for (int number = 0; number < n; ++number) {
            const Brick brick = brick_of(grid, number);
            std::vector<Site> near;
            for (const Site& site : all)
                if ((site.position - brick.center).norm() <
                    brick.radius + reach_[static_cast<std::size_t>(basis().element_index(site.atom))])
                    near.push_back(site);
            if (!near.empty()) work(brick, near);
        }
    }

    /// Values of the basis functions, (points, functions of all sites one after another).
    Eigen::MatrixXd functions(const Brick& brick, const std::vector<Site>& sites) const {
        Eigen::Index n = 0;
        for (const Site& site : sites) n += basis().n_orbitals(site.atom);
        Eigen::MatrixXd phi(brick.points.cols(), n);
        Eigen::Index first = 0;
        std::array<double, 5> y{};
        for (const Site& site : sites) {
            const auto& radial = radial_[static_cast<std::size_t>(basis().element_index(site.atom))];
            for (Eigen::Index p = 0; p < brick.points.cols(); ++p) {
                const Eigen::Vector3d d = brick.points.col(p) - site.position;
                const double r = d.norm();
                const Eigen::Vector3d u = r > 0 ? Eigen::Vector3d(d / r) : Eigen::Vector3d::Zero();
                Eigen::Index at = first;
                for (int l = 0; l < static_cast<int>(radial.size()); ++l) {
                    const double value = radial[static_cast<std::size_t>(l)](r);
                    harmonics(l, u, y.data());
                    for (int m = 0; m <= 2 * l; ++m)
                        phi(p, at++) = r > 0 || l == 0 ? value * y[static_cast<std::size_t>(m)] : 0.0;
                }
            }
            first += basis().n_orbitals(site.atom);
        }
        return phi;
    }

    /// The density matrix among the functions of the sites.
    Eigen::MatrixXd local_density(const BlockMatrix& density, const std::vector<Site>& sites) const {
        std::vector<Eigen::Index> first(sites.size() + 1, 0);
        for (std::size_t s = 0; s < sites.size(); ++s)
            first[s + 1] = first[s] + basis().n_orbitals(sites[s].atom);
        Eigen::MatrixXd local = Eigen::MatrixXd::Zero(first.back(), first.back());
        for (std::size_t s = 0; s < sites.size(); ++s)
            for (std::size_t t = 0; t < sites.size(); ++t) {
                Neighbor wanted{sites[t].atom, {}, 0, false};
                for (std::size_t x = 0; x < 3; ++x) wanted.image[x] = sites[t].image[x] - sites[s].image[x];
                const auto& list = neighbors_[static_cast<std::size_t>(sites[s].atom)];
                const auto found = std::lower_bound(list.begin(), list.end(), wanted);
                if (found == list.end() || wanted < *found) continue;
                const auto block = density.block(state_->pattern.blocks()[found->block]);
                auto target =
                    local.block(first[s], first[t], first[s + 1] - first[s], first[t + 1] - first[t]);
                if (found->transposed)
                    target = block.transpose();
                else
                    target = block;
            }
        return local;
    }

    /// Rows of the coefficients of all sites, (functions of the sites, n).
    Eigen::MatrixXd gathered(const Eigen::MatrixXd& coefficients, const std::vector<Site>& sites) const {
        return gathered_with(coefficients, sites, [](const Site&) { return 1.0; });
    }
    Eigen::MatrixXcd gathered(const Eigen::MatrixXcd& coefficients, const std::vector<Site>& sites,
                              const Eigen::Vector3d& k) const {
        return gathered_with(coefficients, sites, [&](const Site& site) {
            // e^(2 pi i k.T): psi_k = sum_T e^(ik.T) sum_mu c_mu phi_mu(r - T)
            return std::polar(
                1.0, 2 * M_PI * (k(0) * site.image[0] + k(1) * site.image[1] + k(2) * site.image[2]));
        });
    }

    /// Spherical density of the neutral free atom, electrons/bohr^3.
    double free_atom(int element, double r) const {
        const ElementData& data = basis().elements()[static_cast<std::size_t>(element)];
        const auto& radial = radial_[static_cast<std::size_t>(element)];
        double sum = 0;
        for (std::size_t l = 0; l < radial.size(); ++l)
            sum += data.occupation[l] * std::pow(radial[l](r), 2) / (4 * M_PI);
        return sum;
    }

  private:
    struct Neighbor {
        int j = 0;
        std::array<int, 3> image{};
        std::size_t block = 0;
        bool transposed = false;
        bool operator<(const Neighbor& other) const {
            return std::pair(j, image) < std::pair(other.j, other.image);
        }
    };

    template <class Matrix, class Factor>
    Matrix gathered_with(const Matrix& coefficients, const std::vector<Site>& sites,
                         const Factor& factor) const {
        Eigen::Index n = 0;
        for (const Site& site : sites) n += basis().n_orbitals(site.atom);
        Matrix rows(n, coefficients.cols());
        Eigen::Index at = 0;
        for (const Site& site : sites) {
            const int count = basis().n_orbitals(site.atom);
            rows.middleRows(at, count) =
                factor(site) * coefficients.middleRows(basis().first_orbital(site.atom), count);
            at += count;
        }
        return rows;
    }

    const ElectronicState* state_;
    std::vector<std::vector<RadialFunction>> radial_;  // by element and l
    std::vector<double> reach_;                        // by element
    std::vector<std::vector<Neighbor>> neighbors_;     // blocks of each atom, in order
};

RealSpace::RealSpace(const ElectronicState& state, const OrbitalTable& table, double tolerance)
    : implementation_(std::make_unique<Implementation>(state, table, tolerance)) {}
RealSpace::~RealSpace() = default;
RealSpace::RealSpace(RealSpace&&) noexcept = default;
RealSpace& RealSpace::operator=(RealSpace&&) noexcept = default;

double RealSpace::reach() const {
    return implementation_->reach();
}

Eigen::VectorXd RealSpace::density(const Grid& grid, int spin) const {
    const BlockMatrix& density = implementation_->state().density.at(static_cast<std::size_t>(spin));
    Eigen::VectorXd values = Eigen::VectorXd::Zero(grid.size());
    implementation_->for_each_brick(grid, [&](const Brick& brick, const std::vector<Site>& sites) {
        // n(r) = sum_mu,nu phi_mu(r) P_mu,nu phi_nu(r)
        const Eigen::MatrixXd phi = implementation_->functions(brick, sites);
        const Eigen::VectorXd n =
            (phi * implementation_->local_density(density, sites)).cwiseProduct(phi).rowwise().sum();
        for (std::size_t p = 0; p < brick.index.size(); ++p)
            values(brick.index[p]) = n(static_cast<Eigen::Index>(p));
    });
    return values;
}

Eigen::VectorXd RealSpace::free_atom_density(const Grid& grid) const {
    Eigen::VectorXd values = Eigen::VectorXd::Zero(grid.size());
    implementation_->for_each_brick(grid, [&](const Brick& brick, const std::vector<Site>& sites) {
        for (std::size_t p = 0; p < brick.index.size(); ++p)
            for (const Site& site : sites)
                values(brick.index[p]) += implementation_->free_atom(
                    implementation_->basis().element_index(site.atom),
                    (brick.points.col(static_cast<Eigen::Index>(p)) - site.position).norm());
    });
    return values;
}

Eigen::MatrixXd RealSpace::orbitals(const Grid& grid, const Eigen::MatrixXd& coefficients) const {
    if (coefficients.rows() != implementation_->basis().n_orbitals())
        throw InputError(fmt::format("coefficients of {} basis functions for a basis of {}",
                                     coefficients.rows(), implementation_->basis().n_orbitals()));
    Eigen::MatrixXd values = Eigen::MatrixXd::Zero(grid.size(), coefficients.cols());
    implementation_->for_each_brick(grid, [&](const Brick& brick, const std::vector<Site>& sites) {
        const Eigen::MatrixXd psi =
            implementation_->functions(brick, sites) * implementation_->gathered(coefficients, sites);
        for (std::size_t p = 0; p < brick.index.size(); ++p)
            values.row(brick.index[p]) = psi.row(static_cast<Eigen::Index>(p));
    });
    return values;
}

Eigen::VectorXd RealSpace::weighted_density(const Grid& grid,
                                            const std::vector<WeightedOrbitals>& orbitals) const {
    for (const WeightedOrbitals& o : orbitals)
        if (o.coefficients.rows() != implementation_->basis().n_orbitals() ||
            o.weights.size() != o.coefficients.cols())
            throw InputError(
                fmt::format("coefficients ({}, {}) and {} weights do not fit a basis of {} functions",
                            o.coefficients.rows(), o.coefficients.cols(), o.weights.size(),
                            implementation_->basis().n_orbitals()));
    Eigen::VectorXd values = Eigen::VectorXd::Zero(grid.size());
    implementation_->for_each_brick(grid, [&](const Brick& brick, const std::vector<Site>& sites) {
        const Eigen::MatrixXd phi = implementation_->functions(brick, sites);
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(phi.rows());
        for (const WeightedOrbitals& o : orbitals) {
            const Eigen::MatrixXcd c = implementation_->gathered(o.coefficients, sites, o.k);
            sum += (phi * c.real()).cwiseAbs2() * o.weights;
            if (!o.k.isZero(0) || !o.coefficients.imag().isZero(0))
                sum += (phi * c.imag()).cwiseAbs2() * o.weights;
        }
        for (std::size_t p = 0; p < brick.index.size(); ++p)
            values(brick.index[p]) = sum(static_cast<Eigen::Index>(p));
    });
    return values;
}

}  // namespace stembridge::tb
