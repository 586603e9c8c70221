// SPDX-License-Identifier: Apache-2.0
#include "scc/response.hpp"

#include <numeric>
#include <utility>

#include "density/eigenstates.hpp"
#include "hamiltonian/bloch_sum.hpp"
#include "scc/spin_modes.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {
namespace {

/// Where shells stand in the vector of the mixer.
class Coordinates {
  public:
    Coordinates(const Sites& sites, std::size_t n_spins)
        : sites_(sites), n_spin_(n_spins == 2 ? static_cast<Eigen::Index>(sites.site_of_shell.size()) : 0) {}
    Eigen::Index size() const { return sites_.size() + n_spin_; }
    Eigen::Index site_count() const { return sites_.size(); }
    bool polarized() const { return n_spin_ > 0; }
    Eigen::Index site(Eigen::Index shell) const {
        return sites_.site_of_shell[static_cast<std::size_t>(shell)];
    }
    Eigen::Index spin(Eigen::Index shell) const { return sites_.size() + shell; }
    static double sign(std::size_t spin) { return spin == 0 ? 1 : -1; }
    /// What electrons of one spin on the shells are in the vector.
    Eigen::VectorXd gather(const Eigen::VectorXd& shells, std::size_t of_spin) const {
        Eigen::VectorXd result = Eigen::VectorXd::Zero(size());
        for (Eigen::Index shell = 0; shell < shells.size(); ++shell) {
            result(site(shell)) += shells(shell);
            if (polarized()) result(spin(shell)) += sign(of_spin) * shells(shell);
        }
        return result;
    }

  private:
    const Sites& sites_;
    Eigen::Index n_spin_;
};

/// d / sqrt(sum(d)) of each Fermi level: it moves so that no electrons are made.
std::vector<Eigen::VectorXd> fermi_levels(const Coordinates& at, const std::vector<Eigen::VectorXd>& sums,
                                          bool shared) {
    std::vector<Eigen::VectorXd> levels;
    const auto add = [&](const Eigen::VectorXd& d) {
        const double all = d.head(at.site_count()).sum();
        if (all > 1e-12) levels.emplace_back(d / std::sqrt(all));
    };
    if (shared)
        add(std::accumulate(
            sums.begin(), sums.end(), Eigen::VectorXd::Zero(at.size()).eval(),
            [](const Eigen::VectorXd& a, const Eigen::VectorXd& b) -> Eigen::VectorXd { return a + b; }));
    else
        for (const Eigen::VectorXd& d : sums) add(d);
    return levels;
}

/// The electrons of these states alone, at another temperature.
Occupations occupy_window(const std::vector<NearStates>& states, const Eigen::VectorXd& weights, double kT,
                          bool shared_fermi_level) {
    std::vector<Eigen::MatrixXd> levels;
    std::vector<double> electrons;
    for (const NearStates& s : states) {
        levels.push_back(s.energies);
        electrons.push_back((s.occupations * weights).sum());
    }
    Electrons in = {.number = std::accumulate(electrons.begin(), electrons.end(), 0.0),
                    .kT = kT,
                    .filling = Filling::fermi,
                    .n_spins = static_cast<int>(states.size())};
    if (!shared_fermi_level && states.size() == 2) in.unpaired = electrons[0] - electrons[1];
    return occupy(levels, weights, in);
}

struct Levels {
    Eigen::VectorXd energies, occupations, slopes;  ///< hartree, e, -df/de in 1/hartree
    double kT;                                      ///< of the occupations, hartree
};

/// What the states of one spin and k-point contribute to chi and D.
struct Transitions {
    Eigen::MatrixXd chi;
    Eigen::VectorXd states;
};

/// chi = sum_ab (f_a - f_b) / (e_a - e_b) Re[ q_ab q_ab^H ] and D. @param sc S c
template <typename Matrix>
Transitions transitions(const Coordinates& at, const Basis& basis, std::size_t spin, const Levels& levels,
                        const Matrix& c, const Matrix& sc) {
    using Eigen::numext::conj;
    const Eigen::VectorXd &e = levels.energies, &f = levels.occupations, &g = levels.slopes;
    Transitions result{Eigen::MatrixXd::Zero(at.size(), at.size()), {}};
    for (Eigen::Index a = 0; a < c.cols(); ++a) {
        // q_ab of the shells, for all b from a on
        const Eigen::Index m = c.cols() - a;
        Matrix q = Matrix::Zero(at.size(), m);
        for (int mu = 0; mu < basis.n_orbitals(); ++mu) {
            const auto part =
                (0.5 * (conj(c(mu, a)) * sc.row(mu).tail(m) + conj(sc(mu, a)) * c.row(mu).tail(m))).eval();
            const int shell = basis.shell_of_orbital(mu);
            q.row(at.site(shell)) += part;
            if (at.polarized()) q.row(at.spin(shell)) += at.sign(spin) * part;
        }
        // (f_a - f_b) / (e_a - e_b), twice for a != b
        Eigen::VectorXd weight(m);
        for (Eigen::Index k = 0; k < m; ++k) {
            const Eigen::Index b = a + k;
            const double gap = e(b) - e(a);
            weight(k) =
                (b == a ? 1 : 2) * (gap > 1e-6 * levels.kT ? (f(b) - f(a)) / gap : -0.5 * (g(a) + g(b)));
        }
        const auto add = [&](const Eigen::MatrixXd& part) {
            result.chi.noalias() += part * weight.asDiagonal() * part.transpose();
        };
        add(q.real());
        if constexpr (Eigen::NumTraits<typename Matrix::Scalar>::IsComplex) add(q.imag());
    }
    result.states = at.gather(basis.shells_from_orbitals(c.conjugate().cwiseProduct(sc).real() * g), spin);
    return result;
}

/// S C at Gamma.
Eigen::MatrixXd times(const BlockMatrix& overlap, const Eigen::MatrixXd& c) {
    const Basis& basis = overlap.pattern().basis();
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(c.rows(), c.cols());
    for (const Block& b : overlap.pattern().blocks()) {
        const auto s = overlap.block(b);
        const int i = basis.first_orbital(b.i), j = basis.first_orbital(b.j);
        result.middleRows(i, s.rows()).noalias() += s * c.middleRows(j, s.cols());
        if (!b.on_site())
            result.middleRows(j, s.cols()).noalias() += s.transpose() * c.middleRows(i, s.rows());
    }
    return result;
}

}  // namespace

