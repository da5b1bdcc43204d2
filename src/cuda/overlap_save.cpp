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

CudaBlocks choose(Geometry const& g) {
  const auto twice = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * g.filter)));
  return overlapping_blocks(g, std::max(kSmallestBlock, twice), kLargestBlock);
}

double seconds(Geometry const& g, Resources const& r) {
  return total_seconds(g, r, block_seconds(g, choose(g), current_device()));
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  return make_cuda_executor(g, r, [](Geometry const& part, CudaDevice const& device, DeviceAllocator* allocator) {
    return make_block_method(part, choose(part), device, allocator);
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  return "blocks of " + std::to_string(choose(g).size) + " by cuFFT" + cuda_text(r);
}

}  // namespace

const Solver cuda_overlap_save{Device::cuda, Method::overlap_save, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
