# SPDX-License-Identifier: Apache-2.0
"""Kept results of the validation are those of the same case, tables and program: test_kept_results.py PROGRAM"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CASE = """[case]
title = "A small sheet"
measure = "graphene"
[setup]
max_force = "0.05 eV/angstrom"
"""


class TestKeptResults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.folder / "validate"
        shutil.copy(PROGRAM, self.program)
        self.case = self.folder / "cases" / "small"
        self.case.mkdir(parents=True)
        (self.case / "case.toml").write_text(CASE)
        (self.case / "reference.json").write_text('{"rows": []}')

    def computes(self):
        """Whether the case is computed, rather than kept from an earlier run."""
        done = subprocess.run([self.program, "--cases", self.folder / "cases", "--out", self.folder / "out"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        line = done.stdout.splitlines()[0]
        self.assertRegex(line, "computing|kept from an earlier run")
        return "computing" in line

    def test_results_are_kept_for_the_same_program(self):
        self.assertTrue(self.computes())
        self.assertFalse(self.computes())

    def test_another_program_computes_again(self):
        self.assertTrue(self.computes())
        with open(self.program, "ab") as file:  # what follows the last section of a program is never loaded
            file.write(b"another build")
        self.assertTrue(self.computes())
        self.assertFalse(self.computes())

    def test_another_setup_computes_again(self):
        self.assertTrue(self.computes())
        (self.case / "case.toml").write_text(CASE + 'bond_length = "1.43 angstrom"\n')
        self.assertTrue(self.computes())


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
