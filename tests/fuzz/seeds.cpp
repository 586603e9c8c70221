// SPDX-License-Identifier: Apache-2.0
#include "fuzz/seeds.hpp"

#include <zlib.h>
#include <cmath>

#include "io/dm_writer.hpp"
#include "io/image_builders.hpp"
#include "io/vasp_texts.hpp"
#include "stembridge/io/config.hpp"
#include "stembridge/io/cube_file.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/io/vasp_input.hpp"
#include "stembridge/io/vasp_run.hpp"
#include "stembridge/tb/tables/orbitals.hpp"
#include "stembridge/tb/tables/skf.hpp"

namespace stembridge::testing {
namespace fs = std::filesystem;
namespace {

std::string gzip(const std::string& text, const fs::path& scratch) {
    const fs::path path = scratch / "seed.gz";
    gzFile file = ::gzopen(path.c_str(), "wb");
    ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(file);
    return io::read_text(path);
}

/// Everything that is done with a run after reading it.
void read_run(const fs::path& path) {
    const io::VaspRun run = io::read_vasp(path);
    io::to_json_text(run);
    io::unwrapped_positions(run.steps);
    if (!run.species.empty() && !run.steps.empty() && run.steps.back().positions_angstrom.cols() != 0)
        io::to_structure(run, run.steps.back());
}

std::string vasprun() {
    VasprunText t;
    t.version = "5.4.1";
    t.extra_energies = "<i name=\"kinetic\"> 0.1 </i><i name=\"total\"> -9.0 </i>";
    t.selective =
        "<varray type=\"logical\" name=\"selective\" ><v type=\"logical\"> T F T </v><v> F F F "
        "</v></varray>\n";
    return vasprun_head(t) + vasprun_step(t, -10, "0.3 0.4 0.0", "0.0 ********* 0.0") +
           vasprun_step(t, -11, "0.003 0.004 0.0", "0.0 0.0 0.0") + vasprun_tail();
}

std::string outcar() {
    const std::string row =
        "      1.00000      1.50000      1.00000         0.300000-12345.500000      0.000000";
    return outcar_head() + outcar_step(1, row, "-10.0") +
           "  kinetic energy EKIN   =         0.041864\n  kin. lattice  EKIN_LAT=  0.000000  (temperature    "
           "3.90 K)\n"
           "  total energy   ETOTAL =      -369.544440 eV\n  FORCES: max atom, RMS     0.128437    "
           "0.060554\n" +
           outcar_step(2, row, "************") + outcar_tail(true);
}

const char* const oszicar =
    "       N       E                     dE             d eps       ncg     rms          rms(c)\n"
    "DAV:   1     0.137899059530E+05    0.13790E+05   -0.32100E+05  2496   0.104E+03\n"
    "    1 T=  2000. E= -.33E+03 F= -.12E+04 E0= -.12E+04  EK= 0.3E+02 SP= 0.23E+02 SK= 0.84E+03 mag= 0.1\n"
    "    2 F= -.10844368E+02 E0= -.10844368E+02  d E =-.253162E-02  mag=    -0.0000\n";

const char* const poscar =
    "graphene\n-50.0\n 2 0 0\n1 2 0\n0 0 9\nC H\n1 2\nSelective dynamics\nDirect\n0 0 0 T T T\n0.5 0.5 0.5 F "
    "F F\n"
    "0.1 0.2 0.3 T T T\n\n0.1 0.2 0.3\n0 0 0\n1e-3 2 3\n\n 1\n 0.5\n0 0 0\n0 0 0\n";

const char* const extxyz =
    "2\nLattice=\"4 0 0 0 5 0 0 0 10\" pbc=\"T T F\" Properties=species:S:1:pos:R:3:forces:R:3:move_mask:L:3 "
    "energy=-3.5 note=\"a b\"\nC 0 0 0 1 2 3 T T F\nH 1.1 0 0 0 0 0 F F F\n"
    "1\nProperties=species:S:1:pos:R:3\nSi 0 0 1\n";

const char* const gen = "3 S\nC H\n1 1 0 0 0\n2 2 1 0 0\n3 2 0 1 0\n0 0 0\n4 0 0\n0 5 0\n0 0 10\n";

std::string skf() {
    std::string text = "0.5 6\n2*0.0 -0.23859 -0.04 2*0.0 0.41 2*0.0 1.0\n1.008 0.1 0.2 7*0.0 3.0 9*0.0\n";
    for (int row = 0; row < 6; ++row) text += "9*0.0 -0.1 9*0.0 0.2\n";
    return text +
           "Spline\n2 3.0\n1.0 2.0 -0.5\n1.0 2.0 0.1 0.2 0.3 0.4\n2.0 3.0 0.1 0.2 0.3 0.4 0.5 "
           "0.6\n<Documentation>\n";
}

const char* const cube =
    "density\nof a sheet\n    2   -1.0    0.0    0.5\n    2    0.4    0.0    0.0\n    3    0.0    0.4    "
    "0.0\n"
    "    2    0.0    0.1    0.5\n    6    6.0    0.0    0.0    0.0\n    1    1.0    2.0    0.0    0.0\n"
    "  1.0E-01  2.0E-01\n  3.0E-01  4.0E-01\n  5.0E-01 -6.0E-01\n  7.0E-01  8.0E-01\n  9.0E-01  1.0E+00\n"
    "  1.1E+00  1.2E+00\n";

/// 2 exp(-r), normalised.
std::string orbitals() {
    tb::OrbitalTable table;
    tb::RadialOrbital s{"H", 1, 0, {}};
    for (int k = 0; k <= 48; ++k) {
        table.r.push_back(0.25 * k);
        s.values.push_back(2 * std::exp(-table.r.back()));
    }
    table.orbitals = {s};
    return tb::orbitals_text(table, {"hydrogen"});
}

io::Schema schema() {
    using io::Key;
    return {Key::integer("run.seed", "1", "a number").at_least(0),
            Key::quantity("md.timestep", Dimension::time, "1 fs", "a time").positive(),
            Key::quantities("md.temperature", Dimension::temperature, "300 K", "temperatures"),
            Key::choice("relax.cell", {"none", "xy", "full"}, "none", "a word"),
            Key::numbers("build.center", 2, "", "two numbers"),
            Key::rows("calculator.charges", 4, "", "rows"),
            Key::table("calculator.shells", "by element"),
            Key::boolean("scc.enabled", "true", "a truth"),
            Key::files("calculator.parameters", {"builtin"}, "builtin", "folders")};
}

const char* const toml =
    "[run]\nseed = 5\n[md]\ntimestep = \"0.5 fs\"\ntemperature = [\"300 K\", \"500 K\"]\n[relax]\ncell = "
    "\"xy\"\n"
    "[build]\ncenter = [1.5, 2]\n[calculator]\ncharges = [[0, 0, 1.5, 0.2]]\nshells = { C = \"p\", H = \"s\" "
    "}\n"
    "parameters = [\"a\", \"b\"]\n[scc]\nenabled = false\n";

std::string state(const fs::path& scratch) {
    State s;
    s.put("positions", std::vector<double>{1, 2, 3});
    s.put("step", std::int64_t{7});
    s.put("chain/velocities", std::vector<double>{0.5});
    s.put("note", std::string("text"));
    io::write_state(scratch / "state.h5", s);
    return io::read_text(scratch / "state.h5");
}

std::string floats(int n) {
    std::string items;
    for (int i = 0; i < n; ++i) items += bytes_of(0.5F * static_cast<float>(i));
    return items;
}

}  // namespace

std::vector<FuzzedParser> fuzzed_parsers(const fs::path& scratch) {
    const auto image = [](const fs::path& path) {
        io::n_frames(path);
        io::read_image(path);
    };
    const auto trajectory = [](const fs::path& path) {
        io::read_trajectory(path);
        io::read_structure(path);
    };
    const auto structure = [](const fs::path& path) { io::read_structure(path); };
    TiffPage page;
    page.width = 3;
    page.height = 2;
    page.data = "abcdef";
    page.pixels_per_million_units = 1000;
    TiffPage real = page;
    real.bits = 32;
    real.format = 3;
    real.data = floats(6);
    return {
        {"vasprun", "vasprun.xml", {vasprun(), vasprun().substr(0, 4000)}, read_run},
        {"vasprun.gz", "vasprun.xml.gz", {gzip(vasprun(), scratch)}, read_run},
        {"outcar", "OUTCAR", {outcar(), outcar().substr(0, 2500)}, read_run},
        {"oszicar", "OSZICAR", {oszicar}, read_run},
        {"xdatcar",
         "XDATCAR",
         {xdatcar({0.8, 0.95, 0.1}, false, 50), xdatcar({0.8, 0.1}, true, 1)},
         read_run},
        {"poscar", "POSCAR", {poscar}, structure},
        {"poscar-run", "CONTCAR", {poscar}, read_run},
        {"atom-map",
         "atom_map.csv",
         {"row,atom,element\n1,2,C\n2,1,H\n"},
         [](const fs::path& p) { io::read_vasp_atom_map(p); }},
        {"extxyz", "atoms.extxyz", {extxyz}, trajectory},
        {"gen", "atoms.gen", {gen}, structure},
        {"skf", "C-C.skf", {skf()}, [](const fs::path& p) { tb::read_skf(p, true); }},
        {"skf-pair", "C-H.skf", {skf()}, [](const fs::path& p) { tb::read_skf(p, false); }},
        {"config", "run.toml", {toml}, [](const fs::path& p) { io::Config::read(p, schema()); }},
        {"detections",
         "atoms.csv",
         {"x_px,y_px,x_angstrom,y_angstrom,element,probability,spread,sigma_angstrom\n1.5,2,0.1,0.2,C,0.9,0."
          "1,0.02\n"},
         [](const fs::path& p) { io::read_detections_csv(p); }},
        {"npy",
         "image.npy",
         {npy_file("<f4", "2, 3", floats(6)), npy_file(">u2", "2, 1, 3", std::string(12, '\1'))},
         image},
        {"npz", "image.npz", {zip_file({{"image.npy", npy_file("<f4", "2, 3", floats(6))}}, true)}, image},
        {"tiff", "image.tif", {tiff_file({page}), tiff_file({real, real})}, image},
        {"png", "image.png", {png_file(3, 2, 8, 0, {"abc", "def"}), png_file(2, 1, 8, 2, {"abcdef"})}, image},
        {"dm3",
         "image.dm3",
         {DmWriter{3, false}.usual<float>(2, 6), DmWriter{3, true}.usual<std::uint8_t>(6, 10)},
         image},
        {"dm4",
         "image.dm4",
         {DmWriter{4, true}.usual<std::uint16_t>(10, 4), DmWriter{4, false}.usual<double>(12, 7)},
         image},
        {"cube", "density.cube", {cube}, [](const fs::path& p) { io::read_cube(p); }},
        {"orbitals", "orbitals.csv", {orbitals()}, [](const fs::path& p) { tb::read_orbitals(p); }},
        // Images in HDF5 are in tests/io/test_damaged_hdf5.cpp: the library itself (1.10.8) crashes on
        // damaged files, and they are tried in a process of their own. Checkpoints carry a digest that is
        // checked before the library sees them.
        {"state", "checkpoint.h5", {state(scratch)}, [](const fs::path& p) { io::read_state(p); }},
    };
}

}  // namespace stembridge::testing
