# What can be switched, and the flags that everything of this project is compiled with.
option(GPUCONV_BUILD_TOOLS "Build the command line tool" ${PROJECT_IS_TOP_LEVEL})
option(GPUCONV_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(GPUCONV_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(GPUCONV_BUILD_BENCH "Build the benchmarks" OFF)
option(GPUCONV_BUILD_PYTHON "Build the Python package's extension module; pyproject.toml switches it on" OFF)
option(GPUCONV_BUILD_FUZZERS "Build the libFuzzer targets (clang only)" OFF)
option(GPUCONV_INSTALL "Install the library" ${PROJECT_IS_TOP_LEVEL})
option(GPUCONV_WERROR "Treat warnings as errors" OFF)
option(GPUCONV_COVERAGE "Count which lines of the CUDA device the emulated tests run" OFF)
set(GPUCONV_PNG AUTO CACHE STRING "PNG in the command line tool, by libpng: AUTO (where there is one), ON or OFF")
set_property(CACHE GPUCONV_PNG PROPERTY STRINGS AUTO ON OFF)
set(GPUCONV_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

# Compile and link settings of this project's own targets; never of those that link it.
add_library(gpuconv_settings INTERFACE)
target_compile_features(gpuconv_settings INTERFACE cxx_std_20)
# Kernels count in ints, also the elements of arrays, which -Wsign-conversion warns of.
target_compile_options(gpuconv_settings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion $<$<COMPILE_LANGUAGE:CXX>:-Wpedantic;-Wsign-conversion>)
if(GPUCONV_WERROR)
  target_compile_options(gpuconv_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(GPUCONV_SANITIZE)
  # Instrumented code takes long to compile: reports name functions and lines, for which -g1 is enough, and more than -Og,
  # in kernels -O1, costs more than it saves. AddressSanitizer stops at accesses to null and outside objects by itself.
  target_compile_options(gpuconv_settings INTERFACE
    -fsanitize=${GPUCONV_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1 $<$<NOT:$<CONFIG:Debug>>:-Og>)
  if(GPUCONV_SANITIZE MATCHES "address.*undefined")
    target_compile_options(gpuconv_settings INTERFACE -fno-sanitize=null,object-size)
  endif()
  target_link_options(gpuconv_settings INTERFACE -fsanitize=${GPUCONV_SANITIZE})
  set(gpuconv_sanitized_kernels -O1)
endif()
