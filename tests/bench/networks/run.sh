#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the networks alone against the PyTorch of python3, or the LibTorch that CMake finds, compares a GPU with
# the processor, and times both. Leaves OUT/networks.txt. Exit status 1 when a comparison fails.
#
# usage: run.sh [--out FOLDER] [--seconds N] [--host]
#   --seconds    that each of three trainings may take; 100 unless told
#   --host       the processor in place of a GPU and a small network: a rehearsal
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
out=$root/gpu-results
bench=(--device cuda)
seconds=100
while [ $# -gt 0 ]; do
    case $1 in
        --out) out=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --host) bench=(--device cpu --small); shift ;;
        *) sed -n '3,8p' "${BASH_SOURCE[0]}"; exit 2 ;;
    esac
done
mkdir -p "$out"
out=$(realpath "$out")
build=$root/build/networks
command -v nvcc >/dev/null || PATH=$PATH:/usr/local/cuda/bin
options=(-DSTEMBRIDGE_ONLY_NETWORKS=ON)
torch=$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)' 2>/dev/null) || torch=
if [ -n "$torch" ]; then
    options+=(-DCMAKE_PREFIX_PATH="$torch")
    capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1) || capability=
    export TORCH_CUDA_ARCH_LIST=${capability:-9.0}
fi
[ ! -d "$root/kit" ] || options+=(-DSTEMBRIDGE_KIT="$root/kit")
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S "$root" -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release "${options[@]}" \
    > "$out/configure.log" 2>&1 || { cat "$out/configure.log"; exit 1; }
cmake --build "$build" -j "$(nproc)" > "$out/build.log" || { tail -40 "$out/build.log"; exit 1; }
"$build/bin/network_bench" "${bench[@]}" --seconds "$seconds" | tee "$out/networks.txt"