Eigen::SparseMatrix<double> bond_response(const Structure& structure, const Sites& sites) {
    // The result depends little on these: bonds reach to 1.2 times the sum of the covalent radii.
    constexpr double reach = 1.2, kappa = 0.8, kappa_hydrogen = 0.6;
    Eigen::SparseMatrix<double> k(sites.size(), sites.size());
    if (sites.shell_resolved) return k;
    double longest = 1;
    for (const int z : structure.atomic_numbers) longest = std::max(longest, 2 * reach * covalent_radius(z));
    const NeighborList pairs(structure, longest);
    std::vector<Eigen::Triplet<double>> entries;
    for (int i = 0; i < structure.size(); ++i)
        for (const Neighbor& p : pairs.of(i)) {
            const int zi = structure.atomic_numbers[static_cast<std::size_t>(i)];
            const int zj = structure.atomic_numbers[static_cast<std::size_t>(p.j)];
            if (p.j == i || p.distance > reach * (covalent_radius(zi) + covalent_radius(zj))) continue;
            const double strength = zi == 1 || zj == 1 ? kappa_hydrogen : kappa;
            entries.emplace_back(i, p.j, strength);
            entries.emplace_back(i, i, -strength);
        }
    k.setFromTriplets(entries.begin(), entries.end());
    return k;
}

Response local_response(const Sites& sites, const Eigen::VectorXd& states, int n_spins,
                        bool shared_fermi_level) {
    const Coordinates at(sites, static_cast<std::size_t>(n_spins));
    const Eigen::VectorXd d = states.cwiseMax(0.0);
    std::vector<Eigen::Triplet<double>> entries;
    for (Eigen::Index shell = 0; shell < d.size(); ++shell) {
        entries.emplace_back(at.site(shell), at.site(shell), -d(shell));
        if (at.polarized()) entries.emplace_back(at.spin(shell), at.spin(shell), -d(shell));
    }
    Response chi;
    chi.local.resize(at.size(), at.size());
    chi.local.setFromTriplets(entries.begin(), entries.end());
    std::vector<Eigen::VectorXd> sums;
    sums.reserve(static_cast<std::size_t>(n_spins));
    for (int spin = 0; spin < n_spins; ++spin)
        sums.push_back(at.gather(d / n_spins, static_cast<std::size_t>(spin)));
    chi.levels = fermi_levels(at, sums, shared_fermi_level);
    return chi;
}

