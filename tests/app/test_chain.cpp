// SPDX-License-Identifier: Apache-2.0
// The chain from frame to report, on small frames made here; and frames that cannot be used.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/builders.hpp"
#include "tb/synthetic.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

/// A folder with a simulated frame of a flake of graphene and an invented parameter set.
struct Workplace {
    Workplace() {
        fs::create_directory(folder.path() / "set");
        write_synthetic_set(folder.path() / "set");
        io::write_structure(folder.path() / "sheet.extxyz", graphene_flake(22 * units::angstrom));
        const Outcome made =
            run_program({"simulate-image", file("sheet.extxyz"), "--pixel-size", "0.1 angstrom",
                         "--electrons-per-pixel", "20000", "--out", file("frame.npy")});
        BOOST_REQUIRE_MESSAGE(made.status == 0, made.output);
    }
    std::string file(const std::string& name) const { return (folder.path() / name).string(); }
    std::string config(const std::string& extra = "") const {
        io::write_text_atomically(
            folder.path() / "run.toml",
            "[run]\nfolder = \"run\"\nthreads = 1\n"
            "[detect]\nimage = \"frame.npy\"\npixel_size = \"0.1 angstrom\"\nmethod = \"classical\"\n"
            "[build]\ncrop = { by = \"nearest\", center_px = [220, 220], atoms = 24 }\n"
            "[calculator]\nparameters = \"set\"\nelectronic_temperature = \"3000 K\"\n"
            "[relax]\nmax_force = \"0.05 eV/angstrom\"\n"
            "[md]\nsteps = 5\ntimestep = \"0.2 fs\"\ntrajectory_every = 1\n" +
                extra);
        return file("run.toml");
    }
    TemporaryFolder folder;
};

Pixels constant(float value) {
    return Pixels::Constant(128, 128, value);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_chain)

BOOST_AUTO_TEST_CASE(a_frame_goes_in_and_a_report_comes_out) {
    const Workplace place;
    std::ofstream(place.folder.path() / "set" / "C-C.skf", std::ios::app)
        << "<Documentation>\n<Publications>\n<Fit>A. Author,\n  &quot;Tables&quot;</Fit>\n"
           "</Publications>\n</Documentation>\n";
    const Outcome outcome = run_program({"run", place.config()});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const fs::path run = place.folder.path() / "run";
    for (const char* name :
         {"config.toml", "config.resolved.toml", "manifest.json", "log.txt", "events.jsonl",
          "1-detect/atoms.csv", "1-detect/overlay.png", "2-build/structure.extxyz", "3-relax/relaxed.extxyz",
          "4-md/300K/trajectory.extxyz", "4-md/300K/thermo.csv", "report/index.html", "report/report.json"})
        BOOST_TEST(fs::exists(run / name), name);
    const auto summary = nlohmann::json::parse(std::ifstream(run / "1-detect" / "summary.json"));
    BOOST_TEST(std::abs(summary["calibration"]["scale_angstrom_per_px"].get<double>() - 0.1) < 0.001);
    const Structure built = io::read_structure(run / "2-build" / "structure.extxyz");
    BOOST_TEST(built.count(6) == 24);
    BOOST_TEST(built.count(1) > 6);
    // Where the tables come from: what their documentation says, and a hash of all of them.
    BOOST_TEST(io::read_text(run / "report/index.html").find("A. Author, &quot;Tables&quot;") !=
               std::string::npos);
    const auto manifest = nlohmann::json::parse(std::ifstream(run / "manifest.json"));
    BOOST_TEST(manifest["sha256"]["the tables of set"].get<std::string>().size() == 64u);

    // Started again, nothing is done again; with another last stage, only that one.
    const Outcome again = run_program({"run", place.file("run.toml")});
    BOOST_TEST(again.status == 0);
    BOOST_TEST(again.output.find("---") == std::string::npos, again.output);
    const Outcome resolved = run_program({"run", (run / "config.resolved.toml").string()});
    BOOST_TEST(resolved.status == 0, resolved.output);
    BOOST_TEST(resolved.output.find("---") == std::string::npos, resolved.output);
    const Outcome longer = run_program({"run", place.file("run.toml"), "--steps", "8"});
    BOOST_TEST(longer.status == 0);
    BOOST_TEST(longer.output.find("--- dynamics") != std::string::npos, longer.output);
    BOOST_TEST(longer.output.find("--- relaxing") == std::string::npos, longer.output);
}

