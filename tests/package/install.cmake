# cmake -DBUILD=... -DPREFIX=... -P install.cmake: installs the components of a build one by one, refuses what belongs to
# another one, then moves them together, because a package must not depend on where it was installed.
set(gpuconv-runtime "/libgpuconv\\.so\\.[0-9.]+$")
set(gpuconv-tool "^bin/gpuconv$")
set(gpuconv-dev "^include/gpuconv/|/libgpuconv\\.(a|so)$|/cmake/gpuconv/|/gpuconv\\.pc$|/LICENSE$")

file(REMOVE_RECURSE ${PREFIX} ${PREFIX}-before)
foreach(component gpuconv-runtime gpuconv-tool gpuconv-dev)
  set(alone ${PREFIX}-before/${component})
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${alone} --component ${component}
    COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE foreign RELATIVE ${alone} ${alone}/*)
  list(FILTER foreign EXCLUDE REGEX ${${component}})
  if(foreign)
    message(FATAL_ERROR "the component ${component} brings ${foreign}")
  endif()
  if(EXISTS ${alone})  # a static library has no runtime component, and the tool may not be built
    file(COPY ${alone}/ DESTINATION ${PREFIX})
  endif()
endforeach()
file(REMOVE_RECURSE ${PREFIX}-before)
