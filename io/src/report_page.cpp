// SPDX-License-Identifier: Apache-2.0
// The page of a report.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "report_parts.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

using Row = std::vector<std::string>;

std::string number(double value, int decimals) {
    return std::isfinite(value) ? number_label(value, decimals) : "–";
}

std::string count_of(std::size_t n, const std::string& one, const std::string& many) {
    return fmt::format("{} {}", number_label(static_cast<double>(n), 0), n == 1 ? one : many);
}

// Two digits, with a true minus sign.
std::string short_number(double value) {
    return fmt::format("{}{:.2g}", value < 0 ? "\u2212" : "", std::abs(value));
}

std::string duration(double seconds) {
    if (seconds < 10) return fmt::format("{:.2g} s", seconds);
    if (seconds < 120) return fmt::format("{:.0f} s", seconds);
    const auto whole = static_cast<long>(std::lround(seconds));
    if (whole < 7200) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

// Forces below 0.01 eV/angstrom read better in meV/angstrom.
std::string force_text(double ev_per_angstrom) {
    return fmt::format("{:.2g}", ev_per_angstrom < 0.01 ? 1000 * ev_per_angstrom : ev_per_angstrom);
}

std::string force_unit(double ev_per_angstrom) {
    return ev_per_angstrom < 0.01 ? "meV/Å" : "eV/Å";
}

// Cells are markup already. The first column names the row, the others are numbers.
std::string table(const Row& head, const std::vector<Row>& rows) {
    if (rows.empty()) return "";
    std::string html = "<div class=\"scroll\"><table>";
    if (!head.empty()) {
        html += "<thead><tr>";
        for (std::size_t k = 0; k < head.size(); ++k)
            html += fmt::format("<th scope=\"col\"{}>{}</th>", k > 0 ? " class=\"number\"" : "", head[k]);
        html += "</tr></thead>";
    }
    html += "<tbody>";
    for (const Row& row : rows) {
        html += fmt::format("<tr><th scope=\"row\">{}</th>", row[0]);
        for (std::size_t k = 1; k < row.size(); ++k)
            html += fmt::format("<td class=\"number\">{}</td>", row[k]);
        html += "</tr>";
    }
    return html + "</tbody></table></div>";
}

std::string block(const std::string& title, const std::string& content) {
    return content.empty()
               ? ""
               : fmt::format("<div class=\"block\"><h3>{}</h3>{}</div>", escape_markup(title), content);
}

// Two columns, or only the one that there is.
std::string columns(const std::string& left, const std::string& right, const std::string& css = "columns") {
    if (left.empty() || right.empty()) return left + right;
    return fmt::format("<div class=\"{}\"><div>{}</div><div>{}</div></div>", css, left, right);
}

std::string section(const std::string& id, const std::string& title, const std::string& lead,
                    const std::string& content) {
    return fmt::format("<section id=\"{}\"><h2>{}</h2>{}{}</section>\n", id, escape_markup(title),
                       lead.empty() ? "" : fmt::format("<p class=\"lead\">{}</p>", lead), content);
}

std::string figure(const Figures& figures, const std::string& name, const std::string& caption) {
    const auto found = figures.find(name);
    if (found == figures.end()) return "";
    return fmt::format("<figure id=\"figure-{}\"><div class=\"art\">{}</div>{}</figure>", name,
                       found->second.svg,
                       caption.empty() ? "" : fmt::format("<figcaption>{}</figcaption>", caption));
}

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
    std::string text;
    for (const std::string& part : parts)
        if (!part.empty()) text += text.empty() ? part : separator + part;
    return text;
}

// "2 021 C · 22 Si · 3 unknown"
std::string species_summary(const Detections& atoms) {
    std::map<int, int> counts;
    for (const Detection& atom : atoms) ++counts[atom.atomic_number];
    std::vector<std::string> parts;
    for (const auto& [z, count] : counts)
        if (z != 0) parts.push_back(fmt::format("{} {}", number(count, 0), element_symbol(z)));
    if (counts.count(0) != 0) parts.push_back(fmt::format("{} unknown", number(counts[0], 0)));
    return join(parts, " · ");
}

