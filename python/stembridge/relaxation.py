# SPDX-License-Identifier: Apache-2.0
"""Relaxation by the engine's own optimiser."""
from typing import NamedTuple

import numpy as np

from . import _core
from .calculator import Calculator
from .convert import check_atoms, engine_atoms, number, toml_text


class Relaxation(NamedTuple):
    """How a relaxation ended."""

    converged: bool
    status: str  # "converged", "out_of_steps" or "stalled"
    steps: int  # moves that were kept
    evaluations: int  # of energy and forces
    max_force: float  # largest force on an atom along its free coordinates, eV/angstrom
    energies: np.ndarray  # free energy of the start and after each step, eV
    straightened: bool  # whether raw coordinates were straightened by the force field first


def relax(atoms, calculator=None, max_force=1e-3, cell="none", steps=1000, method="auto", pre_relax="auto",
          seed=1, callback=None):
    """Relaxes an ase.Atoms in place with preconditioned L-BFGS, as `stembridge relax` does it.

    calculator: a stembridge.Calculator; left out = that of the atoms, or the default one;
    max_force: eV/angstrom, or a text with a unit; cell: what of the cell relaxes too, "none", "xy" or "full";
    steps: most evaluations; method, pre_relax: keys of the table [relax];
    seed: of the shifts by which a flat structure can buckle;
    callback: called with a dict for every evaluation; the atoms are then those of the last step that was kept.

    The constraints FixAtoms and FixCartesian are obeyed. Ctrl-C ends it after an evaluation; whatever ends it,
    the atoms are those of the last step that was kept.
    """
    check_atoms(atoms)
    calculator = calculator or atoms.calc or Calculator()
    if not isinstance(calculator, Calculator):
        raise _core.InputError(f"relax needs a stembridge.Calculator, not a {type(calculator).__name__}; with other "
                               "calculators the optimisers of ASE do it")
    if not isinstance(max_force, str):
        accepted = "a number, eV/angstrom, or a text with a unit"
        max_force = f"{number('max_force', max_force, accepted)!r} eV/angstrom"
    for name, array in (("positions", atoms.positions), ("cell", atoms.cell.array)):
        if array.dtype != np.float64 or not array.flags.writeable:
            raise _core.InputError(f"relax moves the atoms in place: accepted are {name} that can be written, of the type "
                                   f"float64, not {'' if array.flags.writeable else 'read-only '}{array.dtype}")
    atoms.calc = calculator
    text = toml_text(relax={"max_force": max_force, "max_steps": steps, "cell": cell, "method": method,
                            "pre_relax": pre_relax}, run={"seed": seed})
    done = calculator.engine_for(atoms).relax(engine_atoms(atoms, constraints=True), text, atoms.positions,
                                              atoms.cell.array, callback)
    converged = done["status"] == "converged"
    if converged:  # its forces are as good as those of a single evaluation
        calculator.atoms, calculator.results = atoms.copy(), done["results"]
        calculator.details = calculator.results.pop("details")
        if atoms.cell.rank < 3:
            calculator.results.pop("stress", None)  # there is no volume
    return Relaxation(converged, done["status"], len(done["energies"]) - 1, done["evaluations"], done["max_force"],
                      np.array(done["energies"]), done["straightened"])
