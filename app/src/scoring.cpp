// SPDX-License-Identifier: Apache-2.0
#include "scoring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <tuple>

#include "csv_log.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {

Score score_detections(const Detections& found, const std::vector<KnownAtom>& truth, double tolerance_px) {
    std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;  // distance, detection, true atom
    for (std::size_t i = 0; i < found.size(); ++i)
        for (std::size_t j = 0; j < truth.size(); ++j) {
            const double distance = std::hypot(found[i].x_px - truth[j].x_px, found[i].y_px - truth[j].y_px);
            if (distance <= tolerance_px) pairs.emplace_back(distance, i, j);
        }
    std::sort(pairs.begin(), pairs.end());
    std::vector<bool> used(found.size()), hit(truth.size());
    Score score;
    int covered_hits = 0;
    double squares = 0;
    for (const auto& [distance, i, j] : pairs) {
        if (used[i] || hit[j]) continue;
        used[i] = hit[j] = true;
        if (truth[j].covered) {
            ++covered_hits;
        } else {
            ++score.n_matched;
            squares += distance * distance;
        }
    }
    score.n_found = static_cast<int>(found.size()) - covered_hits;
    score.n_truth = static_cast<int>(
        std::count_if(truth.begin(), truth.end(), [](const KnownAtom& a) { return !a.covered; }));
    if (score.n_matched > 0) score.rms_px = std::sqrt(squares / score.n_matched);
    return score;
}

std::vector<KnownAtom> read_known_atoms(const std::filesystem::path& path) {
    std::istringstream lines(io::read_text(path));
    std::string line;
    std::getline(lines, line);
    const auto header = csv_cells(line);
    const auto column = [&](const std::string& name) {
        return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
    };
    const std::size_t x = column("x_px"), y = column("y_px"), covered = column("covered");
    if (x == header.size() || y == header.size())
        throw FileError(path.string() + ":1: the columns x_px and y_px are needed");
    std::vector<KnownAtom> atoms;
    for (int number = 2; std::getline(lines, line); ++number) {
        const auto cells = csv_cells(line);
        try {
            KnownAtom atom{std::stod(cells.at(x)), std::stod(cells.at(y)), false};
            if (covered < header.size()) atom.covered = std::stoi(cells.at(covered)) != 0;
            atoms.push_back(atom);
        } catch (const std::exception&) {
            throw FileError(fmt::format("{}:{}: malformed row", path.string(), number));
        }
    }
    return atoms;
}

}  // namespace stembridge::app
