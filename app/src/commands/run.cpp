// SPDX-License-Identifier: Apache-2.0
// stembridge run: the chain, or any of its stages, in one run folder.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <ctime>
#include <optional>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "folder_lock.hpp"
#include "helpers.hpp"
#include "scoring.hpp"
#include "stages/checkpointed_inputs.hpp"
#include "stages/parameter_sets.hpp"
#include "stages/stages.hpp"
#include "stages/studies.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/hash.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> known_stages = {"detect", "build", "relax", "selective",
                                               "adsorb", "neb",   "md",    "report"};

struct Options {
    Options() : config(run_schema()) {}
    ConfigOptions config;
    std::string file, stages;
};

/// One run: its folder, what was asked for, and where the results of each stage are.
class Run {
  public:
    Run(const io::Config& config, fs::path folder, std::vector<std::string> stages, const Ranks& ranks,
        Session& session)
        : config_(config),
          folder_(std::move(folder)),
          stages_(std::move(stages)),
          ranks_(ranks),
          session_(session) {}

    /// The runs of dynamics are shared by the processes of the run; the first one does all else.
    void execute() {
        try {
            ranks_.first_alone([&] {
                write_provenance();
                if (wanted("detect")) detect_stage();
                if (wanted("build")) build_stage();
                if (wanted("relax")) relax_stage();
                if (wanted("selective")) selective_stage();
                if (wanted("adsorb")) adsorption_stage();
                if (wanted("neb")) barrier_stage();
            });
            ranks_.together([&] {
                if (wanted("md")) dynamics_stages();
            });
        } catch (const StoppedError& e) {
            if (ranks_.is_first()) session_.event("stopped", {{"message", e.what()}});
            throw;
        } catch (const Error& e) {
            if (ranks_.is_first()) {
                session_.event("failed", {{"message", e.what()}});
                report_after_failure();
            }
            throw;
        }
        ranks_.first_alone([&] {
            report_stage();
            session_.event("done");
        });
    }

  private:
    bool wanted(const std::string& stage) const {
        return std::find(stages_.begin(), stages_.end(), stage) != stages_.end();
    }

    /// Does a stage unless its inputs are unchanged; a failure is recorded in its folder. `work` gets the
    /// folder and returns the results; stages that keep checkpoints mark their progress themselves.
    template <class Work>
    void stage(StageFolder& folder, const std::string& title, const Work& work) {
        if (folder.is_done()) {
            session_.info(fmt::format("{}: unchanged, not done again", title));
            session_.event("skipped", {{"stage", title}});
            return;
        }
        session_.info("--- " + title);
        session_.event("begin", {{"stage", title}});
        folder.claim(session_);
        const Timer timer;
        folder.attempt([&] { work(timer); });
        session_.event("end", {{"stage", title}, {"seconds", timer.seconds()}});
        if (session_.stop_requested())
            throw StoppedError(fmt::format("stopped on request after {}; the same command continues", title));
    }

    void detect_stage() {
        if (!config_.has("detect.image")) return;  // the chain starts from a structure
        StageFolder folder = detection_folder(config_, folder_ / "1-detect");
        const bool done_before = folder.is_done();
        stage(folder, "finding atoms", [&](const Timer&) { detect(config_, folder, session_); });
        if (done_before)
            for (const auto& warning : folder.results().value("warnings", nlohmann::json::array()))
                session_.warning(warning.get<std::string>());
    }

    fs::path need(const fs::path& file, const std::string& stage) const {
        if (!fs::exists(file))
            throw InputError(fmt::format("{} is not there yet: do stage '{}' first", file.string(), stage));
        return file;
    }

    void build_stage() {
        const fs::path input = config_.has("build.structure")
                                   ? config_.file("build.structure")
                                   : need(folder_ / "1-detect" / "atoms.csv", "detect");
        StageFolder folder(folder_ / "2-build", "build",
                           inputs_hash(config_, {"build"}, {input},
                                       fmt::format("charge = {}\n", config_.number("calculator.charge"))));
        stage(folder, "building the cell", [&](const Timer& timer) {
            folder.begin();
            const auto summary = build(config_, input, folder.path(), session_);
            folder.finish({"structure.extxyz", "build.json"}, timer.seconds(), summary);
        });
    }

    fs::path built() const { return need(folder_ / "2-build" / "structure.extxyz", "build"); }

    StageFolder relax_folder(const Structure& structure) const {
        auto files = table_files(config_, structure);
        files.push_back(built());
        return {folder_ / "3-relax", "relax", checkpointed_inputs(config_, "relax", files), built()};
    }

    void relax_stage() {
        const Structure structure = io::read_structure(built());
        StageFolder folder = relax_folder(structure);
        check_unpaired(config_, structure, session_);
        stage(folder, "relaxing", [&](const Timer&) { relax(config_, structure, folder, session_); });
    }

