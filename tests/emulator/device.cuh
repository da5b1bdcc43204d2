// The seam of kernels/cuda/device.cuh for a host compiler: CUDA's own names, executed by the emulator in simt/.
//
// What it does not offer fails to compile. What a GPU would leave undefined (a divergent barrier, a shuffle from a lane
// that takes no part, a host pointer) stops the program with the place in the kernel. Floating-point contraction is the
// host compiler's: results are never bit for bit a GPU's.
#pragma once

#include "simt/builtins.hpp"
#include "simt/halves.hpp"
#include "simt/launch.hpp"
#include "simt/math.hpp"
#include "simt/memory.hpp"
#include "simt/warp.hpp"
