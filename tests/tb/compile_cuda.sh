#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles and links the CUDA back end of tb/ where there is an nvcc, so that it keeps building on machines
# without a GPU. usage: compile_cuda.sh PROJECT_FOLDER     77 = no nvcc
set -euo pipefail
root=$1
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null) || { echo "skipped: no nvcc"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pids=()
for source in "$root"/tb/src/density/cuda/*.cu; do
    "$nvcc" -std=c++17 -O1 -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90 \
        -Werror all-warnings -Xcompiler -fPIC,-Wall,-Wextra,-Werror \
        -I "$root/tb/src" -I "$root/tb/include" -I "$root/base/include" -c "$source" \
        -o "$work/$(basename "$source").o" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
"$nvcc" -shared -o "$work/cuda.so" "$work"/*.o -lcublas -lcusolver -Xlinker -z,defs
echo "compiled and linked for sm_80 and sm_90 by $("$nvcc" --version | grep release)"
