// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/two_centre.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>

#include "functional.hpp"
#include "harmonics.hpp"
#include "quadrature.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::dft {
namespace {

/// Orbitals count as zero where r R is smaller than this for good.
constexpr double smallest_orbital = 1e-10;

/// Points in mu and nu, each grid finer than the one before.
constexpr std::array<std::array<int, 2>, 6> grids = {
    {{48, 32}, {64, 44}, {88, 60}, {120, 84}, {168, 116}, {240, 160}}};

/// The orbitals, density and potential of one atom, ready to be evaluated.
class Centre {
  public:
    struct Field {
        double density = 0, slope = 0;  ///< n and dn/dr
        double electrostatic = 0;       ///< -Z/r + V_H
    };

    explicit Centre(const PseudoAtom& atom) : atomic_number_(atom.density.options.atomic_number) {
        const std::string& symbol = element_symbol(atomic_number_);
        if (atom.valence.empty()) throw InputError(fmt::format("{}: no valence shells are given", symbol));
        if (atom.wave.options.spin_polarized || atom.density.options.spin_polarized)
            throw InputError(fmt::format("{}: two-centre integrals need atoms without spin", symbol));
        Eigen::MatrixXd waves(atom.wave.orbitals.basis().size(),
                              static_cast<Eigen::Index>(atom.valence.size()));
        for (std::size_t k = 0; k < atom.valence.size(); ++k) {
            const auto& [n, l] = atom.valence[k];
            if (std::find(l_.begin(), l_.end(), l) != l_.end())
                throw InputError(
                    fmt::format("{}: two valence shells have l = {}; one is possible", symbol, l));
            l_.push_back(l);
            waves.col(static_cast<Eigen::Index>(k)) =
                atom.wave.orbitals.coefficients().col(atom.wave.level(n, l));
        }
        waves_ = {atom.wave.orbitals.basis(), std::move(waves)};

        std::vector<Eigen::Index> occupied;
        for (std::size_t k = 0; k < atom.density.levels.size(); ++k)
            if (atom.density.levels[k].shell.occupation() > 0) {
                occupied.push_back(static_cast<Eigen::Index>(k));
                occupation_.push_back(atom.density.levels[k].shell.occupation());
            }
        const auto n = static_cast<Eigen::Index>(occupied.size());
        Eigen::MatrixXd cores(atom.density.orbitals.basis().size(), n + 1);
        for (Eigen::Index k = 0; k < n; ++k)
            cores.col(k) = atom.density.orbitals.coefficients().col(occupied[static_cast<std::size_t>(k)]);
        cores.col(n) = atom.density.hartree_potential.coefficients().col(0);
        cores_ = {atom.density.orbitals.basis(), std::move(cores)};
        charge_ = atom.density.n_electrons() - atomic_number_;

        // The distance beyond which all orbitals are negligible.
        reach_ = waves_.basis().radius();
        std::vector<double> u(l_.size()), du(l_.size());
        const auto negligible = [&](double r) {
            waves_.evaluate(r, u.data(), du.data());
            return std::all_of(u.begin(), u.end(), [](double x) { return std::abs(x) < smallest_orbital; });
        };
        while (reach_ > 1 && negligible(reach_ - 0.1)) reach_ -= 0.1;
    }

    const std::vector<int>& l() const { return l_; }
    double reach() const { return reach_; }
    int scratch() const { return std::max(waves_.count(), cores_.count()); }

    /// R = u / r and dR/dr of every valence orbital.
    void orbitals(double r, double* value, double* slope) const {
        waves_.evaluate(r, value, slope);
        for (std::size_t k = 0; k < l_.size(); ++k) {
            value[k] /= r;
            slope[k] = (slope[k] - value[k]) / r;
        }
    }

    Field field(double r, double* u, double* du) const {
        if (r > cores_.basis().radius()) return {0, 0, charge_ / r};
        cores_.evaluate(r, u, du);
        Field f;
        for (std::size_t k = 0; k < occupation_.size(); ++k) {
            f.density += occupation_[k] * u[k] * u[k];
            f.slope += 2 * occupation_[k] * u[k] * (du[k] - u[k] / r);
        }
        f.density /= 4 * M_PI * r * r;
        f.slope /= 4 * M_PI * r * r;
        f.electrostatic = (u[occupation_.size()] - atomic_number_) / r;
        return f;
    }

