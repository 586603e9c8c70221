// SPDX-License-Identifier: Apache-2.0
// stembridge simulate-image: the STEM frame of a structure, with its truth.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <filesystem>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

struct Options {
    ConfigOptions config{simulation_schema()};
    std::string structure, out;
    bool example = false;
};

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
    o.contamination.coverage = c.number("image.contamination");
    o.detector.electrons_per_pixel = c.number("image.electrons_per_pixel");
    o.detector.blur_px = c.number("image.noise_blur_px");
    return o;
}

/// The structure seen along z, with the frame centred on it.
std::vector<ml::SceneAtom> scene_of(const Structure& structure, const io::Config& c, ml::ScanOptions& scan) {
    std::vector<ml::SceneAtom> atoms;
    atoms.reserve(structure.atomic_numbers.size());
    const Eigen::Matrix3Xd x = structure.positions / units::angstrom;
    for (int i = 0; i < structure.size(); ++i)
        atoms.push_back({x(0, i), x(1, i), structure.atomic_numbers[static_cast<std::size_t>(i)]});
    const Eigen::Vector2d low = x.topRows<2>().rowwise().minCoeff(),
                          high = x.topRows<2>().rowwise().maxCoeff();
    constexpr double margin_angstrom = 3;
    const auto side = [&](const char* key, int axis) {
        if (c.has(key)) return static_cast<int>(c.integer(key));
        return static_cast<int>(
            std::ceil((high(axis) - low(axis) + 2 * margin_angstrom) / scan.pixel_size_angstrom));
    };
    scan.width = side("image.width", 0);
    scan.height = side("image.height", 1);
    scan.origin_x_angstrom = (low(0) + high(0)) / 2 - scan.pixel_size_angstrom * (scan.width - 1) / 2;
    scan.origin_y_angstrom = (low(1) + high(1)) / 2 - scan.pixel_size_angstrom * (scan.height - 1) / 2;
    return atoms;
}

void write_frame(const fs::path& out, const ml::SimulatedFrame& frame) {
    if (out.extension() == ".npy")
        io::write_npy(out, frame.image.pixels);
    else if (out.extension() == ".png")
        io::write_png8(out, io::to_bitmap(frame.image.pixels));
    else
        throw InputError(fmt::format("--out {}: accepted are .npy (exact) and .png (8 bit)", out.string()));
    std::string truth = "x_px,y_px,element,covered\n";
    for (const ml::TrueAtom& atom : frame.atoms)
        truth += fmt::format("{:.3f},{:.3f},{},{}\n", atom.x_px, atom.y_px,
                             element_symbol(atom.atomic_number), atom.covered ? 1 : 0);
    io::write_text_atomically(out.parent_path() / (out.stem().string() + "_truth.csv"), truth);
}

void run(const Options& options, Session& session) {
    const io::Config config = options.config.config();
    set_threads(static_cast<int>(config.integer("run.threads")));
    const Context context = session.context(static_cast<std::uint64_t>(config.integer("run.seed")));
    ml::SimulatedFrame frame;
    if (options.example) {
        frame = ml::example_frame(context);
    } else {
        if (options.structure.empty())
            throw InputError("simulate-image needs a structure file (or --example)");
        if (!config.is_set("image.pixel_size"))
            throw InputError("simulate-image needs --pixel-size, e.g. \"0.1 angstrom\"");
        ml::SimulationOptions simulation = simulation_options(config);
        const Structure structure = io::read_structure(options.structure);
        if (structure.size() == 0) throw InputError(options.structure + " holds no atoms");
        const auto atoms = scene_of(structure, config, simulation.scan);
        frame = ml::simulate_image(atoms, simulation, context);
    }
    write_frame(options.out, frame);
    session.info(fmt::format(
        "{}: {} x {} px, {} atoms, {:.1f} detected electrons per pixel of clean graphene", options.out,
        frame.image.width(), frame.image.height(), frame.atoms.size(), frame.mean_electrons_graphene));
}

}  // namespace

io::Schema simulation_schema() {
    using io::Key;
    return {
        Key::integer("run.seed", "1", "Seed of noise, jitter and contamination").at_least(0),
        Key::integer("run.threads", "0", "Threads; 0 = all processors").at_least(0).at_most(1024),
        Key::quantity("image.pixel_size", Dimension::length, "0.1 angstrom", "Pixel size").positive(),
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
                    "Beam electrons per pixel; 0 = expectation without noise")
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
    };
}

void add_simulate_image(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("simulate-image", "Simulate the STEM frame of a structure");
    command->add_option("structure", options->structure, "Structure file, seen along z");
    command
        ->add_option("--out", options->out,
                     "Frame to write: .npy or .png; the true positions go to STEM_truth.csv")
        ->required();
    command->add_flag("--example", options->example, "The example frame that is shipped, from --seed");
    for (const auto& [option, key] : {std::pair{"--pixel-size", "image.pixel_size"},
                                      {"--width", "image.width"},
                                      {"--height", "image.height"},
                                      {"--electrons-per-pixel", "image.electrons_per_pixel"},
                                      {"--source-size", "image.source_size"},
                                      {"--hollow-to-peak", "image.hollow_to_peak"},
                                      {"--contamination", "image.contamination"},
                                      {"--seed", "run.seed"},
                                      {"--threads", "run.threads"}})
        options->config.add(*command, option, key);
    options->config.add_config_file(*command);
    command->callback(
        [options, &action] { action = [options](Session& session) { run(*options, session); }; });
}

}  // namespace stembridge::app