BOOST_AUTO_TEST_CASE(the_report_tells_of_a_force_field_of_curling_and_of_contamination_in_the_region) {
    const Workplace place;
    const Outcome outcome = run_program({"run", place.config(), "--stages", "detect,build,relax,report"});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const fs::path run = place.folder.path() / "run";
    const auto page = [&] {
        const Outcome report = run_program({"report", run.string()});
        BOOST_TEST(report.status == 0, report.output);
        return io::read_text(run / "report/index.html");
    };
    const auto has = [](const std::string& text, const char* part) {
        return text.find(part) != std::string::npos;
    };
    const auto stage = nlohmann::json::parse(io::read_text(run / "3-relax/stage.json"));
    Structure relaxed = io::read_structure(run / "2-build/structure.extxyz");  // flat
    io::write_structure(run / "3-relax/relaxed.extxyz", relaxed);
    const std::string plain = page();
    BOOST_TEST(has(plain, "straightened by a force field first") ==
               stage["results"]["pre_relaxed"].is_object());
    BOOST_TEST(!has(plain, "is curled"));
    BOOST_TEST(has(plain, "found coordinates"));
    BOOST_TEST(!has(plain, "of the region that was cut out is contamination"));

    // Contamination beside the region is no more than a share; inside it makes holes.
    const fs::path mask = run / "1-detect/region.npy";
    Pixels clean = io::read_image(mask).pixels;
    clean.topLeftCorner(40, 40).setZero();
    io::write_npy(mask, clean);
    BOOST_TEST(!has(page(), "of the region that was cut out is contamination"));
    clean.block(210, 210, 20, 20).setZero();
    io::write_npy(mask, clean);
    BOOST_TEST(has(page(), "of the region that was cut out is contamination"));

    relaxed.positions(2, 0) += 4 * units::angstrom;
    io::write_structure(run / "3-relax/relaxed.extxyz", relaxed);
    const std::string warned = page();
    BOOST_TEST(has(warned, "The relaxed flake is curled"));
    BOOST_TEST(has(warned, "perimeter"));
    BOOST_TEST(!has(warned, "found coordinates"));
}

BOOST_AUTO_TEST_CASE(atoms_found_without_networks_are_found_again_once_there_are_some) {
    const Workplace place;
    const std::string config =
        place.folder
            .write("auto.toml",
                   "[run]\nfolder = \"auto\"\nthreads = 1\nstages = [\"detect\", \"report\"]\n"
                   "[detect]\nimage = \"frame.npy\"\npixel_size = \"0.1 angstrom\"\n")
            .string();
    // Where STEMBRIDGE_LIBRARY_PATH says, and nowhere else, the program looks for the library of the
    // networks.
    const auto run = [&](bool with_networks) {
        if (with_networks)
            ::unsetenv("STEMBRIDGE_LIBRARY_PATH");
        else
            ::setenv("STEMBRIDGE_LIBRARY_PATH", place.file("nowhere").c_str(), 1);
        const Outcome outcome = run_program({"run", config});
        ::unsetenv("STEMBRIDGE_LIBRARY_PATH");
        BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
        const auto summary =
            nlohmann::json::parse(std::ifstream(place.folder.path() / "auto/1-detect/summary.json"));
        const bool done_again = outcome.output.find("unchanged, not done again") == std::string::npos;
        const std::string method = summary["method"];
        // Without the network the log, the numbers and the report say so, and name the place looked at.
        const bool warned = outcome.output.find("the network was not found") != std::string::npos;
        BOOST_TEST(warned == (method == "classical"), outcome.output);
        BOOST_TEST(summary["warnings"].size() == (method == "classical" ? 1u : 0u));
        const std::string page = io::read_text(place.folder.path() / "auto/report/index.html");
        BOOST_TEST((page.find("the network was not found") != std::string::npos) == (method == "classical"));
        BOOST_TEST((page.find("nowhere/libstembridge_torch.so: absent") != std::string::npos) ==
                   (method == "classical"));
        return std::pair(method, done_again);
    };
    using Result = std::pair<std::string, bool>;
    BOOST_TEST((run(false) == Result("classical", true)));
    BOOST_TEST((run(false) == Result("classical", false)));
    if (run_program({"doctor"}).output.find("STEMBRIDGE_LIBTORCH") != std::string::npos) {
        skip("built without LibTorch");
        return;
    }
    BOOST_TEST((run(true) == Result("network", true)));
    BOOST_TEST((run(true) == Result("network", false)));
    BOOST_TEST((run(false) == Result("network", false)));
}

