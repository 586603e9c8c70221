// SPDX-License-Identifier: Apache-2.0
#include "report_example.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/random.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::testing {
namespace {

constexpr double pixel_angstrom = 0.104;

int nearest_to(const Structure& structure, const Eigen::Vector2d& point) {
    Eigen::Index nearest = 0;
    (structure.positions.topRows(2).colwise() - point).colwise().squaredNorm().minCoeff(&nearest);
    return static_cast<int>(nearest);
}

// Springs along bonds and between second neighbours, so that neither lengths nor angles collapse. In plane.
Structure spring_relaxed(Structure structure, const std::vector<Bond>& bonds, int iterations) {
    struct Spring {
        int i, j;
        double length, stiffness;
    };
    std::vector<Spring> springs;
    std::vector<std::vector<int>> neighbors(static_cast<std::size_t>(structure.size()));
    const auto hydrogen = [&](int atom) {
        return structure.atomic_numbers[static_cast<std::size_t>(atom)] == 1;
    };
    for (const Bond& bond : bonds) {
        springs.push_back(
            {bond.i, bond.j, (hydrogen(bond.i) || hydrogen(bond.j) ? 1.09 : 1.42) * units::angstrom, 1});
        neighbors[static_cast<std::size_t>(bond.i)].push_back(bond.j);
        neighbors[static_cast<std::size_t>(bond.j)].push_back(bond.i);
    }
    for (const std::vector<int>& around : neighbors)
        for (std::size_t a = 0; a < around.size(); ++a)
            for (std::size_t b = 0; b < a; ++b)
                springs.push_back(
                    {around[a], around[b],
                     (hydrogen(around[a]) || hydrogen(around[b]) ? 2.18 : 2.46) * units::angstrom, 0.25});
    for (int iteration = 0; iteration < iterations; ++iteration) {
        Eigen::Matrix3Xd force = Eigen::Matrix3Xd::Zero(3, structure.size());
        for (const Spring& spring : springs) {
            const Eigen::Vector3d r = structure.positions.col(spring.j) - structure.positions.col(spring.i);
            const Eigen::Vector3d pull = spring.stiffness * (r.norm() - spring.length) * r.normalized();
            force.col(spring.i) += pull;
            force.col(spring.j) -= pull;
        }
        for (int i = 0; i < structure.size(); ++i)
            for (const int axis : {0, 1})
                if (!structure.is_fixed(axis, i)) structure.positions(axis, i) += 0.12 * force(axis, i);
    }
    return structure;
}

// A sheet that fills the frame, with a turned bond near the middle and some silicon.
Structure sheet(const ExampleOptions& options, Random& random) {
    Structure structure = graphene_sheet(options.cells_x, options.cells_y);
    structure.cell.periodic = {false, false, false};
    const Eigen::Vector2d middle =
        0.5 * options.frame_px * pixel_angstrom * units::angstrom * Eigen::Vector2d(0.8, 1.15);
    const int i = nearest_to(structure, middle);
    const int j = BondGraph(structure).of(i).front().j;
    // Before it relaxes, a turned bond has second neighbours that are almost as close as bonds.
    structure = with_rotated_bond(structure, i, j);
    BondCriteria close;
    close.factor = 1.15;
    structure = spring_relaxed(structure, BondGraph(structure, close).bonds(), 200);
    for (int k = 0; k < structure.size() / 100; ++k) {
        const int atom = static_cast<int>(random.below(structure.size()));
        if ((structure.positions.col(atom).head<2>() - middle).norm() > 14 * units::angstrom)
            structure = with_substitution(structure, atom, 14);
    }
    return structure;
}

Pixels micrograph(const Structure& structure, int size, Random& random) {
    Pixels pixels = Pixels::Constant(size, size, 0.25F);
    constexpr double sigma_px = 4.6;
    for (int k = 0; k < structure.size(); ++k) {
        const Eigen::Vector2d at = structure.positions.col(k).head<2>() / units::angstrom / pixel_angstrom;
        const double height = structure.atomic_numbers[static_cast<std::size_t>(k)] == 14 ? 3.4 : 1.0;
        for (int row = static_cast<int>(at[1]) - 16; row <= static_cast<int>(at[1]) + 16; ++row)
            for (int column = static_cast<int>(at[0]) - 16; column <= static_cast<int>(at[0]) + 16; ++column)
                if (row >= 0 && column >= 0 && row < size && column < size)
                    pixels(row, column) += static_cast<float>(
                        height * std::exp(-0.5 * (Eigen::Vector2d(column, row) - at).squaredNorm() /
                                          (sigma_px * sigma_px)));
    }
    // Contamination creeps in from the right.
    for (int row = 0; row < size; ++row)
        for (int column = 0; column < size; ++column) {
            const double edge =
                0.86 * size + 0.04 * size * std::sin(0.012 * row) + 0.02 * size * std::sin(0.041 * row);
            pixels(row, column) += static_cast<float>(2.2 / (1 + std::exp((edge - column) / 9.0)));
            pixels(row, column) += static_cast<float>(0.16 * random.normal());
        }
    return pixels;
}

Detections detections(const Structure& structure, int size, Random& random) {
    Detections found;
    for (int k = 0; k < structure.size(); ++k) {
        Detection atom;
        atom.x_px = structure.positions(0, k) / units::angstrom / pixel_angstrom + 0.3 * random.normal();
        atom.y_px = structure.positions(1, k) / units::angstrom / pixel_angstrom + 0.3 * random.normal();
        if (atom.x_px < 3 || atom.y_px < 3 || atom.x_px > 0.85 * size || atom.y_px > size - 4) continue;
        atom.x_angstrom = pixel_angstrom * atom.x_px;
        atom.y_angstrom = pixel_angstrom * atom.y_px;
        atom.atomic_number = k % 700 == 300 ? 0 : structure.atomic_numbers[static_cast<std::size_t>(k)];
        atom.probability = random.uniform(0.8, 1.0);
        found.push_back(atom);
    }
    return found;
}

}  // namespace

