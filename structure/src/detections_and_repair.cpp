// SPDX-License-Identifier: Apache-2.0
// From detected atoms to a planar structure without impossible contacts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {

void BuildReport::remove(int index, int atomic_number, const Eigen::Vector3d& position,
                         const std::string& reason) {
    removed.push_back({index, atomic_number, position, reason});
    ++counters["removed"];
    messages.push_back(fmt::format("removed atom {} ({}) at ({:.2f}, {:.2f}) angstrom: {}", index + 1,
                                   atomic_number > 0 ? element_symbol(atomic_number) : "unknown",
                                   position(0) / units::angstrom, position(1) / units::angstrom, reason));
}

std::string atom_name(const Structure& structure, int atom) {
    return fmt::format("atom {} ({})", atom + 1, element_symbol(element_of(structure, atom)));
}

std::vector<int> all_indices(int n) {
    std::vector<int> result(static_cast<std::size_t>(n));
    std::iota(result.begin(), result.end(), 0);
    return result;
}

std::vector<int> flagged(const std::vector<bool>& flags) {
    std::vector<int> result;
    for (std::size_t i = 0; i < flags.size(); ++i)
        if (flags[i]) result.push_back(static_cast<int>(i));
    return result;
}

void check_atom(const Structure& structure, int atom) {
    if (atom < 0 || atom >= structure.size())
        throw InputError(
            fmt::format("atom {} does not exist: the structure has {} atoms", atom + 1, structure.size()));
}

Derived structure_from_detections(const Detections& detections, const DetectionOptions& options,
                                  BuildReport& report) {
    if (detections.empty()) throw InputError("no atoms were detected: there is nothing to build from");
    Derived result;
    int n_unlikely = 0, n_unknown = 0;
    for (std::size_t k = 0; k < detections.size(); ++k) {
        const Detection& detection = detections[k];
        const int index = static_cast<int>(k);
        const Eigen::Vector3d position(detection.x_angstrom * units::angstrom,
                                       detection.y_angstrom * units::angstrom, 0);
        if (!position.allFinite())
            throw InputError(
                fmt::format("detection {} has a position that is not a finite number", index + 1));
        // Written so that a probability that is not a number is left out as well.
        if (!(detection.probability >= options.min_probability)) {
            ++n_unlikely;
            report.remove(index, detection.atomic_number, position,
                          fmt::format("probability {:.2f} below {:.2f}", detection.probability,
                                      options.min_probability));
            continue;
        }
        if (detection.atomic_number <= 0) {
            if (options.refuse_unknown)
                throw InputError(
                    fmt::format("detection {} at ({:.2f}, {:.2f}) angstrom is of an unknown species: give it "
                                "an element or "
                                "leave unknown species out",
                                index + 1, detection.x_angstrom, detection.y_angstrom));
            ++n_unknown;
            report.remove(index, 0, position, "unknown species");
            continue;
        }
        result.structure.add(detection.atomic_number, position);
        result.origin.push_back(index);
    }
    if (n_unknown > 0) {
        report.counters["unknown_species"] += n_unknown;
        report.warnings.push_back(
            fmt::format("{} detected atoms of unknown species were left out", n_unknown));
    }
    if (result.origin.empty())
        throw InputError(fmt::format(
            "none of the {} detections can be used: {} are less probable than {}, {} are of unknown "
            "species",
            detections.size(), n_unlikely, options.min_probability, n_unknown));
    report.messages.push_back(fmt::format("{} atoms from {} detections: {}", result.structure.size(),
                                          detections.size(), result.structure.formula()));
    return result;
}

