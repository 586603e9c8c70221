# SPDX-License-Identifier: Apache-2.0
"""An installation that was moved as a whole works from there: program, Python package, libraries for projects of one's own."""
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["STEMBRIDGE_SOURCE"])
BUILD = pathlib.Path(os.environ["STEMBRIDGE_BUILD"])
CMAKE = os.environ["STEMBRIDGE_CMAKE"]
PARTS = os.environ["STEMBRIDGE_PARTS"].split()  # of networks, python
PYTHON_FOLDER = os.environ["STEMBRIDGE_PYTHON_FOLDER"]
PROCESSOR = os.environ["STEMBRIDGE_PROCESSOR"]
# The installation has to find its parts by itself.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("STEMBRIDGE_") and name != "PYTHONPATH"}

# Benzene, angstrom.
BENZENE = [(element, radius * math.cos(k * math.pi / 3), radius * math.sin(k * math.pi / 3), 0.0)
           for element, radius in (("C", 1.397), ("H", 2.481)) for k in range(6)]


def run(*command, **keywords):
    """Runs a command to the end; its output is the message of a failure."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=ENVIRONMENT, check=False, **keywords)
    if done.returncode != 0:
        raise AssertionError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def complete(script, *words):
    """What bash offers for the last of these words."""
    text = ('source "$1"; shift; COMP_WORDS=(stembridge "$@"); COMP_CWORD=$#; _stembridge; '
            'printf "%s\\n" "${COMPREPLY[@]}"')
    return run("bash", "-c", text, "bash", script, *words).split()


class TestInstallation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name).resolve()
        run(CMAKE, "--install", BUILD, "--prefix", cls.work / "before")
        cls.prefix = cls.work / "moved" / "there"
        cls.prefix.parent.mkdir()
        (cls.work / "before").rename(cls.prefix)
        cls.program = cls.prefix / "bin" / "stembridge"
        cls.share = cls.prefix / "share" / "stembridge"
        cls.benzene = cls.work / "benzene.extxyz"
        rows = [" ".join([atom[0], *map(repr, atom[1:])]) for atom in BENZENE]
        cls.benzene.write_text("\n".join(["12", "Properties=species:S:1:pos:R:3", *rows]) + "\n")

    def energy(self, program):
        result = self.work / "energy.json"
        run(program, "energy", self.benzene, "--json", result, "--threads", "1")
        return json.loads(result.read_text())["energy_hartree"]

    def test_doctor_finds_every_part_beside_the_program(self):
        text = run(self.program, "doctor")
        self.assertRegex(text, rf"(?m)^data +{re.escape(str(self.share / 'data'))}$")
        self.assertNotIn("missing", text)
        if "networks" in PARTS:
            self.assertRegex(text, rf"(?m)^networks .* {re.escape(str(self.prefix))}/lib/stembridge/libstembridge_torch.so$")
        self.assertNotIn(str(SOURCE), text)
        self.assertNotIn(str(BUILD), text)

    def test_the_energy_is_that_of_the_program_in_the_build_folder(self):
        self.assertEqual(self.energy(self.program), self.energy(BUILD / "bin" / "stembridge"))

    @unittest.skipUnless("networks" in PARTS, "built without LibTorch")
    def test_a_network_finds_the_atoms_of_the_shipped_frame(self):
        out = self.work / "found"
        run(self.program, "find-atoms", self.share / "data/frames/example.png", "--pixel-size", "0.104 angstrom",
            "--ensemble", self.share / "data/networks/graphene/member-1.h5", "--positions", "network", "--out", out)
        summary = json.loads((out / "summary.json").read_text())
        self.assertEqual(summary["method"], "network")
        self.assertAlmostEqual(summary["counts"]["C"], 2041, delta=60)
        self.assertAlmostEqual(summary["counts"]["Si"], 22, delta=3)

    def test_the_shipped_configurations_name_files_that_are_there(self):
        for name in ("demo.toml", "studies/hop.toml", "studies/rotation.toml"):
            resolved = run(self.program, "config", self.share / "examples" / name, cwd=self.work)
            image = pathlib.Path(re.search(r'(?m)^image = "(.*)"$', resolved).group(1))
            self.assertEqual(image.resolve(), self.share / "data/frames/example.png")
            self.assertTrue(image.is_file())

    @unittest.skipUnless("python" in PARTS, "built without Python")
    def test_the_python_package_computes_benzene_as_the_program_does(self):
        package = self.prefix / PYTHON_FOLDER
        self.assertTrue([*package.glob("stembridge/_core*.so")])
        self.assertFalse([file for file in package.rglob("*") if file.is_symlink()])
        text = run(sys.executable, "-c", f"""
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, {str(package)!r})
import ase, stembridge
atoms = ase.Atoms([row[0] for row in {BENZENE}], [row[1:] for row in {BENZENE}])
atoms.calc = stembridge.Calculator(threads=1)
print(json.dumps({{"energy": atoms.get_potential_energy(force_consistent=True) / stembridge._core.hartree,
                  "data": str(stembridge._core.data_folder()), "no networks": stembridge._core.why_no_networks()}}))
