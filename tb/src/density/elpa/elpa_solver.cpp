// SPDX-License-Identifier: Apache-2.0
#include "density/elpa/elpa_solver.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "density/eigenstates.hpp"
#include "density/elpa/elpa.hpp"
#include "density/overlap_error.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/tb/helpers.hpp"

namespace stembridge::tb {
namespace {

// One task at a time, also when several calculators work side by side.
std::mutex one_task;
int n_solvers = 0;

using Lock = std::lock_guard<std::mutex>;

void check_finite(const BlockMatrix& matrix, const char* what) {
    if (std::all_of(matrix.values().begin(), matrix.values().end(),
                    [](double x) { return std::isfinite(x); }))
        return;
    throw NumericalError(
        fmt::format("the {} holds numbers that are not finite: the structure is unphysical", what));
}

BlockPlaces places_of(const BlockPattern& pattern) {
    const Basis& basis = pattern.basis();
    BlockPlaces places;
    places.n_orbitals = basis.n_orbitals();
    for (const Block& b : pattern.blocks())
        places.blocks.push_back({basis.first_orbital(b.i), basis.first_orbital(b.j), basis.n_orbitals(b.i),
                                 basis.n_orbitals(b.j), b.image});
    return places;
}

/// What all processes but the first do.
void help() {
    std::map<int, std::unique_ptr<SharedEigenproblem>> problems;
    for (;;) {
        const Order order = broadcast(Order{});
        SharedEigenproblem* problem = problems[order.solver].get();
        switch (order.task) {
            case Task::create:
                omp_set_num_threads(order.count);
                problems[order.solver] = make_shared_eigenproblem({}, {});
                break;
            case Task::drop:
                problems.erase(order.solver);
                break;
            case Task::set_overlap:
                problem->set_overlap({});
                break;
            case Task::diagonalise: {
                Eigen::MatrixXd levels;
                problem->diagonalise(order.spin, {}, levels);
                break;
            }
            case Task::weigh_states: {
                std::vector<double> values;
                problem->weigh_states(order.spin, {}, values);
                break;
            }
            case Task::collect_states: {
                Eigen::MatrixXcd states;
                problem->collect_states(order.spin, order.kpoint, order.first, order.count, states);
                break;
            }
            case Task::leave:
                return;
        }
    }
}

}  // namespace

std::string why_no_elpa() {
    return {};
}

std::unique_ptr<DensitySolver> make_elpa_solver() {
    return std::make_unique<ElpaSolver>();
}

Helpers::Helpers(const Ranks& ranks) : ranks_(ranks) {
    if (ranks_.is_first()) return;
    try {
        help();
    } catch (const std::exception& e) {
        give_up(e.what());  // the others wait for this one
    }
}

Helpers::~Helpers() {
    if (!ranks_.is_first()) return;
    const Lock lock(one_task);
    broadcast({.task = Task::leave});
}

bool Helpers::were_called() const {
    return n_solvers > 0;
}

ElpaSolver::ElpaSolver() {
    if (!ranks_.is_first())
        throw UnsupportedError("solver \"elpa\" belongs to the first process; the others help it");
    const Lock lock(one_task);
    number_ = n_solvers++;
}

ElpaSolver::~ElpaSolver() {
    const Lock lock(one_task);
    drop();
}

void ElpaSolver::drop() {
    if (!problem_) return;
    broadcast({.task = Task::drop, .solver = number_});
    problem_.reset();
}

void ElpaSolver::analyze(const BlockPattern& pattern, const KPoints& kpoints) {
    pattern_ = &pattern;
    kpoints_ = kpoints;
    const Lock lock(one_task);
    drop();
    BlockPlaces places = places_of(pattern);
    if (!is_large_enough(places.n_orbitals))
        throw UnsupportedError(
            fmt::format("{} processes cannot share matrices of {} orbitals; start fewer, or take "
                        "another solver than \"elpa\"",
                        ranks_.size(), places.n_orbitals));
    broadcast({.task = Task::create, .solver = number_, .count = omp_get_max_threads()});
    problem_ = make_shared_eigenproblem(std::move(places), kpoints);
}

void ElpaSolver::set_overlap(const BlockMatrix& overlap) {
    const Timer timer;
    check_finite(overlap, "overlap");
    const Lock lock(one_task);
    broadcast({.task = Task::set_overlap, .solver = number_});
    if (problem_->set_overlap(overlap.values()) != 0) throw NumericalError(overlap_error(*pattern_));
    seconds_["overlap"] += timer.seconds();
}

std::vector<Eigen::MatrixXd> ElpaSolver::levels_of(const std::vector<BlockMatrix>& hamiltonian) {
    std::vector<Eigen::MatrixXd> levels(hamiltonian.size());
    for (std::size_t s = 0; s < hamiltonian.size(); ++s) {
        check_finite(hamiltonian[s], "Hamiltonian");
        const Lock lock(one_task);
        const auto spin = static_cast<int>(s);
        broadcast({.task = Task::diagonalise, .solver = number_, .spin = spin});
        if (const int code = problem_->diagonalise(spin, hamiltonian[s].values(), levels[s]); code != 0)
            throw NumericalError(fmt::format("the diagonalisation failed in ELPA (code {})", code));
    }
    return levels;
}

void ElpaSolver::copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const {
    for (int k = 0; k < kpoints_.size(); ++k) {
        const Lock lock(one_task);
        const Order order{.task = Task::collect_states,
                          .solver = number_,
                          .spin = static_cast<int>(spin),
                          .kpoint = k,
                          .first = static_cast<int>(levels.first),
                          .count = static_cast<int>(levels.size())};
        broadcast(order);
        Eigen::MatrixXcd states;
        problem_->collect_states(order.spin, order.kpoint, order.first, order.count, states);
        if (kpoints_.only_gamma())
            near.real = states.real();
        else
            near.bloch.push_back(std::move(states));
    }
}

void ElpaSolver::add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) {
    const Lock lock(one_task);
    const auto which = static_cast<int>(spin);
    broadcast({.task = Task::weigh_states, .solver = number_, .spin = which});
    std::vector<double> values;
    problem_->weigh_states(which, weights * kpoints_.weights.asDiagonal(), values);
    for (std::size_t k = 0; k < values.size(); ++k) out.values()[k] += values[k];
}

}  // namespace stembridge::tb
