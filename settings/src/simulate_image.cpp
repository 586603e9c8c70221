// SPDX-License-Identifier: Apache-2.0
#include "stembridge/settings/simulate_image.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::settings {

ml::SimulationOptions simulation_options(const io::Config& c) {
    ml::SimulationOptions o;
    o.probe.beam_energy_kev = c.quantity("image.beam_energy") / units::electronvolt / 1000;
    o.probe.convergence_mrad = c.number("image.convergence_mrad");
    o.probe.source_fwhm_angstrom = c.quantity("image.source_size") / units::angstrom;
    o.probe.tail_fraction = c.number("image.tail_fraction");
    o.probe.tail_fwhm_angstrom = c.quantity("image.tail_size") / units::angstrom;
    o.probe.hollow_to_peak = c.number("image.hollow_to_peak");
    o.scan.pixel_size_angstrom = c.quantity("image.pixel_size") / units::angstrom;
    o.scan.anisotropy = c.number("image.anisotropy");
    o.scan.anisotropy_angle_deg = c.number("image.anisotropy_angle_deg");
    o.scan.shear = c.number("image.shear");
    o.scan.rotation_deg = c.number("image.rotation_deg");
    o.scan.line_jitter_px = c.number("image.line_jitter_px");
    o.scan.mains_periods_per_line = c.number("image.mains_periods_per_line");
    o.scan.drift_px = {c.numbers("image.drift_px")[0], c.numbers("image.drift_px")[1]};
    o.scan.flyback_px = c.number("image.flyback_px");
    o.scan.tears = c.number("image.tears");
    o.scan.tear_px = c.number("image.tear_px");
    o.scan.hops = c.number("image.hops");
    o.contamination.coverage = c.number("image.contamination");
    o.contamination.level = c.number("image.contamination_level");
    o.contamination.speckle = c.number("image.contamination_speckle");
    o.contamination.border_angstrom = c.quantity("image.contamination_border") / units::angstrom;
    o.contamination.direction_deg = c.number("image.contamination_direction_deg");
    o.contamination.roughness = c.number("image.contamination_roughness");
    o.contamination.silicon_at_rim = c.number("image.silicon_at_rim");
    o.detector.read_noise = c.number("image.read_noise");
    o.detector.gain = c.number("image.gain");
    o.detector.saturation = c.number("image.saturation");
    ml::Aberrations& a = o.probe.aberrations;
    a.defocus_angstrom = c.quantity("aberration.defocus") / units::angstrom;
    a.astigmatism_angstrom = c.quantity("aberration.astigmatism") / units::angstrom;
    a.astigmatism_angle_deg = c.number("aberration.astigmatism_angle_deg");
    a.coma_angstrom = c.quantity("aberration.coma") / units::angstrom;
    a.coma_angle_deg = c.number("aberration.coma_angle_deg");
    a.threefold_angstrom = c.quantity("aberration.threefold") / units::angstrom;
    a.threefold_angle_deg = c.number("aberration.threefold_angle_deg");
    a.spherical_angstrom = c.quantity("aberration.spherical") / units::angstrom;
    a.fifth_order_angstrom = c.quantity("aberration.fifth_order") / units::angstrom;
    const auto angles = c.numbers("image.detector_mrad");
    const ml::DetectorSignal signal = ml::annular_detector(angles[0], angles[1], o.probe.beam_energy_kev);
    o.probe.strength = signal.strength;
    o.probe.z_exponent = signal.z_exponent;
    if (c.has("image.z_exponent")) o.probe.z_exponent = c.number("image.z_exponent");
    o.detector.electrons_per_pixel = c.number("image.electrons_per_pixel");
    o.detector.blur_px = c.number("image.noise_blur_px");
    return o;
}

