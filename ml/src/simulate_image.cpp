// SPDX-License-Identifier: Apache-2.0
// The image of a list of atoms: probe, scan, contamination, detector.
#include "stembridge/ml/simulate_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "filters.hpp"
#include "fourier.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double fwhm_per_sigma = 2.3548200450309493;
/// Contamination, in units of graphene's mean, that hides the atoms under it.
constexpr double veil_that_hides = 0.4;
/// Area per atom of graphene, angstrom^2.
const double area_per_carbon = 0.25 * std::sqrt(3.0) * 2.46 * 2.46;

/// Electron wavelength in angstrom, lambda = h / sqrt(2 m E (1 + E / 2 m c^2)).
double wavelength_angstrom(double energy_kev) {
    const double volts = energy_kev * 1e3;
    return 12.2642596 / std::sqrt(volts * (1 + 0.97847559e-6 * volts));
}

/// Radial profile of the probe core, normalised to integral 1, by a table.
class ProbeCore {
  public:
    explicit ProbeCore(const ProbeOptions& probe) {
        // core(r) = 2 pi int MTF(k) J0(2 pi k r) k dk with the transfer function of a round aperture,
        // MTF(q = k / kc) = 2/pi (acos q - q sqrt(1 - q^2)), kc = 2 alpha / lambda, and the source's
        // Gaussian.
        const double cutoff = 2 * probe.convergence_mrad * 1e-3 / wavelength_angstrom(probe.beam_energy_kev);
        const double sigma = probe.source_fwhm_angstrom / fwhm_per_sigma;
        constexpr int nodes = 160;
        std::array<double, nodes> k, weight;
        for (int n = 0; n < nodes; ++n) {
            const double q = (n + 0.5) / nodes;
            k[n] = q * cutoff;
            weight[n] = 2 * pi * k[n] * cutoff / nodes * (2 / pi) *
                        (std::acos(q) - q * std::sqrt(1 - q * q)) *
                        std::exp(-2 * pi * pi * sigma * sigma * k[n] * k[n]);
        }
        const int count = static_cast<int>(reach / step) + 2;
        table_.resize(static_cast<std::size_t>(count));
        double integral = 0;
        for (int i = 0; i < count; ++i) {
            const double r = i * step;
            double value = 0;
            for (int n = 0; n < nodes; ++n) value += weight[n] * ::j0(2 * pi * k[n] * r);
            // The far rings belong to the tail: end smoothly at the reach.
            const double fade = std::clamp((reach - r) / 1.0, 0.0, 1.0);
            value *= fade * fade * (3 - 2 * fade);
            table_[static_cast<std::size_t>(i)] = static_cast<float>(value);
            integral += value * 2 * pi * r * step;
        }
        for (float& value : table_) value = static_cast<float>(value / integral);
    }
    float operator()(double r) const {
        const double position = r * (1 / step);
        const auto cell = static_cast<std::size_t>(position);
        if (cell + 1 >= table_.size()) return 0;
        const float f = static_cast<float>(position - static_cast<double>(cell));
        return (1 - f) * table_[cell] + f * table_[cell + 1];
    }
    static constexpr double reach = 3.5;  ///< angstrom

  private:
    static constexpr double step = 0.02;
    std::vector<float> table_;
};

/// Sum of sinusoids with amplitude ~ 1 / sqrt(f), standard deviation 1, as a scan generator drifts.
Eigen::ArrayXd pink_series(int length, Random& random) {
    Eigen::ArrayXd series = Eigen::ArrayXd::Zero(length);
    for (int component = 1; component <= 24; ++component) {
        const double frequency = 0.5 * std::pow(component / 24.0, 2);
        const double phase = random.uniform(0, 2 * pi), amplitude = random.normal() / std::sqrt(frequency);
        for (int i = 0; i < length; ++i) series(i) += amplitude * std::sin(2 * pi * frequency * i + phase);
    }
    const double deviation = std::sqrt((series - series.mean()).square().mean());
    return deviation > 0 ? Eigen::ArrayXd((series - series.mean()) / deviation) : series;
}

/// Gaussian random field with power ~ 1 / f^(2 exponent), standard deviation 1, on a coarse grid.
Pixels cloud(int height, int width, int coarse, double exponent, Random& random) {
    const int size = good_fourier_size(std::max({height, width}) / coarse + 2);
    ComplexPixels spectrum(size, size);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const double fx = std::min(x, size - x), fy = std::min(y, size - y);
            const double f = std::hypot(fx, fy);
            const double amplitude = f > 0 ? std::pow(f, -exponent) : 0;
            const double re = random.normal(), im = random.normal();
            spectrum(y, x) = {static_cast<float>(amplitude * re), static_cast<float>(amplitude * im)};
        }
    Pixels field = inverse_fourier_transform(spectrum).real();
    field = (field - field.mean()) / std::sqrt((field - field.mean()).square().mean());
    Pixels result(height, width);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            result(y, x) = static_cast<float>(
                bilinear(field, static_cast<double>(x) / coarse, static_cast<double>(y) / coarse));
    return result;
}

