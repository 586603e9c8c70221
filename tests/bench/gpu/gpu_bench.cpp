// SPDX-License-Identifier: Apache-2.0
// A GPU against the processor: comparisons, then times of density matrices, energies and steps of dynamics.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "budget.hpp"
#include "density/cuda/choose_gpu.hpp"
#include "density/cuda/device_solver.hpp"
#include "density/cuda/device_tests.hpp"
#include "density/cuda/purification_solver.hpp"
#include "hamiltonian/parameters.hpp"
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

/// Density matrices as in the middle of a self-consistency. Of the repetitions the report has what fits.
/// @param seconds for all of it  @param most of repetitions
/// @throw StoppedError when the first density matrix does not fit
Result time_solver(tb::DensitySolver& solver, const tb::ElectronicState& m, double seconds, int most) {
    Result r;
    const tb::Electrons electrons{.number = m.basis.neutral_shells().sum(), .kT = 300 * units::kelvin};
    const Timer clock;
    const Alarm alarm(seconds);
    solver.set_context(alarm.context());
    Timer timer;
    solver.analyze(m.pattern, {});
    solver.set_overlap(m.overlap);
    r.report["analysis_and_overlap_s"] = timer.seconds();
    // The first one also allocates and looks for the Fermi level.
    timer.restart();
    solver.solve(m.hamiltonian, electrons, r.density);
    const double first = timer.seconds();
    r.report["first_density_matrix_s"] = first;
    r.report["solver"] = solver.name();
    timer.restart();
    solver.energy_weighted(r.weighted);
    r.report["energy_weighted_s"] = timer.seconds();
    const auto again = [&](const char* what) {
        if (most < 1 || clock.seconds() + first > seconds) return;
        tb::Density density;
        try {
            r.report[what] =
                best_time(most, 0.1 * seconds, [&] { solver.solve(m.hamiltonian, electrons, density); });
        } catch (const StoppedError&) {
        }
    };
    again("density_matrix_s");
    solver.set_accuracy(1e-4);
    again("density_matrix_single_precision_s");
    return r;
}

json compare(const Result& mine, const Result& exact, int n_atoms) {
    return {{"band_energy_hartree_per_atom",
             std::abs(mine.density.band_energy - exact.density.band_energy) / n_atoms},
            {"ts_hartree_per_atom", std::abs(mine.density.ts - exact.density.ts) / n_atoms},
            {"density_matrix", largest_difference(mine.density.matrices[0], exact.density.matrices[0])},
            {"energy_weighted", largest_difference(mine.weighted, exact.weighted)}};
}

/// Of one density matrix: with a known Fermi level, or of the first where no other fitted the time.
double seconds_of_one(const json& report) {
    return report.value("density_matrix_s", report["first_density_matrix_s"].get<double>());
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

/// Time of a density matrix; "cold" of the first, which also looks for the Fermi level.
std::string density_matrix_text(const json& report) {
    const bool warm = report.contains("density_matrix_s");
    return warm ? text_of(report, "density_matrix_s", "{:.4g}")
                : text_of(report, "first_density_matrix_s", "{:.4g} (cold)");
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
                            density_matrix_text(r), text_of(r, "density_matrix_single_precision_s", "{:.4g}"),
                            text_of(r, "scc_energy_and_forces_s", "{:.4g}"),
                            text_of(r, "scc_cycles", "{:.0f}"), text_of(r, "dynamics_step_s", "{:.4g}"),
                            text_of(r, "tflops", "{:.3g}"), text_of(r, "percent_of_products", "{:.0f} %"),
                            text_of(error, "band_energy_hartree_per_atom", "{:.1e}"),
                            text_of(error, "density_matrix", "{:.1e}"),
                            text_of(r, "device_memory_gib", "{:.3f}"), r.value("left_out", ""));
    }
    return text;
}

