// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <map>

#include "configuration.hpp"
#include "csv_log.hpp"
#include "environment.hpp"
#include "scoring.hpp"
#include "stage_folder.hpp"
#include "stages/parameter_sets.hpp"
#include "stages/stages.hpp"
#include "stages/studies.hpp"
#include "stages/trajectory_analysis.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/adsorption.hpp"
#include "stembridge/structure/analysis.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

io::ReportStage stage_of(const std::string& name, const fs::path& folder) {
    const json record = load_json(folder / "stage.json");
    io::ReportStage stage;
    stage.name = name;
    stage.wall_seconds = record.value("seconds", 0.0);
    const std::string status = record.value("status", "");
    using Status = io::ReportStage::Status;
    stage.status = status == "done" ? Status::done : status.empty() ? Status::not_run : Status::failed;
    const json results = record.value("results", json::object());
    if (status == "failed") stage.note = results.value("error", "");
    if (status == "stopped") stage.note = "stopped on request; starting the run again continues it";
    if (status == "running") stage.note = "was interrupted; starting the run again continues it";
    return stage;
}

io::ReportDetector detector(const std::string& name, const Detections& atoms,
                            const std::optional<std::vector<KnownAtom>>& truth, const fs::path& truth_file,
                            double pixel_angstrom) {
    io::ReportDetector result;
    result.name = name;
    result.n_atoms = static_cast<int>(atoms.size());
    if (truth) {
        const Score score = score_detections(atoms, *truth, 0.5 / pixel_angstrom);
        if (score.n_truth == 0) throw InputError(truth_file.string() + " holds no atoms to score with");
        result.precision = score.precision();
        result.recall = score.recall();
        result.f1 = score.f1();
        result.rms_angstrom = score.rms_px * pixel_angstrom;
    }
    return result;
}

/// The affine map from the built structure to the frame, by the atoms that were found there.
/// @param origin the detection of each atom, -1 = added
std::optional<Eigen::Matrix<double, 2, 3>> pixel_of_bohr(const json& origin, const fs::path& run,
                                                         const Detections& detections) {
    const fs::path file = run / "2-build" / "structure.extxyz";
    if (!origin.is_array() || !fs::exists(file)) return std::nullopt;
    const Structure built = io::read_structure(file);
    if (origin.size() != static_cast<std::size_t>(built.size())) return std::nullopt;
    std::vector<Eigen::Vector3d> places;
    std::vector<Eigen::Vector2d> pixels;
    for (int i = 0; i < built.size(); ++i) {
        const int k = origin[static_cast<std::size_t>(i)].get<int>();
        if (k < 0 || k >= static_cast<int>(detections.size())) continue;
        places.emplace_back(built.positions(0, i), built.positions(1, i), 1);
        const Detection& found = detections[static_cast<std::size_t>(k)];
        pixels.emplace_back(found.x_px, found.y_px);
    }
    if (places.size() < 3) return std::nullopt;
    Eigen::MatrixX3d from(places.size(), 3);
    Eigen::MatrixX2d to(places.size(), 2);
    for (Eigen::Index k = 0; k < from.rows(); ++k) {
        from.row(k) = places[static_cast<std::size_t>(k)].transpose();
        to.row(k) = pixels[static_cast<std::size_t>(k)].transpose();
    }
    return from.colPivHouseholderQr().solve(to).transpose();
}

