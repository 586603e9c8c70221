// SPDX-License-Identifier: Apache-2.0
#include "probe.hpp"

#include <cmath>
#include <complex>
#include <numbers>

#include "filters.hpp"
#include "fourier.hpp"

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double fwhm_per_sigma = 2.3548200450309493;

/// Phase of the aperture at an angle theta (rad) in the direction phi:
/// chi = 2 pi / lambda sum theta^(n+1) / (n+1) C_nm cos m (phi - phi_nm).
/// @source Krivanek, Dellby, Lupini, Ultramicroscopy 78, 1 (1999)
double aberration_phase(const Aberrations& a, double wavelength, double theta, double phi) {
    const auto turned = [&](int m, double angle_deg) { return std::cos(m * (phi - angle_deg * pi / 180)); };
    const double t2 = theta * theta;
    return 2 * pi / wavelength * t2 *
           ((a.defocus_angstrom + a.astigmatism_angstrom * turned(2, a.astigmatism_angle_deg)) / 2 +
            theta *
                (a.coma_angstrom * turned(1, a.coma_angle_deg) +
                 a.threefold_angstrom * turned(3, a.threefold_angle_deg)) /
                3 +
            t2 * a.spherical_angstrom / 4 + t2 * t2 * a.fifth_order_angstrom / 6);
}

double fade(double r) {
    const double t = std::clamp((ProbeCore::reach - r) / 1.0, 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

}  // namespace

double wavelength_angstrom(double energy_kev) {
    const double volts = energy_kev * 1e3;
    return 12.2642596 / std::sqrt(volts * (1 + 0.97847559e-6 * volts));
}

ProbeCore::ProbeCore(const ProbeOptions& probe) {
    if (probe.aberrations.any())
        aberrated_probe(probe);
    else
        round_probe(probe);
}

void ProbeCore::round_probe(const ProbeOptions& probe) {
    // core(r) = 2 pi int MTF(k) J0(2 pi k r) k dk with the transfer function of a round aperture,
    // MTF(q = k / kc) = 2/pi (acos q - q sqrt(1 - q^2)), kc = 2 alpha / lambda, and the source's Gaussian.
    const double cutoff = 2 * probe.convergence_mrad * 1e-3 / wavelength_angstrom(probe.beam_energy_kev);
    const double sigma = probe.source_fwhm_angstrom / fwhm_per_sigma;
    constexpr int nodes = 160;
    std::array<double, nodes> k, weight;
    for (int n = 0; n < nodes; ++n) {
        const double q = (n + 0.5) / nodes;
        k[n] = q * cutoff;
        weight[n] = 2 * pi * k[n] * cutoff / nodes * (2 / pi) * (std::acos(q) - q * std::sqrt(1 - q * q)) *
                    std::exp(-2 * pi * pi * sigma * sigma * k[n] * k[n]);
    }
    const int count = static_cast<int>(reach / step) + 2;
    table_.resize(static_cast<std::size_t>(count));
    double integral = 0;
    for (int i = 0; i < count; ++i) {
        const double r = i * step;
        double value = 0;
        for (int n = 0; n < nodes; ++n) value += weight[n] * ::j0(2 * pi * k[n] * r);
        value *= fade(r);
        table_[static_cast<std::size_t>(i)] = static_cast<float>(value);
        integral += value * 2 * pi * r * step;
    }
    for (float& value : table_) value = static_cast<float>(value / integral);
}

void ProbeCore::aberrated_probe(const ProbeOptions& probe) {
    // psi = F[A exp(-i chi)], core = |psi|^2 convolved with the source; A has a rim one sample wide.
    constexpr int size = 1024;
    constexpr double dk = 1 / (size * plane_step);
    const double wavelength = wavelength_angstrom(probe.beam_energy_kev),
                 largest = probe.convergence_mrad * 1e-3 / wavelength;
    const auto signed_index = [](int i) { return i <= size / 2 ? i : i - size; };
    ComplexPixels wave = ComplexPixels::Zero(size, size);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const double kx = signed_index(x) * dk, ky = signed_index(y) * dk, k = std::hypot(kx, ky);
            const double open = std::clamp((largest - k) / dk + 0.5, 0.0, 1.0);
            if (open == 0) continue;
            const double chi =
                aberration_phase(probe.aberrations, wavelength, k * wavelength, std::atan2(ky, kx));
            wave(y, x) = {static_cast<float>(open * std::cos(chi)),
                          static_cast<float>(-open * std::sin(chi))};
        }
    ComplexPixels field = inverse_fourier_transform(wave);
    for (Eigen::Index i = 0; i < field.size(); ++i) field.data()[i] = std::norm(field.data()[i]);
    ComplexPixels spectrum = fourier_transform(field);
    const double sigma = probe.source_fwhm_angstrom / fwhm_per_sigma;
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const double k2 = std::pow(signed_index(x) * dk, 2) + std::pow(signed_index(y) * dk, 2);
            spectrum(y, x) *= static_cast<float>(std::exp(-2 * pi * pi * sigma * sigma * k2));
        }
    const ComplexPixels intensity = inverse_fourier_transform(spectrum);
    const auto at = [&](int x, int y) { return intensity((y + size) % size, (x + size) % size).real(); };
    // Around the centroid of what lies within the reach, found in rounds.
    constexpr int n = static_cast<int>(reach / plane_step) + 1;
    double cx = 0, cy = 0;
    for (int round = 0; round < 20; ++round) {
        double sum = 0, sx = 0, sy = 0;
        const int mx = static_cast<int>(std::lround(cx / plane_step)),
                  my = static_cast<int>(std::lround(cy / plane_step));
        for (int y = my - n; y <= my + n; ++y)
            for (int x = mx - n; x <= mx + n; ++x) {
                const double dx = x * plane_step - cx, dy = y * plane_step - cy;
                const double w = at(x, y) * fade(std::hypot(dx, dy));
                sum += w;
                sx += w * dx;
                sy += w * dy;
            }
        cx += sx / sum;
        cy += sy / sum;
    }
    Pixels real(2 * n + 3, 2 * n + 3);
    const int mx = static_cast<int>(std::lround(cx / plane_step)),
              my = static_cast<int>(std::lround(cy / plane_step));
    for (int y = 0; y < real.rows(); ++y)
        for (int x = 0; x < real.cols(); ++x) real(y, x) = at(x - n - 1 + mx, y - n - 1 + my);
    plane_.resize(2 * n + 1, 2 * n + 1);
    for (int y = -n; y <= n; ++y)
        for (int x = -n; x <= n; ++x)
            plane_(y + n, x + n) = static_cast<float>(
                bicubic(real, x + cx / plane_step - mx + n + 1, y + cy / plane_step - my + n + 1) *
                fade(std::hypot(x, y) * plane_step));
    plane_ /= static_cast<float>(plane_.cast<double>().sum() * plane_step * plane_step);
}

float ProbeCore::in_plane(double dx, double dy) const {
    const double half = static_cast<double>(plane_.cols() / 2), x = dx / plane_step + half,
                 y = dy / plane_step + half;
    if (!(x >= 0 && y >= 0 && x < 2 * half && y < 2 * half)) return 0;
    return static_cast<float>(bilinear(plane_, x, y));
}

}  // namespace stembridge::ml
