// SPDX-License-Identifier: Apache-2.0
// Keys of the studies of one structure.
#include "configuration_keys.hpp"

namespace stembridge::app {
using io::Key;

io::Schema study_keys() {
    return {
        Key::table("selective.variants",
                   "Stage selective: relaxations from the built structure that differ in what is held fixed, "
                   "each a list of rules of relax.fix; default: { free = [], perimeter = [\"perimeter\"], "
                   "plane = [\"xy\"], hydrogen = [\"species:H\"] }"),

        Key::texts("adsorb.species", "",
                   "What is adsorbed, one after the other: Cr (or any element), CH, CH2, CH3"),
        Key::texts("adsorb.sites", "[\"hollow\", \"bridge\", \"top\"]", "Kinds of sites"),
        Key::numbers("adsorb.center_angstrom", 2, "",
                     "x and y of the middle of the region; left out = the largest defect, else the middle"),
        Key::quantity("adsorb.radius", Dimension::length, "3 angstrom", "Of the region, in the plane")
            .positive(),
        Key::boolean("adsorb.inequivalent", "true", "One of each set of equivalent sites; false = all"),
        Key::quantity("adsorb.environment", Dimension::length, "4.5 angstrom",
                      "How far around two sites all atoms must agree for them to be equivalent")
            .positive(),
        Key::quantity("adsorb.tolerance", Dimension::length, "0.25 angstrom", "And how well").positive(),
        Key::integer("adsorb.max_sites", "0", "Only so many, the nearest to the middle; 0 = all").at_least(0),
        Key::quantities("adsorb.heights", Dimension::length, "",
                        "Heights to start from; left out = a sum of covalent radii from the nearest atoms")
            .positive(),
        Key::numbers("adsorb.orientations_degrees", 0, "[0]", "By which groups are turned about the normal"),
        Key::choice("adsorb.side", {"above", "below", "both"}, "above", "Of the sheet"),
        Key::texts("adsorb.break", "",
                   "Bonds that are opened first: \"site\" (the bond under a bridge site; other sites as they "
                   "are) or pairs of atoms counted from 1, \"12-13\"; from a C-H bond the H is taken away"),
        Key::quantity("adsorb.break_length", Dimension::length, "2.2 angstrom", "Length of opened bonds")
            .positive(),
        Key::boolean("adsorb.relax", "true", "false = only write what the relaxations would start from"),
        Key::choice(
            "adsorb.spin", {"auto", "on", "off"}, "auto",
            "Spin polarisation of sheet, adsorbate and both together; auto = where the adsorbate has an "
            "open shell; off = none at all, which binds too strongly"),
    };
}

}  // namespace stembridge::app
