# SPDX-License-Identifier: Apache-2.0
"""Atoms of a micrograph, and rings of bonds."""
import os
import pathlib
import warnings
from typing import NamedTuple

import numpy as np

from . import _core


class FoundAtoms(NamedTuple):
    """Atoms of a frame, one per row."""

    positions: np.ndarray  # (n, 2) x and y in angstrom, corrected with the lattice
    positions_px: np.ndarray  # (n, 2) column and row; (0, 0) is the centre of the first pixel
    numbers: np.ndarray  # (n) atomic numbers; 0 = another element
    probability: np.ndarray  # (n) of the class
    spread: np.ndarray  # (n) standard deviation of the probability over the ensemble
    sigma: np.ndarray  # (n) standard deviation of the position along x or y, angstrom
    method: str  # "network" or "classical"


def network_files(network):
    """Files of weights: one, or those in a folder."""
    path = _core.data_folder() / "networks" / "graphene" if network == "builtin" else pathlib.Path(network)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.glob("*.h5") if not file.name.startswith("checkpoint"))
    if not files:
        raise _core.FileError(f"{path}: a folder without weights (*.h5)")
    return files


def find_atoms(image, pixel_size=None, network="builtin", threads=0):
    """Finds the atoms of a micrograph of graphene.

    image: (height, width) array; pixel_size: such as "0.104 angstrom", left out = found from the lattice;
    network: "builtin" (the classical detector, with a warning, where networks are not available), a file or
    a folder of weights, or None for the classical detector;
    threads: 0 = all processors.
    """
    size = None if pixel_size is None else _core.length_in_angstrom(pixel_size)
    why_not = _core.why_no_networks() if network == "builtin" else ""
    if why_not:
        warnings.warn(f"the classical detector finds the atoms: {why_not}", stacklevel=2)
    use_networks = network is not None and not why_not
    files = network_files(network) if use_networks else []
    return FoundAtoms(**_core.find_atoms(np.asarray(image, np.float32), size, files,
                                         threads or len(os.sched_getaffinity(0))))


def rings(atoms, largest=10):
    """Shortest-path rings of bonds of an ase.Atoms: lists of atoms in order around each."""
    return _core.rings(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, largest)