  private:
    int atomic_number_;
    double charge_ = 0, reach_ = 0;
    std::vector<int> l_;
    std::vector<double> occupation_;
    RadialFunctions waves_, cores_;
};

/// An orbital at a point: amplitude of cos(m phi), its slopes along rho and z, and m times it over rho.
struct Amplitude {
    double value, rho, z, azimuthal;
};

/// Amplitudes of all orbitals of a centre, [orbital][m].
using Amplitudes = std::array<std::array<Amplitude, 4>, 4>;

void amplitudes(const Centre& centre, double r, double c, double s, double* radial, double* slope,
                Amplitudes& out) {
    centre.orbitals(r, radial, slope);
    for (std::size_t k = 0; k < centre.l().size(); ++k)
        for (int m = 0; m <= centre.l()[k]; ++m) {
            const PolarFunction p = polar_function(centre.l()[k], m, c, s);
            const double along = slope[k] * p.value;        // d/dr
            const double across = radial[k] / r * p.slope;  // 1/r d/dtheta
            out[k][static_cast<std::size_t>(m)] = {radial[k] * p.value, along * s + across * c,
                                                   along * c - across * s, radial[k] / r * p.over_sine};
        }
}

/// Points of one grid with everything that does not depend on the orbitals.
struct Points {
    std::vector<double> weight, r1, c1, s1, r2, c2, s2;
    std::vector<double> electrostatic;
    std::vector<double> v_rho, g_rho, g_z;  ///< dE/dn and 2 v_sigma grad n
};

}  // namespace

class TwoCentre::Implementation {
  public:
    Implementation(const PseudoAtom& first, const PseudoAtom& second, TwoCentreOptions options)
        : first_(first),
          second_(second),
          options_(std::move(options)),
          functional_(options_.functional, false) {
        if (!(options_.tolerance >= 1e-10 && options_.tolerance <= 1e-2))
            throw InputError(fmt::format(
                "tolerance {} of the two-centre integrals: accepted are 1e-10 to 1e-2", options_.tolerance));
    }

    TwoCentreIntegrals at(double distance) const {
        if (!(distance > 0.1 && std::isfinite(distance)))
            throw InputError(
                fmt::format("two-centre integrals at {} bohr: at least 0.1 are needed", distance));
        if (distance >= first_.reach() + second_.reach()) return {};
        TwoCentreIntegrals coarse = integrate(distance, grids[0]), fine;
        for (std::size_t k = 1; k < grids.size(); ++k) {
            fine = integrate(distance, grids[k]);
            fine.error = difference(coarse, fine);
            if (fine.error < options_.tolerance) return fine;
            coarse = fine;
        }
        throw ConvergenceError(
            fmt::format("two-centre integrals at {} bohr", distance), static_cast<int>(grids.size()),
            fine.error, options_.tolerance,
            "the distance may be too short for the cores: let the table begin farther out");
    }

  private:
    static double difference(const TwoCentreIntegrals& a, const TwoCentreIntegrals& b) {
        double largest = 0;
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = 0; j < 4; ++j)
                for (std::size_t m = 0; m < 4; ++m) {
                    largest = std::max(largest, std::abs(a.hamiltonian[i][j][m] - b.hamiltonian[i][j][m]));
                    largest = std::max(largest, std::abs(a.overlap[i][j][m] - b.overlap[i][j][m]));
                }
        return largest;
    }

    Points points(double distance, const std::array<int, 2>& size) const;
    TwoCentreIntegrals integrate(double distance, const std::array<int, 2>& size) const;

    Centre first_, second_;
    TwoCentreOptions options_;
    Functional functional_;
};

