// SPDX-License-Identifier: Apache-2.0
// stembridge train: weights of a network from simulated frames; resumes from its checkpoint.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <filesystem>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "csv_log.hpp"
#include "environment.hpp"
#include "stage_folder.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/hash.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/ml/network.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

ml::TrainingOptions training_options(const io::Config& c) {
    ml::TrainingOptions o;
    const auto layers = c.integers("train.layers");
    for (std::size_t k = 0; k < layers.size(); ++k) o.shape.layers[k] = static_cast<int>(layers[k]);
    o.shape.filters = static_cast<int>(c.integer("train.filters"));
    o.pixel_size_angstrom = c.quantity("train.pixel_size") / units::angstrom;
    o.crop_px = static_cast<int>(c.integer("train.crop_px"));
    o.batch = static_cast<int>(c.integer("train.batch"));
    o.steps = static_cast<int>(c.integer("train.steps"));
    o.learning_rate = c.number("train.learning_rate");
    o.weight_decay = c.number("train.weight_decay");
    o.averaging_share = c.number("train.averaging_share");
    o.disc_radius_angstrom = c.quantity("train.disc_radius") / units::angstrom;
    o.validation_crops = static_cast<int>(c.integer("train.validation_crops"));
    o.report_every = static_cast<int>(c.integer("train.report_every"));
    o.checkpoint_every = static_cast<int>(c.integer("train.checkpoint_every"));
    o.bfloat16 = c.boolean("train.bfloat16");
    const auto range = [&](const char* key) {
        const auto values = c.numbers(key);
        return std::array{values[0], values[1]};
    };
    o.source_pixel_angstrom = range("train.frames.pixel_angstrom");
    o.electrons_per_pixel_at_tenth_angstrom = range("train.frames.electrons_per_pixel");
    o.hollow_to_peak = range("train.frames.hollow_to_peak");
    o.source_fwhm_angstrom = range("train.frames.source_angstrom");
    o.tail_fraction = range("train.frames.tail_fraction");
    o.noise_blur_px = range("train.frames.noise_blur_px");
    o.largest_anisotropy = c.number("train.frames.largest_anisotropy");
    o.contaminated_share = c.number("train.frames.contaminated_share");
    o.threads = threads_in_use();
    return o;
}

void run(const std::string& file, const fs::path& out, Session& session) {
    const io::Config config = io::Config::read(file, training_schema());
    set_threads(static_cast<int>(config.integer("run.threads")));
    StageFolder folder(out, "train", inputs_hash(config, {"train"}, {}));
    session.attach_folder(folder.path());
    if (folder.is_done()) {
        session.info("unchanged since the last time, not done again");
        return;
    }
    const fs::path checkpoint = folder / "checkpoint.h5";
    State resume;
    if (folder.was_begun() && io::has_checkpoint(checkpoint)) {
        resume = io::read_checkpoint(checkpoint, session.context());
        session.info("continuing from the checkpoint");
    }
    folder.begin();
    const Timer timer;
    const ml::TrainingOptions options = training_options(config);
    session.info(fmt::format("training a U-Net with {} parameters for {} steps of {} crops",
                             options.shape.parameters(), options.steps, options.batch));
    ml::TrainingObserver observer;
    observer.report = [&](const ml::TrainingProgress& p) {
        session.info(fmt::format(
            "step {:6d}/{}  loss {:.4f}  validation loss {:.4f}  IoU {:.3f}  F1 {:.4f}  {:.0f} s", p.step,
            p.steps, p.loss, p.validation_loss, p.validation_iou, p.validation_f1, p.seconds));
        session.event("training", {{"step", p.step}, {"loss", p.loss}, {"validation_f1", p.validation_f1}});
    };
    observer.checkpoint = [&](const State& state) { io::write_checkpoint(checkpoint, state); };
    try {
        const State weights = ml::train_network(
            options, session.context(static_cast<std::uint64_t>(config.integer("run.seed"))), observer,
            resume);
        io::write_state(folder / "network.h5", weights);
    } catch (const StoppedError&) {
        folder.stop(timer.seconds());
        throw;
    }
    folder.finish({"network.h5"}, timer.seconds(), {{"parameters", options.shape.parameters()}});
    session.info(fmt::format("weights: {}", (folder / "network.h5").string()));
}

}  // namespace

