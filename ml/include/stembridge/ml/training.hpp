// SPDX-License-Identifier: Apache-2.0
// Training of networks on simulated frames, and on experimental ones with labels.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/ml/network.hpp"

namespace stembridge::ml {

/// What is measured against the class masks. Each is a mean over pixels or classes and 0 when all is right.
enum class Loss {
    cross_entropy,  ///< - sum_c t_c log p_c: probabilities come out calibrated
    dice,           ///< 1 - 2 sum p t / (sum p + sum t), mean over the classes
    focal           ///< - sum_c t_c (1 - p_c)^2 log p_c: hard pixels count more
};

/// How the learning rate runs: rise over the first tenth, then a cosine to a fiftieth (one-cycle); the cosine
/// alone; a constant.
enum class Schedule { one_cycle, cosine, constant };

/// Changes of a training crop that leave its atoms known. Ranges are drawn from uniformly; shares are
/// probabilities per crop.
struct Augmentation {
    bool flips = true;                       ///< the eight symmetries of the square
    std::array<double, 2> zoom{0.94, 1.06};  ///< length of the pixels is changed by
    double contrast_share = 0.3;
    std::array<double, 2> gamma{0.5, 1.9};  ///< brightness between the 0.5 and 99.5 % quantiles to this power
    double background = 0.25;               ///< largest slope of an added plane, over the crop
    double blur_share = 0.2;
    double largest_blur_px = 0.7;
    double gaussian_share = 0.3;
    double largest_gaussian = 0.15;  ///< standard deviation in units of the normalised frame
    double poisson_share = 0.2;
    double fewest_counts = 15;  ///< per unit of the normalised frame, up to ten times that
    double salt_pepper_share = 0.1;
    double largest_salt_pepper = 0.004;  ///< share of the pixels set to the brightest or darkest value
    double jitter_share = 0.2;
    double largest_jitter_px = 0.3;  ///< standard deviation of the displacement of lines
};

/// How a network is trained.
struct TrainingOptions {
    NetworkShape shape;
    double pixel_size_angstrom = 0.15;  ///< of the network's grid; frames are resampled to it
    int crop_px = 128;                  ///< side of the training crops, multiple of 8
    int batch = 8;
    int steps = 2600;
    double learning_rate = 3e-3;  ///< largest of the schedule
    Schedule schedule = Schedule::one_cycle;
    Loss loss = Loss::cross_entropy;
    double weight_decay = 1e-4;
    double averaging_share = 0.2;  ///< last share of the steps whose weights are averaged
    double disc_radius_angstrom = 0.3;
    int distinct_crops = 0;  ///< simulated once and then met again, augmented anew; 0 = every crop is new
    int validation_crops = 32;
    int report_every = 100;      ///< steps between progress reports and validation
    int checkpoint_every = 250;  ///< steps between checkpoints handed to the observer
    int patience = 0;  ///< reports without a lower validation loss after which training ends; 0 = never
    bool bfloat16 = true;
    int threads = 1;
    Device device = Device::automatic;
    bool augment = true;
    Augmentation augmentation;
    /// Snapshots of SWAG that the covariance keeps; 0 = no SWAG. Then `draws` networks come out instead of
    /// one.
    int swag_rank = 0;
    int swag_draws = 5;
    double experimental_share = 0.5;  ///< of the crops, where labelled frames are given
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

/// How good a network is on crops it was not trained on.
struct ValidationScores {
    double loss = 0;
    double iou = 0;        ///< intersection over union of "any atom"
    double precision = 0;  ///< of blobs of the atom probability within 0.5 angstrom of an atom
    double recall = 0;
    double f1 = 0;
    double silicon_recall = 0;     ///< of Si, found and called Si; NaN without Si
    double rms_angstrom = 0;       ///< of the blobs' centroids, per axis
    double calibration_error = 0;  ///< expected calibration error of the blobs' probabilities, 10 bins
};

/// What the caller of train_network sees of it.
struct TrainingProgress {
    int step = 0;
    int steps = 0;
    double loss = 0;  ///< mean since the last report
    double learning_rate = 0;
    std::optional<ValidationScores> validation;
    double seconds = 0;
};
/// What is called while a network is trained; either may be empty.
struct TrainingObserver {
    std::function<void(const TrainingProgress&)> report;
    std::function<void(const State&)> checkpoint;  ///< everything needed to go on
};

/// A frame with known atoms, on the network's grid and normalised: experimental material to train on.
struct LabelledFrame {
    Pixels image;                        ///< (height, width)
    Pixels trusted;                      ///< 1 where the labels hold, same size
    std::vector<Eigen::Vector3d> atoms;  ///< x_px, y_px, atomic number
};

/// Where a training begins and what it sees besides simulated frames.
struct TrainingStart {
    State weights;  ///< of a trained network to go on from; empty = random
    State resume;   ///< a checkpoint of the same training; empty = from its beginning
    std::vector<LabelledFrame> frames;
};

/// Trains a network. The same options, seed and start give the same bits.
/// @return weights for open_network (32-bit floats); several members with SWAG
/// @throw InputError for options that make no sense, or a start of another shape
/// @throw BackendError without LibTorch, or without the device
/// @throw StoppedError when the context asks to stop; the last checkpoint holds the state
State train_network(const TrainingOptions& options, const Context& context,
                    const TrainingObserver& observer = {}, const TrainingStart& start = {});

/// Something to train on: a normalised crop and the atoms in it.
struct TrainingCrop {
    Pixels image;                        ///< (side, side)
    std::vector<Eigen::Vector3d> atoms;  ///< x_px, y_px, atomic number; also those just outside
    Pixels trusted;                      ///< 1 where the atoms are known; empty = everywhere
};

/// A crop of a random simulated frame, side pixels wide.
TrainingCrop simulated_crop(const TrainingOptions& options, int side, std::uint64_t seed);

/// A random window of a labelled frame, at least half of it trusted; the frame's mirror image goes on
/// outside.
TrainingCrop experimental_crop(const LabelledFrame& frame, int side, std::uint64_t seed);

/// So many pixels wider than it is used a crop is made, for shifts and for the smallest zoom of an
/// augmentation.
int augmentation_margin_px(const Augmentation& options, int side);

/// Another crop of the same atoms: cut out of the given, larger or equal one, and changed as the options say.
TrainingCrop augmented(const TrainingCrop& crop, const Augmentation& options, int side, std::uint64_t seed);

/// Class masks of atoms: C, Si, background; anti-aliased discs that overlap by the larger value, Si above C.
std::vector<Pixels> class_masks(const std::vector<Eigen::Vector3d>& atoms, int height, int width,
                                double radius_px);

}  // namespace stembridge::ml
