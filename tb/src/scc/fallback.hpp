// SPDX-License-Identifier: Apache-2.0
// What to do when the self-consistency makes no progress, one step after the other.
#pragma once

#include <vector>

namespace stembridge::tb {

/// Watches the errors of the cycles and says when the next remedy is due: first the window response, then
/// higher and higher electronic temperatures.
class Fallback {
  public:
    enum class Step { none, window_response, warmer };

    /// @param has_window whether the solver can give the states that the window response needs
    ///  @param kT electronic temperature to begin with, hartree
    Fallback(bool has_window, double kT) : has_window_(has_window), kT_(kT) {}

    /// Takes the error of a cycle, e, and says what changes before the next one.
    Step after(double error);
    /// Electronic temperature to go on with, hartree.
    double kT() const { return kT_; }

  private:
    bool stalled() const;

    bool has_window_;
    bool in_window_ = false;
    double kT_;
    std::vector<double> errors_;  ///< since the last remedy
};

}  // namespace stembridge::tb
