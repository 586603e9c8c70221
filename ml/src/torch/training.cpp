// SPDX-License-Identifier: Apache-2.0
// Training on frames that are simulated while it runs: Adam, one learning-rate cycle, averaged weights.
#include <ATen/autocast_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <future>
#include <limits>
#include <numbers>

#include "filters.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "unet.hpp"

namespace stembridge::ml {
namespace {

struct Batch {
    torch::Tensor images;   ///< (batch, 1, crop, crop)
    torch::Tensor targets;  ///< (batch, classes, crop, crop), probabilities
};

/// Every sample has a number of its own, so a resumed training sees the same ones.
std::uint64_t sample_seed(std::uint64_t seed, std::uint64_t index) {
    return seed * 0x9e3779b97f4a7c15ULL + index;
}
constexpr std::uint64_t first_validation_sample = 1ULL << 40;

Batch batch_of(const TrainingOptions& options, const std::vector<TrainingSample>& samples) {
    const std::int64_t n = static_cast<std::int64_t>(samples.size()), side = options.crop_px,
                       classes = options.shape.classes;
    Batch batch{torch::empty({n, 1, side, side}), torch::empty({n, classes, side, side})};
    for (std::int64_t i = 0; i < n; ++i) {
        const TrainingSample& sample = samples[static_cast<std::size_t>(i)];
        const auto copy = [&](const Pixels& from, torch::Tensor to) {
            to.copy_(torch::from_blob(const_cast<float*>(from.data()), {side, side}, torch::kFloat32));
        };
        copy(sample.image, batch.images[i][0]);
        for (std::int64_t c = 0; c < classes; ++c)
            copy(sample.targets[static_cast<std::size_t>(c)], batch.targets[i][c]);
    }
    batch.images = batch.images.contiguous(torch::MemoryFormat::ChannelsLast);
    return batch;
}

std::vector<TrainingSample> samples_from(const TrainingOptions& options, std::uint64_t seed,
                                         std::uint64_t first, int count) {
    std::vector<TrainingSample> samples;
    for (int i = 0; i < count; ++i)
        samples.push_back(training_sample(options, sample_seed(seed, first + static_cast<std::uint64_t>(i))));
    return samples;
}

/// 16-bit floats inside convolutions while it lives.
class Autocast {
  public:
    explicit Autocast(bool enabled) : enabled_(enabled) {
        if (!enabled_) return;
        at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
        at::autocast::set_cpu_enabled(true);
    }
    ~Autocast() {
        if (!enabled_) return;
        at::autocast::set_cpu_enabled(false);
        at::autocast::clear_cache();
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

  private:
    bool enabled_;
};

torch::Tensor logits_of(UNet& network, const torch::Tensor& images, bool bfloat16) {
    const Autocast autocast(bfloat16);
    return network->forward(images).to(torch::kFloat32);
}

/// L = - mean over pixels of sum_c t_c log p_c.
torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets) {
    return -(targets * torch::log_softmax(logits, 1)).sum(1).mean();
}

/// Adam with decoupled weight decay.
/// @source Kingma, Ba, arXiv:1412.6980; Loshchilov, Hutter, arXiv:1711.05101
class Adam {
  public:
    explicit Adam(std::vector<torch::Tensor> parameters) : parameters_(std::move(parameters)) {
        for (const torch::Tensor& p : parameters_) {
            first_.push_back(torch::zeros_like(p));
            second_.push_back(torch::zeros_like(p));
        }
    }
    /// @param t number of this step, from 1
    void step(int t, double rate, double decay) {
        const torch::NoGradGuard no_gradients;
        constexpr double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8, largest_gradient = 1.0;
        double norm2 = 0;
        for (const torch::Tensor& p : parameters_) norm2 += p.grad().square().sum().item<double>();
        const double shrink = std::min(1.0, largest_gradient / (std::sqrt(norm2) + 1e-12));
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            const torch::Tensor g = parameters_[i].grad() * shrink;
            // m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2
            first_[i].mul_(beta1).add_(g, 1 - beta1);
            second_[i].mul_(beta2).addcmul_(g, g, 1 - beta2);
            // p <- p - rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay p)
            const torch::Tensor root = (second_[i] / (1 - std::pow(beta2, t))).sqrt_().add_(epsilon);
            if (parameters_[i].dim() > 1) parameters_[i].mul_(1 - rate * decay);
            parameters_[i].addcdiv_(first_[i], root, -rate / (1 - std::pow(beta1, t)));
        }
    }
    std::vector<torch::Tensor>& parameters() { return parameters_; }
    std::vector<torch::Tensor>& first() { return first_; }
    std::vector<torch::Tensor>& second() { return second_; }

