// SPDX-License-Identifier: Apache-2.0
// The image of a list of atoms: probe, scan, contamination, detector.
#include "stembridge/ml/simulate_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "contamination.hpp"
#include "filters.hpp"
#include "probe.hpp"
#include "scan.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double fwhm_per_sigma = 2.3548200450309493;
/// Contamination, in units of graphene's mean, that hides the atoms under it.
constexpr double veil_that_hides = 0.4;
/// Area per atom of graphene, angstrom^2.
const double area_per_carbon = 0.25 * std::sqrt(3.0) * 2.46 * 2.46;

/// The tail of all atoms on a grid of its own: broad, so a coarse grid and bilinear weights are exact enough.
class TailField {
  public:
    TailField(const std::vector<SceneAtom>& atoms, const std::vector<double>& strengths, double fwhm,
              const Eigen::Vector2d& low, const Eigen::Vector2d& high)
        : low_(low - Eigen::Vector2d::Constant(2 * fwhm)) {
        const Eigen::Vector2d extent = high - low + Eigen::Vector2d::Constant(4 * fwhm);
        field_ =
            Pixels::Zero(static_cast<int>(extent.y() / step) + 3, static_cast<int>(extent.x() / step) + 3);
        for (std::size_t i = 0; i < atoms.size(); ++i) {
            const double x = (atoms[i].x_angstrom - low_.x()) / step,
                         y = (atoms[i].y_angstrom - low_.y()) / step;
            if (!(x >= 0 && y >= 0 && x < static_cast<double>(field_.cols() - 1) &&
                  y < static_cast<double>(field_.rows() - 1)))
                continue;
            const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
            const float fx = static_cast<float>(x - x0), fy = static_cast<float>(y - y0);
            const float density = static_cast<float>(strengths[i] / (step * step));
            field_(y0, x0) += density * (1 - fx) * (1 - fy);
            field_(y0, x0 + 1) += density * fx * (1 - fy);
            field_(y0 + 1, x0) += density * (1 - fx) * fy;
            field_(y0 + 1, x0 + 1) += density * fx * fy;
        }
        field_ = gaussian_blur(field_, fwhm / fwhm_per_sigma / step);
    }
    double operator()(const Eigen::Vector2d& position) const {
        return bilinear(field_, (position.x() - low_.x()) / step, (position.y() - low_.y()) / step);
    }

  private:
    static constexpr double step = 0.25;  ///< angstrom
    Eigen::Vector2d low_;
    Pixels field_;
};

/// Signal per beam electron of infinite graphene at an atom and at a hollow, without black level.
std::pair<double, double> graphene_peak_and_hollow(const ProbeOptions& probe, const ProbeCore& core) {
    const double strength = probe.strength * scattering_area(6, probe.z_exponent);
    const double bond = 2.46 / std::sqrt(3.0), sigma = probe.tail_fwhm_angstrom / fwhm_per_sigma;
    double peak = 0, hollow = 0;
    for (int m = -8; m <= 8; ++m)
        for (int n = -8; n <= 8; ++n)
            for (int basis = 0; basis < 2; ++basis) {
                // Hexagon centre at the origin, atoms at +-(0, bond) from lattice points.
                const double x = 2.46 * (m + 0.5 * n),
                             y = 2.46 * std::sqrt(0.75) * n + (basis == 0 ? bond : -bond);
                const auto signal = [&](double dx, double dy) {
                    const double r2 = dx * dx + dy * dy;
                    return strength * ((1 - probe.tail_fraction) * core(dx, dy) +
                                       probe.tail_fraction * std::exp(-0.5 * r2 / (sigma * sigma)) /
                                           (2 * pi * sigma * sigma));
                };
                hollow += signal(x, y);
                peak += signal(x, y - bond);
            }
    return {peak, hollow};
}

