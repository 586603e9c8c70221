// SPDX-License-Identifier: Apache-2.0
// Self-consistency of random defective sheets and flakes, cold start, 300 K, 1e-5 e, with the published set
// pbc-0-3, 200 of them. STEMBRIDGE_CONVERGENCE_SYSTEMS in the environment asks for another number per kind
// than the default.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

const double bond = 1.42 * units::angstrom;

/// A periodic sheet of n x m orthogonal four-atom cells in a box, or the same as a flake.
Structure graphene(int n, int m, bool periodic) {
    Structure s;
    const Eigen::Vector2d cell(3 * bond, std::sqrt(3.0) * bond);
    const double x[4][2] = {{0, 0}, {0.5, 0.5}, {1.5, 0.5}, {2, 0}};
    for (int a = 0; a < n; ++a)
        for (int b = 0; b < m; ++b)
            for (const auto& p : x)
                s.add(6, {a * cell(0) + p[0] * bond, b * cell(1) + p[1] * std::sqrt(3.0) * bond, 0});
    if (periodic) {
        s.cell.vectors.diagonal() << n * cell(0), m * cell(1), 30.0;
        s.cell.periodic = {true, true, true};
    }
    return s;
}

std::vector<int> bonded(const Structure& s, int i) {
    std::vector<int> result;
    const NeighborList pairs(s, 1.25 * bond);
    for (const Neighbor& p : pairs.of(i)) result.push_back(p.j);
    return result;
}

/// Vacancies, silicon, adatoms, compressed and stretched bonds; edges closed with hydrogen but for some
/// dangling bonds.
Structure random_system(std::uint64_t seed, bool flake) {
    Random random(seed);
    const auto pick = [&](int n) { return static_cast<int>(random.below(n)); };
    // 20 to 200 atoms, small ones more often: each side is drawn twice and the smaller one taken.
    const int a = 2 + std::min(pick(5), pick(5)), b = 3 + std::min(pick(6), pick(6));
    Structure s = graphene(a, b, !flake);
    // Vacancies: whole atoms go; of a flake also the singly bonded ones.
    for (int k = 1 + pick(flake ? 2 : std::min(4, s.size() / 12)); k > 0; --k) {
        std::vector<int> kept;
        const int gone = pick(s.size());
        for (int i = 0; i < s.size(); ++i)
            if (i != gone) kept.push_back(i);
        s = s.selected(kept);
    }
    for (bool changed = flake; changed;) {
        std::vector<int> kept;
        for (int i = 0; i < s.size(); ++i)
            if (bonded(s, i).size() > 1) kept.push_back(i);
        changed = static_cast<int>(kept.size()) < s.size();
        s = s.selected(kept);
    }
    for (int k = pick(5); k > 0; --k) {
        const int i = pick(s.size());
        s.atomic_numbers[static_cast<std::size_t>(i)] = 14;
        s.positions(2, i) += 1.0 * units::angstrom;
    }
    const int n_sheet = s.size();
    if (flake) {
        const NeighborList pairs(s, 1.25 * bond);
        for (int i = 0; i < n_sheet; ++i) {
            // About one edge atom in eight stays with a dangling bond.
            const auto& near = pairs.of(i);
            if (s.atomic_numbers[static_cast<std::size_t>(i)] != 6 || near.size() != 2 || pick(8) == 0)
                continue;
            const Eigen::Vector3d out = -(near[0].r_ij + near[1].r_ij);
            s.add(1, s.positions.col(i) + 1.09 * units::angstrom * out.normalized());
        }
    }
    if (pick(3) == 0) {
        // An adatom on top.
        const int i = pick(n_sheet);
        if (!bonded(s, i).empty() && s.atomic_numbers[static_cast<std::size_t>(i)] == 6)
            s.add(pick(2) == 0 ? 1 : 6, s.positions.col(i) + Eigen::Vector3d(0, 0, -1.5 * units::angstrom));
    }
    // Compressed by up to 4 % or stretched by up to 6 %, apart in x and y.
    for (int axis = 0; axis < 2; ++axis) {
        const double factor = 1 + 0.01 * (pick(11) - 4);
        s.positions.row(axis) *= factor;
        s.cell.vectors.col(axis) *= factor;
    }
    for (Eigen::Index k = 0; k < s.positions.size(); ++k)
        s.positions(k) += 0.03 * units::angstrom * random.normal();
    return s;
}

struct Statistics {
    int systems = 0, cycles = 0, worst = 0, failed = 0, helped = 0, smallest = 1 << 20, largest = 0;
    double mean() const { return static_cast<double>(cycles) / std::max(1, systems); }
};

SccDftbOptions options_of(const std::filesystem::path& reference) {
    SccDftbOptions options;
    options.parameters = {reference / "skf" / "pbc-0-3"};
    options.electronic_temperature = 300 * units::kelvin;
    options.scc.tolerance = 1e-5;
    options.threads = 1;
    return options;
}

Statistics run(const SccDftbOptions& options, bool flakes, int systems) {
    Statistics statistics;
    for (int k = 0; k < systems; ++k) {
        const Structure s = random_system(static_cast<std::uint64_t>(1000 + k), flakes);
        SccDftb calculator(options);
        Evaluation out;
        try {
            calculator.evaluate(s, {.forces = false, .stress = false}, out, Context{});
        } catch (const ConvergenceError& error) {
            BOOST_TEST_MESSAGE(error.what());
            ++statistics.failed;
        }
        ++statistics.systems;
        statistics.cycles += out.iterations;
        statistics.worst = std::max(statistics.worst, out.iterations);
        statistics.helped += out.fallback.empty() ? 0 : 1;
        statistics.smallest = std::min(statistics.smallest, s.size());
        statistics.largest = std::max(statistics.largest, s.size());
    }
    BOOST_TEST_MESSAGE(
        fmt::format("{} {} of {} to {} atoms: mean {:.1f}, worst {} cycles, {} failed, {} with "
                    "a fallback",
                    systems, flakes ? "flakes" : "sheets", statistics.smallest, statistics.largest,
                    statistics.mean(), statistics.worst, statistics.failed, statistics.helped));
    return statistics;
}

int systems(int standard) {
    const char* asked = std::getenv("STEMBRIDGE_CONVERGENCE_SYSTEMS");
    return asked ? std::atoi(asked) : standard;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_convergence)

BOOST_AUTO_TEST_CASE(defective_sheets_converge_in_few_cycles) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const Statistics s = run(options_of(reference), false, systems(100));
    BOOST_TEST(s.failed == 0);
    BOOST_TEST(s.mean() <= 12.0);
    BOOST_TEST(s.worst <= 18);
}

BOOST_AUTO_TEST_CASE(flakes_with_dangling_bonds_converge) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const Statistics s = run(options_of(reference), true, systems(100));
    BOOST_TEST(s.failed == 0);
    BOOST_TEST(s.mean() <= 17.0);
    BOOST_TEST(s.worst <= 30);
}

BOOST_AUTO_TEST_CASE(spin_polarised_defects_converge) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    SccDftbOptions options = options_of(reference);
    options.spin.polarized = true;
    for (const bool flakes : {false, true}) {
        // Measured: sheets 16.3 and 31, flakes 19.0 and 32; without a response of the spins 21.4 and 51, and
        // 26.6 with one failure.
        const Statistics s = run(options, flakes, std::min(10, systems(10)));
        BOOST_TEST(s.failed == 0);
        BOOST_TEST(s.mean() <= (flakes ? 22.0 : 18.0));
        BOOST_TEST(s.worst <= 40);
    }
}

BOOST_AUTO_TEST_SUITE_END()
