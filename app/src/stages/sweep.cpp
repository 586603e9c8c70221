// SPDX-License-Identifier: Apache-2.0
// Several runs of dynamics at a time.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "configuration.hpp"
#include "environment.hpp"
#include "stages/checkpointed_inputs.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// One calculator with all the threads wins where diagonalisations are large enough to share them.
constexpr int large = 400;  // atoms

int at_once(const io::Config& config, const Structure& structure, std::size_t n_replicas) {
    auto wanted = static_cast<int>(config.integer("run.replicas_at_once"));
    if (wanted == 0) wanted = structure.size() > large ? 1 : threads_in_use();
    return std::clamp(wanted, 1, static_cast<int>(n_replicas));
}

std::string runs_of_dynamics(std::size_t n) {
    return fmt::format("{} {} of dynamics", n, n == 1 ? "run" : "runs");
}

/// Steps of all runs together.
class SharedProgress {
  public:
    SharedProgress(std::size_t n_replicas, std::int64_t steps_each, Session& session)
        : done_(n_replicas, 0),
          total_(steps_each * static_cast<std::int64_t>(n_replicas)),
          context_(session.context()) {}
    void set(std::size_t replica, std::int64_t steps) {
        const std::lock_guard lock(mutex_);
        done_[replica] = steps;
        context_.progress(runs_of_dynamics(done_.size()),
                          std::accumulate(done_.begin(), done_.end(), std::int64_t{0}), total_);
    }

  private:
    std::mutex mutex_;
    std::vector<std::int64_t> done_;
    std::int64_t total_;
    Context context_;
};

}  // namespace

void sweep(const io::Config& config, const Structure& start, const std::vector<fs::path>& files,
           const fs::path& folder, const Ranks& ranks, Session& session) {
    const auto replicas = replicas_of(config);
    const std::vector<std::size_t> mine = ranks.share_of(replicas.size());
    if (mine.empty()) return;
    const int workers = at_once(config, start, mine.size());
    const int threads = std::max(1, threads_in_use() / workers);
    const auto steps = config.integer("md.steps");
    SharedProgress progress(mine.size(), steps, session);

    const auto perform = [&](std::size_t k) {
        const Replica& replica = replicas[mine[k]];
        io::Config own = config_of(config, replica, start);
        own.set("run.threads", std::to_string(threads), "run.threads");
        StageFolder stage(folder / replica.name, "md", checkpointed_inputs(own, "md", files), files.back());
        const std::string title = "dynamics, " + replica.name;
        if (stage.is_done()) {
            session.info(title + ": unchanged, not done again");
            session.event("skipped", {{"stage", title}});
            progress.set(k, steps);
            return;
        }
        if (session.stop_requested())
            throw StoppedError(replica.name + " was not begun before the stop; the same command continues");
        session.info("--- " + title);
        session.event("begin", {{"stage", title}});
        stage.claim(session);
        const Timer timer;
        stage.attempt([&] {
            dynamics(
                own, start, replica, stage, session,
                mine.size() == 1 ? std::function<void(std::int64_t)>()
                                 : [&](std::int64_t done) { progress.set(k, done); });
        });
        session.event("end", {{"stage", title}, {"seconds", timer.seconds()}});
    };

    std::vector<std::exception_ptr> failures(mine.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t k = next++; k < mine.size(); k = next++) try {
                perform(k);
            } catch (...) {
                failures[k] = std::current_exception();
            }
    };
    if (workers == 1) {
        work();
    } else {
        session.info(fmt::format("{}, {} at a time with {} {} each", runs_of_dynamics(mine.size()), workers,
                                 threads, threads == 1 ? "thread" : "threads"));
        std::vector<std::jthread> team;
        for (int w = 0; w < workers; ++w) team.emplace_back(work);
    }
    std::exception_ptr error, stop;
    for (std::size_t k = 0; k < mine.size(); ++k) {
        if (!failures[k]) continue;
        try {
            std::rethrow_exception(failures[k]);
        } catch (const StoppedError&) {
            if (!stop) stop = failures[k];
        } catch (const std::exception& e) {
            if (replicas.size() > 1) session.warning(fmt::format("{}: {}", replicas[mine[k]].name, e.what()));
            if (!error) error = failures[k];
        }
    }
    if (error) std::rethrow_exception(error);
    if (stop) std::rethrow_exception(stop);
}

}  // namespace stembridge::app
