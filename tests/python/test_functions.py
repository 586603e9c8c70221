# SPDX-License-Identifier: Apache-2.0
"""Atoms of a micrograph and rings, from Python."""
import csv
import os
import pathlib
import unittest
import unittest.mock

from support import ase, np, stembridge

FRAMES = pathlib.Path(os.environ["STEMBRIDGE_SOURCE"], "data", "frames")


class TestRings(unittest.TestCase):
    def test_rings_of_molecules(self):
        self.assertEqual([sorted(ring) for ring in stembridge.rings(ase.build.molecule("C6H6"))],
                         [[0, 1, 2, 3, 4, 5]])
        self.assertEqual(stembridge.rings(ase.build.molecule("C2H6")), [])

    def test_a_ring_goes_around_along_bonds(self):
        benzene = ase.build.molecule("C6H6")
        ring = stembridge.rings(benzene)[0]
        for a, b in zip(ring, ring[1:] + ring[:1]):
            self.assertLess(benzene.get_distance(a, b), 1.5)

    def test_a_periodic_sheet_has_a_hexagon_for_every_two_atoms(self):
        sheet = ase.build.graphene(size=(4, 4, 1), vacuum=8)
        sheet.pbc = (True, True, False)
        self.assertEqual([len(ring) for ring in stembridge.rings(sheet)], [6] * 16)

    def test_a_vacancy_needs_larger_rings_or_none(self):
        sheet = ase.build.graphene(size=(6, 6, 1), vacuum=8)
        sheet.pbc = (True, True, False)
        del sheet[30]
        sizes = [len(ring) for ring in stembridge.rings(sheet, largest=8)]
        self.assertEqual(sizes, [6] * (36 - 3))
        with self.assertRaises(stembridge.InputError):
            stembridge.rings(sheet, largest=99)


class TestFindAtoms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            from PIL import Image
        except ImportError as error:
            raise unittest.SkipTest(str(error))
        cls.size = 400
        cls.image = np.asarray(Image.open(FRAMES / "example.png"))[: cls.size, : cls.size]
        with open(FRAMES / "example_truth.csv", newline="") as file:
            cls.truth = [row for row in csv.DictReader(file) if row["covered"] == "0"]

    def assert_agrees_with_truth(self, found):
        """Nine of ten atoms away from the edge are found within half an angstrom."""
        inside = np.array([[float(row["x_px"]), float(row["y_px"])] for row in self.truth])
        inside = inside[(inside > 20).all(axis=1) & (inside < self.size - 20).all(axis=1)]
        distances = np.linalg.norm(inside[:, None] - found.positions_px[None], axis=2).min(axis=1)
        self.assertGreater(len(inside), 200)
        self.assertGreater((distances * 0.104 < 0.5).mean(), 0.9)
        n = len(found.numbers)
        self.assertEqual(found.positions.shape, (n, 2))
        self.assertEqual(found.sigma.shape, (n,))
        self.assertTrue(set(found.numbers) <= {0, 6, 14})
        self.assertTrue(((0 <= found.probability) & (found.probability <= 1)).all())
        self.assertTrue((found.sigma > 0).all())

    def test_the_classical_detector_finds_the_atoms(self):
        found = stembridge.find_atoms(self.image, "0.104 angstrom", network=None)
        self.assertEqual(found.method, "classical")
        self.assert_agrees_with_truth(found)

    def test_the_networks_find_the_atoms(self):
        if not stembridge._core.networks_available():
            self.skipTest("a build without networks")
        found = stembridge.find_atoms(self.image, "0.104 angstrom")
        self.assertEqual(found.method, "network")
        self.assert_agrees_with_truth(found)

    def test_a_warning_tells_when_the_library_of_the_networks_is_not_found(self):
        with unittest.mock.patch.dict(os.environ, {"STEMBRIDGE_LIBRARY_PATH": "/nowhere"}):
            with self.assertWarnsRegex(UserWarning, "classical detector.*/nowhere"):
                found = stembridge.find_atoms(self.image, "0.104 angstrom")
        self.assertEqual(found.method, "classical")

    def test_dark_atoms_are_found_with_a_warning(self):
        with self.assertWarnsRegex(UserWarning, "dark"):
            found = stembridge.find_atoms(255 - self.image, "0.104 angstrom", network=None)
        self.assert_agrees_with_truth(found)

    def test_bad_images_and_sizes_are_refused(self):
        for image, size in ((np.zeros((200, 200)), None), (np.full((200, 200), np.nan), None),
                            (self.image, "0.104"), (self.image, "0.5 angstrom")):
            with self.assertRaises(stembridge.InputError):
                stembridge.find_atoms(image, size, network=None)
        for image in (np.zeros((200, 200, 3)), np.zeros(200)):
            with self.assertRaisesRegex(stembridge.InputError, "height, width"):
                stembridge.find_atoms(image, "0.104 angstrom", network=None)
        with self.assertRaisesRegex(stembridge.InputError, "height, width"):
            stembridge.find_atoms([["a", "b"]], "0.104 angstrom", network=None)
        for network in ("/nowhere.h5", ["/nowhere.h5"], pathlib.Path("/nowhere.h5")):
            with self.assertRaisesRegex(stembridge.FileError, "nowhere"):
                stembridge.find_atoms(self.image, "0.104 angstrom", network=network)

    def test_wrong_arguments_are_named_with_what_is_accepted(self):
        for words, options in (("pixel_size.*unit", {"pixel_size": 0.104}), ("threads.*whole", {"threads": 1.5}),
                               ("threads.*from 0", {"threads": -1}), ("network.*classical", {"network": []}),
                               ("network.*builtin", {"network": 3})):
            with self.assertRaisesRegex(stembridge.InputError, words):
                stembridge.find_atoms(self.image, **{"pixel_size": "0.104 angstrom", "network": None, **options})

    def test_networks_can_be_named_one_by_one(self):
        if not stembridge._core.networks_available():
            self.skipTest("a build without networks")
        folder = stembridge._core.data_folder() / "networks" / "graphene"
        files = sorted(folder.glob("member-*.h5"))[:2]
        image = self.image[:200, :200]
        found = stembridge.find_atoms(image, "0.104 angstrom", network=files)
        self.assertEqual(found.method, "network")
        self.assertGreater(found.spread.max(), 0)
        one = stembridge.find_atoms(image, "0.104 angstrom", network=files[:1])
        np.testing.assert_array_equal(one.spread, 0)


if __name__ == "__main__":
    unittest.main()
