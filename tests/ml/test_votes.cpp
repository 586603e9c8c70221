// SPDX-License-Identifier: Apache-2.0
// Votes and spreads of an ensemble, on probability maps made by hand.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/ml/votes.hpp"

using namespace stembridge;
using namespace stembridge::ml;

BOOST_AUTO_TEST_SUITE(test_votes)

namespace {

constexpr double disc = 2.0;

/// Maps of a member that sees discs of these atoms.
std::vector<Pixels> member(const std::vector<Eigen::Vector3d>& atoms) {
    return class_masks(atoms, 40, 40, disc);
}

Segmentation ensemble(std::vector<std::vector<Pixels>> members) {
    Segmentation s;
    s.atomic_numbers = {6, 14, 0};
    for (std::size_t c = 0; c < 3; ++c) {
        Pixels mean = Pixels::Zero(40, 40);
        for (const auto& m : members) mean += m[c] / static_cast<float>(members.size());
        s.mean.push_back(mean);
        s.spread.push_back(Pixels::Zero(40, 40));
    }
    s.members = std::move(members);
    return s;
}

}  // namespace

BOOST_AUTO_TEST_CASE(members_that_agree_all_vote_and_have_no_spread) {
    const auto one = member({{12.3, 20.1, 6}});
    const auto votes = votes_of(ensemble({one, one, one}), {{12.3, 20.1}}, {6}, disc);
    BOOST_TEST(votes[0].any == 3);
    BOOST_TEST(votes[0].same_class == 3);
    BOOST_TEST(votes[0].spread < 1e-6);
    BOOST_TEST(votes[0].position_px < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_missing_atom_and_another_class_are_counted) {
    const auto carbon = member({{12, 20, 6}}), silicon = member({{12, 20, 14}}), none = member({});
    const auto votes = votes_of(ensemble({carbon, carbon, silicon, none}), {{12, 20}}, {6}, disc);
    BOOST_TEST(votes[0].any == 3);
    BOOST_TEST(votes[0].same_class == 2);
    // Probabilities 1, 1, 1, 0 but for the rim of a disc: standard deviation sqrt(3) / 4.
    BOOST_TEST(votes[0].spread == std::sqrt(3.0) / 4, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(faint_discs_count_with_the_probability_that_is_reported_for_them) {
    // All members fill a fifth of the disc: three in four such atoms are real, and every member says so.
    std::vector<Pixels> faint = member({{12, 20, 6}});
    faint[0] *= 0.2f;
    faint.back() = 1.0f - faint[0];
    BOOST_TEST(probability_of_share(0.2) == 0.75, boost::test_tools::tolerance(1e-12));
    const auto agreed = votes_of(ensemble({faint, faint}), {{12, 20}}, {6}, disc);
    BOOST_TEST(agreed[0].any == 2);
    BOOST_TEST(agreed[0].spread < 1e-6);
    // Half of the members see nothing: their probabilities are 0.75 and 0.
    const auto split = votes_of(ensemble({faint, member({})}), {{12, 20}}, {6}, disc);
    BOOST_TEST(split[0].any == 1);
    BOOST_TEST(split[0].spread == 0.75 / 2, boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(the_probability_of_a_share_rises_from_0_to_1) {
    BOOST_TEST(probability_of_share(-0.1) == 0);
    BOOST_TEST(probability_of_share(0) == 0);
    BOOST_TEST(probability_of_share(1.2) > 0.9999);
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(probability_of_share(0.1 * i) < probability_of_share(0.1 * i + 0.1));
}

BOOST_AUTO_TEST_CASE(positions_that_differ_have_their_standard_deviation) {
    const auto votes =
        votes_of(ensemble({member({{12.4, 20, 6}}), member({{11.6, 20, 6}})}), {{12, 20}}, {6}, disc);
    // 0.4 px along one of two axes.
    BOOST_TEST(votes[0].position_px == 0.4 / std::sqrt(2.0), boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(neighbours_do_not_vote_for_each_other) {
    const auto both = member({{12, 20, 6}, {16.5, 20, 6}}), left = member({{12, 20, 6}});
    const auto votes = votes_of(ensemble({both, left}), {{12, 20}, {16.5, 20}}, {6, 6}, disc);
    BOOST_TEST(votes[0].any == 2);
    BOOST_TEST(votes[1].any == 1);
}

BOOST_AUTO_TEST_CASE(one_network_has_one_vote) {
    Segmentation s = ensemble({member({{12, 20, 6}})});
    s.members.clear();
    const auto votes = votes_of(s, {{12, 20}}, {6}, disc);
    BOOST_TEST(votes[0].any == 1);
    BOOST_TEST(votes[0].spread == 0);
}

BOOST_AUTO_TEST_SUITE_END()