""", cwd=self.work)
        result = json.loads(text)
        self.assertAlmostEqual(result["energy"], self.energy(self.program), delta=1e-10)
        self.assertEqual(result["data"], str(self.share / "data"))
        if "networks" in PARTS:
            self.assertEqual(result["no networks"], "")

    def test_a_project_outside_links_the_libraries(self):
        project, build = self.work / "pair_term", self.work / "pair_term-build"
        shutil.copytree(self.share / "examples/pair_term", project)
        with open(project / "CMakeLists.txt", "a") as lists:
            lists.write('\nfile(WRITE ${CMAKE_BINARY_DIR}/data_folder "${stembridge_DATA_FOLDER}")\n')
        run(CMAKE, "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Release")
        self.assertIn(f"stembridge_DIR:PATH={self.prefix}", (build / "CMakeCache.txt").read_text())
        self.assertEqual((build / "data_folder").read_text(), str(self.share / "data"))
        run(CMAKE, "--build", build)
        parameters = self.share / "data/parameters/stembridge-1"
        self.assertEqual(run(build / "pair_term", parameters), run(BUILD / "bin" / "pair_term", parameters))

    def test_bash_completes_commands_and_their_options(self):
        script = self.prefix / "share/bash-completion/completions/stembridge"
        commands = set(re.findall(r"(?m)^  ([a-z-]+)  ", run(self.program, "--help").split("Subcommands:")[1]))
        self.assertGreater(len(commands), 15)
        self.assertEqual(set(complete(script, "")), commands)
        self.assertEqual(complete(script, "find"), ["find-atoms"])
        self.assertEqual(complete(script, "energy", "--js"), ["--json"])
        self.assertEqual(complete(script, "energy", ""), [])  # then bash completes files
        self.assertEqual(set(complete(script, "vasp", "")), {"write", "read", "compare", "study"})
        for command, more in ((["md"], []), (["vasp", "write"], []), (["find-atoms"], ["frame.png", "--out", "energy"])):
            options = set(re.findall(r"(?m)^  (?:-\w,)?(--[a-z0-9-]+)", run(self.program, *command, "--help")))
            self.assertGreater(len(options), 3)
            self.assertEqual(set(complete(script, *command, *more, "-")), options)

    def test_the_manual_page_names_commands_statuses_and_variables(self):
        page = self.prefix / "share/man/man1/stembridge.1"
        text = page.read_text().replace("\\-", "-")
        for part in ("find-atoms", "vasp write", "STEMBRIDGE_DATA", ".SH EXIT STATUS"):
            self.assertIn(part, text)
        if shutil.which("man"):
            self.assertEqual(run("man", "--warnings=all", "-l", page).count("EXIT STATUS"), 1)

    @unittest.skipUnless(shutil.which("qemu-x86_64") and PROCESSOR in ("native", "x86-64-v3", "x86-64-v4"),
                         "needs qemu-user and a program for newer processors")
    def test_a_processor_of_2008_is_told_so(self):
        done = subprocess.run(["qemu-x86_64", "-cpu", "Nehalem", self.program, "--version"], capture_output=True, text=True,
                              env=ENVIRONMENT, check=False)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("built for processors with avx", done.stderr)


if __name__ == "__main__":
    unittest.main()
