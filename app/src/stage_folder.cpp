// SPDX-License-Identifier: Apache-2.0
#include "stage_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

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
    make_folder(path_);
    // A damaged stage.json only means that the stage is done again.
    record_ = load_json(path_ / "stage.json");
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

void StageFolder::begin() {
    earlier_seconds_ = was_begun() ? seconds() : 0;
    if (!was_begun()) remove_checkpoints();
    write("running", {}, 0, nlohmann::json::object());
}

void StageFolder::remove_checkpoints() {
    for (const auto& entry : fs::directory_iterator(path_))
        if (entry.path().filename().string().starts_with("checkpoint")) fs::remove(entry.path());
}

void StageFolder::finish(const std::vector<std::string>& outputs, double seconds,
                         const nlohmann::json& results) {
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
    record_ = {{"stage", stage_},   {"status", status},   {"inputs", inputs_},
               {"start", start_},   {"outputs", outputs}, {"seconds", earlier_seconds_ + seconds},
               {"results", results}};
    io::write_text_atomically(path_ / "stage.json", record_.dump(2) + "\n");
}

}  // namespace stembridge::app
