// SPDX-License-Identifier: Apache-2.0
// Orbitals and densities in space, with the orbitals of the built-in set.
#include "stembridge/tb/real_space.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/tb/properties.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "stembridge/tb/tunnelling.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

std::filesystem::path builtin() {
    return testing::source_folder() / "data" / "parameters" / "stembridge-1";
}

const OrbitalTable& table() {
    static const OrbitalTable t = read_orbitals(builtin() / orbitals_file_name);
    return t;
}

SccDftbOptions options(std::array<int, 3> kpoints = {1, 1, 1}) {
    SccDftbOptions o;
    o.parameters = {builtin()};
    o.kpoints.divisions = kpoints;
    o.kpoints.gamma_centered = true;
    o.scc.tolerance = 1e-9;
    return o;
}

std::unique_ptr<ElectronicState> converged(const SccDftbOptions& o, const Structure& s) {
    SccDftb calculator(o);
    Evaluation out;
    calculator.evaluate(s, {.forces = false}, out, Context{});
    return calculator.electronic_state();
}

Structure methane() {
    Structure s;
    s.add(6, {0, 0, 0});
    const double d = 2.06 / std::sqrt(3.0);
    for (const auto& corner : {Eigen::Vector3d(1, 1, 1), Eigen::Vector3d(1, -1, -1),
                               Eigen::Vector3d(-1, 1, -1), Eigen::Vector3d(-1, -1, 1)})
        s.add(1, d * corner);
    return s;
}

/// Graphene, 60 degrees between the vectors, the third direction not repeating.
Structure graphene() {
    Structure s;
    const double a = 4.66;
    s.cell.vectors.col(0) = Eigen::Vector3d(a, 0, 0);
    s.cell.vectors.col(1) = Eigen::Vector3d(a / 2, a * std::sqrt(3.0) / 2, 0);
    s.cell.vectors.col(2) = Eigen::Vector3d(0, 0, 30);
    s.cell.periodic = {true, true, false};
    s.add(6, {0, 0, 0});
    s.add(6, {a / 2, a / std::sqrt(12.0), 0});
    return s;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_real_space)

BOOST_AUTO_TEST_CASE(overlaps_on_a_grid_are_those_of_the_slater_koster_tables) {
    // The proof that orbitals and tables belong together, signs and order of the functions included: all
    // elements and shells of the set, oblique directions, distances at which the pairs are allowed.
    Structure s;
    s.add(6, {0.1, 0.0, -0.1});
    s.add(1, {1.1, 1.3, 1.2});
    s.add(14, {2.2, -2.1, 1.4});
    s.add(24, {-2.4, -2.0, -2.3});
    SccDftbOptions o = options();
    o.scc.enabled = false;
    const auto state = converged(o, s);
    const RealSpace space(*state, table(), 1e-10);
    const int n = state->basis.n_orbitals();
    const Eigen::MatrixXd expected = state->overlap.folded();
    const double spacing = 0.2;
    const Grid whole = grid_around(s, spacing, 11);
    Eigen::MatrixXd error = -state->overlap.folded();
    for (int i = 0; i < whole.points[0]; i += 8) {
        Grid slab = whole;
        slab.origin += i * whole.steps.col(0);
        slab.points[0] = std::min(8, whole.points[0] - i);
        const Eigen::MatrixXd phi = space.orbitals(slab, Eigen::MatrixXd::Identity(n, n));
        error += whole.voxel() * phi.transpose() * phi;
    }
    // On one atom the inner lobes of s functions are narrower than the grid: a single voxel at the nucleus
    // holds phi(0)^2 h^3, 8.7 * 0.008 for Cr 4s and less for the others.
    BOOST_TEST(error.cwiseAbs().maxCoeff() < 0.07);
    for (int atom = 0; atom < 4; ++atom) {
        const int first = state->basis.first_orbital(atom), m = state->basis.n_orbitals(atom);
        error.block(first, first, m, m).setZero();
    }
    // Between two atoms the same voxel holds a tail, and the inner lobe is nearly orthogonal to it: measured
    // 3e-5 at this spacing, 2e-4 at 0.3 bohr. A wrong sign or order would show as 0.1.
    BOOST_TEST(error.cwiseAbs().maxCoeff() < 1e-4);
}

