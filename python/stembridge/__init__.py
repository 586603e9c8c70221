# SPDX-License-Identifier: Apache-2.0
"""From atom-resolved STEM frames to quantum-mechanical dynamics: a calculator of ASE and the steps before it."""
import os

# As in the program: threads that wait do not spin, and OpenBLAS, which does not know the newest processors,
# uses their vectors. Has to be said before the libraries load.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
try:
    with open("/proc/cpuinfo") as _processor:
        _features = set(next((line for line in _processor if line.startswith("flags")), "").split())
    if {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= _features:
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
    elif {"avx2", "fma"} <= _features:
        os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
except OSError:
    pass  # no Linux: OpenBLAS decides

from ._core import (BackendError, ConvergenceError, Error, FileError, InputError,  # noqa: E402
                    NumericalError, UnsupportedError, __version__)
from .calculator import Calculator  # noqa: E402
from .functions import FoundAtoms, find_atoms, simulate_image  # noqa: E402
from .relaxation import Relaxation, relax  # noqa: E402
from .structures import Built, analyze, build, defects, rings  # noqa: E402

__all__ = ["__version__", "BackendError", "Built", "Calculator", "ConvergenceError", "Error", "FileError", "FoundAtoms",
           "InputError", "NumericalError", "Relaxation", "UnsupportedError", "analyze", "build", "defects",
           "find_atoms", "relax", "rings", "simulate_image"]