std::optional<io::ReportFrame> frame_of(const fs::path& run, const io::Config& config) {
    const fs::path folder = run / "1-detect";
    if (!fs::exists(folder / "atoms.csv") || !config.has("detect.image")) return std::nullopt;
    const json summary = load_json(folder / "summary.json");
    const json c = summary.value("calibration", json::object());
    io::ReportFrame frame;
    if (!fs::exists(config.file("detect.image"))) return std::nullopt;
    frame.image =
        io::read_image(config.file("detect.image"), static_cast<int>(config.integer("detect.frame")),
                       config.has("detect.dataset") ? config.text("detect.dataset") : "");
    frame.atoms = io::read_detections_csv(folder / "atoms.csv");
    frame.pixel_size_angstrom = c.value("scale_angstrom_per_px", 0.0);
    io::ReportCalibration calibration;
    if (c.contains("nominal_angstrom_per_px") && c["nominal_angstrom_per_px"].is_number())
        calibration.nominal_angstrom_per_px = c["nominal_angstrom_per_px"].get<double>();
    if (c.value("applied", false)) {
        calibration.lattice_angstrom_per_px = c.value("scale_angstrom_per_px", 0.0);
        calibration.uncertainty_angstrom_per_px = c.value("scale_uncertainty_angstrom", 0.0);
        calibration.smallest_angstrom_per_px = c.value("smallest_scale_angstrom", 0.0);
        calibration.largest_angstrom_per_px = c.value("largest_scale_angstrom", 0.0);
        calibration.anisotropy_percent = 100 * c.value("anisotropy", 0.0);
        calibration.shear = c.value("shear", 0.0);
        calibration.rotation_degree = c.value("rotation_deg", 0.0);
    } else {
        calibration.nominal_angstrom_per_px = frame.pixel_size_angstrom;
    }
    calibration.mean_cc_angstrom = summary.value("cc_mean_angstrom", 0.0);
    calibration.applied = c.value("applied", false);
    frame.calibration = calibration;
    std::optional<std::vector<KnownAtom>> truth;
    fs::path truth_file;
    if (config.has("report.truth")) {
        truth_file = config.file("report.truth");
        truth = read_known_atoms(truth_file);
    }
    const std::string method = summary.value("method", "network");
    frame.detectors.push_back(detector(method == "network" ? "U-Net" : "classical", frame.atoms, truth,
                                       truth_file, frame.pixel_size_angstrom));
    if (method == "network" && fs::exists(folder / "baseline.csv"))
        frame.detectors.push_back(detector("classical baseline",
                                           io::read_detections_csv(folder / "baseline.csv"), truth,
                                           truth_file, frame.pixel_size_angstrom));
    const json built = load_json(run / "2-build" / "build.json");
    frame.pixel_of_bohr = pixel_of_bohr(built.value("origin", json::array()), run, frame.atoms);
    const json outline = built.value("outline_px", json::array());
    for (const auto& corner : outline)
        frame.outline_px.emplace_back(corner[0].get<double>(), corner[1].get<double>());
    return frame;
}

std::optional<io::ReportBuild> build_of(const fs::path& run, const AnalysisOptions& analysis) {
    const fs::path folder = run / "2-build";
    if (!fs::exists(folder / "structure.extxyz")) return std::nullopt;
    io::ReportBuild build;
    build.built = io::report_structure(io::read_structure(folder / "structure.extxyz"), analysis);
    build.messages = load_json(folder / "build.json").value("messages", std::vector<std::string>{});
    return build;
}

/// Whether a point lies in a convex polygon.
bool lies_in(const Eigen::Vector2d& point, const std::vector<Eigen::Vector2d>& corners) {
    bool left = false, right = false;
    for (std::size_t k = 0; k < corners.size(); ++k) {
        const Eigen::Vector2d edge = corners[(k + 1) % corners.size()] - corners[k], to = point - corners[k];
        const double side = edge.x() * to.y() - edge.y() * to.x();
        left = left || side > 0;
        right = right || side < 0;
    }
    return !(left && right);
}

/// The share of the region that was cut out (no outline: of the frame) in which no atom was looked for.
/// @param clean the mask of find-atoms
double contaminated_share(const Pixels& clean, const std::vector<Eigen::Vector2d>& outline_px) {
    if (outline_px.empty()) return 1 - static_cast<double>(clean.mean());
    long inside = 0, covered = 0;
    for (Eigen::Index row = 0; row < clean.rows(); ++row)
        for (Eigen::Index column = 0; column < clean.cols(); ++column) {
            if (!lies_in({static_cast<double>(column), static_cast<double>(row)}, outline_px)) continue;
            ++inside;
            covered += clean(row, column) < 0.5F ? 1 : 0;
        }
    return inside == 0 ? 0 : static_cast<double>(covered) / static_cast<double>(inside);
}

/// How far the carbon of a structure spans in height, angstrom.
double carbon_height_angstrom(const Structure& structure) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (int i = 0; i < structure.size(); ++i) {
        if (structure.atomic_numbers[static_cast<std::size_t>(i)] != 6) continue;
        low = std::min(low, structure.positions(2, i));
        high = std::max(high, structure.positions(2, i));
    }
    return high > low ? (high - low) / units::angstrom : 0;
}

