// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/random.hpp"

#include <bit>
#include <cmath>
#include <numbers>

namespace stembridge {

Random::Random(std::uint64_t seed) {
    for (auto& word : state_) {
        seed += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        word = z ^ (z >> 31);
    }
}

std::uint64_t Random::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

double Random::uniform() {
    return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

double Random::normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::int64_t Random::poisson(double mean) {
    // Multiplication of uniforms in pieces of mean 500, so that exp(-mean) never underflows; above 1000 the
    // normal approximation with continuity correction is exact to less than its own noise.
    if (mean > 1000) return std::max<std::int64_t>(0, std::llround(mean + std::sqrt(mean) * normal()));
    std::int64_t count = 0;
    while (mean > 0) {
        const double piece = std::min(mean, 500.0);
        mean -= piece;
        const double limit = std::exp(-piece);
        for (double product = uniform(); product > limit; product *= uniform()) ++count;
    }
    return count;
}

std::int64_t Random::below(std::int64_t n) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(n));
}

}  // namespace stembridge
