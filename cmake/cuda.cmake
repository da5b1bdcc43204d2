# The CUDA device: whether this build has it, and how its code is compiled.
#
# In:  GPUCONV_CUDA; the toolkit and its compiler as find_nvcc.cmake finds them; CMAKE_CUDA_ARCHITECTURES,
#      CMAKE_CUDA_HOST_COMPILER and CMAKE_CUDA_FLAGS where the user sets them.
# Out: GPUCONV_HAS_CUDA, and the language CUDA where it is on. GPUCONV_CUDA_HEADERS, the folders of NVIDIA's headers,
#      empty where there is no toolkit: known with GPUCONV_CUDA=OFF as well, because the emulated tests compile the host
#      code and the kernels with the C++ compiler against those headers.
set(GPUCONV_CUDA AUTO CACHE STRING
  "The CUDA device: AUTO (where there is a toolkit to build it with), OWN (for the GPUs of this machine), ON or OFF")
set_property(CACHE GPUCONV_CUDA PROPERTY STRINGS AUTO OWN ON OFF)

include(${CMAKE_CURRENT_LIST_DIR}/find_nvcc.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/find_gpu.cmake)
if(GPUCONV_CUDA STREQUAL OWN)
  gpuconv_find_gpu(gpus)
  if(NOT gpus)
    set(GPUCONV_CUDA OFF)
  elseif(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    set(CMAKE_CUDA_ARCHITECTURES ${gpus})
  endif()
endif()

# gpuconv_find_toolkit(PROBLEM): sets CUDAToolkit_*, CUDA::* and GPUCONV_CUDA_HEADERS, or PROBLEM to what is missing.
# A macro, because imported targets and find_package's results belong to this directory.
macro(gpuconv_find_toolkit problem)
  gpuconv_find_nvcc(nvcc)
  set(GPUCONV_CUDA_HEADERS "")
  set(${problem} "")
  if(NOT nvcc)
    string(CONCAT ${problem} "no nvcc: looked in CUDAToolkit_ROOT, CUDA_PATH, CUDA_HOME, PATH, "
      "${GPUCONV_LOCAL_TOOLKIT}, /usr/local/cuda*")
  else()
    cmake_path(GET nvcc PARENT_PATH root)
    cmake_path(GET root PARENT_PATH root)
    set(CUDAToolkit_ROOT ${root})  # the toolkit of this nvcc, and no other
    find_package(CUDAToolkit QUIET)
    # Finds a broken installation, and a host compiler that this nvcc refuses, before enable_language makes them fatal.
    execute_process(COMMAND ${nvcc} ${gpuconv_ccbin} -std=c++20 -x cu -E /dev/null
      RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE complaint)
    string(REGEX MATCH "[^\n]*(error|fatal)[^\n]*" complaint "${complaint}")
    if(NOT CUDAToolkit_FOUND)
      set(${problem} "${nvcc} has no complete toolkit around it")
    elseif(CUDAToolkit_VERSION VERSION_LESS 12)
      set(${problem} "${nvcc} is of CUDA ${CUDAToolkit_VERSION}, 12 or later is needed")
    elseif(NOT TARGET CUDA::cudart_static)
      set(${problem} "${nvcc} comes without the static runtime library, libcudart_static.a")
    elseif(NOT status EQUAL 0)
      set(${problem} "${nvcc} does not work: ${complaint}")
    else()
      find_path(cufft_headers cufft.h PATHS ${CUDAToolkit_INCLUDE_DIRS} ${CUDAToolkit_MATH_INCLUDE_DIR}
        NO_DEFAULT_PATH NO_CACHE)
      if(cufft_headers)
        set(GPUCONV_CUDA_HEADERS ${CUDAToolkit_INCLUDE_DIRS} ${cufft_headers})
        list(REMOVE_DUPLICATES GPUCONV_CUDA_HEADERS)
      else()
        set(${problem} "${nvcc} comes without the headers of cuFFT")
      endif()
    endif()
  endif()
endmacro()

# Host code in .cu files is compiled as the rest is, unless the user knows better.
if(NOT DEFINED CMAKE_CUDA_HOST_COMPILER AND NOT DEFINED ENV{CUDAHOSTCXX} AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
endif()
set(gpuconv_ccbin "")
if(CMAKE_CUDA_HOST_COMPILER)
  set(gpuconv_ccbin -ccbin ${CMAKE_CUDA_HOST_COMPILER})
endif()

set(GPUCONV_HAS_CUDA OFF)
if(GPUCONV_CUDA OR GPUCONV_BUILD_TESTS)
  gpuconv_find_toolkit(problem)
  if(problem AND GPUCONV_CUDA AND NOT GPUCONV_CUDA MATCHES "^(AUTO|OWN)$")
    message(FATAL_ERROR "GPUCONV_CUDA=ON: ${problem}")
  elseif(problem)
    message(STATUS "gpuconv: no CUDA toolkit: ${problem}")
  endif()
  if(GPUCONV_CUDA AND NOT problem)
    set(GPUCONV_HAS_CUDA ON)
  endif()
endif()
if(NOT GPUCONV_HAS_CUDA)
  message(STATUS "gpuconv: without the CUDA device")
  return()
endif()

# A release serves every GPU from Turing (sm_75) on: machine code for each major architecture, which its minor ones run
# as well, and PTX of the newest for those to come. CUDA 13 knows none older, and its nvcc has the list; CUDA 12 would
# compile for sm_50 to sm_70 too, which nothing here is tested for. CMake's own list (of 3.25) is older than both.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 13)
    set(CMAKE_CUDA_ARCHITECTURES all-major)
  elseif(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.8)
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90-real 100-real 120)
  else()
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90)
  endif()
endif()

if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${nvcc})
endif()
enable_language(CUDA)
string(REPLACE ";" " " architectures "${CMAKE_CUDA_ARCHITECTURES}")
message(STATUS "gpuconv: with the CUDA device, by nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${architectures}")

# The language level is spelled out: CMake 3.25 does not know it for nvcc. No -Wpedantic: it dislikes nvcc's own
# intermediate files. No -Wmissing-launch-bounds: it overlooks the bounds of templates (CUDA 13.0).
target_compile_options(gpuconv_settings INTERFACE
  "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;-Wdefault-stream-launch;-Wreorder>")
if(GPUCONV_WERROR)
  target_compile_options(gpuconv_settings INTERFACE
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings -Xcompiler=-Werror>")
endif()
