#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Reads CP2K outputs and writes extended XYZ: collect.py FOLDER OUTPUT.extxyz [name ...]
"""Frames whose self-consistency was not reached, or whose numbers are missing, are left out and named."""
import argparse
import json
import re
from pathlib import Path

GPA_IN_ATOMIC_UNITS = 1 / 29421.02648438959


def frames(text):
    """(energy, forces, stress or None, entropy, |spin|, cell positions or None) of every converged evaluation."""
    found = []
    # An evaluation ends with its forces; what stands between two of them belongs to the second.
    blocks = re.split(r"SUM OF ATOMIC FORCES", text)
    for number, block in enumerate(blocks[:-1]):
        if "SCF run NOT converged" in block:
            continue
        energy = re.findall(r"ENERGY\| Total FORCE_EVAL.*?(-?\d+\.\d+)", block)
        force = re.findall(r"^\s+\d+\s+\d+\s+[A-Z][a-z]?\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s*$",
                           block[block.rfind("ATOMIC FORCES in"):], re.M)
        if not energy or not force:
            continue
        entropy = re.findall(r"Electronic entropic energy:\s+(-?\d+\.\d+)", block)
        spin = re.findall(r"Integrated absolute spin density\s*:\s+(-?\d+\.\d+)", block)
        stress = re.findall(r"STRESS\|\s+[xyz]\s+(-?\d\.\d+E[+-]\d+)\s+(-?\d\.\d+E[+-]\d+)\s+(-?\d\.\d+E[+-]\d+)",
                            blocks[number + 1])
        found.append((float(energy[-1]), [[float(x) for x in f] for f in force],
                      [[float(x) for x in row] for row in stress[:3]] if len(stress) >= 3 else None,
                      float(entropy[-1]) if entropy else 0.0, float(spin[-1]) if spin else 0.0))
    return found


def frame_text(job, name, positions, result):
    energy, forces, stress, entropy, spin = result
    lattice = " ".join(f"{x:.8f}" for v in job["cell"] for x in v)
    keys = [f'Lattice="{lattice}"', 'pbc="T T T"', "Properties=species:S:1:pos:R:3:forces_Ha_per_bohr:R:3",
            f"name={name}", f"group={job['group']}", f"energy_Ha={energy:.10f}",
            'code="CP2K 2023.1 PBE GTH DZVP-MOLOPT-SR-GTH"', f"cutoff_Ry={job['cutoff']}",
            f"rel_cutoff_Ry={job.get('rel_cutoff', 40)}"]
    if "smearing" in job:
        keys += [f"smearing_K={job['smearing']}", f"minus_TS_Ha={entropy:.8f}"]
    if "multiplicity" in job:
        keys.append(f"multiplicity={job['multiplicity']}")
    else:
        keys.append(f"uks={'T' if job.get('uks') else 'F'}")
    keys.append(f"abs_spin={spin:.4f}")
    if "kpoints" in job:
        keys.append('kpoints="' + " ".join(str(n) for n in job["kpoints"]) + '"')
    if stress:
        # CP2K counts compression as positive.
        keys.append('stress_Ha_per_bohr3="' +
                    " ".join(f"{-x * GPA_IN_ATOMIC_UNITS:.10e}" for row in stress for x in row) + '"')
    if "scan" in job:
        keys.append(f"scan_parameter={job['scan']}")
    text = f"{len(job['atoms'])}\n{' '.join(keys)}\n"
    for (symbol, *_), p, f in zip(job["atoms"], positions, forces):
        text += f"{symbol:2s} {p[0]:14.8f} {p[1]:14.8f} {p[2]:14.8f} {f[0]:14.8f} {f[1]:14.8f} {f[2]:14.8f}\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("names", nargs="*", help="in the order wanted; all when left out")
    options = parser.parse_args()
    names = options.names or sorted(p.name for p in options.folder.iterdir() if p.is_dir())
    text, left_out = "", []
    for name in names:
        place = options.folder / name
        job = json.loads((place / f"{name}.json").read_text())
        output = place / f"{name}.out"
        results = frames(output.read_text(errors="replace")) if output.exists() else []
        if not results:
            left_out.append(name)
            continue
        text += frame_text(job, name, [a[1:] for a in job["atoms"]], results[-1])
    options.output.write_text(text)
    if left_out:
        print("left out (not run, or not converged):", " ".join(left_out))


if __name__ == "__main__":
    main()
