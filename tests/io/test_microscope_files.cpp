// SPDX-License-Identifier: Apache-2.0
// Files of microscope software: Gatan's .dm3 and .dm4, EMD of Velox and Berkeley, NSID, USID.
#include <hdf5.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "dm_writer.hpp"
#include "image_builders.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

auto says(const std::string& part) {
    return [part](const Error& e) {
        if (std::string(e.what()).find(part) != std::string::npos) return true;
        BOOST_TEST_MESSAGE("'" << part << "' is not in: " << e.what());
        return false;
    };
}

// --- HDF5

void write_dataset(hid_t file, const std::string& name, const std::vector<hsize_t>& shape,
                   const std::vector<double>& values, hid_t type) {
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t id = H5Dcreate2(file, name.c_str(), type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(links);
}

std::vector<double> counted(std::size_t n) {
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<double>(i);
    return values;
}

/// An attribute of one or more texts of fixed length.
void write_texts(hid_t file, const std::string& object, const char* name,
                 const std::vector<std::string>& texts) {
    const std::size_t length = 8;
    std::string raw;
    for (std::string text : texts) {
        text.resize(length, '\0');
        raw += text;
    }
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, length);
    const hsize_t n = texts.size();
    const hid_t space = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, nullptr);
    const hid_t id =
        H5Acreate_by_name(file, object.c_str(), name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, raw.data());
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

void write_reference(hid_t file, const std::string& object, const char* name, const std::string& target) {
    hobj_ref_t reference;
    H5Rcreate(&reference, file, target.c_str(), H5R_OBJECT, -1);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t id = H5Acreate_by_name(file, object.c_str(), name, H5T_STD_REF_OBJ, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, H5T_STD_REF_OBJ, &reference);
    H5Aclose(id);
    H5Sclose(space);
}

/// What attaching dimension scales leaves in the file: one list of references per axis.
void write_dimension_list(hid_t file, const std::string& object, const std::vector<std::string>& scales) {
    std::vector<hobj_ref_t> references(scales.size());
    std::vector<hvl_t> lists;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        H5Rcreate(&references[i], file, scales[i].c_str(), H5R_OBJECT, -1);
        lists.push_back({1, &references[i]});
    }
    const hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    const hsize_t n = scales.size();
    const hid_t space = H5Screate_simple(1, &n, nullptr);
    const hid_t id = H5Acreate_by_name(file, object.c_str(), "DIMENSION_LIST", type, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, lists.data());
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

hid_t new_file(const fs::path& path) {
    return H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Cut anywhere: FileError.
void check_cuts(const Scratch& s, const std::string& name, const std::string& whole, std::size_t step) {
    BOOST_CHECK_NO_THROW(s.read(name, whole));
    for (std::size_t length = 0; length < whole.size(); length += step)
        BOOST_CHECK_THROW(s.read(name, whole.substr(0, length)), FileError);
}

/// Changed anywhere: other pixels or an Error.
void check_changes(const Scratch& s, const std::string& name, const std::string& whole, std::size_t step) {
    for (std::size_t at = 0; at < whole.size(); at += step)
        for (const int mask : {0x01, 0x80, 0xff}) {
            std::string changed = whole;
            changed[at] = static_cast<char>(changed[at] ^ mask);
            try {
                s.read(name, changed);
            } catch (const Error&) {
            }
        }
}

/// A Velox file of two frames of 2 x 3 pixels, frames last.
void write_velox(const fs::path& path, const std::string& unit) {
    const hid_t file = new_file(path);
    const std::string group = "Data/Image/0123abc/";
    write_dataset(file, group + "Data", {2, 3, 2}, {0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15}, H5T_STD_U16LE);
    const std::string json = R"({"BinaryResult": {"PixelSize": {"width": "1.04e-11", "height": "1.04e-11"},)"
                             R"( "PixelUnitX": ")" +
                             unit + R"(", "Detector": "HAADF"}})";
    std::vector<double> characters;
    for (const char c : json) characters.insert(characters.end(), 2, static_cast<double>(c));
    characters.insert(characters.end(), 40, 0.0);
    write_dataset(file, group + "Metadata", {characters.size() / 2, 2}, characters, H5T_STD_U8LE);
    H5Fclose(file);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_microscope_files)

