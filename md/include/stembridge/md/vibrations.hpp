// SPDX-License-Identifier: Apache-2.0
// Second derivatives of the energy: Hessian, vibrational frequencies, normal modes, Gamma phonons.
#pragma once

#include <Eigen/Dense>
#include <functional>
#include <memory>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// Makes calculators that are alike; called once per worker.
using CalculatorFactory = std::function<std::unique_ptr<Calculator>()>;

/// What an atom is moved by unless told otherwise, bohr. The differences are off by d^2 / 6 times a fourth
/// derivative and by the noise of the forces over 2 d. Of benzene (mio-1-1, charges to 1e-9 e) the largest
/// error of a frequency is 1.6 cm^-1 at 0.01 angstrom, 0.5 at 0.005, 0.1 at 0.0025, where noise takes over;
/// tables that are less smooth than that one are better off with the larger ones.
inline constexpr double default_displacement = 0.005 * units::angstrom;

/// Hessian of a structure by central differences of the forces, atom by atom:
///   H_ij = -(F_j(x_i + d) - F_j(x_i - d)) / 2d
/// Fixed coordinates are left out. Every evaluation starts from what the calculator remembers of the
/// undisplaced structure, so that no atom depends on the ones before it: a calculation restored from save()
/// continues to the same bits, and several displacements can be evaluated at once. Where a displaced
/// structure needs a higher electronic temperature, the calculation begins anew with it: evaluation() tells
/// which it was.
class HessianCalculation {
  public:
    /// @param calculator must outlive this object  @param displacement d, bohr  @param context log, stop
    /// token
    /// @throw InputError when the displacement is not positive, the structure is empty or inconsistent, or
    /// nothing can move
    HessianCalculation(Structure structure, Calculator& calculator,
                       double displacement = default_displacement, Context context = {});
    /// Evaluates as many displacements at once as there are workers, each with a calculator of its own.
    /// @param workers at least 1; the calculators should share the processors  @throw InputError as above
    HessianCalculation(Structure structure, const CalculatorFactory& make_calculator, int workers,
                       double displacement = default_displacement, Context context = {});
    ~HessianCalculation();
    HessianCalculation(HessianCalculation&&) noexcept;
    HessianCalculation& operator=(HessianCalculation&&) noexcept;

    /// Displaces the next atom along each of its free axes, or as many atoms as keep the workers busy; the
    /// first step evaluates the undisplaced structure before that. Does nothing once finished().
    /// @throw NumericalError when forces are not finite  @throw ConvergenceError of the calculator; the atoms
    /// of earlier steps are kept
    void step();
    /// Steps until finished() or until the stop token is set; the observer is called after every step.
    /// @return false when stopped
    bool run(const std::function<void()>& observer = {});

    bool finished() const { return atoms_done() == n_atoms(); }
    /// Atoms with a free coordinate: those displaced so far, and in all.
    int atoms_done() const;
    int n_atoms() const;
    /// Energy, forces, charges of the undisplaced structure; empty before the first step().
    const Evaluation& evaluation() const;
    const Structure& structure() const;

    /// Symmetric part, (n_free, n_free), hartree/bohr^2; free coordinates in the order x, y, z of atom 0,
    /// x, y, z of atom 1, ... @throw std::logic_error before finished()
    Eigen::MatrixXd hessian() const;
    /// Largest |H_ij - H_ji|, hartree/bohr^2: the error of the differences and of the self-consistency.
    /// @throw std::logic_error before finished()
    double asymmetry() const;
    /// Derivative of the dipole moment sum_a q_a r_a by the free coordinates, (3, n_free), e; empty for a
    /// periodic structure and for a calculator without charges. @throw std::logic_error before finished()
    Eigen::Matrix3Xd dipole_gradient() const;

    /// Everything needed to continue.
    State save() const;
    /// @throw FileError when the state belongs to another structure or displacement
    void restore(const State& state);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// How normal modes are computed from a Hessian.
struct ModeOptions {
    /// Takes out the motions that cost no energy: translations and, of a cluster, rotations, as far as they
    /// leave every fixed coordinate alone. To be switched off in an external field.
    bool project = true;
    /// Masses of the atoms, (n), electron masses; empty = standard atomic masses.
    Eigen::VectorXd masses;
};

/// Vibrations of a structure. Hartree atomic units; column k of every array is mode k.
struct NormalModes {
    Eigen::VectorXd frequencies;    ///< hbar omega, hartree, ascending; imaginary ones as negative numbers
    Eigen::MatrixXd displacements;  ///< (3 n_atoms, modes), unit norm, rows x, y, z of atom 0, of atom 1, ...
    Eigen::VectorXd reduced_masses;  ///< electron masses: mass-weighted norm^2 of the displacements
    int rigid_motions = 0;           ///< translations and rotations taken out
    Eigen::VectorXd unprojected;   ///< hbar omega of the whole Hessian, nothing taken out, ascending, hartree
    double zero_point_energy = 0;  ///< sum of hbar omega / 2 over the real frequencies, hartree

    int n_modes() const { return static_cast<int>(frequencies.size()); }
    /// Number of imaginary frequencies.
    int n_imaginary() const { return static_cast<int>((frequencies.array() < 0).count()); }
    /// Displacements of a mode, (3, n_atoms).
    Eigen::Matrix3Xd mode(int k) const { return displacements.col(k).reshaped(3, displacements.rows() / 3); }
};

/// Frequencies and normal modes: eigenpairs of M^-1/2 H M^-1/2 among the displacements that are orthogonal
/// (in mass-weighted coordinates, the conditions of Eckart) to translations and rotations. Of a free cluster
/// 6 motions are taken out (5 when it is linear, 3 of an atom), of a periodic cell 3; a fixed coordinate
/// takes the motions that would move it off the list.
/// @param hessian (n_free, n_free), hartree/bohr^2, as HessianCalculation gives it
/// @throw InputError when sizes do not fit or a mass is not positive
/// @source Wilson, Decius, Cross, Molecular Vibrations (1955), chapters 2 and 11
NormalModes normal_modes(const Structure& structure, const Eigen::MatrixXd& hessian,
                         const ModeOptions& options = {});

/// Integrated infrared absorption of each mode from the gradient of the dipole moment, (modes), e^2 per
/// electron mass: |d mu / d Q_k|^2 with the mass-weighted coordinate Q_k.
/// @param dipole_gradient (3, n_free), e  @throw InputError when sizes do not fit
Eigen::VectorXd infrared_intensities(const Structure& structure, const NormalModes& modes,
                                     const Eigen::Matrix3Xd& dipole_gradient);

/// An integrated absorption of 1 km/mol in e^2 per electron mass: N_A / (12 epsilon_0 c^2) e^2 / m_e is
/// 1.777098e6 km/mol. @source CODATA 2018
inline constexpr double km_per_mol = 1.0 / 1.777098e6;

/// Principal axes of inertia about the centre of mass.
struct Inertia {
    Eigen::Vector3d center;   ///< of mass, bohr
    Eigen::Vector3d moments;  ///< ascending, electron masses bohr^2
    Eigen::Matrix3d axes;     ///< columns
    int rotations = 0;        ///< 0 of an atom, 2 of a linear molecule, 3
};

/// Inertia of a cluster. It counts as linear when the atoms are off their line by less than 0.01 bohr
/// (root of the mass-weighted mean square). @param masses (n), electron masses; empty = standard
Inertia inertia(const Structure& structure, const Eigen::VectorXd& masses = {});

}  // namespace stembridge::md
