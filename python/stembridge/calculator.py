# SPDX-License-Identifier: Apache-2.0
"""SCC-DFTB as a calculator of ASE."""
import os

from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import PropertyNotImplementedError, all_changes

from . import _core
from .convert import engine_atoms, plain, toml_text


_is_forked = False


def _after_fork():
    # The threads of the parent are not here: to wait for them would be for ever.
    global _is_forked
    _is_forked = True


os.register_at_fork(after_in_child=_after_fork)


class Calculator(AseCalculator):
    """SCC-DFTB. The keyword arguments are the keys of the table [calculator] of a configuration:

        Calculator(parameters="builtin", electronic_temperature="300 K", charge=0, kpoints=[6, 6, 1],
                   scc={"tolerance": 1e-8}, spin={"polarized": True}, solver="auto")

    and `threads` (0 = all). Quantities are texts with a unit; a key that is None is left out. With spin, the initial
    magnetic moments of the atoms are where spins start, unless spin["initial_moments"] says otherwise or all are 0.

    `free_energy` is the Mermin free energy, whose gradient is minus the forces; `energy` is its extrapolation to
    zero electronic temperature. The charges of one geometry are the start of the next. What ASE has no name for
    is in `details`: fermi_level (eV), scc_iterations, scc_fallback, solver.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "charges", "dipole", "magmom",
                              "magmoms"]
    discard_results_on_any_change = True
    name = "stembridge"

    def __init__(self, *, atoms=None, **parameters):
        self._forked = _is_forked  # when the engine was made
        super().__init__()
        self.set(**parameters)  # ASE would take label, directory and restart for itself
        if atoms is not None:
            atoms.calc = self

    def get_spin_polarized(self):
        return bool((self.parameters.get("spin") or {}).get("polarized"))

    def set(self, **parameters):
        """Changes parameters; what is remembered of earlier geometries is dropped."""
        parameters = plain(parameters)
        folders = parameters.get("parameters")
        if folders is not None:  # a change of the working directory is not to change the tables
            fixed = [f if f == "builtin" else os.path.abspath(os.path.expanduser(f))
                     for f in ([folders] if isinstance(folders, str) else folders)]
            parameters["parameters"] = fixed[0] if isinstance(folders, str) else fixed
        engine = self._new_engine({**self.parameters, **parameters}, {})
        self._engine, self._moments = engine, {}
        self.parameters.update(parameters)
        self.reset()
        return parameters

    @staticmethod
    def _new_engine(parameters, moments):
        table = dict(parameters)
        threads = table.pop("threads", None)
        run = {"threads": 1 if _is_forked else threads}
        if moments:
            table["spin"] = {**table["spin"], "initial_moments": moments}
        return _core.Engine(toml_text(calculator=table, run=run))

    def __getstate__(self):
        """For copies and other processes: all but the engine, which is made anew."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_engine", "_moments")}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._engine, self._moments, self._forked = self._new_engine(self.parameters, {}), {}, _is_forked

    def engine_for(self, atoms):
        """The engine, with spins that start from the initial magnetic moments of the atoms."""
        moments = self._initial_moments(atoms)
        if moments != self._moments or self._forked != _is_forked:
            self._engine, self._moments = self._new_engine(self.parameters, moments), moments
            self._forked = _is_forked
        return self._engine

    def _initial_moments(self, atoms):
        """As in [calculator.spin]; empty where the parameters decide."""
        spin = self.parameters.get("spin") or {}
        moments = atoms.get_initial_magnetic_moments()
        if not spin.get("polarized") or "initial_moments" in spin or not moments.any():
            return {}
        if moments.ndim > 1:
            raise _core.InputError("initial magnetic moments of three components: spins are collinear")
        return {f"indices:{i + 1}": float(m) for i, m in enumerate(moments) if m != 0}

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        if {"magmom", "magmoms"} & set(properties) and not (self.parameters.get("spin") or {}).get("polarized"):
            raise PropertyNotImplementedError('magnetic moments without spin={"polarized": True}')
        super().calculate(atoms, properties, system_changes)
        stress = "stress" in properties
        if stress and (self.atoms.cell.rank < 3 or not any(self.atoms.pbc)):
            raise PropertyNotImplementedError("the stress of a structure that does not repeat, or has no volume")
        self.results = self.engine_for(self.atoms).evaluate(engine_atoms(self.atoms), stress)
        self.details = self.results.pop("details")

    def get_fermi_level(self):
        """In eV."""
        if self.atoms is None:
            raise PropertyNotImplementedError("the Fermi level of nothing: no structure was computed yet")
        self.get_property("energy", self.atoms)
        if "fermi_level" not in self.details:
            raise PropertyNotImplementedError("this calculator has no Fermi level")
        return self.details["fermi_level"]
