// SPDX-License-Identifier: Apache-2.0
#include "inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>

#include "device.hpp"
#include "stembridge/base/errors.hpp"
#include "unet.hpp"
#include "weights.hpp"

namespace stembridge::ml {
namespace {

using Eigen::Index;

/// Bytes of activations per pixel and filter of the first block, at most: 25 to 45 were seen.
constexpr double bytes_per_pixel_and_filter = 50;
constexpr Index smallest_tile = 64;

torch::Tensor tensor_of(const Pixels& pixels) {
    return torch::from_blob(const_cast<float*>(pixels.data()), {1, 1, pixels.rows(), pixels.cols()},
                            torch::kFloat32)
        .clone();
}

/// Whether a device, or the processor, had too little memory.
bool is_out_of_memory(const c10::Error& error) {
    // The processor's allocator has no type for it; its messages begin differently.
    return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
           std::string_view(error.what_without_backtrace()).find("you tried to allocate") !=
               std::string_view::npos;
}

/// Where a tile begins and ends along one axis, and what it looks at; all multiples of 8.
struct Span {
    Index begin, end, seen_begin, seen_end;
};

/// Cuts a padded length into tiles of at most `tile` that look `reach` farther on both sides.
std::vector<Span> spans_of(Index length, Index tile, Index reach) {
    std::vector<Span> spans;
    const Index pieces = (length + tile - 1) / tile, size = ((length + pieces - 1) / pieces + 7) / 8 * 8;
    for (Index begin = 0; begin < length; begin += size) {
        const Index end = std::min(length, begin + size);
        spans.push_back({begin, end, std::max<Index>(0, begin - reach), std::min(length, end + reach)});
    }
    return spans;
}

class TorchEnsemble final : public SegmentationNetwork {
  public:
    TorchEnsemble(const std::vector<State>& states, const InferenceOptions& options)
        : options_(options), device_(torch_device(options.device)) {
        for (const State& state : states) {
            const NetworkShape shape = get_shape(state);
            const double pixel_size = state.number("pixel_size_angstrom");
            const auto members = state.integer("members");
            if (members < 1 || members > 1000 || !(pixel_size > 0))
                throw FileError("network weights: no members or no pixel size");
            if (!members_.empty() && pixel_size != pixel_size_)
                throw FileError(
                    fmt::format("network weights: the members of an ensemble need the same grid; one has {} "
                                "angstrom, another {}",
                                pixel_size_, pixel_size));
            pixel_size_ = pixel_size;
            for (std::int64_t m = 0; m < members; ++m) {
                UNet network(shape);
                get_network(state, "member" + std::to_string(m), *network);
                network->eval();
                network->to(device_);
                for (auto& parameter : network->parameters()) {
                    parameter.set_requires_grad(false);
                    if (parameter.dim() == 4)
                        parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
                }
                shapes_.push_back(shape);
                members_.push_back(std::move(network));
            }
        }
    }

    Segmentation segment(const Pixels& normalised) override {
        const Index h = normalised.rows(), w = normalised.cols();
        if (h < 8 || w < 8)
            throw InputError(fmt::format("network: a frame of {} x {} pixels is smaller than 8 x 8", w, h));
        // The pooling needs sides that are multiples of 8; the frame is continued by its mirror image.
        const auto missing = [](Index n) { return (8 - n % 8) % 8; };
        const ThreadGuard guard(1);
        const torch::NoGradGuard no_gradients;
        const torch::Tensor frame =
            torch::reflection_pad2d(tensor_of(normalised), {0, missing(w), 0, missing(h)});
        for (double memory = static_cast<double>(options_.memory_bytes);; memory /= 4) {
            try {
                return summed_up(segment_tiles(frame, memory), h, w);
            } catch (const c10::Error& error) {
                if (!is_out_of_memory(error) || memory < 1e6)
                    throw BackendError(std::string("LibTorch: ") + error.what_without_backtrace());
            }
        }
    }
    double pixel_size_angstrom() const override { return pixel_size_; }
    NetworkShape shape() const override { return shapes_.front(); }
    int members() const override { return static_cast<int>(members_.size()); }

  private:
    /// Side of the tiles that a member's activations allow.
    static Index tile_side(const NetworkShape& shape, double memory) {
        const double pixels = memory / (bytes_per_pixel_and_filter * shape.filters);
        const auto side = static_cast<Index>(std::sqrt(pixels)) / 8 * 8 - 2 * shape.reach_px();
        return std::max(smallest_tile, side);
    }

