// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "measures.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/analysis.hpp"

namespace stembridge::validation {
namespace {

using units::electronvolt;

bool shows(const Structure& s, const std::string& kind) {
    const StructureAnalysis a = analyze(s);
    return a.defects.size() == 1 && a.defects.front().kind == kind;
}

// 555-777 is 5-8-5 with one bond of the octagon turned; which one, the recognition of defects tells.
Structure with_triple_pentagon(const Structure& divacancy) {
    for (const Ring& ring : analyze(divacancy).rings) {
        if (ring.size() != 8) continue;
        for (std::size_t k = 0; k < ring.atoms.size(); ++k) {
            try {
                Structure s =
                    with_rotated_bond(divacancy, ring.atoms[k], ring.atoms[(k + 1) % ring.atoms.size()]);
                if (shows(s, "555-777")) return s;
            } catch (const InputError&) {
            }
        }
    }
    throw NumericalError("no bond of the octagon of 5-8-5 turns it into 555-777");
}

}  // namespace

Findings measure_defects(const io::Config& setup, const Laboratory& laboratory) {
    Structure perfect = sheet_of(setup);
    const double energy = laboratory.relaxed_energy(setup, perfect, "graphene");
    const double per_atom = energy / perfect.size();
    const Bond bond = middle_bond(perfect);
    const Structure divacancy = with_divacancy(perfect, bond.i, bond.j);
    struct Defective {
        std::string key, title, kind;
        Structure structure;
    };
    std::vector<Defective> all = {
        {"stone_wales_ev", "Stone-Wales", "5-7-7-5", with_rotated_bond(perfect, bond.i, bond.j)},
        {"vacancy_ev", "vacancy", "", without_atoms(perfect, {bond.i})},
        {"divacancy_585_ev", "5-8-5", "5-8-5", divacancy},
        {"divacancy_555777_ev", "555-777", "555-777", with_triple_pentagon(divacancy)}};
    Findings f;
    for (Defective& d : all) {
        // The energy of the vacancy depends on its unpaired electrons: those of the open sigma and pi bond.
        const double e =
            d.key == "vacancy_ev"
                ? laboratory.lowest_spin_state(setup, d.structure, d.title, {std::nullopt, 2}).energy
                : laboratory.relaxed_energy(setup, d.structure, d.title);
        f.values[d.key] = (e - d.structure.size() * per_atom) / electronvolt;
        if (!d.kind.empty() && !shows(d.structure, d.kind))
            f.notes.push_back(fmt::format("{} did not stay {} while it relaxed", d.title, d.kind));
        f.figures.push_back(picture_of(d.structure, d.key, d.title + ", relaxed"));
    }
    f.values["divacancy_order_ev"] = f.values["divacancy_585_ev"] - f.values["divacancy_555777_ev"];
    f.notes.push_back(fmt::format("{} atoms, cell fixed at the lattice of the sheet", perfect.size()));
    return f;
}

Findings measure_silicon(const io::Config& setup, const Laboratory& laboratory) {
    const Structure sheet = sheet_of(setup);
    const Bond bond = middle_bond(sheet);
    constexpr double lift = 1.0 * units::angstrom;
    constexpr int silicon = 14;

    // Si and the carbon atoms bonded to it.
    const auto site = [&](const Structure& s, const std::string& prefix, std::size_t neighbours,
                          Findings& f) {
        const int si = static_cast<int>(std::find(s.atomic_numbers.begin(), s.atomic_numbers.end(), silicon) -
                                        s.atomic_numbers.begin());
        std::vector<Neighbor> near = NeighborList(s, 3.0 * units::angstrom).of(si);
        std::sort(near.begin(), near.end(),
                  [](const Neighbor& a, const Neighbor& b) { return a.distance < b.distance; });
        near.resize(neighbours);
        double length = 0, height = 0, offset = 0, plane = 0;
        for (const Neighbor& n : near) {
            length += n.distance / static_cast<double>(neighbours);
            height -= n.r_ij[2] / static_cast<double>(neighbours);
            offset += std::abs(n.r_ij[2]) / static_cast<double>(neighbours);
        }
        for (int i = 0; i < s.size(); ++i)
            if (i != si) plane += s.positions(2, i) / (s.size() - 1);
        f.values[prefix + "_sic_angstrom"] = length / units::angstrom;
        f.values[prefix + "_height_angstrom"] = std::abs(height) / units::angstrom;
        f.values[prefix + "_offset_angstrom"] = offset / units::angstrom;
        f.values[prefix + "_height_over_sheet_angstrom"] =
            std::abs(s.positions(2, si) - plane) / units::angstrom;
    };

    Findings f;
    Structure single = with_substitution(sheet, bond.i, silicon);
    single.positions(2, bond.i) += lift;
    laboratory.relaxed_energy(setup, single, "Si in a vacancy");
    site(single, "single", 3, f);
    f.figures.push_back(picture_of(single, "single", "Si in place of one C, relaxed"));

    const Eigen::Vector3d middle = sheet.positions.col(bond.i) + 0.5 * bond.r_ij;
    const auto in_divacancy = [&](double z) {
        Structure s = without_atoms(sheet, {bond.i, bond.j});
        s.add(silicon, middle + Eigen::Vector3d(0, 0, z));
        return s;
    };
    Structure buckled = in_divacancy(0.3 * lift);
    const double energy = laboratory.relaxed_energy(setup, buckled, "Si in a divacancy");
    site(buckled, "double", 4, f);
    Structure flat = in_divacancy(0);
    flat.fixed = FixedMask::Constant(3, flat.size(), false);
    flat.fixed.row(2) = true;
    f.values["double_planar_minus_buckled_ev"] =
        (laboratory.relaxed_energy(setup, flat, "planar Si in a divacancy") - energy) / electronvolt;
    f.figures.push_back(picture_of(buckled, "double", "Si in place of two C, relaxed"));
    return f;
}

}  // namespace stembridge::validation
