// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/dynamics.hpp"

#include <fmt/format.h>

#include <sstream>

#include "configuration.hpp"
#include "csv_log.hpp"
#include "pace.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/md/observables.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// "500 fs 3000 K"
md::TemperaturePoint point_of(const std::string& text, const std::string& where) {
    std::istringstream words(text);
    std::string time, time_unit, temperature, temperature_unit, more;
    words >> time >> time_unit >> temperature >> temperature_unit;
    if (!words || words >> more)
        throw InputError(fmt::format(
            "{}: '{}' is not a time and a temperature with their units, such as \"500 fs 3000 K\"", where,
            text));
    try {
        return {parse_quantity(time + " " + time_unit, Dimension::time),
                parse_quantity(temperature + " " + temperature_unit, Dimension::temperature)};
    } catch (const InputError& e) {
        throw InputError(fmt::format("{}: '{}': {}", where, text, e.what()));
    }
}

std::vector<md::TemperaturePoint> schedule_of(const io::Config& config, double kT) {
    std::vector<md::TemperaturePoint> points;
    if (config.has("md.schedule")) {
        const std::string where = config.where("md.schedule");
        for (const auto& text : config.texts("md.schedule")) points.push_back(point_of(text, where));
        try {
            const md::TemperatureSchedule checked(points);
        } catch (const InputError& e) {
            throw InputError(fmt::format("{}: {}", where, e.what()));
        }
        return points;
    }
    if (const double heat_up = config.quantity("md.heat_up"); heat_up > 0) {
        const double start = config.has("md.start_temperature") ? config.quantity("md.start_temperature") : 0;
        points = {{0, start}, {heat_up, kT}};
    }
    return points;
}

int scc_cycles(const io::Config& config) {
    const bool self_consistent = config.boolean("calculator.scc.enabled");
    if (!config.has("md.scc_cycles")) return self_consistent ? 1 : 0;
    const auto cycles = static_cast<int>(config.integer("md.scc_cycles"));
    if (cycles > 0 && !self_consistent)
        throw InputError(
            fmt::format("{}: md.scc_cycles = {} needs self-consistent charges; accepted with "
                        "calculator.scc.enabled = false: 0, or leave it out",
                        config.where("md.scc_cycles"), cycles));
    return cycles;
}

md::DynamicsOptions dynamics_options(const io::Config& config, double kT) {
    md::DynamicsOptions options;
    options.ensemble = config.text("md.ensemble");
    options.timestep = config.quantity("md.timestep");
    options.temperature = kT;
    options.schedule = schedule_of(config, kT);
    if (config.has("md.start_temperature"))
        options.start_temperature = config.quantity("md.start_temperature");
    options.thermostat_period = config.quantity("md.thermostat_period");
    options.thermostat_time = config.quantity("md.thermostat_time");
    options.rescale_every = static_cast<int>(config.integer("md.rescale_every"));
    options.friction = 1 / config.quantity("md.friction_time");
    const bool external =
        config.has("calculator.external.point_charges") || config.has("calculator.external.field");
    options.hold_center_of_mass = !external;
    options.hold_rotation = !external && config.boolean("md.hold_rotation");
    return options;
}

io::Frame frame_of(const md::MolecularDynamics& md, const md::DynamicsObservables& now) {
    io::Frame frame;
    frame.structure = md.structure();
    frame.info = {{"energy", now.energy},
                  {"step", static_cast<double>(now.step)},
                  {"time_fs", now.time / units::femtosecond},
                  {"temperature_k", now.temperature / units::kelvin}};
    frame.arrays["forces"] = md.evaluation().forces;
    const Evaluation& evaluation = md.evaluation();
    if (evaluation.charges.size() != 0) frame.arrays["charges"] = evaluation.charges.transpose();
    if (evaluation.spin_moments.size() != 0) {
        frame.arrays["spin_moments"] = evaluation.spin_moments.transpose();
        frame.info["magnetization"] = evaluation.spin_moments.sum();
    }
    return frame;
}

double mean(const std::vector<double>& values, std::size_t from) {
    double sum = 0;
    for (std::size_t i = from; i < values.size(); ++i) sum += values[i];
    return values.size() > from ? sum / static_cast<double>(values.size() - from) : 0;
}

}  // namespace

