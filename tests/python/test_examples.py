# SPDX-License-Identifier: Apache-2.0
"""The examples run and say what they are there to say."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support  # noqa: F401  (skips where something is absent)

EXAMPLES = pathlib.Path(os.environ["STEMBRIDGE_SOURCE"], "examples", "python")


def run_example(name, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True,
                             check=False, cwd=folder)
    return run.returncode, run.stdout + run.stderr


class TestExamples(unittest.TestCase):
    def test_relax_benzene(self):
        status, output = run_example("relax_benzene.py")
        self.assertEqual(status, 0, output)
        self.assertIn("C-C bonds, angstrom: 1.", output)

    def test_frame_to_dynamics(self):
        try:
            import PIL  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        status, output = run_example("frame_to_dynamics.py")
        self.assertEqual(status, 0, output)
        moved = float(output.split("moved by")[1].split()[0])
        # The error of velocity Verlet at 0.5 fs is far below kT = 26 meV.
        self.assertLess(abs(moved), 2, output)


if __name__ == "__main__":
    unittest.main()
