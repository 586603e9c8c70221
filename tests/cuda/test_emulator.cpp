// SPDX-License-Identifier: Apache-2.0
// That the emulator of CUDA finds the faults that it is there for.
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "cublas_v2.h"
#include "cuda_emulator/emulator.hpp"
#include "faulty_kernels.hpp"

using namespace stembridge::testing;
using cuda_emulator::Order;

namespace {

/// A stream, and settings that are as before afterwards.
struct Emulated {
    Emulated() {
        BOOST_REQUIRE_EQUAL(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    }
    ~Emulated() {
        cuda_emulator::take_faults();
        for (void* p : memory) cudaFree(p);
        cudaStreamDestroy(stream);
        cuda_emulator::settings() = {};
        cudaSetDevice(0);
    }
    double* array(std::size_t n) {
        void* p = nullptr;
        BOOST_REQUIRE_EQUAL(cudaMalloc(&p, n * sizeof(double)), cudaSuccess);
        memory.push_back(p);
        return static_cast<double*>(p);
    }
    double* array(const std::vector<double>& values) {
        double* p = array(values.size());
        BOOST_REQUIRE_EQUAL(
            cudaMemcpyAsync(p, values.data(), values.size() * sizeof(double), cudaMemcpyHostToDevice, stream),
            cudaSuccess);
        return p;
    }
    std::vector<double> values(const double* p, std::size_t n) {
        std::vector<double> out(n);
        BOOST_REQUIRE_EQUAL(
            cudaMemcpyAsync(out.data(), p, n * sizeof(double), cudaMemcpyDeviceToHost, stream), cudaSuccess);
        BOOST_REQUIRE_EQUAL(cudaStreamSynchronize(stream), cudaSuccess);
        return out;
    }
    cudaStream_t stream = nullptr;
    std::vector<void*> memory;
};

bool one_fault_says(const std::string& text) {
    const std::vector<std::string> faults = cuda_emulator::take_faults();
    BOOST_TEST_MESSAGE((faults.empty() ? "no fault" : faults[0]));
    return faults.size() == 1 && faults[0].find(text) != std::string::npos;
}

std::vector<double> ascending(int n) {
    std::vector<double> values(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) values[static_cast<std::size_t>(i)] = i;
    return values;
}

constexpr Order orders[] = {Order::ascending, Order::descending, Order::shuffled};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_emulator)

BOOST_FIXTURE_TEST_CASE(kernels_without_fault_give_the_same_in_every_order, Emulated) {
    const int n = 5 * block_size - 3;
    std::vector<double> backwards = ascending(block_size);
    std::reverse(backwards.begin(), backwards.end());
    for (const Order order : orders) {
        cuda_emulator::settings().order = order;
        double *x = array(n), *y = array(block_size);
        count_up(n, x, stream);
        reverse(true, x, y, stream);
        BOOST_TEST(values(x, n) == ascending(n));
        BOOST_TEST(values(y, block_size) == backwards);
    }
    BOOST_TEST(cuda_emulator::take_faults().empty());
}

BOOST_FIXTURE_TEST_CASE(a_missing_barrier_shows_in_some_order, Emulated) {
    std::vector<double> backwards = ascending(block_size);
    std::reverse(backwards.begin(), backwards.end());
    for (const Order order : orders) {
        cuda_emulator::settings().order = order;
        double *x = array(ascending(block_size)), *y = array(block_size);
        reverse(false, x, y, stream);
        BOOST_TEST((values(y, block_size) != backwards));
    }
}

BOOST_FIXTURE_TEST_CASE(writing_past_the_end_ends_the_kernel_and_every_later_call, Emulated) {
    const int n = 2 * block_size - 2;
    double* x = array(n);
    count_too_far(n, x, stream);
    BOOST_TEST(cudaGetLastError() == cudaSuccess);  // not before it has run
    BOOST_TEST(cudaStreamSynchronize(stream) == cudaErrorLaunchFailure);
    BOOST_TEST(cudaStreamSynchronize(stream) == cudaErrorLaunchFailure);
    BOOST_TEST(one_fault_says("count_kernel, block (1, 0, 0): thread (62, 0, 0) touches"));
    count_up(n, x, stream);
    BOOST_TEST(values(x, n) == ascending(n));
}

BOOST_FIXTURE_TEST_CASE(what_was_not_set_is_no_number, Emulated) {
    const double* fresh = array(block_size);
    for (const double value : values(fresh, block_size)) BOOST_TEST(std::isnan(value));
    double* y = array(block_size);
    read_before_writing(y, stream);  // the second block does not see what the first has left
    for (const double value : values(y, block_size)) BOOST_TEST(std::isnan(value));
}

BOOST_FIXTURE_TEST_CASE(barriers_that_not_all_threads_reach_are_found, Emulated) {
    double* y = array(block_size);
    wait_in_vain(false, y, stream);
    BOOST_TEST(cudaStreamSynchronize(stream) == cudaErrorLaunchFailure);
    BOOST_TEST(one_fault_says("32 threads have ended, others wait at"));
    wait_in_vain(true, y, stream);
    BOOST_TEST(cudaStreamSynchronize(stream) == cudaErrorLaunchFailure);
    BOOST_TEST(one_fault_says("threads wait at different barriers"));
}

BOOST_FIXTURE_TEST_CASE(addresses_of_the_wrong_side_are_found, Emulated) {
    std::vector<double> here(block_size);
    double* there = array(block_size);
    count_up(block_size, here.data(), stream);
    BOOST_TEST(cudaGetLastError() == cudaErrorIllegalAddress);
    BOOST_TEST(one_fault_says("pointer 0 is not memory of the current device"));
    const std::size_t bytes = block_size * sizeof(double);
    BOOST_TEST(cudaMemcpyAsync(here.data(), there, bytes, cudaMemcpyHostToDevice, stream) ==
               cudaErrorInvalidValue);
    BOOST_TEST(cudaMemcpyAsync(there, here.data(), bytes + 8, cudaMemcpyHostToDevice, stream) ==
               cudaErrorInvalidValue);
    cublasHandle_t blas = nullptr;
    cublasCreate(&blas);
    cublasSetStream(blas, stream);
    const double one = 1;
    BOOST_TEST(cublasDgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, &one, there, 8, there, 8, &one,
                           here.data(), 8) == CUBLAS_STATUS_INVALID_VALUE);
    BOOST_TEST(cublasDgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 9, 8, 8, &one, there, 8, there, 8, &one, there,
                           9) == CUBLAS_STATUS_INVALID_VALUE);
    BOOST_TEST(cublasDgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, &one, there, 8, there, 8, &one, there,
                           8) == CUBLAS_STATUS_SUCCESS);
    cublasDestroy(blas);
    // The processor itself cannot read it: asked of the kernel, which answers instead of ending the program.
    int ends[2];
    BOOST_REQUIRE(pipe(ends) == 0);
    BOOST_TEST(write(ends[1], there, 8) == -1);
    BOOST_TEST(errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
}

