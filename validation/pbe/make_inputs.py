#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes the CP2K inputs of the PBE reference structures: make_inputs.py FOLDER [group ...]
"""One folder NAME per structure with NAME.inp and NAME.json (what collect.py needs besides the output)."""
import argparse
import json
import math
import random
from pathlib import Path

LATTICE = 2.467  # PBE graphene, angstrom
BOND = LATTICE / math.sqrt(3)
VALENCE = {"H": 1, "C": 4, "Si": 4, "Cr": 14}


def job(name, group, atoms, cell, **settings):
    """A structure and its settings; `atoms` is a list of (symbol, x, y, z), `cell` three vectors, angstrom."""
    return dict(name=name, group=group, atoms=[list(a) for a in atoms], cell=[list(v) for v in cell], **settings)


def box(atoms, margin=4.25):
    """The atoms in the middle of a rectangular cell that is at least `margin` larger on all sides."""
    low = [min(a[k] for a in atoms) for k in (1, 2, 3)]
    high = [max(a[k] for a in atoms) for k in (1, 2, 3)]
    length = [max(8.5, h - l + 2 * margin) for l, h in zip(low, high)]
    shift = [0.5 * (n - l - h) for n, l, h in zip(length, low, high)]
    moved = [(a[0], a[1] + shift[0], a[2] + shift[1], a[3] + shift[2]) for a in atoms]
    return moved, [[length[0], 0, 0], [0, length[1], 0], [0, 0, length[2]]]


def sheet(n, m, height, lattice=LATTICE):
    """Graphene of n x m primitive cells at z = height / 2; the cell is `height` high."""
    bond = lattice / math.sqrt(3)
    a, b = (lattice, 0.0), (-lattice / 2, lattice * math.sqrt(3) / 2)
    atoms = []
    for i in range(n):
        for j in range(m):
            x, y = i * a[0] + j * b[0], i * a[1] + j * b[1]
            atoms.append(("C", x, y, height / 2))
            atoms.append(("C", x + lattice / 2, y + bond / 2, height / 2))
    cell = [[n * a[0], 0, 0], [m * b[0], m * b[1], 0], [0, 0, height]]
    return atoms, cell


def rattled(atoms, sigma, seed, z_factor=1.5):
    source = random.Random(seed)
    return [(a[0], a[1] + source.gauss(0, sigma), a[2] + source.gauss(0, sigma),
             a[3] + source.gauss(0, z_factor * sigma)) for a in atoms]


def methyl(symbol, bond, hydrogen):
    """The group XH3 below a partner at (0, 0, bond); X in the origin, tetrahedral angles."""
    angle = math.radians(109.47)
    atoms = [(symbol, 0.0, 0.0, 0.0)]
    for k in range(3):
        phi = 2 * math.pi * k / 3
        atoms.append(("H", hydrogen * math.sin(angle) * math.cos(phi), hydrogen * math.sin(angle) * math.sin(phi),
                      hydrogen * math.cos(angle)))
    atoms.append(("Cr", 0.0, 0.0, bond))
    return atoms


def chromium_molecules():
    jobs = []
    molecule = dict(cutoff=400, ot=True)
    for bond in (1.5, 1.65, 1.9, 2.3):
        atoms, cell = box([("Cr", 0, 0, 0), ("H", 0, 0, bond)])
        jobs.append(job(f"CrH_{bond}", "CrH", atoms, cell, multiplicity=6, scan=bond, **molecule))
    for bond in (2.3, 2.6, 3.0):
        atoms, cell = box(methyl("Si", bond, 1.49))
        jobs.append(job(f"CrSiH3_{bond}", "CrSiH3", atoms, cell, multiplicity=6, scan=bond, **molecule))
    for bond in (1.9, 2.1, 2.4):
        atoms, cell = box(methyl("C", bond, 1.10))
        jobs.append(job(f"CrCH3_{bond}", "CrCH3", atoms, cell, multiplicity=6, scan=bond, **molecule))
    for bond in (1.6, 1.8):
        atoms, cell = box([("Cr", 0, 0, 0), ("H", 0, bond * math.sin(1.0), bond * math.cos(1.0)),
                           ("H", 0, -bond * math.sin(1.0), bond * math.cos(1.0))])
        jobs.append(job(f"CrH2_{bond}", "CrH2", atoms, cell, multiplicity=5, scan=bond, **molecule))
    atoms, cell = box([("Cr", 0, 0, 0)])
    jobs.append(job("atom_Cr", "Cr_atom", atoms, cell, multiplicity=7, **molecule))
    return jobs