Response near_sighted_response(const Sites& sites, const std::vector<NearResponse>& near,
                               bool shared_fermi_level) {
    const Coordinates at(sites, near.size());
    std::vector<Eigen::Triplet<double>> entries;
    std::vector<Eigen::VectorXd> sums;
    for (std::size_t spin = 0; spin < near.size(); ++spin) {
        // A potential on one spin is one on the site, and one on the spin of either sign.
        const double sign = at.sign(spin);
        const auto add = [&](Eigen::Index a, Eigen::Index b, double chi) {
            entries.emplace_back(at.site(a), at.site(b), chi);
            if (!at.polarized()) return;
            entries.emplace_back(at.site(a), at.spin(b), sign * chi);
            entries.emplace_back(at.spin(a), at.site(b), sign * chi);
            entries.emplace_back(at.spin(a), at.spin(b), chi);
        };
        const Eigen::SparseMatrix<double>& chi = near[spin].shells;
        Eigen::VectorXd missing = -near[spin].states;
        for (int column = 0; column < chi.outerSize(); ++column)
            for (Eigen::SparseMatrix<double>::InnerIterator it(chi, column); it; ++it) {
                add(it.row(), it.col(), it.value());
                missing(it.row()) -= it.value();
            }
        for (Eigen::Index shell = 0; shell < missing.size(); ++shell) add(shell, shell, missing(shell));
        sums.push_back(at.gather(near[spin].states, spin));
    }
    Response result;
    result.local.resize(at.size(), at.size());
    result.local.setFromTriplets(entries.begin(), entries.end());
    result.levels = fermi_levels(at, sums, shared_fermi_level);
    return result;
}

Response window_response(const Sites& sites, const std::vector<NearStates>& states,
                         const BlockMatrix& overlap, const KPoints& kpoints, double kT,
                         bool shared_fermi_level) {
    const Basis& basis = overlap.pattern().basis();
    const Coordinates at(sites, states.size());
    const Occupations warm = occupy_window(states, kpoints.weights, kT, shared_fermi_level);
    const double capacity = 2.0 / static_cast<double>(states.size());
    Response chi;
    chi.local.resize(at.size(), at.size());
    chi.dense.setZero(at.size(), at.size());
    std::vector<Eigen::VectorXd> sums(states.size(), Eigen::VectorXd::Zero(at.size()));
    const int n_k = kpoints.size(), n_tasks = n_k * static_cast<int>(states.size());
#pragma omp parallel for ordered schedule(static, 1) if (n_tasks > 1)
    for (int task = 0; task < n_tasks; ++task) {
        const auto spin = static_cast<std::size_t>(task / n_k);
        const int k = task % n_k;
        const NearStates& near = states[spin];
        const Levels levels{near.energies.col(k), warm.f[spin].col(k),
                            slopes_of(warm.f[spin].col(k), capacity, kT), kT};
        Transitions result;
        if (near.bloch.empty()) {
            result = transitions(at, basis, spin, levels, near.real, times(overlap, near.real));
        } else {
            const Eigen::MatrixXcd& c = near.bloch[static_cast<std::size_t>(k)];
            const Eigen::MatrixXcd s = bloch_sum(overlap, kpoints.points.col(k));
            result = transitions(at, basis, spin, levels, c,
                                 Eigen::MatrixXcd(s.selfadjointView<Eigen::Lower>() * c));
        }
#pragma omp ordered
        {
            chi.dense += kpoints.weights(k) * result.chi;
            sums[spin] += kpoints.weights(k) * result.states;
        }
    }
    chi.levels = fermi_levels(at, sums, shared_fermi_level);
    return chi;
}

Preconditioner make_preconditioner(const Response& chi, const Eigen::SparseMatrix<double>& bonds,
                                   const Eigen::MatrixXd& gamma, const Eigen::SparseMatrix<double>& spin,
                                   SpinSteps spin_steps) {
    const Eigen::Index n = gamma.rows(), n_spin = spin.rows();
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(n + n_spin, n + n_spin);
    a.leftCols(n).noalias() -= Eigen::SparseMatrix<double>(chi.local.leftCols(n)) * gamma;
    a.topLeftCorner(n, n).noalias() -= bonds * gamma;
    for (const Eigen::VectorXd& d : chi.levels)
        a.leftCols(n).noalias() -= d * (gamma * d.head(n)).transpose();
    if (chi.dense.size() > 0) a.leftCols(n).noalias() -= chi.dense.leftCols(n) * gamma;
    if (n_spin > 0) {
        a.rightCols(n_spin) -= chi.local.rightCols(n_spin) * spin;
        for (const Eigen::VectorXd& d : chi.levels)
            a.rightCols(n_spin).noalias() -= d * (spin * d.tail(n_spin)).transpose();
        if (chi.dense.size() > 0) a.rightCols(n_spin) -= chi.dense.rightCols(n_spin) * spin;
    }
    Eigen::PartialPivLU<Eigen::MatrixXd> lu(a);
    // Longer steps leave the region that the response is of.
    constexpr double longest = 3;
    const SpinModes modes =
        n_spin > 0 && spin_steps == SpinSteps::bounded ? SpinModes(chi, spin, lu, longest) : SpinModes();
    return {[lu = std::move(lu), modes](const Eigen::VectorXd& r) {
                Eigen::VectorXd step = lu.solve(r.head(lu.rows()));
                modes.mend(step);
                Eigen::VectorXd result = r;
                result.head(lu.rows()) = step;
                return result;
            },
            n, n_spin};
}

}  // namespace stembridge::tb