  private:
    std::vector<torch::Tensor> parameters_, first_, second_;
};

/// One cycle: linear rise over the first tenth, cosine fall to a hundredth; flat while weights are averaged.
double learning_rate(const TrainingOptions& o, int step) {
    const double rise = std::max(1.0, 0.1 * o.steps);
    if (step < rise) return o.learning_rate * (0.05 + 0.95 * step / rise);
    const double progress =
        std::min(1.0, (step - rise) / std::max(1.0, (1 - 0.5 * o.averaging_share) * o.steps - rise));
    return o.learning_rate * (0.02 + 0.98 * 0.5 * (1 + std::cos(std::numbers::pi * progress)));
}

/// Running statistics of the batch norms for new weights: the plain mean over some batches.
void recompute_batch_norms(UNet& network, const TrainingOptions& options, const Context& context) {
    const torch::NoGradGuard no_gradients;
    network->train();
    constexpr int batches = 24;
    for (int b = 0; b < batches; ++b) {
        for (const auto& module : network->modules(false))
            if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->options.momentum(1.0 / (b + 1));
        const auto samples =
            samples_from(options, context.seed, static_cast<std::uint64_t>(b) * options.batch, options.batch);
        logits_of(network, batch_of(options, samples).images, false);
    }
    network->eval();
}

struct Scores {
    double loss = 0, iou = 0, f1 = 0;
};

/// Loss, overlap of "any atom", and hits of maxima within half an angstrom.
Scores validate(UNet& network, const TrainingOptions& options, const std::vector<TrainingSample>& samples) {
    const torch::NoGradGuard no_gradients;
    network->eval();
    double loss = 0, both = 0, either = 0, hits = 0, found_atoms = 0, true_atoms = 0;
    const double reach = 0.5 / options.pixel_size_angstrom;
    for (const TrainingSample& sample : samples) {
        const Batch batch = batch_of(options, {sample});
        const torch::Tensor logits = logits_of(network, batch.images, options.bfloat16);
        loss += cross_entropy(logits, batch.targets).item<double>() / static_cast<double>(samples.size());
        const torch::Tensor background = torch::softmax(logits, 1)[0][options.shape.classes - 1].contiguous();
        const Pixels atom =
            1.0f - Eigen::Map<const Pixels>(background.data_ptr<float>(), options.crop_px, options.crop_px);
        const Pixels truth = 1.0f - sample.targets.back();
        both += ((atom > 0.5f) && (truth > 0.5f)).cast<double>().sum();
        either += ((atom > 0.5f) || (truth > 0.5f)).cast<double>().sum();
        std::vector<Eigen::Vector2d> free;
        for (const auto& a : sample.atoms) free.emplace_back(a.x(), a.y());
        true_atoms += static_cast<double>(free.size());
        for (const Maximum& m : local_maxima(gaussian_blur(atom, 0.15 / options.pixel_size_angstrom), 0.3,
                                             0.8 / options.pixel_size_angstrom)) {
            found_atoms += 1;
            const Eigen::Vector2d p(m.x, m.y);
            const auto nearest = std::min_element(
                free.begin(), free.end(),
                [&](const auto& a, const auto& b) { return (a - p).squaredNorm() < (b - p).squaredNorm(); });
            if (nearest == free.end() || (*nearest - p).norm() > reach) continue;
            hits += 1;
            free.erase(nearest);
        }
    }
    return {loss, either > 0 ? both / either : 0,
            found_atoms + true_atoms > 0 ? 2 * hits / (found_atoms + true_atoms) : 0};
}

void put_tensors(State& state, const std::string& prefix, const std::vector<torch::Tensor>& tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const torch::Tensor flat = tensors[i].detach().contiguous().view({-1});
        state.put(prefix + "/" + std::to_string(i),
                  std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()));
    }
}

void get_tensors(const State& state, const std::string& prefix, std::vector<torch::Tensor>& tensors) {
    const torch::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const auto& values = state.get<std::vector<float>>(prefix + "/" + std::to_string(i));
        if (static_cast<std::int64_t>(values.size()) != tensors[i].numel())
            throw FileError("training checkpoint: '" + prefix + "' belongs to another network");
        tensors[i].copy_(
            torch::from_blob(const_cast<float*>(values.data()), tensors[i].sizes(), torch::kFloat32));
    }
}

}  // namespace

