// SPDX-License-Identifier: Apache-2.0
#include "hamiltonian/bloch_sum.hpp"

namespace stembridge::tb {

std::complex<double> bloch_phase(const Eigen::Vector3d& k, const Block& b) {
    return std::polar(1.0, 2 * M_PI * (k(0) * b.image[0] + k(1) * b.image[1] + k(2) * b.image[2]));
}

Eigen::MatrixXcd bloch_sum(const BlockMatrix& matrix, const Eigen::Vector3d& k) {
    const Basis& basis = matrix.pattern().basis();
    Eigen::MatrixXcd sum = Eigen::MatrixXcd::Zero(basis.n_orbitals(), basis.n_orbitals());
    for (const Block& b : matrix.pattern().blocks()) {
        const std::complex<double> phase = bloch_phase(k, b);
        auto target = sum.block(basis.first_orbital(b.j), basis.first_orbital(b.i), basis.n_orbitals(b.j),
                                basis.n_orbitals(b.i));
        const auto source = matrix.block(b);
        target += std::conj(phase) * source.transpose();
        if (b.i == b.j && !b.on_site()) target += phase * source;
    }
    return sum;
}

}  // namespace stembridge::tb
