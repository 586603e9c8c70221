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

// Gamma is enough for a molecule; k-points would only repeat it.
double molecule_energy(const io::Config& setup, const Laboratory& laboratory, Structure molecule,
                       const std::string& what) {
    molecule.cell = {};
    return laboratory.relaxed_energy(setup, molecule, what, true);
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
    Findings f;
    for (const bool spin : {false, true}) {
        const std::string suffix = spin ? "_spin" : "";
        std::map<std::string, double> energies;
        double atom = 0;
        for (const Site& site : {Site{"hollow", 1.6 * angstrom, 6}, Site{"bridge", 1.9 * angstrom, 2},
                                 Site{"top", 1.9 * angstrom, 1}}) {
            Structure s = with_adsorbate(sheet, "Cr", site.name, site.height);
            const int cr = s.size() - 1;
            // In the plane Cr stays at its site, which need not be a minimum.
            s.fixed = FixedMask::Constant(3, s.size(), false);
            s.fixed(0, cr) = s.fixed(1, cr) = true;
            energies[site.name] = laboratory.relaxed_energy(setup, s, "Cr at " + site.name, spin);
            f.values[fmt::format("{}_ccr_angstrom{}", site.name, suffix)] =
                mean_distance(s, cr, site.neighbours) / angstrom;
            if (site.name == "hollow") {
                if (!spin) f.figures.push_back(picture_of(s, "hollow", "Cr over a hexagon, relaxed"));
                atom = molecule_energy(setup, laboratory, adsorbate_of(s, sheet.size()), "Cr");
            }
        }
        for (const std::string site : {"bridge", "top"})
            f.values[fmt::format("{}_minus_hollow_ev{}", site, suffix)] =
                (energies[site] - energies["hollow"]) / electronvolt;
        f.values["hop_ev" + suffix] =
            (std::min(energies["bridge"], energies["top"]) - energies["hollow"]) / electronvolt;
        f.values["binding_hollow_ev" + suffix] = (sheet_energy + atom - energies["hollow"]) / electronvolt;
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
        const Structure group = adsorbate_of(s, sheet.size());
        const double energy = laboratory.relaxed_energy(setup, s, species + " on graphene", true);
        f.values[species + "_binding_ev"] =
            (sheet_energy + molecule_energy(setup, laboratory, group, species) - energy) / electronvolt;
        f.figures.push_back(picture_of(s, species, fmt::format("{} at {}, relaxed", species, site)));
    }
    f.notes.emplace_back("Binding: E(sheet) + E(group, with spin) - E(both), positive = bound.");
    return f;
}

}  // namespace stembridge::validation
