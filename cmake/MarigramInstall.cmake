# make install: the library and its headers, the command line, a CMake package, a pkg-config file, and Arrow's
# libraries beside ours when they were fetched. All paths are relative to one another, so the tree can be moved.
include(CMakePackageConfigHelpers)

set(MARIGRAM_PRIVATE_LIBDIR "${CMAKE_INSTALL_LIBDIR}/marigram")  # Arrow's libraries
file(RELATIVE_PATH _from_bin "/${CMAKE_INSTALL_BINDIR}" "/${MARIGRAM_PRIVATE_LIBDIR}")
if(MARIGRAM_ARROW_RUNTIME)
  install(FILES ${MARIGRAM_ARROW_RUNTIME} DESTINATION "${MARIGRAM_PRIVATE_LIBDIR}"
    PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endif()

if(TARGET marigram)
  set_target_properties(marigram PROPERTIES INSTALL_RPATH "$ORIGIN/marigram")
  install(TARGETS marigram EXPORT marigram-targets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(EXPORT marigram-targets NAMESPACE marigram:: DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/marigram")
  configure_package_config_file(cmake/marigram-config.cmake.in "${PROJECT_BINARY_DIR}/marigram-config.cmake"
    INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/marigram"
    NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
  # Before 1.0 a minor version may change the interface.
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/marigram-config-version.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/marigram-config.cmake" "${PROJECT_BINARY_DIR}/marigram-config-version.cmake"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/marigram")

  file(RELATIVE_PATH MARIGRAM_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  configure_file(marigram.pc.in "${PROJECT_BINARY_DIR}/marigram.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/marigram.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()

if(TARGET marigram_cli_main)
  set_target_properties(marigram_cli_main PROPERTIES INSTALL_RPATH "$ORIGIN/${_from_bin}")
  install(TARGETS marigram_cli_main RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

install(DIRECTORY include/marigram DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
# What the build writes below share/ (manual page, shell completions) goes below the prefix's share/.
install(DIRECTORY "${PROJECT_BINARY_DIR}/share/" DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}" OPTIONAL)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
