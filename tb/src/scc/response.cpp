// SPDX-License-Identifier: Apache-2.0
#include "scc/response.hpp"

#include "stembridge/base/elements.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {

Eigen::MatrixXd bond_response(const Structure& structure, const Sites& sites) {
    // The result depends little on these: bonds reach to 1.2 times the sum of the covalent radii.
    constexpr double reach = 1.2, kappa = 0.8, kappa_hydrogen = 0.6;
    Eigen::MatrixXd k = Eigen::MatrixXd::Zero(sites.size(), sites.size());
    if (sites.shell_resolved) return k;
    double longest = 1;
    for (const int z : structure.atomic_numbers) longest = std::max(longest, 2 * reach * covalent_radius(z));
    const NeighborList pairs(structure, longest);
    for (int i = 0; i < structure.size(); ++i)
        for (const Neighbor& p : pairs.of(i)) {
            const int zi = structure.atomic_numbers[static_cast<std::size_t>(i)];
            const int zj = structure.atomic_numbers[static_cast<std::size_t>(p.j)];
            if (p.j == i || p.distance > reach * (covalent_radius(zi) + covalent_radius(zj))) continue;
            const double strength = zi == 1 || zj == 1 ? kappa_hydrogen : kappa;
            k(i, p.j) += strength;
            k(i, i) -= strength;
        }
    return k;
}

Preconditioner make_preconditioner(const Eigen::MatrixXd& bonds, const Eigen::VectorXd& states,
                                   const Eigen::MatrixXd& gamma) {
    Eigen::MatrixXd chi = bonds;
    const Eigen::VectorXd d = states.cwiseMax(0.0);
    if (d.sum() > 1e-12) {
        chi.diagonal() -= d;
        chi.noalias() += d * d.transpose() / d.sum();
    }
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(gamma.rows(), gamma.cols());
    a.noalias() -= chi * gamma;
    return [lu = Eigen::PartialPivLU<Eigen::MatrixXd>(a)](const Eigen::VectorXd& r) -> Eigen::VectorXd {
        return lu.solve(r);
    };
}

}  // namespace stembridge::tb