def chromium_pairs():
    """Cr2 with all spins parallel (S = 6), where one determinant is a fair description, and bcc metal."""
    jobs = []
    for bond in (2.2, 2.5, 2.8, 3.2):
        atoms, cell = box([("Cr", 0, 0, 0), ("Cr", 0, 0, bond)])
        jobs.append(job(f"Cr2_{bond}", "Cr2_high_spin", atoms, cell, multiplicity=13, scan=bond, cutoff=400, ot=True))
    for a in (2.7, 2.84, 3.0):
        h = a / 2
        jobs.append(job(f"Cr_bcc_{a}", "Cr_bcc", [("Cr", 0, 0, 0)], [[-h, h, h], [h, -h, h], [h, h, -h]],
                        cutoff=400, smearing=1000, kpoints=[7, 7, 7], stress=True, alpha=0.3, added=8, eps_scf=1e-6,
                        scan=a))
    return jobs


def dibenzene():
    jobs = []
    for height in (1.5, 1.61, 1.8):
        atoms = [("Cr", 0, 0, 0)]
        for side in (1, -1):
            for k in range(6):
                c, s = math.cos(k * math.pi / 3), math.sin(k * math.pi / 3)
                atoms.append(("C", 1.42 * c, 1.42 * s, side * height))
                atoms.append(("H", 2.505 * c, 2.505 * s, side * height))
        atoms, cell = box(atoms, 2.75)
        jobs.append(job(f"CrBz2_{height}", "CrBz2", atoms, cell, scan=height, cutoff=400, ot=True))
    return jobs


def graphene_cells():
    """Primitive cells with k-points: the lattice constant, and the stress at it."""
    jobs = []
    for lattice in (2.40, 2.44, 2.467, 2.50, 2.55):
        atoms, cell = sheet(1, 1, 12.0, lattice)
        jobs.append(job(f"g11_{lattice}", "g11_k", atoms, cell, cutoff=400, smearing=500, kpoints=[9, 9, 1],
                        stress=True, alpha=0.3, added=6, eps_scf=1e-6, rel_cutoff=50, scan=lattice))
    return jobs


def chromium_on_graphene():
    """Cr above graphene of 3 x 4 cells: no Dirac point at Gamma, so that orbital transformation converges.

    With spin the moment is that of the free atom (septet), as it stays above 1.9 angstrom."""
    jobs = []
    height = 10.0
    flat, cell = sheet(3, 4, height)
    flat = [(a[0], a[1], a[2], 3.5) for a in flat]
    a1, b1 = (LATTICE, 0.0), (-LATTICE / 2, LATTICE * math.sqrt(3) / 2)
    origin = (a1[0] + b1[0], a1[1] + b1[1])
    # An atom at the origin has a neighbour one bond below it, so that the middle of a hexagon lies one bond above.
    sites = {"top": (origin[0], origin[1] - BOND), "bridge": (origin[0] + LATTICE / 4, origin[1] + BOND / 4),
             "hollow": (origin[0], origin[1] + BOND)}
    # With spin each starts from the wave functions of the first: half the cycles of a start from atoms.
    first = "cr34_top_2.1_sp"
    for z, site in ((2.1, "top"), (2.1, "hollow"), (2.1, "bridge"), (2.5, "hollow"), (2.5, "bridge"), (2.5, "top")):
        name = f"cr34_{site}_{z}_sp"
        x, y = sites[site]
        start = {} if name == first else {"restart": first}
        jobs.append(job(name, "cr34_sp", flat + [("Cr", x, y, 3.5 + z)], cell, multiplicity=7, cutoff=400, ot="DIIS",
                        eps_scf=2e-5, scan=z, **start))
    # Without spin bridge and top have no gap: smearing and mixing instead.
    for z, site in ((1.5, "hollow"), (1.8, "bridge"), (1.8, "top"), (1.8, "hollow")):
        x, y = sites[site]
        jobs.append(job(f"cr34_{site}_{z}_nm", "cr34_nm", flat + [("Cr", x, y, 3.5 + z)], cell, cutoff=400,
                        smearing=1000, alpha=0.2, added=20, scan=z))
    jobs.append(job("g34_flat", "g34", flat, cell, cutoff=400, ot="DIIS"))
    return jobs


