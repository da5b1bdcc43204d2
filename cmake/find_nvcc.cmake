# Where NVIDIA's compiler is, also when it is not on the PATH. ./dev asks the same question by running this file as a
# script, `cmake -P cmake/find_nvcc.cmake`, which prints the path, or nothing.

# The toolkit that `./dev cuda` installs from NVIDIA's Python wheels, as those lay it out.
cmake_path(SET GPUCONV_LOCAL_TOOLKIT NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../build-cuda-toolkit)

# gpuconv_find_nvcc(VARIABLE): the path of nvcc, or an empty string. Who names a compiler or a toolkit gets that one or
# none: CMAKE_CUDA_COMPILER, CUDACXX, CUDAToolkit_ROOT. Otherwise CUDA_PATH, CUDA_HOME and the PATH come before the
# places where toolkits usually are.
function(gpuconv_find_nvcc result)
  set(named ${CMAKE_CUDA_COMPILER})
  if(NOT named AND NOT CUDAToolkit_ROOT)
    set(named $ENV{CUDACXX})
  endif()
  set(roots ${CUDAToolkit_ROOT} $ENV{CUDAToolkit_ROOT})
  if(named)
    find_program(nvcc NAMES ${named} NO_CACHE)
  elseif(roots)
    find_program(nvcc NAMES nvcc PATHS ${roots} PATH_SUFFIXES bin NO_DEFAULT_PATH NO_CACHE)
  else()
    # A toolkit of wheels is complete only with the names that linkers and CMake look for; see ./dev cuda.
    foreach(environment ${GPUCONV_LOCAL_TOOLKIT} $ENV{VIRTUAL_ENV})
      file(GLOB libraries ${environment}/lib/python3*/site-packages/nvidia/cu*/lib64/libcudart_static.a)
      foreach(library ${libraries})
        cmake_path(GET library PARENT_PATH root)
        list(APPEND wheels ${root}/..)
      endforeach()
    endforeach()
    file(GLOB versions /usr/local/cuda-*)
    list(SORT versions COMPARE NATURAL ORDER DESCENDING)
    find_program(nvcc NAMES nvcc PATHS ENV CUDA_PATH ENV CUDA_HOME PATH_SUFFIXES bin NO_DEFAULT_PATH NO_CACHE)
    find_program(nvcc NAMES nvcc NO_CACHE)
    find_program(nvcc NAMES nvcc PATHS ${wheels} /usr/local/cuda ${versions} /opt/cuda PATH_SUFFIXES bin
      NO_DEFAULT_PATH NO_CACHE)
  endif()
  if(NOT nvcc)
    set(nvcc "")
  else()
    cmake_path(NORMAL_PATH nvcc)
  endif()
  set(${result} "${nvcc}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  gpuconv_find_nvcc(nvcc)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${nvcc}")
endif()
