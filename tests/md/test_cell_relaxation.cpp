// SPDX-License-Identifier: Apache-2.0
// Relaxation of the cell: crystals of pairs whose rest length is known.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/md/relax.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

constexpr double rest = 5.0;  // bohr

/// Morse pairs between nearest neighbours, with images and stress: at rest every distance is `rest`.
class MorseCrystal : public Calculator {
  public:
    void evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) override {
        constexpr double depth = 0.05, a = 0.6;
        out.forces = Eigen::Matrix3Xd::Zero(3, structure.size());
        Eigen::Matrix3d strain = Eigen::Matrix3d::Zero();
        out.energy = 0;
        // Half way to the second neighbours of a triangular lattice and beyond those of a strained one.
        const NeighborList neighbors(structure, 1.2 * rest);
        for (int i = 0; i < structure.size(); ++i)
            for (const Neighbor& pair : neighbors.of(i)) {  // every pair from both sides
                const double e = std::exp(-a * (pair.distance - rest));
                const Eigen::Vector3d unit = pair.r_ij / pair.distance;
                const double slope = 2 * depth * a * e * (1 - e);
                out.energy += 0.5 * depth * (1 - e) * (1 - e);
                out.forces.col(i) += slope * unit;
                strain += 0.5 * slope * unit * pair.r_ij.transpose();
            }
        out.stress = strain / structure.cell.volume();
    }
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = true}; }
    std::string description() const override { return "Morse crystal"; }
};

/// Repeats a cell of one atom, deforms the crystal and rattles it.
Structure crystal(const Eigen::Matrix3d& vectors, std::array<int, 3> repeats, std::array<bool, 3> periodic,
                  const Eigen::Matrix3d& deformation) {
    Structure structure;
    for (int k = 0; k < repeats[2]; ++k)
        for (int j = 0; j < repeats[1]; ++j)
            for (int i = 0; i < repeats[0]; ++i)
                structure.add(18, deformation * vectors * Eigen::Vector3d(i, j, k));
    for (int k = 0; k < 3; ++k)
        structure.cell.vectors.col(k) = deformation * vectors.col(k) * repeats[static_cast<std::size_t>(k)];
    structure.cell.periodic = periodic;
    return rattled(structure, 0.02);
}

Structure triangular_sheet() {
    Eigen::Matrix3d vectors;
    vectors << rest, rest / 2, 0, 0, rest * std::sqrt(0.75), 0, 0, 0, 20;
    Eigen::Matrix3d deformation = Eigen::Matrix3d::Identity();
    deformation.topLeftCorner(2, 2) << 1.04, 0.03, 0.01, 0.97;
    Structure sheet = crystal(vectors, {4, 4, 1}, {true, true, false}, deformation);
    sheet.positions.row(2).setConstant(3.0);
    return sheet;
}

Structure face_centred_crystal() {
    const double h = rest / std::sqrt(2.0);
    Eigen::Matrix3d vectors;
    vectors << 0, h, h, h, 0, h, h, h, 0;
    Eigen::Matrix3d deformation;
    deformation << 1.03, 0.02, -0.01, 0.01, 0.98, 0.02, 0, -0.01, 1.02;
    return crystal(vectors, {3, 3, 3}, {true, true, true}, deformation);
}

/// Largest deviation of a nearest-neighbour distance from `rest`, and how many neighbours an atom has.
std::pair<double, double> bonds(const Structure& structure) {
    const NeighborList neighbors(structure, 1.2 * rest);
    double worst = 0, count = 0;
    for (int i = 0; i < structure.size(); ++i)
        for (const Neighbor& pair : neighbors.of(i)) {
            worst = std::max(worst, std::abs(pair.distance - rest));
            ++count;
        }
    return {worst, count / structure.size()};
}

RelaxOptions tight(CellRelaxation cell, const std::string& method = "auto") {
    RelaxOptions options;
    options.method = method;
    options.max_force = 1e-6;
    options.cell = cell;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_cell_relaxation)

