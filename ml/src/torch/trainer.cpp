// SPDX-License-Identifier: Apache-2.0
#include "trainer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <future>
#include <limits>

#include "adam.hpp"
#include "device.hpp"
#include "losses.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "swag.hpp"
#include "unet.hpp"
#include "validation.hpp"
#include "weights.hpp"

namespace stembridge::ml {
namespace {

class Trainer {
  public:
    Trainer(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
            const TrainingStart& start)
        : options_(options),
          context_(context),
          observer_(observer),
          device_(torch_device(options.device)),
          network_(new_network(options, context.seed, start.weights, device_)),
          adam_(network_->parameters()),
          average_(adam_.parameters(), options.swag_rank),
          source_(options, context.seed, start.frames),
          validation_(source_.validation()) {
        if (!start.resume.values().empty()) restore(start.resume);
    }

    State run() {
        // The next batch is made while this one is learned.
        const auto prepare = [this](int step) { return batch_of(options_, source_.of_step(step), device_); };
        std::future<Batch> next;
        if (step_ < options_.steps) next = std::async(std::launch::async, prepare, step_);
        while (step_ < options_.steps && !stale()) {
            const Batch batch = next.get();
            if (context_.stop_requested()) {
                checkpoint();
                throw StoppedError(
                    fmt::format("training stopped after {} of {} steps", step_, options_.steps));
            }
            if (step_ + 1 < options_.steps) next = std::async(std::launch::async, prepare, step_ + 1);
            learn(batch);
            if (step_ % options_.report_every == 0) report();
            context_.progress("training", step_, options_.steps);
            if (step_ % options_.checkpoint_every == 0) checkpoint();
        }
        if (next.valid()) next.wait();
        return result();
    }

  private:
    static UNet new_network(const TrainingOptions& options, std::uint64_t seed, const State& weights,
                            const torch::Device& device) {
        torch::manual_seed(seed);
        UNet network(options.shape);
        if (!weights.values().empty()) {
            if (!(get_shape(weights) == options.shape))
                throw InputError("training: the weights to start from are of a network of another shape");
            if (weights.number("pixel_size_angstrom") != options.pixel_size_angstrom)
                throw InputError("training: the weights to start from are of a network of another grid");
            get_network(weights, "member0", *network);
        }
        for (auto& p : network->parameters())
            if (p.dim() == 4) p.set_data(p.contiguous(torch::MemoryFormat::ChannelsLast));
        network->to(device);
        return network;
    }

    void learn(const Batch& batch) {
        network_->train();
        adam_.zero_gradients();
        const torch::Tensor loss =
            loss_of(options_.loss, logits_of(network_, batch.images, options_.bfloat16), batch.targets,
                    batch.weights);
        loss.backward();
        rate_ = learning_rate(options_, step_);
        adam_.step(++step_, rate_, options_.weight_decay);
        const double value = loss.item<double>();
        if (!std::isfinite(value))
            throw NumericalError(fmt::format(
                "training: the loss is not finite at step {}; a smaller 'learning_rate' may help", step_));
        loss_sum_ += value;
        ++loss_count_;
        const int first_averaged = static_cast<int>((1 - options_.averaging_share) * options_.steps);
        // SWAG takes some twice as many snapshots as it keeps; the plain mean takes every step.
        const int every = options_.swag_rank > 0
                              ? std::max(1, (options_.steps - first_averaged) / (2 * options_.swag_rank))
                              : 1;
        if (step_ > first_averaged && (step_ - first_averaged) % every == 0) average_.add(adam_.parameters());
    }

    void report() {
        TrainingProgress progress{
            step_, options_.steps, loss_sum_ / loss_count_, rate_, {}, seconds_before_ + timer_.seconds()};
        if (!validation_.empty()) {
            progress.validation = validate(network_, options_, validation_, device_);
            if (progress.validation->loss < best_loss_) {
                best_loss_ = progress.validation->loss;
                reports_since_best_ = 0;
                if (options_.patience > 0) {
                    best_ = State();
                    put_network(best_, "network", *network_);
                }
            } else {
                ++reports_since_best_;
            }
        }
        if (observer_.report) observer_.report(progress);
        loss_sum_ = 0;
        loss_count_ = 0;
    }

    /// Whether the validation loss has not fallen for too long.
    bool stale() const { return options_.patience > 0 && reports_since_best_ >= options_.patience; }

