// SPDX-License-Identifier: Apache-2.0
#include "stembridge/settings/relax.hpp"

#include <fmt/format.h>

#include "stembridge/base/errors.hpp"
#include "stembridge/md/force_field.hpp"

namespace stembridge::settings {
namespace {

md::CellRelaxation cell_relaxation(const std::string& name) {
    if (name == "xy") return md::CellRelaxation::in_plane;
    return name == "full" ? md::CellRelaxation::full : md::CellRelaxation::none;
}

}  // namespace

io::Schema relax_keys() {
    using io::Key;
    return {
        Key::quantity("relax.max_force", Dimension::force, "1e-3 eV/angstrom",
                      "Converged below this force on every atom")
            .positive(),
        Key::integer("relax.max_steps", "1000", "Force evaluations before giving up")
            .at_least(1)
            .at_most(1e9),
        Key::choice("relax.method", {"auto", "fire", "lbfgs"}, "auto",
                    "auto = FIRE on raw coordinates, then L-BFGS"),
        Key::quantity("relax.max_step", Dimension::length, "0.3 angstrom",
                      "Longest move of an atom in a step of L-BFGS; half of it in one of FIRE")
            .positive(),
        Key::texts(
            "relax.fix", "",
            "What is held fixed: perimeter, xy, species:H, indices:1,2,5-9; \":z\" and the like pick axes"),
        Key::choice(
            "relax.cell", {"none", "xy", "full"}, "none",
            "What of the cell relaxes with the atoms: nothing, a sheet in its plane (first two lattice "
            "vectors), or the whole cell"),
        Key::choice("relax.pre_relax", {"auto", "force-field", "none"}, "auto",
                    "Straighten the structure with a cheap force field of bonds and angles (H, C, Si) first; "
                    "auto = where it is far from rest, as raw coordinates from an image are"),
        Key::integer("relax.checkpoint_every", "10",
                     "Most steps between checkpoints; see also run.checkpoint_interval")
            .at_least(1),
    };
}

md::RelaxOptions relax_options(const io::Config& config) {
    md::RelaxOptions options;
    options.method = config.text("relax.method");
    options.max_force = config.quantity("relax.max_force");
    options.max_steps = static_cast<int>(config.integer("relax.max_steps"));
    options.max_step_length = config.quantity("relax.max_step");
    options.cell = cell_relaxation(config.text("relax.cell"));
    return options;
}

md::PreRelaxResult pre_relax(const io::Config& config, Structure& structure, const Context& context) {
    const std::string& wanted = config.text("relax.pre_relax");
    if (wanted == "none" || config.text("relax.cell") != "none") return {};
    if (!md::ForceField::knows(structure)) {
        if (wanted == "force-field")
            throw InputError(
                fmt::format("{} = \"force-field\": it has parameters for H, C and Si only, not "
                            "for all elements of {}",
                            config.where("relax.pre_relax"), structure.formula()));
        return {};
    }
    md::PreRelaxOptions options;
    if (wanted == "force-field") options.raw_force = 0;
    return md::pre_relax(structure, options, context);
}

}  // namespace stembridge::settings
