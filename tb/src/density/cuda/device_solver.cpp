// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/device_solver.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "density/cuda/device_poles.hpp"
#include "density/cuda/device_tests.hpp"
#include "density/cuda/exact_solver.hpp"
#include "density/cuda/purification_solver.hpp"
#include "density/pole_expansion/pole_expansion.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {
namespace {

// Below this many orbitals a processor is done before a device has begun.
constexpr int few_orbitals = 1000;
// Up to here diagonalisation on the device takes less than a tenth of a second.
constexpr int exact_orbitals = 1500;

const char* name_of(DeviceMethod method) {
    switch (method) {
        case DeviceMethod::exact:
            return "exact";
        case DeviceMethod::purification:
            return "purification";
        case DeviceMethod::poles:
            return "pole-expansion";
        case DeviceMethod::automatic:
            return "auto";
    }
    return "auto";
}

}  // namespace

DeviceMethod device_method_from_name(const std::string& name) {
    for (const DeviceMethod method :
         {DeviceMethod::automatic, DeviceMethod::exact, DeviceMethod::purification, DeviceMethod::poles})
        if (name == name_of(method)) return method;
    throw InputError(
        fmt::format("unknown device method \"{}\"; accepted are \"auto\", \"exact\", \"purification\", "
                    "\"pole-expansion\"",
                    name));
}

DeviceSolver::DeviceSolver(Open open, DeviceMethod method, bool only_gamma, bool choose, double memory_limit)
    : open_(std::move(open)),
      wanted_(method),
      only_gamma_(only_gamma),
      choose_(choose),
      memory_limit_(memory_limit) {
    if (choose_) return;
    try {
        open_device();
    } catch (const BackendError& failure) {
        give_up(failure.what());
    }
}

void DeviceSolver::open_device() {
    device_ = open_();
    prove(*device_);
}

std::string DeviceSolver::name() const {
    if (on_processor()) return processor_ ? processor_->name() : "auto";
    return held_ ? device_->kind() + "-" + held_->name() : "cuda";
}

void DeviceSolver::set_context(const Context& context) {
    context_ = context;
    if (held_) held_->set_context(context);
    if (processor_) processor_->set_context(context);
}

void DeviceSolver::set_accuracy(double populations) {
    accuracy_ = populations;
    if (held_) held_->set_accuracy(populations);
    if (processor_) processor_->set_accuracy(populations);
}

void DeviceSolver::analyze(const BlockPattern& pattern, const KPoints& kpoints) {
    pattern_ = &pattern;
    kpoints_ = kpoints;
    overlap_ = BlockMatrix();
    held_analyzed_ = held_has_overlap_ = processor_analyzed_ = processor_has_overlap_ = false;
    left_to_processor_ = false;
    if (!only_gamma_ && !choose_)
        throw UnsupportedError(
            "the solver \"cuda\" is for the Gamma point only; use \"auto\" or \"dense\" with k-points");
    const int n = pattern.basis().n_orbitals();
    if (choose_ && !only_gamma_) return use_processor_quietly("devices are for the Gamma point only");
    if (choose_ && n < few_orbitals) return use_processor_quietly(fmt::format("{} orbitals are few", n));
    if (failed_) return;
    try {
        if (!device_) open_device();
        if (!announced_) {
            announced_ = true;
            context_.info(fmt::format("density matrices on {}: proved against the processor, {:.1f} GiB free",
                                      device_->name(),
                                      static_cast<double>(device_->free_memory()) / (1 << 30)));
        }
        if (estimated_for_ != n) {
            method_ = wanted_ == DeviceMethod::automatic ? choose_method() : wanted_;
            estimated_for_ = n;
        }
    } catch (const BackendError& failure) {
        give_up(failure.what());
    }
}