BOOST_AUTO_TEST_CASE(a_stage_that_fails_leaves_a_report_of_what_there_is) {
    const Workplace place;
    const Outcome outcome =
        run_program({"run", place.config("[analyze]\nlargest_ring = 9\n"), "--parameters", "/nonexistent"});
    BOOST_TEST(outcome.status != 0);
    BOOST_TEST(fs::exists(place.folder.path() / "run" / "2-build" / "structure.extxyz"), outcome.output);
    BOOST_TEST(fs::exists(place.folder.path() / "run" / "report" / "index.html"), outcome.output);

    // A report that cannot be written hides neither the error nor its status.
    fs::remove_all(place.folder.path() / "run" / "report");
    io::write_text_atomically(place.folder.path() / "run" / "report", "a file");
    const Outcome again = run_program({"run", place.file("run.toml"), "--parameters", "/nonexistent"});
    BOOST_TEST(again.status == outcome.status, again.output);
    BOOST_TEST(again.output.find("the report could not be written") != std::string::npos, again.output);
    const auto error_of = [](const std::string& text) { return text.substr(text.find("stembridge: error")); };
    BOOST_TEST(error_of(again.output) == error_of(outcome.output));
}

BOOST_AUTO_TEST_CASE(a_truth_that_is_missing_is_told_before_any_work) {
    const Workplace place;
    const Outcome outcome = run_program({"run", place.config("[report]\ntruth = \"gone.csv\"\n")});
    BOOST_TEST(outcome.status == 3, outcome.output);
    BOOST_TEST(outcome.output.find("gone.csv") != std::string::npos, outcome.output);
    BOOST_TEST(!fs::exists(place.folder.path() / "run" / "1-detect"));
}

BOOST_AUTO_TEST_CASE(a_report_can_be_written_again_without_the_frame_but_not_from_damaged_tables) {
    const Workplace place;
    BOOST_REQUIRE(run_program({"run", place.config(), "--stages", "detect,build,md"}).status == 0);
    fs::remove(place.folder.path() / "frame.npy");
    const Outcome report = run_program({"report", place.file("run")});
    BOOST_TEST(report.status == 0, report.output);
    BOOST_TEST(io::read_text(place.file("run/report/index.html")).find("is not there any more") !=
               std::string::npos);
    io::write_text_atomically(place.folder.path() / "run/4-md/300K/thermo.csv", "step,time_fs\n0,0\n");
    const Outcome damaged = run_program({"report", place.file("run")});
    BOOST_TEST(damaged.status == 3, damaged.output);
    BOOST_TEST(damaged.output.find("the column potential_ev is missing") != std::string::npos,
               damaged.output);
}

BOOST_AUTO_TEST_CASE(a_crop_outside_the_frame_is_refused) {
    const Workplace place;
    const Outcome outcome = run_program({"run", place.config(), "--stages", "detect,build"});
    BOOST_REQUIRE(outcome.status == 0);
    const Outcome empty =
        run_program({"build", place.file("run/1-detect/atoms.csv"), "--crop", "radius", "--center-px",
                     "9000 9000", "--radius", "5 angstrom", "--out", place.file("crop.extxyz")});
    BOOST_TEST(empty.status == 2, empty.output);
    BOOST_TEST(!fs::exists(place.file("crop.extxyz")));
}