BOOST_AUTO_TEST_CASE(orbitals_are_normalised_and_the_density_holds_all_electrons) {
    const auto state = converged(options(), methane());
    const States levels = states_at(*state, {0, 0, 0}, 0, true);
    const RealSpace space(*state, table(), 1e-9);
    const double spacing = 0.2, voxel = spacing * spacing * spacing;
    const Grid grid = grid_around(state->structure, spacing, 8);
    const Eigen::MatrixXd psi = space.orbitals(grid, levels.coefficients.real());
    const Eigen::MatrixXd error =
        voxel * psi.transpose() * psi - Eigen::MatrixXd::Identity(psi.cols(), psi.cols());
    // The inner lobe of C 2s is narrower than the grid: one voxel at the nucleus holds phi(0)^2 h^3 = 4 h^3.
    BOOST_TEST(error.cwiseAbs().maxCoeff() < 4 * voxel);
    // The three filled t2 levels (1 to 3) have a node there: only the cusps at the hydrogens are left.
    BOOST_TEST(error.block(1, 1, 3, 3).cwiseAbs().maxCoeff() < 1e-3);
    const Eigen::VectorXd density = space.density(grid, 0), free = space.free_atom_density(grid);
    BOOST_TEST(density.minCoeff() > -1e-12);
    BOOST_TEST(std::abs(voxel * density.sum() - 8) < 2 * 4 * voxel);
    BOOST_TEST(std::abs(voxel * free.sum() - 8) < 2 * 4 * voxel);
    // In the difference to the free atoms most of the nucleus cancels.
    BOOST_TEST(std::abs(voxel * (density - free).sum()) < 2 * voxel);
    BOOST_TEST((density - free).cwiseAbs().maxCoeff() > 0.01);
}

BOOST_AUTO_TEST_CASE(the_cut_off_changes_the_density_by_no_more_than_it_says) {
    const auto state = converged(options(), methane());
    const Grid grid = grid_around(state->structure, 0.4, 10);
    const RealSpace whole(*state, table(), 0);
    double reach = whole.reach();
    for (const double part : {1e-8, 1e-4}) {
        const RealSpace cut(*state, table(), part);
        BOOST_TEST(cut.reach() < reach);
        reach = cut.reach();
        // 8 electrons in functions that lose a part each: |n - n'| <= 2 sqrt(n dn) integrates to
        // 2 * 8 sqrt(part).
        const double lost = grid.voxel() * (whole.density(grid, 0) - cut.density(grid, 0)).cwiseAbs().sum();
        BOOST_TEST(lost > 0);
        BOOST_TEST(lost < 16 * std::sqrt(part));
    }
}

BOOST_AUTO_TEST_CASE(density_and_degenerate_orbitals_have_the_symmetry_of_the_molecule) {
    const auto state = converged(options(), methane());
    const RealSpace space(*state, table());
    Grid grid;  // turned by 90 degrees about z and mirrored, a tetrahedron is itself
    grid.points = {9, 9, 9};
    grid.steps *= 0.7;
    grid.origin.setConstant(-4 * 0.7);
    const Eigen::VectorXd density = space.density(grid, 0);
    double off = 0;
    for (int i = 0; i < 9; ++i)
        for (int j = 0; j < 9; ++j)
            for (int k = 0; k < 9; ++k) {
                off = std::max(off, std::abs(density(grid.index(i, j, k)) - density(grid.index(j, k, i))));
                off = std::max(off,
                               std::abs(density(grid.index(i, j, k)) - density(grid.index(j, 8 - i, 8 - k))));
            }
    BOOST_TEST(off < 1e-8);  // of the self-consistency

    // Whatever mixture of degenerate levels is given, the same orbitals come out.
    States levels = states_at(*state, {0, 0, 0}, 0, true);
    Eigen::MatrixXd one = levels.coefficients.real(), other = one;
    const Eigen::Matrix3d rotation =
        Eigen::AngleAxisd(1.1, Eigen::Vector3d(1, 2, 3).normalized()).toRotationMatrix();
    other.middleCols(1, 3) = (-other.middleCols(1, 3) * rotation).eval();
    other.col(0) *= -1;
    fix_phases(levels.energies, one);
    fix_phases(levels.energies, other);
    BOOST_TEST((one - other).cwiseAbs().maxCoeff() < 1e-9);
    BOOST_TEST((one.transpose() * state->overlap.folded() * one - Eigen::MatrixXd::Identity(8, 8))
                   .cwiseAbs()
                   .maxCoeff() < 1e-10);
    BOOST_TEST(one(0, 0) > 0);
}