// "defects: 5-7-7-5, 2 × vacancy", or only how many where there are many kinds.
std::string defect_summary(const StructureAnalysis& analysis) {
    std::map<std::string, int> counts;
    for (const Defect& defect : analysis.defects) ++counts[defect.kind];
    if (counts.size() > 5) return count_of(analysis.defects.size(), "defect", "defects");
    std::vector<std::string> parts;
    parts.reserve(counts.size());
    for (const auto& [kind, count] : counts)
        parts.push_back(count == 1 ? escape_markup(kind)
                                   : fmt::format("{} × {}", count, escape_markup(kind)));
    return parts.empty() ? "" : "defects: " + join(parts, ", ");
}

// --- top of the page ---------------------------------------------------------------------------

std::vector<std::string> all_warnings(const ReportData& data) {
    std::vector<std::string> warnings = data.warnings;
    if (data.relaxation && !data.relaxation->converged) {
        const std::vector<double>& forces = data.relaxation->max_force_ev_per_angstrom;
        warnings.push_back(
            fmt::format("The relaxation did not reach its tolerance of {:g} eV/Å{}.",
                        data.relaxation->tolerance_ev_per_angstrom,
                        forces.empty() ? "" : fmt::format(": it stopped at {:.3g} eV/Å", forces.back())));
    }
    for (const ReportStage& stage : data.stages)
        if (stage.status == ReportStage::Status::failed)
            warnings.push_back(
                fmt::format("{} failed{}{}", stage.name, stage.note.empty() ? "." : ": ", stage.note));
    return warnings;
}

/// As sentences of the program are shown on the page, whose unit of length is Å.
std::string sentence(std::string text) {
    const std::string name = " angstrom";
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at))
        text.replace(at, name.size(), "\u00a0Å");
    return escape_markup(text);
}

std::string warnings_box(const ReportData& data) {
    const std::vector<std::string> warnings = all_warnings(data);
    if (warnings.empty()) return "";
    std::string html = fmt::format("<div class=\"warnings\" role=\"note\"><h2>{}</h2><ul>",
                                   count_of(warnings.size(), "thing to look at", "things to look at"));
    for (const std::string& warning : warnings) html += fmt::format("<li>{}</li>", sentence(warning));
    return html + "</ul></div>\n";
}

std::string stage_strip(const std::vector<ReportStage>& stages) {
    if (stages.empty()) return "";
    struct Look {
        const char *css, *mark, *text;
    };
    const auto look = [](ReportStage::Status status) -> Look {
        switch (status) {
            case ReportStage::Status::done:
                return {"done", "✓", ""};
            case ReportStage::Status::not_converged:
                return {"not_converged", "!", "not converged"};
            case ReportStage::Status::failed:
                return {"failed", "×", "failed"};
            case ReportStage::Status::not_run:
                break;
        }
        return {"not_run", "", "not run yet"};
    };
    std::string html = "<ol class=\"stages\">";
    for (const ReportStage& stage : stages) {
        const Look l = look(stage.status);
        const bool ran = stage.status != ReportStage::Status::not_run;
        const bool in_warnings = stage.status == ReportStage::Status::failed;
        const std::string details = join(
            {l.text, ran ? duration(stage.wall_seconds) : "", in_warnings ? "" : escape_markup(stage.note)},
            " · ");
        html += fmt::format(
            "<li class=\"{}\"><span class=\"mark\" aria-hidden=\"true\">{}</span>{} <small>{}</small></li>",
            l.css, l.mark, escape_markup(stage.name), details);
    }
    return html + "</ol>\n";
}

std::string overview(const Figures& figures, const ReportData& data) {
    std::vector<std::string> titles = {"Frame"};
    if (data.frame && !data.frame->atoms.empty()) titles.push_back("Atoms found");
    if (data.relaxation)
        titles.push_back("Relaxed");
    else if (data.build)
        titles.push_back("Built");
    for (const ReportDynamics& run : data.dynamics)
        if (run.last) {
            titles.push_back(fmt::format("Dynamics, {}", run.name));
            break;
        }
    std::string html;
    int shown = 0;
    for (std::size_t k = 0; k < titles.size(); ++k) {
        const auto found = figures.find(fmt::format("overview-{}", k + 1));
        if (found == figures.end()) continue;
        html += fmt::format("<figure><figcaption>{}</figcaption><div class=\"art\">{}</div></figure>",
                            escape_markup(titles[k]), found->second.svg);
        ++shown;
    }
    return shown < 2 ? "" : "<div class=\"overview\">" + html + "</div>\n";
}

