// SPDX-License-Identifier: Apache-2.0
// Density matrices without eigenvectors: the recursion of fermi_recursion.hpp on dense matrices of a device.
#pragma once

#include <memory>
#include <optional>

#include "density/cuda/dense_matrices.hpp"
#include "density/cuda/fermi_recursion.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// Fermi filling at Gamma above 20 K, metals too. In single precision where set_accuracy() allows it.
class PurificationSolver final : public DensitySolver {
  public:
    /// Below this there is no recursion, hartree.
    static const double coldest;

    /// @param device must outlive it
    explicit PurificationSolver(Device& device) : device_(device), matrices_(device) {}
    std::string name() const override { return "purification"; }
    void set_context(const Context& context) override { context_ = context; }
    void set_accuracy(double populations) override { accuracy_ = populations; }
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;
    /// @throw UnsupportedError for another filling or below the coldest temperature
    void solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
               Density& out) override;
    void energy_weighted(BlockMatrix& out) override;
    void states_at_fermi_level(double kT, BlockMatrix& out) override;
    State save() const override;
    void restore(const State& state) override;
    const std::map<std::string, double>& seconds() const override { return seconds_; }
    /// Whether it can do this.
    static bool takes(const Electrons& electrons, int n_orbitals);
    /// Bytes on the device. @param n orbitals
    static double bytes(int n, int n_spins);
    /// Operations of one density matrix. @param n orbitals  @param width of the spectrum over kT
    static double work(int n, double width);
    /// Halvings and shifts of the last solve.
    int steps() const { return steps_; }

  private:
    /// Spins that share a Fermi level.
    struct Group {
        std::size_t first_spin = 0, last_spin = 0;
        double number = 0;  ///< electrons
    };
    /// Matrices in one precision.
    template <typename Real>
    struct Work {
        typename FermiRecursion<Real>::Scratch scratch;
        std::vector<DeviceArray<Real>> a;
        std::vector<std::unique_ptr<FermiRecursion<Real>>> fermi;
        void resize(Device& device, int n, std::size_t n_spins);
        void clear() { *this = {}; }
    };
    template <typename Real>
    void fill(Work<Real>& work, const Electrons& electrons, Density& out);
    template <typename Real>
    void load(Work<Real>& work, std::size_t n_spins);
    /// From the hot start to kT. @param settle moves mu at every temperature on the way
    template <typename Real>
    void cool(Work<Real>& work, const Group& group, double mu, double kT, bool settle);
    /// Moves mu until the number of electrons is right. @param most moves  @return kT that it moved
    template <typename Real>
    double settle(Work<Real>& work, const Group& group, double tolerance, int most);
    template <typename Real>
    double electrons_of(const Work<Real>& work, const Group& group) const;
    template <typename Real>
    void find_fermi_level(Work<Real>& work, const Group& group, double kT);
    std::vector<Group> groups(const Electrons& electrons) const;
    template <typename Real>
    void add_density(Work<Real>& work, std::size_t spin, BlockMatrix& out);
    template <typename Real>
    void add_energy_weighted(Work<Real>& work, std::size_t spin, BlockMatrix& out);
    double capacity() const { return 2.0 / static_cast<double>(exact_a_.size()); }

    Device& device_;
    DenseMatrices matrices_;
    const BlockPattern* pattern_ = nullptr;
    Context context_;
    double accuracy_ = 0;
    std::vector<DeviceArray<double>> exact_a_;  ///< L^-1 H L^-T, per spin
    std::vector<SpectralRange> ranges_;
    DeviceArray<double> result_;
    Work<double> work_;
    Work<float> rough_work_;
    bool rough_ = false;
    Electrons electrons_;
    std::vector<double> fermi_levels_;  ///< per spin, of the last solve; empty = not known
    int of_orbitals_ = 0;               ///< that the Fermi levels are of
    int steps_ = 0;
    std::map<std::string, double> seconds_;
};

}  // namespace stembridge::tb
