#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# That a program linked with the packed libraries finds every library, and those that they need in turn, in the
# kit: a machine that has neither BLAS nor gfortran can start it. usage: check_pack.sh PROJECT_FOLDER   77 = no git
set -euo pipefail
unset LD_LIBRARY_PATH
root=$1
git -C "$root" rev-parse 2>/dev/null || { echo "skipped: pack.sh asks git for the sources"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/tests/bench/gpu/pack.sh" "$work/gpu.tar.gz"
tar -C "$work" -xf "$work/gpu.tar.gz"
kit=$work/stembridge-gpu/kit

mkdir "$work/program"
cat > "$work/program/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(program LANGUAGES C CXX)
list(APPEND CMAKE_MODULE_PATH ${PACKED}/cmake)
set(STEMBRIDGE_KIT ${PACKED}/kit)
set(STEMBRIDGE_REDUCED ON)
include(ThirdParty)
add_executable(program main.cpp)
target_link_libraries(program stembridge_blas stembridge_metis fmt::fmt nlohmann_json::nlohmann_json Eigen3::Eigen)
END
cat > "$work/program/main.cpp" <<'END'
#include <fmt/format.h>
#include <lapacke.h>
#include <metis.h>

#include <Eigen/Core>
#include <nlohmann/json.hpp>

int main() {
    Eigen::Matrix2d a = Eigen::Matrix2d::Identity();
    idx_t options[METIS_NOPTIONS];
    METIS_SetDefaultOptions(options);
    const int info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', 2, a.data(), 2);
    fmt::print("{}\n", nlohmann::json{{"info", info}}.dump());
    return info;
}
END
cmake -S "$work/program" -B "$work/build" -DPACKED="$work/stembridge-gpu" > "$work/log"
cmake --build "$work/build" >> "$work/log" || { cat "$work/log"; exit 1; }
"$work/build/program"
found=$(ldd "$work/build/program")
strangers=$(grep '=>' <<< "$found" | grep -vE "$kit/lib/|lib(c|m|gcc_s|gomp|stdc\+\+)\.so") || strangers=
if [ -n "$strangers" ] || ! grep -q "libgfortran.* => $kit/lib/" <<< "$found"; then
    echo "not from the kit:" && echo "$strangers"
    exit 1
fi
