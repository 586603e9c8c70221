// SPDX-License-Identifier: Apache-2.0
// stembridge vasp write | read | compare: inputs for VASP, its results, and ours beside them.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <sstream>

#include "commands/vasp_study.hpp"
#include "configuration.hpp"
#include "csv_log.hpp"
#include "environment.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/io/vasp_compare.hpp"
#include "stembridge/io/vasp_input.hpp"
#include "stembridge/io/vasp_run.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

void print(const std::string& text) {
    std::fputs((text + "\n").c_str(), stdout);
}

// --- write

struct WriteOptions {
    std::string structure, out, kind = "relax", kpoints = "2 2 2", adsorbate, force = "1e-3 eV/angstrom",
                                vacuum = "20 angstrom", timestep = "1 fs", cutoff = "400 eV",
                                sigma = "0.05 eV";
    std::vector<std::string> temperatures, fix;
    std::vector<int> unpaired;
    int frame = -1, relaxation_steps = 300, dynamics_steps = 2000;
    bool unpolarized = false, spin_polarized = false;
    io::VaspInputOptions input;
};

const std::vector<std::string> paper_temperatures = {"300 K",  "500 K",  "700 K",  "900 K", "1200 K",
                                                     "2000 K", "3000 K", "4000 K", "5000 K"};

double positive(const std::string& option, const std::string& text, Dimension dimension, double unit) {
    double value = 0;
    try {
        value = parse_quantity(text, dimension) / unit;
    } catch (const InputError& e) {
        throw InputError(fmt::format("{}: {}", option, e.what()));
    }
    if (!(value > 0)) throw InputError(fmt::format("{}: '{}' is not positive", option, text));
    return value;
}

std::array<int, 3> mesh_from(const std::string& text) {
    std::array<int, 3> mesh{};
    int end = 0;
    if (std::sscanf(text.c_str(), "%d %d %d %n", &mesh[0], &mesh[1], &mesh[2], &end) != 3 ||
        end != static_cast<int>(text.size()) ||
        std::any_of(mesh.begin(), mesh.end(), [](int n) { return n < 1; }))
        throw InputError(
            fmt::format("--kpoints: '{}' is no mesh; accepted are three positive integers such as "
                        "\"2 2 2\"",
                        text));
    return mesh;
}

/// A box for a structure without one; a warning where periodic images come close in directions that do not
/// repeat.
Structure with_box(const Structure& structure, double vacuum, Session& session) {
    Structure boxed = structure;
    if (structure.cell.volume() < 1e-6) {
        boxed = center_in_box(structure, vacuum, true);
        session.info(
            fmt::format("the structure has no box: it is put into one with {:.1f} angstrom of vacuum",
                        vacuum / units::angstrom));
    }
    for (int k = 0; k < 3; ++k) {
        if (structure.cell.periodic[static_cast<std::size_t>(k)]) continue;
        const Eigen::Vector3d normal =
            boxed.cell.vector((k + 1) % 3).cross(boxed.cell.vector((k + 2) % 3)).normalized();
        const Eigen::RowVectorXd heights = normal.transpose() * boxed.positions;
        const double gap =
            std::abs(normal.dot(boxed.cell.vector(k))) - (heights.maxCoeff() - heights.minCoeff());
        if (gap < 8 * units::angstrom)
            session.warning(
                fmt::format("only {:.1f} angstrom between the images along lattice vector {}; VASP "
                            "repeats the box in every direction",
                            gap / units::angstrom, k + 1));
    }
    return boxed;
}

