// SPDX-License-Identifier: Apache-2.0
// The density solver on a device: which method, and what when the device fails.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "density/cuda/device.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// How a device makes density matrices.
enum class DeviceMethod { automatic, exact, purification, poles };

/// @throw InputError for an unknown name; the message lists the accepted ones
DeviceMethod device_method_from_name(const std::string& name);

/// Opens a device and proves it against the processor before it is used.
class DeviceSolver final : public DensitySolver {
  public:
    using Open = std::function<std::unique_ptr<Device>()>;
    /// @param choose the user left the choice to the program: small systems, k-points, and everything once
    /// the device has failed, go to the processor. Otherwise what the device cannot do is an error
    /// @param memory_limit of the pole expansion's work on the host, bytes; 0 = three quarters of what is
    /// free
    DeviceSolver(Open open, DeviceMethod method, bool only_gamma, bool choose, double memory_limit);

    std::string name() const override;
    void set_context(const Context& context) override;
    void set_accuracy(double populations) override;
    /// @throw BackendError when the device cannot be used, UnsupportedError for k-points; not with `choose`
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;
    void solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
               Density& out) override;
    void energy_weighted(BlockMatrix& out) override;
    void states_at_fermi_level(double kT, BlockMatrix& out) override;
    std::vector<NearResponse> near_response(double kT) override;
    bool offers_states() const override;
    std::vector<NearStates> states_near_fermi_level(double half_width) const override;
    State save() const override;
    void restore(const State& state) override;
    const std::map<std::string, double>& seconds() const override;

  private:
    void open_device();
    DeviceMethod choose_method();
    std::unique_ptr<DensitySolver> make(DeviceMethod method);
    /// The solver of a method, ready for the present overlap; only one is held at a time.
    DensitySolver& prepared(DeviceMethod method);
    DensitySolver& processor();
    void give_up(const std::string& reason);
    void use_processor_quietly(const std::string& reason);
    bool on_processor() const { return failed_ || left_to_processor_; }
    /// Calls task(solver) with what made the last density matrix, or the processor when that fails.
    template <typename Task>
    auto with_last(const Task& task);

    Open open_;
    DeviceMethod wanted_;
    bool only_gamma_, choose_;
    double memory_limit_;
    Context context_;
    double accuracy_ = 0;
    bool failed_ = false;             ///< the device, once and for all
    bool announced_ = false;          ///< the device, in the log
    bool left_to_processor_ = false;  ///< this pattern
    std::string last_choice_;         ///< that the log names

    std::unique_ptr<Device> device_;  ///< outlives the solvers on it
    const BlockPattern* pattern_ = nullptr;
    KPoints kpoints_;
    BlockMatrix overlap_;
    int estimated_for_ = 0;  ///< orbitals of the pattern that `method_` was chosen for
    DeviceMethod method_ = DeviceMethod::automatic, held_method_ = DeviceMethod::automatic;
    std::unique_ptr<DensitySolver> held_;
    State restored_;  ///< for the first solver that is made
    bool held_analyzed_ = false, held_has_overlap_ = false;
    std::unique_ptr<DensitySolver> processor_;
    bool processor_analyzed_ = false, processor_has_overlap_ = false;
    std::vector<BlockMatrix> hamiltonian_;  ///< of the last solve, for the processor when the device fails
    Electrons electrons_;
    std::map<std::string, double> earlier_seconds_;
    mutable std::map<std::string, double> seconds_;
};

}  // namespace stembridge::tb
