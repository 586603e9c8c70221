// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/state_file.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>
#include <vector>

#include "bytes.hpp"
#include "hdf5_handle.hpp"
#include "stembridge/io/hash.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

constexpr const char* format_name = "stembridge state";
constexpr std::int64_t format_version = 1;

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

/// Name, type and bits of every entry in one digest.
std::string digest(const State& state) {
    std::string all;
    for (const auto& [name, value] : state.values()) {
        const auto append = [&](const char* type, const void* data, std::size_t bytes) {
            all += fmt::format("{}:{}:{}:{}:", name.size(), name, type, bytes);
            all.append(static_cast<const char*>(data), bytes);
        };
        if (const auto* v = std::get_if<std::vector<double>>(&value))
            append("f8", v->data(), v->size() * sizeof(double));
        else if (const auto* f = std::get_if<std::vector<float>>(&value))
            append("f4", f->data(), f->size() * sizeof(float));
        else if (const auto* i = std::get_if<std::vector<std::int64_t>>(&value))
            append("i8", i->data(), i->size() * sizeof(std::int64_t));
        else
            append("text", std::get<std::string>(value).data(), std::get<std::string>(value).size());
    }
    return sha256_of_text(all);
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

void write_attribute(hid_t file, const char* name, const std::string& text) {
    const Hdf5Handle type = fixed_length_text_type(text.size());
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle attribute(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    check(!attribute.failed() && H5Awrite(attribute, type, text.c_str()) >= 0, "write an attribute");
}

void write_attribute(hid_t file, const char* name, std::int64_t number) {
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle attribute(H5Acreate2(file, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT),
                               H5Aclose);
    check(!attribute.failed() && H5Awrite(attribute, H5T_NATIVE_INT64, &number) >= 0, "write an attribute");
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

void write_entry(hid_t file, const std::string& name, const std::string& text) {
    const Hdf5Handle type = fixed_length_text_type(text.size());
    const Hdf5Handle space(H5Screate(text.empty() ? H5S_NULL : H5S_SCALAR), H5Sclose);
    write_dataset(file, name, type, space, text.data());
}

/// The bytes of an HDF5 file that holds the state.
std::vector<std::uint8_t> encode(const State& state) {
    const QuietHdf5 quiet;
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_core(access, 1 << 20, false);
    const Hdf5Handle file(H5Fcreate("state", H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose);
    check(!file.failed(), "make a file in memory");
    write_attribute(file, "format", format_name);
    write_attribute(file, "version", format_version);
    write_attribute(file, "sha256", digest(state));
    for (const auto& entry : state.values()) {
        const std::string& name = entry.first;
        std::visit([&](const auto& content) { write_entry(file, name, content); }, entry.second);
    }
    check(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0, "flush a file in memory");
    const ssize_t size = H5Fget_file_image(file, nullptr, 0);
    check(size > 0, "give the bytes of a file in memory");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    check(H5Fget_file_image(file, bytes.data(), bytes.size()) == size, "give the bytes of a file in memory");
    return bytes;
}

// ---- reading ----

[[noreturn]] void throw_damaged(const fs::path& path, const std::string& what) {
    throw FileError(fmt::format("checkpoint '{}' is damaged or no checkpoint: {}", path.string(), what));
}

std::string read_text_attribute(hid_t file, const char* name, const fs::path& path) {
    const Hdf5Handle attribute(H5Aopen(file, name, H5P_DEFAULT), H5Aclose);
    const Hdf5Handle type(attribute.failed() ? -1 : H5Aget_type(attribute), H5Tclose);
    if (type.failed() || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0)
        throw_damaged(path, fmt::format("no attribute '{}'", name));
    std::string text(H5Tget_size(type), '\0');
    if (H5Aread(attribute, type, text.data()) < 0) throw_damaged(path, fmt::format("attribute '{}'", name));
    return text;
}

std::int64_t read_integer_attribute(hid_t file, const char* name, const fs::path& path) {
    const Hdf5Handle attribute(H5Aopen(file, name, H5P_DEFAULT), H5Aclose);
    const Hdf5Handle space(attribute.failed() ? -1 : H5Aget_space(attribute), H5Sclose);
    std::int64_t number = 0;
    if (space.failed() || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, H5T_NATIVE_INT64, &number) < 0)
        throw_damaged(path, fmt::format("no attribute '{}'", name));
    return number;
}

template <class T>
std::vector<T> read_values(hid_t dataset, std::size_t size, const fs::path& path, const std::string& name) {
    std::vector<T> values(size);
    if (size != 0 && H5Dread(dataset, memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
        throw_damaged(path, fmt::format("entry '{}' cannot be read", name));
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
    write_atomically(path, encode(state));
}

State read_state(const fs::path& path) {
    const MappedFile mapped(path);
    const Bytes bytes = mapped.bytes();
    const QuietHdf5 quiet;
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_core(access, 1 << 20, false);
    // HDF5 copies the image; it is const in all but the signature.
    if (bytes.empty() || H5Pset_file_image(access, const_cast<std::uint8_t*>(bytes.data()), bytes.size()) < 0)
        throw_damaged(path, "the file is empty");
    const Hdf5Handle file(H5Fopen("state", H5F_ACC_RDONLY, access), H5Fclose);
    if (file.failed()) throw_damaged(path, "it is not a whole HDF5 file");
    if (read_text_attribute(file, "format", path) != format_name)
        throw FileError(fmt::format("'{}' is an HDF5 file but no checkpoint of this program", path.string()));
    if (const std::int64_t version = read_integer_attribute(file, "version", path); version != format_version)
        throw FileError(fmt::format("checkpoint '{}' has format version {}; this program reads version {}",
                                    path.string(), version, format_version));
    std::vector<std::string> names;
    if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, collect_dataset_name, &names, H5O_INFO_BASIC) < 0)
        throw_damaged(path, "its table of contents cannot be read");
    State state;
    for (const std::string& name : names) state.put(name, read_entry(file, name, bytes.size(), path));
    if (digest(state) != read_text_attribute(file, "sha256", path))
        throw_damaged(path, "the digest does not fit the content");
    return state;
}

void write_checkpoint(const fs::path& path, const State& state) {
    write_atomically(path, encode(state), [&] {
        std::error_code status;
        if (!fs::exists(path, status)) return;
        fs::rename(path, previous_of(path), status);
        if (status) throw_system_error("cannot keep the previous checkpoint", path, status.value());
    });
}

State read_checkpoint(const fs::path& path, const Context& context) {
    const fs::path previous = previous_of(path);
    std::string newest_problem;
    try {
        return read_state(path);
    } catch (const FileError& error) {
        newest_problem = error.what();
    }
    if (!fs::exists(previous)) throw FileError(newest_problem + "; there is no previous checkpoint");
    try {
        State state = read_state(previous);
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
