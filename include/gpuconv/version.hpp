// The version of these headers; CMake, the Python package and the documentation read it from here.
#pragma once

#define GPUCONV_VERSION_MAJOR 0
#define GPUCONV_VERSION_MINOR 2
#define GPUCONV_VERSION_PATCH 0
#define GPUCONV_VERSION "0.2.0"
