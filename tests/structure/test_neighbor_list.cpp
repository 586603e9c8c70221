// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/neighbor_list.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "stembridge/base/random.hpp"

using namespace stembridge;

namespace {

Structure random_structure(int n, std::array<bool, 3> periodic, std::uint64_t seed) {
    Random random(seed);
    Structure s;
    s.cell.vectors << 9, 2, -1, 0.5, 8, 1.5, 0, 1, 11;
    s.cell.periodic = periodic;
    for (int i = 0; i < n; ++i)  // positions well outside the cell too
        s.add(6, Eigen::Vector3d(random.uniform(-15, 25), random.uniform(-15, 25), random.uniform(-15, 25)));
    return s;
}

// The oracle: every image in a generous range, tried one by one in the order that lists have.
std::vector<std::vector<Neighbor>> brute_force(const Structure& s, double cutoff) {
    std::vector<std::vector<Neighbor>> lists;
    const auto range = [&](int k) { return s.cell.periodic[static_cast<std::size_t>(k)] ? 10 : 0; };
    for (int i = 0; i < s.size(); ++i) {
        auto& list = lists.emplace_back();
        for (int j = 0; j < s.size(); ++j)
            for (int a = -range(0); a <= range(0); ++a)
                for (int b = -range(1); b <= range(1); ++b)
                    for (int c = -range(2); c <= range(2); ++c) {
                        if (i == j && a == 0 && b == 0 && c == 0) continue;
                        Neighbor pair{.j = j, .image = {a, b, c}, .r_ij = s.positions.col(j)};
                        pair.r_ij -= s.positions.col(i);
                        for (int k = 0; k < 3; ++k)
                            if (const int times = pair.image[static_cast<std::size_t>(k)]; times != 0)
                                pair.r_ij += s.cell.vector(k) * times;
                        pair.distance = pair.r_ij.norm();
                        if (pair.distance <= cutoff) list.push_back(pair);
                    }
    }
    return lists;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_neighbor_list)

BOOST_AUTO_TEST_CASE(lists_are_those_of_a_brute_force_search_in_the_same_order) {
    for (const std::array<bool, 3>& periodic :
         {std::array{false, false, false}, std::array{true, true, false}, std::array{true, true, true},
          std::array{false, true, false}}) {
        for (const double cutoff : {3.0, 7.0, 14.0}) {
            const Structure s = random_structure(7, periodic, 5);
            const auto expected = brute_force(s, cutoff);
            const NeighborList list(s, cutoff);
            for (int i = 0; i < s.size(); ++i) {
                const auto& own = expected[static_cast<std::size_t>(i)];
                BOOST_REQUIRE(list.of(i).size() == own.size());
                for (std::size_t p = 0; p < own.size(); ++p) {
                    const Neighbor& pair = list.of(i)[p];
                    BOOST_TEST(pair.j == own[p].j);
                    BOOST_TEST((pair.image == own[p].image));
                    // A compiler may fuse the products with the sums in one of the two and not in the other.
                    BOOST_TEST((pair.r_ij - own[p].r_ij).cwiseAbs().maxCoeff() < 1e-13);
                    BOOST_TEST(std::abs(pair.distance - own[p].distance) < 1e-13);
                }
            }
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
