// SPDX-License-Identifier: Apache-2.0
// The repulsive fit finds a known potential again, keeps its shape constraints and names bad input.
#include "stembridge/dft/repulsive_fit.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/structure/neighbor_list.hpp"

using namespace stembridge;
using namespace stembridge::dft;

namespace {

/// A convex potential that ends smoothly at its cut-off, and its slope.
std::array<double, 2> truth(const ElementPair& pair, double r) {
    const double cutoff = pair.first == 1 && pair.second == 1 ? 2.5 : (pair.first == 1 ? 3.5 : 4.5);
    if (r >= cutoff) return {0, 0};
    const double x = cutoff - r;
    return {0.02 * x * x * x * x, -0.08 * x * x * x};
}

struct Data {
    std::vector<ReferenceStructure> references;
    std::vector<ElectronicResult> electronic;
};

/// Rattled CH clusters and a periodic one with invented electronic energies.
Data invented(int n_structures) {
    Random random(7);
    Data data;
    for (int s = 0; s < n_structures; ++s) {
        ReferenceStructure r;
        r.name = "s" + std::to_string(s);
        r.group = s % 2 == 0 ? "even" : "odd";
        r.code = s % 3 == 0 ? "one" : "another";
        if (s % 4 == 3) {
            r.structure.cell.vectors = Eigen::Vector3d(7, 8, 9).asDiagonal();
            r.structure.cell.periodic = {true, true, true};
        }
        for (int i = 0; i < 3; ++i)
            r.structure.add(6, Eigen::Vector3d(2.6 * i + random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3),
                                               random.uniform(-0.3, 0.3)));
        for (int i = 0; i < 2 + (s / 3) % 3; ++i)
            r.structure.add(1, Eigen::Vector3d(1.6 * i + random.uniform(-0.3, 0.3),
                                               2 + random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3)));
        const int n = r.structure.size();
        ElectronicResult e;
        e.energy = random.uniform(-3, -1);
        e.forces = Eigen::Matrix3Xd::NullaryExpr(3, n, [&] { return random.uniform(-0.01, 0.01); });
        r.energy = e.energy;
        r.forces = e.forces;
        const NeighborList list(r.structure, 6);
        Eigen::Matrix3d virial = Eigen::Matrix3d::Zero();
        for (int i = 0; i < n; ++i) {
            const auto& z = r.structure.atomic_numbers;
            for (const Neighbor& p : list.of(i)) {
                const auto [v, slope] =
                    truth(element_pair(z[static_cast<std::size_t>(i)], z[static_cast<std::size_t>(p.j)]),
                          p.distance);
                r.energy += 0.5 * v;
                r.forces.col(i) += slope * p.r_ij / p.distance;
                virial += 0.5 * slope / p.distance * p.r_ij * p.r_ij.transpose();
            }
            r.energy += z[static_cast<std::size_t>(i)] == 1 ? -0.4 : (r.code == "one" ? -36.0 : -5.5);
        }
        if (r.structure.cell.is_fully_periodic()) {
            e.stress = 1e-4 * Eigen::Matrix3d::Ones();
            r.stress = *e.stress + virial / r.structure.cell.volume();
        }
        data.references.push_back(r);
        data.electronic.push_back(e);
    }
    return data;
}

RepulsiveFitOptions usual() {
    RepulsiveFitOptions options;
    options.pairs = {{1, 1, 2.5}, {1, 6, 3.5}, {6, 6, 4.5}};
    options.smoothness = 1e-6;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_repulsive_fit)

BOOST_AUTO_TEST_CASE(a_known_potential_is_found_again) {
    const Data data = invented(40);
    const RepulsiveFit fit = fit_repulsive(data.references, data.electronic, usual());
    BOOST_REQUIRE(fit.potentials.size() == 3u);
    // Piecewise linear curvature with knots 0.1 apart: errors of the order V'''' D^2 / 12 * D^2, 1e-5.
    for (double r = 2.2; r < 4.5; r += 0.05)
        BOOST_TEST(std::abs(fit.potentials.at({6, 6}).evaluate(r)[0] - truth({6, 6}, r)[0]) < 2e-4);
    for (const StructureError& error : fit.errors) {
        BOOST_TEST(std::abs(error.energy) < 1e-4);
        BOOST_TEST(error.force_rms < 1e-3);
        BOOST_TEST(error.force_errors.size() == 3u * static_cast<unsigned>(error.n_atoms));
        if (error.virial_rms) BOOST_TEST(*error.virial_rms < 5e-3);
    }
    // One constant per element and code; every structure of a code has three C atoms but not as many H.
    BOOST_TEST(std::abs(fit.constants.at({"one", 6}) + 36.0) < 1e-3);
    BOOST_TEST(std::abs(fit.constants.at({"another", 6}) + 5.5) < 1e-3);
    BOOST_TEST(std::abs(fit.constants.at({"one", 1}) + 0.4) < 1e-3);
}