/// Prolate spheroidal points: xi = cosh mu, eta = cos nu, r_1,2 = R/2 (xi +- eta),
/// d^3r = (R/2)^3 (xi^2 - eta^2) sinh mu sin nu dmu dnu dphi.
Points TwoCentre::Implementation::points(double distance, const std::array<int, 2>& size) const {
    const double outermost = first_.reach() + second_.reach();  // of r1 + r2
    const Quadrature mu = gauss_legendre(size[0], 0, std::acosh(outermost / distance));
    const Quadrature nu = gauss_legendre(size[1], 0, M_PI);
    Points p;
    std::vector<double> rho, sigma, n_rho, n_z;
    std::vector<std::array<double, 4>> each;  // densities and slopes of both atoms
    std::vector<double> u(static_cast<std::size_t>(std::max(first_.scratch(), second_.scratch()))), du(u);
    for (std::size_t i = 0; i < mu.points.size(); ++i)
        for (std::size_t j = 0; j < nu.points.size(); ++j) {
            // r1 = R (sinh^2(mu/2) + cos^2(nu/2)): no digits are lost at the nuclei.
            const double sh = std::sinh(0.5 * mu.points[i]), sn = std::sin(0.5 * nu.points[j]),
                         cn = std::cos(0.5 * nu.points[j]);
            const double r1 = distance * (sh * sh + cn * cn), r2 = distance * (sh * sh + sn * sn);
            const double height = 0.5 * distance * std::sinh(mu.points[i]) * std::sin(nu.points[j]);
            // z + R/2 and z - R/2 with z = R/2 xi eta, again without cancellation.
            const double z1 = distance * (sh * sh * (cn * cn - sn * sn) + cn * cn);
            const double z2 = distance * (sh * sh * (cn * cn - sn * sn) - sn * sn);
            p.r1.push_back(r1);
            p.c1.push_back(z1 / r1);
            p.s1.push_back(height / r1);
            p.r2.push_back(r2);
            p.c2.push_back(z2 / r2);
            p.s2.push_back(height / r2);
            p.weight.push_back(0.5 * distance * r1 * r2 * std::sinh(mu.points[i]) * std::sin(nu.points[j]) *
                               mu.weights[i] * nu.weights[j]);
            const Centre::Field a = first_.field(r1, u.data(), du.data()),
                                b = second_.field(r2, u.data(), du.data());
            p.electrostatic.push_back(a.electrostatic + b.electrostatic);
            each.push_back({a.density, a.slope, b.density, b.slope});
        }

    const std::size_t n = p.weight.size();
    p.v_rho.assign(n, 0);
    p.g_rho.assign(n, 0);
    p.g_z.assign(n, 0);
    std::vector<double> density(n), slope_rho(n), slope_z(n), slope_squared(n), energy(n), v_rho(n),
        v_sigma(n);
    const auto add = [&](double share_first, double share_second) {
        for (std::size_t k = 0; k < n; ++k) {
            const double d1 = share_first * each[k][1], d2 = share_second * each[k][3];
            density[k] = share_first * each[k][0] + share_second * each[k][2];
            slope_rho[k] = d1 * p.s1[k] + d2 * p.s2[k];
            slope_z[k] = d1 * p.c1[k] + d2 * p.c2[k];
            slope_squared[k] = slope_rho[k] * slope_rho[k] + slope_z[k] * slope_z[k];
        }
        functional_.evaluate(n, density.data(), slope_squared.data(), energy.data(), v_rho.data(),
                             v_sigma.data());
        for (std::size_t k = 0; k < n; ++k) {
            p.v_rho[k] += v_rho[k];
            p.g_rho[k] += 2 * v_sigma[k] * slope_rho[k];
            p.g_z[k] += 2 * v_sigma[k] * slope_z[k];
        }
    };
    if (options_.superposition == Superposition::density) {
        add(1, 1);
    } else {
        add(1, 0);
        add(0, 1);
    }
    return p;
}

TwoCentreIntegrals TwoCentre::Implementation::integrate(double distance,
                                                        const std::array<int, 2>& size) const {
    const Points p = points(distance, size);
    TwoCentreIntegrals result;
    const std::vector<int>&la = first_.l(), &lb = second_.l();
    std::vector<double> radial(4), slope(4);
    Amplitudes a{}, b{};
    for (std::size_t k = 0; k < p.weight.size(); ++k) {
        amplitudes(first_, p.r1[k], p.c1[k], p.s1[k], radial.data(), slope.data(), a);
        amplitudes(second_, p.r2[k], p.c2[k], p.s2[k], radial.data(), slope.data(), b);
        const double v = p.electrostatic[k] + p.v_rho[k];
        for (std::size_t i = 0; i < la.size(); ++i)
            for (std::size_t j = 0; j < lb.size(); ++j)
                for (int m = 0; m <= std::min(la[i], lb[j]); ++m) {
                    const auto at = static_cast<std::size_t>(m);
                    const Amplitude &f = a[i][at], &g = b[j][at];
                    // int cos^2(m phi) dphi; int sin^2(m phi) dphi is the same where it is needed.
                    const double weight = p.weight[k] * (m == 0 ? 2 * M_PI : M_PI);
                    const double product = f.value * g.value;
                    const double kinetic = 0.5 * (f.rho * g.rho + f.z * g.z + f.azimuthal * g.azimuthal);
                    const double gradient = p.g_rho[k] * (f.rho * g.value + f.value * g.rho) +
                                            p.g_z[k] * (f.z * g.value + f.value * g.z);
                    const auto l1 = static_cast<std::size_t>(la[i]), l2 = static_cast<std::size_t>(lb[j]);
                    result.hamiltonian[l1][l2][at] += weight * (kinetic + v * product + gradient);
                    result.overlap[l1][l2][at] += weight * product;
                }
    }
    return result;
}

TwoCentre::TwoCentre(const PseudoAtom& first, const PseudoAtom& second, TwoCentreOptions options)
    : implementation_(std::make_unique<Implementation>(first, second, std::move(options))) {}
