# SPDX-License-Identifier: Apache-2.0
# Run at every build: writes version.hpp with the present commit; the file changes only when its content does.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE STEMBRIDGE_GIT_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT STEMBRIDGE_GIT_COMMIT)
    set(STEMBRIDGE_GIT_COMMIT "unknown")
endif()
configure_file(${SOURCE}/cmake/version.hpp.in ${OUTPUT} @ONLY)
