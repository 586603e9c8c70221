# SPDX-License-Identifier: Apache-2.0
# stembridge_module(NAME PUBLIC targets... PRIVATE targets...)
# One library per folder: public headers in include/, everything else private. The libraries in PUBLIC are those
# whose headers appear in the module's own public headers.
function(stembridge_module name)
    cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE;EXCLUDE" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.cpp)
    foreach(pattern IN LISTS arg_EXCLUDE)
        list(FILTER sources EXCLUDE REGEX ${pattern})
    endforeach()
    add_library(stembridge_${name} STATIC ${sources})
    add_library(stembridge::${name} ALIAS stembridge_${name})
    target_include_directories(stembridge_${name}
        PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include
        PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_link_libraries(stembridge_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()
