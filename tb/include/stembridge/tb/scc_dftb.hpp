// SPDX-License-Identifier: Apache-2.0
// Self-consistent-charge density-functional tight binding as a Calculator.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

struct ElectronicState;

/// How the occupation falls from full to empty around the Fermi level; the width is the electronic
/// temperature.
enum class Filling { fermi, methfessel_paxton, gaussian };

/// How the next input charges are made from the earlier ones.
enum class Mixer {
    preconditioned,  ///< Anderson on raw residuals, preconditioned by a model of the dielectric response
    anderson,
    broyden,
    diis,
    simple
};

/// Which third-order terms there are: none, those of one atom, those of pairs too (DFTB3).
enum class ThirdOrder { none, diagonal, full };

/// Model of the dispersion energy.
enum class Dispersion { none, lennard_jones, slater_kirkwood, tkatchenko_scheffler };

/// Value of an option from its name in a configuration ("methfessel-paxton", "lj").
/// @throw InputError for an unknown name; the message lists the accepted ones
Filling filling_from_name(std::string_view name);
Mixer mixer_from_name(std::string_view name);
ThirdOrder third_order_from_name(std::string_view name);
Dispersion dispersion_from_name(std::string_view name);

/// Regular grid of k-points for periodic cells, or a list of them.
struct KPointGrid {
    std::array<int, 3> divisions = {1, 1, 1};
    bool gamma_centered = false;  ///< else Monkhorst-Pack with VASP's convention: even divisions avoid Gamma
    /// Fractions of the reciprocal vectors and weight of each point; used instead of the grid when not empty.
    std::vector<std::array<double, 4>> points;
};

/// The self-consistency of the charges.
struct SccOptions {
    bool enabled = true;
    double tolerance = 1e-6;  ///< largest change of an atomic charge, e
    /// Largest error of the energy by the bound 1/2 r gamma r, hartree per atom. The cycles end when this and
    /// `tolerance` both hold.
    double energy_tolerance = 1e-8;
    int max_iterations = 200;
    Mixer mixer = Mixer::preconditioned;
    double mixing = 0;            ///< step of the mixer; 0 = the mixer's own default
    bool shell_resolved = false;  ///< one charge and one Hubbard parameter per shell instead of per atom
    bool predict = true;          ///< start from charges extrapolated over the last geometries
    /// When the cycles make no progress: the exact response of the states near the Fermi level, then a higher
    /// electronic temperature for this system, which the log and Evaluation::fallback name.
    bool fallback = true;
    /// Dynamics with charges that follow the atoms (extended Lagrangian): so many density matrices per
    /// evaluation, 1 or 2, once the first steps are done. 0 = converged in every evaluation. Evaluations must
    /// then be the steps of one trajectory in order.
    int cycles_per_step = 0;
};

/// Collinear spin polarisation.
struct SpinOptions {
    bool polarized = false;
    std::optional<double> unpaired;  ///< fixed number of unpaired electrons; empty = one Fermi level for both
    /// Electrons up less down of every atom that the first geometry starts from, (n_atoms); empty = those of
    /// free atoms where bonds are missing, all up. Decides which of several minima is found, e.g. of
    /// antiferromagnetic order.
    Eigen::VectorXd initial_moments;
    /// Spin constants W by atomic number, (shells, shells) in the order s, p, d, hartree. Elements left out
    /// come from `spinw.txt` in the parameter folders.
    std::map<int, Eigen::MatrixXd> constants;
};

/// Third order of the charge fluctuations (DFTB3).
struct ThirdOrderOptions {
    ThirdOrder mode = ThirdOrder::none;
    std::map<int, double> hubbard_derivatives;  ///< dU/dq by atomic number, hartree/e
    std::optional<double> damping_exponent;     ///< of the damped gamma for pairs with hydrogen; empty = none
};

/// A charge outside the system that its electrons feel.
struct PointCharge {
    Eigen::Vector3d position;  ///< bohr
    double charge = 0;         ///< e, positive like a nucleus
};

