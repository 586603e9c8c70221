# SPDX-License-Identifier: Apache-2.0
# Debian packages by CPack: ./dev package
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The stembridge developers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(this_version "(= ${PROJECT_VERSION})")

set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "Finds the atoms of graphene in frames of an electron microscope,\nbuilds structures from them, and relaxes and moves them by SCC-DFTB.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME stembridge)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
# OpenBLAS has variants behind one name; the report looks for three.js when it is written.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS libopenblas0-openmp)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS libjs-three)

set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Static libraries, headers and a CMake package, find_package(stembridge),\nfor programs of one's own.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libstembridge-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# What cmake/ThirdParty.cmake looks for.
set(needed "stembridge ${this_version}" libeigen3-dev libfmt-dev nlohmann-json3-dev libtomlplusplus-dev zlib1g-dev liblzma-dev
    libpugixml-dev libpng-dev libtiff-dev libhdf5-dev libssl-dev libopenblas-openmp-dev liblapacke-dev libmetis-dev)
if(STEMBRIDGE_LIBXC)
    list(APPEND needed libxc-dev)
endif()
if(STEMBRIDGE_MPI)
    list(APPEND needed libopenmpi-dev)
endif()
if(STEMBRIDGE_ELPA)
    list(APPEND needed libelpa-dev libscalapack-openmpi-dev)
endif()
list(JOIN needed ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "cmake (>= 3.25), g++ (>= 4:12)")

if(TARGET stembridge_python)
    list(APPEND CPACK_COMPONENTS_ALL python)
    set(CPACK_COMPONENT_PYTHON_DESCRIPTION "Python package: a calculator of ASE, atoms of micrographs, structures, relaxations, images.")
    set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-stembridge)
    set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
    set(CPACK_DEBIAN_PYTHON_PACKAGE_SHLIBDEPS ON)
    math(EXPR next_minor "${Python3_VERSION_MINOR} + 1")
    set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "stembridge ${this_version}, libopenblas0-openmp, python3 (>= 3.${Python3_VERSION_MINOR}), \
python3 (<< 3.${next_minor}), python3-numpy, python3-ase")
endif()
include(CPack)
