// SPDX-License-Identifier: Apache-2.0
// Every image format with every kind of pixel, and what is said about files that cannot be used.
#include <hdf5.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "image_builders.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

/// 0, 1, 2, ... as items of one type.
template <class T>
std::string counted(int n, bool big_endian = false) {
    std::string items;
    for (int i = 0; i < n; ++i) items += bytes_of(static_cast<T>(i), big_endian);
    return items;
}

/// Whether an action throws an E whose message holds every one of the words.
template <class E>
bool throws_with(const std::function<void()>& action, const std::vector<std::string>& parts) {
    try {
        action();
    } catch (const E& error) {
        bool all = true;
        for (const std::string& part : parts) {
            if (std::string(error.what()).find(part) != std::string::npos) continue;
            BOOST_TEST_MESSAGE("'" << part << "' is not in: " << error.what());
            all = false;
        }
        return all;
    }
    BOOST_TEST_MESSAGE("nothing thrown");
    return false;
}

/// Cuts a file everywhere (every `step` bytes): reading must throw and never crash.
void check_every_cut(const Scratch& scratch, const std::string& name, const std::string& whole,
                     std::size_t step) {
    BOOST_CHECK_NO_THROW(scratch.read(name, whole));
    for (std::size_t length = 0; length < whole.size(); length += step)
        BOOST_CHECK_THROW(scratch.read(name, whole.substr(0, length)), FileError);
}

/// Changes single bytes everywhere: reading may give other pixels or throw an Error, nothing else.
void check_every_change(const Scratch& scratch, const std::string& name, const std::string& whole,
                        std::size_t step) {
    for (std::size_t at = 0; at < whole.size(); at += step) {
        for (const int mask : {0x01, 0x80, 0xff}) {
            std::string changed = whole;
            changed[at] = static_cast<char>(changed[at] ^ mask);
            try {
                scratch.read(name, changed);
            } catch (const Error&) {
            }
        }
    }
}

struct Hdf5Writer {
    hid_t file;
    explicit Hdf5Writer(const fs::path& path)
        : file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
    ~Hdf5Writer() { H5Fclose(file); }
    Hdf5Writer(const Hdf5Writer&) = delete;
    Hdf5Writer& operator=(const Hdf5Writer&) = delete;