State train(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
            const State& resume) {
    const ThreadGuard guard(options.threads);
    torch::manual_seed(context.seed);
    UNet network(options.shape);
    for (auto& p : network->parameters())
        if (p.dim() == 4) p.set_data(p.contiguous(torch::MemoryFormat::ChannelsLast));
    Adam optimiser(network->parameters());
    std::vector<torch::Tensor> average;
    for (const torch::Tensor& p : optimiser.parameters()) average.push_back(torch::zeros_like(p));
    std::int64_t averaged = 0, first_step = 0;
    const int first_averaged = static_cast<int>((1 - options.averaging_share) * options.steps);

    if (!resume.values().empty()) {
        const NetworkShape shape = get_shape(resume);
        if (shape.layers != options.shape.layers || shape.filters != options.shape.filters)
            throw InputError("training: the checkpoint belongs to a network of another shape");
        if (!resume.has("step") || resume.integer("steps") != options.steps)
            throw InputError(
                fmt::format("training: the checkpoint is not one of a training of {} steps", options.steps));
        get_network(resume, "network", *network);
        get_tensors(resume, "first", optimiser.first());
        get_tensors(resume, "second", optimiser.second());
        get_tensors(resume, "average", average);
        averaged = resume.integer("averaged");
        first_step = resume.integer("step");
    }
    const auto checkpoint = [&](std::int64_t done) {
        if (!observer.checkpoint) return;
        State state;
        put_shape(state, options.shape, options.pixel_size_angstrom, 0);
        put_network(state, "network", *network);
        put_tensors(state, "first", optimiser.first());
        put_tensors(state, "second", optimiser.second());
        put_tensors(state, "average", average);
        state.put("averaged", averaged);
        state.put("step", done);
        state.put("steps", std::int64_t{options.steps});
        observer.checkpoint(state);
    };

    const auto validation =
        samples_from(options, context.seed, first_validation_sample, options.validation_crops);
    const auto prepare = [&options, seed = context.seed](std::int64_t step) {
        return samples_from(options, seed, static_cast<std::uint64_t>(step) * options.batch, options.batch);
    };
    const Timer timer;
    double loss_sum = 0;
    int loss_count = 0;
    // The next batch is simulated while this one is learned.
    auto next = std::async(std::launch::async, prepare, first_step);
    for (std::int64_t step = first_step; step < options.steps; ++step) {
        const Batch batch = batch_of(options, next.get());
        if (context.stop_requested()) {
            checkpoint(step);
            throw StoppedError(fmt::format("training stopped after {} of {} steps", step, options.steps));
        }
        next = std::async(std::launch::async, prepare, std::min<std::int64_t>(step + 1, options.steps - 1));
        network->train();
        for (auto& p : optimiser.parameters()) p.mutable_grad().reset();
        const torch::Tensor loss =
            cross_entropy(logits_of(network, batch.images, options.bfloat16), batch.targets);
        loss.backward();
        const int t = static_cast<int>(step) + 1;
        optimiser.step(t, learning_rate(options, static_cast<int>(step)), options.weight_decay);
        const double value = loss.item<double>();
        if (!std::isfinite(value))
            throw NumericalError(fmt::format(
                "training: the loss is not finite at step {}; a smaller 'learning_rate' may help", t));
        loss_sum += value;
        ++loss_count;
        if (step >= first_averaged) {
            const torch::NoGradGuard no_gradients;
            ++averaged;
            for (std::size_t i = 0; i < average.size(); ++i)
                average[i].add_(optimiser.parameters()[i] - average[i], 1.0 / static_cast<double>(averaged));
        }
        if (t % options.report_every == 0 || t == options.steps) {
            TrainingProgress progress{
                t, options.steps,  loss_sum / loss_count, std::numeric_limits<double>::quiet_NaN(), 0,
                0, timer.seconds()};
            if (!validation.empty()) {
                const Scores scores = validate(network, options, validation);
                progress.validation_loss = scores.loss;
                progress.validation_iou = scores.iou;
                progress.validation_f1 = scores.f1;
            }
            if (observer.report) observer.report(progress);
            loss_sum = 0;
            loss_count = 0;
        }
        context.progress("training", t, options.steps);
        if (t % options.checkpoint_every == 0) checkpoint(t);
    }
    next.wait();

    if (averaged > 0) {
        const torch::NoGradGuard no_gradients;
        for (std::size_t i = 0; i < average.size(); ++i) optimiser.parameters()[i].copy_(average[i]);
    }
    recompute_batch_norms(network, options, context);
    State weights;
    put_shape(weights, options.shape, options.pixel_size_angstrom, 1);
    put_network(weights, "member0", *network);
    if (!validation.empty()) {
        const Scores scores = validate(network, options, validation);
        weights.put("validation_loss", scores.loss);
        weights.put("validation_iou", scores.iou);
        weights.put("validation_f1", scores.f1);
        if (observer.report)
            observer.report({options.steps, options.steps, scores.loss, scores.loss, scores.iou, scores.f1,
                             timer.seconds()});
    }
    return weights;
}

}  // namespace stembridge::ml
