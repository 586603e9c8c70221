// SPDX-License-Identifier: Apache-2.0
// Networks on a device: differences to the processor, then times of inference and of training.
// usage: network_bench [--device cuda|cpu] [--seconds N] [--small]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/ml/network.hpp"
#include "stembridge/ml/training.hpp"

namespace {

using namespace stembridge;
using namespace stembridge::ml;

/// Of the training that docs/gpu.md has a target for.
constexpr int sub_images = 4500;

struct Options {
    Device device = Device::cuda;
    double seconds = 100;  ///< that each training may take
    bool small = false;    ///< a rehearsal
};

Options parse(int argc, char** argv) {
    Options o;
    for (int k = 1; k < argc; ++k) {
        const std::string name = argv[k];
        if (name == "--small") {
            o.small = true;
        } else if (k + 1 == argc) {
            throw InputError("unknown option " + name + ", or one without its value");
        } else if (name == "--seconds") {
            o.seconds = std::stod(argv[++k]);
        } else if (name == "--device") {
            const std::string value = argv[++k];
            if (value != "cuda" && value != "cpu")
                throw InputError("--device is \"cuda\" or \"cpu\", not " + value);
            o.device = value == "cuda" ? Device::cuda : Device::cpu;
        } else {
            throw InputError("unknown option " + name);
        }
    }
    return o;
}

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

/// The network of the program's own networks, in batches as train makes them.
TrainingOptions training(const Options& o, Device device, bool bfloat16, int steps) {
    TrainingOptions t;
    t.device = device;
    t.bfloat16 = bfloat16;
    t.steps = steps;
    t.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    t.validation_crops = 0;
    if (o.small) {
        t.shape.filters = 4;
        t.crop_px = 64;
        t.batch = 2;
    }
    return t;
}

/// Whether a difference is small enough, with a line about it.
bool agree(const std::string& what, double difference, double allowed) {
    const bool good = difference <= allowed;
    say(fmt::format("  {:<52} {:>9.1e} of {:>6.0e}  {}", what, difference, allowed, good ? "ok" : "FAILED"));
    return good;
}

/// Of the probabilities: largest difference, and mean of the absolute ones.
struct Difference {
    double largest = 0, mean = 0;
};

Difference difference(const Segmentation& a, const Segmentation& b) {
    Difference d;
    for (std::size_t c = 0; c < a.mean.size(); ++c) {
        const Pixels change = (a.mean[c] - b.mean[c]).abs();
        d.largest = std::max(d.largest, static_cast<double>(change.maxCoeff()));
        d.mean = std::max(d.mean, static_cast<double>(change.mean()));
    }
    return d;
}

/// Loss of each of the first steps.
std::vector<double> first_losses(TrainingOptions t) {
    std::vector<double> losses;
    t.report_every = 1;
    train_network(t, {},
                  {.report = [&](const TrainingProgress& p) { losses.push_back(p.loss); }, .checkpoint = {}});
    return losses;
}

/// Largest relative difference of losses, of which rounding is amplified from step to step.
double largest_relative(const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k)
        worst = std::max(worst, std::abs(a[k] - b[k]) / std::abs(b[k]));
    return worst;
}

/// Inference of one frame by one network: difference to the processor, best time of five.
bool inference(const Options& o, const State& weights) {
    const int side = o.small ? 128 : 896;
    const Pixels frame = Pixels::Random(side, side);
    const Segmentation reference =
        open_network({weights}, {}, {.threads = 1, .device = Device::cpu})->segment(frame);
    bool good = true;
    for (const bool bfloat16 : {false, true}) {
        const auto network =
            open_network({weights}, {}, {.threads = 1, .device = o.device, .bfloat16 = bfloat16});
        const std::string what = fmt::format("inference, {} bits", bfloat16 ? 16 : 32);
        const Difference d = difference(network->segment(frame), reference);
        // Single pixels of a network that has learned next to nothing may tip over with 8 bits.
        good =
            (bfloat16 ? agree(what + ", mean", d.mean, 0.03) : agree(what + ", largest", d.largest, 1e-4)) &&
            good;
        double best = 1e99;
        for (int k = 0; k < 5; ++k) {
            const Timer timer;
            network->segment(frame);
            best = std::min(best, timer.seconds());
        }
        say(fmt::format("  {}: {:.1f} ms for {} x {} pixels", what, 1e3 * best, side, side));
    }
    return good;
}

/// Median time of a step once it runs, and what a pass over 4,500 crops and a whole training take at that
/// rate.
/// @param distinct crops that are simulated; all others are these, augmented anew
void time_training(const Options& o, bool bfloat16, int distinct) {
    constexpr int whole = 2600;
    TrainingOptions t = training(o, o.device, bfloat16, o.small ? 6 : whole);
    t.distinct_crops = distinct;
    std::vector<double> ends;
    const Timer timer;
    std::stop_source source;
    Context context;
    context.stop = source.get_token();
    context.progress_sink = [&](std::string_view, std::int64_t, std::int64_t) {
        ends.push_back(timer.seconds());
        if (ends.back() > o.seconds) source.request_stop();
    };
    std::string end = "to its end";
    try {
        train_network(t, context);
    } catch (const StoppedError&) {
        end = "stopped";
    }
    const std::string what = fmt::format("training, {} bits, {} crops", bfloat16 ? 16 : 32, distinct);
    // The first steps load kernels, and simulate where crops are few.
    std::vector<double> steps;
    for (std::size_t k = ends.size() / 2 + 1; k < ends.size(); ++k) steps.push_back(ends[k] - ends[k - 1]);
    if (steps.empty()) {
        say(fmt::format("  {}: too few steps in {:.0f} s", what, o.seconds));
        return;
    }
    std::sort(steps.begin(), steps.end());
    const double step = steps[steps.size() / 2];
    say(fmt::format(
        "  {}: {:.2f} ms a step of {} crops of {} pixels ({} steps in {:.1f} s, {}); at that rate "
        "{:.1f} s for {} crops, {:.1f} s for {} steps",
        what, 1e3 * step, t.batch, t.crop_px, ends.size(), ends.back(), end, step * sub_images / t.batch,
        sub_images, step * whole, whole));
}

int run(const Options& o) {
    if (const std::string why = why_no_networks(); !why.empty()) throw BackendError(why);
    // The same start on either: weights are drawn on the processor.
    const TrainingOptions here = training(o, Device::cpu, false, 3), there = training(o, o.device, false, 3);
    bool good = agree("loss of three steps, 32 bits, relative",
                      largest_relative(first_losses(there), first_losses(here)), 1e-3);
    TrainingOptions short_training = here;
    short_training.steps = 2;
    good = inference(o, train_network(short_training, {})) && good;
    // With few crops the device is what takes the time, with many perhaps their simulation by one thread.
    constexpr int few = 64;
    time_training(o, true, sub_images);
    time_training(o, true, few);
    time_training(o, false, few);
    return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(parse(argc, argv));
    } catch (const BackendError& e) {
        std::fprintf(stderr, "network_bench: %s\n", e.what());
        return 5;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "network_bench: %s\n", e.what());
        return 2;
    }
}
