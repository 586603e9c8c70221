// SPDX-License-Identifier: Apache-2.0
// One run of the program: where messages go, when to stop, what is shown while waiting.
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <thread>

#include "stembridge/base/context.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::app {

/// Log to the terminal and, once a folder is attached, to its log.txt and events.jsonl; a progress bar on a
/// terminal, plain lines otherwise; SIGINT and SIGTERM set the stop token, a second one ends the program at
/// once.
class Session {
  public:
    explicit Session(bool verbose);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Also write to log.txt and events.jsonl of this folder (appended). @throw FileError when they cannot be
    /// opened
    void attach_folder(const std::filesystem::path& folder);
    /// Adds one line {"time": ..., "event": kind, ...fields} to events.jsonl, if a folder is attached.
    void event(const std::string& kind, const nlohmann::json& fields = {});
    /// What library calls get.
    Context context(std::uint64_t seed = 1);
    void info(const std::string& message);
    void warning(const std::string& message);
    bool stop_requested() const { return stop_.stop_requested(); }

  private:
    void show_progress(std::string_view what, std::int64_t done, std::int64_t total);
    void clear_progress();
    void log(spdlog::level::level_enum level, std::string_view message);

    std::shared_ptr<spdlog::logger> logger_;
    std::filesystem::path events_path_;
    std::mutex mutex_;
    bool terminal_ = false;
    bool progress_shown_ = false;
    Timer since_progress_;
    std::string progress_name_;
    std::stop_source stop_;
    std::jthread signal_watcher_;
};

}  // namespace stembridge::app
