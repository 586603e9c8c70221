// SPDX-License-Identifier: Apache-2.0
// Rows that were displaced are put back; rows that were not are left alone.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>

#include "frames.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/row_correction.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_row_correction)

namespace {

constexpr double pixel = 0.1;
constexpr int side = 600;

/// Displacement of a row: 2 px in x and 1 px in y, one and a half waves over the frame.
Eigen::Vector2d displacement(double y, double size) {
    const double phase = 3 * std::numbers::pi * y / side;
    return size * Eigen::Vector2d(2 * std::sin(phase), std::cos(phase));
}

/// Atoms of a sheet with noise, seen in displaced rows; and where they would be in straight ones.
struct Seen {
    Detections atoms;
    std::vector<Eigen::Vector2d> straight;
    Seen(double size, double noise_px) {
        SceneOptions scene;
        scene.width_angstrom = scene.height_angstrom = side * pixel;
        scene.strain = 0;
        scene.stone_wales = 3;
        Random random(11);
        for (const SceneAtom& atom : random_scene(scene, seeded(12))) {
            const Eigen::Vector2d p(atom.x_angstrom / pixel, atom.y_angstrom / pixel);
            if (p.minCoeff() < 0 || p.maxCoeff() > side - 1) continue;
            const Eigen::Vector2d u = displacement(p.y(), size);
            Detection seen;
            seen.x_px = p.x() + u.x() + noise_px * random.normal();
            seen.y_px = p.y() + u.y() + noise_px * random.normal();
            seen.atomic_number = 6;
            atoms.push_back(seen);
            straight.push_back(p);
        }
    }
    LatticeCalibration calibration() const {
        LatticeCalibration first = nominal_calibration(pixel);
        first.lattice_px << 1, 0.5, 0, std::sqrt(0.75);
        first.lattice_px *= graphene_lattice_angstrom / pixel;
        return refine_calibration(first, atoms);
    }
    /// What is left of the displacement after an affine map onto the straight positions, rms per axis.
    double bending(const RowCorrection& rows) const {
        Eigen::MatrixXd from(atoms.size(), 3), to(atoms.size(), 2);
        for (std::size_t i = 0; i < atoms.size(); ++i) {
            const auto row = static_cast<Eigen::Index>(i);
            const Eigen::Vector2d p = Eigen::Vector2d(atoms[i].x_px, atoms[i].y_px) - rows.at(atoms[i].y_px);
            from.row(row) << 1, p.x(), p.y();
            to.row(row) = straight[i].transpose();
        }
        const Eigen::MatrixXd map = (from.transpose() * from).ldlt().solve(from.transpose() * to);
        return (from * map - to).norm() / std::sqrt(2.0 * static_cast<double>(atoms.size()));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(displaced_rows_are_put_back) {
    const double noise = 0.5;
    const Seen seen(1, noise);
    const RowCorrection rows = row_correction(seen.calibration(), seen.atoms, side);
    BOOST_REQUIRE(!rows.knots_px.empty());
    BOOST_TEST(rows.improvement > 0.003);
    const double before = seen.bending({}), after = seen.bending(rows);
    BOOST_TEST(before > 1.0);
    // 1,300 atoms of 0.5 px noise: what is left above the noise is a third of what was there.
    const auto above_noise = [&](double rms) { return std::sqrt(std::max(0.0, rms * rms - noise * noise)); };
    BOOST_TEST(above_noise(after) < above_noise(before) / 3);
}

BOOST_AUTO_TEST_CASE(straight_rows_are_left_alone) {
    const Seen seen(0, 0.7);
    const RowCorrection rows = row_correction(seen.calibration(), seen.atoms, side);
    // Chance may find a little; never more than a fraction of the noise of one atom.
    BOOST_TEST(rows.rms_px() < 0.25);
    BOOST_TEST(seen.bending(rows) < 1.03 * seen.bending({}));
}

BOOST_AUTO_TEST_CASE(a_displacement_is_linear_between_rows_and_constant_outside) {
    RowCorrection rows;
    rows.spacing_px = 10;
    rows.knots_px = {{0, 0}, {1, -1}, {3, 1}};
    BOOST_TEST(rows.at(5).x() == 0.5);
    BOOST_TEST(rows.at(15).y() == 0.0);
    BOOST_TEST(rows.at(20).x() == 3.0);
    BOOST_TEST(rows.at(99).x() == 3.0);
    BOOST_TEST(rows.at(-5).x() == 0.0);
    BOOST_TEST(RowCorrection().at(3).norm() == 0.0);
}

BOOST_AUTO_TEST_CASE(too_few_atoms_give_no_correction) {
    const Seen seen(1, 0.3);
    const Detections few(seen.atoms.begin(), seen.atoms.begin() + 20);
    BOOST_TEST(row_correction(seen.calibration(), few, side).knots_px.empty());
    BOOST_TEST(row_correction(seen.calibration(), {}, side).knots_px.empty());
    BOOST_TEST(row_correction(nominal_calibration(pixel), seen.atoms, side).knots_px.empty());
}

BOOST_AUTO_TEST_SUITE_END()
