// SPDX-License-Identifier: Apache-2.0
// Barriers between two states, by a nudged elastic band with a climbing image.
#include <fmt/format.h>

#include "measures.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/md/elastic_band.hpp"
#include "stembridge/structure/analysis.hpp"

namespace stembridge::validation {
namespace {

using units::electronvolt;

/// What a relaxed band says of the way from its first image to its last.
struct Barrier {
    double forward = 0;  ///< hartree
    double reverse = 0;
    int steps = 0;
    Structure saddle;
    io::Figure profile;
};

/// @param start, end at rest  @param name unique within the case
Barrier barrier_between(const io::Config& setup, const Laboratory& laboratory, const Structure& start,
                        const Structure& end, const std::string& name, const std::string& title) {
    md::BandOptions options;
    options.max_force = setup.quantity("setup.max_force");
    constexpr int one_at_a_time = 1;
    md::ElasticBand band(
        md::pair_distance_path(start, end, static_cast<int>(setup.integer("setup.images")) + 2),
        [&] { return laboratory.calculator(setup, start); }, one_at_a_time, options, laboratory.context());
    if (!band.run()) throw StoppedError("stopped on the path of " + title);
    const md::BandStep state = band.state();
    if (!band.converged())
        throw NumericalError(
            fmt::format("the path of {} did not relax in {} steps: {:.3f} eV/angstrom are left", title,
                        state.step, state.max_force / units::electronvolt_per_angstrom));
    const md::BandProfile profile = band.profile();
    return {state.barrier, state.barrier - (profile.energy.back() - profile.energy.front()), state.step,
            band.images()[static_cast<std::size_t>(state.highest)],
            io::draw(io::EnergyPath{.name = name,
                                    .caption = title,
                                    .length = profile.length,
                                    .energy = profile.energy,
                                    .energy_between = [&](double s) { return profile.at(s); },
                                    .width = 360})};
}

}  // namespace

Findings measure_rotation(const io::Config& setup, const Laboratory& laboratory) {
    Structure perfect = sheet_of(setup);
    const Bond bond = middle_bond(perfect);
    Structure turned = with_rotated_bond(perfect, bond.i, bond.j);
    laboratory.relaxed_energy(setup, perfect, "graphene");
    laboratory.relaxed_energy(setup, turned, "Stone-Wales");
    const Barrier barrier =
        barrier_between(setup, laboratory, perfect, turned, "profile", "Energy while the bond turns by 90°");

    Findings f;
    f.values["forward_ev"] = barrier.forward / electronvolt;
    f.values["reverse_ev"] = barrier.reverse / electronvolt;
    f.values["reaction_ev"] = (barrier.forward - barrier.reverse) / electronvolt;
    f.values["saddle_bond_angstrom"] =
        (barrier.saddle.positions.col(bond.j) - barrier.saddle.positions.col(bond.i)).norm() /
        units::angstrom;
    f.figures.push_back(barrier.profile);
    f.figures.push_back(picture_of(barrier.saddle, "saddle", "The saddle"));
    f.figures.push_back(picture_of(turned, "turned", "Stone-Wales, relaxed"));
    f.notes.push_back(fmt::format(
        "{} atoms, cell fixed at the lattice of the sheet, {} moving images, {} steps of the band",
        perfect.size(), setup.integer("setup.images"), barrier.steps));
    return f;
}

}  // namespace stembridge::validation
