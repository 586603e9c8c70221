// SPDX-License-Identifier: Apache-2.0
// The graphene lattice as a ruler: Fourier peaks, then the atoms themselves.
#include "stembridge/ml/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "filters.hpp"
#include "fourier.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;
using Vector = Eigen::Vector2d;

/// Distance of lattice rows whose Fourier peak is the first of graphene.
const double row_distance_angstrom = graphene_lattice_angstrom * std::sqrt(3.0) / 2;

constexpr double smallest_pixel_angstrom = 0.02, largest_pixel_angstrom = 0.6;
/// A nominal size that is off by more than this is an error; by more than the second number, a warning.
constexpr double wrong_by = 0.25, suspicious_by = 0.10;
constexpr double clear_peak = clear_lattice_peak;
/// The same of what may be a lattice where the pixel size is known.
constexpr double faint_peak = 6;

double wrapped_angle(double degrees, double period) {
    const double rest = std::fmod(degrees, period);
    return rest < 0 ? rest + period : rest;
}

/// Everything that follows from the two lattice vectors in pixels.
LatticeCalibration from_lattice(const Eigen::Matrix2d& lattice_px) {
    // M a_i = ideal_i; the polar decomposition M = R S leaves the frame unturned: S = sqrt(M^T M).
    Eigen::Matrix2d ideal;
    ideal << 1, 0.5, 0, std::sqrt(0.75);
    const Eigen::Matrix2d map = graphene_lattice_angstrom * ideal * lattice_px.inverse();
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> squared(map.transpose() * map);
    const Vector scales = squared.eigenvalues().cwiseSqrt();
    LatticeCalibration result;
    result.lattice_px = lattice_px;
    result.angstrom_per_pixel =
        squared.eigenvectors() * scales.asDiagonal() * squared.eigenvectors().transpose();
    result.smallest_scale_angstrom = scales(0);
    result.largest_scale_angstrom = scales(1);
    result.scale_angstrom = std::sqrt(scales.prod());
    result.anisotropy = scales(1) / scales(0) - 1;
    const Vector axis = squared.eigenvectors().col(1);
    result.principal_angle_deg = wrapped_angle(std::atan2(axis.y(), axis.x()) * 180 / pi + 90, 180) - 90;
    // S = Q U with U upper triangular: x' = u00 (x + shear y).
    const Eigen::Matrix2d& s = result.angstrom_per_pixel;
    result.shear = s.col(0).dot(s.col(1)) / s.col(0).squaredNorm();
    const Vector zigzag = s * lattice_px.col(0);
    result.rotation_deg = wrapped_angle(std::atan2(zigzag.y(), zigzag.x()) * 180 / pi, 60);
    return result;
}

