// SPDX-License-Identifier: Apache-2.0
// The way from a frame to atoms without a network, and every kind of bad frame.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <limits>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_find_atoms)

namespace {

SimulatedFrame usual_frame() {
    SimulationOptions options;
    options.scan.width = options.scan.height = 400;
    options.scan.anisotropy = 0.05;
    options.detector.electrons_per_pixel = 12000;
    return sheet_frame(options, {}, 31);
}

/// A network that sees an atom wherever the normalised frame is bright.
class Threshold final : public SegmentationNetwork {
  public:
    Segmentation segment(const Pixels& seen) override {
        const Pixels none = Pixels::Zero(seen.rows(), seen.cols());
        Pixels atom = (seen > level).cast<float>();
        constexpr Eigen::Index reach = 6;
        for (Eigen::Index y = reach; y + reach < seen.rows(); ++y)
            for (Eigen::Index x = reach; x + reach < seen.cols(); ++x)
                if (seen(y, x) > blind_above)
                    atom.block(y - reach, x - reach, 2 * reach + 1, 2 * reach + 1).setZero();
        return {{6, 14, 0}, {atom, none, 1.0f - atom}, {none, none, none}, {}};
    }
    double pixel_size_angstrom() const override { return 0.15; }
    NetworkShape shape() const override { return {}; }
    int members() const override { return 1; }
    float level = 0.35f;
    float blind_above = std::numeric_limits<float>::infinity();  ///< sees nothing around brighter pixels
};

}  // namespace

BOOST_AUTO_TEST_CASE(without_a_network_the_classical_atoms_are_calibrated) {
    const auto frame = usual_frame();
    FindAtomsOptions options;
    options.pixel_size_angstrom = 0.104;
    const auto result = find_atoms(frame.image, nullptr, options);
    BOOST_TEST(result.method == "classical");
    BOOST_TEST(result.calibrated);
    BOOST_TEST(score(result.atoms, frame.atoms, 0.104, 400, 400).f1 > 0.93);
    BOOST_TEST(result.calibration.anisotropy == 0.05, boost::test_tools::tolerance(0.1));
    BOOST_TEST(result.bonds.mean_angstrom == 1.42, boost::test_tools::tolerance(0.02));
    BOOST_TEST(result.region.rows() == 400);
    for (const Detection& atom : result.atoms) BOOST_TEST(atom.sigma_angstrom > 0);
}

BOOST_AUTO_TEST_CASE(what_a_network_sees_becomes_positions_on_the_frame) {
    SimulationOptions simulation;
    simulation.scan.width = 300;
    simulation.scan.height = 260;
    simulation.detector.electrons_per_pixel = 0;  // no noise: the threshold is right
    const auto frame = sheet_frame(simulation, {}, 32);
    Threshold network;
    const auto result = find_atoms(frame.image, &network);
    BOOST_TEST(result.method == "network");
    const Score found = score(result.atoms, frame.atoms, 0.104, 300, 260);
    BOOST_TEST(found.f1 > 0.97);
    BOOST_TEST(found.rms_angstrom < 0.06);
    BOOST_TEST(result.mean.rows() == 260);
    BOOST_TEST(result.mean.cols() == 300);
    BOOST_TEST(result.mean.maxCoeff() == 1.0f);
}

BOOST_AUTO_TEST_CASE(the_unit_of_brightness_does_not_matter) {
    SimulationOptions simulation;
    simulation.scan.width = simulation.scan.height = 200;
    simulation.detector.electrons_per_pixel = 0;
    const auto frame = sheet_frame(simulation, {}, 32);
    Threshold network;
    const auto result = find_atoms(frame.image, &network);
    for (const float unit : {1e-20F, 1e20F}) {
        Image image = frame.image;
        image.pixels *= unit;
        const auto other = find_atoms(image, &network);
        BOOST_TEST_CONTEXT("unit " << unit) {
            BOOST_TEST(other.atoms.size() == result.atoms.size());
            const Score found = score(other.atoms, frame.atoms, 0.104, 200, 200);
            BOOST_TEST(found.f1 > 0.97);
            BOOST_TEST(found.rms_angstrom < 0.06);
        }
    }
}

BOOST_AUTO_TEST_CASE(silicon_that_the_network_is_blind_to_is_found_in_what_the_fit_leaves) {
    SimulationOptions simulation;
    simulation.scan.width = 300;
    simulation.scan.height = 260;
    simulation.detector.electrons_per_pixel = 0;
    SceneOptions scene;
    scene.silicon_substitutions = 80;
    const auto frame = sheet_frame(simulation, scene, 32);
    Threshold network;
    network.blind_above = 1.3f;
    const auto result = find_atoms(frame.image, &network);
    int silicon = 0;
    for (const TrueAtom& truth : frame.atoms) {
        if (truth.atomic_number != 14 || std::min(truth.x_px, truth.y_px) < 20 || truth.x_px > 279 ||
            truth.y_px > 239)
            continue;
        ++silicon;
        const auto found = std::find_if(result.atoms.begin(), result.atoms.end(), [&](const Detection& d) {
            return std::hypot(d.x_px - truth.x_px, d.y_px - truth.y_px) < 0.3 / 0.104;
        });
        BOOST_REQUIRE((found != result.atoms.end()));
        BOOST_TEST(found->atomic_number == 14);
        BOOST_TEST(found->votes == 0);  // of the ensemble
        BOOST_TEST(found->probability < 1);
    }
    BOOST_TEST(silicon >= 2);
    for (const Detection& atom : result.atoms)
        if (atom.atomic_number != 6)
            BOOST_TEST(std::any_of(frame.atoms.begin(), frame.atoms.end(), [&](const TrueAtom& t) {
                return t.atomic_number == 14 && std::hypot(atom.x_px - t.x_px, atom.y_px - t.y_px) < 5;
            }));
}

