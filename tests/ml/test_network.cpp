// SPDX-License-Identifier: Apache-2.0
// Networks: training learns, resumes to the same bits, stops; inference takes any size and refuses wrong
// weights.
#include <boost/test/unit_test.hpp>
#include <limits>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

#define REQUIRE_NETWORKS()              \
    if (!networks_available()) {        \
        skip("built without LibTorch"); \
        return;                         \
    }

BOOST_AUTO_TEST_SUITE(test_network)

namespace {

TrainingOptions tiny(int steps) {
    TrainingOptions options;
    options.shape.filters = 4;
    options.shape.layers = {1, 1, 1, 1, 1, 1, 1};
    options.crop_px = 64;
    options.batch = 2;
    options.steps = steps;
    options.validation_crops = 2;
    options.report_every = 1000;
    options.checkpoint_every = 1000;
    // Clean, simple frames.
    options.electrons_per_pixel_at_tenth_angstrom = {40000, 60000};
    options.hollow_to_peak = {0.2, 0.4};
    options.contaminated_share = 0;
    return options;
}

TrainingStart from(const State& checkpoint) {
    return {.weights = {}, .resume = checkpoint, .frames = {}};
}

bool same(const State& a, const State& b) {
    return a.values() == b.values();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_small_network_learns_to_see_atoms) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(120);
    options.shape.filters = 8;
    options.batch = 4;
    options.learning_rate = 1e-2;
    options.report_every = 20;
    std::vector<TrainingProgress> reports;
    const State weights =
        train_network(options, seeded(1),
                      {.report = [&](const TrainingProgress& p) { reports.push_back(p); }, .checkpoint = {}});
    BOOST_REQUIRE(reports.size() == 7u);
    BOOST_TEST(reports.back().validation->loss < 0.6 * reports.front().validation->loss);
    BOOST_TEST(reports.back().validation->f1 > 0.8);
    BOOST_TEST(weights.number("validation_f1") == reports.back().validation->f1);
}

BOOST_AUTO_TEST_CASE(weights_have_as_many_numbers_as_the_shape_says) {
    REQUIRE_NETWORKS();
    for (const NetworkShape& shape :
         {NetworkShape{.filters = 4}, NetworkShape{.layers = {1, 2, 2, 3, 2, 2, 1}, .filters = 6}}) {
        TrainingOptions options = tiny(1);
        options.shape = shape;
        options.validation_crops = 0;
        const State weights = train_network(options, seeded(1));
        std::int64_t count = 0;
        for (const auto& [name, value] : weights.values())
            if (const auto* numbers = std::get_if<std::vector<float>>(&value);
                numbers != nullptr && name.find("running") == std::string::npos)
                count += static_cast<std::int64_t>(numbers->size());
        BOOST_TEST(count == shape.parameters());
        const auto network = open_network(weights, {});
        BOOST_TEST(network->shape().filters == shape.filters);
        BOOST_TEST(network->pixel_size_angstrom() == options.pixel_size_angstrom);
    }
}

BOOST_AUTO_TEST_CASE(training_is_reproducible_and_resumes_to_the_same_bits) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(8);
    options.checkpoint_every = 5;
    State checkpoint;
    const State once = train_network(options, seeded(3),
                                     {.report = {}, .checkpoint = [&](const State& s) { checkpoint = s; }});
    BOOST_TEST(checkpoint.integer("step") == 5);
    BOOST_TEST(same(once, train_network(options, seeded(3))));
    BOOST_TEST(same(once, train_network(options, seeded(3), {}, from(checkpoint))));
    BOOST_TEST(!same(once, train_network(options, seeded(4))));
    TrainingOptions other = options;
    other.shape.filters = 6;
    BOOST_CHECK_THROW(train_network(other, seeded(3), {}, from(checkpoint)), InputError);
}

