// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/atom.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anderson.hpp"
#include "functional.hpp"
#include "quadrature.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::dft {
namespace {

constexpr double speed_of_light = 137.035999084;
/// A wall higher than this cannot be told from an infinite one, but spoils the arithmetic.
constexpr double highest_confinement = 1e4;

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Basis functions u_i(r) and their derivatives at the quadrature points, (points, functions).
struct BasisTable {
    MatrixXd value, derivative;
    Eigen::Index block_points = 0;  ///< points per interval; 0 = every function is non-zero everywhere
    Eigen::Index block_functions =
        0;  ///< functions first, first + 1, ... of interval `first` + 1 are non-zero

    /// int f(r) a_i(r) b_j(r) dr, a and b being values or derivatives; the weights are part of f.
    MatrixXd integral(const MatrixXd& a, const VectorXd& f, const MatrixXd& b) const {
        if (block_points == 0) return a.transpose() * (f.asDiagonal() * b);
        MatrixXd result = MatrixXd::Zero(a.cols(), b.cols());
        for (Eigen::Index k = 0; k * block_points < a.rows(); ++k) {
            const Eigen::Index begin = std::max<Eigen::Index>(k - 1, 0);
            const Eigen::Index n = std::min(k - 1 + block_functions, a.cols()) - begin;
            const auto points = Eigen::seqN(k * block_points, block_points);
            const auto functions = Eigen::seqN(begin, n);
            result(functions, functions) +=
                a(points, functions).transpose().lazyProduct(f(points).asDiagonal() * b(points, functions));
        }
        return result;
    }
};

/// What an electron of one spin feels, at the quadrature points.
struct Potential {
    VectorXd local;     ///< -Z/r + V_H + dE/dn
    VectorXd gradient;  ///< factor of the gradient of a product of orbitals: 2 v_sigma dn/dr
};

SplineBasis make_splines(const AtomOptions& o) {
    const RadialGrid& g = o.grid;
    if (g.degree < 3 || g.degree > SplineBasis::max_degree || g.intervals < 5 || g.intervals > 1000 ||
        !(g.radius > 1 && g.radius <= 200) || g.gauss_points < g.degree || g.gauss_points > 40)
        throw InputError(
            "radial grid: accepted are a spline degree of 3..12, 5..1000 intervals, a radius of 1..200 bohr "
            "and "
            "as many Gauss points as the degree, up to 40");
    const double first = g.first > 0 ? g.first : 0.002 / o.atomic_number;
    // r_k = radius (q^k - 1) / (q^N - 1), with q from the length of the first interval.
    double low = 1 + 1e-9, high = 10;
    for (int i = 0; i < 200; ++i) {
        const double q = 0.5 * (low + high);
        (g.radius * (q - 1) / (std::pow(q, g.intervals) - 1) > first ? low : high) = q;
    }
    std::vector<double> ends;
    for (int k = 0; k <= g.intervals; ++k)
        ends.push_back(g.radius * (std::pow(low, k) - 1) / (std::pow(low, g.intervals) - 1));
    ends.back() = g.radius;
    return {g.degree, std::move(ends)};
}

BasisTable spline_table(const SplineBasis& splines, const VectorXd& r, int gauss_points) {
    // The first and the last spline do not vanish at the ends and are left out.
    BasisTable table{MatrixXd::Zero(r.size(), splines.size()), MatrixXd::Zero(r.size(), splines.size()), 0,
                     0};
    for (Eigen::Index k = 0; k < r.size(); ++k) {
        SplineBasis::Local b, db;
        const int first = splines.evaluate(r(k), b, db);
        for (int i = 0; i <= splines.degree(); ++i) {
            table.value(k, first + i) = b[static_cast<std::size_t>(i)];
            table.derivative(k, first + i) = db[static_cast<std::size_t>(i)];
        }
    }
    const Eigen::Index inner = splines.size() - 2;
    table.value = table.value.middleCols(1, inner).eval();
    table.derivative = table.derivative.middleCols(1, inner).eval();
    table.block_points = gauss_points;
    table.block_functions = splines.degree() + 1;
    return table;
}

BasisTable slater_table(const SlaterFunctions& slater, int l, const VectorXd& r) {
    const auto n = static_cast<Eigen::Index>(slater.exponents.size()) * slater.powers;
    BasisTable table{MatrixXd(r.size(), n), MatrixXd(r.size(), n), 0, 0};
    Eigen::Index column = 0;
    for (const double a : slater.exponents)
        for (int k = 0; k < slater.powers; ++k, ++column) {
            // u = N r^p exp(-a r), p = l + k + 1, with N from int u^2 dr = 1.
            const int p = l + k + 1;
            const double log_norm = 0.5 * ((2 * p + 1) * std::log(2 * a) - std::lgamma(2 * p + 1));
            for (Eigen::Index i = 0; i < r.size(); ++i) {
                const double u = std::exp(log_norm + p * std::log(r(i)) - a * r(i));
                table.value(i, column) = u;
                table.derivative(i, column) = (p / r(i) - a) * u;
            }
        }
    return table;
}

/// The Kohn-Sham problem of one atom on its quadrature points.
class RadialProblem {
  public:
    explicit RadialProblem(const AtomOptions& options);
    Atom solve(const Context& context);