void write(const WriteOptions& o, Session& session) {
    Structure structure = io::read_structure(o.structure, o.frame);
    structure.validate();
    for (const auto& rule : o.fix) fix_atoms(structure, rule);
    structure = with_box(structure, positive("--vacuum", o.vacuum, Dimension::length, 1), session);

    io::VaspInputOptions input = o.input;
    input.kpoints = mesh_from(o.kpoints);
    input.cutoff_ev = positive("--cutoff", o.cutoff, Dimension::energy, units::electronvolt);
    input.sigma_ev = positive("--sigma", o.sigma, Dimension::energy, units::electronvolt);
    input.max_force_ev_per_angstrom =
        positive("--max-force", o.force, Dimension::force, units::electronvolt_per_angstrom);
    input.timestep_fs = positive("--timestep", o.timestep, Dimension::time, units::femtosecond);
    if (o.relaxation_steps < 1 || o.dynamics_steps < 1)
        throw InputError("--max-steps and --steps: the number of steps must be positive");
    input.relaxation_steps = o.relaxation_steps;
    input.dynamics_steps = o.dynamics_steps;
    if (o.kind != "adsorption" && !o.adsorbate.empty())
        throw InputError("--adsorbate belongs to --kind adsorption");
    if (o.kind != "spin" && !o.unpaired.empty()) throw InputError("--unpaired belongs to --kind spin");
    if (o.spin_polarized && o.unpolarized)
        throw InputError("--spin-polarized and --unpolarized exclude each other");
    input.spin_polarized = o.spin_polarized || (o.kind == "adsorption" && !o.unpolarized);
    if (fs::exists(fs::path(o.out)) && !fs::is_directory(o.out))
        throw InputError(fmt::format("--out: '{}' is a file; a folder is needed", o.out));

    if (o.kind == "relax") {
        io::write_vasp_relaxation(o.out, structure, input);
    } else if (o.kind == "aimd") {
        std::vector<double> temperatures;
        for (const auto& text : o.temperatures.empty() ? paper_temperatures : o.temperatures)
            temperatures.push_back(positive("--temperature", text, Dimension::temperature, units::kelvin));
        io::write_vasp_dynamics(o.out, structure, input, temperatures);
    } else if (o.kind == "spin") {
        io::write_vasp_spin_scan(o.out, structure, input, o.unpaired);
    } else {
        if (o.adsorbate.empty())
            throw InputError("--kind adsorption needs --adsorbate, e.g. species:Cr or indices:92,93");
        const std::vector<int> adsorbate = select_atoms(structure, o.adsorbate);
        if (adsorbate.empty())
            throw InputError(fmt::format("--adsorbate {}: {} has no such atom", o.adsorbate, o.structure));
        io::write_vasp_adsorption(o.out, structure, adsorbate, input);
    }
    session.info(fmt::format("inputs for {} ({} atoms) are in {}; the README.md there says what to do",
                             structure.formula(), structure.size(), o.out));
}

void add_write(CLI::App& vasp, Action& action) {
    auto o = std::make_shared<WriteOptions>();
    CLI::App* command =
        vasp.add_subcommand("write", "Input sets: INCAR, KPOINTS, POSCAR and a recipe for POTCAR");
    command->add_option("structure", o->structure, "Structure file")->required();
    command->add_option("--out", o->out, "Folder to write")->required();
    command
        ->add_option("--kind", o->kind,
                     "relax, aimd (one folder per temperature), spin (free moment and "
                     "--unpaired ones), adsorption (three folders)")
        ->check(CLI::IsMember({"relax", "aimd", "spin", "adsorption"}))
        ->capture_default_str();
    command->add_option("--frame", o->frame, "Frame of a trajectory, counted from 0; -1 = the last")
        ->capture_default_str();
    command
        ->add_option("--fix", o->fix, "Held atoms: perimeter, species:H, xy, indices:1,2; may be given again")
        ->allow_extra_args(false);
    command->add_option("--vacuum", o->vacuum, "Around a structure without a box")->capture_default_str();
    command->add_option("--cutoff", o->cutoff, "ENCUT")->capture_default_str();
    command->add_option("--kpoints", o->kpoints, "Mesh")->capture_default_str();
    command->add_flag("--kpoints-gamma", o->input.kpoints_gamma_centered, "Centre the mesh on Gamma");
    command->add_option("--sigma", o->sigma, "Gaussian smearing")->capture_default_str();
    command->add_option("--ivdw", o->input.dispersion, "IVDW: 0 none, 11 or 12 D3")->capture_default_str();
    command->add_flag("--spin-polarized", o->spin_polarized,
                      "ISPIN = 2 (always so for spin, default for adsorption)");
    command->add_flag("--unpolarized", o->unpolarized, "ISPIN = 1 for adsorption");
    command
        ->add_option("--unpaired", o->unpaired,
                     "Numbers of unpaired electrons of --kind spin, with commas or given again")
        ->delimiter(',')
        ->allow_extra_args(false);
    command->add_option("--max-force", o->force, "EDIFFG of relaxations")->capture_default_str();
    command->add_option("--max-steps", o->relaxation_steps, "NSW of relaxations")->capture_default_str();
    command
        ->add_option("--temperature", o->temperatures,
                     "Of --kind aimd, \"300 K,500 K\" or given again; left out = nine from 300 to 5000 K")
        ->delimiter(',')
        ->allow_extra_args(false);
    command->add_option("--steps", o->dynamics_steps, "NSW of --kind aimd")->capture_default_str();
    command->add_option("--timestep", o->timestep, "POTIM of --kind aimd")->capture_default_str();
    command->add_flag("--keep-velocities", o->input.keep_velocities,
                      "Start --kind aimd from the velocities of the structure");
    command->add_flag("--fermi-at-temperature", o->input.fermi_at_temperature,
                      "Fermi smearing at the temperature of --kind aimd (ISMEAR = -1)");
    command->add_option("--adsorbate", o->adsorbate, "Atoms of the adsorbate: species:Cr or indices:92,93");
    command->callback([o, &action] { action = [o](Session& session) { write(*o, session); }; });
}

