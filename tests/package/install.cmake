# cmake -DBUILD=... -DPREFIX=... -P install.cmake: installs a build, then moves it, because a package must not depend on
# where it was installed.
file(REMOVE_RECURSE ${PREFIX} ${PREFIX}-before)
foreach(component gpuconv-runtime gpuconv-dev)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX}-before --component ${component}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(RENAME ${PREFIX}-before ${PREFIX})
