// SPDX-License-Identifier: Apache-2.0
// The reader of Slater-Koster files.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/tb/tables/skf.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

struct File {
    testing::TemporaryFolder folder;
    std::filesystem::path path = folder.path() / "X-X.skf";

    void write(const std::string& text) const { std::ofstream(path) << text; }
    SkfTable read(bool homonuclear = true) const { return read_skf(path, homonuclear); }
    /// The message of the error that reading gives.
    std::string error(const std::string& text, bool homonuclear = true) const {
        write(text);
        try {
            read(homonuclear);
        } catch (const FileError& e) {
            return e.what();
        }
        return "no error";
    }
};

const std::string grid = "0.1, 11, 3\n";
const std::string atom = "0.1 -0.2 -0.5, -0.04 0.2 0.35 0.4 0.0 2.0 2.0 T 1 0.34\n";
const std::string mass = "12.01, 19*0.0\n";

std::string rows(int n) {
    std::string text;
    for (int k = 1; k <= n; ++k)
        text += fmt::format("5*0.0 -{0} +{0}D-1 2*0.5, 0.25 9*0.1 0.9 trailing words\n", k);
    return text;
}

bool mentions(const std::string& message, const std::string& part) {
    return message.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_skf)

BOOST_AUTO_TEST_CASE(reads_shorthand_commas_exponents_and_trailing_words) {
    const File file;
    file.write(grid + atom + mass + rows(10));
    const SkfTable t = file.read();
    BOOST_TEST(t.spacing == 0.1);
    BOOST_TEST(t.n_rows == 10);
    BOOST_TEST(t.mass_dalton == 12.01);
    BOOST_TEST((*t.atom)[0].onsite_energy == -0.5);
    BOOST_TEST((*t.atom)[1].hubbard == 0.35);
    BOOST_TEST((*t.atom)[2].onsite_energy == 0.1);
    BOOST_TEST((*t.atom)[0].occupation == 2.0);
    BOOST_TEST(t.hamiltonian(3, 1, 1, 0) == -3.0);  // pp sigma
    BOOST_TEST(t.hamiltonian(3, 1, 1, 1) == 0.3);   // pp pi
    BOOST_TEST(t.hamiltonian(3, 0, 0, 0) == 0.25);
    BOOST_TEST(t.overlap(3, 0, 0, 0) == 0.9);
    BOOST_TEST(t.overlap(3, 2, 2, 1) == 0.1);
    BOOST_TEST(t.repulsive.is_zero());
}

BOOST_AUTO_TEST_CASE(reads_the_extended_format_with_f_shells) {
    const File file;
    std::string text = "@\n0.1 11\n0.5 0.1 -0.2 -0.5 0.0 0.1 0.2 0.35 0.4 7.0 0.0 2.0 2.0\n" + mass;
    for (int k = 1; k <= 10; ++k) {
        // ff0-3 df0-2 dd0-2 pf0-1 pd0-1 pp0-1 sf0 sd0 sp0 ss0, numbered
        for (int i = 1; i <= 40; ++i) text += fmt::format("{} ", i / 100.0);
        text += "\n";
    }
    file.write(text);
    const SkfTable t = file.read();
    BOOST_TEST(t.extended);
    BOOST_TEST((*t.atom)[3].occupation == 7.0);
    BOOST_TEST(t.hamiltonian(1, 3, 3, 3) == 0.04);
    BOOST_TEST(t.hamiltonian(1, 2, 3, 0) == 0.05);
    BOOST_TEST(t.hamiltonian(1, 2, 2, 2) == 0.10);
    BOOST_TEST(t.hamiltonian(1, 1, 3, 1) == 0.12);
    BOOST_TEST(t.hamiltonian(1, 0, 3, 0) == 0.17);
    BOOST_TEST(t.overlap(1, 0, 0, 0) == 0.40);
}

