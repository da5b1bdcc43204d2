// What blocks of rows and blocks of images have in common where cuFFT transforms them: slots that hold a chunk of
// blocks, and the transforms of all of them.
#pragma once

#include "cost.hpp"
#include "cufft.hpp"

#include "../../kernels/launch.hpp"
#include "../problem.hpp"

#include <algorithm>
#include <cmath>

namespace gpuconv::detail {

/// Slots of a chunk: as many as stay in the second-level cache between the passes.
inline std::int64_t slots_of(std::int64_t blocks, double slot_bytes, CudaDevice const& device) {
  const auto bytes = static_cast<double>(bytes_kept_in_cache(device));
  const auto most = static_cast<std::int64_t>(std::clamp(bytes / slot_bytes, 1.0, static_cast<double>(blocks)));
  const std::int64_t chunks = (blocks - 1) / most + 1;  // of blocks that may be the most that there can be
  return (blocks - 1) / chunks + 1;                     // all chunks much the same
}

/// Bytes of a block of `size` samples.
inline double block_bytes(Work const& w, std::int64_t size) {
  return static_cast<double>(size) * parts_of(w.result_type) * static_cast<double>(size_of(w.compute_type()));
}

/// Bytes that go to memory and back for one block of `size` samples: it is read by measuring, and written and read by
/// gathering, multiplying, storing and each pass of both transforms. Passes of a transform over memory are expected,
/// not measured, by the numbers that fit into shared memory at once.
inline double block_traffic(Work const& w, std::int64_t size) {
  const double numbers = static_cast<double>(size) * parts_of(w.result_type);
  const double passes = numbers <= 1 << 14 ? 1 : numbers <= 1 << 24 ? 2 : 3;
  return (7 + 4 * passes) * block_bytes(w, size);
}

/// Estimated time of `blocks` blocks of `size` samples.
inline double blocks_seconds(Work const& w, std::int64_t blocks, std::int64_t size, CudaDevice const& device) {
  const double each = block_bytes(w, size);
  const double chunks = std::ceil(static_cast<double>(blocks) / static_cast<double>(slots_of(blocks, each, device)));
  constexpr int kLaunches = 9;
  return chunks * kLaunches * kLaunchSeconds +
         static_cast<double>(blocks) * block_traffic(w, size) / (kCopyFraction * device.bytes_per_second);
}

/// Rows of a run, at most.
inline std::int64_t rows_at_once(Work const& w, Parameters const& p) {
  return p.rows > 0 ? std::min(p.rows, w.rows()) : w.rows();
}

/// Slots of blocks of `size` samples of C, or of complex ones, at the start of the scratch memory.
template <class C>
class CufftSlots {
 public:
  /// `pitch`: numbers from slot to slot, as CufftPlan asks for them. `blocks`: of a run, at most.
  CufftSlots(Work const& w, std::int64_t size, std::int64_t pitch, std::int64_t blocks, CudaDevice const& device)
      : count_(slots_of(blocks, block_bytes(w, size), device)),
        forward_(size, pitch, count_, points(w), CufftPlan::Direction::forward),
        inverse_(size, pitch, count_, points(w), CufftPlan::Direction::inverse),
        work_at_(room(static_cast<double>(count_) * static_cast<double>(pitch) * sizeof(C))),
        bytes_(work_at_ + room(static_cast<double>(std::max(forward_.work_bytes(), inverse_.work_bytes())))) {}

  std::int64_t count() const { return count_; }
  /// Bytes of scratch memory, of the slots and of what cuFFT works in.
  std::size_t bytes() const { return bytes_; }

  /// Keeps the spectra of filters that are blocks, one each.
  template <class Blocks>
  void keep_spectra(Blocks& b, Means const& means) const {
    cudaStream_t stream = means.stream.handle();
    for_chunks(b, [&] {
      check_cuda(kernels::gather_blocks(b, stream), "the kernel gather_blocks");
      transform(forward_, means);
      check_cuda(kernels::keep_spectra(b, stream), "the kernel keep_spectra");
    });
  }
  /// Convolves the blocks of a chunk, whose facts start as 0. What is not finite is left out.
  template <class Blocks>
  void convolve(Blocks const& b, Means const& means) const {
    cudaStream_t stream = means.stream.handle();
    check_cuda(kernels::measure_blocks(b, stream), "the kernel measure_blocks");
    check_cuda(kernels::gather_blocks(b, stream), "the kernel gather_blocks");
    transform(forward_, means);
    check_cuda(kernels::multiply_spectra(b, stream), "the kernel multiply_spectra");
    transform(inverse_, means);
    check_cuda(kernels::store_blocks(b, stream), "the kernel store_blocks");
  }

  /// Calls f() for each chunk of the part's blocks, which b.chunk then is.
  template <class Blocks, class F>
  void for_chunks(Blocks& b, F f) const {
    const std::int64_t total = b.operands.part.rows * b.row_blocks;
    for (std::int64_t begin = 0; begin < total; begin += count_) {
      b.chunk = {.begin = begin, .count = std::min(count_, total - begin), .slots = count_};
      f();
    }
  }

  /// Bytes that `n` take in the scratch memory behind the slots.
  static std::size_t room(double n) { return static_cast<std::size_t>(aligned_bytes(n)); }

 private:
  static Type points(Work const& w) {
    constexpr Type real = type_of<C>;
    return !is_complex(w.result_type) ? real : real == Type::float32 ? Type::complex64 : Type::complex128;
  }
  void transform(CufftPlan const& plan, Means const& means) const {
    plan.execute(means.scratch, static_cast<char*>(means.scratch) + work_at_, means.stream.handle());
  }

  std::int64_t count_;
  CufftPlan forward_, inverse_;
  std::size_t work_at_, bytes_;
};

}  // namespace gpuconv::detail
