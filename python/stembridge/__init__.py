# SPDX-License-Identifier: Apache-2.0
"""From atom-resolved STEM frames to quantum-mechanical dynamics: an ASE calculator and a few functions."""
import os

# As in the program: threads that wait do not spin. Has to be said before the libraries with the threads load.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from ._core import (BackendError, ConvergenceError, Error, FileError, InputError,  # noqa: E402
                    NumericalError, UnsupportedError)
from .calculator import Calculator  # noqa: E402
from .functions import FoundAtoms, find_atoms, rings  # noqa: E402

__all__ = ["BackendError", "Calculator", "ConvergenceError", "Error", "FileError", "FoundAtoms",
           "InputError", "NumericalError", "UnsupportedError", "find_atoms", "rings"]