BOOST_AUTO_TEST_CASE(frames_that_cannot_be_used_are_refused_with_the_reason) {
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& name, int status, const std::string& reason) {
        const Outcome outcome =
            run_program({"find-atoms", (folder.path() / name).string(), "--pixel-size", "0.1 angstrom",
                         "--method", "classical", "--out", (folder.path() / "out").string()});
        BOOST_TEST(outcome.status == status, name + ": " + outcome.output);
        BOOST_TEST(outcome.output.find(reason) != std::string::npos, name + ": " + outcome.output);
    };
    io::write_npy(folder.path() / "black.npy", constant(0));
    refused("black.npy", 2, "all pixels have the value 0");
    Pixels holes = constant(1);
    holes(3, 4) = std::numeric_limits<float>::quiet_NaN();
    io::write_npy(folder.path() / "nan.npy", holes);
    refused("nan.npy", 2, "not finite");
    const std::string whole = io::read_text(folder.path() / "black.npy");
    io::write_text_atomically(folder.path() / "cut.npy", whole.substr(0, whole.size() / 2));
    refused("cut.npy", 3, "cut.npy");
    refused("missing.npy", 3, "missing.npy");
    io::write_text_atomically(folder.path() / "text.png", "this is no picture");
    refused("text.png", 3, "text.png");
    // No lattice: noise without any period.
    std::uint32_t word = 1;
    Pixels noise(256, 256);
    for (Eigen::Index i = 0; i < noise.size(); ++i) {
        word = word * 1664525u + 1013904223u;
        noise.data()[i] = static_cast<float>(word >> 8);
    }
    io::write_npy(folder.path() / "noise.npy", noise);
    const auto noise_with = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"find-atoms", (folder.path() / "noise.npy").string(),
                                       "--method",   "classical",
                                       "--out",      (folder.path() / "out").string()};
        words.insert(words.end(), more.begin(), more.end());
        return run_program(words);
    };
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{}, {"--pixel-size", "0.1 angstrom", "--require-lattice"}}) {
        const Outcome outcome = noise_with(more);
        BOOST_TEST(outcome.status == 4, outcome.output);
        BOOST_TEST(outcome.output.find("no graphene lattice") != std::string::npos, outcome.output);
    }
    // With a pixel size it goes on, and says what to think of it.
    const Outcome doubted = noise_with({"--pixel-size", "0.1 angstrom"});
    BOOST_TEST(doubted.status == 0, doubted.output);
    BOOST_TEST(doubted.output.find("no graphene lattice") != std::string::npos, doubted.output);
    BOOST_TEST(doubted.output.find("low confidence") != std::string::npos, doubted.output);
    BOOST_TEST(io::read_text(folder.path() / "out" / "summary.json").find("\"uncalibrated\"") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(atoms_that_were_edited_by_hand_are_never_overwritten) {
    const Workplace place;
    const auto find = [&](const std::string& distance) {
        const fs::path config =
            place.folder.write("find.toml", "[detect]\nmin_distance = \"" + distance + "\"\n");
        return run_program({"find-atoms", place.file("frame.npy"), "--pixel-size", "0.1 angstrom", "--method",
                            "classical", "--config", config.string(), "--out", place.file("found")});
    };
    BOOST_REQUIRE(find("0.8 angstrom").status == 0);
    const std::string edited = io::read_text(place.file("found/atoms.csv")) + "1,1,0.1,0.1,Cr,1,0,0.05\n";
    io::write_text_atomically(place.file("found/atoms.csv"), edited);
    BOOST_TEST(find("0.8 angstrom").output.find("not done again") != std::string::npos);
    BOOST_TEST((io::read_text(place.file("found/atoms.csv")) == edited));
    const Outcome other = find("0.9 angstrom");
    BOOST_TEST(other.output.find("found.old-1") != std::string::npos, other.output);
    BOOST_TEST((io::read_text(place.file("found/atoms.csv")) != edited));
    BOOST_TEST((io::read_text(place.file("found.old-1/atoms.csv")) == edited));
}

BOOST_AUTO_TEST_CASE(bonds_that_are_not_those_of_graphene_are_warned_of_and_kept_in_the_summary) {
    const Workplace place;
    const auto find = [&](const std::string& pixel_size) {
        return run_program({"find-atoms", place.file("frame.npy"), "--pixel-size", pixel_size,
                            "--no-calibration", "--method", "classical", "--out", place.file("found")});
    };
    BOOST_TEST(find("0.1 angstrom").output.find("mean C-C distance") == std::string::npos);
    const Outcome small = find("0.0963 angstrom");
    BOOST_TEST(small.status == 0, small.output);
    BOOST_TEST(small.output.find("mean C-C distance of the atoms found is 1.3") != std::string::npos,
               small.output);
    const auto summary = nlohmann::json::parse(io::read_text(place.file("found/summary.json")));
    BOOST_TEST(summary["warnings"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_pixel_size_off_by_two_is_refused_with_the_measured_one) {
    const Workplace place;
    const Outcome outcome =
        run_program({"find-atoms", place.file("frame.npy"), "--pixel-size", "0.2 angstrom", "--method",
                     "classical", "--out", place.file("out")});
    BOOST_TEST(outcome.status == 2, outcome.output);
    BOOST_TEST(outcome.output.find("0.1") != std::string::npos, outcome.output);
}

BOOST_AUTO_TEST_SUITE_END()
