# SPDX-License-Identifier: Apache-2.0
"""Cells ready to compute from found atoms, and what is in a structure."""
import json
from typing import NamedTuple

import ase
import numpy as np

from . import _core
from .convert import ase_atoms, engine_atoms, number, toml_text, whole_number
from .functions import FoundAtoms


class Built(NamedTuple):
    """A cell ready to compute, and how it came about."""

    atoms: ase.Atoms  # what is held fixed stands in its constraints
    report: dict  # the build.json of `stembridge build`; atoms counted from 0


def numbers_as_keys(table):
    """The keys of JSON are texts; sizes of rings and the like are numbers."""
    return {int(key) if key.isdigit() else key: value for key, value in table.items()}


def build(start, charge=0, **options):
    """From the atoms of find_atoms, or an ase.Atoms, to a cell ready to compute, as `stembridge build` does it.

        atoms, report = build(found, crop={"by": "nearest", "center_px": [322, 709], "atoms": 91},
                              vacuum="20 angstrom", fix=["perimeter"])

    Contacts that are too short are merged, dangling atoms removed and edges ended with H, unless told otherwise.
    charge: of the cell, for the warning of an odd number of electrons; everything else are the keys of the
    table [build] of a configuration. The report says what was changed; its `origin` tells for each atom which
    one it was in `start` (-1 = added). What a user should look at is warned of.
    """
    if options.get("structure") is not None:
        raise _core.InputError("structure: build starts from its first argument; ase.io.read gives an ase.Atoms of a file")
    text = toml_text(build=options, calculator={"charge": charge})
    if isinstance(start, FoundAtoms):
        region = np.zeros((0, 0)) if start.region is None else start.region
        made, origin, report = _core.build_from_found(start.positions_px, start.positions, start.numbers,
                                                      start.probability, start.spread, start.sigma, region, text)
    elif isinstance(start, ase.Atoms):
        made, origin, report = _core.build_from_atoms(engine_atoms(start, constraints=True), text)
    else:
        raise _core.InputError(f"build starts from the atoms of find_atoms or an ase.Atoms, not from a "
                               f"{type(start).__name__}")
    return Built(ase_atoms(made), {**json.loads(report), "origin": origin})


def analyze(atoms, largest_ring=10, bond_factor=1.25):
    """Rings, defects, bonds, angles and coordination of an ase.Atoms: the content of `stembridge analyze --json`.

    Lengths in angstrom, angles in degrees, atoms counted from 0. Two atoms are bonded below bond_factor times
    the sum of their covalent radii.
    """
    return json.loads(_core.analyze(engine_atoms(atoms), whole_number("largest_ring", largest_ring),
                                    number("bond_factor", bond_factor)), object_hook=numbers_as_keys)


def defects(atoms, largest_ring=10):
    """Where a sheet of hexagons is disturbed, the largest place first: kind, atoms, center_angstrom of each."""
    return analyze(atoms, largest_ring)["defects"]


def rings(atoms, largest=10):
    """Shortest-path rings of bonds of an ase.Atoms: lists of atoms in order around each."""
    return _core.rings(engine_atoms(atoms), whole_number("largest", largest))