TwoCentre::~TwoCentre() = default;
TwoCentre::TwoCentre(TwoCentre&&) noexcept = default;
TwoCentre& TwoCentre::operator=(TwoCentre&&) noexcept = default;

TwoCentreIntegrals TwoCentre::at(double distance) const {
    return implementation_->at(distance);
}

std::pair<tb::SkfTable, tb::SkfTable> integral_tables(const TwoCentre& pair, const TableOptions& options,
                                                      const std::string& name, const Context& context) {
    if (!(options.spacing >= 0.005 && options.spacing <= 0.2))
        throw InputError(
            fmt::format("table spacing {} bohr: accepted are 0.005 to 0.2; 0.02 is usual", options.spacing));
    if (!(options.first_distance > 0.1 && options.first_distance <= 2 && options.longest >= 4 &&
          options.longest <= 100 && options.end_tolerance > 0))
        throw InputError(
            "integral table: accepted are a first distance of 0.1 to 2 bohr, a longest one of 4 to 100 bohr "
            "and a "
            "positive tolerance of the end");
    const int first_row = static_cast<int>(std::ceil(options.first_distance / options.spacing - 1e-9));
    const int last_row = static_cast<int>(std::floor(options.longest / options.spacing + 1e-9));
    const int rows_per_bohr = static_cast<int>(std::lround(1 / options.spacing));

    std::vector<TwoCentreIntegrals> rows(static_cast<std::size_t>(first_row - 1));
    bool ended = false;
    while (!ended && static_cast<int>(rows.size()) < last_row) {
        if (context.stop_requested()) throw StoppedError(fmt::format("integrals of {}: stopped", name));
        context.progress(fmt::format("integrals of {}", name), static_cast<std::int64_t>(rows.size()),
                         last_row);
        const int begin = static_cast<int>(rows.size());
        const int end = std::min(begin + rows_per_bohr, last_row);
        rows.resize(static_cast<std::size_t>(end));
        std::vector<std::exception_ptr> failures(static_cast<std::size_t>(end));
#pragma omp parallel for schedule(dynamic)
        for (int k = begin; k < end; ++k) {
            const auto at = static_cast<std::size_t>(k);
            try {
                rows[at] = pair.at((k + 1) * options.spacing);
            } catch (...) {
                failures[at] = std::current_exception();
            }
        }
        for (const std::exception_ptr& failure : failures)
            if (failure) std::rethrow_exception(failure);
        double largest = 0;
        for (int k = begin; k < end; ++k)
            for (const auto* array :
                 {&rows[static_cast<std::size_t>(k)].hamiltonian, &rows[static_cast<std::size_t>(k)].overlap})
                for (const auto& by_l2 : *array)
                    for (const auto& by_m : by_l2)
                        for (const double x : by_m) largest = std::max(largest, std::abs(x));
        ended = largest < options.end_tolerance;
    }

    std::pair<tb::SkfTable, tb::SkfTable> tables;
    bool f_shells = false;
    for (tb::SkfTable* table : {&tables.first, &tables.second}) {
        table->spacing = options.spacing;
        table->n_rows = static_cast<int>(rows.size());
        table->values.assign(rows.size() * 2 * tb::SkfTable::n_integrals, 0.0);
    }
    for (int row = first_row; row <= static_cast<int>(rows.size()); ++row) {
        const TwoCentreIntegrals& from = rows[static_cast<std::size_t>(row - 1)];
        for (int l1 = 0; l1 <= 3; ++l1)
            for (int l2 = l1; l2 <= 3; ++l2)
                for (int m = 0; m <= l1; ++m) {
                    const auto a = static_cast<std::size_t>(l1), b = static_cast<std::size_t>(l2),
                               at = static_cast<std::size_t>(m);
                    // In the other order l1 sits on the second atom and the axis is turned round.
                    const double sign = (l1 + l2) % 2 == 0 ? 1 : -1;
                    tables.first.hamiltonian(row, l1, l2, m) = from.hamiltonian[a][b][at];
                    tables.first.overlap(row, l1, l2, m) = from.overlap[a][b][at];
                    tables.second.hamiltonian(row, l1, l2, m) = sign * from.hamiltonian[b][a][at];
                    tables.second.overlap(row, l1, l2, m) = sign * from.overlap[b][a][at];
                    if (l2 == 3 && (from.overlap[a][b][at] != 0 || from.overlap[b][a][at] != 0))
                        f_shells = true;
                }
    }
    tables.first.extended = tables.second.extended = f_shells;
    context.progress(fmt::format("integrals of {}", name), last_row, last_row);
    return tables;
}

}  // namespace stembridge::dft
