# SPDX-License-Identifier: Apache-2.0
"""A benzene is relaxed with an optimiser of ASE.

PYTHONPATH=build/release/python python3 examples/python/relax_benzene.py
"""
import ase.build
import stembridge
from ase.optimize import BFGS

atoms = ase.build.molecule("C6H6")
atoms.calc = stembridge.Calculator(parameters="builtin", electronic_temperature="300 K")
BFGS(atoms).run(fmax=1e-3)

ring = stembridge.rings(atoms)[0]
print("C-C bonds, angstrom:", *(f"{atoms.get_distance(a, b):.4f}" for a, b in zip(ring, ring[1:] + ring[:1])))
print(f"charge of a carbon atom: {atoms.get_charges()[0]:+.3f} e")
