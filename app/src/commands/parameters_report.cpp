// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "commands/parameters_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// Errors of every structure, fitted and kept out, as comma-separated values.
std::string errors_text(const dft::ParameterSet& set) {
    std::string text =
        "name,group,n_atoms,energy_error_hartree,force_rms_hartree_per_bohr,force_max_hartree_per_bohr,"
        "virial_rms_hartree,kept_out_energy_error_hartree,kept_out_force_rms_hartree_per_bohr,"
        "kept_out_virial_rms_hartree\n";
    const auto virial = [](const dft::StructureError& e) {
        return e.virial_rms ? fmt::format("{:.6f}", *e.virial_rms) : std::string();
    };
    for (std::size_t s = 0; s < set.fit->errors.size(); ++s) {
        const dft::StructureError& in = set.fit->errors[s];
        text += fmt::format("{},{},{},{:.6f},{:.6f},{:.6f},{},", in.name, in.group, in.n_atoms, in.energy,
                            in.force_rms, in.force_max, virial(in));
        if (set.left_out.empty()) {
            text += ",,\n";
            continue;
        }
        const dft::StructureError& out = set.left_out[s];
        text += fmt::format("{:.6f},{:.6f},{}\n", out.energy, out.force_rms, virial(out));
    }
    return text;
}

/// Errors of a group of structures.
struct Group {
    std::string name;
    int structures = 0;
    bool has_virial = false, was_kept_out = false;
    double energy = 0, force = 0, virial = 0;              ///< rms
    double out_energy = 0, out_force = 0, out_virial = 0;  ///< rms, the group kept out of the fit
    std::vector<double> force_errors, out_force_errors;    ///< hartree/bohr
};

std::vector<Group> groups_of(const dft::ParameterSet& set) {
    std::map<std::string, Group> sums;
    std::map<std::string, int> virials;
    for (std::size_t s = 0; s < set.fit->errors.size(); ++s) {
        const dft::StructureError& in = set.fit->errors[s];
        const dft::StructureError out = set.left_out.empty() ? dft::StructureError{} : set.left_out[s];
        Group& g = sums[in.group];
        g.was_kept_out = !set.left_out.empty();
        g.name = in.group;
        ++g.structures;
        g.energy += in.energy * in.energy;
        g.out_energy += out.energy * out.energy;
        g.force_errors.insert(g.force_errors.end(), in.force_errors.begin(), in.force_errors.end());
        g.out_force_errors.insert(g.out_force_errors.end(), out.force_errors.begin(), out.force_errors.end());
        if (in.virial_rms) {
            g.virial += *in.virial_rms * *in.virial_rms;
            g.out_virial += out.virial_rms ? *out.virial_rms * *out.virial_rms : 0;
            ++virials[in.group];
        }
    }
    const auto rms = [](const std::vector<double>& values) {
        double sum = 0;
        for (const double x : values) sum += x * x;
        return values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
    };
    std::vector<Group> groups;
    for (auto& [name, g] : sums) {
        g.energy = std::sqrt(g.energy / g.structures);
        g.out_energy = std::sqrt(g.out_energy / g.structures);
        g.force = rms(g.force_errors);
        g.out_force = rms(g.out_force_errors);
        if (const auto n = virials.find(name); n != virials.end()) {
            g.has_virial = true;
            g.virial = std::sqrt(g.virial / n->second);
            g.out_virial = std::sqrt(g.out_virial / n->second);
        }
        groups.push_back(std::move(g));
    }
    return groups;
}

/// Root-mean-square errors by group, as a Markdown table.
std::string summary_text(const std::vector<Group>& groups) {
    std::string text =
        "| group | structures | energy, hartree | forces, hartree/bohr | kept out: energy about its mean | "
        "kept out: forces | virial, hartree | kept out: virial |\n|---|---|---|---|---|---|---|---|\n";
    const auto number = [](bool known, double value) {
        return known ? fmt::format("{:.4f}", value) : std::string("-");
    };
    for (const Group& g : groups)
        text +=
            fmt::format("| {} | {} | {:.4f} | {:.4f} | {} | {} | {} | {} |\n", g.name, g.structures, g.energy,
                        g.force, number(g.was_kept_out, g.out_energy), number(g.was_kept_out, g.out_force),
                        number(g.has_virial, g.virial), number(g.has_virial && g.was_kept_out, g.out_virial));
    return text;
}

