// CUDA's keywords for a host compiler. NVIDIA's headers go first: they define the same macros in their own way.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>
#include <vector_types.h>

#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __grid_constant__
#undef __launch_bounds__
#undef __forceinline__

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline

// A host array under this name would be neither fenced nor fresh for each block.
#define __shared__ static_assert(false, "shared memory is declared with GPUCONV_SHARED_ARRAY or dynamic_shared");