// --- read

std::string shown(const std::optional<double>& value, const char* format) {
    return value ? fmt::format(fmt::runtime(format), *value) : std::string("not given");
}

void write_trajectory(const io::VaspRun& run, const fs::path& path) {
    const auto positions = io::unwrapped_positions(run.steps);
    if (run.steps.empty() || positions.front().cols() == 0)
        throw InputError(fmt::format("'{}' holds no positions for a trajectory", run.file.string()));
    io::TrajectoryWriter writer(path);
    for (std::size_t i = 0; i < run.steps.size(); ++i) {
        io::Frame frame;
        frame.structure = io::to_structure(run, run.steps[i]);
        frame.structure.positions = positions[i] * units::angstrom;
        frame.info["step"] = static_cast<double>(i + 1);
        if (run.steps[i].energy_free_ev)
            frame.info["energy"] = *run.steps[i].energy_free_ev * units::electronvolt;
        if (run.steps[i].energy_zero_ev)
            frame.info["energy_zero"] = *run.steps[i].energy_zero_ev * units::electronvolt;
        if (run.steps[i].temperature_k) frame.info["temperature_k"] = *run.steps[i].temperature_k;
        const Eigen::Matrix3Xd& forces = run.steps[i].forces_ev_per_angstrom;
        if (forces.cols() != 0 && forces.allFinite())
            frame.arrays["forces"] = forces * units::electronvolt_per_angstrom;
        writer.write(frame);
    }
    writer.sync();
}

struct ReadOptions {
    std::string path, json, trajectory;
};

void read(const ReadOptions& o, Session& session) {
    const io::VaspRun run = io::read_vasp(o.path);
    if (!o.json.empty()) io::write_text_atomically(o.json, io::to_json_text(run));
    if (run.status == io::VaspStatus::malformed)
        throw FileError(fmt::format(
            "malformed: {}; accepted is the output of one run of VASP 4.6 to 6, which may end early",
            run.problem));
    if (!o.trajectory.empty()) write_trajectory(run, o.trajectory);
    print(fmt::format("{}: {}", run.file.string(), io::name(run.status)));
    if (!run.version.empty()) print(fmt::format("version             {}", run.version));
    if (run.n_atoms) print(fmt::format("atoms               {}", *run.n_atoms));
    print(
        fmt::format("complete steps      {}", run.kind == io::VaspRun::Kind::poscar ? 0 : run.steps.size()));
    if (!run.steps.empty() && run.kind != io::VaspRun::Kind::poscar) {
        const io::VaspStep& last = run.steps.back();
        print(fmt::format("energy(sigma->0)    {}", shown(last.energy_zero_ev, "{:.8f} eV")));
        print(fmt::format("free energy         {}", shown(last.energy_free_ev, "{:.8f} eV")));
        print(fmt::format("largest free force  {}",
                          shown(io::max_free_force(run, last), "{:.6f} eV/angstrom")));
        if (last.temperature_k) print(fmt::format("temperature         {:.2f} K", *last.temperature_k));
    }
    for (const auto& note : run.notes) session.info(note);
}

void add_read(CLI::App& vasp, Action& action) {
    auto o = std::make_shared<ReadOptions>();
    CLI::App* command = vasp.add_subcommand("read", "Results of a run, also of an unfinished one");
    command
        ->add_option("path", o->path,
                     "Run folder, or vasprun.xml, OUTCAR, OSZICAR, XDATCAR, CONTCAR (also .gz, .xz)")
        ->required();
    command->add_option("--json", o->json, "Where the result is written");
    command->add_option("--trajectory", o->trajectory,
                        "Where the complete steps are written, unwrapped (.extxyz)");
    command->callback([o, &action] { action = [o](Session& session) { read(*o, session); }; });
}

