// SPDX-License-Identifier: Apache-2.0
// Which file of a run is read, and what follows from its numbers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "bytes.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/vasp_run.hpp"
#include "structure/formats.hpp"
#include "vasp/compressed.hpp"
#include "vasp/readers.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

using Kind = VaspRun::Kind;

constexpr const char* accepted_files =
    "vasprun.xml, OUTCAR, OSZICAR, XDATCAR, CONTCAR, POSCAR (plain, .gz or .xz), or a folder that holds one";

std::optional<Kind> kind_from_name(const std::string& name) {
    const std::string lower = lower_case(name);
    for (const auto& [word, kind] :
         std::initializer_list<std::pair<const char*, Kind>>{{"vasprun", Kind::vasprun},
                                                             {"outcar", Kind::outcar},
                                                             {"oszicar", Kind::oszicar},
                                                             {"xdatcar", Kind::xdatcar},
                                                             {"contcar", Kind::poscar},
                                                             {"poscar", Kind::poscar},
                                                             {".vasp", Kind::poscar}})
        if (lower.find(word) != std::string::npos) return kind;
    return std::nullopt;
}

std::optional<Kind> kind_from_content(std::string_view text) {
    const std::string_view start = text.substr(0, 4000);
    const auto holds = [&](std::string_view word) { return start.find(word) != std::string_view::npos; };
    if (holds("<modeling>")) return Kind::vasprun;
    if (start.substr(0, 20).find("vasp.") != std::string_view::npos) return Kind::outcar;
    if (holds("Direct configuration=")) return Kind::xdatcar;
    if (holds("d eps       ncg")) return Kind::oszicar;
    return std::nullopt;
}

/// A file of this name in a folder, compressed or not.
std::optional<fs::path> file_of_name(const fs::path& folder, const std::string& name) {
    for (const char* suffix : {"", ".gz", ".xz"})
        if (fs::is_regular_file(folder / (name + suffix))) return folder / (name + suffix);
    return std::nullopt;
}

/// The only file in a folder whose name begins as this one. @throw InputError where there are several
std::optional<fs::path> file_named_like(const fs::path& folder, const std::string& name) {
    std::vector<fs::path> found;
    const std::string stem = name.substr(0, name.find('.'));
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().filename().string().starts_with(stem))
            found.push_back(entry.path());
    if (found.size() > 1) {
        std::sort(found.begin(), found.end());
        throw InputError(fmt::format("'{}' holds {} files {}...: name the one to read", folder.string(),
                                     found.size(), stem));
    }
    return found.empty() ? std::nullopt : std::optional(found.front());
}

VaspRun read_file(const fs::path& path) {
    const MappedFile file(path);
    const Decompressed content = decompress(file.text());
    auto kind = kind_from_name(path.filename().string());
    if (!kind) kind = kind_from_content(content.text);
    if (!kind)
        throw InputError(fmt::format("'{}' is no VASP output this program knows; accepted: {}", path.string(),
                                     accepted_files));
    if (!content.damage.empty()) {
        VaspRun run;
        run.kind = *kind;
        run.file = path;
        run.status = VaspStatus::malformed;
        run.problem = fmt::format("{}: {}", path.string(), content.damage);
        return run;
    }
    VaspRun run = read_vasp_text(content.text, path.string(), *kind);
    run.file = path;
    if (content.cut) {
        run.notes.emplace_back("the compressed file is cut off");
        if (run.status != VaspStatus::malformed) run.status = VaspStatus::unfinished;
    }
    return run;
}

/// What an OUTCAR does not give, from the POSCAR beside it, if that is where the run began.
void add_from_poscar(VaspRun& run, const fs::path& folder) {
    if (run.kind != Kind::outcar || run.steps.empty() || run.status == VaspStatus::malformed) return;
    const auto file = file_of_name(folder, "POSCAR");
    if (!file) return;
    VaspRun start;
    try {
        start = read_file(*file);
    } catch (const Error& e) {
        run.notes.push_back(fmt::format("the POSCAR beside the run cannot be used: {}", e.what()));
        return;
    }
    if (start.status == VaspStatus::malformed || start.n_atoms != run.n_atoms) {
        run.notes.emplace_back("the POSCAR beside the run is not that of the run: not used");
        return;
    }
    // The first step stands where the run began; OUTCAR has five digits, and wraps into the cell.
    const Eigen::Matrix3d lattice = run.steps.front().lattice_angstrom;
    Eigen::Matrix3Xd shift =
        lattice.inverse() * (run.steps.front().positions_angstrom - start.steps.front().positions_angstrom);
    shift = shift - Eigen::Matrix3Xd(shift.array().round());
    if (!((lattice * shift).cwiseAbs().maxCoeff() < 1e-3)) {
        run.notes.emplace_back("the POSCAR beside the run begins elsewhere: its flags are not used");
        return;
    }
    run.free_along = start.free_along;
    if (run.species.empty()) run.species = start.species;
}

}  // namespace