struct Tile {
    std::string label, value, unit, note;
};

/// Without the first quarter, in which the thermostat brings the run to its temperature.
Spread settled_temperature(const ReportDynamics& run) {
    const auto first = run.temperature_k.begin() + static_cast<std::ptrdiff_t>(run.temperature_k.size() / 4);
    return spread_of({first, run.temperature_k.end()});
}

std::vector<Tile> headline_numbers(const ReportData& data) {
    std::vector<Tile> tiles;
    if (data.frame) {
        tiles.push_back({"Atoms found", number(static_cast<double>(data.frame->atoms.size()), 0), "",
                         species_summary(data.frame->atoms)});
        if (const auto& c = data.frame->calibration) {
            if (c->lattice_angstrom_per_px)
                tiles.push_back({"Lattice pixel size", number(*c->lattice_angstrom_per_px, 4), "Å/px",
                                 c->nominal_angstrom_per_px
                                     ? fmt::format("stated {} Å/px", number(*c->nominal_angstrom_per_px, 4))
                                     : std::string()});
            if (c->anisotropy_percent)
                tiles.push_back({"Scan anisotropy", number(*c->anisotropy_percent, 1), "%",
                                 c->applied ? "corrected" : "not corrected"});
        }
    }
    const std::vector<ReportState> states = report_states(data);
    const ReportState* rest = nullptr;
    for (const ReportState& state : states)
        if (state.label == "relaxed" || state.label == "built") rest = &state;
    if (rest != nullptr) {
        const auto& bonds = rest->content->analysis.bonds;
        if (const auto cc = bonds.find("C-C"); cc != bonds.end())
            tiles.push_back(
                {"Mean C–C bond, " + rest->label, number(cc->second.mean / units::angstrom, 3), "Å",
                 fmt::format("± {} Å over {} bonds",
                             number(cc->second.standard_deviation / units::angstrom, 3), cc->second.count)});
    }
    if (data.relaxation && !data.relaxation->energy_ev.empty()) {
        const ReportRelaxation& r = *data.relaxation;
        tiles.push_back({"Relaxation energy", number(r.energy_ev.back() - r.energy_ev.front(), 2), "eV",
                         fmt::format("in {}{}", count_of(r.energy_ev.size() - 1, "step", "steps"),
                                     r.straightened.empty() ? "" : ", after the force field")});
        if (!r.max_force_ev_per_angstrom.empty())
            tiles.push_back({"Largest force left", force_text(r.max_force_ev_per_angstrom.back()),
                             force_unit(r.max_force_ev_per_angstrom.back()),
                             fmt::format("{} {} {}", r.converged ? "tolerance" : "above the tolerance of",
                                         force_text(r.tolerance_ev_per_angstrom),
                                         force_unit(r.tolerance_ev_per_angstrom))});
    }
    for (const ReportDynamics& run : data.dynamics) {
        const std::string several = data.dynamics.size() > 1 ? ", " + run.name : "";
        if (!run.temperature_k.empty()) {
            const Spread t = settled_temperature(run);
            tiles.push_back(
                {"Temperature", number(t.mean, 0), "K",
                 fmt::format("± {} K after the first quarter{}", number(t.deviation, 0), several)});
        }
        if (run.drift_mev_per_atom_per_ps)
            tiles.push_back({"Drift", short_number(*run.drift_mev_per_atom_per_ps), "meV/atom/ps",
                             "of the conserved quantity" + several});
    }
    double seconds = 0;
    for (const ReportStage& stage : data.stages) seconds += stage.wall_seconds;
    if (seconds > 0) tiles.push_back({"Wall time", duration(seconds), "", "all stages"});
    return tiles;
}