def rattled_graphene():
    """More seeds of the rattled sheets, as in the groups g44_rat300 and g44_rat2000."""
    jobs = []
    for temperature, sigma in ((300, 0.045), (2000, 0.11)):
        for seed in (11, 12, 13, 14, 15, 16):
            atoms, cell = sheet(3, 4, 10.0)
            jobs.append(job(f"g34_rat{temperature}_{seed}", f"g34_rat{temperature}", rattled(atoms, sigma, seed), cell,
                            cutoff=300, smearing=1000, alpha=0.4, added=16))
    return jobs


def from_file(path, name, group, frame=0):
    """A periodic structure of an extended XYZ file, e.g. relaxed by tight binding; `frame` counts from 0."""
    lines = path.read_text().split("\n")
    for _ in range(frame):
        lines = lines[2 + int(lines[0]):]
    numbers = [float(x) for x in lines[1].split('Lattice="')[1].split('"')[0].split()]
    words = [line.split() for line in lines[2:2 + int(lines[0])]]
    return job(name, group, [(w[0], *(float(x) for x in w[1:4])) for w in words],
               [numbers[0:3], numbers[3:6], numbers[6:9]], cutoff=300, smearing=1000, alpha=0.4, added=16)


GROUPS = {
    "chromium_molecules": chromium_molecules, "graphene_cells": graphene_cells, "chromium_pairs": chromium_pairs,
    "dibenzene": dibenzene, "chromium_on_graphene": chromium_on_graphene,
    "rattled_graphene": rattled_graphene,
}


