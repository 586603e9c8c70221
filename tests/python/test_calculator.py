# SPDX-License-Identifier: Apache-2.0
"""The calculator of ASE: derivatives, the same numbers as the program's, errors."""
import copy
import gc
import json
import multiprocessing
import pathlib
import pickle
import tempfile
import threading
import unittest
import weakref

from support import ase, extxyz_text, graphene, np, run_program, silicon_carbide, silyl_benzene, stembridge
from ase.calculators.calculator import PropertyNotImplementedError
from ase.constraints import UnitCellFilter
from ase.optimize import BFGS

TIGHT = {"tolerance": 1e-10, "energy_tolerance": 1e-13}


def free_energy(atoms):
    return atoms.get_potential_energy(force_consistent=True)


class TestCalculator(unittest.TestCase):
    def assert_forces_are_derivatives(self, atoms, coordinates, step=2.5e-4):
        # The error is step^2/6 times a third derivative, of short bonds some 1000 eV/angstrom^3.
        forces = atoms.get_forces()
        for atom, axis in coordinates:
            energies = []
            for sign in (1, -1):
                moved = atoms.copy()
                moved.positions[atom, axis] += sign * step
                moved.calc = atoms.calc
                energies.append(free_energy(moved))
            self.assertAlmostEqual(forces[atom, axis], -(energies[0] - energies[1]) / (2 * step), delta=3e-5)

    def test_forces_are_derivatives_of_the_free_energy(self):
        molecule = silyl_benzene()
        molecule.calc = stembridge.Calculator(scc=TIGHT, threads=1)
        self.assert_forces_are_derivatives(molecule, [(0, 0), (5, 1), (11, 0), (12, 2)])
        crystal = silicon_carbide()
        crystal.calc = stembridge.Calculator(scc=TIGHT, threads=1, kpoints=[3, 3, 3])
        self.assert_forces_are_derivatives(crystal, [(0, 0), (1, 2)])

    def test_at_a_high_electronic_temperature_forces_belong_to_the_free_energy(self):
        atoms = silyl_benzene()
        atoms.calc = stembridge.Calculator(scc=TIGHT, threads=1, electronic_temperature="8000 K")
        self.assertLess(free_energy(atoms), atoms.get_potential_energy() - 0.01)
        self.assert_forces_are_derivatives(atoms, [(0, 0), (11, 1)])

    def test_stress_is_the_derivative_by_strain_over_the_volume(self):
        atoms = silicon_carbide()
        atoms.calc = stembridge.Calculator(scc=TIGHT, threads=1, kpoints=[3, 3, 3])
        stress = atoms.get_stress(voigt=False)
        step = 1e-4
        for i, j in [(0, 0), (1, 1), (1, 2), (0, 1)]:
            energies = []
            for sign in (1, -1):
                strain = np.eye(3)
                strain[i, j] += sign * step / 2
                strain[j, i] += sign * step / 2
                strained = atoms.copy()
                strained.set_cell(atoms.cell.array @ strain, scale_atoms=True)
                strained.calc = atoms.calc
                energies.append(free_energy(strained))
            self.assertAlmostEqual(stress[i, j], (energies[0] - energies[1]) / (2 * step) / atoms.get_volume(),
                                   delta=1e-5)
        stretched, pressed = silicon_carbide(), silicon_carbide()
        stretched.set_cell(1.05 * stretched.cell.array, scale_atoms=True)
        pressed.set_cell(0.95 * pressed.cell.array, scale_atoms=True)
        for cell, sign in ((stretched, 1), (pressed, -1)):
            cell.calc = atoms.calc
            self.assertGreater(sign * cell.get_stress()[:3].mean(), 0)  # tension is positive

    def test_numbers_are_those_of_the_program(self):
        hartree, bohr = stembridge._core.hartree, stembridge._core.bohr
        for atoms, mesh in ((silyl_benzene(), [1, 1, 1]), (silicon_carbide(), [3, 3, 3])):
            with tempfile.TemporaryDirectory() as folder:
                start, result = pathlib.Path(folder, "start.extxyz"), pathlib.Path(folder, "energy.json")
                start.write_text(extxyz_text(atoms))
                run = run_program("energy", start, "--json", result, "--scc-tolerance", "1e-10", "--threads", 1,
                                  "--kpoints", " ".join(map(str, mesh)))
                self.assertEqual(run.returncode, 0, run.stderr)
                program = json.loads(result.read_text())
            atoms.calc = stembridge.Calculator(scc={"tolerance": 1e-10}, threads=1, kpoints=mesh)
            self.assertAlmostEqual(free_energy(atoms) / hartree, program["energy_hartree"], delta=1e-10)
            self.assertAlmostEqual(atoms.get_potential_energy() / hartree, program["energy_zero_hartree"],
                                   delta=1e-10)
            np.testing.assert_allclose(atoms.get_forces() * bohr / hartree, program["forces_hartree_per_bohr"],
                                       rtol=0, atol=1e-9)
            np.testing.assert_allclose(atoms.get_charges(), program["charges_e"], rtol=0, atol=1e-9)
            if any(atoms.pbc):
                np.testing.assert_allclose(atoms.get_stress(voigt=False) * bohr**3 / hartree,
                                           program["stress_hartree_per_bohr3"], rtol=0, atol=1e-9)

    def test_benzene_relaxes_to_a_planar_hexagon(self):
        atoms = ase.build.molecule("C6H6")
        atoms.rattle(0.1, seed=1)
        atoms.calc = stembridge.Calculator(threads=1)
        self.assertTrue(BFGS(atoms, logfile=None).run(fmax=1e-3, steps=200))
        bonds = [atoms.get_distance(i, (i + 1) % 6) for i in range(6)]
        self.assertLess(np.ptp(bonds), 2e-3)
        self.assertAlmostEqual(np.mean(bonds), 1.39, delta=0.02)  # experiment: 1.39 angstrom
        self.assertLess(np.linalg.svd(atoms.positions - atoms.positions.mean(axis=0))[1][2], 0.05)
        self.assertAlmostEqual(atoms.get_charges().sum(), 0, delta=1e-8)

    def test_a_cell_relaxes_until_its_stress_is_gone(self):
        atoms = silicon_carbide()
        atoms.calc = stembridge.Calculator(threads=1, kpoints=[3, 3, 3])
        self.assertTrue(BFGS(UnitCellFilter(atoms), logfile=None).run(fmax=0.01, steps=100))
        self.assertLess(np.abs(atoms.get_stress()).max(), 0.01 / atoms.get_volume() * 2)

    def test_charge_and_spin_are_taken(self):
        atoms = ase.build.molecule("CH3")
        atoms.calc = stembridge.Calculator(spin={"polarized": True, "unpaired": 1}, threads=1)
        self.assertAlmostEqual(atoms.get_magnetic_moment(), 1, delta=1e-6)
        self.assertAlmostEqual(atoms.get_magnetic_moments().sum(), 1, delta=1e-6)
        atoms.calc.set(charge=1, spin=None)
        self.assertAlmostEqual(atoms.get_charges().sum(), 1, delta=1e-8)

    def test_moments_without_polarised_spin_are_refused_before_anything_is_computed(self):
        atoms = ase.build.molecule("CH4")
        atoms.calc = stembridge.Calculator(threads=1)
        for moments in (atoms.get_magnetic_moment, atoms.get_magnetic_moments):
            with self.assertRaisesRegex(PropertyNotImplementedError, "polarized"):
                moments()
        self.assertEqual(atoms.calc.results, {})

    def test_spins_start_from_the_initial_moments_of_the_atoms(self):
        # A bond so long that its electrons have parted; which way each of them turns is decided by the start.
        atoms = ase.Atoms("H2", [[0, 0, 0], [0, 0, 3.5]])
        atoms.calc = stembridge.Calculator(spin={"polarized": True}, threads=1)
        atoms.set_initial_magnetic_moments([-1, 1])
        np.testing.assert_allclose(atoms.get_magnetic_moments(), [-1, 1], atol=0.01)
        opposite = atoms.get_potential_energy()
        atoms.set_initial_magnetic_moments([1, 1])
        np.testing.assert_allclose(atoms.get_magnetic_moments(), [1, 1], atol=0.01)
        self.assertGreater(atoms.get_potential_energy(), opposite)
        atoms.calc.set(spin={"polarized": True, "initial_moments": {"indices:1": 1, "indices:2": -1}})
        np.testing.assert_allclose(atoms.get_magnetic_moments(), [1, -1], atol=0.01)
        atoms.arrays["initial_magmoms"] = np.ones((2, 3))  # as newer versions of ASE allow
        atoms.calc.set(spin={"polarized": True})
        with self.assertRaisesRegex(stembridge.InputError, "collinear"):
            atoms.get_potential_energy()

    def test_the_dipole_is_that_of_the_charges(self):
        atoms = silyl_benzene()
        atoms.calc = stembridge.Calculator(threads=1)
        dipole = atoms.get_dipole_moment()
        np.testing.assert_allclose(dipole, atoms.get_charges() @ atoms.positions, atol=1e-9)
        # Silicon gives electrons to the carbon beside it and to its hydrogens.
        self.assertGreater(np.linalg.norm(dipole), 0.01)
        atoms.positions += 3  # nothing changes where charges sum to nothing
        np.testing.assert_allclose(atoms.get_dipole_moment(), dipole, atol=1e-4)
        crystal = silicon_carbide()
        crystal.calc = atoms.calc
        with self.assertRaises(PropertyNotImplementedError):
            crystal.get_dipole_moment()

    def test_it_is_freed_when_it_is_dropped(self):
        atoms = ase.build.molecule("CH4")
        atoms.calc = stembridge.Calculator(threads=1)
        atoms.get_potential_energy()
        calculator = weakref.ref(atoms.calc)
        gc.disable()
        try:
            atoms.calc = None
            self.assertIsNone(calculator())
        finally:
            gc.enable()

    def test_parameters_are_what_files_can_hold(self):
        calculator = stembridge.Calculator(charge=np.float32(0), scc={"tolerance": None, "max_iterations": np.int64(90)})
        json.dumps(calculator.parameters)
        self.assertFalse(calculator.get_spin_polarized())
        calculator = stembridge.Calculator(parameters=pathlib.Path("sets", "mine"))
        self.assertEqual(calculator.parameters["parameters"], str(pathlib.Path.cwd() / "sets" / "mine"))
        with self.assertRaises(TypeError):
            stembridge.Calculator("builtin")
        for name in ("label", "directory", "restart"):
            with self.assertRaisesRegex(stembridge.InputError, name):
                stembridge.Calculator(**{name: "x"})
        atoms = ase.build.molecule("CH4")
        self.assertIs(stembridge.Calculator(atoms=atoms).parameters, atoms.calc.parameters)
        with self.assertRaises(PropertyNotImplementedError):
            stembridge.Calculator().get_fermi_level()

    def test_a_forked_process_computes(self):
        atoms = graphene(14, 14)
        atoms.calc = stembridge.Calculator(threads=2, scc={"enabled": False})
        energy = atoms.get_potential_energy()

        def child(results):
            for calc in (atoms.calc, stembridge.Calculator(scc={"enabled": False})):
                again = graphene(14, 14)
                again.calc = calc
                if calc is atoms.calc:
                    calc.reset()
                results.put(again.get_potential_energy())

        context = multiprocessing.get_context("fork")
        results = context.Queue()
        process = context.Process(target=child, args=(results,), daemon=True)
        process.start()
        for _ in range(2):
            self.assertAlmostEqual(results.get(timeout=100), energy, delta=1e-6)
        process.join(10)

    def test_copies_and_pickles_compute_the_same(self):
        calculator = stembridge.Calculator(threads=1, kpoints=[2, 2, 2])
        atoms = silicon_carbide()
        atoms.calc = calculator
        energy = atoms.get_potential_energy()
        for other in (copy.deepcopy(calculator), pickle.loads(pickle.dumps(calculator))):
            self.assertEqual(other.parameters, calculator.parameters)
            self.assertEqual(other.results["energy"], energy)
            again = silicon_carbide()
            again.calc = other
            other.reset()
            self.assertAlmostEqual(again.get_potential_energy(), energy, delta=1e-6)

    def test_results_survive_a_trajectory_file(self):
        atoms = silyl_benzene()
        atoms.calc = stembridge.Calculator(threads=1, scc={"tolerance": 1e-8})
        forces = atoms.get_forces()
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "one.traj")
            atoms.write(file)
            read = ase.io.read(file)
        self.assertEqual(read.get_potential_energy(), atoms.get_potential_energy())
        np.testing.assert_array_equal(read.get_forces(), forces)
        self.assertEqual(atoms.calc.details["solver"], "dense")
        self.assertLess(atoms.calc.get_fermi_level(), 0)

    def test_changed_parameters_change_the_results(self):
        atoms = silicon_carbide()
        atoms.calc = stembridge.Calculator(threads=1)
        first = atoms.get_potential_energy()
        atoms.calc.set(kpoints=np.array([3, 3, 3]))
        self.assertGreater(abs(atoms.get_potential_energy() - first), 0.1)

    def test_errors_are_those_of_the_program(self):
        def assert_raises(exception, words, **parameters):
            with self.assertRaises(exception) as caught:
                atoms = silyl_benzene()
                atoms.calc = stembridge.Calculator(threads=1, **parameters)
                atoms.get_potential_energy()
            self.assertIsInstance(caught.exception, stembridge.Error)
            for word in words:
                self.assertIn(word, str(caught.exception))

        assert_raises(stembridge.InputError, ["unknown key calculator.scc.tolerence", "calculator.scc.tolerance"],
                      scc={"tolerence": 1e-8})
        assert_raises(ValueError, ["calculator.electronic_temperature", "a unit is needed", "K"],
                      electronic_temperature=300)
        assert_raises(stembridge.InputError, ["calculator.kpoints", "a list of 3"], kpoints=[1, 2])
        assert_raises(stembridge.FileError, ["/nowhere", "no such folder"], parameters="/nowhere")
        assert_raises(stembridge.UnsupportedError, ["elpa"], solver="elpa")
        assert_raises(stembridge.ConvergenceError, ["SCC did not converge"], scc={"max_iterations": 1})
        with self.assertRaises(TypeError):
            stembridge.Calculator(charge=object())

    def test_structures_that_cannot_be_computed_are_refused(self):
        def assert_refused(atoms, words, exception=stembridge.InputError, get="get_forces"):
            atoms.calc = stembridge.Calculator(threads=1)
            with self.assertRaises(exception) as caught:
                getattr(atoms, get)()
            self.assertIn(words, str(caught.exception))

        on_top = ase.Atoms("C2", [[0, 0, 0], [0, 0, 0.1]])
        assert_refused(on_top, "apart")
        assert_refused(ase.Atoms("C2", [[0, 0, 0], [0, 0, np.nan]]), "not a finite number")
        assert_refused(ase.Atoms("Au2", [[0, 0, 0], [0, 0, 2.5]]), "Au", stembridge.Error)
        assert_refused(ase.Atoms("C", pbc=True), "without a cell vector")
        assert_refused(silyl_benzene(), "stress", PropertyNotImplementedError, "get_stress")

    def test_failed_parameters_leave_the_calculator_as_it_was(self):
        calculator = stembridge.Calculator(threads=1)
        with self.assertRaises(stembridge.InputError):
            calculator.set(filling="square")
        atoms = silyl_benzene()
        atoms.calc = calculator
        self.assertTrue(np.isfinite(atoms.get_potential_energy()))

    def test_other_threads_run_during_an_evaluation(self):
        sheet = ase.build.graphene_nanoribbon(6, 6, type="armchair", saturated=True)
        sheet.pbc = False
        sheet.calc = stembridge.Calculator(threads=1)
        ticks, done = [], threading.Event()

        def count():
            while not done.wait(0.001):
                ticks.append(1)

        other = threading.Thread(target=count)
        sheet.calc.calculate(sheet.copy())
        other.start()
        sheet.rattle(0.02, seed=1)
        ticks.clear()
        sheet.calc.calculate(sheet.copy())
        counted = len(ticks)
        done.set()
        other.join()
        self.assertGreater(counted, 3)


if __name__ == "__main__":
    unittest.main()
