// Overlap-save: blocks that fit into a core's cache, each transformed, filtered and transformed back by one thread.
#include "block_executor.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

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
// Measured, float32: what a block costs besides its points, and a complex point of a block of up to 8 KiB of samples,
// of 16 KiB, and so on to 512 KiB; of problems in a core's cache, and of others, whose samples come and go besides.
constexpr double kBlock = 4e-8, kDouble = 2.1;
constexpr double kCachedPoint[] = {6.3e-10, 7.2e-10, 9e-10, 1.15e-9, 1.25e-9, 1.4e-9, 2e-9};
constexpr double kPoint[] = {9.5e-10, 1.02e-9, 1.12e-9, 1.25e-9, 1.27e-9, 1.43e-9, 2e-9};

template <class C>
double block_seconds(std::int64_t size, bool cached) {
  const auto bytes = static_cast<std::uint64_t>(size) * sizeof(C);
  const auto row = static_cast<std::size_t>(std::clamp(static_cast<int>(std::bit_width(bytes)) - 14, 0, 6));
  const double point = cached ? kCachedPoint[row] : kPoint[row];
  return kBlock + static_cast<double>(size) / 2 * point * (sizeof(C) == 8 ? kDouble : 1);
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
