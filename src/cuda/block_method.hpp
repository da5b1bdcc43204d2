// Convolution by blocks and cuFFT: what the solvers overlap_save and fft have in common.
#pragma once

#include "cufft.hpp"
#include "method.hpp"

#include <cstdint>
#include <string>

namespace gpuconv::detail {

/// How a problem's rows are cut into blocks. The batch has no say in it: a row's bits must not depend on it.
struct CudaBlocks {
  std::int64_t size = 0;  // points of a transform
  std::int64_t step = 0;  // outputs of a block
  std::int64_t row_blocks = 0;
  bool whole_rows = false;  // one block a row, which starts at its first sample
};

/// Overlap-save: blocks of a power of two of samples, of which the first filter - 1 serve only the others' outputs.
CudaBlocks overlapping_blocks(Geometry const& g, std::int64_t smallest, std::int64_t largest);
/// One block a row, just long enough that what wraps around lands outside the slice.
CudaBlocks whole_row_blocks(Geometry const& g);
/// Estimated time on the device.
double block_seconds(Geometry const& g, CudaBlocks const& blocks, CudaDevice const& device);

/// Why no transform can do it: integers, no device, sizes beyond all memory; else empty.
std::string refuse_transform(Geometry const& g);
/// Why cuFFT cannot do it: the same, or there is none; else empty.
std::string refuse_cufft(Geometry const& g);

/// The smallest even number from n on without prime factors above 7: cuFFT's fast sizes. `n` at most 2^62.
std::int64_t good_size(std::int64_t n);

std::unique_ptr<CudaMethod> make_block_method(Geometry const& g, CudaBlocks const& blocks, CudaDevice const& device,
                                              DeviceAllocator* allocator);

}  // namespace gpuconv::detail