BOOST_AUTO_TEST_CASE(images_and_bloch_phases_give_the_density_of_the_density_matrix) {
    // sum_nk w_k f_nk |psi_nk(r)|^2 from Bloch sums = sum P phi phi from real-space blocks. The blocks end
    // where the tables end (overlaps below 1e-5), and the products of tails beyond are left out.
    const Structure sheet = graphene();
    const auto state = converged(options({3, 2, 1}), sheet);
    const Spectrum levels = spectrum(*state);
    std::vector<WeightedOrbitals> filled;
    for (int k = 0; k < state->kpoints.size(); ++k)
        filled.push_back({state->kpoints.points.col(k),
                          levels.states[0][static_cast<std::size_t>(k)].coefficients,
                          state->kpoints.weights(k) * levels.occupations.f[0].col(k)});
    const RealSpace space(*state, table());
    Grid grid = grid_around(sheet, 0.45, 7);
    BOOST_TEST(grid.points[0] == 11);
    BOOST_TEST((grid.steps.col(0) * 11 - sheet.cell.vector(0)).norm() < 1e-12);
    const Eigen::VectorXd n = space.density(grid, 0);
    BOOST_TEST((space.weighted_density(grid, filled) - n).cwiseAbs().maxCoeff() < 1e-5);
    // 8 electrons in the cell, whatever multiples of the cell the grid is moved by; two nuclei as above.
    BOOST_TEST(std::abs(grid.voxel() * n.sum() - 8) < 2 * 2 * 4 * grid.voxel());
    grid.origin += 2 * sheet.cell.vector(0) - sheet.cell.vector(1);
    BOOST_TEST((space.density(grid, 0) - n).cwiseAbs().maxCoeff() < 1e-10);
}

BOOST_AUTO_TEST_CASE(the_spin_density_of_an_atom_is_that_of_its_unpaired_electrons) {
    Structure atom;
    atom.add(6, {0.1, 0.2, 0.3});
    SccDftbOptions o = options();
    o.spin.polarized = true;
    o.spin.unpaired = 2;
    const auto state = converged(o, atom);
    const RealSpace space(*state, table());
    const Grid grid = grid_around(atom, 0.25, 8);
    const double up = grid.voxel() * space.density(grid, 0).sum(),
                 down = grid.voxel() * space.density(grid, 1).sum();
    // Unpaired p electrons have a node at the nucleus: the error of s cancels.
    BOOST_TEST(std::abs(up - down - 2) < 1e-3);
}

BOOST_AUTO_TEST_CASE(a_table_without_a_shell_is_refused_by_name) {
    const auto state = converged(options(), methane());
    OrbitalTable part = table();
    std::erase_if(part.orbitals, [](const RadialOrbital& o) { return o.symbol == "C" && o.l == 1; });
    BOOST_CHECK_EXCEPTION(RealSpace(*state, part), InputError, [](const InputError& e) {
        return std::string(e.what()).find("C p") != std::string::npos;
    });
    BOOST_CHECK_THROW(grid_around(methane(), 0, 5), InputError);
    BOOST_CHECK_THROW(grid_around(methane(), 1e-3, 5), InputError);
}

BOOST_AUTO_TEST_CASE(a_malformed_table_of_orbitals_is_refused_with_its_line) {
    const testing::TemporaryFolder folder;
    const std::filesystem::path path = folder.path() / "orbitals.csv";
    OrbitalTable good{{}, {{"H", 1, 0, {}}}};
    for (int k = 0; k <= 300; ++k) {
        good.r.push_back(0.05 * k);
        good.orbitals[0].values.push_back(2 * std::exp(-0.05 * k));
    }
    const std::string text = orbitals_text(good, {"hydrogen"});
    const auto read = [&](const std::string& content) {
        std::ofstream(path) << content;
        return read_orbitals(path);
    };
    const OrbitalTable back = read(text);
    BOOST_REQUIRE(back.r.size() == good.r.size());
    BOOST_TEST(back.r[299] == good.r[299], boost::test_tools::tolerance(1e-7));
    BOOST_TEST(back.orbitals[0].values[7] == good.orbitals[0].values[7], boost::test_tools::tolerance(1e-7));
    const auto refused = [&](const std::string& from, const std::string& to, const std::string& place) {
        std::string broken = text;
        broken.replace(broken.find(from), from.size(), to);
        BOOST_CHECK_EXCEPTION(read(broken), FileError, [&](const FileError& e) {
            return std::string(e.what()).find(place) != std::string::npos;
        });
    };
    refused("H 1s", "H 1p", ":2:");                     // no such shell
    refused("r_bohr,H 1s", "r_bohr,H 1s,H 2s", ":2:");  // two s shells
    refused("0.05,", "0.05,0.1,", ":4:");
    refused("0.05,", "0.05,x", ":4:");
    refused("0.1,", "0.01,", ":5:");
    refused("H 1s\n0,2", "H 1s\n0.01,2", ":3:");
    refused("\n0.4,1.34064", "\n0.4,9.34064", "not normalised");
    BOOST_CHECK_THROW(read_orbitals(folder.path() / "absent.csv"), FileError);
}