namespace {

/// Shortest contact of two elements that is accepted, bohr.
double shortest_contact(int a, int b, const RepairOptions& options) {
    const auto found = options.shortest.find(std::minmax(a, b));
    if (found != options.shortest.end()) return found->second;
    return options.shortest_factor * (covalent_radius(a) + covalent_radius(b));
}

struct Contact {
    int i, j;
    Eigen::Vector3d r_ij;
    double ratio;  ///< to the shortest accepted contact
};

/// All contacts that are too short, the worst first.
std::vector<Contact> short_contacts(const Structure& structure, const RepairOptions& options) {
    double cutoff = 0;
    for (const int a : structure.atomic_numbers) cutoff = std::max(cutoff, shortest_contact(a, a, options));
    for (const auto& [pair, length] : options.shortest) cutoff = std::max(cutoff, length);
    std::vector<Contact> result;
    const NeighborList pairs(structure, cutoff);
    for (int i = 0; i < structure.size(); ++i)
        for (const Neighbor& pair : pairs.of(i)) {
            const double limit =
                shortest_contact(element_of(structure, i), element_of(structure, pair.j), options);
            if (i < pair.j && pair.distance < limit)
                result.push_back({i, pair.j, pair.r_ij, pair.distance / limit});
        }
    std::stable_sort(result.begin(), result.end(),
                     [](const Contact& a, const Contact& b) { return a.ratio < b.ratio; });
    return result;
}

}  // namespace

Derived repair_short_bonds(const Structure& structure, const std::vector<double>& probability,
                           const RepairOptions& options, BuildReport& report) {
    if (!probability.empty() && probability.size() != structure.atomic_numbers.size())
        throw InputError(fmt::format("{} probabilities for {} atoms", probability.size(), structure.size()));
    Derived result{structure, all_indices(structure.size())};
    std::vector<double> weight = probability;
    if (weight.empty()) weight.assign(structure.atomic_numbers.size(), 1.0);

    // Atoms moved by a merge can come too close to others: again until nothing is too short. Each pass
    // removes at least one atom.
    for (std::vector<Contact> contacts = short_contacts(structure, options); !contacts.empty();
         contacts = short_contacts(result.structure, options)) {
        Structure& current = result.structure;
        if (options.on_short == RepairOptions::Short::refuse) {
            const Contact& worst = contacts.front();
            throw InputError(fmt::format(
                "{} and {} are {:.3f} angstrom apart, closer than the {:.3f} accepted ({} such contacts); "
                "choose "
                "to merge or remove them",
                atom_name(current, worst.i), atom_name(current, worst.j), worst.r_ij.norm() / units::angstrom,
                worst.r_ij.norm() / worst.ratio / units::angstrom, contacts.size()));
        }
        const BondGraph graph(current, options.bonds);
        std::vector<bool> kept(current.atomic_numbers.size(), true), touched(kept.size(), false);
        for (const Contact& contact : contacts) {
            const auto i = static_cast<std::size_t>(contact.i), j = static_cast<std::size_t>(contact.j);
            if (touched[i] || touched[j]) continue;
            touched[i] = touched[j] = true;
            const bool j_wins =
                weight[j] > weight[i] ||
                (weight[j] == weight[i] && graph.coordination(contact.j) > graph.coordination(contact.i));
            const auto winner = j_wins ? j : i, loser = j_wins ? i : j;
            const Eigen::Vector3d to_loser = j_wins ? Eigen::Vector3d(-contact.r_ij) : contact.r_ij;
            const std::string partner = fmt::format(
                "{:.3f} angstrom from atom {} ({}), which stays", contact.r_ij.norm() / units::angstrom,
                result.origin[winner] + 1, element_symbol(current.atomic_numbers[winner]));
            kept[loser] = false;
            const bool merge = options.on_short == RepairOptions::Short::merge;
            report.remove(result.origin[loser], current.atomic_numbers[loser],
                          current.positions.col(static_cast<Eigen::Index>(loser)),
                          (merge ? "merged, " : "") + partner);
            ++report.counters[merge ? "merged" : "removed_short"];
            if (!merge) continue;
            const double total = weight[i] + weight[j];
            const double share = total > 0 ? weight[loser] / total : 0.5;
            current.positions.col(static_cast<Eigen::Index>(winner)) += share * to_loser;
        }
        const std::vector<int> left = flagged(kept);
        std::vector<int> origin;
        std::vector<double> weight_left;
        for (const int k : left) {
            origin.push_back(result.origin[static_cast<std::size_t>(k)]);
            weight_left.push_back(weight[static_cast<std::size_t>(k)]);
        }
        result = {current.selected(left), std::move(origin)};
        weight = std::move(weight_left);
    }
    return result;
}

