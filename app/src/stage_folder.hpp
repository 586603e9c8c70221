// SPDX-License-Identifier: Apache-2.0
// The folder of one stage of a run: what went in, what came out, whether it has to be done again.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "folder_lock.hpp"

namespace stembridge::app {

class Session;

/// A JSON file of a run folder; an empty object when it is missing or damaged.
nlohmann::json load_json(const std::filesystem::path& path);

/// Makes a folder and those above it. @throw FileError
void make_folder(const std::filesystem::path& path);

/// Whether a stage began with a structure that the run holds now: the built one, or the relaxed one where
/// that was built from it. Folders that do not say are taken to.
bool belongs_to(const std::filesystem::path& run, const std::filesystem::path& stage_folder);

/// Makes the folder of a file that is to be written. @throw FileError when that cannot be, before there is
/// anything to write
void require_place_for(const std::filesystem::path& file);

/// Whether a folder holds earlier results that StageFolder::claim() moved there.
bool is_set_aside(const std::filesystem::path& folder);

/// One folder such as 1-detect/ with its stage.json {stage, status, inputs, start, outputs, seconds,
/// results, found}. status: "running" (also after a kill), "stopped" (on request, with checkpoint), "failed",
/// "done". found: what was there before the stage, and is none of its results.
class StageFolder {
  public:
    /// Opens or creates the folder. @param inputs hash of everything that decides the result; after a slash,
    /// of what decides the way there, where that is less  @param start file of the structure it begins with,
    /// for belongs_to()  @throw FileError when the folder cannot be created
    StageFolder(std::filesystem::path folder, std::string stage, std::string inputs,
                const std::filesystem::path& start = {});

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

    /// The same inputs have been worked to the end, and every output is still there.
    bool is_done() const;
    /// The result of the same inputs has been begun, or is there.
    bool has_same_inputs() const;
    /// The same way has been begun: a checkpoint in this folder belongs to it.
    bool was_begun() const;
    /// To be called before the stage is worked on: from now on no other process can. Results and checkpoints
    /// of other inputs are moved to a folder beside this one, 3-relax.old-1, and this is said; stages in
    /// folders below stay.
    /// @throw FileError when another process works in the folder
    void claim(Session& session);
    /// Moves one result of other inputs to NAME.old-1 in this folder, and says so; nothing when it is not
    /// there.
    void move_aside(const std::string& name, Session& session);
    /// Marks the stage as running; wall times of interrupted attempts add up. With other inputs than last
    /// time, checkpoints of the old ones are removed.
    void begin();
    void remove_checkpoints();
    void finish(const std::vector<std::string>& outputs, double seconds, const nlohmann::json& results);
    void stop(double seconds) { write("stopped", {}, seconds, nlohmann::json::object()); }
    /// Does the work of this stage; an error is recorded as its end ("failed"), except a stop on request,
    /// which the work records itself. Rethrows.
    void attempt(const std::function<void()>& work);

    /// What finish() was given, of this or an earlier run.
    nlohmann::json results() const { return record_.value("results", nlohmann::json::object()); }
    double seconds() const { return record_.value("seconds", 0.0); }

  private:
    void write(const std::string& status, const std::vector<std::string>& outputs, double seconds,
               const nlohmann::json& results);
    void lock();
    bool holds_other_results() const;
    std::vector<std::string> found_here() const;
    void move_results(const std::filesystem::path& aside) const;
    std::filesystem::path path_;
    std::string stage_;
    std::string inputs_;
    std::string start_;  // hash of the file
    std::vector<std::string> found_;
    std::unique_ptr<FolderLock> lock_;
    double earlier_seconds_ = 0;  // of interrupted attempts at the same inputs
    nlohmann::json record_ = nlohmann::json::object();
};

}  // namespace stembridge::app
