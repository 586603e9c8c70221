// SPDX-License-Identifier: Apache-2.0
// Band structure along a path of k-points.
#include "stembridge/tb/bands.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <optional>
#include <sstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/completed_cell.hpp"
#include "stembridge/tb/properties.hpp"

namespace stembridge::tb {
namespace {

/// The points with a name in a cell.
std::map<std::string, Eigen::Vector3d> named_points(const Cell& cell) {
    std::map<std::string, Eigen::Vector3d> points = {{"G", {0, 0, 0}}};
    const Eigen::Vector3d a = cell.vector(0), b = cell.vector(1);
    const double cosine = a.dot(b) / (a.norm() * b.norm());
    constexpr double tolerance = 1e-3;
    const bool both = cell.periodic[0] && cell.periodic[1];
    // A third vector that repeats stands upright; primitive cells of fcc have 60 degrees too.
    const Eigen::Vector3d c = cell.vector(2);
    const bool upright = !cell.periodic[2] || (std::abs(c.dot(a)) < tolerance * c.norm() * a.norm() &&
                                               std::abs(c.dot(b)) < tolerance * c.norm() * b.norm());
    const bool hexagonal = both && upright && std::abs(a.norm() - b.norm()) < tolerance * a.norm() &&
                           std::abs(std::abs(cosine) - 0.5) < tolerance;
    if (hexagonal) {
        // The corner of the zone beside M: (1/3, 1/3) for lattice vectors 120 degrees apart, (2/3, 1/3)
        // for 60.
        const Eigen::Vector3d k((cosine < 0 ? 1.0 : 2.0) / 3, 1.0 / 3, 0);
        points["M"] = {0.5, 0, 0};
        points["K"] = k;
        if (cell.periodic[2]) {
            points["A"] = {0, 0, 0.5};
            points["L"] = {0.5, 0, 0.5};
            points["H"] = k + Eigen::Vector3d(0, 0, 0.5);
        }
        return points;
    }
    const std::map<std::string, Eigen::Vector3d> halves = {
        {"X", {0.5, 0, 0}},   {"Y", {0, 0.5, 0}},   {"Z", {0, 0, 0.5}},    {"S", {0.5, 0.5, 0}},
        {"T", {0, 0.5, 0.5}}, {"U", {0.5, 0, 0.5}}, {"R", {0.5, 0.5, 0.5}}};
    for (const auto& [label, k] : halves) {
        bool exists = true;
        for (int i = 0; i < 3; ++i)
            exists = exists && (k(i) == 0 || cell.periodic[static_cast<std::size_t>(i)]);
        if (exists) points[label] = k;
    }
    return points;
}

/// Three numbers separated by commas, or nothing.
std::optional<Eigen::Vector3d> fractions(const std::string& word) {
    std::istringstream stream(word);
    Eigen::Vector3d k;
    char comma = ',';
    for (int i = 0; i < 3; ++i) {
        if (i > 0 && (!(stream >> comma) || comma != ',')) return std::nullopt;
        if (!(stream >> k(i)) || !std::isfinite(k(i))) return std::nullopt;
    }
    return stream.peek() == std::istringstream::traits_type::eof() ? std::optional(k) : std::nullopt;
}

/// Around the zone of the first two directions that repeat.
std::string usual_path(const Cell& cell, const std::map<std::string, Eigen::Vector3d>& named) {
    if (named.count("K") != 0) return "G M K G";
    const char* halves = "XYZ";
    std::string path = "G";
    if (cell.periodic[0] && cell.periodic[1]) return path + " X S Y G";
    if (cell.periodic[0] && cell.periodic[2]) return path + " X U Z G";
    if (cell.periodic[1] && cell.periodic[2]) return path + " Y T Z G";
    for (std::size_t i = 0; i < 3; ++i)
        if (cell.periodic[i]) path += std::string(" ") + halves[i];
    return path;
}

}  // namespace

std::vector<BandPoint> band_path(const std::string& text, const Cell& cell) {
    if (!cell.is_periodic())
        throw InputError("a band structure needs a periodic structure; this is a cluster");
    const auto named = named_points(cell);
    std::vector<BandPoint> path;
    std::istringstream words(text == "auto" ? usual_path(cell, named) : text);
    for (std::string word; words >> word;) {
        BandPoint point{.label = word};
        if (const auto found = named.find(word); found != named.end())
            point.k = found->second;
        else if (const auto numbers = fractions(word))
            point.k = *numbers;
        else {
            std::string known;
            for (const auto& [label, k] : named) known += (known.empty() ? "" : ", ") + label;
            throw InputError(
                fmt::format("path of bands: '{}' is no point of this cell; accepted are {} and fractions of "
                            "the reciprocal "
                            "vectors such as 0.5,0,0",
                            word, known));
        }
        for (int i = 0; i < 3; ++i)
            if (point.k(i) != 0 && !cell.periodic[static_cast<std::size_t>(i)])
                throw InputError(
                    fmt::format("path of bands: '{}' has a component along lattice vector {}, in which the "
                                "structure does "
                                "not repeat; it must be 0",
                                word, i + 1));
        path.push_back(point);
    }
    if (path.size() < 2)
        throw InputError(fmt::format(
            "path of bands: '{}' has {} points; at least two are needed, e.g. \"G M\"", text, path.size()));
    return path;
}

Bands bands(const ElectronicState& state, const std::vector<BandPoint>& corners, int per_segment) {
    if (corners.size() < 2 || per_segment < 1)
        throw InputError("a band structure needs two corners and one point per piece of the path, or more");
    const Eigen::Matrix3d reciprocal = completed(state.structure.cell).reciprocal();
    Bands result;
    result.corners = corners;
    const auto n_points = static_cast<Eigen::Index>(corners.size() - 1) * per_segment + 1;
    result.points.resize(3, n_points);
    double length = 0;
    Eigen::Index at = 0;
    for (std::size_t c = 0; c + 1 < corners.size(); ++c) {
        const Eigen::Vector3d step = corners[c + 1].k - corners[c].k;
        const double segment = (reciprocal * step).norm();
        result.corner_lengths.push_back(length);
        for (int i = 0; i < per_segment; ++i) {
            const double t = static_cast<double>(i) / per_segment;
            result.points.col(at++) = corners[c].k + t * step;
            result.lengths.push_back(length + t * segment);
        }
        length += segment;
    }
    result.points.col(at) = corners.back().k;
    result.lengths.push_back(length);
    result.corner_lengths.push_back(length);

    const int n_spins = state.n_spins(), n = static_cast<int>(n_points);
    result.levels.assign(static_cast<std::size_t>(n_spins),
                         Eigen::MatrixXd(state.basis.n_orbitals(), n_points));
    std::string failure;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < n_spins * n; ++task) try {
            const int spin = task / n, k = task % n;
            result.levels[static_cast<std::size_t>(spin)].col(k) =
                states_at(state, result.points.col(k), spin, false).energies;
        } catch (const NumericalError& e) {
#pragma omp critical
            failure = e.what();
        }
    if (!failure.empty()) throw NumericalError(failure);
    return result;
}

}  // namespace stembridge::tb