/// A flat sheet that the relaxation has bent out of its plane by more than defects buckle.
bool is_curled(const io::ReportRelaxation& relaxation) {
    constexpr double flat_angstrom = 0.5, buckled_angstrom = 1.5;
    return carbon_height_angstrom(relaxation.before.structure) < flat_angstrom &&
           carbon_height_angstrom(relaxation.after.structure) > buckled_angstrom;
}

std::optional<io::ReportRelaxation> relaxation_of(const fs::path& run, const io::Config& config,
                                                  const AnalysisOptions& analysis) {
    const fs::path folder = run / "3-relax";
    if (!belongs_to(run, folder) || !fs::exists(folder / "relax.csv") ||
        !fs::exists(run / "2-build" / "structure.extxyz"))
        return std::nullopt;
    const json record = load_json(folder / "stage.json");
    const bool converged = record.value("status", "") == "done";
    const fs::path after = folder / (converged ? "relaxed.extxyz" : "last.extxyz");
    if (!fs::exists(after)) return std::nullopt;
    io::ReportRelaxation relaxation;
    relaxation.before =
        io::report_structure(io::read_structure(run / "2-build" / "structure.extxyz"), analysis);
    const auto last = io::read_trajectory(after);
    relaxation.after = io::report_structure(last.back().structure, analysis);
    if (const auto charges = last.back().arrays.find("charges"); charges != last.back().arrays.end())
        relaxation.charges = charges->second.transpose();
    const auto columns =
        read_csv(folder / "relax.csv", {"accepted", "lbfgs", "energy_ev", "max_force_ev_per_angstrom"});
    const auto& accepted = columns.at("accepted");
    const auto& lbfgs = columns.at("lbfgs");
    for (std::size_t i = 0; i < accepted.size(); ++i) {
        if (accepted[i] == 0) continue;
        relaxation.energy_ev.push_back(columns.at("energy_ev")[i]);
        relaxation.max_force_ev_per_angstrom.push_back(columns.at("max_force_ev_per_angstrom")[i]);
    }
    const json straightened = record.value("results", json::object()).value("pre_relaxed", json());
    if (straightened.is_object())
        relaxation.straightened = fmt::format(
            "straightened by a force field first ({} steps; atoms moved by {:.2f} Å in the mean, {:.2f} Å at "
            "most)",
            straightened.value("steps", 0), straightened.value("mean_move_angstrom", 0.0),
            straightened.value("largest_move_angstrom", 0.0));
    const auto n_lbfgs = std::count(lbfgs.begin(), lbfgs.end(), 1.0);
    relaxation.method = n_lbfgs == 0                                    ? "FIRE"
                        : n_lbfgs + 1 < static_cast<long>(lbfgs.size()) ? "FIRE, then preconditioned L-BFGS"
                                                                        : "preconditioned L-BFGS";
    relaxation.tolerance_ev_per_angstrom =
        config.quantity("relax.max_force") / units::electronvolt_per_angstrom;
    relaxation.converged = converged;
    const auto& relaxed = relaxation.after.structure;
    // Coordinates found in a frame: what the relaxation says about them, unless it has left their plane.
    if (converged && !is_curled(relaxation) && fs::exists(run / "1-detect" / "atoms.csv") &&
        relaxed.count(1) < relaxed.size() &&
        relaxation.before.structure.atomic_numbers == relaxed.atomic_numbers) {
        const auto comparison = compare_coordinates(relaxation.before.structure, relaxed);
        write_analysis(comparison, folder / "coordinates");
        const json& n = comparison.numbers;
        relaxation.coordinates_json = n.dump();
        relaxation.coordinates_text = fmt::format(
            "found coordinates {:.3f} Å from the relaxed ones in the plane ({:.1f} % of a bond), {:.0f} % of "
            "the "
            "atoms below 5 %",
            n["mean_angstrom"].get<double>(), n["mean_percent_of_bond"].get<double>(),
            100 * n["share_below_5_percent"].get<double>());
    }
    return relaxation;
}

