# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Python package need; where that is absent, the whole file is shown as skipped."""
import contextlib
import os
import signal
import subprocess
import sys
import threading

SKIPPED = 77  # of CTest
# Matrices are small here, and on a busy machine threads wait for each other. Read when the libraries load.
os.environ.setdefault("OMP_NUM_THREADS", "1")
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


@contextlib.contextmanager
def interrupted_after(seconds):
    """As if Ctrl-C were pressed then."""
    timer = threading.Timer(seconds, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


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


def graphene(width, height):
    """A sheet without cell, atoms in the plane z = 0, bonds of 1.42 angstrom. @param width, height angstrom"""
    cell = ase.build.graphene(a=1.42 * 3**0.5, size=(1, 1, 1), vacuum=8)
    n = int(max(width, height) / 2) + 4
    sheet = cell * (2 * n, 2 * n, 1)
    sheet.pbc = False
    sheet.cell = None
    sheet.positions -= sheet.positions.mean(axis=0)
    sheet.positions[:, 2] = 0
    return sheet[(abs(sheet.positions[:, :2]) < [width / 2, height / 2]).all(axis=1)]


def stone_wales(sheet):
    """The sheet with the bond nearest to its middle turned by 90 degrees and shortened a little."""
    near = np.argsort(np.linalg.norm(sheet.positions, axis=1))[:6]
    i, j = min(((a, b) for a in near for b in near if a < b and sheet.get_distance(a, b) < 1.5),
               key=lambda pair: np.linalg.norm(sheet.positions[list(pair)].mean(axis=0)))
    sheet = sheet.copy()
    middle = sheet.positions[[i, j]].mean(axis=0)
    half = 0.66 / 0.71 * (sheet.positions[i] - middle)
    turned = np.array([-half[1], half[0], 0])
    sheet.positions[i], sheet.positions[j] = middle + turned, middle - turned
    return sheet


def with_relaxed_middle(sheet):
    """The sheet with its 60 inner atoms relaxed in the plane."""
    middle = {"by": "nearest", "center_angstrom": [0, 0], "atoms": 60}
    piece, report = stembridge.build(sheet, crop=middle, fix=["perimeter", "z"])
    start = piece.positions.copy()
    stembridge.relax(piece, stembridge.Calculator(threads=1), max_force=0.05)
    sheet = sheet.copy()
    for atom, origin in enumerate(report["origin"]):
        if origin >= 0:
            sheet.positions[origin] += piece.positions[atom] - start[atom]
    return sheet


def flake(n_atoms=24):
    """A round piece of graphene with H at its edge, in a box."""
    return stembridge.build(graphene(30, 30), crop={"by": "nearest", "center_angstrom": [0, 0], "atoms": n_atoms},
                            vacuum="16 angstrom").atoms


def extxyz_text(atoms):
    """With all digits, which the writer of ASE does not keep."""
    header = 'Properties=species:S:1:pos:R:3 pbc="' + " ".join("FT"[int(p)] for p in atoms.pbc) + '"'
    if any(atoms.pbc):
        header = 'Lattice="' + " ".join(map(repr, atoms.cell.array.ravel().tolist())) + '" ' + header
    rows = [" ".join([symbol, *map(repr, position)])
            for symbol, position in zip(atoms.get_chemical_symbols(), atoms.positions.tolist())]
    return "\n".join([str(len(atoms)), header, *rows]) + "\n"
