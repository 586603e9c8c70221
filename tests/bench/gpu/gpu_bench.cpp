// SPDX-License-Identifier: Apache-2.0
// A GPU against the processor: comparisons, then times of density matrices, energies and steps of dynamics.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "budget.hpp"
#include "density/cuda/choose_gpu.hpp"
#include "density/cuda/device_solver.hpp"
#include "density/cuda/device_tests.hpp"
#include "density/cuda/purification_solver.hpp"
#include "rates.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace {

using namespace stembridge;
using bench::Alarm, bench::best_time;
using nlohmann::json;

struct Options {
    std::string gpu = "auto", json_file, table_file;
    std::vector<int> sizes = {512, 2043, 4032, 8400};
    double seconds = 300;  ///< that the timing may take in all
    bool check = false, quick = false;
};

Options parse(int argc, char** argv) {
    Options o;
    for (int k = 1; k < argc; ++k) {
        const std::string name = argv[k];
        const auto value = [&]() -> std::string {
            if (k + 1 == argc) throw InputError(name + " needs a value");
            return argv[++k];
        };
        if (name == "--gpu") {
            o.gpu = value();
        } else if (name == "--json") {
            o.json_file = value();
        } else if (name == "--table") {
            o.table_file = value();
        } else if (name == "--seconds") {
            o.seconds = std::stod(value());
        } else if (name == "--check") {
            o.check = true;
        } else if (name == "--quick") {
            o.quick = true;
        } else if (name == "--sizes") {
            o.sizes.clear();
            std::stringstream list(value());
            for (std::string item; std::getline(list, item, ',');) o.sizes.push_back(std::stoi(item));
        } else {
            throw InputError("unknown option " + name);
        }
    }
    return o;
}

void save(const std::string& file, const std::string& text) {
    if (file.empty()) return;
    std::ofstream(file) << text;
}

/// A round flake of at most so many atoms, its edge closed by hydrogen, rattled by 0.05 angstrom.
Structure flake(int n_atoms) {
    Structure s;
    double radius = 0.913 * std::sqrt(n_atoms);  // angstrom, of so many carbon atoms
    do {
        BuildReport report;
        s = terminate_with_hydrogen(graphene_flake(radius * units::angstrom), {}, report).structure;
        radius -= 0.1;
    } while (s.size() > n_atoms);
    Random random(1);
    for (int i = 0; i < s.size(); ++i)
        for (int k = 0; k < 3; ++k) s.positions(k, i) += 0.05 * units::angstrom * random.normal();
    return s;
}

tb::SccDftbOptions calculator_options(const Options& o, const std::string& method) {
    tb::SccDftbOptions options;
    options.parameters = {STEMBRIDGE_PARAMETERS};
    options.electronic_temperature = 300 * units::kelvin;
    options.solver = "cuda";
    options.device = {o.gpu, method};
    return options;
}

double largest_difference(const tb::BlockMatrix& a, const tb::BlockMatrix& b) {
    double worst = 0;
    for (std::size_t k = 0; k < a.values().size(); ++k)
        worst = std::max(worst, std::abs(a.values()[k] - b.values()[k]));
    return worst;
}

struct Result {
    tb::Density density;
    tb::BlockMatrix weighted;
    json report;
};

/// Density matrices as in the middle of a self-consistency. @param seconds for repetitions
Result time_solver(tb::DensitySolver& solver, const tb::ElectronicState& m, double seconds) {
    Result r;
    const tb::Electrons electrons{.number = m.basis.neutral_shells().sum(), .kT = 300 * units::kelvin};
    const Timer clock;
    Timer timer;
    solver.analyze(m.pattern, {});
    solver.set_overlap(m.overlap);
    r.report["analysis_and_overlap_s"] = timer.seconds();
    timer.restart();
    solver.solve(m.hamiltonian, electrons, r.density);
    const double first = timer.seconds();
    r.report["first_density_matrix_s"] = first;
    timer.restart();
    solver.energy_weighted(r.weighted);
    r.report["energy_weighted_s"] = timer.seconds();
    // The first one also allocates and looks for the Fermi level.
    const auto again = [&](double share) {
        tb::Density density;
        return best_time(3, share * seconds, [&] { solver.solve(m.hamiltonian, electrons, density); });
    };
    const bool in_time = clock.seconds() + first < seconds;
    r.report["density_matrix_s"] = in_time ? again(0.3) : first;
    if (clock.seconds() + first < seconds) {
        solver.set_accuracy(1e-4);
        r.report["density_matrix_single_precision_s"] = again(0.3);
        solver.set_accuracy(0);
    }
    r.report["solver"] = solver.name();
    return r;
}