BOOST_AUTO_TEST_CASE(a_stopped_training_leaves_a_checkpoint) {
    REQUIRE_NETWORKS();
    std::stop_source source;
    Context context = seeded(3);
    context.stop = source.get_token();
    context.progress_sink = [&](std::string_view, std::int64_t done, std::int64_t) {
        if (done == 2) source.request_stop();
    };
    State checkpoint;
    const TrainingObserver observer{.report = {}, .checkpoint = [&](const State& s) { checkpoint = s; }};
    BOOST_CHECK_THROW(train_network(tiny(8), context, observer), StoppedError);
    BOOST_TEST(checkpoint.integer("step") == 2);
    BOOST_TEST(
        same(train_network(tiny(8), seeded(3)), train_network(tiny(8), seeded(3), {}, from(checkpoint))));
}

BOOST_AUTO_TEST_CASE(frames_of_any_size_are_segmented) {
    REQUIRE_NETWORKS();
    const auto network = open_network(train_network(tiny(2), seeded(5)), {});
    for (const auto& [height, width] :
         {std::pair{64, 64}, std::pair{37, 53}, std::pair{8, 9}, std::pair{65, 120}}) {
        const Segmentation result = network->segment(Pixels::Random(height, width));
        BOOST_REQUIRE(result.mean.size() == 3u);
        BOOST_TEST(result.atomic_numbers == (std::vector<int>{6, 14, 0}), boost::test_tools::per_element());
        Pixels sum = Pixels::Zero(height, width);
        for (const Pixels& p : result.mean) {
            BOOST_TEST(p.rows() == height);
            BOOST_TEST(p.cols() == width);
            sum += p;
        }
        BOOST_TEST((sum - 1).abs().maxCoeff() < 1e-5f);
        BOOST_TEST(result.spread[0].maxCoeff() == 0.0f);
    }
    BOOST_CHECK_THROW(network->segment(Pixels::Random(7, 64)), InputError);
}

BOOST_AUTO_TEST_CASE(an_ensemble_gives_the_mean_and_the_spread_of_its_members) {
    REQUIRE_NETWORKS();
    const State first = train_network(tiny(2), seeded(6)), second = train_network(tiny(2), seeded(7));
    State both = first;
    both.put("members", std::int64_t{2});
    both.put_all("member1", second.part("member0"));
    const Pixels frame = Pixels::Random(40, 48);
    const auto one = open_network(first, {})->segment(frame),
               other = open_network(second, {})->segment(frame);
    const auto ensemble = open_network(both, {});
    const auto result = ensemble->segment(frame);
    BOOST_TEST(ensemble->members() == 2);
    BOOST_TEST((result.mean[0] - 0.5f * (one.mean[0] + other.mean[0])).abs().maxCoeff() < 1e-5f);
    BOOST_TEST((result.spread[0] - 0.5f * (one.mean[0] - other.mean[0]).abs()).abs().maxCoeff() < 1e-3f);
}

BOOST_AUTO_TEST_CASE(an_ensemble_from_several_files_is_the_one_from_a_file_with_several) {
    REQUIRE_NETWORKS();
    const State first = train_network(tiny(1), seeded(6)), second = train_network(tiny(1), seeded(7));
    State both = first;
    both.put("members", std::int64_t{2});
    both.put_all("member1", second.part("member0"));
    const Pixels frame = Pixels::Random(40, 48);
    const auto apart = open_network({first, second}, {})->segment(frame),
               together = open_network(both, {})->segment(frame);
    BOOST_REQUIRE(apart.members.size() == 2u);
    BOOST_TEST((apart.mean[0] == together.mean[0]).all());
    BOOST_TEST((apart.members[1][0] == together.members[1][0]).all());
    // Another grid does not belong to it.
    State coarse = second;
    coarse.put("pixel_size_angstrom", 0.2);
    BOOST_CHECK_THROW(open_network({first, coarse}, {}), FileError);
    BOOST_CHECK_THROW(open_network(std::vector<State>{}, {}), InputError);
}