BOOST_AUTO_TEST_CASE(dm_files_of_both_versions_and_byte_orders_are_read) {
    const Scratch s;
    for (const int version : {3, 4})
        for (const bool big : {false, true}) {
            const DmWriter dm{version, big};
            const std::string name = version == 3 ? "a.dm3" : "a.dm4";
            const Image image = s.read(name, dm.usual<float>(2, 6));
            BOOST_TEST(is_counted(image, 2, 3));
            BOOST_REQUIRE(image.pixel_size_angstrom.has_value());
            BOOST_TEST(*image.pixel_size_angstrom == 0.104, boost::test_tools::tolerance(1e-6));
            BOOST_TEST(image.source.find("HAADF \u00e9") != std::string::npos);
            BOOST_TEST(is_counted(s.read(name, dm.usual<std::int16_t>(1, 2)), 2, 3));
            BOOST_TEST(is_counted(s.read(name, dm.usual<std::uint8_t>(6, 10)), 2, 3));
            BOOST_TEST(is_counted(s.read(name, dm.usual<std::int32_t>(7, 3)), 2, 3));
            BOOST_TEST(is_counted(s.read(name, dm.usual<std::int8_t>(9, 9)), 2, 3));
            BOOST_TEST(is_counted(s.read(name, dm.usual<std::uint16_t>(10, 4)), 2, 3));
            BOOST_TEST(is_counted(s.read(name, dm.usual<std::uint32_t>(11, 5)), 2, 3));
            BOOST_TEST(is_counted(s.read(name, dm.usual<double>(12, 7)), 2, 3));
        }
}

BOOST_AUTO_TEST_CASE(dm_images_are_chosen_by_name_and_thumbnails_left_out) {
    const Scratch s;
    const DmWriter dm;
    const std::string file = dm.usual<float>(2, 6);
    BOOST_TEST(s.read("a.dm3", file, 0, "HAADF \u00e9").width() == 3);
    BOOST_TEST(s.read("a.dm3", file, 0, "0").width() == 1);  // the thumbnail, when asked for
    BOOST_CHECK_EXCEPTION(s.read("a.dm3", file, 0, "BF"), InputError,
                          says("no image 'BF'; it has: 0, HAADF"));
    // A thumbnail alone is better than nothing.
    const std::string alone = dm.file({dm.group("ImageList", {dm.image(u"", 6, 10, {1, 1}, "a", 1, u"nm")}),
                                       dm.group("Thumbnails", {dm.group("", {dm.uint32("ImageIndex", 0)})})});
    BOOST_TEST(s.read("a.dm3", alone).pixels(0, 0) == 97.0F);
}

BOOST_AUTO_TEST_CASE(dm_stacks_have_the_frame_last_in_their_dimensions) {
    const Scratch s;
    const DmWriter dm;
    std::string data;
    for (int i = 0; i < 12; ++i) data += bytes_of(static_cast<std::uint16_t>(i));
    const std::string file =
        dm.file({dm.group("ImageList", {dm.image(u"", 10, 4, {3, 2, 2}, data, 0.1F, u"nm")})});
    BOOST_TEST(is_counted(s.read("a.dm3", file, 1), 2, 3, 6));
    ImageStack stack(s.path() / "a.dm3");
    BOOST_TEST(stack.n_frames() == 2);
    for (int frame = 0; frame < 2; ++frame) BOOST_TEST(is_counted(stack.read(frame), 2, 3, 6 * frame));
    BOOST_CHECK_EXCEPTION(stack.read(2), InputError, says("no frame 2"));
}

