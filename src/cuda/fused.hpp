// Overlap-save in one kernel (kernels/fused.cuh): blocks of up to 16384 samples, half as many where they are complex,
// for filters somewhat shorter than those.
#pragma once

#include "runtime.hpp"

#include "../../kernels/launch.hpp"
#include "../solver.hpp"

#include <cstdint>
#include <memory>

namespace gpuconv::detail {

/// Samples that a block of `shape` has, of such a result.
std::int64_t fused_block(kernels::FusedShape const& shape, Type result);
/// How such blocks cut rows; the step is not positive where they do not hold the filter.
Cut fused_cut(kernels::FusedShape const& shape, Type result, std::int64_t taps);
/// The cut expected to be fastest on the device; of size 0 where no block holds the filter. The batch has no say in it:
/// a row's bits must not depend on it.
Cut fused_cut(Work const& work, CudaDevice const& device);
/// Estimated time on the device.
double fused_seconds(Work const& work, Cut const& cut, CudaDevice const& device);

/// `most`: blocks per launch, at least those of a row.
std::unique_ptr<Executor> make_fused(Work const& work, Cut const& cut, CudaDevice const& device,
                                     DeviceAllocator* allocator, std::int64_t most);

}  // namespace gpuconv::detail
