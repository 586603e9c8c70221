// SPDX-License-Identifier: Apache-2.0
// Atoms followed through series of known truth: identities, drift, and every kind of event.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <numeric>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/track_atoms.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_track_atoms)

namespace {

using Kind = TrackEvent::Kind;

constexpr double view_angstrom = 45;

/// A series of views of a defective sheet: every atom has a number, and is seen where it is plus noise.
class Series {
  public:
    explicit Series(std::uint64_t seed, double noise_angstrom = 0.08)
        : random_(seed), noise_(noise_angstrom) {
        SceneOptions scene;
        scene.width_angstrom = scene.height_angstrom = view_angstrom;
        scene.margin_angstrom = 15;
        scene.stone_wales = 6;
        scene.silicon_substitutions = 30;
        scene_ = random_scene(scene, seeded(seed));
        present_.assign(scene_.size(), 1);
    }
    /// Adds what a view shifted by `drift` shows; atoms are missed with some probability.
    void shoot(const Eigen::Vector2d& drift, double missed = 0, double stretch = 1) {
        FrameAtoms frame;
        frame.width_px = frame.height_px = view_angstrom + 1;  // one angstrom per pixel
        std::vector<int> number;
        for (std::size_t i = 0; i < scene_.size(); ++i) {
            const double x = (scene_[i].x_angstrom - drift.x()) / stretch,
                         y = (scene_[i].y_angstrom - drift.y()) / stretch;
            const bool inside = x > 0 && y > 0 && x < view_angstrom && y < view_angstrom;
            if (!present_[i] || !inside || random_.uniform() < missed) continue;
            Detection atom;
            atom.x_angstrom = x + noise_ * random_.normal();
            atom.y_angstrom = y + noise_ * random_.normal();
            atom.atomic_number = scene_[i].atomic_number;
            frame.atoms.push_back(atom);
            number.push_back(static_cast<int>(i));
        }
        // The order of detections says nothing.
        for (std::size_t i = number.size(); i > 1; --i) {
            const auto j = static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(i)));
            std::swap(number[i - 1], number[j]);
            std::swap(frame.atoms[i - 1], frame.atoms[j]);
        }
        frames.push_back(frame);
        numbers.push_back(number);
    }
    /// The atom nearest to a place, for surgery.
    std::size_t nearest(double x, double y, int atomic_number = 6) const {
        std::size_t best = 0;
        double least = 1e9;
        for (std::size_t i = 0; i < scene_.size(); ++i) {
            const double d = std::hypot(scene_[i].x_angstrom - x, scene_[i].y_angstrom - y);
            if (present_[i] && scene_[i].atomic_number == atomic_number && d < least) {
                least = d;
                best = i;
            }
        }
        return best;
    }
    void remove(std::size_t atom) { present_[atom] = 0; }
    void restore(std::size_t atom) { present_[atom] = 1; }
    void set_element(std::size_t atom, int z) { scene_[atom].atomic_number = z; }
    const SceneAtom& atom(std::size_t i) const { return scene_[i]; }

    /// Share of the links between consecutive points of tracks that join the same atom.
    double right_links(const Tracking& result) const {
        int right = 0, links = 0;
        for (const Track& track : result.tracks)
            for (std::size_t i = 1; i < track.points.size(); ++i) {
                const TrackPoint &a = track.points[i - 1], &b = track.points[i];
                right += number(a) == number(b);
                ++links;
            }
        return static_cast<double>(right) / std::max(1, links);
    }
    int number(const TrackPoint& p) const {
        return numbers[static_cast<std::size_t>(p.frame)][static_cast<std::size_t>(p.index)];
    }
    std::vector<FrameAtoms> frames;
    std::vector<std::vector<int>> numbers;

  private:
    Random random_;
    double noise_;
    std::vector<SceneAtom> scene_;
    std::vector<char> present_;
};

int count(const Tracking& result, Kind kind) {
    return static_cast<int>(std::count_if(result.events.begin(), result.events.end(),
                                          [&](const TrackEvent& e) { return e.kind == kind; }));
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_cheapest_assignment_beats_every_other_one) {
    Random random(5);
    for (int round = 0; round < 30; ++round) {
        Eigen::MatrixXd cost(4, 5);
        for (double& c : cost.reshaped()) c = random.uniform();
        const auto sum = [&](const std::vector<int>& columns) {
            double total = 0;
            for (int i = 0; i < 4; ++i) total += cost(i, columns[static_cast<std::size_t>(i)]);
            return total;
        };
        const std::vector<int> found = cheapest_assignment(cost);
        std::vector<int> order{0, 1, 2, 3, 4};
        double least = 1e9;
        do least = std::min(least, sum(order));
        while (std::next_permutation(order.begin(), order.end()));
        BOOST_TEST(sum(found) == least, boost::test_tools::tolerance(1e-12));
        std::vector<int> sorted = found;
        std::sort(sorted.begin(), sorted.end());
        BOOST_TEST((std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()));
    }
}

