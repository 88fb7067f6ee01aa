# Decides which Boost <leasehold/asio.hpp> is built with in this tree: 1.81 or newer, headers alone, those unpacked by ./dev before
# the system's. Without one there is no target leasehold_boost, and what needs it is left out.
include_guard(GLOBAL)
find_path(LEASEHOLD_BOOST boost/asio/awaitable.hpp)
set(leasehold_boost_version 0)
if(LEASEHOLD_BOOST)
  file(STRINGS ${LEASEHOLD_BOOST}/boost/version.hpp line REGEX "^#define BOOST_VERSION ")
  string(REGEX MATCH "[0-9]+" leasehold_boost_version "${line}")
endif()
if(leasehold_boost_version LESS 108100)
  message(STATUS "No Boost 1.81 or newer: the tests and the example of <leasehold/asio.hpp> are left out")
  unset(LEASEHOLD_BOOST CACHE)  # the next configuration looks again
else()
  add_library(leasehold_boost INTERFACE)
  target_include_directories(leasehold_boost SYSTEM INTERFACE ${LEASEHOLD_BOOST})
endif()
