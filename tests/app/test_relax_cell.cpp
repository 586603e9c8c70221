// SPDX-License-Identifier: Apache-2.0
// stembridge relax --cell: graphene finds its lattice from a strained and sheared cell.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

// Without the K point: where two bands touch there, moving the touching point off K lowers the energy of a
// coarse grid in proportion to the strain, and the cell does not stay hexagonal.
const std::string kpoints = "10 10 1";

struct Files {
    TemporaryFolder folder;
    fs::path start = folder.path() / "start.extxyz", out = folder.path() / "relaxed.extxyz";
    Files() {
        // a = 2.53, b = 2.44 angstrom at 118 degrees, the second atom off its place.
        std::ofstream(start) << "2\nLattice=\"2.53 0 0 -1.1455 2.1544 0 0 0 12\" pbc=\"T T T\" "
                                "Properties=species:S:1:pos:R:3\nC 0 0 6\nC 0.05 1.40 6\n";
    }
    double energy(const Structure& structure) const {
        const fs::path file = folder.path() / "at.extxyz", json = folder.path() / "at.json";
        io::write_structure(file, structure);
        const Outcome outcome = run_program(
            {"energy", file.string(), "--kpoints", kpoints, "--kpoints-gamma", "--json", json.string()});
        BOOST_TEST_REQUIRE(outcome.status == 0, outcome.output);
        return nlohmann::json::parse(io::read_text(json))["energy_hartree"];
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_relax_cell)

BOOST_AUTO_TEST_CASE(a_strained_cell_of_graphene_becomes_hexagonal_at_the_lowest_energy) {
    const Files f;
    const Outcome outcome =
        run_program({"relax", f.start.string(), "--cell", "xy", "--kpoints", kpoints, "--kpoints-gamma",
                     "--max-force", "1e-4 eV/angstrom", "--out", f.out.string()});
    BOOST_TEST_REQUIRE(outcome.status == 0, outcome.output);
    const Structure relaxed = io::read_structure(f.out);
    const Eigen::Vector3d a = relaxed.cell.vector(0), b = relaxed.cell.vector(1);
    // 1e-4 eV/angstrom on a lattice of 58 eV per atom and unit strain: 4e-6 of strain.
    BOOST_TEST(std::abs(a.norm() / b.norm() - 1) < 5e-5);
    BOOST_TEST(std::abs(a.dot(b) / (a.norm() * b.norm()) + 0.5) < 5e-5);
    BOOST_TEST(std::abs(relaxed.cell.vectors(2, 2) - 12 * units::angstrom) < 1e-8);
    // PBE: 2.467 angstrom, within 1 %.
    BOOST_TEST(std::abs(a.norm() / units::angstrom - 2.467) < 0.025);

    const double lowest = f.energy(relaxed);
    for (const double scale : {0.997, 1.003}) {
        Structure other = relaxed;
        other.positions.topRows(2) *= scale;
        other.cell.vectors.leftCols(2) *= scale;
        // Half of 58 eV times the square of the strain in each of two directions, at least half of that.
        BOOST_TEST(f.energy(other) - lowest > 2 * 0.5 * 58 * 0.003 * 0.003 * units::electronvolt);
    }
    const auto stage = nlohmann::json::parse(io::read_text(f.folder.path() / "relaxed.relax" / "stage.json"));
    BOOST_TEST(stage.dump().find("lattice_angstrom") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_cluster_has_no_cell_to_relax) {
    const Files f;
    std::ofstream(f.start) << "2\n\nC 0 0 0\nC 0 0 1.3\n";
    const Outcome outcome = run_program({"relax", f.start.string(), "--cell", "xy", "--out", f.out.string()});
    BOOST_TEST(outcome.status == 2);
    BOOST_TEST(outcome.output.find("xy") != std::string::npos, outcome.output);
}

BOOST_AUTO_TEST_SUITE_END()
