#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the times of density matrices from the JSON output of the benchmarks.

plot_density_matrix.py RESULTS.json PICTURE.svg
"""
import json
import math
import sys

SERIES = {
    "dense": ("diagonalisation (LAPACK)", "#444444"),
    "poles": ("pole expansion, populations to 1e-6", "#1a66b3"),
    "poles_rough": ("pole expansion, first cycles (single precision)", "#6bb0e0"),
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 470, 70, 30, 50, 60
FIT_FROM = 450  # atoms


def read(path):
    with open(path) as file:
        runs = json.load(file)["benchmarks"]
    points = {name: {} for name in SERIES}
    for run in runs:
        parts = run["name"].split("/")
        name = parts[1].removesuffix("_large") if parts[0] == "density_matrix" else ""
        if name in points:
            points[name][run["atoms"]] = run["cpu_s"]
    return {name: sorted(values.items()) for name, values in points.items() if values}


def slope(points):
    """Exponent of the least-squares line through log t over log n."""
    logs = [(math.log(n), math.log(t)) for n, t in points]
    x = sum(a for a, _ in logs) / len(logs)
    y = sum(b for _, b in logs) / len(logs)
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


def draw(series):
    every = [p for points in series.values() for p in points]
    x0, x1 = math.log10(min(n for n, _ in every)) - 0.05, math.log10(max(n for n, _ in every)) + 0.05
    y0 = math.floor(math.log10(min(t for _, t in every)))
    y1 = math.ceil(math.log10(max(t for _, t in every)))

    def x(n):
        return LEFT + (math.log10(n) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def y(t):
        return HEIGHT - BOTTOM - (math.log10(t) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="28" font-size="17">One density matrix of a graphene flake, 300 K</text>',
    ]
    for power in range(y0, y1 + 1):
        h = y(10.0**power)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{h:.1f}" y2="{h:.1f}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{h + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>')
    for n in (100, 200, 500, 1000, 2000, 5000, 10000):
        if x0 <= math.log10(n) <= x1:
            out.append(f'<line x1="{x(n):.1f}" x2="{x(n):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#eeeeee"/>')
            out.append(f'<text x="{x(n):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{n}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 16}" text-anchor="middle">atoms</text>')
    out.append(
        f'<text transform="translate(20 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">processor seconds</text>'
    )
    for k, (name, points) in enumerate(series.items()):
        label, colour = SERIES[name]
        line = " ".join(f"{x(n):.1f},{y(t):.1f}" for n, t in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        out += [f'<circle cx="{x(n):.1f}" cy="{y(t):.1f}" r="4" fill="{colour}"/>' for n, t in points]
        fitted = [p for p in points if p[0] >= FIT_FROM]
        if len(fitted) > 1:
            label += f": N^{slope(fitted):.2f} from {fitted[0][0]:.0f} atoms"
        # Below the curves, where nothing is.
        left, top = LEFT + 190, HEIGHT - BOTTOM - 22 * len(series)
        out.append(f'<circle cx="{left}" cy="{top + 22 * k}" r="5" fill="{colour}"/>')
        out.append(f'<text x="{left + 12}" y="{top + 5 + 22 * k}">{label}</text>')
    return "\n".join(out + ["</svg>", ""])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    found = read(sys.argv[1])
    if not found:
        sys.exit(f"{sys.argv[1]}: no times of density matrices")
    with open(sys.argv[2], "w") as picture:
        picture.write(draw(found))
