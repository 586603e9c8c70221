# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, apart from the targets, which their own folders name. Components: program, development, python.
# The program looks for share/stembridge/data and lib/stembridge from its own place: these two names are fixed.
include(CMakePackageConfigHelpers)
install(DIRECTORY data DESTINATION share/stembridge COMPONENT program
    PATTERN reference EXCLUDE)  # structures that a fit of the parameters needs
install(DIRECTORY examples DESTINATION share/stembridge COMPONENT program
    PATTERN pair_term EXCLUDE PATTERN __pycache__ EXCLUDE)
install(DIRECTORY examples/pair_term DESTINATION share/stembridge/examples COMPONENT development)
install(FILES README.md ARCHITECTURE.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/stembridge)
configure_package_config_file(cmake/stembridgeConfig.cmake.in stembridgeConfig.cmake INSTALL_DESTINATION ${package_folder})
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file(stembridgeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT stembridge NAMESPACE stembridge:: FILE stembridgeTargets.cmake DESTINATION ${package_folder} COMPONENT development)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/stembridgeConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/stembridgeConfigVersion.cmake
    cmake/ThirdParty.cmake DESTINATION ${package_folder} COMPONENT development)

include(Packages)
