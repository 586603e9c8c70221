#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the density solvers, compares a GPU with the processor, and times both. Leaves OUT/gpu.json and
# OUT/gpu.md. Exit status 1 when a comparison fails or a sanitizer complains.
#
# usage: run.sh [--out FOLDER] [--gpu INDEX] [--sizes 512,2043,...] [--seconds N] [--no-times] [--sanitize] [--host]
#   --seconds    that the timing may take, about; 300 unless told
#   --no-times   ends after the comparisons
#   --sanitize   compute-sanitizer memcheck, racecheck and synccheck over the comparisons (minutes more)
#   --host       the processor in place of a GPU and small sizes: a rehearsal without nvcc or GPU
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
out=$root/gpu-results
gpu=auto
sizes=512,2043,4032,8400
sanitize=
times=yes
cuda=ON
seconds=300
while [ $# -gt 0 ]; do
    case $1 in
        --out) out=$2; shift 2 ;;
        --gpu) gpu=$2; shift 2 ;;
        --sizes) sizes=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --no-times) times=; shift ;;
        --sanitize) sanitize=yes; shift ;;
        --host)
            cuda=OFF gpu=host sizes=60,120 seconds=60
            # On a busy machine a second thread costs more than it brings.
            export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
            shift ;;
        *) sed -n '3,11p' "${BASH_SOURCE[0]}"; exit 2 ;;
    esac
done
mkdir -p "$out"
out=$(realpath "$out")
build=$root/build/cuda-solver
[ "$cuda" = ON ] || build=$build-host
status=0
started=$(date +%s)
say() { printf '== %4d s  %s\n' $(($(date +%s) - started)) "$*"; }

say "building"
options=(-DSTEMBRIDGE_CUDA=$cuda)
if [ "$cuda" = ON ]; then
    command -v nvcc >/dev/null || PATH=$PATH:/usr/local/cuda/bin
    arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .) || arch=
    options+=(-DCMAKE_CUDA_ARCHITECTURES="${arch:-90}")
fi
if [ -d "$root/kit" ]; then
    options+=(-DSTEMBRIDGE_KIT="$root/kit")
    export LD_LIBRARY_PATH=$root/kit/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S "$root" -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DSTEMBRIDGE_ONLY_SOLVER=ON \
    "${options[@]}" > "$out/configure.log" || { cat "$out/configure.log"; exit 1; }
cmake --build "$build" -j "$(nproc)" > "$out/build.log" || { tail -40 "$out/build.log"; exit 1; }

say "comparing with the processor"
"$build/bin/gpu_bench" --gpu "$gpu" --check --json "$out/check.json" | tee "$out/check.txt" || status=1

if [ -n "$sanitize" ]; then
    sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) ||
        { echo "--sanitize needs compute-sanitizer, which comes with the CUDA toolkit"; exit 2; }
    # Races and barriers of the own kernels alone: those of cuBLAS and cuSOLVER take long and are not ours.
    ours=(--kernel-name kns=stembridge)
    for tool in memcheck racecheck synccheck; do
        say "compute-sanitizer $tool"
        filter=("${ours[@]}")
        [ $tool != memcheck ] || filter=()
        if "$sanitizer" --tool $tool "${filter[@]}" --error-exitcode 9 "$build/bin/gpu_bench" --gpu "$gpu" \
            --check --quick > "$out/$tool.txt" 2>&1; then
            say "$tool: clean"
        else
            status=1
            tail -20 "$out/$tool.txt"
            say "$tool: ERRORS"
        fi
    done
fi

if [ -z "$times" ]; then
    say "done: $out/check.json"
    exit $status
fi
say "timing"
"$build/bin/gpu_bench" --gpu "$gpu" --sizes "$sizes" --seconds "$seconds" --json "$out/gpu.json" \
    --table "$out/gpu.md"
say "done: $out/gpu.json, $out/gpu.md"
exit $status
