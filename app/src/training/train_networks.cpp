// SPDX-License-Identifier: Apache-2.0
#include "training/train_networks.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "configuration.hpp"
#include "environment.hpp"
#include "stage_folder.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/ranks.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/io/state_file.hpp"
#include "training/elit.hpp"
#include "training/network_trainer.hpp"
#include "training/training_options.hpp"
#include "training/training_report.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

std::string member_name(int member) {
    return fmt::format("member-{}", member);
}

fs::path member_file(const StageFolder& folder, int member) {
    return folder / "networks" / (member_name(member) + ".h5");
}

/// The networks that a configuration asks for, in the order in which they are trained.
std::vector<TrainingJob> jobs_of(const io::Config& config, const StageFolder& folder) {
    const ml::TrainingOptions options = training_options(config);
    const EnsembleOptions ensemble = ensemble_options(config);
    const auto seed = static_cast<std::uint64_t>(config.integer("run.seed"));
    const auto given = [&config] { return start_weights(config); };
    std::vector<TrainingJob> jobs;
    switch (ensemble.kind) {
        case EnsembleKind::none:
            jobs.push_back({"network", {member_file(folder, 1)}, options, seed, given});
            break;
        case EnsembleKind::swag:
            jobs.push_back({"network", {}, options, seed, given});
            for (int m = 1; m <= ensemble.members; ++m) jobs.back().outputs.push_back(member_file(folder, m));
            break;
        case EnsembleKind::scratch:
            for (int m = 1; m <= ensemble.members; ++m)
                jobs.push_back({member_name(m),
                                {member_file(folder, m)},
                                options,
                                seed + static_cast<std::uint64_t>(m) - 1,
                                given});
            break;
        case EnsembleKind::baseline: {
            const fs::path baseline = folder / "baseline.h5";
            jobs.push_back({"baseline", {baseline}, options, seed, given});
            // Other crops in another order, and a rate that rises once more: the members move apart.
            for (int m = 1; m <= ensemble.members; ++m)
                jobs.push_back({member_name(m),
                                {member_file(folder, m)},
                                continuation_options(config),
                                seed + static_cast<std::uint64_t>(m),
                                [baseline] { return io::read_state(baseline); }});
            break;
        }
    }
    return jobs;
}

/// What has been trained so far, as a page.
void write_report(const io::Config& config, const StageFolder& folder, const std::vector<TrainingJob>& jobs,
                  const std::vector<std::string>& more_networks, const std::vector<ReportSection>& sections) {
    std::vector<TrainedNetwork> networks;
    for (const TrainingJob& job : jobs) networks.push_back({job.name, curve_file(folder, job.name)});
    for (const std::string& name : more_networks) networks.push_back({name, curve_file(folder, name)});
    std::vector<State> members;
    for (const TrainingJob& job : jobs)
        for (const fs::path& file : job.outputs)
            if (file.parent_path().filename() == "networks" && fs::exists(file))
                members.push_back(io::read_state(file));
    write_training_report(folder.path(), "Training of networks", networks, members, training_options(config),
                          sections);
}

/// Trains the networks, those that do not start from another of them shared by the processes.
void train_jobs(const io::Config& config, const std::vector<TrainingJob>& jobs, const StageFolder& folder,
                NetworkTrainer& trainer, const Ranks& ranks) {
    const auto train = [&](const TrainingJob& job) {
        trainer.train(job);
        // The curves of other processes may be in the making.
        if (ranks.size() == 1) write_report(config, folder, jobs, {}, {});
    };
    const std::size_t before = ensemble_options(config).kind == EnsembleKind::baseline ? 1 : 0;
    ranks.first_alone([&] {
        for (std::size_t k = 0; k < before; ++k) train(jobs[k]);
    });
    ranks.together([&] {
        for (const std::size_t k : ranks.share_of(jobs.size() - before)) train(jobs[before + k]);
    });
    ranks.first_alone([&] { write_report(config, folder, jobs, {}, {}); });
}