/// Brightness of the contamination in units of the mean of graphene.
Pixels contamination_map(const SimulationOptions& options, Random& random) {
    const ScanOptions& scan = options.scan;
    const ContaminationOptions& dirt = options.contamination;
    Pixels map = Pixels::Zero(scan.height, scan.width);
    if (dirt.coverage <= 0) return map;
    const int coarse = std::max(1, static_cast<int>(0.4 / scan.pixel_size_angstrom));
    // The covered side: a tilted plane plus a cloud, cut at the height that covers the wanted share.
    Pixels height =
        cloud(scan.height, scan.width, coarse, 1.6, random) * static_cast<float>(0.5 * dirt.roughness);
    const double side = 0.5 * std::hypot(scan.width, scan.height);
    const double cosine = std::cos(dirt.direction_deg * pi / 180),
                 sine = std::sin(dirt.direction_deg * pi / 180);
    for (int y = 0; y < scan.height; ++y)
        for (int x = 0; x < scan.width; ++x)
            height(y, x) +=
                static_cast<float>((1 - dirt.roughness) *
                                   (cosine * (x - 0.5 * scan.width) + sine * (y - 0.5 * scan.height)) / side);
    std::vector<float> sorted(height.data(), height.data() + height.size());
    const float cut = static_cast<float>(quantile(sorted, 1 - std::min(dirt.coverage, 1.0)));
    const double border_px = dirt.border_angstrom / scan.pixel_size_angstrom;
    const Pixels border = gaussian_blur((height > cut).cast<float>(), border_px / fwhm_per_sigma);
    // Inside it: a 1/f cloud of thickness with bright speckle of the probe's size.
    const Pixels thickness = (0.45f * cloud(scan.height, scan.width, coarse, 1.2, random)).exp();
    Pixels speckle(scan.height, scan.width);
    for (Eigen::Index i = 0; i < speckle.size(); ++i) speckle.data()[i] = static_cast<float>(random.normal());
    speckle = gaussian_blur(speckle, 0.65 / scan.pixel_size_angstrom);
    speckle /= std::sqrt(std::max(speckle.square().mean(), 1e-20f));
    const Pixels bright = (static_cast<float>(dirt.speckle) * speckle).exp();
    map = static_cast<float>(dirt.level) * border * thickness * bright;
    return map;
}

/// Where the beam is for each pixel, and where a scene position is in the frame.
class Scan {
  public:
    Scan(const SimulationOptions& options, Random& random) : scan_(options.scan) {
        const double angle = scan_.anisotropy_angle_deg * pi / 180;
        const Eigen::Matrix2d axes = Eigen::Rotation2Dd(angle).toRotationMatrix();
        const double stretch = std::sqrt(1 + scan_.anisotropy);
        const Eigen::Matrix2d scales = Eigen::Vector2d(stretch, 1 / stretch).asDiagonal();
        Eigen::Matrix2d shear;
        shear << 1, scan_.shear, 0, 1;
        linear_ = scan_.pixel_size_angstrom *
                  Eigen::Rotation2Dd(scan_.rotation_deg * pi / 180).toRotationMatrix() * axes * scales *
                  axes.transpose() * shear;
        inverse_ = linear_.inverse();
        centre_px_ = {0.5 * (scan_.width - 1), 0.5 * (scan_.height - 1)};
        centre_scene_ = Eigen::Vector2d(scan_.origin_x_angstrom, scan_.origin_y_angstrom) +
                        scan_.pixel_size_angstrom * centre_px_;

        jitter_ = Eigen::MatrixXd::Zero(2, scan_.height);
        if (scan_.line_jitter_px > 0) {
            for (int axis = 0; axis < 2; ++axis) {
                const Eigen::ArrayXd pink = pink_series(scan_.height, random);
                const double phase = random.uniform(0, 2 * pi), white_share = axis == 0 ? 0.5 : 0.3;
                for (int line = 0; line < scan_.height; ++line) {
                    const double mains =
                        std::numbers::sqrt2 * std::sin(2 * pi * scan_.mains_periods_per_line * line + phase);
                    jitter_(axis, line) = scan_.line_jitter_px *
                                          (0.5 * pink(line) + 0.6 * mains + white_share * random.normal());
                }
            }
        }
        // An atom appears where the lines that cross it are displaced on average.
        const double sigma = std::max(0.5, 0.5 / scan_.pixel_size_angstrom);
        mean_jitter_ = jitter_;
        for (int line = 0; line < scan_.height; ++line) {
            Eigen::Vector2d sum = Eigen::Vector2d::Zero();
            double weights = 0;
            const int reach = static_cast<int>(3 * sigma) + 1;
            for (int other = std::max(0, line - reach); other <= std::min(scan_.height - 1, line + reach);
                 ++other) {
                const double weight = std::exp(-0.5 * std::pow((other - line) / sigma, 2));
                sum += weight * jitter_.col(other);
                weights += weight;
            }
            mean_jitter_.col(line) = sum / weights;
        }
    }

