// SPDX-License-Identifier: Apache-2.0
// stembridge properties: what one converged calculation says about the electrons, as JSON, tables and
// pictures.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "csv_log.hpp"
#include "environment.hpp"
#include "real_space_views.hpp"
#include "stage_folder.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/tb/bands.hpp"
#include "stembridge/tb/near_fermi.hpp"
#include "stembridge/tb/properties.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::app {
namespace {
namespace fs = std::filesystem;

constexpr const char* shell_names[] = {"s", "p", "d", "f"};

std::vector<double> list(const Eigen::VectorXd& v) {
    return {v.begin(), v.end()};
}

double in_ev(double hartree) {
    return hartree / units::electronvolt;
}

double highest(const std::vector<double>& fermi_levels) {
    return *std::max_element(fermi_levels.begin(), fermi_levels.end());
}

nlohmann::json populations_json(const tb::ElectronicState& state) {
    const tb::Populations p = tb::populations(state);
    nlohmann::json atoms = nlohmann::json::array();
    for (int atom = 0; atom < state.basis.n_atoms(); ++atom) {
        nlohmann::json shells, spins;
        for (int l = 0; l < state.basis.n_shells(atom); ++l) {
            shells[shell_names[l]] = p.shells(state.basis.first_shell(atom) + l);
            if (p.spins.size() > 0) spins[shell_names[l]] = p.spins(state.basis.first_shell(atom) + l);
        }
        atoms.push_back({{"element", state.basis.element(atom).symbol},
                         {"charge_e", p.charges(atom)},
                         {"shells_e", shells}});
        if (p.spins.size() > 0) atoms.back()["spins_e"] = spins;
    }
    return atoms;
}

nlohmann::json level_json(const tb::Level& level, const tb::ElectronicState& state) {
    return {{"energy_ev", in_ev(level.energy)},
            {"band", level.band + 1},
            {"spin", level.spin == 0 ? "up" : "down"},
            {"kpoint", list(state.kpoints.points.col(level.kpoint))}};
}

/// The bands of each spin that hold electrons; empty where one of them is partly filled.
std::optional<std::vector<int>> filled_bands(const tb::ElectronicState& state) {
    constexpr double whole = 0.01;  // electrons that the electronic temperature may move between the spins
    const Eigen::VectorXd spins = tb::populations(state).spins;
    const double unpaired = spins.size() == 0 ? 0 : spins.sum();
    std::vector<int> filled;
    for (int spin = 0; spin < state.n_spins(); ++spin) {
        const double bands = (state.electrons.number + (spin == 0 ? unpaired : -unpaired)) / 2;
        filled.push_back(static_cast<int>(std::lround(bands)));
        if (std::abs(bands - filled.back()) > whole) return std::nullopt;
    }
    return filled;
}

/// Where the filled bands end and the empty ones begin, over all k-points that were looked at: the gap of all
/// k-points is at most this large.
class BandEdges {
  public:
    explicit BandEdges(const tb::ElectronicState& state) : filled_(filled_bands(state)) {}

    /// @param levels of one k-point, ascending, hartree
    void look_at(const Eigen::VectorXd& levels, std::size_t spin) {
        if (!filled_) return;
        const int filled = (*filled_)[spin];
        if (filled > 0) highest_filled_ = std::max(highest_filled_, levels(filled - 1));
        if (filled < levels.size()) lowest_empty_ = std::min(lowest_empty_, levels(filled));
    }
    void look_at(const tb::Spectrum& spectrum) {
        for (std::size_t spin = 0; spin < spectrum.states.size(); ++spin)
            for (const tb::States& states : spectrum.states[spin]) look_at(states.energies, spin);
    }
    void look_at(const tb::Bands& bands) {
        for (std::size_t spin = 0; spin < bands.levels.size(); ++spin)
            for (const auto& levels : bands.levels[spin].colwise()) look_at(levels, spin);
    }
    /// Hartree; 0 where bands overlap or one is partly filled.
    double gap() const { return filled_ ? std::max(0.0, lowest_empty_ - highest_filled_) : 0; }

