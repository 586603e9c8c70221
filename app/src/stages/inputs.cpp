// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "configuration.hpp"
#include "environment.hpp"
#include "stages/checkpointed_inputs.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/io/hash.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/ml/network.hpp"
#include "stembridge/tb/tables/skf.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

std::string hash_of(std::string text, const std::vector<fs::path>& files,
                    const std::vector<std::string>& contents = {}) {
    for (const auto& file : files) text += io::sha256_of_file(file) + "\n";
    for (const auto& content : contents) text += io::sha256_of_text(content) + "\n";
    return io::sha256_of_text(text);
}

using Keys = std::vector<std::string>;

/// Keys of a stage that decide neither its result nor the way there.
Keys keys_without_effect(const std::string& stage) {
    Keys keys = {"checkpoint_every", "max_steps"};
    if (stage == "neb" || stage == "vibrations") keys.emplace_back("workers");
    return keys;
}

/// Keys of a stage that decide its result alone.
Keys keys_of_the_end(const std::string& stage) {
    if (stage == "vibrations")  // what becomes of the Hessian
        return {"temperature", "pressure", "symmetry_number", "multiplicity", "masses", "broadening"};
    if (stage == "md") return {"steps"};  // times of ramps count from the start
    return {"max_force"};
}

/// The lines of a table without those of some keys.
std::string without(const std::string& text, const Keys& keys) {
    std::istringstream lines(text);
    std::string kept, line;
    while (std::getline(lines, line))
        if (std::none_of(keys.begin(), keys.end(),
                         [&](const std::string& key) { return line.starts_with(key + " ="); }))
            kept += line + "\n";
    return kept;
}

}  // namespace

std::string inputs_hash(const io::Config& config, const std::vector<std::string>& tables,
                        const std::vector<fs::path>& files, const std::string& more) {
    return hash_of(tables_text(config, tables) + more, files);
}

std::string training_inputs(const io::Config& config, const std::vector<fs::path>& start,
                            const std::vector<fs::path>& elit_files) {
    const std::string seed = fmt::format("seed {}\n", config.integer("run.seed"));
    Keys without_effect{"device", "checkpoint_every"};
    // Patience counts reports.
    if (config.integer("train.patience") == 0) without_effect.emplace_back("report_every");
    const std::string training =
        hash_of(without(tables_text(config, {"train"}), without_effect) + seed, start);
    return hash_of(training + tables_text(config, {"elit"}), elit_files) + "/" + training;
}

std::string checkpointed_inputs(const io::Config& config, const std::string& stage,
                                const std::vector<fs::path>& files,
                                const std::vector<std::string>& contents) {
    const std::string calculator = tables_text(config, {"calculator"});
    const std::string result = without(tables_text(config, {stage}), keys_without_effect(stage));
    return hash_of(calculator + result, files, contents) + "/" +
           hash_of(calculator + without(result, keys_of_the_end(stage)), files, contents);
}

StageFolder detection_folder(const io::Config& config, const fs::path& folder, const std::string& frames) {
    const auto with = [&](const std::string& detector) {
        std::vector<fs::path> inputs = {config.file("detect.image")};
        if (detector == "network")
            for (const fs::path& file : network_files(config))
                if (fs::exists(file)) inputs.push_back(file);
        std::string more = "detector = " + detector + "\n";
        if (!frames.empty()) more += "frames = " + frames + "\n";
        return StageFolder(folder, "detect", inputs_hash(config, {"detect"}, inputs, more));
    };
    const std::string& method = config.text("detect.method");
    if (method != "auto") return with(method);
    StageFolder by_networks = with("network");
    return by_networks.is_done() || ml::networks_available() ? std::move(by_networks) : with("classical");
}

std::vector<fs::path> table_files(const io::Config& config, const Structure& structure) {
    const std::set<int> elements(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    std::vector<fs::path> files;
    for (const int a : elements)
        for (const int b : elements)
            for (const auto& folder : parameter_folders(config)) {
                const fs::path file = folder / fmt::format("{}-{}.skf", element_symbol(a), element_symbol(b));
                if (!fs::exists(file)) continue;
                files.push_back(file);
                break;
            }
    return files;
}

void require_tables(const io::Config& config, const Structure& structure) {
    if (config.text("calculator.kind") != "scc-dftb") return;
    const std::set<int> elements(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    std::vector<std::string> symbols;
    for (const int element : elements) symbols.push_back(element_symbol(element));
    tb::find_skf(parameter_folders(config), symbols);
}

void check_unpaired(const io::Config& config, const Structure& structure, Session& session) {
    if (!config.has("calculator.spin.unpaired")) return;
    double electrons = -config.number("calculator.charge");  // closed cores hold even numbers
    for (const int z : structure.atomic_numbers) electrons += z;
    const double unpaired = config.number("calculator.spin.unpaired"), pairs = (electrons - unpaired) / 2;
    if (pairs == std::round(pairs)) return;
    session.warning(fmt::format(
        "calculator.spin.unpaired = {:g} does not fit {}, which has {:g} electrons with those of the "
        "cores: one level of each spin is half full",
        unpaired, structure.formula(), electrons));
}

void run_alone(const io::Config& config, const fs::path& structure_file, const fs::path& folder,
               const std::string& name, Session& session,
               const std::function<void(const Structure&, StageFolder&)>& stage,
               const std::vector<fs::path>& more_files) {
    set_threads(static_cast<int>(config.integer("run.threads")));
    const Structure structure = io::read_structure(structure_file);
    auto files = table_files(config, structure);
    files.push_back(structure_file);
    files.insert(files.end(), more_files.begin(), more_files.end());
    StageFolder stage_folder(folder, name, checkpointed_inputs(config, name, files));
    session.attach_folder(stage_folder.path());
    check_unpaired(config, structure, session);
    if (blas_kernel_is_slow()) session.warning("BLAS kernel " + blas_kernel_in_words());
    if (stage_folder.is_done()) {
        session.info("unchanged since the last time, not done again");
    } else {
        stage_folder.claim(session);
        stage_folder.attempt([&] { stage(structure, stage_folder); });
    }
}

}  // namespace stembridge::app