std::string name(VaspStatus status) {
    switch (status) {
        case VaspStatus::complete:
            return "complete";
        case VaspStatus::not_converged:
            return "not_converged";
        case VaspStatus::unfinished:
            return "unfinished";
        case VaspStatus::malformed:
            return "malformed";
    }
    throw std::logic_error("unknown VaspStatus");
}

void throw_damage(std::string_view text, std::size_t position, const std::string& what) {
    const auto line =
        1 + std::count(text.begin(),
                       text.begin() + static_cast<std::ptrdiff_t>(std::min(position, text.size())), '\n');
    throw Damage(fmt::format("line {}: {}", line, what));
}

std::string plain_version(std::string_view text) {
    text = trimmed(text);
    std::size_t end = 0;
    int points = 0;
    for (; end < text.size(); ++end) {
        if (text[end] == '.' && ++points == 3) break;
        if (text[end] != '.' && (text[end] < '0' || text[end] > '9')) break;
    }
    while (end > 0 && text[end - 1] == '.') --end;
    return std::string(text.substr(0, end));
}

std::optional<double> temperature(const VaspRun& run, double kinetic_ev) {
    constexpr double boltzmann_ev = units::kelvin / units::electronvolt;
    const int n = run.n_atoms.value_or(0);
    // Three coordinates belong to the motion of the whole, except with the Langevin thermostat (MDALGO 3), in
    // releases before 5, and where atoms are held; a moving cell adds nine.
    int freedom = 3 * n;
    if (run.free_along.cols() != 0 && !run.free_along.all())
        freedom = static_cast<int>(run.free_along.count());
    else if (run.settings.dynamics != 3 && !run.version.starts_with("4"))
        freedom -= 3;
    if (run.settings.dynamics == 3 && run.settings.stress == 3) freedom += 9;
    if (freedom <= 0) return std::nullopt;
    return 2 * kinetic_ev / (freedom * boltzmann_ev);
}

void judge_ended_run(VaspRun& run, std::optional<bool> ions_converged) {
    const VaspSettings& s = run.settings;
    const int steps = static_cast<int>(run.steps.size());
    const VaspStep& last = run.steps.back();
    const auto early = std::count_if(run.steps.begin(), run.steps.end() - 1,
                                     [](const VaspStep& step) { return !step.electrons_converged; });
    if (early > 0)
        run.notes.push_back(
            fmt::format("the electrons did not converge within NELM in {} of the earlier steps", early));
    if (!last.electrons_converged) {
        run.status = VaspStatus::not_converged;
        run.notes.push_back(fmt::format("the electrons of the last step did not converge within NELM = {}",
                                        s.max_electronic.value_or(0)));
    }
    const bool relaxation = s.ionic && *s.ionic >= 1 && *s.ionic <= 3 && s.steps_wanted.value_or(0) > 1;
    if (run.is_dynamics() && s.steps_wanted && steps < *s.steps_wanted)
        run.notes.push_back(
            fmt::format("the dynamics ended after {} of NSW = {} steps", steps, *s.steps_wanted));
    if (!relaxation || ions_converged.value_or(false)) return;
    if (!ions_converged && s.steps_wanted && steps < *s.steps_wanted && run.kind == VaspRun::Kind::vasprun) {
        // VASP stops a relaxation early only when it has converged or was asked to stop.
        run.notes.push_back(
            fmt::format("the relaxation ended after {} of NSW = {} steps", steps, *s.steps_wanted));
        return;
    }
    // All steps are used up: converged only if the forces of the last one say so.
    const auto force = max_free_force(run, last);
    const bool forces_only = s.stress.value_or(2) <= 2;
    if (s.force_criterion && *s.force_criterion < 0 && force && forces_only && *force <= -*s.force_criterion)
        return;
    run.status = VaspStatus::not_converged;
    run.notes.push_back(
        fmt::format("the relaxation ended after {} steps without reaching its criterion{}", steps,
                    s.force_criterion ? fmt::format(" EDIFFG = {}", *s.force_criterion) : ""));
}

bool VaspRun::has_dispersion() const {
    if (settings.dispersion.value_or(0) > 0) return true;
    // 1e-5 eV: above the rounding of 8 digits, below any dispersion.
    return std::any_of(steps.begin(), steps.end(),
                       [](const VaspStep& step) { return std::abs(step.offset_ev.value_or(0)) > 1e-5; });
}

void read_poscar_file(std::string_view text, VaspRun& run) {
    LineReader lines(text, run.file.string());
    const PoscarContent content = read_poscar_content(lines);
    VaspStep step;
    step.lattice_angstrom = content.structure.cell.vectors / units::angstrom;
    step.positions_angstrom = content.structure.positions / units::angstrom;
    run.n_atoms = content.structure.size();
    for (const int z : content.structure.atomic_numbers) run.species.push_back(element_symbol(z));
    run.free_along = content.free_along;
    run.steps.push_back(std::move(step));
}

