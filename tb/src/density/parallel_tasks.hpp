// SPDX-License-Identifier: Apache-2.0
// Tasks side by side, one thread each.
#pragma once

#include <cblas.h>
#include <omp.h>

#include <exception>
#include <mutex>

#include "stembridge/base/flush_to_zero.hpp"

namespace stembridge::tb {

/// One thread for each BLAS call until the end of the scope: the tasks around them are what runs in parallel.
/// Of the variant of OpenBLAS with threads of its own; the one with OpenMP asks OpenMP. Their number is one
/// for the whole process, and calculators may work side by side: it comes back when the last scope has ended.
class SerialBlas {
  public:
    SerialBlas() {
        if (openblas_get_parallel() != OPENBLAS_THREAD) return;
        const std::scoped_lock lock(mutex_);
        if (scopes_++ > 0) return;
        before_ = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    ~SerialBlas() {
        if (openblas_get_parallel() != OPENBLAS_THREAD) return;
        const std::scoped_lock lock(mutex_);
        if (--scopes_ == 0) openblas_set_num_threads(before_);
    }
    SerialBlas(const SerialBlas&) = delete;
    SerialBlas& operator=(const SerialBlas&) = delete;

  private:
    static inline std::mutex mutex_;
    static inline int scopes_ = 0, before_ = 1;
};

/// Runs tasks side by side, in which subnormal numbers are zero; the first exception ends the rest and is
/// thrown again.
template <typename Task>
void parallel_tasks(int n_tasks, int n_threads, const Task& task) {
    const SerialBlas serial;
    std::exception_ptr failure;
    bool stop = false;
#pragma omp parallel num_threads(n_threads)
    {
        // In a team of one, every call of BLAS would start a team of its own: twenty times as slow.
        omp_set_num_threads(1);
#pragma omp for schedule(dynamic, 1)
        for (int k = 0; k < n_tasks; ++k) {
            bool skip = false;
#pragma omp atomic read
            skip = stop;
            if (skip) continue;
            try {
                const FlushToZero flush_to_zero;
                task(k, omp_get_thread_num());
            } catch (...) {
#pragma omp critical(stembridge_pole_failure)
                if (!failure) failure = std::current_exception();
#pragma omp atomic write
                stop = true;
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace stembridge::tb
