# SPDX-License-Identifier: Apache-2.0
"""The check of includes finds what it is there to find."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_includes.py")


def result_for(name, text):
    with tempfile.TemporaryDirectory() as root:
        path = pathlib.Path(root, name)
        path.parent.mkdir(parents=True)
        path.write_text(text)
        run = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True, check=False)
        return run.returncode, run.stdout


class CheckIncludes(unittest.TestCase):
    def test_allowed_includes_pass(self):
        self.assertEqual(result_for("md/src/a.cpp", '#include "stembridge/structure/cell.hpp"\n')[0], 0)
        self.assertEqual(result_for("ml/src/torch/a.cpp", "#include <torch/torch.h>\n")[0], 0)

    def test_a_module_that_includes_what_stands_above_it_is_named(self):
        code, text = result_for("md/src/a.cpp", '\n#include "stembridge/tb/scc_dftb.hpp"\n')
        self.assertEqual(code, 1)
        self.assertIn("md/src/a.cpp:2", text)

    def test_every_room_has_rooms_that_it_may_not_know(self):
        for name, header in [
            ("base/src/a.cpp", "structure/cell.hpp"),
            ("structure/src/a.cpp", "io/config.hpp"),
            ("io/src/a.cpp", "md/relax.hpp"),
            ("ml/src/a.cpp", "io/config.hpp"),
            ("tb/src/a.cpp", "md/relax.hpp"),
            ("dft/src/a.cpp", "tb/scc_dftb.hpp"),
            ("calculators/src/a.cpp", "ml/network.hpp"),
            ("settings/src/a.cpp", "tb/scc_dftb.hpp"),
            ("validation/src/a.cpp", "ml/network.hpp"),
            ("examples/own/a.cpp", "ml/network.hpp"),
            ("python/src/a.cpp", "app/session.hpp"),
            ("app/src/a.cpp", "python/module.hpp"),
        ]:
            code, text = result_for(name, f'#include "stembridge/{header}"\n')
            self.assertEqual(code, 1, f"{name} may include {header}: {text}")

    def test_third_parties_stay_in_their_room(self):
        for name, header in [
            ("app/src/a.cpp", "hdf5.h"),
            ("python/src/a.cpp", "torch/torch.h"),
            ("md/src/a.cpp", "openssl/evp.h"),
            ("io/src/a.cpp", "metis.h"),
            ("io/src/a.cpp", "Spectra/SymEigsSolver.h"),
            ("tb/src/a.cpp", "nlohmann/json.hpp"),
            ("settings/src/a.cpp", "CLI/CLI.hpp"),
            ("io/src/a.cpp", "spdlog/spdlog.h"),
            ("tb/include/stembridge/tb/a.hpp", "fmt/format.h"),
            ("tb/src/density/dense/a.cpp", "elpa/elpa.h"),
            ("app/src/a.cpp", "cuda_runtime.h"),
        ]:
            self.assertEqual(result_for(name, f"#include <{header}>\n")[0], 1, f"{name} may include {header}")
        self.assertEqual(result_for("ml/src/a.cpp", "#include <torch/torch.h>\n")[0], 1)
        self.assertEqual(result_for("tb/src/a.cpp", "#include <hdf5.h>\n")[0], 1)
        self.assertEqual(result_for("base/src/a.cpp", "#include <mpi.h>\n")[0], 1)
        self.assertEqual(result_for("base/src/ranks_mpi.cpp", "#include <mpi.h>\n")[0], 0)

    def test_feature_switches_and_foreign_source_folders_are_found(self):
        for name in ["tb/src/a.cpp", "validation/src/a.cpp", "app/src/a.cpp"]:
            self.assertEqual(result_for(name, "#ifdef STEMBRIDGE_CUDA\n#endif\n")[0], 1)
        self.assertEqual(result_for("tb/src/a.cpp", '#include "../../md/src/b.hpp"\n')[0], 1)


if __name__ == "__main__":
    unittest.main()
