// SPDX-License-Identifier: Apache-2.0
// The two states between which a run looks for the path of least energy.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "stages/studies.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/structure/adsorption.hpp"
#include "stembridge/structure/analysis.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace {

using AtomPair = std::pair<int, int>;

bool is_carbon(const Structure& structure, int atom) {
    return structure.atomic_numbers[static_cast<std::size_t>(atom)] == 6;
}

/// The C-C bond nearest to the middle of the sheet.
AtomPair middle_bond(const Structure& sheet) {
    const Eigen::Vector3d middle = sheet.positions.rowwise().mean();
    std::optional<AtomPair> nearest;
    double least = 0;
    for (const Bond& bond : BondGraph(sheet).bonds()) {
        if (!is_carbon(sheet, bond.i) || !is_carbon(sheet, bond.j)) continue;
        const double distance = (sheet.positions.col(bond.i) + 0.5 * bond.r_ij - middle).head<2>().norm();
        if (nearest && distance >= least) continue;
        nearest = {bond.i, bond.j};
        least = distance;
    }
    if (!nearest) throw InputError("neb.rotate = \"middle\": the structure has no C-C bond");
    return *nearest;
}

/// The bond between the heptagons of the largest 5-7-7-5: turned once more it makes four hexagons.
AtomPair bond_of_defect(const Structure& sheet) {
    const StructureAnalysis analysis = analyze(sheet);
    std::string kinds;
    for (const Defect& defect : analysis.defects) {
        kinds += (kinds.empty() ? "" : ", ") + defect.kind;
        if (defect.kind != "5-7-7-5") continue;
        std::vector<const Ring*> heptagons;
        for (const Ring& ring : analysis.rings)
            if (ring.size() == 7 && std::all_of(ring.atoms.begin(), ring.atoms.end(), [&](int atom) {
                    return std::binary_search(defect.atoms.begin(), defect.atoms.end(), atom);
                }))
                heptagons.push_back(&ring);
        std::vector<int> shared;
        if (heptagons.size() == 2)
            for (const int atom : heptagons[0]->atoms)
                if (std::count(heptagons[1]->atoms.begin(), heptagons[1]->atoms.end(), atom) != 0)
                    shared.push_back(atom);
        if (shared.size() == 2) return {shared[0], shared[1]};
    }
    throw InputError(
        fmt::format("neb.rotate = \"defect\" needs a 5-7-7-5 defect; the structure has {}. Accepted are also "
                    "\"middle\" and "
                    "two atoms counted from 1, such as \"12-13\"",
                    kinds.empty() ? "none at all" : kinds));
}

AtomPair bond_to_rotate(const io::Config& config, const Structure& sheet) {
    const std::string& text = config.text("neb.rotate");
    if (text == "middle") return middle_bond(sheet);
    if (text == "defect") return bond_of_defect(sheet);
    int i = 0, j = 0, end = 0;
    if (std::sscanf(text.c_str(), "%d-%d%n", &i, &j, &end) != 2 || end != static_cast<int>(text.size()))
        throw InputError(fmt::format(
            "{}: '{}' is no bond; accepted are \"middle\", \"defect\" and two atoms counted from 1, "
            "such as \"12-13\"",
            config.where("neb.rotate"), text));
    return {i - 1, j - 1};
}

/// Coordinates that [neb] or the sheet itself holds fixed are the same in both states.
void put_back_fixed(const io::Config& config, const Structure& sheet, Structure& turned,
                    const AtomPair& bond) {
    Structure held = sheet;
    if (config.has("neb.fix"))
        for (const auto& rule : config.texts("neb.fix")) fix_atoms(held, rule);
    for (int atom = 0; atom < sheet.size(); ++atom)
        for (int axis = 0; axis < 3; ++axis) {
            if (!held.is_fixed(axis, atom)) continue;
            if (axis < 2 && (atom == bond.first || atom == bond.second))
                throw InputError(
                    fmt::format("neb.rotate: the bond {}-{} cannot turn, coordinate {} of atom {} is "
                                "held fixed",
                                bond.first + 1, bond.second + 1, "xyz"[axis], atom + 1));
            turned.positions(axis, atom) = sheet.positions(axis, atom);
        }
}

