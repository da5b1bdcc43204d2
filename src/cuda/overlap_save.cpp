// Overlap-save on the GPU: rows in blocks a few times as long as the filter, transformed by cuFFT.
#include "block_method.hpp"
#include "cost.hpp"

#include <algorithm>
#include <bit>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
constexpr std::int64_t kLargestBlock = std::int64_t{1} << 26;

std::string refusal(Geometry const& g) {
  if (std::string why = refuse_blocks(g); !why.empty()) return why;
  if (g.filter > kLargestBlock / 2)
    return "the filter is longer than " + std::to_string(kLargestBlock / 2) + " taps, half the largest block";
  return {};
}

// ---- what it costs -----------------------------------------------------------------------------------------------
constexpr std::int64_t kSmallestBlock = 256;

CudaBlocks choose(Geometry const& g, CudaDevice const& device) {
  const auto smallest =
      std::max(kSmallestBlock, static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * g.filter))));
  CudaBlocks best;
  for (std::int64_t size = smallest; size <= kLargestBlock; size *= 2) {
    const CudaBlocks b = overlapping_blocks(g, size, device);
    if (best.size == 0 || b.seconds < best.seconds) best = b;
    if (b.row_blocks == 1) break;
  }
  return best;
}

double seconds(Geometry const& g, Resources const& r) {
  return total_seconds(g, r, choose(g, current_device()).seconds);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  return make_cuda_executor(g, r, [](Geometry const& part, CudaDevice const& device, DeviceAllocator* allocator) {
    return make_block_method(part, choose(part, device), device, allocator);
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  return "blocks of " + std::to_string(choose(g, current_device()).size) + " by cuFFT" + cuda_text(r);
}

}  // namespace

const Solver cuda_overlap_save{Device::cuda, Method::overlap_save, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
