// SPDX-License-Identifier: Apache-2.0
#include "case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "measures.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/hash.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::validation {
namespace fs = std::filesystem;
using nlohmann::json;

bool Reference::met_by(double measured) const {
    return value && tolerance && std::abs(measured - *value) <= *tolerance;
}

bool Reference::leaves_unexplained(double measured) const {
    return value && tolerance && !met_by(measured) && reason.empty();
}

io::Schema case_schema() {
    using io::Key;
    std::vector<std::string> names;
    for (const auto& [name, measure] : measures()) names.push_back(name);
    return {
        Key::text("case.title", "", "What the report calls the case"),
        Key::choice("case.measure", names, "graphene", "What is computed"),
        Key::integer("case.order", "0", "Place in the report"),
        Key::integers("setup.cells", 2, "[1, 1]",
                      "Orthorhombic cells of graphene (4 atoms each) along x and y"),
        Key::integers("setup.kpoints", 3, "[1, 1, 1]", "Monkhorst-Pack grid, centred on Gamma"),
        Key::quantity("setup.bond_length", Dimension::length, "1.424 angstrom",
                      "C-C of the sheet the computation starts from"),
        Key::quantity("setup.radius", Dimension::length, "8 angstrom", "Of a flake").positive(),
        Key::quantity("setup.electronic_temperature", Dimension::temperature, "300 K", "Of the filling"),
        Key::quantity("setup.max_force", Dimension::force, "0.005 eV/angstrom", "Relaxations end there"),
        Key::quantities("setup.temperatures", Dimension::temperature, "300 K", "Of dynamics"),
        Key::integer("setup.steps", "2000", "Of dynamics, 1 fs each").positive(),
        Key::integer("setup.images", "7", "Of a path between two structures").at_least(3),
    };
}

namespace {

Reference reference_of(const json& row, const fs::path& file) {
    try {
        Reference r;
        r.key = row.at("key");
        r.title = row.at("title");
        r.unit = row.value("unit", "");
        if (!row.at("value").is_null()) r.value = row.at("value").get<double>();
        if (row.contains("tolerance")) r.tolerance = row.at("tolerance").get<double>();
        r.source = row.at("source");
        r.verified = row.value("verified", true);
        r.reason = row.value("reason", "");
        return r;
    } catch (const json::exception& e) {
        throw InputError(
            fmt::format("{}: {} in {}; a row has key, title, value, source, and may have unit, tolerance, "
                        "verified, reason",
                        file.string(), e.what(), row.dump()));
    }
}

/// The text under the title of a README.md; empty when there is none.
std::string description_of(const fs::path& file) {
    if (!fs::exists(file)) return "";
    const std::string text = io::read_text(file);
    const std::size_t end = text.starts_with("#") ? std::min(text.find('\n'), text.size()) : 0;
    const std::size_t first = text.find_first_not_of(" \n", end);
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(" \n") + 1 - first);
}

}  // namespace

Case read_case(const fs::path& folder) {
    const fs::path file = folder / "reference.json";
    const std::string text = io::read_text(file);
    Case c{folder.filename().string(), io::Config::read(folder / "case.toml", case_schema()), {}, {}, {}};
    json rows;
    try {
        rows = json::parse(text).at("rows");
    } catch (const json::exception& e) {
        throw InputError(fmt::format("{}: {}; expected is {{\"rows\": [...]}}", file.string(), e.what()));
    }
    for (const json& row : rows) c.references.push_back(reference_of(row, file));
    c.description = description_of(folder / "README.md");
    c.text_for_hash = io::read_text(folder / "case.toml");
    return c;
}

std::vector<Case> read_cases(const fs::path& folder, const std::vector<std::string>& only) {
    if (!fs::is_directory(folder)) throw FileError(fmt::format("{} is no folder of cases", folder.string()));
    std::vector<Case> cases;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (!fs::exists(entry.path() / "case.toml")) continue;
        names.push_back(entry.path().filename().string());
        if (only.empty() || std::find(only.begin(), only.end(), names.back()) != only.end())
            cases.push_back(read_case(entry.path()));
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : only)
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw InputError(
                fmt::format("there is no case '{}'; cases are: {}", name, fmt::join(names, ", ")));
    std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) {
        const auto order = [](const Case& c) { return c.config.integer("case.order"); };
        return std::pair(order(a), a.name) < std::pair(order(b), b.name);
    });
    return cases;
}

namespace {

std::string hash_of(const Case& c) {
    return io::sha256_of_text(c.text_for_hash);
}

}  // namespace

void write_findings(const fs::path& file, const Case& c, const Findings& findings) {
    json out = {{"case_hash", hash_of(c)},
                {"values", findings.values},
                {"notes", findings.notes},
                {"seconds", findings.seconds},
                {"figures", json::array()}};
    for (const io::Figure& f : findings.figures)
        out["figures"].push_back({{"name", f.name},
                                  {"caption", f.caption},
                                  {"svg", f.svg},
                                  {"width", f.width},
                                  {"height", f.height}});
    io::write_text_atomically(file, out.dump(1) + "\n");
}

std::optional<Findings> read_findings(const fs::path& file, const Case& c) {
    if (!fs::exists(file)) return std::nullopt;
    try {
        const json in = json::parse(io::read_text(file));
        if (in.at("case_hash") != hash_of(c)) return std::nullopt;
        Findings findings;
        findings.values = in.at("values").get<std::map<std::string, double>>();
        findings.notes = in.at("notes").get<std::vector<std::string>>();
        findings.seconds = in.at("seconds");
        for (const json& f : in.at("figures"))
            findings.figures.push_back(
                {f.at("name"), f.at("caption"), f.at("svg"), f.at("width"), f.at("height")});
        return findings;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

}  // namespace stembridge::validation
