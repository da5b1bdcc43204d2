# What is installed, as three components: gpuconv-runtime (the shared library), gpuconv-dev (headers, the static library, and
# what CMake and pkg-config read) and gpuconv-tool (the command line, by tools/). Nothing in them depends on where they are
# installed.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gpuconv)
install(TARGETS gpuconv EXPORT gpuconv-targets
  LIBRARY COMPONENT gpuconv-runtime NAMELINK_COMPONENT gpuconv-dev
  ARCHIVE COMPONENT gpuconv-dev)
install(DIRECTORY include/gpuconv DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT gpuconv-dev)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT gpuconv-dev)

install(EXPORT gpuconv-targets NAMESPACE gpuconv:: DESTINATION ${package_dir} COMPONENT gpuconv-dev)
configure_package_config_file(cmake/gpuconv-config.cmake.in gpuconv-config.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
# Below 1.0 a minor version may change the interface.
write_basic_package_version_file(gpuconv-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gpuconv-config.cmake ${PROJECT_BINARY_DIR}/gpuconv-config-version.cmake
  DESTINATION ${package_dir} COMPONENT gpuconv-dev)

cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
  OUTPUT_VARIABLE prefix_from_pc)
cmake_path(APPEND pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
if(BUILD_SHARED_LIBS)
  set(pc_cflags " -DGPUCONV_SHARED")
endif()
# Only one of the two is installed, so a static library says what it needs also to who omits --static; a shared one has
# the CUDA runtime within. -lpthread, since nvcc knows no -pthread.
if(NOT BUILD_SHARED_LIBS)
  if(GPUCONV_HAS_CUDA)  # the toolkit's place is its own: --define-variable=cudalibdir=... names another
    get_target_property(library CUDA::cudart_static IMPORTED_LOCATION)
    cmake_path(GET library PARENT_PATH library)
    set(pc_cuda_libdir "cudalibdir=${library}\n")
    set(pc_libs " -L\${cudalibdir} -lcudart_static -lrt -ldl")
  endif()
  string(APPEND pc_libs " -lpthread")
endif()
configure_file(cmake/gpuconv.pc.in gpuconv.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gpuconv.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT gpuconv-dev)