ml::SceneOptions scene_options(const io::Config& c) {
    ml::SceneOptions o;
    o.rotation_deg = c.number("scene.rotation_deg");
    o.divacancies = c.number("scene.divacancies");
    o.interstitials = c.number("scene.interstitials");
    o.stone_wales = c.number("scene.stone_wales");
    o.vacancies = c.number("scene.vacancies");
    o.holes = c.number("scene.holes");
    o.hole_radius_angstrom = c.quantity("scene.hole_radius") / units::angstrom;
    o.grain_boundary = c.boolean("scene.grain_boundary");
    o.misorientation_deg = c.number("scene.misorientation_deg");
    o.silicon_substitutions = c.number("scene.silicon_substitutions");
    o.silicon_clusters = c.number("scene.silicon_clusters");
    o.silicon_adatoms = c.number("scene.silicon_adatoms");
    o.silicon_edge_share = c.number("scene.silicon_edge_share");
    o.chromium_substitutions = c.number("scene.chromium_substitutions");
    o.chromium_adatoms = c.number("scene.chromium_adatoms");
    o.carbon_adatoms = c.number("scene.carbon_adatoms");
    o.displacement_angstrom = c.quantity("scene.displacement") / units::angstrom;
    o.strain = c.number("scene.strain");
    return o;
}

io::Schema image_keys() {
    using io::Key;
    return {
        Key::integer("run.seed", "1", "Seed of noise, jitter and contamination").at_least(0),
        Key::quantity("image.pixel_size", Dimension::length, "", "Pixel size; needed").positive(),
        Key::integer("image.width", "", "Columns; left out = the structure and a margin")
            .at_least(8)
            .at_most(16384),
        Key::integer("image.height", "", "Rows").at_least(8).at_most(16384),
        Key::quantity("image.beam_energy", Dimension::energy, "60000 eV", "Beam energy").positive(),
        Key::number("image.convergence_mrad", "31", "Convergence semi-angle, mrad").positive(),
        Key::quantity("image.source_size", Dimension::length, "0.9 angstrom",
                      "Full width at half maximum of the source")
            .at_least(0),
        Key::number("image.tail_fraction", "0.3", "Share of the beam in the tails").at_least(0).at_most(1),
        Key::quantity("image.tail_size", Dimension::length, "4.5 angstrom",
                      "Full width at half maximum of the tails")
            .positive(),
        Key::number("image.hollow_to_peak", "0.62",
                    "Contrast of graphene with black level; 0 = no black level")
            .at_least(0)
            .at_most(0.99),
        Key::number("image.electrons_per_pixel", "1873",
                    "Beam electrons per pixel, as in usual real frames of 0.104 angstrom pixels, which are "
                    "noisy; 0 = expectation without noise")
            .at_least(0),
        Key::number("image.noise_blur_px", "0", "Correlation of the noise, Gaussian sigma").at_least(0),
        Key::number("image.anisotropy", "0", "Ratio of the two scan scales minus one"),
        Key::number("image.anisotropy_angle_deg", "0", "Direction of the larger scale"),
        Key::number("image.shear", "0", "x += shear * y"),
        Key::number("image.rotation_deg", "0", "Rotation of the scan"),
        Key::number("image.line_jitter_px", "0", "Standard deviation of line displacements").at_least(0),
        Key::number("image.contamination", "0", "Share of the frame that is covered")
            .at_least(0)
            .at_most(0.95),
        Key::numbers("image.detector_mrad", 2, "[54, 200]",
                     "Collection angles: brightness, and contrast between elements, follow"),
        Key::number("image.z_exponent", "", "Scattering ~ Z^exponent; left out = of the angles").positive(),
        Key::number("image.mains_periods_per_line", "0.13", "Of the mains' part of the jitter").at_least(0),
        Key::numbers("image.drift_px", 2, "[0, 0]", "Slow drift over the frame, along x and y"),
        Key::number("image.flyback_px", "0", "Stretch of the first pixels of each line"),
        Key::number("image.tears", "0", "Expected jumps of the beam along a line").at_least(0),
        Key::number("image.tear_px", "4", "Mean size of such a jump"),
        Key::number("image.hops", "0", "Expected atoms that hop while the beam crosses them").at_least(0),
        Key::number("image.contamination_level", "4", "Its brightness over that of graphene").at_least(0),
        Key::number("image.contamination_speckle", "0.35", "Relative strength of its speckle").at_least(0),
        Key::quantity("image.contamination_border", Dimension::length, "2 angstrom", "Width of its border")
            .at_least(0),
        Key::number("image.contamination_direction_deg", "0", "Side it lies on; 0 = right, 90 = bottom"),
        Key::number("image.contamination_roughness", "0.35", "0 = straight border, 1 = patches")
            .at_least(0)
            .at_most(1),
        Key::number("image.silicon_at_rim", "0", "Share of the atoms under its thin rim that are Si")
            .at_least(0)
            .at_most(1),
        Key::number("image.read_noise", "0", "Gaussian noise, detected electrons").at_least(0),
        Key::number("image.gain", "1", "Numbers per detected electron").positive(),
        Key::number("image.saturation", "0", "Largest number; 0 = none").at_least(0),
        Key::quantity("aberration.defocus", Dimension::length, "0 angstrom", "C10"),
        Key::quantity("aberration.astigmatism", Dimension::length, "0 angstrom", "C12"),
        Key::number("aberration.astigmatism_angle_deg", "0", "Its direction"),
        Key::quantity("aberration.coma", Dimension::length, "0 angstrom", "C21"),
        Key::number("aberration.coma_angle_deg", "0", "Its direction"),
        Key::quantity("aberration.threefold", Dimension::length, "0 angstrom", "C23"),
        Key::number("aberration.threefold_angle_deg", "0", "Its direction"),
        Key::quantity("aberration.spherical", Dimension::length, "0 angstrom", "C30; 1 um = 10000 angstrom"),
        Key::quantity("aberration.fifth_order", Dimension::length, "0 angstrom", "C50; 1 mm = 1e7 angstrom"),
    };
}

