// SPDX-License-Identifier: Apache-2.0
// Helpers of the ml tests: scenes, scores against the truth, tables of positions, the shipped files.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "stembridge/io/state_file.hpp"
#include "stembridge/ml/find_atoms.hpp"
#include "stembridge/ml/simulate_image.hpp"
#include "stembridge/ml/training.hpp"
#include "support/support.hpp"

namespace stembridge::testing {

inline Context seeded(std::uint64_t seed) {
    Context context;
    context.seed = seed;
    return context;
}

/// Weights of the shipped ensemble, member by member.
inline std::vector<State> shipped_weights() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(source_folder() / "data" / "networks" / "graphene"))
        if (entry.path().extension() == ".h5") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<State> members;
    for (const auto& file : files) members.push_back(io::read_state(file));
    return members;
}

/// The shipped networks.
inline std::unique_ptr<ml::SegmentationNetwork> shipped_network() {
    return ml::open_network(shipped_weights(), {});
}

/// A frame of a perfect sheet, or of what the scene options say, without noise unless options have some.
inline ml::SimulatedFrame sheet_frame(ml::SimulationOptions options, ml::SceneOptions scene,
                                      std::uint64_t seed) {
    const double side = std::max(options.scan.width, options.scan.height) * options.scan.pixel_size_angstrom;
    scene.width_angstrom = scene.height_angstrom = 1.1 * side;
    options.scan.origin_x_angstrom = options.scan.origin_y_angstrom = 0.05 * side;
    return ml::simulate_image(ml::random_scene(scene, seeded(seed)), options, seeded(seed));
}

struct Score {
    double f1 = 0;
    double precision = 0;
    double recall = 0;
    double rms_angstrom = 0;
    int same_element = 0;
    int hits = 0;
};

/// Pairs closest first within half an angstrom. Truth that is covered or within 0.6 angstrom of the border
/// counts neither way, nor does what is found there; nor anything where region is 0.
inline Score score(const Detections& found, const std::vector<ml::TrueAtom>& truth, double pixel, int width,
                   int height, const Pixels& region = {}) {
    const auto ignored = [&](double x, double y) {
        const double border = 0.6 / pixel;
        if (x < border || y < border || x > width - 1 - border || y > height - 1 - border) return true;
        return region.size() > 0 && region(std::lround(y), std::lround(x)) < 0.5f;
    };
    struct Pair {
        double distance;
        std::size_t found, truth;
    };
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < found.size(); ++i)
        for (std::size_t j = 0; j < truth.size(); ++j) {
            const double dx = found[i].x_px - truth[j].x_px, dy = found[i].y_px - truth[j].y_px;
            if (std::abs(dx) < 10 && std::hypot(dx, dy) * pixel <= 0.5)
                pairs.push_back({std::hypot(dx, dy) * pixel, i, j});
        }
    std::sort(pairs.begin(), pairs.end(),
              [](const Pair& a, const Pair& b) { return a.distance < b.distance; });
    std::vector<char> found_used(found.size(), 0), truth_used(truth.size(), 0);
    const auto dont_care = [&](const ml::TrueAtom& t) { return t.covered || ignored(t.x_px, t.y_px); };
    Score result;
    double squares = 0;
    for (const Pair& pair : pairs) {
        if (found_used[pair.found] || truth_used[pair.truth]) continue;
        found_used[pair.found] = truth_used[pair.truth] = 1;
        if (dont_care(truth[pair.truth])) continue;
        ++result.hits;
        squares += pair.distance * pair.distance;
        result.same_element += found[pair.found].atomic_number == truth[pair.truth].atomic_number;
    }
    int false_alarms = 0, missed = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
        false_alarms += !found_used[i] && !ignored(found[i].x_px, found[i].y_px);
    for (std::size_t j = 0; j < truth.size(); ++j) missed += !truth_used[j] && !dont_care(truth[j]);
    result.precision = result.hits / std::max(1.0, static_cast<double>(result.hits + false_alarms));
    result.recall = result.hits / std::max(1.0, static_cast<double>(result.hits + missed));
    result.f1 = 2.0 * result.hits / std::max(1, 2 * result.hits + false_alarms + missed);
    result.rms_angstrom = std::sqrt(squares / std::max(1, result.hits));
    return result;
}

/// Rows of a comma-separated table without its header.
inline std::vector<std::vector<std::string>> table(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    std::vector<std::vector<std::string>> rows;
    while (std::getline(file, line)) {
        std::vector<std::string> row;
        std::stringstream cells(line);
        for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
        rows.push_back(row);
    }
    return rows;
}

/// The truth of the shipped frame.
inline std::vector<ml::TrueAtom> shipped_truth() {
    std::vector<ml::TrueAtom> atoms;
    for (const auto& row : table(source_folder() / "data" / "frames" / "example_truth.csv"))
        atoms.push_back(
            {std::stod(row.at(0)), std::stod(row.at(1)), row.at(2) == "Si" ? 14 : 6, row.at(3) == "1"});
    return atoms;
}

}  // namespace stembridge::testing
