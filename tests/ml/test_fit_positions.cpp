// SPDX-License-Identifier: Apache-2.0
// What the fit of positions does to atoms that are known to be there: its errors without noise and with it.
#include <omp.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>

#include "atom_finder/test_frames.hpp"
#include "frames.hpp"
#include "stembridge/base/random.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;
using namespace stembridge::atom_finder;

BOOST_AUTO_TEST_SUITE(test_fit_positions)

namespace {

constexpr double pixel = 0.104;

/// Discs at given places, as a network that finds every atom to 3 pm would draw them.
class Oracle final : public SegmentationNetwork {
  public:
    explicit Oracle(const std::vector<TrueAtom>& atoms) : atoms_(atoms) {
        Random random(5);
        for (TrueAtom& atom : atoms_) {
            atom.x_px += 0.03 / pixel * random.normal();
            atom.y_px += 0.03 / pixel * random.normal();
        }
    }
    Segmentation segment(const Pixels& seen) override {
        const Pixels none = Pixels::Zero(seen.rows(), seen.cols());
        Pixels carbon = none, silicon = none;
        // The frame may have been resampled by a calibration that differs from the nominal size.
        const double factor = static_cast<double>(seen.cols()) / side;
        for (const TrueAtom& atom : atoms_)
            for (Eigen::Index y = 0; y < seen.rows(); ++y)
                for (Eigen::Index x = 0; x < seen.cols(); ++x) {
                    const double distance = std::hypot(static_cast<double>(x) - factor * atom.x_px,
                                                       static_cast<double>(y) - factor * atom.y_px);
                    const double inside = std::clamp(0.3 / pixel + 0.5 - distance, 0.0, 1.0);
                    if (inside > 0)
                        (atom.atomic_number == 14 ? silicon : carbon)(y, x) = static_cast<float>(inside);
                }
        return {{6, 14, 0}, {carbon, silicon, 1.0f - carbon - silicon}, {none, none, none}, {}};
    }
    double pixel_size_angstrom() const override { return pixel; }
    NetworkShape shape() const override { return {}; }
    int members() const override { return 1; }
    static constexpr int side = 300;

