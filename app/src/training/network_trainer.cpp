// SPDX-License-Identifier: Apache-2.0
#include "training/network_trainer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "csv_log.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/state_file.hpp"
#include "training/training_options.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> curve_columns{
    "step", "loss",           "learning_rate", "validation_loss",   "iou",    "precision", "recall",
    "f1",   "silicon_recall", "rms_angstrom",  "calibration_error", "seconds"};

/// One member of weights that hold several.
/// @throw InputError where they hold fewer
State single(const State& weights, std::int64_t member) {
    const std::string part = fmt::format("member{}", member);
    if (weights.part(part).values().empty())
        throw InputError(
            fmt::format("the training gave {} networks, but number {} is asked for; start it anew, "
                        "in another folder",
                        weights.integer("members"), member + 1));
    State result;
    for (const auto& [name, value] : weights.values())
        if (!name.starts_with("member")) result.put(name, value);
    result.put("members", std::int64_t{1});
    result.put_all("member0", weights.part(part));
    return result;
}

void report(const ml::TrainingProgress& p, const std::string& name, CsvLog& curve, Session& session) {
    if (!p.validation) return;
    const ml::ValidationScores& v = *p.validation;
    session.info(
        fmt::format("step {:5d}/{}  loss {:.4f}  validation: loss {:.4f}  F1 {:.4f} (precision {:.4f}, "
                    "recall {:.4f})  rms "
                    "{:.3f} angstrom  calibration {:.3f}  {:.0f} s",
                    p.step, p.steps, p.loss, v.loss, v.f1, v.precision, v.recall, v.rms_angstrom,
                    v.calibration_error, p.seconds));
    session.event("training",
                  {{"network", name}, {"step", p.step}, {"loss", p.loss}, {"validation_f1", v.f1}});
    curve.row({static_cast<double>(p.step), p.loss, p.learning_rate, v.loss, v.iou, v.precision, v.recall,
               v.f1, v.silicon_recall, v.rms_angstrom, v.calibration_error, p.seconds});
}

}  // namespace

fs::path curve_file(const StageFolder& folder, const std::string& name) {
    return folder / "curves" / (name + ".csv");
}

void NetworkTrainer::train(const TrainingJob& job) {
    if (std::all_of(job.outputs.begin(), job.outputs.end(),
                    [](const fs::path& file) { return fs::exists(file); })) {
        session_.info(fmt::format("{}: already trained", job.name));
        return;
    }
    const fs::path checkpoint = folder_ / ("checkpoint-" + job.name + ".h5");
    ml::TrainingStart start{job.start(), {}, job.frames};
    std::int64_t reported = 0;
    if (io::has_checkpoint(checkpoint)) {
        start.resume = io::read_checkpoint(checkpoint, session_.context());
        reported = start.resume.integer("step") / job.options.report_every;
        session_.info(fmt::format("{}: continuing from step {}", job.name, start.resume.integer("step")));
    }
    session_.info(fmt::format("{}: a U-Net with {} parameters, {} steps of {} crops", job.name,
                              job.options.shape.parameters(), job.options.steps, job.options.batch));
    fs::create_directories(folder_ / "curves");
    CsvLog curve(curve_file(folder_, job.name), curve_columns, reported);
    ml::TrainingObserver observer;
    observer.report = [&](const ml::TrainingProgress& p) { report(p, job.name, curve, session_); };
    observer.checkpoint = [&](const State& state) { io::write_checkpoint(checkpoint, state); };
    const State weights = ml::train_network(job.options, session_.context(job.seed), observer, start);
    const std::size_t members = job.outputs.size();
    for (std::size_t m = 0; m < members; ++m) {
        const State member = members > 1 ? single(weights, static_cast<std::int64_t>(m)) : weights;
        fs::create_directories(job.outputs[m].parent_path());
        io::write_state(job.outputs[m], half_ ? rounded_to_half(member) : member);
    }
    for (const char* suffix : {".h5", ".prev.h5"}) fs::remove(folder_ / ("checkpoint-" + job.name + suffix));
}

}  // namespace stembridge::app
