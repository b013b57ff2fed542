# Installs headers, the static library and a CMake package, so that find_package(pdrt) gives pdrt::pdrt:
#   cmake --install BUILD --prefix PREFIX --component core
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pdrt)
install(TARGETS pdrt EXPORT pdrtTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT core)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/csrc/include/pdrt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT core)
install(EXPORT pdrtTargets NAMESPACE pdrt:: DESTINATION ${package_dir} COMPONENT core)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/pdrtConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/pdrtConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/pdrtConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT core)