void check(const SimulationOptions& o) {
    const auto require = [](bool good, const char* key, const char* accepted) {
        if (!good) throw InputError(fmt::format("simulated image: '{}' must be {}", key, accepted));
    };
    require(o.scan.width >= 2 && o.scan.height >= 2 && o.scan.width <= 16384 && o.scan.height <= 16384,
            "scan.width, scan.height", "2 to 16384 pixels");
    require(o.scan.pixel_size_angstrom > 0.005 && o.scan.pixel_size_angstrom < 2, "scan.pixel_size",
            "between 0.005 and 2 angstrom");
    require(std::abs(o.scan.anisotropy) < 0.5, "scan.anisotropy", "between -0.5 and 0.5");
    require(std::abs(o.scan.shear) < 0.5, "scan.shear", "between -0.5 and 0.5");
    require(o.scan.flyback_length_px > 0 && std::abs(o.scan.flyback_px) < 0.5 * o.scan.flyback_length_px,
            "scan.flyback", "smaller than half its length, which must be positive");
    require(o.scan.line_jitter_px >= 0, "scan.line_jitter", "zero or positive");
    require(o.probe.beam_energy_kev > 1 && o.probe.convergence_mrad > 1,
            "probe.beam_energy, probe.convergence", "larger than 1 keV and 1 mrad");
    require(o.probe.source_fwhm_angstrom >= 0 && o.probe.source_fwhm_angstrom < 4, "probe.source_fwhm",
            "between 0 and 4 angstrom");
    require(o.probe.tail_fraction >= 0 && o.probe.tail_fraction < 1 && o.probe.tail_fwhm_angstrom > 0,
            "probe.tail_fraction", "in [0, 1), with a positive width");
    require(o.probe.hollow_to_peak >= 0 && o.probe.hollow_to_peak < 0.99, "probe.hollow_to_peak",
            "in [0, 0.99)");
    require(o.contamination.coverage >= 0 && o.contamination.coverage <= 1, "contamination.coverage",
            "between 0 and 1");
    require(o.detector.gain > 0, "detector.gain", "positive");
    require(o.probe.strength > 0, "probe.strength", "positive");
    require(o.scan.tears >= 0 && o.scan.tears <= o.scan.height && o.scan.tear_lines > 0, "scan.tears",
            "between 0 and the number of lines, with a positive length");
    require(o.scan.hops >= 0 && std::abs(o.scan.hop_angstrom) < ProbeCore::reach, "scan.hops",
            "zero or positive, with jumps below 3.5 angstrom");
}

}  // namespace

double scattering_area(int atomic_number, double z_exponent) {
    // Peak fraction times the effective area of the ideal probe, 1 / core(0) = lambda^2 / (pi alpha^2).
    const double lambda = wavelength_angstrom(60), alpha = 31e-3;
    const double carbon = 1.50e-3 * lambda * lambda / (pi * alpha * alpha);
    // H scatters 25 times less than C, not the factor that the power law gives.
    if (atomic_number == 1) return carbon / 25;
    return carbon * std::pow(atomic_number / 6.0, z_exponent);
}

DetectorSignal annular_detector(double inner_mrad, double outer_mrad, double energy_kev) {
    // Anchors: 1.50e-3 and 0.40e-3 of a C under the beam, exponents 1.69 and 1.95, inner angles 54 and 86
    // mrad at 60 kV. Between them the share is a power of the angle; the angles scale with the wavelength,
    // and the cross section with gamma^2 lambda^2.
    constexpr double first = 54, second = 86, outer = 200, least = 40, most = 130;
    const double at_60_kv = wavelength_angstrom(60) / wavelength_angstrom(energy_kev);
    const double in = inner_mrad * at_60_kv, out = outer_mrad * at_60_kv;
    if (!(in >= least && in <= most && out > 1.2 * in))
        throw InputError(fmt::format(
            "annular detector {} to {} mrad at {} kV: inner angles from {:.0f} to {:.0f} mrad are "
            "known, with an outer one at least 1.2 times as large",
            inner_mrad, outer_mrad, energy_kev, least / at_60_kv, most / at_60_kv));
    const double steps = std::log(second / first);
    // The two anchors hold for the same outer angle: the exponent n solves
    // (54^-n - 200^-n) / (86^-n - 200^-n) = 1.50 / 0.40.
    double low = 0.5, high = 6;
    const auto ratio = [&](double n) {
        return (std::pow(first, -n) - std::pow(outer, -n)) / (std::pow(second, -n) - std::pow(outer, -n));
    };
    for (int i = 0; i < 60; ++i) (ratio(0.5 * (low + high)) < 1.50 / 0.40 ? low : high) = 0.5 * (low + high);
    const double n = 0.5 * (low + high);
    const double gamma = 1 + energy_kev / 510.99895, gamma_60 = 1 + 60 / 510.99895;
    DetectorSignal signal;
    signal.strength = (std::pow(in, -n) - std::pow(out, -n)) / (std::pow(first, -n) - std::pow(outer, -n)) *
                      std::pow(gamma / gamma_60 / at_60_kv, 2);
    signal.z_exponent = std::clamp(1.69 + (1.95 - 1.69) * std::log(in / first) / steps, 1.5, 2.0);
    return signal;
}

