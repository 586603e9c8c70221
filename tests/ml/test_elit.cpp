// SPDX-License-Identifier: Apache-2.0
// What iterative training rests on: the physical score of atoms, and the labels a frame gets from them.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/ml/elit.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_elit)

namespace {

/// A perfect sheet of some 600 atoms.
Detections sheet() {
    SceneOptions options;
    options.width_angstrom = options.height_angstrom = 40;
    options.margin_angstrom = 0;
    options.displacement_angstrom = 0.02;
    Detections atoms;
    for (const SceneAtom& atom : random_scene(options, seeded(1)))
        atoms.push_back({.x_px = 10 * atom.x_angstrom,
                         .y_px = 10 * atom.y_angstrom,
                         .x_angstrom = atom.x_angstrom,
                         .y_angstrom = atom.y_angstrom,
                         .atomic_number = 6,
                         .probability = 0.99});
    return atoms;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_perfect_sheet_has_nearly_the_full_physical_score) {
    const PhysicalScore score = physical_score(sheet());
    BOOST_TEST(score.atoms > 500);
    BOOST_TEST(score.bonded > 0.99);
    BOOST_TEST(score.threefold > 0.97);
    BOOST_TEST(score.too_close == 0.0);
    BOOST_TEST(score.rings > 0.42);  // half a ring per atom, but for the rim
    BOOST_TEST(score.value() > 0.85);
    BOOST_TEST(physical_score({}).value() == 0.0);
}

BOOST_AUTO_TEST_CASE(every_artefact_costs_score) {
    const Detections good = sheet();
    const double best = physical_score(good).value();
    // Atoms in hollows stand too close to all around them.
    Detections doubled = good;
    for (std::size_t i = 0; i < good.size(); i += 20) {
        doubled.push_back(good[i]);
        doubled.back().x_angstrom += 0.7;
    }
    BOOST_TEST(physical_score(doubled).value() < best - 0.1);
    // Atoms in vacuum.
    Detections noisy = good;
    for (int i = 0; i < 25; ++i) {
        noisy.push_back(good.front());
        noisy.back().x_angstrom = 60 + 4 * i;
    }
    BOOST_TEST(physical_score(noisy).value() < best - 0.05);
    BOOST_TEST(physical_score(noisy).alone > 0.03);
    // Missing atoms open rings.
    Detections holey;
    for (std::size_t i = 0; i < good.size(); ++i)
        if (i % 10 != 0) holey.push_back(good[i]);
    BOOST_TEST(physical_score(holey).value() < best - 0.1);
}

BOOST_AUTO_TEST_CASE(several_frames_score_as_their_atoms_do) {
    const Detections good = sheet();
    Detections bad = good;
    for (std::size_t i = 0; i < bad.size(); ++i)
        if (i % 2 == 0) bad[i].x_angstrom += 0.7;
    const PhysicalScore one = physical_score(good), other = physical_score(bad);
    BOOST_TEST(mean_score({}).atoms == 0);
    // The same frame ten times is as good as once: borders count in each.
    const PhysicalScore ten = mean_score(std::vector<PhysicalScore>(10, one));
    BOOST_TEST(ten.atoms == 10 * one.atoms);
    BOOST_TEST(ten.value() == one.value(), boost::test_tools::tolerance(1e-12));
    const PhysicalScore both = mean_score({one, other});
    BOOST_TEST(both.threefold == (one.threefold + other.threefold) / 2, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(both.value() < one.value());
}

BOOST_AUTO_TEST_CASE(labels_are_the_confident_atoms_and_what_is_doubtful_is_hidden) {
    Image image;
    image.pixels = Pixels::Random(420, 420) + 3;
    FindAtomsResult found;
    found.atoms = found.baseline = sheet();
    found.region = Pixels::Ones(420, 420);
    found.vacuum = Pixels::Zero(420, 420);
    found.region.rightCols(60).setZero();
    found.calibration = nominal_calibration(0.1);
    const std::size_t uncertain = 3, outvoted = 50, disputed = 90, denied = 130;
    for (Detection& atom : found.atoms) atom.votes = 5;
    found.atoms[uncertain].probability = 0.5;
    found.atoms[outvoted].votes = 4;
    found.atoms[disputed].atomic_number = 14;  // the mixture says C
    found.baseline[denied].atomic_number = 14;
    BOOST_TEST(confident_atoms(found, 5).size() == found.atoms.size() - 4);
    const LabelledFrame frame = self_labelled(image, found, 5, 0.15);
    BOOST_TEST(frame.atoms.size() == found.atoms.size() - 4);
    BOOST_TEST(frame.image.rows() == frame.trusted.rows());
    const auto trusted = [&](double x_px, double y_px) {
        return frame.trusted(std::lround(y_px * 0.1 / 0.15), std::lround(x_px * 0.1 / 0.15));
    };
    for (const std::size_t hidden : {uncertain, outvoted, disputed, denied})
        if (found.atoms[hidden].x_px > 0 && found.atoms[hidden].y_px > 0 && found.atoms[hidden].x_px < 415 &&
            found.atoms[hidden].y_px < 415)
            BOOST_TEST(trusted(found.atoms[hidden].x_px, found.atoms[hidden].y_px) == 0.0f);
    BOOST_TEST(trusted(200, 200) == 1.0f);
    BOOST_TEST(frame.trusted.rightCols(38).maxCoeff() == 0.0f);  // contamination
    // Labels lie where the atoms are, on the network's grid.
    BOOST_TEST(frame.atoms.back().x() == found.atoms.back().x_px * 0.1 / 0.15,
               boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_SUITE_END()