  private:
    std::vector<TrueAtom> atoms_;
};

/// Ideal probe, without black level.
FrameRecipe ideal_recipe(double electrons) {
    FrameRecipe recipe;
    recipe.hollow_to_peak = 0;
    recipe.pixel_angstrom = pixel;
    recipe.dose = electrons / (pixel * pixel);
    return recipe;
}

/// A straight frame of 31 angstrom at ideal contrast, with vacancies and Si.
SimulatedFrame ideal_frame(double electrons) {
    SimulationOptions options;
    options.scan.width = options.scan.height = Oracle::side;
    options.scan.pixel_size_angstrom = pixel;
    options.probe = simulation_options(ideal_recipe(electrons)).probe;
    options.detector.electrons_per_pixel = electrons;
    SceneOptions scene;
    scene.vacancies = 20;
    scene.silicon_substitutions = 60;
    return sheet_frame(options, scene, 61);
}

struct Errors {
    double squares = 0, pulls = 0;
    int atoms = 0;
    double rms() const { return std::sqrt(squares / atoms); }
    double pull() const { return std::sqrt(pulls / atoms); }
};

/// Errors per axis, angstrom, of the C whose truth passes.
Errors errors_of(const Detections& found, const SimulatedFrame& frame,
                 const std::function<bool(const TrueAtom&)>& passes) {
    Errors sum;
    for (const TrueAtom& truth : frame.atoms) {
        if (truth.covered || truth.atomic_number != 6 || !passes(truth)) continue;
        for (const Detection& atom : found) {
            const double distance = pixel * std::hypot(atom.x_px - truth.x_px, atom.y_px - truth.y_px);
            if (distance > 0.5) continue;
            sum.squares += distance * distance / 2;
            sum.pulls += std::pow(distance / atom.sigma_angstrom, 2) / 2;
            ++sum.atoms;
        }
    }
    return sum;
}

double depth_angstrom(const TrueAtom& atom) {
    return pixel *
           std::min({atom.x_px, atom.y_px, Oracle::side - 1 - atom.x_px, Oracle::side - 1 - atom.y_px});
}

/// Bound of an atom whose neighbours' places are unknown as well.
double bound(double electrons) {
    return sheet_bound(ideal_recipe(electrons));
}

Detections fitted(const SimulatedFrame& frame, Positions positions = Positions::fit) {
    Oracle network(frame.atoms);
    FindAtomsOptions options;
    options.positions = positions;
    return find_atoms(frame.image, &network, options).atoms;
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_noise_atoms_are_where_they_are_also_beside_silicon_and_near_the_border) {
    // What is left must not count beside the noise of twenty times the dose of a real frame, of which the
    // bound is 1.6 pm: half of that adds a tenth to it.
    const double least_noise = bound(20 * real_dose * pixel * pixel);
    BOOST_TEST(least_noise > 0.012);
    BOOST_TEST(least_noise < 0.02);
    const SimulatedFrame frame = ideal_frame(0);
    const Detections found = fitted(frame);
    const auto beside_silicon = [&](const TrueAtom& atom) {
        return std::any_of(frame.atoms.begin(), frame.atoms.end(), [&](const TrueAtom& other) {
            return other.atomic_number == 14 &&
                   pixel * std::hypot(other.x_px - atom.x_px, other.y_px - atom.y_px) < 2.1;
        });
    };
    const Errors inner =
                     errors_of(found, frame,
                               [&](const TrueAtom&a) { return depth_angstrom(a) > 5 && !beside_silicon(a); }),
                 beside =
                     errors_of(found, frame,
                               [&](const TrueAtom&a) { return depth_angstrom(a) > 5 && beside_silicon(a); }),
                 rim = errors_of(found, frame, [&](const TrueAtom&a) {
                     return depth_angstrom(a) > 2 && depth_angstrom(a) < 5;
                 });
    BOOST_TEST_MESSAGE("errors without noise, pm: inside " << 100 * inner.rms() << ", beside Si "
                                                           << 100 * beside.rms() << ", near the border "
                                                           << 100 * rim.rms());
    BOOST_TEST(inner.atoms > 100);
    BOOST_TEST(beside.atoms >= 6);
    BOOST_TEST(rim.atoms > 60);
    for (const Errors& errors : {inner, beside, rim}) BOOST_TEST(errors.rms() < 0.5 * least_noise);
}

BOOST_AUTO_TEST_CASE(with_noise_the_fit_reaches_the_bound_of_an_atom_among_neighbours) {
    for (const double dose : {5 * real_dose, 20 * real_dose}) {
        const double electrons = dose * pixel * pixel;
        const SimulatedFrame frame = ideal_frame(electrons);
        const auto inside = [](const TrueAtom& a) { return depth_angstrom(a) > 2; };
        const Errors fit = errors_of(fitted(frame), frame, inside);
        BOOST_TEST_MESSAGE(electrons << " electrons: rms " << fit.rms() << ", bound " << bound(electrons)
                                     << ", pull " << fit.pull());
        // 500 errors tell an rms to 3 per cent. No unbiased fit is below the bound.
        BOOST_TEST(fit.rms() < 1.15 * bound(electrons));
        BOOST_TEST(fit.rms() > 0.9 * bound(electrons));
        BOOST_TEST(fit.pull() > 0.85);
        BOOST_TEST(fit.pull() < 1.15);
        // What neighbours say of an atom helps, and the promised error stays true.
        const Errors lattice = errors_of(fitted(frame, Positions::lattice), frame, inside);
        BOOST_TEST_MESSAGE("with the lattice: rms " << lattice.rms() << ", pull " << lattice.pull());
        BOOST_TEST(lattice.rms() < 1.02 * fit.rms());
        BOOST_TEST(lattice.pull() > 0.85);
        BOOST_TEST(lattice.pull() < 1.15);
    }
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_changes_no_bit) {
    const SimulatedFrame frame = ideal_frame(real_dose * pixel * pixel);
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const Detections one = fitted(frame);
    omp_set_num_threads(3);
    const Detections three = fitted(frame);
    omp_set_num_threads(before);
    BOOST_TEST_REQUIRE(one.size() > 300u);
    BOOST_TEST_REQUIRE(one.size() == three.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
        BOOST_TEST(one[i].x_px == three[i].x_px);
        BOOST_TEST(one[i].y_px == three[i].y_px);
        BOOST_TEST(one[i].sigma_angstrom == three[i].sigma_angstrom);
    }
}

BOOST_AUTO_TEST_SUITE_END()
