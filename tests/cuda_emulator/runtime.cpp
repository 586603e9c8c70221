// SPDX-License-Identifier: Apache-2.0
// Devices, memory and streams of the emulated CUDA runtime.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "emulator.hpp"

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

/// Work in order, and how much of it was ever put in and done.
struct Queue {
    int device = 0;
    std::deque<std::function<void()>> work;
    std::uint64_t put = 0, done = 0;
};

}  // namespace

struct CUstream_st {
    std::shared_ptr<Queue> queue;
};
struct CUevent_st {
    std::shared_ptr<Queue> queue;
    std::uint64_t mark = 0;
};

namespace cuda_emulator {
namespace {

constexpr std::size_t default_dynamic_shared = 48 * 1024;
/// cudaMalloc aligns to 256 bytes; here what the widest loads need, so that the end lies near the guarding
/// page.
constexpr std::size_t alignment = 16;

std::size_t page() {
    static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return size;
}

std::size_t round_up(std::size_t n, std::size_t unit) {
    return (n + unit - 1) / unit * unit;
}

struct Allocation {
    int device;
    std::size_t bytes;
    char* pages;  ///< between two that nobody can touch
    std::size_t pages_bytes;
};

/// Of all devices and threads: whoever reads or changes it holds the mutex.
struct State {
    std::recursive_mutex mutex;
    std::map<const char*, Allocation> allocations;
    std::set<CUstream_st*> streams;
    std::map<std::pair<int, const void*>, std::size_t> dynamic_shared;
    std::vector<std::string> faults;
    cudaError_t last = cudaSuccess, asynchronous = cudaSuccess;
    std::size_t handles = 0;
    int inside = 0;
};

State& state() {
    static State instance;
    return instance;
}

thread_local int device_of_thread = 0;

/// Memory of the devices can be touched while it lives.
class Inside {
  public:
    Inside() {
        if (state().inside++ == 0) protect(PROT_READ | PROT_WRITE);
    }
    ~Inside() {
        if (--state().inside == 0) protect(PROT_NONE);
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    static void protect(int how) {
        for (const auto& [memory, a] : state().allocations) mprotect(a.pages, a.pages_bytes, how);
    }
};

void work_up_to(Queue& queue, std::uint64_t mark) {
    while (queue.done < mark) {
        const std::function<void()> next = std::move(queue.work.front());
        queue.work.pop_front();
        ++queue.done;
        next();
    }
}

void put(Queue& queue, std::function<void()> work) {
    queue.work.push_back(std::move(work));
    ++queue.put;
    if (!settings().lazy) work_up_to(queue, queue.put);
}

void work_off(int device) {
    std::vector<std::shared_ptr<Queue>> queues;
    for (CUstream_st* s : state().streams)
        if (s->queue->device == device) queues.push_back(s->queue);
    if (settings().order != Order::ascending) std::reverse(queues.begin(), queues.end());
    for (const auto& q : queues) work_up_to(*q, q->put);
}

}  // namespace

Settings& settings() {
    static Settings instance;
    return instance;
}

int current_device() {
    return device_of_thread;
}

bool open_one_handle() {
    const Lock lock(state().mutex);
    if (state().handles >= settings().most_handles) return false;
    ++state().handles;
    return true;
}

void close_one_handle() {
    const Lock lock(state().mutex);
    --state().handles;
}

std::size_t open_handles() {
    const Lock lock(state().mutex);
    return state().handles;
}

std::size_t allocated_bytes() {
    const Lock lock(state().mutex);
    std::size_t sum = 0;
    for (const auto& [memory, a] : state().allocations) sum += a.bytes;
    return sum;
}

std::vector<std::string> take_faults() {
    const Lock lock(state().mutex);
    state().last = state().asynchronous = cudaSuccess;
    return std::exchange(state().faults, {});
}

cudaError_t fault(cudaError_t status, const std::string& text) {
    const Lock lock(state().mutex);
    state().faults.push_back(text);
    return state().last = status;
}

bool on_device(const void* p, std::size_t bytes) {
    const Lock lock(state().mutex);
    const char* first = static_cast<const char*>(p);
    auto found = state().allocations.upper_bound(first);
    if (found == state().allocations.begin()) return false;
    --found;
    const auto offset = static_cast<std::size_t>(first - found->first);
    return found->second.device == device_of_thread && offset <= found->second.bytes &&
           bytes <= found->second.bytes - offset;
}

cudaError_t queue(cudaStream_t stream, std::function<void()> work) {
    const Lock lock(state().mutex);
    if (state().streams.count(stream) == 0)
        return fault(cudaErrorInvalidResourceHandle, "work for a stream that does not exist");
    if (stream->queue->device != device_of_thread)
        return fault(cudaErrorInvalidResourceHandle,
                     "work for a stream of another device than the current one");
    put(*stream->queue, [work = std::move(work)] {
        const Inside inside;
        work();
    });
    return cudaSuccess;
}

cudaError_t set_dynamic_shared_memory(const void* kernel, int bytes) {
    if (bytes < 0 || static_cast<std::size_t>(bytes) > most_shared_memory)
        return fault(cudaErrorInvalidValue,
                     "cudaFuncSetAttribute: " + std::to_string(bytes) + " bytes of dynamic shared memory");
    const Lock lock(state().mutex);
    state().dynamic_shared[{device_of_thread, kernel}] = static_cast<std::size_t>(bytes);
    return cudaSuccess;
}

void queue_kernel(const char* name, const void* kernel, const Configuration& c,
                  const std::vector<const void*>& pointers, std::function<void()> threads) {
    const Lock lock(state().mutex);
    const std::string where = std::string(name) + ": ";
    const auto known = state().dynamic_shared.find({device_of_thread, kernel});
    const std::size_t most =
        std::max(known == state().dynamic_shared.end() ? 0 : known->second, default_dynamic_shared);
    if (c.grid.x < 1 || c.grid.y < 1 || c.grid.z < 1 || c.grid.x > 0x7fffffff || c.grid.y > 65535 ||
        c.grid.z > 65535) {
        fault(cudaErrorInvalidConfiguration, where + "a grid of " + std::to_string(c.grid.x) + " x " +
                                                 std::to_string(c.grid.y) + " x " + std::to_string(c.grid.z));
        return;
    }
    if (c.block.x * c.block.y * c.block.z < 1 || c.block.x * c.block.y * c.block.z > 1024 || c.block.z > 64) {
        fault(cudaErrorInvalidConfiguration, where + "a block of " + std::to_string(c.block.x) + " x " +
                                                 std::to_string(c.block.y) + " x " +
                                                 std::to_string(c.block.z));
        return;
    }
    if (c.dynamic_shared > most) {
        fault(cudaErrorInvalidValue, where + std::to_string(c.dynamic_shared) +
                                         " bytes of dynamic shared memory, more than " +
                                         std::to_string(most));
        return;
    }
    for (std::size_t k = 0; k < pointers.size(); ++k)
        if (pointers[k] != nullptr && !on_device(pointers[k], 0)) {
            fault(cudaErrorIllegalAddress,
                  where + "pointer " + std::to_string(k) + " is not memory of the current device");
            return;
        }
    queue(c.stream, [kernel = Kernel{name, c, std::move(threads)}] {
        if (state().asynchronous != cudaSuccess) return;
        const std::string failure = run(kernel);
        if (!failure.empty()) state().asynchronous = fault(cudaErrorLaunchFailure, failure);
    });
}

}  // namespace cuda_emulator

using namespace cuda_emulator;

namespace {

/// What a call returns that has nothing to complain about itself.
cudaError_t earlier_failure() {
    const Lock lock(state().mutex);
    return state().asynchronous;
}

}  // namespace

const char* cudaGetErrorString(cudaError_t status) {
    const Lock lock(state().mutex);
    static thread_local std::string text;
    text = status == cudaSuccess ? "no error" : state().faults.empty() ? "no text" : state().faults.back();
    return text.c_str();
}

const char* cudaGetErrorName(cudaError_t status) {
    switch (status) {
        case cudaSuccess:
            return "cudaSuccess";
        case cudaErrorInvalidValue:
            return "cudaErrorInvalidValue";
        case cudaErrorMemoryAllocation:
            return "cudaErrorMemoryAllocation";
        case cudaErrorInvalidConfiguration:
            return "cudaErrorInvalidConfiguration";
        case cudaErrorInvalidDevice:
            return "cudaErrorInvalidDevice";
        case cudaErrorInvalidResourceHandle:
            return "cudaErrorInvalidResourceHandle";
        case cudaErrorIllegalAddress:
            return "cudaErrorIllegalAddress";
        case cudaErrorLaunchFailure:
            return "cudaErrorLaunchFailure";
    }
    return "unknown";
}

cudaError_t cudaGetLastError() {
    const Lock lock(state().mutex);
    if (state().asynchronous != cudaSuccess) return state().asynchronous;
    return std::exchange(state().last, cudaSuccess);
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = settings().n_devices;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    if (device < 0 || device >= settings().n_devices)
        return fault(cudaErrorInvalidDevice, "there is no device " + std::to_string(device));
    *properties = {"emulated", settings().memory, 8, 0, 108};
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    if (device < 0 || device >= settings().n_devices)
        return fault(cudaErrorInvalidDevice, "there is no device " + std::to_string(device));
    device_of_thread = device;
    return earlier_failure();
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = 12040;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 12040;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    const Lock lock(state().mutex);
    std::size_t used = 0;
    for (const auto& [memory, a] : state().allocations)
        if (a.device == device_of_thread) used += a.bytes;
    *total = settings().memory;
    *free = *total - std::min(used, *total);
    return earlier_failure();
}

cudaError_t cudaDeviceSynchronize() {
    const Lock lock(state().mutex);
    work_off(device_of_thread);
    return earlier_failure();
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    const Lock lock(state().mutex);
    *memory = nullptr;
    if (earlier_failure() != cudaSuccess || bytes == 0) return earlier_failure();
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    if (bytes > free) return fault(cudaErrorMemoryAllocation, "out of memory");
    const std::size_t inner = round_up(bytes, page());
    void* all =
        mmap(nullptr, inner + 2 * page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return fault(cudaErrorMemoryAllocation, "out of memory");
    char* const pages = static_cast<char*>(all) + page();
    mprotect(pages, inner, PROT_READ | PROT_WRITE);
    std::memset(pages, 0xff, inner);
    if (state().inside == 0) mprotect(pages, inner, PROT_NONE);
    char* const first = pages + inner - round_up(bytes, alignment);
    state().allocations[first] = {device_of_thread, bytes, pages, inner};
    *memory = first;
    return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
    const Lock lock(state().mutex);
    if (memory == nullptr) return earlier_failure();
    const auto found = state().allocations.find(static_cast<const char*>(memory));
    if (found == state().allocations.end())
        return fault(cudaErrorInvalidValue, "cudaFree of what is not allocated");
    work_off(found->second.device);
    munmap(found->second.pages - page(), found->second.pages_bytes + 2 * page());
    state().allocations.erase(found);
    return earlier_failure();
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    const Lock lock(state().mutex);
    const bool to_device = kind != cudaMemcpyDeviceToHost, from_device = kind != cudaMemcpyHostToDevice;
    if (on_device(to, bytes) != to_device || on_device(from, bytes) != from_device)
        return fault(cudaErrorInvalidValue, "cudaMemcpyAsync: addresses, size and direction do not agree");
    if (from_device) {
        const cudaError_t status = queue(stream, [=] { std::memcpy(to, from, bytes); });
        return status != cudaSuccess ? status : earlier_failure();
    }
    // Ordinary memory of the processor has been read when the call returns.
    const char* const begin = static_cast<const char*>(from);
    const cudaError_t status = queue(stream, [to, values = std::vector<char>(begin, begin + bytes)] {
        std::copy(values.begin(), values.end(), static_cast<char*>(to));
    });
    return status != cudaSuccess ? status : earlier_failure();
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
    const Lock lock(state().mutex);
    if (!on_device(memory, bytes))
        return fault(cudaErrorInvalidValue, "cudaMemsetAsync: not memory of the device");
    const cudaError_t status = queue(stream, [=] { std::memset(memory, value, bytes); });
    return status != cudaSuccess ? status : earlier_failure();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    const Lock lock(state().mutex);
    if (!open_one_handle()) return fault(cudaErrorMemoryAllocation, "cudaStreamCreate: too many handles");
    *stream = new CUstream_st{std::make_shared<Queue>()};
    (*stream)->queue->device = device_of_thread;
    state().streams.insert(*stream);
    return earlier_failure();
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    const Lock lock(state().mutex);
    work_up_to(*stream->queue, stream->queue->put);
    state().streams.erase(stream);
    delete stream;
    close_one_handle();
    return earlier_failure();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    const Lock lock(state().mutex);
    if (state().streams.count(stream) == 0)
        return fault(cudaErrorInvalidResourceHandle, "a stream that does not exist");
    work_up_to(*stream->queue, stream->queue->put);
    return earlier_failure();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    const Lock lock(state().mutex);
    if (state().streams.count(stream) == 0)
        return fault(cudaErrorInvalidResourceHandle, "a stream that does not exist");
    if (event->queue == nullptr) return earlier_failure();  // never recorded: nothing to wait for
    put(*stream->queue, [queue = event->queue, mark = event->mark] { work_up_to(*queue, mark); });
    return earlier_failure();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    if (!open_one_handle()) return fault(cudaErrorMemoryAllocation, "cudaEventCreate: too many handles");
    *event = new CUevent_st;
    return earlier_failure();
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    close_one_handle();
    return earlier_failure();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    const Lock lock(state().mutex);
    if (state().streams.count(stream) == 0)
        return fault(cudaErrorInvalidResourceHandle, "a stream that does not exist");
    event->queue = stream->queue;
    event->mark = stream->queue->put;
    return earlier_failure();
}
