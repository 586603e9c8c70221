// SPDX-License-Identifier: Apache-2.0
#include "stembridge/calculators/calculators.hpp"

namespace stembridge {
using io::Key;

io::Schema calculator_keys() {
    return {
        Key::choice("calculator.kind", {"scc-dftb", "socket"}, "scc-dftb",
                    "Model of the energy; socket = another program, as a client of i-PI"),
        Key::text(
            "calculator.socket.address", "",
            "Where kind = socket listens for its client: unix:NAME (socket /tmp/ipi_NAME) or HOST:PORT"),
        Key::quantity("calculator.socket.wait", Dimension::time, "10 min",
                      "Longest time to wait for the client")
            .positive(),
        Key::files("calculator.parameters", {"builtin"}, "builtin",
                   "Folders of Slater-Koster tables (.skf), searched in order"),
        Key::quantity("calculator.electronic_temperature", Dimension::temperature, "300 K", "Of the filling")
            .at_least(0),
        Key::choice("calculator.filling", {"fermi", "methfessel-paxton", "gaussian"}, "fermi",
                    "Smearing of the filling"),
        Key::number("calculator.charge", "0", "Charge of the system, e"),
        Key::integers("calculator.kpoints", 3, "[1, 1, 1]", "Monkhorst-Pack mesh, in VASP's convention")
            .at_least(1),
        Key::boolean("calculator.kpoints_gamma_centered", "false", "Centre the mesh on Gamma"),
        Key::rows("calculator.kpoint_list", 4, "",
                  "k-points one by one, instead of the mesh: fractions of the reciprocal vectors and weight"),
        Key::boolean("calculator.scc.enabled", "true", "Self-consistent charges"),
        Key::number("calculator.scc.tolerance", "1e-6",
                    "Largest change of a charge at the end, e; the cycles end when this and energy_tolerance "
                    "both hold")
            .positive(),
        Key::number("calculator.scc.energy_tolerance", "1e-8",
                    "Largest error of the energy at the end, hartree per atom, by the bound 1/2 r gamma r of "
                    "the charges' change r; binds beside tolerance: to stop on the energy alone, set "
                    "tolerance = 0.1")
            .positive(),
        Key::integer("calculator.scc.max_iterations", "200", "Cycles before giving up")
            .at_least(1)
            .at_most(1e9),
        Key::choice("calculator.scc.mixer", {"preconditioned", "anderson", "broyden", "diis", "simple"},
                    "preconditioned",
                    "preconditioned = Anderson on residuals, preconditioned with the local density of states "
                    "and, with "
                    "poles, the response of near atoms"),
        Key::number("calculator.scc.mixing", "0", "Step of the mixer; 0 = the mixer's own")
            .at_least(0)
            .at_most(2),
        Key::boolean("calculator.scc.predict", "true",
                     "In relaxations and dynamics, start from charges extrapolated over the last geometries; "
                     "false = from the last charges"),
        Key::boolean(
            "calculator.scc.fallback", "true",
            "When 25 cycles bring no progress: first the exact response of the states near the Fermi "
            "level, then an electronic temperature of 1000, 2000, 4000 K for this system, named in "
            "log and result"),
        Key::boolean("calculator.scc.shell_resolved", "",
                     "One charge per shell instead of per atom; left out = where the tables of "
                     "make-parameters say so of an "
                     "element that is there, as the built-in ones of Cr"),
        Key::choice("calculator.solver", {"auto", "dense", "pole-expansion", "cuda", "elpa"}, "auto",
                    "What makes the density matrix; auto = the fastest, on a GPU where there is one"),
        Key::text("calculator.device", "auto",
                  "GPU of the solvers cuda and auto: an index as doctor --gpu lists it; auto = the one with "
                  "fewest calculators of this process, so that replicas spread"),
        Key::choice("calculator.device_method", {"auto", "exact", "purification", "pole-expansion"}, "auto",
                    "How a GPU makes the density matrix; auto = by size and memory, named in the log"),
        Key::integer("calculator.memory_limit", "0",
                     "Of the pole expansion, MiB; 0 = three quarters of what is free")
            .at_least(0),
        Key::table("calculator.max_angular_momentum",
                   "Highest shell per element, e.g. { Ti = \"d\" }; default: all that the tables hold"),
        Key::boolean("calculator.spin.polarized", "false", "Collinear spin"),
        Key::number("calculator.spin.unpaired", "", "Unpaired electrons; left out = free moment").at_least(0),
        Key::table("calculator.spin.initial_moments",
                   "Unpaired electrons, below 0 = down, that atoms start with, e.g. { \"species:Cr\" = 4, "
                   "\"indices:12,15-17\" = -1 } (counted from 1), others with none; default: those of "
                   "missing bonds, all up"),
        Key::table("calculator.spin.constants",
                   "Spin constants per element, hartree, shells s, p, d; default: of the set"),
        Key::choice("calculator.third_order.mode", {"none", "diagonal", "full"}, "none", "DFTB3 terms"),
        Key::table("calculator.third_order.hubbard_derivatives", "dU/dq per element, hartree"),
        Key::number("calculator.third_order.damping_exponent", "", "X-H damping; left out = none").positive(),
        Key::choice("calculator.dispersion.model", {"none", "lj", "slater-kirkwood", "ts"}, "none",
                    "Dispersion; ts = Tkatchenko-Scheffler, by the populations of the atoms"),
        Key::number("calculator.dispersion.ts_scaling", "0.94",
                    "s_R of ts: scale of the van der Waals radii where it is damped")
            .positive(),
        Key::rows("calculator.external.point_charges", 4, "", "x, y, z in angstrom and charge in e of each"),
        Key::numbers("calculator.external.field", 3, "", "Uniform field, hartree/(bohr e)"),
    };
}

io::Key threads_key() {
    return Key::integer("run.threads", "0", "Threads; 0 = all processors").at_least(0).at_most(1024);
}

}  // namespace stembridge