io::Schema scene_keys() {
    using io::Key;
    return {
        Key::number("scene.rotation_deg", "0", "--random-sheet: zigzag rows from the x axis"),
        Key::number("scene.divacancies", "0", "All numbers of defects: expected per 100 x 100 angstrom")
            .at_least(0),
        Key::number("scene.interstitials", "0", "Inverse Stone-Wales defects and their kin").at_least(0),
        Key::number("scene.stone_wales", "0", "5-7-7-5 defects").at_least(0),
        Key::number("scene.vacancies", "0", "Single vacancies").at_least(0),
        Key::number("scene.holes", "0", "Holes with vacuum").at_least(0),
        Key::quantity("scene.hole_radius", Dimension::length, "6 angstrom", "Their radius").positive(),
        Key::boolean("scene.grain_boundary", "false", "A second grain"),
        Key::number("scene.misorientation_deg", "22", "Angle between the grains"),
        Key::number("scene.silicon_substitutions", "0", "Si with 3 and, one in four, with 4 neighbours")
            .at_least(0),
        Key::number("scene.silicon_clusters", "0", "Si dimers and trimers").at_least(0),
        Key::number("scene.silicon_adatoms", "0", "Si on bonds").at_least(0),
        Key::number("scene.silicon_edge_share", "0", "Share of the atoms at edges that are Si")
            .at_least(0)
            .at_most(1),
        Key::number("scene.chromium_substitutions", "0", "Cr with 3 neighbours").at_least(0),
        Key::number("scene.chromium_adatoms", "0", "Cr over hollows").at_least(0),
        Key::number("scene.carbon_adatoms", "0", "C on bonds").at_least(0),
        Key::quantity("scene.displacement", Dimension::length, "0.03 angstrom",
                      "Random displacement of each atom per axis")
            .at_least(0),
        Key::number("scene.strain", "0.003", "Long-wave strain").at_least(0),
    };
}

