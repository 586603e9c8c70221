// SPDX-License-Identifier: Apache-2.0
// Local density of states under a tip, at constant height and at constant current.
#include "stembridge/tb/tunnelling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/tb/near_fermi.hpp"
#include "stembridge/tb/properties.hpp"

namespace stembridge::tb {
namespace {

constexpr double least_weight = 1e-6;  // of a level that takes part
constexpr double most_pixels = 2e7;
/// Heights of the tip that are looked at for a constant current: this far apart, from here over the lowest
/// atom to here over the tip at constant height, bohr.
constexpr double level_step = 0.3, above_lowest_atom = 1, above_tip = 4;

double fermi(double x, double kT) {
    if (kT == 0) return x < 0 ? 1 : x == 0 ? 0.5 : 0;
    return 0.5 * (1 - std::tanh(x / (2 * kT)));
}

/// |f(e - E_F - bias) - f(e - E_F)|
Eigen::VectorXd window(const Eigen::VectorXd& energies, double fermi_level, double bias, double kT) {
    Eigen::VectorXd w(energies.size());
    for (Eigen::Index n = 0; n < w.size(); ++n) {
        const double e = energies(n) - fermi_level;
        w(n) = std::abs(fermi(e - bias, kT) - fermi(e, kT));
    }
    return w;
}

/// The levels around the window by shift-and-invert Lanczos: more of them until none that matters is missed.
SelectedStates states_in_window(const ElectronicState& state, int spin, double bias, int first_try) {
    const double level = state.fermi_levels[static_cast<std::size_t>(spin)];
    const double most = state.basis.n_orbitals() / 2;
    // Fermi functions have fallen to 1e-6 here.
    const double tail = 14 * state.electrons.kT;
    const double low = std::min(level, level + bias) - tail, high = std::max(level, level + bias) + tail;
    for (int n = first_try;; n *= 2) {
        n = static_cast<int>(std::min<double>(n, most));
        SelectedStates found = states_near(state, spin, 0.5 * (low + high), n);
        const bool complete = found.energies(0) < low && found.energies(found.energies.size() - 1) > high;
        if (complete) return found;
        if (n >= most)
            throw InputError(fmt::format(
                "more than {} levels lie within the bias: too many for the levels near the Fermi level "
                "alone; use all of them",
                n));
    }
}

/// Levels within the bias, with what one electron in each would add.
std::vector<WeightedOrbitals> levels_in_window(const ElectronicState& state, const TunnellingOptions& options,
                                               int& count) {
    std::vector<WeightedOrbitals> result;
    for (int spin = 0; spin < state.n_spins(); ++spin)
        for (int k = 0; k < state.kpoints.size(); ++k) {
            WeightedOrbitals all{state.kpoints.points.col(k), {}, {}};
            Eigen::VectorXd energies;
            if (options.states > 0) {
                const SelectedStates found = states_in_window(state, spin, options.bias, options.states);
                energies = found.energies;
                all.coefficients = found.coefficients.cast<std::complex<double>>();
            } else {
                States found = states_at(state, all.k, spin, true);
                energies = std::move(found.energies);
                all.coefficients = std::move(found.coefficients);
            }
            const Eigen::VectorXd w = window(energies, state.fermi_levels[static_cast<std::size_t>(spin)],
                                             options.bias, state.electrons.kT);
            std::vector<Eigen::Index> chosen;
            for (Eigen::Index n = 0; n < w.size(); ++n)
                if (w(n) > least_weight) chosen.push_back(n);
            if (chosen.empty()) continue;
            count += static_cast<int>(chosen.size());
            result.push_back({all.k, all.coefficients(Eigen::all, chosen),
                              state.capacity() * state.kpoints.weights(k) * w(chosen)});
        }
    return result;
}

struct Rectangle {
    Eigen::Vector2d low, high;
};

/// The part of the plane that is shown: atoms and margin of what does not repeat, else whole cells of at
/// least the wanted width.
Rectangle shown(const Structure& structure, double margin, double width) {
    std::vector<Eigen::Vector2d> repeats;
    for (int i = 0; i < 3; ++i) {
        const Eigen::Vector3d v = structure.cell.vector(i);
        if (structure.cell.periodic[static_cast<std::size_t>(i)] && v.head<2>().norm() > 0.1 * v.norm())
            repeats.emplace_back(v.head<2>());
    }
    Rectangle r;
    if (repeats.size() == 2) {
        r.low = repeats[0].cwiseMin(repeats[1]).cwiseMin(repeats[0] + repeats[1]).cwiseMin(0);
        const Eigen::Vector2d size =
            repeats[0].cwiseMax(repeats[1]).cwiseMax(repeats[0] + repeats[1]).cwiseMax(0) - r.low;
        for (int i = 0; i < 2; ++i) r.high(i) = r.low(i) + size(i) * std::ceil(width / size(i));
        return r;
    }
    const Eigen::Matrix2Xd atoms = structure.positions.topRows<2>();
    r.low = atoms.rowwise().minCoeff();
    r.high = atoms.rowwise().maxCoeff();
    for (const Eigen::Vector2d& v : repeats) {
        r.low = r.low.cwiseMin(r.low + v);
        r.high = r.high.cwiseMax(r.high + v);
    }
    r.low.array() -= margin;
    r.high.array() += margin;
    return r;
}

/// z where the local density of states falls through the set point, coming from above: straight lines
/// between the logarithms of neighbouring levels.
double crossing(const double* column, int n, double low, double step, double set_point) {
    for (int k = n - 1; k >= 0; --k) {
        if (column[k] < set_point) continue;
        if (k == n - 1) return low + step * k;
        const double upper = std::max(column[k + 1], 1e-300);
        return low + step * (k + std::log(column[k] / set_point) / std::log(column[k] / upper));
    }
    return low;
}

}  // namespace

TunnellingImage tunnelling_image(const ElectronicState& state, const OrbitalTable& table,
                                 const TunnellingOptions& options) {
    if (!std::isfinite(options.bias) || options.bias == 0)
        throw InputError("a tunnelling picture needs a bias other than zero");
    if (!(options.height > 0 && options.pixel > 0 && options.margin >= 0 && options.width >= 0))
        throw InputError("a tunnelling picture needs a positive height of the tip and a positive pixel");
    const RealSpace space(state, table, 0);
    TunnellingImage image;
    const std::vector<WeightedOrbitals> levels = levels_in_window(state, options, image.levels);
    if (levels.empty())
        throw InputError(
            fmt::format("no level lies between the Fermi level and {:+.3f} eV: use a larger bias, or more "
                        "k-points",
                        options.bias / units::electronvolt));

    const Rectangle r = shown(state.structure, options.margin, options.width);
    const Eigen::Vector2d size = r.high - r.low;
    const double n_pixels = std::ceil(size(0) / options.pixel) * std::ceil(size(1) / options.pixel);
    if (n_pixels > most_pixels)
        throw InputError(fmt::format("a tunnelling picture of {:.0f} pixels; accepted are up to {:.0e}",
                                     n_pixels, most_pixels));
    const int columns = std::max(1, static_cast<int>(std::lround(size(0) / options.pixel)));
    const int rows = std::max(1, static_cast<int>(std::lround(size(1) / options.pixel)));
    image.origin = r.low;
    image.pixel = options.pixel;
    const Eigen::RowVectorXd z = state.structure.positions.row(2);
    image.tip = z.maxCoeff() + options.height;
    image.lowest = std::min(z.minCoeff() + above_lowest_atom, image.tip);

    Grid plane;
    plane.origin = {r.low(0), r.low(1), image.tip};
    plane.steps = Eigen::Vector3d(options.pixel, options.pixel, level_step).asDiagonal();
    plane.points = {columns, rows, 1};
    const Eigen::VectorXd at_tip = space.weighted_density(plane, levels);
    image.current = Eigen::Map<const Eigen::ArrayXXd>(at_tip.data(), rows, columns);
    image.set_point = image.current.mean();
    if (!(image.set_point > 1e-30))
        throw InputError(fmt::format(
            "the tip is out of reach: the orbitals vanish {:.2f} angstrom over the highest atom; bring it "
            "closer",
            options.height / units::angstrom));

    Grid volume = plane;
    volume.origin(2) = image.lowest;
    volume.points[2] = static_cast<int>(std::ceil((image.tip + above_tip - image.lowest) / level_step)) + 1;
    image.tip_height.resize(rows, columns);
    // A stripe at a time: the whole volume of a large sheet would be gigabytes.
    constexpr int stripe = 32;
    for (int first = 0; first < columns; first += stripe) {
        Grid part = volume;
        part.origin(0) += options.pixel * first;
        part.points[0] = std::min(stripe, columns - first);
        const Eigen::VectorXd values = space.weighted_density(part, levels);
        for (int i = 0; i < part.points[0]; ++i)
            for (int j = 0; j < rows; ++j)
                image.tip_height(j, first + i) = crossing(values.data() + part.index(i, j, 0), part.points[2],
                                                          image.lowest, level_step, image.set_point);
    }
    return image;
}

}  // namespace stembridge::tb
