#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# PBE/def2-TZVP energies and forces of C-H molecules with psi4: molecules.py OUTPUT.extxyz [group ...]
"""Structures that stand in the output already are skipped, so that a stopped run goes on where it ended."""
import argparse
import math
import os
import random
from pathlib import Path

import psi4


def acetylene(cc, ch=1.066):
    return [("C", 0, 0, cc / 2), ("C", 0, 0, -cc / 2), ("H", 0, 0, cc / 2 + ch), ("H", 0, 0, -cc / 2 - ch)]


def ethylene(cc, ch=1.088, angle=121.7):
    c, s = math.cos(math.radians(180 - angle)), math.sin(math.radians(180 - angle))
    return [("C", 0, 0, cc / 2), ("C", 0, 0, -cc / 2)] + \
           [("H", 0, y * ch * s, z * (cc / 2 + ch * c)) for y in (1, -1) for z in (1, -1)]


def benzene(cc, ch):
    atoms = []
    for symbol, radius in (("C", cc), ("H", cc + ch)):
        atoms += [(symbol, radius * math.cos(k * math.pi / 3), radius * math.sin(k * math.pi / 3), 0) for k in range(6)]
    return atoms


def methane(ch):
    d = ch / math.sqrt(3)
    return [("C", 0, 0, 0), ("H", d, d, d), ("H", d, -d, -d), ("H", -d, d, -d), ("H", -d, -d, d)]


def ethane(cc, ch=1.096):
    angle = math.radians(180 - 111.2)
    atoms = [("C", 0, 0, cc / 2), ("C", 0, 0, -cc / 2)]
    for side in (1, -1):
        for k in range(3):
            phi = 2 * math.pi * k / 3 + (math.pi if side < 0 else 0)
            atoms.append(("H", ch * math.sin(angle) * math.cos(phi), ch * math.sin(angle) * math.sin(phi),
                          side * (cc / 2 + ch * math.cos(angle))))
    return atoms


def rattled(atoms, sigma, seed):
    source = random.Random(seed)
    return [(a[0], *(x + source.gauss(0, sigma) for x in a[1:])) for a in atoms]


def structures():
    jobs = []
    for cc in (1.04, 1.10, 1.18, 1.22, 1.30, 1.40):
        jobs.append((f"C2H2_scan_{cc:.2f}", "C2H2_scan", acetylene(cc)))
    for cc in (1.10, 1.20, 1.27, 1.33, 1.40, 1.50):
        jobs.append((f"C2H4_scan_{cc:.2f}", "C2H4_scan", ethylene(cc)))
    for seed in (1, 2, 3):
        jobs.append((f"C2H2_rattle_{seed}", "C2H2_rattle", rattled(acetylene(1.21), 0.06, seed)))
        jobs.append((f"C2H4_rattle_{seed}", "C2H4_rattle", rattled(ethylene(1.335), 0.06, seed)))
        jobs.append((f"C2H6_rattle_{seed}", "C2H6_rattle", rattled(ethane(1.53), 0.06, seed)))
        jobs.append((f"CH4_rattle_{seed}", "CH4_rattle", rattled(methane(1.095), 0.06, seed)))
    for factor in (0.96, 1.00, 1.05):
        jobs.append((f"C6H6_scaled_{factor:.2f}", "C6H6_scaled", benzene(1.397 * factor, 1.09 * factor)))
    for ch in (0.90, 0.98, 1.05, 1.15, 1.25):
        jobs.append((f"CH4_scaled_{ch:.2f}", "CH4_scaled", methane(ch)))
    # Small displacements of C-H alone: the curvature at the minimum, and with it the stretching vibrations.
    for ch in (1.05, 1.09, 1.13):
        jobs.append((f"C6H6_CH_{ch:.2f}", "C6H6_CH", benzene(1.397, ch)))
        jobs.append((f"C2H4_CH_{ch:.2f}", "C2H4_CH", ethylene(1.331, ch)))
        jobs.append((f"C2H6_CH_{ch:.2f}", "C2H6_CH", ethane(1.528, ch)))
    for ch in (1.03, 1.07, 1.11):
        jobs.append((f"C2H2_CH_{ch:.2f}", "C2H2_CH", acetylene(1.207, ch)))
    for distance in (0.60, 0.72, 0.80, 0.95):
        jobs.append((f"H2_more_{distance:.2f}", "H2_more", [("H", 0, 0, 0), ("H", 0, 0, distance)]))
    for seed in (1, 2):
        jobs.append((f"C6H6_rattle_{seed}", "C6H6_rattle", rattled(benzene(1.397, 1.09), 0.05, seed)))
    return jobs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("groups", nargs="*")
    options = parser.parse_args()
    psi4.set_num_threads(1)
    psi4.core.set_output_file(os.devnull, False)
    psi4.set_options({"basis": "def2-tzvp", "scf_type": "df", "dft_radial_points": 99, "dft_spherical_points": 590,
                      "e_convergence": 1e-8, "d_convergence": 1e-7})
    done = options.output.read_text() if options.output.exists() else ""
    for name, group, atoms in structures():
        if f"name={name} " in done or (options.groups and group not in options.groups):
            continue
        text = "\n".join(f"{s} {x:.8f} {y:.8f} {z:.8f}" for s, x, y, z in atoms)
        molecule = psi4.geometry(f"0 1\n{text}\nunits angstrom\nno_com\nno_reorient\nsymmetry c1\n")
        gradient, wavefunction = psi4.gradient("pbe", molecule=molecule, return_wfn=True)
        forces = -gradient.np
        with open(options.output, "a") as out:
            out.write(f"{len(atoms)}\npbc=\"F F F\" Properties=species:S:1:pos:R:3:forces_Ha_per_bohr:R:3 name={name} "
                      f"group={group} energy_Ha={wavefunction.energy():.10f} code=\"psi4 1.3.2 PBE/def2-TZVP DF\" "
                      "multiplicity=1\n")
            for (s, x, y, z), f in zip(atoms, forces):
                out.write(f"{s:2s} {x:14.8f} {y:14.8f} {z:14.8f} {f[0]:14.8f} {f[1]:14.8f} {f[2]:14.8f}\n")
        psi4.core.clean()


if __name__ == "__main__":
    main()
