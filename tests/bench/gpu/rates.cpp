// SPDX-License-Identifier: Apache-2.0
#include "rates.hpp"

#include <algorithm>
#include <complex>
#include <functional>
#include <memory>

#include "budget.hpp"
#include "density/cuda/device_array.hpp"
#include "stembridge/base/random.hpp"

namespace stembridge::bench {
namespace {

using tb::Device;
using tb::DeviceArray;

/// So many operations, or bytes that are read and written.
struct Work {
    double amount;
    std::function<void()> run;
};
/// The work of an operation on matrices of some size.
using Make = std::function<Work(int)>;

/// Amount per second over sizes that double, as long as the next fits the time: the best of them, or that of
/// the largest, for copies, which small sizes make within caches.
double rate_of(int smallest, int largest, double seconds, bool of_largest, const Make& make) {
    make(smallest).run();  // loads the kernels
    constexpr int repeats = 3;
    const Timer clock;
    double rate = 0;
    for (int n = smallest; n <= largest; n *= 2) {
        const Work work = make(n);
        const double time = best_time(repeats, seconds / 4, work.run), here = work.amount / time;
        rate = of_largest ? here : std::max(rate, here);
        // The next has eight times the operations.
        if (clock.seconds() + 8 * repeats * time > seconds) break;
    }
    return rate;
}

double cubed(int n) {
    return static_cast<double>(n) * n * n;
}
std::size_t squared(int n) {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
}

/// Numbers between -1/2 and 1/2. A GPU multiplies constant matrices faster than any that occur, as fewer of
/// its switches change.
const std::vector<double>& random_numbers() {
    static const std::vector<double> numbers = [] {
        Random random(1);
        std::vector<double> values(1'000'003);  // prime: rows of matrices do not repeat
        for (double& value : values) value = random.uniform() - 0.5;
        return values;
    }();
    return numbers;
}

/// 1 / n times a random number everywhere, 1 added on the diagonal: what a Cholesky factorisation takes for
/// positive definite, and products keep near one.
template <typename Real>
std::shared_ptr<DeviceArray<Real>> matrix(Device& device, int n) {
    const std::vector<double>& numbers = random_numbers();
    std::vector<Real> values(squared(n));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<Real>(numbers[i % numbers.size()] / n);
    for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(n) + 1) values[i] += 1;
    return std::make_shared<DeviceArray<Real>>(device, values);
}

template <typename Real>
Work product(Device& device, int n) {
    const auto a = matrix<Real>(device, n), c = matrix<Real>(device, n);
    return {2 * cubed(n), [&device, n, a, c] {
                device.dense(Real()).multiply(false, false, n, n, n, 1, a->data(), n, a->data(), n, 0,
                                              c->data(), n);
                device.synchronize();
            }};
}

/// As the large fronts have them: 24 poles.
Work batched_product(Device& device, int n) {
    using Complex = std::complex<double>;
    constexpr int batch = 24;
    const std::vector<double>& numbers = random_numbers();
    std::vector<Complex> values(squared(n) * batch);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = {numbers[2 * i % numbers.size()], numbers[(2 * i + 1) % numbers.size()]};
    const auto a = std::make_shared<DeviceArray<Complex>>(device, values),
               c = std::make_shared<DeviceArray<Complex>>(device, values);
    return {8 * cubed(n) * batch, [&device, n, a, c] {
                const std::int64_t stride = std::int64_t{n} * n;
                device.fronts(0.0).multiply(false, true, n, n, n, 1, a->data(), n, stride, a->data(), n,
                                            stride, 0, c->data(), n, stride, batch);
                device.synchronize();
            }};
}

Work own_transpose(Device& device, int n) {
    const auto a = matrix<double>(device, n), c = matrix<double>(device, n);
    return {cubed(n), [&device, n, a, c] {
                device.dense(0.0).multiply_by_own_transpose(n, a->data(), c->data());
                device.synchronize();
            }};
}

Work cholesky(Device& device, int n) {
    const auto a = matrix<double>(device, n), l = matrix<double>(device, n);
    return {cubed(n) / 3, [&device, n, a, l] {
                l->copy_from(*a);
                device.dense(0.0).cholesky(n, l->data());
                device.synchronize();
            }};
}

Work triangular_solve(Device& device, int n) {
    const auto l = matrix<double>(device, n), b = matrix<double>(device, n);
    return {cubed(n), [&device, n, l, b] {
                device.dense(0.0).solve_triangular(false, false, n, n, l->data(), b->data(), n);
                device.synchronize();
            }};
}

Work copy(Device& device, int n) {
    const auto a = matrix<double>(device, n), b = matrix<double>(device, n);
    return {16.0 * static_cast<double>(squared(n)), [&device, a, b] {
                b->copy_from(*a);
                device.synchronize();
            }};
}

Work combine(Device& device, int n) {
    const auto x = matrix<double>(device, n), y = matrix<double>(device, n);
    return {24.0 * static_cast<double>(squared(n)), [&device, x, y] {
                device.dense(0.0).combine(x->size(), 0.5, x->data(), 0.5, y->data());
                device.synchronize();
            }};
}

Work mirror(Device& device, int n) {
    const auto a = matrix<double>(device, n);
    return {8.0 * static_cast<double>(squared(n)), [&device, n, a] {
                device.dense(0.0).mirror_lower(n, a->data());
                device.synchronize();
            }};
}

Work upload(Device& device, int n) {
    const auto a = matrix<double>(device, n);
    const auto host = std::make_shared<std::vector<double>>(a->size(), 1.0);
    return {8.0 * static_cast<double>(squared(n)), [a, host] { a->upload(host->data()); }};
}

Work download(Device& device, int n) {
    const auto a = matrix<double>(device, n);
    const auto host = std::make_shared<std::vector<double>>(a->size());
    return {8.0 * static_cast<double>(squared(n)),
            [&device, a, host] { device.to_host(host->data(), a->data(), a->size() * sizeof(double)); }};
}

}  // namespace

