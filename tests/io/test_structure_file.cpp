// SPDX-License-Identifier: Apache-2.0
// Structures in every format, round trips, and what is said about malformed files.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
using units::angstrom;
namespace fs = std::filesystem;

namespace {

class Scratch : public testing::TemporaryFolder {
  public:
    Structure read(const std::string& name, const std::string& content, int frame = -1) const {
        return read_structure(write(name, content), frame);
    }
    /// The message of the FileError that reading gives, else "no error".
    std::string message(const std::string& name, const std::string& content) const {
        try {
            read(name, content);
        } catch (const FileError& error) {
            return error.what();
        }
        return "no error";
    }
};

bool contains(const std::string& text, const std::string& part) {
    const bool found = text.find(part) != std::string::npos;
    if (!found) BOOST_TEST_MESSAGE("'" << part << "' is not in: " << text);
    return found;
}

/// C2H in a slanted, periodic cell with velocities and fixed axes.
Structure slanted() {
    Structure s;
    s.cell.vectors << 5, 2.5, 0, 0, 4.3301, 0, 0, 0, 20.0 / 3;
    s.cell.vectors *= angstrom;
    s.cell.periodic = {true, true, true};
    s.add(6, Eigen::Vector3d(0.1, 1.0 / 3, -2));
    s.add(1, Eigen::Vector3d(3, 2, 1));
    s.add(6, Eigen::Vector3d(1e-9, 123.456789012345678, 7));
    s.velocities.resize(3, 3);
    s.velocities << 1e-4, -2e-5, 1.0 / 3, 0, 1e-12, 7e-4, -1, 2, -3e-3;
    s.fixed.setConstant(3, 3, false);
    s.fixed.col(1).setConstant(true);
    s.fixed(2, 2) = true;
    s.comment = "a \"quoted\" \\ comment";
    return s;
}

/// Equal up to the rounding of one unit conversion there and back: a few units in the last place.
void check_same(const Structure& a, const Structure& b) {
    constexpr double rounding = 1e-15;
    BOOST_TEST(a.atomic_numbers == b.atomic_numbers, boost::test_tools::per_element());
    BOOST_REQUIRE(a.positions.cols() == b.positions.cols());
    BOOST_TEST(
        ((a.positions - b.positions).array().abs() <= rounding * (1e-3 + a.positions.array().abs())).all());
    BOOST_TEST(
        ((a.cell.vectors - b.cell.vectors).array().abs() <= rounding * a.cell.vectors.array().abs()).all());
    BOOST_TEST(a.cell.periodic == b.cell.periodic, boost::test_tools::per_element());
    BOOST_REQUIRE(a.velocities.cols() == b.velocities.cols());
    BOOST_TEST(((a.velocities - b.velocities).array().abs() <= rounding * a.velocities.array().abs()).all());
    BOOST_REQUIRE(a.fixed.cols() == b.fixed.cols());
    BOOST_TEST((a.fixed == b.fixed).all());
    BOOST_TEST(a.comment == b.comment);
}

void check_every_cut(const Scratch& scratch, const std::string& name, const std::string& whole) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
        try {
            scratch.read(name, whole.substr(0, length));  // a cut inside the last number cannot be seen
        } catch (const Error&) {
        }
        std::string changed = whole;
        changed[length] = static_cast<char>(changed[length] ^ 0x13);
        try {
            scratch.read(name, changed);
        } catch (const Error&) {
        }
    }
}

const std::string poscar_head = "test\n1.0\n10 0 0\n0 10 0\n0 0 10\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(test_structure_file)

BOOST_AUTO_TEST_CASE(extxyz_that_is_written_is_read_back) {
    const Scratch s;
    write_structure(s.path() / "a.extxyz", slanted());
    check_same(slanted(), read_structure(s.path() / "a.extxyz"));
    Structure cluster;
    cluster.add(14, Eigen::Vector3d(1, 2, 3));
    write_structure(s.path() / "b.xyz", cluster);
    check_same(cluster, read_structure(s.path() / "b.xyz"));
    Structure sheet = slanted();
    sheet.cell.periodic = {true, true, false};
    write_structure(s.path() / "c.extxyz", sheet);
    check_same(sheet, read_structure(s.path() / "c.extxyz"));
}

