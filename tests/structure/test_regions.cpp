// SPDX-License-Identifier: Apache-2.0
// Which part of a sheet is taken: amorphous parts, local environments, patches at random and by uncertainty.
#include "stembridge/structure/regions.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/builders.hpp"
#include "structures.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using units::angstrom;

namespace {

/// A sheet as a cluster: what a frame looks like.
Structure frame(int nx = 20, int ny = 12) {
    Structure sheet = graphene_sheet(nx, ny);
    sheet.cell = Cell{};
    sheet.positions.row(2).setZero();
    return sheet;
}

/// The atoms of a disc shaken so much that no hexagon stays.
Structure with_amorphous_disc(Structure sheet, const Eigen::Vector2d& middle, double radius) {
    Random random(5);
    for (int i = 0; i < sheet.size(); ++i)
        if ((sheet.positions.col(i).head<2>() - middle).norm() < radius)
            for (const int axis : {0, 1}) sheet.positions(axis, i) += 0.6 * angstrom * random.normal();
    BuildReport report;
    return repair_short_bonds(sheet, {}, {}, report).structure;
}

double distance_in_plane(const Structure& s, int atom, const Eigen::Vector2d& point) {
    return (s.positions.col(atom).head<2>() - point).norm();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_regions)

BOOST_AUTO_TEST_CASE(an_amorphous_disc_is_found_and_defects_are_not) {
    Structure sheet = frame();
    const Eigen::Vector2d middle = sheet.positions.rowwise().mean().head<2>();
    // Textbook defects alone are no amorphous part.
    const int atom = atom_in_the_middle(sheet);
    const int partner = BondGraph(sheet).of(atom).front().j;
    BOOST_TEST(amorphous_atoms(sheet).empty());
    BOOST_TEST(amorphous_atoms(with_rotated_bond(sheet, atom, partner)).empty());
    BOOST_TEST(amorphous_atoms(with_divacancy(sheet, atom, partner)).empty());

    const Eigen::Vector2d place = middle + Eigen::Vector2d(8 * angstrom, 0);
    const Structure shaken = with_amorphous_disc(sheet, place, 11 * angstrom);
    const std::vector<int> amorphous = amorphous_atoms(shaken);
    // Most of the disc, nothing farther away than the disc that judges an atom.
    int n_disc = 0;
    for (int i = 0; i < shaken.size(); ++i) n_disc += distance_in_plane(shaken, i, place) < 9 * angstrom;
    BOOST_TEST(static_cast<int>(amorphous.size()) > 0.8 * n_disc);
    for (const int i : amorphous) BOOST_TEST(distance_in_plane(shaken, i, place) < 14 * angstrom);

    BuildReport report;
    const Derived clean = remove_amorphous(shaken, {}, report);
    BOOST_TEST(clean.structure.size() + static_cast<int>(amorphous.size()) == shaken.size());
    BOOST_TEST(report.counters["amorphous"] == static_cast<int>(amorphous.size()));
    BOOST_TEST(report.messages.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_structure_without_hexagons_is_not_taken_for_dirt) {
    Structure square;
    for (int i = 0; i < 12; ++i)
        for (int j = 0; j < 12; ++j) square.add(6, {1.45 * angstrom * i, 1.45 * angstrom * j, 0});
    BOOST_TEST(amorphous_atoms(square).empty());
    AmorphousOptions wrong;
    wrong.radius = 0;
    BOOST_CHECK_THROW(amorphous_atoms(square, wrong), InputError);
}

BOOST_AUTO_TEST_CASE(environments_see_rings_and_elements_but_not_noise) {
    const Structure sheet = graphene_sheet(8, 5);
    const auto names = [](const Structure& s) {
        const BondGraph graph(s);
        const auto all = environments(s, graph, find_rings(graph));
        return std::set<std::string>(all.begin(), all.end());
    };
    BOOST_TEST(names(sheet).size() == 1u);
    BOOST_TEST(names(rattled(sheet, 0.05 * angstrom, 1)) == names(sheet));
    const int atom = atom_in_the_middle(sheet);
    const auto with_silicon = names(with_substitution(sheet, atom, 14));
    BOOST_TEST(with_silicon.size() == 4u);  // Si, its neighbours, theirs, the rest
    BOOST_TEST(with_silicon.contains(*names(sheet).begin()));
    // A Stone-Wales defect: atoms of the turned bond lie in 5-7-7, the next ones in 5-6-7, 6-7-7 or 5-6-6.
    const int partner = BondGraph(sheet).of(atom).front().j;
    bool found = false;
    for (const std::string& name : names(with_rotated_bond(sheet, atom, partner)))
        found = found || name.starts_with("C:CCC:5-7-7|");
    BOOST_TEST(found);
}

BOOST_AUTO_TEST_CASE(random_patches_are_whole_apart_and_repeatable) {
    Structure sheet = frame();
    const int atom = atom_in_the_middle(sheet);
    sheet = with_rotated_bond(sheet, atom, BondGraph(sheet).of(atom).front().j);
    const auto patches = random_patches(sheet, 40, 6, 3);
    BOOST_REQUIRE(patches.size() == 6u);
    const double radius = std::sqrt(40 * 2.62 / M_PI) * angstrom;  // 2.62 square angstrom for each atom
    double joint = 0;
    for (std::size_t k = 0; k < patches.size(); ++k) {
        const Patch& patch = patches[k];
        BOOST_TEST(patch.atoms.size() == 40u);
        for (const int i : patch.atoms) BOOST_TEST(distance_in_plane(sheet, i, patch.centre) < 1.2 * radius);
        BOOST_TEST(patch.joint_similarity >= joint);
        BOOST_TEST(patch.similarity <= patch.joint_similarity);
        joint = patch.joint_similarity;
        for (std::size_t l = 0; l < k; ++l)
            BOOST_TEST((patches[l].centre - patch.centre).norm() > 1.8 * radius);
    }
    // Any patch shows the perfect lattice, which most of the frame is.
    BOOST_TEST(patches.front().similarity > 0.5);
    const auto again = random_patches(sheet, 40, 6, 3);
    for (std::size_t k = 0; k < patches.size(); ++k) BOOST_TEST(again[k].atoms == patches[k].atoms);
    BOOST_TEST(random_patches(sheet, 40, 6, 4).front().atoms != patches.front().atoms);

    // The whole frame shows all of its environments.
    const BondGraph graph(sheet);
    const auto names = environments(sheet, graph, find_rings(graph));
    std::vector<int> all;
    for (int i = 0; i < sheet.size(); ++i) all.push_back(i);
    BOOST_TEST(similarity(names, all, all) == 1.0);
    BOOST_TEST(similarity(names, all, {}) == 0.0);

    BOOST_CHECK_THROW(random_patches(sheet, 0, 1, 1), InputError);
    BOOST_CHECK_THROW(random_patches(sheet, sheet.size() + 1, 1, 1), InputError);
    BOOST_CHECK_THROW(random_patches(sheet, 40, 0, 1), InputError);
}

BOOST_AUTO_TEST_CASE(patches_by_uncertainty_are_where_it_is_highest_and_lowest) {
    const Structure sheet = frame();
    const Eigen::Vector2d bad(12 * angstrom, 12 * angstrom), good(36 * angstrom, 36 * angstrom);
    std::vector<double> sigma;
    for (int i = 0; i < sheet.size(); ++i)
        sigma.push_back(0.05 + 0.1 * (distance_in_plane(sheet, i, bad) < 7 * angstrom) -
                        0.03 * (distance_in_plane(sheet, i, good) < 7 * angstrom));
    const Patch high = patch_by_uncertainty(sheet, sigma, 40, true);
    const Patch low = patch_by_uncertainty(sheet, sigma, 40, false);
    BOOST_TEST((high.centre - bad).norm() < 2.5 * angstrom);
    BOOST_TEST((low.centre - good).norm() < 2.5 * angstrom);
    BOOST_TEST(high.mean_uncertainty > 0.14);
    BOOST_TEST(low.mean_uncertainty < 0.025);

    CropOptions options;
    options.by = CropOptions::By::uncertain;
    options.n_atoms = 40;
    options.uncertainty = sigma;
    BuildReport report;
    const Derived cut = crop(sheet, options, report);
    BOOST_TEST(report.patches.size() == 1u);
    BOOST_TEST((cut.structure.positions.rowwise().mean().head<2>() - bad).norm() < 3 * angstrom);

    std::vector<double> wrong = sigma;
    wrong[3] = NAN;
    BOOST_CHECK_THROW(patch_by_uncertainty(sheet, wrong, 40, true), InputError);
    wrong.pop_back();
    BOOST_CHECK_THROW(patch_by_uncertainty(sheet, wrong, 40, true), InputError);
}

BOOST_AUTO_TEST_CASE(a_crop_takes_the_patch_or_the_kind_of_defect_it_is_told) {
    Structure sheet = frame();
    const int atom = atom_near(sheet, 14 * angstrom, 14 * angstrom);
    sheet = with_rotated_bond(sheet, atom, BondGraph(sheet).of(atom).front().j);
    const int other = atom_near(sheet, 36 * angstrom, 36 * angstrom);
    sheet = with_divacancy(sheet, other, BondGraph(sheet).of(other).front().j);

    CropOptions options;
    options.by = CropOptions::By::defect;
    options.n_atoms = 60;
    options.defect_kind = "5-8-5";
    BuildReport report;
    const Eigen::Vector2d centre = crop_centre(sheet, options, report);
    BOOST_TEST((centre - Eigen::Vector2d(36, 36) * angstrom).norm() < 2 * angstrom);
    options.defect_kind = "5-7-7-5";
    BOOST_TEST((crop_centre(sheet, options, report) - Eigen::Vector2d(14, 14) * angstrom).norm() <
               2 * angstrom);
    options.defect_kind = "555-777";
    BOOST_CHECK_THROW(crop(sheet, options, report), InputError);

    options.by = CropOptions::By::random;
    options.n_patches = 3;
    options.patch = 2;
    BuildReport random;
    const Derived cut = crop(sheet, options, random);
    BOOST_TEST(random.patches.size() == 3u);
    BOOST_TEST((cut.structure.positions.rowwise().mean().head<2>() - random.patches[2].centre).norm() <
               3 * angstrom);
    options.patch = 3;
    BOOST_CHECK_THROW(crop(sheet, options, random), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
