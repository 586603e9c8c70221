// SPDX-License-Identifier: Apache-2.0
// stembridge simulate-image: the STEM frame of a structure, with its truth.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <filesystem>
#include <numbers>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/ml/simulate_image.hpp"
#include "stembridge/settings/simulate_image.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

struct Options {
    ConfigOptions config{simulation_schema()};
    std::string structure, out;
    bool example = false, random_sheet = false;
};

/// A random sheet that reaches beyond the frame on all sides.
std::vector<ml::SceneAtom> random_sheet(const io::Config& c, ml::ScanOptions& scan, const Context& context) {
    scan.width = c.has("image.width") ? static_cast<int>(c.integer("image.width")) : 512;
    scan.height = c.has("image.height") ? static_cast<int>(c.integer("image.height")) : scan.width;
    ml::SceneOptions scene = settings::scene_options(c);
    const double width = scan.width * scan.pixel_size_angstrom,
                 height = scan.height * scan.pixel_size_angstrom, margin = 0.1 * std::max(width, height) + 2;
    // The scan turns around the middle of the frame: the sheet is what its corners reach, and a margin.
    const double angle = scan.rotation_deg * std::numbers::pi / 180, cosine = std::abs(std::cos(angle)),
                 sine = std::abs(std::sin(angle));
    const double across = std::max(width, width * cosine + height * sine),
                 down = std::max(height, width * sine + height * cosine);
    scene.width_angstrom = across + 2 * margin;
    scene.height_angstrom = down + 2 * margin;
    scan.origin_x_angstrom = margin + (across - width) / 2;
    scan.origin_y_angstrom = margin + (down - height) / 2;
    return ml::random_scene(scene, context);
}

/// @param grey the values of the .png as they are, 0 to 255; else they are stretched over that range
void write_frame(const fs::path& out, const ml::SimulatedFrame& frame, bool grey) {
    if (out.extension() == ".npy")
        io::write_npy(out, frame.image.pixels);
    else if (out.extension() == ".png")
        io::write_png8(out,
                       grey ? io::to_bitmap(frame.image.pixels, 0, 255) : io::to_bitmap(frame.image.pixels));
    else
        throw InputError(fmt::format("--out {}: accepted are .npy (exact) and .png (8 bit)", out.string()));
    std::string truth = "x_px,y_px,element,covered\n";
    for (const ml::TrueAtom& atom : frame.atoms)
        truth += fmt::format("{:.4f},{:.4f},{},{}\n", atom.x_px, atom.y_px,
                             element_symbol(atom.atomic_number), atom.covered ? 1 : 0);
    io::write_text_atomically(out.parent_path() / (out.stem().string() + "_truth.csv"), truth);
}

void run(const Options& options, Session& session) {
    const io::Config config = options.config.config();
    set_threads(static_cast<int>(config.integer("run.threads")));
    const Context context = session.context(static_cast<std::uint64_t>(config.integer("run.seed")));
    ml::SimulatedFrame frame;
    if (options.example) {
        std::string other = options.config.given_but({"--seed", "--threads"});
        if (!options.structure.empty()) other = "a structure file";
        if (options.random_sheet) other = "--random-sheet";
        if (!other.empty())
            throw InputError("--example: what it shows is fixed but for --seed; it takes no " + other);
        frame = ml::example_frame(context);
    } else {
        if (options.structure.empty() != options.random_sheet)
            throw InputError("simulate-image needs one of: a structure file, --random-sheet, --example");
        if (!config.is_set("image.pixel_size"))
            throw InputError("simulate-image needs --pixel-size, e.g. \"0.1 angstrom\"");
        ml::SimulationOptions simulation = settings::simulation_options(config);
        std::vector<ml::SceneAtom> atoms;
        if (options.random_sheet) {
            atoms = random_sheet(config, simulation.scan, context);
        } else {
            const Structure structure = io::read_structure(options.structure);
            if (structure.size() == 0) throw InputError(options.structure + " holds no atoms");
            atoms = settings::scene_of(structure, config, simulation.scan);
        }
        frame = ml::simulate_image(atoms, simulation, context);
    }
    write_frame(options.out, frame, options.example);
    session.info(fmt::format(
        "{}: {} x {} px, {} atoms, {:.1f} detected electrons per pixel of clean graphene", options.out,
        frame.image.width(), frame.image.height(), frame.atoms.size(), frame.mean_electrons_graphene));
}

}  // namespace

void add_simulate_image(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("simulate-image", "Simulate the STEM frame of a structure");
    command->add_option("structure", options->structure, "Structure file, seen along z");
    command
        ->add_option("--out", options->out,
                     "Frame to write: .npy or .png; the true positions go to STEM_truth.csv")
        ->required();
    command->add_flag("--random-sheet", options->random_sheet,
                      "Instead of a structure: graphene with the defects of [scene] in --config");
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
