// SPDX-License-Identifier: Apache-2.0
#include "training/training_options.hpp"

#include <fmt/format.h>

#include <Eigen/Core>

#include "configuration.hpp"
#include "environment.hpp"
#include "stages/atom_finder.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/state_file.hpp"
#include "training/elit.hpp"

namespace stembridge::app {
namespace {

std::string range_text(const std::array<double, 2>& r) {
    return fmt::format("[{}, {}]", r[0], r[1]);
}

std::array<double, 2> range_of(const io::Config& c, const std::string& key) {
    const auto values = c.numbers(key);
    return {values[0], values[1]};
}

ml::Augmentation augmentation_of(const io::Config& c) {
    ml::Augmentation a;
    a.flips = c.boolean("train.augment.flips");
    a.zoom = range_of(c, "train.augment.zoom");
    a.contrast_share = c.number("train.augment.contrast_share");
    a.gamma = range_of(c, "train.augment.gamma");
    a.background = c.number("train.augment.background");
    a.blur_share = c.number("train.augment.blur_share");
    a.largest_blur_px = c.number("train.augment.largest_blur_px");
    a.gaussian_share = c.number("train.augment.gaussian_share");
    a.largest_gaussian = c.number("train.augment.largest_gaussian");
    a.poisson_share = c.number("train.augment.poisson_share");
    a.fewest_counts = c.number("train.augment.fewest_counts");
    a.salt_pepper_share = c.number("train.augment.salt_pepper_share");
    a.largest_salt_pepper = c.number("train.augment.largest_salt_pepper");
    a.jitter_share = c.number("train.augment.jitter_share");
    a.largest_jitter_px = c.number("train.augment.largest_jitter_px");
    return a;
}

io::Schema augmentation_schema() {
    using io::Key;
    const ml::Augmentation a;
    const auto share = [](const char* key, double value, const char* meaning) {
        return Key::number(std::string("train.augment.") + key, fmt::format("{}", value), meaning)
            .at_least(0)
            .at_most(1);
    };
    const auto number = [](const char* key, double value, const char* meaning) {
        return Key::number(std::string("train.augment.") + key, fmt::format("{}", value), meaning)
            .at_least(0);
    };
    return {
        Key::boolean("train.augment.enabled", "true", "Change every crop anew when it is met"),
        Key::boolean("train.augment.flips", "true", "The eight rotations and reflections of the square"),
        Key::numbers("train.augment.zoom", 2, range_text(a.zoom),
                     "Factor of the scale, for half of the crops"),
        share("contrast_share", a.contrast_share, "Share of the crops with another gamma"),
        Key::numbers("train.augment.gamma", 2, range_text(a.gamma), "Exponent of the brightness"),
        number("background", a.background, "Largest slope of an added plane, normalised brightness per crop"),
        share("blur_share", a.blur_share, "Share of the crops that are blurred"),
        number("largest_blur_px", a.largest_blur_px, "Gaussian sigma of the blur, at most"),
        share("gaussian_share", a.gaussian_share, "Share of the crops with added Gaussian noise"),
        number("largest_gaussian", a.largest_gaussian,
               "Its standard deviation, normalised brightness, at most"),
        share("poisson_share", a.poisson_share, "Share of the crops that are counted once more"),
        number("fewest_counts", a.fewest_counts,
               "Counts per unit of normalised brightness, up to ten times that"),
        share("salt_pepper_share", a.salt_pepper_share, "Share of the crops with dead and hot pixels"),
        number("largest_salt_pepper", a.largest_salt_pepper, "Share of such pixels, at most"),
        share("jitter_share", a.jitter_share, "Share of the crops whose lines are shaken"),
        number("largest_jitter_px", a.largest_jitter_px, "Standard deviation of the shaking, at most"),
    };
}

io::Schema frames_schema() {
    using io::Key;
    const ml::TrainingOptions o;
    return {
        Key::numbers("train.frames.pixel_angstrom", 2, range_text(o.source_pixel_angstrom),
                     "Pixel sizes of the simulated frames"),
        Key::numbers("train.frames.electrons_per_pixel", 2,
                     range_text(o.electrons_per_pixel_at_tenth_angstrom),
                     "Dose, beam electrons per pixel of 0.1 angstrom"),
        Key::numbers("train.frames.hollow_to_peak", 2, range_text(o.hollow_to_peak), "Contrast of graphene"),
        Key::numbers("train.frames.source_angstrom", 2, range_text(o.source_fwhm_angstrom), "Source size"),
        Key::numbers("train.frames.tail_fraction", 2, range_text(o.tail_fraction),
                     "Share of the beam in the tails"),
        Key::numbers("train.frames.noise_blur_px", 2, range_text(o.noise_blur_px),
                     "Correlation of the noise"),
        Key::number("train.frames.largest_anisotropy", fmt::format("{}", o.largest_anisotropy), "Of the scan")
            .at_least(0),
        Key::number("train.frames.contaminated_share", fmt::format("{}", o.contaminated_share),
                    "Of the crops")
            .at_least(0)
            .at_most(1),
    };
}

io::Schema ensemble_schema() {
    using io::Key;
    const EnsembleOptions e;
    return {
        Key::choice("train.ensemble.kind", {"none", "scratch", "baseline", "swag"}, "none",
                    "none = one network; scratch = every member from its own random weights; baseline = "
                    "short continuations of one network; swag = drawn around the averaged weights of one"),
        Key::integer("train.ensemble.members", std::to_string(e.members), "Networks of the ensemble")
            .at_least(2)
            .at_most(100),
        Key::integer("train.ensemble.steps", std::to_string(e.steps),
                     "Steps of each continuation of the baseline")
            .at_least(1),
        Key::number("train.ensemble.learning_rate", fmt::format("{}", e.learning_rate),
                    "Largest of each continuation's schedule")
            .positive(),
        Key::integer("train.ensemble.swag_rank", "20", "Snapshots that the covariance of swag keeps")
            .at_least(2),
    };
}

}  // namespace

io::Schema training_schema() {
    using io::Key;
    const ml::TrainingOptions o;
    io::Schema schema = {
        Key::integer("run.seed", "1", "Seed of first weights and of all frames").at_least(0),
        Key::integer("run.threads", "0", "Threads; 0 = all processors").at_least(0).at_most(1024),
        Key::file("train.start", "", "Weights to go on from; left out = random ones"),
        Key::integers("train.layers", 7, "[2, 3, 3, 4, 3, 3, 2]",
                      "Convolutions per block: three down, the bottom, three up")
            .at_least(1)
            .at_most(8),
        Key::integer("train.filters", std::to_string(o.shape.filters), "Filters of the first block")
            .at_least(2)
            .at_most(256),
        Key::quantity("train.pixel_size", Dimension::length,
                      fmt::format("{} angstrom", o.pixel_size_angstrom),
                      "Grid of the network; frames are resampled to it")
            .positive(),
        Key::integer("train.crop_px", std::to_string(o.crop_px), "Side of the training crops, multiple of 8")
            .at_least(16),
        Key::integer("train.batch", std::to_string(o.batch), "Crops per step").at_least(1),
        Key::integer("train.steps", std::to_string(o.steps), "Steps").at_least(1),
        Key::number("train.learning_rate", fmt::format("{}", o.learning_rate), "Largest of the schedule")
            .positive(),
        Key::choice("train.schedule", {"one-cycle", "cosine", "constant"}, "one-cycle",
                    "How the learning rate runs"),
        Key::choice("train.loss", {"cross-entropy", "dice", "focal"}, "cross-entropy",
                    "What is made small; cross-entropy gives honest probabilities"),
        Key::number("train.weight_decay", fmt::format("{}", o.weight_decay), "Decoupled weight decay")
            .at_least(0),
        Key::number("train.averaging_share", fmt::format("{}", o.averaging_share),
                    "Last share of the steps whose weights are averaged")
            .at_least(0)
            .at_most(1),
        Key::quantity("train.disc_radius", Dimension::length,
                      fmt::format("{} angstrom", o.disc_radius_angstrom), "Radius of the class masks")
            .positive(),
        Key::integer("train.distinct_crops", std::to_string(o.distinct_crops),
                     "Crops simulated once and then met again, augmented anew; 0 = every crop is new")
            .at_least(0),
        Key::integer("train.validation_crops", std::to_string(o.validation_crops),
                     "Crops that are never trained on")
            .at_least(1),
        Key::integer("train.report_every", std::to_string(o.report_every),
                     "Steps between reports and validation")
            .at_least(1),
        Key::integer("train.patience", std::to_string(o.patience),
                     "Reports without a lower validation loss after which training ends; 0 = never")
            .at_least(0),
        Key::integer("train.checkpoint_every", std::to_string(o.checkpoint_every),
                     "Steps between checkpoints")
            .at_least(1),
        Key::boolean("train.bfloat16", o.bfloat16 ? "true" : "false", "Mixed precision"),
        Key::choice("train.device", {"auto", "cpu", "cuda"}, "auto", "Where networks are trained"),
        Key::boolean("train.half_precision", "true",
                     "Store convolutions with 16-bit floats: half the size, one part in 2000"),
    };
    for (const io::Schema& part : {augmentation_schema(), frames_schema(), ensemble_schema(), elit_schema()})
        schema.insert(schema.end(), part.begin(), part.end());
    return schema;
}

ml::TrainingOptions training_options(const io::Config& c) {
    ml::TrainingOptions o;
    const auto layers = c.integers("train.layers");
    for (std::size_t k = 0; k < layers.size(); ++k) o.shape.layers[k] = static_cast<int>(layers[k]);
    o.shape.filters = static_cast<int>(c.integer("train.filters"));
    o.pixel_size_angstrom = c.quantity("train.pixel_size") / units::angstrom;
    o.crop_px = static_cast<int>(c.integer("train.crop_px"));
    o.batch = static_cast<int>(c.integer("train.batch"));
    o.steps = static_cast<int>(c.integer("train.steps"));
    o.learning_rate = c.number("train.learning_rate");
    const std::string &schedule = c.text("train.schedule"), &loss = c.text("train.loss");
    o.schedule = schedule == "cosine"     ? ml::Schedule::cosine
                 : schedule == "constant" ? ml::Schedule::constant
                                          : ml::Schedule::one_cycle;
    o.loss = loss == "dice" ? ml::Loss::dice : loss == "focal" ? ml::Loss::focal : ml::Loss::cross_entropy;
    o.weight_decay = c.number("train.weight_decay");
    o.averaging_share = c.number("train.averaging_share");
    o.disc_radius_angstrom = c.quantity("train.disc_radius") / units::angstrom;
    o.distinct_crops = static_cast<int>(c.integer("train.distinct_crops"));
    o.validation_crops = static_cast<int>(c.integer("train.validation_crops"));
    o.report_every = static_cast<int>(c.integer("train.report_every"));
    o.patience = static_cast<int>(c.integer("train.patience"));
    o.checkpoint_every = static_cast<int>(c.integer("train.checkpoint_every"));
    o.bfloat16 = c.boolean("train.bfloat16");
    o.device = device_of(c.text("train.device"));
    o.augment = c.boolean("train.augment.enabled");
    o.augmentation = augmentation_of(c);
    o.source_pixel_angstrom = range_of(c, "train.frames.pixel_angstrom");
    o.electrons_per_pixel_at_tenth_angstrom = range_of(c, "train.frames.electrons_per_pixel");
    o.hollow_to_peak = range_of(c, "train.frames.hollow_to_peak");
    o.source_fwhm_angstrom = range_of(c, "train.frames.source_angstrom");
    o.tail_fraction = range_of(c, "train.frames.tail_fraction");
    o.noise_blur_px = range_of(c, "train.frames.noise_blur_px");
    o.largest_anisotropy = c.number("train.frames.largest_anisotropy");
    o.contaminated_share = c.number("train.frames.contaminated_share");
    o.threads = threads_in_use();
    const EnsembleOptions ensemble = ensemble_options(c);
    if (ensemble.kind == EnsembleKind::swag) {
        if (o.patience > 0)
            throw InputError(
                "train.patience: the kind swag of [train.ensemble] draws from weights at the end of the "
                "whole "
                "schedule; with it patience must be 0 (never end early)");
        o.swag_rank = static_cast<int>(c.integer("train.ensemble.swag_rank"));
        o.swag_draws = ensemble.members;
    }
    return o;
}

EnsembleOptions ensemble_options(const io::Config& c) {
    EnsembleOptions e;
    const std::string& kind = c.text("train.ensemble.kind");
    e.kind = kind == "scratch"    ? EnsembleKind::scratch
             : kind == "baseline" ? EnsembleKind::baseline
             : kind == "swag"     ? EnsembleKind::swag
                                  : EnsembleKind::none;
    e.members = static_cast<int>(c.integer("train.ensemble.members"));
    e.steps = static_cast<int>(c.integer("train.ensemble.steps"));
    e.learning_rate = c.number("train.ensemble.learning_rate");
    return e;
}

ml::TrainingOptions continuation_options(const io::Config& c) {
    ml::TrainingOptions o = training_options(c);
    const EnsembleOptions e = ensemble_options(c);
    o.steps = e.steps;
    o.learning_rate = e.learning_rate;
    o.report_every = std::min(o.report_every, std::max(1, e.steps / 4));
    return o;
}

State start_weights(const io::Config& c) {
    return c.has("train.start") ? io::read_state(c.file("train.start")) : State();
}

State rounded_to_half(const State& weights) {
    State rounded = weights;
    for (const auto& [name, value] : weights.values()) {
        const auto* numbers = std::get_if<std::vector<float>>(&value);
        // Biases and batch norms have one number per channel.
        if (numbers == nullptr || !name.ends_with(".weight") || numbers->size() < 2048) continue;
        std::vector<float> halves;
        halves.reserve(numbers->size());
        for (const float number : *numbers)
            halves.push_back(static_cast<float>(static_cast<Eigen::half>(number)));
        rounded.put(name, std::move(halves));
    }
    return rounded;
}

}  // namespace stembridge::app
