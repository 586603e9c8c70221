// SPDX-License-Identifier: Apache-2.0
// The elastic band on surfaces whose saddles are known, and as something that can be interrupted.
#include "stembridge/md/elastic_band.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>
#include <stop_token>

#include "stembridge/base/errors.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

/// The surface of Mueller and Brown, in thousandths of a hartree over bohr, for one atom in the plane.
/// @source Mueller, Brown, Theor. Chim. Acta 53, 75 (1979): minima -146.70 at (-0.558, 1.442), -108.17 at
/// (0.623, 0.028), -80.77 at (-0.050, 0.467), saddles -40.66 at (-0.822, 0.624), -72.25 at (0.212, 0.293)
class MuellerBrown final : public Calculator {
  public:
    void evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) override {
        constexpr double A[] = {-200, -100, -170, 15}, a[] = {-1, -1, -6.5, 0.7}, b[] = {0, 0, 11, 0.6},
                         c[] = {-10, -10, -6.5, 0.7}, x0[] = {1, 0, -0.5, -1}, y0[] = {0, 0.5, 1.5, 1};
        out = {};
        out.forces = Eigen::Matrix3Xd::Zero(3, 1);
        for (int k = 0; k < 4; ++k) {
            const double x = structure.positions(0, 0) - x0[k], y = structure.positions(1, 0) - y0[k];
            const double e = 1e-3 * A[k] * std::exp(a[k] * x * x + b[k] * x * y + c[k] * y * y);
            out.energy += e;
            out.forces(0, 0) -= e * (2 * a[k] * x + b[k] * y);
            out.forces(1, 0) -= e * (b[k] * x + 2 * c[k] * y);
        }
        ++calls;
    }
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "Mueller-Brown"; }
    static int calls;
};
int MuellerBrown::calls = 0;

Structure at(double x, double y) {
    Structure atom;
    atom.add(6, {x, y, 0});
    atom.fixed = FixedMask::Constant(3, 1, false);
    atom.fixed(2, 0) = true;
    return atom;
}

const CalculatorFactory mueller_brown = [] { return std::make_unique<MuellerBrown>(); };

BandOptions on_the_surface() {
    BandOptions options;
    options.hold_rigid_motion = false;
    options.spring = 0.1;
    options.max_force = 1e-5;
    options.max_step_length = 0.05;
    options.climb_below = 0.05;
    return options;
}

ElasticBand mueller_brown_band(int n, const BandOptions& options = on_the_surface(), Context context = {}) {
    return {straight_path(at(-0.558224, 1.441726), at(-0.050011, 0.466694), n), mueller_brown, 1, options,
            context};
}

/// An atom on a ring of six wells: E = E_0 (1 - cos 6 phi) / 2 + k (r - r_0)^2 / 2.
class Ring final : public Calculator {
  public:
    void evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) override {
        const Eigen::Vector2d p = structure.positions.col(0).head<2>();
        const double r = p.norm(), phi = std::atan2(p.y(), p.x());
        out = {};
        out.energy = 0.01 * (1 - std::cos(6 * phi)) / 2 + 0.2 * (r - 2) * (r - 2) / 2;
        const Eigen::Vector2d radial = p / r, around(-radial.y(), radial.x());
        out.forces = Eigen::Matrix3Xd::Zero(3, 1);
        out.forces.col(0).head<2>() = -0.2 * (r - 2) * radial - 0.01 * 3 * std::sin(6 * phi) / r * around;
    }
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "ring"; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_elastic_band)

BOOST_AUTO_TEST_CASE(the_climbing_image_finds_the_saddle_of_mueller_and_brown) {
    for (const int n : {5, 9, 12}) {
        ElasticBand band = mueller_brown_band(n);
        band.run();
        BOOST_REQUIRE(band.converged());
        const BandStep state = band.state();
        const auto top = static_cast<std::size_t>(state.highest);
        BOOST_TEST_MESSAGE(n << " images: " << 1e3 * band.evaluations()[top].energy << " after " << state.step
                             << " steps");
        // The saddle to the digits the literature gives, and to what is left of the force.
        BOOST_TEST(std::abs(1e3 * band.evaluations()[top].energy + 40.66484) < 1e-4);
        BOOST_TEST(std::abs(band.images()[top].positions(0, 0) + 0.822) < 1e-3);
        BOOST_TEST(std::abs(band.images()[top].positions(1, 0) - 0.6243) < 1e-3);
        BOOST_TEST(std::abs(1e3 * state.barrier - (146.6995 - 40.6648)) < 1e-3);
    }
}

