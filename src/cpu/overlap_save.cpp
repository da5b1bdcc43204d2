// Overlap-save: blocks that fit into a core's cache, each transformed, filtered and transformed back by one thread.
#include "block_executor.hpp"

#include <cmath>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
template <class C>
std::int64_t largest_block() {
  return 2 * RightAngleTransform<C>::largest_in_cache();
}

std::string refusal(Geometry const& g) {
  if (!is_floating(g.result_type)) return "integers are exact, which a floating-point transform is not";
  const auto largest = visit_floating(g.result_type, []<class C>(std::type_identity<C>) { return largest_block<C>(); });
  if (g.filter > largest / 2)
    return "the filter is longer than " + std::to_string(largest / 2) + " taps, half a block that fits into the cache";
  return {};
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured, float32: a complex point costs this for each level of a transform while the work array is in L1 or near it,
// while it is in L2 with the tables and the spectrum, and beyond. Samples come and go besides.
constexpr double kBlock = 5e-8, kSample = 4e-11, kDouble = 2.1;
constexpr double kPointLevel = 8e-11, kPointLevelInL2 = 9.5e-11, kPointLevelOutsideL2 = 1.2e-10;
constexpr std::int64_t kNearBytes = 64 << 10, kL2Bytes = 256 << 10;  // of a block's samples

template <class C>
double block_seconds(std::int64_t size) {
  const std::int64_t bytes = size * static_cast<std::int64_t>(sizeof(C));
  const double level = bytes <= kNearBytes ? kPointLevel : bytes <= kL2Bytes ? kPointLevelInL2 : kPointLevelOutsideL2;
  const double samples = static_cast<double>(size), points = samples / 2;
  return kBlock + (points * std::log2(points) * level + samples * kSample) * (sizeof(C) == 8 ? kDouble : 1);
}

BlockChoice choose(Geometry const& g) {
  return visit_floating(g.result_type, [&]<class C>(std::type_identity<C>) {
    return choose_block<C>(g, largest_block<C>(), block_seconds<C>);
  });
}

double seconds(Geometry const& g, Resources const& r) {
  const BlockChoice c = choose(g);
  return parallel_seconds(c.seconds, c.blocks, r.threads);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
int threads_used(BlockChoice const& c, int threads) { return useful_threads(c.seconds, c.blocks, threads); }

std::unique_ptr<Executor> make(Geometry const& g, Resources const& r) {
  const BlockChoice c = choose(g);
  return make_block_executor(g, c.size, threads_used(c, r.threads));
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, Resources const& r) {
  const BlockChoice c = choose(g);
  return block_text(c.size, threads_used(c, r.threads));
}

}  // namespace

const Solver cpu_overlap_save{Device::cpu, Method::overlap_save, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
