// SPDX-License-Identifier: Apache-2.0
// vasprun.xml of VASP 4.6 to 6.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <pugixml.hpp>

#include "structure/text.hpp"
#include "vasp/numbers.hpp"
#include "vasp/readers.hpp"
#include "vasp/xml_outline.hpp"

namespace stembridge::io {
namespace {

/// One section as a tree. VASP declares ISO-8859-1.
pugi::xml_document parse(std::string_view text) {
    pugi::xml_document document;
    const auto result =
        document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_latin1);
    if (!result)
        throw Damage(
            fmt::format("a section that is no XML ({}): {}", result.description(), text.substr(0, 40)));
    return document;
}

pugi::xml_node child_named(const pugi::xml_node& parent, const char* element, std::string_view name) {
    for (const pugi::xml_node child : parent.children(element))
        if (name == child.attribute("name").value()) return child;
    return {};
}

/// Every <i> and <v> below a node, by name; the first one of a name counts.
void collect_values(const pugi::xml_node& parent, std::map<std::string, std::string>& values) {
    for (const pugi::xml_node child : parent.children()) {
        const std::string_view element = child.name();
        if (element == "i" || element == "v")
            values.emplace(child.attribute("name").value(), trimmed(child.text().get()));
        else if (element == "separator")
            collect_values(child, values);
    }
}

/// A <varray>: (3, rows). @throw Damage unless every row holds three numbers
Eigen::Matrix3Xd vectors(const pugi::xml_node& array, const std::string& what) {
    std::vector<double> all;
    for (const pugi::xml_node row : array.children("v")) {
        const auto numbers = fortran_numbers(row.text().get());
        if (!numbers || numbers->size() != 3)
            throw Damage(
                fmt::format("{}: the row '{}' is not three numbers", what, trimmed(row.text().get())));
        all.insert(all.end(), numbers->begin(), numbers->end());
    }
    return Eigen::Map<const Eigen::Matrix3Xd>(all.data(), 3, static_cast<Eigen::Index>(all.size() / 3));
}

/// A value of an <energy> block; VASP repeats names, the last one counts.
std::optional<double> energy(const pugi::xml_node& block, std::string_view name) {
    std::optional<double> result;
    for (const pugi::xml_node value : block.children("i"))
        if (name == value.attribute("name").value()) result = leading_number(value.text().get());
    return result;
}

std::optional<double> difference(std::optional<double> a, std::optional<double> b) {
    return a && b ? std::optional(*a - *b) : std::nullopt;
}

std::optional<double> sum(std::optional<double> a, std::optional<double> b) {
    return a && b ? std::optional(*a + *b) : std::nullopt;
}

void read_settings(const pugi::xml_node& parameters, VaspRun& run) {
    std::map<std::string, std::string> values;
    collect_values(parameters, values);
    const auto integer = [&](const char* key) {
        const auto found = values.find(key);
        return found == values.end() ? std::nullopt : leading_integer(found->second);
    };
    const auto real = [&](const char* key) {
        const auto found = values.find(key);
        return found == values.end() ? std::nullopt : leading_number(found->second);
    };
    VaspSettings& s = run.settings;
    s.steps_wanted = integer("NSW");
    s.ionic = integer("IBRION");
    s.stress = integer("ISIF");
    s.max_electronic = integer("NELM");
    s.smearing = integer("ISMEAR");
    s.spin = integer("ISPIN");
    if (const auto ivdw = integer("IVDW")) s.dispersion = ivdw;
    s.dynamics = integer("MDALGO");
    s.cutoff_ev = real("ENMAX");
    s.sigma_ev = real("SIGMA");
    s.force_criterion = real("EDIFFG");
    s.timestep_fs = real("POTIM");
    s.electrons = real("NELECT");
}

void read_kpoints(const pugi::xml_node& kpoints, VaspRun& run) {
    const pugi::xml_node generation = kpoints.child("generation");
    if (!generation) {
        const pugi::xml_node list = child_named(kpoints, "varray", "kpointlist");
        if (list)
            run.settings.kpoints =
                fmt::format("explicit list of {}", std::distance(list.begin(), list.end()));
        return;
    }
    const auto divisions = fortran_numbers(child_named(generation, "v", "divisions").text().get());
    run.settings.kpoints = generation.attribute("param").value();
    if (divisions)
        for (const double n : *divisions) run.settings.kpoints += fmt::format(" {:.0f}", n);
    const auto shift = fortran_numbers(child_named(generation, "v", "usershift").text().get());
    if (shift && shift->size() == 3) run.settings.kpoint_shift = {(*shift)[0], (*shift)[1], (*shift)[2]};
}

void read_atoms(const pugi::xml_node& atominfo, VaspRun& run) {
    for (const pugi::xml_node row : child_named(atominfo, "array", "atoms").child("set").children("rc"))
        run.species.emplace_back(trimmed(row.child("c").text().get()));
    run.n_atoms = static_cast<int>(run.species.size());
    if (const auto announced = leading_integer(atominfo.child("atoms").text().get());
        announced && *announced != *run.n_atoms)
        throw Damage(fmt::format("<atominfo> announces {} atoms but lists {}", *announced, *run.n_atoms));
    // Columns: atoms of the type, element, mass, valence electrons, potential.
    const pugi::xml_node types = child_named(atominfo, "array", "atomtypes").child("set");
    if (types.child("rc")) run.settings.valence_electrons = 0;
    for (const pugi::xml_node row : types.children("rc")) {
        run.settings.titles.emplace_back(trimmed(row.last_child().text().get()));
        std::vector<std::string_view> columns;
        for (const pugi::xml_node column : row.children("c")) columns.emplace_back(column.text().get());
        const auto atoms = columns.size() > 3 ? leading_integer(columns[0]) : std::nullopt;
        const auto of_one = columns.size() > 3 ? leading_number(columns[3]) : std::nullopt;
        auto& valence = run.settings.valence_electrons;
        valence = valence && atoms && of_one ? std::optional(*valence + *atoms * *of_one) : std::nullopt;
    }
}

void read_flags(const pugi::xml_node& structure, VaspRun& run) {
    const pugi::xml_node flags = child_named(structure, "varray", "selective");
    if (!flags) return;
    std::vector<bool> all;
    for (const pugi::xml_node row : flags.children("v"))
        for (const std::string_view word : words(row.text().get())) all.push_back(word.starts_with('T'));
    if (!run.n_atoms || all.size() != 3 * static_cast<std::size_t>(*run.n_atoms))
        throw Damage(fmt::format("{} selective flags for {} atoms", all.size(), run.n_atoms.value_or(0)));
    run.free_along.resize(3, *run.n_atoms);
    for (Eigen::Index i = 0; i < run.free_along.size(); ++i)
        run.free_along(i % 3, i / 3) = all[static_cast<std::size_t>(i)];
}

VaspStep read_step(const pugi::xml_node& calculation, const VaspRun& run, std::size_t number) {
    const std::string where = fmt::format("ionic step {}", number);
    const auto only_child = [&](const char* element) {
        const pugi::xml_node node = calculation.child(element);
        if (node && node.next_sibling(element))
            throw Damage(
                fmt::format("{} holds <{}> twice (several programs wrote into one file?)", where, element));
        return node;
    };
    VaspStep step;
    const pugi::xml_node structure = only_child("structure");
    const Eigen::Matrix3Xd basis = vectors(child_named(structure.child("crystal"), "varray", "basis"), where);
    const Eigen::Matrix3Xd fractions = vectors(child_named(structure, "varray", "positions"), where);
    if (basis.cols() != 3 || fractions.cols() != *run.n_atoms || !basis.allFinite() || !fractions.allFinite())
        throw Damage(fmt::format("{}: {} lattice vectors and {} positions, expected 3 and {}, all finite",
                                 where, basis.cols(), fractions.cols(), *run.n_atoms));
    step.lattice_angstrom = basis;
    step.positions_angstrom = step.lattice_angstrom * fractions;
    if (const pugi::xml_node forces = child_named(calculation, "varray", "forces")) {
        step.forces_ev_per_angstrom = vectors(forces, where + ", forces");
        if (step.forces_ev_per_angstrom.cols() != *run.n_atoms)
            throw Damage(fmt::format("{}: {} forces for {} atoms", where, step.forces_ev_per_angstrom.cols(),
                                     *run.n_atoms));
    }
    if (const pugi::xml_node stress = child_named(calculation, "varray", "stress")) {
        const Eigen::Matrix3Xd rows = vectors(stress, where + ", stress");
        if (rows.cols() != 3) throw Damage(where + ": the stress is no 3 x 3 matrix");
        if (rows.allFinite()) step.stress_kbar = Eigen::Matrix3d(rows);
    }

    // The fields of the step's own block other than e_fr_energy mean other things before VASP 6.1, and those
    // of the electronic steps lack the dispersion: E0 = F + [e_0 - e_fr], E = F - [e_fr - e_wo] of the last
    // electronic step hold for every version.
    const pugi::xml_node block = only_child("energy");
    pugi::xml_node electronic;
    for (const pugi::xml_node scstep : calculation.children("scstep")) {
        electronic = scstep.child("energy");
        ++step.n_electronic;
    }
    const auto free_electronic = energy(electronic, "e_fr_energy");
    step.energy_free_ev = energy(block, "e_fr_energy");
    step.energy_zero_ev =
        sum(step.energy_free_ev, difference(energy(electronic, "e_0_energy"), free_electronic));
    step.energy_ev = sum(step.energy_free_ev, difference(energy(electronic, "e_wo_entrp"), free_electronic));
    step.offset_ev = difference(step.energy_free_ev, free_electronic);
    step.electrons_converged =
        !run.settings.max_electronic || step.n_electronic < *run.settings.max_electronic;

    step.kinetic_ev = energy(block, "kinetic");
    step.conserved_ev = energy(block, "total");
    if (step.kinetic_ev && run.is_dynamics()) {
        // With a moving cell (MDALGO 3, ISIF 3) its kinetic energy counts too.
        const double lattice = run.settings.stress == 3 ? energy(block, "lattice kinetic").value_or(0) : 0;
        step.temperature_k = temperature(run, *step.kinetic_ev + lattice);
    }
    return step;
}

}  // namespace

