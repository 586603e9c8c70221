// SPDX-License-Identifier: Apache-2.0
// Errors that a user can do something about. Own bugs are std::logic_error.
#pragma once

#include <stdexcept>
#include <string>

namespace stembridge {

/// Base of all errors. A message says what was wrong, where, and what would be accepted.
class Error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Input that cannot be used: a config value, an option, a structure.
class InputError final : public Error {
    using Error::Error;
};

/// A file that is missing, unreadable, truncated, malformed, or cannot be written.
class FileError final : public Error {
    using Error::Error;
};

/// A request that is meaningful but not available.
class UnsupportedError final : public Error {
    using Error::Error;
};

/// A back end (CUDA, LibTorch, LAPACK, MPI) that is missing or failed.
class BackendError final : public Error {
    using Error::Error;
};

/// Numbers that make no sense: NaN, a singular matrix, an overlap that is not positive definite.
class NumericalError final : public Error {
    using Error::Error;
};

/// Stopped on request (signal, stop token) after writing a checkpoint.
class StoppedError final : public Error {
    using Error::Error;
};

/// An iteration that did not reach its tolerance.
class ConvergenceError final : public Error {
  public:
    /// @param what what was iterated, e.g. "SCC"  @param cause the likely cause and what to change
    ConvergenceError(const std::string& what, int iterations, double residual, double tolerance,
                     const std::string& cause);
    int iterations() const { return iterations_; }
    double residual() const { return residual_; }
    double tolerance() const { return tolerance_; }

  private:
    int iterations_;
    double residual_;
    double tolerance_;
};

}  // namespace stembridge
