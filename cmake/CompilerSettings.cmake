# SPDX-License-Identifier: Apache-2.0
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
# Installed, too, the OpenMP variant of OpenBLAS and the LibTorch that were linked are those that are loaded.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# g++ 12 takes its own AVX-512 intrinsics for uninitialised variables.
set(host $<COMPILE_LANGUAGE:C,CXX>)  # not nvcc
add_compile_options("$<${host}:-Wall;-Wextra;-Wpedantic>" "$<$<AND:${host},$<CXX_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized>")
# Strict IEEE arithmetic: the same input gives the same bits. Only errno of math functions is given up.
add_compile_options($<${host}:-fno-math-errno>)
if(STEMBRIDGE_PROCESSOR)
    add_compile_options($<${host}:-march=${STEMBRIDGE_PROCESSOR}>)
endif()
if(STEMBRIDGE_SANITIZE)
    add_compile_options(-fsanitize=${STEMBRIDGE_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${STEMBRIDGE_SANITIZE})
endif()
if(STEMBRIDGE_COVERAGE)
    add_compile_options(--coverage -O1)
    add_link_options(--coverage)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