std::string pair_name(const dft::ElementPair& pair) {
    return element_symbol(pair.first) + "-" + element_symbol(pair.second);
}

/// V(r) and V'(r) from the shortest distance of the data to the cut-off, and where the data lie.
io::CurvePlot potential_plot(const dft::ElementPair& pair, const dft::RepulsivePotential& potential,
                             const std::vector<double>& distances) {
    const double shortest = *std::min_element(distances.begin(), distances.end());
    io::CurvePlot plot;
    plot.name = "potential-" + pair_name(pair);
    plot.caption = fmt::format("Repulsive potential of {}, its slope, and the distances that determine it",
                               pair_name(pair));
    plot.x = {"distance / angstrom"};
    io::Curve energy{"V", {}, {}, 0}, slope{"dV/dr", {}, {}, 1}, counts{"distances of the data", {}, {}, 2};
    constexpr int n_points = 400, n_bins = 60;
    for (int k = 0; k <= n_points; ++k) {
        const double r = shortest + (potential.cutoff() - shortest) * k / n_points;
        const auto [v, derivative, curvature] = potential.evaluate(r);
        energy.x.push_back(r / units::angstrom);
        slope.x.push_back(r / units::angstrom);
        energy.y.push_back(v / units::electronvolt);
        slope.y.push_back(derivative / (units::electronvolt / units::angstrom));
    }
    std::vector<double> bins(n_bins, 0);
    const double width = (potential.cutoff() - shortest) / n_bins;
    for (const double r : distances)
        ++bins[static_cast<std::size_t>(std::clamp(static_cast<int>((r - shortest) / width), 0, n_bins - 1))];
    for (int b = 0; b < n_bins; ++b)
        for (const int edge : {0, 1}) {
            counts.x.push_back((shortest + (b + edge) * width) / units::angstrom);
            counts.y.push_back(bins[static_cast<std::size_t>(b)]);
        }
    plot.panels = {{{"V / eV"}, {energy}, {}},
                   {{"dV/dr / eV/angstrom"}, {slope}, {}},
                   {{"distances", io::Scale::linear, 0.0}, {counts}, {}}};
    plot.panel_height = 150;
    return plot;
}

io::Histogram force_histogram(const std::string& name, const std::string& what, const std::vector<double>& in,
                              const std::vector<double>& out) {
    constexpr double unit = units::electronvolt / units::angstrom;
    std::vector<double> fitted, kept_out, sizes;
    for (const double x : in) fitted.push_back(x / unit);
    for (const double x : out) kept_out.push_back(x / unit);
    for (const std::vector<double>* values : {&fitted, &kept_out})
        for (const double x : *values) sizes.push_back(std::abs(x));
    // The range holds 99.5 % of the errors; the few beyond stand in the table.
    const auto at =
        sizes.begin() + static_cast<std::ptrdiff_t>(0.995 * static_cast<double>(sizes.size() - 1));
    std::nth_element(sizes.begin(), at, sizes.end());
    const double range = std::max(*at, 1e-3);
    io::Histogram plot;
    plot.name = name;
    plot.caption = fmt::format("Errors of the force components: {}", what);
    plot.x = {"fit - PBE / eV/angstrom", io::Scale::linear, -range, range};
    plot.counted = "force components";
    plot.samples = {{"fitted", fitted, 0}};
    if (!kept_out.empty()) plot.samples.push_back({"kept out of the fit", kept_out, 1});
    plot.bins = 41;
    return plot;
}