BOOST_AUTO_TEST_CASE(calibration_can_be_switched_off) {
    const auto frame = usual_frame();
    FindAtomsOptions options;
    options.calibrate = false;
    options.pixel_size_angstrom = 0.104;
    const auto result = find_atoms(frame.image, nullptr, options);
    BOOST_TEST(!result.calibrated);
    BOOST_TEST(result.atoms.front().x_angstrom == 0.104 * result.atoms.front().x_px,
               boost::test_tools::tolerance(1e-12));
    Image unknown = frame.image;
    unknown.pixel_size_angstrom.reset();
    options.pixel_size_angstrom.reset();
    BOOST_CHECK_THROW(find_atoms(unknown, nullptr, options), InputError);
}

BOOST_AUTO_TEST_CASE(a_frame_whose_lattice_does_not_show_is_taken_at_the_given_pixel_size) {
    // A frame of 5 angstrom: too few rows for a peak in the spectrum.
    SimulationOptions simulation;
    simulation.scan.width = simulation.scan.height = 50;
    simulation.detector.electrons_per_pixel = 12000;
    auto frame = sheet_frame(simulation, {}, 5);
    frame.image.source = "small.npy";
    frame.image.pixel_size_angstrom.reset();
    BOOST_CHECK_THROW(find_atoms(frame.image, nullptr), NumericalError);
    FindAtomsOptions options;
    options.pixel_size_angstrom = 0.104;
    std::string warnings;
    Context context;
    context.log_sink = [&](Context::Level level, std::string_view message) {
        if (level == Context::Level::warning) warnings += message;
    };
    const auto result = find_atoms(frame.image, nullptr, options, context);
    BOOST_TEST(!result.calibrated);
    BOOST_TEST(result.calibration.scale_angstrom == 0.104);
    BOOST_TEST(warnings.find("small.npy: no graphene lattice") != std::string::npos);
    BOOST_TEST(warnings.find("0.104 angstrom is taken as it was given") != std::string::npos);
    BOOST_TEST(score(result.atoms, frame.atoms, 0.104, 50, 50).recall > 0.8);
}

BOOST_AUTO_TEST_CASE(bad_frames_are_refused_with_the_reason) {
    const auto says = [](const char* part) {
        return [part](const Error& e) { return std::string(e.what()).find(part) != std::string::npos; };
    };
    const Image black{Pixels::Zero(200, 200), 0.1, "black.npy"};
    BOOST_CHECK_EXCEPTION(find_atoms(black, nullptr), InputError, says("all pixels"));
    Image broken{Pixels::Random(200, 200), 0.1, "broken.npy"};
    broken.pixels(0, 3) = std::numeric_limits<float>::infinity();
    BOOST_CHECK_EXCEPTION(find_atoms(broken, nullptr), InputError, says("not a finite number"));
    Image noise{Pixels(200, 200), 0.1, "noise.npy"};
    Random random(2);
    for (Eigen::Index i = 0; i < noise.pixels.size(); ++i)
        noise.pixels.data()[i] = static_cast<float>(random.normal());
    FindAtomsOptions strict;
    strict.require_lattice = true;
    BOOST_CHECK_EXCEPTION(find_atoms(noise, nullptr, strict), NumericalError, says("no graphene lattice"));
    noise.pixel_size_angstrom.reset();
    BOOST_CHECK_EXCEPTION(find_atoms(noise, nullptr), NumericalError, says("needs its pixel size"));
    BOOST_CHECK_EXCEPTION(find_atoms({Pixels::Random(4, 4), 0.1, "tiny.npy"}, nullptr), InputError,
                          says("too few"));
    FindAtomsOptions twice;
    twice.pixel_size_angstrom = 0.208;
    BOOST_CHECK_EXCEPTION(find_atoms(usual_frame().image, nullptr, twice), InputError, says("does not fit"));
}

BOOST_AUTO_TEST_CASE(a_network_that_sees_nothing_is_an_error_that_says_so) {
    Threshold blind;
    blind.level = 1e6f;
    BOOST_CHECK_EXCEPTION(find_atoms(usual_frame().image, &blind), InputError, [](const Error& e) {
        return std::string(e.what()).find("no atoms found") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_missing_library_is_named_with_its_build_option) {
    if (networks_available()) {
        BOOST_TEST_MESSAGE("networks are available here: nothing is missing");
        return;
    }
    BOOST_CHECK_EXCEPTION(open_network(State{}, {}), BackendError, [](const Error& e) {
        return std::string(e.what()).find("STEMBRIDGE_LIBTORCH") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
