// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/dynamics.hpp"

#include <fmt/format.h>

#include "configuration.hpp"
#include "csv_log.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/md/observables.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

md::DynamicsOptions dynamics_options(const io::Config& config, double kT) {
    md::DynamicsOptions options;
    options.ensemble = config.text("md.ensemble");
    options.timestep = config.quantity("md.timestep");
    options.temperature = kT;
    options.thermostat_period = config.quantity("md.thermostat_period");
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
    if (md.evaluation().charges.size() != 0) frame.arrays["charges"] = md.evaluation().charges.transpose();
    return frame;
}

double mean(const std::vector<double>& values, std::size_t from) {
    double sum = 0;
    for (std::size_t i = from; i < values.size(); ++i) sum += values[i];
    return values.size() > from ? sum / static_cast<double>(values.size() - from) : 0;
}

}  // namespace

nlohmann::json dynamics(const io::Config& config, const Structure& start, double kT, StageFolder& folder,
                        Session& session) {
    Structure structure = start;
    structure.validate();
    if (config.has("md.fix"))
        for (const auto& rule : config.texts("md.fix")) fix_atoms(structure, rule);
    const auto calculator =
        make_calculator(config, structure, static_cast<int>(config.integer("md.scc_cycles")));
    const auto seed = static_cast<std::uint64_t>(config.integer("run.seed"));
    const auto steps = config.integer("md.steps");
    session.info(fmt::format("dynamics of {} ({} atoms) at {:.0f} K, {} steps, with {}", structure.formula(),
                             structure.size(), kT / units::kelvin, steps, calculator->description()));

    const fs::path checkpoint = folder / "checkpoint.h5";
    const bool resumed = folder.was_begun() && io::has_checkpoint(checkpoint);
    folder.begin();
    const Timer timer;
    md::MolecularDynamics md(structure, *calculator, dynamics_options(config, kT), session.context(seed));
    std::int64_t rows = 0, frames = 0;
    if (resumed) {
        const State state = io::read_checkpoint(checkpoint, session.context());
        md.restore(state.part("dynamics"));
        rows = state.integer("rows");
        frames = state.integer("frames");
        session.info(fmt::format("continuing at step {}", md.step_count()));
    }
    CsvLog log(folder / "thermo.csv",
               {"step", "time_fs", "potential_ev", "energy_zero_ev", "kinetic_ev", "temperature_k",
                "conserved_ev", "scc_cycles"},
               rows);
    io::TrajectoryWriter trajectory(folder / "trajectory.extxyz", frames);
    const auto save = [&] {
        trajectory.sync();
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
                 now.conserved / units::electronvolt, static_cast<double>(now.self_consistency_steps)});
        if (now.step % config.integer("md.trajectory_every") == 0) trajectory.write(frame_of(md, now));
        session.context().progress(fmt::format("dynamics at {:.0f} K", kT / units::kelvin), now.step, steps);
    };

    if (!resumed) record();
    const auto every = config.integer("md.checkpoint_every");
    while (md.step_count() < steps) {
        if (session.stop_requested()) {
            save();
            folder.stop(timer.seconds());
            throw StoppedError(fmt::format(
                "stopped on request after step {}; a checkpoint is in {}: the same command continues",
                md.step_count(), folder.path().string()));
        }
        try {
            md.step();
        } catch (const Error&) {
            save();  // the last complete step
            throw;
        }
        record();
        if (md.step_count() % every == 0) save();
    }
    save();
    io::write_structure(folder / "final.extxyz", md.structure());

    const auto columns = read_csv(folder / "thermo.csv");
    std::vector<double> times = columns.at("time_fs"), conserved = columns.at("conserved_ev");
    const double drift_mev_per_atom_per_ps =
        times.size() > 1 ? 1e6 * md::drift_per_atom(times, conserved, structure.size())
                         : 0.0;  // eV/fs = 1e6 meV/ps
    const double temperature = mean(columns.at("temperature_k"), times.size() / 4);
    nlohmann::json summary = {
        {"steps", steps},
        {"degrees_of_freedom", md.degrees_of_freedom()},
        {"mean_temperature_k", temperature},
        {"drift_mev_per_atom_per_ps", drift_mev_per_atom_per_ps},
        {"mean_scc_cycles", mean(columns.at("scc_cycles"), 1)},
        {"n_atoms", structure.size()},
        {"electronic_temperature_k", md.evaluation().electronic_temperature.value_or(0) / units::kelvin},
        {"target_k", kT / units::kelvin},
        {"ensemble", config.text("md.ensemble")},
        {"timestep_fs", config.quantity("md.timestep") / units::femtosecond},
        {"resumed", resumed},
    };
    session.info(fmt::format(
        "{} steps: mean temperature {:.1f} K, drift of the conserved quantity {:.3f} meV/atom/ps, {:.1f} s",
        steps, temperature, drift_mev_per_atom_per_ps, timer.seconds()));
    folder.finish({"trajectory.extxyz", "thermo.csv", "final.extxyz"}, timer.seconds(), summary);
    return summary;
}

}  // namespace stembridge::app