void read_vasprun(std::string_view text, VaspRun& run) {
    const XmlOutline outline = outline_xml(text, "modeling");
    int bare_steps = 0;
    for (const XmlSection& section : outline.sections) {
        if (section.name == "varray") {
            // A step of force-field dynamics: <structure>, forces, ... without <calculation>.
            const std::string_view tag = section.text.substr(0, section.text.find('>'));
            if (tag.find("\"forces\"") != std::string_view::npos) ++bare_steps;
            continue;
        }
        static constexpr std::array<std::string_view, 7> used = {
            "generator", "incar", "parameters", "kpoints", "atominfo", "structure", "calculation"};
        if (std::find(used.begin(), used.end(), section.name) == used.end()) continue;
        const pugi::xml_document document = parse(section.text);
        const pugi::xml_node root = document.first_child();
        if (section.name == "generator")
            run.version = plain_version(child_named(root, "i", "version").text().get());
        else if (section.name == "incar")
            run.settings.dispersion = leading_integer(child_named(root, "i", "IVDW").text().get());
        else if (section.name == "parameters")
            read_settings(root, run);
        else if (section.name == "kpoints")
            read_kpoints(root, run);
        else if (section.name == "atominfo") {
            if (run.n_atoms) throw Damage("<atominfo> stands twice (several programs wrote into one file?)");
            read_atoms(root, run);
        } else if (section.name == "calculation") {
            if (!run.n_atoms) throw Damage("a step stands before <atominfo>");
            run.steps.push_back(read_step(root, run, run.steps.size() + 1));
        } else if (std::string_view(root.attribute("name").value()) == "initialpos") {
            read_flags(root, run);
        }
    }
    if (bare_steps > 0)
        run.notes.emplace_back(
            "the file also holds force-field steps outside <calculation>; only the ab initio steps are used");
    if (outline.closed && !run.steps.empty()) return judge_ended_run(run, std::nullopt);
    run.status = VaspStatus::unfinished;
    run.notes.push_back(fmt::format("{} after {} complete ionic steps",
                                    outline.closed ? "the file ends" : "the file is cut off",
                                    run.steps.size()));
    if (outline.open_section.starts_with("<calculation"))
        run.notes.emplace_back("a partial step after them is left out");
}

}  // namespace stembridge::io
