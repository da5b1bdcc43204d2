// Convolution by blocks and cuFFT: what the solvers overlap_save and fft have in common.
#pragma once

#include "runtime.hpp"

#include "../solver.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace gpuconv::detail {

/// Overlap-save: blocks of a power of two of samples. The batch has no say in it: a row's bits must not depend on it.
Cut cufft_cut(Work const& work, std::int64_t smallest, std::int64_t largest);
/// One block per row, just long enough that what wraps around lands outside the slice.
Cut whole_row_cut(Work const& work);
/// Estimated time on the device.
double cufft_seconds(Work const& work, Cut const& cut, CudaDevice const& device);

/// Why no transform can do it: integers, no device, sizes beyond all memory; else null.
Refusal refuse_transform(Work const& work);
/// Why cuFFT cannot do it: the same, or there is none; else null.
Refusal refuse_cufft(Work const& work);

/// Refuses where there is no cuFFT.
std::string no_cufft(Work const& work);

/// The smallest even number from n on without prime factors above 7: cuFFT's fast sizes. `n` at most 2^62.
std::int64_t good_size(std::int64_t n);

std::unique_ptr<Executor> make_cufft_blocks(Work const& work, Parameters const& p, CudaDevice const& device,
                                            DeviceAllocator* allocator);

}  // namespace gpuconv::detail
