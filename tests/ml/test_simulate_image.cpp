// SPDX-License-Identifier: Apache-2.0
// The image simulator: physics, truth, distortions.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_simulate_image)

namespace {

SimulationOptions small_frame(int side = 200) {
    SimulationOptions options;
    options.scan.width = options.scan.height = side;
    options.scan.pixel_size_angstrom = 0.1;
    options.detector.electrons_per_pixel = 0;
    return options;
}

Eigen::Vector2d centroid(const Pixels& image) {
    Eigen::Vector2d sum = Eigen::Vector2d::Zero();
    for (Eigen::Index y = 0; y < image.rows(); ++y)
        for (Eigen::Index x = 0; x < image.cols(); ++x)
            sum += image(y, x) * Eigen::Vector2d(static_cast<double>(x), static_cast<double>(y));
    return sum / image.cast<double>().sum();
}

}  // namespace

BOOST_AUTO_TEST_CASE(integrated_intensity_of_an_atom_is_its_scattering_area) {
    SimulationOptions options = small_frame(300);
    options.probe.hollow_to_peak = 0;
    for (const int z : {6, 14}) {
        const auto frame = simulate_image({{15.03, 14.97, z}}, options, seeded(1));
        // One beam electron per pixel: the sum times the area of a pixel. The tail beyond the frame is below
        // 1e-3.
        BOOST_TEST(frame.image.pixels.cast<double>().sum() * 0.01 == scattering_area(z, 1.7),
                   boost::test_tools::tolerance(2e-3));
    }
}

BOOST_AUTO_TEST_CASE(mean_counts_are_linear_in_the_dose) {
    SimulationOptions options = small_frame();
    const std::vector<SceneAtom> sheet =
        random_scene({.width_angstrom = 22, .height_angstrom = 22}, seeded(3));
    options.detector.electrons_per_pixel = 3000;
    const double once = simulate_image(sheet, options, seeded(1)).image.pixels.cast<double>().mean();
    options.detector.electrons_per_pixel = 6000;
    const double twice = simulate_image(sheet, options, seeded(2)).image.pixels.cast<double>().mean();
    // About 3 electrons in each of 40,000 pixels: the ratio has a standard deviation of 0.4 %.
    BOOST_TEST(twice / once == 2.0, boost::test_tools::tolerance(0.015));
}