void DeviceSolver::set_overlap(const BlockMatrix& overlap) {
    overlap_ = overlap;
    held_has_overlap_ = processor_has_overlap_ = false;
    if (!on_processor()) try {
            prepared(method_);
            return;
        } catch (const BackendError& failure) {
            give_up(failure.what());
        }
    processor();
}

void DeviceSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                         Density& out) {
    if (!on_processor()) try {
            DeviceMethod method = method_;
            const int n = pattern_->basis().n_orbitals();
            if (method != DeviceMethod::exact && !PurificationSolver::takes(electrons, n)) {
                method = DeviceMethod::exact;
                if (last_choice_ != "not taken")
                    context_.info(fmt::format(
                        "density matrices on the device by diagonalisation: {} needs the Fermi filling above "
                        "{:.0f} K",
                        name_of(method_), PurificationSolver::coldest / units::kelvin));
                last_choice_ = "not taken";
            }
            prepared(method).solve(hamiltonian, electrons, out);
            if (choose_) {
                hamiltonian_ = hamiltonian;
                electrons_ = electrons;
            }
            return;
        } catch (const BackendError& failure) {
            give_up(failure.what());
        }
    processor().solve(hamiltonian, electrons, out);
}

DeviceMethod DeviceSolver::choose_method() {
    const int n = pattern_->basis().n_orbitals();
    if (n < exact_orbitals) return DeviceMethod::exact;
    // Eigensolvers reach a few percent of the speed of products; levels of small fronts wait for each other.
    constexpr double eigensolver_efficiency = 0.04, fronts_efficiency = 0.15, seconds_of_tree = 0.03;
    constexpr double usual_width = 60 * units::electronvolt / (300 * units::kelvin);
    const Symbolic symbolic(*pattern_);
    const double room = static_cast<double>(device_->free_memory());
    struct Estimate {
        DeviceMethod method;
        double seconds, bytes;
    };
    const double pole_values = 24.0 * static_cast<double>(pattern_->n_values());
    const Estimate estimates[] = {
        {DeviceMethod::exact, device_->expected_seconds(10 * std::pow(n, 3)) / eigensolver_efficiency,
         ExactSolver::bytes(n, 1)},
        {DeviceMethod::purification, device_->expected_seconds(PurificationSolver::work(n, usual_width)),
         PurificationSolver::bytes(n, 1)},
        {DeviceMethod::poles,
         device_->expected_seconds(24 * symbolic.work * 8 * 2) / fronts_efficiency + seconds_of_tree,
         16 * (pole_values + 2.0 * static_cast<double>(symbolic.n_factor_values))}};
    const Estimate* best = nullptr;
    for (const Estimate& e : estimates)
        if (e.bytes < 0.9 * room && (best == nullptr || e.seconds < best->seconds)) best = &e;
    if (best == nullptr)
        throw BackendError(
            fmt::format("{} orbitals need more device memory than the {:.2f} GiB that are free on {}", n,
                        room / (1 << 30), device_->name()));
    const std::string choice = fmt::format(
        "density matrices on the device by {}: {} orbitals, an estimated {:.2g} s exactly, {:.2g} s by "
        "purification, {:.2g} s by poles",
        name_of(best->method), n, estimates[0].seconds, estimates[1].seconds, estimates[2].seconds);
    if (choice != last_choice_) context_.info(choice);
    last_choice_ = choice;
    return best->method;
}

std::unique_ptr<DensitySolver> DeviceSolver::make(DeviceMethod method) {
    Device& device = *device_;
    switch (method) {
        case DeviceMethod::purification:
            return std::make_unique<PurificationSolver>(device);
        case DeviceMethod::poles:
            return std::make_unique<PoleExpansionSolver>(
                true, false, memory_limit_, std::make_unique<DevicePoles>(device),
                [&device] { return std::make_unique<ExactSolver>(device); });
        case DeviceMethod::exact:
        case DeviceMethod::automatic:
            break;
    }
    return std::make_unique<ExactSolver>(device);
}

