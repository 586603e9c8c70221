#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Runs CP2K inputs one after the other at low priority: run_queue.py FOLDER LIST [--program cp2k.psmp]
"""LIST names one structure per line and is read again after each run, so that it can be changed meanwhile.
What has an output that ended is skipped; an output of a stopped run is written anew. Wave functions stay: others may
start from them."""
import argparse
import os
import subprocess
from pathlib import Path


def ended(output):
    return output.exists() and "PROGRAM ENDED" in output.read_text(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("list", type=Path)
    parser.add_argument("--program", default="cp2k.psmp")
    parser.add_argument("--data", default="/usr/share/cp2k", help="CP2K_DATA_DIR")
    parser.add_argument("--longest", type=float, default=1500, help="seconds for one structure")
    parser.add_argument("--nice", type=int, default=19)
    options = parser.parse_args()
    os.nice(options.nice)
    environment = dict(os.environ, OMP_NUM_THREADS="1", CP2K_DATA_DIR=options.data)
    tried = set()
    while True:
        names = [n for n in options.list.read_text().split()
                 if n not in tried and not ended(options.folder / n / f"{n}.out")]
        if not names:
            return
        name = names[0]
        tried.add(name)
        place = options.folder / name
        with open(place / f"{name}.out", "w") as output:
            try:
                subprocess.run([options.program, "-i", f"{name}.inp"], cwd=place, stdout=output,
                               stderr=subprocess.STDOUT, env=environment, timeout=options.longest, check=False)
            except subprocess.TimeoutExpired:
                output.write("\nstopped: too long\n")
        for left in place.glob("*-RESTART*.bak*"):
            left.unlink()


if __name__ == "__main__":
    main()