/// The power spectrum of a frame with slow brightness and bright regions taken out, over its median at each
/// frequency; wave vectors in cycles per pixel.
class Spectrum {
  public:
    /// @param period_px rough distance of lattice rows
    Spectrum(const Pixels& pixels, double period_px) {
        // Contamination is bright and rough: dividing by the local variance gives the lattice the say.
        const Pixels detail =
            gaussian_blur(pixels, 0.08 * period_px) - gaussian_blur(pixels, 0.8 * period_px);
        const Pixels variance = gaussian_blur(detail.square(), 2 * period_px);
        const Pixels flat = detail / (variance + 1e-3f * variance.mean() + 1e-30f);
        const int h = static_cast<int>(pixels.rows()), w = static_cast<int>(pixels.cols());
        size_ = good_fourier_size(static_cast<int>(1.5 * std::max(h, w)));
        ComplexPixels windowed = ComplexPixels::Zero(size_, size_);
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x)
                windowed(y, x) = flat(y, x) * static_cast<float>((1 - std::cos(2 * pi * (x + 0.5) / w)) *
                                                                 (1 - std::cos(2 * pi * (y + 0.5) / h)));
        resolution_ = static_cast<double>(size_) / std::min(h, w);
        power_ = fourier_transform(windowed).abs2();
        // Median over rings of equal |k|.
        std::vector<std::vector<float>> rings(static_cast<std::size_t>(size_ / ring_width + 2));
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x) {
                const double k = radius(x, y);
                if (k < size_ / 2.0) rings[static_cast<std::size_t>(k / ring_width)].push_back(power_(y, x));
            }
        for (auto& ring : rings) median_.push_back(ring.size() < 8 ? 0.0 : quantile(ring, 0.5));
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x) {
                const double level = background(radius(x, y));
                power_(y, x) = level > 0 ? static_cast<float>(power_(y, x) / level) : 0.0f;
            }
    }

    struct Peak {
        Vector k;
        double strength;
    };
    /// Strongest maxima with |k| in a range, on both sides of the origin.
    std::vector<Peak> peaks(double lowest, double highest, std::size_t most) const {
        std::vector<Peak> found;
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x) {
                const double k = radius(x, y) / size_;
                if (k < lowest || k > highest || power_(y, x) < 0.3 * clear_peak || !is_maximum(x, y))
                    continue;
                found.push_back({refined(x, y), power_(y, x)});
            }
        std::sort(found.begin(), found.end(),
                  [](const Peak& a, const Peak& b) { return a.strength > b.strength; });
        if (found.size() > most) found.resize(most);
        return found;
    }
    /// Strongest value within some bins of a wave vector, and where.
    Peak near(const Vector& k, double tolerance_bins) const {
        Peak best{k, 0};
        const int reach = static_cast<int>(std::ceil(tolerance_bins * resolution_));
        const int cx = static_cast<int>(std::lround(k.x() * size_)),
                  cy = static_cast<int>(std::lround(k.y() * size_));
        for (int y = cy - reach; y <= cy + reach; ++y)
            for (int x = cx - reach; x <= cx + reach; ++x) {
                const int wx = ((x % size_) + size_) % size_, wy = ((y % size_) + size_) % size_;
                if (power_(wy, wx) > best.strength) best = {refined(wx, wy), power_(wy, wx)};
            }
        return best;
    }
    /// Width of one independent frequency of the frame, in cycles per pixel.
    double bin() const { return resolution_ / size_; }

  private:
    double signed_index(int i) const { return i <= size_ / 2 ? i : i - size_; }
    double radius(int x, int y) const { return std::hypot(signed_index(x), signed_index(y)); }
    double background(double radius) const {
        const double position = radius / ring_width - 0.5;
        const auto low = static_cast<std::size_t>(std::max(0.0, position));
        if (low + 1 >= median_.size()) return 0;
        const double f = std::clamp(position - static_cast<double>(low), 0.0, 1.0);
        return (1 - f) * median_[low] + f * median_[low + 1];
    }
    float at(int x, int y) const {
        return power_(((y % size_) + size_) % size_, ((x % size_) + size_) % size_);
    }
    bool is_maximum(int x, int y) const {
        const float value = power_(y, x);
        for (int dy = -2; dy <= 2; ++dy)
            for (int dx = -2; dx <= 2; ++dx)
                if (at(x + dx, y + dy) > value) return false;
        return true;
    }
    /// Vertex of the parabola through the logarithms of three neighbours: exact for a Gaussian peak.
    Vector refined(int x, int y) const {
        const auto vertex = [](double left, double middle, double right) {
            const double l = std::log(left + 1e-12), m = std::log(middle + 1e-12),
                         r = std::log(right + 1e-12);
            const double curvature = l - 2 * m + r;
            return curvature < 0 ? std::clamp(0.5 * (l - r) / curvature, -0.5, 0.5) : 0.0;
        };
        return Vector(signed_index(x) + vertex(at(x - 1, y), at(x, y), at(x + 1, y)),
                      signed_index(y) + vertex(at(x, y - 1), at(x, y), at(x, y + 1))) /
               size_;
    }
    static constexpr double ring_width = 6;
    int size_ = 0;
    double resolution_ = 1;
    Pixels power_;
    std::vector<double> median_;
};

