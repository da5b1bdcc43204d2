// Overlap-save in one kernel (kernels/fused.cuh): blocks of up to 16384 samples, for filters somewhat shorter than
// those.
#pragma once

#include "method.hpp"

#include <cstdint>
#include <memory>

namespace gpuconv::detail {

/// How a problem's rows are cut: blocks of shape->size() samples, each of which gives `step` outputs after the first
/// `skip`. The batch has no say in it: a row's bits must not depend on it.
struct FusedBlocks {
  kernels::FusedShape const* shape = nullptr;  // null where no block holds the filter
  int step = 0, skip = 0;
  std::int64_t most = kernels::kMostFusedBlocks;  // of a launch; at least those of a row
};

FusedBlocks fused_blocks(kernels::FusedShape const& shape, std::int64_t filter);
/// Those expected to be fastest.
FusedBlocks fused_blocks(Geometry const& g, CudaDevice const& device);
/// Estimated time on the device; `blocks.shape` is not null.
double fused_seconds(Geometry const& g, FusedBlocks const& blocks, CudaDevice const& device);

/// `blocks.shape` is not null.
std::unique_ptr<CudaMethod> make_fused_method(Geometry const& g, FusedBlocks const& blocks, CudaDevice const& device,
                                              DeviceAllocator* allocator);

}  // namespace gpuconv::detail