BOOST_AUTO_TEST_CASE(polynomial_repulsive_and_its_derivatives) {
    const File file;
    file.write(grid + atom + "12.01 0.02 -0.01 6*0.0 3.0 10*0.0\n" + rows(10));
    const SkfRepulsive v = file.read().repulsive;
    BOOST_TEST(!v.is_spline());
    BOOST_TEST(v.cutoff() == 3.0);
    BOOST_TEST(v.evaluate(2.0)[0] == 0.02 - 0.01, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(v.evaluate(2.0)[1] == -0.04 + 0.03, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(v.evaluate(2.0)[2] == 0.04 - 0.06, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(v.evaluate(3.1)[0] == 0.0);
}

BOOST_AUTO_TEST_CASE(spline_repulsive_with_head_and_fifth_order_end) {
    const File file;
    file.write(grid + atom + mass + rows(11) +
               "Spline\n2 3.0\n2.0 1.0 -0.1\n1.0 2.0 0.5 -0.4 0.3 -0.2\n"
               "2.0 3.0 0.2 -0.1 0.1 0.05 -0.02 0.01\n<Documentation>\n");
    const SkfRepulsive v = file.read().repulsive;
    BOOST_TEST(v.is_spline());
    BOOST_TEST(v.evaluate(0.5)[0] == std::exp(-2.0 * 0.5 + 1.0) - 0.1, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(v.evaluate(1.5)[0] == 0.5 - 0.2 + 0.075 - 0.025, boost::test_tools::tolerance(1e-12));
    const double x = 0.5;
    BOOST_TEST(v.evaluate(2.5)[0] == 0.2 - 0.1 * x + 0.1 * x * x + 0.05 * x * x * x - 0.02 * x * x * x * x +
                                         0.01 * x * x * x * x * x,
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(v.evaluate(3.0)[0] == 0.0);
    for (const double r : {0.4, 1.3, 2.6}) {
        // Central differences with step h are good to h^2 times the third derivative.
        const double h = 1e-5;
        BOOST_TEST(v.evaluate(r)[1] == (v.evaluate(r + h)[0] - v.evaluate(r - h)[0]) / (2 * h),
                   boost::test_tools::tolerance(1e-7));
        BOOST_TEST(v.evaluate(r)[2] == (v.evaluate(r + h)[1] - v.evaluate(r - h)[1]) / (2 * h),
                   boost::test_tools::tolerance(1e-7));
    }
}

BOOST_AUTO_TEST_CASE(every_malformed_line_is_named) {
    const File file;
    const auto at = [&](int line) { return fmt::format("X-X.skf:{}:", line); };
    BOOST_TEST(mentions(file.error(""), at(1)));
    BOOST_TEST(mentions(file.error("0.1\n"), at(1)));
    BOOST_TEST(mentions(file.error("0.1 7.5\n"), at(1)));
    BOOST_TEST(mentions(file.error("-0.1 11\n"), at(1)));
    BOOST_TEST(mentions(file.error(grid + "0.1 0.2\n"), at(2)));
    BOOST_TEST(mentions(file.error(grid + "0.1 -0.2 -0.5 0.0 0.2 0.3 0.4 0.0 7.0 2.0\n"), "outside 0..6"));
    BOOST_TEST(mentions(file.error(grid + atom + "12.0 5*abc\n"), at(3)));
    BOOST_TEST(mentions(file.error(grid + atom + mass + rows(4) + "0.0 0.1\n"), at(8)));
    BOOST_TEST(mentions(file.error(grid + atom + mass + rows(4) + "x*0.1\n"), at(8)));
    BOOST_TEST(mentions(file.error(grid + atom + mass + rows(4) + "nan 19*0.1\n"), at(8)));
    BOOST_TEST(mentions(file.error(grid + atom + mass + rows(4) + "10*0.1 10*7.0\n"), "beyond all reason"));
    BOOST_TEST(
        mentions(file.error(grid + atom + mass + rows(4)), "the file ends where integral row 5 of 10"));
    const std::string good = grid + atom + mass + rows(10) + "Spline\n";
    BOOST_TEST(mentions(file.error(good), at(15)));
    BOOST_TEST(mentions(file.error(good + "2.5 3.0\n"), at(15)));
    BOOST_TEST(mentions(file.error(good + "1 3.0\n1.0 2.0\n"), at(16)));
    BOOST_TEST(mentions(file.error(good + "2 3.0\n1 1 0\n1.0 2.0 4*0.1\n2.1 3.0 6*0.1\n"), "begins at 2.1"));
    BOOST_TEST(mentions(file.error(good + "1 3.5\n1 1 0\n1.0 3.0 6*0.1\n"), "cut-off is 3.5"));
    BOOST_TEST(mentions(file.error(good + "1 3.0\n1 1 0\n3.0 1.0 6*0.1\n"), "end must lie after"));
    BOOST_CHECK_THROW(read_skf(file.folder.path() / "none.skf", true), FileError);
}

BOOST_AUTO_TEST_CASE(padding_rows_are_recognised) {
    const File file;
    std::string text = grid + atom + mass;
    for (int k = 0; k < 3; ++k) text += "20*1.0,\n";
    for (int k = 0; k < 2; ++k) text += "20*0.0\n";
    file.write(text + rows(5));
    BOOST_TEST(file.read().first_distance() == 0.6, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(all_missing_pairs_are_named_at_once_and_folders_searched_in_order) {
    const testing::TemporaryFolder first, second;
    for (const char* name : {"C-C.skf", "C-H.skf"}) std::ofstream(second.path() / name) << "x";
    std::ofstream(first.path() / "C-C.skf") << "x";
    const auto found = find_skf({first.path(), second.path()}, {"C"});
    BOOST_TEST(found.at({"C", "C"}).parent_path() == first.path());
    try {
        find_skf({first.path(), second.path()}, {"C", "H"});
        BOOST_ERROR("no error for missing pairs");
    } catch (const InputError& e) {
        BOOST_TEST(mentions(e.what(), "H-C, H-H"));
        BOOST_TEST(!mentions(e.what(), "C-H"));
    }
    BOOST_CHECK_THROW(find_skf({first.path() / "none"}, {"C"}), FileError);
}

BOOST_AUTO_TEST_SUITE_END()