io::Schema training_schema() {
    using io::Key;
    const ml::TrainingOptions o;
    const auto range = [](const std::array<double, 2>& r) { return fmt::format("[{}, {}]", r[0], r[1]); };
    return {
        Key::integer("run.seed", "1", "Seed of first weights and of all frames").at_least(0),
        Key::integer("run.threads", "0", "Threads; 0 = all processors").at_least(0).at_most(1024),
        Key::integers("train.layers", 7, "[2, 3, 3, 4, 3, 3, 2]",
                      "Convolutions per block: three down, the bottom, three up")
            .at_least(1)
            .at_most(8),
        Key::integer("train.filters", std::to_string(o.shape.filters), "Filters of the first block")
            .at_least(2)
            .at_most(256),
        Key::quantity("train.pixel_size", Dimension::length,
                      fmt::format("{} angstrom", o.pixel_size_angstrom),
                      "Grid of the network; frames are resampled to it")
            .positive(),
        Key::integer("train.crop_px", std::to_string(o.crop_px), "Side of the training crops, multiple of 8")
            .at_least(16),
        Key::integer("train.batch", std::to_string(o.batch), "Crops per step").at_least(1),
        Key::integer("train.steps", std::to_string(o.steps), "Steps").at_least(1),
        Key::number("train.learning_rate", fmt::format("{}", o.learning_rate),
                    "Largest of the one-cycle schedule")
            .positive(),
        Key::number("train.weight_decay", fmt::format("{}", o.weight_decay), "Decoupled weight decay")
            .at_least(0),
        Key::number("train.averaging_share", fmt::format("{}", o.averaging_share),
                    "Last share of the steps whose weights are averaged")
            .at_least(0)
            .at_most(1),
        Key::quantity("train.disc_radius", Dimension::length,
                      fmt::format("{} angstrom", o.disc_radius_angstrom), "Radius of the class masks")
            .positive(),
        Key::integer("train.validation_crops", std::to_string(o.validation_crops),
                     "Crops that are never trained on")
            .at_least(1),
        Key::integer("train.report_every", std::to_string(o.report_every),
                     "Steps between reports and validation")
            .at_least(1),
        Key::integer("train.checkpoint_every", std::to_string(o.checkpoint_every),
                     "Steps between checkpoints")
            .at_least(1),
        Key::boolean("train.bfloat16", o.bfloat16 ? "true" : "false", "Mixed precision"),
        Key::numbers("train.frames.pixel_angstrom", 2, range(o.source_pixel_angstrom),
                     "Pixel sizes of the simulated frames"),
        Key::numbers("train.frames.electrons_per_pixel", 2, range(o.electrons_per_pixel_at_tenth_angstrom),
                     "Dose, beam electrons per pixel of 0.1 angstrom"),
        Key::numbers("train.frames.hollow_to_peak", 2, range(o.hollow_to_peak), "Contrast of graphene"),
        Key::numbers("train.frames.source_angstrom", 2, range(o.source_fwhm_angstrom), "Source size"),
        Key::numbers("train.frames.tail_fraction", 2, range(o.tail_fraction),
                     "Share of the beam in the tails"),
        Key::numbers("train.frames.noise_blur_px", 2, range(o.noise_blur_px), "Correlation of the noise"),
        Key::number("train.frames.largest_anisotropy", fmt::format("{}", o.largest_anisotropy), "Of the scan")
            .at_least(0),
        Key::number("train.frames.contaminated_share", fmt::format("{}", o.contaminated_share),
                    "Of the crops")
            .at_least(0)
            .at_most(1),
    };
}

void add_train(CLI::App& program, Action& action) {
    struct Options {
        std::string config, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "train", "Train a network on simulated frames; continues where it was interrupted");
    command->add_option("config", options->config, "Training configuration (TOML)")->required();
    command->add_option("--out", options->out, "Folder for network.h5, log and checkpoint")->required();
    command->callback([options, &action] {
        action = [options](Session& session) { run(options->config, options->out, session); };
    });
}

}  // namespace stembridge::app
