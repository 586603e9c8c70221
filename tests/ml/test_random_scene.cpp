// SPDX-License-Identifier: Apache-2.0
// Random sheets: their bonds, their defects.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_random_scene)

namespace {

constexpr double side = 60;

SceneOptions flat() {
    SceneOptions options;
    options.width_angstrom = options.height_angstrom = side;
    options.displacement_angstrom = options.strain = 0;
    return options;
}

struct Bonds {
    double shortest = 1e9, mean = 0;
    std::vector<int> coordination;  ///< of atoms inside the window
};

Bonds bonds_of(const std::vector<SceneAtom>& atoms) {
    Bonds result;
    double sum = 0;
    int count = 0;
    for (const SceneAtom& a : atoms) {
        if (a.x_angstrom < 2 || a.y_angstrom < 2 || a.x_angstrom > side - 2 || a.y_angstrom > side - 2)
            continue;
        int neighbors = 0;
        for (const SceneAtom& b : atoms) {
            const double d = std::hypot(a.x_angstrom - b.x_angstrom, a.y_angstrom - b.y_angstrom);
            if (&a == &b || d > 1.9) continue;
            ++neighbors;
            sum += d;
            ++count;
            result.shortest = std::min(result.shortest, d);
        }
        result.coordination.push_back(neighbors);
    }
    result.mean = sum / count;
    return result;
}

double share_of(const std::vector<int>& values, int wanted) {
    return static_cast<double>(std::count(values.begin(), values.end(), wanted)) /
           static_cast<double>(values.size());
}

}  // namespace

BOOST_AUTO_TEST_CASE(perfect_sheet_has_three_bonds_of_142_pm_everywhere) {
    SceneOptions options = flat();
    options.rotation_deg = 13;
    const auto atoms = random_scene(options, seeded(1));
    const Bonds bonds = bonds_of(atoms);
    BOOST_TEST(share_of(bonds.coordination, 3) == 1.0);
    BOOST_TEST(bonds.mean == 1.42, boost::test_tools::tolerance(2e-3));
    BOOST_TEST(bonds.shortest > 1.40);
    // 0.3818 atoms per square angstrom.
    const auto inside = std::count_if(atoms.begin(), atoms.end(), [](const SceneAtom& a) {
        return a.x_angstrom > 0 && a.y_angstrom > 0 && a.x_angstrom < side && a.y_angstrom < side;
    });
    BOOST_TEST(static_cast<double>(inside) / (side * side) == 0.3817, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(defects_of_rings_keep_three_bonds_and_sane_lengths) {
    SceneOptions options = flat();
    options.divacancies = options.interstitials = options.stone_wales = 20;
    const Bonds bonds = bonds_of(random_scene(options, seeded(2)));
    BOOST_TEST(share_of(bonds.coordination, 3) > 0.93);
    BOOST_TEST(bonds.shortest > 1.15);
}

BOOST_AUTO_TEST_CASE(grain_boundary_is_a_closed_seam) {
    SceneOptions options = flat();
    options.grain_boundary = true;
    options.misorientation_deg = 25;
    const Bonds bonds = bonds_of(random_scene(options, seeded(3)));
    BOOST_TEST(share_of(bonds.coordination, 3) > 0.9);
    BOOST_TEST(bonds.shortest > 1.1);
}

BOOST_AUTO_TEST_CASE(vacancies_and_holes_take_atoms_away) {
    const auto full = random_scene(flat(), seeded(4)).size();
    SceneOptions options = flat();
    options.vacancies = 20;
    options.holes = 5;
    const auto atoms = random_scene(options, seeded(4));
    BOOST_TEST(atoms.size() + 15 < full);
    // Nothing hangs on a single bond.
    BOOST_TEST(share_of(bonds_of(atoms).coordination, 1) < 0.005);
}

BOOST_AUTO_TEST_CASE(silicon_sits_further_from_its_neighbours) {
    SceneOptions options = flat();
    options.silicon_substitutions = 30;
    options.silicon_clusters = 10;
    const auto atoms = random_scene(options, seeded(5));
    double nearest_sum = 0;
    int count = 0;
    for (const SceneAtom& a : atoms) {
        if (a.atomic_number != 14) continue;
        double nearest = 1e9;
        for (const SceneAtom& b : atoms)
            if (&a != &b)
                nearest =
                    std::min(nearest, std::hypot(a.x_angstrom - b.x_angstrom, a.y_angstrom - b.y_angstrom));
        nearest_sum += nearest;
        ++count;
    }
    BOOST_TEST(count >= 8);
    BOOST_TEST(nearest_sum / count > 1.5);
}

BOOST_AUTO_TEST_CASE(same_seed_gives_the_same_scene) {
    SceneOptions options = flat();
    options.divacancies = options.silicon_substitutions = 20;
    const auto a = random_scene(options, seeded(6)), b = random_scene(options, seeded(6));
    BOOST_REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(a[i].x_angstrom == b[i].x_angstrom);
}

BOOST_AUTO_TEST_CASE(a_window_without_size_is_refused) {
    SceneOptions options = flat();
    options.width_angstrom = 0;
    BOOST_CHECK_THROW(random_scene(options, {}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