io::ReportData example_report(const ExampleOptions& options) {
    Random random(7);
    io::ReportData data;
    data.title = "Stone–Wales defect in graphene";
    data.subtitle = "runs/example · 91 carbon atoms around the defect, relaxed, then 2 ps at 300 K";
    data.warnings = {"The parameter set holds no pair Si-H; silicon was left out of the crop.",
                     "3 atoms of unknown species were left out: <probability> < 0.5 & no neighbour."};
    using Status = io::ReportStage::Status;
    data.stages = {{"Read and calibrate", Status::done, 1.21, ""},
                   {"Find atoms", Status::done, 14.8, "U-Net"},
                   {"Build", Status::done, 0.04, ""},
                   {"Relax", Status::done, 41.3, "resumed from step 12"},
                   {"Dynamics", Status::done, 312.6, ""},
                   {"Simulated image", Status::not_run, 0, ""}};

    const Structure whole = sheet(options, random);
    io::ReportFrame frame;
    frame.image.pixels = micrograph(whole, options.frame_px, random);
    frame.image.source = "data/example_frame.tif, frame 3";
    frame.pixel_size_angstrom = pixel_angstrom;
    frame.atoms = detections(whole, options.frame_px, random);
    frame.calibration = io::ReportCalibration{.nominal_angstrom_per_px = 0.104,
                                              .lattice_angstrom_per_px = 0.10032,
                                              .uncertainty_angstrom_per_px = 2e-5,
                                              .smallest_angstrom_per_px = 0.0972,
                                              .largest_angstrom_per_px = 0.1036,
                                              .anisotropy_percent = 6.58,
                                              .shear = -0.0123,
                                              .rotation_degree = 17.42,
                                              .mean_cc_angstrom = 1.4204};
    frame.detectors = {
        {"U-Net", static_cast<int>(frame.atoms.size()), 0.991, 0.987, 0.989, 0.092, 14.8},
        {"classical", static_cast<int>(frame.atoms.size()) - 131, 0.973, 0.912, 0.942, 0.131, 1.9}};

    BuildReport report;
    CropOptions cut;
    cut.centre = 0.5 * options.frame_px * pixel_angstrom * units::angstrom * Eigen::Vector2d(0.8, 1.15);
    cut.n_atoms = options.crop_atoms;
    Structure measured = whole;
    for (Eigen::Index k = 0; k < measured.positions.cols(); ++k)
        measured.positions.col(k) +=
            0.06 * units::angstrom * Eigen::Vector3d(random.normal(), random.normal(), 0);
    const Derived piece = crop(measured, cut, report);
    std::vector<Eigen::Vector2d> corners;
    for (int k = 0; k < piece.structure.size(); ++k)
        corners.emplace_back(piece.structure.positions.col(k).head<2>() / units::angstrom / pixel_angstrom);
    frame.outline_px = io::convex_outline(corners, 8);
    data.frame = frame;

    Structure built = terminate_with_hydrogen(piece.structure, {}, report).structure;
    fix_atoms(built, "perimeter");
    report.messages.emplace_back("box of 41.3 x 40.8 x 20 angstrom");
    data.build = io::ReportBuild{io::report_structure(built), report.messages};

    Structure relaxed = spring_relaxed(built, data.build->built.bonds, 200);
    const Eigen::Vector3d middle = relaxed.positions.rowwise().mean();
    for (Eigen::Index k = 0; k < relaxed.positions.cols(); ++k) {
        const Eigen::Vector2d from_middle = (relaxed.positions.col(k) - middle).head<2>() / units::angstrom;
        if (relaxed.is_fixed(2, static_cast<int>(k))) continue;
        relaxed.positions(2, k) += 0.55 * units::angstrom * std::exp(-from_middle.squaredNorm() / 12) *
                                   std::sin(0.9 * from_middle[0] + 0.6);
    }
    io::ReportRelaxation relaxation;
    relaxation.before = data.build->built;
    relaxation.after = io::report_structure(relaxed);
    relaxation.method = "FIRE, then L-BFGS";
    relaxation.converged = true;
    for (int k = 0; k < 96; ++k) {
        relaxation.energy_ev.push_back(-4213.52 + 11.6 * std::exp(-k / 9.0) + 0.4 * std::exp(-k / 30.0));
        relaxation.max_force_ev_per_angstrom.push_back(4.1e-4 + 6.3 * std::exp(-k / 9.6) *
                                                                    (1 + 0.5 * std::sin(1.1 * k)));
    }
    data.relaxation = relaxation;

    io::ReportDynamics run;
    run.name = "300 K";
    run.method = "NVT, Nosé-Hoover chain, 1 fs";
    run.target_k = 300;
    run.n_atoms = relaxed.size();
    run.drift_mev_per_atom_per_ps = 0.031;
    double slow = 0;
    for (int k = 0; k <= options.steps; ++k) {
        slow = 0.995 * slow + 1.6 * random.normal();
        const double warm = 300 * (1 - 0.45 * std::exp(-k / 120.0));
        run.time_fs.push_back(k);
        run.temperature_k.push_back(warm + slow + 22 * random.normal());
        run.potential_ev.push_back(-4213.5 + 4.4 * (1 - std::exp(-k / 90.0)) + 0.2 * random.normal() -
                                   0.01 * slow);
        run.conserved_ev.push_back(-4209.0 + 7e-6 * k * 0.5 + 0.0018 * random.normal());
    }
    Structure last = relaxed;
    for (int n = 0; n < 40; ++n) {
        Eigen::Matrix3Xd positions = relaxed.positions;
        for (Eigen::Index k = 0; k < positions.cols(); ++k)
            for (int axis = 0; axis < 3; ++axis)
                if (!relaxed.is_fixed(axis, static_cast<int>(k)))
                    positions(axis, k) += (axis == 2 ? 0.16 : 0.065) * units::angstrom * random.normal();
        run.snapshots.push_back(positions);
        last.positions = positions;
        for (const Bond& bond : relaxation.after.bonds)
            if (last.atomic_numbers[static_cast<std::size_t>(bond.i)] == 6 &&
                last.atomic_numbers[static_cast<std::size_t>(bond.j)] == 6)
                run.cc_lengths_angstrom.push_back((positions.col(bond.i) - positions.col(bond.j)).norm() /
                                                  units::angstrom);
    }
    run.last = io::report_structure(last);
    data.dynamics = {run};

    data.provenance.version = "0.1.0";
    data.provenance.git_hash = "0123abc";
    data.provenance.command = "stembridge run examples/demo.toml --stages \"detect,build\"";
    data.provenance.date = "2024-05-17 14:03:11 UTC";
    data.provenance.host = "workstation";
    data.provenance.blas_kernel = "OpenBLAS 0.3.21 SkylakeX";
    data.provenance.parameter_set = "builtin C-H-Si 1.0";
    data.provenance.threads = 2;
    data.provenance.seed = 20240517;
    data.provenance.sha256 = {
        {"example_frame.tif", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
        {"network.bin", "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"}};
    data.provenance.config =
        "[run]\nname = \"example\"\n\n[md]\ntemperature = \"300 K\"\ntimestep = \"1 fs\"\nsteps = 2000\n";
    return data;
}

}  // namespace stembridge::testing