  private:
    struct Orbitals {
        std::vector<std::vector<double>> eigenvalue;  ///< [spin][level]
        std::vector<std::vector<VectorXd>> coefficients;
        std::vector<std::vector<VectorXd>> u, du;  ///< at the points
    };
    struct Energies {
        double nuclear = 0, hartree = 0, xc = 0;
    };

    double electrons(std::size_t spin, std::size_t level) const {
        const Shell& s = o_.shells[level];
        return n_spins_ == 1 ? s.occupation() : (spin == 0 ? s.up : s.down);
    }
    const BasisTable& table(int l) const {
        return tables_[o_.slater.empty() ? 0 : static_cast<std::size_t>(l)];
    }
    std::vector<Potential> first_guess() const;
    MatrixXd kinetic(int l, const VectorXd& local) const;
    Orbitals diagonalize(const std::vector<Potential>& potential) const;
    std::vector<Potential> potentials_of(const Orbitals& orbitals, Energies& energies);
    VectorXd hartree(const VectorXd& radial_density);
    double eigenvalue_change(const Orbitals& orbitals, const std::vector<Potential>& a,
                             const std::vector<Potential>& b) const;
    VectorXd packed(const std::vector<Potential>& potentials) const;
    std::vector<Potential> unpacked(const VectorXd& x) const;
    RadialFunctions as_splines(const Orbitals& orbitals) const;