    /// The relaxed structure; in a run that does not relax, the built one unless it has been relaxed with the
    /// same settings before.
    fs::path relaxed_or_built() const {
        const fs::path relaxed = folder_ / "3-relax" / "relaxed.extxyz";
        if (wanted("relax")) return need(relaxed, "relax");
        if (!fs::exists(relaxed)) return built();
        if (relax_folder(io::read_structure(built())).is_done()) return relaxed;
        if (ranks_.is_first())
            session_.warning(
                fmt::format("{} is of another structure or other settings: starting from the built one; the "
                            "stage 'relax' relaxes it",
                            relaxed.string()));
        return built();
    }

    /// A study of many relaxations, each of which is skipped by itself when it is done.
    template <class Work>
    void study(const fs::path& place, const std::string& name, const std::string& title,
               const fs::path& input, const std::string& output, const Work& work) {
        const Structure structure = io::read_structure(input);
        auto files = table_files(config_, structure);
        files.push_back(input);
        StageFolder folder(place, name, inputs_hash(config_, {"calculator", "relax", name}, files), input);
        session_.info("--- " + title);
        session_.event("begin", {{"stage", title}});
        folder.claim(session_);
        const Timer timer;
        folder.begin();
        folder.attempt([&] {
            try {
                folder.finish({output}, timer.seconds(), work(structure, folder.path()));
            } catch (const StoppedError&) {
                folder.stop(timer.seconds());
                throw;
            }
        });
        session_.event("end", {{"stage", title}, {"seconds", timer.seconds()}});
    }

    void selective_stage() {
        study(folder_ / "3-selective", "selective", "relaxing with selective dynamics", built(),
              "selective.json", [&](const Structure& structure, const fs::path& place) {
                  return selective(config_, structure, place, session_);
              });
    }

    void adsorption_stage() {
        study(folder_ / "5-adsorb", "adsorb", "adsorbing", relaxed_or_built(), "adsorption.json",
              [&](const Structure& structure, const fs::path& place) {
                  return adsorption(config_, structure, place, session_);
              });
    }

    void barrier_stage() {
        const fs::path input = relaxed_or_built();
        const Structure sheet = io::read_structure(input);
        // The ends are files, so that they can be looked at and decide whether the work is done.
        const fs::path place = folder_ / "6-neb";
        const BarrierEnds ends = barrier_ends(config_, sheet, place, session_);
        io::Config own = config_;
        if (ends.spin_polarized)
            own.set("calculator.spin.polarized", *ends.spin_polarized ? "true" : "false", "adsorb.spin");
        if (ends.unpaired) own.set("calculator.spin.unpaired", std::to_string(*ends.unpaired), "spin state");
        auto files = table_files(own, ends.from);
        const fs::path from = place / "from.extxyz", to = place / "to.extxyz";
        const std::string inputs = checkpointed_inputs(
            own, "neb", files, {io::structure_text(from, ends.from), io::structure_text(to, ends.to)});
        StageFolder folder(place, "neb", inputs, input);
        stage(folder, "barrier, " + ends.title, [&](const Timer&) {
            io::write_structure(from, ends.from);
            io::write_structure(to, ends.to);
            io::write_text_atomically(place / "ends.json",
                                      nlohmann::json{{"title", ends.title}}.dump() + "\n");
            neb(own, ends.from, ends.to, folder, session_);
        });
    }

    void dynamics_stages() {
        const fs::path input = relaxed_or_built();
        const Structure structure = io::read_structure(input);
        auto files = table_files(config_, structure);
        files.push_back(input);
        sweep(config_, structure, files, folder_ / "4-md", ranks_, session_);
    }

    void report_stage() {
        if (wanted("report")) write_run_report(folder_, config_, session_);
    }

    bool any_stage_is_done() const {
        return std::any_of(fs::directory_iterator(folder_), fs::directory_iterator(), [](const auto& entry) {
            return load_json(entry.path() / "stage.json").value("status", "") == "done";
        });
    }

    /// Of what there is up to the failure, which is what the user must hear of.
    void report_after_failure() {
        try {
            if (any_stage_is_done()) report_stage();
        } catch (const std::exception& e) {
            session_.warning(fmt::format("the report could not be written: {}", e.what()));
        }
    }

    void write_provenance() {
        io::write_text_atomically(folder_ / "config.resolved.toml", config_.resolved_toml());
        nlohmann::json hashes = nlohmann::json::object();
        const auto add = [&](const fs::path& file) {
            if (fs::is_regular_file(file)) hashes[file.filename().string()] = io::sha256_of_file(file);
        };
        if (config_.has("detect.image")) add(config_.file("detect.image"));
        if (config_.has("build.structure")) add(config_.file("build.structure"));
        if (config_.text("detect.method") != "classical") {
            try {
                for (const fs::path& file : network_files(config_)) add(file);
            } catch (const FileError&) {  // no shipped data: the stage that needs it will say so
            }
        }
        for (const fs::path& set : parameter_sets(config_)) {
            std::vector<fs::path> tables;
            for (const auto& entry : fs::directory_iterator(set))
                if (entry.path().extension() == ".skf") tables.push_back(entry.path());
            hashes["the tables of " + set.filename().string()] = io::sha256_of_files(tables);
        }
        const nlohmann::json manifest = {
            {"version", version()},
            {"git_commit", git_commit()},
            {"blas_kernel", blas_kernel()},
            {"threads", threads_in_use()},
            {"processes", ranks_.size()},
            {"seed", config_.integer("run.seed")},
            {"date", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::time(nullptr)))},
            {"stages", stages_},
            {"sha256", hashes},
        };
        io::write_text_atomically(folder_ / "manifest.json", manifest.dump(2) + "\n");
    }

    const io::Config& config_;
    fs::path folder_;
    std::vector<std::string> stages_;
    const Ranks& ranks_;
    Session& session_;
};