SimulatedFrame simulate_image(const std::vector<SceneAtom>& scene, const SimulationOptions& options,
                              const Context& context) {
    check(options);
    Random random(context.seed ^ 0x53544d4652414d45ULL);
    const int width = options.scan.width, height = options.scan.height;
    const Scan scan(options.scan, random);
    const ProbeCore core(options.probe);

    SimulatedFrame frame;
    frame.angstrom_per_pixel = scan.linear();
    frame.contamination = contamination_map(options, random);

    // Atoms in the frame, and those under the thin rim of the contamination that are Si.
    std::vector<SceneAtom> atoms = scene;
    std::vector<Eigen::Vector2d> positions(atoms.size());
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        positions[i] = scan.pixel({atoms[i].x_angstrom, atoms[i].y_angstrom});
        if (options.contamination.coverage <= 0 || options.contamination.silicon_at_rim <= 0) continue;
        const double dirt = bilinear(frame.contamination, positions[i].x(), positions[i].y());
        if (dirt > 0.02 && dirt < 0.4 && random.uniform() < options.contamination.silicon_at_rim)
            atoms[i].atomic_number = 14;
    }

    // Atoms that hop: until the beam crosses them they are in one place, then in another.
    std::vector<Eigen::Vector2d> hop(atoms.size(), Eigen::Vector2d::Zero());
    if (options.scan.hops > 0) {
        const double expected = options.scan.hops;
        const int count =
            static_cast<int>(expected) + (random.uniform() < expected - std::floor(expected) ? 1 : 0);
        std::vector<std::size_t> seen;
        for (std::size_t i = 0; i < atoms.size(); ++i)
            if (positions[i].x() > 0 && positions[i].y() > 0 && positions[i].x() < width &&
                positions[i].y() < height)
                seen.push_back(i);
        for (int k = 0; k < count && !seen.empty(); ++k) {
            const double angle = random.uniform(0, 2 * pi);
            hop[seen[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(seen.size())))]] =
                options.scan.hop_angstrom * Eigen::Vector2d(std::cos(angle), std::sin(angle));
        }
    }

    // Expected signal per beam electron, atom by atom into the pixels around it.
    std::vector<double> strengths(atoms.size());
    for (std::size_t i = 0; i < atoms.size(); ++i)
        strengths[i] =
            options.probe.strength * scattering_area(atoms[i].atomic_number, options.probe.z_exponent);
    Eigen::ArrayXXd beam_x(width, height), beam_y(width, height);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const Eigen::Vector2d r = scan.beam(x, y);
            beam_x(x, y) = r.x();
            beam_y(x, y) = r.y();
        }
    Pixels signal = Pixels::Zero(height, width);
    const double share = 1 - options.probe.tail_fraction;
    const double smallest_scale = std::sqrt(
        (scan.linear().transpose() * scan.linear()).selfadjointView<Eigen::Lower>().eigenvalues()(0));
    const double farthest =
        ProbeCore::reach + (options.scan.hops > 0 ? std::abs(options.scan.hop_angstrom) : 0);
    const int reach = static_cast<int>(farthest / smallest_scale + 3 + scan.largest_jitter());
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (i % 256 == 0 && context.stop_requested()) throw StoppedError("stopped while simulating an image");
        const Eigen::Vector2d p = positions[i];
        if (!(p.x() > -reach && p.y() > -reach && p.x() < width + reach && p.y() < height + reach)) continue;
        const int x0 = std::max(0, static_cast<int>(p.x()) - reach),
                  x1 = std::min(width - 1, static_cast<int>(p.x()) + reach);
        const int y0 = std::max(0, static_cast<int>(p.y()) - reach),
                  y1 = std::min(height - 1, static_cast<int>(p.y()) + reach);
        const float strength = static_cast<float>(share * strengths[i]);
        for (int y = y0; y <= y1; ++y) {
            const Eigen::Vector2d moved = y > p.y() ? hop[i] : Eigen::Vector2d::Zero();
            const double atom_x = atoms[i].x_angstrom + moved.x(), atom_y = atoms[i].y_angstrom + moved.y();
            for (int x = x0; x <= x1; ++x) {
                const double dx = beam_x(x, y) - atom_x, dy = beam_y(x, y) - atom_y;
                const double r2 = dx * dx + dy * dy;
                if (r2 < ProbeCore::reach * ProbeCore::reach) signal(y, x) += strength * core(dx, dy);
            }
        }
    }
    if (options.probe.tail_fraction > 0) {
        const TailField tail(atoms, strengths, options.probe.tail_fwhm_angstrom,
                             {beam_x.minCoeff(), beam_y.minCoeff()}, {beam_x.maxCoeff(), beam_y.maxCoeff()});
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                signal(y, x) +=
                    static_cast<float>(options.probe.tail_fraction * tail({beam_x(x, y), beam_y(x, y)}));
    }

    // Black level b so that (b + hollow) / (b + peak) is the wanted ratio; never negative.
    const auto [peak, hollow] = graphene_peak_and_hollow(options.probe, core);
    const double ratio = options.probe.hollow_to_peak;
    const double black = ratio > 0 ? std::max(0.0, (ratio * peak - hollow) / (1 - ratio)) : 0;
    const double graphene =
        options.probe.strength * scattering_area(6, options.probe.z_exponent) / area_per_carbon;
    signal += static_cast<float>(black);
    signal += static_cast<float>(graphene) * frame.contamination;

    // counts = Poisson(N I), then correlation between pixels, gain, saturation.
    const DetectorOptions& detector = options.detector;
    const bool noisy = detector.electrons_per_pixel > 0;
    const double electrons = noisy ? detector.electrons_per_pixel : 1;
    frame.mean_electrons_graphene = electrons * (graphene + black);
    signal *= static_cast<float>(electrons);
    // Each row has random numbers of its own: a difference in one pixel cannot move all that follow.
    if (noisy)
        for (int y = 0; y < height; ++y) {
            Random row_random(random.next());
            for (int x = 0; x < width; ++x) {
                double count = static_cast<double>(row_random.poisson(signal(y, x)));
                if (detector.read_noise > 0) count += detector.read_noise * row_random.normal();
                signal(y, x) = static_cast<float>(count);
            }
        }
    signal = static_cast<float>(detector.gain) * gaussian_blur(signal, detector.blur_px);
    if (detector.saturation > 0) signal = signal.min(static_cast<float>(detector.saturation));
    frame.image = {std::move(signal), options.scan.pixel_size_angstrom, "simulated frame"};

    // Truth. A lighter atom beside or under a much heavier one, and atoms under contamination, cannot be
    // seen.
    std::vector<Eigen::Vector2d> heavy;
    for (const SceneAtom& atom : atoms)
        if (atom.atomic_number > 8) heavy.emplace_back(atom.x_angstrom, atom.y_angstrom);
    const NeighborBins heavy_bins(heavy, 0.9);
    const Pixels veil = gaussian_blur(frame.contamination, 0.8 / options.scan.pixel_size_angstrom);
    std::vector<int> near;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        const Eigen::Vector2d p = positions[i];
        if (!(p.x() >= -0.5 && p.y() >= -0.5 && p.x() < width - 0.5 && p.y() < height - 0.5)) continue;
        TrueAtom atom{p.x(), p.y(), atoms[i].atomic_number,
                      bilinear(veil, p.x(), p.y()) > veil_that_hides || !hop[i].isZero()};
        if (atom.atomic_number <= 8 && !heavy.empty()) {
            heavy_bins.within({atoms[i].x_angstrom, atoms[i].y_angstrom}, 0.9, near);
            atom.covered |= !near.empty();
        }
        frame.atoms.push_back(atom);
    }
    return frame;
}

