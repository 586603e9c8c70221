// SPDX-License-Identifier: Apache-2.0
// Cells that repeat: the lattice of a sheet, commensurate supercells, supercells of crystals, surfaces.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "structures.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using units::angstrom;
namespace tt = boost::test_tools;

namespace {

/// A round piece of a planar crystal, turned and with noise: what a frame shows.
Structure piece(const Eigen::Matrix2d& vectors, const std::vector<std::pair<int, Eigen::Vector2d>>& basis,
                double radius, double turned, double noise) {
    Structure result;
    const Eigen::Rotation2Dd turn(turned);
    Random random(9);
    for (int i = -40; i <= 40; ++i)
        for (int j = -40; j <= 40; ++j)
            for (const auto& [element, place] : basis) {
                const Eigen::Vector2d r = vectors * (place + Eigen::Vector2d(i, j));
                if (r.norm() > radius) continue;
                Eigen::Vector2d p = turn * r;
                p += noise * Eigen::Vector2d(random.normal(), random.normal());
                result.add(element, {p(0), p(1), 0});
            }
    return result;
}

Eigen::Matrix2d lattice_vectors(double a, double b, double degrees) {
    Eigen::Matrix2d v;
    v << a, b * std::cos(degrees * M_PI / 180), 0, b * std::sin(degrees * M_PI / 180);
    return v * angstrom;
}

struct Crystal {
    const char* kind;
    Eigen::Matrix2d vectors;
    std::vector<std::pair<int, Eigen::Vector2d>> basis;
};

std::vector<Crystal> crystals() {
    const Eigen::Vector2d zero(0, 0), third(1.0 / 3, 1.0 / 3), half(0.5, 0.5);
    return {{"hexagonal", lattice_vectors(2.46, 2.46, 60), {{6, zero}, {6, third}}},
            {"hexagonal", lattice_vectors(2.50, 2.50, 60), {{5, zero}, {7, third}}},
            {"square", lattice_vectors(3.2, 3.2, 90), {{22, zero}, {8, half}}},
            {"rectangular", lattice_vectors(3.3, 4.4, 90), {{15, zero}, {15, Eigen::Vector2d(0.5, 0.3)}}},
            {"centred rectangular", lattice_vectors(3.0, 3.0, 75), {{14, zero}}},
            {"oblique", lattice_vectors(2.7, 3.5, 101), {{16, zero}, {42, Eigen::Vector2d(0.4, 0.45)}}}};
}

/// Smallest distance between atoms, images included. bohr
double closest(const Structure& s) {
    double least = 1e9;
    const NeighborList list(s, 6 * angstrom);
    for (int i = 0; i < s.size(); ++i)
        for (const Neighbor& n : list.of(i)) least = std::min(least, n.distance);
    return least;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_periodic_cells)

BOOST_AUTO_TEST_CASE(every_planar_bravais_lattice_is_found_turned_and_with_noise) {
    for (const Crystal& crystal : crystals())
        for (const double turned : {0.0, 0.4, 1.3}) {
            const Structure sheet =
                piece(crystal.vectors, crystal.basis, 18 * angstrom, turned, 0.05 * angstrom);
            const PlanarLattice lattice = find_planar_lattice(sheet);
            BOOST_TEST_CONTEXT(crystal.kind << " turned by " << turned) {
                BOOST_TEST(lattice.kind == crystal.kind);
                BOOST_TEST(lattice.basis.size() == crystal.basis.size());
                // The same area, and the vectors are as exact as the noise over the piece allows.
                BOOST_TEST(lattice.vectors.determinant() == crystal.vectors.determinant(),
                           tt::tolerance(0.005));
                BOOST_TEST(lattice.vectors.col(0).norm() ==
                               std::min(crystal.vectors.col(0).norm(), crystal.vectors.col(1).norm()),
                           tt::tolerance(0.005));
                BOOST_TEST(lattice.share > 0.97);
                BOOST_TEST(lattice.residual < 0.06 * angstrom);
                BOOST_TEST(lattice.residual > 0.04 * angstrom);
            }
        }
}

BOOST_AUTO_TEST_CASE(no_lattice_is_found_where_there_is_none) {
    Random random(2);
    Structure gas;
    for (int i = 0; i < 300; ++i)
        gas.add(6, {random.uniform(0, 30) * angstrom, random.uniform(0, 30) * angstrom, 0});
    BOOST_CHECK_THROW(find_planar_lattice(gas), InputError);
    BOOST_CHECK_THROW(find_planar_lattice(Structure{}), InputError);
}

BOOST_AUTO_TEST_CASE(rectangular_supercells_of_any_lattice_and_their_strain) {
    for (const Crystal& crystal : crystals()) {
        PlanarLattice lattice;
        lattice.vectors = crystal.vectors;
        lattice.kind = crystal.kind;
        SupercellOptions options;
        options.lengths = Eigen::Vector2d(15, 12) * angstrom;
        options.max_strain = 0.05;
        const PlanarSupercell cell = choose_supercell(lattice, options);
        BOOST_TEST_CONTEXT(crystal.kind) {
            BOOST_TEST(std::abs(cell.cell.col(0).dot(cell.cell.col(1))) < 1e-9);
            BOOST_TEST(cell.cell(1, 0) == 0.0);
            BOOST_TEST(cell.n_primitive == cell.multiples.determinant());
            // cell = F A M, and no area is lost by a shear.
            const Eigen::Matrix2d made = cell.deformation * lattice.vectors * cell.multiples.cast<double>();
            BOOST_TEST((made - cell.cell).norm() < 1e-9);
            BOOST_TEST(cell.deformation.determinant() == 1.0, tt::tolerance(1e-9));
            BOOST_TEST(cell.strain.cwiseAbs().maxCoeff() <= 0.05);
            BOOST_TEST(std::abs(std::log(cell.cell(0, 0) / options.lengths(0))) < 0.35);
            BOOST_TEST(std::abs(std::log(cell.cell(1, 1) / options.lengths(1))) < 0.35);
            const bool right_angled = std::string(crystal.kind) != "oblique";
            if (right_angled) BOOST_TEST(cell.strain.cwiseAbs().maxCoeff() < 1e-9);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_cell_that_is_given_strains_the_lattice_by_what_it_differs) {
    PlanarLattice lattice;
    lattice.vectors = lattice_vectors(2.46, 2.46, 60);
    lattice.kind = "hexagonal";
    // 8 x 5 rectangular cells, 1 % longer along x, given in another orientation.
    SupercellOptions options;
    options.shape = SupercellOptions::Shape::given;
    const Eigen::Vector2d sides(8 * 2.46 * 1.01, 5 * 2.46 * std::sqrt(3.0));
    options.cell = Eigen::Rotation2Dd(0.7).toRotationMatrix() * (sides * angstrom).asDiagonal();
    const PlanarSupercell cell = choose_supercell(lattice, options);
    BOOST_TEST(cell.n_primitive == 80);
    BOOST_TEST(cell.strain(0, 0) == 0.01, tt::tolerance(1e-6));
    BOOST_TEST(std::abs(cell.strain(1, 1)) < 1e-9);
    BOOST_TEST(std::abs(cell.strain(0, 1)) < 1e-9);
    BOOST_TEST(cell.cell(0, 0) == sides(0) * angstrom, tt::tolerance(1e-12));

    // No vectors of 2.71 and 4.69 angstrom, nor any within 3 %.
    options.cell = (Eigen::Vector2d(2.46, 2.46 * std::sqrt(3.0)) * 1.1 * angstrom).asDiagonal();
    BOOST_CHECK_THROW(choose_supercell(lattice, options), InputError);
    options.cell.col(1) = options.cell.col(0);
    BOOST_CHECK_THROW(choose_supercell(lattice, options), InputError);
    options.shape = SupercellOptions::Shape::along_lattice;
    options.lengths = {-1, 3};
    BOOST_CHECK_THROW(choose_supercell(lattice, options), InputError);
}

BOOST_AUTO_TEST_CASE(the_lattice_of_a_model_of_the_energy_can_be_imposed) {
    PlanarLattice lattice;
    lattice.vectors = lattice_vectors(2.44, 2.44, 120);
    lattice.kind = "hexagonal";
    SupercellOptions options;
    options.shape = SupercellOptions::Shape::along_lattice;
    options.primitive = {2.468 * angstrom, 2.468 * angstrom, M_PI / 3};
    const PlanarSupercell cell = choose_supercell(lattice, options);
    BOOST_TEST(cell.cell.col(0).norm() == 8 * 2.468 * angstrom, tt::tolerance(1e-9));
    BOOST_TEST(cell.strain(0, 0) == 2.468 / 2.44 - 1, tt::tolerance(1e-6));
    BOOST_TEST(cell.strain(1, 1) == 2.468 / 2.44 - 1, tt::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_periodic_cell_cut_out_of_a_frame_closes_at_its_seam) {
    const Crystal graphene = crystals()[0];
    for (const double turned : {0.0, 0.3}) {
        Structure sheet = piece(graphene.vectors, graphene.basis, 30 * angstrom, turned, 0.04 * angstrom);
        const int atom = atom_near(sheet, 0, 0);
        sheet = with_rotated_bond(sheet, atom, BondGraph(sheet).of(atom).front().j);
        BuildOptions options;
        options.cell = SupercellOptions{};
        options.crop = CropOptions{};
        options.crop->by = CropOptions::By::defect;
        BuildReport report;
        const Derived built = build_cluster(sheet, {}, options, report);
        BOOST_REQUIRE(report.supercell.has_value());
        BOOST_TEST(built.structure.size() == 2 * report.supercell->n_primitive);
        BOOST_TEST(built.structure.cell.periodic[0]);
        BOOST_TEST(built.structure.cell.periodic[1]);
        BOOST_TEST(!built.structure.cell.periodic[2]);
        BOOST_TEST(built.structure.count(1) == 0);
        BOOST_TEST(closest(built.structure) > 1.1 * angstrom);
        // One defect and else hexagons, over the seam too: n/2 rings for n atoms of a closed sheet.
        const auto counts = ring_counts(find_rings(BondGraph(built.structure)));
        BOOST_TEST(counts.at(5) == 2);
        BOOST_TEST(counts.at(7) == 2);
        BOOST_TEST(counts.at(6) == built.structure.size() / 2 - 4);
        BOOST_TEST(report.supercell->strain.cwiseAbs().maxCoeff() < 0.01);
    }
}

BOOST_AUTO_TEST_CASE(a_periodic_cell_needs_a_sheet_that_fills_it) {
    const Crystal graphene = crystals()[0];
    const Structure sheet = piece(graphene.vectors, graphene.basis, 15 * angstrom, 0, 0);
    SupercellOptions options;
    options.lengths = {40 * angstrom, 40 * angstrom};
    BuildReport report;
    BOOST_CHECK_THROW(periodic_supercell(sheet, {0, 0}, options, report), InputError);
    options.lengths = {20 * angstrom, 20 * angstrom};
    BOOST_CHECK_NO_THROW(periodic_supercell(sheet, {0, 0}, options, report));
    BOOST_CHECK_THROW(periodic_supercell(sheet, {100, 0}, options, report), InputError);
}

BOOST_AUTO_TEST_CASE(supercells_by_a_matrix_keep_density_and_distances) {
    Structure silicon;  // diamond, primitive cell
    const double a = 5.43 * angstrom;
    silicon.cell.periodic = {true, true, true};
    silicon.cell.vectors << 0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0;
    silicon.add(14, {0, 0, 0});
    silicon.add(14, {a / 4, a / 4, a / 4});
    Eigen::Matrix3i conventional;
    conventional << -1, 1, 1, 1, -1, 1, 1, 1, -1;
    const Structure cubic = matrix_supercell(silicon, conventional);
    BOOST_TEST(cubic.size() == 8);
    BOOST_TEST((cubic.cell.vectors - a * Eigen::Matrix3d::Identity()).norm() < 1e-9);
    BOOST_TEST(closest(cubic) == a * std::sqrt(3.0) / 4, tt::tolerance(1e-9));
    for (int i = 0; i < cubic.size(); ++i) BOOST_TEST(BondGraph(cubic).coordination(i) == 4);
    BOOST_CHECK_THROW(matrix_supercell(silicon, Eigen::Matrix3i(-conventional)), InputError);
    Structure sheet = graphene_sheet(1, 1);
    sheet.cell.periodic[2] = false;
    Eigen::Matrix3i tilted = Eigen::Matrix3i::Identity();
    tilted(0, 2) = 1;
    BOOST_CHECK_THROW(matrix_supercell(sheet, tilted), InputError);
}

BOOST_AUTO_TEST_CASE(a_sheet_without_a_third_lattice_vector_repeats_like_one_with_vacuum) {
    const Structure thick = graphene_sheet(2, 2);
    Structure flat = thick;
    flat.cell.periodic[2] = false;
    flat.cell.vectors.col(2).setZero();
    Eigen::Matrix3i twice = Eigen::Matrix3i::Identity();
    twice(0, 0) = 2;
    const Structure wide = matrix_supercell(flat, twice);
    BOOST_TEST((wide.positions - matrix_supercell(thick, twice).positions).norm() < 1e-9);
    BOOST_TEST(wide.cell.vectors.col(2).isZero(0));
}

BOOST_AUTO_TEST_CASE(surfaces_of_diamond_have_the_known_areas_and_layers) {
    Structure silicon;
    const double a = 5.43 * angstrom;
    silicon.cell.periodic = {true, true, true};
    silicon.cell.vectors << 0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0;
    silicon.add(14, {0, 0, 0});
    silicon.add(14, {a / 4, a / 4, a / 4});
    Eigen::Matrix3i conventional;
    conventional << -1, 1, 1, 1, -1, 1, 1, 1, -1;
    const Structure cubic = matrix_supercell(silicon, conventional);
    struct Case {
        const Structure* crystal;
        std::array<int, 3> hkl;
        double area;  // in a^2, of the smallest cell of the surface for these vectors
    };
    // Of the conventional cubic cell: (100) a x a, (110) a x sqrt(2) a, (111) sqrt(3) a^2 (simple cubic
    // lattice of the conventional cell).
    for (const Case& c : {Case{&cubic, {1, 0, 0}, 1.0}, Case{&cubic, {1, 1, 0}, std::sqrt(2.0)},
                          Case{&cubic, {1, 1, 1}, std::sqrt(3.0)},
                          Case{&silicon, {1, 1, 1}, std::sqrt(3.0) / 4}, Case{&cubic, {2, 0, 0}, 1.0}}) {
        const Structure slab = surface_slab(*c.crystal, c.hkl, 3, 12 * angstrom);
        BOOST_TEST_CONTEXT("(" << c.hkl[0] << c.hkl[1] << c.hkl[2] << ")") {
            BOOST_TEST(slab.size() == 3 * c.crystal->size());
            BOOST_TEST(slab.cell.vector(0).cross(slab.cell.vector(1)).norm() == c.area * a * a,
                       tt::tolerance(1e-9));
            BOOST_TEST(slab.cell.vectors(1, 0) == 0.0);
            BOOST_TEST(slab.cell.vectors(2, 1) == 0.0);
            BOOST_TEST(!slab.cell.periodic[2]);
            const auto z = slab.positions.row(2);
            BOOST_TEST(slab.cell.vectors(2, 2) - (z.maxCoeff() - z.minCoeff()) == 12 * angstrom,
                       tt::tolerance(1e-9));
            BOOST_TEST(closest(slab) == a * std::sqrt(3.0) / 4, tt::tolerance(1e-6));
        }
    }
    BOOST_CHECK_THROW(surface_slab(cubic, {0, 0, 0}, 3, 10), InputError);
    BOOST_CHECK_THROW(surface_slab(cubic, {1, 0, 0}, 0, 10), InputError);
    BOOST_CHECK_THROW(surface_slab(cubic, {1, 0, 0}, 3, -10), InputError);
    BOOST_CHECK_THROW(surface_slab(graphene_flake(6 * angstrom), {1, 0, 0}, 3, 10), InputError);
}

BOOST_AUTO_TEST_CASE(vacuum_can_differ_by_direction_and_close_images_are_told) {
    const Structure flake = graphene_flake(6 * angstrom);
    const Structure boxed = center_in_box(flake, Eigen::Vector3d(10, 12, 30), true);
    const Eigen::Vector3d extent =
        boxed.positions.rowwise().maxCoeff() - boxed.positions.rowwise().minCoeff();
    BOOST_TEST((boxed.cell.vectors.diagonal() - extent - Eigen::Vector3d(10, 12, 30)).norm() < 1e-9);
    BOOST_CHECK_THROW(center_in_box(flake, Eigen::Vector3d(10, 0, 30), true), InputError);

    BuildOptions options;
    options.periodic = true;
    options.vacuum = Eigen::Vector3d(5, 20, 20) * angstrom;
    BuildReport report;
    build_cluster(flake, {}, options, report);
    bool told = false;
    for (const auto& warning : report.warnings) told = told || warning.find("images") != std::string::npos;
    BOOST_TEST(told);
}

BOOST_AUTO_TEST_SUITE_END()
