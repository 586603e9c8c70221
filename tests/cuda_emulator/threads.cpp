// SPDX-License-Identifier: Apache-2.0
// Blocks and threads of a kernel.
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "emulator.hpp"

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_emulator {
namespace {

constexpr std::size_t stack_bytes = 128 * 1024;

std::string text(dim3 i) {
    return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) + ")";
}

dim3 index_of(unsigned k, dim3 size) {
    return {k % size.x, k / size.x % size.y, k / size.x / size.y};
}

/// Runs the threads of one block after the other. A thread that waits at a barrier keeps its context, the
/// next one gets another.
class Block {
  public:
    std::string run(const Kernel& kernel) {
        kernel_ = &kernel;
        failure_.clear();
        waiting_.clear();
        shared_.clear();
        began_ = false;
        ended_ = next_ = 0;
        dynamic_.assign(kernel.configuration.dynamic_shared / sizeof(Word) + 1, {});
        poison(dynamic_.data(), kernel.configuration.dynamic_shared);
        shared_bytes_ = kernel.configuration.dynamic_shared;
        order_threads(kernel.configuration.block);
        while (next_ < order_.size() && failure_.empty()) resume(*idle());
        while (!waiting_.empty() && failure_.empty()) pass_barrier();
        if (!failure_.empty()) {
            failure_ = kernel.name + ", block " + text(blockIdx) + ": " + failure_;
            contexts_.clear();  // some are in the middle of the kernel
            idle_.clear();
        }
        return failure_;
    }

    void wait(const char* file, int line) {
        Context& mine = *running_;
        mine.thread = threadIdx;
        began_ = false;  // by the next context
        mine.file = file;
        mine.line = line;
        waiting_.push_back(&mine);
        leave();
        threadIdx = mine.thread;
        began_ = true;
    }

    bool next_thread() {
        if (began_) ++ended_;
        began_ = next_ < order_.size();
        if (began_) threadIdx = order_[next_++];
        return began_;
    }

    void share(void* memory, std::size_t bytes) {
        if (!shared_.insert(memory).second) return;
        poison(memory, bytes);
        shared_bytes_ += bytes;
        if (shared_bytes_ > most_shared_memory)
            failure_ = std::to_string(shared_bytes_) + " bytes of shared memory, more than " +
                       std::to_string(most_shared_memory);
    }

    void* dynamic() { return dynamic_.data(); }

    /// The thread that runs has touched what it must not.
    void abandon(const void* address) {
        char where[32];
        std::snprintf(where, sizeof where, "%p", address);
        failure_ = "thread " + text(threadIdx) + " touches " + where + ", which is not memory of the device";
        _longjmp(home_, 1);
    }

  private:
    struct alignas(16) Word {
        unsigned char bytes[16];
    };
    /// Begun by setcontext(), then left and entered by jumps, which take no call of the kernel.
    struct Context {
        ucontext_t start;
        jmp_buf state;
        bool begun = false;
        std::unique_ptr<unsigned char[]> stack;
        dim3 thread;
        const char* file = nullptr;  ///< of the barrier that it waits at
        int line = 0;
        std::string place() const { return std::string(file) + ":" + std::to_string(line); }
    };

    void order_threads(dim3 size) {
        const Order wanted = settings().order;
        if (wanted != Order::shuffled && wanted == ordered_ && size.x == ordered_size_.x &&
            size.y == ordered_size_.y && size.z == ordered_size_.z)
            return;
        ordered_ = wanted;
        ordered_size_ = size;
        order_.resize(size.x * size.y * size.z);
        for (unsigned k = 0; k < order_.size(); ++k) order_[k] = index_of(k, size);
        arrange(order_);
    }
    static void poison(void* memory, std::size_t bytes) { std::memset(memory, 0xff, bytes); }

    template <typename T>
    void arrange(std::vector<T>& list) {
        if (settings().order == Order::descending) std::reverse(list.begin(), list.end());
        if (settings().order == Order::shuffled) std::shuffle(list.begin(), list.end(), random_);
    }

    void pass_barrier() {
        std::vector<Context*> batch;
        batch.swap(waiting_);
        if (ended_ > 0) {
            failure_ = std::to_string(ended_) + " threads have ended, others wait at " + batch[0]->place();
            return;
        }
        for (const Context* c : batch)
            if (c->line != batch[0]->line || std::strcmp(c->file, batch[0]->file) != 0) {
                failure_ = "threads wait at different barriers: " + batch[0]->place() + " and " + c->place();
                return;
            }
        if (settings().order == Order::shuffled) arrange(batch);  // else they came in the order wanted
        for (Context* c : batch) {
            resume(*c);
            if (!failure_.empty()) return;
        }
    }

    Context* idle() {
        if (idle_.empty()) {
            auto made = std::make_unique<Context>();
            made->stack.reset(new unsigned char[stack_bytes]);
            getcontext(&made->start);
            made->start.uc_stack.ss_sp = made->stack.get();
            made->start.uc_stack.ss_size = stack_bytes;
            made->start.uc_link = nullptr;
            makecontext(&made->start, &Block::enter, 0);
            idle_.push_back(made.get());
            contexts_.push_back(std::move(made));
        }
        Context* last = idle_.back();
        idle_.pop_back();
        return last;
    }

    void resume(Context& context) {
        running_ = &context;
        if (_setjmp(home_) != 0) return;
        if (running_->begun) _longjmp(running_->state, 1);
        running_->begun = true;
        setcontext(&running_->start);
    }
    void leave() {
        if (_setjmp(running_->state) == 0) _longjmp(home_, 1);
    }

    static void enter();
    void work() {
        for (;;) {
            kernel_->threads();
            idle_.push_back(running_);
            leave();
        }
    }

    const Kernel* kernel_ = nullptr;
    std::vector<dim3> order_;
    Order ordered_ = Order::shuffled;
    dim3 ordered_size_ = {0, 0, 0};
    bool began_ = false;  ///< whether the thread that runs has not ended or come to a barrier
    std::size_t next_ = 0, ended_ = 0, shared_bytes_ = 0;
    std::vector<std::unique_ptr<Context>> contexts_;
    std::vector<Context*> idle_, waiting_;
    Context* running_ = nullptr;
    jmp_buf home_;
    std::set<void*> shared_;
    std::vector<Word> dynamic_;
    std::string failure_;
    std::mt19937 random_{1};
};

Block& block() {
    static Block instance;
    return instance;
}

void Block::enter() {
    block().work();
}

void on_bad_access(int, siginfo_t* info, void*) {
    block().abandon(info->si_addr);
}

/// While kernels run, a bad access ends the kernel, not the program.
class CatchBadAccess {
  public:
    CatchBadAccess() {
        struct sigaction action {};
        action.sa_sigaction = on_bad_access;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        sigaction(SIGSEGV, &action, &former_);
    }
    ~CatchBadAccess() { sigaction(SIGSEGV, &former_, nullptr); }
    CatchBadAccess(const CatchBadAccess&) = delete;
    CatchBadAccess& operator=(const CatchBadAccess&) = delete;

  private:
    struct sigaction former_ {};
};

}  // namespace

void barrier(const char* file, int line) {
    block().wait(file, line);
}

bool next_thread() {
    return block().next_thread();
}

void* dynamic_shared() {
    return block().dynamic();
}

void shared(void* memory, std::size_t bytes) {
    block().share(memory, bytes);
}

std::string run(const Kernel& kernel) {
    const CatchBadAccess guard;
    gridDim = kernel.configuration.grid;
    blockDim = kernel.configuration.block;
    const unsigned n = gridDim.x * gridDim.y * gridDim.z;
    for (unsigned k = 0; k < n; ++k) {
        blockIdx = index_of(settings().order == Order::ascending ? k : n - 1 - k, gridDim);
        const std::string failure = block().run(kernel);
        if (!failure.empty()) return failure;
    }
    return "";
}

}  // namespace cuda_emulator
