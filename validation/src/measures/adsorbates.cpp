// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "measures.hpp"
#include "stembridge/base/elements.hpp"

namespace stembridge::validation {
namespace {

using units::angstrom;
using units::electronvolt;

// Mean of the distances from an atom to its nearest carbon atoms, bohr.
double mean_distance(const Structure& s, int atom, std::size_t count) {
    std::vector<double> distances;
    const NeighborList list(s, 4.0 * angstrom);
    for (const Neighbor& n : list.of(atom))
        if (s.atomic_numbers[static_cast<std::size_t>(n.j)] == 6) distances.push_back(n.distance);
    std::sort(distances.begin(), distances.end());
    count = std::min(count, distances.size());
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum += distances[k];
    return sum / static_cast<double>(count);
}

Structure with_adsorbate(const Structure& sheet, const std::string& species, const std::string& site,
                         double height) {
    AdsorbateOptions options;
    options.species = species;
    options.site = site;
    options.height = height;
    return add_adsorbate(sheet, options);
}

// The adsorbed atoms alone, in the same box.
Structure adsorbate_of(const Structure& whole, int n_sheet) {
    std::vector<int> atoms;
    for (int i = n_sheet; i < whole.size(); ++i) atoms.push_back(i);
    return whole.selected(atoms);
}

// The adsorbate alone, with the number of unpaired electrons that is lowest, of those up to six. Gamma is
// enough for it; k-points would only repeat it.
SpinState lowest_alone(const io::Config& setup, const Laboratory& laboratory, Structure adsorbate,
                       const std::string& what) {
    adsorbate.cell = {};
    int electrons = 0;  // closed cores hold even numbers
    for (const int z : adsorbate.atomic_numbers) electrons += z;
    std::vector<std::optional<double>> states;
    for (int unpaired = electrons % 2; unpaired <= 6; unpaired += 2) states.emplace_back(unpaired);
    return laboratory.lowest_spin_state(setup, adsorbate, what, states);
}

std::string in_words(const SpinState& state) {
    return state.unpaired ? fmt::format("{} unpaired", *state.unpaired) : "free moment";
}

}  // namespace

Findings measure_chromium(const io::Config& setup, const Laboratory& laboratory) {
    Structure sheet = sheet_of(setup);
    const double sheet_energy = laboratory.relaxed_energy(setup, sheet, "graphene");
    struct Site {
        std::string name;
        double height;  // bohr
        std::size_t neighbours;
    };
    const std::vector<Site> sites = {
        {"hollow", 1.6 * angstrom, 6}, {"bridge", 1.9 * angstrom, 2}, {"top", 1.9 * angstrom, 1}};
    constexpr double far = 2.5 * angstrom;
    const auto start_at = [&](const Site& site, double height) {
        Structure s = with_adsorbate(sheet, "Cr", site.name, height);
        // In the plane Cr stays at its site, which need not be a minimum.
        s.fixed = FixedMask::Constant(3, s.size(), false);
        s.fixed(0, s.size() - 1) = s.fixed(1, s.size() - 1) = true;
        return s;
    };
    const SpinState atom = lowest_alone(
        setup, laboratory, adsorbate_of(start_at(sites[0], sites[0].height), sheet.size()), "Cr");
    Findings f;
    f.notes.push_back(fmt::format("Cr alone: {}", in_words(atom)));
    for (const bool spin : {false, true}) {
        const std::string suffix = spin ? "_spin" : "";
        std::map<std::string, double> energies;
        for (const Site& site : sites) {
            Structure s = start_at(site, site.height);
            const std::string what = "Cr at " + site.name;
            if (spin) {
                // With the same number of unpaired electrons Cr can come to rest near the sheet and far off.
                std::optional<SpinState> lowest;
                for (const double height : {site.height, far}) {
                    Structure own = start_at(site, height);
                    const SpinState state =
                        laboratory.lowest_spin_state(setup, own, what, {std::nullopt, atom.unpaired});
                    f.notes.push_back(
                        fmt::format("{} from {:.1f} Å: {}, {:.3f} eV bound, {:.2f} Å from C", site.name,
                                    height / angstrom, in_words(state),
                                    (sheet_energy + atom.energy - state.energy) / electronvolt,
                                    mean_distance(own, own.size() - 1, site.neighbours) / angstrom));
                    if (lowest && lowest->energy <= state.energy) continue;
                    lowest = state;
                    s = std::move(own);
                }
                energies[site.name] = lowest->energy;
            } else {
                energies[site.name] = laboratory.relaxed_energy(setup, s, what);
            }
            f.values[fmt::format("{}_ccr_angstrom{}", site.name, suffix)] =
                mean_distance(s, s.size() - 1, site.neighbours) / angstrom;
            if (site.name == "hollow")
                f.figures.push_back(
                    picture_of(s, "hollow" + suffix,
                               fmt::format("Cr over a hexagon, relaxed {} spin", spin ? "with" : "without")));
        }
        for (const std::string site : {"bridge", "top"})
            f.values[fmt::format("{}_minus_hollow_ev{}", site, suffix)] =
                (energies[site] - energies["hollow"]) / electronvolt;
        f.values["hop_ev" + suffix] =
            (std::min(energies["bridge"], energies["top"]) - energies["hollow"]) / electronvolt;
        f.values["binding_hollow_ev" + suffix] =
            (sheet_energy + atom.energy - energies["hollow"]) / electronvolt;
    }
    f.notes.emplace_back("Binding: E(sheet) + E(free Cr, with spin) - E(both), positive = bound.");
    return f;
}

Findings measure_groups(const io::Config& setup, const Laboratory& laboratory) {
    Structure sheet = sheet_of(setup);
    const double sheet_energy = laboratory.relaxed_energy(setup, sheet, "graphene");
    Findings f;
    for (const auto& [species, site] :
         {std::pair<std::string, std::string>{"CH", "bridge"}, {"CH2", "bridge"}, {"CH3", "top"}}) {
        Structure s = with_adsorbate(sheet, species, site, 1.5 * angstrom);
        const SpinState alone = lowest_alone(setup, laboratory, adsorbate_of(s, sheet.size()), species);
        const SpinState bound =
            laboratory.lowest_spin_state(setup, s, species + " on graphene", {std::nullopt, alone.unpaired});
        f.values[species + "_binding_ev"] = (sheet_energy + alone.energy - bound.energy) / electronvolt;
        f.notes.push_back(
            fmt::format("{} alone: {}, on the sheet: {}", species, in_words(alone), in_words(bound)));
        f.figures.push_back(picture_of(s, species, fmt::format("{} at {}, relaxed", species, site)));
    }
    f.notes.emplace_back("Binding: E(sheet) + E(group, with spin) - E(both), positive = bound.");
    return f;
}

}  // namespace stembridge::validation