BOOST_AUTO_TEST_CASE(a_sheared_sheet_finds_its_rest_lengths_and_keeps_its_box_along_z) {
    for (const std::string method : {"fire", "lbfgs", "auto"}) {
        Structure sheet = triangular_sheet();
        const Eigen::Matrix3d before = sheet.cell.vectors;
        MorseCrystal model;
        RelaxOptions options = tight(CellRelaxation::in_plane, method);
        options.flat_perturbation = 0;
        const RelaxResult result = relax(sheet, model, options);
        BOOST_TEST((result.status == RelaxStatus::converged), method);
        // A force of 1e-6 on springs of 2 D a^2 = 0.036 hartree/bohr^2 leaves 3e-5 bohr.
        const auto [worst, count] = bonds(sheet);
        BOOST_TEST(worst < 1e-4, method << " leaves " << worst);
        BOOST_TEST(count == 6);
        BOOST_TEST((sheet.cell.vectors.col(2) - before.col(2)).norm() < 1e-12);
        BOOST_TEST((result.strain - result.strain.transpose()).norm() < 1e-14);
        BOOST_TEST(((Eigen::Matrix3d::Identity() + result.strain) * before - sheet.cell.vectors).norm() <
                   1e-12);
    }
}

BOOST_AUTO_TEST_CASE(a_deformed_crystal_becomes_face_centred_again) {
    Structure start = face_centred_crystal();
    MorseCrystal model;
    const RelaxResult result = relax(start, model, tight(CellRelaxation::full));
    BOOST_TEST((result.status == RelaxStatus::converged));
    const auto [worst, count] = bonds(start);
    BOOST_TEST(worst < 1e-4);
    BOOST_TEST(count == 12);
    // Volume of an atom: rest^3 / sqrt2.
    BOOST_TEST(start.cell.volume() / start.size() == std::pow(rest, 3) / std::sqrt(2.0),
               boost::test_tools::tolerance(1e-4));
    Evaluation there;
    model.evaluate(start, {.forces = true, .stress = true}, there, {});
    BOOST_TEST(there.stress->norm() * start.cell.volume() < 1e-4);
}

BOOST_AUTO_TEST_CASE(without_the_cell_the_cell_stays_and_so_does_the_stress) {
    Structure start = face_centred_crystal();
    const Eigen::Matrix3d before = start.cell.vectors;
    MorseCrystal model;
    relax(start, model, tight(CellRelaxation::none));
    BOOST_TEST((start.cell.vectors == before));
    Evaluation there;
    model.evaluate(start, {.forces = true, .stress = true}, there, {});
    BOOST_TEST(there.stress->norm() * start.cell.volume() > 0.01);
}

BOOST_AUTO_TEST_CASE(fixed_atoms_follow_the_strain_and_nothing_else) {
    Structure sheet = triangular_sheet();
    sheet.fixed = FixedMask::Constant(3, sheet.size(), false);
    sheet.fixed.col(0).setConstant(true);
    const Eigen::Vector3d before = sheet.cell.vectors.inverse() * sheet.positions.col(0);
    MorseCrystal model;
    relax(sheet, model, tight(CellRelaxation::in_plane));
    const Eigen::Vector3d after = sheet.cell.vectors.inverse() * sheet.positions.col(0);
    BOOST_TEST((after - before).norm() < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_restored_relaxation_of_the_cell_continues_to_the_same_bits) {
    MorseCrystal model;
    const Structure start = face_centred_crystal();
    const RelaxOptions options = tight(CellRelaxation::full);
    Relaxation whole(start, model, options);
    Relaxation first(start, model, options);
    for (int k = 0; k < 8; ++k) first.step();
    const State state = first.save();
    Relaxation second(start, model, options);
    second.restore(state);
    whole.run();
    second.run();
    BOOST_TEST(whole.result().steps == second.result().steps);
    BOOST_TEST(whole.result().steps > 8);
    BOOST_TEST(same_bits(whole.structure().positions, second.structure().positions));
    BOOST_TEST(same_bits(whole.structure().cell.vectors, second.structure().cell.vectors));

    Relaxation fixed_cell(start, model, tight(CellRelaxation::none));
    BOOST_CHECK_THROW(fixed_cell.restore(state), FileError);
}

BOOST_AUTO_TEST_CASE(a_cell_that_cannot_relax_is_refused) {
    MorseCrystal model;
    Structure sheet = triangular_sheet();
    BOOST_CHECK_THROW(Relaxation(sheet, model, tight(CellRelaxation::full)), InputError);
    Structure tilted = sheet;
    tilted.cell.vectors(0, 2) = 1;
    BOOST_CHECK_THROW(Relaxation(tilted, model, tight(CellRelaxation::in_plane)), InputError);
    Structure ribbon = sheet;
    ribbon.cell.periodic = {true, false, false};
    BOOST_CHECK_THROW(Relaxation(ribbon, model, tight(CellRelaxation::in_plane)), InputError);
    WellCalculator without_stress(0.1);
    BOOST_CHECK_THROW(Relaxation(sheet, without_stress, tight(CellRelaxation::in_plane)), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
