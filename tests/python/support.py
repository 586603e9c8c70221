# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Python package need; where that is absent, the whole file is shown as skipped."""
import os
import subprocess
import sys

SKIPPED = 77  # of CTest
try:
    import ase.build
    import ase.io
    import numpy as np
    import stembridge
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(SKIPPED)

PROGRAM = os.environ["STEMBRIDGE_PROGRAM"]


def run_program(*arguments):
    """Runs `stembridge ARGUMENTS` to the end, without raising for its exit status."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)


def silyl_benzene():
    """A benzene with SiH3 at a carbon: charges of both signs, no symmetry, not at rest."""
    atoms = ase.build.molecule("C6H6")
    silyl = ase.build.molecule("SiH4")[:4]
    axis = (atoms.positions[6] - atoms.positions[0]) / np.linalg.norm(atoms.positions[6] - atoms.positions[0])
    silyl.rotate(silyl.positions[1:].mean(axis=0) - silyl.positions[0], axis)
    silyl.translate(atoms.positions[0] + 1.87 * axis - silyl.positions[0])
    del atoms[6]
    atoms += silyl
    atoms.rattle(0.05, seed=3)
    return atoms


def silicon_carbide():
    """A strained and rattled cell of 3C-SiC."""
    atoms = ase.build.bulk("SiC", "zincblende", a=4.36)
    strain = np.array([[0.02, 0.01, 0], [0.01, -0.01, 0.015], [0, 0.015, 0.01]])
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    atoms.rattle(0.05, seed=3)
    return atoms
