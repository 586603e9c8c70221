// SPDX-License-Identifier: Apache-2.0
// Density matrices of large sheets: poles of the Fermi function, each a sparse inverse on the pattern.
#pragma once

#include <complex>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "density/pole_expansion/bloch_multifrontal.hpp"
#include "density/pole_expansion/fermi_level.hpp"
#include "density/pole_expansion/multifrontal.hpp"
#include "density/pole_expansion/pole_inverses.hpp"
#include "density/pole_expansion/poles.hpp"
#include "density/pole_expansion/symbolic.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// Exact at any electronic temperature above 20 K, for metals too; time grows as N^1.5 for a sheet. One set
/// of factorisations gives P, W and the entropy for every Fermi level within 2 kT of the one it was made for.
/// What it cannot do (other fillings, a cold step) and what fails its checks is done by full
/// diagonalisation, and the log says so.
/// @source Goedecker, Rev. Mod. Phys. 71, 1085 (1999); Lin, Lu, Ying, Car, E, Commun. Math. Sci. 7, 755
/// (2009)
class PoleExpansionSolver final : public DensitySolver {
  public:
    /// @param choose take diagonalisation where it is estimated to be faster
    /// @param memory_limit bytes; 0 = three quarters of what is free
    /// @param elsewhere where the inverses are made; empty = here, by the processor
    /// @param make_dense the solver for what poles cannot do; empty = LAPACK's diagonalisation
    PoleExpansionSolver(bool only_gamma, bool choose, double memory_limit,
                        std::unique_ptr<PoleInverses> elsewhere = nullptr,
                        std::function<std::unique_ptr<DensitySolver>()> make_dense = nullptr);

    std::string name() const override;
    void set_context(const Context& context) override;
    void set_accuracy(double populations) override;
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;
    void solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
               Density& out) override;
    void energy_weighted(BlockMatrix& out) override;
    void states_at_fermi_level(double kT, BlockMatrix& out) override;
    std::vector<NearResponse> near_response(double kT) override;
    /// When the pattern is left to diagonalisation.
    bool offers_states() const override {
        return dense_ && !dense_reason_.empty() && dense_->offers_states();
    }
    std::vector<NearStates> states_near_fermi_level(double half_width) const override;
    State save() const override;
    void restore(const State& state) override;
    const std::map<std::string, double>& seconds() const override;

  private:
    using Complex = std::complex<double>;
    /// Spins that share a Fermi level.
    struct Group {
        std::size_t first_spin = 0, last_spin = 0;
        double number = 0;  ///< electrons
        double centre = 0;  ///< Fermi level for which the poles were factorised, hartree
        double shift = 0;   ///< of the Fermi level from there, kT
        double gap = 0;     ///< hartree, when it was last looked at
        double moved = std::numeric_limits<double>::infinity();  ///< by the last solve, kT
        const PoleExpansion* poles = nullptr;
    };
    /// G_j on the pattern for all poles of one spin, and traces with S and H.
    struct Inverses {
        std::vector<std::vector<std::complex<double>>> g;
        Eigen::VectorXcd with_overlap, with_hamiltonian;
    };

    void use_dense(const std::string& reason, bool warn);
    DensitySolver& dense();
    void expand(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons, Density& out);
    bool rough() const;
    const PoleExpansion& poles_reaching(bool far);
    std::vector<bool> in_single_precision(const PoleExpansion& poles) const;
    void guard_window(const std::vector<BlockMatrix>& hamiltonian, const Group& group);
    std::vector<double> count_levels(const std::vector<BlockMatrix>& hamiltonian, const Group& group,
                                     const std::vector<double>& energies);
    FrontierLevels look_for_levels(const std::vector<BlockMatrix>& hamiltonian, const Group& group,
                                   double start);
    void find_fermi_level(const std::vector<BlockMatrix>& hamiltonian, Group& group);
    void factorise(const std::vector<BlockMatrix>& hamiltonian, const Group& group);
    template <typename Real>
    void invert_at(Multifrontal<std::complex<Real>>& worker, std::size_t spin, std::size_t pole,
                   const BlockMatrix& hamiltonian, const Group& group);
    void factorise_at_kpoints(const std::vector<BlockMatrix>& hamiltonian, const Group& group);
    void keep(std::size_t spin, std::size_t pole, Complex z, double allowed, const BlockMatrix& hamiltonian,
              bool single);
    void factorise_elsewhere(const std::vector<BlockMatrix>& hamiltonian, const Group& group);
    void check_inverse(std::size_t spin, std::size_t pole, Complex z, double allowed) const;
    int workers_that_fit(std::size_t bytes_each) const;
    int bloch_workers();
    double electrons_at(const Group& group, const Eigen::VectorXcd& weights) const;
    double warm_shift(const Group& group, double kT) const;
    void add_sum(std::size_t spin, const Eigen::VectorXcd& weights, BlockMatrix& out) const;
    bool at_kpoints() const { return !only_gamma_ && !kpoints_.only_gamma(); }
    /// With k-points the processor does it.
    bool made_elsewhere() const { return elsewhere_ && !at_kpoints(); }
    double capacity() const { return 2.0 / static_cast<double>(inverses_.size()); }

    bool only_gamma_, choose_;
    bool small_ = false;  ///< so small that the choice needs no word
    double memory_limit_;
    double accuracy_ = 0;
    Context context_;

    const BlockPattern* pattern_ = nullptr;
    std::vector<std::array<int, 3>> analyzed_;  ///< pairs and sizes of the pattern that `symbolic_` is of
    std::unique_ptr<Symbolic> symbolic_;
    std::string dense_reason_;  ///< why this pattern is left to diagonalisation; empty = it is not
    std::string last_choice_;   ///< that the log names
    BlockMatrix overlap_;

    std::map<std::pair<bool, int>, PoleExpansion> poles_;  ///< by reach and number
    double poles_kT_ = 0, poles_below_ = 0, window_below_;
    bool window_checked_ = false;
    Electrons electrons_;
    std::vector<Group> groups_;
    int of_orbitals_ = 0, of_spins_ = 0;  ///< what the Fermi levels of the groups are of; 0 = not known
    std::vector<Inverses> inverses_;
    std::vector<std::unique_ptr<Multifrontal<std::complex<double>>>> workers_;
    std::vector<std::unique_ptr<Multifrontal<std::complex<float>>>> single_workers_;
    std::vector<std::unique_ptr<Multifrontal<double>>> counters_;
    std::vector<std::unique_ptr<BlochMultifrontal>> bloch_workers_;  ///< with k-points, for all of these

    std::unique_ptr<PoleInverses> elsewhere_;
    std::function<std::unique_ptr<DensitySolver>()> make_dense_;
    std::unique_ptr<DensitySolver> dense_;
    bool dense_has_overlap_ = false, dense_did_last_ = false;
    KPoints kpoints_;
    std::map<std::string, double> seconds_;
    mutable std::map<std::string, double> all_seconds_;
};

}  // namespace stembridge::tb