/// Two first-order wave vectors at 60 degrees and the strength of the weakest of the three peaks.
struct Hexagon {
    Vector g1, g2;
    double weakest = 0;
    double score = 0;
};

/// The three peaks g1, g2, g1 - g2 near given places, with g1 and g2 by least squares of all three.
Hexagon measured_hexagon(const Spectrum& spectrum, const Vector& k1, const Vector& k2) {
    const auto p1 = spectrum.near(k1, 1.0), p2 = spectrum.near(k2, 1.0), p3 = spectrum.near(k1 - k2, 1.0);
    const Vector misfit = p3.k - (p1.k - p2.k);
    Hexagon result{p1.k + misfit / 3, p2.k - misfit / 3, std::min({p1.strength, p2.strength, p3.strength}),
                   0};
    result.score = std::log(p1.strength + 1) + std::log(p2.strength + 1) + std::log(p3.strength + 1);
    if (misfit.norm() > 2 * spectrum.bin()) result.weakest = result.score = 0;
    return result;
}

std::optional<Hexagon> find_hexagon(const Spectrum& spectrum, double lowest_k, double highest_k,
                                    double least_peak) {
    const auto peaks = spectrum.peaks(lowest_k, highest_k, 80);
    Hexagon best;
    for (const auto& a : peaks)
        for (const auto& b : peaks) {
            const double cross = a.k.x() * b.k.y() - a.k.y() * b.k.x(), ratio = a.k.norm() / b.k.norm();
            const double angle = std::atan2(cross, a.k.dot(b.k)) * 180 / pi;
            if (std::abs(angle - 60) > 12 || ratio > 1.2 || ratio < 1 / 1.2) continue;
            const Hexagon hexagon = measured_hexagon(spectrum, a.k, b.k);
            if (hexagon.weakest >= least_peak && hexagon.score > best.score) best = hexagon;
        }
    if (best.weakest < least_peak) return std::nullopt;
    // Peaks of higher order repeat the pattern larger: when peaks stand at the places of the first order,
    // those count. Second order: g' = g1 + g2 turned by 30 degrees, longer by sqrt(3); then 2 g.
    for (bool shorter = true; shorter;) {
        shorter = false;
        const Vector third1 = (2 * best.g1 - best.g2) / 3, third2 = (best.g1 + best.g2) / 3;
        for (const auto& [k1, k2] : {std::pair<Vector, Vector>{third1, third2},
                                     std::pair<Vector, Vector>{best.g1 / 2, best.g2 / 2}}) {
            if (k1.norm() * 2.2 * largest_pixel_angstrom < smallest_pixel_angstrom) continue;
            const Hexagon candidate = measured_hexagon(spectrum, k1, k2);
            if (candidate.weakest >= least_peak && candidate.g1.norm() < 0.8 * best.g1.norm() &&
                candidate.g1.norm() > 3 * spectrum.bin()) {
                best = candidate;
                shorter = true;
                break;
            }
        }
    }
    return best;
}

/// The scale of a hexagon: |g| = pixel / row distance.
double scale_of(const Hexagon& hexagon) {
    const double area = std::abs(hexagon.g1.x() * hexagon.g2.y() - hexagon.g1.y() * hexagon.g2.x());
    return std::sqrt(area / std::sqrt(0.75)) * row_distance_angstrom;
}

/// A sheet over a small part of a frame hardly shows in the spectrum of the whole: halves and quarters of the
/// sides, overlapping by halves, in which at least so many rows of atoms have room.
constexpr std::array part_divisors{2, 4};
constexpr double least_rows = 6;
std::vector<Pixels> parts_of(const Pixels& pixels, int divisor, double row_px) {
    const Eigen::Index h = pixels.rows() / divisor, w = pixels.cols() / divisor;
    std::vector<Pixels> parts;
    if (static_cast<double>(std::min(h, w)) < least_rows * row_px) return parts;
    for (int row = 0; row <= 2 * (divisor - 1); ++row)
        for (int column = 0; column <= 2 * (divisor - 1); ++column)
            parts.emplace_back(pixels.block(row * h / 2, column * w / 2, h, w));
    return parts;
}

