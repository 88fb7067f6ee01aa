# Decides what a package of leasehold contains: library, headers, CMake package, pkg-config file; src/cli adds
# the tool, its man pages and completions.
include(CMakePackageConfigHelpers)
set(leasehold_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/leasehold)

install(TARGETS leasehold EXPORT leaseholdTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT leaseholdTargets NAMESPACE leasehold:: DESTINATION ${leasehold_package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/leaseholdConfig.cmake.in ${PROJECT_BINARY_DIR}/leaseholdConfig.cmake
  INSTALL_DESTINATION ${leasehold_package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/leaseholdConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/leaseholdConfig.cmake ${PROJECT_BINARY_DIR}/leaseholdConfigVersion.cmake
  DESTINATION ${leasehold_package_dir})

# The pkg-config file finds its prefix from its own place, so that an unpacked tree works wherever it lies.
file(RELATIVE_PATH leasehold_pc_prefix /x/${CMAKE_INSTALL_LIBDIR}/pkgconfig /x)
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(leasehold_pc_prefix_path ${CMAKE_INSTALL_PREFIX})
else()
  set(leasehold_pc_prefix_path "\${pcfiledir}/${leasehold_pc_prefix}")
endif()
if(leasehold_type STREQUAL "SHARED_LIBRARY")
  set(leasehold_pc_cflags "")
else()
  set(leasehold_pc_cflags "-DLEASEHOLD_STATIC ")
endif()
configure_file(${PROJECT_SOURCE_DIR}/packaging/leasehold.pc.in ${PROJECT_BINARY_DIR}/leasehold.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/leasehold.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
