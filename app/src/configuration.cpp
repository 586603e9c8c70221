// SPDX-License-Identifier: Apache-2.0
#include "configuration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

#include "configuration_keys.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/text.hpp"
#include "stembridge/settings/build.hpp"
#include "stembridge/settings/relax.hpp"
#include "stembridge/settings/simulate_image.hpp"

namespace stembridge::app {
using io::Key;

// --- the table

namespace {

io::Schema joined(std::initializer_list<io::Schema> parts) {
    io::Schema all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

io::Schema run_keys() {
    return {
        Key::text("run.name", "run", "Name of the run; its folder is runs/NAME unless run.folder is given"),
        Key::file("run.folder", "", "Folder of the run"),
        Key::integer("run.seed", "1", "Seed of every random number").at_least(0),
        threads_key(),
        Key::quantity("run.checkpoint_interval", Dimension::time, "3 min",
                      "Longest time between the checkpoints of relaxations and dynamics")
            .positive(),
        Key::integer(
            "run.replicas_at_once", "0",
            "Runs of a sweep (md.temperature, md.seeds) done at the same time, sharing the threads; 0 = "
            "one per thread up to 400 atoms, else one")
            .at_least(0),
        Key::texts("run.stages", "[\"detect\", \"build\", \"relax\", \"md\", \"report\"]",
                   "Stages to do, of detect, build, relax, selective, adsorb, neb, md, report; stages with "
                   "unchanged inputs are not done again"),
    };
}

io::Schema detect_keys() {
    return {
        Key::file("detect.image", "", "Micrograph: .npy, .npz, .png, .tif, .h5, .emd, .dm3, .dm4"),
        Key::integer("detect.frame", "0", "Frame of a stack, counted from 0").at_least(0),
        Key::text("detect.dataset", "",
                  "Image inside an .h5, .emd, .dm3, .dm4 or .npz file; left out = the first"),
        Key::quantity("detect.pixel_size", Dimension::length, "",
                      "Nominal pixel size; left out = from the file, else from the lattice")
            .positive(),
        Key::quantity("detect.field_of_view", Dimension::length, "",
                      "Width of the frame, instead of the pixel size")
            .positive(),
        Key::boolean("detect.calibrate", "true",
                     "Correct scale and scan distortion on the graphene lattice; false = trust the nominal "
                     "pixel size"),
        Key::boolean("detect.require_lattice", "false",
                     "A frame that shows no lattice is an error; false = it is taken at its nominal pixel "
                     "size, with a warning"),
        Key::choice(
            "detect.correct", {"scale", "affine", "rows"}, "affine",
            "What calibration straightens: the scale alone, anisotropy and shear, or also the drift of rows"),
        Key::choice("detect.method", {"auto", "network", "classical"}, "auto",
                    "auto = network where its library is found, else the classical detector, with a warning"),
        Key::files("detect.network", {"builtin"}, "builtin",
                   "Weights of the networks: files, or folders of them; several are an ensemble"),
        Key::choice("detect.device", {"auto", "cpu", "cuda"}, "auto", "Where the networks are computed"),
        Key::boolean("detect.bfloat16", "false", "Networks in mixed precision, for GPUs"),
        Key::integer("detect.memory_limit", "1024",
                     "Largest memory of the activations of one thread, MiB; larger frames are done in tiles")
            .at_least(64),
        Key::number("detect.min_probability", "0.5", "Atoms below are left out").at_least(0).at_most(1),
        Key::quantity("detect.min_distance", Dimension::length, "0.8 angstrom", "Closest two atoms can be")
            .positive(),
        Key::boolean("detect.refine", "true", "Fit the positions to the frame after the network"),
        Key::choice("detect.positions", {"fit", "network", "lattice"}, "network",
                    "What the fit to the frame is combined with: nothing, what the network has learnt of "
                    "positions, or the neighbours in the lattice"),
        Key::choice("detect.contrast", {"auto", "bright", "dark"}, "auto",
                    "Atoms brighter or darker than the hollows; auto = told by the lattice"),
        Key::quantity("detect.track_gate", Dimension::length, "0.7 angstrom",
                      "Series: farthest an atom moves from frame to frame, without drift")
            .positive(),
        Key::quantity("detect.track_drift", Dimension::length, "6 angstrom",
                      "Series: farthest the view drifts from frame to frame")
            .positive(),
        Key::integer("detect.track_memory", "2", "Series: frames an atom may be missed before it is gone")
            .at_least(0),
    };
}

io::Schema simulate_keys() {
    return {
        Key::quantities("md.temperature", Dimension::temperature, "300 K",
                        "One temperature, or a list for `run`: one run each")
            .positive(),
        Key::quantity("md.timestep", Dimension::time, "1 fs", "Time step").positive(),
        Key::integer("md.steps", "2000", "Number of steps").at_least(1),
        Key::choice(
            "md.ensemble", {"nvt", "nve", "langevin", "berendsen", "bussi", "rescale"}, "nvt",
            "nvt = Nose-Hoover chain; bussi = stochastic velocity rescaling; berendsen and rescale (to "
            "the exact temperature) reach a temperature, but are not canonical"),
        Key::quantity(
            "md.start_temperature", Dimension::temperature, "",
            "Of the first velocities; left out = the structure keeps those that it has (not with md.seeds), "
            "else that of the bath at the start")
            .at_least(0),
        Key::quantity("md.heat_up", Dimension::time, "0 fs",
                      "The bath goes from md.start_temperature (then 0 K when left out) to md.temperature in "
                      "this time, the first of the run")
            .at_least(0),
        Key::texts(
            "md.schedule", "",
            "Temperatures of the bath at times with straight lines between them, for ramps and anneals, "
            "e.g. [\"0 fs 300 K\", \"500 fs 3000 K\", \"2 ps 300 K\"]; in place of md.temperature and "
            "md.heat_up"),
        Key::integers("md.seeds", 0, "", "One run per seed at every temperature; left out = run.seed")
            .at_least(0),
        Key::quantity("md.thermostat_period", Dimension::time, "40 fs", "Period of the Nose-Hoover chain")
            .positive(),
        Key::quantity("md.thermostat_time", Dimension::time, "100 fs", "Time constant of berendsen and bussi")
            .positive(),
        Key::integer("md.rescale_every", "1", "Steps between velocity rescalings, of rescale").at_least(1),
        Key::quantity("md.friction_time", Dimension::time, "100 fs", "Damping time of Langevin dynamics")
            .positive(),
        Key::integer("md.scc_cycles", "",
                     "Density matrices per step: 0 = charges converged in every step; 1 or 2 = charges that "
                     "follow the atoms (extended-Lagrangian dynamics, XL-BOMD); left out = 1, or 0 without "
                     "calculator.scc.enabled")
            .at_least(0),
        Key::boolean("md.hold_rotation", "true",
                     "Keep a free cluster, nothing periodic or fixed, from turning"),
        Key::texts("md.fix", "", "What is held fixed, as in relax.fix"),
        Key::integer("md.trajectory_every", "10", "Steps between frames of the trajectory").at_least(1),
        Key::integer("md.checkpoint_every", "50",
                     "Most steps between checkpoints; see also run.checkpoint_interval")
            .at_least(1),

        Key::file("neb.end", "",
                  "Stage neb: file of the other state, the atoms of the relaxed structure in the same order"),
        Key::text("neb.rotate", "",
                  "Stage neb: the other state is the relaxed structure with a bond turned by 90 degrees: "
                  "\"middle\", "
                  "\"defect\" (between the heptagons of the largest 5-7-7-5, which heals it), or two atoms "
                  "counted from 1, \"12-13\""),
        Key::text(
            "neb.adsorbate", "",
            "Stage neb: Cr (or any element), CH, CH2, CH3 goes from one site of the relaxed structure to the "
            "next; spin as in adsorb.spin, with the number of unpaired electrons that is lowest at the first "
            "site"),
        Key::texts(
            "neb.sites", "[\"hollow\", \"hollow\"]",
            "Kinds of the two sites, of hollow, bridge, top: the first one is the nearest to "
            "adsorb.center_angstrom, else to the largest defect, else to the middle; the second one the "
            "nearest to that"),
        Key::integer("neb.images", "7", "Images between the two states").at_least(1).at_most(200),
        Key::choice("neb.path", {"idpp", "linear"}, "idpp",
                    "First path: by pair distances, so that atoms go around each other, or straight"),
        Key::quantity("neb.max_force", Dimension::force, "0.05 eV/angstrom",
                      "Converged below this force of the band on every atom")
            .positive(),
        Key::integer("neb.max_steps", "500", "Moves of the band before giving up").at_least(1).at_most(1e9),
        Key::number("neb.spring", "5", "Springs between the images, eV/angstrom^2").positive(),
        Key::boolean("neb.climb", "true", "The highest image climbs to the saddle"),
        Key::quantity("neb.climb_below", Dimension::force, "0.5 eV/angstrom",
                      "The climb begins once the band's forces are below this")
            .positive(),
        Key::quantity("neb.max_step", Dimension::length, "0.1 angstrom", "Longest move of an atom in a step")
            .positive(),
        Key::boolean("neb.relax_ends", "true", "Relax the two states first, to half of neb.max_force"),
        Key::texts("neb.fix", "", "What is held fixed, as in relax.fix"),
        Key::integer(
            "neb.workers", "0",
            "Images evaluated at once, sharing the threads; 0 = one per thread up to 400 atoms, else one")
            .at_least(0),
        Key::integer("neb.checkpoint_every", "5", "Steps between checkpoints").at_least(1),

        Key::quantity("vibrations.displacement", Dimension::length, "0.005 angstrom",
                      "How far an atom is moved for the differences of forces")
            .positive(),
        Key::quantity("vibrations.temperature", Dimension::temperature, "298.15 K", "Of the thermochemistry")
            .at_least(0),
        Key::quantity("vibrations.pressure", Dimension::pressure, "1e-4 GPa",
                      "Of a molecule as an ideal gas; 1e-4 GPa is 1 bar")
            .positive(),
        Key::integer("vibrations.symmetry_number", "1",
                     "Rotations that leave the molecule unchanged: 2 for water, 12 for benzene")
            .at_least(1),
        Key::integer("vibrations.multiplicity", "1", "2 S + 1 of the molecule's electrons").at_least(1),
        Key::table("vibrations.masses", "Mass per element in dalton, e.g. { H = 2.014 }; default: standard"),
        Key::texts("vibrations.fix", "", "What is held fixed and left out, as in relax.fix"),
        Key::quantity("vibrations.broadening", Dimension::wavenumber, "10 cm^-1",
                      "Full width at half maximum of a line in the picture of the spectrum")
            .positive(),
        Key::integer(
            "vibrations.workers", "0",
            "Displacements evaluated at once, sharing the threads; 0 = one per thread up to 400 atoms, "
            "else one")
            .at_least(0),
        Key::integer("vibrations.checkpoint_every", "1", "Atoms between checkpoints").at_least(1),

        Key::integer("analyze.largest_ring", "10", "Largest ring that is looked for").at_least(6).at_most(12),
        Key::number("analyze.bond_factor", "1.25",
                    "Two atoms are bonded below this times the sum of covalent radii")
            .positive(),
        Key::number("analyze.break_factor", "1.15",
                    "Trajectories: a bond breaks beyond this times the distance at which it forms, so that "
                    "vibrations do not count")
            .at_least(1),
        Key::integer("analyze.defect_memory", "1",
                     "Trajectories: frames a defect may be missed without having gone")
            .at_least(0),
        Key::integer("analyze.least_frames", "2",
                     "Trajectories: defects seen in fewer frames are only counted, not listed")
            .at_least(1),
        Key::quantity("analyze.frame_spacing", Dimension::time, "",
                      "Trajectories: time between frames; left out = as the frames say")
            .positive(),
        Key::text("properties.bands", "",
                  "Path of the band structure, e.g. \"G M K G\"; corners may be fractions: 0.5,0,0; auto = "
                  "around the "
                  "zone in the plane of the first two repeating vectors"),
        Key::integer("properties.band_points", "40", "Points on each piece of the path").at_least(1),
        Key::quantities("properties.dos_range", Dimension::energy, "15 eV",
                        "How far the density of states reaches below and above the Fermi level; one value = "
                        "both sides")
            .positive(),
        Key::quantity("properties.dos_width", Dimension::energy, "0.1 eV",
                      "Standard deviation of the Gaussians of the density of states")
            .positive(),
        Key::integer("properties.dos_points", "1501", "Energies of the density of states").at_least(2),
        Key::number("properties.least_bond_order", "0.1", "Bonds of lower order are not listed").at_least(0),
        Key::quantity("properties.metallic_below", Dimension::energy, "0.02 eV",
                      "Largest gap that is called metallic")
            .at_least(0),
        Key::integer("properties.states", "0",
                     "Only this many levels around the Fermi level, by shift-and-invert Lanczos, in place of "
                     "the full diagonalisation that density of states and bond orders need; 0 = all")
            .at_least(0),
        Key::texts(
            "properties.cube", "",
            "Cube files: density, spin, difference (to the free atoms), homo, homo-1, ..., lumo, lumo+1, "
            "..., numbers of levels counted from 1"),
        Key::quantity("properties.cube_spacing", Dimension::length, "0.2 angstrom", "Distance of grid points")
            .positive(),
        Key::quantity("properties.cube_margin", Dimension::length, "4 angstrom",
                      "Space around the atoms of cube files and tunnelling pictures where nothing repeats")
            .positive(),
        Key::files("properties.orbitals", {"builtin"}, "",
                   "Radial orbitals of the set; left out = orbitals.csv beside the .skf files"),
        Key::boolean("properties.stm", "false",
                     "Tunnelling pictures, at constant height and constant current"),
        Key::text("properties.stm_bias", "0.5 V",
                  "Levels from the Fermi level to this far above it (negative: below) are seen"),
        Key::quantity("properties.stm_height", Dimension::length, "2 angstrom",
                      "Tip over the highest atom; the orbitals are confined and end near 4 angstrom")
            .positive(),
        Key::quantity("properties.stm_pixel", Dimension::length, "0.2 angstrom", "Of the tunnelling pictures")
            .positive(),
        Key::quantity("properties.stm_width", Dimension::length, "20 angstrom",
                      "Smaller cells are repeated to this width in tunnelling pictures")
            .at_least(0),
        Key::boolean("properties.stm_atoms", "true", "Whether rings mark the atoms in tunnelling pictures"),
        Key::text("report.title", "", "Title of the report; left out = the name of the run"),
        Key::file("report.truth", "",
                  "Known positions (CSV with x_px,y_px,element[,covered]) to score the detection with"),
    };
}

}  // namespace

io::Schema run_schema() {
    return joined({run_keys(), detect_keys(), settings::build_keys(), calculator_keys(),
                   settings::relax_keys(), simulate_keys(), study_keys()});
}

io::Schema simulation_schema() {
    return joined({{threads_key()}, settings::image_keys(), settings::scene_keys()});
}

// --- options

std::string list_of(const std::string& text, char separator) {
    std::istringstream stream(text);
    std::string list;
    for (std::string item; std::getline(stream, item, separator);)
        list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", trimmed(item));
    return "[" + list + "]";
}

namespace {

const char* name_of(Dimension dimension) {
    switch (dimension) {
        case Dimension::number:
            return "NUMBER";
        case Dimension::length:
            return "LENGTH";
        case Dimension::energy:
            return "ENERGY";
        case Dimension::force:
            return "FORCE";
        case Dimension::time:
            return "TIME";
        case Dimension::temperature:
            return "TEMPERATURE";
        case Dimension::mass:
            return "MASS";
        case Dimension::pressure:
            return "PRESSURE";
        case Dimension::wavenumber:
            return "WAVENUMBER";
        case Dimension::electric_field:
            return "FIELD";
    }
    throw std::logic_error("name_of: unknown dimension");
}

/// What the help shows after an option: LENGTH, {scale,affine,rows}, INT.
std::string type_name(const Key& key) {
    switch (key.kind) {
        case io::Kind::quantity:
        case io::Kind::quantities:
            return name_of(key.dimension);
        case io::Kind::choice:
            return fmt::format("{{{}}}", fmt::join(key.words, ","));
        case io::Kind::boolean:
            return "{true,false}";
        case io::Kind::integer:
            return "INT";
        case io::Kind::integers:
            return key.length > 0 ? fmt::format("INT x {}", key.length) : "INTS";
        case io::Kind::number:
            return "NUMBER";
        case io::Kind::numbers:
            return key.length > 0 ? fmt::format("NUMBER x {}", key.length) : "NUMBERS";
        case io::Kind::file:
        case io::Kind::files:
            return key.words.empty() ? "PATH" : fmt::format("PATH|{}", fmt::join(key.words, "|"));
        case io::Kind::text:
        case io::Kind::texts:
            return "TEXT";
        case io::Kind::rows:
        case io::Kind::table:
            return "TOML";
    }
    throw std::logic_error("type_name: unknown kind");
}

}  // namespace

ConfigOptions::ConfigOptions(io::Schema schema) : schema_(std::move(schema)) {}

const Key& ConfigOptions::key(const std::string& path) const {
    const auto found =
        std::find_if(schema_.begin(), schema_.end(), [&](const Key& k) { return k.path == path; });
    if (found == schema_.end()) throw std::logic_error("no configuration key " + path);
    return *found;
}

std::string ConfigOptions::meaning(const std::string& path) const {
    const Key& found = key(path);
    return found.standard.empty() ? found.meaning : fmt::format("{} [{}]", found.meaning, found.standard);
}

ConfigOptions::Setting& ConfigOptions::new_setting(const std::string& option, const std::string& key) {
    settings_.push_back(std::make_unique<Setting>());
    settings_.back()->key = key;
    settings_.back()->option = option;
    return *settings_.back();
}

void ConfigOptions::add_config_file(CLI::App& command) {
    command.add_option("--config", file_, "Configuration file; options win over it");
}

void ConfigOptions::add(CLI::App& command, const std::string& option, const std::string& key) {
    Setting& setting = new_setting(option, key);
    command
        .add_option_function<std::string>(
            option,
            [&setting](const std::string& value) {
                setting.value = value.find('\n') == std::string::npos ? value : list_of(value, '\n');
                setting.given = true;
            },
            meaning(key))
        ->type_name(type_name(this->key(key)))
        ->join();  // an option given twice makes a list; joined by line breaks
}

void ConfigOptions::add_words(CLI::App& command, const std::string& option, const std::string& key) {
    Setting& setting = new_setting(option, key);
    command
        .add_option_function<std::string>(
            option,
            [&setting](const std::string& value) {
                setting.value = list_of(value, ',');
                setting.given = true;
            },
            meaning(key))
        ->type_name("WORD,WORD,...");
}

void ConfigOptions::add_flag(CLI::App& command, const std::string& flag, const std::string& key,
                             const std::string& value, const std::string& help) {
    Setting& setting = new_setting(flag, key);
    setting.value = value;
    command.add_flag_callback(
        flag, [&setting] { setting.given = true; }, help.empty() ? this->key(key).meaning : help);
}

void ConfigOptions::add_calculator(CLI::App& command) {
    add(command, "--parameters", "calculator.parameters");
    add(command, "--kpoints", "calculator.kpoints");
    add_flag(command, "--kpoints-gamma", "calculator.kpoints_gamma_centered", "true");
    add(command, "--electronic-temperature", "calculator.electronic_temperature");
    add(command, "--charge", "calculator.charge");
    add_flag(command, "--spin-polarized", "calculator.spin.polarized", "true");
    add(command, "--unpaired", "calculator.spin.unpaired");
    add_flag(command, "--third-order", "calculator.third_order.mode", "full", "All terms of DFTB3");
    add(command, "--dispersion", "calculator.dispersion.model");
    add(command, "--scc-tolerance", "calculator.scc.tolerance");
    add(command, "--max-scc-iterations", "calculator.scc.max_iterations");
    add(command, "--solver", "calculator.solver");
    add(command, "--device", "calculator.device");
    add(command, "--device-method", "calculator.device_method");
    add(command, "--memory-limit", "calculator.memory_limit");
    add(command, "--threads", "run.threads");
    add_config_file(command);
}

void ConfigOptions::set(const std::string& key, const std::string& value, const std::string& option) {
    Setting& setting = new_setting(option, key);
    setting.value = value;
    setting.given = true;
}

std::string ConfigOptions::given_but(const std::vector<std::string>& these) const {
    std::string list;
    for (const auto& setting : settings_)
        if (setting->given && std::find(these.begin(), these.end(), setting->option) == these.end())
            list += (list.empty() ? "" : ", ") + setting->option;
    return list;
}

io::Config ConfigOptions::config() const {
    io::Config config = file_.empty() ? io::Config(schema_) : io::Config::read(file_, schema_);
    for (const auto& setting : settings_)
        if (setting->given) config.set(setting->key, setting->value, setting->option);
    return config;
}

// --- fingerprints

std::string tables_text(const io::Config& config, const std::vector<std::string>& tables) {
    std::istringstream lines(config.resolved_toml());
    std::string text, line;
    bool wanted = false;
    while (std::getline(lines, line)) {
        if (line.starts_with("["))
            wanted = std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
                return line == "[" + table + "]" || line.starts_with("[" + table + ".");
            });
        if (wanted) text += line + "\n";
    }
    return text;
}

}  // namespace stembridge::app