/// @param bin width of one independent frequency, cycles per pixel
LatticeCalibration from_hexagon(const Hexagon& hexagon, double bin) {
    // a_i . g_j = delta_ij; g1 and g2 at 60 degrees give a1 and a2 at 120: a1 + a2 makes it 60.
    Eigen::Matrix2d g;
    g.col(0) = hexagon.g1;
    g.col(1) = hexagon.g2;
    const Eigen::Matrix2d dual = g.inverse().transpose();
    Eigen::Matrix2d lattice;
    lattice.col(0) = dual.col(0);
    lattice.col(1) = dual.col(0) + dual.col(1);
    LatticeCalibration result = from_lattice(lattice);
    result.peak_to_background = hexagon.weakest;
    result.scale_uncertainty_angstrom =
        result.scale_angstrom * 0.4 * bin / (hexagon.g1.norm() * std::sqrt(hexagon.weakest));
    return result;
}

}  // namespace

void LatticeCalibration::apply(Detections& detections) const {
    for (Detection& atom : detections) {
        const Vector position = angstrom_per_pixel * Vector(atom.x_px, atom.y_px);
        atom.x_angstrom = position.x();
        atom.y_angstrom = position.y();
    }
}

LatticeCalibration nominal_calibration(double pixel_size_angstrom) {
    if (!(pixel_size_angstrom > 1e-4 && pixel_size_angstrom < 1e4))
        throw InputError(
            fmt::format("pixel size {} angstrom: a positive length is needed", pixel_size_angstrom));
    LatticeCalibration result;
    result.angstrom_per_pixel = pixel_size_angstrom * Eigen::Matrix2d::Identity();
    result.scale_angstrom = result.smallest_scale_angstrom = result.largest_scale_angstrom =
        pixel_size_angstrom;
    result.nominal_angstrom = pixel_size_angstrom;
    return result;
}

LatticeCalibration calibrate_lattice(const Image& image, std::optional<double> nominal,
                                     const Context& context) {
    require_usable(image, 48);
    if (nominal && !(*nominal > 1e-4 && *nominal < 1e4))
        throw InputError(fmt::format("pixel size {} angstrom: a positive length is needed", *nominal));
    const std::string where = image.source.empty() ? "image" : image.source;
    std::optional<Hexagon> found;
    double bin = 0;
    const auto search = [&](const Pixels& part, double period_px, double smallest_pixel,
                            double largest_pixel) {
        const Spectrum spectrum(part, period_px);
        // At least three rows must fit into the frame, and two pixels between rows.
        const double lowest = std::max(smallest_pixel / row_distance_angstrom, 3 * spectrum.bin());
        const double highest = std::min(largest_pixel / row_distance_angstrom, 0.45);
        const auto hexagon = find_hexagon(spectrum, lowest, highest, clear_peak);
        if (hexagon && (!found || hexagon->score > found->score)) {
            found = hexagon;
            bin = spectrum.bin();
        }
    };
    const auto search_near_nominal = [&](const Pixels& part) {
        if (nominal && *nominal > smallest_pixel_angstrom && *nominal < largest_pixel_angstrom)
            search(part, row_distance_angstrom / *nominal, *nominal * (1 - wrong_by),
                   *nominal * (1 + wrong_by));
    };
    search_near_nominal(image.pixels);
    if (!found)
        for (const double period : {5.0, 12.0, 30.0, 75.0})
            if (period < std::min(image.width(), image.height()) / 4.0)
                search(image.pixels, period, smallest_pixel_angstrom, largest_pixel_angstrom);
    for (const int divisor : part_divisors)
        if (!found && nominal)
            for (const Pixels& part : parts_of(image.pixels, divisor, row_distance_angstrom / *nominal))
                search_near_nominal(part);
    if (!found)
        throw NumericalError(
            fmt::format("{}: no graphene lattice found in the Fourier spectrum; needed are clean graphene "
                        "over a good part of the frame and {} to {} angstrom per pixel",
                        where, smallest_pixel_angstrom, largest_pixel_angstrom));
    const double measured = scale_of(*found);
    if (nominal) {
        const double off = measured / *nominal - 1;
        if (std::abs(off) > wrong_by)
            throw InputError(
                fmt::format("{}: the pixel size {} angstrom does not fit; the graphene lattice in it says "
                            "{:.4f} angstrom "
                            "(give that, or switch the calibration off)",
                            where, *nominal, measured));
        if (std::abs(off) > suspicious_by)
            context.warning(fmt::format(
                "{}: the pixel size {} angstrom is off by {:.0f} %: the lattice says {:.4f} angstrom", where,
                *nominal, 100 * off, measured));
    }
    LatticeCalibration result = from_hexagon(*found, bin);
    result.nominal_angstrom = nominal;
    return result;
}

