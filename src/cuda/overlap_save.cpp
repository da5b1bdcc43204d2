// Overlap-save on the GPU: rows in blocks a few times as long as the filter. One kernel does all of it where a block
// fits into a multiprocessor; longer ones are transformed by cuFFT.
#include "block_method.hpp"
#include "cost.hpp"
#include "fused.hpp"

#include <algorithm>
#include <bit>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
constexpr std::int64_t kSmallestBlock = 256, kLargestBlock = std::int64_t{1} << 26;  // by cuFFT

std::string refuse_cufft_blocks(Geometry const& g) {
  if (std::string why = refuse_cufft(g); !why.empty()) return why;
  if (g.filter > kLargestBlock / 2)
    return "the filter is longer than " + std::to_string(kLargestBlock / 2) + " taps, half the largest block";
  return {};
}

std::string refusal(Geometry const& g) {
  if (std::string why = refuse_transform(g); !why.empty()) return why;
  if (fused_blocks(g, current_device()).shape) return {};
  return refuse_cufft_blocks(g);
}

// ---- what it costs -----------------------------------------------------------------------------------------------
CudaBlocks cufft_blocks(Geometry const& g) {
  const auto twice = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * g.filter)));
  return overlapping_blocks(g, std::max(kSmallestBlock, twice), kLargestBlock);
}

// The one kernel where it serves, or cuFFT where larger blocks are expected to be faster. The batch has no say in it.
struct Choice {
  FusedBlocks fused;
  CudaBlocks cufft;  // where fused.shape is null
};

Choice choose(Geometry const& g, CudaDevice const& device) {
  const FusedBlocks fused = fused_blocks(g, device);
  if (fused.shape && (2 * g.filter <= fused.shape->size() || !refuse_cufft_blocks(g).empty())) return {fused, {}};
  const CudaBlocks cufft = cufft_blocks(g);
  const Geometry many = of_many_rows(g);
  if (fused.shape && fused_seconds(many, fused, device) <= block_seconds(many, cufft, device)) return {fused, {}};
  return {{}, cufft};
}

double seconds(Geometry const& g, Resources const& r) {
  CudaDevice const& device = current_device();
  const Choice c = choose(g, device);
  return total_seconds(g, r, c.fused.shape ? fused_seconds(g, c.fused, device) : block_seconds(g, c.cufft, device));
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  return make_cuda_executor(g, r, [](Geometry const& part, CudaDevice const& device, DeviceAllocator* allocator) {
    const Choice c = choose(part, device);
    return c.fused.shape ? make_fused_method(part, c.fused, device, allocator)
                         : make_block_method(part, c.cufft, device, allocator);
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  const Choice c = choose(g, current_device());
  const std::int64_t size = c.fused.shape ? c.fused.shape->size() : c.cufft.size;
  return "blocks of " + std::to_string(size) + (c.fused.shape ? ", fused" : " by cuFFT") + cuda_text(r);
}

}  // namespace

const Solver cuda_overlap_save{Device::cuda, Method::overlap_save, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