BOOST_AUTO_TEST_CASE(identities_survive_drift_noise_and_missed_atoms) {
    Series series(1);
    Eigen::Vector2d drift(0, 0);
    for (int frame = 0; frame < 12; ++frame) {
        series.shoot(drift, 0.02);
        drift += Eigen::Vector2d(0.45, -0.3);
    }
    const Tracking result = track_atoms(series.frames);
    // 0.08 angstrom of noise never brings an atom half a bond away; what is wrong comes from missed
    // neighbours.
    BOOST_TEST(series.right_links(result) > 0.998);
    for (std::size_t f = 0; f < series.frames.size(); ++f) {
        // 700 atoms with 0.08 angstrom each, and tracks that carry their noise along: a few hundredths at
        // most.
        const Eigen::Vector2d middle(view_angstrom / 2, view_angstrom / 2),
            truth = middle + static_cast<double>(f) * Eigen::Vector2d(0.45, -0.3);
        BOOST_TEST((result.stretch[f] * middle + result.shift_angstrom[f] - truth).norm() < 0.03);
        if (f > 0) BOOST_TEST(result.matched[f] > 0.9 * static_cast<double>(series.frames[f].atoms.size()));
    }
    // Nothing happens in the sheet; at the border atoms enter and leave.
    BOOST_TEST(count(result, Kind::changed) == 0);
    BOOST_TEST(count(result, Kind::vanished) <= 2);
    BOOST_TEST(count(result, Kind::appeared) <= 2);
    BOOST_TEST(count(result, Kind::left) > 20);
    BOOST_TEST(count(result, Kind::entered) > 20);
    // The noise of both ends of a step: sqrt(2) 0.08.
    BOOST_TEST(result.step_rms_angstrom == std::sqrt(2.0) * 0.08, boost::test_tools::tolerance(0.05));
}