BOOST_AUTO_TEST_CASE(poscar_that_is_written_is_read_back) {
    const Scratch s;
    write_structure(s.path() / "a.vasp", slanted());
    check_same(slanted(), read_structure(s.path() / "a.vasp"));
    Structure cluster;
    cluster.add(14, Eigen::Vector3d(1, 2, 3));
    BOOST_CHECK_THROW(write_structure(s.path() / "POSCAR", cluster), InputError);
    // x fixed, y free in a cell whose first vectors are slanted: no flags along vectors can say so
    Structure mixed = slanted();
    mixed.fixed(0, 0) = true;
    BOOST_CHECK_THROW(write_structure(s.path() / "POSCAR", mixed), InputError);
    BOOST_TEST(!fs::exists(s.path() / "POSCAR"));
}

BOOST_AUTO_TEST_CASE(gen_that_is_written_is_read_back) {
    const Scratch s;
    Structure plain = slanted();
    plain.velocities.resize(3, 0);
    plain.fixed.resize(3, 0);
    plain.comment.clear();
    write_structure(s.path() / "a.gen", plain);
    check_same(plain, read_structure(s.path() / "a.gen"));
    plain.cell = Cell{};
    write_structure(s.path() / "a.gen", plain);
    check_same(plain, read_structure(s.path() / "a.gen"));
}

