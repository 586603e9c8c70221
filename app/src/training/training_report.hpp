// SPDX-License-Identifier: Apache-2.0
// What a training looks like: learning curves, scores, predictions on frames that were never trained on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stembridge/ml/training.hpp"

namespace stembridge::app {

/// One network of a training.
struct TrainedNetwork {
    std::string name;
    std::filesystem::path curve;  ///< comma-separated table of its reports
};

/// Another page of the report: what a stage after the training found.
struct ReportSection {
    std::string title;
    std::string html;
};

/// Writes report/index.html and its figures. @param members weights of the ensemble, for the predictions
/// @throw FileError
void write_training_report(const std::filesystem::path& folder, const std::string& title,
                           const std::vector<TrainedNetwork>& networks, const std::vector<State>& members,
                           const ml::TrainingOptions& options, const std::vector<ReportSection>& more = {});

}  // namespace stembridge::app
