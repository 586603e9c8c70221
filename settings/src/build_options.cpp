// SPDX-License-Identifier: Apache-2.0
#include "build_options.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "stembridge/base/errors.hpp"

namespace stembridge::settings {
namespace {

using By = CropOptions::By;

const std::map<std::string, By> ways_of_cropping = {
    {"nearest", By::nearest}, {"radius", By::radius},       {"polygon", By::polygon}, {"defect", By::defect},
    {"random", By::random},   {"uncertain", By::uncertain}, {"certain", By::certain},
};

CropOptions crop_options(const io::Config& config, const std::optional<PixelMap>& pixels,
                         const std::vector<double>& uncertainty) {
    CropOptions crop;
    const std::string& by = config.text("build.crop.by");
    crop.by = ways_of_cropping.at(by);
    crop.n_atoms = static_cast<int>(config.integer("build.crop.atoms"));
    crop.radius = config.quantity("build.crop.radius");
    crop.defect = static_cast<int>(config.integer("build.crop.defect"));
    crop.defect_kind = config.has("build.crop.defect_kind") ? config.text("build.crop.defect_kind") : "";
    crop.n_patches = static_cast<int>(config.integer("build.crop.patches"));
    crop.patch = static_cast<int>(config.integer("build.crop.patch"));
    crop.seed = static_cast<std::uint64_t>(config.integer("build.crop.seed"));
    crop.clean_edge = config.boolean("build.crop.clean_edge");
    if (crop.by == By::uncertain || crop.by == By::certain) {
        if (uncertainty.empty())
            throw InputError(
                fmt::format("{} = \"{}\" needs detected atoms as input; a structure has no "
                            "uncertainty",
                            config.where("build.crop.by"), by));
        crop.uncertainty = uncertainty;
    }
    const auto require_pixels = [&](const std::string& key) {
        if (!pixels)
            throw InputError(config.where(key) +
                             ": pixels need detected atoms as input; a structure has none");
    };
    if (config.has("build.crop.center_px")) {
        require_pixels("build.crop.center_px");
        const auto center = config.numbers("build.crop.center_px");
        crop.centre = (*pixels)(center[0], center[1]);
    } else if (config.has("build.crop.center_angstrom")) {
        const auto center = config.numbers("build.crop.center_angstrom");
        crop.centre = Eigen::Vector2d(center[0], center[1]) * units::angstrom;
    } else if (by == "nearest" || by == "radius") {
        throw InputError(fmt::format("{} = \"{}\" needs build.crop.center_px or build.crop.center_angstrom",
                                     config.where("build.crop.by"), by));
    }
    if (by == "polygon") {
        if (config.has("build.crop.polygon_px")) {
            require_pixels("build.crop.polygon_px");
            for (const auto& corner : config.rows("build.crop.polygon_px"))
                crop.polygon.push_back((*pixels)(corner[0], corner[1]));
        } else if (config.has("build.crop.polygon_angstrom")) {
            for (const auto& corner : config.rows("build.crop.polygon_angstrom"))
                crop.polygon.push_back(Eigen::Vector2d(corner[0], corner[1]) * units::angstrom);
        } else {
            throw InputError(config.where("build.crop.by") +
                             " = \"polygon\" needs build.crop.polygon_px or build.crop.polygon_angstrom");
        }
    }
    return crop;
}

SupercellOptions supercell_options(const io::Config& config) {
    SupercellOptions cell;
    const auto size = config.quantities("build.supercell.size");
    if (size.size() > 2) throw InputError(config.where("build.supercell.size") + ": give one length, or two");
    cell.lengths = Eigen::Vector2d(size.front(), size.back());
    cell.shape = config.text("build.supercell.shape") == "lattice" ? SupercellOptions::Shape::along_lattice
                                                                   : SupercellOptions::Shape::rectangular;
    cell.max_strain = config.number("build.supercell.max_strain");
    if (config.has("build.supercell.vectors_angstrom")) {
        const auto rows = config.rows("build.supercell.vectors_angstrom");
        if (rows.size() != 2)
            throw InputError(config.where("build.supercell.vectors_angstrom") +
                             ": give two vectors, e.g. [[20.0, 0.0], [0.0, 17.1]]");
        cell.shape = SupercellOptions::Shape::given;
        for (int k = 0; k < 2; ++k)
            cell.cell.col(k) =
                Eigen::Vector2d(rows[static_cast<std::size_t>(k)][0], rows[static_cast<std::size_t>(k)][1]) *
                units::angstrom;
    }
    if (config.has("build.supercell.lattice")) {
        const auto lattice = config.numbers("build.supercell.lattice");
        cell.primitive = {lattice[0] * units::angstrom, lattice[1] * units::angstrom,
                          lattice[2] * M_PI / 180};
    }
    return cell;
}

Eigen::Vector3d vacuum_of(const io::Config& config) {
    const auto vacuum = config.quantities("build.vacuum");
    if (vacuum.size() == 1) return Eigen::Vector3d::Constant(vacuum.front());
    if (vacuum.size() != 3)
        throw InputError(config.where("build.vacuum") + ": give one length, or three for x, y and z");
    return {vacuum[0], vacuum[1], vacuum[2]};
}

}  // namespace

PixelMap::PixelMap(const Detections& atoms) {
    const auto n = static_cast<Eigen::Index>(atoms.size());
    Eigen::MatrixX3d pixels(n, 3);
    Eigen::MatrixX2d angstrom(n, 2);
    for (Eigen::Index i = 0; i < n; ++i) {
        const Detection& atom = atoms[static_cast<std::size_t>(i)];
        pixels.row(i) << atom.x_px, atom.y_px, 1;
        angstrom.row(i) << atom.x_angstrom, atom.y_angstrom;
    }
    map_ = pixels.colPivHouseholderQr().solve(angstrom).transpose();
}

Eigen::Vector2d PixelMap::operator()(double x_px, double y_px) const {
    return map_ * Eigen::Vector3d(x_px, y_px, 1) * units::angstrom;
}

Eigen::Vector2d PixelMap::pixel(const Eigen::Vector2d& position) const {
    return map_.leftCols<2>().colPivHouseholderQr().solve(position / units::angstrom - map_.col(2));
}

BuildOptions build_options(const io::Config& config, const std::optional<PixelMap>& pixels,
                           const std::vector<double>& uncertainty) {
    BuildOptions options;
    const std::string& short_bonds = config.text("build.short_bonds");
    options.repair->on_short = short_bonds == "merge"    ? RepairOptions::Short::merge
                               : short_bonds == "remove" ? RepairOptions::Short::remove
                                                         : RepairOptions::Short::refuse;
    if (config.boolean("build.regularise")) options.regularise = RegulariseOptions{};
    if (pixels && config.text("build.amorphous") == "exclude") options.amorphous = AmorphousOptions{};
    if (config.text("build.crop.by") != "none") options.crop = crop_options(config, pixels, uncertainty);
    if (config.text("build.cell") == "periodic") options.cell = supercell_options(config);
    options.remove_dangling = config.boolean("build.remove_dangling");
    if (config.text("build.terminate") == "none") {
        options.terminate.reset();
    } else {
        options.terminate->where = config.text("build.terminate_where") == "everywhere"
                                       ? TerminationOptions::Where::everywhere
                                       : TerminationOptions::Where::outer_edge;
        options.terminate->bond_length = config.quantity("build.bond_length");
        options.terminate->charge = static_cast<int>(config.number("calculator.charge"));
    }
    options.vacuum = vacuum_of(config);
    options.periodic = config.boolean("build.periodic");
    if (config.has("build.fix")) options.fix = config.texts("build.fix");
    return options;
}

}  // namespace stembridge::settings
