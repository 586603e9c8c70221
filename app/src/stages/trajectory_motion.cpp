// SPDX-License-Identifier: Apache-2.0
// How the atoms of a trajectory move: displacements, pair distances, melting, vibrations, charges.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "stages/course.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/md/trajectory_analysis.hpp"
#include "stembridge/structure/analysis.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge::app {
namespace {

using nlohmann::json;

constexpr double square_angstrom = units::angstrom * units::angstrom;

void displacements(Course& course) {
    const Eigen::Matrix3Xd squares = md::mean_square_displacements(course.structures) / square_angstrom;
    std::vector<std::string> columns = {course.time_column(), "x_angstrom2", "y_angstrom2", "z_angstrom2",
                                        "total_angstrom2"};
    const std::set<int> elements(course.first().atomic_numbers.begin(), course.first().atomic_numbers.end());
    std::vector<Eigen::Matrix3Xd> by_element;
    for (const int z : elements) {
        std::vector<int> atoms;
        for (int i = 0; i < course.first().size(); ++i)
            if (course.first().atomic_numbers[static_cast<std::size_t>(i)] == z) atoms.push_back(i);
        by_element.push_back(md::mean_square_displacements(course.structures, atoms) / square_angstrom);
        columns.push_back(element_symbol(z) + "_angstrom2");
    }
    Table table(columns);
    std::vector<std::vector<double>> axes(3);
    std::vector<double> total;
    for (Eigen::Index f = 0; f < squares.cols(); ++f) {
        std::vector<std::string> row = {cell(course.time[static_cast<std::size_t>(f)])};
        for (int axis = 0; axis < 3; ++axis) {
            axes[static_cast<std::size_t>(axis)].push_back(squares(axis, f));
            row.push_back(cell(squares(axis, f)));
        }
        total.push_back(squares.col(f).sum());
        row.push_back(cell(total.back()));
        for (const auto& element : by_element) row.push_back(cell(element.col(f).sum()));
        table.row(row);
    }
    course.result.tables.emplace_back("msd.csv", table.text());
    course.result.numbers["msd_angstrom2"] = {
        {"x", axes[0]}, {"y", axes[1]}, {"z", axes[2]}, {"total", total}};
    if (course.frames.size() < 2) return;
    io::CurvePlot plot{.name = "msd",
                       .caption = "Mean square displacement from the first frame",
                       .x = course.time_axis,
                       .panels = {}};
    plot.panel_height = 150;
    plot.panels.push_back(
        {{.label = "mean square displacement / Å²", .low = 0},
         {{"x", course.time, axes[0], 0}, {"y", course.time, axes[1], 1}, {"z", course.time, axes[2], 2}},
         {}});
    course.draw(plot);
}

void pair_distances(Course& course) {
    constexpr double width = 0.02 * units::angstrom, longest = 6 * units::angstrom;
    // Neighbouring frames say the same: some hundreds are enough.
    std::vector<Structure> some;
    const std::size_t stride = std::max<std::size_t>(1, course.structures.size() / 200);
    for (std::size_t k = 0; k < course.structures.size(); k += stride) some.push_back(course.structures[k]);
    const auto distributions = md::radial_distributions(some, longest, width);
    if (distributions.empty()) return;
    std::vector<std::string> columns = {"r_angstrom"};
    for (const auto& [pair, d] : distributions) {
        columns.push_back(pair + "_per_angstrom");
        columns.push_back(pair + "_coordination");
        if (!d.g.empty()) columns.push_back(pair + "_g");
    }
    Table table(columns);
    const std::size_t bins = distributions.begin()->second.neighbors.size();
    std::vector<double> r;
    for (std::size_t k = 0; k < bins; ++k) {
        r.push_back((static_cast<double>(k) + 0.5) * width / units::angstrom);
        std::vector<std::string> row = {cell(r.back())};
        for (const auto& [pair, d] : distributions) {
            row.push_back(cell(d.neighbors[k] * units::angstrom));
            row.push_back(cell(d.coordination[k]));
            if (!d.g.empty()) row.push_back(cell(d.g[k]));
        }
        table.row(row);
    }
    course.result.tables.emplace_back("pair_distances.csv", table.text());
    io::CurvePlot plot{.name = "pair-distances",
                       .caption = "Radial distribution: neighbours per atom and angstrom",
                       .x = {.label = "distance / Å", .low = 0.8},
                       .panels = {}};
    plot.panel_height = 150;
    io::Panel panel{{.label = "neighbours per Å", .low = 0}, {}, {}};
    int color = 0;
    for (const auto& [pair, d] : distributions) {
        const auto dash = pair.find('-');
        if (pair.substr(0, dash) > pair.substr(dash + 1) || panel.curves.size() == 4) continue;
        io::Curve curve{.label = pair, .x = r, .y = {}, .color = color++};
        for (const double value : d.neighbors) curve.y.push_back(value * units::angstrom);
        panel.curves.push_back(curve);
        const auto top = std::max_element(d.neighbors.begin(), d.neighbors.end()) - d.neighbors.begin();
        course.result.numbers["pair_distances"][pair] = {
            {"highest_at_angstrom", r[static_cast<std::size_t>(top)]}};
    }
    plot.panels.push_back(panel);
    course.draw(plot);
}

void lindemann(Course& course) {
    std::vector<Bond> pairs;
    for (const Bond& bond : BondGraph(course.first()).bonds()) pairs.push_back(bond);
    if (course.frames.size() < 2 || pairs.empty()) return;
    json& j = course.result.numbers["lindemann"];
    j["whole"] = md::lindemann_index(course.structures, pairs);
    // Over tenths of the run, to see when it melts.
    constexpr std::size_t windows = 10;
    if (course.frames.size() < 4 * windows) return;
    io::Curve curve{.label = "bonds of the first frame", .x = {}, .y = {}, .color = 0};
    for (std::size_t w = 0; w < windows; ++w) {
        const std::size_t begin = w * course.structures.size() / windows,
                          end = (w + 1) * course.structures.size() / windows;
        const std::vector<Structure> part(course.structures.begin() + static_cast<long>(begin),
                                          course.structures.begin() + static_cast<long>(end));
        curve.x.push_back((course.time[begin] + course.time[end - 1]) / 2);
        curve.y.push_back(md::lindemann_index(part, pairs));
    }
    j["windows"] = curve.y;
    io::CurvePlot plot{.name = "lindemann",
                       .caption = "Lindemann index of the first frame's bonds over tenths of the run",
                       .x = course.time_axis,
                       .panels = {}};
    plot.panel_height = 120;
    plot.panels.push_back({{.label = "Lindemann index", .low = 0}, {curve}, {{"melting", 0.1}}});
    course.draw(plot);
}

/// The highest vibrations that bonds of these elements have, cm^-1.
double stiffest_bond_cm1(const Structure& structure) {
    return structure.count(1) > 0 ? 3300 : 2300;  // C-H, triple bonds of C
}

void vibrations_of(Course& course) {
    const bool velocities =
        std::all_of(course.structures.begin(), course.structures.end(),
                    [](const Structure& s) { return s.velocities.cols() == s.size() && s.size() > 0; });
    if (course.frames.size() < 32 || !velocities || course.spacing_fs == 0) {
        course.result.notes.push_back(
            "No vibrational density of states: it needs at least 32 frames with velocities, evenly spaced in "
            "time.");
        return;
    }
    const auto lags =
        static_cast<int>(std::min(2000.0 / course.spacing_fs, static_cast<double>(course.frames.size()) / 2));
    const double spacing = course.spacing_fs * units::femtosecond;
    constexpr double cm1 = units::inverse_centimetre;
    std::vector<std::pair<std::string, md::VibrationalDensity>> densities;
    densities.emplace_back("all", md::vibrational_density(course.structures, spacing, lags));
    const std::set<int> elements(course.first().atomic_numbers.begin(), course.first().atomic_numbers.end());
    if (elements.size() > 1)
        for (const int z : elements) {
            std::vector<int> atoms;
            for (int i = 0; i < course.first().size(); ++i)
                if (course.first().atomic_numbers[static_cast<std::size_t>(i)] == z) atoms.push_back(i);
            densities.emplace_back(element_symbol(z),
                                   md::vibrational_density(course.structures, spacing, lags, atoms));
        }
    const md::VibrationalDensity& all = densities.front().second;
    std::vector<std::string> columns = {"wavenumber_cm1"};
    for (const auto& [name, density] : densities) columns.push_back(name + "_per_cm1");
    Table table(columns);
    for (std::size_t k = 0; k < all.frequencies.size(); ++k) {
        std::vector<std::string> row = {cell(all.frequencies[k] / cm1)};
        for (const auto& [name, density] : densities) row.push_back(cell(density.density[k] * cm1));
        table.row(row);
    }
    course.result.tables.emplace_back("vibrations.csv", table.text());
    const double highest = all.highest / cm1, needed = stiffest_bond_cm1(course.first());
    const bool all_in_range = highest >= needed;
    const auto top = std::max_element(all.density.begin(), all.density.end()) - all.density.begin();
    course.result.numbers["vibrational_density"] = {
        {"highest_wavenumber_cm1", highest},
        {"resolution_cm1", all.resolution / cm1},
        {"peak_cm1",
         all_in_range ? json(all.frequencies[static_cast<std::size_t>(top)] / cm1) : json(nullptr)}};
    if (!all_in_range) {
        course.result.notes.push_back(
            fmt::format("No picture of the vibrational density of states: frames are {:.3g} fs apart, which "
                        "puts vibrations above {:.0f} cm⁻¹ at wrong places. Bonds of these elements reach "
                        "{:.0f} cm⁻¹ and need frames every {:.0f} fs (md.trajectory_every).",
                        course.spacing_fs, highest, needed, std::floor(1e15 / (2 * 2.99792458e10 * needed))));
        return;
    }
    io::CurvePlot plot{.name = "vibrations",
                       .caption = "Vibrational density of states from velocities",
                       .x = {.label = "wavenumber / cm⁻¹", .low = 0, .high = std::min(highest, 3500.0)},
                       .panels = {}};
    plot.panel_height = 150;
    io::Panel panel{{.label = "density of states / 10⁻³ cm", .low = 0}, {}, {}};
    int color = 0;
    for (const auto& [name, density] : densities) {
        io::Curve curve{.label = name, .x = {}, .y = {}, .color = color, .faint = color > 0};
        for (std::size_t k = 0; k < density.frequencies.size(); ++k) {
            if (density.frequencies[k] / cm1 > std::min(highest, 3500.0)) break;
            curve.x.push_back(density.frequencies[k] / cm1);
            curve.y.push_back(1e3 * density.density[k] * cm1);
        }
        ++color;
        panel.curves.push_back(curve);
    }
    plot.panels.push_back(panel);
    course.draw(plot);
}

void charges(Course& course) {
    const bool charged = std::all_of(course.frames.begin(), course.frames.end(), [](const io::Frame& frame) {
        const auto found = frame.arrays.find("charges");
        return found != frame.arrays.end() && found->second.size() == frame.structure.size();
    });
    const bool magnetic = std::all_of(course.frames.begin(), course.frames.end(), [](const io::Frame& frame) {
        return frame.info.count("magnetization") != 0;
    });
    if (!charged && !magnetic) return;
    const std::set<int> elements(course.first().atomic_numbers.begin(), course.first().atomic_numbers.end());
    std::vector<std::string> columns = {course.time_column()};
    if (charged)
        for (const int z : elements)
            for (const char* what : {"_mean_e", "_min_e", "_max_e"})
                columns.push_back(element_symbol(z) + what);
    if (magnetic) columns.emplace_back("magnetization");
    Table table(columns);
    std::map<int, std::array<std::vector<double>, 3>> curves;
    std::vector<double> magnetization;
    for (std::size_t f = 0; f < course.frames.size(); ++f) {
        std::vector<std::string> row = {cell(course.time[f])};
        if (charged) {
            const Eigen::MatrixXd& q = course.frames[f].arrays.at("charges");
            for (const int z : elements) {
                std::vector<double> values;
                for (int i = 0; i < course.first().size(); ++i)
                    if (course.first().atomic_numbers[static_cast<std::size_t>(i)] == z)
                        values.push_back(q.reshaped()(i));
                const Statistics s = statistics_of(values);
                auto& curve = curves[z];
                curve[0].push_back(s.mean);
                curve[1].push_back(s.min);
                curve[2].push_back(s.max);
                row.insert(row.end(), {cell(s.mean), cell(s.min), cell(s.max)});
            }
        }
        if (magnetic) {
            magnetization.push_back(course.frames[f].info.at("magnetization"));
            row.push_back(cell(magnetization.back()));
        }
        table.row(row);
    }
    course.result.tables.emplace_back("charges.csv", table.text());
    io::CurvePlot plot{
        .name = "charges", .caption = "Charges against time", .x = course.time_axis, .panels = {}};
    plot.panel_height = 130;
    if (charged) {
        io::Panel panel{{.label = "charge / e (mean, extremes)"}, {}, {}};
        int color = 0;
        for (const auto& [z, curve] : curves) {
            if (color == 4) break;
            const std::string name = element_symbol(z);
            panel.curves.push_back({name, course.time, curve[0], color});
            panel.curves.push_back({"", course.time, curve[1], color, true});
            panel.curves.push_back({"", course.time, curve[2], color, true});
            course.result.numbers["charges_e"][name] = {
                {"mean", statistics_of(curve[0]).mean},
                {"min", *std::min_element(curve[1].begin(), curve[1].end())},
                {"max", *std::max_element(curve[2].begin(), curve[2].end())}};
            ++color;
        }
        plot.panels.push_back(panel);
    }
    if (magnetic) {
        plot.panels.push_back(
            {{.label = "magnetisation / electrons"}, {{"up - down", course.time, magnetization, 4}}, {}});
        course.result.numbers["magnetization"] = magnetization;
    }
    if (course.frames.size() > 1) course.draw(plot);
}

}  // namespace

void analyze_motion(Course& course) {
    displacements(course);
    pair_distances(course);
    lindemann(course);
    vibrations_of(course);
    charges(course);
}

}  // namespace stembridge::app
