// SPDX-License-Identifier: Apache-2.0
#include "reference_frames.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <tuple>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"

namespace stembridge::atom_finder {
namespace {

std::vector<std::vector<std::string>> rows_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) throw FileError("cannot read " + path.string());
    std::vector<std::vector<std::string>> rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::stringstream cells(line);
        rows.emplace_back();
        for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
    }
    return rows;
}

}  // namespace

KnownFrame grain_boundary_frame(const std::filesystem::path& reference) {
    const auto folder = reference / "stem" / "aicrystallographer";
    KnownFrame frame{io::read_image(folder / "G-GrainBoundary-4nm.npy"), {}, 0};
    frame.image.pixel_size_angstrom = 0.078125;
    for (const auto& row : rows_of(folder / "G-GrainBoundary-4nm_coords_atomnet.csv"))
        frame.atoms.push_back({std::stod(row.at(1)), std::stod(row.at(0)), 0});
    return frame;
}

std::vector<KnownFrame> silicon_frames(const std::filesystem::path& reference, int every) {
    const auto folder = reference / "stem" / "librarynet";
    std::vector<KnownFrame> frames;
    std::vector<std::string> names;
    for (const auto& row : rows_of(folder / "defect_coords.csv")) {
        const std::string& name = row.at(1);
        auto place = std::find(names.begin(), names.end(), name);
        if (place == names.end()) {
            names.push_back(name);
            frames.push_back({io::read_image(folder / name), {}, 0});
            frames.back().image.pixel_size_angstrom.reset();
            frames.back().likely_pixel_angstrom = 20.0 / frames.back().image.width();
            place = names.end() - 1;
        }
        frames[static_cast<std::size_t>(place - names.begin())].atoms.push_back(
            // What this table calls a row runs along x.
            {std::stod(row.at(4)), std::stod(row.at(5)), row.at(6) == "Si" ? 14 : 6});
    }
    std::vector<KnownFrame> chosen;
    for (std::size_t i = 0; i < frames.size(); i += static_cast<std::size_t>(every))
        chosen.push_back(std::move(frames[i]));
    return chosen;
}

KnownFrame paper_frame(const std::filesystem::path& reference) {
    const auto folder = reference / "stem" / "paper_frame";
    KnownFrame frame{io::read_image(folder / "frame896_upsampled_bicubic.png"), {}, 0};
    frame.image.pixel_size_angstrom = 0.104;
    for (const auto& row : rows_of(folder / "coords_2021C_22Si.csv"))
        frame.atoms.push_back({std::stod(row.at(8)), std::stod(row.at(7)), row.at(2) == "1" ? 14 : 6});
    return frame;
}

Recall& Recall::operator+=(const Recall& o) {
    known += o.known;
    hits += o.hits;
    silicon += o.silicon;
    silicon_hits += o.silicon_hits;
    silicon_right += o.silicon_right;
    carbon_called_silicon += o.carbon_called_silicon;
    return *this;
}

Recall recall_of(const Detections& found, const KnownFrame& frame, double pixel_angstrom) {
    constexpr double tolerance = 0.5;
    std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < found.size(); ++i)
        for (std::size_t j = 0; j < frame.atoms.size(); ++j) {
            const double distance = pixel_angstrom * std::hypot(found[i].x_px - frame.atoms[j].x_px,
                                                                found[i].y_px - frame.atoms[j].y_px);
            if (distance <= tolerance) pairs.emplace_back(distance, i, j);
        }
    std::sort(pairs.begin(), pairs.end());
    std::vector<char> used(found.size(), 0), hit(frame.atoms.size(), 0);
    Recall result;
    for (const KnownAtom& atom : frame.atoms) {
        ++result.known;
        result.silicon += atom.atomic_number == 14;
    }
    for (const auto& [distance, i, j] : pairs) {
        if (used[i] || hit[j]) continue;
        used[i] = hit[j] = 1;
        ++result.hits;
        const int z = frame.atoms[j].atomic_number;
        result.silicon_hits += z == 14;
        result.silicon_right += z == 14 && found[i].atomic_number == 14;
        result.carbon_called_silicon += z == 6 && found[i].atomic_number == 14;
    }
    return result;
}

}  // namespace stembridge::atom_finder