json compare(const Result& mine, const Result& exact, int n_atoms) {
    return {{"band_energy_hartree_per_atom",
             std::abs(mine.density.band_energy - exact.density.band_energy) / n_atoms},
            {"ts_hartree_per_atom", std::abs(mine.density.ts - exact.density.ts) / n_atoms},
            {"density_matrix", largest_difference(mine.density.matrices[0], exact.density.matrices[0])},
            {"energy_weighted", largest_difference(mine.weighted, exact.weighted)}};
}

/// A self-consistent energy with forces, then steps of extended-Lagrangian dynamics. @param seconds for all
json time_calculator(const Options& o, const Structure& start, const std::string& method, double seconds) {
    tb::SccDftbOptions options = calculator_options(o, method);
    options.scc.tolerance = 1e-5;
    options.scc.energy_tolerance = 1e-6;
    options.scc.cycles_per_step = 1;
    tb::SccDftb calculator(options);
    const Alarm alarm(seconds);
    const Context context = alarm.context();
    json report;
    Structure s = start;
    Evaluation out;
    const auto evaluate = [&] {
        const Timer timer;
        calculator.evaluate(s, {.forces = true, .stress = false}, out, context);
        return timer.seconds();
    };
    try {
        report["scc_energy_and_forces_s"] = evaluate();
        report["scc_cycles"] = out.iterations;
        // Velocity Verlet of 0.5 fs from 300 K; the charges follow once some converged steps are known.
        constexpr int most_steps = 16;
        constexpr std::size_t enough = 4;
        const double dt = 0.5 * units::femtosecond;
        Eigen::VectorXd mass(s.size());
        for (int i = 0; i < s.size(); ++i)
            mass(i) = atomic_mass(s.atomic_numbers[static_cast<std::size_t>(i)]);
        Random random(2);
        Eigen::Matrix3Xd velocity(3, s.size());
        for (double& v : velocity.reshaped()) v = random.normal();
        velocity *= (300 * units::kelvin * mass.array().inverse()).sqrt().matrix().asDiagonal();
        const auto kick = [&] { velocity += 0.5 * dt * out.forces * mass.cwiseInverse().asDiagonal(); };
        std::vector<double> times;
        for (int step = 0; step < most_steps && times.size() < enough; ++step) {
            kick();
            s.positions += dt * velocity;
            const double time = evaluate();
            if (out.iterations == options.scc.cycles_per_step) times.push_back(time);
            kick();
        }
        report["dynamics_steps_timed"] = times.size();
        if (!times.empty()) {
            std::sort(times.begin(), times.end());
            report["dynamics_step_s"] = times[times.size() / 2];
        }
    } catch (const StoppedError&) {
        report["left_out"] =
            fmt::format("{} did not end within {:.0f} s",
                        report.contains("scc_cycles") ? "dynamics" : "self-consistency", seconds);
    }
    report["seconds_by_part"] = calculator.seconds();
    return report;
}

int check(const Options& o) {
    const auto device = tb::choose_gpu(o.gpu);
    std::printf("%s\n", device->name().c_str());
    json all = json::array();
    int failed = 0;
    if (o.quick) {
        tb::prove(*device);
        std::printf("the operations agree with the processor\n");
        return 0;
    }
    tb::test_device(*device, [&](const tb::DeviceCheck& c) {
        std::fputs(fmt::format("  {:<58} {:>9.1e} of {:>6.0e} {:>9.4f} s, host {:>9.4f} s  {}\n", c.what,
                               c.difference, c.allowed, c.seconds, c.host_seconds,
                               c.passed() ? "ok" : "FAILED " + c.error)
                       .c_str(),
                   stdout);
        std::fflush(stdout);
        failed += c.passed() ? 0 : 1;
        all.push_back({{"what", c.what},
                       {"difference", c.difference},
                       {"allowed", c.allowed},
                       {"seconds", c.seconds},
                       {"host_seconds", c.host_seconds},
                       {"passed", c.passed()},
                       {"error", c.error}});
    });
    save(o.json_file, all.dump(2) + "\n");
    if (failed > 0) std::printf("%d comparisons FAILED\n", failed);
    return failed > 0 ? 1 : 0;
}