// --- compare

struct CompareOptions {
    ConfigOptions config{run_schema()};
    std::string path, json, structure, map, dynamics;
    int steps = 20;
};

nlohmann::json value(const std::optional<double>& number) {
    return number ? nlohmann::json(*number) : nlohmann::json(nullptr);
}

nlohmann::json spread(const std::optional<io::Spread>& spread) {
    if (!spread) return nullptr;
    return {{"rms", spread->rms}, {"max", spread->max}};
}

/// Our dynamics from the folder that `stembridge md` wrote.
io::TrajectorySeries our_series(const fs::path& folder) {
    io::TrajectorySeries series;
    const auto columns = read_csv(folder / "thermo.csv");
    for (const char* column : {"time_fs", "temperature_k", "conserved_ev"})
        if (!columns.contains(column))
            throw FileError(fmt::format("'{}' has no column {}: accepted is a folder of `stembridge md`",
                                        (folder / "thermo.csv").string(), column));
    series.times_fs = columns.at("time_fs");
    series.temperatures_k = columns.at("temperature_k");
    series.conserved_ev = columns.at("conserved_ev");
    for (auto& frame : io::read_trajectory(folder / "trajectory.extxyz"))
        series.frames.push_back(std::move(frame.structure));
    if (series.frames.empty())
        throw FileError(fmt::format("'{}' holds no frames", (folder / "trajectory.extxyz").string()));
    series.n_atoms = series.frames.front().size();
    return series;
}

nlohmann::json to_json(const io::TrajectorySummary& s) {
    return {{"n_frames", s.n_frames},
            {"length_fs", s.length_fs},
            {"mean_temperature_k", value(s.mean_temperature_k)},
            {"drift_mev_per_atom_per_ps", value(s.drift_mev_per_atom_per_ps)}};
}

/// Both trajectories over the window that both cover.
nlohmann::json compare_dynamics(const io::VaspRun& run, const std::string& folder) {
    const io::TrajectorySeries theirs = io::series_of(run);
    const double their_end = theirs.times_fs.back();
    if (folder.empty()) {
        const auto summary = io::summarise(theirs, their_end);
        print(fmt::format("dynamics of VASP    {:.0f} fs, mean temperature {}, drift {}", summary.length_fs,
                          shown(summary.mean_temperature_k, "{:.1f} K"),
                          shown(summary.drift_mev_per_atom_per_ps, "{:.3f} meV/atom/ps")));
        return {{"vasp", to_json(summary)}};
    }
    const io::TrajectorySeries ours = our_series(folder);
    const Structure first = io::to_structure(run, run.steps.front());
    if (ours.frames.front().formula() != first.formula())
        throw InputError(fmt::format("'{}' is a dynamics of {}, the VASP run of {}: they cannot be compared",
                                     folder, ours.frames.front().formula(), first.formula()));
    const double window = std::min(their_end, ours.times_fs.back());
    const auto a = io::summarise(theirs, window);
    const auto b = io::summarise(ours, window);
    const double same = io::overlap(a.distances, b.distances);
    print(
        fmt::format("\n{:<34}{:>14}{:>14}", fmt::format("dynamics over {:.0f} fs", window), "VASP", "here"));
    print(fmt::format("{:<34}{:>14}{:>14}", "mean temperature, K", shown(a.mean_temperature_k, "{:.1f}"),
                      shown(b.mean_temperature_k, "{:.1f}")));
    print(fmt::format("{:<34}{:>14}{:>14}", "drift, meV/atom/ps",
                      shown(a.drift_mev_per_atom_per_ps, "{:.3f}"),
                      shown(b.drift_mev_per_atom_per_ps, "{:.3f}")));
    print(fmt::format("{:<34}{:>14.3f}", "pair distances in common", same));
    return {{"window_fs", window},
            {"vasp", to_json(a)},
            {"ours", to_json(b)},
            {"bin_angstrom", 0.05},
            {"distances_vasp", a.distances},
            {"distances_ours", b.distances},
            {"distances_overlap", same}};
}

