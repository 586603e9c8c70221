// SPDX-License-Identifier: Apache-2.0
#include "stembridge/settings/relax.hpp"

#include <fmt/format.h>

#include "configuration.hpp"
#include "csv_log.hpp"
#include "pace.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// Tells what straightening did.
nlohmann::json straighten(const io::Config& config, Structure& structure, Session& session,
                          std::uint64_t seed) {
    const Timer timer;
    const md::PreRelaxResult result = settings::pre_relax(config, structure, session.context(seed));
    if (!result.done) return nullptr;
    session.info(fmt::format(
        "straightened with the force field: {} steps, {:.1f} s; atoms moved by {:.2f} angstrom in the mean, "
        "{:.2f} at most",
        result.steps, timer.seconds(), result.mean_move / units::angstrom,
        result.largest_move / units::angstrom));
    return {{"steps", result.steps},
            {"rms_force_before_ev_per_angstrom", result.rms_force / units::electronvolt_per_angstrom},
            {"mean_move_angstrom", result.mean_move / units::angstrom},
            {"largest_move_angstrom", result.largest_move / units::angstrom}};
}

}  // namespace

void write_frame(const fs::path& path, const Structure& structure, const Evaluation& evaluation) {
    io::Frame frame;
    frame.structure = structure;
    if (evaluation.forces.cols() == structure.size()) {
        frame.info["energy"] = evaluation.energy;
        frame.arrays["forces"] = evaluation.forces;
    }
    if (evaluation.charges.size() == structure.size())
        frame.arrays["charges"] = evaluation.charges.transpose();
    fs::path part = path;
    part += ".part";
    fs::remove(part);
    {
        io::TrajectoryWriter writer(part);
        writer.write(frame);
        writer.sync();
    }
    fs::rename(part, path);
}

