// cuFFT, found when the first transform is planned: a program runs where the library is missing.
#pragma once

#include <gpuconv/types.hpp>

#include <cufft.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace gpuconv::detail {

/// Throws CufftError, or OutOfMemory, unless `result` is CUFFT_SUCCESS.
void check_cufft(cufftResult result, const char* what);

/// Why cuFFT cannot be used; empty where it can.
std::string why_no_cufft();

/// Transforms in place, forward or inverse, of `batch` rows of `size` points, that are of the type `points`: float32,
/// float64 or a complex type. Rows are `pitch` numbers apart, an even number of them, and at least size + 2 or, of
/// complex points, 2 * size. Without memory of its own. Throws as check_cufft, Unsupported where there is no cuFFT.
class CufftPlan {
 public:
  enum class Direction { forward, inverse };

  CufftPlan(std::int64_t size, std::int64_t pitch, std::int64_t batch, Type points, Direction direction);
  CufftPlan(CufftPlan const&) = delete;
  CufftPlan& operator=(CufftPlan const&) = delete;
  ~CufftPlan();

  std::size_t work_bytes() const noexcept { return work_bytes_; }

  /// Enqueues the transforms of `data`; `work`: work_bytes() of memory, aligned to 256.
  void execute(void* data, void* work, cudaStream_t stream) const;

 private:
  cufftHandle handle_ = 0;
  cufftType type_;
  int direction_;  // of complex points
  std::size_t work_bytes_ = 0;
};

}  // namespace gpuconv::detail