BOOST_AUTO_TEST_CASE(tiles_give_what_the_whole_frame_gives_and_threads_change_no_bit) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(3);
    options.shape.layers = {2, 2, 2, 2, 2, 2, 2};
    const std::vector<State> members = {train_network(options, seeded(6)), train_network(options, seeded(7))};
    const Pixels frame = Pixels::Random(301, 413);
    const auto whole = open_network(members, {}, {})->segment(frame);
    const auto tiled = open_network(members, {}, {.memory_bytes = 4 << 20})->segment(frame),
               shared = open_network(members, {}, {.threads = 3, .memory_bytes = 4 << 20})->segment(frame);
    for (std::size_t c = 0; c < 3; ++c) {
        BOOST_TEST((whole.mean[c] - tiled.mean[c]).abs().maxCoeff() < 1e-5f);
        BOOST_TEST((whole.spread[c] - tiled.spread[c]).abs().maxCoeff() < 1e-5f);
        BOOST_TEST((tiled.mean[c] == shared.mean[c]).all());
        BOOST_TEST((tiled.spread[c] == shared.spread[c]).all());
    }
}

BOOST_AUTO_TEST_CASE(a_device_that_is_not_there_is_named) {
    REQUIRE_NETWORKS();
    const State weights = train_network(tiny(1), seeded(6));
    const auto named = [](const Error& e) { return std::string(e.what()).find("cuda") != std::string::npos; };
    // Machines with CUDA have nothing to complain about.
    const auto unless_there = [&](const auto& use) {
        try {
            use();
        } catch (const BackendError& error) {
            BOOST_TEST(named(error));
        }
    };
    unless_there([&] { open_network({weights}, {}, {.device = Device::cuda}); });
    TrainingOptions options = tiny(1);
    options.device = Device::cuda;
    unless_there([&] { train_network(options, seeded(1)); });
}

BOOST_AUTO_TEST_CASE(automatic_is_the_processor_where_there_is_no_other_device) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(3);
    options.device = Device::cpu;
    const State weights = train_network(options, seeded(6));
    const Pixels frame = Pixels::Random(40, 48);
    try {
        open_network({weights}, {}, {.device = Device::cuda});
        return;  // there is one
    } catch (const BackendError&) {
    }
    options.device = Device::automatic;
    BOOST_TEST(same(train_network(options, seeded(6)), weights));
    const auto here = open_network({weights}, {}, {.device = Device::cpu})->segment(frame),
               chosen = open_network({weights}, {}, {.device = Device::automatic})->segment(frame);
    BOOST_TEST((here.mean[0] == chosen.mean[0]).all());
}

BOOST_AUTO_TEST_CASE(mixed_precision_learns_the_same_within_its_rounding) {
    REQUIRE_NETWORKS();
    const auto reports_of = [](bool bfloat16) {
        TrainingOptions options = tiny(60);
        options.shape.filters = 8;
        options.learning_rate = 1e-2;
        options.distinct_crops = 16;
        options.report_every = 1;
        options.device = Device::cpu;
        options.bfloat16 = bfloat16;
        std::vector<TrainingProgress> reports;
        train_network(options, seeded(1),
                      {.report = [&](const TrainingProgress& p) { reports.push_back(p); }, .checkpoint = {}});
        return reports;
    };
    const auto mixed = reports_of(true), single = reports_of(false);
    // The first step has the same weights: numbers are rounded to 8 bits, 4e-3 each, and a loss is a mean.
    BOOST_TEST(mixed[0].loss != single[0].loss);
    BOOST_CHECK_CLOSE(mixed[0].loss, single[0].loss, 1);  // percent
    // Trajectories part, but end equally well.
    BOOST_TEST_MESSAGE("loss of the first step " << mixed[0].loss << " " << single[0].loss << ", validation "
                                                 << mixed.back().validation->loss << " "
                                                 << single.back().validation->loss);
    BOOST_TEST(mixed.back().validation->loss < 0.8 * mixed[0].validation->loss);
    BOOST_CHECK_CLOSE(mixed.back().validation->loss, single.back().validation->loss, 20);
}

