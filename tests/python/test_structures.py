# SPDX-License-Identifier: Apache-2.0
"""Cells from atoms, and what is in them: known answers, and the same as the program gives."""
import json
import pathlib
import tempfile
import unittest

from support import ase, extxyz_text, flake, graphene, np, run_program, stembridge, stone_wales
from ase.constraints import FixAtoms, FixBondLength, FixCartesian

NEAREST = {"by": "nearest", "center_angstrom": [0, 0], "atoms": 54}


def neighbours(atoms):
    """How many atoms are bonded to each."""
    limit = np.where((atoms.numbers[:, None] == 1) | (atoms.numbers == 1), 1.3, 1.9)
    return ((atoms.get_all_distances() < limit) & ~np.eye(len(atoms), dtype=bool)).sum(axis=1)


def found(positions, numbers=None):
    """Atoms as find_atoms gives them, at 0.1 angstrom a pixel."""
    n = len(positions)
    return stembridge.FoundAtoms(np.array(positions), np.array(positions) / 0.1,
                                 np.full(n, 6) if numbers is None else np.array(numbers), np.full(n, 0.9),
                                 np.full(n, 0.01), np.full(n, 0.05), "network")


class TestToAtoms(unittest.TestCase):
    def test_positions_and_uncertainty_are_kept(self):
        atoms = found([[0, 0], [1.4, 0], [3, 1]], [6, 0, 14]).to_atoms()
        self.assertEqual(atoms.get_chemical_formula(), "CSi")
        np.testing.assert_array_equal(atoms.positions, [[0, 0, 0], [3, 1, 0]])
        np.testing.assert_array_equal(atoms.get_array("positions_px"), [[0, 0], [30, 10]])
        for name, value in (("sigma", 0.05), ("probability", 0.9), ("spread", 0.01)):
            np.testing.assert_array_equal(atoms.get_array(name), [value, value])

    def test_unknown_atoms_are_x_on_request(self):
        atoms = found([[0, 0], [1.4, 0], [3, 1]], [6, 0, 14]).to_atoms(unknown=True)
        self.assertEqual(atoms.get_chemical_symbols(), ["C", "X", "Si"])
        for use in (stembridge.analyze, stembridge.build, stembridge.rings):
            with self.assertRaisesRegex(stembridge.InputError, "unknown=False"):
                use(atoms)


