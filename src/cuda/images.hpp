// Convolution of images on the GPU by direct sums, for direct.cpp.
#pragma once

#include "../solver.hpp"

namespace gpuconv::detail {

/// For works with lines and without a step along them.
Answer consider_device_images(Work const& work, Resources const& r);

}  // namespace gpuconv::detail
