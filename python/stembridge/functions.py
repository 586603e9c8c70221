# SPDX-License-Identifier: Apache-2.0
"""From a micrograph to atoms, and from atoms to a micrograph."""
import os
import pathlib
import warnings
from typing import NamedTuple

import ase
import numpy as np

from . import _core
from .convert import angstrom, engine_atoms, number, toml_text, whole_number


class FoundAtoms(NamedTuple):
    """Atoms of a frame, one per row."""

    positions: np.ndarray  # (n, 2) x and y in angstrom, corrected with the lattice
    positions_px: np.ndarray  # (n, 2) column and row; (0, 0) is the centre of the first pixel
    numbers: np.ndarray  # (n) atomic numbers; 0 = another element
    probability: np.ndarray  # (n) of the class
    spread: np.ndarray  # (n) standard deviation of the probability over the ensemble
    sigma: np.ndarray  # (n) standard deviation of the position along x or y, angstrom
    method: str  # "network" or "classical"
    region: np.ndarray = None  # (height, width) of the frame, False = contamination

    def to_atoms(self, unknown=False):
        """An ase.Atoms in the plane z = 0, with the arrays probability, spread, sigma and positions_px.

        unknown: whether atoms of another element than C and Si become X (number 0); else they are left out.
        """
        kept = np.flatnonzero((np.asarray(self.numbers) > 0) | unknown)
        atoms = ase.Atoms(self.numbers[kept], np.column_stack([self.positions[kept], np.zeros(len(kept))]))
        for name in ("probability", "spread", "sigma", "positions_px"):
            atoms.set_array(name, getattr(self, name)[kept])
        return atoms


def network_files(network):
    """Files of weights: those that are named, and those in folders."""
    if isinstance(network, (list, tuple)):
        if not network:
            raise _core.InputError("network: an empty list; None is the classical detector")
        return [file for one in network for file in network_files(one)]
    if not isinstance(network, (str, os.PathLike)):
        raise _core.InputError('network: accepted are "builtin", a file or a folder of weights, a list of them, or None, '
                               f"not {network!r}")
    path = _core.data_folder() / "networks" / "graphene" if network == "builtin" else pathlib.Path(network)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.glob("*.h5") if not file.name.startswith("checkpoint"))
    if not files:
        raise _core.FileError(f"{path}: a folder without weights (*.h5)")
    return files


def find_atoms(image, pixel_size=None, network="builtin", threads=0):
    """Finds the atoms of a micrograph of graphene.

    image: (height, width) array; pixel_size: such as "0.104 angstrom", left out = found from the lattice;
    network: "builtin" (the classical detector, with a warning, where networks are not available), a file or
    a folder of weights, a list of them, or None for the classical detector;
    threads: 0 = all processors.
    """
    try:
        image = np.asarray(image, np.float32)
    except (TypeError, ValueError) as error:
        raise _core.InputError(f"image: a (height, width) array of numbers is needed ({error})") from error
    if image.ndim != 2:
        raise _core.InputError(f"image: an array of shape {image.shape}; accepted is one frame, (height, width): a "
                               "colour picture as image.mean(axis=2), a stack as stack[0]")
    size = None if pixel_size is None else angstrom("pixel_size", pixel_size)
    threads = whole_number("threads", threads, least=0)
    why_not = _core.why_no_networks() if isinstance(network, str) and network == "builtin" else ""
    if why_not:
        warnings.warn(f"the classical detector finds the atoms: {why_not}", stacklevel=2)
    use_networks = network is not None and not why_not
    files = network_files(network) if use_networks else []
    return FoundAtoms(**_core.find_atoms(image, size, files,
                                         threads or len(os.sched_getaffinity(0))))


def simulate_image(atoms, pixel_size, shape=None, dose=None, seed=1, aberration=None, **image):
    """The STEM frame of an ase.Atoms seen along z, a (height, width) array, as `stembridge simulate-image` makes it.

        simulate_image(atoms, "0.1 angstrom", shape=(256, 256), dose=2e5, source_size="0.8 angstrom",
                       aberration={"defocus": "30 angstrom"})

    The middle of the frame is the middle between the outermost atoms; x runs along columns, y along rows.
    pixel_size: such as "0.1 angstrom"; shape: left out = 3 angstrom beyond the atoms;
    dose: beam electrons per square angstrom, instead of electrons_per_pixel; 0 = without noise;
    everything else are the keys of [image] and [aberration] of `stembridge simulate-image --config`.
    """
    if dose is not None:
        if "electrons_per_pixel" in image:
            raise _core.InputError("dose and electrons_per_pixel say the same thing: give one of them")
        image["electrons_per_pixel"] = (number("dose", dose, "a number, electrons per square angstrom") *
                                        angstrom("pixel_size", pixel_size) ** 2)
    if shape is not None:
        try:
            height, width = shape
        except (TypeError, ValueError):
            raise _core.InputError(f"shape: accepted is (height, width), not {shape!r}") from None
        image["height"], image["width"] = whole_number("shape", height), whole_number("shape", width)
    if not isinstance(aberration or {}, dict):
        raise _core.InputError(f'aberration: accepted is a dictionary, such as {{"defocus": "30 angstrom"}}, not {aberration!r}')
    text = toml_text(image={"pixel_size": pixel_size, **image}, aberration=aberration or {}, run={"seed": seed})
    return _core.simulate_image(engine_atoms(atoms), text)
