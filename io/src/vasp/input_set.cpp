// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/io/vasp_input.hpp"
#include "structure/formats.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

constexpr int carbon = 6;
constexpr int hydrogen = 1;

bool is_transition_metal(int z) {
    return (z >= 21 && z <= 30) || (z >= 39 && z <= 48) || (z >= 72 && z <= 80);
}

/// The data set of an element in potpaw_PBE, and how its TITEL line begins.
struct Potential {
    std::string folder;
    std::string title;
};

Potential potential(int z) {
    const std::string& symbol = element_symbol(z);
    if (symbol == "C") return {"C", "PAW_PBE C 08Apr2002"};
    if (symbol == "H") return {"H", "PAW_PBE H 15Jun2001"};
    if (symbol == "Si") return {"Si", "PAW_PBE Si 05Jan2001"};
    if (symbol == "Cr") return {"Cr_pv", "PAW_PBE Cr_pv 02Aug2007"};
    return {symbol, "PAW_PBE " + symbol};
}

/// Lines "KEY = value", in order.
class Incar {
  public:
    void set(const std::string& key, const std::string& value) {
        text_ += fmt::format("{:<8}= {}\n", key, value);
    }
    void set(const std::string& key, int value) { set(key, std::to_string(value)); }
    /// Ten digits: a conversion of units must not show.
    void set(const std::string& key, double value) { set(key, fmt::format("{:.10g}", value)); }
    void heading(const std::string& text) { text_ += "\n# " + text + "\n"; }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

/// The structure in the order of the rows.
struct Ordered {
    Structure structure;
    std::vector<int> atom_of_row;
};

Ordered ordered(const Structure& structure, const VaspInputOptions& options) {
    if (structure.size() == 0) throw InputError("a VASP input needs atoms, the structure has none");
    if (structure.cell.volume() < 1e-6)
        throw InputError(
            "a VASP input needs a periodic box, the structure has none: give it one with vacuum");
    structure.validate();
    Ordered result{{}, vasp_order(structure)};
    result.structure = structure.selected(result.atom_of_row);
    result.structure.cell = structure.cell;
    result.structure.cell.periodic = {true, true, true};
    result.structure.comment = structure.formula();
    if (!options.keep_velocities) result.structure.velocities.resize(3, 0);
    if (options.keep_velocities && structure.velocities.cols() == 0)
        throw InputError("the velocities are to be kept, but the structure has none");
    if (result.structure.fixed.cols() != 0 && !result.structure.fixed.any())
        result.structure.fixed.resize(3, 0);
    return result;
}

/// Elements in the order of the blocks with their counts.
std::vector<std::pair<int, int>> blocks(const Structure& structure) {
    std::vector<std::pair<int, int>> result;
    for (const int z : structure.atomic_numbers) {
        if (result.empty() || result.back().first != z) result.emplace_back(z, 0);
        ++result.back().second;
    }
    return result;
}

std::string kpoints_text(const VaspInputOptions& o) {
    return fmt::format("Automatic mesh\n0\n{}\n{} {} {}\n0 0 0\n",
                       o.kpoints_gamma_centered ? "Gamma" : "Monkhorst-Pack", o.kpoints[0], o.kpoints[1],
                       o.kpoints[2]);
}

std::string atom_map_text(const Ordered& ordered) {
    std::string text = "row,atom,element\n";
    for (std::size_t row = 0; row < ordered.atom_of_row.size(); ++row)
        text += fmt::format("{},{},{}\n", row + 1, ordered.atom_of_row[row] + 1,
                            element_symbol(ordered.structure.atomic_numbers[row]));
    return text;
}

/// n*m terms, in the order of the rows.
std::string magmom(const std::vector<double>& moments) {
    std::string text;
    for (std::size_t begin = 0; begin < moments.size();) {
        std::size_t end = begin;
        while (end < moments.size() && moments[end] == moments[begin]) ++end;
        text += fmt::format("{}{}*{:g}", text.empty() ? "" : " ", end - begin, moments[begin]);
        begin = end;
    }
    return text;
}

void write_script(const fs::path& path, const std::string& text) {
    write_text_atomically(path, text);
    std::error_code ignored;  // a file system without execute bits: `sh script` works anyway
    fs::permissions(path, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add, ignored);
}

void write_potcar_recipe(const fs::path& folder, const Structure& structure) {
    std::string spec;
    std::string folders;
    for (const auto& [z, count] : blocks(structure)) {
        const Potential p = potential(z);
        spec += p.title + "\n";
        folders += " " + p.folder;
    }
    write_text_atomically(folder / "POTCAR.spec", spec);
    write_script(folder / "make_potcar.sh",
                 "#!/bin/sh\n"
                 "# Joins the licensed data sets into POTCAR, in the order of POSCAR.\n"
                 "# usage: ./make_potcar.sh FOLDER_OF_POTPAW_PBE\n"
                 "set -eu\n"
                 ": \"${1:?usage: ./make_potcar.sh FOLDER_OF_POTPAW_PBE}\"\n"
                 "here=$(dirname \"$0\")\n"
                 "for element in" +
                     folders +
                     "; do cat \"$1/$element/POTCAR\"; done > \"$here/POTCAR.part\"\n"
                     "mv \"$here/POTCAR.part\" \"$here/POTCAR\"\n"
                     "\"$here/check_potcar.sh\"\n");
    write_script(
        folder / "check_potcar.sh",
        "#!/bin/sh\n"
        "# Compares the titles in POTCAR with POTCAR.spec, line by line; a spec without a date takes any.\n"
        "set -eu\n"
        "cd \"$(dirname \"$0\")\"\n"
        "sed -n 's/^ *TITEL *= *//p' POTCAR > .titles\n"
        "trap 'rm -f .titles' EXIT\n"
        "if [ \"$(wc -l < .titles)\" -ne \"$(wc -l < POTCAR.spec)\" ]; then\n"
        "    echo \"POTCAR holds $(wc -l < .titles) data sets, POTCAR.spec asks for $(wc -l < "
        "POTCAR.spec)\"\n"
        "    exit 1\n"
        "fi\n"
        "n=0\n"
        "while read -r wanted; do\n"
        "    n=$((n + 1))\n"
        "    found=$(sed -n \"${n}p\" .titles)\n"
        "    case \"$found \" in\n"
        "    \"$wanted \"*) ;;\n"
        "    *) echo \"data set $n of POTCAR is '$found', expected '$wanted'\"; exit 1 ;;\n"
        "    esac\n"
        "done < POTCAR.spec\n"
        "echo \"POTCAR fits POTCAR.spec\"\n");
}

const char* how_to_run =
    "1. `./make_potcar.sh FOLDER` with the folder of your licensed potpaw_PBE data sets. POTCAR is never "
    "part of "
    "this folder; `check_potcar.sh` compares its titles with `POTCAR.spec`.\n"
    "2. Run VASP here (`vasp_gam` for a Gamma-only mesh, `vasp_std` otherwise).\n"
    "3. `stembridge vasp read . --json result.json` reads the result, `stembridge vasp compare .` sets it "
    "beside "
    "SCC-DFTB.\n\n"
    "`atom_map.csv` says which atom of the structure stands in which row of POSCAR; both are counted from "
    "1.\n"
    "The T and F flags of POSCAR act along the lattice vectors.\n";

/// The files every folder has.
void write_common(const fs::path& folder, const Ordered& ordered, const VaspInputOptions& options,
                  const Incar& incar, const std::string& purpose) {
    write_text_atomically(folder / "INCAR", incar.text());
    write_text_atomically(folder / "KPOINTS", kpoints_text(options));
    write_text_atomically(folder / "POSCAR", format_poscar(ordered.structure));
    write_text_atomically(folder / "atom_map.csv", atom_map_text(ordered));
    write_potcar_recipe(folder, ordered.structure);
    write_text_atomically(folder / "README.md",
                          fmt::format("# {}: {}\n\n{}", ordered.structure.formula(), purpose, how_to_run));
}

void add_spin(Incar& incar, const Ordered& ordered, const VaspInputOptions& options,
              const std::vector<double>& moments) {
    incar.heading("spin");
    incar.set("ISPIN", options.spin_polarized ? 2 : 1);
    if (!options.spin_polarized) return;
    std::vector<double> in_rows;
    for (const int atom : ordered.atom_of_row)
        in_rows.push_back(!moments.empty() ? moments[static_cast<std::size_t>(atom)] : 0.0);
    if (moments.empty())
        for (std::size_t row = 0; row < in_rows.size(); ++row)
            in_rows[row] = is_transition_metal(ordered.structure.atomic_numbers[row]) ? 5 : 0;
    // Without any moment to begin with VASP would stay unpolarised; its own default is 1 per atom.
    if (std::all_of(in_rows.begin(), in_rows.end(), [](double m) { return m == 0; }))
        std::fill(in_rows.begin(), in_rows.end(), 1.0);
    incar.set("MAGMOM", magmom(in_rows));
    if (options.unpaired) incar.set("NUPDOWN", *options.unpaired);
    incar.set("LORBIT", 11);
    incar.set("LMAXMIX", 4);
}

void write_relaxation(const fs::path& folder, const Structure& structure, const VaspInputOptions& options,
                      const std::vector<double>& moments, const std::string& purpose) {
    const Ordered rows = ordered(structure, options);
    // One atom in a box has nothing to relax.
    const bool can_move = structure.size() > 1 && !(structure.fixed.cols() != 0 && structure.fixed.all());
    Incar incar;
    incar.set("SYSTEM", structure.formula());
    incar.heading("electrons");
    incar.set("GGA", "PE");
    incar.set("PREC", "Accurate");
    incar.set("ENCUT", options.cutoff_ev);
    incar.set("EDIFF", "1E-6");
    incar.set("ISMEAR", 0);
    incar.set("SIGMA", options.sigma_ev);
    incar.set("ALGO", "Normal");
    incar.set("NELM", 200);
    incar.set("NELMIN", 4);
    incar.set("LREAL", ".FALSE.");
    incar.set("IVDW", options.dispersion);
    incar.set("ISYM", 0);
    add_spin(incar, rows, options, moments);
    incar.heading("ions: cell fixed, until every force is below |EDIFFG| eV/angstrom");
    incar.set("IBRION", can_move ? 2 : -1);
    incar.set("ISIF", 2);
    incar.set("NSW", can_move ? options.relaxation_steps : 0);
    incar.set("EDIFFG", -options.max_force_ev_per_angstrom);
    incar.set("POTIM", 0.5);
    incar.heading("files");
    incar.set("LWAVE", ".FALSE.");
    incar.set("LCHARG", ".FALSE.");
    write_common(folder, rows, options, incar, purpose);
}

}  // namespace

