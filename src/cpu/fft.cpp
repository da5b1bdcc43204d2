// FFT convolution for filters of any length: transforms beyond the cache, all threads on one block at a time.
#include "block_executor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
constexpr std::int64_t kLargestBlock = std::int64_t{1} << 40;  // far beyond memory; keeps sizes from overflowing

std::string refusal(Geometry const& g) {
  if (!is_floating(g.result_type)) return "integers are exact, which a floating-point transform is not";
  if (g.filter > kLargestBlock / 2) return "the filter is longer than 2^39 taps";
  return {};
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured, float32, one thread, padding and copying included: what a complex point costs for each level of a transform
// of up to so many bytes of samples, the last one of any.
struct PointLevel {
  std::int64_t bytes;
  double seconds;
};
constexpr PointLevel kPointLevels[] = {
    {256 << 10, 1.12e-10}, {4 << 20, 1.5e-10}, {16 << 20, 2e-10}, {INT64_MAX, 3.8e-10}};
constexpr double kBlock = 1e-7, kDouble = 2.1;
constexpr double kShare = 0.75;  // of the threads' work that is not waiting for memory

template <class C>
double block_seconds(std::int64_t size, bool) {
  const double points = static_cast<double>(size) / 2;
  const std::int64_t bytes = saturating_multiply(size, sizeof(C));
  const double level =
      std::ranges::find_if(kPointLevels, [&](PointLevel const& p) { return bytes <= p.bytes; })->seconds;
  return kBlock + points * std::log2(points) * level * (sizeof(C) == 8 ? kDouble : 1);
}

BlockChoice choose(Geometry const& g) {
  return visit_floating(g.result_type, [&]<class C>(std::type_identity<C>) {
    return choose_block<C>(g, kLargestBlock, block_seconds<C>);
  });
}

// Blocks in the cache are pieces of work by themselves, larger ones are split finely.
std::int64_t pieces(Geometry const& g, BlockChoice const& c) {
  const bool small = visit_floating(
      g.result_type, [&]<class C>(std::type_identity<C>) { return RightAngleTransform<C>::block_in_cache(c.size); });
  return small ? c.blocks : c.size;
}

int threads_used(Geometry const& g, BlockChoice const& c, int threads) {
  return useful_threads(c.seconds, pieces(g, c), threads);
}

double seconds(Geometry const& g, Resources const& r) {
  const BlockChoice c = choose(g);
  const int used = threads_used(g, c, r.threads);
  return parallel_seconds(used == 1 ? c.seconds : c.seconds / kShare, pieces(g, c), used);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  const BlockChoice c = choose(g);
  return make_block_executor(g, c.size, threads_used(g, c, r.threads));
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  const BlockChoice c = choose(g);
  return block_text(c.size, threads_used(g, c, r.threads));
}

}  // namespace

const Solver cpu_fft{Device::cpu, Method::fft, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
