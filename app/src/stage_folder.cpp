// SPDX-License-Identifier: Apache-2.0
#include "stage_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
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

StageFolder::StageFolder(fs::path folder, std::string stage, std::string inputs)
    : path_(std::move(folder)), stage_(std::move(stage)), inputs_(std::move(inputs)) {
    std::error_code failed;
    fs::create_directories(path_, failed);
    if (failed) throw FileError(fmt::format("cannot create folder {}: {}", path_.string(), failed.message()));
    // A damaged stage.json only means that the stage is done again.
    record_ = load_json(path_ / "stage.json");
}

bool StageFolder::was_begun() const {
    return way_of(record_.value("inputs", "")) == way_of(inputs_);
}

bool StageFolder::is_done() const {
    const std::string result = inputs_.substr(0, inputs_.find('/')), done = record_.value("inputs", "");
    if (done.substr(0, done.find('/')) != result || record_.value("status", "") != "done") return false;
    const auto outputs = record_.value("outputs", std::vector<std::string>{});
    return std::all_of(outputs.begin(), outputs.end(),
                       [&](const auto& name) { return fs::exists(path_ / name); });
}

void StageFolder::begin() {
    earlier_seconds_ = was_begun() ? seconds() : 0;
    if (!was_begun())
        for (const auto& entry : fs::directory_iterator(path_))
            if (entry.path().filename().string().starts_with("checkpoint")) fs::remove(entry.path());
    write("running", {}, 0, nlohmann::json::object());
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
    record_ = {{"stage", stage_},
               {"status", status},
               {"inputs", inputs_},
               {"outputs", outputs},
               {"seconds", earlier_seconds_ + seconds},
               {"results", results}};
    io::write_text_atomically(path_ / "stage.json", record_.dump(2) + "\n");
}

}  // namespace stembridge::app
