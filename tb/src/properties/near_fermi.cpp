// SPDX-License-Identifier: Apache-2.0
// Shift-and-invert Lanczos with sparse matrices.
#include "stembridge/tb/near_fermi.hpp"

#include <fmt/format.h>

#include <Spectra/MatOp/SparseSymMatProd.h>
#include <Spectra/MatOp/SymShiftInvert.h>
#include <Spectra/SymGEigsShiftSolver.h>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <vector>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

using Sparse = Eigen::SparseMatrix<double>;

/// The matrix at Gamma, both triangles.
Sparse sparse_folded(const BlockMatrix& matrix) {
    const Basis& basis = matrix.pattern().basis();
    std::vector<Eigen::Triplet<double>> entries;
    entries.reserve(2 * matrix.values().size());
    for (const Block& b : matrix.pattern().blocks()) {
        const auto block = matrix.block(b);
        const int first_i = basis.first_orbital(b.i), first_j = basis.first_orbital(b.j);
        for (int nu = 0; nu < block.cols(); ++nu)
            for (int mu = 0; mu < block.rows(); ++mu) {
                entries.emplace_back(first_i + mu, first_j + nu, block(mu, nu));
                if (!b.on_site()) entries.emplace_back(first_j + nu, first_i + mu, block(mu, nu));
            }
    }
    Sparse sparse(basis.n_orbitals(), basis.n_orbitals());
    sparse.setFromTriplets(entries.begin(), entries.end());
    return sparse;
}

/// Levels and orbitals as the iteration gives them, any order.
struct Pairs {
    Eigen::VectorXd energies;
    Eigen::MatrixXd orbitals;
};

/// The levels nearest to a shift, or nothing when the shift is (nearly) a level itself or they do not
/// converge.
std::optional<Pairs> lanczos(const Sparse& h, const Sparse& s, double shift, int wanted) {
    using Inverse = Spectra::SymShiftInvert<double, Eigen::Sparse, Eigen::Sparse>;
    using Product = Spectra::SparseSymMatProd<double>;
    constexpr int most_restarts = 1000;
    constexpr double tolerance = 1e-12, closest = 1e-6;
    Inverse inverse(h, s);
    Product product(s);
    const int vectors = std::min(std::max(2 * wanted + 1, 40), static_cast<int>(h.rows()));
    try {
        Spectra::SymGEigsShiftSolver<Inverse, Product, Spectra::GEigsMode::ShiftInvert> solver(
            inverse, product, wanted, vectors, shift);
        solver.init();
        solver.compute(Spectra::SortRule::LargestMagn, most_restarts, tolerance);
        if (solver.info() != Spectra::CompInfo::Successful) return std::nullopt;
        Pairs result{solver.eigenvalues(), solver.eigenvectors()};
        if ((result.energies.array() - shift).abs().minCoeff() < closest) return std::nullopt;
        return result;
    } catch (const std::invalid_argument&) {
        return std::nullopt;  // the factors do not exist: the shift is a level
    }
}

/// Number of levels below an energy, by Sylvester's law of inertia: H - energy S = L D L^T has as many
/// negative entries in D. Nothing when the factors do not exist.
std::optional<Eigen::Index> count_below(const Sparse& h, const Sparse& s, double energy) {
    const Sparse shifted = h - energy * s;
    const Eigen::SimplicialLDLT<Sparse> factors(shifted);
    if (factors.info() != Eigen::Success) return std::nullopt;
    return (factors.vectorD().array() < 0).count();
}

/// Distances from an energy, ascending.
std::vector<double> distances(const Eigen::VectorXd& energies, double energy) {
    std::vector<double> d;
    for (const double e : energies) d.push_back(std::abs(e - energy));
    std::sort(d.begin(), d.end());
    return d;
}

/// Whether the n levels nearest to `energy` are among those found nearest to `shift`, copies of degenerate
/// levels included.
bool contains_nearest(const Pairs& found, const Sparse& h, const Sparse& s, double shift, double energy,
                      int n) {
    const double radius = distances(found.energies, energy)[static_cast<std::size_t>(n - 1)];
    if (found.energies.size() + 1 < h.rows() &&
        radius + std::abs(shift - energy) > distances(found.energies, shift).back())
        return false;
    constexpr double margin = 1e-7;
    const double low = energy - radius - margin, high = energy + radius + margin;
    const auto below_high = count_below(h, s, high), below_low = count_below(h, s, low);
    if (!below_high || !below_low) return false;
    return *below_high - *below_low ==
           (found.energies.array() > low && found.energies.array() < high).count();
}

/// The n levels nearest to an energy, in order, normalised; their energies as Rayleigh quotients.
SelectedStates nearest(const Pairs& found, const Sparse& h, const Sparse& s, double energy, int n) {
    std::vector<Eigen::Index> order(static_cast<std::size_t>(found.energies.size()));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) {
        return std::abs(found.energies(a) - energy) < std::abs(found.energies(b) - energy);
    });
    order.resize(static_cast<std::size_t>(n));
    std::sort(order.begin(), order.end(),
              [&](Eigen::Index a, Eigen::Index b) { return found.energies(a) < found.energies(b); });
    SelectedStates result;
    result.energies.resize(n);
    result.coefficients.resize(h.rows(), n);
    for (int k = 0; k < n; ++k) {
        Eigen::VectorXd c = found.orbitals.col(order[static_cast<std::size_t>(k)]);
        c /= std::sqrt(c.dot(s * c));
        const double e = c.dot(h * c);
        result.energies(k) = e;
        result.coefficients.col(k) = c;
        result.residual = std::max(result.residual, (h * c - e * (s * c)).norm());
    }
    return result;
}

}  // namespace

SelectedStates states_near(const ElectronicState& state, int spin, double energy, int n) {
    const int n_orbitals = state.basis.n_orbitals();
    if (!state.kpoints.only_gamma())
        throw UnsupportedError(
            "levels near an energy by Lanczos are found at Gamma only; use 1 1 1 k-points");
    if (n < 1 || 2 * n > n_orbitals)
        throw InputError(
            fmt::format("{} levels near an energy were asked for; accepted are 1 to {} (half of the "
                        "{} orbitals)",
                        n, n_orbitals / 2, n_orbitals));
    const Sparse h = sparse_folded(state.hamiltonian.at(static_cast<std::size_t>(spin)));
    const Sparse s = sparse_folded(state.overlap);
    // Away from the energy when it is a level itself: the inverse would be too large to see the others.
    // A few more levels than asked for, and more again while the nearest n could be others.
    constexpr int attempts = 8;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const double shift = energy + (attempt % 2 == 0 ? 1 : -1) * 1.37e-4 * attempt;
        const int wanted = std::min((n + 8) << (attempt / 2), n_orbitals - 1);
        const auto found = lanczos(h, s, shift, wanted);
        if (!found || !contains_nearest(*found, h, s, shift, energy, n)) continue;
        return nearest(*found, h, s, energy, n);
    }
    throw ConvergenceError(
        "shift-and-invert Lanczos", attempts, 0, 0,
        "levels around the energy were missed in every attempt; ask for more of them, or at a "
        "slightly different energy");
}

}  // namespace stembridge::tb
