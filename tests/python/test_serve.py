# SPDX-License-Identifier: Apache-2.0
"""ASE's own i-PI server with `stembridge serve` as its client."""
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

from support import PROGRAM, ase, interrupted_after, np, silicon_carbide, silyl_benzene, stembridge
from ase.calculators.socketio import SocketIOCalculator
from ase.io import write
from ase.optimize import BFGS


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class TestServe(unittest.TestCase):
    def assert_served(self, atoms, address, calculation, options=(), **server):
        """Runs a calculation with ASE as the server. @return what it gives"""
        with tempfile.TemporaryDirectory() as folder:
            start = pathlib.Path(folder, "start.extxyz")
            write(start, atoms)
            with SocketIOCalculator(timeout=60, **server) as atoms.calc:
                with open(pathlib.Path(folder, "log"), "w+") as log:
                    client = subprocess.Popen([PROGRAM, "serve", start, "--address", address, "--threads", "1",
                                               "--scc-tolerance", "1e-10", *options], stdout=log, stderr=log)
                    result = calculation()
            status = client.wait(60)
            output = pathlib.Path(folder, "log").read_text()
            self.assertEqual(status, 0, output)
            self.assertIn("evaluations", output)
        return result

    def test_a_crystal_over_a_unix_socket_is_what_the_python_calculator_gives(self):
        name = f"stembridge-ase-{os.getpid()}"
        atoms = silicon_carbide()

        def calculation():
            return atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()

        energy, forces, stress = self.assert_served(atoms, f"unix:{name}", calculation, ("--kpoints", "2 2 2"),
                                                    unixsocket=name)
        atoms.calc = stembridge.Calculator(scc={"tolerance": 1e-10}, threads=1, kpoints=[2, 2, 2])
        # ASE's constants are of 2014, those of the program of 2018: relative difference 1e-8.
        self.assertAlmostEqual(energy, atoms.get_potential_energy(force_consistent=True), delta=1e-5)
        np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-5)
        np.testing.assert_allclose(stress, atoms.get_stress(), atol=1e-6)

    def test_the_address_is_free_for_other_elements(self):
        calculator = stembridge.Calculator(kind="socket", socket={"address": f"localhost:{free_port()}", "wait": "0.2 s"})
        for name in ("CH4", "H2O"):
            atoms = ase.build.molecule(name)
            atoms.calc = calculator
            with self.assertRaisesRegex(stembridge.BackendError, "no i-PI client came"):
                atoms.get_potential_energy()

    def test_an_interrupt_ends_the_wait_for_a_client(self):
        atoms = silyl_benzene()
        atoms.calc = stembridge.Calculator(kind="socket", socket={"address": f"localhost:{free_port()}", "wait": "50 s"})
        begin = time.monotonic()
        with self.assertRaises(KeyboardInterrupt), interrupted_after(0.5):
            atoms.get_potential_energy()
        self.assertLess(time.monotonic() - begin, 20)

    def test_a_molecule_relaxes_over_the_internet_socket(self):
        port = free_port()
        atoms = silyl_benzene()
        relaxed = self.assert_served(atoms, f"localhost:{port}",
                                     lambda: BFGS(atoms, logfile=None).run(fmax=0.01, steps=200), port=port)
        self.assertTrue(relaxed)
        atoms.calc = stembridge.Calculator(threads=1)
        self.assertLess(np.linalg.norm(atoms.get_forces(), axis=1).max(), 0.011)


if __name__ == "__main__":
    unittest.main()
