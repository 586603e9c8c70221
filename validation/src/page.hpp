// SPDX-License-Identifier: Apache-2.0
// The report of a validation.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "case.hpp"

namespace stembridge::validation {

/// A case with its result, or with why there is none.
struct Outcome {
    Case c;
    std::optional<Findings> findings;
    std::string error;
};

/// How a row of a case came out.
enum class Verdict { met, missed, shown, missing };

Verdict verdict_of(const Reference& reference, const Outcome& outcome);

/// Rows that gate and were missed, or whose number is missing.
int count_failures(const std::vector<Outcome>& outcomes);

/// Rows whose number lies outside of the tolerance, gating or not, without a reason.
int count_unexplained(const std::vector<Outcome>& outcomes);

/// Writes index.html (self-contained) and validation.json. @param facts name and value, shown at the end
void write_validation(const std::filesystem::path& folder, const std::vector<Outcome>& outcomes,
                      const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace stembridge::validation
