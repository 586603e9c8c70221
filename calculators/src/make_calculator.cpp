// SPDX-License-Identifier: Apache-2.0
// From the [calculator] table to a Calculator.
#include "stembridge/calculators/calculators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/program_path.hpp"
#include "stembridge/io/ipi.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge {
namespace fs = std::filesystem;
namespace {

int element_of(const std::string& symbol, const io::Value& value) {
    try {
        return atomic_number(symbol);
    } catch (const InputError& e) {
        throw InputError(fmt::format("{}: {}", value.where(), e.what()));
    }
}

std::map<int, int> max_angular_momentum(const io::Value& table) {
    std::map<int, int> result;
    for (const auto& [symbol, shell] : table.table()) {
        const auto l = std::string("spdf").find(shell.text());
        if (shell.text().size() != 1 || l == std::string::npos)
            throw InputError(fmt::format("{}: shell '{}' is unknown; accepted are s, p, d, f", shell.where(),
                                         shell.text()));
        result[element_of(symbol, shell)] = static_cast<int>(l);
    }
    return result;
}

std::map<int, double> by_element(const io::Value& table) {
    std::map<int, double> result;
    for (const auto& [symbol, value] : table.table()) result[element_of(symbol, value)] = value.number();
    return result;
}

/// (n_atoms), of atoms as select_atoms names them.
Eigen::VectorXd initial_moments(const io::Value& table, const Structure& structure) {
    Eigen::VectorXd result = Eigen::VectorXd::Zero(structure.size());
    for (const auto& [selection, value] : table.table()) {
        const double moment = value.number();
        try {
            for (const int atom : select_atoms(structure, selection)) result(atom) = moment;
        } catch (const InputError& e) {
            throw InputError(fmt::format("{}: {}", value.where(), e.what()));
        }
    }
    return result;
}

std::map<int, Eigen::MatrixXd> spin_constants(const io::Value& table) {
    std::map<int, Eigen::MatrixXd> result;
    for (const auto& [symbol, rows] : table.table()) {
        const auto n = static_cast<Eigen::Index>(rows.list().size());
        Eigen::MatrixXd constants(n, n);
        for (Eigen::Index i = 0; i < n; ++i) {
            const auto row = rows.list()[static_cast<std::size_t>(i)].numbers();
            if (static_cast<Eigen::Index>(row.size()) != n)
                throw InputError(
                    fmt::format("{}: spin constants must be a square matrix over the shells", rows.where()));
            for (Eigen::Index j = 0; j < n; ++j) constants(i, j) = row[static_cast<std::size_t>(j)];
        }
        result[element_of(symbol, rows)] = constants;
    }
    return result;
}

/// Whether the tables say of an element of the structure that its Hubbard parameters differ by shell. Those
/// of make-parameters do, at the end of <Basis atom="1"> in the file of the element with itself.
bool needs_shells(const std::vector<fs::path>& folders, const Structure& structure) {
    const std::set<int> elements(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    for (const int z : elements)
        for (const fs::path& folder : folders) {
            const fs::path file = folder / fmt::format("{0}-{0}.skf", element_symbol(z));
            if (!fs::exists(file)) continue;
            const std::string text = io::read_text(file);
            const auto begin = text.find("<Basis atom=\"1\">"), end = text.find("</Basis>", begin);
            if (begin != std::string::npos && end != std::string::npos &&
                std::string_view(text).substr(begin, end - begin).ends_with("hubbard by shell"))
                return true;
            break;
        }
    return false;
}

std::unique_ptr<Calculator> make_socket_server(const io::Config& config) {
    return std::make_unique<io::SocketServer>(
        io::SocketAddress::parse(config.text("calculator.socket.address")),
        config.quantity("calculator.socket.wait") / units::second);
}

}  // namespace

fs::path data_folder() {
    if (const char* folder = std::getenv("STEMBRIDGE_DATA"); folder != nullptr && fs::is_directory(folder))
        return fs::weakly_canonical(folder);
    if (const fs::path folder = find_installed("share/stembridge/data"); !folder.empty())
        return fs::weakly_canonical(folder);
    throw FileError(
        "the program's data folder is not found; set STEMBRIDGE_DATA to the folder data/ of the project");
}

std::vector<fs::path> parameter_folders(const io::Config& config) {
    std::vector<fs::path> folders;
    for (const fs::path& folder : config.files("calculator.parameters")) {
        if (folder != "builtin") {
            folders.push_back(folder);
            continue;
        }
        const fs::path own = data_folder() / "parameters" / "stembridge-1";
        if (!fs::exists(own / "C-C.skf"))
            throw FileError(
                fmt::format("the program's own Slater-Koster tables are missing in {}; name another set with "
                            "--parameters FOLDER or calculator.parameters",
                            own.string()));
        folders.push_back(own);
    }
    return folders;
}

std::unique_ptr<Calculator> make_calculator(const io::Config& config, const Structure& structure,
                                            int cycles_per_step) {
    if (config.text("calculator.kind") == "socket") return make_socket_server(config);
    tb::SccDftbOptions options;
    options.parameters = parameter_folders(config);
    options.electronic_temperature = config.quantity("calculator.electronic_temperature");
    options.filling = tb::filling_from_name(config.text("calculator.filling"));
    options.charge = config.number("calculator.charge");
    const auto mesh = config.integers("calculator.kpoints");
    for (std::size_t k = 0; k < 3; ++k) options.kpoints.divisions[k] = static_cast<int>(mesh[k]);
    options.kpoints.gamma_centered = config.boolean("calculator.kpoints_gamma_centered");
    if (config.has("calculator.kpoint_list"))
        for (const auto& row : config.rows("calculator.kpoint_list"))
            options.kpoints.points.push_back({row[0], row[1], row[2], row[3]});
    options.scc.enabled = config.boolean("calculator.scc.enabled");
    options.scc.tolerance = config.number("calculator.scc.tolerance");
    options.scc.energy_tolerance = config.number("calculator.scc.energy_tolerance");
    options.scc.cycles_per_step = cycles_per_step;
    options.scc.mixing = config.number("calculator.scc.mixing");
    options.scc.predict = config.boolean("calculator.scc.predict");
    options.scc.fallback = config.boolean("calculator.scc.fallback");
    options.scc.max_iterations = static_cast<int>(config.integer("calculator.scc.max_iterations"));
    options.scc.mixer = tb::mixer_from_name(config.text("calculator.scc.mixer"));
    options.scc.shell_resolved = config.has("calculator.scc.shell_resolved")
                                     ? config.boolean("calculator.scc.shell_resolved")
                                     : needs_shells(options.parameters, structure);
    options.solver = config.text("calculator.solver");
    options.device = {config.text("calculator.device"), config.text("calculator.device_method")};
    options.memory_limit = 1048576.0 * static_cast<double>(config.integer("calculator.memory_limit"));
    if (config.has("calculator.max_angular_momentum"))
        options.max_angular_momentum = max_angular_momentum(config.table("calculator.max_angular_momentum"));
    options.spin.polarized = config.boolean("calculator.spin.polarized");
    if (config.has("calculator.spin.unpaired"))
        options.spin.unpaired = config.number("calculator.spin.unpaired");
    if (config.has("calculator.spin.initial_moments"))
        options.spin.initial_moments =
            initial_moments(config.table("calculator.spin.initial_moments"), structure);
    if (config.has("calculator.spin.constants"))
        options.spin.constants = spin_constants(config.table("calculator.spin.constants"));
    options.third_order.mode = tb::third_order_from_name(config.text("calculator.third_order.mode"));
    if (config.has("calculator.third_order.hubbard_derivatives"))
        options.third_order.hubbard_derivatives =
            by_element(config.table("calculator.third_order.hubbard_derivatives"));
    if (config.has("calculator.third_order.damping_exponent"))
        options.third_order.damping_exponent = config.number("calculator.third_order.damping_exponent");
    options.dispersion = tb::dispersion_from_name(config.text("calculator.dispersion.model"));
    options.ts_scaling = config.number("calculator.dispersion.ts_scaling");
    if (config.has("calculator.external.point_charges"))
        for (const auto& row : config.rows("calculator.external.point_charges"))
            options.external.point_charges.push_back(
                {Eigen::Vector3d(row[0], row[1], row[2]) * units::angstrom, row[3]});
    if (config.has("calculator.external.field")) {
        const auto field = config.numbers("calculator.external.field");
        options.external.field = Eigen::Vector3d(field[0], field[1], field[2]);
    }
    options.threads = static_cast<int>(config.integer("run.threads"));
    return tb::make_scc_dftb(options);
}

}  // namespace stembridge
