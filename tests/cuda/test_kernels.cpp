// SPDX-License-Identifier: Apache-2.0
// The .cu files of tb/ on emulated GPUs: operations and solvers against the processor, in every order of
// threads and streams.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cuda_emulator/emulator.hpp"
#include "density/cuda/choose_gpu.hpp"
#include "density/cuda/device_array.hpp"
#include "density/cuda/device_tests.hpp"
#include "density/cuda/gpu.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/devices.hpp"
#include "tb/gpu_checks.hpp"
#include "tb/sheets.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using cuda_emulator::Order;

namespace {

struct Emulated {
    Emulated() { cuda_emulator::take_faults(); }
    ~Emulated() {
        cuda_emulator::settings() = {};
        BOOST_TEST(cuda_emulator::allocated_bytes() == 0u);
        BOOST_TEST(cuda_emulator::open_handles() == 0u);
    }
};

void require_no_fault() {
    for (const std::string& fault : cuda_emulator::take_faults()) BOOST_ERROR(fault);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_kernels)

BOOST_FIXTURE_TEST_CASE(operations_agree_in_every_order_of_threads_and_streams, Emulated) {
    for (const Order order : {Order::ascending, Order::descending, Order::shuffled})
        for (const bool lazy : {true, false}) {
            cuda_emulator::settings().order = order;
            cuda_emulator::settings().lazy = lazy;
            BOOST_CHECK_NO_THROW(prove(*open_gpu(0)));
            require_no_fault();
        }
}

BOOST_FIXTURE_TEST_CASE(solvers_agree_with_the_processor, Emulated) {
    cuda_emulator::settings().order = Order::descending;
    BOOST_TEST(testing::check_comparisons_of_gpu(0) >= 20);
    require_no_fault();
}

BOOST_FIXTURE_TEST_CASE(self_consistent_forces_agree_with_the_processor, Emulated) {
    testing::check_forces_of_gpu(testing::ragged_flake(5, 0.03));
    require_no_fault();
}

BOOST_FIXTURE_TEST_CASE(two_gpus_are_used_by_turns, Emulated) {
    cuda_emulator::settings().n_devices = 2;
    BOOST_TEST(list_gpus().size() == 2u);
    const auto first = open_gpu(0), second = open_gpu(1);
    // Each takes up its work after the other has been used.
    for (int k = 0; k < 2; ++k)
        for (Device* device : {first.get(), second.get()}) BOOST_CHECK_NO_THROW(prove(*device));
    const std::vector<double> x = {1, 2, 3}, y = {10, 20, 30};
    DeviceArray<double> on_first(*first, x), on_second(*second, y);
    first->dense(0.0).combine(3, 2, on_first.data(), 0, on_first.data());
    second->dense(0.0).combine(3, 3, on_second.data(), 0, on_second.data());
    BOOST_TEST(on_first.download() == std::vector<double>({2, 4, 6}));
    BOOST_TEST(on_second.download() == std::vector<double>({30, 60, 90}));
    require_no_fault();
    BOOST_CHECK_EXCEPTION(open_gpu(2), BackendError, [](const BackendError& e) {
        return std::string(e.what()).find("there is no GPU 2; this machine has 2") != std::string::npos;
    });
}

BOOST_FIXTURE_TEST_CASE(replicas_in_threads_share_two_gpus, Emulated) {
    cuda_emulator::settings().n_devices = 2;
    std::vector<std::string> names(4);
    std::vector<std::thread> replicas;
    std::latch all_open(4);
    for (std::string& name : names)
        replicas.emplace_back([&name, &all_open] {
            const auto gpu = choose_gpu("auto");
            all_open.arrive_and_wait();
            try {
                prove(*gpu);
                name = gpu->name();
            } catch (const Error& error) {
                name = error.what();
            }
        });
    for (std::thread& t : replicas) t.join();
    std::sort(names.begin(), names.end());
    const std::vector<std::string> two_on_each = {"GPU 0 (emulated)", "GPU 0 (emulated)", "GPU 1 (emulated)",
                                                  "GPU 1 (emulated)"};
    BOOST_TEST(names == two_on_each, boost::test_tools::per_element());
    require_no_fault();
}

BOOST_FIXTURE_TEST_CASE(too_little_memory_is_told_with_what_was_wanted, Emulated) {
    cuda_emulator::settings().memory = 1 << 20;
    const auto gpu = open_gpu(0);
    BOOST_CHECK_EXCEPTION(DeviceArray<double>(*gpu, 1 << 20), BackendError, [](const BackendError& e) {
        const std::string text = e.what();
        return text.find("cudaMalloc failed: out of memory; 0.01 GiB wanted, 0.00 GiB of 0.00 GiB free") !=
               std::string::npos;
    });
    // The GPU can be used afterwards.
    DeviceArray<double> small(*gpu, std::vector<double>{1, 2});
    BOOST_TEST(small.download() == std::vector<double>({1, 2}));
    cuda_emulator::take_faults();
}

BOOST_FIXTURE_TEST_CASE(a_gpu_that_opens_half_gives_back_what_it_took, Emulated) {
    std::size_t needed = 0;
    {
        const auto gpu = open_gpu(0);
        needed = cuda_emulator::open_handles();
    }
    for (std::size_t most = 0; most < needed; ++most) {
        cuda_emulator::settings().most_handles = most;
        BOOST_CHECK_THROW(open_gpu(0), BackendError);
        BOOST_TEST(cuda_emulator::open_handles() == 0u);
    }
    cuda_emulator::take_faults();
}

BOOST_FIXTURE_TEST_CASE(what_one_gpu_lacked_is_not_held_against_the_next, Emulated) {
    cuda_emulator::settings().memory = 1 << 20;
    {
        // The matrix fits, the room that its eigensystem needs does not.
        const int n = 220;
        const auto gpu = open_gpu(0);
        DeviceArray<double> a(*gpu, n * n), values(*gpu, n);
        a.set_zero();
        BOOST_CHECK_EXCEPTION(
            gpu->dense(0.0).eigensystem(n, a.data(), values.data()), BackendError,
            [](const BackendError& e) { return std::string(e.what()).find("cudaMalloc failed") == 0; });
    }
    cuda_emulator::settings().memory = std::size_t{1} << 30;
    BOOST_CHECK_NO_THROW(prove(*open_gpu(0)));
    cuda_emulator::take_faults();
}

BOOST_AUTO_TEST_SUITE_END()
