// SPDX-License-Identifier: Apache-2.0
// Networks that turn a frame into class probabilities. LibTorch stays behind a library opened at run time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

/// Class probabilities of each pixel: the mean over the members of an ensemble, and their standard deviation.
struct Segmentation {
    std::vector<int> atomic_numbers;  ///< of each class; 0 = background, last
    std::vector<Pixels> mean;         ///< per class, (height, width)
    std::vector<Pixels> spread;       ///< per class; zeros for a single network

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
};

/// A trained network, or an ensemble of them.
class SegmentationNetwork {
  public:
    virtual ~SegmentationNetwork() = default;
    /// Class probabilities of a normalised frame (see normalise_frame) at pixel_size_angstrom(), any size.
    virtual Segmentation segment(const Pixels& normalised) = 0;
    virtual double pixel_size_angstrom() const = 0;
    virtual NetworkShape shape() const = 0;
    virtual int members() const = 0;
};

/// Whether this build has networks and the library with them is found.
bool networks_available();

/// Network of trained weights.
/// @param weights of train_network, or read from a file  @param threads of the inference, > 0
/// @throw BackendError when the library is absent (built without STEMBRIDGE_LIBTORCH, or not found)
/// @throw FileError when the weights are not those of a network
std::unique_ptr<SegmentationNetwork> open_network(const State& weights, const Context& context,
                                                  int threads = 1);

/// How a network is trained; all frames are simulated while it trains.
struct TrainingOptions {
    NetworkShape shape;
    double pixel_size_angstrom = 0.15;  ///< of the network's grid; frames are resampled to it
    int crop_px = 128;                  ///< side of the training crops, multiple of 8
    int batch = 8;
    int steps = 2600;
    double learning_rate = 3e-3;  ///< largest of the one-cycle schedule
    double weight_decay = 1e-4;
    double averaging_share = 0.2;  ///< last share of the steps whose weights are averaged
    double disc_radius_angstrom = 0.3;
    int validation_crops = 32;
    int report_every = 100;      ///< steps between progress reports and validation
    int checkpoint_every = 250;  ///< steps between checkpoints handed to the observer
    bool bfloat16 = true;
    int threads = 1;
    // Ranges of the simulated frames
    std::array<double, 2> source_pixel_angstrom{0.07, 0.14};
    std::array<double, 2> electrons_per_pixel_at_tenth_angstrom{1500, 14000};
    std::array<double, 2> hollow_to_peak{0.35, 0.78};
    std::array<double, 2> source_fwhm_angstrom{0.6, 1.15};
    std::array<double, 2> tail_fraction{0.15, 0.5};
    std::array<double, 2> noise_blur_px{0.0, 1.1};
    double largest_anisotropy = 0.08;
    double contaminated_share = 0.35;  ///< of the crops
};

/// What the caller of train_network sees of it.
struct TrainingProgress {
    int step = 0;
    int steps = 0;
    double loss = 0;             ///< mean since the last report
    double validation_loss = 0;  ///< NaN when not measured at this report
    double validation_iou = 0;   ///< intersection over union of "any atom"
    double validation_f1 = 0;    ///< of maxima of the atom probability within 0.5 angstrom
    double seconds = 0;
};
struct TrainingObserver {
    std::function<void(const TrainingProgress&)> report;
    std::function<void(const State&)> checkpoint;  ///< everything needed to go on
};

/// Trains a network on simulated frames.
/// @param resume a checkpoint of the same options, or an empty state
/// @return weights for open_network (32-bit floats)
/// @throw InputError for options that make no sense  @throw BackendError without LibTorch
/// @throw StoppedError when the context asks to stop; the last checkpoint holds the state
State train_network(const TrainingOptions& options, const Context& context,
                    const TrainingObserver& observer = {}, const State& resume = {});

/// One pair of training data: a normalised crop and its class probabilities.
struct TrainingSample {
    Pixels image;                        ///< (crop, crop)
    std::vector<Pixels> targets;         ///< per class, background last
    std::vector<Eigen::Vector3d> atoms;  ///< x_px, y_px, atomic number; of those to be found
};
TrainingSample training_sample(const TrainingOptions& options, std::uint64_t seed);

/// Resamples a frame by a factor (0.1 angstrom to 0.15 angstrom: factor 2/3), with a low-pass filter.
Pixels resample(const Pixels& pixels, double factor);

/// What networks see: median of the trusted region to 0, its spread to 1, bright parts compressed.
/// @param region 1 where the frame can be trusted, same size, or empty for everywhere
Pixels normalise_frame(const Pixels& pixels, const Pixels& region);

}  // namespace stembridge::ml
