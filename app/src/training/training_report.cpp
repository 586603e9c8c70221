// SPDX-License-Identifier: Apache-2.0
#include "training/training_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "csv_log.hpp"
#include "environment.hpp"
#include "scoring.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/ml/find_atoms.hpp"
#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using Table = std::map<std::string, std::vector<double>>;

struct Learnt {
    std::string name;
    Table table;
};

std::string number_or_dash(double value, int digits) {
    return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "–";
}

std::string scores_table(const std::vector<Learnt>& networks) {
    std::string html =
        "<table><tr><th>network</th><th>steps</th><th>loss</th><th>F1</th><th>precision</th><th>recall</th>"
        "<th>Si recall</th><th>rms / Å</th><th>calibration error</th><th>time / s</th></tr>\n";
    for (const auto& [name, t] : networks) {
        if (t.at("step").empty()) continue;
        const auto last = [&, &table = t](const char* column) { return table.at(column).back(); };
        html += fmt::format(
            "<tr><td>{}</td><td>{:.0f}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</"
            "td><td>{}</td>"
            "<td>{:.3f}</td><td>{:.3f}</td><td>{:.0f}</td></tr>\n",
            io::escape_markup(name), last("step"), last("validation_loss"), last("f1"), last("precision"),
            last("recall"), number_or_dash(last("silicon_recall"), 3), last("rms_angstrom"),
            last("calibration_error"), last("seconds"));
    }
    return html + "</table>\n";
}

/// Curves of one column of every network.
std::vector<io::Curve> curves(const std::vector<Learnt>& networks, const std::string& column) {
    std::vector<io::Curve> result;
    int color = 0;
    for (const auto& [name, table] : networks)
        result.push_back({name, table.at("step"), table.at(column), color++ % 6});
    return result;
}

io::CurvePlot loss_plot(const std::vector<Learnt>& networks) {
    io::CurvePlot plot;
    plot.name = "loss";
    plot.caption = "Loss on crops that are never trained on, and (pale) on those just learnt";
    plot.x = {"step"};
    std::vector<io::Curve> lines = curves(networks, "validation_loss");
    for (io::Curve training : curves(networks, "loss")) {
        training.faint = true;
        training.label = "";
        lines.push_back(training);
    }
    plot.panels = {{{"loss", io::Scale::logarithmic}, lines, {}},
                   {{"learning rate", io::Scale::logarithmic}, curves(networks, "learning_rate"), {}}};
    plot.panel_height = 200;
    return plot;
}

io::CurvePlot score_plot(const std::vector<Learnt>& networks) {
    io::CurvePlot plot;
    plot.name = "scores";
    plot.caption = "Atoms found in the validation crops: F1, precision, recall";
    plot.x = {"step"};
    plot.panels = {{{"F1"}, curves(networks, "f1"), {}},
                   {{"precision"}, curves(networks, "precision"), {}},
                   {{"recall"}, curves(networks, "recall"), {}}};
    plot.panel_height = 130;
    return plot;
}

io::CurvePlot honesty_plot(const std::vector<Learnt>& networks) {
    io::CurvePlot plot;
    plot.name = "honesty";
    plot.caption =
        "Error of the centroids, and of the probabilities: mean distance between what is predicted "
        "and how often it is right";
    plot.x = {"step"};
    plot.panels = {{{"rms per axis / Å", io::Scale::linear, 0.0}, curves(networks, "rms_angstrom"), {}},
                   {{"calibration error", io::Scale::linear, 0.0}, curves(networks, "calibration_error"), {}},
                   {{"Si recall"}, curves(networks, "silicon_recall"), {}}};
    plot.panel_height = 130;
    return plot;
}

/// A frame as trained on, of the middle of the ranges, with something of everything in it.
ml::SimulatedFrame sample_frame(const ml::TrainingOptions& o, int number) {
    const auto middle = [](const std::array<double, 2>& r) { return 0.5 * (r[0] + r[1]); };
    ml::SimulationOptions frame;
    frame.scan.width = frame.scan.height = 300;
    frame.scan.pixel_size_angstrom =
        std::clamp(0.104, o.source_pixel_angstrom[0], o.source_pixel_angstrom[1]);
    frame.scan.anisotropy = 0.5 * o.largest_anisotropy;
    frame.scan.line_jitter_px = 0.15;
    frame.probe.hollow_to_peak = middle(o.hollow_to_peak);
    frame.detector.blur_px = middle(o.noise_blur_px);
    const std::array<double, 3> electrons{6000, 2000, 2000};
    frame.detector.electrons_per_pixel = electrons[static_cast<std::size_t>(number)];
    if (number == 2) {
        frame.contamination.coverage = 0.3;
        frame.contamination.silicon_at_rim = 0.3;
    }
    ml::SceneOptions scene;
    scene.width_angstrom = scene.height_angstrom = 300 * frame.scan.pixel_size_angstrom + 4;
    scene.rotation_deg = 11 + 17 * number;
    scene.stone_wales = scene.divacancies = 12;
    scene.silicon_substitutions = 60;
    scene.grain_boundary = number == 1;
    frame.scan.origin_x_angstrom = frame.scan.origin_y_angstrom = 2;
    Context context;
    context.seed = 0x7265706f7274ULL + static_cast<std::uint64_t>(number);
    ml::SimulatedFrame simulated = ml::simulate_image(ml::random_scene(scene, context), frame, context);
    simulated.image.source = fmt::format("simulated frame {}", number + 1);
    return simulated;
}