BOOST_AUTO_TEST_CASE(stress_alone_determines_the_slope) {
    Data data = invented(160);
    std::erase_if(data.electronic, [](const ElectronicResult& e) { return !e.stress; });
    std::erase_if(data.references, [](const ReferenceStructure& r) { return !r.stress; });
    RepulsiveFitOptions options = usual();
    options.energy_weight = 1e-6;
    options.force_weight = 0;
    options.stress_weight = 1;
    const RepulsiveFit fit = fit_repulsive(data.references, data.electronic, options);
    // Neighbours in the row of carbon atoms lie between 2 and 3.2 bohr.
    for (double r = 2.3; r < 3; r += 0.1)
        BOOST_TEST(std::abs(fit.potentials.at({6, 6}).evaluate(r)[1] - truth({6, 6}, r)[1]) < 0.02);
    // A reference with stress needs the electronic stress.
    data.electronic.front().stress.reset();
    BOOST_CHECK_THROW(fit_repulsive(data.references, data.electronic, options), std::logic_error);
}

BOOST_AUTO_TEST_CASE(potentials_are_convex_decreasing_and_end_smoothly) {
    Data data = invented(20);
    Random random(3);  // noise would bend a free spline
    for (ReferenceStructure& r : data.references)
        for (double& f : r.forces.reshaped()) f += 0.02 * random.normal();
    const RepulsiveFit fit = fit_repulsive(data.references, data.electronic, usual());
    for (const auto& [pair, potential] : fit.potentials) {
        for (const double c : potential.curvature()) BOOST_TEST(c >= 0);
        double last = std::numeric_limits<double>::infinity();
        for (double r = potential.first(); r < potential.cutoff(); r += 0.03) {
            const auto [v, slope, curvature] = potential.evaluate(r);
            BOOST_TEST(v <= last);
            BOOST_TEST(v >= 0);
            BOOST_TEST(slope <= 0);
            BOOST_TEST(curvature >= 0);
            last = v;
        }
        for (const double x : potential.evaluate(potential.cutoff())) BOOST_TEST(std::abs(x) < 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(conversion_to_the_spline_block_is_exact) {
    const RepulsivePotential potential(1.3, 0.1, {3.0, 2.0, 1.5, 0, 0, 0.7, 0.2, 0.1, 0.05, 0});
    const tb::SkfRepulsive spline = potential.as_spline();
    BOOST_TEST(std::abs(spline.cutoff() - potential.cutoff()) < 1e-12);
    for (double r = 1.41; r < 2.5; r += 0.013) {
        const auto a = potential.evaluate(r), b = spline.evaluate(r);
        for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(std::abs(a[k] - b[k]) < 1e-12);
    }
    // The exponential head continues value, slope and curvature.
    const auto below = spline.evaluate(1.3 - 1e-9), above = spline.evaluate(1.3 + 1e-9);
    for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(std::abs(below[k] - above[k]) < 1e-6);
    // It rises towards the nucleus.
    BOOST_TEST(spline.evaluate(0.8)[0] > spline.evaluate(1.0)[0]);
    // Slopes are derivatives of values.
    for (const double r : {0.9, 1.35, 1.8, 2.2}) {
        const double h = 1e-5;
        BOOST_TEST(std::abs((spline.evaluate(r + h)[0] - spline.evaluate(r - h)[0]) / (2 * h) -
                            spline.evaluate(r)[1]) < 1e-7);
    }
}

BOOST_AUTO_TEST_CASE(negative_curvature_is_possible_where_it_is_asked_for) {
    const Data data = invented(20);
    RepulsiveFitOptions options = usual();
    options.pairs[2].attractive_beyond = 4.0;
    const RepulsiveFit fit = fit_repulsive(data.references, data.electronic, options);
    const RepulsivePotential& v = fit.potentials.at({6, 6});
    for (double r = 4.11; r < 4.5; r += 0.1) BOOST_TEST(v.evaluate(r)[2] <= 1e-12);
}

BOOST_AUTO_TEST_CASE(kept_out_groups_are_predicted) {
    const Data data = invented(40);
    const std::vector<StructureError> errors =
        leave_one_group_out(data.references, data.electronic, usual(), {});
    BOOST_REQUIRE(errors.size() == 40u);
    // A few hold distances shorter than any in the other group; forces themselves are 0.1 to 0.5
    // hartree/bohr.
    double sum = 0;
    for (const StructureError& error : errors) sum += error.force_rms * error.force_rms;
    BOOST_TEST(std::sqrt(sum / 40) < 1e-2);
}

BOOST_AUTO_TEST_CASE(a_single_group_cannot_be_kept_out) {
    Data data = invented(10);
    for (ReferenceStructure& reference : data.references) reference.group = "all";
    BOOST_TEST(leave_one_group_out(data.references, data.electronic, usual(), {}).empty());
}

BOOST_AUTO_TEST_CASE(a_pair_without_data_gets_no_potential) {
    const Data data = invented(10);
    RepulsiveFitOptions options = usual();
    options.pairs.push_back({6, 14, 4.8});
    const RepulsiveFit fit = fit_repulsive(data.references, data.electronic, options);
    BOOST_TEST(fit.potentials.count({6, 14}) == 0u);
    BOOST_TEST(fit.distances.at({6, 14}).empty());
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused) {
    const Data data = invented(4);
    RepulsiveFitOptions options = usual();
    options.pairs.pop_back();
    BOOST_CHECK_THROW(fit_repulsive(data.references, data.electronic, options), InputError);
    options = usual();
    options.pairs[0].cutoff = -1;
    BOOST_CHECK_THROW(fit_repulsive(data.references, data.electronic, options), InputError);
    options = usual();
    options.pairs.push_back(options.pairs[0]);
    BOOST_CHECK_THROW(fit_repulsive(data.references, data.electronic, options), InputError);
    BOOST_CHECK_THROW(fit_repulsive({}, {}, usual()), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
