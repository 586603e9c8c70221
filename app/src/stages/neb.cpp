// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "configuration.hpp"
#include "csv_log.hpp"
#include "environment.hpp"
#include "stages/stages.hpp"
#include "stages/studies.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/md/elastic_band.hpp"
#include "stembridge/md/relax.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

constexpr double ev = units::electronvolt;
constexpr double force_unit = units::electronvolt_per_angstrom;

md::BandOptions band_options(const io::Config& config) {
    md::BandOptions options;
    options.spring = config.number("neb.spring") * ev / (units::angstrom * units::angstrom);
    options.max_force = config.quantity("neb.max_force");
    options.max_steps = static_cast<int>(config.integer("neb.max_steps"));
    options.climb = config.boolean("neb.climb");
    options.climb_below = config.quantity("neb.climb_below");
    options.max_step_length = config.quantity("neb.max_step");
    options.hold_rigid_motion =
        !config.has("calculator.external.point_charges") && !config.has("calculator.external.field");
    return options;
}

/// One end of the path at rest, kept in the folder with its forces: it is relaxed once, and further where
/// they are too large for the present neb.max_force. @param begun what the folder holds belongs to this end
Structure relaxed_end(const io::Config& config, const Structure& end, const std::string& name,
                      StageFolder& folder, bool begun, Session& session) {
    const fs::path file = folder / (name + ".extxyz");
    Structure structure = end;
    md::RelaxOptions options;
    options.max_force = config.quantity("neb.max_force") / 2;
    options.flat_perturbation = 0;
    if (begun && fs::exists(file)) {
        const io::Frame kept = io::read_trajectory(file).back();
        structure = kept.structure;
        const auto forces = kept.arrays.find("forces");
        if (forces != kept.arrays.end() && md::max_free_force(structure, forces->second) <= options.max_force)
            return structure;
    }
    const auto stopped = [&] {
        folder.stop(0);
        return StoppedError(
            fmt::format("stopped on request while relaxing {}; the same command continues", name));
    };
    const auto calculator = make_calculator(config, structure);
    md::RelaxResult result;
    try {
        result = md::relax(
            structure, *calculator, options,
            [&](const md::RelaxStep& step) {
                session.context().progress(fmt::format("relaxing {}, largest force {:.4f} eV/angstrom", name,
                                                       step.max_force / force_unit),
                                           step.step, 0);
            },
            session.context());
    } catch (const StoppedError&) {  // inside an evaluation
        throw stopped();
    }
    if (result.status == md::RelaxStatus::stopped) throw stopped();
    if (result.status != md::RelaxStatus::converged)
        throw ConvergenceError("relaxation of the path's " + name, result.steps,
                               result.max_force / force_unit, options.max_force / force_unit,
                               "relax it by itself first (stembridge relax), or set neb.relax_ends = false");
    session.info(fmt::format("{}: relaxed in {} force evaluations, {:.4f} eV", name, result.steps,
                             result.evaluation.energy / ev));
    folder.remove_checkpoints();  // of a band between other ends
    write_frame(file, structure, result.evaluation);
    return structure;
}

void write_path(const fs::path& path, const md::ElasticBand& band) {
    fs::path part = path;
    part += ".part";
    fs::remove(part);
    {
        io::TrajectoryWriter writer(part);
        for (std::size_t k = 0; k < band.images().size(); ++k) {
            io::Frame frame;
            frame.structure = band.images()[k];
            frame.info = {{"image", static_cast<double>(k)}, {"energy", band.evaluations()[k].energy}};
            frame.arrays["forces"] = band.evaluations()[k].forces;
            writer.write(frame);
        }
        writer.sync();
    }
    fs::rename(part, path);
}

}  // namespace