BarrierEnds rotation(const io::Config& config, const Structure& sheet) {
    const AtomPair bond = bond_to_rotate(config, sheet);
    Structure turned = with_rotated_bond(sheet, bond.first, bond.second);
    put_back_fixed(config, sheet, turned, bond);
    return {sheet, turned, fmt::format("bond {}-{} turned by 90°", bond.first + 1, bond.second + 1)};
}

/// The site of the first kind nearest to the middle of the study, and the site of the second kind nearest to
/// that one.
std::pair<AdsorptionSite, AdsorptionSite> sites_of_hop(const io::Config& config, const Structure& sheet,
                                                       Session& session) {
    const std::vector<std::string> kinds = config.texts("neb.sites");
    if (kinds.size() != 2)
        throw InputError(
            fmt::format("{}: {} kinds of sites; two are needed, where the way begins and where it "
                        "ends",
                        config.where("neb.sites"), kinds.size()));
    constexpr double far = 1e6;  // bohr: the whole sheet
    SiteOptions options;
    options.inequivalent = false;
    options.radius = far;
    options.kinds = {kinds[0]};
    options.centre = middle_of_study(config, sheet, session);
    const AdsorptionSite from = adsorption_sites(sheet, options).front();
    options.kinds = {kinds[1]};
    options.centre = from.position.head<2>();
    constexpr double same_site = 0.1 * units::angstrom;
    for (const AdsorptionSite& to : adsorption_sites(sheet, options))
        if (to.distance > same_site) return {from, to};
    throw InputError(
        fmt::format("{}: the structure has no second {} site", config.where("neb.sites"), kinds[1]));
}

BarrierEnds hop(const io::Config& config, const Structure& sheet, const std::filesystem::path& folder,
                Session& session) {
    const std::string& species = config.text("neb.adsorbate");
    const auto [from, to] = sites_of_hop(config, sheet, session);
    const auto placed = [&](const AdsorptionSite& site) {
        return with_adsorbate(sheet, site, species, natural_height(sheet, site, species));
    };
    BarrierEnds ends{placed(from), placed(to), fmt::format("{}: {} to {}", species, from.name(), to.name())};
    ends.spin_polarized = study_is_spin_polarized(config, {species});
    if (!*ends.spin_polarized || config.has("calculator.spin.unpaired")) return ends;
    // One surface of energy for all images: with a free moment each could be on another.
    io::Config own = config;
    own.set("calculator.spin.polarized", "true", "adsorb.spin");
    session.info("spin states of " + species + " at " + from.name());
    const SpinState lowest =
        lowest_spin_state(own, ends.from, folder / "spin",
                          possible_spin_states(ends.from, config.number("calculator.charge")), session);
    if (!lowest.run.relaxed) throw NumericalError(lowest.run.error);
    ends.unpaired = lowest.unpaired;
    if (ends.unpaired) {
        session.info(fmt::format("lowest with {} unpaired electrons, held along the path", *ends.unpaired));
        ends.title += fmt::format(", {} unpaired electrons", *ends.unpaired);
    }
    return ends;
}

}  // namespace

BarrierEnds barrier_ends(const io::Config& config, const Structure& sheet,
                         const std::filesystem::path& folder, Session& session) {
    const bool to_file = config.has("neb.end"), turns = config.has("neb.rotate"),
               hops = config.has("neb.adsorbate");
    if (int{to_file} + int{turns} + int{hops} != 1)
        throw InputError(
            "stage neb: give one of neb.end (a file with the other state), neb.rotate (a bond that turns) "
            "and "
            "neb.adsorbate (what goes from one site to the next)");
    sheet.validate();
    if (turns) return rotation(config, sheet);
    if (hops) return hop(config, sheet, folder, session);
    const std::filesystem::path file = config.file("neb.end");
    return {sheet, io::read_structure(file), "to " + file.filename().string()};
}

}  // namespace stembridge::app
