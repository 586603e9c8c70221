// SPDX-License-Identifier: Apache-2.0
#include "stage_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "session.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/io/hash.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// "result/way", or one hash for both.
std::string way_of(const std::string& inputs) {
    return inputs.substr(inputs.find('/') + 1);
}

constexpr const char* aside_suffix = ".old-";

/// NAME.old-1, or the next number that is free.
fs::path free_place_beside(const fs::path& folder) {
    for (int n = 1;; ++n) {
        fs::path place = folder;
        place += fmt::format("{}{}", aside_suffix, n);
        if (!fs::exists(place)) return place;
    }
}

/// Whether stages have folders of their own in there.
bool holds_stages(const fs::path& folder) {
    return std::any_of(fs::recursive_directory_iterator(folder), fs::recursive_directory_iterator(),
                       [](const auto& entry) { return entry.path().filename() == "stage.json"; });
}

bool is_checkpoint(const fs::path& file) {
    return file.filename().string().starts_with("checkpoint");
}

}  // namespace

nlohmann::json load_json(const fs::path& path) {
    std::ifstream file(path);
    if (!file) return nlohmann::json::object();
    const nlohmann::json parsed = nlohmann::json::parse(file, nullptr, false);
    return parsed.is_object() ? parsed : nlohmann::json::object();
}

void make_folder(const fs::path& path) {
    std::error_code failed;
    fs::create_directories(path, failed);
    if (failed) throw FileError(fmt::format("cannot create folder {}: {}", path.string(), failed.message()));
}

void require_place_for(const fs::path& file) {
    const fs::path folder = fs::absolute(file).parent_path();
    if (fs::is_directory(file)) throw FileError(fmt::format("{} is a folder, not a file", file.string()));
    make_folder(folder);
    if (::access(folder.c_str(), W_OK) != 0)
        throw FileError(fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
}

bool is_set_aside(const fs::path& folder) {
    return folder.filename().string().find(aside_suffix) != std::string::npos;
}

bool belongs_to(const fs::path& run, const fs::path& stage_folder) {
    const std::string start = load_json(stage_folder / "stage.json").value("start", "");
    const auto began_with = [&](const fs::path& file) {
        return fs::exists(file) && io::sha256_of_file(file) == start;
    };
    return start.empty() || began_with(run / "2-build" / "structure.extxyz") ||
           (stage_folder != run / "3-relax" && began_with(run / "3-relax" / "relaxed.extxyz") &&
            belongs_to(run, run / "3-relax"));
}

StageFolder::StageFolder(fs::path folder, std::string stage, std::string inputs, const fs::path& start)
    : path_(std::move(folder)), stage_(std::move(stage)), inputs_(std::move(inputs)) {
    if (!start.empty()) start_ = io::sha256_of_file(start);
    if (!path_.has_filename()) path_ = path_.parent_path();  // a slash at the end
    make_folder(path_);
    // A damaged stage.json only means that the stage is done again.
    record_ = load_json(path_ / "stage.json");
    found_ = record_.empty() ? found_here() : record_.value("found", std::vector<std::string>{});
}

std::vector<std::string> StageFolder::found_here() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename().string());
    return names;
}

bool StageFolder::was_begun() const {
    return way_of(record_.value("inputs", "")) == way_of(inputs_);
}

bool StageFolder::has_same_inputs() const {
    const std::string recorded = record_.value("inputs", "");
    return recorded.substr(0, recorded.find('/')) == inputs_.substr(0, inputs_.find('/'));
}

bool StageFolder::is_done() const {
    if (!has_same_inputs() || record_.value("status", "") != "done") return false;
    const auto outputs = record_.value("outputs", std::vector<std::string>{});
    return std::all_of(outputs.begin(), outputs.end(),
                       [&](const auto& name) { return fs::exists(path_ / name); });
}

bool StageFolder::holds_other_results() const {
    if (record_.empty() || was_begun()) return false;
    return record_.value("status", "") == "done" ||
           fs::exists(path_ / "networks") ||  // of a training that was interrupted between two of them
           std::any_of(fs::directory_iterator(path_), fs::directory_iterator(), is_checkpoint);
}

void StageFolder::move_results(const fs::path& aside) const {
    std::vector<std::string> kept = found_;
    kept.insert(kept.end(), {FolderLock::file_name, "log.txt", "events.jsonl"});  // they are being written to
    make_folder(aside);
    for (const std::string& name : found_here()) {
        if (std::find(kept.begin(), kept.end(), name) != kept.end()) continue;
        if (fs::is_directory(path_ / name) && holds_stages(path_ / name)) continue;
        fs::rename(path_ / name, aside / name);
    }
}

void StageFolder::lock() {
    if (lock_) return;
    lock_ = std::make_unique<FolderLock>(path_);
    record_ = load_json(path_ / "stage.json");  // as the last process has left it
}

void StageFolder::claim(Session& session) {
    lock();
    if (!holds_other_results()) return;
    const fs::path aside = free_place_beside(fs::absolute(path_).lexically_normal());
    move_results(aside);
    record_ = nlohmann::json::object();
    session.info(fmt::format("{} held results of other inputs: they are kept in {}", path_.string(),
                             aside.filename().string()));
}

void StageFolder::move_aside(const std::string& name, Session& session) {
    if (!fs::exists(path_ / name)) return;
    const fs::path aside = free_place_beside(path_ / name);
    fs::rename(path_ / name, aside);
    session.info(fmt::format("{} is of other inputs: it is kept in {}", (path_ / name).string(),
                             aside.filename().string()));
}

void StageFolder::begin() {
    lock();
    earlier_seconds_ = was_begun() ? seconds() : 0;
    if (!was_begun()) remove_checkpoints();
    write("running", {}, 0, nlohmann::json::object());
}

void StageFolder::remove_checkpoints() {
    for (const auto& entry : fs::directory_iterator(path_))
        if (is_checkpoint(entry)) fs::remove(entry.path());
}

void StageFolder::finish(const std::vector<std::string>& outputs, double seconds,
                         const nlohmann::json& results) {
    std::erase_if(found_, [&](const auto& name) {
        return std::find(outputs.begin(), outputs.end(), name) != outputs.end();
    });
    write("done", outputs, seconds, results);
}

void StageFolder::attempt(const std::function<void()>& work) {
    const Timer timer;
    try {
        work();
    } catch (const StoppedError&) {
        throw;
    } catch (const Error& e) {
        write("failed", {}, timer.seconds(), {{"error", e.what()}});
        throw;
    }
}

void StageFolder::write(const std::string& status, const std::vector<std::string>& outputs, double seconds,
                        const nlohmann::json& results) {
    record_ = {{"stage", stage_},    {"status", status},   {"inputs", inputs_},
               {"start", start_},    {"outputs", outputs}, {"seconds", earlier_seconds_ + seconds},
               {"results", results}, {"found", found_}};
    io::write_text_atomically(path_ / "stage.json", record_.dump(2) + "\n");
}

}  // namespace stembridge::app
