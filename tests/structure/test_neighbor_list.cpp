// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/neighbor_list.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <tuple>

#include "stembridge/base/random.hpp"

using namespace stembridge;

namespace {

using Key = std::tuple<int, int, int, int, int>;

Structure random_structure(int n, std::array<bool, 3> periodic, std::uint64_t seed) {
    Random random(seed);
    Structure s;
    s.cell.vectors << 9, 2, -1, 0.5, 8, 1.5, 0, 1, 11;
    s.cell.periodic = periodic;
    for (int i = 0; i < n; ++i)  // positions well outside the cell too
        s.add(6, Eigen::Vector3d(random.uniform(-15, 25), random.uniform(-15, 25), random.uniform(-15, 25)));
    return s;
}

// The oracle: every image in a generous range, tried one by one.
std::map<Key, double> brute_force(const Structure& s, double cutoff) {
    std::map<Key, double> pairs;
    const auto range = [&](int k) { return s.cell.periodic[static_cast<std::size_t>(k)] ? 10 : 0; };
    for (int i = 0; i < s.size(); ++i)
        for (int j = 0; j < s.size(); ++j)
            for (int a = -range(0); a <= range(0); ++a)
                for (int b = -range(1); b <= range(1); ++b)
                    for (int c = -range(2); c <= range(2); ++c) {
                        if (i == j && a == 0 && b == 0 && c == 0) continue;
                        const double d = (s.positions.col(j) - s.positions.col(i) +
                                          s.cell.vectors * Eigen::Vector3d(a, b, c))
                                             .norm();
                        if (d <= cutoff) pairs[{i, j, a, b, c}] = d;
                    }
    return pairs;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_neighbor_list)

BOOST_AUTO_TEST_CASE(all_pairs_of_a_brute_force_search_are_found_once) {
    for (const std::array<bool, 3>& periodic :
         {std::array{false, false, false}, std::array{true, true, false}, std::array{true, true, true},
          std::array{false, true, false}}) {
        for (const double cutoff : {3.0, 7.0, 14.0}) {
            const Structure s = random_structure(7, periodic, 5);
            const auto expected = brute_force(s, cutoff);
            const NeighborList list(s, cutoff);
            std::size_t found = 0;
            for (int i = 0; i < s.size(); ++i)
                for (const Neighbor& p : list.of(i)) {
                    const auto match = expected.find({i, p.j, p.image[0], p.image[1], p.image[2]});
                    BOOST_REQUIRE(match != expected.end());
                    BOOST_TEST(p.distance == match->second, boost::test_tools::tolerance(1e-12));
                    ++found;
                }
            BOOST_TEST(found == expected.size());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_large_sparse_cluster_is_searched_without_a_large_grid) {
    Structure s;
    for (int i = 0; i < 50; ++i) s.add(6, Eigen::Vector3d(1e5 * i, 1, 2));
    s.add(6, Eigen::Vector3d(1e5, 2, 2));
    const NeighborList list(s, 2.0);
    BOOST_TEST(list.of(1).size() == 1u);
    BOOST_TEST(list.of(0).size() == 0u);
}

BOOST_AUTO_TEST_CASE(an_atom_sees_its_own_images_but_not_itself) {
    Structure s;
    s.cell.vectors = 3 * Eigen::Matrix3d::Identity();
    s.cell.periodic = {true, true, true};
    s.add(6, Eigen::Vector3d(0.1, 0.2, 0.3));
    BOOST_TEST(NeighborList(s, 3.1).of(0).size() == 6u);
}

BOOST_AUTO_TEST_SUITE_END()
