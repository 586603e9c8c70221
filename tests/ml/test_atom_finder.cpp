// SPDX-License-Identifier: Apache-2.0
// Some of the fifty frames of the benchmark: hits, positions, predicted errors, elements, probabilities.
#include <boost/test/unit_test.hpp>

#include "atom_finder/blob_detector.hpp"
#include "atom_finder/measures.hpp"
#include "atom_finder/test_frames.hpp"
#include "frames.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;
using namespace stembridge::atom_finder;

BOOST_AUTO_TEST_SUITE(test_atom_finder)

namespace {

/// The first frames of a group, found with given positions.
Measures group_measures(const std::string& group, int frames, SegmentationNetwork& network,
                        Positions positions = Positions::network) {
    Measures sum;
    for (const FrameRecipe& recipe : frame_recipes()) {
        if (recipe.group != group || sum.frames == frames) continue;
        const SimulatedFrame frame = make_frame(recipe);
        FindAtomsOptions options;
        options.positions = positions;
        sum += measure(find_atoms(frame.image, &network, options).atoms, frame, isolated_bound(recipe),
                       sheet_bound(recipe));
    }
    BOOST_TEST_MESSAGE(group << ": F1 " << sum.f1() << ", rms " << sum.rms_angstrom() << " angstrom, "
                             << sum.rms_over_bound() << " of the bound, pull " << sum.pull() << ", Si "
                             << sum.silicon_right << " of " << sum.silicon << ", calibration error "
                             << sum.calibration_error());
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_CASE(there_are_fifty_frames_of_every_kind) {
    const auto recipes = frame_recipes();
    BOOST_TEST(recipes.size() == 50u);
    std::vector<std::uint64_t> seeds;
    double smallest = 1, largest = 0;
    for (const FrameRecipe& recipe : recipes) {
        seeds.push_back(recipe.seed);
        smallest = std::min(smallest, recipe.pixel_angstrom);
        largest = std::max(largest, recipe.pixel_angstrom);
    }
    std::sort(seeds.begin(), seeds.end());
    BOOST_TEST((std::adjacent_find(seeds.begin(), seeds.end()) == seeds.end()));
    BOOST_TEST(smallest == 0.06);
    BOOST_TEST(largest == 0.16);
}

BOOST_AUTO_TEST_CASE(bounds_are_those_of_poisson_noise) {
    FrameRecipe recipe;
    const double once = isolated_bound(recipe);
    // A Gaussian of sigma w on a level: of the order of w / sqrt(electrons in the atom) or more.
    BOOST_TEST(once > 0.05);
    BOOST_TEST(once < 0.2);
    recipe.dose *= 4;
    BOOST_TEST(isolated_bound(recipe) == once / 2, boost::test_tools::tolerance(1e-3));
    // Neighbours cost.
    BOOST_TEST(sheet_bound(recipe) > isolated_bound(recipe));
    // Finer pixels of the same dose know the same.
    recipe.pixel_angstrom = 0.06;
    BOOST_TEST(isolated_bound(recipe) == once / 2, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(a_perfect_and_a_wrong_answer_are_measured_as_such) {
    FrameRecipe recipe;
    recipe.seed = 5;
    recipe.side_angstrom = 20;
    const SimulatedFrame frame = make_frame(recipe);
    Detections perfect, shifted, wrong;
    for (const TrueAtom& t : frame.atoms) {
        Detection d;
        d.x_px = t.x_px;
        d.y_px = t.y_px;
        d.atomic_number = t.atomic_number;
        d.probability = 1;
        d.sigma_angstrom = 0.1;
        perfect.push_back(d);
        d.x_px += 0.1 / 0.104;
        d.y_px -= 0.1 / 0.104;
        shifted.push_back(d);
        d.atomic_number = 14;
        wrong.push_back(d);
    }
    const Measures right = measure(perfect, frame, 0.1, 0.2);
    BOOST_TEST(right.f1() == 1);
    BOOST_TEST(right.calibration_error() == 0);
    BOOST_TEST(right.silicon_recall() == 1);
    const Measures moved = measure(shifted, frame, 0.1, 0.2);
    BOOST_TEST(moved.rms_angstrom() == 0.1, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(moved.rms_over_bound() == 1, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(moved.pull() == 1, boost::test_tools::tolerance(1e-9));
    const Measures mistaken = measure(wrong, frame, 0.1, 0.2);
    BOOST_TEST(mistaken.carbon_called_silicon > 50);
    BOOST_TEST(mistaken.calibration_error() > 0.8);
    BOOST_TEST(measure({}, frame, 0.1, 0.2).recall() == 0);
}

BOOST_AUTO_TEST_CASE(frames_of_the_benchmark_are_found_as_well_as_is_wanted) {
    if (!networks_available()) {
        skip("built without LibTorch");
        return;
    }
    const auto network = shipped_network();
    // Positions of two frames, some 700 atoms: a pull is known to 3 per cent; wrong matches add to it.
    const auto check = [&](const Measures& m, double f1, double bound) {
        BOOST_TEST(m.f1() >= f1);
        BOOST_TEST(m.rms_over_bound() < bound);
        BOOST_TEST(m.pull() > 0.8);
        BOOST_TEST(m.pull() < 1.25);
        BOOST_TEST(m.silicon_recall() >= 0.9);
        BOOST_TEST(m.carbon_called_silicon == 0);
        BOOST_TEST(m.calibration_error() <= 0.03);
    };
    check(group_measures("real dose", 2, *network), 0.97, 1.0);
    check(group_measures("5 x dose", 2, *network), 0.99, 1.2);
    check(group_measures("contaminated, 5 % anisotropic", 1, *network), 0.96, 1.2);
    const Measures chromium = group_measures("with Cr", 1, *network);
    BOOST_TEST(chromium.chromium >= 3);
    BOOST_TEST(chromium.chromium_unknown == chromium.chromium);
    BOOST_TEST(chromium.unknown_otherwise == 0);
}

BOOST_AUTO_TEST_CASE(a_fit_reaches_what_the_electrons_allow_and_the_lattice_goes_beyond) {
    if (!networks_available()) {
        skip("built without LibTorch");
        return;
    }
    const auto network = shipped_network();
    for (const char* group : {"real dose", "5 x dose"}) {
        const Measures alone = group_measures(group, 1, *network, Positions::fit);
        BOOST_TEST(alone.rms_over_sheet_bound() < 1.15);
        const Measures together = group_measures(group, 1, *network, Positions::lattice);
        BOOST_TEST(together.rms_over_sheet_bound() < 1.0);
        BOOST_TEST(together.rms_angstrom() < alone.rms_angstrom());
    }
}

BOOST_AUTO_TEST_CASE(blob_centres_are_whole_means_of_thresholded_regions) {
    // Two discs of one class, one of the other; regions that touch at corners only are two.
    class Fixed final : public SegmentationNetwork {
      public:
        Segmentation segment(const Pixels& seen) override {
            Pixels carbon = Pixels::Zero(seen.rows(), seen.cols()), silicon = carbon;
            carbon.block<2, 3>(10, 20).setConstant(0.9f);
            carbon(12, 23) = 0.8f;
            silicon.block<3, 3>(30, 40).setConstant(0.7f);
            const Pixels none = Pixels::Zero(seen.rows(), seen.cols());
            return {{6, 14, 0}, {carbon, silicon, 1.0f - carbon - silicon}, {none, none, none}, {}};
        }
        double pixel_size_angstrom() const override { return 0.15; }
        NetworkShape shape() const override { return {}; }
        int members() const override { return 1; }
    } network;
    const Detections atoms = blob_centres({Pixels::Random(64, 64), 0.15, "blobs"}, 0.15, network);
    BOOST_REQUIRE(atoms.size() == 3u);
    BOOST_TEST(atoms[0].x_px == 21);
    BOOST_TEST(atoms[0].y_px == 10.5);
    BOOST_TEST(atoms[0].probability == 0.9, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(atoms[1].x_px == 23);
    BOOST_TEST(atoms[2].atomic_number == 14);
}

BOOST_AUTO_TEST_SUITE_END()