    void dataset(const std::string& name, const std::vector<hsize_t>& shape, bool packed = false) const {
        hsize_t n = 1;
        for (const hsize_t length : shape) n *= length;
        std::vector<std::uint16_t> values(n);
        for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<std::uint16_t>(i);
        const hid_t links = H5Pcreate(H5P_LINK_CREATE);
        H5Pset_create_intermediate_group(links, 1);
        const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
        if (packed) {
            H5Pset_chunk(creation, static_cast<int>(shape.size()), shape.data());
            H5Pset_deflate(creation, 5);
        }
        const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
        const hid_t id = H5Dcreate2(file, name.c_str(), H5T_STD_U16BE, space, links, creation, H5P_DEFAULT);
        H5Dwrite(id, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
        H5Dclose(id);
        H5Sclose(space);
        H5Pclose(creation);
        H5Pclose(links);
    }
    void attribute(const std::string& object, const char* name, double value) const {
        const hid_t space = H5Screate(H5S_SCALAR);
        const hid_t id = H5Acreate_by_name(file, object.c_str(), name, H5T_IEEE_F64LE, space, H5P_DEFAULT,
                                           H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(id, H5T_NATIVE_DOUBLE, &value);
        H5Aclose(id);
        H5Sclose(space);
    }
    void attribute(const std::string& object, const char* name, const std::string& value) const {
        const hid_t type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, value.size() + 1);
        const hid_t space = H5Screate(H5S_SCALAR);
        const hid_t id =
            H5Acreate_by_name(file, object.c_str(), name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(id, type, value.c_str());
        H5Aclose(id);
        H5Sclose(space);
        H5Tclose(type);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_image_file)

BOOST_AUTO_TEST_CASE(npy_of_every_type_and_byte_order_is_read) {
    const Scratch s;
    for (const bool big : {false, true}) {
        const std::string order = big ? ">" : "<";
        BOOST_TEST(is_counted(s.read("a.npy", npy_file(order + "f4", "2, 3", counted<float>(6, big))), 2, 3));
        BOOST_TEST(
            is_counted(s.read("a.npy", npy_file(order + "f8", "2, 3", counted<double>(6, big))), 2, 3));
        BOOST_TEST(is_counted(s.read("a.npy", npy_file(order + "u2", "2, 3", counted<std::uint16_t>(6, big))),
                              2, 3));
        BOOST_TEST(
            is_counted(s.read("a.npy", npy_file(order + "i2", "2, 3", counted<std::int16_t>(6, big))), 2, 3));
        BOOST_TEST(is_counted(s.read("a.npy", npy_file(order + "u4", "2, 3", counted<std::uint32_t>(6, big))),
                              2, 3));
        BOOST_TEST(
            is_counted(s.read("a.npy", npy_file(order + "i4", "2, 3", counted<std::int32_t>(6, big))), 2, 3));
        BOOST_TEST(is_counted(s.read("a.npy", npy_file(order + "u8", "2, 3", counted<std::uint64_t>(6, big))),
                              2, 3));
        BOOST_TEST(
            is_counted(s.read("a.npy", npy_file(order + "i8", "2, 3", counted<std::int64_t>(6, big))), 2, 3));
    }
    BOOST_TEST(is_counted(s.read("a.npy", npy_file("|u1", "2, 3", counted<std::uint8_t>(6))), 2, 3));
    BOOST_TEST(is_counted(s.read("a.npy", npy_file("|i1", "2, 3", counted<std::int8_t>(6))), 2, 3));
    BOOST_TEST(is_counted(s.read("a.npy", npy_file("|b1", "1, 2", counted<std::uint8_t>(2))), 1, 2));
    BOOST_TEST(is_counted(s.read("a.npy", npy_file("<f4", "2, 3", counted<float>(6), false, 2)), 2, 3));
    BOOST_TEST(s.read("a.npy", npy_file("<i2", "1, 1", bytes_of(std::int16_t{-7}))).pixels(0, 0) == -7.0F);
}

BOOST_AUTO_TEST_CASE(npy_stacks_and_column_major_order_are_read) {
    const Scratch s;
    const std::string stack = npy_file("<f4", "2, 3, 4", counted<float>(24));
    BOOST_TEST(is_counted(s.read("a.npy", stack, 0), 3, 4, 0));
    BOOST_TEST(is_counted(s.read("a.npy", stack, 1), 3, 4, 12));
    BOOST_TEST(n_frames(s.path() / "a.npy") == 2);
    // Column-major: element (f, r, c) stands at f + 2 (r + 3 c).
    const Image image = s.read("a.npy", npy_file("<f4", "2, 3, 4", counted<float>(24), true), 1);
    BOOST_TEST(image.pixels(2, 3) == 1.0F + 2 * (2 + 3 * 3));
    BOOST_TEST(s.read("a.npy", npy_file("<f4", "2, 3", counted<float>(6), true)).pixels(1, 2) ==
               1.0F + 2 * 2);
    BOOST_TEST(image.source.find("frame 1 of 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(npy_that_is_written_is_read_back) {
    const Scratch s;
    Pixels pixels = Pixels::Random(5, 7);
    write_npy(s.path() / "a.npy", pixels);
    BOOST_TEST((read_image(s.path() / "a.npy").pixels == pixels).all());
    write_npy(s.path() / "b.npy", std::vector<Pixels>{pixels, 2 * pixels});
    BOOST_TEST((read_image(s.path() / "b.npy", 1).pixels == 2 * pixels).all());
    BOOST_CHECK_THROW(write_npy(s.path() / "c.npy", std::vector<Pixels>{pixels, Pixels::Zero(2, 2)}),
                      std::logic_error);
}

BOOST_AUTO_TEST_CASE(npz_is_read_stored_and_deflated) {
    const Scratch s;
    const std::string image = npy_file("<f4", "2, 3", counted<float>(6));
    const std::string stack = npy_file("<u2", "2, 2, 2", counted<std::uint16_t>(8));
    const std::string scalar = npy_file("<f8", "", bytes_of(0.1));
    const std::string text = npy_file("<U3", "2, 2", std::string(48, '\0'));
    for (const bool deflated : {false, true}) {
        const std::string file = zip_file(
            {{"z.npy", stack}, {"b_scale.npy", scalar}, {"a_text.npy", text}, {"m.npy", image}}, deflated);
        const Image first = s.read("a.npz", file);
        BOOST_TEST(is_counted(first, 2, 3));
        BOOST_TEST(first.source.find("dataset m") != std::string::npos);
        BOOST_TEST(is_counted(s.read("a.npz", file, 1, "z"), 2, 2, 4));
        BOOST_TEST(n_frames(s.path() / "a.npz", "z") == 2);
        BOOST_TEST(throws_with<InputError>([&] { s.read("a.npz", file, 0, "absent"); },
                                           {"a.npz", "absent", "b_scale", "m"}));
        check_every_cut(s, "a.npz", file, 17);
        check_every_change(s, "a.npz", file, 11);
    }
    BOOST_TEST(throws_with<InputError>(
        [&] {
            s.read("a.npz", zip_file({{"x.npy", scalar}}, true));
        },
        {"no 2-D or 3-D"}));
    BOOST_CHECK_THROW(s.read("a.npz", zip_file({}, true)), InputError);
}

BOOST_AUTO_TEST_CASE(png_of_8_and_16_bit_grey_keeps_its_values) {
    const Scratch s;
    BOOST_TEST(is_counted(s.read("a.png", png_file(3, 2, 8, 0, {counted<std::uint8_t>(3), "\3\4\5"})), 2, 3));
    const Image deep =
        s.read("a.png", png_file(2, 1, 16, 0, {bytes_of(std::uint16_t{258}, true) + "\xff\xff"}));
    BOOST_TEST(deep.pixels(0, 0) == 258.0F);
    BOOST_TEST(deep.pixels(0, 1) == 65535.0F);
    // 1-bit and grey with alpha
    const Image bits = s.read("a.png", png_file(8, 1, 1, 0, {"\x81"}));
    BOOST_TEST(bits.pixels(0, 0) == 255.0F);
    BOOST_TEST(bits.pixels(0, 1) == 0.0F);
    BOOST_TEST(s.read("a.png", png_file(1, 1, 8, 4, {"\x21\x80"})).pixels(0, 0) == 33.0F);
}

BOOST_AUTO_TEST_CASE(png_colour_and_palette_become_luminance) {
    const Scratch s;
    const Image colour = s.read("a.png", png_file(2, 1, 8, 2, {"\x64\x64\x64\xff\x01\x02"}));
    BOOST_TEST(colour.pixels(0, 0) == 100.0F);  // grey stays what it is
    BOOST_TEST(colour.pixels(0, 1) == 0.299F * 255 + 0.587F * 1 + 0.114F * 2,
               boost::test_tools::tolerance(1e-6F));
    const Image palette =
        s.read("a.png", png_file(2, 1, 8, 3, {std::string("\1\0", 2)}, "\x0a\x0a\x0a\x14\x14\x14"));
    BOOST_TEST(palette.pixels(0, 0) == 20.0F);
    BOOST_TEST(palette.pixels(0, 1) == 10.0F);
    const Image alpha = s.read("a.png", png_file(1, 1, 8, 6, {"\x07\x07\x07\x01"}));
    BOOST_TEST(alpha.pixels(0, 0) == 7.0F);
}

BOOST_AUTO_TEST_CASE(png_that_is_written_is_read_back) {
    const Scratch s;
    Pixels pixels = Pixels::Zero(3, 4);
    pixels(1, 2) = 10;
    pixels(2, 3) = 5;
    const Bitmap grey = to_bitmap(pixels);
    write_png8(s.path() / "a.png", grey);
    const Image back = read_image(s.path() / "a.png");
    BOOST_TEST(back.pixels(1, 2) == 255.0F);
    BOOST_TEST(back.pixels(2, 3) == 128.0F);
    const Bitmap colour{2, 1, 3, {1, 1, 1, 255, 0, 0}};
    write_png8(s.path() / "b.png", colour);
    BOOST_TEST(read_image(s.path() / "b.png").pixels(0, 0) == 1.0F);
    BOOST_TEST(to_bitmap(pixels, 0, 5).bytes[6] == 255);             // clipped
    BOOST_TEST(to_bitmap(Pixels::Constant(1, 1, 3)).bytes[0] == 0);  // constant
    BOOST_CHECK_THROW(encode_png({2, 2, 1, {0}}), std::logic_error);
}

BOOST_AUTO_TEST_CASE(tiff_of_every_type_is_read) {
    const Scratch s;
    for (const bool big : {false, true}) {
        const auto page = [&](int bits, int format, const std::string& data) {
            TiffPage result;
            result.width = 3;
            result.height = 2;
            result.bits = static_cast<std::uint16_t>(bits);
            result.format = static_cast<std::uint16_t>(format);
            result.data = data;
            return result;
        };
        const auto counted_page = [&](const TiffPage& p) {
            return is_counted(s.read("a.tif", tiff_file({p}, big)), 2, 3);
        };
        BOOST_TEST(counted_page(page(8, 1, counted<std::uint8_t>(6, big))));
        BOOST_TEST(counted_page(page(16, 1, counted<std::uint16_t>(6, big))));
        BOOST_TEST(counted_page(page(32, 1, counted<std::uint32_t>(6, big))));
        BOOST_TEST(counted_page(page(8, 2, counted<std::int8_t>(6, big))));
        BOOST_TEST(counted_page(page(16, 2, counted<std::int16_t>(6, big))));
        BOOST_TEST(counted_page(page(32, 2, counted<std::int32_t>(6, big))));
        BOOST_TEST(counted_page(page(32, 3, counted<float>(6, big))));
        BOOST_TEST(counted_page(page(64, 3, counted<double>(6, big))));
    }
    TiffPage inverted;
    inverted.width = inverted.height = 1;
    inverted.photometric = 0;
    inverted.data = "\x05";
    BOOST_TEST(s.read("a.tif", tiff_file({inverted})).pixels(0, 0) == 250.0F);
    TiffPage colour = inverted;
    colour.photometric = 2;
    colour.samples = 3;
    colour.data = "\x09\x09\x09";
    BOOST_TEST(s.read("a.tiff", tiff_file({colour})).pixels(0, 0) == 9.0F);
}

BOOST_AUTO_TEST_CASE(tiff_pages_are_a_stack) {
    const Scratch s;
    TiffPage page;
    page.width = 2;
    page.height = 2;
    page.data = counted<std::uint8_t>(4);
    TiffPage second = page;
    second.data = "\4\5\6\7";
    const std::string file = tiff_file({page, second});
    BOOST_TEST(is_counted(s.read("a.tif", file, 1), 2, 2, 4));
    BOOST_TEST(n_frames(s.path() / "a.tif") == 2);
    check_every_cut(s, "a.tif", file, 1);
    check_every_change(s, "a.tif", file, 1);
}

BOOST_AUTO_TEST_CASE(pixel_size_comes_from_tiff_tags_with_a_physical_unit) {
    const Scratch s;
    TiffPage page;
    page.width = page.height = 1;
    page.data = "x";
    const auto pixel_size = [&] { return s.read("a.tif", tiff_file({page})).pixel_size_angstrom; };
    BOOST_TEST(!pixel_size());
    page.pixels_per_million_units = 96'000'000;  // 96 per unit
    page.resolution_unit = 2;
    BOOST_TEST(!pixel_size());  // 96 dots per inch: paper
    page.resolution_unit = 1;
    page.description = "ImageJ=1.53t\nunit=nm\nmin=0\n";
    BOOST_REQUIRE(pixel_size());
    BOOST_TEST(*pixel_size() == 10.0 / 96, boost::test_tools::tolerance(1e-6));  // a float in libtiff
    page.description = "ImageJ=1.53t\nunit=\\u00C5\n";
    BOOST_TEST(*pixel_size() == 1.0 / 96, boost::test_tools::tolerance(1e-6));
    page.description = "ImageJ=1.53t\nunit=pixel\n";
    BOOST_TEST(!pixel_size());
}

BOOST_AUTO_TEST_CASE(hdf5_datasets_are_read_by_name_or_found) {
    const Scratch s;
    const fs::path path = s.path() / "a.h5";
    {
        const Hdf5Writer writer(path);
        writer.dataset("a_line", {5});
        writer.dataset("scan/stack", {2, 3, 4}, true);
        writer.dataset("zz", {2, 3});
        writer.attribute("scan", "pixel_size", 0.0104);
        writer.attribute("scan", "pixel_size_unit", "nm");
        writer.attribute("zz", "pixel_size", "12 pm");
    }
    const Image first = read_image(path, 1);
    BOOST_TEST(is_counted(first, 3, 4, 12));
    BOOST_TEST(first.source.find("scan/stack") != std::string::npos);
    BOOST_TEST(*first.pixel_size_angstrom == 0.104, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(n_frames(path) == 2);
    const Image second = read_image(path, 0, "/zz");
    BOOST_TEST(is_counted(second, 2, 3));
    BOOST_TEST(*second.pixel_size_angstrom == 0.12, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(
        throws_with<InputError>([&] { read_image(path, 0, "absent"); }, {"a.h5", "absent", "zz (2, 3)"}));
    BOOST_TEST(throws_with<InputError>([&] { read_image(path, 0, "a_line"); }, {"1 dimension,", "(5)"}));
    const std::string whole = read_text(path);
    check_every_cut(s, "b.h5", whole, 97);
}

BOOST_AUTO_TEST_CASE(missing_and_unreadable_files_are_named) {
    const Scratch s;
    for (const char* name : {"x.npy", "x.npz", "x.png", "x.tif", "x.h5"}) {
        BOOST_TEST(throws_with<FileError>([&] { read_image(s.path() / name); }, {name, "No such file"}));
        fs::create_directory(s.path() / name);
        BOOST_TEST(throws_with<FileError>([&] { read_image(s.path() / name); }, {name, "directory"}));
        fs::remove(s.path() / name);
        BOOST_CHECK_THROW(s.read(name, ""), FileError);
        BOOST_TEST(
            throws_with<FileError>([&] { s.read(name, "some text that is no image at all"); }, {name}));
    }
    BOOST_TEST(throws_with<InputError>([&] { s.read("x.jpg", "x"); }, {"'.jpg'", ".tiff"}));
    BOOST_CHECK_THROW(s.read("x.png", "x", 0, "dataset"), InputError);
}

BOOST_AUTO_TEST_CASE(files_cut_or_changed_anywhere_never_crash) {
    const Scratch s;
    const std::string npy = npy_file("<f4", "4, 5", counted<float>(20));
    check_every_cut(s, "a.npy", npy, 1);
    check_every_change(s, "a.npy", npy, 1);
    std::vector<std::string> rows;
    for (int y = 0; y < 20; ++y) {
        std::string row;
        for (int x = 0; x < 30; ++x) row += static_cast<char>((x * 37 + y * y * 11) % 251);
        rows.push_back(row);
    }
    const std::string png = png_file(30, 20, 8, 0, rows);
    check_every_cut(s, "a.png", png, 1);
    check_every_change(s, "a.png", png, 3);
}

BOOST_AUTO_TEST_CASE(wrong_dimensions_are_told_with_the_shape) {
    const Scratch s;
    BOOST_TEST(throws_with<InputError>([&] { s.read("a.npy", npy_file("<f4", "6,", counted<float>(6))); },
                                       {"a.npy", "1 dimension,", "(6)", "rows, columns"}));
    BOOST_TEST(
        throws_with<InputError>([&] { s.read("a.npy", npy_file("<f4", "1, 1, 2, 3", counted<float>(6))); },
                                {"4 dimensions", "(1, 1, 2, 3)"}));
    BOOST_TEST(
        throws_with<InputError>([&] { s.read("a.npy", npy_file("<f4", "0, 3", "")); }, {"empty", "(0, 3)"}));
    BOOST_TEST(
        throws_with<InputError>([&] { s.read("a.npy", npy_file("<c8", "1, 1", "12345678")); }, {"<c8"}));
    BOOST_TEST(throws_with<FileError>([&] { s.read("a.npy", npy_file("<f4", "2, 3", counted<float>(5))); },
                                      {"truncated", "(2, 3)"}));
    BOOST_CHECK_THROW(s.read("a.npy", npy_file("<f4", "99999999999, 99999999999", counted<float>(5))),
                      FileError);
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_not_there_is_told_with_how_many_there_are) {
    const Scratch s;
    const std::string stack = npy_file("<f4", "2, 3, 4", counted<float>(24));
    for (const int frame : {2, -1})
        BOOST_TEST(throws_with<InputError>([&] { s.read("a.npy", stack, frame); },
                                           {"a.npy", "no frame", "2 frames"}));
    BOOST_TEST(
        throws_with<InputError>([&] { s.read("a.png", png_file(1, 1, 8, 0, {"x"}), 1); }, {"1 frame,"}));
}

BOOST_AUTO_TEST_CASE(pixels_that_are_not_finite_are_counted_and_the_first_is_named) {
    const Scratch s;
    std::string items = counted<float>(12);
    items.replace(4 * 6, 4, bytes_of(std::numeric_limits<float>::quiet_NaN()));
    items.replace(4 * 9, 4, bytes_of(std::numeric_limits<float>::infinity()));
    BOOST_TEST(throws_with<InputError>([&] { s.read("a.npy", npy_file("<f4", "3, 4", items)); },
                                       {"a.npy", "2 of 12 pixels", "row 1, column 2"}));
    // too large for float
    BOOST_CHECK_THROW(s.read("a.npy", npy_file("<f8", "1, 1", bytes_of(1e300))), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