BOOST_AUTO_TEST_CASE(gen_of_each_kind_is_read) {
    const Scratch s;
    const Structure f =
        s.read("a.gen",
               "# a comment\n 2 F\n C H # symbols\n 1 1 0.5 0.5 0.0\n 2 2 0 0 0.25\n 0 0 0\n 4 0 0\n "
               "0 4 0\n 0 0 8\n");
    BOOST_TEST(f.positions(0, 0) == 2 * angstrom, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(f.positions(2, 1) == 2 * angstrom, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(f.atomic_numbers[1] == 1);
    BOOST_TEST(f.cell.is_fully_periodic());
    BOOST_TEST(contains(s.message("a.gen", "2 C\nC H\n1 1 0 0 0\n2 3 0 0 0\n"), "a.gen:4: atom 2"));
    BOOST_TEST(contains(s.message("a.gen", "2 C\nC H\n1 1 0.000000 0.0 0.0\n"), "atom 2 of 2 should follow"));
    BOOST_TEST(contains(s.message("a.gen", "2 Q\nC H\n"), "a.gen:1:"));
    BOOST_TEST(contains(s.message("a.gen", "99999999999 C\nC\n1 1 0 0 0\n"), "too short"));
}

BOOST_AUTO_TEST_CASE(plain_xyz_is_read) {
    const Scratch s;
    const Structure xyz = s.read("a.xyz", "2\r\n water, almost \r\nO 0 0 0\r\nH 0 0.0 +0.96 extra\r\n");
    BOOST_TEST(xyz.formula() == "HO");
    BOOST_TEST(xyz.comment == "water, almost");
    BOOST_TEST(xyz.positions(2, 1) == 0.96 * angstrom, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(!xyz.cell.is_periodic());
}

BOOST_AUTO_TEST_CASE(extxyz_of_other_programs_is_read) {
    const Scratch s;
    const std::string text =
        "2\nLattice=\"4 0 0 0 5 0 1 0 6\" "
        "Properties=species:S:1:pos:R:3:momenta:R:3:move_mask:L:1:tags:I:1:name:S:1 "
        "config_type=\"two words\" energy=-1.5 pbc=\"T F T\" flag virial={1 2 3}\n"
        "C 1 2 3 12.011 0 0 T 7 abc\nH 0 0 0 0 1.008 0 F 8 def\n";
    const auto frames = read_trajectory(s.write("a.extxyz", text));
    BOOST_REQUIRE(frames.size() == 1U);
    const Structure& structure = frames[0].structure;
    BOOST_TEST(frames[0].info.at("energy") == -1.5 * units::electronvolt,
               boost::test_tools::tolerance(1e-14));
    BOOST_TEST(frames[0].arrays.at("tags")(0, 1) == 8.0);
    BOOST_TEST(structure.cell.vectors(0, 2) == 1 * angstrom, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(!structure.cell.periodic[1]);
    BOOST_TEST(structure.fixed(0, 1));
    BOOST_TEST(!structure.fixed(2, 0));
    // A momentum of one mass is a velocity of 1 sqrt(eV/u) = 98.2269 angstrom/ps (ASE's unit of time
    // is 10.1805 fs).
    BOOST_TEST(structure.velocities(0, 0) == 0.0982269 * angstrom / units::femtosecond,
               boost::test_tools::tolerance(1e-5));
    BOOST_TEST(structure.velocities(1, 1) == 0.0982269 * angstrom / units::femtosecond,
               boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(masses_of_isotopes_are_read_and_kept) {
    const Scratch s;
    const std::string header = "2\nProperties=species:S:1:pos:R:3:masses:R:1:momenta:R:3\n";
    const Structure heavy = s.read("d.xyz", header + "H 0 0 0 2.014 1 0 0\nC 0 0 1.1 12.011 0 0 0\n");
    BOOST_TEST(heavy.masses()(0) == 2.014 * units::dalton, boost::test_tools::tolerance(1e-14));
    // Half the velocity that the same momentum gives to the usual isotope.
    const Structure usual = s.read("h.xyz", header + "H 0 0 0 1.008 1 0 0\nC 0 0 1.1 12.011 0 0 0\n");
    BOOST_TEST(usual.isotopes.size() == 0);
    BOOST_TEST(heavy.velocities(0, 0) / usual.velocities(0, 0) == 1.008 / 2.014,
               boost::test_tools::tolerance(1e-3));
    const fs::path file = s.path() / "again.extxyz";
    write_structure(file, heavy);
    BOOST_TEST(read_structure(file).masses() == heavy.masses(), boost::test_tools::per_element());
    Structure more = heavy.selected({1, 0});
    more.add(6, Eigen::Vector3d(9, 9, 9));
    BOOST_TEST(more.masses()(1) == heavy.masses()(0));
    BOOST_TEST(more.masses()(2) == usual.masses()(1));
    more.isotopes(0) = 0;
    BOOST_CHECK_THROW(more.validate(), InputError);
}

BOOST_AUTO_TEST_CASE(links_and_pipes_are_written_through) {
    const Scratch s;
    const fs::path target = s.write("target", "old"), link = s.path() / "link", pipe = s.path() / "pipe";
    fs::create_symlink("target", link);
    write_text_atomically(link, "new");
    BOOST_TEST(fs::is_symlink(link));
    BOOST_TEST(read_text(target) == "new");
    BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    auto reader = std::async(std::launch::async, [&] {
        std::ifstream stream(pipe);
        return std::string(std::istreambuf_iterator<char>(stream), {});
    });
    write_text_atomically(pipe, "through");
    BOOST_TEST(reader.get() == "through");
    BOOST_TEST(fs::is_fifo(pipe));
}

BOOST_AUTO_TEST_CASE(a_frame_is_picked_by_number_and_the_last_by_default) {
    const Scratch s;
    const std::string text = "1\na\nC 0 0 0\n1\nb\nC 0 0 1\n1\nc\nC 0 0 2\n\n";
    BOOST_TEST(s.read("a.xyz", text).comment == "c");
    BOOST_TEST(s.read("a.xyz", text.substr(0, text.size() - 2)).comment == "c");  // no end of line
    BOOST_TEST(s.read("a.xyz", text, 0).comment == "a");
    BOOST_TEST(s.read("a.xyz", text, 2).comment == "c");
    BOOST_CHECK_EXCEPTION(s.read("a.xyz", text, 3), InputError,
                          [](const InputError& e) { return contains(e.what(), "3 frames"); });
    BOOST_CHECK_THROW(s.read("a.vasp", poscar_head + "C\n1\nDirect\n0 0 0\n", 1), InputError);
}

BOOST_AUTO_TEST_CASE(malformed_extxyz_is_told_with_file_and_line) {
    const Scratch s;
    BOOST_TEST(contains(s.message("a.xyz", ""), "empty"));
    BOOST_TEST(contains(s.message("a.xyz", "x\n"), "a.xyz:1: 'x' is not a number of atoms"));
    BOOST_TEST(contains(s.message("a.xyz", "0\n\n"), "a.xyz:1:"));
    BOOST_TEST(
        contains(s.message("a.xyz", "3\ncomment, long enough for it\nC 0 0 0\nC 0 0 1\n"), "atom 3 of 3"));
    BOOST_TEST(contains(s.message("a.xyz", "1000000000\n\nC 0 0 0\n"), "too short"));
    BOOST_TEST(contains(s.message("a.xyz", "1\n\nC 0 0 zero\n"), "a.xyz:3: 'zero' is not a finite number"));
    BOOST_TEST(contains(s.message("a.xyz", "1\n\nC 0 0 nan\n"), "a.xyz:3: 'nan'"));
    BOOST_TEST(contains(s.message("a.xyz", "1\n\nQq 0 0 0\n"), "a.xyz:3: 'Qq' is not the symbol"));
    BOOST_TEST(contains(s.message("a.xyz", "1\n\nC 0 0\n  \n"), "3 columns, expected 4"));
    BOOST_TEST(contains(s.message("a.xyz", "1\nLattice=\"1 0 0\"\nC 0 0 0\n"), "3 numbers, expected 9"));
    BOOST_TEST(contains(s.message("a.xyz", "1\nProperties=species:S\nC 0 0 0\n"), "Properties"));
    BOOST_TEST(contains(s.message("a.xyz", "1\nProperties=pos:R:3\nC 0 0 0\n"), "species"));
    BOOST_CHECK_THROW(read_structure(s.path() / "absent.xyz"), FileError);
    BOOST_CHECK_THROW(s.read("a.doc", "x"), InputError);
}

BOOST_AUTO_TEST_CASE(poscar_scale_multiplies_cartesian_coordinates_and_negative_is_a_volume) {
    const Scratch s;
    const std::string body = "1 0 0\n0 1 0\n0 0 2\nC\n1\nCartesian\n0 0 0.5\n";
    BOOST_TEST(s.read("POSCAR", "c\n4.0\n" + body).positions(2, 0) == 2 * angstrom,
               boost::test_tools::tolerance(1e-14));
    const Structure volume = s.read("POSCAR", "c\n-16.0\n" + body);
    BOOST_TEST(volume.cell.volume() == 16 * std::pow(angstrom, 3), boost::test_tools::tolerance(1e-13));
    BOOST_TEST(volume.positions(2, 0) == 0.5 * 2 * angstrom, boost::test_tools::tolerance(1e-13));
    const Structure axes = s.read("POSCAR", "c\n1 2 3\n" + body);
    BOOST_TEST(axes.positions(2, 0) == 1.5 * angstrom, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(axes.cell.vectors(1, 1) == 2 * angstrom, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(poscar_of_vasp_4_takes_species_from_rows_or_comment) {
    const Scratch s;
    const std::string cell = "1.0\n10 0 0\n0 10 0\n0 0 10\n";
    BOOST_TEST(s.read("POSCAR", "x\n" + cell + "1 2\ndirect\n0 0 0 O\n.1 0 0 H\n0 .1 0 H\n").formula() ==
               "H2O");
    BOOST_TEST(s.read("POSCAR", "O H\n" + cell + "1 2\ndirect\n0 0 0\n.1 0 0\n0 .1 0\n").formula() == "H2O");
    BOOST_TEST(contains(s.message("POSCAR", "x y z\n" + cell + "1 2\ndirect\n0 0 0\n.1 0 0\n0 .1 0\n"),
                        "no species"));
}

BOOST_AUTO_TEST_CASE(poscar_variants_of_vasp_5_and_6_are_read) {
    const Scratch s;
    // CRLF, labels, species and counts over two lines, an element in two blocks
    const Structure split =
        s.read("a.poscar",
               "t\r\n1.0\r\n10 0 0\r\n0 10 0\r\n0 0 10\r\nFe_pv O/8ab\r\nFe\r\n1 1\r\n1\r\nDirect\r\n"
               "0 0 0\r\n0 0 .5\r\n.5 0 0\r\n");
    BOOST_TEST(split.atomic_numbers == (std::vector<int>{26, 8, 26}), boost::test_tools::per_element());
    // flags, then velocities behind a blank line
    const Structure moving =
        s.read("CONTCAR", poscar_head +
                              "C\n2\nSelective dynamics\nDirect\n0 0 0 T T F\n.5 0 0 .FALSE. F T ! x\n\n"
                              "0 0 0.01\n0.02 0 0\n\n1\nanything\n");
    BOOST_TEST(moving.fixed(2, 0));
    BOOST_TEST(!moving.fixed(0, 0));
    BOOST_TEST(moving.fixed(0, 1));
    BOOST_TEST(!moving.fixed(2, 1));
    BOOST_TEST(moving.velocities(0, 1) == 0.02 * angstrom / units::femtosecond,
               boost::test_tools::tolerance(1e-14));
    // a block of zeros, as relaxations leave it, is none; the lattice's velocities are passed over
    BOOST_TEST(s.read("CONTCAR", poscar_head + "C\n1\nDirect\n0 0 0\n\n 0 0 0\n").velocities.cols() == 0);
    const Structure lattice =
        s.read("CONTCAR", poscar_head +
                              "C\n1\nDirect\n0 0 0\nLattice velocities and vectors\n1\n0 0 0\n0 0 "
                              "0\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n\n0 0 0.5\n");
    BOOST_TEST(lattice.velocities(2, 0) == 0.5 * angstrom / units::femtosecond,
               boost::test_tools::tolerance(1e-14));
    // in a slanted cell whose third vector is z, flags F F T are the Cartesian z
    const Structure slab = s.read("POSCAR", "t\n1\n2 1 0\n0 3 0\n0 0 9\nC\n1\nS\nD\n0 0 0 F F T\n");
    BOOST_TEST((slab.fixed.col(0) == Eigen::Array<bool, 3, 1>(true, true, false)).all());
}

BOOST_AUTO_TEST_CASE(malformed_poscar_is_told_with_file_and_line) {
    const Scratch s;
    BOOST_TEST(contains(s.message("POSCAR", ""), "empty"));
    BOOST_TEST(contains(s.message("POSCAR", " \n \n"), "empty"));
    BOOST_TEST(contains(s.message("POSCAR", "t\nx\n1 0 0\n0 1 0\n0 0 1\n"), "POSCAR:2: 'x' is not a scale"));
    BOOST_TEST(contains(s.message("POSCAR", "t\n1\n1 0 0\n2 0 0\n0 0 1\n"), "no volume"));
    BOOST_TEST(contains(s.message("POSCAR", "t\n1\n1 0\n"), "POSCAR:3: expected three numbers"));
    BOOST_TEST(
        contains(s.message("POSCAR", poscar_head + "C H\n1\nDirect\n0 0 0\n"), "2 species but 1 counts"));
    BOOST_TEST(contains(s.message("POSCAR", poscar_head + "C\n3\nDirect\n0 0 0\n0 0 .1\n"), "atom 3 of 3"));
    BOOST_TEST(contains(s.message("POSCAR", poscar_head + "C\n2\nDirect\n0 0 0\n0 0 0.1-0.2\n"),
                        "POSCAR:10: '0.1-0.2'"));
    BOOST_TEST(
        contains(s.message("POSCAR", poscar_head + "C\n1\nSelective\nDirect\n0 0 0\n"), "no three flags"));
    BOOST_TEST(contains(s.message("POSCAR", "t\n1\n2 1 0\n0 3 0\n0 0 9\nC\n1\nS\nD\n0 0 0 F T F\n0 0 0\n"),
                        "no error"));
    BOOST_TEST(contains(s.message("POSCAR", "t\n1\n2 1 0\n0 3 0\n0 0 9\nC\n1\nS\nD\n0 0 0 T F F\n"),
                        "POSCAR:10: flags"));
    BOOST_TEST(
        contains(s.message("POSCAR", poscar_head + "C\n999999999999\nDirect\n"), "not a number of atoms"));
    BOOST_TEST(contains(s.message("POSCAR", poscar_head + "C\n99999999\nDirect\n"), "too short"));
}

BOOST_AUTO_TEST_CASE(files_cut_or_changed_anywhere_never_crash) {
    const Scratch s;
    for (const char* name : {"a.extxyz", "a.vasp", "a.gen"}) {
        write_structure(s.path() / name, slanted());
        check_every_cut(s, name, read_text(s.path() / name));
    }
}

BOOST_AUTO_TEST_CASE(a_trajectory_with_energies_and_forces_is_read_back) {
    const Scratch s;
    const fs::path path = s.path() / "t.extxyz";
    Frame frame{slanted(), {{"energy", -3.25}, {"time_fs", 0.5}}, {}};
    frame.arrays["forces"] = Eigen::MatrixXd::Random(3, 3);
    frame.arrays["charges"] = Eigen::MatrixXd::Random(1, 3);
    {
        TrajectoryWriter writer(path);
        writer.write(frame);
        frame.info["time_fs"] = 1.5;
        writer.write(frame);
        writer.sync();
        BOOST_TEST(writer.n_frames() == 2);
    }
    const auto frames = read_trajectory(path);
    BOOST_REQUIRE(frames.size() == 2U);
    check_same(frame.structure, frames[1].structure);
    BOOST_TEST(frames[1].info.at("energy") == -3.25, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(frames[1].info.at("time_fs") == 1.5);
    BOOST_TEST(frames[1].arrays.at("forces").isApprox(frame.arrays["forces"], 1e-15));
    BOOST_TEST((frames[1].arrays.at("charges").array() == frame.arrays["charges"].array()).all());
    BOOST_TEST(contains(read_text(path), "energy=-88.43"));  // eV in the file
    frame.arrays["charges"].resize(1, 2);
    BOOST_CHECK_THROW(TrajectoryWriter(path).write(frame), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_resumed_trajectory_is_the_same_byte_for_byte) {
    const Scratch s;
    const auto frame_at = [](int i) {
        Frame frame{slanted(), {{"step", i}}, {}};
        frame.structure.positions *= 1 + 0.01 * i;
        return frame;
    };
    {
        TrajectoryWriter writer(s.path() / "whole.extxyz");
        for (int i = 0; i < 7; ++i) writer.write(frame_at(i));
    }
    const std::string whole = read_text(s.path() / "whole.extxyz");
    {
        TrajectoryWriter writer(s.path() / "resumed.extxyz");
        for (int i = 0; i < 5; ++i) writer.write(frame_at(i));
    }
    // the crash came in the middle of a frame, the last checkpoint three frames before
    const std::string crashed = read_text(s.path() / "resumed.extxyz");
    const fs::path path = s.write("resumed.extxyz", crashed.substr(0, crashed.size() - 25));
    BOOST_CHECK_THROW(read_trajectory(path), FileError);
    BOOST_CHECK_THROW(TrajectoryWriter(path, 5), FileError);  // it holds four whole frames
    {
        TrajectoryWriter writer(path, 2);
        BOOST_TEST(writer.n_frames() == 2);
        for (int i = 2; i < 7; ++i) writer.write(frame_at(i));
    }
    BOOST_TEST(read_text(path) == whole);
    TrajectoryWriter fresh(path);
    BOOST_TEST(read_text(path).empty());
    BOOST_CHECK_THROW(TrajectoryWriter(s.path() / "absent.extxyz", 1), FileError);
}

BOOST_AUTO_TEST_CASE(detections_are_read_back_to_the_same_bits) {
    const Scratch s;
    const fs::path path = s.path() / "atoms.csv";
    const Detections detections = {{1.0 / 3, 2, 3, 4e-20, 6, 0.99, 0.01, 0.05, 4},
                                   {5, 6, 7, 8, 0, 0.5, 0, 0.1}};
    write_detections_csv(path, detections);
    const Detections back = read_detections_csv(path);
    BOOST_REQUIRE(back.size() == 2U);
    BOOST_TEST(back[0].x_px == 1.0 / 3);
    BOOST_TEST(back[0].y_angstrom == 4e-20);
    BOOST_TEST(back[0].atomic_number == 6);
    BOOST_TEST(back[1].atomic_number == 0);
    BOOST_TEST(back[0].votes == 4);
    BOOST_TEST(back[1].sigma_angstrom == 0.1);
    const std::string text = read_text(path);
    BOOST_TEST(text.starts_with(
        "x_px,y_px,x_angstrom,y_angstrom,element,probability,spread,sigma_angstrom,votes\n"));
    const auto fails = [&](const std::string& content, const std::string& part) {
        try {
            read_detections_csv(s.write("bad.csv", content));
        } catch (const FileError& error) {
            return contains(error.what(), part);
        }
        return false;
    };
    const std::string header = text.substr(0, text.find('\n') + 1);
    BOOST_TEST(fails("", "header"));
    BOOST_TEST(fails("x,y\n1,2\n", "bad.csv:1: the header"));
    BOOST_TEST(fails(header + "1,2,3\n", "bad.csv:2: 3 columns"));
    BOOST_TEST(fails(header + "1,2,3,4,Qq,1,0,0,1\n", "bad.csv:2: 'Qq'"));
    BOOST_TEST(fails(header + "1,2,3,four,C,1,0,0,1\n", "y_angstrom"));
    BOOST_TEST(fails(header + "1,2,3,4,C,1,0,0,two\n", "votes"));
    BOOST_CHECK_THROW(read_detections_csv(s.path() / "absent.csv"), FileError);
    // Tables without votes have one for each atom.
    const Detections old = read_detections_csv(s.write(
        "old.csv",
        "x_px,y_px,x_angstrom,y_angstrom,element,probability,spread,sigma_angstrom\n1,2,3,4,Si,1,0,0\n"));
    BOOST_TEST(old.at(0).votes == 1);
    BOOST_TEST(old.at(0).atomic_number == 14);
    // Columns may stand in any order, among others.
    const Detections other = read_detections_csv(
        s.write("other.csv",
                "element,y_px,x_px,remark,sigma_angstrom,x_angstrom,y_angstrom,probability,spread\n"
                "Si,2,1,by hand,0.1,3,4,1,0\n"));
    BOOST_TEST(other.at(0).x_px == 1);
    BOOST_TEST(other.at(0).y_angstrom == 4);
    BOOST_TEST(other.at(0).sigma_angstrom == 0.1);
    BOOST_TEST(other.at(0).atomic_number == 14);
    write_detections_csv(path, {});
    BOOST_TEST(read_detections_csv(path).empty());
}

BOOST_AUTO_TEST_SUITE_END()