std::vector<int> vasp_order(const Structure& structure) {
    const auto rank = [&](int atom) {
        const int z = structure.atomic_numbers[static_cast<std::size_t>(atom)];
        return z == carbon ? -2 : z == hydrogen ? -1 : z;
    };
    std::vector<int> order(static_cast<std::size_t>(structure.size()));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return rank(a) < rank(b); });
    return order;
}

void write_vasp_relaxation(const fs::path& folder, const Structure& structure,
                           const VaspInputOptions& options, const std::vector<double>& moments) {
    VaspInputOptions still = options;
    still.keep_velocities = false;
    write_relaxation(folder, structure, still, moments, "relaxation in a fixed cell");
}

void write_vasp_dynamics(const fs::path& folder, const Structure& structure, const VaspInputOptions& options,
                         const std::vector<double>& temperatures_k) {
    if (temperatures_k.empty()) throw InputError("a dynamics needs at least one temperature");
    const Ordered rows = ordered(structure, options);
    std::string list;
    for (const double temperature : temperatures_k) {
        if (!(temperature > 0))
            throw InputError(fmt::format("the temperature {} K is not positive", temperature));
        constexpr double boltzmann_ev = units::kelvin / units::electronvolt;
        Incar incar;
        incar.set("SYSTEM", fmt::format("{} at {:g} K", structure.formula(), temperature));
        incar.heading("electrons");
        incar.set("GGA", "PE");
        incar.set("PREC", "Normal");
        incar.set("ENCUT", options.cutoff_ev);
        incar.set("EDIFF", "1E-5");
        incar.set("ISMEAR", options.fermi_at_temperature ? -1 : 0);
        incar.set("SIGMA", options.fermi_at_temperature ? boltzmann_ev * temperature : options.sigma_ev);
        incar.set("ALGO", "Fast");
        incar.set("NELM", 200);
        incar.set("NELMIN", 4);
        incar.set("MAXMIX", 40);
        incar.set("LREAL", "Auto");
        incar.set("IVDW", options.dispersion);
        incar.set("ISYM", 0);
        add_spin(incar, rows, options, {});
        incar.heading("ions: Nose-Hoover; without SMASS VASP would run at constant energy");
        incar.set("IBRION", 0);
        incar.set("MDALGO", 2);
        incar.set("SMASS", 0);
        incar.set("ISIF", 2);
        incar.set("POTIM", options.timestep_fs);
        incar.set("NSW", options.dynamics_steps);
        incar.set("TEBEG", temperature);
        incar.set("TEEND", temperature);
        incar.set("NBLOCK", 1);
        incar.set("KBLOCK", options.dynamics_steps);
        incar.heading("files");
        incar.set("LWAVE", ".FALSE.");
        incar.set("LCHARG", ".FALSE.");
        const std::string name = fmt::format("{:g}K", temperature);
        write_common(folder / name, rows, options, incar, fmt::format("dynamics at {:g} K", temperature));
        list += fmt::format("- `{}/`\n", name);
    }
    write_text_atomically(
        folder / "README.md",
        fmt::format(
            "# {}: dynamics at {} temperatures\n\n{} steps of {:g} fs each, Nose-Hoover (MDALGO = 2 needs a "
            "VASP built with -Dtbdyn, the default since 5.4.4).\n{}\n\n{}\nTo continue a run copy CONTCAR "
            "over POSCAR: it holds the next positions and the velocities. Watch the drift of the conserved "
            "energy: a bond to hydrogen has few samples per period at 1 fs.\n",
            structure.formula(), temperatures_k.size(), options.dynamics_steps, options.timestep_fs,
            options.keep_velocities ? "The velocities stand in POSCAR (angstrom/fs)."
                                    : "VASP draws the velocities for TEBEG.",
            list));
}