std::optional<LatticeCalibration> lattice_at(const Image& image, double pixel_size_angstrom) {
    require_usable(image, 48);
    const double row_px = row_distance_angstrom / pixel_size_angstrom;
    const auto in = [&](const Pixels& part, double least_peak) -> std::optional<LatticeCalibration> {
        const Spectrum spectrum(part, row_px);
        const auto hexagon = find_hexagon(spectrum, (1 - suspicious_by) / row_px,
                                          std::min((1 + suspicious_by) / row_px, 0.45), least_peak);
        if (!hexagon) return std::nullopt;
        return from_hexagon(*hexagon, spectrum.bin());
    };
    const auto whole = in(image.pixels, faint_peak);
    if (whole && whole->peak_to_background >= clear_peak) return whole;
    for (const int divisor : part_divisors) {
        std::optional<LatticeCalibration> best;
        for (const Pixels& part : parts_of(image.pixels, divisor, row_px)) {
            const auto found = in(part, clear_peak);
            if (found && (!best || found->peak_to_background > best->peak_to_background)) best = found;
        }
        if (best) return best;
    }
    return whole;
}

LatticeCalibration refine_calibration(const LatticeCalibration& first, const Detections& atoms) {
    if (first.lattice_px.determinant() == 0) return first;
    std::vector<Vector> points;
    for (const Detection& atom : atoms)
        if (atom.atomic_number == 6) points.emplace_back(atom.x_px, atom.y_px);
    if (points.empty()) return first;
    const double longest = std::max(first.lattice_px.col(0).norm(), first.lattice_px.col(1).norm());
    const NeighborBins bins(points, 1.5 * longest);
    Eigen::Matrix2d lattice = first.lattice_px;
    LatticeCalibration result = first;
    for (int round = 0; round < 3; ++round) {
        // Vectors between second neighbours v = m a1 + n a2: least squares of |v - A (m, n)|^2 over A.
        const Eigen::Matrix2d inverse = lattice.inverse();
        const double tolerance = round == 0 ? 0.25 : 0.18;
        Eigen::Matrix2d vm = Eigen::Matrix2d::Zero(), mm = vm;
        double squares = 0;
        int pairs = 0;
        std::vector<int> near;
        for (std::size_t i = 0; i < points.size(); ++i) {
            bins.within(points[i], 1.25 * longest, near);
            for (const int j : near) {
                if (j <= static_cast<int>(i)) continue;
                const Vector v = points[static_cast<std::size_t>(j)] - points[i];
                const Vector index = inverse * v, whole(std::round(index.x()), std::round(index.y()));
                const double length2 = whole.squaredNorm() + whole.prod();
                if (length2 != 1 || (index - whole).norm() > tolerance) continue;
                vm += v * whole.transpose();
                mm += whole * whole.transpose();
                squares += (v - lattice * whole).squaredNorm();
                ++pairs;
            }
        }
        if (pairs < 30) return result;
        lattice = vm * mm.inverse();
        result = from_lattice(lattice);
        result.nominal_angstrom = first.nominal_angstrom;
        result.peak_to_background = first.peak_to_background;
        result.refinement_pairs = pairs;
        // Each atom is in six pairs: the independent ones are a third.
        const double deviation_px = std::sqrt(squares / (2 * pairs));
        result.scale_uncertainty_angstrom =
            result.scale_angstrom * deviation_px / longest / std::sqrt(pairs / 3.0);
    }
    return result;
}

