// SPDX-License-Identifier: Apache-2.0
// What networks see and learn: shapes, labels, normalisation, resampling.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::ml;

BOOST_AUTO_TEST_SUITE(test_training_sample)

BOOST_AUTO_TEST_CASE(parameter_counts_are_those_of_the_published_networks) {
    const auto count = [](int filters, std::array<int, 7> layers) {
        return NetworkShape{.layers = layers, .filters = filters}.parameters();
    };
    BOOST_TEST(count(16, {1, 2, 2, 3, 2, 2, 1}) == 594067);
    BOOST_TEST(count(16, {2, 3, 3, 4, 3, 3, 2}) == 839347);
    BOOST_TEST(count(32, {1, 2, 2, 3, 2, 2, 1}) == 2370851);
    BOOST_TEST(count(32, {2, 3, 3, 4, 3, 3, 2}) == 3349859);
}

BOOST_AUTO_TEST_CASE(targets_are_probabilities_with_discs_at_the_atoms) {
    TrainingOptions options;
    const double radius = options.disc_radius_angstrom / options.pixel_size_angstrom;
    int atoms = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        const TrainingCrop crop = simulated_crop(options, 96, seed);
        BOOST_TEST(crop.image.rows() == 96);
        BOOST_TEST(crop.image.isFinite().all());
        const auto targets = class_masks(crop.atoms, 96, 96, radius);
        BOOST_REQUIRE(targets.size() == 3u);
        const Pixels sum = targets[0] + targets[1] + targets[2];
        BOOST_TEST((sum - 1).abs().maxCoeff() < 1e-6f);
        BOOST_TEST(targets[0].minCoeff() >= 0.0f);
        for (const auto& atom : crop.atoms) {
            if (atom.head<2>().minCoeff() < 0 || atom.head<2>().maxCoeff() > 95) continue;
            // The pixel nearest to an atom is well inside its disc of 2 pixels.
            const Pixels& own = targets[atom.z() == 14 ? 1 : 0];
            const float label = own(std::lround(atom.y()), std::lround(atom.x()));
            if (atom.z() == 14) BOOST_TEST(label == 1.0f);
            atoms += label == 1.0f;
        }
    }
    BOOST_TEST(atoms > 200);
}

BOOST_AUTO_TEST_CASE(discs_have_the_area_of_a_circle_wherever_their_centre_is) {
    for (const double offset : {0.0, 0.21, 0.5, 0.77}) {
        const auto masks = class_masks({{20 + offset, 19.4 - offset, 6}}, 40, 40, 2.0);
        BOOST_TEST(masks[0].sum() == 3.14159265f * 4, boost::test_tools::tolerance(0.05f));
    }
}

BOOST_AUTO_TEST_CASE(crops_depend_on_their_seed_alone) {
    const TrainingOptions options;
    BOOST_TEST((simulated_crop(options, 64, 5).image == simulated_crop(options, 64, 5).image).all());
    BOOST_TEST(!(simulated_crop(options, 64, 5).image == simulated_crop(options, 64, 6).image).all());
}

BOOST_AUTO_TEST_CASE(resampling_keeps_positions_and_brightness) {
    Pixels image(101, 121);
    const double x0 = 60.3, y0 = 47.8;
    for (int y = 0; y < 101; ++y)
        for (int x = 0; x < 121; ++x)
            image(y, x) = static_cast<float>(
                1 + 4 * std::exp(-(std::pow(x - x0, 2) + std::pow(y - y0, 2)) / (2 * 25.0)));
    for (const double factor : {0.5, 2.0 / 3, 1.0, 1.4}) {
        const Pixels small = resample(image, factor);
        double sum = 0, sx = 0, sy = 0;
        for (int y = 0; y < small.rows(); ++y)
            for (int x = 0; x < small.cols(); ++x) {
                sum += small(y, x) - 1;
                sx += x * (small(y, x) - 1.0);
                sy += y * (small(y, x) - 1.0);
            }
        BOOST_TEST(sx / sum == x0 * factor, boost::test_tools::tolerance(1e-3));
        BOOST_TEST(sy / sum == y0 * factor, boost::test_tools::tolerance(1e-3));
        BOOST_TEST(sum / (factor * factor) == 4 * 2 * 3.14159265 * 25, boost::test_tools::tolerance(2e-3));
    }
    BOOST_CHECK_THROW(resample(image, 0), InputError);
}

BOOST_AUTO_TEST_CASE(normalisation_ignores_brightness_contrast_and_what_lies_outside_the_region) {
    Pixels image = Pixels::Random(64, 64), region = Pixels::Ones(64, 64);
    const Pixels reference = normalise_frame(image, region);
    BOOST_TEST((normalise_frame(7.0f * image + 30.0f, region) - reference).abs().maxCoeff() < 1e-3f);
    image.rightCols(20) += 50;
    region.rightCols(20).setZero();
    const Pixels masked = normalise_frame(image, region);
    BOOST_TEST((masked.leftCols(44) - reference.leftCols(44)).abs().maxCoeff() < 0.1f);
    // What is bright stays in reach.
    BOOST_TEST(masked.maxCoeff() < 8.0f);
}

BOOST_AUTO_TEST_SUITE_END()