std::string tiles_list(const ReportData& data) {
    std::string html;
    for (const Tile& tile : headline_numbers(data))
        html += fmt::format(
            "<div class=\"tile\"><dt>{}</dt><dd class=\"value\">{}{}</dd>{}</div>", escape_markup(tile.label),
            tile.value, tile.unit.empty() ? "" : fmt::format("<span class=\"unit\">{}</span>", tile.unit),
            tile.note.empty() ? "" : fmt::format("<dd class=\"note\">{}</dd>", escape_markup(tile.note)));
    return html.empty() ? "" : "<dl class=\"tiles\">" + html + "</dl>\n";
}

// --- sections ----------------------------------------------------------------------------------

std::string calibration_table(const ReportCalibration& c) {
    std::vector<Row> rows;
    const bool measured = c.lattice_angstrom_per_px.has_value();
    if (c.nominal_angstrom_per_px)
        rows.push_back({measured ? "stated pixel size" : "pixel size as given (no lattice used)",
                        number(*c.nominal_angstrom_per_px, 4) + " Å/px"});
    if (measured)
        rows.push_back({"pixel size from the lattice",
                        c.uncertainty_angstrom_per_px ? fmt::format("{} <small>± {}</small> Å/px",
                                                                    number(*c.lattice_angstrom_per_px, 5),
                                                                    number(*c.uncertainty_angstrom_per_px, 5))
                                                      : number(*c.lattice_angstrom_per_px, 4) + " Å/px"});
    if (c.smallest_angstrom_per_px && c.largest_angstrom_per_px)
        rows.push_back(
            {"along the principal axes", fmt::format("{} · {} Å/px", number(*c.smallest_angstrom_per_px, 4),
                                                     number(*c.largest_angstrom_per_px, 4))});
    if (c.anisotropy_percent) rows.push_back({"anisotropy", number(*c.anisotropy_percent, 2) + " %"});
    if (c.shear) rows.push_back({"shear", number(*c.shear, 4)});
    if (c.rotation_degree) rows.push_back({"rotation of the lattice", number(*c.rotation_degree, 2) + "°"});
    if (c.mean_cc_angstrom)
        rows.push_back({measured ? "mean C–C distance after correction" : "mean C–C distance",
                        number(*c.mean_cc_angstrom, 3) + " Å"});
    rows.push_back({"coordinates corrected", c.applied ? "yes" : "no"});
    return table({}, rows);
}

// One column for each detector.
std::string detector_table(const std::vector<ReportDetector>& detectors) {
    if (detectors.empty()) return "";
    Row head = {""};
    Row atoms = {"atoms"};
    for (const ReportDetector& detector : detectors) {
        head.push_back(escape_markup(detector.name));
        atoms.push_back(number(detector.n_atoms, 0));
    }
    std::vector<Row> rows = {atoms};
    struct Score {
        std::string name;
        std::optional<double> ReportDetector::*member;
        int decimals;
        std::string unit;
    };
    for (const Score& score : {Score{"precision", &ReportDetector::precision, 3, ""},
                               {"recall", &ReportDetector::recall, 3, ""},
                               {"F1", &ReportDetector::f1, 3, ""},
                               {"rms distance to the truth", &ReportDetector::rms_angstrom, 3, " Å"},
                               {"wall time", &ReportDetector::wall_seconds, 1, " s"}}) {
        Row row = {score.name};
        bool any = false;
        for (const ReportDetector& detector : detectors) {
            const std::optional<double>& value = detector.*score.member;
            any = any || value.has_value();
            row.push_back(value ? number(*value, score.decimals) + score.unit : "–");
        }
        if (any) rows.push_back(row);
    }
    return table(head, rows);
}

// What was done to the intensities has to be said where it is not obvious.
std::string contrast_caption(const Pixels& pixels) {
    const Contrast contrast = contrast_of(pixels);
    return contrast.gamma == 1 ? std::string()
                               : fmt::format("Dark parts are brightened (γ = {:.2f}).", contrast.gamma);
}