void write_vasp_spin_scan(const fs::path& folder, const Structure& structure, const VaspInputOptions& options,
                          const std::vector<int>& unpaired) {
    VaspInputOptions one = options;
    one.spin_polarized = true;
    one.keep_velocities = false;
    one.unpaired.reset();
    write_relaxation(folder / "free", structure, one, {}, "spin-polarised relaxation, free moment");
    std::string list = "- `free/` free moment\n";
    for (const int n : unpaired) {
        if (n < 0) throw InputError(fmt::format("{} unpaired electrons: the number cannot be negative", n));
        one.unpaired = n;
        const std::string name = fmt::format("unpaired-{}", n);
        write_relaxation(folder / name, structure, one, {},
                         fmt::format("spin-polarised relaxation, {} unpaired electrons", n));
        list += fmt::format("- `{}/` NUPDOWN = {}\n", name, n);
    }
    write_text_atomically(
        folder / "README.md",
        fmt::format("# {}: which spin state is lowest\n\n{}\nThe lowest energy(sigma->0) is the "
                    "ground state; the free moment stands behind \"magnetization\" in OUTCAR.\n",
                    structure.formula(), list));
}

void write_vasp_adsorption(const fs::path& folder, const Structure& structure,
                           const std::vector<int>& adsorbate, const VaspInputOptions& options) {
    const std::set<int> adsorbed(adsorbate.begin(), adsorbate.end());
    if (adsorbed.empty() || static_cast<int>(adsorbed.size()) >= structure.size())
        throw InputError(fmt::format("the adsorbate has {} of {} atoms: some, but not all, are needed",
                                     adsorbed.size(), structure.size()));
    if (*adsorbed.begin() < 0 || *adsorbed.rbegin() >= structure.size())
        throw InputError(fmt::format("the adsorbate names atom {}, the structure has {}",
                                     *adsorbed.begin() < 0 ? *adsorbed.begin() + 1 : *adsorbed.rbegin() + 1,
                                     structure.size()));
    std::vector<int> sheet;
    std::vector<double> moments(static_cast<std::size_t>(structure.size()), 0.0);
    for (int atom = 0; atom < structure.size(); ++atom) {
        const int z = structure.atomic_numbers[static_cast<std::size_t>(atom)];
        if (!adsorbed.contains(atom))
            sheet.push_back(atom);
        else if (z != hydrogen)
            moments[static_cast<std::size_t>(atom)] = is_transition_metal(z) ? 5 : 1;
    }
    const std::vector<int> alone(adsorbed.begin(), adsorbed.end());
    const auto part = [&](const std::vector<int>& atoms) {
        Structure result = structure.selected(atoms);
        result.cell = structure.cell;  // the same box, so that errors of the box cancel
        return result;
    };
    const auto of = [&](const std::vector<int>& atoms) {
        std::vector<double> result;
        for (const int atom : atoms) result.push_back(moments[static_cast<std::size_t>(atom)]);
        return result;
    };
    VaspInputOptions still = options;
    still.keep_velocities = false;
    write_relaxation(folder / "system", structure, still, moments, "sheet with adsorbate");
    write_relaxation(folder / "sheet", part(sheet), still, of(sheet), "sheet alone");
    write_relaxation(folder / "adsorbate", part(alone), still, of(alone), "adsorbate alone");
    write_text_atomically(
        folder / "README.md",
        fmt::format(
            "# {} on {}: binding energy\n\nThree runs with the same box, cut-off, k-points, smearing and "
            "projection:\n\n"
            "- `system/` both together\n- `sheet/` the sheet alone\n- `adsorbate/` the adsorbate alone\n\n"
            "    E_bind = E0(sheet) + E0(adsorbate) - E0(system)\n\n"
            "with E0 = energy(sigma->0). **Positive = bound.** Part of the literature quotes the opposite "
            "sign.\n\n{}\n",
            part(alone).formula(), part(sheet).formula(),
            options.spin_polarized
                ? "The runs are spin-polarised (ISPIN = 2): atoms and radicals have open shells."
                : "The runs are not spin-polarised (ISPIN = 1): a free atom or radical with an open shell is "
                  "then too "
                  "high in energy, and the binding energy too large."));
}

