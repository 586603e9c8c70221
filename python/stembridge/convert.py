# SPDX-License-Identifier: Apache-2.0
"""Values of Python as the engine takes them, and back."""
import json
import operator
import os

import ase
import numpy as np
from ase.constraints import FixAtoms, FixCartesian

from . import _core


def plain(value):
    """A value without numpy and pathlib, as files of ASE can hold it."""
    if hasattr(value, "tolist"):  # of numpy
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def toml_value(value):
    """A value as it stands in a configuration file."""
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml_value(item)}" for key, item in value.items()
                               if item is not None) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(os.fspath(value), ensure_ascii=False)


def toml_text(**tables):
    """Tables of a configuration; a key that is None is left out."""
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{json.dumps(key)} = {toml_value(value)}" for key, value in table.items() if value is not None]
    return "\n".join(lines)


def number(name, value, accepted="a number"):
    """As a float."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise _core.InputError(f"{name}: accepted is {accepted}, not {value!r}") from None


def whole_number(name, value, least=-(2**31)):
    """As an int that the engine can hold."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise _core.InputError(f"{name}: accepted is a whole number, not {value!r}") from None
    if not least <= whole < 2**31:
        raise _core.InputError(f"{name}: accepted are whole numbers from {least} to {2**31 - 1}, not {whole}")
    return whole


def angstrom(name, value):
    """A length in angstrom."""
    if not isinstance(value, str):
        raise _core.InputError(f'{name}: accepted is a text with a unit, such as "0.104 angstrom", not {value!r}')
    return _core.length_in_angstrom(value)


def check_atoms(atoms):
    if not isinstance(atoms, ase.Atoms):
        hint = "; its to_atoms() makes one" if hasattr(atoms, "to_atoms") else ""
        raise _core.InputError(f"accepted is an ase.Atoms, not a {type(atoms).__name__}{hint}")


def fixed_coordinates(atoms):
    """(n, 3), True = held fixed by the constraints."""
    free = np.ones((len(atoms), 3))
    for constraint in atoms.constraints:
        if not isinstance(constraint, (FixAtoms, FixCartesian)):
            raise _core.InputError(f"the constraint {type(constraint).__name__} is not known to the engine; "
                                   "accepted are FixAtoms and FixCartesian")
        constraint.adjust_forces(atoms, free)
    return free == 0


def engine_atoms(atoms, constraints=False):
    """An ase.Atoms as the engine takes it; its constraints play no part unless asked for."""
    check_atoms(atoms)
    if (atoms.numbers == 0).any():
        raise _core.InputError("the structure has atoms X, of unknown elements: leave them out, as to_atoms(unknown=False) "
                               "of found atoms does, or give them an element")
    if any(atoms.pbc & ~atoms.cell.any(axis=1)):
        raise _core.InputError("the structure repeats in a direction without a cell vector: give it a cell, or pbc=False "
                               "there")
    cell = atoms.cell.complete() if any(atoms.pbc) else atoms.cell
    fixed = fixed_coordinates(atoms) if constraints else np.zeros((0, 3), bool)
    return _core.Atoms(atoms.numbers, atoms.positions, cell.array, atoms.pbc, fixed)


def ase_atoms(made):
    """An ase.Atoms of what the engine made; what is fixed becomes constraints."""
    fixed = made.fixed
    constraints = [FixAtoms(np.flatnonzero(fixed.all(axis=1)))] if fixed.all(axis=1).any() else []
    constraints += [FixCartesian(int(i), fixed[i])
                    for i in np.flatnonzero(fixed.any(axis=1) & ~fixed.all(axis=1))]
    return ase.Atoms(made.numbers, made.positions, cell=made.cell, pbc=made.pbc, constraint=constraints)
