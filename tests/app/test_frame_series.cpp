// SPDX-License-Identifier: Apache-2.0
// find-atoms on stacks and on a folder that frames arrive in; what it says about pixel size and contrast.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "run_program.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/builders.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

/// A folder with a simulated frame of a flake of graphene, and views cut from it.
struct Workplace {
    Workplace() {
        io::write_structure(folder.path() / "sheet.extxyz", graphene_flake(18 * units::angstrom));
        const Outcome made =
            run_program({"simulate-image", file("sheet.extxyz"), "--pixel-size", "0.1 angstrom",
                         "--electrons-per-pixel", "20000", "--out", file("frame.npy")});
        BOOST_REQUIRE_MESSAGE(made.status == 0, made.output);
        frame = io::read_image(folder.path() / "frame.npy").pixels;
    }
    std::string file(const std::string& name) const { return (folder.path() / name).string(); }
    /// What a view of 180 x 180 pixels sees, `drift` pixels from the middle.
    Pixels view(int drift) const {
        const Eigen::Index row = (frame.rows() - 180) / 2, column = (frame.cols() - 180) / 2;
        return frame.block(row, column + drift, 180, 180);
    }
    std::vector<std::string> find(const std::vector<std::string>& more) const {
        std::vector<std::string> arguments{"find-atoms", "--method",  "classical", "--out",
                                           file("out"),  "--threads", "1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
    nlohmann::json summary(const std::string& path = "summary.json") const {
        return nlohmann::json::parse(std::ifstream(folder.path() / "out" / path));
    }
    TemporaryFolder folder;
    Pixels frame;
};

/// Waits for something, at most half a minute on a busy machine. @return whether it came
bool wait_for(const std::function<bool()>& condition) {
    for (int i = 0; i < 600; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_frame_series)

BOOST_AUTO_TEST_CASE(a_stack_is_done_in_one_go_and_its_atoms_are_tracked) {
    const Workplace place;
    // The view moves by 0.4 angstrom per frame; the third frame shows nothing.
    std::vector<Pixels> stack;
    for (int i = 0; i < 4; ++i) stack.push_back(place.view(4 * i));
    stack[2].setConstant(1);
    io::write_npy(place.folder.path() / "stack.npy", stack);
    const Outcome outcome =
        run_program(place.find({place.file("stack.npy"), "--pixel-size", "0.1 angstrom", "--frames", "all"}));
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const auto summary = place.summary();
    BOOST_TEST(summary["frames"].size() == 4U);
    BOOST_TEST(summary["failures"] == 1);
    BOOST_TEST(summary["frames"][2].contains("error"));
    const auto& tracking = summary["tracking"];
    BOOST_TEST(tracking["longest"] == 3);
    BOOST_TEST(tracking["drift_angstrom"][3][0].get<double>() == 1.2, boost::test_tools::tolerance(0.05));
    BOOST_TEST(tracking["event_counts"]["vanished"].get<int>() <= 1);
    const auto atoms = io::read_detections_csv(place.folder.path() / "out" / "frame_0003" / "atoms.csv");
    BOOST_TEST(atoms.size() == summary["frames"][3]["counts"]["atoms"].get<std::size_t>());
    BOOST_TEST(tracking["matched"][3].get<double>() > 0.85 * static_cast<double>(atoms.size()));
    std::ifstream table(place.folder.path() / "out" / "tracks.csv");
    std::string header;
    std::getline(table, header);
    BOOST_TEST(header ==
               "track,frame,atom,x_angstrom,y_angstrom,x_px,y_px,element,probability,sigma_angstrom");
    BOOST_TEST(io::read_text(place.folder.path() / "out" / "tracks.svg").find("</svg>") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(frames_that_a_stack_does_not_have_are_refused) {
    const Workplace place;
    io::write_npy(place.folder.path() / "stack.npy", std::vector<Pixels>{place.view(0), place.view(1)});
    for (const char* frames : {"0:3", "1:1", "-1:1", "x", "0:2:0", "0", "1:2:3:4", ""}) {
        const Outcome outcome = run_program(place.find(
            {place.file("stack.npy"), std::string("--frames=") + frames, "--pixel-size", "0.1 angstrom"}));
        BOOST_TEST(outcome.status == 2, std::string(frames) + ": " + outcome.output);
    }
    const Outcome none = run_program(place.find({}));
    BOOST_TEST(none.status == 2);
    BOOST_TEST(none.output.find("--watch") != std::string::npos, none.output);
}

BOOST_AUTO_TEST_CASE(frames_that_arrive_in_a_folder_are_done_until_the_user_has_enough) {
    const Workplace place;
    const fs::path inbox = place.folder.path() / "inbox";
    fs::create_directory(inbox);
    io::write_npy(inbox / "a.npy", place.view(0));
    RunningProgram program(place.find({"--watch", inbox.string(), "--pixel-size", "0.1 angstrom"}));
    const auto done = [&](const std::string& name) {
        return wait_for([&] { return fs::exists(place.folder.path() / "out" / name / "summary.json"); });
    };
    BOOST_TEST(done("a.npy"));
    // Half a frame is not taken for a frame.
    io::write_npy(place.folder.path() / "b.npy", place.view(2));
    const std::string whole = io::read_text(place.folder.path() / "b.npy");
    std::ofstream(inbox / "b.npy", std::ios::binary) << whole.substr(0, whole.size() / 2);
    std::ofstream(inbox / "notes.txt") << "no micrograph";
    io::write_npy(inbox / "c.npy", Pixels::Constant(100, 100, 1));  // nothing to see
    BOOST_TEST(wait_for([&] { return fs::exists(place.folder.path() / "out" / "c.npy" / "error.txt"); }));
    BOOST_TEST(!fs::exists(place.folder.path() / "out" / "b.npy"));
    std::ofstream(inbox / "b.npy", std::ios::binary | std::ios::app) << whole.substr(whole.size() / 2);
    BOOST_TEST(done("b.npy"));
    program.send(SIGINT);
    const Outcome outcome = program.wait();
    BOOST_TEST(outcome.status == 0, outcome.output);
    BOOST_TEST(place.summary("b.npy/summary.json")["counts"]["atoms"].get<int>() > 50);
    BOOST_TEST(!fs::exists(place.folder.path() / "out" / "notes.txt"));
}

BOOST_AUTO_TEST_CASE(watching_ends_when_nothing_comes_and_does_nothing_twice) {
    const Workplace place;
    const fs::path inbox = place.folder.path() / "inbox";
    fs::create_directory(inbox);
    io::write_npy(inbox / "a.npy", place.view(0));
    const auto arguments =
        place.find({"--watch", inbox.string(), "--pixel-size", "0.1 angstrom", "--watch-idle", "1.5"});
    const Outcome first = run_program(arguments);
    BOOST_TEST(first.status == 0, first.output);
    BOOST_TEST(first.output.find("1 frames done, 0 failed") != std::string::npos, first.output);
    const Outcome second = run_program(arguments);
    BOOST_TEST(second.status == 0, second.output);
    BOOST_TEST(second.output.find("0 frames done, 0 failed") != std::string::npos, second.output);
    BOOST_TEST(run_program(place.find({"--watch", place.file("nowhere")})).status == 3);
}

BOOST_AUTO_TEST_CASE(a_pixel_size_that_contradicts_the_file_is_a_warning_and_dark_atoms_are_said) {
    const Workplace place;
    // A TIFF file has no units of angstrom; an ImageJ description has.
    const Pixels dark = 1000.0F - place.view(0);
    std::string file = "II*";
    const auto u16 = [&](std::size_t v) {
        file += {static_cast<char>(v & 255), static_cast<char>(v >> 8 & 255)};
    };
    const auto u32 = [&](std::size_t v) {
        u16(v & 65535);
        u16(v >> 16);
    };
    const std::string description = "ImageJ=1.53t\nunit=nm\n";
    const std::size_t data_bytes = 4 * 180 * 180;
    file += '\0';
    u32(8 + data_bytes + 24 + 8);
    file.append(reinterpret_cast<const char*>(dark.data()), data_bytes);
    file += description + std::string(24 - description.size(), '\0');
    u32(93'000'000);  // 93 pixels per nm: 0.1075 angstrom
    u32(1'000'000);
    const auto entry = [&](std::size_t tag, std::size_t type, std::size_t count, std::size_t value) {
        u16(tag);
        u16(type);
        u32(count);
        u32(value);
    };
    u16(12);
    entry(256, 3, 1, 180);
    entry(257, 3, 1, 180);
    entry(258, 3, 1, 32);
    entry(259, 3, 1, 1);
    entry(262, 3, 1, 1);
    entry(270, 2, description.size() + 1, 8 + data_bytes);
    entry(273, 4, 1, 8);
    entry(278, 3, 1, 180);
    entry(279, 4, 1, data_bytes);
    entry(282, 5, 1, 8 + data_bytes + 24);
    entry(283, 5, 1, 8 + data_bytes + 24);
    entry(339, 3, 1, 3);
    u32(0);
    std::ofstream(place.file("frame.tif"), std::ios::binary) << file;
    const Outcome stored = run_program(place.find({place.file("frame.tif")}));
    BOOST_REQUIRE_MESSAGE(stored.status == 0, stored.output);
    BOOST_TEST(stored.output.find("0.10753 angstrom from the file's metadata") != std::string::npos,
               stored.output);
    BOOST_TEST(stored.output.find("inverted contrast") != std::string::npos, stored.output);
    BOOST_TEST(place.summary()["inverted_contrast"] == true);
    const Outcome given = run_program(place.find({place.file("frame.tif"), "--pixel-size", "0.1 angstrom"}));
    BOOST_TEST(given.status == 0);
    BOOST_TEST(given.output.find("contradicts") != std::string::npos, given.output);
}

BOOST_AUTO_TEST_SUITE_END()
