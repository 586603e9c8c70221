# SPDX-License-Identifier: Apache-2.0
# Eigen, fmt and nlohmann-json by their headers alone, from STEMBRIDGE_KIT or the system.
find_path(STEMBRIDGE_EIGEN_INCLUDE Eigen/Core REQUIRED PATH_SUFFIXES eigen3 HINTS ${kit_include})
find_path(STEMBRIDGE_FMT_INCLUDE fmt/format.h REQUIRED HINTS ${kit_include})
find_path(STEMBRIDGE_JSON_INCLUDE nlohmann/json.hpp REQUIRED HINTS ${kit_include})
function(stembridge_header_only target folder)
    add_library(${target} INTERFACE IMPORTED)
    target_include_directories(${target} SYSTEM INTERFACE ${folder})
endfunction()
stembridge_header_only(Eigen3::Eigen ${STEMBRIDGE_EIGEN_INCLUDE})
stembridge_header_only(fmt::fmt ${STEMBRIDGE_FMT_INCLUDE})
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
stembridge_header_only(nlohmann_json::nlohmann_json ${STEMBRIDGE_JSON_INCLUDE})
