// SPDX-License-Identifier: Apache-2.0
// Full diagonalisation at any k-point, with the charges as they are.
#include <fmt/format.h>

#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>

#include "hamiltonian/bloch_sum.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/properties.hpp"

namespace stembridge::tb {

States states_at(const ElectronicState& state, const Eigen::Vector3d& k, int spin, bool with_coefficients) {
    const BlockMatrix& hamiltonian = state.hamiltonian.at(static_cast<std::size_t>(spin));
    const int n = state.basis.n_orbitals();
    const char job = with_coefficients ? 'V' : 'N';
    States result;
    result.energies.resize(n);
    // H c = e S c
    lapack_int info = 0;
    if (k.isZero(0)) {
        Eigen::MatrixXd h(n, n), s(n, n);
        hamiltonian.fold(h.data());
        state.overlap.fold(s.data());
        info = LAPACKE_dsygvd(LAPACK_COL_MAJOR, 1, job, 'L', n, h.data(), n, s.data(), n,
                              result.energies.data());
        if (with_coefficients) result.coefficients = h.cast<std::complex<double>>();
    } else {
        Eigen::MatrixXcd h = bloch_sum(hamiltonian, k), s = bloch_sum(state.overlap, k);
        info = LAPACKE_zhegvd(LAPACK_COL_MAJOR, 1, job, 'L', n, h.data(), n, s.data(), n,
                              result.energies.data());
        if (with_coefficients) result.coefficients = std::move(h);
    }
    if (info > n)
        throw NumericalError(
            fmt::format("the overlap matrix is not positive definite at k = ({:.4f}, {:.4f}, {:.4f}): atoms "
                        "are too close "
                        "to each other, or the tables do not fit together",
                        k(0), k(1), k(2)));
    if (info != 0) throw NumericalError(fmt::format("the diagonalisation failed (code {})", info));
    return result;
}

Spectrum spectrum(const ElectronicState& state) {
    const int n_k = state.kpoints.size(), n_spins = state.n_spins();
    Spectrum result;
    result.states.assign(static_cast<std::size_t>(n_spins),
                         std::vector<States>(static_cast<std::size_t>(n_k)));
    std::vector<Eigen::MatrixXd> levels(static_cast<std::size_t>(n_spins),
                                        Eigen::MatrixXd(state.basis.n_orbitals(), n_k));
    for (int spin = 0; spin < n_spins; ++spin)
        for (int k = 0; k < n_k; ++k) {
            States& here = result.states[static_cast<std::size_t>(spin)][static_cast<std::size_t>(k)];
            here = states_at(state, state.kpoints.points.col(k), spin, true);
            levels[static_cast<std::size_t>(spin)].col(k) = here.energies;
        }
    result.occupations = occupy(levels, state.kpoints.weights, state.electrons);
    return result;
}

}  // namespace stembridge::tb