std::string frame_section(const ReportFrame& frame, const Figures& figures) {
    std::string toggles =
        "<div class=\"toggles\"><label><input type=\"checkbox\" id=\"show-atoms\" checked>atoms</label>";
    std::string rules = ".micrograph:has(#show-atoms:not(:checked)) .layer-atoms{display:none}";
    std::set<int> species;
    for (const Detection& atom : frame.atoms) species.insert(atom.atomic_number);
    if (species.size() > 1)
        for (const int z : species) {
            toggles += fmt::format("<label><input type=\"checkbox\" id=\"show-{0}\" checked>{1}</label>", z,
                                   z == 0 ? "unknown" : element_symbol(z));
            rules += fmt::format(".micrograph:has(#show-{0}:not(:checked)) .atoms-{0}{{display:none}}", z);
        }
    if (!frame.outline_px.empty()) {
        toggles += "<label><input type=\"checkbox\" id=\"show-outline\" checked>cut-out</label>";
        rules += ".micrograph:has(#show-outline:not(:checked)) .layer-outline{display:none}";
    }
    toggles += "</div>";

    const std::string source =
        frame.image.source.empty() ? "" : fmt::format("<code>{}</code>, ", escape_markup(frame.image.source));
    const std::string field =
        frame.pixel_size_angstrom > 0
            ? fmt::format(", {} × {} nm", number(0.1 * frame.image.width() * frame.pixel_size_angstrom, 1),
                          number(0.1 * frame.image.height() * frame.pixel_size_angstrom, 1))
            : std::string();
    const std::string lead =
        fmt::format("{}{} × {} pixels{}. {} found: {}.", source, frame.image.width(), frame.image.height(),
                    field, count_of(frame.atoms.size(), "atom", "atoms"),
                    frame.atoms.empty() ? "none" : species_summary(frame.atoms));
    const std::string picture =
        figures.count("frame") == 0
            ? std::string()
            : fmt::format("<style>{}</style><div class=\"micrograph\">{}{}</div>", rules, toggles,
                          figure(figures, "frame", contrast_caption(frame.image.pixels)));
    const std::string side =
        (frame.calibration ? block("Calibration", calibration_table(*frame.calibration)) : "") +
        block("Ways of finding atoms", detector_table(frame.detectors));
    return section("frame", "Frame and atoms", lead, columns(picture, side, "columns wide-left"));
}

std::string structure_facts(const ReportStructure& content) {
    int fixed = 0;
    for (int i = 0; i < content.structure.size(); ++i)
        if (content.structure.is_fixed(0, i) || content.structure.is_fixed(1, i) ||
            content.structure.is_fixed(2, i))
            ++fixed;
    const std::string defects = defect_summary(content.analysis);
    return fmt::format("{}, {} atoms{}{}{}", content.structure.formula(), number(content.structure.size(), 0),
                       content.structure.cell.is_periodic() ? ", periodic" : "",
                       fixed > 0 ? fmt::format(", {} held fixed", number(fixed, 0)) : std::string(),
                       defects.empty() ? std::string() : "; " + defects);
}

std::string messages_list(const std::vector<std::string>& messages) {
    if (messages.empty()) return "";
    std::string html = "<ul class=\"messages\">";
    for (const std::string& message : messages) html += fmt::format("<li>{}</li>", sentence(message));
    return html + "</ul>";
}

std::string build_section(const ReportData& data, const Figures& figures) {
    const std::string picture = figure(figures, "built", "");
    const std::string messages = block("What was done", messages_list(data.build->messages));
    const std::string lead = structure_facts(data.build->built) + ".";

    return section("build", "Structure", lead, columns(picture, messages));
}