/// What the first of the stages starts from has to be there before a folder is made for them.
void require_start(const io::Config& config, const fs::path& folder, const std::vector<std::string>& stages) {
    const auto wanted = [&](const char* stage) {
        return std::find(stages.begin(), stages.end(), stage) != stages.end();
    };
    const auto require = [](const fs::path& file, const std::string& reason) {
        if (!fs::exists(file)) throw FileError(fmt::format("{} does not exist: {}", file.string(), reason));
    };
    const bool from_structure = config.has("build.structure");
    if (wanted("detect") && config.has("detect.image"))
        require(config.file("detect.image"), config.where("detect.image"));
    else if (wanted("detect") && !from_structure)
        throw InputError(
            "detect.image is not given: the micrograph to look at (or build.structure, to start from atoms)");
    if (wanted("build") && from_structure)
        require(config.file("build.structure"), config.where("build.structure"));
    else if (wanted("build") && !wanted("detect"))
        require(folder / "1-detect" / "atoms.csv", "do stage 'detect' first, or name a build.structure");
    else if (!wanted("build") && !wanted("detect"))
        require(
            stages == std::vector<std::string>{"report"} ? folder : folder / "2-build" / "structure.extxyz",
            "do stage 'build' first");
}

void run_chain(const io::Config& config, const fs::path& config_file, const fs::path& folder,
               const std::vector<std::string>& stages, const Ranks& ranks, Session& session) {
    std::optional<FolderLock> lock;
    ranks.first_alone([&] {
        require_start(config, folder, stages);
        lock.emplace(folder);
    });
    ranks.together([&] { session.attach_folder(folder); });
    ranks.first_alone([&] {
        std::error_code ignored;
        if (!fs::equivalent(fs::absolute(config_file).parent_path(), folder, ignored))
            fs::copy_file(config_file, folder / "config.toml", fs::copy_options::overwrite_existing);
        session.info(fmt::format(
            "stembridge {} ({}), {}{} threads, BLAS kernel {}, run folder {}", version(), git_commit(),
            ranks.size() > 1 ? fmt::format("{} processes, each with ", ranks.size()) : "", threads_in_use(),
            blas_kernel(), folder.string()));
        if (blas_kernel_is_slow()) session.warning("BLAS kernel " + blas_kernel_in_words());
    });
    Run(config, folder, stages, ranks, session).execute();
    if (ranks.is_first()) session.info("run folder: " + folder.string());
}

void run(const Options& options, Session& session) {
    const io::Config config = options.config.config();
    std::vector<std::string> stages = config.texts("run.stages");
    for (const auto& stage : stages)
        if (std::find(known_stages.begin(), known_stages.end(), stage) == known_stages.end())
            throw InputError(fmt::format("{}: unknown stage '{}'; accepted are {}",
                                         config.where("run.stages"), stage, fmt::join(known_stages, ", ")));
    if (config.has("report.truth")) read_known_atoms(config.file("report.truth"));  // told before any work
    const fs::path folder =
        config.has("run.folder") ? config.file("run.folder") : fs::path("runs") / config.text("run.name");
    set_threads(static_cast<int>(config.integer("run.threads")));
    // Processes that share each diagonalisation have no time for runs of a sweep.
    if (config.text("calculator.solver") == "elpa")
        with_helpers(session, [&] {
            run_chain(config, options.file, folder, stages, Ranks(Processes::this_one), session);
        });
    else
        run_chain(config, options.file, folder, stages, Ranks(), session);
}

}  // namespace

void add_run(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "run", "The chain from frame to report, or some of its stages; resumes by default");
    command->add_option("config", options->file, "Run configuration (TOML)")->required();
    options->config.add_words(*command, "--stages", "run.stages");
    options->config.add(*command, "--out", "run.folder");
    options->config.add(*command, "--parameters", "calculator.parameters");
    options->config.add(*command, "--image", "detect.image");
    options->config.add(*command, "--seed", "run.seed");
    options->config.add(*command, "--threads", "run.threads");
    options->config.add(*command, "--steps", "md.steps");
    options->config.add(*command, "--replicas-at-once", "run.replicas_at_once");
    command->callback([options, &action] {
        options->config.set_file(options->file);
        action = [options](Session& session) { run(*options, session); };
    });
}

}  // namespace stembridge::app
