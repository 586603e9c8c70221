# SPDX-License-Identifier: Apache-2.0
"""The engine's own relaxation: the minimum that ASE finds, constraints, cells, how it is stopped."""
import signal
import threading
import unittest
import unittest.mock

from support import ase, flake, np, silicon_carbide, silyl_benzene, stembridge
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixBondLength, FixCartesian
from ase.optimize import BFGS


def calculator(**parameters):
    return stembridge.Calculator(threads=1, scc={"tolerance": 1e-8}, **parameters)


def largest_force(atoms):
    """Of an evaluation that knows nothing of the relaxation, along free coordinates."""
    fresh = atoms.copy()
    fresh.calc = calculator(**{key: value for key, value in atoms.calc.parameters.items() if key == "kpoints"})
    return np.linalg.norm(fresh.get_forces(), axis=1).max()


class TestRelax(unittest.TestCase):
    def test_it_ends_where_ase_ends_with_a_third_of_the_evaluations(self):
        atoms = flake()
        atoms.rattle(0.06, seed=2)
        other = atoms.copy()
        relaxed = stembridge.relax(atoms, calculator())
        self.assertTrue(relaxed.converged)
        self.assertEqual(relaxed.status, "converged")
        self.assertLess(relaxed.max_force, 1e-3)
        self.assertLess(largest_force(atoms), 1.2e-3)
        self.assertEqual(len(relaxed.energies), relaxed.steps + 1)
        self.assertLess(relaxed.energies[-1], relaxed.energies[0])

        other.calc = calculator()
        with unittest.mock.patch.object(other.calc, "calculate", wraps=other.calc.calculate) as evaluate:
            self.assertTrue(BFGS(other, logfile=None).run(fmax=1e-3, steps=500))
        self.assertAlmostEqual(atoms.get_potential_energy(), other.get_potential_energy(), delta=1e-4)
        self.assertLess(3 * relaxed.evaluations, evaluate.call_count)

    def test_results_are_left_with_the_calculator(self):
        atoms = silyl_benzene()
        atoms.calc = calculator()
        relaxed = stembridge.relax(atoms)
        with unittest.mock.patch.object(atoms.calc, "calculate", side_effect=AssertionError):
            self.assertAlmostEqual(np.linalg.norm(atoms.get_forces(), axis=1).max(), relaxed.max_force, delta=1e-9)
            self.assertEqual(atoms.get_potential_energy(force_consistent=True), relaxed.energies[-1])
            self.assertAlmostEqual(atoms.get_charges().sum(), 0, delta=1e-8)
        fresh = atoms.copy()
        fresh.calc = calculator()
        np.testing.assert_allclose(atoms.get_forces(), fresh.get_forces(), atol=2e-4)
        atoms.rattle(0.02, seed=1)
        self.assertGreater(np.abs(atoms.get_forces()).max(), 0.1)

    def test_what_is_fixed_stays_to_the_last_bit(self):
        atoms = silyl_benzene()
        atoms.set_constraint([FixAtoms([0, 5]), FixCartesian(7, (True, False, True))])
        before = atoms.positions.copy()
        relaxed = stembridge.relax(atoms, calculator(), pre_relax="force-field")
        self.assertTrue(relaxed.converged)
        self.assertTrue(relaxed.straightened)
        moved = atoms.positions != before
        self.assertFalse(moved[[0, 5]].any())
        self.assertEqual(list(moved[7]), [False, True, False])
        self.assertTrue(np.delete(moved, [0, 5, 7], axis=0).all())
        self.assertLess(largest_force(atoms), 1.2e-3)
        free = atoms.get_forces(apply_constraint=False)
        self.assertGreater(np.abs(free[[0, 5]]).max(), 0.01)

    def test_a_cell_relaxes_until_its_stress_is_gone(self):
        atoms = silicon_carbide()
        relaxed = stembridge.relax(atoms, calculator(kpoints=[3, 3, 3]), cell="full")
        self.assertTrue(relaxed.converged)
        fresh = atoms.copy()
        fresh.calc = calculator(kpoints=[3, 3, 3])
        bound = 1e-3 * 2**0.5 * 1.4 / atoms.get_volume()
        self.assertLess(np.abs(fresh.get_stress()).max(), 1.2 * bound)
        lengths, angles = atoms.cell.cellpar()[:3], atoms.cell.cellpar()[3:]
        np.testing.assert_allclose(lengths, lengths.mean(), rtol=1e-3)  # zincblende
        np.testing.assert_allclose(angles, 60, atol=0.1)

    def test_a_sheet_relaxes_in_its_plane(self):
        sheet = ase.build.graphene(a=2.6, size=(1, 1, 1))
        sheet.pbc = (True, True, False)
        self.assertEqual(sheet.cell.rank, 2)
        relaxed = stembridge.relax(sheet, calculator(kpoints=[9, 9, 1]), cell="xy")
        self.assertTrue(relaxed.converged)
        self.assertAlmostEqual(sheet.cell.lengths()[0], 2.46, delta=0.02)  # experiment: 2.46 angstrom
        np.testing.assert_array_equal(sheet.cell[2], 0)
        self.assertNotIn("stress", sheet.calc.results)  # without a volume

    def test_without_enough_steps_it_says_so(self):
        atoms = silyl_benzene()
        relaxed = stembridge.relax(atoms, calculator(), steps=3, pre_relax="none")
        self.assertFalse(relaxed.converged)
        self.assertEqual((relaxed.status, relaxed.evaluations), ("out_of_steps", 3))
        self.assertGreater(np.abs(atoms.positions - silyl_benzene().positions).max(), 1e-3)

    def test_the_callback_sees_every_evaluation_and_may_compute(self):
        atoms = silyl_benzene()
        seen = []

        def watch(step):
            seen.append(step)
            if step["accepted"]:
                self.assertAlmostEqual(atoms.get_potential_energy(force_consistent=True), step["energy"], delta=1e-2)

        relaxed = stembridge.relax(atoms, calculator(), callback=watch)
        self.assertTrue(relaxed.converged)
        self.assertEqual([step["step"] for step in seen], list(range(1, relaxed.evaluations + 1)))
        self.assertEqual([step["energy"] for step in seen if step["accepted"]], list(relaxed.energies))

    def test_an_exception_of_the_callback_ends_it_and_steps_are_kept(self):
        atoms = silyl_benzene()

        def stop(step):
            if step["step"] == 4:
                raise StopIteration("enough")

        with self.assertRaisesRegex(StopIteration, "enough"):
            stembridge.relax(atoms, calculator(), callback=stop, pre_relax="none")
        self.assertGreater(np.abs(atoms.positions - silyl_benzene().positions).max(), 1e-3)
        self.assertTrue(np.isfinite(atoms.get_potential_energy()))

    def test_an_interrupt_ends_it_and_steps_are_kept(self):
        atoms = flake()
        atoms.rattle(0.06, seed=2)
        before = atoms.positions.copy()
        main = threading.get_ident()
        timer = threading.Timer(1, lambda: signal.pthread_kill(main, signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            stembridge.relax(atoms, calculator(), max_force="1e-12 eV/angstrom", method="fire", pre_relax="none",
                             steps=100000)
        timer.join()
        self.assertGreater(np.abs(atoms.positions - before).max(), 1e-3)
        self.assertTrue(stembridge.relax(atoms).converged)

    def test_wrong_arguments_are_named_with_what_is_offered(self):
        def assert_refused(words, atoms=None, **options):
            atoms = atoms or silyl_benzene()
            before = atoms.positions.copy()
            with self.assertRaises(stembridge.InputError) as caught:
                stembridge.relax(atoms, **options)
            for word in words:
                self.assertIn(word, str(caught.exception))
            np.testing.assert_array_equal(atoms.positions, before)

        assert_refused(["relax.cell", "none", "xy", "full"], cell="all")
        assert_refused(["relax.method", "auto", "fire", "lbfgs"], method="bfgs")
        assert_refused(["relax.max_force", "unit"], max_force="0.001")
        assert_refused(["relax.max_force"], max_force=0)
        assert_refused(["max_force", "eV/angstrom"], max_force=None)
        assert_refused(["relax.max_steps"], steps=0)
        assert_refused(["EMT", "stembridge.Calculator"], calculator=EMT())
        assert_refused(["cell"], cell="full")
        tied = silyl_benzene()
        tied.set_constraint(FixBondLength(0, 1))
        assert_refused(["FixBondLength", "FixAtoms", "FixCartesian"], tied)
        single, locked = silyl_benzene(), silyl_benzene()
        single.arrays["positions"] = single.positions.astype(np.float32)
        assert_refused(["positions", "float64", "not float32"], single)
        locked.positions.flags.writeable = False
        assert_refused(["positions", "read-only"], locked)
        with self.assertRaisesRegex(stembridge.InputError, "ase.Atoms"):
            stembridge.relax([0, 1])


if __name__ == "__main__":
    unittest.main()