class TestBuild(unittest.TestCase):
    def test_a_patch_has_the_atoms_asked_for_and_h_at_its_edge(self):
        sheet = graphene(30, 30)
        atoms, report = stembridge.build(sheet, crop=NEAREST, vacuum="16 angstrom")
        carbon = atoms.numbers == 6
        self.assertEqual(carbon.sum(), 54)
        self.assertTrue((neighbours(atoms)[carbon] == 3).all())
        self.assertTrue((neighbours(atoms)[~carbon] == 1).all())
        self.assertEqual(report["formula"], f"C54H{(~carbon).sum()}")
        self.assertEqual(report["counters"]["hydrogen_added"], (~carbon).sum())
        self.assertFalse(atoms.pbc.any())
        np.testing.assert_allclose(np.diag(atoms.cell) - np.ptp(atoms.positions, axis=0), 16, atol=1e-9)
        # What was there has only been shifted.
        origin = np.array(report["origin"])
        self.assertTrue(((origin < 0) == ~carbon).all())
        shifts = atoms.positions[carbon] - sheet.positions[origin[carbon]]
        self.assertLess(np.ptp(shifts, axis=0).max(), 1e-9)

    def test_it_is_what_the_program_builds(self):
        sheet = stone_wales(graphene(30, 30))
        atoms, report = stembridge.build(sheet, crop={"by": "defect", "atoms": 60}, fix=["perimeter"])
        with tempfile.TemporaryDirectory() as folder:
            start, out = pathlib.Path(folder, "start.extxyz"), pathlib.Path(folder, "out.extxyz")
            start.write_text(extxyz_text(sheet))
            run = run_program("build", start, "--out", out, "--crop", "defect", "--atoms", 60, "--fix", "perimeter")
            self.assertEqual(run.returncode, 0, run.stderr)
            program = json.loads(pathlib.Path(folder, "out.build", "build.json").read_text())
            read = ase.io.read(out)
        self.assertEqual(atoms.get_chemical_symbols(), read.get_chemical_symbols())
        np.testing.assert_allclose(atoms.positions, read.positions, atol=1e-6)
        self.assertEqual({**program, "origin": None}, {**report, "origin": None})

    def test_regions_of_found_atoms(self):
        frame = found(graphene(30, 30).positions[:, :2] + 15)
        whole = stembridge.build(frame, terminate="none")
        self.assertGreater(len(whole.atoms), 300)
        corners = np.array([[8, 9], [22, 9], [22, 19], [8, 19]])
        px = stembridge.build(frame, crop={"by": "polygon", "polygon_px": 10 * corners})
        angstrom = stembridge.build(frame, crop={"by": "polygon", "polygon_angstrom": corners})
        np.testing.assert_array_equal(px.atoms.positions, angstrom.atoms.positions)
        width, height = np.ptp(px.atoms.positions[px.atoms.numbers == 6], axis=0)[:2]
        self.assertAlmostEqual(width, 14, delta=2.5)
        self.assertAlmostEqual(height, 10, delta=2.5)
        circle = stembridge.build(frame, crop={"by": "radius", "center_px": [150, 150], "radius": "5 angstrom"})
        self.assertEqual(circle.report["origin"].count(-1), circle.report["counters"]["hydrogen_added"])

    def test_contacts_loose_atoms_and_unknown_ones_are_taken_care_of(self):
        positions = graphene(20, 20).positions[:, :2]
        n = len(positions)
        positions = np.vstack([positions, positions[n // 2] + [0.5, 0], [30, 30], [0, 30]])
        with self.assertWarnsRegex(UserWarning, "unknown"):
            atoms, report = stembridge.build(found(positions, [6] * (n + 2) + [0]))
        self.assertEqual(report["counters"]["merged"], 1)
        self.assertNotIn(n + 1, report["origin"])
        self.assertNotIn(n + 2, report["origin"])
        self.assertTrue({"index", "element", "position_angstrom", "reason"} <= set(report["removed"][0]))
        self.assertTrue((neighbours(atoms)[atoms.numbers == 6] == 3).all())
        with self.assertRaisesRegex(stembridge.InputError, "apart|short|close"):
            stembridge.build(found(positions), short_bonds="refuse")

    def test_contamination_is_left_out_on_request(self):
        frame = found(graphene(30, 30).positions[:, :2] + 15)
        region = np.ones((300, 300), bool)
        region[:, 150:] = False
        covered = frame._replace(region=region)
        atoms, report = stembridge.build(covered, contamination="exclude")
        self.assertAlmostEqual(report["region"]["contaminated_share"], 0.5)
        left = np.array([origin for origin in report["origin"] if origin >= 0])
        self.assertLess(frame.positions[left, 0].max(), 15.1)

    def test_what_is_fixed_becomes_constraints(self):
        atoms = stembridge.build(graphene(30, 30), crop=NEAREST, fix=["species:H", "indices:1:z"]).atoms
        kinds = {type(constraint): constraint for constraint in atoms.constraints}
        np.testing.assert_array_equal(kinds[FixAtoms].index, np.flatnonzero(atoms.numbers == 1))
        forces = np.ones((len(atoms), 3))
        kinds[FixCartesian].adjust_forces(atoms, forces)
        np.testing.assert_array_equal(np.argwhere(forces == 0), [[0, 2]])
        # And those of the input stay.
        again = stembridge.build(atoms, terminate="none")
        np.testing.assert_array_equal(again.atoms.constraints[0].index, kinds[FixAtoms].index)

    def test_a_periodic_cell_of_a_sheet(self):
        atoms, report = stembridge.build(graphene(40, 40), cell="periodic", supercell={"size": "12 angstrom"})
        self.assertEqual(list(atoms.pbc), [True, True, False])
        self.assertEqual(stembridge.analyze(atoms)["ring_counts"], {6: len(atoms) // 2})
        self.assertEqual(report["periodic_cell"]["atoms_in_primitive_cell"], 2)

    def test_wrong_arguments_are_named_with_what_is_offered(self):
        def assert_refused(words, *start, **options):
            with self.assertRaises(stembridge.InputError) as caught:
                stembridge.build(*(start or [sheet]), **options)
            for word in words:
                self.assertIn(word, str(caught.exception))

        sheet = graphene(20, 20)
        assert_refused(["build.crop.by", "nearest", "polygon", "certain"], crop={"by": "nearist"})
        assert_refused(["unknown key build.terminat", "build.terminate"], terminat="H")
        assert_refused(["build.terminate", "H", "none"], terminate="F")
        assert_refused(["build.vacuum", "unit"], vacuum=20)
        assert_refused(["build.crop.center_px", "pixels"], crop={"by": "nearest", "center_px": [10, 10]})
        assert_refused(["polygon_px", "polygon_angstrom"], crop={"by": "polygon"})
        assert_refused(["perimeter", "species:H"], fix=["edge"])
        assert_refused(["ase.Atoms", "find_atoms", "ndarray"], np.zeros((3, 3)))
        assert_refused(["structure", "first argument"], structure="x.xyz")
        sheet.set_constraint(FixBondLength(0, 1))
        assert_refused(["FixBondLength", "FixAtoms", "FixCartesian"])


class TestAnalyze(unittest.TestCase):
    def test_defects_that_were_put_in_are_found(self):
        self.assertEqual(stembridge.defects(flake()), [])
        sheet = stone_wales(graphene(30, 30))
        (defect,) = stembridge.defects(sheet)
        self.assertEqual(defect["kind"], "5-7-7-5")
        self.assertEqual(len(defect["atoms"]), 16)
        np.testing.assert_allclose(defect["center_angstrom"], sheet.positions[defect["atoms"]].mean(axis=0),
                                   atol=1e-9)
        counts = stembridge.analyze(sheet)["ring_counts"]
        self.assertEqual((counts[5], counts[7]), (2, 2))

    def test_a_vacancy_in_a_periodic_sheet(self):
        sheet = ase.build.graphene(size=(6, 6, 1), vacuum=8)
        sheet.pbc = (True, True, False)
        del sheet[30]
        result = stembridge.analyze(sheet)
        self.assertEqual([defect["kind"] for defect in result["defects"]], ["vacancy"])
        self.assertEqual(result["coordination"], {"C": {2: 3, 3: 68}})
        self.assertEqual(result["bonds"]["C-C"]["count"], 105)
        self.assertAlmostEqual(result["bonds"]["C-C"]["mean_angstrom"], 2.46 / 3**0.5, delta=1e-6)
        self.assertAlmostEqual(result["angles"]["C"]["mean_degree"], 120, delta=1e-6)

    def test_it_is_what_the_program_writes(self):
        sheet = stone_wales(graphene(20, 20))
        with tempfile.TemporaryDirectory() as folder:
            start, out = pathlib.Path(folder, "start.extxyz"), pathlib.Path(folder, "out.json")
            start.write_text(extxyz_text(sheet))
            self.assertEqual(run_program("analyze", start, "--json", out).returncode, 0)
            program = json.loads(out.read_text())
        for defect in program["defects"]:
            defect["atoms"] = [atom - 1 for atom in defect["atoms"]]
        self.assertEqual(json.loads(json.dumps(stembridge.analyze(sheet))), program)

    def test_wrong_arguments_are_refused(self):
        with self.assertRaises(stembridge.InputError):
            stembridge.analyze(flake(), largest_ring=99)
        with self.assertRaises(stembridge.InputError):
            stembridge.analyze(flake(), bond_factor=-1)
        for words, arguments in (("to_atoms", (found([[0, 0], [1.4, 0]]),)), ("ase.Atoms, not a str", ("x.xyz",)),
                                 ("largest_ring.*whole", (flake(), 6.5)), ("largest_ring", (flake(), 10**12)),
                                 ("bond_factor.*number", (flake(), 10, "1.2"))):
            with self.assertRaisesRegex(stembridge.InputError, words):
                stembridge.analyze(*arguments)


if __name__ == "__main__":
    unittest.main()