/// Of a number of the report, or "-".
std::string text_of(const json& report, const char* key, const char* format) {
    return report.contains(key) ? fmt::format(fmt::runtime(format), report[key].get<double>()) : "-";
}

std::string table_of(const json& all) {
    std::string text = fmt::format("# Density matrices on {}\n\n", all["device"].get<std::string>());
    text +=
        "| operation | reached | | of the ceiling |\n"
        "|---|---|---|---|\n";
    for (const json& r : all["rates"])
        text += fmt::format("| {} | {:.4g} | {} | {} |\n", r["operation"].get<std::string>(),
                            r["value"].get<double>(), r["unit"].get<std::string>(),
                            r["operation"] == r["ceiling"]
                                ? "is one"
                                : fmt::format("{:.0f} % of {}", 100 * r["share"].get<double>(),
                                              r["ceiling"].get<std::string>()));
    text +=
        "\n| atoms | orbitals | method | density matrix, s | single, s | SCC energy + forces, s (cycles) | "
        "step of dynamics, s | TFLOP/s (of products) | energy error, hartree/atom | P error | "
        "memory of arrays, GiB | |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (const json& r : all["results"]) {
        const json error = r.value("difference_to_exact", json::object());
        text += fmt::format("| {} | {} | {} | {} | {} | {} ({}) | {} | {} ({}) | {} | {} | {} | {} |\n",
                            r["atoms"].get<int>(), r["orbitals"].get<int>(), r["method"].get<std::string>(),
                            text_of(r, "density_matrix_s", "{:.4g}"),
                            text_of(r, "density_matrix_single_precision_s", "{:.4g}"),
                            text_of(r, "scc_energy_and_forces_s", "{:.4g}"),
                            text_of(r, "scc_cycles", "{:.0f}"), text_of(r, "dynamics_step_s", "{:.4g}"),
                            text_of(r, "tflops", "{:.3g}"), text_of(r, "percent_of_products", "{:.0f} %"),
                            text_of(error, "band_energy_hartree_per_atom", "{:.1e}"),
                            text_of(error, "density_matrix", "{:.1e}"),
                            text_of(r, "device_memory_gib", "{:.3f}"), r.value("left_out", ""));
    }
    return text;
}

/// Hamiltonian and overlap at neutral charges.
std::unique_ptr<tb::ElectronicState> matrices_of(const Options& o, const Structure& s) {
    tb::SccDftbOptions options = calculator_options(o, s.size() <= 300 ? "exact" : "pole-expansion");
    options.scc.enabled = false;
    tb::SccDftb calculator(options);
    Evaluation out;
    calculator.evaluate(s, {.forces = false, .stress = false}, out, Context{});
    return calculator.electronic_state();
}

double operations_of(const std::string& method, const tb::ElectronicState& m) {
    const int n = m.basis.n_orbitals();
    if (method == "exact") return 10 * std::pow(n, 3);
    if (method == "purification")
        return tb::PurificationSolver::work(n, 60 * units::electronvolt / (300 * units::kelvin));
    return 24 * 16 * tb::Symbolic(m.pattern).work;
}

