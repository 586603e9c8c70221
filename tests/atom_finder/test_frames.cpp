// SPDX-License-Identifier: Apache-2.0
#include "test_frames.hpp"

#include <Eigen/Dense>
#include <cmath>

#include "stembridge/base/random.hpp"

namespace stembridge::atom_finder {
namespace {

Context seeded(std::uint64_t seed) {
    Context context;
    context.seed = seed;
    return context;
}

/// Expected electrons of atoms at given places, without noise.
Eigen::VectorXd expected(const std::vector<ml::SceneAtom>& atoms, ml::SimulationOptions options) {
    const double electrons = options.detector.electrons_per_pixel;
    options.detector.electrons_per_pixel = 0;
    options.detector.blur_px = 0;
    const Pixels image = ml::simulate_image(atoms, options, {}).image.pixels;
    return electrons * Eigen::Map<const Eigen::ArrayXf>(image.data(), image.size()).cast<double>().matrix();
}

/// A still, straight scan of a few angstrom.
ml::SimulationOptions small_scan(const FrameRecipe& recipe, double side_angstrom) {
    ml::SimulationOptions options = simulation_options(recipe);
    const double pixel = options.scan.pixel_size_angstrom;
    options.scan = {};
    options.scan.pixel_size_angstrom = pixel;
    options.scan.width = options.scan.height = static_cast<int>(std::lround(side_angstrom / pixel)) + 1;
    options.contamination = {};
    return options;
}

}  // namespace

std::vector<FrameRecipe> frame_recipes(std::uint64_t set) {
    std::vector<FrameRecipe> recipes;
    Random random(0x7e57f4a3e5ULL + set);
    const std::array pixels{0.06, 0.08, 0.104, 0.13, 0.16};
    const std::array contrasts{0.55, 0.62, 0.68, 0.75};
    const auto add = [&](const char* group, int count, double dose, bool ideal) {
        for (int i = 0; i < count; ++i) {
            FrameRecipe recipe;
            recipe.group = group;
            recipe.dose = dose;
            const auto n = recipes.size();
            recipe.pixel_angstrom = pixels[n % pixels.size()];
            recipe.hollow_to_peak = ideal ? 0 : contrasts[n % contrasts.size()];
            // One frame in three is straight, one stretched, one stretched and shaken with correlated noise.
            if (i % 3 != 0) recipe.anisotropy = random.uniform(0.02, 0.07);
            if (i % 3 == 2) {
                recipe.line_jitter_angstrom = random.uniform(0.01, 0.025);
                recipe.noise_blur_angstrom = random.uniform(0.04, 0.08);
            }
            recipe.seed = random.next();
            recipes.push_back(recipe);
        }
    };
    add("real dose", 12, real_dose, false);
    add("5 x dose", 10, 5 * real_dose, false);
    add("20 x dose", 4, 20 * real_dose, false);
    add("5 x dose, ideal contrast", 6, 5 * real_dose, true);
    add("20 x dose, ideal contrast", 4, 20 * real_dose, true);
    add("contaminated, 5 % anisotropic", 10, 2 * real_dose, false);
    add("with Cr", 4, 3 * real_dose, false);
    for (FrameRecipe& recipe : recipes) {
        if (recipe.group == "contaminated, 5 % anisotropic") {
            recipe.contamination = 0.33;
            recipe.anisotropy = 0.05;
            recipe.side_angstrom = 48;
        }
        if (recipe.group == "with Cr") recipe.chromium = true;
    }
    for (const std::size_t i : {3U, 14U, 24U}) recipes[i].grain_boundary = true;
    return recipes;
}

ml::SimulationOptions simulation_options(const FrameRecipe& recipe) {
    ml::SimulationOptions options;
    Random random(recipe.seed ^ 0x6f7074ULL);
    const double pixel = recipe.pixel_angstrom;
    options.scan.pixel_size_angstrom = pixel;
    options.scan.width = options.scan.height = static_cast<int>(std::lround(recipe.side_angstrom / pixel));
    options.scan.origin_x_angstrom = options.scan.origin_y_angstrom = 0.06 * recipe.side_angstrom + 2;
    options.scan.anisotropy = recipe.anisotropy;
    options.scan.anisotropy_angle_deg = random.uniform(0, 180);
    options.scan.line_jitter_px = recipe.line_jitter_angstrom / pixel;
    options.scan.mains_periods_per_line = random.uniform(0.02, 0.4);
    if (recipe.anisotropy > 0) {
        options.scan.shear = random.uniform(-0.015, 0.015);
        options.scan.drift_px = {random.uniform(-0.2, 0.2) / pixel, random.uniform(-0.2, 0.2) / pixel};
    }
    options.probe.source_fwhm_angstrom = random.uniform(0.75, 1.0);
    options.probe.hollow_to_peak = recipe.hollow_to_peak;
    options.probe.tail_fraction = recipe.hollow_to_peak > 0 ? random.uniform(0.2, 0.4) : 0;
    options.probe.z_exponent = random.uniform(1.65, 1.95);
    options.detector.electrons_per_pixel = recipe.dose * pixel * pixel;
    options.detector.blur_px = recipe.noise_blur_angstrom / pixel;
    if (recipe.contamination > 0) {
        options.contamination.coverage = recipe.contamination;
        options.contamination.direction_deg = random.uniform(0, 360);
        options.contamination.level = random.uniform(2, 8);
        options.contamination.silicon_at_rim = 0.12;
        options.contamination.border_angstrom = random.uniform(1.5, 4);
    }
    return options;
}

ml::SimulatedFrame make_frame(const FrameRecipe& recipe) {
    ml::SceneOptions scene;
    Random random(recipe.seed ^ 0x7363656e65ULL);
    scene.width_angstrom = scene.height_angstrom = 1.12 * recipe.side_angstrom + 4;
    scene.rotation_deg = random.uniform(0, 60);
    scene.divacancies = scene.stone_wales = 8;
    scene.vacancies = 14;
    scene.silicon_substitutions = recipe.chromium ? 110 : 60;
    scene.silicon_clusters = 8;
    scene.grain_boundary = recipe.grain_boundary;
    std::vector<ml::SceneAtom> atoms = ml::random_scene(scene, seeded(recipe.seed));
    int turn = 0;
    for (ml::SceneAtom& atom : atoms)
        if (recipe.chromium && atom.atomic_number == 14 && turn++ % 3 == 0) atom.atomic_number = 24;
    ml::SimulatedFrame frame = ml::simulate_image(atoms, simulation_options(recipe), seeded(recipe.seed + 1));
    if (recipe.anisotropy > 0) frame.image.pixel_size_angstrom = 1.03 * recipe.pixel_angstrom;
    frame.image.source = recipe.group;
    return frame;
}

double isolated_bound(const FrameRecipe& recipe) {
    const ml::SimulationOptions options = small_scan(recipe, 6);
    const double middle = 3, step = 0.01;
    const Eigen::VectorXd here = expected({{middle, middle, 6}}, options);
    const Eigen::VectorXd slope =
        (expected({{middle + step, middle, 6}}, options) - expected({{middle - step, middle, 6}}, options)) /
        (2 * step);
    // Without black level the far pixels hold nothing: 0 / 0 counts as 0.
    double information = 0;
    for (Eigen::Index i = 0; i < here.size(); ++i)
        if (here(i) > 1e-12 * here.maxCoeff()) information += slope(i) * slope(i) / here(i);
    return 1 / std::sqrt(information);
}

double sheet_bound(const FrameRecipe& recipe) {
    // Fisher's information of x and y of all atoms near the middle one, and of a level.
    const ml::SimulationOptions options = small_scan(recipe, 11);
    ml::SceneOptions scene;
    scene.width_angstrom = scene.height_angstrom = 11;
    scene.displacement_angstrom = scene.strain = 0;
    std::vector<ml::SceneAtom> atoms = ml::random_scene(scene, seeded(1));
    const Eigen::VectorXd here = expected(atoms, options);
    const auto distance = [](const ml::SceneAtom& a) {
        return std::hypot(a.x_angstrom - 5.5, a.y_angstrom - 5.5);
    };
    std::vector<std::size_t> near;
    std::size_t middle = 0;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (distance(atoms[i]) < 3.2) near.push_back(i);
        if (distance(atoms[i]) < distance(atoms[middle])) middle = i;
    }
    Eigen::MatrixXd slopes(here.size(), static_cast<Eigen::Index>(2 * near.size()) + 1);
    Eigen::Index column = 0, wanted = 0;
    for (const std::size_t i : near) {
        if (i == middle) wanted = column;
        for (const Eigen::Vector2d& step : {Eigen::Vector2d(0.01, 0), Eigen::Vector2d(0, 0.01)}) {
            std::vector<ml::SceneAtom> one{atoms[i]}, other = one;
            one[0].x_angstrom += step.x();
            one[0].y_angstrom += step.y();
            other[0].x_angstrom -= step.x();
            other[0].y_angstrom -= step.y();
            slopes.col(column++) = (expected(one, options) - expected(other, options)) / 0.02;
        }
    }
    slopes.col(column) = Eigen::VectorXd::Ones(here.size());
    const Eigen::VectorXd weight = here.array().max(1e-9 * here.maxCoeff()).inverse();
    const Eigen::MatrixXd information = slopes.transpose() * weight.asDiagonal() * slopes;
    const Eigen::MatrixXd covariance =
        information.ldlt().solve(Eigen::MatrixXd::Identity(information.rows(), information.cols()));
    return std::sqrt(0.5 * (covariance(wanted, wanted) + covariance(wanted + 1, wanted + 1)));
}

}  // namespace stembridge::atom_finder