/// Hamiltonian and overlap at neutral charges; no density solver is needed for them.
std::unique_ptr<tb::ElectronicState> matrices_of(const Structure& s) {
    const std::set<int> elements(s.atomic_numbers.begin(), s.atomic_numbers.end());
    const tb::Parameters parameters({STEMBRIDGE_PARAMETERS}, {elements.begin(), elements.end()}, {});
    auto m = std::make_unique<tb::ElectronicState>(
        s, parameters.elements(), [&](int a, int b) { return parameters.two_centre(a, b).range(); });
    tb::BlockMatrix& hamiltonian = m->hamiltonian.emplace_back(m->pattern);
    parameters.hamiltonian_and_overlap(m->pattern, hamiltonian, m->overlap);
    return m;
}

double operations_of(const std::string& method, const tb::ElectronicState& m) {
    const int n = m.basis.n_orbitals();
    if (method == "exact") return 10 * std::pow(n, 3);
    if (method == "purification")
        return tb::PurificationSolver::work(n, 60 * units::electronvolt / (300 * units::kelvin));
    return 24 * 16 * tb::Symbolic(m.pattern).work;
}

/// One method at one size. @param seconds for all of it  @param product_rate operations per second
/// @param result is set when there is a density matrix
json measure_method(const Options& o, const Structure& s, const tb::ElectronicState& m,
                    const std::string& method, double seconds, double product_rate,
                    std::optional<Result>& result) {
    json r = {{"atoms", s.size()}, {"orbitals", m.basis.n_orbitals()}, {"method", method}};
    // Of the rate of products a GPU reaches a few percent in eigensolvers and fronts, a processor more.
    const bool purifies = method == "purification";
    const double efficiency = purifies ? 0.5 : o.gpu == "host" ? 0.2 : 0.03;
    const double operations = operations_of(method, m);
    // The first purification follows the Fermi level down from a high temperature.
    const double expected = (purifies ? 3 : 1) * operations / product_rate / efficiency;
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
            result = time_solver(solver, m, seconds, 3);
            r["device_memory_gib"] = static_cast<double>(device->most_allocated()) / (1 << 30);
            r.update(result->report);
        }
        if (r.contains("density_matrix_s")) {
            const double rate = operations / r["density_matrix_s"].get<double>();
            r["tflops"] = rate / 1e12;
            r["percent_of_products"] = 100 * rate / product_rate;
        }
        // A self-consistency takes some fifteen cycles; it ends by itself when they do not fit.
        const double left = seconds - clock.seconds(), few_cycles = 5 * seconds_of_one(r);
        if (few_cycles < left)
            r.update(time_calculator(o, s, method, left));
        else
            r["left_out"] =
                fmt::format("self-consistency: {:.0f} s are left for it, five cycles take {:.0f} s",
                            std::max(0.0, left), few_cycles);
    } catch (const StoppedError&) {
        r["left_out"] = fmt::format("the first density matrix did not end within {:.0f} s", seconds);
    } catch (const std::exception& error) {
        r["left_out"] = std::string("failed: ") + error.what();
    }
    return r;
}

/// Full diagonalisation by the processor, once. @param result is set
json measure_processor(const Structure& s, const tb::ElectronicState& m, Result& result) {
    constexpr double no_limit = 1e6;
    const auto dense = tb::make_density_solver("dense");
    result = time_solver(*dense, m, no_limit, 0);
    json r = {{"atoms", s.size()}, {"orbitals", m.basis.n_orbitals()}, {"method", "processor, dense"}};
    r.update(result.report);
    // It has no Fermi level to look for.
    r["density_matrix_s"] = r["first_density_matrix_s"];
    return r;
}

/// Measures all sizes and saves what is there after each row, so that it survives an interruption.
class Measurement {
  public:
    explicit Measurement(const Options& o) : o_(o) {}

    void run() {
        measure_rates();
        for (std::size_t k = 0; k < o_.sizes.size(); ++k) try {
                measure_size(o_.sizes[k],
                             {o_.sizes.begin() + static_cast<std::ptrdiff_t>(k), o_.sizes.end()});
            } catch (const std::exception& error) {
                add({{"atoms", o_.sizes[k]},
                     {"orbitals", 0},
                     {"method", "-"},
                     {"left_out", std::string("failed: ") + error.what()}});
            }
        std::printf("\n%s", table_of(all_).c_str());
    }