BOOST_AUTO_TEST_CASE(jumps_of_more_than_a_lattice_vector_are_told_by_the_defects) {
    Series series(2);
    for (const auto& drift : {Eigen::Vector2d(0, 0), Eigen::Vector2d(3.1, -2.2), Eigen::Vector2d(-1.4, 2.6)})
        series.shoot(drift);
    TrackOptions options;
    options.largest_drift_angstrom = 9;
    const Tracking result = track_atoms(series.frames, options);
    BOOST_TEST(series.right_links(result) > 0.99);
    BOOST_TEST(result.shift_angstrom[1].x() == 3.1, boost::test_tools::tolerance(0.02));
    BOOST_TEST(result.shift_angstrom[2].y() == 2.6, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(a_view_that_stretches_is_followed) {
    Series series(3);
    for (int frame = 0; frame < 5; ++frame) series.shoot({0.2 * frame, 0}, 0, 1 + 0.01 * frame);
    const Tracking result = track_atoms(series.frames);
    BOOST_TEST(series.right_links(result) > 0.998);
    BOOST_TEST(result.stretch[4](0, 0) == 1.04, boost::test_tools::tolerance(0.002));
}

BOOST_AUTO_TEST_CASE(atoms_that_vanish_appear_and_change_are_told_with_frame_and_place) {
    Series series(4);
    const double middle = view_angstrom / 2;
    const std::size_t gone = series.nearest(middle - 8, middle),
                      late = series.nearest(middle + 8, middle + 5),
                      turned = series.nearest(middle, middle - 9);
    series.remove(late);
    for (int frame = 0; frame < 10; ++frame) {
        if (frame == 4) series.remove(gone);
        if (frame == 5) series.restore(late);
        if (frame == 6) series.set_element(turned, 14);
        series.shoot({0.2 * frame, 0.1 * frame});
    }
    const Tracking result = track_atoms(series.frames);
    const auto check = [&](Kind kind, int frame, std::size_t atom) {
        int found = 0;
        for (const TrackEvent& event : result.events) {
            if (event.kind != kind) continue;
            ++found;
            BOOST_TEST(event.frame == frame);
            const Eigen::Vector2d place(series.atom(atom).x_angstrom, series.atom(atom).y_angstrom);
            BOOST_TEST((event.position - place).norm() < 0.4);
        }
        BOOST_TEST(found == 1, name_of(kind));
    };
    check(Kind::vanished, 4, gone);
    check(Kind::appeared, 5, late);
    check(Kind::changed, 6, turned);
    const auto changed = std::find_if(result.events.begin(), result.events.end(),
                                      [](const TrackEvent& e) { return e.kind == Kind::changed; });
    BOOST_REQUIRE(changed != result.events.end());
    BOOST_TEST(changed->from == 6);
    BOOST_TEST(changed->to == 14);
}

BOOST_AUTO_TEST_CASE(an_atom_missed_for_a_frame_keeps_its_identity_and_one_wrong_class_is_no_change) {
    Series series(5, 0.03);
    const std::size_t blinking = series.nearest(20, 20), wrong = series.nearest(30, 25);
    for (int frame = 0; frame < 7; ++frame) {
        if (frame == 3) {
            series.remove(blinking);
            series.set_element(wrong, 14);
        }
        if (frame == 4) {
            series.restore(blinking);
            series.set_element(wrong, 6);
        }
        series.shoot({0, 0});
    }
    const Tracking result = track_atoms(series.frames);
    BOOST_TEST(result.events.empty());
    const auto track = std::find_if(result.tracks.begin(), result.tracks.end(), [&](const Track& t) {
        return series.number(t.points.front()) == static_cast<int>(blinking);
    });
    BOOST_REQUIRE(track != result.tracks.end());
    BOOST_TEST(track->points.size() == 6U);
}

BOOST_AUTO_TEST_CASE(a_hundred_frames_keep_their_atoms) {
    Series series(6, 0.1);
    Random random(7);
    Eigen::Vector2d drift(0, 0);
    for (int frame = 0; frame < 100; ++frame) {
        series.shoot(drift, 0.03);
        drift += 0.1 * Eigen::Vector2d(random.normal(), random.normal());
    }
    const Tracking result = track_atoms(series.frames);
    BOOST_TEST(series.right_links(result) > 0.995);
    // An atom inside the view all the time is one track, whatever was missed.
    std::map<int, int> tracks_of;
    for (const Track& track : result.tracks)
        if (track.points.size() > 1) ++tracks_of[series.number(track.points.front())];
    const std::size_t middle = series.nearest(view_angstrom / 2, view_angstrom / 2);
    BOOST_TEST(tracks_of[static_cast<int>(middle)] == 1);
}

BOOST_AUTO_TEST_CASE(empty_frames_and_series_are_no_problem) {
    BOOST_TEST(track_atoms({}).tracks.empty());
    Series series(8);
    series.shoot({0, 0});
    series.frames.push_back({{}, view_angstrom + 1, view_angstrom + 1});
    series.numbers.emplace_back();
    series.shoot({0.3, 0});
    const Tracking result = track_atoms(series.frames);
    BOOST_TEST(series.right_links(result) > 0.99);
    BOOST_TEST(result.matched[1] == 0);
    BOOST_TEST(count(result, Kind::vanished) == 0);
}

BOOST_AUTO_TEST_CASE(frames_that_could_not_be_used_say_nothing_of_any_atom) {
    for (const int unusable : {1, 3, 8}) {
        Series series(17);
        const std::size_t gone = series.nearest(20, 20);
        for (int i = 0; i < 4; ++i) series.shoot({0, 0});
        for (int i = 0; i < unusable; ++i) {
            series.frames.emplace_back();
            series.numbers.emplace_back();
        }
        series.remove(gone);
        for (int i = 0; i < 4; ++i) series.shoot({0, 0});
        const Tracking result = track_atoms(series.frames);
        BOOST_TEST(count(result, Kind::appeared) == 0);
        BOOST_TEST(count(result, Kind::entered) == 0);
        BOOST_TEST(count(result, Kind::left) == 0);
        // One atom did vanish: in the first usable frame after them.
        BOOST_REQUIRE(count(result, Kind::vanished) == 1);
        BOOST_TEST(result.events.front().frame == 4 + unusable);
        BOOST_TEST(series.right_links(result) == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_gate_that_is_not_positive_is_refused) {
    TrackOptions options;
    options.gate_angstrom = 0;
    BOOST_CHECK_THROW(track_atoms({}, options), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
