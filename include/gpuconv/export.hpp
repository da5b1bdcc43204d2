// Which symbols a shared gpuconv offers. A static one keeps all of them hidden, so that a shared library or a plugin
// that contains it does not offer them in turn. GPUCONV_SHARED comes from CMake's target or from pkg-config.
#pragma once

#if defined(GPUCONV_SHARED)
#define GPUCONV_API __attribute__((visibility("default")))
#else
#define GPUCONV_API
#endif
