// SPDX-License-Identifier: Apache-2.0
// Input sets for VASP: order and map of the atoms, flags, settings per kind, the recipe for POTCAR.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/io/vasp_input.hpp"
#include "stembridge/io/vasp_run.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

/// H, Cr, C, H, C, Si in a box; the first H is held, the first C in x and y.
Structure mixed() {
    Structure s;
    const std::vector<int> elements = {1, 24, 6, 1, 6, 14};
    for (std::size_t i = 0; i < elements.size(); ++i)
        s.add(elements[i], Eigen::Vector3d(2 + 2.5 * static_cast<double>(i), 3, 5) * units::angstrom);
    s.cell.vectors = Eigen::Vector3d(25, 10, 12).asDiagonal() * units::angstrom;
    s.cell.periodic = {true, true, true};
    s.fixed = FixedMask::Constant(3, s.size(), false);
    s.fixed.col(0) = true;
    s.fixed(0, 2) = s.fixed(1, 2) = true;
    return s;
}

/// Value of a key in an INCAR, "" when it is not there.
std::string tag(const fs::path& folder, const std::string& key) {
    std::istringstream lines(read_text(folder / "INCAR"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(key) && line.size() > 10 &&
            line.substr(key.size()).find_first_not_of(' ') != std::string::npos &&
            line[line.find_first_not_of(' ', key.size())] == '=')
            return line.substr(line.find('=') + 2);
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_vasp_input)

BOOST_AUTO_TEST_CASE(atoms_stand_in_blocks_and_the_map_leads_back) {
    const TemporaryFolder folder;
    const Structure structure = mixed();
    write_vasp_relaxation(folder.path(), structure, {});
    const Structure poscar = read_structure(folder.path() / "POSCAR");
    BOOST_TEST((poscar.atomic_numbers == std::vector<int>{6, 6, 1, 1, 14, 24}));
    const auto map = read_vasp_atom_map(folder.path() / "atom_map.csv");
    BOOST_TEST((map == std::vector<int>{2, 4, 0, 3, 5, 1}));
    for (std::size_t row = 0; row < map.size(); ++row) {
        const auto i = static_cast<Eigen::Index>(row);
        // Shortest digits: the same bits come back, but for the conversion of the unit.
        BOOST_TEST((poscar.positions.col(i) - structure.positions.col(map[row])).norm() < 1e-12);
        BOOST_TEST((poscar.fixed.col(i) == structure.fixed.col(map[row])).all());
    }
    BOOST_TEST(read_text(folder.path() / "POSCAR").find("Selective dynamics") != std::string::npos);
    BOOST_TEST(read_text(folder.path() / "POTCAR.spec") ==
               "PAW_PBE C 08Apr2002\nPAW_PBE H 15Jun2001\nPAW_PBE Si 05Jan2001\nPAW_PBE Cr_pv 02Aug2007\n");
    BOOST_TEST(!fs::exists(folder.path() / "POTCAR"));
}

BOOST_AUTO_TEST_CASE(a_relaxation_has_the_settings_of_the_paper) {
    const TemporaryFolder folder;
    write_vasp_relaxation(folder.path(), mixed(), {});
    for (const auto& [key, wanted] :
         std::initializer_list<std::pair<const char*, const char*>>{{"ENCUT", "400"},
                                                                    {"GGA", "PE"},
                                                                    {"EDIFFG", "-0.001"},
                                                                    {"EDIFF", "1E-6"},
                                                                    {"IBRION", "2"},
                                                                    {"ISIF", "2"},
                                                                    {"ISPIN", "1"},
                                                                    {"ISYM", "0"},
                                                                    {"IVDW", "0"},
                                                                    {"SIGMA", "0.05"},
                                                                    {"MAGMOM", ""}})
        BOOST_TEST(tag(folder.path(), key) == wanted, key);
    BOOST_TEST(read_text(folder.path() / "KPOINTS") == "Automatic mesh\n0\nMonkhorst-Pack\n2 2 2\n0 0 0\n");
}

BOOST_AUTO_TEST_CASE(a_dynamics_names_its_thermostat_and_keeps_velocities_only_on_request) {
    const TemporaryFolder folder;
    Structure structure = mixed();
    structure.velocities = Eigen::Matrix3Xd::Constant(3, structure.size(), 1e-4);
    VaspInputOptions options;
    write_vasp_dynamics(folder.path(), structure, options, {300, 5000});
    for (const char* name : {"300K", "5000K"}) {
        const fs::path run = folder.path() / name;
        BOOST_TEST(tag(run, "SMASS") == "0");  // its default would be constant energy
        BOOST_TEST(tag(run, "MDALGO") == "2");
        BOOST_TEST(tag(run, "IBRION") == "0");
        BOOST_TEST(tag(run, "NSW") == "2000");
        BOOST_TEST(tag(run, "TEBEG") + "K" == name);
        BOOST_TEST(read_structure(run / "POSCAR").velocities.cols() == 0);
    }
    BOOST_TEST(tag(folder.path() / "5000K", "ISMEAR") == "0");
    options.keep_velocities = options.fermi_at_temperature = true;
    write_vasp_dynamics(folder.path(), structure, options, {5000});
    const Structure kept = read_structure(folder.path() / "5000K" / "POSCAR");
    BOOST_TEST((kept.velocities - structure.velocities).norm() < 1e-14);
    BOOST_TEST(tag(folder.path() / "5000K", "ISMEAR") == "-1");
    // kB 5000 K = 0.430867 eV
    BOOST_TEST(std::abs(std::stod(tag(folder.path() / "5000K", "SIGMA")) - 0.4308667) < 1e-6);
    BOOST_CHECK_THROW(write_vasp_dynamics(folder.path(), mixed(), options, {300}), InputError);  // has none
    BOOST_CHECK_THROW(write_vasp_dynamics(folder.path(), structure, {}, {-5}), InputError);
}

BOOST_AUTO_TEST_CASE(moments_stand_in_the_order_of_the_rows) {
    const TemporaryFolder folder;
    write_vasp_spin_scan(folder.path(), mixed(), {}, {4, 6});
    BOOST_TEST(tag(folder.path() / "free", "ISPIN") == "2");
    BOOST_TEST(tag(folder.path() / "free", "MAGMOM") == "5*0 1*5");
    BOOST_TEST(tag(folder.path() / "free", "NUPDOWN") == "");
    BOOST_TEST(tag(folder.path() / "unpaired-6", "NUPDOWN") == "6");
    // Carbon alone: all zeros would stay unpolarised.
    write_vasp_spin_scan(folder.path(), mixed().selected({2, 4}), {}, {});
}

BOOST_AUTO_TEST_CASE(the_three_runs_of_an_adsorption_share_box_and_settings) {
    const TemporaryFolder folder;
    VaspInputOptions options;
    options.spin_polarized = true;
    write_vasp_adsorption(folder.path(), mixed(), {1}, options);
    const Structure system = read_structure(folder.path() / "system" / "POSCAR");
    const Structure sheet = read_structure(folder.path() / "sheet" / "POSCAR");
    const Structure adsorbate = read_structure(folder.path() / "adsorbate" / "POSCAR");
    BOOST_TEST(system.size() == sheet.size() + adsorbate.size());
    BOOST_TEST(adsorbate.formula() == "Cr");
    BOOST_TEST((system.cell.vectors == sheet.cell.vectors && system.cell.vectors == adsorbate.cell.vectors));
    for (const char* key : {"ENCUT", "PREC", "SIGMA", "LREAL", "ISPIN"}) {
        const std::string wanted = tag(folder.path() / "system", key);
        BOOST_TEST(!wanted.empty());
        BOOST_TEST(tag(folder.path() / "sheet", key) == wanted);
        BOOST_TEST(tag(folder.path() / "adsorbate", key) == wanted);
    }
    BOOST_TEST(tag(folder.path() / "adsorbate", "NSW") == "0");  // one atom has nothing to relax
    BOOST_TEST(tag(folder.path() / "adsorbate", "MAGMOM") == "1*5");
    BOOST_TEST(read_text(folder.path() / "README.md").find("Positive = bound") != std::string::npos);
    BOOST_CHECK_THROW(write_vasp_adsorption(folder.path(), mixed(), {}, {}), InputError);
    BOOST_CHECK_THROW(write_vasp_adsorption(folder.path(), mixed(), {0, 1, 2, 3, 4, 5}, {}), InputError);
    BOOST_CHECK_THROW(write_vasp_adsorption(folder.path(), mixed(), {99}, {}), InputError);
}

BOOST_AUTO_TEST_CASE(the_check_of_a_potcar_finds_a_wrong_title) {
    const TemporaryFolder folder;
    write_vasp_relaxation(folder.path(), mixed().selected({2, 0}), {});
    const auto check = [&](const std::string& text) {
        std::ofstream(folder.path() / "POTCAR") << text;
        return std::system(
            ("sh '" + (folder.path() / "check_potcar.sh").string() + "' > /dev/null 2>&1").c_str());
    };
    // Titles alone; no potential is needed for the check.
    BOOST_TEST(check("   TITEL  = PAW_PBE C 08Apr2002\n x\n   TITEL  = PAW_PBE H 15Jun2001\n") == 0);
    BOOST_TEST(check("   TITEL  = PAW_PBE H 15Jun2001\n   TITEL  = PAW_PBE C 08Apr2002\n") != 0);
    BOOST_TEST(check("   TITEL  = PAW_PBE C 08Apr2002\n") != 0);
    BOOST_TEST(check("   TITEL  = PAW_PBE C_s 06Sep2000\n   TITEL  = PAW_PBE H 15Jun2001\n") != 0);
}

BOOST_AUTO_TEST_CASE(structures_without_a_box_and_broken_maps_are_refused) {
    const TemporaryFolder folder;
    Structure cluster = mixed();
    cluster.cell = {};
    BOOST_CHECK_THROW(write_vasp_relaxation(folder.path(), cluster, {}), InputError);
    for (const char* text :
         {"", "row,atom\n1,1\n", "row,atom,element\n2,1,C\n", "row,atom,element\n1,1,C\n2,1,C\n",
          "row,atom,element\n1,7,C\n", "row,atom,element\n1,x,C\n"}) {
        std::ofstream(folder.path() / "map.csv") << text;
        BOOST_CHECK_THROW(read_vasp_atom_map(folder.path() / "map.csv"), FileError);
    }
}

BOOST_AUTO_TEST_SUITE_END()
