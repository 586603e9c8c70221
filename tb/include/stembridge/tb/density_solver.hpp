// SPDX-License-Identifier: Apache-2.0
// The one expensive step: from Hamiltonian and overlap to the density matrix.
#pragma once

#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/tb/block_matrix.hpp"
#include "stembridge/tb/kpoints.hpp"
#include "stembridge/tb/occupation.hpp"

namespace stembridge::tb {

/// What a solve gives.
struct Density {
    std::vector<BlockMatrix> matrices;         ///< P on the pattern, one per spin
    std::vector<double> fermi_levels;          ///< hartree, one per spin
    double band_energy = 0;                    ///< Tr P H, hartree
    double ts = 0;                             ///< TS, hartree
    double ts_share_at_zero = 0.5;             ///< energy at zero temperature = free energy + this * TS
    double gap = 0;                            ///< around the Fermi level, hartree
    double energy_error = 0;                   ///< estimate for the method, hartree
    std::vector<Eigen::MatrixXd> eigenvalues;  ///< (n_orbitals, n_kpoints) per spin; empty when not computed
};

/// Eigenstates of one spin near the Fermi level, the same levels at every k-point.
struct NearStates {
    Eigen::MatrixXd energies;             ///< (n_states, n_kpoints), hartree, ascending
    Eigen::MatrixXd occupations;          ///< (n_states, n_kpoints), 0 to 2 without spin, 0 to 1 with spin
    Eigen::MatrixXd real;                 ///< (n_orbitals, n_states), orthonormal in the overlap; at Gamma
    std::vector<Eigen::MatrixXcd> bloch;  ///< the same of every k-point where it is not Gamma alone
};

/// How the populations of one spin answer to potentials on it and to the Fermi level.
struct NearResponse {
    /// dn_a/dv_b at a fixed Fermi level between the shells of atoms that are near each other, (n_shells,
    /// n_shells), symmetric, 1/hartree; what far atoms answer is left out.
    Eigen::SparseMatrix<double> shells;
    Eigen::VectorXd states;  ///< dn_a/dmu, (n_shells), 1/hartree
};

/// Density matrices P = f(H, S) on the pattern of H and S. Order of calls: analyze, set_overlap, solve.
class DensitySolver {
  public:
    virtual ~DensitySolver() = default;
    /// Of the method that made the last density matrix.
    virtual std::string name() const = 0;
    /// Where to log and when to stop in the next calls.
    virtual void set_context(const Context&) {}
    /// Largest error of an orbital's population that is acceptable in the next solves; 0 = as small as
    /// possible.
    virtual void set_accuracy(double) {}
    /// Once per neighbour list. @param pattern must outlive the following calls
    virtual void analyze(const BlockPattern& pattern, const KPoints& kpoints) = 0;
    /// Once per geometry. @throw NumericalError when the overlap is not positive definite
    virtual void set_overlap(const BlockMatrix& overlap) = 0;
    /// @param hamiltonian one per spin  @throw NumericalError when the solver fails, StoppedError on request
    virtual void solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                       Density& out) = 0;
    /// W = sum f e c c^T of the last solve, both spins together.
    virtual void energy_weighted(BlockMatrix& out) = 0;
    /// sum (-df/de) c c^T of the last solve at a higher Fermi temperature, both spins together.
    /// @param kT hartree
    virtual void states_at_fermi_level(double kT, BlockMatrix& out) = 0;
    /// How the populations of the last solve answer at a higher Fermi temperature, one per spin. Empty when
    /// the solver cannot tell, which is what one that does not override this says.
    /// @param kT hartree
    virtual std::vector<NearResponse> near_response(double /*kT*/) { return {}; }
    /// Whether states_near_fermi_level() gives anything.
    virtual bool offers_states() const { return false; }
    /// Eigenstates of the last solve within this distance of the Fermi level, one per spin; empty when the
    /// solver has none, which is what a solver that does not override this says.
    /// @param half_width hartree, at most 0.25
    virtual std::vector<NearStates> states_near_fermi_level(double /*half_width*/) const { return {}; }
    /// What the next solve begins from (Fermi levels of the last one), so that restore() continues to the
    /// same bits. Empty for a solver that begins anew every time.
    virtual State save() const { return {}; }
    /// @param state of save(); an empty one drops what is remembered  @throw FileError when its entries do
    /// not fit together
    virtual void restore(const State& /*state*/) {}
    /// Seconds spent since construction, by part.
    virtual const std::map<std::string, double>& seconds() const = 0;
};

/// @param name "auto" (the one estimated to be fastest, on a GPU where there is one), "dense",
/// "pole-expansion", "cuda" or "elpa" (shared by the processes of mpirun; see helpers.hpp)
/// @param only_gamma for real matrices at Gamma, else for k-points
/// @param memory_limit of the pole expansion, bytes; 0 = three quarters of what is free
/// @throw UnsupportedError for a solver that is not available, InputError for an unknown name
std::unique_ptr<DensitySolver> make_density_solver(const std::string& name, bool only_gamma = true,
                                                   double memory_limit = 0, const DeviceOptions& device = {});

}  // namespace stembridge::tb
