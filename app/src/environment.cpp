// SPDX-License-Identifier: Apache-2.0
#include "environment.hpp"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>

#include "version.hpp"

extern "C" char* openblas_get_corename(void);

namespace stembridge::app {

void restart_with_tuned_environment(char** argv) {
    constexpr const char* mark = "STEMBRIDGE_ENVIRONMENT";
    if (std::getenv(mark) != nullptr) return;
    __builtin_cpu_init();
    const bool unknown_to_openblas = __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f");
    const bool wants_kernel = unknown_to_openblas && std::getenv("OPENBLAS_CORETYPE") == nullptr;
    const bool wants_policy = std::getenv("OMP_WAIT_POLICY") == nullptr;
    if (!wants_kernel && !wants_policy) return;
    ::setenv(mark, "tuned", 1);
    if (wants_kernel) ::setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    if (wants_policy) {
        ::setenv("OMP_WAIT_POLICY", "passive", 1);
        ::setenv("GOMP_SPINCOUNT", "10000", 0);
    }
    ::execv("/proc/self/exe", argv);
    // Only reached when the program cannot be started again: it is then slower, but right.
}

void set_threads(int threads) {
    if (threads <= 0) {
        cpu_set_t set;
        threads = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    }
    omp_set_num_threads(threads);
}

int threads_in_use() {
    return omp_get_max_threads();
}

std::string blas_kernel() {
    return openblas_get_corename();
}

std::string version() {
    return STEMBRIDGE_VERSION;
}

std::string git_commit() {
    return STEMBRIDGE_GIT_COMMIT;
}

}  // namespace stembridge::app
