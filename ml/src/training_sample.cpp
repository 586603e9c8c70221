// SPDX-License-Identifier: Apache-2.0
// What a network sees: resampled and normalised frames, and random simulated crops with their labels.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "filters.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/simulate_image.hpp"
#include "stembridge/ml/training.hpp"

namespace stembridge::ml {
namespace {

constexpr double brightest_linear = 1.5;

double between(const std::array<double, 2>& range, Random& random) {
    return random.uniform(range[0], range[1]);
}
double log_between(const std::array<double, 2>& range, Random& random) {
    return std::exp(random.uniform(std::log(range[0]), std::log(range[1])));
}

SceneOptions random_scene_options(double side_angstrom, Random& random) {
    SceneOptions scene;
    scene.width_angstrom = scene.height_angstrom = side_angstrom;
    scene.margin_angstrom = 5;
    scene.rotation_deg = random.uniform(0, 60);
    // Densities per 100 x 100 angstrom; a crop of 20 angstrom holds a twenty-fifth of them.
    const auto sometimes = [&](double share, double most) {
        return random.uniform() < share ? random.uniform(0.3, 1) * most : 0.0;
    };
    scene.divacancies = sometimes(0.35, 30);
    scene.interstitials = sometimes(0.2, 20);
    scene.stone_wales = sometimes(0.35, 40);
    scene.vacancies = sometimes(0.35, 40);
    scene.holes = sometimes(0.15, 18);
    scene.hole_radius_angstrom = random.uniform(3, 8);
    scene.grain_boundary = random.uniform() < 0.12;
    scene.misorientation_deg = random.uniform(6, 30);
    scene.silicon_substitutions = sometimes(0.5, 60);
    scene.silicon_clusters = sometimes(0.2, 30);
    scene.silicon_adatoms = sometimes(0.1, 15);
    scene.displacement_angstrom = random.uniform(0.01, 0.06);
    scene.strain = random.uniform(0, 0.02);
    return scene;
}

}  // namespace

Pixels resample(const Pixels& pixels, double factor) {
    if (!(factor > 0.01 && factor < 100))
        throw InputError("resample: the factor must lie between 0.01 and 100");
    if (factor == 1) return pixels;
    // Below factor 1 the grid gets coarser: a Gaussian takes away what it could not carry.
    const Pixels smooth =
        factor < 1 ? gaussian_blur(pixels, 0.45 * std::sqrt(1 / (factor * factor) - 1)) : pixels;
    const auto length = [&](Eigen::Index n) {
        return std::max<Eigen::Index>(
            1, static_cast<Eigen::Index>(static_cast<double>(n - 1) * factor + 1e-9) + 1);
    };
    Pixels result(length(pixels.rows()), length(pixels.cols()));
    for (Eigen::Index y = 0; y < result.rows(); ++y)
        for (Eigen::Index x = 0; x < result.cols(); ++x)
            result(y, x) = static_cast<float>(
                bicubic(smooth, static_cast<double>(x) / factor, static_cast<double>(y) / factor));
    return result;
}

Pixels normalise_frame(const Pixels& pixels, const Pixels& region) {
    std::vector<float> values = masked_values(pixels, region);
    if (values.size() < 100) values = masked_values(pixels, {});
    const double median = quantile(values, 0.5);
    const double spread = std::max(quantile(values, 0.95) - quantile(values, 0.05), 1e-12);
    // y = (I - median) / spread; above 1.5, y -> 1.5 + log(1 + y - 1.5): Si and contamination stay in reach.
    Pixels result = (pixels - static_cast<float>(median)) / static_cast<float>(spread);
    for (Eigen::Index i = 0; i < result.size(); ++i) {
        float& y = result.data()[i];
        if (y > brightest_linear) y = static_cast<float>(brightest_linear + std::log1p(y - brightest_linear));
    }
    return result;
}

TrainingCrop simulated_crop(const TrainingOptions& options, int crop, std::uint64_t seed) {
    Random random(seed);
    const double grid = options.pixel_size_angstrom, source = between(options.source_pixel_angstrom, random);
    const double factor = source / grid;

    SimulationOptions frame;
    ScanOptions& scan = frame.scan;
    scan.pixel_size_angstrom = source;
    scan.width = scan.height = static_cast<int>(std::ceil((crop - 1) / factor)) + 2;
    scan.anisotropy = random.uniform(0, options.largest_anisotropy);
    scan.anisotropy_angle_deg = random.uniform(0, 180);
    scan.shear = random.uniform(-0.02, 0.02);
    scan.drift_px = {random.uniform(-1.5, 1.5), random.uniform(-1.5, 1.5)};
    scan.line_jitter_px = random.uniform() < 0.8 ? random.uniform(0, 0.35) * 0.1 / source : 0.0;
    scan.mains_periods_per_line = random.uniform(0.01, 0.5);
    scan.flyback_px = random.uniform() < 0.15 ? random.uniform(0, 3) : 0.0;
    ProbeOptions& probe = frame.probe;
    probe.convergence_mrad = random.uniform(28, 36);
    probe.source_fwhm_angstrom = between(options.source_fwhm_angstrom, random);
    probe.tail_fraction = between(options.tail_fraction, random);
    probe.tail_fwhm_angstrom = random.uniform(3, 6);
    probe.hollow_to_peak = between(options.hollow_to_peak, random);
    probe.z_exponent = random.uniform(1.5, 2.0);
    ContaminationOptions& dirt = frame.contamination;
    if (random.uniform() < options.contaminated_share) {
        dirt.coverage = random.uniform(0.05, 0.75);
        dirt.level = std::exp(random.uniform(std::log(0.9), std::log(10.0)));
        dirt.speckle = random.uniform(0.1, 0.6);
        dirt.border_angstrom = random.uniform(1, 6);
        dirt.direction_deg = random.uniform(0, 360);
        dirt.roughness = random.uniform(0.1, 0.9);
        dirt.silicon_at_rim = random.uniform() < 0.6 ? random.uniform(0, 0.5) : 0.0;
    }
    frame.detector.blur_px = between(options.noise_blur_px, random) * 0.1 / source;
    frame.detector.electrons_per_pixel =
        log_between(options.electrons_per_pixel_at_tenth_angstrom, random) * source * source / 0.01;

    // The scan may reach outside its nominal square: the sheet goes on around it.
    const double side = scan.width * source, margin = 0.06 * side + 2;
    SceneOptions sheet = random_scene_options(side + 2 * margin, random);
    scan.origin_x_angstrom = scan.origin_y_angstrom = margin;
    Context context;
    context.seed = random.next();
    const SimulatedFrame simulated = simulate_image(random_scene(sheet, context), frame, context);

    TrainingCrop result;
    const Pixels clean =
        (resample(simulated.contamination, factor) < 0.5f).cast<float>().topLeftCorner(crop, crop);
    Pixels image = resample(simulated.image.pixels, factor).topLeftCorner(crop, crop);
    // Slowly changing brightness, and the error that a real frame's median and spread have for this crop.
    const double slope_x = random.normal(), slope_y = random.normal();
    std::vector<float> values = masked_values(image, clean);
    const double swing = 0.08 * (quantile(values, 0.95) - quantile(values, 0.05));
    for (int y = 0; y < crop; ++y)
        for (int x = 0; x < crop; ++x)
            image(y, x) += static_cast<float>(swing * (slope_x * (static_cast<double>(x) / crop - 0.5) +
                                                       slope_y * (static_cast<double>(y) / crop - 0.5)));
    result.image = normalise_frame(image, clean) * static_cast<float>(std::exp(0.15 * random.normal())) +
                   static_cast<float>(0.08 * random.normal());

    // Atoms whose discs reach into the crop.
    const double radius = options.disc_radius_angstrom / grid;
    for (const TrueAtom& atom : simulated.atoms) {
        const double x = atom.x_px * factor, y = atom.y_px * factor;
        if (atom.covered || x < -radius || y < -radius || x > crop - 1 + radius || y > crop - 1 + radius)
            continue;
        result.atoms.emplace_back(x, y, atom.atomic_number);
    }
    return result;
}

}  // namespace stembridge::ml