nlohmann::json compare_structures(const io::VaspRun& run, const CompareOptions& o, Session& session) {
    const Structure ours = io::read_structure(o.structure);
    std::vector<int> order;
    if (!o.map.empty()) {
        order = io::read_vasp_atom_map(o.map);
    } else {
        // Without a map: the same order, or the order `vasp write` makes.
        order.resize(static_cast<std::size_t>(ours.size()));
        std::iota(order.begin(), order.end(), 0);
        if (ours.atomic_numbers != io::to_structure(run, run.steps.back()).atomic_numbers)
            order = io::vasp_order(ours);
    }
    const auto difference = io::compare_geometry(run, ours, order);
    print(fmt::format("geometry of {}: RMSD {:.4f} angstrom, largest displacement {:.4f} angstrom (atom {})",
                      o.structure, difference.displacement_angstrom.rms, difference.displacement_angstrom.max,
                      difference.farthest_atom + 1));
    constexpr double same_cell = 0.005, half_a_bond_angstrom = 0.7;
    if (difference.strain > same_cell)
        session.warning(fmt::format(
            "the cell of {} differs from that of the run by {:.1f} % (or is turned): displacements are not "
            "those of the atoms alone",
            o.structure, 100 * difference.strain));
    else if (o.map.empty() && difference.displacement_angstrom.max > half_a_bond_angstrom)
        session.warning(
            fmt::format("atoms of {} lie up to {:.2f} angstrom from those of the run: are they in the same "
                        "order? --map takes the atom_map.csv of `vasp write`",
                        o.structure, difference.displacement_angstrom.max));
    return {{"structure", o.structure},
            {"cell_strain", difference.strain},
            {"rmsd_angstrom", difference.displacement_angstrom.rms},
            {"max_displacement_angstrom", difference.displacement_angstrom.max},
            {"farthest_atom", difference.farthest_atom + 1}};
}

nlohmann::json settings_json(const io::VaspRun& run) {
    const auto integer = [](const std::optional<int>& n) {
        return n ? nlohmann::json(*n) : nlohmann::json(nullptr);
    };
    const io::VaspSettings& s = run.settings;
    return {{"file", run.file.string()},
            {"version", run.version},
            {"status", io::name(run.status)},
            {"n_ionic_steps", run.steps.size()},
            {"titles", s.titles},
            {"encut_ev", value(s.cutoff_ev)},
            {"kpoints", s.kpoints},
            {"ismear", integer(s.smearing)},
            {"sigma_ev", value(s.sigma_ev)},
            {"ispin", integer(s.spin)},
            {"ivdw", integer(s.dispersion)},
            {"energy_zero_ev", value(run.steps.back().energy_zero_ev)},
            {"energy_free_ev", value(run.steps.back().energy_free_ev)},
            {"max_free_force_ev_per_angstrom", value(io::max_free_force(run, run.steps.back()))}};
}

void print_table(const io::VaspComparison& c) {
    print(fmt::format("\n{:>6}{:>14}{:>14}{:>14}{:>14}{:>14}", "step", "F VASP", "F here", "force VASP",
                      "dF rms", "dF max"));
    print(fmt::format("{:>6}{:>14}{:>14}{:>14}{:>14}{:>14}", "", "eV", "eV", "rms eV/A", "eV/A", "eV/A"));
    for (const auto& row : c.steps)
        print(fmt::format("{:>6}{:>14}{:>14.5f}{:>14.5f}{:>14.5f}{:>14.5f}", row.step,
                          shown(row.vasp_free_ev, "{:.5f}"), row.ours_free_ev,
                          row.vasp_force_rms_ev_per_angstrom, row.force_rms_ev_per_angstrom,
                          row.force_max_ev_per_angstrom));
    print("energies are relative to the first row; only their changes can be compared");
    const auto line = [](const char* what, const std::optional<io::Spread>& s, const char* unit) {
        if (s) print(fmt::format("{:<34}rms {:.5f}, max {:.5f} {}", what, s->rms, s->max, unit));
    };
    line("difference of F", c.free_ev, "eV");
    line("difference of E0", c.zero_ev, "eV");
    line("difference of forces", c.force_ev_per_angstrom, "eV/angstrom");
    line("difference of stress", c.stress_kbar, "kbar");
    line("difference of stress in the plane", c.sheet_stress_n_per_m, "N/m");
}

