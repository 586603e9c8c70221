// SPDX-License-Identifier: Apache-2.0
// ScaLAPACK and ELPA for real and complex matrices under one name each.
// @source Blackford et al., ScaLAPACK Users' Guide (SIAM, 1997); Marek et al., J. Phys.: Condens. Matter 26,
// 213201 (2014), doi:10.1088/0953-8984/26/21/213201
#pragma once

#include <array>
#include <complex>

struct elpa_struct;

namespace stembridge::tb {

using Descriptor = std::array<int, 9>;

/// S = U^H U. @return 0, or the order of the first leading minor that is not positive
int cholesky(int n, double* s, const Descriptor& d);
int cholesky(int n, std::complex<double>* s, const Descriptor& d);
/// U^-1 of an upper triangle.
int invert_triangle(int n, double* u, const Descriptor& d);
int invert_triangle(int n, std::complex<double>* u, const Descriptor& d);
/// B := op(V) B or B op(V) of an upper triangle V.
/// @param side 'L' for op(V) B, 'R' for B op(V)  @param op 'N' for V, 'C' for V^H
void times_triangle(char side, char op, int n, const double* v, double* b, const Descriptor& d);
void times_triangle(char side, char op, int n, const std::complex<double>* v, std::complex<double>* b,
                    const Descriptor& d);
/// A B^H of `count` columns from `first` on, into c.
void multiply_columns(int n, int first, int count, const double* a, const double* b, double* c,
                      const Descriptor& d);
void multiply_columns(int n, int first, int count, const std::complex<double>* a,
                      const std::complex<double>* b, std::complex<double>* c, const Descriptor& d);

/// The grid of processes that BLACS knows, row by row.
class ProcessGrid {
  public:
    ProcessGrid(int n_rows, int n_columns);
    ~ProcessGrid();
    ProcessGrid(const ProcessGrid&) = delete;
    ProcessGrid& operator=(const ProcessGrid&) = delete;
    int context() const { return context_; }

  private:
    int context_ = 0;
};

struct BlockCyclic;

/// Eigenvalues and eigenvectors of Hermitian matrices of one size.
class Elpa {
  public:
    explicit Elpa(const BlockCyclic& share);
    ~Elpa();
    Elpa(const Elpa&) = delete;
    Elpa& operator=(const Elpa&) = delete;
    /// @param a is overwritten  @param levels all, ascending  @return 0, or the code of ELPA
    int diagonalise(double* a, double* levels, double* vectors);
    int diagonalise(std::complex<double>* a, double* levels, std::complex<double>* vectors);

  private:
    ::elpa_struct* handle_ = nullptr;
};

}  // namespace stembridge::tb