/// The rows of the tables over time.
void add_course(io::ReportDynamics& dynamics, const TrajectoryAnalysis& course) {
    const json& n = course.numbers;
    dynamics.over_time = course.figures;
    dynamics.notes = course.notes;
    dynamics.analysis_json = n.dump();
    const auto fact = [&](const std::string& name, const std::string& value) {
        dynamics.facts.push_back({name, value});
    };
    const json& healing = n["healing"];
    fact("hexagons, first and last", fmt::format("{:.0f} → {:.0f}", healing["hexagons_first"].get<double>(),
                                                 healing["hexagons_last"].get<double>()));
    fact("area of holes",
         fmt::format("{:.1f} → {:.1f} Å²", healing["hole_area_first_angstrom2"].get<double>(),
                     healing["hole_area_last_angstrom2"].get<double>()));
    fact("bonds formed, broken",
         fmt::format("{}, {}", n["bond_events"]["formed"].get<int>(), n["bond_events"]["broken"].get<int>()));
    if (n.contains("lindemann"))
        fact("Lindemann index", fmt::format("{:.3f}", n["lindemann"]["whole"].get<double>()));
    if (const int brief = n["brief_defects"].get<int>(); brief > 0)
        fact("defects seen in a single frame", std::to_string(brief));
    const json by_size = n.value("mean_bond_by_ring_size_angstrom", json::object());
    for (const auto& [size, length] : by_size.items())
        fact(fmt::format("mean bond of rings of {}", size), fmt::format("{:.3f} Å", length.get<double>()));
    const std::string unit = n.contains("time_fs") ? "_fs" : "_frame";
    for (const auto& defect : n["defects"]) {
        std::string end = defect["to_end"].get<bool>() ? "still there" : "gone";
        if (defect["became"].is_number()) end = fmt::format("became {}", defect["became"].get<int>());
        dynamics.defects.push_back(
            {fmt::format("{} ({})", defect["kind"].get<std::string>(), defect["id"].get<int>()),
             defect["from_start"].get<bool>() ? "from the start"
                                              : fmt::format("{:g}", defect["appeared" + unit].get<double>()),
             fmt::format("{:g}", defect["last_seen" + unit].get<double>()), end});
    }
}

std::optional<io::ReportDynamics> dynamics_of(const fs::path& folder, const io::Config& config,
                                              const AnalysisOptions& analysis) {
    if (!fs::exists(folder / "thermo.csv")) return std::nullopt;
    const json results = load_json(folder / "stage.json").value("results", json::object());
    io::ReportDynamics dynamics;
    const std::string folder_name = folder.filename().string();
    dynamics.name = folder_name;
    if (results.contains("target_k") && folder_name.find('-') == std::string::npos)
        dynamics.name = fmt::format("{:.0f} K", results["target_k"].get<double>());
    const std::string ensemble = results.value("ensemble", "");
    static const std::map<std::string, std::string> methods = {
        {"nvt", "NVT, Nose-Hoover chain"}, {"nve", "NVE, velocity Verlet"},
        {"langevin", "Langevin (BAOAB)"},  {"berendsen", "Berendsen bath"},
        {"bussi", "stochastic rescaling"}, {"rescale", "velocity rescaling"}};
    const auto method = methods.find(ensemble);
    dynamics.method = fmt::format("{}, {} fs", method == methods.end() ? ensemble : method->second,
                                  results.value("timestep_fs", 0.0));
    if (results.contains("target_k") && ensemble != "nve")
        dynamics.target_k = results["target_k"].get<double>();
    const auto columns =
        read_csv(folder / "thermo.csv", {"time_fs", "potential_ev", "temperature_k", "conserved_ev"});
    dynamics.time_fs = columns.at("time_fs");
    dynamics.potential_ev = columns.at("potential_ev");
    dynamics.temperature_k = columns.at("temperature_k");
    dynamics.conserved_ev = columns.at("conserved_ev");
    if (results.contains("drift_mev_per_atom_per_ps"))
        dynamics.drift_mev_per_atom_per_ps = results["drift_mev_per_atom_per_ps"].get<double>();
    const auto frames = io::read_trajectory(folder / "trajectory.extxyz");
    if (frames.empty()) return dynamics;
    dynamics.n_atoms = frames.front().structure.size();
    constexpr std::size_t most_frames = 50;
    const std::size_t stride = std::max<std::size_t>(1, frames.size() / most_frames);
    for (std::size_t i = 0; i < frames.size(); i += stride) {
        const auto found = io::report_structure(frames[i].structure, analysis);
        for (const Bond& bond : found.bonds) {
            const auto& z = frames[i].structure.atomic_numbers;
            if (z[static_cast<std::size_t>(bond.i)] == 6 && z[static_cast<std::size_t>(bond.j)] == 6)
                dynamics.cc_lengths_angstrom.push_back(bond.length / units::angstrom);
        }
        dynamics.snapshots.push_back(frames[i].structure.positions);
    }
    dynamics.last = io::report_structure(frames.back().structure, analysis);
    const TrajectoryAnalysis course = analyze_trajectory(config, frames, folder_name + "-");
    write_analysis(course, folder / "analysis");
    add_course(dynamics, course);
    return dynamics;
}