BOOST_AUTO_TEST_CASE(dm_units_are_turned_into_angstrom_and_reciprocal_ones_refused) {
    const Scratch s;
    const DmWriter dm;
    const auto size = [&](const std::u16string& unit) {
        return s.read("a.dm3", dm.usual<float>(2, 6, 0.5F, unit)).pixel_size_angstrom;
    };
    BOOST_TEST(size(u"nm").value() == 5.0);
    BOOST_TEST(size(u"\u00c5").value() == 0.5);
    BOOST_TEST(size(u"\u00b5m").value() == 5000.0);
    BOOST_TEST(size(u"pm").value() == 0.005, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(!size(u"").has_value());
    BOOST_TEST(!size(u"counts").has_value());
    BOOST_CHECK_EXCEPTION(size(u"1/nm"), InputError, says("diffraction pattern"));
}

BOOST_AUTO_TEST_CASE(dm_files_with_unusable_pixels_say_so) {
    const Scratch s;
    const DmWriter dm;
    const auto file = [&](std::uint32_t type, const std::vector<std::uint32_t>& dimensions) {
        return dm.file({dm.group("ImageList", {dm.image(u"", type, 6, dimensions,
                                                        std::string(4 * dimensions[0], '\0'), 1, u"nm")})});
    };
    BOOST_CHECK_EXCEPTION(s.read("a.dm3", file(3, {2, 1})), InputError, says("complex"));
    BOOST_CHECK_EXCEPTION(s.read("a.dm3", file(2, {4})), InputError, says("1 dimension,"));
    BOOST_CHECK_EXCEPTION(s.read("a.dm3", dm.file({dm.uint32("x", 1)})), InputError, says("no image"));
    // A description that claims more than the file has is refused before anything is allocated.
    const std::string huge = dm.file({dm.group(
        "ImageList", {dm.group("", {dm.group("ImageData", {dm.value("Data", {20, 6, 1ULL << 31}, "")})})})});
    BOOST_CHECK_EXCEPTION(s.read("a.dm3", huge), FileError, says("truncated"));
}

BOOST_AUTO_TEST_CASE(dm_files_cut_or_changed_anywhere_never_crash) {
    const Scratch s;
    const std::string three = DmWriter{3, false}.usual<float>(2, 6),
                      four = DmWriter{4, true}.usual<std::uint16_t>(10, 4);
    check_cuts(s, "a.dm3", three, 1);
    check_changes(s, "a.dm3", three, 1);
    check_cuts(s, "a.dm4", four, 3);
    check_changes(s, "a.dm4", four, 3);
}

BOOST_AUTO_TEST_CASE(velox_frames_come_last_and_their_pixel_size_is_in_the_metadata) {
    const Scratch s;
    const fs::path path = s.path() / "a.emd";
    write_velox(path, "m");
    BOOST_TEST(n_frames(path) == 2);
    BOOST_TEST(is_counted(read_image(path, 0), 2, 3, 0));
    const Image second = read_image(path, 1);
    BOOST_TEST(is_counted(second, 2, 3, 10));
    BOOST_TEST(second.pixel_size_angstrom.value() == 0.104, boost::test_tools::tolerance(1e-9));
    const std::string whole = content_of(path);
    check_cuts(s, "b.emd", whole, 211);
    write_velox(path, "1/m");
    BOOST_CHECK_EXCEPTION(read_image(path), InputError, says("1/m"));
}

BOOST_AUTO_TEST_CASE(berkeley_emd_axes_give_orientation_and_pixel_size) {
    const Scratch s;
    const fs::path path = s.path() / "a.emd";
    const hid_t file = new_file(path);
    write_dataset(file, "aaa_table", {2, 2}, counted(4), H5T_NATIVE_FLOAT);  // only looks like an image
    write_dataset(file, "data/real/data", {2, 3, 4}, counted(24), H5T_NATIVE_FLOAT);
    write_dataset(file, "data/real/dim1", {2}, {0, 1}, H5T_NATIVE_DOUBLE);
    write_dataset(file, "data/real/dim2", {3}, {0, 0.02, 0.04}, H5T_NATIVE_DOUBLE);
    write_dataset(file, "data/real/dim3", {4}, {1, 1.02, 1.04, 1.06}, H5T_NATIVE_DOUBLE);
    const double one = 1;
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t id = H5Acreate_by_name(file, "data/real", "emd_group_type", H5T_STD_I32LE, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, H5T_NATIVE_DOUBLE, &one);
    H5Aclose(id);
    H5Sclose(space);
    write_texts(file, "data/real/dim1", "name", {"time"});
    for (const auto& [axis, name] : {std::pair{"dim2", "R_x"}, std::pair{"dim3", "R_y"}}) {
        write_texts(file, std::string("data/real/") + axis, "name", {name});
        write_texts(file, std::string("data/real/") + axis, "units", {"[n_m]"});
    }
    H5Fclose(file);
    BOOST_TEST(n_frames(path) == 2);
    const Image image = read_image(path, 1);
    BOOST_REQUIRE(image.width() == 3);
    BOOST_REQUIRE(image.height() == 4);
    BOOST_TEST(image.pixels(3, 1) == 12.0F + 4 * 1 + 3);  // x is the middle axis of the file
    BOOST_TEST(image.pixel_size_angstrom.value() == 0.2, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(nsid_dimension_scales_give_orientation_and_pixel_size) {
    const Scratch s;
    for (const bool x_first : {true, false}) {
        const fs::path path = s.path() / "a.hf5";
        const hid_t file = new_file(path);
        const std::string group = "Measurement_000/Channel_000/Generic_Data/";
        write_dataset(file, group + "Generic_Data", {2, 3}, counted(6), H5T_NATIVE_FLOAT);
        write_dataset(file, group + "x", {x_first ? 2U : 3U}, counted(x_first ? 2 : 3), H5T_NATIVE_DOUBLE);
        write_dataset(file, group + "y", {x_first ? 3U : 2U}, counted(x_first ? 3 : 2), H5T_NATIVE_DOUBLE);
        for (const char* axis : {"x", "y"}) {
            write_texts(file, group + axis, "name", {axis});
            write_texts(file, group + axis, "units", {"pm"});
        }
        write_dimension_list(file, group + "Generic_Data",
                             x_first ? std::vector<std::string>{group + "x", group + "y"}
                                     : std::vector<std::string>{group + "y", group + "x"});
        H5Fclose(file);
        const Image image = read_image(path);
        BOOST_TEST(image.width() == (x_first ? 2 : 3));
        BOOST_TEST(image.pixels(x_first ? 2 : 0, x_first ? 0 : 2) == 2.0F);
        BOOST_TEST(image.pixel_size_angstrom.value() == 0.01, boost::test_tools::tolerance(1e-9));
    }
}

BOOST_AUTO_TEST_CASE(usid_positions_are_put_where_they_belong) {
    const Scratch s;
    const fs::path path = s.path() / "a.h5";
    const hid_t file = new_file(path);
    const std::string channel = "Measurement_000/Channel_000/", raw = channel + "Raw_Data";
    write_dataset(file, raw, {6, 2}, counted(12), H5T_NATIVE_FLOAT);  // 6 positions, 2 frames
    // 3 rows of 2 columns, x fastest; y first in the table.
    write_dataset(file, channel + "Position_Indices", {6, 2}, {0, 0, 0, 1, 1, 0, 1, 1, 2, 0, 2, 1},
                  H5T_STD_U32LE);
    write_dataset(file, channel + "Position_Values", {6, 2},
                  {0, 0, 0, 0.3, 0.3, 0, 0.3, 0.3, 0.6, 0, 0.6, 0.3}, H5T_NATIVE_FLOAT);
    write_texts(file, channel + "Position_Indices", "labels", {"Y", "X"});
    write_texts(file, channel + "Position_Values", "units", {"nm", "nm"});
    write_reference(file, raw, "Position_Indices", channel + "Position_Indices");
    write_reference(file, raw, "Position_Values", channel + "Position_Values");
    H5Fclose(file);
    BOOST_TEST(n_frames(path) == 2);
    const Image image = read_image(path, 1);
    BOOST_REQUIRE(image.width() == 2);
    BOOST_REQUIRE(image.height() == 3);
    for (int row = 0; row < 3; ++row)
        for (int column = 0; column < 2; ++column)
            BOOST_TEST(image.pixels(row, column) == static_cast<float>(2 * (2 * row + column) + 1));
    BOOST_TEST(image.pixel_size_angstrom.value() == 3.0, boost::test_tools::tolerance(1e-6));
    check_cuts(s, "b.h5", content_of(path), 397);
}

BOOST_AUTO_TEST_SUITE_END()