/// All points of a shifted mesh as a list for [calculator].
std::string shifted_mesh(const std::array<int, 3>& mesh, bool gamma_centered, const Eigen::Vector3d& shift) {
    const auto at = [&](int n, std::size_t k) {
        const double first = gamma_centered ? 0 : 0.5 * (1 - mesh[k]);
        return (n + first + shift(static_cast<Eigen::Index>(k))) / mesh[k];
    };
    std::string list;
    for (int a = 0; a < mesh[0]; ++a)
        for (int b = 0; b < mesh[1]; ++b)
            for (int c = 0; c < mesh[2]; ++c)
                list +=
                    fmt::format("{}[{}, {}, {}, 1]", list.empty() ? "" : ", ", at(a, 0), at(b, 1), at(c, 2));
    return "[" + list + "]";
}

/// The mesh of the run, "Monkhorst-Pack 2 2 1", unless the user names k-points.
void take_kpoints_of(const io::VaspRun& run, io::Config& config, Session& session) {
    for (const char* key :
         {"calculator.kpoints", "calculator.kpoints_gamma_centered", "calculator.kpoint_list"})
        if (config.is_set(key)) return;
    std::istringstream words(run.settings.kpoints);
    std::string scheme;
    std::array<int, 3> mesh{};
    if (words >> scheme >> mesh[0] >> mesh[1] >> mesh[2] &&
        (scheme == "Gamma" || scheme == "Monkhorst-Pack")) {
        const Eigen::Vector3d& shift = run.settings.kpoint_shift;
        if (shift.isZero(1e-9)) {
            config.set("calculator.kpoints", fmt::format("{} {} {}", mesh[0], mesh[1], mesh[2]),
                       run.file.string());
            config.set("calculator.kpoints_gamma_centered", scheme == "Gamma" ? "true" : "false",
                       run.file.string());
        } else {
            config.set("calculator.kpoint_list", shifted_mesh(mesh, scheme == "Gamma", shift),
                       run.file.string());
        }
        session.info(fmt::format(
            "k-points as in the run: {}{}; --kpoints takes others", run.settings.kpoints,
            shift.isZero(1e-9) ? "" : fmt::format(", shifted by {} {} {}", shift(0), shift(1), shift(2))));
        return;
    }
    session.warning(
        fmt::format("the k-points of the run are {}: compared at Gamma alone; --kpoints takes others",
                    run.settings.kpoints.empty() ? "not known" : run.settings.kpoints));
}

/// The charge of the run, unless the user names one; what else makes it another system is told.
void take_electrons_of(const io::VaspRun& run, io::Config& config, Session& session) {
    const io::VaspSettings& s = run.settings;
    if (s.electrons && s.valence_electrons) {
        const double charge = *s.valence_electrons - *s.electrons;
        if (!config.is_set("calculator.charge") && std::abs(charge) > 1e-6) {
            config.set("calculator.charge", fmt::format("{}", charge), run.file.string());
            session.info(fmt::format("charge as in the run: {:+g}; --charge takes another", charge));
        }
        if (const double ours = config.number("calculator.charge"); std::abs(ours - charge) > 1e-6)
            session.warning(
                fmt::format("the run has the charge {:+g}, this calculation {:+g}", charge, ours));
    }
    const bool polarized = config.boolean("calculator.spin.polarized");
    if (s.spin && (*s.spin == 2) != polarized)
        session.warning(fmt::format("the run is {}spin-polarised (ISPIN = {}), this calculation is{}",
                                    *s.spin == 2 ? "" : "not ", *s.spin,
                                    polarized ? "" : " not: --spin-polarized"));
}

