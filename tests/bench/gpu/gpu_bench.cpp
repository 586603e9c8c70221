// SPDX-License-Identifier: Apache-2.0
// A GPU against the processor: comparisons, then times of density matrices, energies and steps of dynamics.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "density/cuda/choose_gpu.hpp"
#include "density/cuda/device_array.hpp"
#include "density/cuda/device_tests.hpp"
#include "density/cuda/purification_solver.hpp"
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

/// Best of some calls, seconds.
double best_time(int repeats, const std::function<void()>& task) {
    double best = 1e99;
    for (int k = 0; k < repeats; ++k) {
        const Timer timer;
        task();
        best = std::min(best, timer.seconds());
    }
    return best;
}

/// What the device reaches in what it does best: the yardstick of the solvers.
json ceilings(tb::Device& device) {
    const int n = device.kind() == "cuda" ? 8192 : 768;
    const std::size_t size = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    const double flops = 2 * std::pow(n, 3);
    json result;
    const auto square = [&](auto real, const char* name) {
        using Real = decltype(real);
        tb::DeviceArray<Real> a(device, std::vector<Real>(size, Real(0.5))), c(device, size);
        const auto run = [&] {
            device.dense(Real()).multiply(false, false, n, n, n, 1, a.data(), n, a.data(), n, 0, c.data(), n);
            device.synchronize();
        };
        run();
        result[name] = flops / best_time(3, run) / 1e12;
    };
    square(0.0, "product_double_tflops");
    square(0.0f, "product_single_tflops");
    {
        // Batches as the large fronts have them: 24 matrices of 512.
        const int m = device.kind() == "cuda" ? 512 : 96, batch = 24;
        const std::size_t each = static_cast<std::size_t>(m) * static_cast<std::size_t>(m);
        tb::DeviceArray<std::complex<double>> a(device,
                                                std::vector<std::complex<double>>(each * batch, {0.5, 0.1})),
            c(device, each * batch);
        const auto run = [&] {
            device.fronts(0.0).multiply(false, true, m, m, m, 1, a.data(), m, m * m, a.data(), m, m * m, 0,
                                        c.data(), m, m * m, batch);
            device.synchronize();
        };
        run();
        result["batched_complex_product_tflops"] = 8 * std::pow(m, 3) * batch / best_time(3, run) / 1e12;
    }
    tb::DeviceArray<double> a(device, size), b(device, size);
    a.set_zero();
    const double bytes = static_cast<double>(size * sizeof(double));
    const auto copy = [&] {
        b.copy_from(a);
        device.synchronize();
    };
    copy();
    result["copy_gb_per_s"] = 2 * bytes / best_time(5, copy) / 1e9;
    std::vector<double> host(size, 1.0);
    result["to_device_gb_per_s"] = bytes / best_time(3, [&] { a.upload(host.data()); }) / 1e9;
    return result;
}

