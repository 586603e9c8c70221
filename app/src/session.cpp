// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "stembridge/base/errors.hpp"

namespace stembridge::app {
namespace {

constexpr double seconds_between_bars = 0.1;
constexpr double seconds_between_lines = 10;

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

// Signals are taken by one thread that waits for them: no code of the program ever runs inside a signal
// handler.
void watch_signals(const std::stop_token& end, std::stop_source& stop) {
    const sigset_t set = stop_signals();
    const timespec tenth = {0, 100'000'000};
    while (!end.stop_requested()) {
        const int signal = sigtimedwait(&set, nullptr, &tenth);
        if (signal < 0) continue;
        if (stop.stop_requested()) ::_exit(128 + signal);
        stop.request_stop();
    }
}

}  // namespace

Session::Session(bool verbose) : terminal_(::isatty(STDERR_FILENO) != 0) {
    auto console = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    console->set_pattern("%^%v%$");
    logger_ = std::make_shared<spdlog::logger>("stembridge", console);
    logger_->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
    const sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);  // inherited by every thread started later
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a full quota is a failed write, not a crash
    signal_watcher_ =
        std::jthread([stop = stop_](const std::stop_token& end) mutable { watch_signals(end, stop); });
}

Session::~Session() {
    clear_progress();
}

void Session::attach_folder(const std::filesystem::path& folder) {
    try {
        std::filesystem::create_directories(folder);
        auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>((folder / "log.txt").string());
        file->set_pattern("%Y-%m-%d %H:%M:%S %L %v");
        logger_->sinks().push_back(file);
        logger_->flush_on(spdlog::level::debug);
    } catch (const std::exception& e) {
        throw FileError(fmt::format("cannot write to folder {}: {}", folder.string(), e.what()));
    }
    events_path_ = folder / "events.jsonl";
}

void Session::event(const std::string& kind, const nlohmann::json& fields) {
    if (events_path_.empty()) return;
    nlohmann::json line = {{"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
                           {"event", kind}};
    if (fields.is_object()) line.update(fields);
    const std::lock_guard lock(mutex_);
    std::ofstream(events_path_, std::ios::app) << line.dump() << '\n';
}

Context Session::context(std::uint64_t seed) {
    Context context;
    context.log_sink = [this](Context::Level level, std::string_view message) {
        if (level == Context::Level::warning) return warning(std::string(message));
        log(level == Context::Level::info ? spdlog::level::info : spdlog::level::debug, message);
    };
    context.progress_sink = [this](std::string_view what, std::int64_t done, std::int64_t total) {
        show_progress(what, done, total);
    };
    context.stop = stop_.get_token();
    context.seed = seed;
    return context;
}

void Session::info(const std::string& message) {
    log(spdlog::level::info, message);
}

void Session::warning(const std::string& message) {
    log(spdlog::level::warn, "warning: " + message);
    event("warning", {{"message", message}});
}

void Session::log(spdlog::level::level_enum level, std::string_view message) {
    const std::lock_guard lock(mutex_);
    clear_progress();
    logger_->log(level, "{}", message);
}

void Session::show_progress(std::string_view what, std::int64_t done, std::int64_t total) {
    const std::lock_guard lock(mutex_);
    const std::string_view name = what.substr(0, what.find(','));  // the rest may change from step to step
    const bool first = progress_name_ != name;
    const bool last = total > 0 && done >= total;
    if (!first && !last &&
        since_progress_.seconds() < (terminal_ ? seconds_between_bars : seconds_between_lines))
        return;
    progress_name_ = name;
    since_progress_.restart();
    const std::string count = total > 0 ? fmt::format("{}/{}", done, total) : fmt::format("{}", done);
    if (!terminal_) {
        if (!first || last) std::fputs(fmt::format("{}: {}\n", what, count).c_str(), stderr);
        return;
    }
    constexpr int width = 30;
    const int filled = total > 0 ? static_cast<int>(width * std::min(done, total) / total) : 0;
    std::fputs(fmt::format("\r\033[K{} [{}{}] {}", what, std::string(static_cast<std::size_t>(filled), '='),
                           std::string(static_cast<std::size_t>(width - filled), ' '), count)
                   .c_str(),
               stderr);
    progress_shown_ = true;
    if (last) {
        std::fputc('\n', stderr);
        progress_shown_ = false;
    }
    std::fflush(stderr);
}

void Session::clear_progress() {
    if (!progress_shown_) return;
    std::fputs("\r\033[K", stderr);
    progress_shown_ = false;
}

}  // namespace stembridge::app