std::string page(const std::string& name, const std::vector<Group>& groups,
                 const std::vector<std::pair<std::string, std::vector<io::Figure>>>& sections) {
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n<style>\n"
        "body {{ font: 15px/1.5 sans-serif; max-width: 1120px; margin: 2em auto; padding: 0 1em; }}\n"
        "table {{ border-collapse: collapse; }} th, td {{ padding: 2px 10px; text-align: right; "
        "border-bottom: 1px solid #ddd; }} th:first-child, td:first-child {{ text-align: left; }}\n"
        ".figures {{ display: flex; flex-wrap: wrap; gap: 24px; }} figure {{ margin: 0; }}\n"
        "figcaption {{ max-width: 520px; color: #555; }}\n{1}</style></head><body>\n<h1>{0}</h1>\n"
        "<p>Root-mean-square errors against PBE; kept out = the fit was repeated without the whole group, "
        "energies of a kept-out group are taken about their mean.</p>\n"
        "<table><tr><th>group</th><th>structures</th><th>energy / hartree</th><th>forces / "
        "hartree/bohr</th><th>kept out: energy</th><th>kept out: forces</th><th>virial / hartree</th></tr>\n",
        io::escape_markup(name), io::figure_css());
    for (const Group& g : groups)
        html += fmt::format(
            "<tr><td>{}</td><td>{}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</td><td>{}</"
            "td>"
            "</tr>\n",
            io::escape_markup(g.name), g.structures, g.energy, g.force, g.out_energy, g.out_force,
            g.has_virial ? fmt::format("{:.4f}", g.virial) : "");
    html += "</table>\n";
    for (const auto& [title, figures] : sections) {
        html += fmt::format("<h2>{}</h2>\n<div class=\"figures\">\n", io::escape_markup(title));
        for (const io::Figure& figure : figures)
            html += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", figure.svg,
                                io::escape_markup(figure.caption));
        html += "</div>\n";
    }
    return html + "</body></html>\n";
}

}  // namespace

void write_parameters_report(const fs::path& folder, const std::string& name, const dft::ParameterSet& set) {
    const std::vector<Group> groups = groups_of(set);
    io::write_text_atomically(folder / "errors.csv", errors_text(set));
    io::write_text_atomically(folder / "errors.md", summary_text(groups));

    std::vector<std::pair<std::string, std::vector<io::Figure>>> sections(3);
    sections[0].first = "Potentials";
    for (const auto& [pair, potential] : set.fit->potentials)
        sections[0].second.push_back(io::draw(potential_plot(pair, potential, set.fit->distances.at(pair))));

    sections[1].first = "All structures";
    std::vector<double> fitted, kept_out;
    io::BarChart bars;
    bars.name = "groups";
    bars.caption = "Forces of each group when it is kept out of the fit";
    bars.axis = "rms error / eV/angstrom";
    for (const Group& g : groups) {
        fitted.insert(fitted.end(), g.force_errors.begin(), g.force_errors.end());
        kept_out.insert(kept_out.end(), g.out_force_errors.begin(), g.out_force_errors.end());
        if (!g.was_kept_out) continue;
        const double error = g.out_force / (units::electronvolt / units::angstrom);
        bars.bars.push_back({g.name, error, fmt::format("{:.2f}", error)});
    }
    sections[1].second = {io::draw(force_histogram("forces", "all structures", fitted, kept_out))};
    if (!bars.bars.empty()) sections[1].second.push_back(io::draw(bars));
    io::Histogram energies;
    energies.name = "energies";
    energies.caption = "Errors of the energies per atom";
    energies.x = {"fit - PBE / meV per atom"};
    energies.counted = "structures";
    energies.bins = 41;
    io::Sample in{"fitted", {}, 0}, out{"kept out of the fit", {}, 1};
    for (std::size_t s = 0; s < set.fit->errors.size(); ++s) {
        const double unit = 1e-3 * units::electronvolt * set.fit->errors[s].n_atoms;
        in.values.push_back(set.fit->errors[s].energy / unit);
        if (!set.left_out.empty()) out.values.push_back(set.left_out[s].energy / unit);
    }
    energies.samples = {in};
    if (!out.values.empty()) energies.samples.push_back(out);
    sections[1].second.push_back(io::draw(energies));

    sections[2].first = "Groups";
    for (const Group& g : groups)
        if (g.force > 0)
            sections[2].second.push_back(
                io::draw(force_histogram("forces-" + g.name, g.name, g.force_errors, g.out_force_errors)));

    for (const auto& [title, figures] : sections)
        for (const io::Figure& figure : figures)
            io::write_text_atomically(folder / "report" / (figure.name + ".svg"), io::standalone_svg(figure));
    io::write_text_atomically(folder / "report" / "index.html", page(name, groups, sections));
}

}  // namespace stembridge::app
