// SPDX-License-Identifier: Apache-2.0
// Networks that turn a frame into class probabilities. LibTorch stays behind a library opened at run time.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

/// Class probabilities of each pixel: of every member of an ensemble, their mean and standard deviation.
struct Segmentation {
    std::vector<int> atomic_numbers;           ///< of each class; 0 = background, last
    std::vector<Pixels> mean;                  ///< per class, (height, width)
    std::vector<Pixels> spread;                ///< per class; zeros for a single network
    std::vector<std::vector<Pixels>> members;  ///< per member and class; empty for a single network

    /// Probability of any atom: 1 - background.
    Pixels atom_probability() const { return 1.0f - mean.back(); }
};

/// Shape of a U-Net: convolutions per block (three down, the bottom, three up) and filters of the first
/// block.
struct NetworkShape {
    std::array<int, 7> layers{2, 3, 3, 4, 3, 3, 2};
    int filters = 16;
    int classes = 3;

    /// Trainable parameters.
    std::int64_t parameters() const;
    /// How far a pixel of the result sees, in pixels, rounded up to a multiple of 8.
    int reach_px() const;
    bool operator==(const NetworkShape&) const = default;
};

/// A trained network, or an ensemble of them.
class SegmentationNetwork {
  public:
    virtual ~SegmentationNetwork() = default;
    /// Class probabilities of a normalised frame (see normalise_frame) at pixel_size_angstrom(), any size
    /// from 8 x 8. The same bits for any number of threads.
    virtual Segmentation segment(const Pixels& normalised) = 0;
    virtual double pixel_size_angstrom() const = 0;
    virtual NetworkShape shape() const = 0;  ///< of the first member
    virtual int members() const = 0;
};

/// Where networks are computed: automatic takes CUDA where it is there.
enum class Device { automatic, cpu, cuda };

/// Where and in which pieces networks look at a frame.
struct InferenceOptions {
    int threads = 1;  ///< members and tiles are shared out among them
    Device device = Device::automatic;
    /// Memory that the activations of one thread may take; frames that need more are done in tiles, with the
    /// same result to rounding.
    std::int64_t memory_bytes = std::int64_t{1} << 30;
    /// Convolutions in bfloat16 with sums in 32 bits.
    bool bfloat16 = false;
};

/// Whether this build has networks and the library with them is found.
bool networks_available();

/// What is missing where networks are not available, with the place looked at; empty where they are.
std::string why_no_networks();
/// File of the library: in $STEMBRIDGE_LIBRARY_PATH and nowhere else where that is set, else lib/stembridge
/// beside the program (base/program_path.hpp), without a folder above it where it is not there.
std::filesystem::path network_library_path();

/// Ensemble of trained weights.
/// @param members of train_network, or read from files; a state may itself hold several members
/// @throw BackendError when the library is absent (built without STEMBRIDGE_LIBTORCH, or not found), or the
/// device is
/// @throw FileError when weights are not those of a network, or of other classes or another grid than the
/// first
std::unique_ptr<SegmentationNetwork> open_network(const std::vector<State>& members, const Context& context,
                                                  const InferenceOptions& options = {});

/// One network alone.
inline std::unique_ptr<SegmentationNetwork> open_network(const State& weights, const Context& context,
                                                         int threads = 1) {
    return open_network(std::vector{weights}, context, {.threads = threads});
}

/// Resamples a frame by a factor (0.1 angstrom to 0.15 angstrom: factor 2/3), with a low-pass filter.
Pixels resample(const Pixels& pixels, double factor);

/// What networks see: median of the trusted region to 0, its spread to 1, bright parts compressed.
/// @param region 1 where the frame can be trusted, same size, or empty for everywhere
Pixels normalise_frame(const Pixels& pixels, const Pixels& region);

}  // namespace stembridge::ml
