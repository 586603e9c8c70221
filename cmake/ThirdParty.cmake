# SPDX-License-Identifier: Apache-2.0
# What the libraries link, in one place: for the build, and for projects that use the installed libraries. A module links the
# target it needs; nothing here leaks into public headers but Eigen. What only the build needs: BuildRequirements.cmake.
if(STEMBRIDGE_KIT)
    set(kit_include ${STEMBRIDGE_KIT}/include)
    set(kit_lib ${STEMBRIDGE_KIT}/lib)
    # An RPATH holds for what these libraries need in turn, too; a RUNPATH would not.
    add_link_options(-Wl,--disable-new-dtags)
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
if(STEMBRIDGE_REDUCED)
    include(HeaderOnly)
else()
    find_package(Eigen3 3.4 REQUIRED NO_MODULE)
    find_package(fmt REQUIRED)
    find_package(nlohmann_json REQUIRED)
    find_package(tomlplusplus REQUIRED)
    find_package(ZLIB REQUIRED)
    find_package(LibLZMA REQUIRED)
    find_package(pugixml REQUIRED)
    find_package(PNG REQUIRED)
    find_package(TIFF REQUIRED)
    find_package(HDF5 REQUIRED COMPONENTS C)
    find_package(OpenSSL REQUIRED COMPONENTS Crypto)
endif()

# OpenBLAS in its OpenMP variant where there is one: one thread pool for the linear algebra and for our own loops.
find_library(STEMBRIDGE_OPENBLAS NAMES openblas REQUIRED
    HINTS ${kit_lib} /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-pthread)
find_path(STEMBRIDGE_LAPACKE_INCLUDE lapacke.h REQUIRED HINTS ${kit_include} /usr/include)
find_path(STEMBRIDGE_CBLAS_INCLUDE cblas.h REQUIRED
    HINTS ${kit_include} /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-pthread
          /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
find_library(STEMBRIDGE_LAPACKE NAMES lapacke REQUIRED HINTS ${kit_lib})
add_library(stembridge_blas INTERFACE IMPORTED)
# OpenBLAS comes first, so that LAPACKE's calls resolve to it and not to the reference BLAS.
target_link_libraries(stembridge_blas INTERFACE ${STEMBRIDGE_OPENBLAS} ${STEMBRIDGE_LAPACKE})
target_include_directories(stembridge_blas SYSTEM INTERFACE ${STEMBRIDGE_CBLAS_INCLUDE} ${STEMBRIDGE_LAPACKE_INCLUDE})

find_library(STEMBRIDGE_METIS NAMES metis REQUIRED HINTS ${kit_lib})
find_path(STEMBRIDGE_METIS_INCLUDE metis.h REQUIRED HINTS ${kit_include})
add_library(stembridge_metis INTERFACE IMPORTED)
target_link_libraries(stembridge_metis INTERFACE ${STEMBRIDGE_METIS})
target_include_directories(stembridge_metis SYSTEM INTERFACE ${STEMBRIDGE_METIS_INCLUDE})

if(STEMBRIDGE_LIBXC AND NOT STEMBRIDGE_REDUCED)
    find_package(Libxc REQUIRED)
endif()
if(STEMBRIDGE_MPI)
    find_package(MPI REQUIRED COMPONENTS C)
endif()
if(STEMBRIDGE_ELPA)
    find_library(STEMBRIDGE_ELPA_LIBRARY NAMES elpa elpa_openmp REQUIRED)
    find_path(STEMBRIDGE_ELPA_INCLUDE elpa/elpa.h REQUIRED PATH_SUFFIXES elpa)
    find_library(STEMBRIDGE_SCALAPACK NAMES scalapack-openmpi scalapack-mpich scalapack REQUIRED)
    add_library(stembridge_elpa INTERFACE IMPORTED)
    target_link_libraries(stembridge_elpa INTERFACE ${STEMBRIDGE_ELPA_LIBRARY} ${STEMBRIDGE_SCALAPACK})
    target_include_directories(stembridge_elpa SYSTEM INTERFACE ${STEMBRIDGE_ELPA_INCLUDE})
endif()
if(STEMBRIDGE_CUDA)
    find_package(CUDAToolkit REQUIRED)
endif()