std::string relaxation_section(const ReportRelaxation& relaxation, bool with_dynamics,
                               const Figures& figures) {
    std::vector<std::string> facts = {escape_markup(relaxation.straightened),
                                      escape_markup(relaxation.method), structure_facts(relaxation.after)};
    if (!relaxation.coordinates_text.empty()) facts.push_back(escape_markup(relaxation.coordinates_text));
    if (!relaxation.energy_ev.empty())
        facts.push_back(count_of(relaxation.energy_ev.size() - 1, "step", "steps"));
    facts.push_back(relaxation.converged
                        ? fmt::format("converged to {:g} eV/Å", relaxation.tolerance_ev_per_angstrom)
                        : std::string("<b>not converged</b>"));
    std::string moved;
    const Eigen::Matrix3Xd displacements = relaxation_displacements(relaxation) / units::angstrom;
    if (displacements.cols() != 0) {
        const Eigen::ArrayXd lengths = displacements.colwise().norm().array();
        moved = fmt::format(
            " Atoms move by {}\u00a0Å in the mean, {}\u00a0Å at most; out of the plane by {}\u00a0Å at most.",
            number(lengths.mean(), 3), number(lengths.maxCoeff(), 3),
            number(displacements.row(2).cwiseAbs().maxCoeff(), 3));
    }
    const auto height = [](const ReportStructure& content) {
        const auto z = content.structure.positions.row(2);
        return z.size() == 0 ? 0.0 : (z.maxCoeff() - z.minCoeff()) / units::angstrom;
    };
    std::string pictures =
        figure(
            figures, "before-relaxation",
            fmt::format(
                "<b>As built.</b>{}{}{} Corrugation {}\u00a0Å.",
                relaxation.before.structure.size() <= most_arrows ? " Arrows show where each atom goes." : "",
                moved, relaxation.straightened.empty() ? "" : " Moves by the force field are part of them.",
                number(height(relaxation.before), 2))) +
        figure(figures, "after-relaxation",
               fmt::format("<b>After.</b> The same window. Corrugation {}\u00a0Å.",
                           number(height(relaxation.after), 2)));
    return section(
        "relaxation", "Relaxation", join(facts, " · ") + ".",
        fmt::format("<div class=\"columns\">{}{}{}</div>", pictures,
                    figure(figures, "relaxation",
                           fmt::format("<b>Course of the relaxation{}.</b> Energy relative to the last step; "
                                       "largest force on a free coordinate.",
                                       relaxation.straightened.empty() ? "" : " after the force field")),
                    figure(figures, "bond-lengths",
                           with_dynamics ? "<b>C–C bond lengths</b> before and after, and over the dynamics."
                                         : "<b>C–C bond lengths</b> before and after.")));
}

std::string maps_section(const ReportData& data, const Figures& figures) {
    const ReportStructure* mapped = mapped_structure(data);
    if (mapped == nullptr) return "";
    const std::vector<Ring>& rings = mapped->analysis.rings;
    const bool hexagons_alone =
        std::all_of(rings.begin(), rings.end(), [](const Ring& ring) { return ring.size() == 6; });
    std::string content =
        figure(figures, "map-rings",
               hexagons_alone ? "<b>Rings.</b> All are hexagons."
                              : "<b>Rings.</b> Hexagons are left clear; all others are filled by size.") +
        figure(
            figures, "map-strain",
            "<b>Strain.</b> Mean strain of the C–C bonds around each ring, relative to the median bond: blue "
            "is compressed, red stretched.") +
        figure(figures, "map-height", "<b>Buckling.</b> Height over the plane that fits the carbon best.") +
        figure(figures, "map-charges", "<b>Charges.</b> Mulliken charge of each atom.");
    if (content.empty()) return "";
    std::string words;
    for (const std::string& sentence : maps_in_words(data)) words += "<li>" + sentence + "</li>";
    if (!words.empty()) content += "<ul class=\"messages\">" + words + "</ul>";
    const bool on_frame = data.frame && data.frame->pixel_of_bohr;
    return section("maps", "Maps",
                   fmt::format("The {} structure{}.", data.relaxation ? "relaxed" : "built",
                               on_frame ? ", each atom where it was found in the micrograph" : ""),
                   "<div class=\"columns\">" + content + "</div>");
}