void compare(const CompareOptions& o, Session& session) {
    io::Config config = o.config.config();
    set_threads(static_cast<int>(config.integer("run.threads")));
    if (!o.map.empty() && o.structure.empty()) throw InputError("--map belongs to --structure");
    const io::VaspRun run = io::read_vasp(o.path);
    io::require_comparable(run, config.text("calculator.dispersion.model") != "none");
    const auto steps = io::spread_steps(run, o.steps);
    take_kpoints_of(run, config, session);
    take_electrons_of(run, config, session);
    const auto calculator =
        make_calculator(config, io::to_structure(run, run.steps[static_cast<std::size_t>(steps.front())]));
    session.info(fmt::format("{}: VASP {}, {}, {} complete steps, {} of them compared with {}",
                             run.file.string(), run.version, io::name(run.status), run.steps.size(),
                             steps.size(), calculator->description()));
    std::vector<Evaluation> ours;
    for (const int step : steps) {
        if (session.stop_requested())
            throw StoppedError("stopped on request; nothing is kept, the command begins anew");
        const Structure structure = io::to_structure(run, run.steps[static_cast<std::size_t>(step)]);
        structure.validate();
        Evaluation result;
        calculator->evaluate(structure, {.forces = true, .stress = calculator->offers(structure).stress},
                             result, session.context());
        ours.push_back(std::move(result));
        session.context().progress("evaluating", static_cast<std::int64_t>(ours.size()),
                                   static_cast<std::int64_t>(steps.size()));
    }
    io::VaspComparison result = io::compare_with_vasp(run, steps, ours);
    const double our_sigma_ev = config.quantity("calculator.electronic_temperature") / units::electronvolt;
    if (run.settings.smearing != -1 || std::abs(run.settings.sigma_ev.value_or(0) - our_sigma_ev) > 1e-4)
        result.notes.push_back(
            fmt::format("the smearing differs: ISMEAR = {}, SIGMA = {:g} eV there, Fermi with kT = {:.4f} eV "
                        "here; E0 is the fair "
                        "comparison",
                        run.settings.smearing.value_or(0), run.settings.sigma_ev.value_or(0), our_sigma_ev));
    if (!run.settings.kpoints.empty()) result.notes.push_back("k-points there: " + run.settings.kpoints);
    if (run.status != io::VaspStatus::complete)
        result.notes.push_back(fmt::format("the run is {}", io::name(run.status)));
    print_table(result);

    nlohmann::json j = {{"vasp", settings_json(run)},
                        {"calculator", calculator->description()},
                        {"steps", nlohmann::json::array()},
                        {"free_energy_difference_ev", spread(result.free_ev)},
                        {"energy_zero_difference_ev", spread(result.zero_ev)},
                        {"force_difference_ev_per_angstrom", spread(result.force_ev_per_angstrom)},
                        {"stress_difference_kbar", spread(result.stress_kbar)},
                        {"sheet_stress_difference_n_per_m", spread(result.sheet_stress_n_per_m)},
                        {"geometry", nullptr},
                        {"dynamics", nullptr}};
    for (const auto& row : result.steps)
        j["steps"].push_back({{"step", row.step},
                              {"vasp_free_ev", value(row.vasp_free_ev)},
                              {"vasp_zero_ev", value(row.vasp_zero_ev)},
                              {"ours_free_ev", row.ours_free_ev},
                              {"ours_zero_ev", row.ours_zero_ev},
                              {"force_rms_ev_per_angstrom", row.force_rms_ev_per_angstrom},
                              {"force_max_ev_per_angstrom", row.force_max_ev_per_angstrom},
                              {"vasp_force_rms_ev_per_angstrom", row.vasp_force_rms_ev_per_angstrom}});
    if (!o.structure.empty()) j["geometry"] = compare_structures(run, o, session);
    if (run.is_dynamics() || !o.dynamics.empty()) j["dynamics"] = compare_dynamics(run, o.dynamics);
    j["notes"] = result.notes;
    for (const auto& note : result.notes) session.info(note);
    if (!o.json.empty()) io::write_text_atomically(o.json, j.dump(1) + "\n");
}

void add_compare(CLI::App& vasp, Action& action) {
    auto o = std::make_shared<CompareOptions>();
    CLI::App* command = vasp.add_subcommand(
        "compare", "Our energies and forces at the geometries of a run, beside those of VASP");
    command->add_option("path", o->path, "Run folder, vasprun.xml or OUTCAR")->required();
    command->add_option("--json", o->json, "Where the result is written");
    command->add_option("--max-steps", o->steps, "Geometries, evenly spaced; 0 = all")->capture_default_str();
    command->add_option("--structure", o->structure,
                        "One of our structures, set beside the last geometry of the run");
    command->add_option("--map", o->map, "atom_map.csv of `vasp write`, for --structure");
    command->add_option("--dynamics", o->dynamics,
                        "Folder of `stembridge md`, set beside the dynamics of the run");
    o->config.add_calculator(*command);
    command->callback([o, &action] { action = [o](Session& session) { compare(*o, session); }; });
}

}  // namespace

void add_vasp(CLI::App& program, Action& action) {
    CLI::App* vasp = program.add_subcommand("vasp", "Inputs for VASP, its results, and ours beside them");
    vasp->require_subcommand(1);
    add_write(*vasp, action);
    add_read(*vasp, action);
    add_compare(*vasp, action);
    add_vasp_study(*vasp, action);
}

}  // namespace stembridge::app
