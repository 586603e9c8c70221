// SPDX-License-Identifier: Apache-2.0
#include "validation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "device.hpp"
#include "filters.hpp"
#include "losses.hpp"
#include "stembridge/ml/votes.hpp"

namespace stembridge::ml {
namespace {

constexpr double border_angstrom = 0.6, hit_angstrom = 0.5, closest_angstrom = 0.8;

struct Blob {
    Eigen::Vector2d position;
    double probability = 0;
    bool silicon = false;
};

/// Blobs of the atom map: centroid, and the probability that find_atoms gives the share of a disc.
std::vector<Blob> blobs_of(const Pixels& atom, const Pixels& silicon, const TrainingOptions& options) {
    const double grid = options.pixel_size_angstrom, disc = options.disc_radius_angstrom / grid,
                 reach = 1.5 * disc, area = std::numbers::pi * disc * disc;
    std::vector<Blob> blobs;
    for (const Maximum& m : local_maxima(gaussian_blur(atom, 0.15 / grid), 0.1, closest_angstrom / grid)) {
        Eigen::Vector2d moment = Eigen::Vector2d::Zero();
        double weight = 0, share = 0;
        const auto span = static_cast<Eigen::Index>(std::ceil(reach));
        for (Eigen::Index y = std::max<Eigen::Index>(0, std::lround(m.y) - span);
             y <= std::min<Eigen::Index>(atom.rows() - 1, std::lround(m.y) + span); ++y)
            for (Eigen::Index x = std::max<Eigen::Index>(0, std::lround(m.x) - span);
                 x <= std::min<Eigen::Index>(atom.cols() - 1, std::lround(m.x) + span); ++x) {
                const Eigen::Vector2d p(static_cast<double>(x), static_cast<double>(y));
                if ((p - Eigen::Vector2d(m.x, m.y)).norm() > reach) continue;
                weight += atom(y, x);
                share += silicon(y, x);
                moment += atom(y, x) * p;
            }
        if (weight > 0)
            blobs.push_back({moment / weight, probability_of_share(weight / area), share > 0.5 * weight});
    }
    std::stable_sort(blobs.begin(), blobs.end(),
                     [](const Blob& a, const Blob& b) { return a.probability > b.probability; });
    return blobs;
}

/// Counts over all crops.
struct Tally {
    double both = 0, either = 0;
    double found = 0, hits = 0, atoms = 0, squares = 0;
    double silicon = 0, silicon_hits = 0;
    struct Bin {
        double count = 0, probability = 0, real = 0;
    };
    std::array<Bin, 10> bins;

    void add(const Pixels& atom, const Pixels& silicon_map, const TrainingCrop& crop, const Pixels& truth,
             const TrainingOptions& options) {
        both += ((atom > 0.5f) && (truth > 0.5f)).cast<double>().sum();
        either += ((atom > 0.5f) || (truth > 0.5f)).cast<double>().sum();
        const double grid = options.pixel_size_angstrom, border = border_angstrom / grid;
        const auto outside = [&](const Eigen::Vector2d& p) {
            return p.minCoeff() < border || p.maxCoeff() > options.crop_px - 1 - border;
        };
        std::vector<Eigen::Vector3d> free = crop.atoms;
        for (const Eigen::Vector3d& a : free)
            if (!outside(a.head<2>())) {
                atoms += 1;
                silicon += a.z() == 14;
            }
        for (const Blob& blob : blobs_of(atom, silicon_map, options)) {
            const auto nearest =
                std::min_element(free.begin(), free.end(), [&](const auto& a, const auto& b) {
                    return (a.template head<2>() - blob.position).squaredNorm() <
                           (b.template head<2>() - blob.position).squaredNorm();
                });
            const bool hit =
                nearest != free.end() && (nearest->head<2>() - blob.position).norm() <= hit_angstrom / grid;
            const bool counts = !outside(hit ? Eigen::Vector2d(nearest->head<2>()) : blob.position);
            if (counts) {
                Bin& bin = bins[std::min<std::size_t>(9, static_cast<std::size_t>(10 * blob.probability))];
                bin.count += 1;
                bin.probability += blob.probability;
                bin.real += hit;
                if (blob.probability >= 0.5) {
                    found += 1;
                    hits += hit;
                    if (hit) squares += (nearest->head<2>() - blob.position).squaredNorm() * grid * grid;
                    silicon_hits += hit && nearest->z() == 14 && blob.silicon;
                }
            }
            if (hit) free.erase(nearest);
        }
    }
};

}  // namespace

torch::Tensor logits_of(UNet& network, const torch::Tensor& images, bool bfloat16) {
    const Autocast autocast(bfloat16, images.device());
    return network->forward(images).to(torch::kFloat32);
}

void recompute_batch_norms(UNet& network, const TrainingOptions& options, CropSource& source,
                           const torch::Device& device) {
    const torch::NoGradGuard no_gradients;
    network->train();
    constexpr int steps = 24;
    for (int step = 0; step < steps; ++step) {
        for (const auto& module : network->modules(false))
            if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->options.momentum(1.0 / (step + 1));
        logits_of(network, batch_of(options, source.of_step(step), device).images, false);
    }
    for (const auto& module : network->modules(false))
        if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->options.momentum(0.1);
    network->eval();
}

ValidationScores validate(UNet& network, const TrainingOptions& options,
                          const std::vector<TrainingCrop>& crops, const torch::Device& device) {
    const torch::NoGradGuard no_gradients;
    network->eval();
    ValidationScores scores;
    Tally tally;
    const auto plane = [&](const torch::Tensor& map) {
        const torch::Tensor here = map.to(torch::kCPU).contiguous();
        return Pixels(Eigen::Map<const Pixels>(here.data_ptr<float>(), options.crop_px, options.crop_px));
    };
    for (const TrainingCrop& crop : crops) {
        const Batch batch = batch_of(options, {crop}, device);
        const torch::Tensor logits = logits_of(network, batch.images, options.bfloat16);
        scores.loss += loss_of(options.loss, logits, batch.targets, batch.weights).item<double>() /
                       static_cast<double>(crops.size());
        const torch::Tensor p = torch::softmax(logits, 1)[0];
        tally.add(1.0f - plane(p[options.shape.classes - 1]), plane(p[1]), crop,
                  1.0f - plane(batch.targets[0][options.shape.classes - 1]), options);
    }
    const auto ratio = [](double a, double b) { return b > 0 ? a / b : 0.0; };
    scores.iou = ratio(tally.both, tally.either);
    scores.precision = ratio(tally.hits, tally.found);
    scores.recall = ratio(tally.hits, tally.atoms);
    scores.f1 = ratio(2 * tally.hits, tally.found + tally.atoms);
    scores.silicon_recall =
        tally.silicon > 0 ? tally.silicon_hits / tally.silicon : std::numeric_limits<double>::quiet_NaN();
    scores.rms_angstrom = std::sqrt(ratio(tally.squares, 2 * tally.hits));
    double blobs = 0, error = 0;
    for (const Tally::Bin& bin : tally.bins) {
        blobs += bin.count;
        error += std::abs(bin.probability - bin.real);
    }
    scores.calibration_error = ratio(error, blobs);
    return scores;
}

}  // namespace stembridge::ml
