// SPDX-License-Identifier: Apache-2.0
#include "environment.hpp"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "stembridge/base/program_path.hpp"
#include "stembridge/base/timer.hpp"
#include "version.hpp"

extern "C" char* openblas_get_corename(void);
extern "C" void dgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
                       const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
                       const double* beta, double* c, const int* ldc);

namespace stembridge::app {
namespace {

/// How wide the vectors of a kernel of OpenBLAS are: 2 = AVX-512, 1 = AVX2, 0 = less.
int width_of(const std::string& kernel) {
    for (const char* name : {"SkylakeX", "Cooperlake", "SapphireRapids"})
        if (kernel == name) return 2;
    for (const char* name : {"Haswell", "Zen", "Excavator"})
        if (kernel == name) return 1;
    return 0;
}

}  // namespace

void restart_with_tuned_environment(char** argv) {
    constexpr const char* mark = "STEMBRIDGE_ENVIRONMENT";
    if (std::getenv(mark) != nullptr) return;
    const bool wants_kernel = blas_kernel_is_slow() && std::getenv("OPENBLAS_CORETYPE") == nullptr;
    const bool wants_policy = std::getenv("OMP_WAIT_POLICY") == nullptr;
    if (!wants_kernel && !wants_policy) return;
    ::setenv(mark, "tuned", 1);
    if (wants_kernel) ::setenv("OPENBLAS_CORETYPE", fitting_blas_kernel().c_str(), 1);
    if (wants_policy) {
        ::setenv("OMP_WAIT_POLICY", "passive", 1);
        ::setenv("GOMP_SPINCOUNT", "1000", 0);
    }
    // By its own path, so that ps and top show the program's name.
    if (const auto self = program_path(); !self.empty()) ::execv(self.c_str(), argv);
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

std::string fitting_blas_kernel() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
    return blas_kernel();
}

bool blas_kernel_is_slow() {
    return width_of(blas_kernel()) < width_of(fitting_blas_kernel());
}

std::string blas_kernel_in_words() {
    if (!blas_kernel_is_slow()) return blas_kernel();
    return blas_kernel() + ": slow on this processor; unset OPENBLAS_CORETYPE, or set it to " +
           fitting_blas_kernel();
}

double matrix_product_speed(int threads) {
    constexpr int n = 1024, repetitions = 5;
    const int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    const std::vector<double> a(n * n, 0.5), b(n * n, 0.25);
    std::vector<double> c(n * n);
    const double one = 1, zero = 0;
    double best = 0;
    for (int k = 0; k < repetitions; ++k) {
        const Timer timer;
        dgemm_("N", "N", &n, &n, &n, &one, a.data(), &n, b.data(), &n, &zero, c.data(), &n);
        best = std::max(best, 2.0 * n * n * n / timer.seconds());
    }
    omp_set_num_threads(before);
    return best;
}

double busy_processors() {
    double load = 0;
    return ::getloadavg(&load, 1) == 1 ? load : 0;
}

std::string version() {
    return STEMBRIDGE_VERSION;
}

std::string git_commit() {
    return STEMBRIDGE_GIT_COMMIT;
}

}  // namespace stembridge::app