BOOST_AUTO_TEST_CASE(inference_in_mixed_precision_is_that_in_32_bits_within_its_rounding) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(60);
    options.shape.filters = 8;
    options.learning_rate = 1e-2;
    const std::vector<State> members = {train_network(options, seeded(6)), train_network(options, seeded(7))};
    const Pixels frame = Pixels::Random(96, 128);
    const auto single = open_network(members, {}, {.device = Device::cpu})->segment(frame),
               mixed = open_network(members, {}, {.device = Device::cpu, .bfloat16 = true})->segment(frame),
               shared = open_network(members, {}, {.threads = 2, .device = Device::cpu, .bfloat16 = true})
                            ->segment(frame);
    Pixels sum = Pixels::Zero(96, 128);
    for (std::size_t c = 0; c < 3; ++c) {
        // Numbers are rounded to 8 bits some ten times on their way, 2e-3 of themselves each: 1 % of a logit,
        // of which a probability changes by a quarter at most.
        const Pixels change = (single.mean[c] - mixed.mean[c]).abs();
        BOOST_TEST(change.maxCoeff() > 0.0f);
        BOOST_TEST(change.maxCoeff() < 0.05f);
        BOOST_TEST(change.mean() < 0.005f);
        BOOST_TEST((mixed.mean[c] == shared.mean[c]).all());
        sum += mixed.mean[c];
    }
    BOOST_TEST((sum - 1).abs().maxCoeff() < 1e-5f);
}

BOOST_AUTO_TEST_CASE(every_loss_and_schedule_learns) {
    REQUIRE_NETWORKS();
    for (const auto& [loss, schedule] :
         {std::pair{Loss::dice, Schedule::one_cycle}, std::pair{Loss::focal, Schedule::cosine},
          std::pair{Loss::cross_entropy, Schedule::constant}}) {
        TrainingOptions options = tiny(50);
        options.shape.filters = 8;
        options.learning_rate = 1e-2;
        options.distinct_crops = 16;
        options.loss = loss;
        options.schedule = schedule;
        options.report_every = 10;
        std::vector<TrainingProgress> reports;
        train_network(options, seeded(1),
                      {.report = [&](const TrainingProgress& p) { reports.push_back(p); }, .checkpoint = {}});
        BOOST_TEST(reports.back().validation->loss < 0.9 * reports.front().validation->loss);
        BOOST_TEST(reports.back().validation->loss >= 0);
    }
}

BOOST_AUTO_TEST_CASE(training_ends_early_when_nothing_is_gained) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(200);
    options.learning_rate = 1e-12;  // learns nothing
    options.report_every = 2;
    options.patience = 3;
    int last = 0;
    State checkpoint;
    options.checkpoint_every = 7;
    const TrainingObserver observer{.report = [&](const TrainingProgress& p) { last = p.step; },
                                    .checkpoint = [&](const State& s) { checkpoint = s; }};
    const State stopped = train_network(options, seeded(2), observer);
    BOOST_TEST(last < 100);
    // What counts the reports is part of a checkpoint.
    BOOST_TEST(same(stopped, train_network(options, seeded(2), {}, from(checkpoint))));
}

BOOST_AUTO_TEST_CASE(a_training_can_go_on_from_weights) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(60);
    options.learning_rate = 1e-2;
    const State first = train_network(options, seeded(1));
    TrainingStart start;
    start.weights = first;
    options.steps = 4;
    options.learning_rate = 1e-4;
    const State more = train_network(options, seeded(2), {}, start),
                fresh = train_network(options, seeded(2));
    BOOST_TEST(more.number("validation_loss") < 0.8 * fresh.number("validation_loss"));
    BOOST_TEST(!same(more, first));
    options.shape.filters = 6;
    BOOST_CHECK_THROW(train_network(options, seeded(2), {}, start), InputError);
}

