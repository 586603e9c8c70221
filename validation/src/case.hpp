// SPDX-License-Identifier: Apache-2.0
// A validation case: what is computed, and the published numbers it is set beside.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/io/config.hpp"
#include "stembridge/io/plot.hpp"

namespace stembridge::validation {

/// A published number for a measured key.
struct Reference {
    std::string key;              ///< of Findings::values
    std::string title;            ///< "C-C bond"
    std::string unit;             ///< as it is printed; the key's value is in it
    std::optional<double> value;  ///< left out: none is known
    /// Largest accepted distance from `value`. Left out, or an unverified source: the row gates nothing.
    std::optional<double> tolerance;
    std::string source;
    bool verified = true;  ///< false: quoted from memory or second hand, shown as such
    std::string reason;    ///< why our value may differ

    bool gates() const { return verified && value.has_value() && tolerance.has_value(); }
    bool met_by(double measured) const;
    /// Whether a number lies outside of what was published, and nothing says why.
    bool leaves_unexplained(double measured) const;
};

/// A folder of validation/cases.
struct Case {
    std::string name;
    io::Config config;  ///< case.toml
    std::vector<Reference> references;
    std::string description;  ///< how it is computed: README.md without its title
    /// case.toml, then what else decides the result (tables, program): kept results are only used for the
    /// same.
    std::string text_for_hash;

    std::string title() const { return config.text("case.title"); }
};

/// What was computed: numbers by key, with remarks and pictures.
struct Findings {
    std::map<std::string, double> values;
    std::vector<std::string> notes;
    std::vector<io::Figure> figures;
    double seconds = 0;
};

/// Every key that a case.toml may have.
io::Schema case_schema();

/// Reads case.toml and reference.json of a folder. @throw FileError, InputError naming file and entry
Case read_case(const std::filesystem::path& folder);

/// Every case below a folder, by case.order, then name. @param only names; empty = all
/// @throw InputError for a name that is not there; the message lists those that are
std::vector<Case> read_cases(const std::filesystem::path& folder, const std::vector<std::string>& only);

/// Results as a file, so that an interrupted validation does not start anew.
void write_findings(const std::filesystem::path& file, const Case& c, const Findings& findings);
/// @return nothing when the file is missing or belongs to another version of the case or program
std::optional<Findings> read_findings(const std::filesystem::path& file, const Case& c);

}  // namespace stembridge::validation