VaspRun read_vasp_text(std::string_view text, const std::string& name, Kind kind) {
    VaspRun run;
    run.kind = kind;
    run.file = name;
    try {
        if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) throw Damage("the file is empty");
        switch (kind) {
            case Kind::vasprun:
                read_vasprun(text, run);
                break;
            case Kind::outcar:
                read_outcar(text, run);
                break;
            case Kind::oszicar:
                read_oszicar(text, run);
                break;
            case Kind::xdatcar:
                read_xdatcar(text, run);
                break;
            case Kind::poscar:
                read_poscar_file(text, run);
                break;
        }
    } catch (const Damage& e) {
        run.problem = fmt::format("{}: {}", name, e.what());
    } catch (const FileError& e) {
        run.problem = e.what();
    }
    if (!run.problem.empty()) {
        // Nothing of a damaged file is to be trusted.
        const std::string problem = run.problem;
        run = VaspRun{};
        run.kind = kind;
        run.file = name;
        run.status = VaspStatus::malformed;
        run.problem = problem;
    }
    return run;
}

VaspRun read_vasp(const fs::path& path) {
    if (!fs::is_directory(path)) return read_file(path);
    // Kept copies ("vasprun.xml.old") count where nothing has its plain name.
    for (const auto& find : {file_of_name, file_named_like})
        for (const char* name : {"vasprun.xml", "OUTCAR", "OSZICAR", "XDATCAR", "CONTCAR", "POSCAR"}) {
            const auto file = find(path, name);
            if (!file) continue;
            VaspRun run = read_file(*file);
            add_from_poscar(run, path);
            return run;
        }
    throw InputError(fmt::format("'{}' holds no VASP run; accepted: {}", path.string(), accepted_files));
}

std::optional<double> max_free_force(const VaspRun& run, const VaspStep& step) {
    const Eigen::Matrix3Xd& forces = step.forces_ev_per_angstrom;
    if (forces.cols() == 0) return std::nullopt;
    double largest = 0;
    if (run.free_along.cols() != forces.cols()) {
        if (step.max_free_force_ev_per_angstrom) return step.max_free_force_ev_per_angstrom;
        largest = forces.allFinite() ? forces.colwise().norm().maxCoeff() : std::nan("");
    } else {
        // F = A f with f along the lattice vectors; the fixed components of f are taken out.
        const Eigen::Matrix3d to_lattice = step.lattice_angstrom.inverse();
        for (Eigen::Index atom = 0; atom < forces.cols(); ++atom) {
            if (!run.free_along.col(atom).any()) continue;
            Eigen::Vector3d force = forces.col(atom);
            if (!run.free_along.col(atom).all())
                force = step.lattice_angstrom *
                        run.free_along.col(atom).select(to_lattice * force, Eigen::Vector3d::Zero());
            if (!force.allFinite()) return std::nullopt;
            largest = std::max(largest, force.norm());
        }
    }
    return std::isfinite(largest) ? std::optional(largest) : std::nullopt;
}

Structure to_structure(const VaspRun& run, const VaspStep& step) {
    if (run.species.empty() ||
        step.positions_angstrom.cols() != static_cast<Eigen::Index>(run.species.size()))
        throw InputError(fmt::format(
            "'{}' gives no {} for a structure", run.file.string(),
            run.species.empty() ? "species (a POSCAR with species beside it would do)" : "positions"));
    Structure structure;
    for (const std::string& symbol : run.species) {
        try {
            structure.atomic_numbers.push_back(atomic_number(symbol.substr(0, symbol.find_first_of("_/"))));
        } catch (const InputError& e) {
            throw InputError(fmt::format("'{}': {}", run.file.string(), e.what()));
        }
    }
    structure.positions = step.positions_angstrom * units::angstrom;
    structure.cell.vectors = step.lattice_angstrom * units::angstrom;
    structure.cell.periodic = {true, true, true};
    if (run.free_along.cols() == structure.size()) {
        FixedMask fixed(3, structure.size());
        bool kept = true;
        for (int atom = 0; atom < structure.size(); ++atom)
            kept = kept && cartesian_flags(structure.cell.vectors, run.free_along.col(atom), fixed.col(atom));
        if (kept) structure.fixed = fixed;
    }
    return structure;
}

std::vector<Eigen::Matrix3Xd> unwrapped_positions(const std::vector<VaspStep>& steps) {
    std::vector<Eigen::Matrix3Xd> result;
    for (const VaspStep& step : steps) {
        result.push_back(step.positions_angstrom);
        if (result.size() < 2 || result[result.size() - 2].cols() != result.back().cols()) continue;
        // In lattice coordinates each atom moves by less than half a cell between two steps.
        const Eigen::Matrix3d to_lattice = step.lattice_angstrom.inverse();
        const Eigen::Matrix3Xd move = to_lattice * (result.back() - result[result.size() - 2]);
        result.back() -= step.lattice_angstrom * Eigen::Matrix3Xd(move.array().round());
    }
    return result;
}

}  // namespace stembridge::io
