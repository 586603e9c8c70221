// SPDX-License-Identifier: Apache-2.0
// Which atom has which shells and orbitals.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"

namespace stembridge::tb {

/// One-centre data of an element, hartree; arrays by angular momentum.
struct ElementData {
    int atomic_number = 0;
    std::string symbol;
    int n_shells = 0;  ///< shells s, p, d up to the highest one used
    std::array<double, 3> onsite{};
    std::array<double, 3> hubbard{};
    std::array<double, 3> occupation{};  ///< of the neutral atom

    int n_orbitals() const { return n_shells * n_shells; }
    double n_electrons() const { return occupation[0] + occupation[1] + occupation[2]; }
};

/// Numbering of atoms, shells and orbitals of a structure.
class Basis {
  public:
    /// @param elements data of every element that occurs
    Basis(const Structure& structure, const std::vector<ElementData>& elements);

    int n_atoms() const { return static_cast<int>(element_.size()); }
    int n_shells() const { return first_shell_.back(); }
    int n_orbitals() const { return first_orbital_.back(); }
    int first_shell(int atom) const { return first_shell_[static_cast<std::size_t>(atom)]; }
    int n_shells(int atom) const { return first_shell(atom + 1) - first_shell(atom); }
    int first_orbital(int atom) const { return first_orbital_[static_cast<std::size_t>(atom)]; }
    int n_orbitals(int atom) const { return first_orbital(atom + 1) - first_orbital(atom); }
    int shell_of_orbital(int orbital) const { return shell_of_orbital_[static_cast<std::size_t>(orbital)]; }
    int atom_of_shell(int shell) const { return atom_of_shell_[static_cast<std::size_t>(shell)]; }
    int element_index(int atom) const { return element_[static_cast<std::size_t>(atom)]; }
    const ElementData& element(int atom) const {
        return elements_[static_cast<std::size_t>(element_index(atom))];
    }
    const std::vector<ElementData>& elements() const { return elements_; }
    /// Electrons of the neutral atoms, (n_shells).
    const Eigen::VectorXd& neutral_shells() const { return neutral_; }

    /// Sums over the orbitals of each shell. @param orbitals (n_orbitals)
    Eigen::VectorXd shells_from_orbitals(const Eigen::VectorXd& orbitals) const;
    /// Sums over the shells of each atom. @param shells (n_shells)
    Eigen::VectorXd atoms_from_shells(const Eigen::VectorXd& shells) const;

  private:
    std::vector<ElementData> elements_;
    std::vector<int> element_, first_shell_, first_orbital_, shell_of_orbital_, atom_of_shell_;
    Eigen::VectorXd neutral_;
};

/// Where the charges of the self-consistency sit: atoms, or shells.
struct Sites {
    Sites(const Basis& basis, bool shell_resolved);
    int size() const { return static_cast<int>(atom.size()); }

    std::vector<int> atom;           ///< of each site
    std::vector<int> site_of_shell;  ///< (n_shells)
    Eigen::VectorXd hubbard;         ///< hartree; that of the s shell where a site is an atom
    bool shell_resolved;
};

}  // namespace stembridge::tb