std::vector<Replica> replicas_of(const io::Config& config) {
    if (config.has("md.schedule"))
        for (const std::string other : {"md.temperature", "md.heat_up"})
            if (config.is_set(other))
                throw InputError(fmt::format("{}: md.schedule says the temperatures; leave {} out",
                                             config.where(other), other));
    if (config.is_set("md.heat_up") && config.text("md.ensemble") == "nve")
        throw InputError(config.where("md.heat_up") + ": an nve run has no bath that could heat it up");
    if (config.has("md.schedule") && config.text("md.ensemble") == "nve")
        throw InputError(config.where("md.schedule") + ": an nve run has no bath that could follow it");
    return replicas_named(config);
}

std::vector<Replica> replicas_named(const io::Config& config) {
    std::vector<std::uint64_t> seeds;
    if (config.has("md.seeds"))
        for (const auto seed : config.integers("md.seeds")) seeds.push_back(static_cast<std::uint64_t>(seed));
    if (seeds.empty()) seeds.push_back(static_cast<std::uint64_t>(config.integer("run.seed")));
    std::vector<Replica> replicas;
    const auto add = [&](const std::string& name, double kT) {
        for (const auto seed : seeds)
            replicas.push_back({seeds.size() == 1 ? name : fmt::format("{}-seed{}", name, seed), kT, seed});
    };
    if (config.has("md.schedule"))
        add("schedule", md::TemperatureSchedule(schedule_of(config, 0)).highest());
    else
        for (const double kT : config.quantities("md.temperature"))
            add(fmt::format("{:.0f}K", kT / units::kelvin), kT);
    for (std::size_t k = 0; k < replicas.size(); ++k)
        for (std::size_t l = 0; l < k; ++l)
            if (replicas[k].name == replicas[l].name)
                throw InputError(fmt::format("{} would be run twice: {} or {} holds a value twice",
                                             replicas[k].name, config.where("md.temperature"),
                                             config.where("md.seeds")));
    return replicas;
}

io::Config config_of(const io::Config& config, const Replica& replica, const Structure& start) {
    io::Config own = config;
    if (!config.has("md.schedule"))
        own.set("md.temperature", fmt::format("{} hartree", replica.kT), "md.temperature");
    own.set("md.seeds", fmt::format("[{}]", replica.seed), "md.seeds");
    if (start.velocities.cols() != 0 && config.is_set("md.seeds") && !config.has("md.start_temperature")) {
        // Each seed has velocities of its own.
        const auto points = schedule_of(config, replica.kT);
        own.set("md.start_temperature",
                fmt::format("{} hartree", points.empty() ? replica.kT : points.front().kT), "md.seeds");
    }
    return own;
}