std::string dynamics_section(const ReportData& data, const Figures& figures) {
    std::string content;
    for (std::size_t k = 0; k < data.dynamics.size(); ++k) {
        const ReportDynamics& run = data.dynamics[k];
        std::vector<Row> rows;
        if (!run.time_fs.empty())
            rows.push_back({"length", fmt::format("{:.4g} ps", 1e-3 * run.time_fs.back())});
        if (!run.temperature_k.empty()) {
            const Spread t = settled_temperature(run);
            rows.push_back(
                {"temperature after the first quarter",
                 fmt::format("{} <small>± {}</small> K", number(t.mean, 1), number(t.deviation, 1))});
        }
        if (run.target_k) rows.push_back({"target", number(*run.target_k, 0) + " K"});
        if (run.drift_mev_per_atom_per_ps)
            rows.push_back({"drift of the conserved quantity",
                            short_number(*run.drift_mev_per_atom_per_ps) + " meV/atom/ps"});
        if (!run.cc_lengths_angstrom.empty()) {
            const Spread b = spread_of(run.cc_lengths_angstrom);
            rows.push_back({"C–C bond", fmt::format("{} <small>± {}</small> Å", number(b.mean, 3),
                                                    number(b.deviation, 3))});
        }
        const std::string thermo = figure(figures, dynamics_figure("thermo", k), "");
        const std::string picture =
            figure(figures, dynamics_figure("structure", k),
                   run.snapshots.empty() ? "The last structure."
                                         : "The last structure, and where the atoms were at " +
                                               count_of(run.snapshots.size(), "instant", "instants") + ".");
        content += block(run.name + (run.method.empty() ? "" : " · " + run.method),
                         columns(thermo + table({}, rows), picture) + over_time_html(run, k, figures));
    }
    return content.empty() ? "" : section("dynamics", "Dynamics", "", content);
}

std::string swatch(const std::string& css) {
    return fmt::format(
        "<span class=\"swatch\"><svg class=\"sbf\" viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect "
        "class=\"{}\" width=\"12\" height=\"12\" rx=\"3\"/></svg></span>",
        css);
}

std::string structure_tables(const ReportData& data) {
    const std::vector<ReportState> states = report_states(data);
    if (states.empty()) return "";
    Row head = {""};
    for (const ReportState& state : states) head.push_back(escape_markup(state.label));
    std::set<int> sizes;
    std::set<std::string> pairs;
    std::set<std::string> kinds;
    std::set<std::pair<std::string, int>> neighbors;
    for (const ReportState& state : states) {
        const StructureAnalysis& a = state.content->analysis;
        for (const auto& [size, count] : a.ring_counts)
            if (count > 0) sizes.insert(size);
        for (const auto& [pair, s] : a.bonds) pairs.insert(pair);
        for (const Defect& defect : a.defects) kinds.insert(defect.kind);
        for (const auto& [element, numbers] : a.coordination)
            for (const auto& [n, count] : numbers) neighbors.insert({element, n});
    }
    const auto rows_of = [&](const auto& keys, const auto& name, const auto& value) {
        std::vector<Row> rows;
        for (const auto& key : keys) {
            Row row = {name(key)};
            for (const ReportState& state : states) row.push_back(value(state.content->analysis, key));
            rows.push_back(row);
        }
        return rows;
    };
    const std::vector<Row> rings = rows_of(
        sizes, [](int size) { return swatch(ring_class(size)) + fmt::format("{}-rings", size); },
        [](const StructureAnalysis& a, int size) {
            return number(a.ring_counts.count(size) != 0 ? a.ring_counts.at(size) : 0, 0);
        });
    const std::vector<Row> defects = rows_of(
        kinds, [](const std::string& kind) { return escape_markup(kind); },
        [](const StructureAnalysis& a, const std::string& kind) {
            return number(static_cast<double>(std::count_if(a.defects.begin(), a.defects.end(),
                                                            [&](const Defect& d) { return d.kind == kind; })),
                          0);
        });
    // The number of bonds stands with the pair, as often as it changes.
    const auto pair_name = [&](const std::string& pair) {
        std::vector<std::string> counts;
        for (const ReportState& state : states) {
            const auto found = state.content->analysis.bonds.find(pair);
            const std::string count =
                number(found == state.content->analysis.bonds.end() ? 0 : found->second.count, 0);
            if (counts.empty() || counts.back() != count) counts.push_back(count);
        }
        return fmt::format("{}<br><small>{} bonds</small>", escape_markup(pair), join(counts, " → "));
    };
    const std::vector<Row> bonds =
        rows_of(pairs, pair_name, [](const StructureAnalysis& a, const std::string& pair) {
            const auto found = a.bonds.find(pair);
            if (found == a.bonds.end()) return std::string("–");
            const Statistics& s = found->second;
            return fmt::format("{} <small>± {}</small><br><small>{} – {}</small>",
                               number(s.mean / units::angstrom, 3),
                               number(s.standard_deviation / units::angstrom, 3),
                               number(s.min / units::angstrom, 3), number(s.max / units::angstrom, 3));
        });
    const std::vector<Row> coordination = rows_of(
        neighbors,
        [](const std::pair<std::string, int>& key) {
            return fmt::format(
                "{} with {}", escape_markup(key.first),
                key.second == 1 ? std::string("1 neighbour") : fmt::format("{} neighbours", key.second));
        },
        [](const StructureAnalysis& a, const std::pair<std::string, int>& key) {
            const auto element = a.coordination.find(key.first);
            const bool there = element != a.coordination.end() && element->second.count(key.second) != 0;
            return number(there ? element->second.at(key.second) : 0, 0);
        });
    const std::string left = block("Rings", table(head, rings)) + block("Defects", table(head, defects));
    const std::string right =
        block("Bond lengths / Å", table(head, bonds)) + block("Coordination", table(head, coordination));
    if (left.empty() && right.empty()) return "";
    return section("analysis", "Rings, bonds, coordination", "", columns(left, right));
}