namespace {

/// The atoms and, of a structure that repeats in the plane, their images within some distance of a place.
/// @param axes lattice vectors in the plane along which it repeats, angstrom: none, one or two
std::vector<ml::SceneAtom> repeated(const std::vector<ml::SceneAtom>& atoms,
                                    const std::vector<Eigen::Vector2d>& axes, const Eigen::Vector2d& middle,
                                    double distance) {
    if (axes.empty()) return atoms;
    // Farthest atom of the cell from the middle, and spacing of the rows of cells along each axis.
    double extent = 0;
    for (const ml::SceneAtom& atom : atoms)
        extent = std::max(extent, std::hypot(atom.x_angstrom - middle.x(), atom.y_angstrom - middle.y()));
    const auto cells = [&](std::size_t axis) {
        double spacing = axes[axis].norm();
        if (axes.size() == 2) {
            const Eigen::Vector2d other = axes[1 - axis].normalized();
            spacing = std::abs(axes[axis].x() * other.y() - axes[axis].y() * other.x());
        }
        return static_cast<int>(std::ceil((distance + extent) / spacing));
    };
    const int first = cells(0), second = axes.size() == 2 ? cells(1) : 0;
    const Eigen::Vector2d other_axis = axes.size() == 2 ? axes[1] : Eigen::Vector2d::Zero();
    std::vector<ml::SceneAtom> result;
    for (int m = -first; m <= first; ++m)
        for (int n = -second; n <= second; ++n) {
            const Eigen::Vector2d shift = m * axes[0] + n * other_axis;
            for (const ml::SceneAtom& atom : atoms) {
                const Eigen::Vector2d place = Eigen::Vector2d(atom.x_angstrom, atom.y_angstrom) + shift;
                if ((place - middle).norm() > distance) continue;
                result.push_back({place.x(), place.y(), atom.atomic_number});
            }
        }
    return result;
}

/// Lattice vectors along which a structure repeats in the plane, angstrom.
std::vector<Eigen::Vector2d> axes_in_plane(const Cell& cell) {
    std::vector<Eigen::Vector2d> axes;
    for (int k = 0; k < 3; ++k) {
        const Eigen::Vector3d vector = cell.vectors.col(k) / units::angstrom;
        if (cell.periodic[static_cast<std::size_t>(k)] && std::abs(vector.z()) < 0.1 * vector.norm())
            axes.emplace_back(vector.head<2>());
    }
    return axes;
}

}  // namespace

std::vector<ml::SceneAtom> scene_of(const Structure& structure, const io::Config& config,
                                    ml::ScanOptions& scan) {
    if (structure.size() == 0) throw InputError("there is no image of a structure without atoms");
    std::vector<ml::SceneAtom> atoms;
    atoms.reserve(structure.atomic_numbers.size());
    const Eigen::Matrix3Xd x = structure.positions / units::angstrom;
    for (int i = 0; i < structure.size(); ++i)
        atoms.push_back({x(0, i), x(1, i), structure.atomic_numbers[static_cast<std::size_t>(i)]});
    const Eigen::Vector2d low = x.topRows<2>().rowwise().minCoeff(),
                          high = x.topRows<2>().rowwise().maxCoeff();
    constexpr double margin_angstrom = 3;
    const auto side = [&](const char* key, int axis) {
        if (config.has(key)) return static_cast<int>(config.integer(key));
        return static_cast<int>(
            std::ceil((high(axis) - low(axis) + 2 * margin_angstrom) / scan.pixel_size_angstrom));
    };
    scan.width = side("image.width", 0);
    scan.height = side("image.height", 1);
    scan.origin_x_angstrom = (low(0) + high(0)) / 2 - scan.pixel_size_angstrom * (scan.width - 1) / 2;
    scan.origin_y_angstrom = (low(1) + high(1)) / 2 - scan.pixel_size_angstrom * (scan.height - 1) / 2;
    // The corners of the frame, however it is turned and distorted, and what shines into it from outside.
    constexpr double distortion = 1.2, shine_angstrom = 15;
    const double corner = scan.pixel_size_angstrom * std::hypot(scan.width, scan.height) / 2;
    return repeated(atoms, axes_in_plane(structure.cell), (low + high) / 2,
                    distortion * corner + shine_angstrom);
}

}  // namespace stembridge::settings