    /// Scene position of the beam at a pixel.
    Eigen::Vector2d beam(int x, int y) const {
        const Eigen::Vector2d pixel(x, y);
        return scene(pixel + smooth(pixel) + jitter_.col(y));
    }

    /// Frame position of a scene position: the fixed point of p = L^-1 r - displacement(p).
    Eigen::Vector2d pixel(const Eigen::Vector2d& position) const {
        const Eigen::Vector2d ideal = inverse_ * (position - centre_scene_) + centre_px_;
        Eigen::Vector2d p = ideal;
        for (int iteration = 0; iteration < 12; ++iteration) {
            const double line = std::clamp(p.y(), 0.0, static_cast<double>(scan_.height - 1));
            const int below = std::min(static_cast<int>(line), scan_.height - 2);
            const double f = line - below;
            p = ideal - smooth(p) - (1 - f) * mean_jitter_.col(below) - f * mean_jitter_.col(below + 1);
        }
        return p;
    }
    const Eigen::Matrix2d& linear() const { return linear_; }

  private:
    Eigen::Vector2d scene(const Eigen::Vector2d& pixel) const {
        return centre_scene_ + linear_ * (pixel - centre_px_);
    }
    /// Displacement of the beam, in pixels, that changes slowly: drift with a gentle curve, fly-back.
    Eigen::Vector2d smooth(const Eigen::Vector2d& pixel) const {
        const double time = pixel.y() / scan_.height;
        const double progress = time - 0.5 + 0.15 * std::sin(2 * pi * time);
        const double flyback =
            scan_.flyback_px == 0
                ? 0
                : scan_.flyback_px * std::exp(-std::max(pixel.x(), 0.0) / scan_.flyback_length_px);
        return {scan_.drift_px[0] * progress - flyback, scan_.drift_px[1] * progress};
    }

    ScanOptions scan_;
    Eigen::Matrix2d linear_, inverse_;
    Eigen::Vector2d centre_px_, centre_scene_;
    Eigen::MatrixXd jitter_, mean_jitter_;
};

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
    const double strength = scattering_area(6, probe.z_exponent);
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
                    return strength * ((1 - probe.tail_fraction) * core(std::sqrt(r2)) +
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

SimulatedFrame simulate_image(const std::vector<SceneAtom>& scene, const SimulationOptions& options,
                              const Context& context) {
    check(options);
    Random random(context.seed ^ 0x53544d4652414d45ULL);
    const int width = options.scan.width, height = options.scan.height;
    const Scan scan(options, random);
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

    // Expected signal per beam electron, atom by atom into the pixels around it.
    std::vector<double> strengths(atoms.size());
    for (std::size_t i = 0; i < atoms.size(); ++i)
        strengths[i] = scattering_area(atoms[i].atomic_number, options.probe.z_exponent);
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
    const int reach =
        static_cast<int>(ProbeCore::reach / smallest_scale + 3 + 3 * options.scan.line_jitter_px);
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (i % 256 == 0 && context.stop_requested()) throw StoppedError("stopped while simulating an image");
        const Eigen::Vector2d p = positions[i];
        if (!(p.x() > -reach && p.y() > -reach && p.x() < width + reach && p.y() < height + reach)) continue;
        const int x0 = std::max(0, static_cast<int>(p.x()) - reach),
                  x1 = std::min(width - 1, static_cast<int>(p.x()) + reach);
        const int y0 = std::max(0, static_cast<int>(p.y()) - reach),
                  y1 = std::min(height - 1, static_cast<int>(p.y()) + reach);
        const float strength = static_cast<float>(share * strengths[i]);
        for (int y = y0; y <= y1; ++y)
            for (int x = x0; x <= x1; ++x) {
                const double dx = beam_x(x, y) - atoms[i].x_angstrom, dy = beam_y(x, y) - atoms[i].y_angstrom;
                const double r2 = dx * dx + dy * dy;
                if (r2 < ProbeCore::reach * ProbeCore::reach) signal(y, x) += strength * core(std::sqrt(r2));
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
    const double graphene = scattering_area(6, options.probe.z_exponent) / area_per_carbon;
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
        TrueAtom atom{p.x(), p.y(), atoms[i].atomic_number, bilinear(veil, p.x(), p.y()) > veil_that_hides};
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
