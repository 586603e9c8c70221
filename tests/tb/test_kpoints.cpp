// SPDX-License-Identifier: Apache-2.0
// Grids and lists of k-points.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/kpoints.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"
#include "synthetic.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

using List = std::vector<std::array<double, 4>>;

const Cell crystal_cell = {10 * Eigen::Matrix3d::Identity(), {true, true, true}};
const Cell sheet_cell = {10 * Eigen::Matrix3d::Identity(), {true, true, false}};

/// Points k = (2 i + 1 - n) / 2n or i / n of a grid, none left out, all with one weight.
List full_grid(const std::array<int, 3>& n, bool gamma_centered) {
    List list;
    for (int a = 0; a < n[0]; ++a)
        for (int b = 0; b < n[1]; ++b)
            for (int c = 0; c < n[2]; ++c) {
                std::array<double, 4> point{0, 0, 0, 1.0 / (n[0] * n[1] * n[2])};
                const std::array<int, 3> i = {a, b, c};
                for (std::size_t k = 0; k < 3; ++k)
                    point[k] = gamma_centered ? static_cast<double>(i[k]) / n[k]
                                              : (2.0 * i[k] + 1 - n[k]) / (2.0 * n[k]);
                list.push_back(point);
            }
    return list;
}

/// Whether a point or its opposite is in a set, up to reciprocal vectors.
bool contains(const KPoints& set, const Eigen::Vector3d& k) {
    for (int i = 0; i < set.size(); ++i)
        for (const double sign : {1.0, -1.0}) {
            const Eigen::Vector3d d = set.points.col(i) - sign * k;
            if ((d - d.array().round().matrix()).isZero(1e-12)) return true;
        }
    return false;
}

template <class F>
std::string message_of(F f) {
    try {
        f();
    } catch (const InputError& e) {
        return e.what();
    }
    return "nothing was thrown";
}

bool mentions(const std::string& message, const std::string& part) {
    return message.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_kpoints)

BOOST_AUTO_TEST_CASE(even_grids_avoid_gamma_and_odd_ones_hold_it_as_in_vasp) {
    const KPoints even = kpoint_grid({2, 1, 1}, false, crystal_cell);
    BOOST_TEST(even.size() == 1);
    BOOST_TEST(contains(even, {0.25, 0, 0}));
    const KPoints four = kpoint_grid({4, 1, 1}, false, crystal_cell);
    BOOST_TEST(four.size() == 2);
    BOOST_TEST((contains(four, {0.125, 0, 0}) && contains(four, {0.375, 0, 0})));
    const KPoints odd = kpoint_grid({3, 1, 1}, false, crystal_cell);
    BOOST_TEST(odd.size() == 2);
    BOOST_TEST((contains(odd, {0, 0, 0}) && contains(odd, {1.0 / 3, 0, 0})));
    const KPoints centred = kpoint_grid({2, 1, 1}, true, crystal_cell);
    BOOST_TEST(centred.size() == 2);
    BOOST_TEST((contains(centred, {0, 0, 0}) && contains(centred, {0.5, 0, 0})));
    for (const KPoints& k : {even, four, odd, centred}) BOOST_CHECK_SMALL(k.weights.sum() - 1, 1e-15);
}

BOOST_AUTO_TEST_CASE(a_list_of_a_grid_is_reduced_as_the_grid_is) {
    for (const bool gamma_centered : {false, true})
        for (const std::array<int, 3>& n : {std::array{2, 3, 4}, {1, 1, 1}, {5, 2, 1}, {4, 4, 1}}) {
            const KPoints grid = kpoint_grid(n, gamma_centered, crystal_cell);
            const KPoints list = kpoint_list(full_grid(n, gamma_centered), crystal_cell);
            BOOST_TEST(list.size() == grid.size());
            for (int i = 0; i < list.size(); ++i) BOOST_TEST(contains(grid, list.points.col(i)));
            BOOST_CHECK_SMALL(list.weights.sum() - 1, 1e-14);
            BOOST_CHECK_SMALL(list.weights.maxCoeff() - grid.weights.maxCoeff(), 1e-14);
            BOOST_CHECK(common_divisions(list) == n);
            BOOST_CHECK(common_divisions(grid) == n);
        }
}

BOOST_AUTO_TEST_CASE(points_on_no_grid_repeat_nowhere) {
    const double x = std::sqrt(0.07), y = std::sqrt(0.05);
    BOOST_CHECK(common_divisions(kpoint_list({{x, 0, 0, 0.5}, {y, 0.25, 0, 0.5}}, crystal_cell)) ==
                (std::array{1000, 4, 1}));
}

BOOST_AUTO_TEST_CASE(a_grid_given_point_by_point_has_its_energy) {
    const testing::TemporaryFolder folder;
    testing::write_synthetic_set(folder.path());
    SccDftbOptions o = testing::synthetic_options(folder.path(), 1000);
    for (const bool gamma_centered : {false, true}) {
        o.kpoints = {{2, 1, 3}, gamma_centered, {}};
        SccDftb grid(o);
        o.kpoints = {{1, 1, 1}, false, full_grid({2, 1, 3}, gamma_centered)};
        SccDftb list(o);
        Evaluation from_grid, from_list;
        grid.evaluate(testing::crystal(), {true, true}, from_grid, Context{});
        list.evaluate(testing::crystal(), {true, true}, from_list, Context{});
        BOOST_CHECK_SMALL(from_grid.energy - from_list.energy, 1e-12);
        BOOST_CHECK((from_grid.forces - from_list.forces).isZero(1e-11));
        BOOST_CHECK((*from_grid.stress - *from_list.stress).isZero(1e-12));
        BOOST_TEST(mentions(list.description(), "6 k-points of a list"));
        BOOST_CHECK(list.electronic_state()->divisions == (std::array{2, 1, 3}));
    }
    // One point that is not Gamma, nor its own opposite.
    o.kpoints = {{1, 1, 1}, false, {{0.1, 0.2, 0.3, 1}}};
    Evaluation out;
    SccDftb(o).evaluate(testing::crystal(), {}, out, Context{});
    BOOST_TEST(out.converged);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_points_is_said) {
    BOOST_TEST(mentions(message_of([] {
                            kpoint_grid({2, 2, 2}, false, sheet_cell);
                        }),
                        "2 k-points along lattice vector 3"));
    BOOST_TEST(mentions(message_of([] { kpoint_grid({2, 0, 1}, false, sheet_cell); }), "not 0"));
    const auto listed = [](const List& list) { return message_of([&] { kpoint_list(list, sheet_cell); }); };
    BOOST_TEST(mentions(listed({}), "empty"));
    BOOST_TEST(mentions(listed({{0, 0, 0, 0.5}, {0.5, 0, 0, 0.4}}), "add up to 0.9"));
    BOOST_TEST(
        mentions(listed({{0, 0, 0, 1.5}, {0.5, 0, 0, -0.5}}), "k-point 2 of the list has weight -0.5"));
    BOOST_TEST(mentions(listed({{0, 0, 0.5, 1}}), "along lattice vector 3"));
    BOOST_TEST(mentions(listed({{std::nan(""), 0, 0, 1}}), "not finite"));
}

BOOST_AUTO_TEST_SUITE_END()
