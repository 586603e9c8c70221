// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/device_tests.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <memory>

#include "density/cuda/device_array.hpp"
#include "density/cuda/device_poles.hpp"
#include "density/cuda/exact_solver.hpp"
#include "density/cuda/gpu.hpp"
#include "density/cuda/host_device.hpp"
#include "density/cuda/model_problem.hpp"
#include "density/cuda/purification_solver.hpp"
#include "density/dense/dense_gamma.hpp"
#include "density/pole_expansion/pole_expansion.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {
namespace {

/// What a device makes of the same input, as a list of numbers.
using Run = std::function<std::vector<double>(Device&)>;

struct Task {
    std::string what;
    double allowed;
    Run run, reference;  ///< of the device and of the processor; no reference = the same on the processor
};

template <typename T>
std::vector<T> random_numbers(std::size_t n, std::uint64_t seed) {
    Random random(seed);
    std::vector<T> values(n);
    for (T& x : values) x = static_cast<T>(random.normal());
    return values;
}

template <typename Real>
std::vector<std::complex<Real>> random_complex(std::size_t n, std::uint64_t seed) {
    const std::vector<Real> parts = random_numbers<Real>(2 * n, seed);
    std::vector<std::complex<Real>> values(n);
    for (std::size_t k = 0; k < n; ++k) values[k] = {parts[2 * k], parts[2 * k + 1]};
    return values;
}

/// Well-conditioned, symmetric, positive definite.
template <typename Real>
std::vector<Real> definite_matrix(int n, std::uint64_t seed) {
    const std::vector<Real> x = random_numbers<Real>(static_cast<std::size_t>(n * n), seed);
    std::vector<Real> a(x.size());
    for (int j = 0; j < n; ++j)
        for (int i = 0; i < n; ++i)
            a[static_cast<std::size_t>(j * n + i)] =
                (x[static_cast<std::size_t>(j * n + i)] + x[static_cast<std::size_t>(i * n + j)]) /
                    static_cast<Real>(8 * std::sqrt(n)) +
                static_cast<Real>(i == j ? 1 : 0);
    return a;
}

template <typename T>
void append(std::vector<double>& out, const std::vector<T>& values) {
    out.insert(out.end(), values.begin(), values.end());
}
template <typename Real>
void append(std::vector<double>& out, const std::vector<std::complex<Real>>& values) {
    for (const std::complex<Real>& z : values) {
        out.push_back(static_cast<double>(z.real()));
        out.push_back(static_cast<double>(z.imag()));
    }
}

template <typename Real>
std::vector<double> products(Device& device) {
    DenseOperations<Real>& on = device.dense(Real());
    const int m = 70, n = 50, k = 90;
    std::vector<double> out;
    for (const bool ta : {false, true})
        for (const bool tb : {false, true}) {
            DeviceArray<Real> a(device, random_numbers<Real>(m * k, 1)),
                b(device, random_numbers<Real>(k * n, 2)), c(device, random_numbers<Real>(m * n, 3));
            on.multiply(ta, tb, m, n, k, 0.1, a.data(), ta ? k : m, b.data(), tb ? n : k, 0.5, c.data(), m);
            append(out, c.download());
        }
    DeviceArray<Real> a(device, random_numbers<Real>(n * n, 4)), c(device, n * n);
    c.set_zero();
    on.multiply_by_own_transpose(n, a.data(), c.data());
    on.mirror_lower(n, c.data());
    on.combine(n * n, 0, a.data(), 0.1, c.data());
    append(out, c.download());
    return out;
}

template <typename Real>
std::vector<double> triangular(Device& device) {
    DenseOperations<Real>& on = device.dense(Real());
    const int n = 150, columns = 40;
    DeviceArray<Real> l(device, definite_matrix<Real>(n, 5));
    if (!on.cholesky(n, l.data())) throw BackendError("a definite matrix has no Cholesky factor");
    std::vector<double> out = {on.log_of_diagonal(n, l.data())};
    for (const bool right : {false, true})
        for (const bool transpose : {false, true}) {
            DeviceArray<Real> b(device, random_numbers<Real>(n * columns, 6));
            on.solve_triangular(right, transpose, n, columns, l.data(), b.data(), right ? columns : n);
            append(out, b.download());
        }
    std::vector<Real> indefinite = definite_matrix<Real>(n, 5);
    indefinite[0] = -1;
    DeviceArray<Real> bad(device, indefinite);
    out.push_back(on.cholesky(n, bad.data()) ? 1 : 0);
    return out;
}

template <typename Real>
std::vector<double> eigensystem(Device& device) {
    const int n = 120;
    DeviceArray<Real> a(device, definite_matrix<Real>(n, 7)), values(device, n);
    device.dense(Real()).eigensystem(n, a.data(), values.data());
    const std::vector<Real> v = a.download(), e = values.download();
    // Signs of eigenvectors are free: the matrix that they make is not.
    const Eigen::MatrixXd vectors =
        Eigen::Map<const Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>>(v.data(), n, n)
            .template cast<double>();
    const Eigen::VectorXd levels =
        Eigen::Map<const Eigen::Matrix<Real, Eigen::Dynamic, 1>>(e.data(), n).template cast<double>();
    const Eigen::MatrixXd cubed = vectors * levels.array().cube().matrix().asDiagonal() * vectors.transpose();
    std::vector<double> out(cubed.data(), cubed.data() + cubed.size());
    append(out, e);
    return out;
}

template <typename Real>
std::vector<double> elements(Device& device) {
    DenseOperations<Real>& on = device.dense(Real());
    const int n = 77, m = 20;
    const std::size_t size = n * n;
    DeviceArray<Real> a(device, random_numbers<Real>(size, 8)), b(device, random_numbers<Real>(size, 9)),
        w(device, random_numbers<Real>(m, 10));
    std::vector<double> out;
    on.combine(size, 0.5, a.data(), -2, b.data());
    on.add_to_diagonal(n, 0.7, b.data());
    append(out, b.download());
    on.symmetrize(n, b.data());
    append(out, b.download());
    on.mirror_lower(n, a.data());
    append(out, a.download());
    out.push_back(on.trace(n, a.data()));
    out.push_back(on.dot(size, a.data(), b.data()) / n);
    on.scale_columns(n, m, a.data(), w.data(), b.data());
    append(out, b.download());
    // Elements of a sparse pattern: every third of the lower triangle.
    std::vector<std::int64_t> position, mirror;
    for (int j = 0; j < n; ++j)
        for (int i = j; i < n; i += 3) {
            position.push_back(std::int64_t{j} * n + i);
            mirror.push_back(std::int64_t{i} * n + j);
        }
    DeviceArray<std::int64_t> d_position(device, position), d_mirror(device, mirror);
    DeviceArray<double> values(device, random_numbers<double>(position.size(), 11));
    on.scatter(position.size(), d_position.data(), d_mirror.data(), values.data(), n, a.data());
    append(out, a.download());
    on.gather(position.size(), d_mirror.data(), 2, a.data(), 0.5, values.data());
    append(out, values.download());
    DeviceArray<double> wide(device, size);
    on.to_double(size, b.data(), wide.data());
    on.from_double(size, wide.data(), a.data());
    append(out, a.download());
    return out;
}

/// Two fronts of one level, the second the child of a third one.
template <typename Real>
std::vector<double> small_fronts(Device& device) {
    FrontOperations<Real>& on = device.fronts(Real());
    const int n_poles = 3;
    const std::vector<FrontShape> shapes = {{0, 37, 55}, {92 * 92, 18, 6}, {92 * 92 + 24 * 24, 30, 0}};
    const std::int64_t stride = 92 * 92 + 24 * 24 + 30 * 30;
    std::vector<std::int64_t> position, mirror;
    std::vector<double> h, s;
    Random random(12);
    for (const FrontShape& shape : shapes) {
        const std::int64_t size = shape.n_pivots + shape.n_boundary;
        for (std::int64_t j = 0; j < size; ++j)
            for (std::int64_t i = j; i < size; ++i) {
                position.push_back(shape.offset + j * size + i);
                mirror.push_back(shape.offset + i * size + j);
                h.push_back(0.1 * random.normal());
                s.push_back(i == j ? 1 : 0.01 * random.normal());
            }
    }
    const std::vector<std::complex<double>> z = {{0.1, 0.5}, {-0.3, 1.0}, {0.2, 2.0}};
    DeviceArray<std::int64_t> d_position(device, position), d_mirror(device, mirror);
    DeviceArray<double> d_h(device, h), d_s(device, s);
    DeviceArray<std::complex<Real>> fronts(device, static_cast<std::size_t>(n_poles * stride));
    const FrontStorage<Real> storage{fronts.data(), n_poles, stride};
    on.place(position.size(), d_position.data(), d_mirror.data(), d_h.data(), d_s.data(), z.data(), storage);
    const std::vector<ChildLink> links = {{shapes[1], shapes[2], 0}};
    DeviceArray<ChildLink> d_links(device, links);
    DeviceArray<int> rows(device, std::vector<int>{3, 4, 5, 17, 18, 29});
    DeviceArray<FrontShape> first(device, std::vector<FrontShape>{shapes[0], shapes[1]}),
        last(device, std::vector<FrontShape>{shapes[2]});
    std::vector<double> out;
    on.eliminate_small(2, first.data(), 92, storage);
    on.add_children(1, d_links.data(), rows.data(), storage);
    on.eliminate_small(1, last.data(), 30, storage);
    append(out, fronts.download());
    on.invert_small(1, last.data(), 30, storage);
    on.take_from_parents(1, d_links.data(), rows.data(), storage);
    on.invert_small(2, first.data(), 92, storage);
    append(out, fronts.download());

    DeviceArray<std::complex<Real>> g(device, position.size() * n_poles);
    on.gather(position.size(), d_position.data(), storage, g.data());
    append(out, g.download());
    std::vector<std::complex<double>> traces(n_poles);
    on.traces(position.size(), n_poles, d_h.data(), g.data(), traces.data());
    append(out, traces);
    on.add_weighted_sum(position.size(), n_poles, z.data(), g.data(), d_s.data());
    append(out, d_s.download());
    return out;
}

/// The pieces that large fronts are made of, on side streams.
template <typename Real>
std::vector<double> large_fronts(Device& device) {
    FrontOperations<Real>& on = device.fronts(Real());
    const int n_poles = 3, m = 80, n = 64, repeats = 4;
    const std::size_t size = m * m;
    std::vector<std::complex<Real>> matrix = random_complex<Real>(n_poles * size, 13);
    for (std::size_t p = 0; p < n_poles; ++p)
        for (std::size_t i = 0; i < m; ++i) matrix[p * size + i * (m + 1)] += std::complex<Real>(30, 20);
    std::vector<double> out;
    device.fork();
    for (int k = 0; k < repeats; ++k) {
        device.use_stream(k % device.n_streams());
        DeviceArray<std::complex<Real>> a(device, matrix), inverse(device, n_poles * n * n),
            c(device, random_complex<Real>(n_poles * size, 14));
        on.invert_blocks(n, a.data() + m + 1, m, size, inverse.data(), n_poles);
        on.multiply(false, true, m, n, n, 1, a.data(), m, size, inverse.data(), n, n * n, -0.5, c.data(), m,
                    size, n_poles);
        on.copy_blocks(true, m, n, -2, c.data(), m, size, a.data(), m, size, n_poles);
        append(out, inverse.download());
        append(out, a.download());
    }
    device.join();
    return out;
}

std::vector<double> results_of(DensitySolver& solver, const ModelProblem& model, double accuracy) {
    const double kT = 1000 * units::kelvin;
    solver.set_accuracy(accuracy);
    solver.analyze(model.pattern, KPoints{});
    solver.set_overlap(model.overlap);
    Density density;
    solver.solve({model.hamiltonian}, {.number = model.n_electrons, .kT = kT}, density);
    BlockMatrix w, states;
    solver.energy_weighted(w);
    solver.states_at_fermi_level(3 * kT, states);
    std::vector<double> out = density.matrices[0].values();
    append(out, w.values());
    // The response is of the order of 1 / kT, and approximate by its purpose.
    for (const double x : states.values()) out.push_back(1e-3 * kT * x);
    const double n_atoms = model.basis.n_atoms();
    for (const double x : {density.band_energy, density.ts, density.fermi_levels[0]})
        out.push_back(x / n_atoms);
    return out;
}

std::vector<double> poles(Device& device, const ModelProblem& model, double accuracy) {
    PoleExpansionSolver solver(true, false, 0, std::make_unique<DevicePoles>(device));
    std::vector<double> out = results_of(solver, model, accuracy);
    if (solver.name() != "pole-expansion") throw BackendError("the pole expansion failed its own checks");
    return out;
}

/// In units of 1 / kT, as large as it gets.
std::vector<double> near_response(PoleExpansionSolver solver, const ModelProblem& model) {
    const double kT = 1000 * units::kelvin;
    solver.analyze(model.pattern, KPoints{});
    solver.set_overlap(model.overlap);
    Density density;
    solver.solve({model.hamiltonian}, {.number = model.n_electrons, .kT = kT}, density);
    const Eigen::MatrixXd response = kT * Eigen::MatrixXd(solver.near_response(kT).at(0).shells);
    return {response.data(), response.data() + response.size()};
}

std::vector<Task> operation_tasks() {
    return {{"products, double", 1e-12, products<double>, {}},
            {"products, single", 1e-4, products<float>, {}},
            {"Cholesky, triangular solves, double", 1e-12, triangular<double>, {}},
            {"Cholesky, triangular solves, single", 1e-4, triangular<float>, {}},
            {"eigensystem, double", 1e-12, eigensystem<double>, {}},
            {"element by element, double", 1e-12, elements<double>, {}},
            {"element by element, single", 1e-4, elements<float>, {}},
            {"small fronts, double", 1e-11, small_fronts<double>, {}},
            {"small fronts, single", 1e-3, small_fronts<float>, {}},
            {"large fronts, double", 1e-11, large_fronts<double>, {}},
            {"large fronts, single", 1e-3, large_fronts<float>, {}}};
}

std::vector<Task> solver_tasks() {
    // The second is one front, larger than what a batch of small ones takes.
    const auto sparse = std::make_shared<ModelProblem>(16, 8), full = std::make_shared<ModelProblem>(10, 100);
    std::vector<Task> tasks;
    for (const auto& [text, model] : {std::pair{"sparse", sparse}, std::pair{"full", full}}) {
        const std::string where = fmt::format(", {}, {} orbitals", text, model->basis.n_orbitals());
        const Run dense = [model = model](Device&) {
            DenseGammaSolver solver;
            return results_of(solver, *model, 0);
        };
        const auto add = [&](const std::string& what, double allowed, Run run) {
            tasks.push_back({what + where, allowed, std::move(run), dense});
        };
        add("exact", 1e-11, [model = model](Device& device) {
            ExactSolver solver(device);
            return results_of(solver, *model, 0);
        });
        add("purification", 1e-7, [model = model](Device& device) {
            PurificationSolver solver(device);
            return results_of(solver, *model, 0);
        });
        add("purification in single precision", 1e-3, [model = model](Device& device) {
            PurificationSolver solver(device);
            return results_of(solver, *model, 1e-3);
        });
        add("pole expansion", 1e-7, [model = model](Device& device) { return poles(device, *model, 0); });
        add("pole expansion in single precision", 1e-3,
            [model = model](Device& device) { return poles(device, *model, 1e-3); });
        tasks.push_back(
            {"response of near atoms" + where, 1e-5,
             [model = model](Device& device) {
                 return near_response({true, false, 0, std::make_unique<DevicePoles>(device)}, *model);
             },
             [model = model](Device&) {
                 return near_response({true, false, 0}, *model);
             }});
    }
    return tasks;
}

DeviceCheck compare(Device& device, Device& host, const Task& task) {
    DeviceCheck check;
    check.what = task.what;
    check.allowed = task.allowed;
    try {
        Timer timer;
        const std::vector<double> expected = (task.reference ? task.reference : task.run)(host);
        check.host_seconds = timer.seconds();
        task.run(device);  // the first call also loads kernels
        timer.restart();
        const std::vector<double> got = task.run(device);
        check.seconds = timer.seconds();
        if (got.size() != expected.size()) check.error = "results of another size";
        for (std::size_t k = 0; k < got.size() && check.error.empty(); ++k) {
            const double difference = std::abs(got[k] - expected[k]);
            if (!std::isfinite(difference)) check.error = "a result is not a finite number";
            check.difference = std::max(check.difference, difference);
        }
    } catch (const Error& error) {
        check.error = error.what();
    }
    return check;
}

}  // namespace

void test_device(Device& device, const std::function<void(const DeviceCheck&)>& report) {
    const auto host = make_host_device();
    for (const auto& tasks : {operation_tasks(), solver_tasks()})
        for (const Task& task : tasks) report(compare(device, *host, task));
}

void prove(Device& device) {
    const auto host = make_host_device();
    for (const Task& task : operation_tasks()) {
        const DeviceCheck check = compare(device, *host, task);
        if (!check.error.empty())
            throw BackendError(fmt::format("{}: {}: {}", device.name(), check.what, check.error));
        if (!check.passed())
            throw BackendError(fmt::format("{}: {} differ from the processor's by {:.1e}, more than {:.0e}",
                                           device.name(), check.what, check.difference, check.allowed));
    }
}

void test_gpu(int index, const std::function<void(const DeviceCheck&)>& report) {
    test_device(*open_gpu(index), report);
}

}  // namespace stembridge::tb
