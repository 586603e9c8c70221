// SPDX-License-Identifier: Apache-2.0
// Memory and streams of a GPU.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>

#include "density/cuda/cuda_calls.hpp"
#include "density/cuda/cuda_dense.hpp"
#include "density/cuda/cuda_fronts.hpp"
#include "density/cuda/gpu.hpp"
#include "stembridge/tb/devices.hpp"

namespace stembridge::tb {
namespace cuda {

Streams::Streams() {
    const auto open = [](Stream& s) {
        check(cudaStreamCreateWithFlags(s.stream.place(), cudaStreamNonBlocking), "cudaStreamCreate");
        check(cudaEventCreateWithFlags(s.event.place(), cudaEventDisableTiming), "cudaEventCreate");
        check(cublasCreate(s.blas.place()), "cublasCreate");
        check(cublasSetStream(s.blas, s.stream), "cublasSetStream");
    };
    open(main);
    for (Stream& s : side) open(s);
    check(cusolverDnCreate(solver.place()), "cusolverDnCreate");
    check(cusolverDnSetStream(solver, main.stream), "cusolverDnSetStream");
    check(cusolverDnCreateParams(solver_parameters.place()), "cusolverDnCreateParams");
}

}  // namespace cuda

namespace {

using cuda::check;

std::string gibibytes(std::size_t bytes) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f GiB", static_cast<double>(bytes) / (1 << 30));
    return text;
}

std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// Version of the kernel driver; empty where its file is absent.
std::string kernel_driver() {
    std::ifstream file("/proc/driver/nvidia/version");
    std::string word;
    while (file >> word)
        if (word.find('.') != std::string::npos && word.find_first_not_of("0123456789.") == std::string::npos)
            return word;
    return "";
}

/// Operations per second of large products of doubles, from data sheets; only ratios count.
double expected_rate(const cudaDeviceProp& p) {
    const double parts = p.multiProcessorCount;
    if (p.major == 8 && p.minor == 0) return 19.5e12 * parts / 108;
    if (p.major == 9) return 60e12 * parts / 132;
    if (p.major == 10 && p.minor == 0) return 37e12 * parts / 148;
    return 5e9 * parts;
}

class GpuDevice final : public Device {
  public:
    explicit GpuDevice(int index) {
        check(cudaSetDevice(index), "cudaSetDevice");
        check(cudaGetDeviceProperties(&properties_, index), "cudaGetDeviceProperties");
        index_ = index;
        streams_.reset(new cuda::Streams());
        dense_.reset(new cuda::CudaDense<double>(*streams_));
        rough_dense_.reset(new cuda::CudaDense<float>(*streams_));
        fronts_.reset(new cuda::CudaFronts<double>(*streams_));
        rough_fronts_.reset(new cuda::CudaFronts<float>(*streams_));
    }
    ~GpuDevice() override {
        cudaSetDevice(index_);
        for (const auto& block : blocks_) cudaFree(block.first);
    }

    std::string name() const override {
        return "GPU " + std::to_string(index_) + " (" + properties_.name + ")";
    }
    std::string kind() const override { return "cuda"; }
    std::size_t free_memory() const override {
        std::size_t free = 0, total = 0;
        make_current();
        check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
        return free;
    }
    double expected_seconds(double n_flops) const override { return n_flops / expected_rate(properties_); }

    void* allocate(std::size_t bytes) override {
        void* block = nullptr;
        make_current();
        const cudaError_t status = cudaMalloc(&block, bytes);
        if (status != cudaSuccess) {
            cudaGetLastError();
            throw BackendError(std::string("cudaMalloc failed: ") + cudaGetErrorString(status) + "; " +
                               gibibytes(bytes) + " wanted, " + gibibytes(free_memory()) + " of " +
                               gibibytes(properties_.totalGlobalMem) + " free on " + name());
        }
        blocks_[block] = bytes;
        count_allocation(bytes);
        return block;
    }
    void release(void* memory) noexcept override {
        const auto found = blocks_.find(memory);
        if (found == blocks_.end()) return;
        count_release(found->second);
        blocks_.erase(found);
        cudaFree(memory);
    }
    void to_device(void* to, const void* from, std::size_t bytes) override {
        move(to, from, bytes, cudaMemcpyHostToDevice);
        wait();
    }
    void to_host(void* to, const void* from, std::size_t bytes) override {
        move(to, from, bytes, cudaMemcpyDeviceToHost);
        wait();
    }
    void copy(void* to, const void* from, std::size_t bytes) override {
        move(to, from, bytes, cudaMemcpyDeviceToDevice);
    }
    void set_zero(void* memory, std::size_t bytes) override {
        make_current();
        check(cudaMemsetAsync(memory, 0, bytes, streams_->current->stream), "cudaMemsetAsync");
    }

