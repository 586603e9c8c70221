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

    def test_third_parties_stay_in_their_room(self):
        self.assertEqual(result_for("ml/src/a.cpp", "#include <torch/torch.h>\n")[0], 1)
        self.assertEqual(result_for("tb/src/a.cpp", "#include <hdf5.h>\n")[0], 1)
        self.assertEqual(result_for("base/src/a.cpp", "#include <mpi.h>\n")[0], 1)
        self.assertEqual(result_for("base/src/ranks_mpi.cpp", "#include <mpi.h>\n")[0], 0)

    def test_feature_switches_and_foreign_source_folders_are_found(self):
        self.assertEqual(result_for("tb/src/a.cpp", "#ifdef STEMBRIDGE_CUDA\n#endif\n")[0], 1)
        self.assertEqual(result_for("tb/src/a.cpp", '#include "../../md/src/b.hpp"\n')[0], 1)


if __name__ == "__main__":
    unittest.main()
