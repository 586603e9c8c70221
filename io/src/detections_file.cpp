// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/detections_file.hpp"

#include <fmt/format.h>

#include "bytes.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "structure/text.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view header =
    "x_px,y_px,x_angstrom,y_angstrom,element,probability,spread,sigma_angstrom,votes";
/// Of tables from elsewhere, or from before there were ensembles.
constexpr std::string_view short_header =
    "x_px,y_px,x_angstrom,y_angstrom,element,probability,spread,sigma_angstrom";

std::vector<std::string_view> split_at_commas(std::string_view line) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = line.find(',', begin);
        parts.push_back(trimmed(line.substr(begin, end - begin)));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

}  // namespace

void write_detections_csv(const fs::path& path, const Detections& detections) {
    std::string text = fmt::format("{}\n", header);
    for (const Detection& d : detections)
        text += fmt::format("{},{},{},{},{},{},{},{},{}\n", d.x_px, d.y_px, d.x_angstrom, d.y_angstrom,
                            d.atomic_number == 0 ? "X" : element_symbol(d.atomic_number), d.probability,
                            d.spread, d.sigma_angstrom, d.votes);
    write_atomically(path, as_bytes(text));
}

Detections read_detections_csv(const fs::path& path) {
    const MappedFile file(path);
    LineReader lines(file.text(), path.string());
    const auto first = lines.expect("the header");
    const bool with_votes = trimmed(first) == header;
    if (!with_votes && trimmed(first) != short_header)
        lines.fail(fmt::format("the header is '{}', expected '{}'", first, header));
    const std::size_t columns = with_votes ? 9 : 8;
    Detections detections;
    while (const auto line = lines.next()) {
        if (trimmed(*line).empty()) continue;
        const auto parts = split_at_commas(*line);
        if (parts.size() != columns)
            lines.fail(fmt::format("{} columns, expected {}", parts.size(), columns));
        Detection d;
        d.x_px = number(lines, parts[0], "x_px");
        d.y_px = number(lines, parts[1], "y_px");
        d.x_angstrom = number(lines, parts[2], "x_angstrom");
        d.y_angstrom = number(lines, parts[3], "y_angstrom");
        d.atomic_number = parts[4] == "X" ? 0 : species(lines, parts[4]);
        d.probability = number(lines, parts[5], "probability");
        d.spread = number(lines, parts[6], "spread");
        d.sigma_angstrom = number(lines, parts[7], "sigma_angstrom");
        if (with_votes) d.votes = static_cast<int>(number(lines, parts[8], "votes"));
        detections.push_back(d);
    }
    return detections;
}

}  // namespace stembridge::io
