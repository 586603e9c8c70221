# SPDX-License-Identifier: Apache-2.0
"""SCC-DFTB as a calculator of ASE."""
import json
import os

from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import PropertyNotImplementedError, all_changes

from . import _core


def toml_value(value):
    """A value as it stands in a configuration file."""
    if hasattr(value, "tolist"):  # of numpy
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(os.fspath(value), ensure_ascii=False)


class Calculator(AseCalculator):
    """SCC-DFTB. The keyword arguments are the keys of the table [calculator] of a configuration:

        Calculator(parameters="builtin", electronic_temperature="300 K", charge=0, kpoints=[6, 6, 1],
                   scc={"tolerance": 1e-8}, spin={"polarized": True}, solver="auto")

    and `threads` (0 = all). Quantities are texts with a unit; a key that is None is left out.

    `free_energy` is the Mermin free energy, whose gradient is minus the forces; `energy` is its extrapolation to
    zero electronic temperature. The charges of one geometry are the start of the next. What ASE has no name for
    is in `details`: fermi_level (eV), scc_iterations, scc_fallback, solver.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "charges", "magmom", "magmoms"]
    discard_results_on_any_change = True

    def set(self, **parameters):
        """Changes parameters; what is remembered of earlier geometries is dropped."""
        merged = {**self.parameters, **parameters}
        threads = merged.get("threads")
        lines = ["[calculator]"]
        lines += [f"{json.dumps(key)} = {toml_value(value)}" for key, value in merged.items()
                  if key != "threads" and value is not None]
        if threads is not None:
            lines += ["[run]", f"threads = {toml_value(threads)}"]
        self._engine = _core.Engine("\n".join(lines))
        self.parameters.update(parameters)
        self.reset()
        return parameters

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        stress = "stress" in properties
        if stress and (self.atoms.cell.rank < 3 or not any(self.atoms.pbc)):
            raise PropertyNotImplementedError("the stress of a structure that does not repeat, or has no volume")
        cell = self.atoms.cell.complete() if any(self.atoms.pbc) else self.atoms.cell
        self.results = self._engine.evaluate(self.atoms.numbers, self.atoms.positions, cell.array,
                                             self.atoms.pbc, stress)
        self.details = self.results.pop("details")

    def get_fermi_level(self):
        """In eV."""
        self.get_property("energy", self.atoms)
        return self.details["fermi_level"]
