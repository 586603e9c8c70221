// SPDX-License-Identifier: Apache-2.0
// Published structures of many programs and versions are read.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
using units::angstrom;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(test_reference_structures)

BOOST_AUTO_TEST_CASE(the_published_positions_of_the_paper_frame_are_read) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    for (const char* name : {"POSCAR_general_2021C_22Si.vasp", "POSCAR_adv_general_2021C_22Si.vasp"}) {
        const Structure structure = read_structure(reference / "stem" / "paper_frame" / name);
        BOOST_TEST(structure.count(6) == 2021);
        BOOST_TEST(structure.count(14) == 22);
    }
}

BOOST_AUTO_TEST_CASE(every_published_poscar_is_read) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    int read = 0;
    for (const auto& entry : fs::recursive_directory_iterator(reference / "vasp")) {
        const std::string name = entry.path().filename().string();
        if (!entry.is_regular_file() || (!name.starts_with("POSCAR") && !name.starts_with("CONTCAR")))
            continue;
        BOOST_TEST_INFO(entry.path());
        if (fs::file_size(entry.path()) == 0) {
            BOOST_CHECK_THROW(read_structure(entry.path()), FileError);
            continue;
        }
        // No two atoms within 0.5 angstrom: cell, scale and coordinates belong together. Two files do hold
        // such atoms: a made-up one with repeated rows and a relaxation that exploded.
        const bool crowded =
            name == "CONTCAR_Mg" || entry.path().parent_path().filename() == "md_oszicar_541";
        Structure structure;
        BOOST_CHECK_NO_THROW(structure = read_structure(entry.path()));
        if (!crowded) BOOST_CHECK_NO_THROW(structure.validate(0.5 * angstrom));
        ++read;
    }
    BOOST_TEST(read > 15);
}

BOOST_AUTO_TEST_CASE(a_negative_scale_is_the_volume) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const Structure structure = read_structure(reference / "vasp" / "poscar_neg_scale_vasp4" / "POSCAR");
    BOOST_TEST(structure.formula() == "Fe4O16P4");
    BOOST_TEST(structure.cell.volume() == 300.65685512 * std::pow(angstrom, 3),
               boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(velocities_of_a_dynamics_run_are_read) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const Structure structure = read_structure(reference / "vasp" / "contcar_md_velocities" / "CONTCAR.MD");
    BOOST_REQUIRE(structure.velocities.cols() == structure.size());
    // 3 N k T / 2 of a solid or liquid lies between 10 and 5000 K.
    const double kinetic =
        0.5 *
        (structure.velocities.colwise().squaredNorm().transpose().array() * structure.masses().array()).sum();
    const double temperature_k = 2 * kinetic / (3 * structure.size()) / units::kelvin;
    BOOST_TEST(temperature_k > 10.0);
    BOOST_TEST(temperature_k < 5000.0);
}

BOOST_AUTO_TEST_CASE(published_xyz_files_are_read) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    BOOST_TEST(
        read_structure(reference / "stem" / "atomicimagesimulator" / "G-coordinates-clean.xyz").count(6) >
        100);
    for (const char* name : {"molecules.extxyz", "periodic.extxyz"}) {
        const auto frames = read_trajectory(reference / "pbe" / name);
        BOOST_TEST(frames.size() > 1U);
        for (const Frame& frame : frames) frame.structure.validate(0.5 * angstrom);
        const Structure last = read_structure(reference / "pbe" / name);
        BOOST_TEST((last.positions.array() == frames.back().structure.positions.array()).all());
        BOOST_CHECK_THROW(read_structure(reference / "pbe" / name, static_cast<int>(frames.size())),
                          InputError);
    }
}

BOOST_AUTO_TEST_SUITE_END()