def cp2k_input(j):
    multiplicity = j.get("multiplicity", 1)
    uks = j.get("uks", False) or multiplicity > 1
    symbols = sorted({a[0] for a in j["atoms"]})
    lines = []
    put = lines.append
    put(f"&GLOBAL\n  PROJECT {j['name']}\n  RUN_TYPE ENERGY_FORCE\n"
        "  PRINT_LEVEL LOW\n&END GLOBAL")
    put("&FORCE_EVAL\n  METHOD Quickstep")
    if j.get("stress"):
        put("  STRESS_TENSOR ANALYTICAL")
    put("  &DFT\n    BASIS_SET_FILE_NAME BASIS_MOLOPT\n    POTENTIAL_FILE_NAME GTH_POTENTIALS\n    CHARGE 0")
    if "restart" in j:
        put(f"    WFN_RESTART_FILE_NAME ../{j['restart']}/{j['restart']}-RESTART.wfn")
    if uks:
        put("    UKS")
    if multiplicity > 1:
        put(f"    MULTIPLICITY {multiplicity}")
    put(f"    &MGRID\n      CUTOFF {j['cutoff']}\n      REL_CUTOFF {j.get('rel_cutoff', 40)}\n      NGRIDS 5\n"
        "    &END MGRID")
    put("    &QS\n      METHOD GPW\n      EPS_DEFAULT 1e-10\n      EXTRAPOLATION USE_GUESS\n    &END QS")
    put("    &POISSON\n      PERIODIC XYZ\n      PSOLVER PERIODIC\n    &END POISSON")
    put(f"    &SCF\n      SCF_GUESS {'RESTART' if 'restart' in j else 'ATOMIC'}")
    if j.get("ot"):
        minimizer = "DIIS" if j["ot"] == "DIIS" else "CG\n        LINESEARCH 2PNT"
        accuracy = j.get("eps_scf", 1e-5)
        put(f"      EPS_SCF {accuracy}\n      MAX_SCF 25\n      &OT\n        MINIMIZER {minimizer}\n"
            "        PRECONDITIONER FULL_ALL\n      &END OT\n      &OUTER_SCF\n"
            f"        EPS_SCF {accuracy}\n"
            "        MAX_SCF 10\n      &END OUTER_SCF")
    else:
        added = f"{j['added']} {j['added']}" if uks else f"{j['added']}"
        put(f"      EPS_SCF {j.get('eps_scf', 1e-5)}\n      MAX_SCF {j.get('max_scf', 80)}\n      &DIAGONALIZATION\n"
            "        ALGORITHM STANDARD\n      &END DIAGONALIZATION\n      &MIXING\n        METHOD BROYDEN_MIXING\n"
            f"        ALPHA {j['alpha']}\n        BETA 1.5\n        NBROYDEN {j.get('buffer', 8)}\n      &END MIXING\n"
            f"      ADDED_MOS {added}\n      &SMEAR ON\n        METHOD FERMI_DIRAC\n"
            f"        ELECTRONIC_TEMPERATURE {j['smearing']}\n      &END SMEAR")
    put("    &END SCF")
    if "kpoints" in j:
        n = j["kpoints"]
        put(f"    &KPOINTS\n      SCHEME MONKHORST-PACK {n[0]} {n[1]} {n[2]}\n      FULL_GRID OFF\n    &END KPOINTS")
    put("    &XC\n      &XC_FUNCTIONAL PBE\n      &END XC_FUNCTIONAL\n    &END XC")
    put("    &PRINT\n      &MULLIKEN ON\n      &END MULLIKEN\n    &END PRINT\n  &END DFT")
    put("  &PRINT\n    &FORCES ON\n      NDIGITS 10\n    &END FORCES")
    if j.get("stress"):
        put("    &STRESS_TENSOR ON\n    &END STRESS_TENSOR")
    put("  &END PRINT\n  &SUBSYS\n    &CELL")
    for axis, v in zip("ABC", j["cell"]):
        put(f"      {axis} {v[0]:.8f} {v[1]:.8f} {v[2]:.8f}")
    put("      PERIODIC XYZ\n    &END CELL\n    &COORD")
    for symbol, x, y, z in j["atoms"]:
        put(f"      {symbol} {x:.8f} {y:.8f} {z:.8f}")
    put("    &END COORD")
    for symbol in symbols:
        put(f"    &KIND {symbol}\n      BASIS_SET DZVP-MOLOPT-SR-GTH-q{VALENCE[symbol]}\n"
            f"      POTENTIAL GTH-PBE-q{VALENCE[symbol]}")
        if uks and symbol == "Cr":
            put("      MAGNETIZATION 5")
        put("    &END KIND")
    put("  &END SUBSYS\n&END FORCE_EVAL")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], help="all when left out")
    parser.add_argument("--structure", nargs=3, metavar=("FILE", "NAME", "GROUP"), help="this one instead")
    parser.add_argument("--frames", nargs="*", type=int, default=[0],
                        help="of FILE, counted from 0; with several, the names get the number of the frame")
    options = parser.parse_args()
    if options.structure:
        path, name, group = options.structure
        several = len(options.frames) > 1
        chosen = [[from_file(Path(path), f"{name}_{k}" if several else name, group, k) for k in options.frames]]
    else:
        chosen = [GROUPS[group]() for group in options.groups or GROUPS]
    for jobs in chosen:
        for j in jobs:
            place = options.folder / j["name"]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{j['name']}.inp").write_text(cp2k_input(j))
            (place / f"{j['name']}.json").write_text(json.dumps(j, indent=1))
            print(j["name"])


if __name__ == "__main__":
    main()