std::vector<Rate> measure_rates(Device& device, double seconds) {
    constexpr const char* tflops = "TFLOP/s";
    const std::string gbytes = "GB/s";
    constexpr const char* copying = "copy within the memory";
    struct Task {
        std::string operation, unit, ceiling;
        Work (*make)(Device&, int);
    };
    const std::vector<Task> tasks = {{product_double, tflops, product_double, product<double>},
                                     {"product, single", tflops, "product, single", product<float>},
                                     {copying, gbytes, copying, copy},
                                     {"copy to the device", gbytes, "copy to the device", upload},
                                     {"copy to the host", gbytes, "copy to the host", download},
                                     {"A A^T, double", tflops, product_double, own_transpose},
                                     {"Cholesky, double", tflops, product_double, cholesky},
                                     {"triangular solve, double", tflops, product_double, triangular_solve},
                                     {"24 complex products, double", tflops, product_double, batched_product},
                                     {"y = a x + b y, double", gbytes, copying, combine},
                                     {"mirror image of a triangle, double", gbytes, copying, mirror}};
    const int largest = device.kind() == "cuda" ? 8192 : 2048;
    std::vector<Rate> rates;
    for (const Task& task : tasks) {
        const bool batch = task.make == batched_product, copies = task.unit == gbytes;
        const double rate = rate_of(batch ? 32 : 128, batch ? largest / 8 : largest,
                                    seconds / static_cast<double>(tasks.size()), copies,
                                    [&](int n) { return task.make(device, n); });
        rates.push_back({task.operation, task.unit, rate / (copies ? 1e9 : 1e12), task.ceiling});
        const auto ceiling = std::find_if(rates.begin(), rates.end(),
                                          [&](const Rate& known) { return known.operation == task.ceiling; });
        rates.back().share = rates.back().value / ceiling->value;
    }
    return rates;
}

}  // namespace stembridge::bench
