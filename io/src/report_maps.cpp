// SPDX-License-Identifier: Apache-2.0
// Where in the sheet: rings, strain, height and charges of the structure, laid over the micrograph.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report_parts.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/field_map.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

/// Where a structure is drawn: each atom at the pixel of the frame where it was found, where that is known,
/// else seen from above in angstrom.
class Plane {
  public:
    Plane(const ReportData& data, const Structure& structure) : y_down_(data.y_down), places_(structure) {
        if (!data.frame || !data.frame->pixel_of_bohr || data.frame->image.pixels.size() == 0) return;
        map_ = *data.frame->pixel_of_bohr;
        frame_ = &*data.frame;
        // A sheet that buckled no longer lies over its picture; as it was built it does.
        if (data.relaxation && data.relaxation->before.structure.atomic_numbers == structure.atomic_numbers)
            places_ = data.relaxation->before.structure;
    }
    Eigen::Vector2d of(int atom) const { return of(places_.positions.col(atom)); }
    /// Of an image of an atom.
    Eigen::Vector2d of(int atom, const std::array<int, 3>& image) const {
        const Eigen::Vector3d shift =
            places_.cell.vectors * Eigen::Map<const Eigen::Vector3i>(image.data()).cast<double>();
        return of(places_.positions.col(atom) + shift);
    }
    /// Corners of a ring.
    Eigen::Matrix2Xd of(const Ring& ring) const {
        const Eigen::Matrix3Xd corners = ring_positions(ring, places_);
        Eigen::Matrix2Xd result(2, corners.cols());
        for (Eigen::Index k = 0; k < corners.cols(); ++k) result.col(k) = of(corners.col(k));
        return result;
    }
    /// Units of the plane in an angstrom, in the mean over the directions.
    double units_per_angstrom() const {
        return std::sqrt(std::abs(map_.leftCols<2>().determinant())) * units::angstrom;
    }
    /// A map without content: window around atoms and rings, and the micrograph under it.
    FieldMap empty_map(const std::vector<Ring>& rings) const {
        FieldMap map;
        Eigen::Array2d low = Eigen::Array2d::Constant(std::numeric_limits<double>::infinity()), high = -low;
        const auto include = [&](const Eigen::Vector2d& at) {
            low = low.min(at.array());
            high = high.max(at.array());
        };
        for (int i = 0; i < places_.size(); ++i) include(of(i));
        for (const Ring& ring : rings) {
            const Eigen::Matrix2Xd corners = of(ring);
            for (Eigen::Index k = 0; k < corners.cols(); ++k) include(corners.col(k));
        }
        const double margin = 1.5 * units_per_angstrom();
        map.window = {low[0] - margin, high[0] + margin, low[1] - margin, high[1] + margin};
        map.y_down = frame_ != nullptr || y_down_;
        map.units_per_angstrom = units_per_angstrom();
        if (frame_ != nullptr) map.ground = frame_->image;
        map.line_width =
            std::clamp(0.13 * units_per_angstrom() * map.width / (map.window[1] - map.window[0]), 0.5, 2.5);
        return map;
    }

  private:
    Eigen::Vector2d of(const Eigen::Vector3d& r) const { return map_ * Eigen::Vector3d(r[0], r[1], 1); }

    bool y_down_;
    Structure places_;
    Eigen::Matrix<double, 2, 3> map_ =
        (Eigen::Matrix<double, 2, 3>() << 1, 0, 0, 0, 1, 0).finished() / units::angstrom;
    const ReportFrame* frame_ = nullptr;
};