io::Figure map_figure(const std::string& name, const Pixels& pixels, float white) {
    io::MicrographView view;
    view.name = name;
    view.image.pixels = pixels;
    view.contrast = io::Contrast{0, std::max(white, 1e-3f), 1};
    view.legend = false;
    return io::draw(view);
}

/// Frame with truth, frame with what was found, probability, spread.
io::Figure prediction_figure(ml::SegmentationNetwork& network, const ml::TrainingOptions& options,
                             int number) {
    const ml::SimulatedFrame frame = sample_frame(options, number);
    const double pixel = std::sqrt(frame.angstrom_per_pixel.determinant());
    ml::FindAtomsOptions find;
    find.pixel_size_angstrom = pixel;
    find.calibrate = false;
    const ml::FindAtomsResult found = ml::find_atoms(frame.image, &network, find);
    Detections truth;
    for (const ml::TrueAtom& atom : frame.atoms)
        if (!atom.covered)
            truth.push_back({.x_px = atom.x_px, .y_px = atom.y_px, .atomic_number = atom.atomic_number});
    const std::string name = fmt::format("prediction-{}", number + 1);
    const auto micrograph = [&](const char* part, const Detections& atoms) {
        io::MicrographView view;
        view.name = name + part;
        view.image = frame.image;
        view.atoms = atoms;
        view.pixel_size_angstrom = pixel;
        return io::draw(view);
    };
    const char* what = number == 0   ? "three times the usual dose"
                       : number == 1 ? "usual dose, grain boundary"
                                     : "usual dose, contamination";
    return io::side_by_side(
        name,
        fmt::format("Simulated frame, {}: {} atoms, {} found; spread up to {:.2f}", what, truth.size(),
                    found.atoms.size(), found.spread.maxCoeff()),
        {micrograph("-truth", truth), micrograph("-found", found.atoms),
         map_figure(name + "-mean", found.mean, 1),
         map_figure(name + "-spread", found.spread, found.spread.maxCoeff())},
        {"truth", "found", "probability of an atom (white = 1)", "spread over the members"}, 260);
}

std::string page(const std::string& title, const std::string& scores,
                 const std::vector<std::pair<std::string, std::vector<io::Figure>>>& sections,
                 const std::vector<ReportSection>& more) {
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n<style>\n"
        "body {{ font: 15px/1.5 sans-serif; max-width: 1120px; margin: 2em auto; padding: 0 1em; }}\n"
        "table {{ border-collapse: collapse; }} th, td {{ padding: 2px 10px; text-align: right; "
        "border-bottom: 1px solid #ddd; }} th:first-child, td:first-child {{ text-align: left; }}\n"
        ".figures {{ display: flex; flex-wrap: wrap; gap: 24px; }} figure {{ margin: 0; }}\n"
        "figcaption {{ color: #555; }}\n{1}</style></head><body>\n<h1>{0}</h1>\n"
        "<p>Scores of each network on crops it never learnt from: atoms within 0.5 Å of a blob of at least "
        "one "
        "half. Values in the table, and the last points of the curves, are those of the averaged "
        "weights.</p>\n{2}",
        io::escape_markup(title), io::figure_css(), scores);
    for (const auto& [heading, figures] : sections) {
        if (figures.empty()) continue;
        html += fmt::format("<h2>{}</h2>\n<div class=\"figures\">\n", io::escape_markup(heading));
        for (const io::Figure& figure : figures)
            html += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", figure.svg,
                                io::escape_markup(figure.caption));
        html += "</div>\n";
    }
    for (const ReportSection& section : more)
        html += fmt::format("<h2>{}</h2>\n{}\n", io::escape_markup(section.title), section.html);
    return html + "</body></html>\n";
}

}  // namespace

void write_training_report(const fs::path& folder, const std::string& title,
                           const std::vector<TrainedNetwork>& networks, const std::vector<State>& members,
                           const ml::TrainingOptions& options, const std::vector<ReportSection>& more) {
    std::vector<Learnt> learnt;
    for (const TrainedNetwork& network : networks)
        if (fs::exists(network.curve)) learnt.push_back({network.name, read_csv(network.curve)});
    std::vector<std::pair<std::string, std::vector<io::Figure>>> sections(2);
    sections[0] = {
        "Learning curves",
        {io::draw(loss_plot(learnt)), io::draw(score_plot(learnt)), io::draw(honesty_plot(learnt))}};
    sections[1].first = "Predictions";
    if (!members.empty()) {
        const auto network =
            ml::open_network(members, {}, {.threads = threads_in_use(), .device = options.device});
        for (int number = 0; number < 3; ++number) try {
                sections[1].second.push_back(prediction_figure(*network, options, number));
            } catch (const InputError&) {  // a network that finds nothing has nothing to show
            }
    }
    for (const auto& [heading, figures] : sections)
        for (const io::Figure& figure : figures)
            io::write_text_atomically(folder / "report" / (figure.name + ".svg"), io::standalone_svg(figure));
    io::write_text_atomically(folder / "report" / "index.html",
                              page(title, scores_table(learnt), sections, more));
}

}  // namespace stembridge::app
