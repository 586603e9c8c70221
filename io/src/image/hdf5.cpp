// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "hdf5_handle.hpp"
#include "image/reader.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

herr_t collect_dataset_name(hid_t, const char* name, const H5O_info_t* info, void* names) {
    if (info->type == H5O_TYPE_DATASET) static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

bool is_number(hid_t dataset) {
    const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
    return !type.failed() && (H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT);
}

std::vector<std::uint64_t> shape_of(hid_t dataset) {
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const int rank = space.failed() ? 0 : H5Sget_simple_extent_ndims(space);
    std::vector<hsize_t> lengths(static_cast<std::size_t>(std::max(rank, 0)));
    if (rank > 0) H5Sget_simple_extent_dims(space, lengths.data(), nullptr);
    return {lengths.begin(), lengths.end()};
}

/// An attribute that is one text, if there is one.
std::optional<std::string> text_attribute(hid_t object, const char* name) {
    if (H5Aexists(object, name) <= 0) return std::nullopt;
    const Hdf5Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
    const Hdf5Handle type(attribute.failed() ? -1 : H5Aget_type(attribute), H5Tclose);
    const Hdf5Handle space(attribute.failed() ? -1 : H5Aget_space(attribute), H5Sclose);
    if (type.failed() || space.failed() || H5Tget_class(type) != H5T_STRING ||
        H5Sget_simple_extent_npoints(space) != 1)
        return std::nullopt;
    if (H5Tis_variable_str(type) > 0) {
        char* text = nullptr;
        if (H5Aread(attribute, type, &text) < 0 || text == nullptr) return std::nullopt;
        std::string result = text;
        H5free_memory(text);
        return result;
    }
    std::string text(H5Tget_size(type), '\0');
    if (H5Aread(attribute, type, text.data()) < 0) return std::nullopt;
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

std::optional<double> number_attribute(hid_t object, const char* name) {
    if (H5Aexists(object, name) <= 0) return std::nullopt;
    const Hdf5Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
    const Hdf5Handle space(attribute.failed() ? -1 : H5Aget_space(attribute), H5Sclose);
    double value = 0;
    if (space.failed() || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) < 0)
        return std::nullopt;
    return value;
}

class Hdf5Reader final : public ImageReader {
  public:
    Hdf5Reader(const fs::path& path, std::string dataset)
        : name_(fmt::format("'{}'", path.string())),
          file_(open(path)),
          dataset_name_(find(std::move(dataset))),
          dataset_(H5Dopen2(file_, dataset_name_.c_str(), H5P_DEFAULT), H5Dclose) {
        if (dataset_.failed())
            throw FileError(fmt::format("image {}: dataset '{}' cannot be opened", name_, dataset_name_));
        name_ += fmt::format(", dataset '{}'", dataset_name_);
        shape_ = shape_of(dataset_);
        check_shape(shape_, name_);
        if (!is_number(dataset_))
            throw InputError(
                fmt::format("image {} holds no numbers; accepted: integers and floating point", name_));
    }
    int n_frames() const override { return shape_.size() == 3 ? static_cast<int>(shape_.front()) : 1; }
    std::string dataset() const override { return dataset_name_; }

    Pixels read(int frame) override {
        const QuietHdf5 quiet;
        const std::uint64_t rows = shape_[shape_.size() - 2];
        const std::uint64_t columns = shape_.back();
        std::vector<hsize_t> start(shape_.size(), 0);
        std::vector<hsize_t> count(shape_.begin(), shape_.end());
        if (shape_.size() == 3) {
            start[0] = static_cast<hsize_t>(frame);
            count[0] = 1;
        }
        const Hdf5Handle in_file(H5Dget_space(dataset_), H5Sclose);
        const std::array<hsize_t, 2> size = {rows, columns};
        const Hdf5Handle in_memory(H5Screate_simple(2, size.data(), nullptr), H5Sclose);
        Pixels pixels(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
        if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
            H5Dread(dataset_, H5T_NATIVE_FLOAT, in_memory, in_file, H5P_DEFAULT, pixels.data()) < 0)
            throw FileError(
                fmt::format("image {} cannot be read: truncated, damaged, or packed with a filter that this "
                            "HDF5 library does not have",
                            name_));
        return pixels;
    }

    std::optional<double> pixel_size_angstrom(int) override {
        const QuietHdf5 quiet;
        // The dataset itself, then the groups above it up to the root.
        for (std::string object = "/" + dataset_name_; !object.empty();) {
            const Hdf5Handle opened(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
            if (!opened.failed() && H5Aexists(opened, "pixel_size") > 0) return pixel_size_of(opened);
            if (object == "/") break;
            object = fs::path(object).parent_path().string();
        }
        return std::nullopt;
    }

  private:
    Hdf5Handle open(const fs::path& path) const {
        const QuietHdf5 quiet;
        const MappedFile readable(path);  // for a clear message when it is missing or forbidden
        if (readable.bytes().empty()) throw FileError(fmt::format("image {} is an empty file", name_));
        const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
        H5Pset_file_locking(access, false, true);
        Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
        if (file.failed())
            throw FileError(fmt::format("image {} is not a whole HDF5 file (truncated?)", name_));
        return file;
    }

    std::string find(std::string wanted) const {
        const QuietHdf5 quiet;
        std::vector<std::string> names;
        if (H5Ovisit2(file_, H5_INDEX_NAME, H5_ITER_INC, collect_dataset_name, &names, H5O_INFO_BASIC) < 0)
            throw FileError(fmt::format("image {}: its table of contents is damaged", name_));
        while (wanted.starts_with('/')) wanted.erase(0, 1);
        if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
        std::vector<std::string> listed;
        for (const std::string& name : names) {
            const Hdf5Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
            if (dataset.failed()) continue;
            const auto shape = shape_of(dataset);
            if (wanted.empty() && (shape.size() == 2 || shape.size() == 3) && is_number(dataset)) return name;
            listed.push_back(fmt::format("{} {}", name, shape_text(shape)));
        }
        throw InputError(
            fmt::format("image {} holds {}; it has: {}", name_,
                        wanted.empty() ? "no 2-D or 3-D dataset" : fmt::format("no dataset '{}'", wanted),
                        listed.empty() ? "nothing" : fmt::format("{}", fmt::join(listed, ", "))));
    }

    std::optional<double> pixel_size_of(hid_t object) const {
        if (const auto text = text_attribute(object, "pixel_size"))
            return parse_quantity(*text, Dimension::length) / units::angstrom;
        const auto value = number_attribute(object, "pixel_size");
        if (!value || !(*value > 0)) return std::nullopt;
        for (const char* name : {"pixel_size_unit", "pixel_size_units"}) {
            const auto unit = text_attribute(object, name);
            if (!unit) continue;
            const auto angstrom = angstrom_per(*unit);
            if (!angstrom)
                throw InputError(
                    fmt::format("image {}: the attribute {} is '{}'; accepted: angstrom, pm, nm, um", name_,
                                name, *unit));
            return *value * *angstrom;
        }
        return value;
    }

    std::string name_;
    Hdf5Handle file_;
    std::string dataset_name_;
    Hdf5Handle dataset_;
    std::vector<std::uint64_t> shape_;
};

}  // namespace

std::unique_ptr<ImageReader> open_hdf5(const fs::path& path, const std::string& dataset) {
    const QuietHdf5 quiet;
    return std::make_unique<Hdf5Reader>(path, dataset);
}

}  // namespace stembridge::io
