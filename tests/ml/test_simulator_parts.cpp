// SPDX-License-Identifier: Apache-2.0
// Aberrations, detector angles, tears and hops of the simulated scan, rarer atoms of the simulated sheet.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_simulator_parts)

namespace {

SimulationOptions one_atom() {
    SimulationOptions options;
    options.scan.width = options.scan.height = 101;
    options.scan.pixel_size_angstrom = 0.08;
    options.detector.electrons_per_pixel = 0;
    options.probe.tail_fraction = 0;
    options.probe.hollow_to_peak = 0;
    return options;
}

Pixels image_of_one_atom(const SimulationOptions& options) {
    return simulate_image({{4, 4, 6}}, options, seeded(1)).image.pixels;
}

/// Second moments of an image about its centroid, angstrom^2: xx, yy, xy; and the centroid.
struct Moments {
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    explicit Moments(const Pixels& p) {
        double sum = 0;
        for (int pass = 0; pass < 2; ++pass)
            for (Eigen::Index r = 0; r < p.rows(); ++r)
                for (Eigen::Index c = 0; c < p.cols(); ++c) {
                    const double px = 0.08 * static_cast<double>(c), py = 0.08 * static_cast<double>(r);
                    const double w = p(r, c);
                    if (pass == 0) {
                        sum += w;
                        x += w * px;
                        y += w * py;
                    } else {
                        xx += w * (px - x / sum) * (px - x / sum) / sum;
                        yy += w * (py - y / sum) * (py - y / sum) / sum;
                        xy += w * (px - x / sum) * (py - y / sum) / sum;
                    }
                }
        x /= sum;
        y /= sum;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_probe_with_hardly_any_aberration_is_the_round_one) {
    SimulationOptions options = one_atom();
    const Pixels round = image_of_one_atom(options);
    options.probe.aberrations.defocus_angstrom = 0.01;
    const Pixels aberrated = image_of_one_atom(options);
    // The aperture's rim is a sample of 0.024 / angstrom wide.
    BOOST_TEST((round - aberrated).abs().maxCoeff() < 0.02f * round.maxCoeff());
    BOOST_TEST(aberrated.sum() == round.sum(), boost::test_tools::tolerance(2e-3f));
}

BOOST_AUTO_TEST_CASE(defocus_and_spherical_aberration_widen_the_probe_and_can_balance) {
    SimulationOptions options = one_atom();
    const float sharp = image_of_one_atom(options).maxCoeff();
    Aberrations& a = options.probe.aberrations;
    a.defocus_angstrom = 80;
    const Pixels defocused = image_of_one_atom(options);
    BOOST_TEST(defocused.maxCoeff() < 0.9f * sharp);
    a.defocus_angstrom = -80;
    BOOST_TEST((image_of_one_atom(options) - defocused).abs().maxCoeff() < 0.01f * sharp);
    // Scherzer: a negative defocus of C30 alpha^2 / 2 or so takes most of the phase of a positive C30 back.
    a.defocus_angstrom = 0;
    a.spherical_angstrom = 2e5;
    const float spherical = image_of_one_atom(options).maxCoeff();
    a.defocus_angstrom = -0.5 * 2e5 * 0.031 * 0.031;
    BOOST_TEST(spherical < 0.9f * sharp);
    BOOST_TEST(image_of_one_atom(options).maxCoeff() > spherical);
    // Fifth order: the phase at the rim is pi / lambda C50 alpha^6 / 3.
    a = {};
    a.fifth_order_angstrom = 3e8;
    BOOST_TEST(image_of_one_atom(options).maxCoeff() < 0.9f * sharp);
}

BOOST_AUTO_TEST_CASE(astigmatism_with_defocus_stretches_along_its_direction) {
    SimulationOptions options = one_atom();
    Aberrations& a = options.probe.aberrations;
    a.defocus_angstrom = 60;
    a.astigmatism_angstrom = 40;
    const Moments straight(image_of_one_atom(options));
    BOOST_TEST(std::abs(straight.xx / straight.yy - 1) > 0.15);
    BOOST_TEST(std::abs(straight.xy) < 0.02 * straight.xx);
    // Turned by a right angle the axes change places; by 45 degrees they are the diagonals.
    a.astigmatism_angle_deg = 90;
    const Moments turned(image_of_one_atom(options));
    BOOST_TEST(turned.xx == straight.yy, boost::test_tools::tolerance(0.02));
    a.astigmatism_angle_deg = 45;
    const Moments diagonal(image_of_one_atom(options));
    BOOST_TEST(diagonal.xx == diagonal.yy, boost::test_tools::tolerance(0.02));
    BOOST_TEST(std::abs(diagonal.xy) > 0.05 * diagonal.xx);
}

BOOST_AUTO_TEST_CASE(coma_gives_a_one_sided_tail_and_threefold_astigmatism_three) {
    SimulationOptions options = one_atom();
    options.probe.aberrations.coma_angstrom = 3000;
    const Pixels coma = image_of_one_atom(options);
    const Moments centre(coma);
    // The centroid stays at the atom, the brightest place does not.
    BOOST_TEST(std::abs(centre.x - 4) < 0.03);
    Eigen::Index row = 0, column = 0;
    coma.maxCoeff(&row, &column);
    BOOST_TEST(std::abs(0.08 * static_cast<double>(column) - 4) > 0.1);
    BOOST_TEST(std::abs(0.08 * static_cast<double>(row) - 4) < 0.05);
    options.probe.aberrations = {};
    options.probe.aberrations.threefold_angstrom = 4000;
    const Pixels three = image_of_one_atom(options);
    // Mean of I cos 3 phi and of I cos phi at 0.6 to 1.2 angstrom from the centre.
    double third = 0, first = 0, sum = 0;
    for (Eigen::Index r = 0; r < three.rows(); ++r)
        for (Eigen::Index c = 0; c < three.cols(); ++c) {
            const double dx = 0.08 * static_cast<double>(c) - 4, dy = 0.08 * static_cast<double>(r) - 4;
            const double distance = std::hypot(dx, dy), phi = std::atan2(dy, dx);
            if (distance < 0.6 || distance > 1.2) continue;
            third += three(r, c) * std::cos(3 * phi);
            first += three(r, c) * std::cos(phi);
            sum += three(r, c);
        }
    BOOST_TEST(std::abs(third) > 0.05 * sum);
    BOOST_TEST(std::abs(first) < 0.01 * sum);
}

BOOST_AUTO_TEST_CASE(detector_angles_give_the_known_shares_and_exponents) {
    const DetectorSignal medium = annular_detector(54, 200, 60), high = annular_detector(86, 200, 60);
    BOOST_TEST(medium.strength == 1, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(medium.z_exponent == 1.69, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(high.strength == 0.40 / 1.50, boost::test_tools::tolerance(1e-3));
    BOOST_TEST(high.z_exponent == 1.95, boost::test_tools::tolerance(1e-6));
    // A smaller ring sees less; faster electrons scatter less.
    BOOST_TEST(annular_detector(54, 100, 60).strength < 1);
    BOOST_TEST(annular_detector(54, 200, 80).strength < 1);
    BOOST_CHECK_THROW(annular_detector(10, 200, 60), InputError);
    BOOST_CHECK_THROW(annular_detector(60, 50, 60), InputError);
    SimulationOptions options = one_atom();
    const float before = image_of_one_atom(options).maxCoeff();
    options.probe.strength = high.strength;
    BOOST_TEST(image_of_one_atom(options).maxCoeff() == before * 0.40f / 1.50f,
               boost::test_tools::tolerance(1e-3f));
}

BOOST_AUTO_TEST_CASE(a_tear_moves_the_lines_after_it_and_nothing_before) {
    SimulationOptions options = one_atom();
    const std::vector<SceneAtom> sheet =
        random_scene({.width_angstrom = 20, .height_angstrom = 20}, seeded(2));
    options.scan.origin_x_angstrom = options.scan.origin_y_angstrom = 5;
    const Pixels still = simulate_image(sheet, options, seeded(3)).image.pixels;
    options.scan.tears = 1;
    const Pixels torn = simulate_image(sheet, options, seeded(3)).image.pixels;
    Eigen::Index first = 0;
    while (first < still.rows() && (still.row(first) == torn.row(first)).all()) ++first;
    BOOST_REQUIRE(first < still.rows());
    // The first torn line is an earlier or later part of the same line: several pixels off.
    int best = 0;
    float smallest = 1e30f;
    for (int shift = -8; shift <= 8; ++shift) {
        const Eigen::Index n = still.cols() - 16;
        const float difference =
            (torn.row(first).segment(8, n) - still.row(first).segment(8 + shift, n)).abs().mean();
        if (difference < smallest) {
            smallest = difference;
            best = shift;
        }
    }
    BOOST_TEST(std::abs(best) >= 2);
    BOOST_TEST(smallest < 0.1f * (still - still.mean()).abs().mean());
}

BOOST_AUTO_TEST_CASE(an_atom_that_hops_is_torn_and_is_no_truth) {
    SimulationOptions options = one_atom();
    options.scan.hops = 1;
    const auto frame = simulate_image({{4, 4, 6}}, options, seeded(5));
    BOOST_REQUIRE(frame.atoms.size() == 1u);
    BOOST_TEST(frame.atoms.front().covered);
    const Pixels whole = image_of_one_atom(one_atom());
    const auto line = static_cast<Eigen::Index>(std::lround(4 / 0.08));
    BOOST_TEST((frame.image.pixels.topRows(line) == whole.topRows(line)).all());
    BOOST_TEST((frame.image.pixels - whole).abs().maxCoeff() > 0.2f * whole.maxCoeff());
}

BOOST_AUTO_TEST_CASE(rarer_atoms_appear_where_they_are_asked_for) {
    SceneOptions scene;
    scene.width_angstrom = scene.height_angstrom = 50;
    const auto plain = random_scene(scene, seeded(7));
    scene.carbon_adatoms = 20;
    BOOST_TEST(random_scene(scene, seeded(7)).size() == plain.size() + 5);
    scene.carbon_adatoms = 0;
    scene.chromium_adatoms = 20;
    scene.chromium_substitutions = 20;
    const auto chromium = random_scene(scene, seeded(7));
    const auto count = [](const std::vector<SceneAtom>& atoms, int z) {
        return std::count_if(atoms.begin(), atoms.end(),
                             [&](const SceneAtom& a) { return a.atomic_number == z; });
    };
    BOOST_TEST(count(chromium, 24) >= 6);
    BOOST_TEST(count(chromium, 24) <= 10);
    SceneOptions holes;
    holes.width_angstrom = holes.height_angstrom = 50;
    holes.holes = 8;
    holes.silicon_edge_share = 0.5;
    const auto edges = random_scene(holes, seeded(8));
    BOOST_TEST(count(edges, 14) >= 3);
    holes.silicon_edge_share = 0;
    BOOST_TEST(count(random_scene(holes, seeded(8)), 14) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