nlohmann::json dynamics(const io::Config& config, const Structure& start, const Replica& replica,
                        StageFolder& folder, Session& session,
                        const std::function<void(std::int64_t)>& progress) {
    Structure structure = start;
    structure.validate();
    if (config.has("md.fix"))
        for (const auto& rule : config.texts("md.fix")) fix_atoms(structure, rule);
    const md::DynamicsOptions options = dynamics_options(config, replica.kT);
    const auto calculator = make_calculator(config, structure, scc_cycles(config));
    const auto steps = config.integer("md.steps");
    session.info(fmt::format("{}: dynamics of {} ({} atoms), {}, {} steps, with {}", replica.name,
                             structure.formula(), structure.size(), options.ensemble, steps,
                             calculator->description()));
    if (options.ensemble == "berendsen" || options.ensemble == "rescale")
        session.info(
            fmt::format("{}: {} reaches a temperature but does not sample the canonical ensemble; "
                        "take averages with nvt, langevin or bussi",
                        replica.name, options.ensemble));

    const fs::path checkpoint = folder / "checkpoint.h5";
    const bool resumed = folder.was_begun() && io::has_checkpoint(checkpoint);
    folder.begin();
    const Timer timer;
    const bool given_velocities = structure.velocities.cols() != 0 && !options.start_temperature;
    if (!given_velocities) structure.velocities.resize(3, 0);
    md::MolecularDynamics md(structure, *calculator, options, session.context(replica.seed));
    std::int64_t rows = 0, frames = 0;
    if (resumed) {
        const State state = io::read_checkpoint(checkpoint, session.context(), [&](const State& found) {
            require_rows(folder / "thermo.csv", found.integer("rows"));
        });
        md.restore(state.part("dynamics"));
        rows = state.integer("rows");
        frames = state.integer("frames");
        session.info(md.step_count() > steps
                         ? fmt::format("{}: {} steps are done already; none is taken back", replica.name,
                                       md.step_count())
                         : fmt::format("{}: continuing at step {}", replica.name, md.step_count()));
    } else if (given_velocities) {
        const double kT =
            md::kinetic_temperature(md::kinetic_energy(md.structure()), md.degrees_of_freedom());
        session.info(fmt::format(
            "{}: starts from the velocities of the structure ({:.0f} K); md.start_temperature draws new ones",
            replica.name, kT / units::kelvin));
    }
    CsvLog log(folder / "thermo.csv",
               {"step", "time_fs", "potential_ev", "energy_zero_ev", "kinetic_ev", "temperature_k",
                "conserved_ev", "scc_cycles", "target_k"},
               rows);
    io::TrajectoryWriter trajectory(folder / "trajectory.extxyz", frames);
    const auto save = [&] {
        for (const char* name : {"trajectory.extxyz", "thermo.csv"})
            if (!fs::exists(folder / name))
                throw FileError(
                    fmt::format("{} was removed while the run was writing to it; the same command "
                                "starts the run again",
                                (folder / name).string()));
        trajectory.sync();
        log.sync();
        State state;
        state.put_all("dynamics", md.save());
        state.put("rows", log.rows());
        state.put("frames", trajectory.n_frames());
        io::write_checkpoint(checkpoint, state);
    };
    const auto record = [&] {
        const md::DynamicsObservables now = md.observables();
        log.row({static_cast<double>(now.step), now.time / units::femtosecond,
                 now.energy / units::electronvolt, now.energy_zero / units::electronvolt,
                 now.kinetic / units::electronvolt, now.temperature / units::kelvin,
                 now.conserved / units::electronvolt, static_cast<double>(now.self_consistency_steps),
                 now.target / units::kelvin});
        if (now.step % config.integer("md.trajectory_every") == 0) trajectory.write(frame_of(md, now));
        if (progress)
            progress(now.step);
        else
            session.context().progress("dynamics, " + replica.name, now.step, steps);
    };

    const auto stopped = [&] {
        save();
        folder.stop(timer.seconds());
        return StoppedError(fmt::format(
            "{} was stopped on request after step {}; a checkpoint is in {}: the same command continues",
            replica.name, md.step_count(), folder.path().string()));
    };

    if (log.rows() == 0) try {
            record();  // where it starts
        } catch (const StoppedError&) {
            throw stopped();
        }
    CheckpointClock checkpoints(config, config.integer("md.checkpoint_every"));
    while (md.step_count() < steps) {
        if (session.stop_requested()) throw stopped();
        try {
            md.step();
        } catch (const StoppedError&) {  // inside an evaluation: what it had done is lost, nothing else
            throw stopped();
        } catch (const Error&) {
            save();  // the last complete step
            throw;
        }
        record();
        if (checkpoints.due_after_step()) save();
    }
    save();
    io::write_structure(folder / "final.extxyz", md.structure());

    const auto columns =
        read_csv(folder / "thermo.csv", {"time_fs", "conserved_ev", "temperature_k", "scc_cycles"});
    std::vector<double> times = columns.at("time_fs"), conserved = columns.at("conserved_ev");
    const double drift_mev_per_atom_per_ps =
        times.size() > 1 ? 1e6 * md::drift_per_atom(times, conserved, structure.size())
                         : 0.0;  // eV/fs = 1e6 meV/ps
    const double temperature = mean(columns.at("temperature_k"), times.size() / 4);
    nlohmann::json summary = {
        {"steps", md.step_count()},
        {"degrees_of_freedom", md.degrees_of_freedom()},
        {"mean_temperature_k", temperature},
        {"drift_mev_per_atom_per_ps", drift_mev_per_atom_per_ps},
        {"mean_scc_cycles", mean(columns.at("scc_cycles"), 1)},
        {"n_atoms", structure.size()},
        {"electronic_temperature_k", md.evaluation().electronic_temperature.value_or(0) / units::kelvin},
        {"seed", replica.seed},
        {"ensemble", config.text("md.ensemble")},
        {"timestep_fs", config.quantity("md.timestep") / units::femtosecond},
        {"resumed", resumed},
    };
    if (options.schedule.empty())
        summary["target_k"] = replica.kT / units::kelvin;
    else
        for (const auto& [time, kT] : options.schedule)
            summary["schedule_fs_k"].push_back({time / units::femtosecond, kT / units::kelvin});
    session.info(
        fmt::format("{}: {} steps: mean temperature {:.1f} K, drift of the conserved quantity {:.3f} "
                    "meV/atom/ps, {:.1f} s",
                    replica.name, md.step_count(), temperature, drift_mev_per_atom_per_ps, timer.seconds()));
    folder.finish({"trajectory.extxyz", "thermo.csv", "final.extxyz"}, timer.seconds(), summary);
    return summary;
}

}  // namespace stembridge::app
