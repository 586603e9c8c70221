// SPDX-License-Identifier: Apache-2.0
#include "density/elpa/scalapack.hpp"

#include <elpa/elpa.h>
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>

#include "density/elpa/block_cyclic.hpp"
#include "stembridge/base/errors.hpp"

using complex = std::complex<double>;

extern "C" {
void Cblacs_get(int context, int what, int* value);
void Cblacs_gridinit(int* context, const char* order, int n_rows, int n_columns);
void Cblacs_gridexit(int context);
void pdpotrf_(const char* uplo, const int* n, double* a, const int* ia, const int* ja, const int* desc,
              int* info);
void pzpotrf_(const char* uplo, const int* n, complex* a, const int* ia, const int* ja, const int* desc,
              int* info);
void pdtrtri_(const char* uplo, const char* diag, const int* n, double* a, const int* ia, const int* ja,
              const int* desc, int* info);
void pztrtri_(const char* uplo, const char* diag, const int* n, complex* a, const int* ia, const int* ja,
              const int* desc, int* info);
void pdtrmm_(const char* side, const char* uplo, const char* trans, const char* diag, const int* m,
             const int* n, const double* alpha, const double* a, const int* ia, const int* ja,
             const int* desc_a, double* b, const int* ib, const int* jb, const int* desc_b);
void pztrmm_(const char* side, const char* uplo, const char* trans, const char* diag, const int* m,
             const int* n, const complex* alpha, const complex* a, const int* ia, const int* ja,
             const int* desc_a, complex* b, const int* ib, const int* jb, const int* desc_b);
void pdgemm_(const char* trans_a, const char* trans_b, const int* m, const int* n, const int* k,
             const double* alpha, const double* a, const int* ia, const int* ja, const int* desc_a,
             const double* b, const int* ib, const int* jb, const int* desc_b, const double* beta, double* c,
             const int* ic, const int* jc, const int* desc_c);
void pzgemm_(const char* trans_a, const char* trans_b, const int* m, const int* n, const int* k,
             const complex* alpha, const complex* a, const int* ia, const int* ja, const int* desc_a,
             const complex* b, const int* ib, const int* jb, const int* desc_b, const complex* beta,
             complex* c, const int* ic, const int* jc, const int* desc_c);
}

namespace stembridge::tb {
namespace {

constexpr int from = 1;  // whole matrices: ScaLAPACK counts from 1

void check(int error, const char* call) {
    if (error != ELPA_OK) throw BackendError(fmt::format("ELPA: {} failed (code {})", call, error));
}

}  // namespace

int cholesky(int n, double* s, const Descriptor& d) {
    int info = 0;
    pdpotrf_("U", &n, s, &from, &from, d.data(), &info);
    return info;
}

int cholesky(int n, complex* s, const Descriptor& d) {
    int info = 0;
    pzpotrf_("U", &n, s, &from, &from, d.data(), &info);
    return info;
}

int invert_triangle(int n, double* u, const Descriptor& d) {
    int info = 0;
    pdtrtri_("U", "N", &n, u, &from, &from, d.data(), &info);
    return info;
}

int invert_triangle(int n, complex* u, const Descriptor& d) {
    int info = 0;
    pztrtri_("U", "N", &n, u, &from, &from, d.data(), &info);
    return info;
}

void times_triangle(char side, char op, int n, const double* v, double* b, const Descriptor& d) {
    const double one = 1;
    pdtrmm_(&side, "U", &op, "N", &n, &n, &one, v, &from, &from, d.data(), b, &from, &from, d.data());
}

void times_triangle(char side, char op, int n, const complex* v, complex* b, const Descriptor& d) {
    const complex one = 1;
    pztrmm_(&side, "U", &op, "N", &n, &n, &one, v, &from, &from, d.data(), b, &from, &from, d.data());
}

void multiply_columns(int n, int first, int count, const double* a, const double* b, double* c,
                      const Descriptor& d) {
    const double one = 1, zero = 0;
    const int column = first + from;
    pdgemm_("N", "C", &n, &n, &count, &one, a, &from, &column, d.data(), b, &from, &column, d.data(), &zero,
            c, &from, &from, d.data());
}

void multiply_columns(int n, int first, int count, const complex* a, const complex* b, complex* c,
                      const Descriptor& d) {
    const complex one = 1, zero = 0;
    const int column = first + from;
    pzgemm_("N", "C", &n, &n, &count, &one, a, &from, &column, d.data(), b, &from, &column, d.data(), &zero,
            c, &from, &from, d.data());
}

ProcessGrid::ProcessGrid(int n_rows, int n_columns) {
    Cblacs_get(0, 0, &context_);
    Cblacs_gridinit(&context_, "R", n_rows, n_columns);
}

ProcessGrid::~ProcessGrid() {
    Cblacs_gridexit(context_);
}

Elpa::Elpa(const BlockCyclic& share) {
    constexpr int interface_of = 20211125;
    if (elpa_init(interface_of) != ELPA_OK) throw BackendError("elpa_init: ELPA 2021.11 or later is needed");
    int error = 0;
    handle_ = elpa_allocate(&error);
    check(error, "elpa_allocate");
    const auto set = [&](const char* name, int value) {
        elpa_set_integer(handle_, name, value, &error);
        check(error, name);
    };
    set("na", share.n);
    set("nev", share.n);
    set("local_nrows", share.n_rows());
    set("local_ncols", share.n_columns());
    set("nblk", share.block);
    set("mpi_comm_parent", MPI_Comm_c2f(MPI_COMM_WORLD));
    set("process_row", share.grid_row);
    set("process_col", share.grid_column);
    check(elpa_setup(handle_), "elpa_setup");
    // Two stages transform back with kernels that are slow unless ELPA was built for the processor: with
    // Debian's 512 atoms take 2.5 times as long.
    set("solver", ELPA_SOLVER_1STAGE);
}

Elpa::~Elpa() {
    int error = 0;
    elpa_deallocate(handle_, &error);
}

int Elpa::diagonalise(double* a, double* levels, double* vectors) {
    int error = 0;
    elpa_eigenvectors_double(handle_, a, levels, vectors, &error);
    return error;
}

int Elpa::diagonalise(complex* a, double* levels, complex* vectors) {
    int error = 0;
    elpa_eigenvectors_double_complex(handle_, a, levels, vectors, &error);
    return error;
}

}  // namespace stembridge::tb
