// SPDX-License-Identifier: Apache-2.0
#include "batches.hpp"

#include <atomic>
#include <functional>
#include <future>

#include "stembridge/base/random.hpp"

namespace stembridge::ml {
namespace {

constexpr std::uint64_t first_validation_crop = 1ULL << 40;

/// Of the crops that are simulated, or cut out of a frame.
int side_of(const TrainingOptions& options) {
    return options.crop_px +
           (options.augment ? augmentation_margin_px(options.augmentation, options.crop_px) : 0);
}

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t index) {
    return seed * 0x9e3779b97f4a7c15ULL + index;
}

/// The crops 0 to n - 1. @throw what `make` throws
std::vector<TrainingCrop> side_by_side(int n, int threads, const std::function<TrainingCrop(int)>& make) {
    std::vector<TrainingCrop> crops(static_cast<std::size_t>(n));
    std::atomic<int> next = 0;
    const auto work = [&] {
        for (int i = next++; i < n; i = next++) crops[static_cast<std::size_t>(i)] = make(i);
    };
    std::vector<std::future<void>> others;
    for (int t = 1; t < std::min(threads, n); ++t) others.push_back(std::async(std::launch::async, work));
    work();
    for (auto& other : others) other.get();
    return crops;
}

}  // namespace

Batch batch_of(const TrainingOptions& options, const std::vector<TrainingCrop>& crops,
               const torch::Device& device) {
    const auto n = static_cast<std::int64_t>(crops.size());
    const std::int64_t side = options.crop_px, classes = options.shape.classes;
    Batch batch{torch::empty({n, 1, side, side}), torch::empty({n, classes, side, side}),
                torch::ones({n, 1, side, side})};
    const auto copy = [&](const Pixels& from, torch::Tensor to) {
        to.copy_(torch::from_blob(const_cast<float*>(from.data()), {side, side}, torch::kFloat32));
    };
    for (std::int64_t i = 0; i < n; ++i) {
        const TrainingCrop& crop = crops[static_cast<std::size_t>(i)];
        copy(crop.image, batch.images[i][0]);
        const auto masks = class_masks(crop.atoms, options.crop_px, options.crop_px,
                                       options.disc_radius_angstrom / options.pixel_size_angstrom);
        for (std::int64_t c = 0; c < classes; ++c)
            copy(masks[static_cast<std::size_t>(c)], batch.targets[i][c]);
        if (crop.trusted.size() > 0) copy(crop.trusted, batch.weights[i][0]);
    }
    batch.images = batch.images.contiguous(torch::MemoryFormat::ChannelsLast).to(device);
    batch.targets = batch.targets.to(device);
    batch.weights = batch.weights.to(device);
    return batch;
}

CropSource::CropSource(const TrainingOptions& options, std::uint64_t seed,
                       const std::vector<LabelledFrame>& frames)
    : options_(options), seed_(seed), frames_(frames) {}

const TrainingCrop& CropSource::kept(std::uint64_t number) {
    {
        const std::lock_guard lock(keeping_);
        const auto found = kept_.find(number);
        if (found != kept_.end()) return found->second;
    }
    // Two threads that look for the same one both make it; either will do.
    TrainingCrop made = simulated_crop(options_, side_of(options_), seed_of(seed_, number));
    const std::lock_guard lock(keeping_);
    return kept_.try_emplace(number, std::move(made)).first->second;
}

TrainingCrop CropSource::crop(std::uint64_t index) {
    Random random(seed_of(seed_ ^ 0x5851f42d4c957f2dULL, index));
    const std::uint64_t change = random.next();
    const int side = side_of(options_);
    const auto changed = [&](const TrainingCrop& known) {
        return options_.augment ? augmented(known, options_.augmentation, options_.crop_px, change) : known;
    };
    if (!frames_.empty() && random.uniform() < options_.experimental_share) {
        const auto frame = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(frames_.size())));
        return changed(experimental_crop(frames_[frame], side, random.next()));
    }
    if (options_.distinct_crops > 0)
        return changed(kept(index % static_cast<std::uint64_t>(options_.distinct_crops)));
    return changed(simulated_crop(options_, side, seed_of(seed_, index)));
}

std::vector<TrainingCrop> CropSource::of_step(std::int64_t step) {
    const std::uint64_t first = static_cast<std::uint64_t>(step) * options_.batch;
    return side_by_side(options_.batch, options_.threads,
                        [&](int i) { return crop(first + static_cast<std::uint64_t>(i)); });
}

std::vector<TrainingCrop> CropSource::validation() {
    return side_by_side(options_.validation_crops, options_.threads, [&](int i) {
        return simulated_crop(options_, options_.crop_px,
                              seed_of(0, first_validation_crop + static_cast<std::uint64_t>(i)));
    });
}

}  // namespace stembridge::ml
