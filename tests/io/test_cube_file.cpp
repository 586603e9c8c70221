// SPDX-License-Identifier: Apache-2.0
// Cube files: what is written, what is read back, what is refused.
#include "stembridge/io/cube_file.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using stembridge::testing::TemporaryFolder;

namespace {

io::Cube example() {
    io::Cube cube;
    cube.comments = {"a title", "two\nlines are one"};
    cube.structure.add(14, {0.5, -1.25, 2});
    cube.structure.add(1, {1, 2, 3});
    cube.grid.origin = {-1, -2, -3};
    cube.grid.steps << 0.5, 0.25, 0, 0, 0.5, 0, 0, 0, 0.75;
    cube.grid.points = {2, 3, 7};
    cube.values.resize(cube.grid.size());
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 7; ++k) cube.values(cube.grid.index(i, j, k)) = 100 * i + 10 * j + k;
    return cube;
}

std::string written(const TemporaryFolder& folder, const io::Cube& cube) {
    io::write_cube(folder.path() / "f.cube", cube);
    return io::read_text(folder.path() / "f.cube");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_cube_file)

BOOST_AUTO_TEST_CASE(the_layout_is_the_one_that_other_programs_read) {
    const TemporaryFolder folder;
    const std::string text = written(folder, example());
    const std::string expected =
        "a title\n"
        "two lines are one\n"
        "    2   -1.000000   -2.000000   -3.000000\n"
        "    2    0.500000    0.000000    0.000000\n"
        "    3    0.250000    0.500000    0.000000\n"
        "    7    0.000000    0.000000    0.750000\n"
        "   14   14.000000    0.500000   -1.250000    2.000000\n"
        "    1    1.000000    1.000000    2.000000    3.000000\n"
        "  0.00000E+00  1.00000E+00  2.00000E+00  3.00000E+00  4.00000E+00  5.00000E+00\n"
        "  6.00000E+00\n"
        "  1.00000E+01";
    BOOST_TEST(text.substr(0, expected.size()) == expected);
    BOOST_TEST(text.ends_with("  1.26000E+02\n"));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
    const TemporaryFolder folder;
    io::Cube cube = example();
    cube.values(3) = -1.234567e-7;
    cube.values(4) = 1e-200;  // would need an exponent of three digits
    written(folder, cube);
    const io::Cube back = io::read_cube(folder.path() / "f.cube");
    BOOST_TEST(back.comments[0] == "a title");
    BOOST_TEST(back.structure.atomic_numbers == cube.structure.atomic_numbers,
               boost::test_tools::per_element());
    BOOST_TEST((back.structure.positions - cube.structure.positions).norm() < 1e-6);
    BOOST_TEST((back.grid.steps - cube.grid.steps).norm() < 1e-6);
    BOOST_TEST((back.grid.origin - cube.grid.origin).norm() < 1e-6);
    BOOST_TEST(back.grid.points == cube.grid.points, boost::test_tools::per_element());
    BOOST_TEST(back.values(3) == -1.23457e-7, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(back.values(4) == 0);
    cube.values(3) = back.values(3);
    cube.values(4) = 0;
    BOOST_TEST((back.values - cube.values).cwiseAbs().maxCoeff() == 0);
}

BOOST_AUTO_TEST_CASE(negative_numbers_of_points_mean_angstrom_and_of_atoms_an_orbital) {
    const TemporaryFolder folder;
    std::ofstream(folder.path() / "a.cube") << "by another program\n\n"
                                               "-1 1.0 0.0 0.0\n-1 0.2 0 0\n-2 0 0.2 0\n-2 0 0 0.2\n"
                                               "6 6.0 0.5 0 0\n1 5\n1.0D-1 2 3 +4e0\n";
    const io::Cube cube = io::read_cube(folder.path() / "a.cube");
    BOOST_TEST(cube.grid.origin(0) == units::angstrom, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(cube.grid.steps(1, 1) == 0.2 * units::angstrom, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(cube.structure.positions(0, 0) == 0.5 * units::angstrom, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(cube.grid.points[2] == 2);
    BOOST_TEST(cube.values(0) == 0.1);
    BOOST_TEST(cube.values(3) == 4);
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused_with_the_line) {
    const TemporaryFolder folder;
    const std::string text = written(folder, example());
    const auto refused = [&](std::string content, const std::string& place) {
        std::ofstream(folder.path() / "b.cube") << content;
        BOOST_CHECK_EXCEPTION(io::read_cube(folder.path() / "b.cube"), FileError, [&](const FileError& e) {
            BOOST_TEST_INFO(e.what());
            return std::string(e.what()).find(place) != std::string::npos;
        });
    };
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string content = text;
        return content.replace(content.find(from), from.size(), to);
    };
    refused("", ":1:");
    refused(text.substr(0, text.size() / 2), "ends");
    refused(changed("    7    0.0", "    x    0.0"), ":6:");
    refused(changed("    7    0.0", "99999    0.0"), "too short");
    refused(changed("    7    0.0", "    0    0.0"), ":6:");
    refused(changed("   14   14", "  140   14"), ":7:");
    refused(changed("  6.00000E+00", "  nan"), ":10:");
    refused(changed("    2   -1.0", "   -2   -1.0"), "");
    BOOST_CHECK_THROW(io::read_cube(folder.path() / "absent.cube"), FileError);
    io::Cube cube = example();
    cube.values(2) = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_THROW(io::write_cube(folder.path() / "c.cube", cube), InputError);
    cube.values.resize(4);
    BOOST_CHECK_THROW(io::write_cube(folder.path() / "c.cube", cube), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
