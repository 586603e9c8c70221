# SPDX-License-Identifier: Apache-2.0
"""From a micrograph to dynamics with the tools of ASE: the atoms of a frame, a patch of them, a few steps.

PYTHONPATH=build/release/python python3 examples/python/frame_to_dynamics.py [FRAME.png [STEPS]]
"""
import pathlib
import sys

import ase
import ase.units
import numpy as np
import stembridge
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet
from ase.optimize import FIRE
from PIL import Image

shipped = pathlib.Path(__file__).parents[2] / "data" / "frames" / "example.png"
frame = np.asarray(Image.open(sys.argv[1] if len(sys.argv) > 1 else shipped))
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 20

found = stembridge.find_atoms(frame[:400, :400], "0.104 angstrom")
print(f"{len(found.numbers)} atoms by {found.method}, typical error {np.median(found.sigma):.3f} angstrom")

# The atoms around the middle, in the plane; C-C bonds at the edge stay open.
known = found.numbers > 0
centre = found.positions.mean(axis=0)
near = known & (np.linalg.norm(found.positions - centre, axis=1) < 5)
atoms = ase.Atoms(found.numbers[near], np.column_stack([found.positions[near], np.zeros(near.sum())]))
print(f"{atoms.get_chemical_formula()}, rings of {sorted(len(ring) for ring in stembridge.rings(atoms))} atoms")

# Open edges have states at the Fermi level: a higher electronic temperature helps the charges to converge.
atoms.calc = stembridge.Calculator(electronic_temperature="1000 K")
FIRE(atoms, logfile=None).run(fmax=0.5, steps=200)
MaxwellBoltzmannDistribution(atoms, temperature_K=300, rng=np.random.default_rng(1))
dynamics = VelocityVerlet(atoms, timestep=0.5 * ase.units.fs)


def total():
    return atoms.get_potential_energy(force_consistent=True) + atoms.get_kinetic_energy()


start = total()
dynamics.run(steps)
print(f"after {steps} steps the total energy has moved by {1000 * (total() - start) / len(atoms):.2f} meV per atom")
