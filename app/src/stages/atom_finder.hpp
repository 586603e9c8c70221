// SPDX-License-Identifier: Apache-2.0
// Frames to atoms, one after another with the same network: what detect, series and watched folders share.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "session.hpp"
#include "stembridge/io/config.hpp"
#include "stembridge/ml/find_atoms.hpp"

namespace stembridge::app {

class AtomFinder {
  public:
    /// Opens the network that [detect] names, if any; where "auto" finds none it warns, here and in each
    /// summary.
    AtomFinder(const io::Config& config, Session& session);

    struct Found {
        ml::FindAtomsResult result;
        nlohmann::json summary;  ///< content of summary.json
    };
    /// Finds the atoms of a frame and writes atoms.csv, atoms.extxyz, baseline.csv, mean.npy, spread.npy,
    /// region.npy, overlay.png and summary.json. Warns, also in the summary, where the mean C-C distance is
    /// not that of graphene.
    /// @throw InputError, NumericalError for a frame without atoms or lattice; summary.json then says why
    Found find(const Image& image, const std::filesystem::path& out);
    /// What all frames have in common to be warned of.
    const std::vector<std::string>& warnings() const { return warnings_; }

  private:
    const io::Config& config_;
    Session& session_;
    std::vector<std::string> warnings_;
    std::unique_ptr<ml::SegmentationNetwork> network_;
};

/// Device of a word of the configuration: cpu, cuda, auto.
ml::Device device_of(const std::string& word);

/// The dataset that [detect] names inside the image file; empty = the first image.
std::string dataset_of(const io::Config& config);

}  // namespace stembridge::app
