// SPDX-License-Identifier: Apache-2.0
// Augmentation: the atoms stay under their maxima whatever is done to a crop; nothing off means nothing
// changed.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::ml;

BOOST_AUTO_TEST_SUITE(test_augmentation)

namespace {

constexpr int old_side = 80, side = 64;

/// Gaussian atoms, far enough apart to be told from each other.
TrainingCrop dots() {
    TrainingCrop crop;
    crop.image = Pixels::Zero(old_side, old_side);
    for (double y = 9.3; y < old_side; y += 13.1)
        for (double x = 8.2 + 0.37 * y; x < old_side; x += 12.7) crop.atoms.emplace_back(x, y, 6);
    for (int y = 0; y < old_side; ++y)
        for (int x = 0; x < old_side; ++x)
            for (const auto& atom : crop.atoms)
                crop.image(y, x) += static_cast<float>(
                    std::exp(-(std::pow(x - atom.x(), 2) + std::pow(y - atom.y(), 2)) / (2 * 2.0 * 2.0)));
    return crop;
}

Augmentation nothing() {
    Augmentation a;
    a.flips = false;
    a.zoom = {1, 1};
    a.background = 0;
    a.contrast_share = a.blur_share = a.gaussian_share = a.poisson_share = a.salt_pepper_share =
        a.jitter_share = 0;
    return a;
}

/// Largest distance between an atom well inside and the centroid of the brightness around it.
double largest_miss(const TrainingCrop& crop) {
    double largest = 0;
    for (const auto& atom : crop.atoms) {
        if (atom.head<2>().minCoeff() < 8 || atom.head<2>().maxCoeff() > side - 9) continue;
        double weight = 0, x0 = 0, y0 = 0;
        const int column = static_cast<int>(std::lround(atom.x())),
                  row = static_cast<int>(std::lround(atom.y()));
        for (int y = row - 4; y <= row + 4; ++y)
            for (int x = column - 4; x <= column + 4; ++x) {
                const double w = std::max(0.0f, crop.image(y, x) - 0.3f);
                weight += w;
                x0 += w * x;
                y0 += w * y;
            }
        if (weight == 0) return 1e9;
        largest = std::max(largest, std::hypot(x0 / weight - atom.x(), y0 / weight - atom.y()));
    }
    return largest;
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_any_change_a_window_is_cut_out) {
    const TrainingCrop crop = dots();
    for (std::uint64_t seed = 1; seed < 9; ++seed) {
        const TrainingCrop window = augmented(crop, nothing(), side, seed);
        bool found = false;
        for (int y = 0; y <= old_side - side && !found; ++y)
            for (int x = 0; x <= old_side - side && !found; ++x)
                found = (crop.image.block(y, x, side, side) == window.image).all();
        BOOST_TEST(found);
        BOOST_TEST(largest_miss(window) < 0.2);
    }
    BOOST_CHECK_THROW(augmented(crop, nothing(), old_side + 8, 1), InputError);
}

BOOST_AUTO_TEST_CASE(atoms_follow_flips_rotations_zoom_and_shifts) {
    const TrainingCrop crop = dots();
    Augmentation a = nothing();
    a.flips = true;
    a.zoom = {0.9, 1.1};
    bool mirrored = false, larger = false;
    for (std::uint64_t seed = 1; seed < 40; ++seed) {
        const TrainingCrop changed = augmented(crop, a, side, seed);
        BOOST_TEST(largest_miss(changed) < 0.25);
        const Eigen::Vector3d first = changed.atoms[0], second = changed.atoms[1];
        const double ratio = (first - second).norm() / (crop.atoms[0] - crop.atoms[1]).norm();
        larger = larger || std::abs(ratio - 1) > 0.03;
        mirrored = mirrored || std::abs(first.x() - second.x()) < std::abs(first.y() - second.y());
    }
    BOOST_TEST(mirrored);
    BOOST_TEST(larger);
}

BOOST_AUTO_TEST_CASE(every_change_of_brightness_does_something_and_leaves_the_atoms_in_place) {
    const TrainingCrop crop = dots();
    const auto change = [&](const auto& set) {
        Augmentation a = nothing();
        set(a);
        return a;
    };
    const std::vector<Augmentation> all = {
        change([](Augmentation& a) { a.contrast_share = 1; }),
        change([](Augmentation& a) { a.background = 0.3; }),
        change([](Augmentation& a) { a.blur_share = 1; }),
        change([](Augmentation& a) { a.gaussian_share = 1; }),
        change([](Augmentation& a) {
            a.poisson_share = 1;
            a.fewest_counts = 100;
        }),
        change([](Augmentation& a) { a.salt_pepper_share = 1; }),
        change([](Augmentation& a) { a.jitter_share = 1; }),
    };
    for (const Augmentation& a : all) {
        int changed = 0;
        for (std::uint64_t seed = 1; seed < 6; ++seed) {
            const TrainingCrop before = augmented(crop, nothing(), side, seed),
                               after = augmented(crop, a, side, seed);
            BOOST_TEST(after.image.isFinite().all());
            BOOST_TEST(largest_miss(after) < 1.0);
            changed += !(before.image == after.image).all();
            BOOST_TEST((after.image == augmented(crop, a, side, seed).image).all());
        }
        BOOST_TEST(changed >= 4);
    }
}

BOOST_AUTO_TEST_CASE(windows_of_labelled_frames_know_where_labels_hold) {
    const TrainingCrop all = dots();
    LabelledFrame frame{all.image, Pixels::Ones(old_side, old_side), all.atoms};
    frame.trusted.leftCols(30).setZero();
    for (std::uint64_t seed = 1; seed < 10; ++seed) {
        const TrainingCrop window = experimental_crop(frame, 40, seed);
        BOOST_TEST(window.trusted.mean() > 0.5f);
        const Pixels masks = class_masks(window.atoms, 40, 40, 2)[0];
        // Bright where an atom is, dark where none is.
        BOOST_TEST(((masks > 0.5f).select(window.image, 1.0f)).minCoeff() > 0.4f);
    }
    // A frame smaller than the window is continued, but what is outside teaches nothing.
    const TrainingCrop wide = experimental_crop(frame, 96, 1);
    BOOST_TEST(wide.image.isFinite().all());
    BOOST_TEST(wide.trusted.rightCols(16).maxCoeff() == 0.0f);
}

BOOST_AUTO_TEST_CASE(crops_of_any_size_are_zoomed_as_much_as_is_asked_for) {
    Augmentation options = nothing();
    options.zoom = {0.7, 0.8};
    for (const int wanted : {48, 128, 512}) {
        TrainingCrop crop;
        const int made = wanted + augmentation_margin_px(options, wanted);
        crop.image = Pixels::Zero(made, made);
        crop.atoms = {{wanted / 2.0, wanted / 2.0, 6}, {wanted / 2.0 + 10, wanted / 2.0, 6}};
        double smallest = 1, largest = 0;
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            const auto atoms = augmented(crop, options, wanted, seed).atoms;
            if (atoms.size() < 2) continue;
            const double zoom = (atoms[0] - atoms[1]).norm() / 10;
            if (zoom > 0.99) continue;  // every second crop keeps its pixels
            smallest = std::min(smallest, zoom);
            largest = std::max(largest, zoom);
        }
        BOOST_TEST(smallest > 0.699);
        BOOST_TEST(smallest < 0.71);
        BOOST_TEST(largest < 0.801);
        BOOST_TEST(largest > 0.79);
    }
    // What the default options take up is what they always took.
    BOOST_TEST(augmentation_margin_px(Augmentation(), 128) == 16);
}

BOOST_AUTO_TEST_SUITE_END()