void report_long_bonds(const Derived& result, const RepairOptions& options, BuildReport& report) {
    constexpr int most_listed = 12;
    int n_long = 0;
    double longest = 0;
    for (const Bond& bond : BondGraph(result.structure, options.bonds).bonds()) {
        const int a = element_of(result.structure, bond.i), b = element_of(result.structure, bond.j);
        if (bond.length <= options.long_bond_factor * (covalent_radius(a) + covalent_radius(b))) continue;
        longest = std::max(longest, bond.length);
        if (++n_long > most_listed) continue;
        report.messages.push_back(fmt::format("long bond: atoms {} ({}) and {} ({}), {:.3f} angstrom",
                                              result.origin[static_cast<std::size_t>(bond.i)] + 1,
                                              element_symbol(a),
                                              result.origin[static_cast<std::size_t>(bond.j)] + 1,
                                              element_symbol(b), bond.length / units::angstrom));
    }
    if (n_long > most_listed)
        report.messages.push_back(fmt::format("and {} more long bonds", n_long - most_listed));
    if (n_long > 0) {
        report.counters["long_bonds"] += n_long;
        report.warnings.push_back(
            n_long == 1 ? fmt::format("a bond is unusually long: {:.2f} angstrom", longest / units::angstrom)
                        : fmt::format("{} bonds are unusually long, up to {:.2f} angstrom", n_long,
                                      longest / units::angstrom));
    }
}

Structure regularise_in_plane(const Structure& structure, const RegulariseOptions& options,
                              BuildReport& report) {
    if (!(options.bond_length > 0) || !(options.max_displacement > 0) || options.iterations < 1)
        throw InputError(
            "bond length, largest displacement and iterations of the regularisation must be positive");
    Structure result = structure;
    std::vector<Bond> bonds = BondGraph(structure, options.bonds).bonds();
    std::erase_if(bonds, [&](const Bond& b) {
        return element_of(structure, b.i) != 6 || element_of(structure, b.j) != 6;
    });
    // Steepest descent on sum (|r_ij| - L)^2 / 2 + k sum |u_i|^2 / 2 over displacements u in the plane. No
    // atom has more than about four bonds, so that the curvature stays below 2 * 4 + k.
    const double step = 1.0 / (8.0 + options.restoring_stiffness);
    Eigen::Matrix2Xd u = Eigen::Matrix2Xd::Zero(2, structure.size());
    for (int iteration = 0; iteration < options.iterations; ++iteration) {
        Eigen::Matrix2Xd force = -options.restoring_stiffness * u;
        for (const Bond& bond : bonds) {
            const Eigen::Vector2d r = bond.r_ij.head<2>() + u.col(bond.j) - u.col(bond.i);
            if (r.norm() == 0) continue;
            const Eigen::Vector2d pull = (r.norm() - options.bond_length) * r.normalized();
            force.col(bond.i) += pull;
            force.col(bond.j) -= pull;
        }
        u += step * force;
        for (int i = 0; i < structure.size(); ++i)
            if (u.col(i).norm() > options.max_displacement)
                u.col(i) *= options.max_displacement / u.col(i).norm();
    }
    result.positions.topRows<2>() += u;
    const double largest = structure.size() == 0 ? 0.0 : u.colwise().norm().maxCoeff();
    const double rms = structure.size() == 0 ? 0.0 : std::sqrt(u.squaredNorm() / structure.size());
    report.messages.push_back(
        fmt::format("regularised in the plane: atoms moved by {:.3f} angstrom rms, {:.3f} at most",
                    rms / units::angstrom, largest / units::angstrom));
    return result;
}

}  // namespace stembridge
