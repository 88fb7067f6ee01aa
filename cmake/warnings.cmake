# Decides which warnings our own targets are held to; nothing of this reaches a dependent (link it as $<BUILD_INTERFACE:…>).
add_library(leasehold_warnings INTERFACE)
target_compile_options(leasehold_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # g++ 12 sees an overlap in every `"literal" + std::string()` (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)

# Warnings are errors with the compilers that the suite runs on; a newer one must not keep a newcomer from building.
set(leasehold_werror OFF)
if(PROJECT_IS_TOP_LEVEL AND
    ((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13) OR
     (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)))
  set(leasehold_werror ON)
endif()
option(LEASEHOLD_WERROR "Treat warnings as errors" ${leasehold_werror})
if(LEASEHOLD_WERROR)
  target_compile_options(leasehold_warnings INTERFACE -Werror)
endif()