    AtomOptions o_;
    std::size_t n_spins_;
    int l_max_ = 0;
    double n_electrons_ = 0;
    Functional functional_;
    SplineBasis splines_;
    VectorXd r_, w_;
    BasisTable spline_values_;
    std::vector<BasisTable> tables_;     ///< one for all l (splines), or one per l (Slater functions)
    std::vector<MatrixXd> overlap_;      ///< per table
    std::vector<MatrixXd> fixed_;        ///< per l: confinement, and without relativity the kinetic energy
    std::vector<VectorXd> confinement_;  ///< per l, at the points
    Eigen::LLT<MatrixXd> poisson_;
    VectorXd hartree_coefficients_;
};

RadialProblem::RadialProblem(const AtomOptions& options)
    : o_(options),
      n_spins_(options.spin_polarized ? 2 : 1),
      functional_(options.functional, options.spin_polarized),
      splines_(make_splines(options)) {
    const std::string& symbol = element_symbol(o_.atomic_number);
    if (o_.shells.empty()) throw InputError(fmt::format("atom {}: no shells are given", symbol));
    for (const Shell& s : o_.shells) {
        if (s.l < 0 || s.l > 3 || s.n <= s.l || s.n > 7)
            throw InputError(fmt::format("atom {}: there is no shell with n = {}, l = {}", symbol, s.n, s.l));
        if (!(s.up >= 0 && s.down >= 0 && s.up <= 2 * s.l + 1 && s.down <= 2 * s.l + 1))
            throw InputError(
                fmt::format("atom {}: shell {} holds 0 to {} electrons of each spin, not {} and {}", symbol,
                            shell_name(s.n, s.l), 2 * s.l + 1, s.up, s.down));
        l_max_ = std::max(l_max_, s.l);
        n_electrons_ += s.occupation();
    }
    if (!(n_electrons_ > 0)) throw InputError(fmt::format("atom {}: it has no electrons", symbol));

    const std::vector<double>& ends = splines_.breakpoints();
    const auto per_interval = static_cast<Eigen::Index>(o_.grid.gauss_points);
    const auto intervals = static_cast<Eigen::Index>(ends.size()) - 1;
    r_.resize(per_interval * intervals);
    w_.resize(r_.size());
    for (Eigen::Index k = 0; k < intervals; ++k) {
        const auto at = static_cast<std::size_t>(k);
        const Quadrature rule = gauss_legendre(o_.grid.gauss_points, ends[at], ends[at + 1]);
        r_.segment(k * per_interval, per_interval) =
            Eigen::Map<const VectorXd>(rule.points.data(), per_interval);
        w_.segment(k * per_interval, per_interval) =
            Eigen::Map<const VectorXd>(rule.weights.data(), per_interval);
    }
    spline_values_ = spline_table(splines_, r_, o_.grid.gauss_points);

    if (o_.slater.empty()) {
        tables_ = {spline_values_};
    } else {
        if (static_cast<int>(o_.slater.size()) <= l_max_)
            throw InputError(
                fmt::format("atom {}: Slater functions are needed for l = 0..{}", symbol, l_max_));
        for (int l = 0; l <= l_max_; ++l) {
            const SlaterFunctions& slater = o_.slater[static_cast<std::size_t>(l)];
            if (slater.exponents.empty() || slater.powers < 1 || slater.powers > 8 ||
                std::any_of(slater.exponents.begin(), slater.exponents.end(),
                            [](double a) { return !(a > 0); }))
                throw InputError(fmt::format(
                    "atom {}: Slater functions need positive exponents and 1 to 8 powers", symbol));
            tables_.push_back(slater_table(slater, l, r_));
        }
    }
    for (const BasisTable& t : tables_) overlap_.push_back(t.integral(t.value, w_, t.value));
    for (const Shell& s : o_.shells)
        if (table(s.l).value.cols() < s.n - s.l)
            throw InputError(
                fmt::format("atom {}: the basis is too small for shell {}", symbol, shell_name(s.n, s.l)));

    for (int l = 0; l <= l_max_; ++l) {
        const BasisTable& t = table(l);
        const auto at = static_cast<std::size_t>(l);
        const Confinement wall = at < o_.confinement.size() ? o_.confinement[at] : Confinement();
        confinement_.push_back(
            r_.unaryExpr([&](double r) { return std::min(wall(r), highest_confinement); }));
        fixed_.push_back(t.integral(t.value, w_.cwiseProduct(confinement_.back()), t.value));
        if (o_.relativity == Relativity::none) fixed_.back() += kinetic(l, VectorXd::Zero(r_.size()));
    }
    poisson_.compute(spline_values_.integral(spline_values_.derivative, w_, spline_values_.derivative));
}

/// T_ij = 1/2 int [ (u_i' - u_i/r)(u_j' - u_j/r) + l (l+1) u_i u_j / r^2 ] / M dr, M = 1 - V / (2 c^2) in the
/// zeroth-order regular approximation and 1 without relativity.
MatrixXd RadialProblem::kinetic(int l, const VectorXd& local) const {
    const BasisTable& t = table(l);
    const VectorXd mass = VectorXd::Ones(r_.size()) - local / (2 * speed_of_light * speed_of_light);
    const VectorXd f = 0.5 * w_.cwiseQuotient(mass);
    const MatrixXd slope = t.derivative - r_.cwiseInverse().asDiagonal() * t.value;
    return t.integral(slope, f, slope) +
           l * (l + 1) * t.integral(t.value, f.cwiseQuotient(r_.cwiseAbs2()), t.value);
}

/// V = -(1 + (Z - 1) Omega(r)) / r, Omega = 1 / (H (exp(r/d) - 1) + 1).
/// Green, Sellin, Zachor, Phys. Rev. 184, 1 (1969).
std::vector<Potential> RadialProblem::first_guess() const {
    const double z = o_.atomic_number;
    const double d = 0.7, h = d * std::pow(std::max(z - 1, 1.0), 0.4);
    Potential p;
    p.local = r_.unaryExpr([&](double r) { return -(1 + (z - 1) / (h * std::expm1(r / d) + 1)) / r; });
    p.gradient = VectorXd::Zero(r_.size());
    return std::vector<Potential>(n_spins_, p);
}

RadialProblem::Orbitals RadialProblem::diagonalize(const std::vector<Potential>& potential) const {
    Orbitals result;
    for (std::size_t spin = 0; spin < n_spins_; ++spin) {
        const Potential& v = potential[spin];
        const std::size_t n = o_.shells.size();
        result.eigenvalue.emplace_back(n);
        result.coefficients.emplace_back(n);
        result.u.emplace_back(n);
        result.du.emplace_back(n);
        MatrixXd v_matrix;
        for (int l = 0; l <= l_max_; ++l) {
            if (std::none_of(o_.shells.begin(), o_.shells.end(), [&](const Shell& s) { return s.l == l; }))
                continue;
            const BasisTable& t = table(l);
            // <i|V|j> = int v u_i u_j + g r^2 d/dr (u_i u_j / r^2) dr; the same for every l.
            if (v_matrix.size() == 0 || !o_.slater.empty()) {
                const VectorXd g = w_.cwiseProduct(v.gradient);
                const MatrixXd mixed = t.integral(t.derivative, g, t.value);
                v_matrix = t.integral(t.value, w_.cwiseProduct(v.local) - 2 * g.cwiseQuotient(r_), t.value);
                v_matrix += mixed + mixed.transpose();
            }
            MatrixXd h = fixed_[static_cast<std::size_t>(l)] + v_matrix;
            if (o_.relativity == Relativity::zora) h += kinetic(l, v.local);
            const Eigen::GeneralizedSelfAdjointEigenSolver<MatrixXd> solver(
                h, overlap_[o_.slater.empty() ? 0 : static_cast<std::size_t>(l)]);
            if (solver.info() != Eigen::Success)
                throw NumericalError(fmt::format(
                    "atom {}: the radial equation for l = {} cannot be solved: the basis functions are "
                    "linearly dependent",
                    element_symbol(o_.atomic_number), l));
            for (std::size_t k = 0; k < n; ++k)
                if (o_.shells[k].l == l) {
                    const int state = o_.shells[k].n - l - 1;
                    result.eigenvalue[spin][k] = solver.eigenvalues()(state);
                    result.coefficients[spin][k] = solver.eigenvectors().col(state);
                    result.u[spin][k] = t.value * result.coefficients[spin][k];
                    result.du[spin][k] = t.derivative * result.coefficients[spin][k];
                }
        }
    }
    return result;
}

/// Solves U'' = -rho / r for U = r V_H with U(0) = 0, U(radius) = number of electrons; returns V_H.
VectorXd RadialProblem::hartree(const VectorXd& radial_density) {
    const VectorXd source = w_.cwiseProduct(radial_density).cwiseQuotient(r_);
    hartree_coefficients_ = poisson_.solve(spline_values_.value.transpose() * source);
    return (spline_values_.value * hartree_coefficients_).cwiseQuotient(r_) +
           VectorXd::Constant(r_.size(), n_electrons_ / o_.grid.radius);
}

std::vector<Potential> RadialProblem::potentials_of(const Orbitals& orbitals, Energies& energies) {
    const auto points = static_cast<std::size_t>(r_.size());
    // n = sum_i f_i u_i^2 / (4 pi r^2) and its slope, interleaved by spin.
    MatrixXd n = MatrixXd::Zero(static_cast<Eigen::Index>(n_spins_), r_.size()), dn = n;
    for (std::size_t spin = 0; spin < n_spins_; ++spin)
        for (std::size_t k = 0; k < o_.shells.size(); ++k) {
            const VectorXd& u = orbitals.u[spin][k];
            const Eigen::ArrayXd share = electrons(spin, k) / (4 * M_PI) * u.array() / r_.array().square();
            n.row(static_cast<Eigen::Index>(spin)) += (share * u.array()).matrix().transpose();
            dn.row(static_cast<Eigen::Index>(spin)) +=
                (2 * share * (orbitals.du[spin][k].array() - u.array() / r_.array())).matrix().transpose();
        }
    MatrixXd sigma(n_spins_ == 1 ? 1 : 3, r_.size());
    if (n_spins_ == 1) {
        sigma.row(0) = dn.row(0).cwiseAbs2();
    } else {
        sigma.row(0) = dn.row(0).cwiseAbs2();
        sigma.row(1) = dn.row(0).cwiseProduct(dn.row(1));
        sigma.row(2) = dn.row(1).cwiseAbs2();
    }
    VectorXd e(r_.size());
    MatrixXd v_rho(n.rows(), n.cols()), v_sigma(sigma.rows(), sigma.cols());
    functional_.evaluate(points, n.data(), sigma.data(), e.data(), v_rho.data(), v_sigma.data());

    const VectorXd shell_area = 4 * M_PI * r_.cwiseAbs2();
    const VectorXd radial_density = shell_area.cwiseProduct(n.colwise().sum().transpose());
    const VectorXd v_hartree = hartree(radial_density);
    const VectorXd v_nuclear = -o_.atomic_number * r_.cwiseInverse();
    energies.nuclear = (w_.array() * radial_density.array() * v_nuclear.array()).sum();
    energies.hartree = 0.5 * (w_.array() * radial_density.array() * v_hartree.array()).sum();
    energies.xc = (w_.array() * shell_area.array() * e.array()).sum();

    std::vector<Potential> result(n_spins_);
    for (std::size_t spin = 0; spin < n_spins_; ++spin) {
        const auto row = static_cast<Eigen::Index>(spin);
        result[spin].local = v_nuclear + v_hartree + v_rho.row(row).transpose();
        // dE_xc/d(grad n_s) = 2 v_ss grad n_s + v_ud grad n_other.
        result[spin].gradient = n_spins_ == 1
                                    ? VectorXd(2 * v_sigma.row(0).cwiseProduct(dn.row(0)).transpose())
                                    : VectorXd((2 * v_sigma.row(2 * row).cwiseProduct(dn.row(row)) +
                                                v_sigma.row(1).cwiseProduct(dn.row(1 - row)))
                                                   .transpose());
    }
    return result;
}

/// Bound of the first-order change of any eigenvalue when potential a is replaced by b.
double RadialProblem::eigenvalue_change(const Orbitals& orbitals, const std::vector<Potential>& a,
                                        const std::vector<Potential>& b) const {
    double largest = 0;
    for (std::size_t spin = 0; spin < n_spins_; ++spin)
        for (std::size_t k = 0; k < o_.shells.size(); ++k) {
            const Eigen::ArrayXd u = orbitals.u[spin][k].array(), du = orbitals.du[spin][k].array();
            const double change = (w_.array() * ((b[spin].local - a[spin].local).array().abs() * u.square() +
                                                 (b[spin].gradient - a[spin].gradient).array().abs() *
                                                     (2 * u * (du - u / r_.array())).abs()))
                                      .sum();
            largest = std::isnan(change) ? change : std::max(largest, change);
        }
    return largest;
}

VectorXd RadialProblem::packed(const std::vector<Potential>& potentials) const {
    VectorXd x(2 * r_.size() * static_cast<Eigen::Index>(n_spins_));
    for (std::size_t s = 0; s < n_spins_; ++s) {
        x.segment(static_cast<Eigen::Index>(2 * s) * r_.size(), r_.size()) = potentials[s].local;
        x.segment(static_cast<Eigen::Index>(2 * s + 1) * r_.size(), r_.size()) = potentials[s].gradient;
    }
    return x;
}

std::vector<Potential> RadialProblem::unpacked(const VectorXd& x) const {
    std::vector<Potential> potentials(n_spins_);
    for (std::size_t s = 0; s < n_spins_; ++s) {
        potentials[s].local = x.segment(static_cast<Eigen::Index>(2 * s) * r_.size(), r_.size());
        potentials[s].gradient = x.segment(static_cast<Eigen::Index>(2 * s + 1) * r_.size(), r_.size());
    }
    return potentials;
}

/// Orbitals in the splines, with a positive outermost lobe; Slater functions by least squares.
RadialFunctions RadialProblem::as_splines(const Orbitals& orbitals) const {
    const std::size_t n = o_.shells.size();
    MatrixXd c = MatrixXd::Zero(splines_.size(), static_cast<Eigen::Index>(n_spins_ * n));
    const MatrixXd overlap = spline_values_.integral(spline_values_.value, w_, spline_values_.value);
    const Eigen::LLT<MatrixXd> solver(overlap);
    for (std::size_t spin = 0; spin < n_spins_; ++spin)
        for (std::size_t k = 0; k < n; ++k) {
            const VectorXd& u = orbitals.u[spin][k];
            const double threshold = 0.05 * u.cwiseAbs().maxCoeff();
            Eigen::Index outer = u.size() - 1;
            while (std::abs(u(outer)) < threshold) --outer;
            auto column = c.col(static_cast<Eigen::Index>(spin * n + k)).segment(1, splines_.size() - 2);
            if (o_.slater.empty())
                column = orbitals.coefficients[spin][k];
            else
                column = solver.solve(spline_values_.value.transpose() * w_.cwiseProduct(u));
            if (u(outer) < 0) column = -column.eval();
        }
    return {splines_, std::move(c)};
}

Atom RadialProblem::solve(const Context& context) {
    std::vector<Potential> input = first_guess();
    VectorXd weights(2 * r_.size() * static_cast<Eigen::Index>(n_spins_));
    for (Eigen::Index k = 0; k < static_cast<Eigen::Index>(2 * n_spins_); ++k)
        weights.segment(k * r_.size(), r_.size()) =
            w_.array() * r_.array().square() / (1 + r_.array().square());
    Anderson mixer(0.4, 8, weights);

    double change = 0;
    for (int iteration = 1; iteration <= o_.max_iterations; ++iteration) {
        const Orbitals orbitals = diagonalize(input);
        Energies energies;
        const std::vector<Potential> output = potentials_of(orbitals, energies);
        change = eigenvalue_change(orbitals, input, output);
        if (std::isnan(change)) break;
        if (change > o_.tolerance) {
            const VectorXd x = packed(input);
            input = unpacked(mixer.next(x, packed(output) - x));
            continue;
        }
        Atom atom;
        atom.options = o_;
        atom.iterations = iteration;
        atom.nuclear = energies.nuclear;
        atom.hartree = energies.hartree;
        atom.xc = energies.xc;
        for (std::size_t k = 0; k < o_.shells.size(); ++k) {
            const Shell& s = o_.shells[k];
            const std::size_t last = n_spins_ - 1;
            atom.levels.push_back({s, {orbitals.eigenvalue[0][k], orbitals.eigenvalue[last][k]}});
            for (std::size_t spin = 0; spin < n_spins_; ++spin) {
                const VectorXd& c = orbitals.coefficients[spin][k];
                const Eigen::ArrayXd& wall = confinement_[static_cast<std::size_t>(s.l)].array();
                const double f = electrons(spin, k);
                const VectorXd mass_potential = o_.relativity == Relativity::zora
                                                    ? input[spin].local
                                                    : VectorXd(VectorXd::Zero(r_.size()));
                atom.kinetic += f * c.dot(kinetic(s.l, mass_potential) * c);
                atom.confinement += f * (w_.array() * orbitals.u[spin][k].array().square() * wall).sum();
            }
        }
        atom.energy = atom.kinetic + atom.nuclear + atom.hartree + atom.xc + atom.confinement;
        atom.orbitals = as_splines(orbitals);

        // r V_H = Q r / radius + correction; r itself has the Greville abscissae as coefficients.
        VectorXd c = VectorXd::Zero(splines_.size());
        c.segment(1, splines_.size() - 2) = hartree_coefficients_;
        const std::vector<double>& ends = splines_.breakpoints();
        const int p = splines_.degree();
        for (int i = 0; i < splines_.size(); ++i) {
            double greville = 0;
            for (int k = i + 1; k <= i + p; ++k)
                greville += ends[static_cast<std::size_t>(std::clamp(k - p, 0, o_.grid.intervals))] / p;
            c(i) += n_electrons_ / o_.grid.radius * greville;
        }
        atom.hartree_potential = {splines_, c};
        context.debug(fmt::format("atom {}: {} cycles, {:.8f} hartree", element_symbol(o_.atomic_number),
                                  iteration, atom.energy));
        return atom;
    }
    throw ConvergenceError(
        fmt::format("atom {}", element_symbol(o_.atomic_number)), o_.max_iterations, change, o_.tolerance,
        "two shells may compete for the same electrons, or a shell is not bound: check the configuration, or "
        "confine the atom");
}

}  // namespace

