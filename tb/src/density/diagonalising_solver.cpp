// SPDX-License-Identifier: Apache-2.0
#include "density/diagonalising_solver.hpp"

#include <algorithm>

#include "stembridge/base/timer.hpp"

namespace stembridge::tb {
namespace {

// Eigenvectors up to here above the Fermi level are wanted for the states at and near it, hartree.
constexpr double wanted_above = 0.25;

}  // namespace

std::vector<Eigen::Index> DiagonalisingSolver::keep_states(const std::vector<Eigen::Index>&) {
    std::vector<Eigen::Index> all;
    for (const Eigen::MatrixXd& e : eigenvalues_) all.push_back(e.rows());
    return all;
}

void DiagonalisingSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                                Density& out) {
    Timer timer;
    electrons_ = electrons;
    eigenvalues_ = levels_of(hamiltonian);
    occupations_ = occupy(eigenvalues_, kpoints_.weights, electrons);
    std::vector<Eigen::Index> wanted;
    for (std::size_t s = 0; s < hamiltonian.size(); ++s) {
        const double highest = occupations_.fermi_levels[s] + std::max(wanted_above, 40 * electrons.kT);
        Eigen::Index most = 0;
        for (const auto& e : eigenvalues_[s].colwise())
            most = std::max<Eigen::Index>(most, std::upper_bound(e.begin(), e.end(), highest) - e.begin());
        wanted.push_back(most);
    }
    kept_ = keep_states(wanted);
    seconds_["diagonalisation"] += timer.seconds();

    timer.restart();
    out.matrices.resize(hamiltonian.size());
    for (std::size_t s = 0; s < hamiltonian.size(); ++s) {
        out.matrices[s] = BlockMatrix(*pattern_);
        add_weighted_states(s, occupations_.f[s], out.matrices[s]);
    }
    describe(occupations_, eigenvalues_, out);
    seconds_["density"] += timer.seconds();
}

void DiagonalisingSolver::energy_weighted(BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    for (std::size_t s = 0; s < eigenvalues_.size(); ++s)
        add_weighted_states(s, occupations_.f[s].cwiseProduct(eigenvalues_[s]), out);
    seconds_["density"] += timer.seconds();
}

void DiagonalisingSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    auto slopes = fermi_slopes(eigenvalues_, kpoints_.weights, electrons_, kT);
    for (std::size_t s = 0; s < slopes.size(); ++s) {
        slopes[s].bottomRows(slopes[s].rows() - kept_[s]).setZero();
        add_weighted_states(s, slopes[s], out);
    }
    seconds_["density"] += timer.seconds();
}

std::vector<NearStates> DiagonalisingSolver::states_near_fermi_level(double half_width) const {
    std::vector<NearStates> result;
    for (std::size_t s = 0; s < eigenvalues_.size(); ++s) {
        const Eigen::MatrixXd& e = eigenvalues_[s];
        const LevelRange near_mu = levels_near(e, occupations_.fermi_levels[s], half_width, kept_[s]);
        NearStates near{e.middleRows(near_mu.first, near_mu.size()),
                        occupations_.f[s].middleRows(near_mu.first, near_mu.size()),
                        {},
                        {}};
        copy_states(s, near_mu, near);
        result.push_back(std::move(near));
    }
    return result;
}

}  // namespace stembridge::tb
