// SPDX-License-Identifier: Apache-2.0
// The process environment: variables that libraries read before main(), threads, versions.
#pragma once

#include <string>

namespace stembridge::app {

/// Starts the program again with OPENBLAS_CORETYPE, OMP_WAIT_POLICY and GOMP_SPINCOUNT set, unless they
/// are or are not needed. OpenBLAS 0.3.21 does not know recent processors: it takes those of AMD with AVX-512
/// for Haswell, which costs a factor 1.7, and some of Intel for Prescott, a factor 5; threads that wait by
/// spinning cost far more on a busy machine, and threads that go to sleep at once a factor 2 to 4 on an idle
/// one (a diagonalisation has thousands of short parallel parts): they spin for some 10 microseconds, then
/// sleep. All is read when the libraries load: too early for main().
void restart_with_tuned_environment(char** argv);

/// Sets the threads of OpenMP (and with it of OpenBLAS). @param threads 0 = all processors of this process
void set_threads(int threads);

int threads_in_use();
/// Name of the kernels OpenBLAS has chosen, e.g. "SkylakeX".
std::string blas_kernel();
/// Name of kernels as wide as the vectors of this processor; blas_kernel() where those are no wider than SSE.
std::string fitting_blas_kernel();
/// Whether the processor has wider vectors than those kernels use.
bool blas_kernel_is_slow();
/// For doctor and logs: the kernel, and what to do where it is slow.
std::string blas_kernel_in_words();
/// Best of a few products of matrices of 1024 x 1024, floating-point operations per second.
double matrix_product_speed(int threads);
/// Processors that were busy over the last minute; 0 where the system does not say.
double busy_processors();
/// Version of the program with the commit it was built from.
std::string version();
std::string git_commit();

}  // namespace stembridge::app