/// A round flake of about so many atoms, rattled by 0.05 angstrom.
Structure flake(int n_atoms) {
    Structure s = graphene_flake(0.913 * std::sqrt(n_atoms) * units::angstrom);
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

/// The second density matrix of a solver, as in the middle of a self-consistency.
Result time_solver(tb::DensitySolver& solver, const tb::ElectronicState& m, bool again) {
    Result r;
    const tb::Electrons electrons{.number = m.basis.neutral_shells().sum(), .kT = 300 * units::kelvin};
    Timer timer;
    solver.analyze(m.pattern, {});
    solver.set_overlap(m.overlap);
    r.report["analysis_and_overlap_s"] = timer.seconds();
    timer.restart();
    solver.solve(m.hamiltonian, electrons, r.density);
    r.report["first_density_matrix_s"] = timer.seconds();
    r.report["density_matrix_s"] =
        again ? best_time(2, [&] { solver.solve(m.hamiltonian, electrons, r.density); }) : timer.seconds();
    timer.restart();
    solver.energy_weighted(r.weighted);
    r.report["energy_weighted_s"] = timer.seconds();
    if (again) {
        solver.set_accuracy(1e-4);
        tb::Density rough;
        solver.solve(m.hamiltonian, electrons, rough);
        r.report["density_matrix_single_precision_s"] =
            best_time(2, [&] { solver.solve(m.hamiltonian, electrons, rough); });
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

/// A self-consistent energy with forces, then steps of extended-Lagrangian dynamics.
json time_calculator(const Options& o, const Structure& start, const std::string& method) {
    tb::SccDftbOptions options = calculator_options(o, method);
    options.scc.tolerance = 1e-5;
    options.scc.energy_tolerance = 1e-6;
    options.scc.cycles_per_step = 1;
    tb::SccDftb calculator(options);
    Evaluation out;
    json report;
    Structure s = start;
    Timer timer;
    calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
    report["scc_energy_and_forces_s"] = timer.seconds();
    report["scc_cycles"] = out.iterations;
    // Atoms that fly at 300 K, 1 fs a step: what dynamics asks for, without the integrator.
    Random random(2);
    Eigen::Matrix3Xd velocity(3, s.size());
    const double speed = std::sqrt(300 * units::kelvin / (12.011 * 1822.888));
    for (Eigen::Index k = 0; k < velocity.size(); ++k) velocity.data()[k] = speed * random.normal();
    const double dt = 41.341373;  // a.u., 1 fs
    double best = 1e99;
    int iterations = 0;
    for (int step = 0; step < 8; ++step) {
        s.positions += dt * velocity;
        timer.restart();
        calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
        best = std::min(best, timer.seconds());
        iterations = out.iterations;
    }
    report["dynamics_step_s"] = best;
    report["dynamics_density_matrices_per_step"] = iterations;
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

std::string table_of(const json& all) {
    std::string text = fmt::format("# Density matrices on {}\n\n", all["device"].get<std::string>());
    text += "Ceilings measured:";
    for (const auto& [name, value] : all["ceilings"].items())
        text += fmt::format(" {} {:.4g};", name, value.get<double>());
    text +=
        "\n\n| atoms | orbitals | method | density matrix, s | single, s | SCC energy + forces, s (cycles) | "
        "step of dynamics, s | TFLOP/s | energy error, hartree/atom | P error | memory, GiB |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n";
    const auto number = [](const json& j, const char* key, const char* format) {
        return j.contains(key) ? fmt::format(fmt::runtime(format), j[key].get<double>()) : std::string("-");
    };
    for (const json& r : all["results"]) {
        if (r.contains("skipped")) {
            text += fmt::format("| {} | {} | {} | {} | | | | | | | |\n", r["atoms"].get<int>(),
                                r["orbitals"].get<int>(), r["method"].get<std::string>(),
                                r["skipped"].get<std::string>());
            continue;
        }
        const json error = r.value("difference_to_exact", json::object());
        text += fmt::format(
            "| {} | {} | {} | {} | {} | {} ({}) | {} | {} | {} | {} | {} |\n", r["atoms"].get<int>(),
            r["orbitals"].get<int>(), r["method"].get<std::string>(), number(r, "density_matrix_s", "{:.4g}"),
            number(r, "density_matrix_single_precision_s", "{:.4g}"),
            number(r, "scc_energy_and_forces_s", "{:.4g}"), number(r, "scc_cycles", "{:.0f}"),
            number(r, "dynamics_step_s", "{:.4g}"), number(r, "tflops", "{:.3g}"),
            number(error, "band_energy_hartree_per_atom", "{:.1e}"),
            number(error, "density_matrix", "{:.1e}"), number(r, "device_memory_gib", "{:.2f}"));
    }
    return text;
}

int measure(const Options& o) {
    const Timer clock;
    json all;
    double free_gib = 0;
    {
        const auto device = tb::choose_gpu(o.gpu);
        all["device"] = device->name();
        all["ceilings"] = ceilings(*device);
        free_gib = static_cast<double>(device->free_memory()) / (1 << 30);
    }
    std::printf("%s, %.1f GiB free\n%s\n", all["device"].get<std::string>().c_str(), free_gib,
                all["ceilings"].dump(2).c_str());
    all["results"] = json::array();
    const double product_rate = 1e12 * all["ceilings"]["product_double_tflops"].get<double>();
    for (const int size : o.sizes) {
        const Structure s = flake(size);
        // Hamiltonian and overlap at neutral charges.
        std::unique_ptr<tb::ElectronicState> m;
        {
            tb::SccDftbOptions options = calculator_options(o, size <= 300 ? "exact" : "pole-expansion");
            options.scc.enabled = false;
            tb::SccDftb calculator(options);
            Evaluation out;
            calculator.evaluate(s, {.forces = false, .stress = false}, out, Context{});
            m = calculator.electronic_state();
        }
        const int n = m->basis.n_orbitals();
        std::optional<Result> exact;
        for (const std::string method : {"exact", "purification", "pole-expansion"}) {
            json r = {{"atoms", s.size()}, {"orbitals", n}, {"method", method}};
            const double left = o.seconds - clock.seconds();
            // Eigensolvers reach a few percent of the rate of products; one solve is all that is needed.
            const double cubic = std::pow(n, 3) / product_rate;
            const double expected = method == "exact"          ? 300 * cubic
                                    : method == "purification" ? 300 * cubic
                                                               : 0;
            if (left < expected || left < 0) {
                r["skipped"] = fmt::format("skipped: {:.0f} s left, some {:.0f} s needed", left, expected);
            } else
                try {
                    {
                        auto solver = tb::make_density_solver("cuda", true, 0, {o.gpu, method});
                        Result result = time_solver(*solver, *m, expected < 0.1 * left);
                        r.update(result.report);
                        r["seconds_by_part"] = solver->seconds();
                        if (exact) r["difference_to_exact"] = compare(result, *exact, s.size());
                        if (method == "exact") exact = std::move(result);
                    }
                    const double flops = method == "exact" ? 10 * std::pow(n, 3)
                                         : method == "purification"
                                             ? tb::PurificationSolver::work(
                                                   n, 60 * units::electronvolt / (300 * units::kelvin))
                                             : 24 * 16 * tb::Symbolic(m->pattern).work;
                    r["tflops"] = flops / r["density_matrix_s"].get<double>() / 1e12;
                    // Cycles with the exact path of a large system say nothing new.
                    if (method != "exact" || expected < 0.02 * left) r.update(time_calculator(o, s, method));
                } catch (const Error& error) {
                    r["skipped"] = std::string("failed: ") + error.what();
                }
            std::printf("%6.1f s  %s\n", clock.seconds(), r.dump().c_str());
            std::fflush(stdout);
            all["results"].push_back(r);
            all["seconds"] = clock.seconds();
            // What is there so far survives an interruption.
            save(o.json_file, all.dump(2) + "\n");
            save(o.table_file, table_of(all));
        }
        // The exact path of small systems against the processor.
        if (exact && n <= (o.gpu == "host" ? 1000 : 8200)) {
            const auto dense = tb::make_density_solver("dense");
            const Result reference = time_solver(*dense, *m, false);
            json r = {{"atoms", s.size()}, {"orbitals", n}, {"method", "processor, dense"}};
            r.update(reference.report);
            r["difference_to_exact"] = compare(reference, *exact, s.size());
            all["results"].push_back(r);
        }
    }
    all["seconds"] = clock.seconds();
    save(o.json_file, all.dump(2) + "\n");
    save(o.table_file, table_of(all));
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
