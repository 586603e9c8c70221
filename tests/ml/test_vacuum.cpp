// SPDX-License-Identifier: Apache-2.0
// Frames that the sheet does not fill: nothing is found in vacuum, and the sheet is found as well as in full
// ones.
#include <boost/test/unit_test.hpp>

#include <functional>

#include "frames.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_vacuum)

namespace {

constexpr double pixel_angstrom = 0.104;

/// Whether there is sheet at a place, in angstrom from the middle of the frame.
using Shape = std::function<bool(double, double)>;

Shape flake(double radius) {
    return [radius](double x, double y) { return std::hypot(x, y) < radius; };
}
Shape hole(double radius) {
    return [radius](double x, double y) { return std::hypot(x, y) > radius; };
}
Shape right_of(double edge) {
    return [edge](double x, double) { return x > edge; };
}
bool everywhere(double, double) {
    return true;
}

/// @param electrons per pixel: 1873 is what 30 pA give in 10 us
SimulatedFrame frame_of(const Shape& shape, int side_px, double electrons, double coverage = 0) {
    const double side = side_px * pixel_angstrom, margin = 2, middle = margin + 0.5 * side;
    SceneOptions scene;
    scene.width_angstrom = scene.height_angstrom = side + 2 * margin;
    scene.rotation_deg = 11;
    std::vector<SceneAtom> atoms = random_scene(scene, seeded(1));
    std::erase_if(atoms, [&](const SceneAtom& atom) {
        return !shape(atom.x_angstrom - middle, atom.y_angstrom - middle);
    });
    SimulationOptions options;
    options.scan.width = options.scan.height = side_px;
    options.scan.origin_x_angstrom = options.scan.origin_y_angstrom = margin;
    options.detector.electrons_per_pixel = electrons;
    options.contamination.coverage = coverage;
    options.contamination.level = 3;
    return simulate_image(atoms, options, seeded(1));
}

FindAtomsOptions options_with(bool calibrate) {
    FindAtomsOptions options;
    options.pixel_size_angstrom = pixel_angstrom;
    options.calibrate = calibrate;
    return options;
}

/// Found that lie farther than a bond from every atom.
int in_vacuum(const Detections& found, const std::vector<TrueAtom>& truth) {
    return static_cast<int>(std::count_if(found.begin(), found.end(), [&](const Detection& atom) {
        return std::none_of(truth.begin(), truth.end(), [&](const TrueAtom& t) {
            return std::hypot(atom.x_px - t.x_px, atom.y_px - t.y_px) * pixel_angstrom < 1.5;
        });
    }));
}

struct Case {
    std::string name;
    Shape shape;
    int side_px;
};
const std::vector<Case> cases{
    {"edge, a third vacuum", right_of(-8), 512},     {"edge, four fifths vacuum", right_of(16), 512},
    {"flake of 8 angstrom", flake(8), 600},          {"flake of 12 angstrom", flake(12), 700},
    {"flake of 30 angstrom", flake(30), 700},        {"hole of 15 angstrom", hole(15), 512},
    {"hole that reaches the borders", hole(24), 512}};

}  // namespace

BOOST_AUTO_TEST_CASE(the_network_finds_the_sheet_and_nothing_in_vacuum) {
    if (!networks_available()) return;
    const auto network = shipped_network();
    for (const double electrons : {1873.0, 4000.0})
        for (const Case& one : cases)
            for (const bool calibrate : {true, false}) {
                if (!calibrate && electrons < 4000) continue;
                const auto frame = frame_of(one.shape, one.side_px, electrons);
                const auto found = find_atoms(frame.image, network.get(), options_with(calibrate));
                const Score result =
                    score(found.atoms, frame.atoms, pixel_angstrom, one.side_px, one.side_px);
                BOOST_TEST_CONTEXT(one.name << ", " << electrons << " electrons") {
                    // One atom in the smallest flake of 77 is 0.013.
                    BOOST_TEST(result.precision > 0.98);
                    BOOST_TEST(result.recall > 0.98);
                    BOOST_TEST(in_vacuum(found.atoms, frame.atoms) <= 2);
                    BOOST_TEST(found.confidence.value > 0.7);
                }
            }
}

BOOST_AUTO_TEST_CASE(the_classical_detector_is_as_good_as_in_a_full_frame) {
    const auto full = frame_of(everywhere, 512, 4000);
    const Score usual = score(find_atoms(full.image, nullptr, options_with(true)).atoms, full.atoms,
                              pixel_angstrom, 512, 512);
    for (const Case& one : cases) {
        const auto frame = frame_of(one.shape, one.side_px, 4000);
        const auto found = find_atoms(frame.image, nullptr, options_with(true));
        const Score result = score(found.atoms, frame.atoms, pixel_angstrom, one.side_px, one.side_px);
        // Flakes of 77 atoms: a fortieth is two of them.
        BOOST_TEST_CONTEXT(one.name) {
            BOOST_TEST(result.precision > usual.precision - 0.04);
            BOOST_TEST(result.recall > usual.recall - 0.06);
            BOOST_TEST(in_vacuum(found.atoms, frame.atoms) <= 3);
        }
    }
}

BOOST_AUTO_TEST_CASE(contamination_on_a_sheet_with_an_edge_is_told_from_both) {
    const auto frame = frame_of(right_of(-8), 512, 1873, 0.3);
    const FrameRegions regions = frame_regions(frame.image, calibrate_lattice(frame.image, pixel_angstrom));
    const Pixels dirty = (frame.contamination > 1.0f).cast<float>();
    BOOST_TEST((regions.clean * dirty).sum() < 0.03f * dirty.sum());
    BOOST_TEST(regions.vacuum.leftCols(160).mean() > 0.97f);
    BOOST_TEST(regions.vacuum.rightCols(320).mean() < 0.01f);
    BOOST_TEST(regions.sheet().middleCols(200, 40).mean() > 0.97f);
}

BOOST_AUTO_TEST_CASE(vacuum_ends_where_the_sheet_begins) {
    const auto frame = frame_of(right_of(-8), 512, 4000);
    const FrameRegions regions = frame_regions(frame.image, calibrate_lattice(frame.image, pixel_angstrom));
    const double edge_px = 256 - 8 / pixel_angstrom;
    for (Eigen::Index y = 0; y < 512; ++y)
        BOOST_TEST(std::abs(static_cast<double>(regions.vacuum.row(y).sum()) - edge_px) * pixel_angstrom <
                   1.5);
}

BOOST_AUTO_TEST_CASE(full_frames_and_small_holes_have_no_vacuum) {
    for (const Shape& shape : {Shape(everywhere), hole(3)}) {
        const auto frame = frame_of(shape, 400, 1873);
        const FrameRegions regions =
            frame_regions(frame.image, calibrate_lattice(frame.image, pixel_angstrom));
        BOOST_TEST(regions.vacuum.maxCoeff() == 0.0f);
        BOOST_TEST(regions.clean.minCoeff() == 1.0f);
    }
}

BOOST_AUTO_TEST_SUITE_END()
