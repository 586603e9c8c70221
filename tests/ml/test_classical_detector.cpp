// SPDX-License-Identifier: Apache-2.0
// The baseline: finds the atoms of clean frames, tells Si from C, refuses nothingness.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_classical_detector)

namespace {

SimulationOptions clean_frame(double electrons) {
    SimulationOptions options;
    options.scan.width = options.scan.height = 400;
    options.detector.electrons_per_pixel = electrons;
    return options;
}

/// Nothing but sheet.
FrameRegions all_sheet(int side = 400) {
    return {Pixels::Ones(side, side), Pixels::Zero(side, side)};
}

}  // namespace

BOOST_AUTO_TEST_CASE(clean_frames_are_found_almost_completely) {
    SceneOptions scene;
    scene.silicon_substitutions = 40;
    const auto frame = sheet_frame(clean_frame(20000), scene, 21);
    const auto calibration = calibrate_lattice(frame.image, 0.104);
    const auto atoms = classical_detector(frame.image, calibration, all_sheet());
    const Score result = score(atoms, frame.atoms, 0.104, 400, 400);
    BOOST_TEST(result.f1 > 0.98);
    BOOST_TEST(result.rms_angstrom < 0.10);
    BOOST_TEST(result.same_element >= result.hits - 2);
}

BOOST_AUTO_TEST_CASE(positions_get_better_and_their_errors_are_predicted) {
    double previous = 1;
    for (const double electrons : {5000.0, 20000.0}) {
        const auto frame = sheet_frame(clean_frame(electrons), {}, 22);
        const auto atoms =
            classical_detector(frame.image, calibrate_lattice(frame.image, 0.104), all_sheet());
        const Score result = score(atoms, frame.atoms, 0.104, 400, 400);
        BOOST_TEST(result.rms_angstrom < 0.7 * previous);
        previous = result.rms_angstrom;
        std::vector<double> sigmas;
        for (const Detection& atom : atoms) sigmas.push_back(atom.sigma_angstrom);
        std::nth_element(sigmas.begin(), sigmas.begin() + static_cast<std::ptrdiff_t>(sigmas.size() / 2),
                         sigmas.end());
        const double predicted_rms = std::sqrt(2.0) * sigmas[sigmas.size() / 2];
        BOOST_TEST(result.rms_angstrom / predicted_rms > 0.6);
        BOOST_TEST(result.rms_angstrom / predicted_rms < 1.6);
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_found_outside_the_region) {
    const auto frame = sheet_frame(clean_frame(20000), {}, 23);
    FrameRegions regions = all_sheet();
    regions.clean.rightCols(200).setZero();
    for (const Detection& atom :
         classical_detector(frame.image, calibrate_lattice(frame.image, 0.104), regions))
        BOOST_TEST(atom.x_px < 204.0);
}

BOOST_AUTO_TEST_CASE(a_region_of_another_size_and_an_empty_one_are_refused) {
    const auto frame = sheet_frame(clean_frame(20000), {}, 24);
    const auto calibration = calibrate_lattice(frame.image, 0.104);
    BOOST_CHECK_THROW(classical_detector(frame.image, calibration, all_sheet(10)), InputError);
    FrameRegions empty = all_sheet();
    empty.clean.setZero();
    BOOST_CHECK_THROW(classical_detector(frame.image, calibration, empty), InputError);
    FrameRegions vacuum = all_sheet();
    vacuum.vacuum.setOnes();
    BOOST_CHECK_THROW(classical_detector(frame.image, calibration, vacuum), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