  private:
    static constexpr int n_methods = 3;
    /// Atoms of the flake that the targets of docs/gpu.md are of.
    static constexpr int headline = 2043;
    /// From here on exact diagonalisation is likely not to fit: the others come first.
    static constexpr int many_orbitals = 10000;

    void measure_rates() {
        // A tenth of the time for what the device can do at best.
        const auto device = tb::choose_gpu(o_.gpu);
        all_["device"] = device->name();
        all_["free_gib"] = static_cast<double>(device->free_memory()) / (1 << 30);
        all_["rates"] = json::array();
        all_["results"] = json::array();
        for (const bench::Rate& rate : bench::measure_rates(*device, 0.1 * o_.seconds)) {
            all_["rates"].push_back({{"operation", rate.operation},
                                     {"value", rate.value},
                                     {"unit", rate.unit},
                                     {"ceiling", rate.ceiling},
                                     {"share", rate.share}});
            if (rate.operation == bench::product_double) product_rate_ = 1e12 * rate.value;
        }
    }

    /// @param to_come this size and those after it
    void measure_size(int size, const std::vector<int>& to_come) {
        const Structure s = flake(size);
        const auto m = matrices_of(s);
        const int n = m->basis.n_orbitals();
        const std::array<std::string, n_methods> methods =
            n > many_orbitals ? std::array<std::string, n_methods>{"pole-expansion", "purification", "exact"}
                              : std::array<std::string, n_methods>{"exact", "purification", "pole-expansion"};
        const auto weight_of = [](int atoms) { return atoms == headline ? 2 : 1; };
        int weights = 0;
        for (const int other : to_come) weights += n_methods * weight_of(other);
        std::map<std::string, Result> made;
        std::map<std::string, std::size_t> row;
        for (const std::string& method : methods) {
            // What is left is shared out by weight; larger systems get what smaller ones leave.
            const double seconds = left() * weight_of(size) / weights;
            weights -= weight_of(size);
            std::optional<Result> result;
            row[method] = add(measure_method(o_, s, *m, method, seconds, product_rate_, result));
            if (result) made[method] = std::move(*result);
        }
        const auto exact = made.find("exact");
        if (exact == made.end()) return;
        // Exact diagonalisation of what is not too large against the processor's.
        if (n <= (o_.gpu == "host" ? 1000 : 8200)) {
            const double expected = processor_seconds_ * std::pow(n / processor_orbitals_, 3);
            json r = {{"atoms", s.size()}, {"orbitals", n}, {"method", "processor, dense"}};
            if (expected < 0.25 * left())
                r = measure_processor(s, *m, made["processor, dense"]);
            else
                r["left_out"] =
                    fmt::format("{:.0f} s are left in all, some {:.0f} s are needed", left(), expected);
            if (r.contains("density_matrix_s")) {
                processor_seconds_ = r["density_matrix_s"].get<double>();
                processor_orbitals_ = n;
            }
            row["processor, dense"] = add(r);
        }
        for (const auto& [method, result] : made)
            if (method != "exact")
                all_["results"][row[method]]["difference_to_exact"] =
                    compare(result, exact->second, s.size());
        save_all();
    }

    double left() const { return std::max(0.0, o_.seconds - clock_.seconds()); }

    /// @return index of the row
    std::size_t add(const json& result) {
        all_["results"].push_back(result);
        all_["seconds"] = clock_.seconds();
        std::printf("%6.1f s  %s\n", clock_.seconds(), result.dump().c_str());
        std::fflush(stdout);
        save_all();
        return all_["results"].size() - 1;
    }

    void save_all() const {
        save(o_.json_file, all_.dump(2) + "\n");
        save(o_.table_file, table_of(all_));
    }

    const Options& o_;
    const Timer clock_;
    json all_;
    double product_rate_ = 0;
    double processor_seconds_ = 0, processor_orbitals_ = 1;  ///< of its last diagonalisation; 0 = none yet
};

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options o = parse(argc, argv);
        if (o.check) return check(o);
        Measurement(o).run();
        return 0;
    } catch (const BackendError& e) {
        std::fprintf(stderr, "gpu_bench: %s\n", e.what());
        return 5;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "gpu_bench: %s\n", e.what());
        return 2;
    }
}
