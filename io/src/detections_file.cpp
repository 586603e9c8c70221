// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/detections_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bytes.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "structure/text.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view header =
    "x_px,y_px,x_angstrom,y_angstrom,element,probability,spread,sigma_angstrom,votes";

std::vector<std::string_view> split_at_commas(std::string_view line) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = line.find(',', begin);
        parts.push_back(trimmed(line.substr(begin, end - begin)));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

/// Which column holds what. @param optional may be missing
class Columns {
  public:
    Columns(const LineReader& lines, std::string_view first, std::string_view optional)
        : names_(split_at_commas(first)) {
        for (const std::string_view name : split_at_commas(header))
            if (name != optional && !has(name))
                lines.fail(fmt::format("the header is '{}', expected the columns '{}'", first, header));
    }
    std::size_t count() const { return names_.size(); }
    bool has(std::string_view name) const { return at(name) < count(); }
    std::size_t at(std::string_view name) const {
        return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    }

  private:
    std::vector<std::string_view> names_;
};

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
    const Columns columns(lines, first, "votes");  // not in tables from elsewhere
    Detections detections;
    while (const auto line = lines.next()) {
        if (trimmed(*line).empty()) continue;
        const auto parts = split_at_commas(*line);
        if (parts.size() != columns.count())
            lines.fail(fmt::format("{} columns, expected {}", parts.size(), columns.count()));
        const auto value = [&](std::string_view name) {
            return number(lines, parts[columns.at(name)], name);
        };
        const std::string_view element = parts[columns.at("element")];
        Detection d;
        d.x_px = value("x_px");
        d.y_px = value("y_px");
        d.x_angstrom = value("x_angstrom");
        d.y_angstrom = value("y_angstrom");
        d.atomic_number = element == "X" ? 0 : species(lines, element);
        d.probability = value("probability");
        d.spread = value("spread");
        d.sigma_angstrom = value("sigma_angstrom");
        if (columns.has("votes")) d.votes = static_cast<int>(value("votes"));
        detections.push_back(d);
    }
    return detections;
}

}  // namespace stembridge::io
