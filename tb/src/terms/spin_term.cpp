// SPDX-License-Identifier: Apache-2.0
#include "terms/spin_term.hpp"

#include <fmt/format.h>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

void SpinTerm::update(const Structure&, const Basis& basis, const Sites&) {
    of_atom_.clear();
    first_shell_.clear();
    for (int i = 0; i < basis.n_atoms(); ++i) {
        const ElementData& element = basis.element(i);
        const auto found = constants_.find(element.atomic_number);
        if (found == constants_.end() || found->second.rows() < element.n_shells ||
            found->second.cols() < element.n_shells)
            throw InputError(
                fmt::format("spin constants of {}: {} shells needed in calculator.spin.constants (or in "
                            "spinw.txt of a parameter folder)",
                            element.symbol, element.n_shells));
        of_atom_.push_back(&found->second);
        first_shell_.push_back(basis.first_shell(i));
    }
    first_shell_.push_back(basis.n_shells());
}

Eigen::VectorXd SpinTerm::potential_of(const Eigen::VectorXd& spin) const {
    Eigen::VectorXd v(spin.size());
    for (std::size_t i = 0; i < of_atom_.size(); ++i) {
        const int first = first_shell_[i], n = first_shell_[i + 1] - first;
        v.segment(first, n) = of_atom_[i]->topLeftCorner(n, n) * spin.segment(first, n);
    }
    return v;
}

double SpinTerm::energy(const Charges& charges) const {
    return 0.5 * charges.spin.dot(potential_of(charges.spin));
}

void SpinTerm::add_potential(const Charges& charges, Charges& potential) const {
    potential.spin += potential_of(charges.spin);
}

Eigen::SparseMatrix<double> SpinTerm::matrix() const {
    std::vector<Eigen::Triplet<double>> entries;
    for (std::size_t i = 0; i < of_atom_.size(); ++i)
        for (int a = first_shell_[i]; a < first_shell_[i + 1]; ++a)
            for (int b = first_shell_[i]; b < first_shell_[i + 1]; ++b)
                entries.emplace_back(a, b, (*of_atom_[i])(a - first_shell_[i], b - first_shell_[i]));
    Eigen::SparseMatrix<double> w(first_shell_.back(), first_shell_.back());
    w.setFromTriplets(entries.begin(), entries.end());
    return w;
}

}  // namespace stembridge::tb
