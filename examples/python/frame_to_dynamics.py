# SPDX-License-Identifier: Apache-2.0
"""From a micrograph to dynamics: the atoms of a frame, a patch around a defect, its relaxation, a few steps.

PYTHONPATH=build/release/python python3 examples/python/frame_to_dynamics.py [FRAME.png [STEPS]]
"""
import pathlib
import sys

import ase.units
import numpy as np
import stembridge
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet
from PIL import Image

shipped = pathlib.Path(__file__).parents[2] / "data" / "frames" / "example.png"
frame = np.asarray(Image.open(sys.argv[1])) if len(sys.argv) > 1 else np.asarray(Image.open(shipped))[-400:, 240:640]
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 20

found = stembridge.find_atoms(frame, "0.104 angstrom")
print(f"{len(found.numbers)} atoms by {found.method}, typical error {np.median(found.sigma):.3f} angstrom")
print("defects:", ", ".join(defect["kind"] for defect in stembridge.defects(found.to_atoms())))

# 60 atoms around the largest defect, edges ended with hydrogen.
atoms, report = stembridge.build(found, crop={"by": "defect", "atoms": 60})
atoms.calc = stembridge.Calculator(electronic_temperature="300 K", threads=1)  # enough for so few atoms
relaxed = stembridge.relax(atoms)
analysis = stembridge.analyze(atoms)
print(f"{report['formula']}: relaxed to {relaxed.max_force:.1e} eV/angstrom by {relaxed.evaluations} evaluations")
print("rings:", analysis["ring_counts"], "defects:", [defect["kind"] for defect in analysis["defects"]])

MaxwellBoltzmannDistribution(atoms, temperature_K=300, rng=np.random.default_rng(1))
dynamics = VelocityVerlet(atoms, timestep=0.5 * ase.units.fs)


def total():
    return atoms.get_potential_energy(force_consistent=True) + atoms.get_kinetic_energy()


start = total()
dynamics.run(steps)
print(f"after {steps} steps the total energy has moved by {1000 * (total() - start) / len(atoms):.2f} meV per atom")

try:
    import matplotlib
except ImportError:
    sys.exit()
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 5))
left.imshow(frame, cmap="gray")
chosen = [number for number in report["origin"] if number >= 0]
left.plot(*found.positions_px.T, ".", color="tab:orange", markersize=2)
left.plot(*found.positions_px[chosen].T, ".", color="tab:cyan", markersize=4)
left.set_title("frame, atoms found, patch")
right.imshow(stembridge.simulate_image(atoms, "0.104 angstrom", dose=0), cmap="gray")
right.set_title("the patch after the dynamics, no noise")
for axes in (left, right):
    axes.set_axis_off()
figure.savefig("frame_to_dynamics.png", bbox_inches="tight")
print("picture: frame_to_dynamics.png")
