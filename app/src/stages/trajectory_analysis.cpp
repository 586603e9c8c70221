// SPDX-License-Identifier: Apache-2.0
#include "stages/trajectory_analysis.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "stages/course.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/md/trajectory_analysis.hpp"
#include "stembridge/structure/coordinate_errors.hpp"
#include "stembridge/structure/tracking.hpp"

namespace stembridge::app {
namespace {

using nlohmann::json;

constexpr double degree = 180 / std::numbers::pi;
constexpr double square_angstrom = units::angstrom * units::angstrom;

/// Atoms counted from 1, separated by blanks.
std::string atom_list(std::vector<int> atoms) {
    for (int& atom : atoms) ++atom;
    return fmt::format("{}", fmt::join(atoms, " "));
}

void rings_over_time(Course& course, const TopologyTracker& tracker) {
    std::set<int> sizes;
    for (const auto& frame : tracker.frames())
        for (const auto& [size, count] : frame.ring_counts) sizes.insert(size);
    std::vector<std::string> columns = {course.time_column()};
    for (const int size : sizes) columns.push_back(fmt::format("rings_{}", size));
    for (const char* name : {"hole_area_angstrom2", "bonds", "fragments", "defects"})
        columns.emplace_back(name);
    Table table(columns);
    std::map<int, std::vector<double>> counts;
    std::vector<double> area;
    for (std::size_t k = 0; k < tracker.frames().size(); ++k) {
        const FrameTopology& frame = tracker.frames()[k];
        std::vector<std::string> row = {cell(course.time[k])};
        for (const int size : sizes) {
            const auto found = frame.ring_counts.find(size);
            const int count = found == frame.ring_counts.end() ? 0 : found->second;
            counts[size].push_back(count);
            row.push_back(cell(count));
        }
        area.push_back(frame.hole_area / square_angstrom);
        int defects = 0;
        for (const auto& [kind, count] : frame.defects) defects += count;
        row.insert(row.end(),
                   {cell(area.back()), cell(frame.n_bonds), cell(frame.n_fragments), cell(defects)});
        table.row(row);
    }
    course.result.tables.emplace_back("rings.csv", table.text());
    for (const auto& [size, values] : counts)
        course.result.numbers["ring_counts"][std::to_string(size)] = values;
    course.result.numbers["hole_area_angstrom2"] = area;
    const std::vector<double> none(course.time.size(), 0.0);
    const std::vector<double>& hexagons = counts.count(6) != 0 ? counts.at(6) : none;
    course.result.numbers["healing"] = {{"hexagons_first", hexagons.front()},
                                        {"hexagons_last", hexagons.back()},
                                        {"hole_area_first_angstrom2", area.front()},
                                        {"hole_area_last_angstrom2", area.back()}};

    io::CurvePlot plot{.name = "rings", .caption = "Rings against time", .x = course.time_axis, .panels = {}};
    plot.panel_height = 120;
    plot.panels.push_back({{.label = "hexagons", .counts = true}, {{"6", course.time, hexagons, 0}}, {}});
    io::Panel others{{.label = "other rings", .counts = true}, {}, {}};
    int color = 1;
    for (const auto& [size, values] : counts)
        if (size != 6 && others.curves.size() < 5)
            others.curves.push_back({std::to_string(size), course.time, values, color++});
    if (!others.curves.empty()) {
        others.y.low = 0;
        plot.panels.push_back(others);
    }
    if (*std::max_element(area.begin(), area.end()) > 0)
        plot.panels.push_back(
            {{.label = "area of holes / Å²", .low = 0}, {{"holes", course.time, area, 3}}, {}});
    course.draw(plot);
}

void defects_over_time(Course& course, const TopologyTracker& tracker) {
    const auto at_least = course.config.integer("analyze.least_frames");
    Table table({"id", "kind", "appeared", "last_seen", "frames", "from_start", "to_end", "became",
                 "x_angstrom", "y_angstrom", "atoms"});
    json list = json::array();
    std::vector<DefectTrack> shown;
    int brief = 0;
    for (const DefectTrack& track : tracker.defects()) {
        const Eigen::Vector3d at = track.centre / units::angstrom;
        table.row({cell(track.id), track.kind, cell(track.appeared), cell(track.last_seen),
                   cell(track.frames), cell(int{track.from_start}), cell(int{track.to_end}),
                   track.became ? cell(*track.became) : "", cell(at.x()), cell(at.y()),
                   atom_list(track.atoms)});
        if (track.frames < at_least) {
            ++brief;
            continue;
        }
        shown.push_back(track);
        std::vector<int> atoms = track.atoms;
        for (int& atom : atoms) ++atom;
        list.push_back({{"id", track.id},
                        {"kind", track.kind},
                        {course.time_key("appeared"), track.appeared},
                        {course.time_key("last_seen"), track.last_seen},
                        {"frames", track.frames},
                        {"from_start", track.from_start},
                        {"to_end", track.to_end},
                        {"became", track.became ? json(*track.became) : json(nullptr)},
                        {"center_angstrom", {at.x(), at.y(), at.z()}},
                        {"atoms", atoms}});
    }
    course.result.tables.emplace_back("defects.csv", table.text());
    course.result.numbers["defects"] = list;
    course.result.numbers["brief_defects"] = brief;
    if (shown.empty()) return;
    // One line per defect, the longest-lived ones.
    std::stable_sort(shown.begin(), shown.end(),
                     [](const DefectTrack& a, const DefectTrack& b) { return a.frames > b.frames; });
    constexpr std::size_t most = 14;
    if (shown.size() > most) shown.resize(most);
    std::stable_sort(shown.begin(), shown.end(),
                     [](const DefectTrack& a, const DefectTrack& b) { return a.appeared < b.appeared; });
    io::CurvePlot plot{
        .name = "defects", .caption = "Defects and when they were seen", .x = course.time_axis, .panels = {}};
    const auto rows = static_cast<double>(shown.size());
    plot.panel_height = std::max(60.0, 19 * rows);
    io::Panel panel{{.label = "defects", .low = 0.4, .high = rows + 0.6}, {}, {}};
    for (std::size_t k = 0; k < shown.size(); ++k) {
        const double y = rows - static_cast<double>(k);
        panel.y.ticks.emplace_back(y, fmt::format("{} ({})", shown[k].kind, shown[k].id));
        panel.curves.push_back(
            {"", {shown[k].appeared, shown[k].last_seen}, {y, y}, shown[k].to_end ? 0 : 1});
    }
    plot.panels.push_back(panel);
    course.draw(plot);
}

void bonds_over_time(Course& course, const TopologyTracker& tracker) {
    Table table({course.time_column(), "event", "pair", "atom_i", "atom_j", "length_angstrom"});
    std::map<std::string, int> counts;
    std::vector<double> formed(course.time.size(), 0), broken(course.time.size(), 0);
    std::size_t k = 0;
    for (const BondEvent& event : tracker.bond_events()) {
        std::string a = element_symbol(course.first().atomic_numbers[static_cast<std::size_t>(event.i)]);
        std::string b = element_symbol(course.first().atomic_numbers[static_cast<std::size_t>(event.j)]);
        if (b < a) std::swap(a, b);
        const std::string pair = a + "-" + b, what = event.formed ? "formed" : "broken";
        table.row({cell(event.time), what, pair, cell(event.i + 1), cell(event.j + 1),
                   cell(event.length / units::angstrom)});
        ++counts[what + " " + pair];
        while (course.time[k] < event.time) ++k;
        ++(event.formed ? formed : broken)[k];
    }
    course.result.tables.emplace_back("bond_events.csv", table.text());
    json& j = course.result.numbers["bond_events"];
    j = {{"formed", 0}, {"broken", 0}, {"by_pair", json::object()}};
    for (const auto& [name, count] : counts) j["by_pair"][name] = count;
    for (std::size_t f = 0; f < formed.size(); ++f) {
        j["formed"] = j["formed"].get<int>() + static_cast<int>(formed[f]);
        j["broken"] = j["broken"].get<int>() + static_cast<int>(broken[f]);
        if (f > 0) {
            formed[f] += formed[f - 1];
            broken[f] += broken[f - 1];
        }
    }
    if (tracker.bond_events().empty()) return;
    io::CurvePlot plot{.name = "bond-events",
                       .caption = "Bonds formed and broken since the start",
                       .x = course.time_axis,
                       .panels = {}};
    plot.panel_height = 130;
    plot.panels.push_back({{.label = "bonds since the start", .low = 0},
                           {{"broken", course.time, broken, 1}, {"formed", course.time, formed, 0}},
                           {}});
    course.draw(plot);
}

/// Bonds and angles of every ring that stands in half of the frames or in the last one.
void bonds_of_rings(Course& course, const TopologyTracker& tracker) {
    Table table({"ring", "size", "frames", "first", "last", "position", "atom", "bond_angstrom",
                 "bond_std_angstrom", "angle_degree", "angle_std_degree"});
    json list = json::array();
    int number = 0;
    std::map<int, std::pair<double, double>> by_size;  // size -> weight, sum of bonds
    for (const RingRecord& record : tracker.rings().records()) {
        auto& [weight, sum] = by_size[record.ring.size()];
        weight += record.frames;
        sum += record.frames * record.mean_bond;
        const bool lasting = 2 * record.frames >= tracker.rings().frames();
        if (!lasting && record.last < course.time.back()) continue;
        ++number;
        json ring = {{"ring", number},
                     {"size", record.ring.size()},
                     {"frames", record.frames},
                     {"mean_bond_angstrom", record.mean_bond / units::angstrom},
                     {"mean_angle_degree", record.mean_angle * degree}};
        for (int k = 0; k < record.ring.size(); ++k) {
            const auto p = static_cast<std::size_t>(k);
            table.row({cell(number), cell(record.ring.size()), cell(record.frames), cell(record.first),
                       cell(record.last), cell(k + 1), cell(record.ring.atoms[p] + 1),
                       cell(record.bond_means[p] / units::angstrom),
                       cell(record.bond_deviations[p] / units::angstrom),
                       cell(record.angle_means[p] * degree), cell(record.angle_deviations[p] * degree)});
            ring["atoms"].push_back(record.ring.atoms[p] + 1);
            ring["bonds_angstrom"].push_back(record.bond_means[p] / units::angstrom);
            ring["angles_degree"].push_back(record.angle_means[p] * degree);
        }
        if (record.ring.size() != 6) list.push_back(ring);  // hexagons are in the table
    }
    course.result.tables.emplace_back("ring_bonds.csv", table.text());
    course.result.numbers["odd_rings"] = list;
    for (const auto& [size, sums] : by_size)
        course.result.numbers["mean_bond_by_ring_size_angstrom"][std::to_string(size)] =
            sums.second / sums.first / units::angstrom;
}

}  // namespace

Course::Course(const io::Config& c, const std::vector<io::Frame>& f, std::string id_prefix)
    : config(c), frames(f), prefix(std::move(id_prefix)) {
    if (frames.empty()) throw InputError("the trajectory has no frames");
    std::vector<Structure> wrapped;
    for (const auto& frame : frames) wrapped.push_back(frame.structure);
    structures = md::unwrapped_frames(wrapped);
    const bool given = config.has("analyze.frame_spacing");
    has_time = given || std::all_of(frames.begin(), frames.end(),
                                    [](const auto& frame) { return frame.info.count("time_fs") != 0; });
    for (std::size_t k = 0; k < frames.size(); ++k) {
        const double number = static_cast<double>(k);
        if (given)
            time.push_back(number * config.quantity("analyze.frame_spacing") / units::femtosecond);
        else
            time.push_back(has_time ? frames[k].info.at("time_fs") : number);
    }
    if (has_time && time.size() > 1) {
        spacing_fs = (time.back() - time.front()) / static_cast<double>(time.size() - 1);
        for (std::size_t k = 1; k < time.size(); ++k)
            if (std::abs(time[k] - time[k - 1] - spacing_fs) > 1e-3 * spacing_fs) spacing_fs = 0;
    }
    time_axis.label = has_time ? "time / fs" : "frame";
    result.numbers["frames"] = frames.size();
    result.numbers[has_time ? "time_fs" : "frame_numbers"] = time;
    if (!has_time)
        result.notes.push_back(
            "The frames have no time: give it with --frame-spacing, e.g. \"10 fs\"; curves are over the "
            "number of the frame.");
}

void Course::draw(io::CurvePlot plot) {
    const std::string name = plot.name;
    plot.name = prefix + name;  // of the ids inside, which must differ on a page
    result.figures.push_back(io::draw(plot));
    result.figures.back().name = name;
}

TrajectoryAnalysis analyze_trajectory(const io::Config& config, const std::vector<io::Frame>& frames,
                                      const std::string& prefix) {
    Course course(config, frames, prefix);
    AnalysisOptions options;
    options.largest_ring = static_cast<int>(config.integer("analyze.largest_ring"));
    options.bonds.factor = config.number("analyze.bond_factor");
    TopologyTracker tracker(options, config.number("analyze.break_factor"),
                            static_cast<int>(config.integer("analyze.defect_memory")));
    for (std::size_t k = 0; k < frames.size(); ++k) tracker.update(course.time[k], course.structures[k]);
    rings_over_time(course, tracker);
    defects_over_time(course, tracker);
    bonds_over_time(course, tracker);
    bonds_of_rings(course, tracker);
    analyze_motion(course);
    course.result.numbers["notes"] = course.result.notes;
    return std::move(course.result);
}

TrajectoryAnalysis compare_coordinates(const Structure& found, const Structure& relaxed) {
    TrajectoryAnalysis result;
    const CoordinateErrors errors = coordinate_errors(found, relaxed);
    Table table({"atom", "element", "found_x_angstrom", "found_y_angstrom", "relaxed_x_angstrom",
                 "relaxed_y_angstrom", "relaxed_z_angstrom", "error_angstrom", "error_percent_of_bond"});
    for (std::size_t k = 0; k < errors.atoms.size(); ++k) {
        const auto c = static_cast<Eigen::Index>(k);
        const int z = relaxed.atomic_numbers[static_cast<std::size_t>(errors.atoms[k])];
        const Eigen::Vector3d to = errors.relaxed.col(c) / units::angstrom;
        const Eigen::Vector2d from = errors.found.col(c) / units::angstrom;
        table.row({cell(errors.atoms[k] + 1), element_symbol(z), cell(from.x()), cell(from.y()), cell(to.x()),
                   cell(to.y()), cell(to.z()), cell(errors.distances(c) / units::angstrom),
                   cell(errors.percent(c))});
    }
    result.tables.emplace_back("coordinates.csv", table.text());
    result.numbers = {{"atoms", errors.atoms.size()},
                      {"mean_angstrom", errors.mean_distance / units::angstrom},
                      {"rms_angstrom", errors.rms_distance / units::angstrom},
                      {"largest_angstrom", errors.largest_distance / units::angstrom},
                      {"mean_percent_of_bond", errors.mean_percent},
                      {"share_below_5_percent", errors.share_below_5_percent},
                      {"mean_bond_length_error_percent", errors.mean_bond_error}};
    io::Histogram plot{.name = "coordinates",
                       .caption = "Distance of found coordinates from relaxed ones",
                       .x = {.label = "distance in the plane / Å"},
                       .counted = "atoms",
                       .samples = {},
                       .bins = 30};
    std::vector<double> distances;
    for (const double d : errors.distances) distances.push_back(d / units::angstrom);
    plot.samples.push_back({"found against relaxed", distances, 0});
    result.figures.push_back(io::draw(plot));
    return result;
}

void write_analysis(const TrajectoryAnalysis& analysis, const std::filesystem::path& folder) {
    for (const auto& [name, text] : analysis.tables) io::write_text_atomically(folder / name, text);
    for (const io::Figure& figure : analysis.figures)
        io::write_text_atomically(folder / (figure.name + ".svg"), io::standalone_svg(figure));
    io::write_text_atomically(folder / "analysis.json", analysis.numbers.dump(1) + "\n");
}

}  // namespace stembridge::app
