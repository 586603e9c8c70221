// SPDX-License-Identifier: Apache-2.0
// Images in HDF5 with damaged bytes: read or refused, but the program lives.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <random>

#include <hdf5.h>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(test_damaged_hdf5)

namespace {

/// A chunked, compressed stack with attributes: as many structures of the format as one file can show.
std::string whole_file(const fs::path& path) {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group = H5Gcreate2(file, "measurement", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t shape[3] = {2, 12, 16}, chunk[3] = {1, 6, 8};
    const hid_t space = H5Screate_simple(3, shape, nullptr), packed = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(packed, 3, chunk);
    H5Pset_deflate(packed, 6);
    const hid_t data = H5Dcreate2(group, "image", H5T_IEEE_F32LE, space, H5P_DEFAULT, packed, H5P_DEFAULT);
    std::vector<float> values(2 * 12 * 16);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 97);
    H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    const hid_t scalar = H5Screate(H5S_SCALAR), text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 12);
    const hid_t attribute = H5Acreate2(data, "pixel_size", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, text, "0.1 angstrom");
    H5Aclose(attribute);
    H5Tclose(text);
    H5Sclose(scalar);
    H5Dclose(data);
    H5Pclose(packed);
    H5Sclose(space);
    H5Gclose(group);
    H5Fclose(file);
    return io::read_text(path);
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_damaged_byte_of_an_image_brings_the_program_down) {
    const testing::TemporaryFolder folder;
    const fs::path path = folder.path() / "image.h5";
    const std::string whole = whole_file(path);
    BOOST_REQUIRE(io::read_image(path).width() == 16);
    std::mt19937 random(7);
    int read = 0, refused = 0;
    for (int turn = 0; turn < 150; ++turn) {
        std::string damaged = whole;
        const auto times = 1 + random() % 6;
        for (unsigned k = 0; k < times; ++k)
            damaged[random() % damaged.size()] = static_cast<char>(random() % 4 == 0 ? 0xff : random());
        if (random() % 5 == 0) damaged.resize(random() % damaged.size());
        std::ofstream(path, std::ios::binary) << damaged;
        try {
            for (int frame = 0; frame < io::n_frames(path); ++frame) io::read_image(path, frame);
            ++read;
        } catch (const Error& error) {
            BOOST_TEST(std::string(error.what()).size() > 10u);
            ++refused;
        }
    }
    BOOST_TEST_MESSAGE(read << " read, " << refused << " refused");
    BOOST_TEST(read > 5);
    BOOST_TEST(refused > 30);
}

BOOST_AUTO_TEST_SUITE_END()
