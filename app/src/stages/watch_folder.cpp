// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "stages/atom_finder.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

constexpr auto between_looks = std::chrono::milliseconds(300);

/// What changes when a file is written to.
struct FileState {
    std::uintmax_t size = 0;
    fs::file_time_type time;
    bool operator==(const FileState&) const = default;
};

bool is_micrograph(const fs::path& file) {
    static const std::set<std::string> suffixes = {".npy", ".npz",  ".png", ".tif", ".tiff", ".h5",
                                                   ".hf5", ".hdf5", ".emd", ".dm3", ".dm4"};
    std::string suffix = file.extension().string();
    for (char& c : suffix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return suffixes.contains(suffix) && !file.filename().string().starts_with('.');
}

/// The micrographs of a folder, by name.
std::map<fs::path, FileState> micrographs(const fs::path& folder) {
    std::map<fs::path, FileState> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;  // a file may vanish while it is looked at
        if (!is_micrograph(entry->path()) || !entry->is_regular_file(gone)) continue;
        const FileState state{entry->file_size(gone), entry->last_write_time(gone)};
        if (!gone) found[entry->path()] = state;
    }
    if (error)
        throw FileError(fmt::format("cannot read the folder '{}': {}", folder.string(), error.message()));
    return found;
}

}  // namespace

nlohmann::json watch_folder(const io::Config& config, const fs::path& folder, double idle_seconds,
                            const fs::path& out, Session& session) {
    AtomFinder finder(config, session);
    std::map<fs::path, FileState> last_look, done;
    int frames = 0, failures = 0;
    micrographs(folder);  // so that a folder that is not there is told before waiting
    session.info(fmt::format("watching {}", folder.string()));
    Timer idle;
    while (!session.stop_requested() && (idle_seconds <= 0 || idle.seconds() < idle_seconds)) {
        const auto look = micrographs(folder);
        for (const auto& [file, state] : look) {
            if (session.stop_requested()) break;
            const auto before = last_look.find(file);
            const bool growing = before == last_look.end() || before->second != state;
            if (growing && !(done.contains(file) && done.at(file) == state)) idle.restart();
            if (growing || (done.contains(file) && done.at(file) == state)) continue;
            done[file] = state;
            const fs::path results = out / file.filename();
            if (std::error_code none; fs::exists(results / "summary.json", none) &&
                                      fs::last_write_time(results / "summary.json", none) > state.time)
                continue;
            nlohmann::json event = {{"file", file.string()}, {"results", results.string()}};
            const Timer timer;
            try {
                const Image image = io::read_image(file, static_cast<int>(config.integer("detect.frame")),
                                                   dataset_of(config));
                const auto found = finder.find(image, results);
                ++frames;
                event["counts"] = found.summary["counts"];
            } catch (const StoppedError&) {
                break;
            } catch (const FileError& error) {
                // Perhaps its writer is only pausing: it is looked at again when it changes.
                ++failures;
                event["error"] = error.what();
            } catch (const Error& error) {
                ++failures;
                event["error"] = error.what();
                io::write_text_atomically(results / "error.txt", std::string(error.what()) + "\n");
            }
            event["seconds"] = timer.seconds();
            session.event("frame", event);
            if (event.contains("error"))
                session.warning(
                    fmt::format("{}: {}", file.filename().string(), event["error"].get<std::string>()));
            idle.restart();
        }
        last_look = look;
        std::this_thread::sleep_for(between_looks);
    }
    session.info(fmt::format("{} frames done, {} failed", frames, failures));
    return {{"frames", frames}, {"failures", failures}};
}

}  // namespace stembridge::app
