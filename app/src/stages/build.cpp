// SPDX-License-Identifier: Apache-2.0
#include "stembridge/settings/build.hpp"

#include <fmt/format.h>

#include "stages/stages.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

/// Detections come with the mask of what can be trusted, which find-atoms writes beside them.
settings::BuildStart start_from(const io::Config& config, const fs::path& input, BuildReport& report) {
    if (input.extension() != ".csv") return settings::build_start(config, io::read_structure(input), report);
    const fs::path mask = input.parent_path() / "region.npy";
    const bool wanted = config.text("build.contamination") == "exclude" && fs::exists(mask);
    return settings::build_start(config, io::read_detections_csv(input),
                                 wanted ? io::read_image(mask).pixels : Pixels(), report);
}

/// Builds every patch that was drawn at random, to look at. @param patches get their files
void write_patches(const io::Config& config, const settings::BuildStart& start, const BuildReport& report,
                   const fs::path& out, json& patches) {
    for (std::size_t k = 0; k < report.patches.size(); ++k) {
        BuildReport unheard;
        const std::string name = fmt::format("patch-{}.extxyz", k);
        const Derived built = settings::build(config, start, unheard, &report.patches[k]);
        io::write_structure(out / name, built.structure);
        patches[k]["structure"] = name;
        patches[k]["formula"] = built.structure.formula();
    }
}

}  // namespace

nlohmann::json build(const io::Config& config, const fs::path& input, const fs::path& out, Session& session) {
    BuildReport report;
    const settings::BuildStart start = start_from(config, input, report);
    const Derived built = settings::build(config, start, report);
    io::write_structure(out / "structure.extxyz", built.structure);
    json summary = json::parse(settings::build_summary(config, start, built, report));
    if (config.text("build.crop.by") == "random")
        write_patches(config, start, report, out, summary["patches"]);
    for (const auto& message : report.messages) session.info("  " + message);
    for (const auto& warning : report.warnings) session.warning(warning);
    io::write_text_atomically(out / "build.json", summary.dump(2) + "\n");
    session.info(fmt::format("built {} ({} atoms)", built.structure.formula(), built.structure.size()));
    return summary;
}

}  // namespace stembridge::app