/// The runs of dynamics that [md] names and that began with a structure of this run.
/// @param left_out gets the others
std::vector<fs::path> dynamics_folders(const fs::path& run, const io::Config& config,
                                       std::vector<std::string>& left_out) {
    std::vector<fs::path> folders;
    const std::vector<Replica> replicas = replicas_named(config);
    if (fs::is_directory(run / "4-md"))
        for (const auto& entry : fs::directory_iterator(run / "4-md")) {
            if (!entry.is_directory() || is_set_aside(entry)) continue;
            const std::string name = entry.path().filename().string();
            const bool named = std::any_of(replicas.begin(), replicas.end(),
                                           [&](const Replica& replica) { return replica.name == name; });
            if (named && belongs_to(run, entry.path()))
                folders.push_back(entry.path());
            else
                left_out.push_back("4-md/" + name);
        }
    std::sort(folders.begin(), folders.end(), [](const fs::path& a, const fs::path& b) {
        const auto order = [](const fs::path& p) {
            return std::pair(std::atof(p.filename().c_str()), p.filename().string());
        };
        return order(a) < order(b);
    });
    return folders;
}

/// What the energies come from, and what is to be cited for it. @param built nothing where it is not known
void add_parameter_sets(const io::Config& config, Structure built, io::ReportProvenance& p) {
    if (config.text("calculator.kind") != "scc-dftb") {
        p.parameter_set = "another program, at " + config.text("calculator.socket.address");
        return;
    }
    for (const fs::path& folder : parameter_sets(config))
        p.parameter_set += (p.parameter_set.empty() ? "" : ", ") + folder.filename().string();
    std::vector<std::string> adsorbates;
    if (config.has("adsorb.species")) adsorbates = config.texts("adsorb.species");
    if (config.has("neb.adsorbate")) adsorbates.push_back(config.text("neb.adsorbate"));
    for (const std::string& name : adsorbates) {
        try {
            for (const int element : adsorbate_alone(name).atomic_numbers)
                built.add(element, Eigen::Vector3d::Zero());
        } catch (const InputError&) {  // not known: its stage has said so
        }
    }
    for (const std::string& citation : citations_of(table_files(config, built)))
        p.more.emplace_back("its tables", citation);
}

io::ReportProvenance provenance_of(const fs::path& run, const io::Config& config, const Structure& built) {
    const json manifest = load_json(run / "manifest.json");
    io::ReportProvenance p;
    p.version = manifest.value("version", version());
    p.git_hash = manifest.value("git_commit", "");
    p.command = "stembridge run config.resolved.toml";
    p.date = manifest.value("date", "");
    p.blas_kernel = manifest.value("blas_kernel", "");
    if (manifest.contains("threads")) p.threads = manifest["threads"].get<int>();
    if (manifest.contains("seed")) p.seed = manifest["seed"].get<std::uint64_t>();
    add_parameter_sets(config, built, p);
    const json hashes = manifest.value("sha256", json::object());
    for (const auto& [file, hash] : hashes.items()) p.sha256.emplace_back(file, hash.get<std::string>());
    p.config = config.resolved_toml();
    return p;
}

/// What the studied paper needed for the same steps.
void add_published_timings(io::ReportData& data) {
    constexpr double hour = 3600;
    data.published_timings = {{"the paper: a network trained", 0.5 * hour, "0.5 hours"},
                              {"the paper: 91 atoms relaxed", 10 * hour, "10 CPU-hours"}};
    data.published_timings_note =
        "Pale: the studied paper, with a convolutional network and VASP. It found the atoms of a frame in "
        "seconds and "
        "relaxed a full frame in hours. The networks used here were trained before.";
}

}  // namespace

