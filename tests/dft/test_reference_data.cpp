// SPDX-License-Identifier: Apache-2.0
// Reading of reference structures.
#include "stembridge/dft/reference_data.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::dft;

namespace {

const std::string good =
    "2\n"
    "Lattice=\"9 0 0 1 8 0 0 0 7\" pbc=\"T T T\" Properties=species:S:1:pos:R:3:forces_Ha_per_bohr:R:3 "
    "name=a "
    "group=g kpoints=\"3 2 1\" stress_Ha_per_bohr3=\"1 2 3 2 4 5 3 5 6\" energy_Ha=-1.5 code=\"CP2K 2023.1 "
    "PBE\" smearing_K=1000 uks=T\n"
    "C 0 0 0 0.1 0 0\nH 1.1 0 0 0.3 0 0\n"
    "1\n"
    "pbc=\"F F F\" Properties=species:S:1:pos:R:3:forces_Ha_per_bohr:R:3 name=b group=atom energy_Ha=-0.5 "
    "code=\"psi4\" multiplicity=2 scan_parameter=0\n"
    "H 0 0 0 0 0 0\n";

std::vector<ReferenceStructure> parsed(const std::string& text) {
    const stembridge::testing::TemporaryFolder folder;
    std::ofstream(folder.path() / "a.extxyz") << text;
    return read_reference_structures(folder.path() / "a.extxyz");
}

std::string replaced(const std::string& what, const std::string& by) {
    std::string text = good;
    text.replace(text.find(what), what.size(), by);
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_data)

BOOST_AUTO_TEST_CASE(frames_are_read_in_atomic_units) {
    const auto frames = parsed(good);
    BOOST_REQUIRE(frames.size() == 2u);
    BOOST_TEST(frames[0].code == "CP2K 2023.1 PBE");
    BOOST_TEST(frames[0].group == "g");
    BOOST_TEST(frames[0].energy == -1.5);
    BOOST_TEST(frames[0].spin_polarized);
    BOOST_TEST(!frames[0].unpaired.has_value());
    BOOST_TEST(std::abs(frames[0].electronic_temperature - 1000 * units::kelvin) < 1e-12);
    BOOST_TEST(std::abs(frames[0].structure.positions(0, 1) - 1.1 * units::angstrom) < 1e-12);
    BOOST_TEST(std::abs(frames[0].structure.cell.vector(1)(0) - units::angstrom) < 1e-12);
    BOOST_TEST(frames[0].structure.cell.is_fully_periodic());
    // The net force is taken out.
    BOOST_TEST(std::abs(frames[0].forces(0, 0) + 0.1) < 1e-12);
    BOOST_TEST(std::abs(frames[0].forces(0, 1) - 0.1) < 1e-12);
    BOOST_TEST((frames[0].kpoints == std::array<int, 3>{3, 2, 1}));
    BOOST_TEST((*frames[0].stress)(2, 1) == 5);
    BOOST_TEST(frames[1].unpaired.value() == 1);
    BOOST_TEST((frames[1].kpoints == std::array<int, 3>{1, 1, 1}));
    BOOST_TEST(!frames[1].stress.has_value());
    BOOST_TEST(!frames[1].structure.cell.is_periodic());
}

BOOST_AUTO_TEST_CASE(malformed_frames_are_refused) {
    BOOST_CHECK_THROW(parsed(""), FileError);
    BOOST_CHECK_THROW(parsed(good.substr(0, good.size() - 20)), FileError);
    BOOST_CHECK_THROW(parsed(replaced("energy_Ha=-1.5", "energy=-1.5")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("-1.5", "abc")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("C 0 0 0", "Xx 0 0 0")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("9 0 0 1 8", "9 0 1 8")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("0.1 0 0", "0.1 0")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("3 2 1", "3 0 1")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("3 2 1", "3 2")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("1 2 3 2 4 5 3 5 6", "1 2 3")), FileError);
    BOOST_CHECK_THROW(parsed(replaced("code=\"psi4\"", "code=\"psi4\" kpoints=\"1 1 2\"")), FileError);
    BOOST_CHECK_THROW(read_reference_structures("/no/such/file.extxyz"), FileError);
}

BOOST_AUTO_TEST_SUITE_END()
