// SPDX-License-Identifier: Apache-2.0
// stembridge find-atoms: the detect stage alone, for a frame, a series, or a folder that frames arrive in.
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "folder_lock.hpp"
#include "stages/stages.hpp"

namespace stembridge::app {
namespace {

/// @param frames of a series; empty = the one frame that [detect] names
void find_atoms(const io::Config& config, const std::string& frames, const std::string& out,
                Session& session) {
    StageFolder folder = detection_folder(config, out, frames);
    session.attach_folder(folder.path());
    if (folder.is_done()) {
        session.info("unchanged since the last time, not done again");
        return;
    }
    folder.claim(session);
    folder.attempt([&] {
        if (frames.empty())
            detect(config, folder, session);
        else
            detect_series(config, frames, folder, session);
    });
}

}  // namespace

void add_find_atoms(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string image, out, frames, watch;
        double idle_seconds = 0;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("find-atoms", "Find the atoms of a micrograph");
    auto* image = command->add_option("image", options->image,
                                      "Micrograph: .npy, .npz, .png, .tif, .h5, .emd, .dm3, .dm4");
    command->add_option("--out", options->out, "Folder for atoms.csv, overlay.png, summary.json, ...")
        ->required();
    auto* frames =
        command->add_option("--frames", options->frames,
                            "Several frames of a stack, and their atoms tracked: all, FIRST:END or "
                            "FIRST:END:STEP (END left out)");
    auto* watch =
        command
            ->add_option("--watch", options->watch,
                         "Instead of an image: a folder whose frames are done as they arrive, until "
                         "SIGINT; results in OUT/FILE/")
            ->excludes(image)
            ->excludes(frames);
    command
        ->add_option("--watch-idle", options->idle_seconds,
                     "Seconds without a new frame after which watching ends; 0 = never")
        ->check(CLI::NonNegativeNumber)
        ->needs(watch);
    options->config.add(*command, "--pixel-size", "detect.pixel_size");
    options->config.add(*command, "--fov", "detect.field_of_view");
    options->config.add(*command, "--frame", "detect.frame");
    options->config.add(*command, "--track-gate", "detect.track_gate");
    options->config.add(*command, "--track-drift", "detect.track_drift");
    options->config.add(*command, "--track-memory", "detect.track_memory");
    options->config.add(*command, "--contrast", "detect.contrast");
    options->config.add(*command, "--correct", "detect.correct");
    options->config.add(*command, "--dataset", "detect.dataset");
    options->config.add(*command, "--positions", "detect.positions");
    options->config.add(*command, "--ensemble", "detect.network");
    options->config.add(*command, "--method", "detect.method");
    options->config.add(*command, "--device", "detect.device");
    options->config.add(*command, "--min-probability", "detect.min_probability");
    options->config.add_flag(*command, "--no-calibration", "detect.calibrate", "false",
                             "Trust the stated pixel size; the scan is not corrected by the lattice");
    options->config.add_flag(*command, "--require-lattice", "detect.require_lattice", "true");
    options->config.add(*command, "--seed", "run.seed");
    options->config.add(*command, "--threads", "run.threads");
    options->config.add_config_file(*command);
    command->callback([options, command, &action] {
        if (options->image.empty() == options->watch.empty())
            throw CLI::RequiredError("an IMAGE or --watch FOLDER");
        if (!options->frames.empty() && command->count("--frame") > 0)
            throw CLI::ValidationError("--frame and --frames", "one frame, or several: give one of them");
        if (!options->image.empty()) options->config.set("detect.image", options->image, "IMAGE");
        action = [options](Session& session) {
            const io::Config config = options->config.config();
            set_threads(static_cast<int>(config.integer("run.threads")));
            if (options->watch.empty()) return find_atoms(config, options->frames, options->out, session);
            const FolderLock lock(options->out);
            session.attach_folder(options->out);
            watch_folder(config, options->watch, options->idle_seconds, options->out, session);
        };
    });
}

}  // namespace stembridge::app
