// SPDX-License-Identifier: Apache-2.0
// Images in HDF5: plain datasets, and the conventions of microscopy that say which axis is which and how
// large a pixel is. Formats: NSID (dimension scales of the HDF5 library), USID (positions and spectroscopic
// values as tables), EMD of Berkeley (dim1, dim2, ... beside "data"), EMD of Velox (frames last, metadata as
// JSON per frame).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "hdf5_handle.hpp"
#include "image/reader.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

constexpr hssize_t most_axes = 64;
constexpr std::size_t longest_text = 1U << 20;

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
    if (H5Tget_size(type) > longest_text) return std::nullopt;
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

/// All texts of an attribute, empty when it has none.
std::vector<std::string> texts_attribute(hid_t object, const char* name) {
    if (H5Aexists(object, name) <= 0) return {};
    const Hdf5Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
    const Hdf5Handle type(attribute.failed() ? -1 : H5Aget_type(attribute), H5Tclose);
    const Hdf5Handle space(attribute.failed() ? -1 : H5Aget_space(attribute), H5Sclose);
    if (type.failed() || space.failed() || H5Tget_class(type) != H5T_STRING) return {};
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 1 || count > most_axes) return {};
    const auto n = static_cast<std::size_t>(count);
    std::vector<std::string> texts;
    if (H5Tis_variable_str(type) > 0) {
        std::vector<char*> raw(n, nullptr);
        if (H5Aread(attribute, type, raw.data()) < 0) return {};
        for (char* text : raw) {
            texts.emplace_back(text == nullptr ? "" : text);
            H5free_memory(text);
        }
        return texts;
    }
    const std::size_t length = H5Tget_size(type);
    if (length == 0 || length > longest_text) return {};
    std::string raw(n * length, '\0');
    if (H5Aread(attribute, type, raw.data()) < 0) return {};
    for (std::size_t i = 0; i < n; ++i) {
        const std::string text = raw.substr(i * length, length);
        texts.push_back(text.substr(0, text.find('\0')));
    }
    return texts;
}

/// The dataset an attribute points to, or a failed handle.
Hdf5Handle referred_dataset(hid_t object, const char* name) {
    Hdf5Handle nothing(-1, H5Dclose);
    if (H5Aexists(object, name) <= 0) return nothing;
    const Hdf5Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
    const Hdf5Handle type(attribute.failed() ? -1 : H5Aget_type(attribute), H5Tclose);
    const Hdf5Handle space(attribute.failed() ? -1 : H5Aget_space(attribute), H5Sclose);
    hobj_ref_t reference = 0;
    if (type.failed() || H5Tequal(type, H5T_STD_REF_OBJ) <= 0 || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, H5T_STD_REF_OBJ, &reference) < 0)
        return nothing;
    return {H5Rdereference2(object, H5P_DEFAULT, H5R_OBJECT, &reference), H5Dclose};
}

/// One axis of a dataset: what it is called and how far apart its points are.
struct Axis {
    std::string name;
    std::string unit;
    std::optional<double> step;
};

/// An axis from the table of its values.
Axis axis_of(hid_t values) {
    Axis axis;
    if (H5Iget_type(values) != H5I_DATASET) return axis;
    axis.name = text_attribute(values, "name").value_or("");
    if (axis.name.empty()) axis.name = text_attribute(values, "NAME").value_or("");
    axis.unit = text_attribute(values, "units").value_or("");
    const auto shape = shape_of(values);
    constexpr std::uint64_t longest_axis = 1U << 20;
    if (shape.size() != 1 || shape[0] < 2 || shape[0] > longest_axis || !is_number(values)) return axis;
    std::vector<double> numbers(shape[0]);
    if (H5Dread(values, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()) < 0) return axis;
    const double step = (numbers.back() - numbers.front()) / static_cast<double>(numbers.size() - 1);
    if (std::isfinite(step) && step != 0) axis.step = std::abs(step);
    return axis;
}

/// The axes of a dataset by the dimension scales attached to it; empty when it has none.
std::vector<Axis> scales_of(hid_t dataset, std::size_t rank) {
    if (rank == 0 || H5Aexists(dataset, "DIMENSION_LIST") <= 0) return {};
    const Hdf5Handle attribute(H5Aopen(dataset, "DIMENSION_LIST", H5P_DEFAULT), H5Aclose);
    const Hdf5Handle space(attribute.failed() ? -1 : H5Aget_space(attribute), H5Sclose);
    const Hdf5Handle stored(attribute.failed() ? -1 : H5Aget_type(attribute), H5Tclose);
    const Hdf5Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose);
    if (space.failed() || stored.failed() || H5Tget_class(stored) != H5T_VLEN ||
        H5Sget_simple_extent_npoints(space) != static_cast<hssize_t>(rank))
        return {};
    std::vector<hvl_t> lists(rank);
    if (H5Aread(attribute, type, lists.data()) < 0) return {};
    std::vector<Axis> axes(rank);
    for (std::size_t i = 0; i < rank; ++i) {
        if (lists[i].len == 0) continue;
        const Hdf5Handle scale(H5Rdereference2(dataset, H5P_DEFAULT, H5R_OBJECT, lists[i].p), H5Oclose);
        if (!scale.failed()) axes[i] = axis_of(scale);
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists.data());
    return axes;
}