DensitySolver& DeviceSolver::prepared(DeviceMethod method) {
    if (!held_ || held_method_ != method) {
        if (held_)
            for (const auto& [part, time] : held_->seconds()) earlier_seconds_[part] += time;
        held_.reset();
        held_ = make(method);
        held_method_ = method;
        held_analyzed_ = held_has_overlap_ = false;
        held_->set_context(context_);
        held_->set_accuracy(accuracy_);
        held_->restore(std::exchange(restored_, {}));
    }
    if (!held_analyzed_) {
        held_->analyze(*pattern_, kpoints_);
        held_analyzed_ = true;
    }
    if (!held_has_overlap_) {
        held_->set_overlap(overlap_);
        held_has_overlap_ = true;
    }
    return *held_;
}

DensitySolver& DeviceSolver::processor() {
    if (!processor_) {
        processor_ = std::make_unique<PoleExpansionSolver>(only_gamma_, true, memory_limit_);
        processor_->set_context(context_);
        processor_->set_accuracy(accuracy_);
        processor_->restore(std::exchange(restored_, {}));
    }
    if (!processor_analyzed_) {
        processor_->analyze(*pattern_, kpoints_);
        processor_analyzed_ = true;
    }
    if (!processor_has_overlap_ && !overlap_.values().empty()) {
        processor_->set_overlap(overlap_);
        processor_has_overlap_ = true;
    }
    return *processor_;
}

void DeviceSolver::give_up(const std::string& reason) {
    if (!choose_)
        throw BackendError(reason + "; the solver was asked for by name, \"auto\" would go to the processor");
    failed_ = true;
    held_.reset();
    device_.reset();
    context_.warning("density matrices on the processor: " + reason);
    processor();
}

void DeviceSolver::use_processor_quietly(const std::string& reason) {
    left_to_processor_ = true;
    if (last_choice_ != reason) context_.debug("density matrices on the processor: " + reason);
    last_choice_ = reason;
    processor();
}

template <typename Task>
auto DeviceSolver::with_last(const Task& task) {
    if (!on_processor()) try {
            return task(*held_);
        } catch (const BackendError& failure) {
            give_up(failure.what());
            Density again;
            processor().solve(hamiltonian_, electrons_, again);
        }
    return task(processor());
}

void DeviceSolver::energy_weighted(BlockMatrix& out) {
    with_last([&](DensitySolver& solver) { solver.energy_weighted(out); });
}

void DeviceSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    with_last([&](DensitySolver& solver) { solver.states_at_fermi_level(kT, out); });
}

std::vector<NearResponse> DeviceSolver::near_response(double kT) {
    return with_last([&](DensitySolver& solver) { return solver.near_response(kT); });
}

bool DeviceSolver::offers_states() const {
    if (on_processor()) return processor_ && processor_->offers_states();
    return held_ ? held_->offers_states() : method_ == DeviceMethod::exact;
}

std::vector<NearStates> DeviceSolver::states_near_fermi_level(double half_width) const {
    if (on_processor())
        return processor_ ? processor_->states_near_fermi_level(half_width) : std::vector<NearStates>();
    return held_ ? held_->states_near_fermi_level(half_width) : std::vector<NearStates>();
}

State DeviceSolver::save() const {
    const DensitySolver* last = on_processor() ? processor_.get() : held_.get();
    return last != nullptr ? last->save() : restored_;
}

void DeviceSolver::restore(const State& state) {
    if (held_) held_->restore(state);
    if (processor_) processor_->restore(state);
    restored_ = held_ || processor_ ? State() : state;
}

const std::map<std::string, double>& DeviceSolver::seconds() const {
    seconds_ = earlier_seconds_;
    for (const auto* solver : {held_.get(), processor_.get()})
        if (solver != nullptr)
            for (const auto& [part, time] : solver->seconds()) seconds_[part] += time;
    return seconds_;
}

}  // namespace stembridge::tb
