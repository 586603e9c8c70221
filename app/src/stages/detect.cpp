// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "configuration.hpp"
#include "environment.hpp"
#include "overlay.hpp"
#include "stages/atom_finder.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/ml/find_atoms.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// Why the method "auto" does without the network; empty where it does not.
std::string why_classical(const io::Config& config) {
    if (config.text("detect.method") != "auto") return "";
    const std::string why = ml::why_no_networks();
    return why.empty() ? ""
                       : fmt::format(
                             "the network was not found: atoms are those of the classical detector, "
                             "which misses more of them and places them less well; {}",
                             why);
}

std::unique_ptr<ml::SegmentationNetwork> network_of(const io::Config& config, Session& session) {
    std::vector<State> members;
    for (const fs::path& file : network_files(config)) members.push_back(io::read_state(file));
    ml::InferenceOptions options{.threads = threads_in_use(),
                                 .device = device_of(config.text("detect.device"))};
    options.memory_bytes = config.integer("detect.memory_limit") << 20;
    options.bfloat16 = config.boolean("detect.bfloat16");
    return ml::open_network(members, session.context(), options);
}

/// Pixel sizes that differ by more than this contradict each other.
constexpr double contradiction = 0.02;

/// What is known of the pixel size, and what is said about it.
void say_pixel_size(const ml::FindAtomsOptions& options, const Image& image, Session& session) {
    const auto& given = options.pixel_size_angstrom;
    const auto& stored = image.pixel_size_angstrom;
    if (!stored) return;
    if (!given)
        session.info(fmt::format("pixel size {:.5g} angstrom from the file's metadata", *stored));
    else if (std::abs(*given / *stored - 1) > contradiction)
        session.warning(
            fmt::format("the pixel size given, {:.5g} angstrom, contradicts the {:.5g} angstrom in the "
                        "metadata of {}; the one given is used",
                        *given, *stored, image.source));
}

ml::FindAtomsOptions find_options(const io::Config& config, const Image& image) {
    ml::FindAtomsOptions options;
    if (config.has("detect.pixel_size") && config.has("detect.field_of_view"))
        throw InputError(fmt::format("{} and {}: give one of them", config.where("detect.pixel_size"),
                                     config.where("detect.field_of_view")));
    if (config.has("detect.pixel_size"))
        options.pixel_size_angstrom = config.quantity("detect.pixel_size") / units::angstrom;
    if (config.has("detect.field_of_view"))
        options.pixel_size_angstrom =
            config.quantity("detect.field_of_view") / units::angstrom / image.width();
    options.calibrate = config.boolean("detect.calibrate");
    options.require_lattice = config.boolean("detect.require_lattice");
    options.minimum_probability = config.number("detect.min_probability");
    options.minimum_distance_angstrom = config.quantity("detect.min_distance") / units::angstrom;
    options.classical.minimum_distance_angstrom = options.minimum_distance_angstrom;
    const std::string& positions = config.text("detect.positions");
    options.positions = !config.boolean("detect.refine") ? ml::Positions::blobs
                        : positions == "fit"             ? ml::Positions::fit
                        : positions == "lattice"         ? ml::Positions::lattice
                                                         : ml::Positions::network;
    const std::string& correction = config.text("detect.correct");
    options.correction = correction == "scale"  ? ml::ScanCorrection::scale
                         : correction == "rows" ? ml::ScanCorrection::rows
                                                : ml::ScanCorrection::affine;
    const std::string& contrast = config.text("detect.contrast");
    options.contrast = contrast == "dark"     ? ml::AtomContrast::dark
                       : contrast == "bright" ? ml::AtomContrast::bright
                                              : ml::AtomContrast::automatic;
    return options;
}

nlohmann::json counts(const Detections& atoms) {
    const auto of = [&](int z) {
        return std::count_if(atoms.begin(), atoms.end(),
                             [&](const Detection& d) { return d.atomic_number == z; });
    };
    return {{"atoms", atoms.size()}, {"C", of(6)}, {"Si", of(14)}, {"unknown", of(0)}};
}

/// Of the frame that a map of 0 and 1 covers.
double share_of(const Pixels& map) {
    return map.size() == 0 ? 0.0 : static_cast<double>(map.mean());
}

/// What positions rest on, for the summary.
const char* positions_text(ml::Positions positions, const std::string& method) {
    if (positions == ml::Positions::lattice) return "fit and lattice prior";
    if (method == "classical" || positions == ml::Positions::fit) return "fit";
    return positions == ml::Positions::blobs ? "network" : "fit and network";
}