BOOST_AUTO_TEST_CASE(a_tunnelling_picture_of_graphene_repeats_and_both_pictures_belong_together) {
    const Structure sheet = graphene();
    const auto state = converged(options({6, 6, 1}), sheet);
    const double a = sheet.cell.vector(0)(0);
    TunnellingOptions o{.bias = 0.05, .height = 4, .pixel = a / 12, .width = 2 * a, .margin = 5, .states = 0};
    const TunnellingImage image = tunnelling_image(*state, table(), o);
    BOOST_TEST(image.levels > 0);
    BOOST_TEST(image.tip == 4);
    // Whole rectangles around the cell (1.5 a by 0.87 a), two beside each other and three over each other.
    BOOST_REQUIRE(image.current.cols() == 36);
    BOOST_REQUIRE(image.current.rows() == 31);
    BOOST_TEST((image.current.leftCols(24) - image.current.middleCols(12, 24)).abs().maxCoeff() <
               1e-10 * image.set_point);
    // Bright atom at the origin, dark middle of the hexagon at (a, a / sqrt 3).
    BOOST_TEST(image.current(7, 12) < 0.6 * image.current(0, 0));
    BOOST_TEST(image.tip_height(7, 12) < image.tip_height(0, 0));
    // The tip rises where the current at constant height is above its mean; logarithms between levels 0.3
    // bohr apart are straight to about 1 % here, 0.01 bohr.
    for (Eigen::Index j = 0; j < image.current.rows(); ++j)
        for (Eigen::Index i = 0; i < image.current.cols(); ++i) {
            const double ratio = std::log(image.current(j, i) / image.set_point);
            if (std::abs(ratio) > 0.03) BOOST_TEST((ratio > 0) == (image.tip_height(j, i) > image.tip));
        }
    o.height = image.tip_height(0, 0);
    const TunnellingImage higher = tunnelling_image(*state, table(), o);
    BOOST_TEST(higher.current(0, 0) == image.set_point, boost::test_tools::tolerance(0.02));
    o.bias = 0;
    BOOST_CHECK_THROW(tunnelling_image(*state, table(), o), InputError);
    o = {.bias = 0.05, .height = 100, .pixel = 1, .width = 0, .margin = 0, .states = 0};
    BOOST_CHECK_THROW(tunnelling_image(*state, table(), o), InputError);
}

BOOST_AUTO_TEST_CASE(levels_by_shift_and_invert_give_the_same_picture) {
    Structure benzene;
    for (int k = 0; k < 6; ++k) {
        const Eigen::Vector3d u(std::cos(k * M_PI / 3), std::sin(k * M_PI / 3), 0);
        benzene.add(6, 2.64 * u);
        benzene.add(1, 4.70 * u);
    }
    const auto state = converged(options(), benzene);
    const States levels = states_at(*state, {0, 0, 0}, 0, false);
    // The two highest filled levels (14, 15 of 30, counted from 1) and nothing else.
    const double middle = 0.5 * (levels.energies(12) + levels.energies(13));
    TunnellingOptions o{.bias = middle - state->fermi_levels[0],
                        .height = 3,
                        .pixel = 0.8,
                        .width = 0,
                        .margin = 4,
                        .states = 0};
    const TunnellingImage all = tunnelling_image(*state, table(), o);
    BOOST_TEST(all.levels == 2);
    o.states = 2;
    const TunnellingImage few = tunnelling_image(*state, table(), o);
    BOOST_TEST(few.levels == 2);
    BOOST_TEST((all.current - few.current).abs().maxCoeff() < 1e-8 * all.set_point);
    BOOST_TEST((all.tip_height - few.tip_height).abs().maxCoeff() < 1e-6);
    // A cluster is shown with its margin.
    BOOST_TEST(all.origin(0) == -4.70 - 4, boost::test_tools::tolerance(1e-12));
    // No level: the gap of benzene is above 0.15 hartree, its Fermi level in the middle.
    o.bias = 0.01;
    o.states = 0;
    BOOST_CHECK_THROW(tunnelling_image(*state, table(), o), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
