// SPDX-License-Identifier: Apache-2.0
#include "scc/prediction.hpp"

#include <algorithm>

namespace stembridge::tb {
namespace {

constexpr std::size_t depth = 4;
constexpr double far = 1.0;         // bohr: an atom that moved further makes the earlier charges worthless
constexpr double standing = 1e-9;   // bohr: less is the same geometry again
constexpr double most_weight = 20;  // of all earlier charges: a cubic through four points has 11
constexpr double ridge = 1e-10;     // on the unit diagonal of the normal equations

double largest_move(const Eigen::Matrix3Xd& a, const Eigen::Matrix3Xd& b) {
    return (a - b).colwise().norm().maxCoeff();
}

}  // namespace

bool ChargeHistory::is_of(const Structure& structure) const {
    const auto& z = structure.atomic_numbers;
    return !entries_.empty() &&
           std::equal(z.begin(), z.end(), atomic_numbers_.begin(), atomic_numbers_.end());
}

void ChargeHistory::add(const Structure& structure, const Charges& charges, bool converged) {
    if (!is_of(structure) || !converged || largest_move(structure.positions, entries_[0].positions) > far)
        clear();
    if (!entries_.empty() && largest_move(structure.positions, entries_[0].positions) < standing)
        entries_.erase(entries_.begin());
    atomic_numbers_.assign(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    entries_.insert(entries_.begin(), {structure.positions, charges});
    if (entries_.size() > depth) entries_.pop_back();
}

std::optional<Charges> ChargeHistory::predict(const Structure& structure, bool extrapolate) const {
    if (!is_of(structure)) return std::nullopt;
    const Entry& last = entries_[0];
    const auto m = static_cast<Eigen::Index>(entries_.size()) - 1;
    if (!extrapolate || m == 0 || largest_move(structure.positions, last.positions) > far)
        return last.charges;
    Eigen::MatrixXd moves(structure.positions.size(), m);
    for (Eigen::Index j = 0; j < m; ++j)
        moves.col(j) = (entries_[static_cast<std::size_t>(j) + 1].positions - last.positions).reshaped();
    const Eigen::VectorXd lengths = moves.colwise().norm();
    moves *= lengths.cwiseInverse().asDiagonal();
    // Normal equations of R - R_1 = sum_j c_j (R_j - R_1)
    Eigen::MatrixXd normal = moves.transpose() * moves;
    normal.diagonal().array() += ridge;
    const Eigen::VectorXd c =
        normal.ldlt()
            .solve(moves.transpose() * (structure.positions - last.positions).reshaped())
            .cwiseQuotient(lengths);
    if (!c.allFinite() || c.cwiseAbs().sum() > most_weight) return last.charges;
    Charges q = last.charges;
    for (Eigen::Index j = 0; j < m; ++j) {
        const Charges& earlier = entries_[static_cast<std::size_t>(j) + 1].charges;
        q.electrons += c(j) * (earlier.electrons - last.charges.electrons);
        q.spin += c(j) * (earlier.spin - last.charges.spin);
        q.on_site += c(j) * (earlier.on_site - last.charges.on_site);
    }
    return q;
}

State ChargeHistory::save() const {
    State state;
    if (entries_.empty()) return state;
    const auto put = [&](const std::string& name, const auto& vector_of) {
        Eigen::MatrixXd columns(vector_of(entries_[0]).size(), entries_.size());
        for (std::size_t k = 0; k < entries_.size(); ++k)
            columns.col(static_cast<Eigen::Index>(k)) = vector_of(entries_[k]);
        state.put(name, columns);
    };
    state.put("atomic_numbers", atomic_numbers_);
    state.put("geometries", static_cast<std::int64_t>(entries_.size()));
    put("positions", [](const Entry& e) { return Eigen::VectorXd(e.positions.reshaped()); });
    put("electrons", [](const Entry& e) { return e.charges.electrons; });
    put("spin", [](const Entry& e) { return e.charges.spin; });
    put("on_site", [](const Entry& e) { return e.charges.on_site; });
    return state;
}

void ChargeHistory::restore(const State& state) {
    clear();
    if (!state.has("geometries")) return;
    const auto n = state.integer("geometries");
    auto atoms = state.get<std::vector<std::int64_t>>("atomic_numbers");
    const auto columns = [&](const std::string& name) -> Eigen::MatrixXd {
        const auto& v = state.get<std::vector<double>>(name);
        if (n < 1 || static_cast<std::int64_t>(v.size()) % n != 0)
            throw FileError("checkpoint entry '" + name + "' has the wrong size");
        return Eigen::Map<const Eigen::MatrixXd>(v.data(), static_cast<Eigen::Index>(v.size()) / n, n);
    };
    const Eigen::MatrixXd positions = columns("positions"), electrons = columns("electrons"),
                          spin = columns("spin"), on_site = columns("on_site");
    if (positions.rows() != 3 * static_cast<Eigen::Index>(atoms.size()))
        throw FileError("checkpoint entry 'positions' does not fit to 'atomic_numbers'");
    atomic_numbers_ = std::move(atoms);
    for (Eigen::Index k = 0; k < n; ++k)
        entries_.push_back({positions.col(k).reshaped(3, positions.rows() / 3),
                            {electrons.col(k), spin.col(k), on_site.col(k)}});
}

}  // namespace stembridge::tb