  private:
    std::optional<std::vector<int>> filled_;
    double highest_filled_ = -std::numeric_limits<double>::infinity();
    double lowest_empty_ = std::numeric_limits<double>::infinity();
};

/// A gap on some k-points is the largest that there can be: it can tell a metal, and a semiconductor only
/// where these points are all there are, or the lines on which bands end as a rule.
/// @param with_path whether the corners of the zone and the lines between them are among the points
nlohmann::json verdict_on(double gap, double metallic_below, bool periodic, bool with_path,
                          Session& session) {
    if (gap <= metallic_below) {
        session.info(fmt::format("gap {:.4f} eV: metallic", in_ev(gap)));
        return "metallic";
    }
    if (!periodic || with_path) {
        session.info(fmt::format("gap {:.4f} eV{}: semiconducting", in_ev(gap),
                                 periodic ? " on the mesh of k-points and along the path" : ""));
        return "semiconducting";
    }
    session.info(
        fmt::format("gap {:.4f} eV on this mesh of k-points; between them it may close: --bands auto "
                    "looks along the lines of the zone",
                    in_ev(gap)));
    return nullptr;
}

void write_figure(const fs::path& folder, const io::Figure& figure) {
    io::write_text_atomically(folder / (figure.name + ".svg"), io::standalone_svg(figure));
}

// --- density of states

std::string part_name(const tb::ElectronicState& state, const tb::DensityOfStates::Part& part) {
    return fmt::format("{} {}", state.basis.elements()[static_cast<std::size_t>(part.element)].symbol,
                       shell_names[part.l]);
}

void write_dos(const fs::path& folder, const tb::ElectronicState& state, const tb::DensityOfStates& dos) {
    const double zero = highest(state.fermi_levels);
    const Eigen::VectorXd x = (dos.energies.array() - zero) / units::electronvolt;
    std::vector<std::string> columns = {"energy_above_fermi_level_ev"};
    std::vector<Eigen::VectorXd> values = {x};
    io::CurvePlot plot{.name = "dos",
                       .caption = "Density of states, and the shares of the elements' shells",
                       .x = {.label = "energy above the Fermi level / eV"},
                       .panels = {},
                       .width = 640,
                       .panel_height = 230};
    for (int spin = 0; spin < state.n_spins(); ++spin) {
        const std::string suffix = state.n_spins() == 1 ? "" : spin == 0 ? " up" : " down";
        io::Panel panel{.y = {.label = "levels per eV" + suffix, .low = 0}, .curves = {}, .levels = {}};
        int color = 0;
        const auto add = [&](const std::string& name, const Eigen::MatrixXd& density) {
            columns.push_back(name + suffix);
            values.push_back(density.col(spin) * units::electronvolt);
            panel.curves.push_back({.label = name, .x = list(x), .y = list(values.back()), .color = color++});
        };
        add("total", dos.total);
        for (const auto& part : dos.parts) add(part_name(state, part), part.values);
        plot.panels.push_back(panel);
    }
    CsvLog table(folder / "dos.csv", columns);
    for (Eigen::Index i = 0; i < x.size(); ++i) {
        std::vector<double> row(values.size());
        std::transform(values.begin(), values.end(), row.begin(),
                       [i](const auto& column) { return column(i); });
        table.row(row);
    }
    table.flush();
    write_figure(folder, io::draw(plot));
}

// --- bands

void write_bands(const fs::path& folder, const tb::ElectronicState& state, const tb::Bands& bands,
                 double range_below, double range_above) {
    const double zero = highest(state.fermi_levels);
    std::string path;
    std::vector<std::pair<double, std::string>> ticks;
    for (std::size_t c = 0; c < bands.corners.size(); ++c) {
        const std::string name = bands.corners[c].label == "G" ? "Γ" : bands.corners[c].label;
        path += (path.empty() ? "" : "–") + name;
        ticks.emplace_back(bands.corner_lengths[c], name);
    }
    io::CurvePlot plot{.name = "bands",
                       .caption = "Band structure along " + path,
                       .x = {.label = "k along " + path, .ticks = ticks},
                       .panels = {},
                       .width = 560,
                       .panel_height = 380};
    io::Panel panel{.y = {.label = "energy above the Fermi level / eV",
                          .low = -in_ev(range_below),
                          .high = in_ev(range_above)},
                    .curves = {},
                    .levels = {{.label = "Fermi level", .y = 0}}};
    std::vector<std::string> columns = {"length_per_bohr", "k1", "k2", "k3"};
    for (const double length : bands.corner_lengths)
        panel.curves.push_back({.label = "",
                                .x = {length, length},
                                .y = {-in_ev(range_below), in_ev(range_above)},
                                .color = 5,
                                .faint = true});
    for (std::size_t spin = 0; spin < bands.levels.size(); ++spin)
        for (Eigen::Index n = 0; n < bands.levels[spin].rows(); ++n) {
            const std::string spin_name = bands.levels.size() == 1 ? "" : spin == 0 ? "_up" : "_down";
            columns.push_back(fmt::format("band_{}{}_ev", n + 1, spin_name));
            const Eigen::VectorXd level = (bands.levels[spin].row(n).array() - zero) / units::electronvolt;
            if (level.maxCoeff() < -in_ev(range_below) || level.minCoeff() > in_ev(range_above)) continue;
            panel.curves.push_back(
                {.label = "", .x = bands.lengths, .y = list(level), .color = static_cast<int>(spin)});
        }
    plot.panels.push_back(panel);
    CsvLog table(folder / "bands.csv", columns);
    for (Eigen::Index k = 0; k < bands.points.cols(); ++k) {
        std::vector<double> row = {bands.lengths[static_cast<std::size_t>(k)], bands.points(0, k),
                                   bands.points(1, k), bands.points(2, k)};
        for (const auto& levels : bands.levels)
            for (const double e : levels.col(k)) row.push_back(in_ev(e - zero));
        table.row(row);
    }
    table.flush();
    write_figure(folder, io::draw(plot));
}

// --- bonds

nlohmann::json bonds_json(const std::vector<tb::BondOrder>& bonds) {
    nlohmann::json result = nlohmann::json::array();
    for (const auto& b : bonds)
        result.push_back({{"atoms", {b.i + 1, b.j + 1}},
                          {"image", b.image},
                          {"distance_angstrom", b.distance / units::angstrom},
                          {"mayer", b.mayer},
                          {"wiberg", b.wiberg}});
    return result;
}

void write_bonds(const fs::path& folder, const tb::ElectronicState& state,
                 const std::vector<tb::BondOrder>& bonds) {
    std::map<std::string, std::vector<double>> orders;
    for (const auto& b : bonds) {
        std::string first = state.basis.element(b.i).symbol, second = state.basis.element(b.j).symbol;
        if (second < first) std::swap(first, second);
        orders[fmt::format("{}–{}", first, second)].push_back(b.mayer);
    }
    io::Histogram plot{.name = "bonds",
                       .caption = "Mayer bond orders by pair of elements",
                       .x = {.label = "Mayer bond order", .low = 0},
                       .counted = "bonds",
                       .samples = {}};
    int color = 0;
    for (const auto& [pair, values] : orders)
        plot.samples.push_back({.label = pair, .values = values, .color = color++});
    write_figure(folder, io::draw(plot));
}

// --- levels around the Fermi level

/// @param gap set to the gap around the Fermi level when levels on both sides of it were found, hartree
nlohmann::json selected_json(const tb::ElectronicState& state, int n, std::optional<double>& gap) {
    nlohmann::json result = nlohmann::json::array();
    double below = -1e300, above = 1e300;
    for (int spin = 0; spin < state.n_spins(); ++spin) {
        const tb::SelectedStates found =
            tb::states_near(state, spin, state.fermi_levels[static_cast<std::size_t>(spin)], n);
        for (const double e : found.energies) {
            const double level = state.fermi_levels[static_cast<std::size_t>(spin)];
            if (e <= level) below = std::max(below, e);
            if (e >= level) above = std::min(above, e);
        }
        result.push_back({{"spin", spin == 0 ? "up" : "down"},
                          {"energies_ev", list(found.energies / units::electronvolt)},
                          {"largest_residual_hartree", found.residual}});
    }
    if (below > -1e300 && above < 1e300) gap = std::max(0.0, above - below);
    return result;
}

// --- the command

struct Options {
    Options() : config(run_schema()) {}
    ConfigOptions config;
    std::string structure, out;
};

void run(const Options& options, Session& session) {
    const io::Config config = options.config.config();
    set_threads(static_cast<int>(config.integer("run.threads")));
    std::vector<double> range = config.quantities("properties.dos_range");
    if (range.size() == 1) range.push_back(range[0]);
    if (range.size() != 2)
        throw InputError(
            fmt::format("{}: {} energies; accepted are one (both sides of the Fermi level) or two "
                        "(below, above)",
                        config.where("properties.dos_range"), range.size()));
    const Structure structure = io::read_structure(options.structure);
    structure.validate();
    check_unpaired(config, structure, session);
    const fs::path folder = options.out;
    make_folder(folder);  // a place that cannot be used is told before any work
    const bool with_bands = config.has("properties.bands") && !config.text("properties.bands").empty();
    std::vector<tb::BandPoint> corners;
    if (with_bands) corners = tb::band_path(config.text("properties.bands"), structure.cell);

    const auto calculator = make_calculator(config, structure);
    auto* dftb = dynamic_cast<tb::SccDftb*>(calculator.get());
    if (!dftb)
        throw UnsupportedError(fmt::format("electronic properties come from SCC-DFTB alone, not from {}",
                                           calculator->description()));
    session.info(fmt::format("{}: {} atoms ({}), {}", options.structure, structure.size(),
                             structure.formula(), calculator->description()));
    Evaluation evaluation;
    calculator->evaluate(structure, {.forces = false, .stress = false}, evaluation, session.context());
    const auto state = dftb->electronic_state();

    std::vector<double> fermi_ev;
    for (const double e : state->fermi_levels) fermi_ev.push_back(in_ev(e));
    nlohmann::json j = {{"structure", options.structure},      {"calculator", calculator->description()},
                        {"energy_hartree", evaluation.energy}, {"electrons", state->electrons.number},
                        {"fermi_levels_ev", fermi_ev},         {"atoms", populations_json(*state)},
                        {"dipole_e_angstrom", nullptr}};
    if (!structure.cell.is_periodic()) {
        const Eigen::Vector3d moment = tb::dipole(*state) / units::angstrom;
        j["dipole_e_angstrom"] = {moment(0), moment(1), moment(2)};
    }

    const bool periodic = structure.cell.is_periodic();
    BandEdges edges(*state);
    std::optional<double> gap;
    if (const auto n = static_cast<int>(config.integer("properties.states")); n > 0) {
        j["states_near_fermi_level"] = selected_json(*state, n, gap);
        if (gap) j["gap_ev"] = in_ev(*gap);
        session.info(fmt::format("{} levels around the Fermi level at {:.4f} eV", n,
                                 in_ev(highest(state->fermi_levels))));
    } else {
        const tb::Spectrum levels = tb::spectrum(*state);
        const tb::Frontier frontier = tb::frontier(levels);
        edges.look_at(levels);
        gap = periodic ? edges.gap() : frontier.gap;
        j["homo"] = level_json(frontier.homo, *state);
        j["lumo"] = level_json(frontier.lumo, *state);
        j["gap_ev"] = in_ev(*gap);
        session.info(fmt::format("highest occupied level {:.4f} eV, lowest unoccupied {:.4f} eV",
                                 in_ev(frontier.homo.energy), in_ev(frontier.lumo.energy)));
        const double zero = highest(state->fermi_levels);
        const auto n_points = static_cast<Eigen::Index>(config.integer("properties.dos_points"));
        write_dos(folder, *state,
                  tb::density_of_states(
                      *state, levels, Eigen::VectorXd::LinSpaced(n_points, zero - range[0], zero + range[1]),
                      config.quantity("properties.dos_width")));
        const auto bonds = tb::bond_orders(*state, levels, config.number("properties.least_bond_order"));
        j["bonds"] = bonds_json(bonds);
        write_bonds(folder, *state, bonds);
    }
    if (with_bands) {
        const tb::Bands bands =
            tb::bands(*state, corners, static_cast<int>(config.integer("properties.band_points")));
        BandEdges on_path(*state);
        on_path.look_at(bands);
        j["gap_along_path_ev"] = in_ev(on_path.gap());
        edges.look_at(bands);
        gap = edges.gap();
        j["gap_ev"] = in_ev(*gap);  // the path may meet what the mesh misses
        write_bands(folder, *state, bands, range[0], range[1]);
    }
    if (gap)
        j["verdict"] =
            verdict_on(*gap, config.quantity("properties.metallic_below"), periodic, with_bands, session);
    const auto write = [&] { io::write_text_atomically(folder / "properties.json", j.dump(1) + "\n"); };
    write();  // what there is stays where pictures cannot be made
    if (config.has("properties.cube")) j["cubes"] = write_cubes(config, *state, folder, session);
    if (config.boolean("properties.stm")) j["stm"] = write_tunnelling(config, *state, folder, session);
    write();
}

}  // namespace

void add_properties(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "properties",
        "Populations, dipole, density of states, bands, bond orders, orbitals, tunnelling pictures");
    command->add_option("structure", options->structure, "Structure file (extxyz, POSCAR, gen, ...)")
        ->required();
    command->add_option("--out", options->out, "Folder of the results")->required();
    options->config.add(*command, "--bands", "properties.bands");
    options->config.add(*command, "--band-points", "properties.band_points");
    options->config.add(*command, "--dos-range", "properties.dos_range");
    options->config.add(*command, "--dos-width", "properties.dos_width");
    options->config.add(*command, "--states", "properties.states");
    options->config.add_words(*command, "--cube", "properties.cube");
    options->config.add(*command, "--spacing", "properties.cube_spacing");
    options->config.add(*command, "--orbitals", "properties.orbitals");
    options->config.add_flag(*command, "--stm", "properties.stm", "true");
    options->config.add(*command, "--bias", "properties.stm_bias");
    options->config.add(*command, "--height", "properties.stm_height");
    options->config.add_calculator(*command);
    command->callback(
        [options, &action] { action = [options](Session& session) { run(*options, session); }; });
}

}  // namespace stembridge::app
