// SPDX-License-Identifier: Apache-2.0
#include "stembridge/settings/build.hpp"

namespace stembridge::settings {
using io::Key;

io::Schema build_keys() {
    return {
        Key::file("build.structure", "", "Structure to start from instead of the detected atoms"),
        Key::boolean("build.straighten", "false",
                     "The structure holds raw positions of an image: leave out its cell, and take scale, "
                     "anisotropy and shear out by its own C-C bonds"),
        Key::number("build.min_probability", "0.5", "Detections below are left out").at_least(0).at_most(1),
        Key::quantity("build.max_sigma", Dimension::length, "",
                      "Detections whose position is less certain (standard deviation per axis) are left out")
            .positive(),
        Key::choice("build.contamination", {"exclude", "keep"}, "keep",
                    "Atoms found where find-atoms saw contamination (a rim of 3 angstrom; it finds none "
                    "deeper in): exclude = vacuum"),
        Key::choice("build.amorphous", {"exclude", "keep"}, "keep",
                    "Parts of a detected sheet of hexagons that are amorphous (8 angstrom and more with over "
                    "half of the atoms in other rings): exclude = vacuum"),
        Key::choice("build.short_bonds", {"merge", "remove", "refuse"}, "merge",
                    "What to do with two atoms that are too close to be two atoms"),
        Key::boolean("build.regularise", "false", "Move atoms in the plane towards even bond lengths"),
        Key::choice(
            "build.crop.by",
            {"none", "nearest", "radius", "polygon", "defect", "random", "uncertain", "certain"}, "none",
            "Region: whole frame, atoms nearest to a point, a circle, a polygon, around a defect, one "
            "of several patches drawn at random, or the patch whose positions are least or most "
            "certain"),
        Key::numbers("build.crop.center_px", 2, "", "Column and row of the middle in the frame"),
        Key::numbers("build.crop.center_angstrom", 2, "", "x and y of the middle, instead of center_px"),
        Key::integer("build.crop.atoms", "91", "Number of atoms, for all but radius and polygon").at_least(6),
        Key::quantity("build.crop.radius", Dimension::length, "10 angstrom", "Radius of the circle")
            .positive(),
        Key::rows("build.crop.polygon_px", 2, "", "Corners of the polygon, columns and rows"),
        Key::rows("build.crop.polygon_angstrom", 2, "", "x and y of its corners, instead of polygon_px"),
        Key::integer("build.crop.defect", "0",
                     "Which defect (rings that are no hexagons and hang together), 0 = the largest")
            .at_least(0),
        Key::text("build.crop.defect_kind", "",
                  "Only defects of this kind: 5-7-7-5, 5-8-5, 555-777, vacancy, ...; left out = any"),
        Key::integer("build.crop.patches", "5", "Patches that random draws").at_least(1).at_most(1000),
        Key::integer("build.crop.patch", "0", "Which of them is cut out, 0 = the first").at_least(0),
        Key::integer("build.crop.seed", "1", "Of the random patches").at_least(0),
        Key::choice("build.crop.uncertainty", {"sigma", "spread", "probability"}, "sigma",
                    "What uncertain and certain go by: standard deviation of the position, spread over an "
                    "ensemble of networks, 1 - probability"),
        Key::boolean("build.crop.clean_edge", "true", "Shape the edge so that it can be ended with H"),
        Key::choice("build.cell", {"cluster", "periodic"}, "cluster",
                    "cluster = the region in a box; periodic = a cell cut along the lattice of the sheet, "
                    "whatever Bravais lattice that is, around the middle of the region"),
        Key::quantities("build.supercell.size", Dimension::length, "20 angstrom",
                        "Wanted sides of the periodic cell; one value = both")
            .positive(),
        Key::choice("build.supercell.shape", {"rectangular", "lattice"}, "rectangular",
                    "rectangular = nearest to a right angle; lattice = along the primitive vectors"),
        Key::rows("build.supercell.vectors_angstrom", 2, "",
                  "The two vectors of the cell, in any orientation, instead of size and shape"),
        Key::numbers("build.supercell.lattice", 3, "",
                     "Primitive vectors to strain the sheet to: a, b in angstrom, angle in degrees; left out "
                     "= as found"),
        Key::number("build.supercell.max_strain", "0.03", "Largest strain that is accepted").positive(),
        Key::integers("build.repeat", 3, "", "A crystal as input: copies along its lattice vectors")
            .at_least(1),
        Key::integers("build.surface", 3, "", "A crystal as input: Miller indices of a surface to cut"),
        Key::integer("build.layers", "4", "Lattice planes of the slab of a surface").at_least(1),
        Key::boolean("build.remove_dangling", "true", "Remove single-bonded atoms and loose fragments"),
        Key::choice("build.terminate", {"H", "none"}, "H", "What ends the edges"),
        Key::choice("build.terminate_where", {"outer-edge", "everywhere"}, "outer-edge",
                    "Outer edge only, or the dangling bonds of vacancies too"),
        Key::quantity("build.bond_length", Dimension::length, "1.09 angstrom", "Length of the new C-H bonds")
            .positive(),
        Key::quantities("build.vacuum", Dimension::length, "20 angstrom",
                        "Margin of the box, in all: one value for every direction that does not repeat, or "
                        "three for x, y, z")
            .positive(),
        Key::boolean("build.periodic", "false", "Repeat the box in every direction (as plane-wave codes do)"),
        Key::texts("build.fix", "",
                   "What is marked as held fixed in the structure, as in relax.fix: every later stage and "
                   "POSCAR keep it"),
    };
}

}  // namespace stembridge::settings
