// SPDX-License-Identifier: Apache-2.0
// The program as a user meets it: exit codes, messages, files that are left behind.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(test_command_line)

BOOST_AUTO_TEST_CASE(doctor_says_what_the_machine_can_do) {
    const Outcome outcome = run_program({"doctor"});
    BOOST_TEST(outcome.status == 0, outcome.output);
    for (const char* part : {"BLAS kernel", "GFLOP/s on 1 thread", "threads", "data"})
        BOOST_TEST(outcome.output.find(part) != std::string::npos, outcome.output);
}

BOOST_AUTO_TEST_CASE(the_blas_kernel_fits_to_the_processor_unless_the_user_says_otherwise) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
    const char* variable = std::getenv("OPENBLAS_CORETYPE");
    const std::string before = variable != nullptr ? variable : "";
    const auto doctor_says_slow = [] {
        return run_program({"doctor"}).output.find("slow on this processor") != std::string::npos;
    };
    ::unsetenv("OPENBLAS_CORETYPE");
    BOOST_TEST(!doctor_says_slow());
    ::setenv("OPENBLAS_CORETYPE", "Prescott", 1);  // SSE
    BOOST_TEST(doctor_says_slow());
    if (variable != nullptr)
        ::setenv("OPENBLAS_CORETYPE", before.c_str(), 1);
    else
        ::unsetenv("OPENBLAS_CORETYPE");
}

BOOST_AUTO_TEST_CASE(doctor_tests_the_gpus_or_says_why_it_cannot) {
    const Outcome outcome = run_program({"doctor", "--gpu"});
    if (outcome.status == 0) {
        BOOST_TEST(outcome.output.find("compute capability") != std::string::npos, outcome.output);
        BOOST_TEST(outcome.output.find("FAILED") == std::string::npos, outcome.output);
        return;
    }
    // Without CUDA the build option is named, without a driver or a GPU the call that failed.
    BOOST_TEST(outcome.status == 5, outcome.output);
    BOOST_TEST((outcome.output.find("STEMBRIDGE_CUDA=ON") != std::string::npos ||
                outcome.output.find("cudaGetDeviceCount failed") != std::string::npos),
               outcome.output);
}

BOOST_AUTO_TEST_CASE(help_and_version_succeed_and_name_every_command) {
    const Outcome help = run_program({"--help"});
    BOOST_TEST(help.status == 0);
    for (const char* command : {"run", "find-atoms", "build", "adsorb", "energy", "properties", "relax", "md",
                                "vibrations", "analyze", "simulate-image", "train", "make-parameters",
                                "serve", "report", "config", "vasp", "doctor"})
        BOOST_TEST(help.output.find(command) != std::string::npos, command);
    BOOST_TEST(run_program({"--version"}).output.starts_with("stembridge 0."));
}

BOOST_AUTO_TEST_CASE(unknown_commands_and_options_are_input_errors) {
    BOOST_TEST(run_program({"fly"}).status == 2);
    BOOST_TEST(run_program({"energy"}).status == 2);
    BOOST_TEST(run_program({"analyze", "x.extxyz", "--colour", "red"}).status == 2);
}