std::string provenance_section(const ReportProvenance& p, const Figures& figures,
                               const std::string& timings_note) {
    std::string facts;
    const auto fact = [&](const std::string& name, const std::string& value, bool code = false) {
        if (value.empty()) return;
        const std::string text =
            code ? fmt::format("<code>{}</code>", escape_markup(value)) : escape_markup(value);
        facts += fmt::format("<dt>{}</dt><dd>{}</dd>", escape_markup(name), text);
    };
    fact("version", p.git_hash.empty() ? p.version : join({p.version, "git " + p.git_hash}, ", "));
    fact("command", p.command, true);
    fact("date", p.date);
    fact("host", p.host);
    fact("threads", p.threads ? std::to_string(*p.threads) : "");
    fact("linear algebra", p.blas_kernel);
    fact("seed", p.seed ? std::to_string(*p.seed) : "");
    fact("parameter set", p.parameter_set);
    for (const auto& [name, value] : p.more) fact(name, value);
    for (const auto& [file, hash] : p.sha256) fact("SHA-256 of " + file, hash, true);
    std::string content = facts.empty() ? "" : "<dl class=\"facts\">" + facts + "</dl>";
    if (!p.config.empty())
        content += fmt::format("<details><summary>Configuration</summary><pre>{}</pre></details>",
                               escape_markup(p.config));
    const std::string timings =
        figure(figures, "timings", "<b>Wall time of each stage.</b> " + escape_markup(timings_note));
    if (content.empty() && timings.empty()) return "";

    return section("provenance", "How it was made", "", columns(timings, content));
}

}  // namespace

std::string report_page(const ReportData& data, const Figures& figures) {
    const std::string title = data.title.empty() ? "stembridge report" : data.title;
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width, "
        "initial-scale=1\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<div "
        "class=\"page\">\n<header>\n<h1>{}</h1>\n",
        escape_markup(title), page_css(), escape_markup(title));
    if (!data.subtitle.empty())
        html += fmt::format("<p class=\"subtitle\">{}</p>\n", escape_markup(data.subtitle));
    html += warnings_box(data) + stage_strip(data.stages) + overview(figures, data) + tiles_list(data) +
            "</header>\n<main>\n";
    if (data.frame) html += frame_section(*data.frame, figures);
    html += study_sections(data, true);
    html += viewer_section(data);
    if (data.build) html += build_section(data, figures);
    if (data.relaxation) html += relaxation_section(*data.relaxation, !data.dynamics.empty(), figures);
    html += maps_section(data, figures);
    if (!data.dynamics.empty()) html += dynamics_section(data, figures);
    html += study_sections(data, false);
    html +=
        structure_tables(data) + provenance_section(data.provenance, figures, data.published_timings_note);
    html += fmt::format(
        "</main>\n<footer>Numbers: report.json. Figures as files: "
        "figures/.</footer>\n</div>\n<script>{}</script>\n</body>\n</html>\n",
        page_script());
    return html;
}

}  // namespace stembridge::io
