# Decides the settings of our own development builds: build type, compiler cache, sanitizers, the unpacked Boost.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(LEASEHOLD_CCACHE ccache)
if(LEASEHOLD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LEASEHOLD_CCACHE})
endif()

# Where ./dev unpacks Boost headers when the system's own are too old for <leasehold/asio.hpp>.
if(EXISTS ${PROJECT_SOURCE_DIR}/.deps/boost/usr)
  list(APPEND CMAKE_PREFIX_PATH ${PROJECT_SOURCE_DIR}/.deps/boost/usr)
endif()

set(LEASEHOLD_SANITIZE "" CACHE STRING "Sanitizers: empty, address (with undefined), or thread")
set_property(CACHE LEASEHOLD_SANITIZE PROPERTY STRINGS "" address thread)
if(LEASEHOLD_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fno-sanitize=function)  # clang 14 cannot build coroutines with it
  endif()
elseif(LEASEHOLD_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # g++ warns at every atomic_thread_fence
  endif()
elseif(LEASEHOLD_SANITIZE)
  message(FATAL_ERROR "LEASEHOLD_SANITIZE is '${LEASEHOLD_SANITIZE}': use address or thread")
endif()
if(LEASEHOLD_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-maybe-uninitialized)  # g++ takes the instrumentation itself for a use
endif()