    State result() {
        const torch::NoGradGuard no_gradients;
        if (stale()) {
            context_.info(
                fmt::format("the validation loss has not fallen for {} reports: ending at step {} of "
                            "{} with the best weights",
                            reports_since_best_, step_, options_.steps));
            get_network(best_, "network", *network_);
        } else if (!average_.empty()) {
            set_weights(average_.mean());
            recompute_batch_norms(network_, options_, source_, device_);
        }
        const bool swag = options_.swag_rank > 0 && !stale() && !average_.empty();
        State weights;
        put_shape(weights, options_.shape, options_.pixel_size_angstrom, swag ? options_.swag_draws : 1);
        put_scores(weights);
        put_network(weights, "member0", *network_);
        if (!swag) return weights;
        // Every member is drawn; the mean alone is the report's.
        Random random(context_.seed ^ 0x2545f4914f6cdd1dULL);
        for (int member = 0; member < options_.swag_draws; ++member) {
            set_weights(average_.draw(random));
            recompute_batch_norms(network_, options_, source_, device_);
            put_network(weights, "member" + std::to_string(member), *network_);
        }
        return weights;
    }

    void put_scores(State& weights) {
        if (validation_.empty()) return;
        const ValidationScores scores = validate(network_, options_, validation_, device_);
        weights.put("validation_loss", scores.loss);
        weights.put("validation_iou", scores.iou);
        weights.put("validation_f1", scores.f1);
        if (observer_.report)
            observer_.report(
                {step_, options_.steps, scores.loss, rate_, scores, seconds_before_ + timer_.seconds()});
    }

    void set_weights(const std::vector<torch::Tensor>& weights) {
        for (std::size_t i = 0; i < weights.size(); ++i) adam_.parameters()[i].copy_(weights[i]);
    }

    void checkpoint() const {
        if (!observer_.checkpoint) return;
        State state;
        put_shape(state, options_.shape, options_.pixel_size_angstrom, 0);
        put_network(state, "network", *network_);
        put_tensors(state, "first", adam_.first());
        put_tensors(state, "second", adam_.second());
        average_.save(state);
        state.put("step", std::int64_t{step_});
        state.put("steps", std::int64_t{options_.steps});
        state.put("loss",
                  std::vector<double>{loss_sum_, static_cast<double>(loss_count_), best_loss_, rate_});
        state.put("reports_since_best", std::int64_t{reports_since_best_});
        state.put("seconds", seconds_before_ + timer_.seconds());
        state.put_all("best", best_);
        observer_.checkpoint(state);
    }

    void restore(const State& state) {
        const NetworkShape shape = get_shape(state);
        if (!(shape == options_.shape))
            throw InputError("training: the checkpoint belongs to a network of another shape");
        if (!state.has("step") || state.integer("steps") != options_.steps)
            throw InputError(
                fmt::format("training: the checkpoint is not one of a training of {} steps", options_.steps));
        get_network(state, "network", *network_);
        get_tensors(state, "first", adam_.first());
        get_tensors(state, "second", adam_.second());
        average_.restore(state);
        step_ = static_cast<int>(state.integer("step"));
        const auto& loss = state.get<std::vector<double>>("loss");
        if (loss.size() != 4) throw FileError("training checkpoint: 'loss' should be four numbers");
        loss_sum_ = loss[0];
        loss_count_ = static_cast<int>(loss[1]);
        best_loss_ = loss[2];
        rate_ = loss[3];
        reports_since_best_ = static_cast<int>(state.integer("reports_since_best"));
        seconds_before_ = state.number("seconds");
        best_ = state.part("best");
    }

    const TrainingOptions& options_;
    const Context& context_;
    const TrainingObserver& observer_;
    torch::Device device_;
    mutable UNet network_;
    mutable Adam adam_;
    WeightAverage average_;
    CropSource source_;
    std::vector<TrainingCrop> validation_;
    Timer timer_;
    int step_ = 0;
    double rate_ = 0, loss_sum_ = 0, best_loss_ = std::numeric_limits<double>::infinity();
    double seconds_before_ = 0;
    int loss_count_ = 0, reports_since_best_ = 0;
    State best_;
};

}  // namespace

State train(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
            const TrainingStart& start) {
    const ThreadGuard guard(options.threads);
    return Trainer(options, context, observer, start).run();
}

}  // namespace stembridge::ml