/// The axes of a dataset "data" by the datasets dim1, dim2, ... beside it; empty when there are none.
std::vector<Axis> emd_axes(hid_t file, const fs::path& dataset, std::size_t rank) {
    if (dataset.filename() != "data") return {};
    const std::string group = "/" + dataset.parent_path().string();
    const Hdf5Handle opened(H5Oopen(file, group.c_str(), H5P_DEFAULT), H5Oclose);
    if (opened.failed() || H5Aexists(opened, "emd_group_type") <= 0) return {};
    std::vector<Axis> axes(rank);
    for (std::size_t i = 0; i < rank; ++i) {
        const std::string name = fmt::format("dim{}", i + 1);
        if (H5Lexists(opened, name.c_str(), H5P_DEFAULT) <= 0) continue;
        const Hdf5Handle values(H5Oopen(opened, name.c_str(), H5P_DEFAULT), H5Oclose);
        if (!values.failed()) axes[i] = axis_of(values);
    }
    return axes;
}

/// 'x' for "x", "X", "R_x", "x_axis" and the like; '\0' for anything else.
char direction(std::string name) {
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const char* prefix : {"r_", "real_"})
        if (name.starts_with(prefix)) name.erase(0, std::string_view(prefix).size());
    for (const char axis : {'x', 'y'})
        if (name == std::string(1, axis) || name.starts_with(fmt::format("{}_", axis)) ||
            name.starts_with(fmt::format("{} ", axis)) || (name == "width" && axis == 'x') ||
            (name == "height" && axis == 'y'))
            return axis;
    return '\0';
}

/// Which axis of a dataset is which.
struct Layout {
    bool known = false;      ///< by one of the conventions, not by guess
    std::size_t row = 0;     ///< axis along which y runs
    std::size_t column = 1;  ///< axis along which x runs
    std::optional<std::size_t> frame;
    std::vector<Axis> axes;  ///< empty or one per dimension
};

bool is_velox(const fs::path& dataset) {
    return dataset.filename() == "Data" && dataset.parent_path().parent_path() == "Data/Image";
}

Layout layout_of(hid_t file, const std::string& name, hid_t dataset, std::size_t rank) {
    Layout layout;
    if (rank == 3) layout = {false, 1, 2, 0, {}};
    if (rank == 3 && is_velox(name)) return {true, 0, 1, 2, {}};
    layout.axes = emd_axes(file, name, rank);
    if (layout.axes.empty()) layout.axes = scales_of(dataset, rank);
    layout.known = !layout.axes.empty();
    // x runs along columns, wherever that axis stands.
    std::optional<std::size_t> x, y;
    for (std::size_t i = 0; i < layout.axes.size(); ++i) {
        const char which = direction(layout.axes[i].name);
        if (which == 'x' && !x) x = i;
        if (which == 'y' && !y) y = i;
    }
    if (x && y) {
        layout.column = *x;
        layout.row = *y;
        if (rank == 3) layout.frame = 3 - *x - *y;
    }
    return layout;
}

/// Where the points of a USID dataset (positions x spectroscopic values) are in the frame.
struct PositionTable {
    int rows = 0;
    int columns = 0;
    std::vector<std::uint32_t> pixel;  ///< row * columns + column of each position
    std::optional<double> step_x, step_y;
    std::string unit;
};