void write_run_report(const fs::path& run, const io::Config& config, Session& session) {
    if (!fs::is_directory(run)) throw FileError(fmt::format("{} is no run folder", run.string()));
    AnalysisOptions analysis;
    analysis.largest_ring = static_cast<int>(config.integer("analyze.largest_ring"));
    analysis.bonds.factor = config.number("analyze.bond_factor");

    io::ReportData data;
    data.title = config.has("report.title") ? config.text("report.title") : config.text("run.name");
    const std::vector<std::string> wanted = config.texts("run.stages");
    std::vector<std::string>
        left_out;  // folders of another structure, or of dynamics that [md] does not name
    const auto is_there = [&](const std::string& folder) {
        if (!fs::exists(run / folder)) return false;
        if (belongs_to(run, run / folder)) return true;
        left_out.push_back(folder);
        return false;
    };
    const auto is_part = [&](const std::string& stage, const std::string& folder) {
        return is_there(folder) || std::find(wanted.begin(), wanted.end(), stage) != wanted.end();
    };
    if (is_part("detect", "1-detect")) data.stages.push_back(stage_of("Find atoms", run / "1-detect"));
    data.stages.push_back(stage_of("Build the cell", run / "2-build"));
    if (is_part("relax", "3-relax")) data.stages.push_back(stage_of("Relax", run / "3-relax"));
    add_published_timings(data);
    data.frame = frame_of(run, config);
    data.build = build_of(run, analysis);
    data.relaxation = relaxation_of(run, config, analysis);
    if (is_there("3-selective")) data.stages.push_back(stage_of("Selective dynamics", run / "3-selective"));
    if (is_there("5-adsorb")) data.stages.push_back(stage_of("Adsorb", run / "5-adsorb"));
    if (is_there("6-neb")) data.stages.push_back(stage_of("Barrier", run / "6-neb"));
    for (const auto& folder : dynamics_folders(run, config, left_out)) {
        data.stages.push_back(stage_of("Dynamics at " + folder.filename().string(), folder));
        if (auto dynamics = dynamics_of(folder, config, analysis))
            data.dynamics.push_back(std::move(*dynamics));
    }
    data.warnings = load_json(run / "2-build" / "build.json").value("warnings", std::vector<std::string>{});
    if (data.relaxation && is_curled(*data.relaxation))
        data.warnings.push_back(
            fmt::format("The relaxed flake is curled: its carbon spans {:.1f} Å in height, where the built "
                        "one is flat. A "
                        "sheet that goes on around it would hold it: relax.fix = \"perimeter\" does, or a "
                        "larger crop. Found "
                        "coordinates are not compared with it.",
                        carbon_height_angstrom(data.relaxation->after.structure)));
    const json detected = load_json(run / "1-detect" / "summary.json");
    for (const auto& warning : detected.value("warnings", json::array()))
        data.warnings.push_back(warning.get<std::string>());
    if (!left_out.empty())
        data.warnings.push_back(fmt::format(
            "left out, because they belong to another structure or to temperatures, seeds or a schedule that "
            "[md] does not name: {}",
            fmt::join(left_out, ", ")));
    const bool from_frame = fs::exists(run / "1-detect" / "atoms.csv") && config.has("detect.image");
    if (from_frame && !data.frame)
        data.warnings.push_back(config.file("detect.image").string() +
                                " is not there any more: the frame is not shown");
    constexpr double telling = 0.005;
    const fs::path mask = run / "1-detect" / "region.npy";
    if (data.frame && fs::exists(mask)) {
        const double covered = contaminated_share(io::read_image(mask).pixels, data.frame->outline_px);
        if (covered > telling)
            data.warnings.push_back(fmt::format(
                "{:.1f} % of the {} is contamination: atoms are not looked for there, and the structure has "
                "holes in their place",
                100 * covered, data.frame->outline_px.empty() ? "frame" : "region that was cut out"));
    }
    data.y_down = from_frame;
    for (auto section : {region_section(run, data.frame, detected.value("graphene_share", 1.0)),
                         selective_section(run, data.y_down), adsorption_section(run, data.y_down),
                         barrier_section(run, data.y_down)})
        if (section) data.sections.push_back(std::move(*section));
    if (data.build) data.subtitle = data.build->built.structure.formula();
    data.provenance = provenance_of(run, config, data.build ? data.build->built.structure : Structure());
    io::write_report(run / "report", data);
    session.info("report: " + (run / "report" / "index.html").string());
}

}  // namespace stembridge::app