nlohmann::json summary_of(const ml::FindAtomsResult& found, const ml::FindAtomsOptions& options,
                          const Image& image, double seconds) {
    const ml::LatticeCalibration& c = found.calibration;
    nlohmann::json calibration = {
        {"applied", found.calibrated},
        {"nominal_angstrom_per_px", nullptr},
        {"scale_angstrom_per_px", c.scale_angstrom},
        {"scale_uncertainty_angstrom", c.scale_uncertainty_angstrom},
        {"smallest_scale_angstrom", c.smallest_scale_angstrom},
        {"largest_scale_angstrom", c.largest_scale_angstrom},
        {"anisotropy", c.anisotropy},
        {"principal_angle_deg", c.principal_angle_deg},
        {"shear", c.shear},
        {"rotation_deg", c.rotation_deg},
        {"angstrom_per_pixel",
         {{c.angstrom_per_pixel(0, 0), c.angstrom_per_pixel(0, 1)},
          {c.angstrom_per_pixel(1, 0), c.angstrom_per_pixel(1, 1)}}},
    };
    if (c.nominal_angstrom) calibration["nominal_angstrom_per_px"] = *c.nominal_angstrom;
    nlohmann::json summary = {
        {"image", image.source},
        {"width", image.width()},
        {"height", image.height()},
        {"method", found.method},
        {"counts", counts(found.atoms)},
        {"baseline_counts", counts(found.baseline)},
        {"calibration", calibration},
        {"row_correction",
         {{"applied", !found.rows.knots_px.empty()},
          {"rms_px", found.rows.rms_px()},
          {"improvement", found.rows.improvement}}},
        {"cc_mean_angstrom", found.bonds.mean_angstrom},
        {"cc_std_angstrom", found.bonds.deviation_angstrom},
        {"cc_count", found.bonds.count},
        {"graphene_share", share_of(found.sheet())},
        {"vacuum_share", share_of(found.vacuum)},
        {"status", options.calibrate && !found.calibrated ? "uncalibrated" : "ok"},
        {"confidence",
         {{"value", found.confidence.value},
          {"lattice", found.confidence.lattice},
          {"scale", found.confidence.scale},
          {"neighbours", found.confidence.neighbours},
          {"density", found.confidence.density},
          {"brightness", found.confidence.brightness},
          {"doubts", found.confidence.doubts}}},
        {"positions", positions_text(options.positions, found.method)},
        {"lattice_deviation_angstrom", nullptr},
        {"inverted_contrast", found.inverted},
        {"outlier_pixels", found.outliers},
        {"saturated_share", found.saturated_share},
        {"wall_seconds", seconds},
    };
    if (found.lattice_deviation_angstrom > 0)
        summary["lattice_deviation_angstrom"] = found.lattice_deviation_angstrom;
    return summary;
}

/// What is wrong with a mean C-C distance that is not that of graphene; empty where it is, or few bonds tell.
std::string doubt_of(const ml::BondStatistics& bonds) {
    constexpr double shortest_angstrom = 1.38, longest_angstrom = 1.46;
    constexpr int enough_bonds = 10;
    if (bonds.count < enough_bonds ||
        (bonds.mean_angstrom >= shortest_angstrom && bonds.mean_angstrom <= longest_angstrom))
        return "";
    return fmt::format(
        "the mean C-C distance of the atoms found is {:.3f} angstrom, that of graphene 1.42: the pixel size, "
        "the lattice it was corrected by, or the positions are wrong",
        bonds.mean_angstrom);
}

/// Results of another frame, or other options, are not left beside a failure.
void remove_results(const fs::path& out) {
    for (const char* name : {"atoms.csv", "atoms.extxyz", "baseline.csv", "mean.npy", "spread.npy",
                             "region.npy", "overlay.png", "summary.json"})
        fs::remove(out / name);
}

/// A frame of which nothing is claimed.
/// @param status "no_lattice" or "failed"
void write_failure(const fs::path& out, const Image& image, const char* status, const char* why) {
    const nlohmann::json summary = {{"image", image.source},
                                    {"width", image.width()},
                                    {"height", image.height()},
                                    {"status", status},
                                    {"confidence", {{"value", 0.0}, {"doubts", {why}}}},
                                    {"counts", counts({})}};
    io::write_text_atomically(out / "summary.json", summary.dump(2) + "\n");
}

}  // namespace

