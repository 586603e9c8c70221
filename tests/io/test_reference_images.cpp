// SPDX-License-Identifier: Apache-2.0
// Published micrographs are read with the right sizes, and whole files only.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(test_reference_images)

BOOST_AUTO_TEST_CASE(the_paper_frame_is_read) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const fs::path folder = reference / "stem" / "paper_frame";
    const Image frame = read_image(folder / "frame896_upsampled_bicubic.png");
    BOOST_TEST(frame.height() == 896);
    BOOST_TEST(frame.width() == 896);
    BOOST_TEST(frame.pixels.maxCoeff() > 100.0F);
    BOOST_TEST(read_image(folder / "Gr_SiCr_1024frame_plot652.png").width() == 652);

    // The same frame as PNG and as floating point: equal up to a linear change of the grey scale.
    const Pixels png = read_image(folder / "frame896_plotscale.png").pixels;
    const Pixels npy = read_image(folder / "frame896_plotscale.npy").pixels;
    BOOST_REQUIRE(png.rows() == npy.rows());
    BOOST_REQUIRE(png.cols() == npy.cols());
    const Eigen::ArrayXXd a = png.cast<double>() - png.cast<double>().mean();
    const Eigen::ArrayXXd b = npy.cast<double>() - npy.cast<double>().mean();
    const double correlation = (a * b).sum() / std::sqrt(a.square().sum() * b.square().sum());
    BOOST_TEST(correlation > 0.999);
}

BOOST_AUTO_TEST_CASE(every_published_micrograph_is_read) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    int read = 0;
    for (const auto& entry : fs::recursive_directory_iterator(reference / "stem")) {
        const fs::path suffix = entry.path().extension();
        if (suffix != ".png" && suffix != ".npy") continue;
        BOOST_TEST_INFO(entry.path());
        BOOST_CHECK_NO_THROW(BOOST_TEST(read_image(entry.path()).width() > 30));
        ++read;
    }
    BOOST_TEST(read > 100);
}

BOOST_AUTO_TEST_CASE(a_real_png_cut_anywhere_is_an_error) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const std::string whole = read_text(reference / "stem" / "librarynet" / "Si1C3_102.png");
    const testing::TemporaryFolder folder;
    const fs::path path = folder.path() / "cut.png";
    for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 200) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, length);
        BOOST_CHECK_THROW(read_image(path), FileError);
    }
}

BOOST_AUTO_TEST_SUITE_END()
