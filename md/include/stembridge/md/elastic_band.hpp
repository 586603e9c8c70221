// SPDX-License-Identifier: Apache-2.0
// Barriers: the path of least energy between two states, by a nudged elastic band with a climbing image.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/md/vibrations.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// The same state as `structure`, as near to `reference` as it can be without changing it: atoms in the
/// nearest periodic image; a cluster in which nothing is fixed shifted and turned.
/// @throw InputError when the atoms or the cell differ, or a fixed coordinate is not the same in both
Structure brought_near(const Structure& structure, const Structure& reference);

/// Images on the straight line between two states, these included. @param n at least 3
/// @throw InputError as brought_near(), and for fewer images
std::vector<Structure> straight_path(const Structure& start, const Structure& end, int n);

/// The straight path, changed so that the pair distances go evenly from their values in the one state to
/// those in the other (image dependent pair potential): atoms go around each other.
/// @source Smidstrup, Pedersen, Stokbro, Jonsson, J. Chem. Phys. 140, 214106 (2014)
std::vector<Structure> pair_distance_path(const Structure& start, const Structure& end, int n);

/// How to relax a band. Hartree atomic units.
struct BandOptions {
    double spring = 5 * units::electronvolt / (units::angstrom * units::angstrom);  ///< hartree/bohr^2
    /// Converged when no atom of a moving image feels more than this of the band's force, hartree/bohr.
    double max_force = 0.05 * units::electronvolt_per_angstrom;
    /// Largest number of moves of the band.
    int max_steps = 500;
    bool climb = true;  ///< the highest image goes up along the path to the saddle
    /// The climb begins below this force, hartree/bohr.
    double climb_below = 0.5 * units::electronvolt_per_angstrom;
    /// No atom moves further than this in one step, bohr.
    double max_step_length = 0.1 * units::angstrom;
    int memory = 20;  ///< pairs kept by L-BFGS
    /// Keeps free clusters from shifting and turning. Off in an external field.
    bool hold_rigid_motion = true;
};

/// A band after one of its moves.
struct BandStep {
    int step = 0;          ///< moves so far; 0 = the start path
    double max_force = 0;  ///< hartree/bohr
    double barrier = 0;    ///< highest image over the first, hartree
    int highest = 0;       ///< that image, from 0; one of the ends where the path has no barrier
    bool climbing = false;
};

/// The band as a curve of energy over path length.
struct BandProfile {
    std::vector<double> length;  ///< of the path up to each image, bohr
    std::vector<double> energy;  ///< of each image, hartree
    std::vector<double> slope;   ///< dE/ds, minus the true force along the path, hartree/bohr
    /// Energy between the images by cubic Hermite pieces, hartree. @param s 0 to length.back()
    double at(double s) const;
};

/// A nudged elastic band. Each image has a calculator of its own, so that its memory stays with it; images
/// are evaluated several at a time. A band restored from save() continues to the same bits.
///   F_i = F_true, perpendicular + k (|R_i+1 - R_i| - |R_i - R_i-1|) t,   climbing: F_true - 2 (F_true . t) t
/// @source tangent: Henkelman, Jonsson, J. Chem. Phys. 113, 9978 (2000); climbing image: Henkelman, Uberuaga,
/// Jonsson, J. Chem. Phys. 113, 9901 (2000); global L-BFGS: Sheppard, Terrell, Henkelman, J. Chem. Phys. 128,
/// 134106 (2008)
class ElasticBand {
  public:
    /// @param images at least 3, the first and the last stay  @param make_calculator called once per image
    /// @param workers images evaluated at once, at least 1  @throw InputError when an option makes no sense
    /// or the images do not belong together
    ElasticBand(std::vector<Structure> images, const CalculatorFactory& make_calculator, int workers,
                BandOptions options, Context context = {});
    ~ElasticBand();
    ElasticBand(ElasticBand&&) noexcept;
    ElasticBand& operator=(ElasticBand&&) noexcept;

    /// Moves the band once; the first step evaluates the start path before that. Nothing once finished().
    /// @throw NumericalError when energy or forces are not finite  @throw ConvergenceError of a calculator;
    /// the band is then as before the step
    BandStep step();
    /// Steps until finished() or until the stop token is set. @return false when stopped
    bool run(const std::function<void(const BandStep&)>& observer = {});

    bool converged() const;
    /// Converged, or out of steps.
    bool finished() const;
    /// Goes back to the images with the smallest largest force so far (since the climb began, once it has):
    /// a band that is out of steps may have left them. What L-BFGS has learnt is forgotten then.
    void return_to_best();
    int steps() const;
    const std::vector<Structure>& images() const;
    /// Of each image; empty before the first step.
    const std::vector<Evaluation>& evaluations() const;
    /// @throw std::logic_error before the first step
    BandStep state() const;
    BandProfile profile() const;

    State save() const;
    /// @throw FileError when the state belongs to another band
    void restore(const State& state);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace stembridge::md