nlohmann::json neb(const io::Config& config, const Structure& start, const Structure& end,
                   StageFolder& folder, Session& session) {
    const auto n_images = static_cast<int>(config.integer("neb.images")) + 2;
    Structure from = start, to = end;
    from.validate();
    to.validate();
    if (config.has("neb.fix"))
        for (const auto& rule : config.texts("neb.fix")) fix_atoms(from, rule);
    to.fixed = from.fixed;
    to = md::brought_near(to, from);  // refuses ends that do not belong together before any work

    const fs::path checkpoint = folder / "checkpoint.h5";
    const bool begun = folder.was_begun();
    folder.begin();
    const Timer timer;
    if (config.boolean("neb.relax_ends")) {
        from = relaxed_end(config, from, "start", folder, begun, session);
        to = relaxed_end(config, to, "end", folder, begun, session);
    }
    const bool resumed = io::has_checkpoint(checkpoint);
    const bool by_distances = config.text("neb.path") == "idpp";
    auto images =
        by_distances ? md::pair_distance_path(from, to, n_images) : md::straight_path(from, to, n_images);

    constexpr int large = 400;  // atoms
    auto workers = static_cast<int>(config.integer("neb.workers"));
    if (workers == 0) workers = from.size() > large ? 1 : std::min(threads_in_use(), n_images - 2);
    io::Config share = config;
    share.set("run.threads", std::to_string(std::max(1, threads_in_use() / workers)), "neb");
    const auto make = [&] { return make_calculator(share, from); };
    session.info(fmt::format("path of {} images between two states of {} ({} atoms), {} at once, with {}",
                             n_images - 2, from.formula(), from.size(), workers, make()->description()));
    md::ElasticBand band(std::move(images), make, workers, band_options(config), session.context());
    std::int64_t rows = 0;
    if (resumed) {
        const State state = io::read_checkpoint(checkpoint, session.context(), [&](const State& found) {
            require_rows(folder / "neb.csv", found.integer("rows"));
        });
        band.restore(state.part("band"));
        rows = state.integer("rows");
        session.info(fmt::format("continuing after {} steps", band.steps()));
    }
    CsvLog log(folder / "neb.csv", {"step", "max_force_ev_per_angstrom", "barrier_ev", "highest", "climbing"},
               rows);
    const auto save = [&] {
        log.sync();
        State state;
        state.put_all("band", band.save());
        state.put("rows", log.rows());
        io::write_checkpoint(checkpoint, state);
    };
    const auto stopped = [&] {
        save();
        folder.stop(timer.seconds());
        return StoppedError(fmt::format(
            "stopped on request after {} steps; a checkpoint is in {}: the same command continues",
            band.steps(), folder.path().string()));
    };
    const auto every = config.integer("neb.checkpoint_every");
    while (!band.finished()) {
        if (session.stop_requested()) throw stopped();
        md::BandStep step;
        try {
            step = band.step();
        } catch (const StoppedError&) {  // inside an evaluation: what it had done is lost, nothing else
            throw stopped();
        } catch (const Error&) {
            save();
            throw;
        }
        log.row({static_cast<double>(step.step), step.max_force / force_unit, step.barrier / ev,
                 static_cast<double>(step.highest), step.climbing ? 1.0 : 0.0});
        session.context().progress(
            fmt::format("band{}, largest force {:.4f} eV/angstrom, barrier {:.3f} eV",
                        step.climbing ? " (climbing)" : "", step.max_force / force_unit, step.barrier / ev),
            step.step, 0);
        if (log.rows() % every == 0) save();
    }
    save();
    if (!band.converged()) band.return_to_best();  // the checkpoint goes on from where the band was

    const md::BandStep state = band.state();
    const md::BandProfile profile = band.profile();
    const double reaction = profile.energy.back() - profile.energy.front();
    nlohmann::json summary = {
        {"status", band.converged() ? "ok" : "not_converged"},
        {"barrier_ev", state.barrier / ev},
        {"reverse_barrier_ev", (state.barrier - reaction) / ev},
        {"reaction_energy_ev", reaction / ev},
        {"saddle_image", state.highest},
        {"max_force_ev_per_angstrom", state.max_force / force_unit},
        {"steps", state.step},
        {"climbing", state.climbing},
        {"n_atoms", from.size()},
        {"resumed", resumed},
        {"images", nlohmann::json::array()},
    };
    CsvLog table(folder / "profile.csv", {"image", "length_angstrom", "energy_ev", "slope_ev_per_angstrom"},
                 0);
    std::vector<double> kelvin;
    for (std::size_t k = 0; k < profile.energy.size(); ++k) {
        kelvin.push_back(band.evaluations()[k].electronic_temperature.value_or(0) / units::kelvin);
        const double s = profile.length[k] / units::angstrom,
                     e = (profile.energy[k] - profile.energy[0]) / ev;
        table.row({static_cast<double>(k), s, e, profile.slope[k] / force_unit});
        summary["images"].push_back(
            {{"length_angstrom", s}, {"energy_ev", e}, {"electronic_temperature_k", kelvin.back()}});
    }
    if (const auto warning = tell_of_temperatures(kelvin, "energies along the path", session))
        summary["warning"] = *warning;
    write_path(folder / "path.extxyz", band);
    io::write_structure(folder / "saddle.extxyz", band.images()[static_cast<std::size_t>(state.highest)]);
    io::write_text_atomically(folder / "profile.svg",
                              io::standalone_svg(io::draw(io::EnergyPath{
                                  .name = "profile",
                                  .caption = "Energy along the path",
                                  .length = profile.length,
                                  .energy = profile.energy,
                                  .energy_between = [&](double s) { return profile.at(s); }})));
    io::write_text_atomically(folder / "neb.json", summary.dump(1) + "\n");
    if (!band.converged())
        throw ConvergenceError(
            "path between the two states", state.step, state.max_force / force_unit,
            config.quantity("neb.max_force") / force_unit,
            fmt::format("the path with the smallest force so far is in {}; the same command with a larger "
                        "neb.max_steps goes on, more images or another neb.path may help",
                        folder.path().string()));
    session.info(fmt::format("barrier {:.3f} eV, back {:.3f} eV, after {} steps, {:.1f} s",
                             state.barrier / ev, (state.barrier - reaction) / ev, state.step,
                             timer.seconds()));
    if (state.highest == 0 || state.highest == n_images - 1)
        session.info(fmt::format("no saddle lies between the two: the highest image of the path is its {}",
                                 state.highest == 0 ? "start" : "end"));
    folder.finish({"path.extxyz", "profile.csv", "profile.svg", "saddle.extxyz", "neb.json", "neb.csv"},
                  timer.seconds(), summary);
    return summary;
}

}  // namespace stembridge::app
