# SPDX-License-Identifier: Apache-2.0
# stembridge_module(NAME PUBLIC targets... PRIVATE targets...)
# One library per folder: public headers in include/, everything else private. The libraries in PUBLIC are those
# whose headers appear in the module's own public headers. Outside of the project it is called stembridge::NAME, too.
function(stembridge_module name)
    cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE;EXCLUDE" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.cpp)
    foreach(pattern IN LISTS arg_EXCLUDE)
        list(FILTER sources EXCLUDE REGEX ${pattern})
    endforeach()
    add_library(stembridge_${name} STATIC ${sources})
    add_library(stembridge::${name} ALIAS stembridge_${name})
    target_include_directories(stembridge_${name}
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_compile_features(stembridge_${name} PUBLIC cxx_std_20)
    target_link_libraries(stembridge_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    set_target_properties(stembridge_${name} PROPERTIES EXPORT_NAME ${name})
    install(TARGETS stembridge_${name} EXPORT stembridge ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
    install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
endfunction()