BOOST_AUTO_TEST_CASE(noise_has_the_variance_of_its_mean) {
    // No atoms: the black level alone is uniform.
    SimulationOptions options = small_frame(400);
    options.detector.electrons_per_pixel = 5000;
    const Pixels image = simulate_image({}, options, seeded(4)).image.pixels;
    const double mean = image.cast<double>().mean(), variance = (image.cast<double>() - mean).square().mean();
    // The variance of 160,000 Poisson numbers is known to 0.4 %.
    BOOST_TEST(mean > 1.0);
    BOOST_TEST(variance / mean == 1.0, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(blur_after_noise_correlates_neighbouring_pixels) {
    SimulationOptions options = small_frame(400);
    options.detector.electrons_per_pixel = 5000;
    options.detector.blur_px = 1.0;
    const Pixels image = simulate_image({}, options, seeded(4)).image.pixels;
    const Eigen::ArrayXXd noise = image.cast<double>() - image.cast<double>().mean();
    const double neighbours = (noise.leftCols(399) * noise.rightCols(399)).mean() / noise.square().mean();
    // White noise blurred by a Gaussian of sigma s: exp(-d^2 / 4 s^2) at distance d.
    BOOST_TEST(neighbours == std::exp(-0.25), boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(silicon_is_four_to_seven_times_as_bright_as_carbon) {
    SimulationOptions options = small_frame();
    options.probe.hollow_to_peak = 0;
    for (const double exponent : {1.7, 1.95}) {
        options.probe.z_exponent = exponent;
        const float carbon = simulate_image({{10, 10, 6}}, options, seeded(1)).image.pixels.maxCoeff();
        const float silicon = simulate_image({{10, 10, 14}}, options, seeded(1)).image.pixels.maxCoeff();
        BOOST_TEST(silicon / carbon > 4.0);
        BOOST_TEST(silicon / carbon < 7.0);
    }
}

BOOST_AUTO_TEST_CASE(true_position_of_an_atom_is_the_centroid_of_its_image) {
    SimulationOptions options = small_frame();
    options.probe.hollow_to_peak = 0;
    options.probe.tail_fraction = 0;  // an atom's image then ends inside the frame
    ScanOptions& scan = options.scan;
    scan.anisotropy = 0.07;
    scan.anisotropy_angle_deg = 33;
    scan.shear = 0.02;
    scan.rotation_deg = 17;
    scan.drift_px = {1.2, -1};  // curved drift moves a centroid in second order only
    scan.flyback_px = 1.5;
    for (const auto& [x, y] : {std::pair{10.013, 9.967}, std::pair{7.2, 12.4}, std::pair{12.71, 8.33}}) {
        const auto frame = simulate_image({{x, y, 6}}, options, seeded(1));
        BOOST_REQUIRE(frame.atoms.size() == 1u);
        const Eigen::Vector2d seen = centroid(frame.image.pixels),
                              truth(frame.atoms[0].x_px, frame.atoms[0].y_px);
        BOOST_TEST((seen - truth).norm() < 0.01);
    }
}

BOOST_AUTO_TEST_CASE(true_position_follows_the_mean_jitter_of_the_lines) {
    SimulationOptions options = small_frame();
    options.probe.hollow_to_peak = 0;
    options.probe.tail_fraction = 0;
    options.scan.line_jitter_px = 0.3;
    double squares = 0;
    for (int seed = 1; seed <= 20; ++seed) {
        const auto frame = simulate_image({{10, 10, 6}}, options, seeded(static_cast<std::uint64_t>(seed)));
        squares +=
            (centroid(frame.image.pixels) - Eigen::Vector2d(frame.atoms.at(0).x_px, frame.atoms.at(0).y_px))
                .squaredNorm() /
            20;
    }
    // Without the mean the error would be the slow part of the jitter, about 0.2 px.
    BOOST_TEST(std::sqrt(squares) < 0.1);
}

BOOST_AUTO_TEST_CASE(black_level_gives_the_wanted_ratio_of_hollow_to_peak) {
    for (const double ratio : {0.55, 0.75}) {
        SimulationOptions options = small_frame(240);
        options.probe.hollow_to_peak = ratio;
        const auto frame = sheet_frame(options, {.displacement_angstrom = 0, .strain = 0}, 5);
        std::vector<Eigen::Vector2d> atoms;
        double peak = 0;
        int count = 0;
        for (const TrueAtom& atom : frame.atoms) {
            atoms.emplace_back(atom.x_px, atom.y_px);
            if (atom.x_px < 40 || atom.y_px < 40 || atom.x_px > 200 || atom.y_px > 200) continue;
            peak += frame.image.pixels(std::lround(atom.y_px), std::lround(atom.x_px));
            ++count;
        }
        peak /= count;
        const double hollow = frame.image.pixels.block(40, 40, 160, 160).minCoeff();
        // Rounding to pixels lowers the peak by less than 1 %.
        BOOST_TEST(hollow / peak == ratio, boost::test_tools::tolerance(0.02));
    }
}

BOOST_AUTO_TEST_CASE(scan_has_the_scales_that_were_asked_for) {
    SimulationOptions options = small_frame();
    options.scan.anisotropy = 0.067;
    options.scan.anisotropy_angle_deg = -20;
    options.scan.rotation_deg = 40;
    const Eigen::Matrix2d map = simulate_image({}, options, seeded(1)).angstrom_per_pixel;
    const Eigen::Vector2d scales = Eigen::JacobiSVD<Eigen::Matrix2d>(map).singularValues();
    BOOST_TEST(scales(0) / scales(1) == 1.067, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(map.determinant() == 0.01, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(contamination_covers_its_share_and_hides_atoms) {
    SimulationOptions options = small_frame(400);
    options.contamination.coverage = 0.4;
    options.contamination.level = 5;
    const auto frame = sheet_frame(options, {}, 6);
    const double covered_share = (frame.contamination > 0.5f * 5).cast<double>().mean();
    BOOST_TEST(covered_share > 0.25);
    BOOST_TEST(covered_share < 0.5);
    double covered = 0;
    for (const TrueAtom& atom : frame.atoms) covered += atom.covered;
    BOOST_TEST(covered / static_cast<double>(frame.atoms.size()) > 0.35);
    BOOST_TEST(covered / static_cast<double>(frame.atoms.size()) < 0.65);
    // Bright where it lies: on the right by default.
    BOOST_TEST(frame.image.pixels.rightCols(60).mean() > 2 * frame.image.pixels.leftCols(60).mean());
}

BOOST_AUTO_TEST_CASE(silicon_gathers_at_the_rim_when_asked) {
    SimulationOptions options = small_frame(400);
    options.contamination.coverage = 0.4;
    options.contamination.silicon_at_rim = 0.5;
    const auto frame = sheet_frame(options, {}, 6);
    BOOST_TEST(std::count_if(frame.atoms.begin(), frame.atoms.end(),
                             [](const TrueAtom& a) { return a.atomic_number == 14; }) > 3);
}

BOOST_AUTO_TEST_CASE(same_seed_gives_the_same_frame_and_another_seed_another) {
    SimulationOptions options = small_frame(96);
    options.detector.electrons_per_pixel = 3000;
    options.scan.line_jitter_px = 0.2;
    options.contamination.coverage = 0.2;
    const std::vector<SceneAtom> atoms =
        random_scene({.width_angstrom = 10, .height_angstrom = 10}, seeded(1));
    const Pixels first = simulate_image(atoms, options, seeded(7)).image.pixels;
    BOOST_TEST((first == simulate_image(atoms, options, seeded(7)).image.pixels).all());
    BOOST_TEST(!(first == simulate_image(atoms, options, seeded(8)).image.pixels).all());
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_named) {
    const auto names = [](const char* key, const auto& change) {
        SimulationOptions options = small_frame();
        change(options);
        BOOST_CHECK_EXCEPTION(simulate_image({}, options, {}), InputError, [&](const InputError& e) {
            return std::string(e.what()).find(key) != std::string::npos;
        });
    };
    names("pixel_size", [](SimulationOptions& o) { o.scan.pixel_size_angstrom = 0; });
    names("scan.width", [](SimulationOptions& o) { o.scan.width = 0; });
    names("tail_fraction", [](SimulationOptions& o) { o.probe.tail_fraction = 1; });
    names("coverage", [](SimulationOptions& o) { o.contamination.coverage = 2; });
    names("hollow_to_peak", [](SimulationOptions& o) { o.probe.hollow_to_peak = 1; });
}

BOOST_AUTO_TEST_SUITE_END()
