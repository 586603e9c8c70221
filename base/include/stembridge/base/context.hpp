// SPDX-License-Identifier: Apache-2.0
// What a long computation gets from its caller: where to log, when to stop, how to seed.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace stembridge {

/// Sinks and settings handed down by the caller. Copyable; every default does nothing.
struct Context {
    enum class Level { debug, info, warning };

    /// Receives every log message.
    std::function<void(Level, std::string_view)> log_sink;
    /// Receives progress: what, steps done, steps in all (0 = unknown).
    std::function<void(std::string_view, std::int64_t, std::int64_t)> progress_sink;
    /// Set when the user wants to stop; long loops look at it once per step.
    std::stop_token stop;
    /// Seed of every random number of this computation.
    std::uint64_t seed = 1;

    void debug(std::string_view message) const { log(Level::debug, message); }
    void info(std::string_view message) const { log(Level::info, message); }
    void warning(std::string_view message) const { log(Level::warning, message); }
    void progress(std::string_view what, std::int64_t done, std::int64_t total) const {
        if (progress_sink) progress_sink(what, done, total);
    }
    bool stop_requested() const { return stop.stop_requested(); }

  private:
    void log(Level level, std::string_view message) const {
        if (log_sink) log_sink(level, message);
    }
};

}  // namespace stembridge
