// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/basis.hpp"

#include <algorithm>
#include <stdexcept>

namespace stembridge::tb {

Basis::Basis(const Structure& structure, const std::vector<ElementData>& elements) : elements_(elements) {
    first_shell_.push_back(0);
    first_orbital_.push_back(0);
    std::vector<double> neutral;
    for (int atom = 0; atom < structure.size(); ++atom) {
        const int z = structure.atomic_numbers[static_cast<std::size_t>(atom)];
        const auto found = std::find_if(elements_.begin(), elements_.end(),
                                        [&](const ElementData& e) { return e.atomic_number == z; });
        if (found == elements_.end()) throw std::logic_error("Basis: element without data");
        element_.push_back(static_cast<int>(found - elements_.begin()));
        for (int l = 0; l < found->n_shells; ++l) {
            shell_of_orbital_.insert(shell_of_orbital_.end(), static_cast<std::size_t>(2 * l + 1),
                                     static_cast<int>(atom_of_shell_.size()));
            atom_of_shell_.push_back(atom);
            neutral.push_back(found->occupation[static_cast<std::size_t>(l)]);
        }
        first_shell_.push_back(static_cast<int>(atom_of_shell_.size()));
        first_orbital_.push_back(static_cast<int>(shell_of_orbital_.size()));
    }
    neutral_ = Eigen::Map<const Eigen::VectorXd>(neutral.data(), static_cast<Eigen::Index>(neutral.size()));
}

Eigen::VectorXd Basis::shells_from_orbitals(const Eigen::VectorXd& orbitals) const {
    Eigen::VectorXd shells = Eigen::VectorXd::Zero(n_shells());
    for (int mu = 0; mu < n_orbitals(); ++mu) shells(shell_of_orbital(mu)) += orbitals(mu);
    return shells;
}

Eigen::VectorXd Basis::atoms_from_shells(const Eigen::VectorXd& shells) const {
    Eigen::VectorXd atoms = Eigen::VectorXd::Zero(n_atoms());
    for (int s = 0; s < n_shells(); ++s) atoms(atom_of_shell(s)) += shells(s);
    return atoms;
}

Sites::Sites(const Basis& basis, bool resolved) : shell_resolved(resolved) {
    std::vector<double> u;
    for (int i = 0; i < basis.n_atoms(); ++i)
        for (int l = 0; l < basis.n_shells(i); ++l) {
            if (resolved || l == 0) {
                atom.push_back(i);
                u.push_back(basis.element(i).hubbard[static_cast<std::size_t>(l)]);
            }
            site_of_shell.push_back(size() - 1);
        }
    hubbard = Eigen::Map<const Eigen::VectorXd>(u.data(), static_cast<Eigen::Index>(u.size()));
}

}  // namespace stembridge::tb