SimulatedFrame example_frame(const Context& context) {
    SceneOptions scene;
    scene.width_angstrom = scene.height_angstrom = 97;
    scene.rotation_deg = 11;
    scene.divacancies = 3;
    scene.stone_wales = 3;
    scene.interstitials = 2;
    scene.vacancies = 2;
    scene.holes = 1;
    scene.hole_radius_angstrom = 5;
    scene.silicon_substitutions = 6;
    scene.silicon_clusters = 2;
    SimulationOptions options;
    options.scan.origin_x_angstrom = options.scan.origin_y_angstrom = 2;
    options.scan.anisotropy = 0.04;
    options.scan.anisotropy_angle_deg = 25;
    options.scan.shear = 0.01;
    options.scan.drift_px = {4, -3};
    options.scan.line_jitter_px = 0.25;
    options.scan.flyback_px = 1.5;
    options.probe.hollow_to_peak = 0.60;
    options.contamination.coverage = 0.35;
    options.contamination.direction_deg = -20;
    options.contamination.silicon_at_rim = 0.25;
    options.detector.electrons_per_pixel = 7500;
    options.detector.blur_px = 0.7;
    // Whole numbers from 0 to 255: the frame is shipped as an 8-bit image.
    options.detector.gain = 4;
    options.detector.saturation = 255;
    SimulatedFrame frame = simulate_image(random_scene(scene, context), options, context);
    frame.image.pixels = frame.image.pixels.round();
    frame.image.source = "example frame";
    return frame;
}

}  // namespace stembridge::ml
