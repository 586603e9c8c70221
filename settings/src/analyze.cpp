// SPDX-License-Identifier: Apache-2.0
#include "stembridge/settings/analyze.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "stembridge/base/units.hpp"

namespace stembridge::settings {

std::string to_json(const StructureAnalysis& a, int first) {
    nlohmann::json j = {{"ring_counts", nlohmann::json::object()},
                        {"defects", nlohmann::json::array()},
                        {"bonds", nlohmann::json::object()},
                        {"angles", nlohmann::json::object()},
                        {"coordination", nlohmann::json::object()},
                        {"bonds_by_ring_size", nlohmann::json::object()},
                        {"fragments", a.n_fragments},
                        {"adsorbed", nlohmann::json::array()}};
    for (const auto& [size, count] : a.ring_counts) j["ring_counts"][std::to_string(size)] = count;
    for (const Defect& defect : a.defects) {
        std::vector<int> atoms = defect.atoms;
        for (int& atom : atoms) atom += first;
        j["defects"].push_back({{"kind", defect.kind},
                                {"atoms", atoms},
                                {"center_angstrom",
                                 {defect.centre.x() / units::angstrom, defect.centre.y() / units::angstrom,
                                  defect.centre.z() / units::angstrom}}});
    }
    const auto lengths = [](const Statistics& s) -> nlohmann::json {
        return {{"count", s.count},
                {"mean_angstrom", s.mean / units::angstrom},
                {"std_angstrom", s.standard_deviation / units::angstrom},
                {"min", s.min / units::angstrom},
                {"max", s.max / units::angstrom}};
    };
    for (const auto& [pair, statistics] : a.bonds) j["bonds"][pair] = lengths(statistics);
    for (const auto& [size, pairs] : a.bonds_by_ring_size)
        for (const auto& [pair, statistics] : pairs)
            j["bonds_by_ring_size"][std::to_string(size)][pair] = lengths(statistics);
    for (const auto& [center, s] : a.angles) {
        const double degree = 180 / M_PI;
        j["angles"][center] = {{"count", s.count},
                               {"mean_degree", s.mean * degree},
                               {"std_degree", s.standard_deviation * degree},
                               {"min", s.min * degree},
                               {"max", s.max * degree}};
    }
    for (const auto& [element, histogram] : a.coordination)
        for (const auto& [neighbours, count] : histogram)
            j["coordination"][element][std::to_string(neighbours)] = count;
    for (const int atom : a.adsorbed) j["adsorbed"].push_back(atom + first);
    return j.dump();
}

}  // namespace stembridge::settings
