// SPDX-License-Identifier: Apache-2.0
// Iterative training on experimental frames: select, label, retrain, until no more atoms are found.
#pragma once

#include <optional>

#include "stembridge/io/config.hpp"
#include "stembridge/ml/elit.hpp"
#include "training/network_trainer.hpp"
#include "training/training_report.hpp"

namespace stembridge::app {

/// The [elit] table.
struct ElitOptions {
    std::vector<std::filesystem::path> images;
    std::vector<std::filesystem::path> networks;  ///< to begin with; empty = those just trained
    std::optional<double> pixel_size_angstrom;
    int rounds = 3;
    ml::TrainingOptions training;  ///< of one member in one round
    ml::LabelOptions labels;
    double tolerated = 0.05;    ///< a member whose physical score is this much below the median is left out
    double least_gain = 0.002;  ///< relative gain of confident atoms below which it ends
};

/// @return nothing where the configuration names no experimental frames
std::optional<ElitOptions> elit_options(const io::Config& config);
io::Schema elit_schema();

/// Those of the frames in which atoms can be looked for; of the others the reason is told as a warning. Costs
/// a second per frame: before a training of hours.
/// @throw FileError for a file that cannot be read  @throw InputError when no frame is left
std::vector<std::filesystem::path> usable_images(const ElitOptions& options, Session& session);

struct ElitOutcome {
    std::vector<std::filesystem::path> networks;  ///< of the best round, in elit/networks/
    std::vector<std::string> trained;             ///< names of the networks of all rounds
    std::vector<ReportSection> sections;
};

/// @param options images: usable ones  @source Ghosh et al., npj Comput. Mater. 7, 100 (2021)
ElitOutcome train_iteratively(const io::Config& config, const ElitOptions& options, const StageFolder& folder,
                              NetworkTrainer& trainer, Session& session);

}  // namespace stembridge::app
