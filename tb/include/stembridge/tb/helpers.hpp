// SPDX-License-Identifier: Apache-2.0
// Processes that help the first one with large matrices: mpirun -n 8 stembridge md frame.extxyz --solver
// elpa.
#pragma once

#include <string>

#include "stembridge/base/ranks.hpp"

namespace stembridge::tb {

/// Why there is no solver "elpa"; empty when there is.
std::string why_no_elpa();

/// With solver "elpa" the first process runs the program; all others do nothing but their share of each
/// diagonalisation. Without ELPA in the build there are no others. One object at a time, which must outlive
/// the solvers.
class Helpers {
  public:
    /// On the first process: others may be called. On each of the others: does its share, and returns when
    /// the first process lets go.
    explicit Helpers(const Ranks& ranks);
    /// On the first process: lets the others go.
    ~Helpers();
    Helpers(const Helpers&) = delete;
    Helpers& operator=(const Helpers&) = delete;

    /// Whether a solver has called them.
    bool were_called() const;

  private:
    const Ranks& ranks_;
};

}  // namespace stembridge::tb