BOOST_AUTO_TEST_CASE(swag_draws_networks_around_the_mean_and_resumes_to_the_same_bits) {
    REQUIRE_NETWORKS();
    TrainingOptions options = tiny(16);
    options.averaging_share = 0.75;
    options.learning_rate = 1e-2;
    options.swag_rank = 3;
    options.swag_draws = 3;
    options.checkpoint_every = 11;
    State checkpoint;
    const State drawn = train_network(options, seeded(3),
                                      {.report = {}, .checkpoint = [&](const State& s) { checkpoint = s; }});
    BOOST_TEST(drawn.integer("members") == 3);
    BOOST_TEST(same(drawn, train_network(options, seeded(3), {}, from(checkpoint))));
    const Pixels frame = Pixels::Random(48, 48);
    const auto result = open_network(drawn, {})->segment(frame);
    BOOST_TEST(result.spread[0].maxCoeff() > 1e-4f);
    BOOST_TEST(result.spread[0].maxCoeff() < 0.5f);
}

BOOST_AUTO_TEST_CASE(labelled_frames_are_learnt_where_they_are_trusted) {
    REQUIRE_NETWORKS();
    // Frames whose labels say that there is nothing: a network that only sees them finds nothing.
    TrainingOptions options = tiny(100);
    options.learning_rate = 4e-2;
    options.experimental_share = 1;
    TrainingStart start;
    const TrainingCrop crop = simulated_crop(options, 96, 1);
    start.frames.push_back({crop.image, Pixels::Ones(96, 96), {}});
    const auto found = [&](const TrainingStart& s) {
        return open_network(train_network(options, seeded(1), {}, s), {})
            ->segment(crop.image)
            .atom_probability()
            .mean();
    };
    const float empty = found(start);
    BOOST_TEST(empty < 0.1f);
    // With the atoms as labels they are found.
    start.frames.front().atoms = crop.atoms;
    BOOST_TEST(found(start) > empty + 0.05f);
}

BOOST_AUTO_TEST_CASE(weights_that_are_none_are_refused) {
    REQUIRE_NETWORKS();
    BOOST_CHECK_THROW(open_network(State{}, {}), FileError);
    const State good = train_network(tiny(1), seeded(8));
    State shorter = good;
    shorter.put("member0/classify.bias", std::vector<float>{1, 2});
    BOOST_CHECK_THROW(open_network(shorter, {}), FileError);
    State infinite = good;
    infinite.put("member0/classify.bias", std::vector<float>{1, 2, std::numeric_limits<float>::infinity()});
    BOOST_CHECK_THROW(open_network(infinite, {}), FileError);
    State classes = good;
    classes.put("atomic_numbers", std::vector<std::int64_t>{6, 24, 0});
    BOOST_CHECK_EXCEPTION(open_network(classes, {}), FileError, [](const FileError& e) {
        return std::string(e.what()).find("[6, 24, 0]") != std::string::npos;
    });
    State other = good;
    other.put("format", std::string("something else"));
    BOOST_CHECK_THROW(open_network(other, {}), FileError);
    BOOST_CHECK_THROW(open_network(good, {}, 0), InputError);
}

BOOST_AUTO_TEST_CASE(training_options_that_make_no_sense_are_named) {
    const auto names = [](const char* key, const auto& change) {
        TrainingOptions options = tiny(1);
        change(options);
        BOOST_CHECK_EXCEPTION(train_network(options, {}), InputError, [&](const InputError& e) {
            return std::string(e.what()).find(key) != std::string::npos;
        });
    };
    names("crop", [](TrainingOptions& o) { o.crop_px = 60; });
    names("filters", [](TrainingOptions& o) { o.shape.filters = 0; });
    names("steps", [](TrainingOptions& o) { o.steps = 0; });
    names("learning_rate", [](TrainingOptions& o) { o.learning_rate = 0; });
}

BOOST_AUTO_TEST_SUITE_END()