/// Trains on experimental frames as well, iteratively. @return the files of weights
std::vector<fs::path> meet_experiments(const io::Config& config, ElitOptions options,
                                       const std::vector<TrainingJob>& jobs, const StageFolder& folder,
                                       NetworkTrainer& trainer, Session& session) {
    for (const TrainingJob& job : jobs)
        for (const fs::path& file : job.outputs)
            if (file.parent_path().filename() == "networks") options.networks.push_back(file);
    const ElitOutcome outcome = train_iteratively(config, options, folder, trainer, session);
    write_report(config, folder, jobs, outcome.trained, outcome.sections);
    return outcome.networks;
}

std::vector<std::string> train_all(const io::Config& config, const std::optional<ElitOptions>& elit,
                                   const StageFolder& folder, const Ranks& ranks, Session& session) {
    std::vector<std::string> outputs;
    std::vector<TrainingJob> jobs;
    NetworkTrainer trainer(folder, session, config.boolean("train.half_precision"));
    // An ensemble that is given needs no training before it meets experimental frames.
    if (!elit || elit->networks.empty()) {
        jobs = jobs_of(config, folder);
        train_jobs(config, jobs, folder, trainer, ranks);
        for (const TrainingJob& job : jobs)
            for (const fs::path& file : job.outputs)
                outputs.push_back(file.lexically_relative(folder.path()).string());
    }
    if (elit)
        ranks.first_alone([&] {
            for (const fs::path& file : meet_experiments(config, *elit, jobs, folder, trainer, session))
                outputs.push_back(file.lexically_relative(folder.path()).string());
        });
    return outputs;
}

/// Networks of another configuration are kept beside the folder. Where only what is learnt from experimental
/// frames has changed, the networks made before that stay.
void keep_earlier_networks(StageFolder& folder, Session& session) {
    folder.claim(session);
    if (!folder.was_begun() || folder.has_same_inputs()) return;
    folder.move_aside("elit", session);
    for (const auto& entry : fs::directory_iterator(folder.path()))
        if (entry.path().filename().string().starts_with("checkpoint-round")) fs::remove(entry.path());
}

}  // namespace

void train_networks(const io::Config& config, const fs::path& out, Session& session) {
    set_threads(static_cast<int>(config.integer("run.threads")));
    training_options(config);  // refuses before anything is changed
    std::vector<fs::path> start, elit_files;
    if (config.has("train.start")) start.push_back(config.file("train.start"));
    std::optional<ElitOptions> elit = elit_options(config);
    if (elit) {
        elit_files = elit->images;
        elit_files.insert(elit_files.end(), elit->networks.begin(), elit->networks.end());
    }
    const std::string inputs = training_inputs(config, start, elit_files);
    const Ranks ranks;
    std::optional<StageFolder> opened;
    ranks.together([&] {  // every process has looked at the folder before the first one changes it
        opened.emplace(out, "train", inputs);
        session.attach_folder(opened->path());
    });
    StageFolder& folder = *opened;
    if (folder.is_done()) {
        if (ranks.is_first()) session.info("unchanged since the last time, not done again");
        return;
    }
    const Timer timer;
    ranks.first_alone([&] {
        if (elit) elit->images = usable_images(*elit, session);
        keep_earlier_networks(folder, session);
        folder.begin();
    });
    std::vector<std::string> outputs;
    const auto work = [&] { outputs = train_all(config, elit, folder, ranks, session); };
    try {
        if (ranks.is_first())
            folder.attempt(work);
        else
            work();
    } catch (const StoppedError&) {
        if (ranks.is_first()) folder.stop(timer.seconds());
        throw;
    }
    ranks.first_alone([&] {
        folder.finish(outputs, timer.seconds(),
                      {{"parameters", training_options(config).shape.parameters()}});
        session.info(fmt::format("{} files of weights; report: {}", outputs.size(),
                                 (folder / "report" / "index.html").string()));
    });
}

}  // namespace stembridge::app
