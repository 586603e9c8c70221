// SPDX-License-Identifier: Apache-2.0
// Trains one network after another into a folder, each with a checkpoint and a learning curve of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "session.hpp"
#include "stage_folder.hpp"
#include "stembridge/ml/training.hpp"

namespace stembridge::app {

/// One network to be trained.
struct TrainingJob {
    std::string name;                            ///< of its curve and in messages
    std::vector<std::filesystem::path> outputs;  ///< one per member that comes out (several with SWAG)
    ml::TrainingOptions options;
    std::uint64_t seed = 1;
    std::function<State()> start;  ///< weights it begins with
    std::vector<ml::LabelledFrame> frames = {};
};

class NetworkTrainer {
  public:
    /// @param half store convolutions with 16 bits
    NetworkTrainer(const StageFolder& folder, Session& session, bool half)
        : folder_(folder), session_(session), half_(half) {}

    /// Trains, unless the outputs are there; goes on from the checkpoint where there is one.
    void train(const TrainingJob& job);

  private:
    const StageFolder& folder_;
    Session& session_;
    bool half_;
};

/// Where the learning curve of a network lies in the folder.
std::filesystem::path curve_file(const StageFolder& folder, const std::string& name);

}  // namespace stembridge::app
