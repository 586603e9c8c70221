// SPDX-License-Identifier: Apache-2.0
// Relaxation: moves the atoms downhill until the forces on them vanish.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// Which part of the cell relaxes with the atoms.
enum class CellRelaxation {
    none,
    in_plane,  ///< lengths and angle of the first two vectors, which lie in the xy plane
    full
};

/// How to relax. Hartree atomic units.
struct RelaxOptions {
    /// "fire", "lbfgs", or "auto": FIRE until the largest force is below `switch_force`, L-BFGS from there,
    /// and FIRE again should L-BFGS find no way down (noise in the energy).
    std::string method = "auto";
    /// Converged when no atom feels more than this along its free coordinates, hartree/bohr.
    double max_force = 1e-3 * units::electronvolt_per_angstrom;
    /// Largest number of force evaluations.
    int max_steps = 1000;
    /// No atom moves further than this in one step of L-BFGS, nor than half of it in one of FIRE, bohr.
    double max_step_length = 0.3 * units::angstrom;
    /// The cell relaxes too, when asked for: until dE/d(strain) is below max_force times sqrt(n) bond lengths
    /// of 1.4 angstrom. Fixed coordinates then follow the strain, as in VASP.
    CellRelaxation cell = CellRelaxation::none;
    /// Where "auto" goes from FIRE to L-BFGS, hartree/bohr.
    double switch_force = 4.0 * units::electronvolt_per_angstrom;
    /// Pairs (s, y) kept by L-BFGS.
    int memory = 100;
    /// Precondition L-BFGS with springs between neighbours.
    bool precondition = true;
    /// Random out-of-plane displacement of a structure that is perfectly flat, without which it could never
    /// buckle: each z free to move is shifted by at most this, bohr. 0 = leave it flat.
    double flat_perturbation = 0.02 * units::angstrom;
    /// Energy differences per atom below this carry no information, hartree.
    double energy_noise = 1e-9;
};

/// How far a relaxation is, or how it ended.
enum class RelaxStatus {
    running,
    converged,
    out_of_steps,  ///< max_steps evaluations are done
    stalled,       ///< no step lowers the energy any more, but the forces are still too large
    stopped        ///< the stop token of the context was set
};

/// "running", "converged", "out_of_steps", "stalled", "stopped".
std::string to_string(RelaxStatus status);

/// One force evaluation of a relaxation.
struct RelaxStep {
    int step = 0;             ///< force evaluations so far, 1 = the start structure
    std::string method;       ///< "start", "fire" or "lbfgs"
    bool accepted = true;     ///< false: the energy rose, the atoms went back
    double energy = 0;        ///< of the structure tried, hartree
    double energy_zero = 0;   ///< extrapolated to zero electronic temperature, hartree
    double max_force = 0;     ///< largest force on an atom along its free coordinates, hartree/bohr
    double largest_move = 0;  ///< of an atom in this step, bohr
    int self_consistency_steps = 0;
};

/// How a relaxation ended.
struct RelaxResult {
    RelaxStatus status = RelaxStatus::running;
    int steps = 0;           ///< force evaluations
    int fire_steps = 0;      ///< of them by FIRE
    int lbfgs_steps = 0;     ///< of them by L-BFGS
    double max_force = 0;    ///< of the final structure, hartree/bohr
    Evaluation evaluation;   ///< of the final structure
    bool perturbed = false;  ///< the structure was flat and got a random out-of-plane displacement
    /// Of the final cell against the first one, symmetric.
    Eigen::Matrix3d strain = Eigen::Matrix3d::Zero();
};

/// Relaxation of the atoms, and of the cell when asked for, one force evaluation at a time. In a fixed cell
/// fixed coordinates are never written to. A relaxation restored from save() continues to the same bits.
/// @source FIRE: Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); Guenole et al., Comput. Mater. Sci. 175,
/// 109584 (2020)
/// @source L-BFGS: Nocedal, Wright, Numerical Optimization, algorithm 7.4; acceptance below the noise of the
/// energy: Hager, Zhang, SIAM J. Optim. 16, 170 (2005); preconditioner: Packwood et al., J. Chem. Phys. 144,
/// 164109 (2016)
class Relaxation {
  public:
    /// @param calculator must outlive this object  @param context seed of the perturbation, log, stop token
    /// @throw InputError when an option makes no sense, the structure is empty or inconsistent, or the cell
    /// is to relax and does not repeat or the calculator has no stress
    Relaxation(Structure structure, Calculator& calculator, RelaxOptions options, Context context = {});
    ~Relaxation();
    Relaxation(Relaxation&&) noexcept;
    Relaxation& operator=(Relaxation&&) noexcept;

    /// Does one force evaluation and what follows from it; nothing once finished().
    /// Where the self-consistency fails after a step of L-BFGS, two shorter ones are tried.
    /// @throw NumericalError when energy or forces are not finite  @throw ConvergenceError of the calculator;
    /// structure() is then still the last accepted one
    RelaxStep step();
    /// Steps until finished() or until the stop token is set; the observer sees every step.
    RelaxResult run(const std::function<void(const RelaxStep&)>& observer = {});

    bool finished() const;
    RelaxStatus status() const;
    /// The last accepted structure: energies never belong to a step that was taken back.
    const Structure& structure() const;
    /// Status and counts so far, with the evaluation of structure().
    RelaxResult result() const;

    /// Everything needed to continue, the calculator's memory included.
    State save() const;
    /// @throw FileError when the state belongs to another structure
    void restore(const State& state);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// Relaxes a structure in place; it is up to date whenever the observer is called.
RelaxResult relax(Structure& structure, Calculator& calculator, const RelaxOptions& options,
                  const std::function<void(const RelaxStep&)>& observer = {}, const Context& context = {});

/// Largest norm of the force on an atom, counting only coordinates that are not fixed, hartree/bohr.
double max_free_force(const Structure& structure, const Eigen::Matrix3Xd& forces);

}  // namespace stembridge::md
