#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packs what a GPU machine without package registries needs: the sources of the density solvers and of the networks,
# header-only libraries, and the shared libraries of this Debian (OpenBLAS, LAPACK, METIS).
# usage: pack.sh OUT.tar.gz      there: tar xf OUT.tar.gz && stembridge-gpu/tests/bench/gpu/run.sh (or .../networks/run.sh)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
out=$(realpath -m "${1:?usage: pack.sh OUT.tar.gz}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
project=$work/stembridge-gpu
kit=$project/kit
mkdir -p "$kit/include" "$kit/lib"

# Sources as they are in the working tree.
cd "$root"
git ls-files -z --cached --others --exclude-standard -- CMakeLists.txt CMakePresets.json cmake base structure tb ml \
    tests/bench/gpu tests/bench/networks data/parameters/stembridge-1 LICENSE | xargs -0 cp --parents -t "$project"

cp -r /usr/include/eigen3 "$kit/include/"
cp -r /usr/include/fmt /usr/include/nlohmann /usr/include/metis.h "$kit/include/"
triplet=$(gcc -dumpmachine)
cp /usr/include/lapack*.h "$kit/include/"
blas=$(dirname "$(find "/usr/lib/$triplet"/openblas-* -name libopenblas.so | head -1)")
find /usr/include /usr/include/"$triplet"/"$(basename "$blas")" -maxdepth 1 \
    \( -name 'cblas*.h' -o -name 'openblas*.h' \) -exec cp {} "$kit/include/" \;

for library in "$blas/libopenblas.so.0" "$blas/liblapack.so.3" "$blas/libblas.so.3" \
    "/usr/lib/$triplet"/{liblapacke.so.3,libtmglib.so.3,libmetis.so.5,libgfortran.so.5,libquadmath.so.0}; do
    cp -L "$library" "$kit/lib/"
done
for name in openblas:0 lapacke:3 metis:5; do
    ln -s "lib${name%:*}.so.${name#*:}" "$kit/lib/lib${name%:*}.so"
done
# Whatever they need in turn is in the kit as well, or comes with any g++.
for library in "$kit"/lib/*.so.*; do
    for needed in $(objdump -p "$library" | awk '$1 == "NEEDED" {print $2}'); do
        case $needed in
            libc.so.* | libm.so.* | libgcc_s.so.* | libgomp.so.* | ld-linux*) continue ;;
        esac
        [ -e "$kit/lib/$needed" ] ||
            { echo "$(basename "$library") needs $needed, which is not in the kit" >&2; exit 1; }
    done
done
tar -C "$work" -czf "$out" stembridge-gpu
echo "$out: $(du -h "$out" | cut -f1)"
