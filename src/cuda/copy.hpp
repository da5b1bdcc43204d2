// Rows between host and device.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace gpuconv::detail {

/// One side of a copy: rows of bytes.
template <class Void>
struct ByteRows {
  Void* data;
  std::int64_t stride;  // bytes
};

/// Enqueues the copy of `rows` rows of `width` bytes. Throws CudaError.
void copy_rows(ByteRows<void> to, ByteRows<void const> from, std::int64_t rows, std::int64_t width, cudaMemcpyKind kind,
               cudaStream_t stream);

}  // namespace gpuconv::detail
