// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same on every machine and can be saved in a checkpoint.
#pragma once

#include <array>
#include <cstdint>

namespace stembridge {

/// xoshiro256** with splitmix64 seeding; normal deviates by Box-Muller without a cached second value,
/// so that the four words are the whole state.
/// @source Blackman, Vigna, ACM Trans. Math. Softw. 47, 36 (2021)
class Random {
  public:
    explicit Random(std::uint64_t seed);
    std::uint64_t next();
    /// Uniform in [0, 1).
    double uniform();
    /// Uniform in [low, high).
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// Standard normal.
    double normal();
    /// Poisson deviate of mean >= 0.
    std::int64_t poisson(double mean);
    /// Integer in [0, n), n > 0.
    std::int64_t below(std::int64_t n);

    const std::array<std::uint64_t, 4>& state() const { return state_; }
    void set_state(const std::array<std::uint64_t, 4>& state) { state_ = state; }

  private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace stembridge