    int n_streams() const override { return cuda::Streams::n_side; }
    void fork() override {
        make_current();
        check(cudaEventRecord(streams_->main.event, streams_->main.stream), "cudaEventRecord");
        for (cuda::Stream& s : streams_->side)
            check(cudaStreamWaitEvent(s.stream, streams_->main.event, 0), "cudaStreamWaitEvent");
    }
    void use_stream(int k) override { streams_->current = k < 0 ? &streams_->main : &streams_->side[k]; }
    void join() override {
        make_current();
        for (cuda::Stream& s : streams_->side) {
            check(cudaEventRecord(s.event, s.stream), "cudaEventRecord");
            check(cudaStreamWaitEvent(streams_->main.stream, s.event, 0), "cudaStreamWaitEvent");
        }
        use_stream(-1);
    }
    void synchronize() override {
        make_current();
        check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }

    DenseOperations<double>& dense(double) override { return on(*dense_); }
    DenseOperations<float>& dense(float) override { return on(*rough_dense_); }
    FrontOperations<double>& fronts(double) override { return on(*fronts_); }
    FrontOperations<float>& fronts(float) override { return on(*rough_fronts_); }

  private:
    /// Several devices may be in use by turns, and which one is current is a matter of the thread.
    void make_current() const { check(cudaSetDevice(index_), "cudaSetDevice"); }
    template <typename Operations>
    Operations& on(Operations& operations) {
        make_current();
        return operations;
    }
    void move(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
        make_current();
        check(cudaMemcpyAsync(to, from, bytes, kind, streams_->current->stream), "cudaMemcpyAsync");
    }
    void wait() { check(cudaStreamSynchronize(streams_->current->stream), "cudaStreamSynchronize"); }

    int index_ = 0;
    cudaDeviceProp properties_;
    std::map<void*, std::size_t> blocks_;
    std::unique_ptr<cuda::Streams> streams_;
    std::unique_ptr<cuda::CudaDense<double>> dense_;
    std::unique_ptr<cuda::CudaDense<float>> rough_dense_;
    std::unique_ptr<cuda::CudaFronts<double>> fronts_;
    std::unique_ptr<cuda::CudaFronts<float>> rough_fronts_;
};

}  // namespace

bool gpus_are_built() {
    return true;
}

std::vector<Gpu> list_gpus() {
    int count = 0;
    check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    int driver = 0, runtime = 0;
    check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
    std::vector<Gpu> gpus;
    for (int i = 0; i < count; ++i) {
        cudaDeviceProp p;
        check(cudaGetDeviceProperties(&p, i), "cudaGetDeviceProperties");
        Gpu gpu;
        gpu.index = i;
        gpu.name = p.name;
        gpu.capability_major = p.major;
        gpu.capability_minor = p.minor;
        gpu.n_multiprocessors = p.multiProcessorCount;
        gpu.runtime = version_text(runtime);
        gpu.driver = kernel_driver() + (kernel_driver().empty() ? "" : ", ") + "CUDA " + version_text(driver);
        check(cudaSetDevice(i), "cudaSetDevice");
        check(cudaMemGetInfo(&gpu.free_memory, &gpu.memory), "cudaMemGetInfo");
        gpus.push_back(gpu);
    }
    if (gpus.empty()) throw BackendError("cudaGetDeviceCount found no GPU");
    return gpus;
}

std::unique_ptr<Device> open_gpu(int index) {
    int count = 0;
    check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    if (index < 0 || index >= count)
        throw BackendError("there is no GPU " + std::to_string(index) + "; this machine has " +
                           std::to_string(count));
    return std::unique_ptr<Device>(new GpuDevice(index));
}

}  // namespace stembridge::tb
