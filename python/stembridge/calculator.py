# SPDX-License-Identifier: Apache-2.0
"""SCC-DFTB as a calculator of ASE."""
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import PropertyNotImplementedError, all_changes

from . import _core
from .convert import engine_atoms, toml_text


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
        run = {"threads": merged.pop("threads", None)}
        self._engine = _core.Engine(toml_text(calculator=merged, run=run))
        self.parameters.update(parameters)
        self.reset()
        return parameters

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        stress = "stress" in properties
        if stress and (self.atoms.cell.rank < 3 or not any(self.atoms.pbc)):
            raise PropertyNotImplementedError("the stress of a structure that does not repeat, or has no volume")
        self.results = self._engine.evaluate(engine_atoms(self.atoms), stress)
        self.details = self.results.pop("details")

    def get_fermi_level(self):
        """In eV."""
        self.get_property("energy", self.atoms)
        return self.details["fermi_level"]
