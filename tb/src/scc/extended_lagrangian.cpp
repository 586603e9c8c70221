// SPDX-License-Identifier: Apache-2.0
#include "extended_lagrangian.hpp"

#include <array>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

// K = 5 of the table; six steps must be known.
constexpr double kappa = 1.82, alpha = 0.018;
constexpr std::array<double, 6> c = {-6, 14, -8, -3, 4, -1};
// An atom that moves further than this is not in the same trajectory, bohr.
constexpr double longest_move = 0.6;

}  // namespace

bool ExtendedLagrangian::continues(const Structure& structure) const {
    return std::equal(atomic_numbers_.begin(), atomic_numbers_.end(), structure.atomic_numbers.begin(),
                      structure.atomic_numbers.end()) &&
           (structure.positions - positions_).colwise().norm().maxCoeff() < longest_move;
}

std::optional<Eigen::VectorXd> ExtendedLagrangian::next(const Structure& structure) const {
    if (history_.size() < c.size() || !continues(structure)) return std::nullopt;
    Eigen::VectorXd n = 2 * history_[0] - history_[1] + kappa * correction_;
    for (std::size_t k = 0; k < c.size(); ++k) n += alpha * c[k] * history_[k];
    return n;
}

void ExtendedLagrangian::add(const Structure& structure, const Eigen::VectorXd& n,
                             const Eigen::VectorXd& correction) {
    if (!history_.empty() && (!continues(structure) || history_.front().size() != n.size())) clear();
    atomic_numbers_.assign(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    positions_ = structure.positions;
    history_.push_front(n);
    if (history_.size() > c.size()) history_.pop_back();
    correction_ = correction;
}

void ExtendedLagrangian::add_converged(const Structure& structure, const Eigen::VectorXd& q) {
    // Charges that still move with the atoms are drawn to the self-consistent ones; else those begin anew.
    const std::optional<Eigen::VectorXd> n = next(structure);
    if (n && n->size() == q.size() && (q - *n).cwiseAbs().maxCoeff() < lost)
        add(structure, *n, q - *n);
    else
        add(structure, q, Eigen::VectorXd::Zero(q.size()));
}

State ExtendedLagrangian::save() const {
    State state;
    if (history_.empty()) return state;
    Eigen::MatrixXd history(history_.front().size(), static_cast<Eigen::Index>(history_.size()));
    for (std::size_t k = 0; k < history_.size(); ++k) history.col(static_cast<Eigen::Index>(k)) = history_[k];
    state.put("atomic_numbers", atomic_numbers_);
    state.put("positions", positions_);
    state.put("history", history);
    state.put("correction", correction_);
    return state;
}

void ExtendedLagrangian::restore(const State& state) {
    clear();
    if (!state.has("history")) return;
    atomic_numbers_ = state.get<std::vector<std::int64_t>>("atomic_numbers");
    positions_ = state.matrix("positions", 3);
    const auto& correction = state.get<std::vector<double>>("correction");
    correction_ =
        Eigen::Map<const Eigen::VectorXd>(correction.data(), static_cast<Eigen::Index>(correction.size()));
    const Eigen::MatrixXd history = state.matrix("history", correction_.size());
    if (positions_.cols() != static_cast<Eigen::Index>(atomic_numbers_.size()) ||
        history.cols() > static_cast<Eigen::Index>(c.size()))
        throw FileError("the charges of the dynamics in the checkpoint have the wrong size");
    for (Eigen::Index k = 0; k < history.cols(); ++k) history_.push_back(history.col(k));
}

}  // namespace stembridge::tb