BOOST_FIXTURE_TEST_CASE(starts_beyond_the_limits_are_refused, Emulated) {
    double* y = array(1);
    start(dim3(0), dim3(1), 16, y, stream);
    BOOST_TEST(cudaGetLastError() == cudaErrorInvalidConfiguration);
    BOOST_TEST(cudaGetLastError() == cudaSuccess);  // told once
    start(dim3(1, 65536), dim3(1), 16, y, stream);
    BOOST_TEST(cudaGetLastError() == cudaErrorInvalidConfiguration);
    start(dim3(1), dim3(1025), 16, y, stream);
    BOOST_TEST(cudaGetLastError() == cudaErrorInvalidConfiguration);
    start(dim3(1), dim3(1), 64 * 1024, y, stream);
    BOOST_TEST(cudaGetLastError() == cudaErrorInvalidValue);
    BOOST_TEST(allow_dynamic_shared(64 * 1024) == cudaSuccess);
    start(dim3(1), dim3(1), 64 * 1024, y, stream);
    BOOST_TEST(cudaGetLastError() == cudaSuccess);
    BOOST_TEST(allow_dynamic_shared(164 * 1024) == cudaErrorInvalidValue);
    BOOST_TEST(values(y, 1)[0] == 1.0);
}

BOOST_FIXTURE_TEST_CASE(streams_that_do_not_wait_for_each_other_show, Emulated) {
    cudaStream_t other = nullptr;
    cudaEvent_t event = nullptr;
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    std::vector<double> doubled = ascending(block_size);
    for (double& x : doubled) x *= 2;
    for (const bool waits : {false, true}) {
        double *x = array(block_size), *y = array(block_size);
        count_up(block_size, x, other);
        cudaEventRecord(event, other);
        if (waits) cudaStreamWaitEvent(stream, event, 0);
        twice(x, y, stream);
        BOOST_TEST((values(y, block_size) == doubled) == waits);
    }
    cudaEventDestroy(event);
    cudaStreamDestroy(other);
}

BOOST_FIXTURE_TEST_CASE(devices_do_not_share_memory_or_streams, Emulated) {
    cuda_emulator::settings().n_devices = 2;
    double* y = array(block_size);
    BOOST_TEST(cudaSetDevice(1) == cudaSuccess);
    count_up(block_size, y, stream);
    BOOST_TEST(cudaGetLastError() == cudaErrorIllegalAddress);
    double* own = array(block_size);
    count_up(block_size, own, stream);
    BOOST_TEST(cudaGetLastError() == cudaErrorInvalidResourceHandle);
    BOOST_TEST(cudaSetDevice(2) == cudaErrorInvalidDevice);
}

BOOST_FIXTURE_TEST_CASE(threads_may_call_at_once, Emulated) {
    const std::size_t handles = cuda_emulator::open_handles();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            const double one = 1, zero = 0;
            cudaEvent_t event = nullptr;
            cublasHandle_t blas = nullptr;
            for (int round = 0; round < 20000; ++round) {
                cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
                cublasCreate(&blas);
                cublasDestroy(blas);
                cudaEventDestroy(event);
            }
            for (int round = 0; round < 1000; ++round) {
                cudaStream_t own = nullptr;
                void* x = nullptr;
                cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
                cudaStreamCreateWithFlags(&own, cudaStreamNonBlocking);
                cublasCreate(&blas);
                cublasSetStream(blas, own);
                cudaMalloc(&x, 128 * sizeof(double));
                cudaMemsetAsync(x, 0, 128 * sizeof(double), own);
                auto* const a = static_cast<double*>(x);
                cublasDgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, &one, a, 8, a, 8, &zero, a + 64, 8);
                cudaEventRecord(event, own);
                cudaStreamSynchronize(own);
                cudaFree(x);
                cublasDestroy(blas);
                cudaStreamDestroy(own);
                cudaEventDestroy(event);
            }
        });
    for (std::thread& thread : threads) thread.join();
    BOOST_TEST(cuda_emulator::take_faults() == std::vector<std::string>{}, boost::test_tools::per_element());
    BOOST_TEST(cuda_emulator::open_handles() == handles);
    BOOST_TEST(cuda_emulator::allocated_bytes() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