BOOST_AUTO_TEST_CASE(without_climbing_the_images_are_evenly_spaced_and_below_the_saddle) {
    BandOptions options = on_the_surface();
    options.climb = false;
    ElasticBand band = mueller_brown_band(11, options);
    band.run();
    BOOST_REQUIRE(band.converged());
    const BandProfile profile = band.profile();
    const double even = profile.length.back() / 10;
    for (std::size_t k = 1; k < profile.length.size(); ++k)
        BOOST_TEST(profile.length[k] - profile.length[k - 1] == even, boost::test_tools::tolerance(0.05));
    BOOST_TEST(band.state().barrier < 0.1060347);
    // The curve between the images reaches the saddle better than the highest image does.
    double highest = -1;
    for (double s = 0; s <= profile.length.back(); s += 0.001 * profile.length.back())
        highest = std::max(highest, profile.at(s));
    BOOST_TEST(std::abs(highest + 0.0406648) <
               std::abs(profile.energy[0] + band.state().barrier + 0.0406648));
    for (std::size_t k = 0; k < profile.length.size(); ++k)
        BOOST_TEST(profile.at(profile.length[k]) == profile.energy[k], boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(forces_along_the_path_are_the_slope_of_the_profile) {
    BandOptions options = on_the_surface();
    options.climb = false;
    ElasticBand band = mueller_brown_band(41, options);
    band.run();
    const BandProfile p = band.profile();
    // Central differences of the energies over a path of 41 points: their error is of the second order.
    for (std::size_t k = 2; k + 2 < p.length.size(); ++k)
        BOOST_TEST(std::abs((p.energy[k + 1] - p.energy[k - 1]) / (p.length[k + 1] - p.length[k - 1]) -
                            p.slope[k]) < 0.01);
}

BOOST_AUTO_TEST_CASE(a_curved_path_between_equal_wells_has_the_barrier_of_the_ring) {
    const double third = std::numbers::pi / 3;
    ElasticBand band(
        straight_path(at(2, 0), at(2 * std::cos(third), 2 * std::sin(third)), 7),
        [] { return std::make_unique<Ring>(); }, 1, on_the_surface());
    band.run();
    BOOST_REQUIRE(band.converged());
    BOOST_TEST(band.state().barrier == 0.01, boost::test_tools::tolerance(1e-5));
    BOOST_TEST(band.state().highest == 3);
    // The path is the arc, pi / 3 times the radius of 2; chords of a sixth of it are shorter by a thousandth.
    BOOST_TEST(band.profile().length.back() == 2 * third, boost::test_tools::tolerance(0.005));
}

BOOST_AUTO_TEST_CASE(a_path_that_only_rises_has_its_barrier_at_its_end) {
    const double phi = 0.8 * std::numbers::pi / 6;
    const auto end = at(2 * std::cos(phi), 2 * std::sin(phi));
    const double rise = 0.01 * (1 - std::cos(6 * phi)) / 2;
    for (const bool up : {true, false}) {
        ElasticBand band(
            up ? straight_path(at(2, 0), end, 5) : straight_path(end, at(2, 0), 5),
            [] { return std::make_unique<Ring>(); }, 1, on_the_surface());
        band.step();
        BOOST_TEST(band.state().barrier == (up ? rise : 0.0), boost::test_tools::tolerance(1e-12));
        BOOST_TEST(band.state().highest == (up ? 4 : 0));
    }
}

BOOST_AUTO_TEST_CASE(a_band_restored_after_any_step_continues_to_the_same_bits_with_any_number_of_workers) {
    const Structure sheet = graphene_sheet(2, 1, false);
    Structure end = rattled(sheet, 0.2);
    const auto make = [&] {
        class Noisy final : public Calculator {
          public:
            explicit Noisy(const Structure& s) : springs_(s), noisy_(springs_, 1e-6, 1e-6) {}
            void evaluate(const Structure& s, Wanted w, Evaluation& out, const Context& c) override {
                noisy_.evaluate(s, w, out, c);
            }
            Wanted offers(const Structure& s) const override { return noisy_.offers(s); }
            std::string description() const override { return "noisy springs"; }
            State save() const override { return noisy_.save(); }
            void restore(const State& state) override { noisy_.restore(state); }

          private:
            SpringCalculator springs_;
            NoisyCalculator noisy_;
        };
        return std::make_unique<Noisy>(sheet);
    };
    BandOptions options;
    options.max_steps = 24;
    options.max_force = 1e-9;
    const auto path = straight_path(sheet, end, 6);
    ElasticBand whole(path, make, 1, options);
    std::vector<State> states = {whole.save()};
    whole.run([&](const BandStep&) { states.push_back(whole.save()); });
    BOOST_TEST(states.size() == 25);
    for (std::size_t k = 0; k < states.size(); k += 5) {
        ElasticBand resumed(path, make, 3, options);
        resumed.restore(states[k]);
        resumed.run();
        BOOST_TEST((resumed.save().values() == whole.save().values()));
    }
    BOOST_CHECK_THROW(ElasticBand(straight_path(sheet, end, 5), make, 1, options).restore(states[3]),
                      FileError);
}

BOOST_AUTO_TEST_CASE(a_band_out_of_steps_goes_back_to_its_smallest_force) {
    // Long steps overshoot: forces fall and grow again. The band is stopped where they have just grown.
    BandOptions options = on_the_surface();
    options.max_step_length = 0.3;
    struct Seen {
        BandStep state;
        std::vector<Structure> images;
    };
    std::vector<Seen> seen;
    std::size_t best = 0;
    ElasticBand whole = mueller_brown_band(9, options);
    while (!whole.finished()) {
        seen.push_back({whole.step(), whole.images()});
        const bool first_climbing = seen.back().state.climbing && !seen[best].state.climbing;
        if (first_climbing || seen.back().state.max_force < seen[best].state.max_force)
            best = seen.size() - 1;
        else if (seen.back().state.climbing && best + 2 < seen.size())
            break;
    }
    BOOST_REQUIRE(!whole.converged());
    BOOST_REQUIRE(seen.back().state.max_force > seen[best].state.max_force);

    const State saved = whole.save();
    whole.return_to_best();
    BOOST_TEST(whole.state().max_force == seen[best].state.max_force);
    BOOST_TEST(whole.state().barrier == seen[best].state.barrier);
    for (std::size_t k = 0; k < whole.images().size(); ++k)
        BOOST_TEST(same_bits(whole.images()[k].positions, seen[best].images[k].positions));

    // A restored band knows its best images too, and from them the band goes on to the saddle.
    ElasticBand resumed = mueller_brown_band(9, options);
    resumed.restore(saved);
    resumed.return_to_best();
    BOOST_TEST(resumed.state().max_force == seen[best].state.max_force);
    BOOST_TEST(resumed.run());
    BOOST_REQUIRE(resumed.converged());
    const BandStep end = resumed.state();
    BOOST_TEST(std::abs(1e3 * end.barrier - (146.6995 - 40.6648)) < 1e-3);
    // At rest it is its own best.
    resumed.return_to_best();
    BOOST_TEST(resumed.state().max_force == end.max_force);
}

BOOST_AUTO_TEST_CASE(fixed_coordinates_stay_and_ends_do_not_move) {
    Structure start = graphene_sheet(2, 1, false);
    start.fixed = FixedMask::Constant(3, start.size(), false);
    start.fixed.col(0).setConstant(true);
    Structure end = rattled(start, 0.1);
    end.positions.col(0) = start.positions.col(0);
    BandOptions options;
    options.max_steps = 10;
    options.max_force = 1e-9;
    ElasticBand band(
        straight_path(start, end, 5), [&] { return std::make_unique<SpringCalculator>(start); }, 2, options);
    band.run();
    for (const Structure& image : band.images())
        BOOST_TEST(same_bits(image.positions.leftCols(1), start.positions.leftCols(1)));
    BOOST_TEST(same_bits(band.images().front().positions, start.positions));
    BOOST_TEST(same_bits(band.images().back().positions, end.positions));
    BOOST_TEST(!same_bits(band.images()[2].positions, straight_path(start, end, 5)[2].positions));

    end.positions(1, 0) += 0.01;
    BOOST_CHECK_EXCEPTION(straight_path(start, end, 5), InputError, [](const InputError& error) {
        return std::string(error.what()).find("coordinate y of atom 1 is fixed") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(an_end_that_is_only_shifted_and_turned_is_the_start) {
    const Structure cluster = rattled(graphene_sheet(1, 2, false), 0.2);
    Structure turned = cluster;
    turned.positions =
        (Eigen::AngleAxisd(0.7, Eigen::Vector3d(1, 2, 3).normalized()).toRotationMatrix() * cluster.positions)
            .colwise() +
        Eigen::Vector3d(3, -2, 5);
    BOOST_TEST((brought_near(turned, cluster).positions - cluster.positions).norm() < 1e-12);

    const Structure sheet = graphene_sheet(2, 2, true);
    Structure wrapped = sheet;
    wrapped.positions.col(3) += sheet.cell.vector(0);
    wrapped.positions.col(5) -= sheet.cell.vector(1);
    BOOST_TEST((brought_near(wrapped, sheet).positions - sheet.positions).norm() < 1e-12);

    Structure other = cluster;
    other.atomic_numbers[0] = 14;
    BOOST_CHECK_THROW(brought_near(other, cluster), InputError);
    Structure stretched = sheet;
    stretched.cell.vectors *= 1.01;
    BOOST_CHECK_THROW(brought_near(stretched, sheet), InputError);
}

BOOST_AUTO_TEST_CASE(the_path_of_pair_distances_keeps_atoms_apart_that_change_places) {
    // Two of three atoms in a row change places: on the straight path they would meet.
    Structure start;
    for (const double x : {0.0, 2.6, 8.0}) start.add(6, {x, 0, 0});
    start.add(6, {1.3, 3.0, 0.4});
    Structure end = start;
    end.positions.col(0).swap(end.positions.col(1));
    start.fixed = FixedMask::Constant(3, 4, false);
    start.fixed.rightCols(2).setConstant(true);
    const auto closest = [](const std::vector<Structure>& path) {
        double distance = 1e9;
        for (const Structure& image : path)
            distance = std::min(distance, (image.positions.col(0) - image.positions.col(1)).norm());
        return distance;
    };
    // A little off the plane, so that there is a way around.
    Structure bent = end;
    bent.positions(2, 0) += 0.6;
    BOOST_TEST(closest(straight_path(start, bent, 5)) < 0.5);
    BOOST_TEST(closest(pair_distance_path(start, bent, 5)) > 1.5);
    BOOST_TEST((pair_distance_path(start, bent, 5)[0].positions - start.positions).norm() == 0.0);
}

BOOST_AUTO_TEST_CASE(senseless_bands_are_refused_and_it_stops_on_request) {
    BOOST_CHECK_THROW(straight_path(at(0, 0), at(1, 1), 2), InputError);
    const auto refused = [](auto change) {
        BandOptions options = on_the_surface();
        change(options);
        BOOST_CHECK_THROW(mueller_brown_band(5, options), InputError);
    };
    refused([](BandOptions& o) { o.spring = 0; });
    refused([](BandOptions& o) { o.max_force = 0; });
    refused([](BandOptions& o) { o.max_steps = 0; });
    refused([](BandOptions& o) { o.max_step_length = -1; });
    std::stop_source source;
    Context context;
    context.stop = source.get_token();
    ElasticBand band = mueller_brown_band(7, on_the_surface(), context);
    BOOST_TEST(!band.run([&](const BandStep& now) {
        if (now.step == 4) source.request_stop();
    }));
    BOOST_TEST(band.steps() == 4);
    BOOST_TEST(!band.finished());
}

BOOST_AUTO_TEST_SUITE_END()