BOOST_AUTO_TEST_CASE(mistyped_commands_options_and_tables_are_told_with_the_nearest) {
    const TemporaryFolder folder;
    const auto told = [](const std::vector<std::string>& arguments, const std::string& message) {
        const Outcome outcome = run_program(arguments);
        BOOST_TEST(outcome.status == 2, outcome.output);
        BOOST_TEST(outcome.output.starts_with("stembridge: error: "), outcome.output);
        BOOST_TEST(outcome.output.find(message) != std::string::npos, outcome.output);
    };
    told({"find-atom", "x.png"}, "unknown command 'find-atom'; the nearest is find-atoms");
    told({"vasp", "compair", "x"}, "vasp: unknown command 'compair'; the nearest is compare");
    told({}, "no command is given; accepted are run, find-atoms");
    const std::string place = folder.path().string();
    told({"find-atoms", "x.png", "--pixelsize", "0.104 angstrom", "--out", place},
         "find-atoms: unknown option --pixelsize; the nearest is --pixel-size");
    told({"vasp", "compare", "x", "--jsn=y"}, "vasp compare: unknown option --jsn; the nearest is --json");
    told({"analyze", "x.extxyz", "y.extxyz"}, "analyze: 'y.extxyz' is more than is expected");
    told({"energy"}, "energy: structure is required");
    told({"run", folder.write("run.toml", "[detekt]\nimage = \"x.png\"\n").string()},
         "run.toml:1:2: unknown table [detekt]; the nearest known table is [detect]");
    told({"run", folder.write("run.toml", "[build.crp]\natoms = 3\n").string()},
         "unknown table [build.crp]; the nearest known table is [build.crop]");
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_a_file_error_that_names_it) {
    const Outcome outcome = run_program({"analyze", "/nonexistent/atoms.extxyz"});
    BOOST_TEST(outcome.status == 3);
    BOOST_TEST(outcome.output.find("/nonexistent/atoms.extxyz") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(places_that_cannot_be_written_are_told_before_any_work) {
    const TemporaryFolder folder;
    const std::string molecule =
        folder.write("h2.extxyz", "2\nProperties=species:S:1:pos:R:3\nH 0 0 0\nH 0 0 0.75\n").string();
    const std::string file = folder.write("file", "").string();
    const auto refused = [](const std::vector<std::string>& arguments, int status,
                            const std::string& reason) {
        const Outcome outcome = run_program(arguments);
        BOOST_TEST(outcome.status == status, outcome.output);
        BOOST_TEST(outcome.output.find(reason) != std::string::npos, outcome.output);
        BOOST_TEST(outcome.output.find("SCC-DFTB") == std::string::npos, outcome.output);
    };
    refused({"build", molecule, "--out", file + "/x.extxyz"}, 3, "cannot create folder");
    refused({"properties", molecule, "--out", file}, 3, "cannot create folder");
    refused({"energy", molecule, "--json", file + "/x.json"}, 3, "cannot create folder");
    refused({"analyze", molecule, "--json", file + "/x.json"}, 3, "cannot create folder");
    refused({"analyze", molecule, "--json", folder.path().string()}, 3, "is a folder, not a file");
    fs::create_directory(folder.path() / "taken.extxyz");
    for (const char* command : {"relax", "build"})
        refused({command, molecule, "--out", (folder.path() / "taken.extxyz").string()}, 3,
                "is a folder, not a file");
    refused({"build", molecule, "--out", file + ".cif"}, 2, "accepted: .extxyz");
    refused({"relax", molecule, "--out", file + ".cif"}, 2, "accepted: .extxyz");
    refused({"relax", molecule, "--out", (folder.path() / "POSCAR").string()}, 2, "cell");
    refused({"relax", molecule, "--out", file + ".xyz", "--max-steps", "3000000000"}, 2, "1000000000");
    refused({"energy", molecule, "--spin-polarized", "--unpaired", "-2"}, 2, "at least 0");
}

BOOST_AUTO_TEST_CASE(a_run_without_anything_to_start_from_leaves_no_folder) {
    const TemporaryFolder folder;
    const fs::path place = folder.path() / "run";
    const auto refused = [&](const std::string& text, const std::vector<std::string>& more, int status,
                             const std::string& reason) {
        std::vector<std::string> words = {"run", folder.write("run.toml", text).string(), "--out",
                                          place.string()};
        words.insert(words.end(), more.begin(), more.end());
        const Outcome outcome = run_program(words);
        BOOST_TEST(outcome.status == status, outcome.output);
        BOOST_TEST(outcome.output.find(reason) != std::string::npos, outcome.output);
        BOOST_TEST(!fs::exists(place), text);
    };
    refused("", {}, 2, "detect.image is not given");
    refused("[detect]\nimage = \"nowhere.png\"\n", {}, 3, "nowhere.png does not exist");
    refused("[build]\nstructure = \"nowhere.extxyz\"\n", {}, 3, "nowhere.extxyz does not exist");
    refused("", {"--stages", "relax"}, 3, "do stage 'build' first");
    refused("", {"--stages", "report"}, 3, "does not exist");

    // One whose first stage fails has nothing to report.
    folder.write("text.png", "this is no picture");
    const Outcome failed = run_program(
        {"run", folder.write("run.toml", "[detect]\nimage = \"text.png\"\nmethod = \"classical\"\n").string(),
         "--out", place.string()});
    BOOST_TEST(failed.status == 3, failed.output);
    BOOST_TEST(!fs::exists(place / "report"));
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_refused_and_the_nearest_one_is_named) {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "run.toml";
    std::ofstream(file) << "[run]\nname = \"x\"\n[relax]\nmax_forces = \"1e-3 eV/angstrom\"\n";
    const Outcome outcome = run_program({"run", file.string()});
    BOOST_TEST(outcome.status == 2);
    BOOST_TEST(outcome.output.find("run.toml:4") != std::string::npos, outcome.output);
    BOOST_TEST(outcome.output.find("max_force") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_bare_number_where_a_unit_is_needed_is_refused_with_the_accepted_units) {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "run.toml";
    std::ofstream(file) << "[md]\ntimestep = 1\n";
    const Outcome outcome = run_program({"run", file.string()});
    BOOST_TEST(outcome.status == 2);
    BOOST_TEST(outcome.output.find("fs") != std::string::npos, outcome.output);
    const Outcome option =
        run_program({"md", "x.extxyz", "--out", folder.path().string(), "--temperature", "300"});
    BOOST_TEST(option.status == 2);
    BOOST_TEST(option.output.find("--temperature") != std::string::npos, option.output);
    BOOST_TEST(option.output.find("K") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_key_is_explained) {
    const Outcome outcome = run_program({"config", "--explain"});
    BOOST_TEST(outcome.status == 0);
    for (const char* key :
         {"pixel_size", "[build.crop]", "electronic_temperature", "max_force", "thermostat_period"})
        BOOST_TEST(outcome.output.find(key) != std::string::npos, key);
}

// ./dev docs writes the page again.
BOOST_AUTO_TEST_CASE(the_documentation_page_of_the_keys_is_up_to_date) {
    const std::string page = io::read_text(source_folder() / "docs" / "configuration.md");
    const auto start = page.find("## [run]");
    BOOST_REQUIRE(start != std::string::npos);
    BOOST_TEST((page.substr(start) == run_program({"config", "--explain"}).output), "run ./dev docs");
}

BOOST_AUTO_TEST_CASE(the_shipped_configurations_are_valid) {
    for (const auto& entry : fs::directory_iterator(source_folder() / "examples")) {
        if (entry.path().extension() != ".toml") continue;
        const bool training = entry.path().stem().string().starts_with("train");
        const auto check = [&](const fs::path& file) {
            return training ? run_program({"config", "--training", file.string()})
                            : run_program({"config", file.string()});
        };
        const Outcome outcome = check(entry.path());
        BOOST_TEST(outcome.status == 0, entry.path().string() + ": " + outcome.output);
        // What is printed is a configuration again, and means the same.
        const TemporaryFolder folder;
        io::write_text_atomically(folder.path() / "again.toml", outcome.output);
        BOOST_TEST(check(folder.path() / "again.toml").output == outcome.output);
    }
}

BOOST_AUTO_TEST_CASE(graphene_has_only_hexagons_and_bonds_of_its_lattice) {
    const TemporaryFolder folder;
    const fs::path sheet = folder.path() / "graphene.extxyz";
    // The orthorhombic cell of graphene, 1.42 angstrom bonds.
    std::ofstream(sheet)
        << "4\nLattice=\"2.459512147 0 0 0 4.26 0 0 0 20\" pbc=\"T T F\" Properties=species:S:1:pos:R:3\n"
           "C 0 0 0\nC 1.2297560733 0.71 0\nC 1.2297560733 2.13 0\nC 0 2.84 0\n";
    const fs::path json = folder.path() / "analysis.json";
    BOOST_TEST(run_program({"analyze", sheet.string(), "--json", json.string()}).status == 0);
    const auto result = nlohmann::json::parse(std::ifstream(json));
    BOOST_TEST(result["ring_counts"].size() == 1u);
    BOOST_TEST(result["ring_counts"]["6"] == 2);  // one hexagon per two atoms
    BOOST_TEST(result["defects"].empty());
    BOOST_TEST(result["bonds"]["C-C"]["count"] == 6);
    BOOST_TEST(result["bonds"]["C-C"]["mean_angstrom"].get<double>() == 1.42,
               boost::test_tools::tolerance(1e-8));
    BOOST_TEST(result["coordination"]["C"]["3"] == 4);
}

BOOST_AUTO_TEST_CASE(missing_pairs_of_tables_are_all_named_before_anything_is_computed) {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "mixed.extxyz";
    std::ofstream(file) << "2\nProperties=species:S:1:pos:R:3\nC 0 0 0\nSi 0 0 1.8\n";
    const Outcome outcome = run_program({"energy", file.string(), "--parameters", folder.path().string()});
    BOOST_TEST(outcome.status == 2, outcome.output);
    for (const char* pair : {"C-C", "C-Si", "Si-C", "Si-Si"})
        BOOST_TEST(outcome.output.find(pair) != std::string::npos, pair);
}

BOOST_AUTO_TEST_CASE(help_names_the_words_and_dimensions_that_options_take) {
    const std::string find = run_program({"find-atoms", "--help"}).output;
    for (const char* part : {"--correct {scale,affine,rows}", "--pixel-size LENGTH", "--frame INT"})
        BOOST_TEST(find.find(part) != std::string::npos, find);
    const std::string relax = run_program({"relax", "--help"}).output;
    for (const char* part : {"--max-force FORCE", "--cell {none,xy,full}", "--kpoints INT x 3"})
        BOOST_TEST(relax.find(part) != std::string::npos, relax);
}

BOOST_AUTO_TEST_CASE(help_says_what_a_flag_does_and_not_what_its_key_does) {
    const std::string adsorb = run_program({"adsorb", "--help"}).output;
    BOOST_TEST(adsorb.find("Equivalent sites too") != std::string::npos, adsorb);
    BOOST_TEST(adsorb.find("false = all") == std::string::npos, adsorb);
    BOOST_TEST(adsorb.find("without relaxations") != std::string::npos, adsorb);
    const std::string simulate = run_program({"simulate-image", "--help"}).output;
    BOOST_TEST(simulate.find("[0.1 angstrom]") == std::string::npos, simulate);  // it is needed
}

BOOST_AUTO_TEST_CASE(the_example_frame_is_the_one_that_is_shipped) {
    const TemporaryFolder folder;
    const fs::path made = folder.path() / "example.png",
                   shipped = source_folder() / "data/frames/example.png";
    const Outcome outcome = run_program({"simulate-image", "--example", "--out", made.string()});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const Pixels pixels = io::read_image(made).pixels, expected = io::read_image(shipped).pixels;
    BOOST_REQUIRE(pixels.size() == expected.size());
    // Another compiler may round a count the other way.
    BOOST_TEST((pixels == expected).cast<double>().mean() > 0.95);
    const Outcome refused =
        run_program({"simulate-image", "--example", "--width", "64", "--out", made.string()});
    BOOST_TEST(refused.status == 2);
    BOOST_TEST(refused.output.find("it takes no --width") != std::string::npos, refused.output);
}

BOOST_AUTO_TEST_CASE(unpaired_electrons_that_do_not_fit_the_number_of_electrons_are_told) {
    const TemporaryFolder folder;
    const std::string molecule =
        folder.write("h2.extxyz", "2\nProperties=species:S:1:pos:R:3\nH 0 0 0\nH 0 0 0.75\n").string();
    const auto warned = [&](const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"energy", molecule, "--spin-polarized"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = run_program(arguments);
        BOOST_TEST(outcome.status == 0, outcome.output);
        return outcome.output.find("warning: calculator.spin.unpaired = 1 does not fit H2") !=
               std::string::npos;
    };
    BOOST_TEST(warned({"--unpaired", "1"}));
    BOOST_TEST(!warned({"--unpaired", "0"}));
    BOOST_TEST(!warned({"--unpaired", "1", "--charge", "1"}));
}

BOOST_AUTO_TEST_CASE(atoms_on_top_of_each_other_are_refused_by_number) {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "overlap.extxyz";
    std::ofstream(file) << "3\nProperties=species:S:1:pos:R:3\nC 0 0 0\nC 0 0 1.4\nC 0 0 1.5\n";
    const Outcome outcome = run_program({"energy", file.string(), "--parameters", folder.path().string()});
    BOOST_TEST(outcome.status == 2);
    BOOST_TEST(outcome.output.find("atoms 2 (C) and 3 (C)") != std::string::npos, outcome.output);
}

BOOST_AUTO_TEST_CASE(simulated_frames_are_full_however_the_scan_is_turned_and_where_a_cell_repeats) {
    const TemporaryFolder folder;
    const auto atoms_of = [&](std::vector<std::string> what) {
        const fs::path out = folder.path() / "frame.npy";
        for (const char* more :
             {"--pixel-size", "0.1 angstrom", "--width", "256", "--height", "256", "--out"})
            what.emplace_back(more);
        what.push_back(out.string());
        what.insert(what.begin(), "simulate-image");
        const Outcome outcome = run_program(what);
        BOOST_TEST(outcome.status == 0, outcome.output);
        const std::string truth = io::read_text(folder.path() / "frame_truth.csv");
        return static_cast<double>(std::count(truth.begin(), truth.end(), '\n') - 1);
    };
    // Two atoms in a cell of 5.24 square angstrom; a row more or less at a border is one in twenty.
    const double whole = 0.3816 * 25.6 * 25.6;
    for (const char* angle : {"0", "40", "90"}) {
        const std::string config =
            folder.write("turned.toml", std::string("[image]\nrotation_deg = ") + angle + "\n").string();
        BOOST_TEST(atoms_of({"--random-sheet", "--config", config}) == whole,
                   boost::test_tools::tolerance(0.05));
    }
    const std::string cell = "4\nLattice=\"2.46 0 0 0 4.26 0 0 0 15\" Properties=species:S:1:pos:R:3 pbc=\"";
    const std::string atoms = "\"\nC 0 0 0\nC 1.23 0.71 0\nC 1.23 2.13 0\nC 0 2.84 0\n";
    BOOST_TEST(atoms_of({folder.write("sheet.extxyz", cell + "T T F" + atoms).string()}) == whole,
               boost::test_tools::tolerance(0.05));
    BOOST_TEST(atoms_of({folder.write("ribbon.extxyz", cell + "T F F" + atoms).string()}) == 4 * 25.6 / 2.46,
               boost::test_tools::tolerance(0.05));
    BOOST_TEST(atoms_of({folder.write("cluster.extxyz", cell + "F F F" + atoms).string()}) == 4);
}

BOOST_AUTO_TEST_CASE(results_of_an_earlier_frame_do_not_stay_beside_a_failure) {
    const TemporaryFolder folder;
    const fs::path frame = folder.path() / "frame.npy", out = folder.path() / "out";
    const std::vector<std::string> find{"find-atoms", frame.string(), "--pixel-size", "0.1 angstrom",
                                        "--method",   "classical",    "--out",        out.string()};
    BOOST_TEST(run_program({"simulate-image", "--random-sheet", "--pixel-size", "0.1 angstrom", "--width",
                            "200", "--out", frame.string()})
                   .status == 0);
    BOOST_TEST(run_program(find).status == 0);
    BOOST_TEST(fs::exists(out / "atoms.csv"));
    io::write_npy(frame, Pixels::Zero(200, 200));
    BOOST_TEST(run_program(find).status == 2);
    BOOST_TEST(!fs::exists(out / "atoms.csv"));
    const auto summary = nlohmann::json::parse(io::read_text(out / "summary.json"));
    BOOST_TEST(summary["status"] == "failed");
    // A file that is no frame.
    io::write_text_atomically(frame, "not an image");
    BOOST_TEST(run_program(find).status == 3);
    BOOST_TEST(!fs::exists(out / "summary.json"));
}

BOOST_AUTO_TEST_CASE(what_would_be_ignored_or_misread_of_a_frame_is_refused) {
    const TemporaryFolder folder;
    const fs::path frame = folder.path() / "frame.npy";
    const auto refused = [&](const std::vector<std::string>& more, const char* why) {
        std::vector<std::string> arguments{"find-atoms", frame.string(), "--out", folder.path().string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = run_program(arguments);
        BOOST_TEST(outcome.status == 2, outcome.output);
        BOOST_TEST(outcome.output.find(why) != std::string::npos, outcome.output);
    };
    io::write_npy(frame, std::vector<Pixels>(60, Pixels::Random(60, 3)));
    refused({}, "colour");
    refused({"--frame", "1", "--frames", "all"}, "--frames");
}

BOOST_AUTO_TEST_SUITE_END()