    /// Probabilities of each member, (classes, height, width). Members and tiles are shared out among the
    /// threads, each of which computes alone: their number changes no bit.
    std::vector<torch::Tensor> segment_tiles(const torch::Tensor& frame, double memory) {
        struct Task {
            std::size_t member;
            Span rows, columns;
        };
        std::vector<Task> tasks;
        std::vector<torch::Tensor> results;
        for (std::size_t m = 0; m < members_.size(); ++m) {
            const NetworkShape& shape = shapes_[m];
            results.push_back(torch::empty({shape.classes, frame.size(2), frame.size(3)}));
            // A frame that fits is one tile.
            const bool fits = bytes_per_pixel_and_filter * shape.filters *
                                  static_cast<double>(frame.size(2) * frame.size(3)) <=
                              memory;
            const Index tile = fits ? std::max(frame.size(2), frame.size(3)) : tile_side(shape, memory);
            for (const Span& rows : spans_of(frame.size(2), tile, shape.reach_px()))
                for (const Span& columns : spans_of(frame.size(3), tile, shape.reach_px()))
                    tasks.push_back({m, rows, columns});
        }
        std::atomic<std::size_t> next{0};
        std::exception_ptr failure;
        std::mutex mutex;
        const auto work = [&] {
            const ThreadGuard guard(1);
            const torch::NoGradGuard no_gradients;
            const Autocast autocast(options_.bfloat16, device_);
            for (std::size_t t = next++; t < tasks.size(); t = next++) try {
                    const Task& task = tasks[t];
                    const Span &r = task.rows, &c = task.columns;
                    const torch::Tensor seen = frame.slice(2, r.seen_begin, r.seen_end)
                                                   .slice(3, c.seen_begin, c.seen_end)
                                                   .contiguous(torch::MemoryFormat::ChannelsLast)
                                                   .to(device_);
                    const torch::Tensor logits = members_[task.member]->forward(seen).to(torch::kFloat32);
                    const torch::Tensor p = torch::softmax(logits, 1)[0].to(torch::kCPU);
                    results[task.member]
                        .slice(1, r.begin, r.end)
                        .slice(2, c.begin, c.end)
                        .copy_(p.slice(1, r.begin - r.seen_begin, r.end - r.seen_begin)
                                   .slice(2, c.begin - c.seen_begin, c.end - c.seen_begin));
                } catch (...) {
                    const std::lock_guard lock(mutex);
                    if (!failure) failure = std::current_exception();
                    next = tasks.size();
                }
        };
        const auto extra = device_.is_cuda() ? 0 : std::min<std::size_t>(options_.threads, tasks.size()) - 1;
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < extra; ++t) threads.emplace_back(work);
        work();
        threads.clear();
        if (failure) std::rethrow_exception(failure);
        return results;
    }

    Segmentation summed_up(const std::vector<torch::Tensor>& probabilities, Index h, Index w) const {
        Segmentation result;
        result.atomic_numbers = {6, 14, 0};
        const auto n = static_cast<float>(probabilities.size());
        std::vector<std::vector<Pixels>> members;
        for (const torch::Tensor& p : probabilities) {
            members.emplace_back();
            for (Index c = 0; c < p.size(0); ++c) {
                const torch::Tensor plane = p[c].slice(0, 0, h).slice(1, 0, w).contiguous();
                members.back().push_back(Eigen::Map<const Pixels>(plane.data_ptr<float>(), h, w));
            }
        }
        for (std::size_t c = 0; c < result.atomic_numbers.size(); ++c) {
            Pixels mean = Pixels::Zero(h, w), variance = mean;
            for (const auto& member : members) mean += member[c] / n;
            for (const auto& member : members) variance += (member[c] - mean).square() / n;
            result.mean.push_back(std::move(mean));
            result.spread.push_back(variance.sqrt());
        }
        if (members.size() > 1) result.members = std::move(members);
        return result;
    }

    InferenceOptions options_;
    torch::Device device_;
    double pixel_size_ = 0;
    std::vector<NetworkShape> shapes_;
    std::vector<UNet> members_;
};

}  // namespace

std::unique_ptr<SegmentationNetwork> open_members(const std::vector<State>& members,
                                                  const InferenceOptions& options) {
    return std::make_unique<TorchEnsemble>(members, options);
}

}  // namespace stembridge::ml
