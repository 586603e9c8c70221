// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/state_file.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "bytes.hpp"
#include "hdf5_handle.hpp"
#include "stembridge/io/hash.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

// The file begins with a user block, which HDF5 passes over: what this is, and the digest of everything
// behind it. So the library never sees a damaged file.
constexpr std::size_t header_size = 512;
constexpr std::string_view format = "stembridge state, version ";
constexpr std::string_view version = "1";

std::string header_for(std::string_view content) {
    std::string header = fmt::format("{}{}\nsha256 of what follows these {} bytes: {}\n", format, version,
                                     header_size, sha256_of_text(content));
    header.resize(header_size, '\0');
    return header;
}

template <class T>
hid_t memory_type();
template <>
hid_t memory_type<double>() {
    return H5T_NATIVE_DOUBLE;
}
template <>
hid_t memory_type<float>() {
    return H5T_NATIVE_FLOAT;
}
template <>
hid_t memory_type<std::int64_t>() {
    return H5T_NATIVE_INT64;
}

/// The HDF5 library is not made for several threads.
std::mutex hdf5_in_use;
// ---- floats that lose nothing with 16 bits are stored so: rounded weights take half the place ----

float from_half(std::uint16_t bits) {
    return static_cast<float>(std::bit_cast<Eigen::half>(bits));
}

std::uint16_t to_half(float number) {
    return std::bit_cast<std::uint16_t>(static_cast<Eigen::half>(number));
}

bool fits_half(const std::vector<float>& numbers) {
    constexpr std::size_t worth_it = 256;
    return numbers.size() >= worth_it && std::all_of(numbers.begin(), numbers.end(), [](float number) {
               return std::bit_cast<std::uint32_t>(from_half(to_half(number))) ==
                      std::bit_cast<std::uint32_t>(number);
           });
}

/// The 16-bit format of IEEE 754 as HDF5 describes it: sign, 5 bits of exponent, 10 of mantissa.
Hdf5Handle half_type() {
    Hdf5Handle type(H5Tcopy(H5T_NATIVE_FLOAT), H5Tclose);
    if (type.failed() || H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 ||
        H5Tset_ebias(type, 15) < 0)
        throw BackendError("HDF5 cannot make a type of 16-bit floats");
    return type;
}

// ---- writing: the file is made in memory, so that a full disk never meets the HDF5 library ----

void check(bool good, const char* what) {
    if (!good) throw BackendError(fmt::format("HDF5 cannot {}", what));
}

Hdf5Handle fixed_length_text_type(std::size_t length) {
    Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    check(!type.failed() && H5Tset_size(type, std::max<std::size_t>(length, 1)) >= 0 &&
              H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0,
          "make a text type");
    return type;
}

void write_dataset(hid_t file, const std::string& name, hid_t type, hid_t space, const void* data) {
    const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links, 1);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation, false);  // equal states give equal files
    const Hdf5Handle dataset(H5Dcreate2(file, name.c_str(), type, space, links, creation, H5P_DEFAULT),
                             H5Dclose);
    if (dataset.failed())
        throw std::logic_error("state entry '" + name +
                               "' cannot be stored: no name, or the name of a group");
    const bool empty = H5Sget_simple_extent_npoints(space) == 0;
    check(empty || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0, "write a dataset");
}

template <class T>
void write_entry(hid_t file, const std::string& name, const std::vector<T>& values) {
    const hsize_t size = values.size();
    const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
    write_dataset(file, name, memory_type<T>(), space, values.data());
}

void write_entry(hid_t file, const std::string& name, const std::vector<float>& values) {
    const hsize_t size = values.size();
    const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
    if (!fits_half(values)) {
        write_dataset(file, name, memory_type<float>(), space, values.data());
        return;
    }
    std::vector<std::uint16_t> halves(values.size());
    std::transform(values.begin(), values.end(), halves.begin(), to_half);
    write_dataset(file, name, half_type(), space, halves.data());
}

void write_entry(hid_t file, const std::string& name, const std::string& text) {
    const Hdf5Handle type = fixed_length_text_type(text.size());
    const Hdf5Handle space(H5Screate(text.empty() ? H5S_NULL : H5S_SCALAR), H5Sclose);
    write_dataset(file, name, type, space, text.data());
}

/// The bytes of a file that holds the state.
std::string encode(const State& state) {
    const std::scoped_lock lock(hdf5_in_use);
    const QuietHdf5 quiet;
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_core(access, 1 << 20, false);
    const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_userblock(creation, header_size);
    const Hdf5Handle file(H5Fcreate("state", H5F_ACC_TRUNC, creation, access), H5Fclose);
    check(!file.failed(), "make a file in memory");
    for (const auto& entry : state.values()) {
        const std::string& name = entry.first;
        std::visit([&](const auto& content) { write_entry(file, name, content); }, entry.second);
    }
    check(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0, "flush a file in memory");
    const ssize_t size = H5Fget_file_image(file, nullptr, 0);  // without the user block
    check(size > 0, "give the bytes of a file in memory");
    std::string content(static_cast<std::size_t>(size), '\0');
    check(H5Fget_file_image(file, content.data(), content.size()) == size,
          "give the bytes of a file in memory");
    return header_for(content) + content;
}

// ---- reading ----

[[noreturn]] void throw_damaged(const fs::path& path, const std::string& what) {
    throw FileError(fmt::format("checkpoint '{}' is damaged: {}", path.string(), what));
}

