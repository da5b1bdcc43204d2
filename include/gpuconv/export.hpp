// Which symbols a shared gpuconv offers. A static one keeps all of them hidden, so that a shared library or a plugin
// that contains it does not offer them in turn. GPUCONV_SHARED comes from CMake's target or from pkg-config.
#pragma once

// Every public header that needs C++20 includes this one first. An #error alone does not end the compilation, a header
// that is missing does: an older language is told this, and not hundreds of errors from the lines below.
#if __cplusplus < 202002L
#error "gpuconv needs C++20: compile with -std=c++20, or link gpuconv::gpuconv with CMake, which asks for it"
#include <gpuconv/needs_cxx20>
#endif

#if defined(GPUCONV_SHARED)
#define GPUCONV_API __attribute__((visibility("default")))
#else
#define GPUCONV_API
#endif