/// What acts on the system from outside.
struct ExternalOptions {
    std::vector<PointCharge> point_charges;
    Eigen::Vector3d field =
        Eigen::Vector3d::Zero();  ///< hartree/(bohr e), the force on a unit positive charge
};

/// Which GPU makes density matrices and how, for the solvers "cuda" and "auto".
struct DeviceOptions {
    /// Index, or "auto" = the one with fewest calculators of this process on it, of these the one with most
    /// free memory; so replicas spread over the GPUs. "host" = the processor in place of a GPU, for tests.
    std::string gpu = "auto";
    std::string method = "auto";  ///< auto | exact | purification | pole-expansion
};

/// Everything that defines an SCC-DFTB calculation, Hartree atomic units.
struct SccDftbOptions {
    std::vector<std::filesystem::path> parameters;        ///< folders of .skf files, searched in this order
    double electronic_temperature = 300 * units::kelvin;  ///< kT, hartree
    Filling filling = Filling::fermi;
    double charge = 0;  ///< of the whole system, e
    KPointGrid kpoints;
    SccOptions scc;
    std::string solver = "auto";  ///< auto | dense | pole-expansion | cuda
    DeviceOptions device;
    double memory_limit = 0;  ///< of the pole expansion, bytes; 0 = three quarters of what is free
    std::map<int, int> max_angular_momentum;  ///< by atomic number, 0 = s; left out = what the tables hold
    SpinOptions spin;
    ThirdOrderOptions third_order;
    /// Slater-Kirkwood counts the bonded neighbours of the atoms at their first geometry; forget() begins
    /// anew.
    Dispersion dispersion = Dispersion::none;
    /// s_R, the scale of the van der Waals radii in the damping of Tkatchenko and Scheffler; 0.94 belongs to
    /// PBE.
    double ts_scaling = 0.94;
    ExternalOptions external;
    int threads = 0;  ///< 0 = as many as OpenMP gives
};

/// SCC-DFTB energies, forces and stress; remembers the charges of the last evaluation as the next start.
/// @source Elstner et al., Phys. Rev. B 58, 7260 (1998), doi:10.1103/PhysRevB.58.7260
class SccDftb final : public Calculator {
  public:
    /// @throw InputError for an option outside its range  @throw UnsupportedError for a feature that is not
    /// available, naming it  @throw FileError when a parameter folder does not exist
    explicit SccDftb(SccDftbOptions options);
    ~SccDftb() override;
    SccDftb(SccDftb&&) noexcept;
    SccDftb& operator=(SccDftb&&) noexcept;

    /// Energy terms in Evaluation::terms: "electronic" (all but the following two), "repulsive",
    /// "dispersion"; parts of the first: "h0", "coulomb", "third_order", "spin", "external"; and "entropy"
    /// (-TS), "band".
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override;
    Wanted offers(const Structure& structure) const override;
    std::string description() const override;
    void forget() override;
    State save() const override;
    void restore(const State& state) override;

    /// Adds a contribution of one's own to the energy; it takes part in self-consistency, forces and stress
    /// like the built-in ones and is reported under its name.
    /// @throw InputError when a term of that name is there already
    void add_term(std::unique_ptr<EnergyTerm> term);

    const SccDftbOptions& options() const;

    /// Seconds spent since construction, by part ("hamiltonian", "diagonalisation", "density", "forces",
    /// ...).
    const std::map<std::string, double>& seconds() const;
    /// Eigenvalues of the last evaluation, hartree: one matrix (n_orbitals, n_kpoints) per spin channel.
    const std::vector<Eigen::MatrixXd>& eigenvalues() const;
    /// Weights of the k-points of the last evaluation, adding up to 1.
    const Eigen::VectorXd& kpoint_weights() const;
    /// Matrices and filling of the last evaluation, for properties.hpp.
    /// @throw std::logic_error before the first evaluation
    std::unique_ptr<ElectronicState> electronic_state() const;

  private:
    class Engine;
    std::unique_ptr<Engine> engine_;
};

/// The same behind the interface. @throw as the constructor of SccDftb
std::unique_ptr<Calculator> make_scc_dftb(const SccDftbOptions& options);

}  // namespace stembridge::tb
