// SPDX-License-Identifier: Apache-2.0
// The atom finder on fifty simulated frames, beside the classical detector and blob centres of one network:
//   bench_atom_finder [--out FILE.json] [--ensemble FOLDER] [--group TEXT] [--every N] [--set N]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "atom_finder/blob_detector.hpp"
#include "atom_finder/measures.hpp"
#include "atom_finder/reference_frames.hpp"
#include "atom_finder/test_frames.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/ml/find_atoms.hpp"

namespace {

using namespace stembridge;
using namespace stembridge::atom_finder;

/// Seconds of processor time of an action, over all threads.
double cpu_seconds(const std::function<void()>& action) {
    const std::clock_t begin = std::clock();
    action();
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// Gives what it saw last at once when it is asked for the same again: variants of the fit share one
/// inference.
class Remembering final : public ml::SegmentationNetwork {
  public:
    explicit Remembering(ml::SegmentationNetwork& network) : network_(network) {}
    ml::Segmentation segment(const Pixels& normalised) override {
        if (seen_.rows() != normalised.rows() || seen_.cols() != normalised.cols() ||
            (seen_ != normalised).any()) {
            answer_ = network_.segment(normalised);
            seen_ = normalised;
        }
        return answer_;
    }
    double pixel_size_angstrom() const override { return network_.pixel_size_angstrom(); }
    ml::NetworkShape shape() const override { return network_.shape(); }
    int members() const override { return network_.members(); }

  private:
    ml::SegmentationNetwork& network_;
    Pixels seen_;
    ml::Segmentation answer_;
};

bool lattice_shows(const Image& image) {
    try {
        ml::calibrate_lattice(image);
        return true;
    } catch (const NumericalError&) {
        return false;
    }
}

struct Row {
    std::string group, method;
    Measures measures;
};

nlohmann::json json_of(const Row& row) {
    const Measures& m = row.measures;
    nlohmann::json bins = nlohmann::json::array();
    for (const auto& bin : m.bins) bins.push_back({bin.count, bin.probability, bin.right});
    return {{"group", row.group},
            {"method", row.method},
            {"frames", m.frames},
            {"precision", m.precision()},
            {"recall", m.recall()},
            {"f1", m.f1()},
            {"rms_angstrom", m.rms_angstrom()},
            {"rms_over_isolated_bound", m.rms_over_bound()},
            {"rms_over_sheet_bound", m.rms_over_sheet_bound()},
            {"pull_sd", m.pull()},
            {"silicon", m.silicon},
            {"silicon_recall", m.silicon_recall()},
            {"carbon_called_silicon", m.carbon_called_silicon},
            {"silicon_without_atom", m.false_silicon},
            {"chromium", m.chromium},
            {"chromium_called_unknown", m.chromium_unknown},
            {"others_called_unknown", m.unknown_otherwise},
            {"class_calibration_error", m.calibration_error()},
            {"bins_count_probability_right", bins},
            {"cpu_seconds_per_frame", m.frames > 0 ? m.seconds / m.frames : 0}};
}

void print(const std::vector<Row>& rows) {
    std::cout << fmt::format(
        "{:31} {:14} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>5} {:>8} {:>6} {:>6} {:>6} {:>6}\n", "frames",
        "method", "F1", "prec.", "recall", "rms/pm", "/bound", "/sheet", "pull", "Si", "C->Si", "Cr->X",
        "calib.", "s");
    std::string before;
    for (const Row& row : rows) {
        const Measures& m = row.measures;
        if (row.group != before) std::cout << '\n';
        std::cout << fmt::format(
            "{:31} {:14} {:6.3f} {:6.3f} {:6.3f} {:6.1f} {:6.2f} {:6.2f} {:>5} {:>8} {:>6} {:>6} {:6.3f} "
            "{:6.2f}\n",
            row.group == before ? "" : fmt::format("{} ({})", row.group, m.frames), row.method, m.f1(),
            m.precision(), m.recall(), 100 * m.rms_angstrom(), m.rms_over_bound(), m.rms_over_sheet_bound(),
            m.predicted > 0 ? fmt::format("{:.2f}", m.pull()) : "-",
            fmt::format("{}/{}", m.silicon_right, m.silicon),
            fmt::format("{}+{}", m.carbon_called_silicon, m.false_silicon),
            m.chromium > 0 ? fmt::format("{}/{}", m.chromium_unknown, m.chromium) : "-",
            m.calibration_error(), m.seconds / std::max(1, m.frames));
        before = row.group;
    }
    std::cout
        << "\nF1, precision, recall: hits within 0.5 angstrom; rms: error of C per axis; /bound: over the\n"
           "Cramer-Rao bound of an isolated C; /sheet: over that of a C among neighbours that are fitted\n"
           "as well; pull: rms of error over predicted error; Si: found and called Si; C->Si: C called Si\n"
           "+ Si where no atom is; Cr->X: Cr called unknown; calib.: class calibration error; s: CPU\n"
           "seconds a frame.\n";
}

/// Published micrographs, where they are at hand. Frames whose lattice does not show are left out of a first
/// line and taken at their likely pixel size in a second one.
void print_micrographs(const std::filesystem::path& reference, ml::SegmentationNetwork* network) {
    if (!std::filesystem::exists(reference / "stem")) return;
    std::cout << fmt::format("\n{:36} {:14} {:>6} {:>7} {:>9} {:>6}\n", "micrographs", "method", "known",
                             "recall", "Si", "C->Si");
    const auto print_row = [](const std::string& name, bool classical, const Recall& sum) {
        std::cout << fmt::format(
            "{:36} {:14} {:6} {:7.3f} {:>9} {:6}\n", name, classical ? "classical" : "stembridge", sum.known,
            sum.recall(), fmt::format("{}/{}", sum.silicon_right, sum.silicon), sum.carbon_called_silicon);
    };
    const auto row = [&](const std::string& name, const std::vector<KnownFrame>& frames) {
        for (ml::SegmentationNetwork* n : {static_cast<ml::SegmentationNetwork*>(nullptr), network}) {
            Recall with_lattice, all;
            int calibrated = 0;
            for (const KnownFrame& frame : frames) try {
                    ml::FindAtomsOptions options;
                    if (!frame.image.pixel_size_angstrom && !lattice_shows(frame.image))
                        options.pixel_size_angstrom = frame.likely_pixel_angstrom;
                    const auto found = ml::find_atoms(frame.image, n, options);
                    const Recall recall = recall_of(found.atoms, frame, found.calibration.scale_angstrom);
                    all += recall;
                    if (!found.calibrated) continue;
                    with_lattice += recall;
                    ++calibrated;
                } catch (const Error& error) {
                    all += recall_of({}, frame, 0.1);
                    std::cout << error.what() << '\n';
                }
            print_row(fmt::format("{} ({})", name, frames.size()), n == nullptr, all);
            if (calibrated < static_cast<int>(frames.size()))
                print_row(fmt::format("  those with visible lattice ({})", calibrated), n == nullptr,
                          with_lattice);
            if (network == nullptr) break;
        }
    };
    row("grain boundary", {grain_boundary_frame(reference)});
    row("Si defects", silicon_frames(reference));
    row("paper's frame", {paper_frame(reference)});
}

/// What the command line asks for.
struct Options {
    std::string out, ensemble = STEMBRIDGE_NETWORK, group;
    std::size_t every = 1;
    std::uint64_t set = 0;
    bool no_micrographs = false;
};

void run(const Options& options) {
    std::unique_ptr<ml::SegmentationNetwork> network, single;
    if (ml::networks_available()) {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(options.ensemble))
            if (entry.path().extension() == ".h5") files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        std::vector<State> members;
        for (const auto& file : files) members.push_back(io::read_state(file));
        network = ml::open_network(members, {});
        single = ml::open_network(members.front(), {});
    } else
        std::cout << "built without networks: the classical detector alone\n";

    const char* reference = std::getenv("STEMBRIDGE_REFERENCE_DATA");
    if (!options.no_micrographs)
        print_micrographs(reference != nullptr ? reference : STEMBRIDGE_REFERENCE, network.get());
    std::vector<std::string> groups, methods;
    std::map<std::pair<std::string, std::string>, Measures> sums;
    std::size_t number = 0;
    for (const FrameRecipe& recipe : frame_recipes(options.set)) {
        if (recipe.group.find(options.group) == std::string::npos || number++ % options.every != 0) continue;
        const ml::SimulatedFrame frame = make_frame(recipe);
        const double bound = isolated_bound(recipe), sheet = sheet_bound(recipe);
        const auto add = [&](const std::string& method, const std::function<Detections()>& find) {
            Detections found;
            const double seconds = cpu_seconds([&] {
                try {
                    found = find();
                } catch (const Error& error) {
                    std::cout << fmt::format("{} (seed {}): {}\n", recipe.group, recipe.seed, error.what());
                }
            });
            Measures m = measure(found, frame, bound, sheet);
            m.seconds = seconds;
            for (const std::string& group : {recipe.group, std::string("all")}) {
                if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
                sums[{group, method}] += m;
            }
            if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
        };
        add("classical", [&] { return ml::find_atoms(frame.image, nullptr).atoms; });
        if (network == nullptr) continue;
        add("blob centres", [&] { return blob_centres(frame.image, recipe.pixel_angstrom, *single); });
        Remembering remembering(*network);
        const auto with = [&](ml::Positions positions) {
            ml::FindAtomsOptions find;
            find.positions = positions;
            return ml::find_atoms(frame.image, &remembering, find).atoms;
        };
        add("stembridge", [&] { return with(ml::Positions::network); });
        add("fit alone", [&] { return with(ml::Positions::fit); });
        add("lattice prior", [&] { return with(ml::Positions::lattice); });
    }
    std::vector<Row> rows;
    std::erase(groups, "all");
    groups.emplace_back("all");
    for (const std::string& group : groups)
        for (const std::string& method : methods) rows.push_back({group, method, sums[{group, method}]});
    print(rows);
    nlohmann::json report = nlohmann::json::array();
    for (const Row& row : rows) report.push_back(json_of(row));
    if (!options.out.empty()) io::write_text_atomically(options.out, report.dump(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App program{"The atom finder on fifty simulated frames and on published micrographs"};
    Options options;
    program.add_option("--out", options.out, "JSON file for the table of the simulated frames");
    program.add_option("--ensemble", options.ensemble, "Folder with weights (*.h5)")
        ->check(CLI::ExistingDirectory);
    program.add_option("--group", options.group, "Only groups of simulated frames whose name contains this");
    program.add_option("--every", options.every, "Only each n-th simulated frame")->check(CLI::Range(1, 50));
    program.add_option("--set", options.set, "Other simulated frames of the same kinds; 0 = those reported");
    program.add_flag("--no-micrographs", options.no_micrographs,
                     "Without the published micrographs, which are done where they are at hand");
    CLI11_PARSE(program, argc, argv);
    try {
        run(options);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
