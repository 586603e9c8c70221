// SPDX-License-Identifier: Apache-2.0
// The lattice as a ruler: known scans are recovered, bad frames are refused.
#include <boost/test/unit_test.hpp>
#include <limits>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_calibrate)

namespace {

SimulatedFrame distorted_frame(double pixel, double anisotropy, double angle, double shear,
                               double lattice_rotation, std::uint64_t seed) {
    SimulationOptions options;
    options.scan.width = options.scan.height = 512;
    options.scan.pixel_size_angstrom = pixel;
    options.scan.anisotropy = anisotropy;
    options.scan.anisotropy_angle_deg = angle;
    options.scan.shear = shear;
    options.detector.electrons_per_pixel = 6e5 * pixel * pixel;
    options.detector.blur_px = 0.5;
    SceneOptions scene;
    scene.rotation_deg = lattice_rotation;
    scene.strain = 0;
    return sheet_frame(options, scene, seed);
}

Eigen::Vector2d true_scales(const Eigen::Matrix2d& map) {
    return Eigen::JacobiSVD<Eigen::Matrix2d>(map).singularValues();
}

bool message_has(const Error& error, const std::string& part) {
    return std::string(error.what()).find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(known_scales_and_shear_are_recovered_to_two_thousandths) {
    struct Case {
        double pixel, anisotropy, angle, shear, rotation;
    };
    for (const Case& c : {Case{0.104, 0, 0, 0, 5}, Case{0.1, 0.067, 12, 0.0, 29},
                          Case{0.08, 0.03, -50, 0.03, 41}, Case{0.13, 0.08, 85, -0.02, 17}}) {
        const auto frame = distorted_frame(c.pixel, c.anisotropy, c.angle, c.shear, c.rotation, 11);
        const auto calibration = calibrate_lattice(frame.image, c.pixel * 1.05);
        const Eigen::Vector2d truth = true_scales(frame.angstrom_per_pixel);
        BOOST_TEST(calibration.largest_scale_angstrom == truth(0), boost::test_tools::tolerance(2e-3));
        BOOST_TEST(calibration.smallest_scale_angstrom == truth(1), boost::test_tools::tolerance(2e-3));
        BOOST_TEST(calibration.scale_angstrom == c.pixel, boost::test_tools::tolerance(2e-3));
        // Beyond a rotation, the whole map is right: two scales squared, each off by at most 2e-3, are off
        // by 5.7e-3.
        const Eigen::Matrix2d difference =
            calibration.angstrom_per_pixel.transpose() * calibration.angstrom_per_pixel -
            frame.angstrom_per_pixel.transpose() * frame.angstrom_per_pixel;
        BOOST_TEST(difference.norm() < 5.7e-3 * c.pixel * c.pixel);
        BOOST_TEST(calibration.scale_uncertainty_angstrom < 2e-3 * c.pixel);
    }
}

BOOST_AUTO_TEST_CASE(pixel_size_is_found_without_any_hint) {
    for (const double pixel : {0.05, 0.104, 0.2}) {
        const auto frame = distorted_frame(pixel, 0.02, 30, 0, 8, 12);
        BOOST_TEST(calibrate_lattice(frame.image).scale_angstrom == pixel,
                   boost::test_tools::tolerance(3e-3));
    }
}

BOOST_AUTO_TEST_CASE(pixel_size_off_by_two_is_refused_and_the_measured_one_named) {
    const auto frame = distorted_frame(0.104, 0, 0, 0, 21, 13);
    for (const double wrong : {0.208, 0.052}) {
        BOOST_CHECK_EXCEPTION(calibrate_lattice(frame.image, wrong), InputError, [](const InputError& e) {
            return message_has(e, "0.104") || message_has(e, "0.1039");
        });
    }
}

BOOST_AUTO_TEST_CASE(pixel_size_off_by_fifteen_percent_is_corrected_with_a_warning) {
    const auto frame = distorted_frame(0.1, 0, 0, 0, 3, 14);
    int warnings = 0;
    Context context;
    context.log_sink = [&](Context::Level level, std::string_view) {
        warnings += level == Context::Level::warning;
    };
    BOOST_TEST(calibrate_lattice(frame.image, 0.115, context).scale_angstrom == 0.1,
               boost::test_tools::tolerance(2e-3));
    BOOST_TEST(warnings == 1);
}

BOOST_AUTO_TEST_CASE(frames_without_lattice_are_refused) {
    Image noise{Pixels(256, 256), {}, "noise"};
    Random random(1);
    for (Eigen::Index i = 0; i < noise.pixels.size(); ++i)
        noise.pixels.data()[i] = static_cast<float>(random.uniform());
    BOOST_CHECK_EXCEPTION(calibrate_lattice(noise, 0.1), NumericalError,
                          [](const NumericalError& e) { return message_has(e, "no graphene lattice"); });
    BOOST_CHECK_THROW(calibrate_lattice(noise), NumericalError);
}

BOOST_AUTO_TEST_CASE(unusable_frames_are_refused_with_the_reason) {
    Image black{Pixels::Zero(128, 128), 0.1, "black.png"};
    BOOST_CHECK_EXCEPTION(calibrate_lattice(black), InputError, [](const InputError& e) {
        return message_has(e, "black.png") && message_has(e, "all pixels");
    });
    Image broken = black;
    broken.pixels(7, 9) = std::numeric_limits<float>::quiet_NaN();
    BOOST_CHECK_EXCEPTION(calibrate_lattice(broken), InputError,
                          [](const InputError& e) { return message_has(e, "(x 9, y 7)"); });
    BOOST_CHECK_THROW(calibrate_lattice({Pixels::Random(20, 200), 0.1, "strip"}), InputError);
    BOOST_CHECK_THROW(calibrate_lattice({Pixels::Random(128, 128), 0.1, "frame"}, -1.0), InputError);
    BOOST_CHECK_THROW(nominal_calibration(0), InputError);
}

BOOST_AUTO_TEST_CASE(refinement_on_atoms_recovers_the_map_from_a_wrong_start) {
    const auto frame = distorted_frame(0.1, 0.06, 20, 0.01, 10, 15);
    Detections atoms;
    for (const TrueAtom& atom : frame.atoms)
        atoms.push_back({.x_px = atom.x_px, .y_px = atom.y_px, .atomic_number = atom.atomic_number});
    LatticeCalibration start = calibrate_lattice(frame.image, 0.1);
    start.lattice_px *= 1.01;
    const auto refined = refine_calibration(start, atoms);
    BOOST_TEST(refined.refinement_pairs > 1000);
    const Eigen::Vector2d truth = true_scales(frame.angstrom_per_pixel);
    BOOST_TEST(refined.largest_scale_angstrom == truth(0), boost::test_tools::tolerance(1e-3));
    BOOST_TEST(refined.smallest_scale_angstrom == truth(1), boost::test_tools::tolerance(1e-3));
    refined.apply(atoms);
    const BondStatistics bonds = carbon_bonds(atoms);
    BOOST_TEST(bonds.mean_angstrom == 1.42, boost::test_tools::tolerance(3e-3));
    // Random displacements of 0.03 angstrom per axis and atom: 0.042 along a bond, and the jitter of nothing
    // else.
    BOOST_TEST(bonds.deviation_angstrom < 0.06);
}

BOOST_AUTO_TEST_CASE(too_few_atoms_leave_the_calibration_as_it_was) {
    const auto frame = distorted_frame(0.1, 0, 0, 0, 10, 16);
    const auto start = calibrate_lattice(frame.image, 0.1);
    BOOST_TEST(refine_calibration(start, {}).scale_angstrom == start.scale_angstrom);
    BOOST_TEST(refine_calibration(start, {{.x_px = 3, .y_px = 4, .atomic_number = 6}}).refinement_pairs == 0);
}

BOOST_AUTO_TEST_CASE(region_leaves_out_contamination_and_keeps_single_silicon) {
    SimulationOptions options;
    options.scan.width = options.scan.height = 600;
    options.contamination.coverage = 0.35;
    options.contamination.level = 4;
    options.detector.electrons_per_pixel = 6000;
    SceneOptions scene;
    scene.silicon_substitutions = 10;
    const auto frame = sheet_frame(options, scene, 17);
    const Pixels region = frame_regions(frame.image, calibrate_lattice(frame.image, 0.104)).clean;
    const Pixels dirty = (frame.contamination > 1.0f).cast<float>(),
                 clean = (frame.contamination < 0.02f).cast<float>();
    BOOST_TEST((region * dirty).sum() < 0.03f * dirty.sum());
    BOOST_TEST((region * clean).sum() > 0.97f * clean.sum());
}

BOOST_AUTO_TEST_SUITE_END()
