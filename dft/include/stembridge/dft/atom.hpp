// SPDX-License-Identifier: Apache-2.0
// All-electron Kohn-Sham atom: spherical, fractionally occupied, free or confined.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/dft/radial.hpp"

namespace stembridge::dft {

/// Kinetic operator of the radial equation.
enum class Relativity {
    none,
    zora  ///< scalar part of the zeroth-order regular approximation, unscaled
};

/// A potential that squeezes the orbitals of one angular momentum.
class Confinement {
  public:
    enum class Shape { none, power, woods_saxon };

    Confinement() = default;
    /// (r / radius)^exponent in hartree. @throw InputError unless radius is in 0.5..1000 bohr and exponent
    /// in 1..40
    static Confinement power(double radius, double exponent = 2);
    /// height / (1 + exp(-slope (r - radius))). @throw InputError unless all three are positive
    static Confinement woods_saxon(double height, double slope, double radius);

    double operator()(double r) const;
    Shape shape() const { return shape_; }
    /// E.g. "(r/2.7)^2".
    std::string description() const;
    bool operator==(const Confinement&) const = default;

  private:
    Shape shape_ = Shape::none;
    double radius_ = 0, exponent_ = 0, height_ = 0, slope_ = 0;
};

/// Electrons in the 2 (2l + 1) spin orbitals of a shell.
struct Shell {
    int n = 1;
    int l = 0;
    double up = 0;
    double down = 0;
    double occupation() const { return up + down; }
    bool operator==(const Shell&) const = default;
};

/// E.g. "3d".
std::string shell_name(int n, int l);

/// Ground state of the neutral atom, spin up first (Hund). @throw InputError outside 1..36 (H to Kr)
/// @source Kramida et al., NIST Atomic Spectra Database (configurations)
std::vector<Shell> ground_state(int atomic_number);

/// Shells of a configuration such as "[Ar] 3d5 4s1 4p0", electrons shared equally between the spins.
/// @throw InputError naming the part that is not understood
std::vector<Shell> parse_configuration(std::string_view text);

/// Equal numbers of electrons of both spins, same occupations.
std::vector<Shell> without_spin(std::vector<Shell> shells);

/// Basis r^(l+k) exp(-a r), k = 0..powers-1, for every exponent a: what published sets were made with.
struct SlaterFunctions {
    std::vector<double> exponents;  ///< 1/bohr
    int powers = 2;
    bool operator==(const SlaterFunctions&) const = default;
};

/// What an atom is made of and how it is solved.
struct AtomOptions {
    int atomic_number = 0;
    std::vector<Shell> shells;       ///< occupied ones, and empty ones that are wanted
    std::string functional = "pbe";  ///< lda, pbe, or libxc names joined by '+', e.g. "gga_x_b88+gga_c_lyp"
    Relativity relativity = Relativity::none;
    std::vector<Confinement> confinement;  ///< by l; what is missing is free
    RadialGrid grid;
    std::vector<SlaterFunctions> slater;  ///< by l, for all l in use; empty = splines
    bool spin_polarized = false;
    double tolerance = 1e-9;  ///< largest change of an eigenvalue by another cycle, hartree
    int max_iterations = 300;
};

/// Eigenvalues of one shell.
struct Level {
    Shell shell;
    std::array<double, 2> eigenvalue{};  ///< spin up and down (equal without polarisation), hartree
};

/// A converged atom, hartree and bohr.
struct Atom {
    AtomOptions options;
    std::vector<Level> levels;  ///< in the order of options.shells
    double energy = 0;          ///< sum of the five following
    double kinetic = 0;
    double nuclear = 0;
    double hartree = 0;
    double xc = 0;
    double confinement = 0;
    int iterations = 0;
    /// u = r R of every level, spin up, then (if polarised) of every level, spin down; the outermost lobe is
    /// positive.
    RadialFunctions orbitals;
    /// One function: r times the Hartree potential; beyond the radius it equals the number of electrons.
    RadialFunctions hartree_potential;

    double n_electrons() const;
    /// Index of a shell. @throw InputError when it is not there
    int level(int n, int l) const;
};

/// Solves the Kohn-Sham equations of one atom.
/// [ T_l - Z/r + V_H[n] + V_xc[n] + V_conf,l(r) ] u_nl = e_nl u_nl, generalised-gradient terms in weak form.
/// @throw InputError for an unknown functional, an impossible shell or a confinement that is too tight
/// @throw ConvergenceError
/// @source van Lenthe, Baerends, Snijders, J. Chem. Phys. 99, 4597 (1993) (ZORA); Pople, Gill, Johnson, Chem.
/// Phys. Lett. 199, 557 (1992) (weak form)
Atom solve_atom(const AtomOptions& options, const Context& context = {});

}  // namespace stembridge::dft