BondStatistics carbon_bonds(const Detections& atoms) {
    const double bond = graphene_lattice_angstrom / std::sqrt(3.0);
    std::vector<Vector> points;
    for (const Detection& atom : atoms)
        if (atom.atomic_number == 6) points.emplace_back(atom.x_angstrom, atom.y_angstrom);
    BondStatistics result;
    double sum = 0, squares = 0;
    const NeighborBins bins(points, 1.3 * bond);
    std::vector<int> near;
    for (std::size_t i = 0; i < points.size(); ++i) {
        bins.within(points[i], 1.3 * bond, near);
        for (const int j : near) {
            const double d = (points[static_cast<std::size_t>(j)] - points[i]).norm();
            if (j <= static_cast<int>(i) || d < 0.7 * bond) continue;
            sum += d;
            squares += d * d;
            ++result.count;
        }
    }
    if (result.count > 0) {
        result.mean_angstrom = sum / result.count;
        result.deviation_angstrom =
            std::sqrt(std::max(0.0, squares / result.count - result.mean_angstrom * result.mean_angstrom));
    }
    return result;
}

double dark_atom_phase(const Image& image, const LatticeCalibration& calibration) {
    require_usable(image, 8);
    if (calibration.lattice_px.determinant() == 0) return 0;
    const Pixels& p = image.pixels;
    const double scale = calibration.scale_angstrom;
    Pixels detail = p - gaussian_blur(p, 2.0 / scale);
    // Contamination is bright and rough: every place has the same say.
    detail /= gaussian_blur(detail.square(), 5.0 / scale).sqrt() + 1e-12f;
    // Down to 0 at the border: a wave that is continued as a constant would not cancel there.
    const double taper = std::min(10.0 / scale, 0.25 * static_cast<double>(std::min(p.rows(), p.cols())));
    const auto from_border = [&](Eigen::Index i, Eigen::Index n) {
        return std::min(1.0, static_cast<double>(std::min(i, n - 1 - i)) / taper);
    };
    for (Eigen::Index y = 0; y < p.rows(); ++y)
        for (Eigen::Index x = 0; x < p.cols(); ++x)
            detail(y, x) *= static_cast<float>(from_border(y, p.rows()) * from_border(x, p.cols()));
    const Eigen::Matrix2d g = calibration.lattice_px.inverse().transpose();
    ComplexPixels product = ComplexPixels::Constant(p.rows(), p.cols(), 1);
    for (const Vector& k : {Vector(g.col(0)), Vector(g.col(1)), Vector(-g.col(0) - g.col(1))}) {
        Pixels real(p.rows(), p.cols()), imaginary(p.rows(), p.cols());
        for (Eigen::Index y = 0; y < p.rows(); ++y)
            for (Eigen::Index x = 0; x < p.cols(); ++x) {
                const double phase =
                    2 * pi * (k.x() * static_cast<double>(x) + k.y() * static_cast<double>(y));
                real(y, x) = detail(y, x) * static_cast<float>(std::cos(phase));
                imaginary(y, x) = detail(y, x) * static_cast<float>(std::sin(phase));
            }
        real = gaussian_blur(real, 5.0 / scale);
        imaginary = gaussian_blur(imaginary, 5.0 / scale);
        for (Eigen::Index i = 0; i < product.size(); ++i)
            product.data()[i] *= std::complex<float>(real.data()[i], imaginary.data()[i]);
    }
    const double modulus = product.abs2().mean();
    return modulus > 0 ? (product.real() * product.abs()).mean() / modulus : 0;
}

}  // namespace stembridge::ml