std::vector<int> read_vasp_atom_map(const fs::path& path) {
    const std::string text = read_text(path);
    LineReader lines(text, path.string());
    if (trimmed(lines.expect("row,atom,element")) != "row,atom,element")
        lines.fail("the first line of an atom map is 'row,atom,element'");
    std::vector<int> atoms;
    while (!lines.only_blanks_follow()) {
        const auto parts = words(*lines.next(), ',');
        if (parts.size() != 3) lines.fail("expected row,atom,element");
        const auto row = integer(lines, parts[0], "a row");
        const auto atom = integer(lines, parts[1], "the number of an atom");
        if (row != static_cast<std::int64_t>(atoms.size()) + 1)
            lines.fail(fmt::format("row {} stands where row {} should", row, atoms.size() + 1));
        if (atom < 1 || atom > 100'000'000) lines.fail(fmt::format("there is no atom {}", atom));
        atoms.push_back(static_cast<int>(atom - 1));
    }
    const std::set<int> all(atoms.begin(), atoms.end());
    if (all.size() != atoms.size() || (!all.empty() && *all.rbegin() != static_cast<int>(atoms.size()) - 1))
        lines.fail(fmt::format("the {} rows do not name each atom once", atoms.size()));
    return atoms;
}

}  // namespace stembridge::io
