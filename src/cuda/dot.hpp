// Few outputs of many taps on the GPU: direct's tiles would leave most of it idle, so many warps share an output's
// taps.
#pragma once

#include "../solver.hpp"

namespace gpuconv::detail {

/// Whether direct sums of this work are dot products on the GPU. Depends on the row alone, so that a row's bits do.
bool is_device_dot(Work const& w);

/// The offer of direct convolution for such a work, where there is a device.
Answer consider_device_dot(Work const& w, Resources const& r);

}  // namespace gpuconv::detail