std::vector<fs::path> network_files(const io::Config& config, const std::string& key) {
    std::vector<fs::path> files;
    for (const fs::path& given : config.files(key)) {
        const fs::path path = given == "builtin" ? data_folder() / "networks" / "graphene" : given;
        if (!fs::is_directory(path)) {
            files.push_back(path);
            continue;
        }
        const auto first = static_cast<std::ptrdiff_t>(files.size());
        for (const auto& entry : fs::directory_iterator(path))
            if (entry.path().extension() == ".h5" &&
                !entry.path().filename().string().starts_with("checkpoint"))
                files.push_back(entry.path());
        if (static_cast<std::ptrdiff_t>(files.size()) == first)
            throw FileError(fmt::format("{}: a folder without weights (*.h5)", path.string()));
        std::sort(files.begin() + first, files.end());
    }
    return files;
}

ml::Device device_of(const std::string& word) {
    return word == "cpu" ? ml::Device::cpu : word == "cuda" ? ml::Device::cuda : ml::Device::automatic;
}

std::string dataset_of(const io::Config& config) {
    return config.has("detect.dataset") ? config.text("detect.dataset") : "";
}

AtomFinder::AtomFinder(const io::Config& config, Session& session) : config_(config), session_(session) {
    if (const std::string why = why_classical(config); !why.empty()) {
        session.warning(why);
        warnings_.push_back(why);
    } else if (config.text("detect.method") != "classical") {
        network_ = network_of(config, session);
    }
}

AtomFinder::Found AtomFinder::find(const Image& image, const fs::path& out) {
    const Timer timer;
    remove_results(out);
    session_.info(fmt::format("frame {} ({} x {} px)", image.source, image.width(), image.height()));
    const ml::FindAtomsOptions options = find_options(config_, image);
    say_pixel_size(options, image, session_);
    const auto seed = static_cast<std::uint64_t>(config_.integer("run.seed"));
    Found found;
    try {
        found.result = ml::find_atoms(image, network_.get(), options, session_.context(seed));
    } catch (const NumericalError& error) {
        write_failure(out, image, "no_lattice", error.what());
        throw;
    } catch (const InputError& error) {
        write_failure(out, image, "failed", error.what());
        throw;
    }
    const ml::FindAtomsResult& result = found.result;

    io::write_detections_csv(out / "atoms.csv", result.atoms);
    io::write_detections_csv(out / "baseline.csv", result.baseline);
    io::write_npy(out / "mean.npy", result.mean);
    io::write_npy(out / "spread.npy", result.spread);
    io::write_npy(out / "region.npy", result.region);
    write_overlay(out / "overlay.png", image, result.atoms, result.calibration.scale_angstrom);
    BuildReport skipped;
    const bool any_known = std::any_of(result.atoms.begin(), result.atoms.end(),
                                       [](const Detection& d) { return d.atomic_number > 0; });
    if (any_known)
        io::write_structure(
            out / "atoms.extxyz",
            structure_from_detections(result.atoms, {.min_probability = 0}, skipped).structure);
    nlohmann::json& summary = found.summary;
    summary = summary_of(result, options, image, timer.seconds());
    summary["warnings"] = warnings_;
    const std::string doubt = doubt_of(result.bonds);
    if (!doubt.empty()) summary["warnings"].push_back(doubt);
    io::write_text_atomically(out / "summary.json", summary.dump(2) + "\n");
    const auto& calibration = result.calibration;
    session_.info(fmt::format(
        "{} atoms ({} C, {} Si, {} unknown) by {}, positions by {}, confidence {:.2f}; {:.4f} angstrom/px, "
        "anisotropy {:.1f} %, C-C {:.3f} +- {:.3f} angstrom",
        result.atoms.size(), summary["counts"]["C"].get<int>(), summary["counts"]["Si"].get<int>(),
        summary["counts"]["unknown"].get<int>(), result.method, summary["positions"].get<std::string>(),
        result.confidence.value, calibration.scale_angstrom, 100 * calibration.anisotropy,
        result.bonds.mean_angstrom, result.bonds.deviation_angstrom));
    if (!doubt.empty()) session_.warning(doubt);
    return found;
}

void detect(const io::Config& config, StageFolder& folder, Session& session) {
    const Timer timer;
    folder.begin();
    if (!config.has("detect.image")) throw InputError("detect.image is not given: the micrograph to look at");
    remove_results(folder.path());  // also where the file cannot be read
    const Image image = io::read_image(config.file("detect.image"),
                                       static_cast<int>(config.integer("detect.frame")), dataset_of(config));
    const auto summary = AtomFinder(config, session).find(image, folder.path()).summary;
    folder.finish({"atoms.csv", "summary.json", "overlay.png"}, timer.seconds(), summary);
}

}  // namespace stembridge::app