/// One method at one size. @param seconds for all of it  @param product_rate operations per second
/// @param exact of this size; is set by the exact method, compared with by the others
json measure_method(const Options& o, const Structure& s, const tb::ElectronicState& m,
                    const std::string& method, double seconds, double product_rate,
                    std::optional<Result>& exact) {
    json r = {{"atoms", s.size()}, {"orbitals", m.basis.n_orbitals()}, {"method", method}};
    // Of the rate of products a GPU reaches a few percent in eigensolvers and fronts, a processor more.
    const double efficiency = method == "purification" ? 0.5 : o.gpu == "host" ? 0.2 : 0.03;
    const double operations = operations_of(method, m);
    const double expected = operations / product_rate / efficiency;
    if (seconds < expected) {
        r["left_out"] = fmt::format("{:.0f} s are left for it, some {:.0f} s are needed", seconds, expected);
        return r;
    }
    try {
        const Timer clock;
        {
            const tb::Device* device = nullptr;
            tb::DeviceSolver solver(
                [&] {
                    auto opened = tb::choose_gpu(o.gpu);
                    device = opened.get();
                    return opened;
                },
                tb::device_method_from_name(method), true, false, 0);
            Result result = time_solver(solver, m, 0.3 * seconds);
            r["device_memory_gib"] = static_cast<double>(device->most_allocated()) / (1 << 30);
            r.update(result.report);
            if (exact) r["difference_to_exact"] = compare(result, *exact, s.size());
            if (method == "exact") exact = std::move(result);
        }
        const double one = r["density_matrix_s"].get<double>();
        r["tflops"] = operations / one / 1e12;
        r["percent_of_products"] = 100 * operations / one / product_rate;
        // Some fifteen cycles, and as many responses.
        const double left = seconds - clock.seconds(), cycles = 30 * one;
        if (cycles < left)
            r.update(time_calculator(o, s, method, left));
        else
            r["left_out"] =
                fmt::format("self-consistency: {:.0f} s are left for it, some {:.0f} s are needed",
                            std::max(0.0, left), cycles);
    } catch (const Error& error) {
        r["left_out"] = std::string("failed: ") + error.what();
    }
    return r;
}

int measure(const Options& o) {
    const Timer clock;
    json all;
    double product_rate = 0;
    {
        // A tenth of the time for what the device can do at best.
        const auto device = tb::choose_gpu(o.gpu);
        all["device"] = device->name();
        all["free_gib"] = static_cast<double>(device->free_memory()) / (1 << 30);
        all["rates"] = json::array();
        for (const bench::Rate& rate : bench::measure_rates(*device, 0.1 * o.seconds)) {
            all["rates"].push_back({{"operation", rate.operation},
                                    {"value", rate.value},
                                    {"unit", rate.unit},
                                    {"ceiling", rate.ceiling},
                                    {"share", rate.share}});
            if (rate.operation == bench::product_double) product_rate = 1e12 * rate.value;
        }
    }
    all["results"] = json::array();
    const auto add = [&](const json& result) {
        all["results"].push_back(result);
        all["seconds"] = clock.seconds();
        std::printf("%6.1f s  %s\n", clock.seconds(), result.dump().c_str());
        std::fflush(stdout);
        // What is there so far survives an interruption.
        save(o.json_file, all.dump(2) + "\n");
        save(o.table_file, table_of(all));
    };
    const std::vector<std::string> methods = {"exact", "purification", "pole-expansion"};
    auto parts = static_cast<double>(o.sizes.size() * methods.size());
    for (const int size : o.sizes) {
        const Structure s = flake(size);
        const auto m = matrices_of(o, s);
        std::optional<Result> exact;
        for (const std::string& method : methods) {
            // What is left is shared out evenly; larger systems get what smaller ones leave.
            const double share = std::max(0.0, o.seconds - clock.seconds()) / parts--;
            add(measure_method(o, s, *m, method, share, product_rate, exact));
        }
        // The exact path of small systems against the processor.
        if (exact && m->basis.n_orbitals() <= (o.gpu == "host" ? 1000 : 8200)) {
            const auto dense = tb::make_density_solver("dense");
            const Result reference = time_solver(*dense, *m, 0);
            json r = {{"atoms", s.size()},
                      {"orbitals", m->basis.n_orbitals()},
                      {"method", "processor, dense"},
                      {"difference_to_exact", compare(reference, *exact, s.size())}};
            r.update(reference.report);
            add(r);
        }
    }
    std::printf("\n%s", table_of(all).c_str());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options o = parse(argc, argv);
        return o.check ? check(o) : measure(o);
    } catch (const BackendError& e) {
        std::fprintf(stderr, "gpu_bench: %s\n", e.what());
        return 5;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "gpu_bench: %s\n", e.what());
        return 2;
    }
}