template <class T>
std::vector<T> read_values(hid_t dataset, std::size_t size, const fs::path& path, const std::string& name) {
    std::vector<T> values(size);
    if (size != 0 && H5Dread(dataset, memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
        throw_damaged(path, fmt::format("entry '{}' cannot be read", name));
    return values;
}

/// 16-bit floats, widened.
std::vector<float> read_halves(hid_t dataset, hid_t type, std::size_t size, const fs::path& path,
                               const std::string& name) {
    std::vector<std::uint16_t> halves(size);
    if (H5Tequal(type, half_type()) <= 0 ||
        (size != 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, halves.data()) < 0))
        throw_damaged(path, fmt::format("entry '{}' cannot be read", name));
    std::vector<float> values(size);
    std::transform(halves.begin(), halves.end(), values.begin(), from_half);
    return values;
}

State::Value read_entry(hid_t file, const std::string& name, std::size_t file_size, const fs::path& path) {
    const Hdf5Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
    const Hdf5Handle space(dataset.failed() ? -1 : H5Dget_space(dataset), H5Sclose);
    const Hdf5Handle type(dataset.failed() ? -1 : H5Dget_type(dataset), H5Tclose);
    const auto size = static_cast<std::size_t>(space.failed() ? 0 : H5Sget_simple_extent_npoints(space));
    const std::size_t item = type.failed() ? 0 : H5Tget_size(type);
    // Entries are stored as they are: none can be larger than the file.
    if (item == 0 || size > file_size / item)
        throw_damaged(path, fmt::format("entry '{}' has no sense", name));
    switch (H5Tget_class(type)) {
        case H5T_FLOAT:
            if (item == sizeof(double)) return read_values<double>(dataset, size, path, name);
            if (item == sizeof(float)) return read_values<float>(dataset, size, path, name);
            if (item == sizeof(std::uint16_t)) return read_halves(dataset, type, size, path, name);
            break;
        case H5T_INTEGER:
            return read_values<std::int64_t>(dataset, size, path, name);
        case H5T_STRING: {
            if (H5Tis_variable_str(type) > 0 || size > 1) break;
            std::string text(size == 0 ? 0 : item, '\0');
            if (size != 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) < 0) break;
            return text;
        }
        default:
            break;
    }
    throw_damaged(path, fmt::format("entry '{}' cannot be read", name));
}

herr_t collect_dataset_name(hid_t, const char* name, const H5O_info_t* info, void* names) {
    if (info->type == H5O_TYPE_DATASET) static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

fs::path previous_of(const fs::path& path) {
    return path.parent_path() / (path.stem().string() + ".prev" + path.extension().string());
}

}  // namespace

void write_state(const fs::path& path, const State& state) {
    write_atomically(path, as_bytes(encode(state)));
}

State read_state(const fs::path& path) {
    const MappedFile mapped(path);
    const std::string_view bytes = mapped.text();
    if (bytes.empty()) throw FileError(fmt::format("checkpoint '{}' is empty", path.string()));
    if (!bytes.starts_with(format))
        throw FileError(
            fmt::format("'{}' is no checkpoint of this program, or its beginning is damaged", path.string()));
    const std::string_view found = bytes.substr(format.size(), bytes.find('\n') - format.size());
    if (found != version)
        throw FileError(fmt::format("checkpoint '{}' has format version {}; this program reads version {}",
                                    path.string(), found.substr(0, 20), version));
    if (bytes.size() < header_size || bytes.substr(0, header_size) != header_for(bytes.substr(header_size)))
        throw_damaged(path, "the digest does not fit the content (truncated?)");

    const std::scoped_lock lock(hdf5_in_use);
    const QuietHdf5 quiet;
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_core(access, 1 << 20, false);
    // HDF5 copies the image; it is const in all but the signature.
    if (H5Pset_file_image(access, const_cast<char*>(bytes.data()), bytes.size()) < 0)
        throw_damaged(path, "HDF5 does not take it");
    const Hdf5Handle file(H5Fopen("state", H5F_ACC_RDONLY, access), H5Fclose);
    if (file.failed()) throw_damaged(path, "it is not a whole HDF5 file");
    std::vector<std::string> names;
    if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, collect_dataset_name, &names, H5O_INFO_BASIC) < 0)
        throw_damaged(path, "its table of contents cannot be read");
    State state;
    for (const std::string& name : names) state.put(name, read_entry(file, name, bytes.size(), path));
    return state;
}

void write_checkpoint(const fs::path& path, const State& state) {
    const std::string bytes = encode(state);
    write_atomically(path, as_bytes(bytes), [&] {
        std::error_code status;
        if (!fs::exists(path, status)) return;
        fs::rename(path, previous_of(path), status);
        if (status) throw_system_error("cannot keep the previous checkpoint", path, status.value());
    });
}

State read_checkpoint(const fs::path& path, const Context& context,
                      const std::function<void(const State&)>& check) {
    const fs::path previous = previous_of(path);
    const auto read = [&](const fs::path& file) {
        State state = read_state(file);
        if (check) check(state);
        return state;
    };
    std::string newest_problem;
    try {
        return read(path);
    } catch (const FileError& error) {
        newest_problem = error.what();
    }
    if (!fs::exists(previous)) throw FileError(newest_problem + "; there is no previous checkpoint");
    try {
        State state = read(previous);
        context.warning(
            fmt::format("{}; continuing from the previous one, '{}'", newest_problem, previous.string()));
        return state;
    } catch (const FileError& error) {
        throw FileError(fmt::format("{}; the previous one neither: {}", newest_problem, error.what()));
    }
}

bool has_checkpoint(const fs::path& path) {
    return fs::exists(path) || fs::exists(previous_of(path));
}

}  // namespace stembridge::io
