// Overlap-save on the GPU: rows in blocks a few times as long as the filter. One kernel does all of it where a block
// fits into a multiprocessor; longer ones are transformed by cuFFT.
#include "cost.hpp"
#include "cufft.hpp"
#include "cufft_blocks.hpp"
#include "filters.hpp"
#include "fused.hpp"
#include "images.hpp"
#include "pieces.hpp"

#include "../exchange.hpp"

#include <algorithm>
#include <bit>

namespace gpuconv::detail {
namespace {

// ---- how it is made ----------------------------------------------------------------------------------------------
std::unique_ptr<Executor> make_blocks(Work const& w, Parameters const& p, CudaDevice const& device,
                                      DeviceAllocator* allocator) {
  if (p.blocks == Parameters::Blocks::fused) return make_fused(w, p.cut, device, allocator, kernels::kMostFusedBlocks);
  return make_cufft_blocks(w, p, device, allocator);
}

std::unique_ptr<Executor> make(Work const& w, Resources const& r, Parameters const& p) {
  CudaDevice const& device = current_device();
  if (!p.exchanged) return make_blocks(w, p, device, r.allocator);
  const double row_bytes = static_cast<double>(w.axis.signal + 2 * p.cut.size) * parts_of(w.signal_type) *
                           static_cast<double>(size_of(w.compute_type()));
  const Work rows = exchanged_rows(w, row_bytes, kExchangedBytes);
  return std::make_unique<ExchangedExecutor<DeviceFilters>>(w, rows, DeviceFilters(w, device, r.allocator),
                                                            make_blocks(rows, p, device, r.allocator));
}

// ---- what it costs -----------------------------------------------------------------------------------------------
constexpr std::int64_t kSmallestBlock = 256, kLargestBlock = std::int64_t{1} << 26;  // by cuFFT

std::string longer_than_blocks(Work const&) {
  return "the filter is longer than " + std::to_string(kLargestBlock / 2) + " taps, half the largest block";
}

// Why blocks on cuFFT cannot do a work that transforms can do, if they cannot.
Refusal refuse_cufft_blocks(Work const& w) {
  if (!why_no_cufft().empty()) return no_cufft;
  return w.axis.filter > kLargestBlock / 2 ? longer_than_blocks : nullptr;
}

// The one kernel where it serves, or cuFFT where larger blocks are expected to be faster. The batch has no say in it.
struct Choice {
  Parameters::Blocks blocks = Parameters::Blocks::none;
  Cut cut;
};

Choice choose(Work const& w, CudaDevice const& device) {
  const Choice fused{Parameters::Blocks::fused, fused_cut(w, device)};
  const bool cufft_serves = !refuse_cufft_blocks(w);
  if (fused.cut.size > 0 && (2 * w.axis.filter <= fused.cut.size || !cufft_serves)) return fused;
  if (!cufft_serves) return {};
  const auto twice = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * w.axis.filter)));
  const Choice cufft{Parameters::Blocks::by_cufft, cufft_cut(w, std::max(kSmallestBlock, twice), kLargestBlock)};
  const Work many = of_many_rows(w);
  if (fused.cut.size > 0 && fused_seconds(many, fused.cut, device) <= cufft_seconds(many, cufft.cut, device))
    return fused;
  return cufft;
}

double seconds_of(Work const& w, Choice const& c, CudaDevice const& device) {
  return c.blocks == Parameters::Blocks::fused ? fused_seconds(w, c.cut, device) : cufft_seconds(w, c.cut, device);
}

// Every run prepares the signals when they have the part of the filter: a block each, half of what a block takes.
double preparing_seconds(Work const& w, Choice const& c, CudaDevice const& device) {
  Work one_block = w;
  one_block.axis.outputs = 1;
  return 2 * kLaunchSeconds + seconds_of(one_block, c, device) / 2;
}

Answer consider(Work const& w, Resources const& r) {
  if (w.has_lines()) return consider_device_image_blocks(w, r);
  if (const Refusal refusal = refuse_transform(w)) return {.refusal = refusal};
  CudaDevice const& device = current_device();
  const Work at_once = work_at_once(w, r);
  Choice best = choose(at_once, device);
  bool exchange = false;
  if (const Choice other = w.swapped() ? choose(exchanged(at_once), device) : Choice{}; other.cut.size > 0) {
    const Work many = of_many_rows(exchanged(w));
    exchange = best.cut.size == 0 || seconds_of(many, other, device) + preparing_seconds(many, other, device) <
                                         seconds_of(of_many_rows(w), best, device);
    if (exchange) best = other;
  }
  if (best.cut.size == 0) return {.refusal = refuse_cufft_blocks(w)};
  const Work asked = exchange ? exchanged(w) : w;
  const double seconds = seconds_of(asked, best, device) + (exchange ? preparing_seconds(asked, best, device) : 0);
  return {.seconds = total_seconds(w, r, seconds),
          .parameters = {.blocks = best.blocks, .cut = best.cut, .rows = at_once.rows(), .exchanged = exchange},
          .make = make};
}

}  // namespace

const Solver cuda_overlap_save{
    .device = Device::cuda, .method = Method::overlap_save, .automatic = true, .answer = consider, .takes_lines = true};

}  // namespace gpuconv::detail
