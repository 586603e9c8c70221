# SPDX-License-Identifier: Apache-2.0
"""Simulated frames: as the program makes them, and the whole way from one to what was put in."""
import pathlib
import tempfile
import time
import unittest

from support import (extxyz_text, flake, graphene, interrupted_after, np, run_program, stembridge, stone_wales,
                     with_relaxed_middle)


def pixels_of(atoms, shape, pixel_size):
    """(column, row) of each atom."""
    xy = atoms.positions[:, :2]
    middle = (xy.min(axis=0) + xy.max(axis=0)) / 2
    return (xy - middle) / pixel_size + (np.array(shape[::-1]) - 1) / 2


class TestSimulateImage(unittest.TestCase):
    def test_maxima_lie_on_the_atoms(self):
        atoms = flake()
        atoms = atoms[atoms.numbers == 6]
        image = stembridge.simulate_image(atoms, "0.1 angstrom", shape=(180, 200), dose=0, source_size="0.3 angstrom")
        self.assertEqual(image.shape, (180, 200))
        self.assertEqual(image.dtype, np.float32)
        for column, row in pixels_of(atoms, image.shape, 0.1):
            top, left = int(row) - 5, int(column) - 5
            part = image[top : top + 11, left : left + 11]
            peak_row, peak_column = np.unravel_index(part.argmax(), part.shape)
            self.assertLess(np.hypot(top + peak_row - row, left + peak_column - column), 1.5)
        silicon = atoms.copy()
        silicon.numbers[0] = 14
        brighter = stembridge.simulate_image(silicon, "0.1 angstrom", shape=(180, 200), dose=0,
                                             source_size="0.3 angstrom") - image
        column, row = np.round(pixels_of(atoms, image.shape, 0.1)[0]).astype(int)
        self.assertLess(np.hypot(*(np.array(np.unravel_index(brighter.argmax(), image.shape)) - (row, column))), 3)

    def test_the_bits_are_those_of_the_program(self):
        atoms = stone_wales(graphene(20, 16))
        with tempfile.TemporaryDirectory() as folder:
            start, frame = pathlib.Path(folder, "start.extxyz"), pathlib.Path(folder, "frame.npy")
            start.write_text(extxyz_text(atoms))
            config = pathlib.Path(folder, "image.toml")
            config.write_text('[image]\nline_jitter_px = 0.3\n[aberration]\ndefocus = "20 angstrom"\n')
            for options, arguments in (
                    ((), ()),
                    (("--seed", 7, "--electrons-per-pixel", 500, "--width", 200, "--height", 120, "--config", config),
                     (("shape", (120, 200)), ("electrons_per_pixel", 500), ("seed", 7), ("line_jitter_px", 0.3),
                      ("aberration", {"defocus": "20 angstrom"})))):
                run = run_program("simulate-image", start, "--pixel-size", "0.12 angstrom", "--out", frame, *options)
                self.assertEqual(run.returncode, 0, run.stderr)
                np.testing.assert_array_equal(
                    stembridge.simulate_image(atoms, "0.12 angstrom", **dict(arguments)), np.load(frame))

    def test_dose_is_electrons_per_area(self):
        atoms = flake()
        image = stembridge.simulate_image(atoms, "0.2 angstrom", dose=25000)
        np.testing.assert_array_equal(image, stembridge.simulate_image(atoms, "0.2 angstrom",
                                                                       electrons_per_pixel=1000.0000000000001))
        self.assertFalse(np.array_equal(image, stembridge.simulate_image(atoms, "0.2 angstrom", dose=25000, seed=2)))

    def test_an_interrupt_ends_it_early(self):
        sheet = graphene(150, 150)
        begin = time.monotonic()
        stembridge.simulate_image(sheet, "0.04 angstrom")
        whole = time.monotonic() - begin
        begin = time.monotonic()
        with self.assertRaises(KeyboardInterrupt), interrupted_after(whole / 8):
            stembridge.simulate_image(sheet, "0.04 angstrom")
        self.assertLess(time.monotonic() - begin, 0.7 * whole)

    def test_wrong_arguments_are_named_with_what_is_offered(self):
        def assert_refused(words, pixel_size="0.1 angstrom", atoms=flake(), **options):
            with self.assertRaises(stembridge.InputError) as caught:
                stembridge.simulate_image(atoms, pixel_size, **options)
            for word in words:
                self.assertIn(word, str(caught.exception))

        assert_refused(["image.pixel_size", "unit"], pixel_size=0.1)
        assert_refused(["unknown key image.sorce_size", "image.source_size"], sorce_size="1 angstrom")
        assert_refused(["aberration.defokus", "aberration.defocus"], aberration={"defokus": "1 angstrom"})
        assert_refused(["dose", "electrons_per_pixel"], dose=1, electrons_per_pixel=1)
        assert_refused(["dose", "number", "2e5"], dose="2e5")
        assert_refused(["pixel_size", "unit"], pixel_size=0.1, dose=1)
        for shape in (256, (1, 2, 3)):
            assert_refused(["shape", "(height, width)"], shape=shape)
        assert_refused(["shape", "whole number"], shape=(256, 25.5))
        assert_refused(["aberration", "dictionary"], aberration="30 angstrom")
        assert_refused(["image.height"], shape=(2, 100))
        assert_refused(["without atoms"], atoms=flake()[:0])


class TestChain(unittest.TestCase):
    def test_the_defect_of_a_frame_comes_back(self):
        if not stembridge._core.networks_available():
            self.skipTest("a build without networks")
        sheet = with_relaxed_middle(stone_wales(graphene(50, 50)))
        image = stembridge.simulate_image(sheet, "0.104 angstrom", shape=(384, 384), seed=3)
        found = stembridge.find_atoms(image, "0.104 angstrom")
        self.assertEqual(found.region.shape, image.shape)
        atoms, report = stembridge.build(found, crop={"by": "defect", "defect_kind": "5-7-7-5", "atoms": 60})
        self.assertEqual((atoms.numbers == 6).sum(), 60)
        relaxed = stembridge.relax(atoms, stembridge.Calculator(threads=1))
        self.assertTrue(relaxed.converged)
        self.assertTrue(relaxed.straightened)  # raw coordinates
        self.assertEqual([defect["kind"] for defect in stembridge.defects(atoms)], ["5-7-7-5"])
        counts = stembridge.analyze(atoms)["ring_counts"]
        self.assertEqual((counts[5], counts[7]), (2, 2))
        # The turned bond is the shortest of the defect: 1.32 angstrom in DFT.
        self.assertAlmostEqual(stembridge.analyze(atoms)["bonds"]["C-C"]["min"], 1.33, delta=0.03)


if __name__ == "__main__":
    unittest.main()