double percentile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    const auto at = values.begin() + std::lround(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

// The end of a symmetric range of colours that nearly all values are within, a round number.
double symmetric_end(std::vector<double> values, double least) {
    for (double& value : values) value = std::abs(value);
    const double wanted = std::max(least, percentile(std::move(values), 0.98));
    const double power = std::pow(10, std::floor(std::log10(wanted)));
    return power * std::ceil(wanted / power - 1e-9);
}

void add_bonds(FieldMap& map, const ReportStructure& content, const Plane& plane) {
    for (const Bond& bond : content.bonds)
        map.lines.emplace_back(plane.of(bond.i), plane.of(bond.j, bond.image));
}

// Atoms other than C and H as rings of their own.
void add_foreign_atoms(FieldMap& map, const Structure& structure, const Plane& plane) {
    std::vector<int> seen;
    for (int i = 0; i < structure.size(); ++i) {
        const int z = structure.atomic_numbers[static_cast<std::size_t>(i)];
        if (z == 1 || z == 6) continue;
        map.discs.push_back({plane.of(i), 0.8 * plane.units_per_angstrom(), 0, overlay_color(z)});
        if (std::find(seen.begin(), seen.end(), z) == seen.end()) seen.push_back(z);
    }
    for (const int z : seen) map.keys.emplace_back(overlay_color(z), element_symbol(z));
}

FieldMap ring_map(const ReportStructure& content, const Plane& plane) {
    FieldMap map = plane.empty_map(content.analysis.rings);
    map.name = "map-rings";
    map.caption = "Rings of the structure over the micrograph";
    map.ground_opacity = 1;
    map.opacity = map.ground ? 0.62 : 1;
    map.line_color = map.ground ? "#7fd0f0" : map.line_color;
    std::map<std::string, std::string> keys;
    for (const Ring& ring : content.analysis.rings) {
        if (ring.size() == 6) continue;
        ColoredArea area{.corners = plane.of(ring)};
        area.css = ring_class(ring.size());
        keys[area.css] = area.css == "ring-n" ? "other ring" : fmt::format("{}-ring", ring.size());
        map.areas.push_back(std::move(area));
    }
    for (const auto& key : keys) map.keys.push_back(key);
    add_bonds(map, content, plane);
    add_foreign_atoms(map, content.structure, plane);
    return map;
}

/// A map, or what it would show in one colour, in words.
struct MapOrWords {
    FieldMap map;
    std::string words = {};
};

// Below these differences colours would show what relaxations leave, or nothing.
constexpr double least_strain_percent = 0.05;
constexpr double least_height_angstrom = 0.02;
constexpr double least_charge_e = 0.01;

// "0.012", and "less than 0.001" where the number would be of no use.
std::string small_number(double value) {
    return value < 0.001 ? "less than 0.001" : fmt::format("{:.2g}", value);
}

double range_of(const std::vector<double>& values) {
    if (values.empty()) return 0;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return *high - *low;
}

double largest_of(const std::vector<double>& values) {
    double largest = 0;
    for (const double value : values) largest = std::max(largest, std::abs(value));
    return largest;
}

MapOrWords strain_map(const ReportStructure& content, const Plane& plane) {
    FieldMap map = plane.empty_map(content.analysis.rings);
    map.name = "map-strain";
    map.caption = "Strain of the C-C bonds around each ring";
    const auto found = content.analysis.bond_lengths.find("C-C");
    if (found == content.analysis.bond_lengths.end()) return {map, "<b>Strain.</b> There are no C–C bonds."};
    const double rest = percentile(found->second, 0.5);
    std::vector<double> values;
    for (const Ring& ring : content.analysis.rings) {
        const Eigen::Matrix3Xd corners = ring_positions(ring, content.structure);
        double sum = 0;
        int n = 0;
        for (int k = 0; k < ring.size(); ++k) {
            const int next = (k + 1) % ring.size();
            const auto z = [&](int corner) {
                return content.structure
                    .atomic_numbers[static_cast<std::size_t>(ring.atoms[static_cast<std::size_t>(corner)])];
            };
            if (z(k) != 6 || z(next) != 6) continue;
            sum += (corners.col(next) - corners.col(k)).norm() / rest - 1;
            ++n;
        }
        if (n == 0) continue;
        ColoredArea area{.corners = plane.of(ring)};
        area.value = 100 * sum / n;
        values.push_back(area.value);
        map.areas.push_back(std::move(area));
    }
    const double range = range_of(values);
    if (range < least_strain_percent) {
        const double mean = rest * (1 + 0.01 * (values.empty() ? 0 : values.front())) / units::angstrom;
        return {map,
                fmt::format("<b>Strain.</b> The mean C–C bond is the same around every ring, {:.4f} Å, to "
                            "{} %.",
                            mean, small_number(range))};
    }
    map.high = symmetric_end(values, least_strain_percent);
    map.low = -map.high;
    map.label = "strain of the bonds / %";
    add_foreign_atoms(map, content.structure, plane);
    return {map};
}

// Heights of the atoms over the plane that fits the carbon best, angstrom.
Eigen::VectorXd heights_of(const Structure& structure) {
    const int n_carbon = structure.count(6);
    if (n_carbon < 3) return structure.positions.row(2).transpose() / units::angstrom;
    Eigen::MatrixX3d plane(n_carbon, 3);
    Eigen::VectorXd z(n_carbon);
    int row = 0;
    for (int i = 0; i < structure.size(); ++i) {
        if (structure.atomic_numbers[static_cast<std::size_t>(i)] != 6) continue;
        plane.row(row) << structure.positions(0, i), structure.positions(1, i), 1;
        z(row++) = structure.positions(2, i);
    }
    const Eigen::Vector3d fit = plane.colPivHouseholderQr().solve(z);
    Eigen::VectorXd heights(structure.size());
    for (int i = 0; i < structure.size(); ++i)
        heights(i) =
            structure.positions(2, i) - fit.head<2>().dot(structure.positions.col(i).head<2>()) - fit[2];
    return heights / units::angstrom;
}

MapOrWords height_map(const ReportStructure& content, const Plane& plane) {
    FieldMap map = plane.empty_map(content.analysis.rings);
    map.name = "map-height";
    map.caption = "Height of the sheet over its mean plane";
    map.colors = ColorMap::heights;
    map.label = "height / Å";
    const Eigen::VectorXd heights = heights_of(content.structure);
    std::vector<double> values, of_atoms;
    for (const Ring& ring : content.analysis.rings) {
        ColoredArea area{.corners = plane.of(ring)};
        for (const int atom : ring.atoms) {
            area.value += heights(atom) / ring.size();
            of_atoms.push_back(heights(atom));
        }
        values.push_back(area.value);
        map.areas.push_back(std::move(area));
    }
    map.low = percentile(values, 0.005);
    map.high = percentile(values, 0.995);
    if (map.high - map.low < least_height_angstrom)
        return {map,
                fmt::format("<b>Buckling.</b> The sheet is flat: atoms of rings are within {} Å of the plane "
                            "that fits the carbon best.",
                            small_number(largest_of(of_atoms)))};
    add_foreign_atoms(map, content.structure, plane);
    return {map};
}

MapOrWords charge_map(const ReportStructure& content, const Eigen::VectorXd& charges, const Plane& plane) {
    FieldMap map = plane.empty_map(content.analysis.rings);
    map.name = "map-charges";
    map.caption = "Mulliken charges of the atoms";
    map.label = "charge / e (red: electrons lost)";
    const std::vector<double> values(charges.begin(), charges.end());
    if (const double largest = largest_of(values); largest < least_charge_e)
        return {map, fmt::format("<b>Charges.</b> Every atom is neutral to {} e.", small_number(largest))};
    map.high = symmetric_end(values, least_charge_e);
    map.low = -map.high;
    map.ground_opacity = 0.4;
    add_bonds(map, content, plane);
    for (int i = 0; i < content.structure.size(); ++i)
        map.discs.push_back({plane.of(i), 0.62 * plane.units_per_angstrom(), charges(i)});
    add_foreign_atoms(map, content.structure, plane);
    return {map};
}

std::vector<MapOrWords> maps_of(const ReportData& data) {
    const ReportStructure* content = mapped_structure(data);
    if (content == nullptr || content->analysis.rings.empty()) return {};
    const Plane plane(data, content->structure);
    std::vector<MapOrWords> maps = {
        {ring_map(*content, plane)}, strain_map(*content, plane), height_map(*content, plane)};
    if (data.relaxation && data.relaxation->charges.size() == content->structure.size())
        maps.push_back(charge_map(*content, data.relaxation->charges, plane));
    return maps;
}

}  // namespace

const ReportStructure* mapped_structure(const ReportData& data) {
    if (data.relaxation) return &data.relaxation->after;
    return data.build ? &data.build->built : nullptr;
}

void add_maps(Figures& figures, const ReportData& data) {
    for (const MapOrWords& entry : maps_of(data))
        if (entry.words.empty()) figures[entry.map.name] = draw(entry.map);
}

std::vector<std::string> maps_in_words(const ReportData& data) {
    std::vector<std::string> sentences;
    for (const MapOrWords& entry : maps_of(data))
        if (!entry.words.empty()) sentences.push_back(entry.words);
    return sentences;
}

}  // namespace stembridge::io