Confinement Confinement::power(double radius, double exponent) {
    if (!(radius >= 0.5 && radius <= 1000))
        throw InputError(fmt::format(
            "confinement radius {} bohr: accepted are 0.5 to 1000 bohr; twice the covalent radius is usual",
            radius));
    if (!(exponent >= 1 && exponent <= 40))
        throw InputError(fmt::format("confinement exponent {}: accepted are 1 to 40; 2 is usual", exponent));
    Confinement c;
    c.shape_ = Shape::power;
    c.radius_ = radius;
    c.exponent_ = exponent;
    return c;
}

Confinement Confinement::woods_saxon(double height, double slope, double radius) {
    if (!(height > 0 && height <= 1e4 && slope > 0 && slope <= 1e3 && radius >= 0.5 && radius <= 1000))
        throw InputError(fmt::format(
            "Woods-Saxon confinement with height {} hartree, slope {} 1/bohr, radius {} bohr: accepted "
            "are positive values up to 1e4, up to 1e3, and 0.5 to 1000 bohr",
            height, slope, radius));
    Confinement c;
    c.shape_ = Shape::woods_saxon;
    c.radius_ = radius;
    c.height_ = height;
    c.slope_ = slope;
    return c;
}

double Confinement::operator()(double r) const {
    switch (shape_) {
        case Shape::none:
            return 0;
        case Shape::power:
            return std::pow(r / radius_, exponent_);
        case Shape::woods_saxon:
            return height_ / (1 + std::exp(-slope_ * (r - radius_)));
    }
    return 0;
}

std::string Confinement::description() const {
    switch (shape_) {
        case Shape::none:
            return "free";
        case Shape::power:
            return fmt::format("(r/{})^{}", radius_, exponent_);
        case Shape::woods_saxon:
            return fmt::format("{}/(1+exp(-{}(r-{})))", height_, slope_, radius_);
    }
    return {};
}

double Atom::n_electrons() const {
    double sum = 0;
    for (const Level& level : levels) sum += level.shell.occupation();
    return sum;
}

int Atom::level(int n, int l) const {
    for (std::size_t k = 0; k < levels.size(); ++k)
        if (levels[k].shell.n == n && levels[k].shell.l == l) return static_cast<int>(k);
    throw InputError(
        fmt::format("atom {} has no shell {}", element_symbol(options.atomic_number), shell_name(n, l)));
}

Atom solve_atom(const AtomOptions& options, const Context& context) {
    return RadialProblem(options).solve(context);
}

}  // namespace stembridge::dft
