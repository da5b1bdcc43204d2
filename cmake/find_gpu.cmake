# For which GPUs a build on this machine is, unless somebody asks for others: its own, where all of them are supported.
# ./dev asks the same question by running this file as a script, `cmake -P cmake/find_gpu.cmake`.
include(${CMAKE_CURRENT_LIST_DIR}/find_nvcc.cmake)

# gpuconv_find_gpu(VARIABLE): the architectures of this machine's GPUs, "80;90"; empty where there is none, where no nvcc
# is found, or where one of them is older than Turing (sm_75) or unknown to this nvcc.
function(gpuconv_find_gpu result)
  set(${result} "" PARENT_SCOPE)
  find_program(nvidia_smi NAMES nvidia-smi NO_CACHE)
  gpuconv_find_nvcc(nvcc)
  if(NOT nvidia_smi OR NOT nvcc)
    return()
  endif()
  # Where it fails, it says why on stdout.
  execute_process(COMMAND ${nvidia_smi} --query-gpu=compute_cap --format=csv,noheader
    RESULT_VARIABLE status OUTPUT_VARIABLE gpus OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${nvcc} --list-gpu-arch OUTPUT_VARIABLE known ERROR_QUIET)
  if(NOT status EQUAL 0 OR NOT gpus)
    return()
  endif()
  string(REPLACE "." "" gpus "${gpus}")
  string(REGEX REPLACE "[ \n]+" ";" gpus "${gpus}")
  list(REMOVE_DUPLICATES gpus)
  list(SORT gpus COMPARE NATURAL)
  foreach(gpu ${gpus})
    if(NOT gpu MATCHES "^[0-9]+$" OR gpu LESS 75 OR NOT known MATCHES "compute_${gpu}(\n|$)")
      return()
    endif()
  endforeach()
  set(${result} "${gpus}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  gpuconv_find_gpu(gpus)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${gpus}")
endif()