/// Reads a table of two columns, one row per position; nothing when it is none.
std::vector<double> two_columns(hid_t table, std::uint64_t positions) {
    if (H5Iget_type(table) != H5I_DATASET || !is_number(table)) return {};
    if (shape_of(table) != std::vector<std::uint64_t>{positions, 2}) return {};
    std::vector<double> values(2 * positions);
    if (H5Dread(table, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) return {};
    return values;
}

std::optional<PositionTable> positions_of(hid_t dataset, const std::vector<std::uint64_t>& shape) {
    if (shape.size() != 2 || shape[0] > static_cast<std::uint64_t>(most_pixels)) return std::nullopt;
    const Hdf5Handle indices = referred_dataset(dataset, "Position_Indices");
    if (indices.failed()) return std::nullopt;
    const std::vector<double> index = two_columns(indices, shape[0]);
    if (index.empty()) return std::nullopt;
    const auto labels = texts_attribute(indices, "labels");
    // Without labels the column that changes from the first position to the second is x.
    std::size_t x = index.size() > 2 && index[2] != index[0] ? 0 : 1;
    if (labels.size() == 2 && direction(labels[0]) == 'x') x = 0;
    if (labels.size() == 2 && direction(labels[1]) == 'x') x = 1;
    std::array<double, 2> most{};
    for (std::size_t i = 0; i < index.size(); ++i) {
        if (!(index[i] >= 0 && index[i] < 1e9)) return std::nullopt;
        most[i % 2] = std::max(most[i % 2], index[i]);
    }
    PositionTable table;
    table.columns = static_cast<int>(most[x]) + 1;
    table.rows = static_cast<int>(most[1 - x]) + 1;
    // Every pixel has one position.
    if (std::uint64_t(table.columns) * std::uint64_t(table.rows) != shape[0]) return std::nullopt;
    std::vector<char> seen(shape[0], 0);
    for (std::size_t i = 0; i < shape[0]; ++i) {
        const auto pixel =
            static_cast<std::uint32_t>(index[2 * i + 1 - x]) * static_cast<std::uint32_t>(table.columns) +
            static_cast<std::uint32_t>(index[2 * i + x]);
        if (seen[pixel]++ != 0) return std::nullopt;
        table.pixel.push_back(pixel);
    }
    const Hdf5Handle values = referred_dataset(dataset, "Position_Values");
    const std::vector<double> value = values.failed() ? std::vector<double>{} : two_columns(values, shape[0]);
    if (!value.empty()) {
        const auto units = texts_attribute(values, "units");
        if (units.size() == 2) table.unit = units[x];
        const auto step = [&](std::size_t which, int count) -> std::optional<double> {
            double low = value[which], high = low;
            for (std::size_t i = which; i < value.size(); i += 2) {
                low = std::min(low, value[i]);
                high = std::max(high, value[i]);
            }
            const double result = count > 1 ? (high - low) / (count - 1) : 0;
            return result > 0 && std::isfinite(result) ? std::optional(result) : std::nullopt;
        };
        table.step_x = step(x, table.columns);
        table.step_y = step(1 - x, table.rows);
    }
    return table;
}

/// Angstrom per pixel of two steps in a unit; nothing when they are unknown or differ.
std::optional<double> square_pixel(std::optional<double> x, std::optional<double> y, const std::string& unit,
                                   const std::string& name) {
    const auto angstrom = real_space_angstrom(unit, name);
    if (!angstrom || !x || !y || std::abs(*x - *y) > 0.01 * *x) return std::nullopt;
    return *angstrom * 0.5 * (*x + *y);
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
        positions_ = positions_of(dataset_, shape_);
        layout_ = layout_of(file_, dataset_name_, dataset_, shape_.size());
        check_shape({rows(), columns()}, name_);
        if (rows() * columns() / most_deflated > fs::file_size(path))
            throw FileError(fmt::format("image {} claims {} x {} pixels, far more than the file can hold",
                                        name_, columns(), rows()));
    }
    int n_frames() const override {
        if (positions_) return static_cast<int>(shape_[1]);
        return layout_.frame ? static_cast<int>(shape_[*layout_.frame]) : 1;
    }
    std::string dataset() const override { return dataset_name_; }

    Pixels read(int frame) override {
        const QuietHdf5 quiet;
        std::vector<hsize_t> start(shape_.size(), 0);
        std::vector<hsize_t> count(shape_.begin(), shape_.end());
        const std::size_t frame_axis = positions_ ? 1 : layout_.frame.value_or(0);
        if (positions_ || layout_.frame) {
            start[frame_axis] = static_cast<hsize_t>(frame);
            count[frame_axis] = 1;
        }
        const Hdf5Handle in_file(H5Dget_space(dataset_), H5Sclose);
        const Hdf5Handle in_memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                                   H5Sclose);
        // As stored: the axis that comes first in the file has the rows.
        const bool turned = !positions_ && layout_.row > layout_.column;
        Pixels stored(static_cast<Eigen::Index>(turned ? columns() : rows()),
                      static_cast<Eigen::Index>(turned ? rows() : columns()));
        if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
            H5Dread(dataset_, H5T_NATIVE_FLOAT, in_memory, in_file, H5P_DEFAULT, stored.data()) < 0)
            throw FileError(
                fmt::format("image {} cannot be read: truncated, damaged, or packed with a filter that this "
                            "HDF5 library does not have",
                            name_));
        if (turned) return stored.transpose();
        if (!positions_) return stored;
        Pixels pixels(stored.rows(), stored.cols());
        for (std::size_t i = 0; i < positions_->pixel.size(); ++i)
            pixels.data()[positions_->pixel[i]] = stored.data()[i];
        return pixels;
    }

    std::optional<double> pixel_size_angstrom(int frame) override {
        const QuietHdf5 quiet;
        // The dataset itself, then the groups above it up to the root.
        for (std::string object = "/" + dataset_name_; !object.empty();) {
            const Hdf5Handle opened(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
            if (!opened.failed() && H5Aexists(opened, "pixel_size") > 0) return pixel_size_of(opened);
            if (object == "/") break;
            object = fs::path(object).parent_path().string();
        }
        if (positions_) return square_pixel(positions_->step_x, positions_->step_y, positions_->unit, name_);
        if (shape_.size() == 3 && is_velox(dataset_name_)) return velox_pixel_size(frame);
        if (layout_.axes.empty()) return std::nullopt;
        const Axis &x = layout_.axes[layout_.column], &y = layout_.axes[layout_.row];
        if (x.unit != y.unit) return std::nullopt;
        return square_pixel(x.step, y.step, x.unit, name_);
    }

  private:
    std::uint64_t rows() const {
        return positions_ ? static_cast<std::uint64_t>(positions_->rows) : shape_[layout_.row];
    }
    std::uint64_t columns() const {
        return positions_ ? static_cast<std::uint64_t>(positions_->columns) : shape_[layout_.column];
    }

    /// BinaryResult.PixelSize of the frame's metadata: a column of characters, JSON, ended by zeros.
    std::optional<double> velox_pixel_size(int frame) const {
        const std::string path = (fs::path(dataset_name_).parent_path() / "Metadata").string();
        if (H5Lexists(file_, path.c_str(), H5P_DEFAULT) <= 0) return std::nullopt;
        const Hdf5Handle metadata(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose);
        if (metadata.failed() || !is_number(metadata)) return std::nullopt;
        const auto shape = shape_of(metadata);
        constexpr std::uint64_t longest = 1U << 24;
        if (shape.size() != 2 || shape[0] == 0 || shape[0] > longest || shape[1] == 0) return std::nullopt;
        // Often the metadata of the first frame stand for all.
        const std::array<hsize_t, 2> start = {0,
                                              std::min<hsize_t>(static_cast<hsize_t>(frame), shape[1] - 1)};
        const std::array<hsize_t, 2> count = {shape[0], 1};
        const Hdf5Handle in_file(H5Dget_space(metadata), H5Sclose);
        const Hdf5Handle in_memory(H5Screate_simple(2, count.data(), nullptr), H5Sclose);
        std::string text(shape[0], '\0');
        if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
            H5Dread(metadata, H5T_NATIVE_UINT8, in_memory, in_file, H5P_DEFAULT, text.data()) < 0)
            return std::nullopt;
        const auto json =
            nlohmann::json::parse(text.begin(), std::find(text.begin(), text.end(), '\0'), nullptr, false);
        const auto value = [&](const char* pointer) {
            const nlohmann::json::json_pointer at(pointer);
            if (!json.contains(at)) return std::string();
            return json[at].is_string() ? json[at].get<std::string>() : json[at].dump();
        };
        const auto number = [&](const char* pointer) -> std::optional<double> {
            const std::string digits = value(pointer);
            char* end = nullptr;
            const double result = std::strtod(digits.c_str(), &end);
            if (digits.empty() || *end != '\0' || !(result > 0) || !std::isfinite(result))
                return std::nullopt;
            return result;
        };
        return square_pixel(number("/BinaryResult/PixelSize/width"), number("/BinaryResult/PixelSize/height"),
                            value("/BinaryResult/PixelUnitX"), name_);
    }

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
        std::string first;
        for (const std::string& name : names) {
            const Hdf5Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
            if (dataset.failed()) continue;
            const auto shape = shape_of(dataset);
            if (wanted.empty() && (shape.size() == 2 || shape.size() == 3) && is_number(dataset)) {
                // What a convention calls an image goes before tables that only look like one.
                if (H5Aexists(dataset, "Position_Indices") > 0 ||
                    layout_of(file_, name, dataset, shape.size()).known)
                    return name;
                if (first.empty()) first = name;
            }
            listed.push_back(fmt::format("{} {}", name, shape_text(shape)));
        }
        if (!first.empty()) return first;
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
    Layout layout_;
    std::optional<PositionTable> positions_;
};

}  // namespace

std::unique_ptr<ImageReader> open_hdf5(const fs::path& path, const std::string& dataset) {
    const QuietHdf5 quiet;
    return std::make_unique<Hdf5Reader>(path, dataset);
}

}  // namespace stembridge::io