nlohmann::json relax(const io::Config& config, const Structure& start, StageFolder& folder,
                     Session& session) {
    Structure structure = start;
    structure.validate();
    if (config.has("relax.fix"))
        for (const auto& rule : config.texts("relax.fix")) fix_atoms(structure, rule);
    const auto calculator = make_calculator(config, structure);
    const auto seed = static_cast<std::uint64_t>(config.integer("run.seed"));
    session.info(fmt::format("relaxing {} ({} atoms) with {}", structure.formula(), structure.size(),
                             calculator->description()));

    const fs::path checkpoint = folder / "checkpoint.h5";
    const bool resumed = folder.was_begun() && io::has_checkpoint(checkpoint);
    folder.begin();
    const Timer timer;
    nlohmann::json pre_relaxed = resumed ? nullptr : straighten(config, structure, session, seed);
    md::Relaxation relaxation(structure, *calculator, settings::relax_options(config), session.context(seed));
    std::int64_t rows = 0;
    if (resumed) {
        const State state = io::read_checkpoint(checkpoint, session.context(), [&](const State& found) {
            require_rows(folder / "relax.csv", found.integer("rows"));
        });
        relaxation.restore(state.part("relaxation"));
        rows = state.integer("rows");
        if (state.has("pre_relaxed"))
            pre_relaxed = nlohmann::json::parse(state.get<std::string>("pre_relaxed"));
        session.info(fmt::format("continuing after {} force evaluations", rows));
    }
    CsvLog log(folder / "relax.csv",
               {"step", "energy_ev", "energy_zero_ev", "max_force_ev_per_angstrom", "largest_move_angstrom",
                "accepted", "lbfgs", "scc_cycles"},
               rows);
    const auto save = [&] {
        log.sync();
        State state;
        state.put_all("relaxation", relaxation.save());
        state.put("rows", log.rows());
        state.put("pre_relaxed", State::Value(pre_relaxed.dump()));
        io::write_checkpoint(checkpoint, state);
        if (log.rows() > 0)  // to look at while it runs
            write_frame(folder / "last.extxyz", relaxation.structure(), relaxation.result().evaluation);
    };

    const auto stopped = [&] {
        save();
        folder.stop(timer.seconds());
        return StoppedError(
            fmt::format("stopped on request after {} force evaluations; a checkpoint is in {}: the same "
                        "command continues",
                        log.rows(), folder.path().string()));
    };

    CheckpointClock checkpoints(config, config.integer("relax.checkpoint_every"));
    const double target = config.quantity("relax.max_force") / units::electronvolt_per_angstrom;
    std::vector<double> forces;  // of the accepted structures of this session
    const Timer steps_timer;
    int steps_here = 0;
    while (!relaxation.finished()) {
        if (session.stop_requested()) throw stopped();
        md::RelaxStep step;
        try {
            step = relaxation.step();
        } catch (const StoppedError&) {  // inside an evaluation: what it had done is lost, nothing else
            throw stopped();
        } catch (const Error&) {
            save();
            throw;
        }
        const double force = step.max_force / units::electronvolt_per_angstrom;
        log.row({static_cast<double>(step.step), step.energy / units::electronvolt,
                 step.energy_zero / units::electronvolt, force, step.largest_move / units::angstrom,
                 step.accepted ? 1.0 : 0.0, step.method == "lbfgs" ? 1.0 : 0.0,
                 static_cast<double>(step.self_consistency_steps)});
        if (step.accepted) forces.push_back(force);
        const double left = seconds_until(forces, target, steps_timer.seconds() / ++steps_here);
        session.context().progress(
            fmt::format("relaxing, largest force {:.4f} eV/angstrom, {} per evaluation{}", force,
                        rough_duration(steps_timer.seconds() / steps_here),
                        left > 0 ? ", about " + rough_duration(left) + " left" : ""),
            step.step, 0);
        if (checkpoints.due_after_step()) save();
    }

    const md::RelaxResult result = relaxation.result();
    const double force = result.max_force / units::electronvolt_per_angstrom;
    nlohmann::json summary = {
        {"status", md::to_string(result.status)},
        {"force_evaluations", result.steps},
        {"fire_steps", result.fire_steps},
        {"lbfgs_steps", result.lbfgs_steps},
        {"max_force_ev_per_angstrom", force},
        {"energy_hartree", result.evaluation.energy},
        {"energy_zero_hartree", result.evaluation.energy_zero},
        {"total_moment", result.evaluation.spin_moments.size() == 0
                             ? nlohmann::json(nullptr)
                             : nlohmann::json(result.evaluation.spin_moments.sum())},
        {"solver", result.evaluation.solver},
        {"n_atoms", structure.size()},
        {"electronic_temperature_k", result.evaluation.electronic_temperature.value_or(0) / units::kelvin},
        {"calculator", calculator->description()},
        {"perturbed", result.perturbed},
        {"resumed", resumed},
        {"pre_relaxed", pre_relaxed},
        {"seconds_per_evaluation", steps_here > 0 ? steps_timer.seconds() / steps_here : 0.0},
    };
    if (config.text("relax.cell") != "none") {
        const Eigen::Matrix3d lattice = relaxation.structure().cell.vectors / units::angstrom;
        for (int k = 0; k < 3; ++k) {
            summary["lattice_angstrom"].push_back({lattice(0, k), lattice(1, k), lattice(2, k)});
            summary["strain"].push_back({result.strain(0, k), result.strain(1, k), result.strain(2, k)});
        }
        session.info(fmt::format("strain of the cell: xx {:+.5f}, yy {:+.5f}, zz {:+.5f}, xy {:+.5f}",
                                 result.strain(0, 0), result.strain(1, 1), result.strain(2, 2),
                                 result.strain(0, 1)));
    }
    save();
    if (result.status == md::RelaxStatus::converged) {
        write_frame(folder / "relaxed.extxyz", relaxation.structure(), result.evaluation);
        fs::remove(folder / "last.extxyz");
    } else {
        throw ConvergenceError(
            "relaxation", result.steps, force,
            config.quantity("relax.max_force") / units::electronvolt_per_angstrom,
            result.status == md::RelaxStatus::stalled
                ? "No step lowers the energy any more (forces in eV/angstrom): tighten "
                  "calculator.scc.tolerance or raise relax.max_force. The best structure is " +
                      (folder / "last.extxyz").string()
                : "Forces in eV/angstrom: raise relax.max_steps. The best structure is " +
                      (folder / "last.extxyz").string());
    }
    session.info(fmt::format(
        "relaxed after {} force evaluations: energy {:.6f} eV, largest force {:.2e} eV/angstrom, {:.1f} s",
        result.steps, result.evaluation.energy / units::electronvolt, force, timer.seconds()));
    folder.finish({"relaxed.extxyz", "relax.csv"}, timer.seconds(), summary);
    return summary;
}

}  // namespace stembridge::app
