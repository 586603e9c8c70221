// SPDX-License-Identifier: Apache-2.0
#include "real_space_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "configuration.hpp"
#include "scan_picture.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/cube_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/tb/near_fermi.hpp"
#include "stembridge/tb/properties.hpp"
#include "stembridge/tb/real_space.hpp"
#include "stembridge/tb/tunnelling.hpp"

namespace stembridge::app {
namespace {
namespace fs = std::filesystem;

/// Part of its norm that a radial function may lose at its cut-off.
constexpr double cut_off = 1e-8;

// --- radial orbitals

fs::path orbitals_file(const io::Config& config, Session& session) {
    const std::vector<fs::path> folders = parameter_folders(config);
    const fs::path own = data_folder() / "parameters" / "stembridge-1";
    if (config.has("properties.orbitals")) {
        const auto named = config.files("properties.orbitals");
        if (named.size() != 1)
            throw InputError(fmt::format("{}: {} files; one is accepted", config.where("properties.orbitals"),
                                         named.size()));
        if (named[0] != "builtin") return named[0];
        if (std::find(folders.begin(), folders.end(), own) == folders.end())
            session.warning(
                "the radial orbitals are those of the built-in set, the tables are not: shapes are a good "
                "guess, norms are not exact");
        return own / tb::orbitals_file_name;
    }
    std::string looked;
    for (const fs::path& folder : folders) {
        if (fs::exists(folder / tb::orbitals_file_name)) return folder / tb::orbitals_file_name;
        looked += (looked.empty() ? "" : ", ") + folder.string();
    }
    throw InputError(
        fmt::format("functions in space need the radial orbitals that the tables were made with, and there "
                    "is no {} in {}: make one with `stembridge make-parameters` and the settings of the set "
                    "(orbitals only: --only and any pair), name a file with --orbitals FILE, or take those "
                    "of the built-in set as a guess with --orbitals builtin",
                    tb::orbitals_file_name, looked));
}

// --- levels by name

/// Orbitals at Gamma of one spin: all of them, or those around the Fermi level.
struct Orbitals {
    Eigen::VectorXd energies;
    Eigen::MatrixXd coefficients;
    Eigen::Index homo = -1, lumo = -1;  ///< -1 = there is none
    bool all = true;
};

Orbitals orbitals_of(const tb::ElectronicState& state, int spin, int selected) {
    if (!state.kpoints.only_gamma())
        throw UnsupportedError(
            "orbitals are written at Gamma only, where they are real: use 1 1 1 k-points (densities are "
            "written with any)");
    Orbitals result;
    const double fermi_level = state.fermi_levels[static_cast<std::size_t>(spin)];
    if (selected > 0) {
        tb::SelectedStates found = tb::states_near(state, spin, fermi_level, selected);
        result.energies = std::move(found.energies);
        result.coefficients = std::move(found.coefficients);
        result.all = false;
    } else {
        const tb::States found = tb::states_at(state, Eigen::Vector3d::Zero(), spin, true);
        result.energies = found.energies;
        result.coefficients = found.coefficients.real();
    }
    tb::fix_phases(result.energies, result.coefficients);
    const auto below = (result.energies.array() <= fermi_level).count();
    result.homo = below - 1;
    result.lumo = below < result.energies.size() ? below : -1;
    return result;
}

/// Number of the level that "homo-1", "lumo", "lumo+2" or "17" means. @throw InputError
Eigen::Index level_of(const std::string& name, const Orbitals& orbitals, const std::string& where) {
    const bool homo = name.starts_with("homo"), lumo = name.starts_with("lumo");
    const std::string rest = homo || lumo ? name.substr(4) : name;
    const char sign = homo ? '-' : '+';
    int number = 0;
    const char* begin = rest.data() + (homo || lumo ? std::min<std::size_t>(1, rest.size()) : 0);
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(begin, end, number);
    const bool plain = (homo || lumo) && rest.empty();
    if (!plain &&
        (parsed.ec != std::errc{} || parsed.ptr != end || number < 0 || ((homo || lumo) && rest[0] != sign)))
        throw InputError(
            fmt::format("{}: '{}' is unknown; accepted are density, spin, difference, homo, homo-1, ..., "
                        "lumo, lumo+1, ..., and numbers of levels counted from 1",
                        where, name));
    if (!homo && !lumo && !orbitals.all)
        throw InputError(fmt::format(
            "{}: level {} cannot be counted when only levels around the Fermi level are known (--states)",
            where, name));
    const Eigen::Index start = homo ? orbitals.homo : lumo ? orbitals.lumo : -1;
    const Eigen::Index level = homo ? start - number : lumo ? start + number : number - 1;
    const bool exists = level >= 0 && level < orbitals.energies.size() && ((!homo && !lumo) || start >= 0);
    if (!exists)
        throw InputError(fmt::format("{}: there is no level '{}' among the {} {}", where, name,
                                     orbitals.energies.size(),
                                     orbitals.all ? "of the basis"
                                                  : "around the Fermi level; ask for more "
                                                    "with --states"));
    return level;
}

// --- pictures

/// "0.5 eV", "1 V" or "-0.3 V" in hartree.
double bias_of(const io::Config& config) {
    std::string text = config.text("properties.stm_bias");
    if (text.ends_with("V") && !text.ends_with("eV")) text.insert(text.size() - 1, "e");
    if (text.ends_with("meV") || text.ends_with("eV") || text.ends_with("hartree")) {
        try {
            return parse_quantity(text, Dimension::energy);
        } catch (const InputError& e) {
            throw InputError(fmt::format("{}: {}", config.where("properties.stm_bias"), e.what()));
        }
    }
    throw InputError(fmt::format("{}: '{}' is no bias; expected as in \"0.5 V\" or \"-200 meV\"",
                                 config.where("properties.stm_bias"), config.text("properties.stm_bias")));
}

/// Where the atoms and their images are in a picture.
std::vector<ScanPicture::Mark> marks(const Structure& structure, const tb::TunnellingImage& image) {
    const Cell& cell = structure.cell;
    const double wide = image.pixel * static_cast<double>(image.current.cols()),
                 high = image.pixel * static_cast<double>(image.current.rows());
    std::array<int, 3> repeat{};
    for (std::size_t i = 0; i < 3; ++i) {
        const Eigen::Vector3d v = cell.vector(static_cast<int>(i));
        if (cell.periodic[i] && v.head<2>().norm() > 0.1 * v.norm())
            repeat[i] = static_cast<int>(std::ceil(2 * (wide + high) / v.head<2>().norm())) + 1;
    }
    std::vector<ScanPicture::Mark> result;
    for (int a = -repeat[0]; a <= repeat[0]; ++a)
        for (int b = -repeat[1]; b <= repeat[1]; ++b)
            for (int c = -repeat[2]; c <= repeat[2]; ++c)
                for (int atom = 0; atom < structure.size(); ++atom) {
                    Eigen::Vector3d at = structure.positions.col(atom);
                    if (cell.is_periodic()) at += cell.vectors * Eigen::Vector3d(a, b, c);
                    const Eigen::Vector2d pixel = (at.head<2>() - image.origin) / image.pixel;
                    if (pixel(0) < -0.5 || pixel(1) < -0.5 ||
                        pixel(0) > static_cast<double>(image.current.cols()) - 0.5 ||
                        pixel(1) > static_cast<double>(image.current.rows()) - 0.5)
                        continue;
                    result.push_back(
                        {pixel(0), pixel(1), structure.atomic_numbers[static_cast<std::size_t>(atom)]});
                }
    return result;
}

}  // namespace

nlohmann::json write_cubes(const io::Config& config, const tb::ElectronicState& state, const fs::path& folder,
                           Session& session) {
    const fs::path file = orbitals_file(config, session);
    const tb::OrbitalTable table = tb::read_orbitals(file);
    const tb::RealSpace space(state, table, cut_off);
    const Grid grid = tb::grid_around(state.structure, config.quantity("properties.cube_spacing"),
                                      config.quantity("properties.cube_margin"));
    session.info(fmt::format("grid of {} x {} x {} points, orbitals of {}", grid.points[0], grid.points[1],
                             grid.points[2], file.string()));
    nlohmann::json entries = nlohmann::json::array();
    const auto write = [&](const std::string& name, const std::string& what, const Eigen::VectorXd& values) {
        const fs::path path = folder / (name + ".cube");
        io::write_cube(path, {.comments = {fmt::format("{} of {}", what, state.structure.formula()),
                                           "stembridge; atomic units"},
                              .structure = state.structure,
                              .grid = grid,
                              .values = values});
        entries.push_back({{"file", path.filename().string()}, {"what", what}});
        session.info(fmt::format("{}: {}", path.string(), what));
    };

    std::vector<Eigen::VectorXd> densities;
    const auto density = [&](int spin) -> const Eigen::VectorXd& {
        while (static_cast<int>(densities.size()) < state.n_spins())
            densities.push_back(space.density(grid, static_cast<int>(densities.size())));
        return densities[static_cast<std::size_t>(spin)];
    };
    const auto total = [&] {
        return state.n_spins() == 1 ? density(0) : Eigen::VectorXd(density(0) + density(1));
    };
    std::vector<Orbitals> orbitals;
    const std::string where = config.where("properties.cube");
    for (const std::string& name : config.texts("properties.cube")) {
        if (name == "density") {
            write(name, "electron density / bohr^-3", total());
            entries.back()["electrons_on_grid"] = grid.voxel() * total().sum();
            continue;
        }
        if (name == "difference") {
            write(name, "electron density less that of the free atoms / bohr^-3",
                  total() - space.free_atom_density(grid));
            continue;
        }
        if (name == "spin") {
            if (state.n_spins() == 1)
                throw InputError(fmt::format(
                    "{}: a spin density needs a spin-polarised calculation (calculator.spin.polarized)",
                    where));
            write(name, "spin density, up less down / bohr^-3", density(0) - density(1));
            entries.back()["unpaired_electrons_on_grid"] = grid.voxel() * (density(0) - density(1)).sum();
            continue;
        }
        for (int spin = 0; spin < state.n_spins(); ++spin) {
            if (static_cast<int>(orbitals.size()) <= spin)
                orbitals.push_back(
                    orbitals_of(state, spin, static_cast<int>(config.integer("properties.states"))));
            const Orbitals& of_spin = orbitals[static_cast<std::size_t>(spin)];
            const Eigen::Index level = level_of(name, of_spin, where);
            const std::string spin_name = state.n_spins() == 1 ? "" : spin == 0 ? "up" : "down";
            const double energy_ev = of_spin.energies(level) / units::electronvolt;
            const bool number = name.find_first_not_of("0123456789") == std::string::npos;
            const Eigen::VectorXd psi = space.orbitals(grid, of_spin.coefficients.col(level)).col(0);
            write((number ? "level_" : "") + name + (spin_name.empty() ? "" : "_") + spin_name,
                  fmt::format("orbital {}{}{} at {:.4f} eV / bohr^-3/2", name, spin_name.empty() ? "" : " ",
                              spin_name, energy_ev),
                  psi);
            entries.back()["energy_ev"] = energy_ev;
            entries.back()["norm_on_grid"] = grid.voxel() * psi.squaredNorm();
            if (of_spin.all) entries.back()["level"] = level + 1;
            if (!spin_name.empty()) entries.back()["spin"] = spin_name;
        }
    }
    return entries;
}

nlohmann::json write_tunnelling(const io::Config& config, const tb::ElectronicState& state,
                                const fs::path& folder, Session& session) {
    const tb::OrbitalTable table = tb::read_orbitals(orbitals_file(config, session));
    const tb::TunnellingOptions options{.bias = bias_of(config),
                                        .height = config.quantity("properties.stm_height"),
                                        .pixel = config.quantity("properties.stm_pixel"),
                                        .width = config.quantity("properties.stm_width"),
                                        .margin = config.quantity("properties.cube_margin"),
                                        .states = static_cast<int>(config.integer("properties.states"))};
    const tb::TunnellingImage image = tb::tunnelling_image(state, table, options);
    const double per_cubic_angstrom = std::pow(units::angstrom, 3);
    ScanPicture picture{.values = image.current * per_cubic_angstrom,
                        .pixel_angstrom = image.pixel / units::angstrom,
                        .title = fmt::format("{:+.3g} eV", options.bias / units::electronvolt),
                        .unit = "/Å³",
                        .atoms = {}};
    if (config.boolean("properties.stm_atoms")) picture.atoms = marks(state.structure, image);
    const auto write = [&](const std::string& name) {
        write_scan_picture(folder / (name + ".png"), picture);
        io::write_npy(folder / (name + ".npy"), Pixels(picture.values.cast<float>()));
    };
    write("stm_constant_height");
    nlohmann::json j = {
        {"bias_ev", options.bias / units::electronvolt},
        {"levels", image.levels},
        {"pixel_angstrom", picture.pixel_angstrom},
        {"origin_angstrom", {image.origin(0) / units::angstrom, image.origin(1) / units::angstrom}},
        {"tip_z_angstrom", image.tip / units::angstrom},
        {"set_point_per_angstrom3", image.set_point * per_cubic_angstrom},
        {"constant_height",
         {{"files", {"stm_constant_height.png", "stm_constant_height.npy"}},
          {"lowest_per_angstrom3", picture.values.minCoeff()},
          {"highest_per_angstrom3", picture.values.maxCoeff()}}}};
    picture.values = image.tip_height / units::angstrom;
    picture.unit = "Å";
    write("stm_constant_current");
    j["constant_current"] = {{"files", {"stm_constant_current.png", "stm_constant_current.npy"}},
                             {"lowest_z_angstrom", picture.values.minCoeff()},
                             {"highest_z_angstrom", picture.values.maxCoeff()}};
    session.info(fmt::format(
        "tunnelling picture of {} levels within {:+.3f} eV, tip {:.2f} angstrom over the highest atom; at "
        "constant current it moves by {:.2f} angstrom",
        image.levels, options.bias / units::electronvolt, options.height / units::angstrom,
        picture.values.maxCoeff() - picture.values.minCoeff()));
    return j;
}

}  // namespace stembridge::app
