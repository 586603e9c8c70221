// SPDX-License-Identifier: Apache-2.0
// The electron probe of the simulator: intensity around the beam's place.
#pragma once

#include <vector>

#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::ml {

/// Electron wavelength in angstrom, lambda = h / sqrt(2 m E (1 + E / 2 m c^2)).
double wavelength_angstrom(double energy_kev);

/// The probe's core, normalised to integral 1, by a table: over r for a round aperture without aberrations,
/// else over x and y. Its centroid is at the origin: where a coma moves the whole image to cannot be seen.
/// The far rings belong to the tail: it ends smoothly at its reach.
class ProbeCore {
  public:
    explicit ProbeCore(const ProbeOptions& probe);
    /// @param dx, dy beam's place minus the atom's, angstrom
    float operator()(double dx, double dy) const {
        return plane_.size() > 0 ? in_plane(dx, dy) : radial(std::sqrt(dx * dx + dy * dy));
    }
    static constexpr double reach = 3.5;  ///< angstrom

  private:
    void round_probe(const ProbeOptions& probe);
    void aberrated_probe(const ProbeOptions& probe);
    float radial(double r) const {
        const double position = r * (1 / step);
        const auto cell = static_cast<std::size_t>(position);
        if (cell + 1 >= table_.size()) return 0;
        const float f = static_cast<float>(position - static_cast<double>(cell));
        return (1 - f) * table_[cell] + f * table_[cell + 1];
    }
    float in_plane(double dx, double dy) const;

    static constexpr double step = 0.02;        ///< of the radial table, angstrom
    static constexpr double plane_step = 0.04;  ///< of the plane
    std::vector<float> table_;
    Pixels plane_;  ///< (2 n + 1, 2 n + 1) around the origin, empty for a round probe
};

}  // namespace stembridge::ml
