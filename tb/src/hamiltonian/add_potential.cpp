// SPDX-License-Identifier: Apache-2.0
#include "hamiltonian/add_potential.hpp"

namespace stembridge::tb {

void add_potential(BlockMatrix& hamiltonian, const BlockMatrix& overlap, const Eigen::VectorXd& v) {
    const Basis& basis = overlap.pattern().basis();
    const auto& blocks = overlap.pattern().blocks();
#pragma omp parallel for schedule(static)
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        const Block& b = blocks[k];
        const auto s = overlap.block(b);
        const auto vi = v.segment(basis.first_orbital(b.i), basis.n_orbitals(b.i));
        const auto vj = v.segment(basis.first_orbital(b.j), basis.n_orbitals(b.j));
        hamiltonian.block(b) += 0.5 * (vi.asDiagonal() * s + s * vj.asDiagonal());
    }
}

void add_on_site_potential(BlockMatrix& hamiltonian, const Eigen::VectorXd& u) {
    if (u.size() == 0) return;
    for (const Block& b : hamiltonian.pattern().blocks())
        if (b.on_site()) hamiltonian.block(b).diagonal().array() += u(b.i);
}

}  // namespace stembridge::tb
