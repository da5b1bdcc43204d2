// The version of these headers; CMake reads it from here.
#pragma once

#define GPUCONV_VERSION_MAJOR 0
#define GPUCONV_VERSION_MINOR 1
#define GPUCONV_VERSION_PATCH 0
#define GPUCONV_VERSION "0.1.0"
