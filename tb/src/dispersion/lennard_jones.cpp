// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dispersion/pair_model.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

// Hartree. The exact value is 0.0015936014; published energies of this model were computed with the one
// below, which is 0.07 % larger: less than the last digit of the parameters.
constexpr double kilocalorie_per_mole = 0.0015946679;

/// Distance (angstrom) and depth (kcal/mol) of the minimum, by atomic number from hydrogen on.
constexpr std::array<std::array<double, 2>, 94> uff = {{
    {2.886, 0.044}, {2.362, 0.056}, {2.451, 0.025}, {2.745, 0.085}, {4.083, 0.180}, {3.851, 0.105},
    {3.660, 0.069}, {3.500, 0.060}, {3.364, 0.050}, {3.243, 0.042}, {2.983, 0.030}, {3.021, 0.111},
    {4.499, 0.505}, {4.295, 0.402}, {4.147, 0.305}, {4.035, 0.274}, {3.947, 0.227}, {3.868, 0.185},
    {3.812, 0.035}, {3.399, 0.238}, {3.295, 0.019}, {3.175, 0.017}, {3.144, 0.016}, {3.023, 0.015},
    {2.961, 0.013}, {2.912, 0.013}, {2.872, 0.014}, {2.834, 0.015}, {3.495, 0.005}, {2.763, 0.124},
    {4.383, 0.415}, {4.280, 0.379}, {4.230, 0.309}, {4.205, 0.291}, {4.189, 0.251}, {4.141, 0.220},
    {4.114, 0.040}, {3.641, 0.235}, {3.345, 0.072}, {3.124, 0.069}, {3.165, 0.059}, {3.052, 0.056},
    {2.998, 0.048}, {2.963, 0.056}, {2.929, 0.053}, {2.899, 0.048}, {3.148, 0.036}, {2.848, 0.228},
    {4.463, 0.599}, {4.392, 0.567}, {4.420, 0.449}, {4.470, 0.398}, {4.500, 0.339}, {4.404, 0.332},
    {4.517, 0.045}, {3.703, 0.364}, {3.522, 0.017}, {3.556, 0.013}, {3.606, 0.010}, {3.575, 0.010},
    {3.547, 0.009}, {3.520, 0.008}, {3.493, 0.008}, {3.368, 0.009}, {3.451, 0.007}, {3.428, 0.007},
    {3.409, 0.007}, {3.391, 0.007}, {3.374, 0.006}, {3.355, 0.228}, {3.640, 0.041}, {3.141, 0.072},
    {3.170, 0.081}, {3.069, 0.067}, {2.954, 0.066}, {3.120, 0.037}, {2.840, 0.073}, {2.754, 0.080},
    {3.293, 0.039}, {2.705, 0.385}, {4.347, 0.680}, {4.297, 0.663}, {4.370, 0.518}, {4.709, 0.325},
    {4.750, 0.284}, {4.765, 0.248}, {4.900, 0.050}, {3.677, 0.404}, {3.478, 0.033}, {3.396, 0.026},
    {3.424, 0.022}, {3.395, 0.022}, {3.424, 0.019}, {3.424, 0.016},
}};

class LennardJones final : public PairModel {
  public:
    std::vector<int> assign(const Structure& structure) override {
        elements_ = structure.atomic_numbers;
        std::sort(elements_.begin(), elements_.end());
        elements_.erase(std::unique(elements_.begin(), elements_.end()), elements_.end());
        for (const int z : elements_)
            if (z < 1 || z > static_cast<int>(uff.size()))
                throw UnsupportedError(
                    fmt::format("Lennard-Jones dispersion has no parameters for atomic number {}", z));
        std::vector<int> types;
        for (const int z : structure.atomic_numbers)
            types.push_back(static_cast<int>(std::lower_bound(elements_.begin(), elements_.end(), z) -
                                             elements_.begin()));
        return types;
    }
    int n_types() const override { return static_cast<int>(elements_.size()); }

    double c6(int a, int b) const override {
        const auto [x, d] = parameters(a, b);
        return 2 * d * std::pow(x, 6);
    }

    std::array<double, 2> energy(int a, int b, double r) const override {
        const auto [x, d] = parameters(a, b);
        if (r * std::pow(2.0, 1.0 / 6) >= x) {
            // d [ (x/r)^12 - 2 (x/r)^6 ]
            const double s = std::pow(x / r, 6);
            return {d * s * (s - 2), 12 * d * s * (1 - s) / r};
        }
        // U0 - U1 r^5 - U2 r^10, which has the same value, slope and curvature where the two meet.
        const double u0 = 396.0 / 25 * d;
        const double u1 = std::pow(2.0, 5.0 / 6) * 672 / 25 * d / std::pow(x, 5);
        const double u2 = -std::pow(2.0, 2.0 / 3) * 552 / 25 * d / std::pow(x, 10);
        const double r4 = r * r * r * r, r5 = r4 * r;
        return {u0 - u1 * r5 - u2 * r5 * r5, -5 * u1 * r4 - 10 * u2 * r5 * r4};
    }

    double range(int a, int b, double tolerance) const override {
        const auto [x, d] = parameters(a, b);
        return x * std::max(1.0, std::pow(d / tolerance, 1.0 / 12));
    }

  private:
    /// Geometric means of distance (bohr) and depth (hartree).
    std::array<double, 2> parameters(int a, int b) const {
        const auto& p = uff[static_cast<std::size_t>(elements_[static_cast<std::size_t>(a)] - 1)];
        const auto& q = uff[static_cast<std::size_t>(elements_[static_cast<std::size_t>(b)] - 1)];
        return {std::sqrt(p[0] * q[0]) * units::angstrom, std::sqrt(p[1] * q[1]) * kilocalorie_per_mole};
    }
    std::vector<int> elements_;
};

}  // namespace

std::unique_ptr<PairModel> make_lennard_jones() {
    return std::make_unique<LennardJones>();
}

}  // namespace stembridge::tb
