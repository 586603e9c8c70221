// SPDX-License-Identifier: Apache-2.0
// The 3-D view of the report: structures and trajectories as numbers, drawn in the browser by three.js.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "report_parts.hpp"
#include "report_web.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/text_file.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

using nlohmann::json;

// Positions of atoms in all frames together; more would make the page heavy.
constexpr std::size_t most_positions = 60000;

// x, y, z of atom 0, of atom 1, ... in hundredths of an angstrom.
json coordinates(const Eigen::Matrix3Xd& positions) {
    json numbers = json::array();
    for (const double x : positions.reshaped()) numbers.push_back(std::lround(100 * x / units::angstrom));
    return numbers;
}

// Rings other than hexagons, which are what one looks for.
json odd_rings(const Structure& structure, const std::vector<Ring>& rings) {
    json out = json::array();
    for (const Ring& ring : rings) {
        if (ring.size() == 6) continue;
        json corners = coordinates(ring_positions(ring, structure));
        out.push_back({{"size", ring.size()}, {"corners", std::move(corners)}});
    }
    return out;
}

json frame_of(const Structure& structure, const std::vector<Ring>& rings) {
    return {{"atoms", coordinates(structure.positions)}, {"rings", odd_rings(structure, rings)}};
}

class SpeciesTable {
  public:
    std::size_t index_of(int z) {
        const auto at = std::find(numbers_.begin(), numbers_.end(), z);
        if (at != numbers_.end()) return static_cast<std::size_t>(at - numbers_.begin());
        numbers_.push_back(z);
        return numbers_.size() - 1;
    }
    json table() const {
        const BondCriteria criteria;
        json rows = json::array();
        for (const int z : numbers_) {
            json limits = json::array();
            for (const int other : numbers_)
                limits.push_back(std::lround(100 * criteria.limit(z, other) / units::angstrom));
            rows.push_back({{"symbol", element_symbol(z)},
                            {"css", element_class(z)},
                            {"radius", std::lround(100 * covalent_radius(z) / units::angstrom)},
                            {"limits", limits}});
        }
        return rows;
    }

  private:
    std::vector<int> numbers_;
};

json state_of(const std::string& label, const Structure& structure, SpeciesTable& species) {
    json state = {{"label", label}, {"species", json::array()}, {"frames", json::array()}};
    for (const int z : structure.atomic_numbers) state["species"].push_back(species.index_of(z));
    return state;
}

json states_of(const ReportData& data, SpeciesTable& species) {
    json states = json::array();
    for (const ReportState& state : report_states(data)) {
        const auto run =
            std::find_if(data.dynamics.begin(), data.dynamics.end(),
                         [&](const ReportDynamics& d) { return d.last && &*d.last == state.content; });
        const Structure& structure = state.content->structure;
        json entry = state_of(state.label, structure, species);
        if (run == data.dynamics.end() || run->snapshots.size() < 2) {
            entry["frames"].push_back(frame_of(structure, state.content->analysis.rings));
        } else {
            const std::size_t most =
                std::max<std::size_t>(2, most_positions / static_cast<std::size_t>(structure.size()));
            const std::size_t stride = (run->snapshots.size() + most - 1) / most;
            for (std::size_t k = 0; k < run->snapshots.size(); k += stride) {
                Structure snapshot = structure;
                snapshot.positions = run->snapshots[k];
                entry["frames"].push_back(frame_of(snapshot, find_rings(BondGraph(snapshot))));
            }
        }
        states.push_back(std::move(entry));
    }
    for (const ReportSection& section : data.sections)
        for (const ReportFilm& film : section.films) {
            if (film.frames.empty()) continue;
            json entry = state_of(film.label, film.frames.front(), species);
            for (const Structure& frame : film.frames)
                entry["frames"].push_back(frame_of(frame, find_rings(BondGraph(frame))));
            states.push_back(std::move(entry));
        }
    return states;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

// The browser draws what three.js can; the page carries the library in itself.
std::string library() {
    const std::filesystem::path folder = STEMBRIDGE_THREE_JS_FOLDER;
    std::string text;
    for (const char* file : {"three.min.js", "examples/js/controls/OrbitControls.js"}) {
        std::error_code ignored;
        if (folder.empty() || !std::filesystem::exists(folder / file, ignored)) return "";
        text += read_text(folder / file) + "\n";
    }
    return replaced(text, "</", "<\\/");  // text inside a script element must not end it
}

}  // namespace

std::string viewer_section(const ReportData& data) {
    SpeciesTable species;
    const json states = states_of(data, species);
    if (states.empty()) return "";
    const std::string three = library();
    if (three.empty()) return "";
    const json content = {{"states", states}, {"species", species.table()}, {"y_down", data.y_down}};
    return fmt::format(
        R"(<section id="view"><h2>In three dimensions</h2>
<div id="viewer"><div class="toggles"><label>structure <select></select></label><label><input type="checkbox" name="rings" checked="checked"/>rings</label><span class="film" hidden="hidden"><button type="button" name="play">play</button><input type="range" name="frame" min="0" value="0" aria-label="instant"/></span><span class="tools"><button type="button" data-tilt="0">from above</button><button type="button" data-tilt="35">aslant</button><button type="button" data-tilt="85">from the side</button></span></div>
<svg class="sbf" width="0" height="0" aria-hidden="true"><rect class="colors" width="0" height="0"/></svg>
<figure><div class="stage"></div><figcaption>Turn with the pointer or a finger, move with the right button, zoom with the wheel or two fingers. Rings that are no hexagons are filled.</figcaption></figure><p class="unavailable" hidden="hidden">This browser has no WebGL; the figures below show the same structures.</p></div>
<script type="application/json" id="viewer-data">{}</script><script id="viewer-library">{}</script><script id="viewer-script">{}</script></section>
)",
        replaced(content.dump(-1, ' ', false, json::error_handler_t::replace), "<", "\\u003c"), three,
        web::viewer_js);
}

}  // namespace stembridge::io
