// SPDX-License-Identifier: Apache-2.0
// stembridge train: ensembles with a report; interrupted ones continue to the same bits; experimental frames.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "run_program.hpp"
#include "small_training.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(test_training)

namespace {

struct Workplace {
    explicit Workplace(const std::string& more) {
        io::write_text_atomically(folder.path() / "train.toml", small_training(more));
    }
    std::vector<std::string> train(const std::string& out) const {
        return {"train", (folder.path() / "train.toml").string(), "--out", (folder.path() / out).string()};
    }
    /// @return false where this build has no networks
    bool done(const std::string& out) const {
        const Outcome outcome = run_program(train(out));
        if (outcome.status == 5) {
            skip("built without LibTorch");
            return false;
        }
        BOOST_TEST(outcome.status == 0, outcome.output);
        return outcome.status == 0;
    }
    std::string bytes(const std::string& file) const { return io::read_text(folder.path() / file); }
    TemporaryFolder folder;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_ensemble_from_a_baseline_is_trained_reported_and_not_trained_twice) {
    const Workplace work("[train.ensemble]\nkind = \"baseline\"\nmembers = 2\nsteps = 8\n");
    if (!work.done("a")) return;
    for (const char* file : {"a/baseline.h5", "a/networks/member-1.h5", "a/networks/member-2.h5",
                             "a/curves/baseline.csv", "a/curves/member-2.csv"})
        BOOST_TEST(fs::exists(work.folder.path() / file), file);
    BOOST_TEST(!fs::exists(work.folder.path() / "a" / "checkpoint-baseline.h5"));
    const std::string page = work.bytes("a/report/index.html");
    for (const char* text : {"member-2", "calibration error", "<svg", "Predictions"})
        BOOST_TEST(page.find(text) != std::string::npos, text);
    BOOST_TEST(work.bytes("a/networks/member-1.h5") != work.bytes("a/networks/member-2.h5"));
    // The same seed gives the same bits; done is done.
    BOOST_TEST(work.done("b"));
    BOOST_TEST(work.bytes("a/networks/member-2.h5") == work.bytes("b/networks/member-2.h5"));
    const Outcome again = run_program(work.train("a"));
    BOOST_TEST(again.output.find("not done again") != std::string::npos, again.output);
}

BOOST_AUTO_TEST_CASE(an_interrupted_training_continues_to_the_same_bits) {
    const Workplace work("[train.ensemble]\nkind = \"scratch\"\nmembers = 2\n");
    if (!work.done("whole")) return;
    const fs::path checkpoint = work.folder.path() / "parts" / "checkpoint-member-2.h5";
    RunningProgram program(work.train("parts"));
    while (program.is_running() && !fs::exists(checkpoint))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program.send(SIGINT);
    const int status = program.wait().status;
    BOOST_TEST((status == 6 || status == 0));  // 0: it was faster
    BOOST_TEST(work.done("parts"));
    for (const char* member : {"member-1", "member-2"}) {
        const std::string file = std::string("/networks/") + member + ".h5";
        BOOST_TEST(work.bytes("whole" + file) == work.bytes("parts" + file));
    }
    // One line per report and one for the averaged weights, none twice.
    const std::string curve = work.bytes("parts/curves/member-2.csv");
    BOOST_TEST(std::count(curve.begin(), curve.end(), '\n') == 1 + 4 + 1);
}

BOOST_AUTO_TEST_CASE(swag_gives_a_file_per_draw) {
    const Workplace work("[train.ensemble]\nkind = \"swag\"\nmembers = 3\nswag_rank = 2\n");
    if (!work.done("a")) return;
    for (const char* file : {"a/networks/member-1.h5", "a/networks/member-3.h5"})
        BOOST_TEST(fs::exists(work.folder.path() / file), file);
}

BOOST_AUTO_TEST_CASE(finished_networks_are_never_thrown_away) {
    const Workplace work("");
    if (!work.done("a")) return;
    const std::string trained = work.bytes("a/networks/member-1.h5");
    const auto change = [&](const std::string& from, const std::string& to) {
        std::string text = work.bytes("train.toml");
        text.replace(text.find(from), from.size(), to);
        io::write_text_atomically(work.folder.path() / "train.toml", text);
        return run_program(work.train("a"));
    };
    // How often is reported, and where the work is done, changes no network.
    for (const auto& [from, to] : {std::pair{"report_every = 6", "report_every = 12"},
                                   {"checkpoint_every = 2", "checkpoint_every = 3\ndevice = \"cpu\""}}) {
        const Outcome same = change(from, to);
        BOOST_TEST(same.output.find("not done again") != std::string::npos, same.output);
    }
    // Another rate does: the old networks are put aside, and that is said.
    const Outcome other = change("learning_rate = 1e-2", "learning_rate = 2e-2");
    BOOST_TEST(other.status == 0, other.output);
    BOOST_TEST(other.output.find("a.old-1") != std::string::npos, other.output);
    BOOST_TEST(work.bytes("a.old-1/networks/member-1.h5") == trained);
    BOOST_TEST(work.bytes("a/networks/member-1.h5") != trained);
}

BOOST_AUTO_TEST_CASE(frames_without_a_lattice_are_told_before_the_training) {
    const Workplace work("[elit]\nimages = [\"noise.npy\"]\n");
    Pixels noise(100, 100);
    Random random(1);
    for (Eigen::Index i = 0; i < noise.size(); ++i) noise.data()[i] = static_cast<float>(random.normal());
    io::write_npy(work.folder.path() / "noise.npy", noise);
    const Outcome outcome = run_program(work.train("a"));
    BOOST_TEST(outcome.status == 2, outcome.output);
    BOOST_TEST(outcome.output.find("no graphene lattice") != std::string::npos, outcome.output);
    BOOST_TEST(outcome.output.find("no frame is left") != std::string::npos, outcome.output);
    BOOST_TEST(!fs::exists(work.folder.path() / "a" / "networks"));
}

BOOST_AUTO_TEST_CASE(what_a_training_cannot_use_is_named) {
    const auto refused = [](const std::string& more, int status, const char* what) {
        const Workplace work(more);
        const Outcome outcome = run_program(work.train("a"));
        BOOST_TEST((outcome.status == status || outcome.status == 5), outcome.output);
        if (outcome.status != 5) BOOST_TEST(outcome.output.find(what) != std::string::npos, outcome.output);
    };
    refused("[train.ensemble]\nkind = \"many\"\n", 2, "baseline");
    refused("[elit]\nimages = [\"absent.png\"]\n", 3, "absent.png");
    refused("patience = 2\n[train.ensemble]\nkind = \"swag\"\n", 2, "train.patience");
    refused("[train.augment]\ngamma = [2, 1]\n", 2, "gamma");
}

BOOST_AUTO_TEST_SUITE_END()
