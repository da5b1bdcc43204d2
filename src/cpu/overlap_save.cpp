// Overlap-save: blocks that fit into a core's cache, each transformed, filtered and transformed back by one thread.
#include "block_filter.hpp"
#include "cost.hpp"
#include "thread_pool.hpp"

#include "../solver.hpp"

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
// Measured, float32: a complex point costs about the same for each level of a transform, until work array, tables
// and spectrum together leave L2.
constexpr double kBlock = 5e-8, kPointLevel = 1.06e-10, kPointLevelOutsideL2 = 1.35e-10, kDouble = 2.1;
constexpr std::int64_t kL2Bytes = 512 << 10;

template <class C>
double block_seconds(std::int64_t size) {
  const double points = static_cast<double>(size) / 2;
  const double level = size * static_cast<std::int64_t>(sizeof(C)) < kL2Bytes ? kPointLevel : kPointLevelOutsideL2;
  return kBlock + points * std::log2(points) * level * (sizeof(C) == 8 ? kDouble : 1);
}

BlockChoice choose(Geometry const& g) {
  return visit_floating(g.result_type, [&]<class C>(std::type_identity<C>) {
    return choose_block<C>(g, largest_block<C>(), block_seconds<C>);
  });
}

double seconds(Geometry const& g, int threads) {
  const BlockChoice c = choose(g);
  return parallel_seconds(c.seconds, c.blocks, threads);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
template <class C>
class OverlapSave final : public Executor {
 public:
  OverlapSave(Geometry const& g, std::int64_t block_size, int used_threads)
      : batch_(g.batch), filter_(g, block_size, used_threads) {
    threads = used_threads;
    start_workers(threads);
  }

  void set_filter(HostInput filter) override { filter_.set_filter(Source<C>(filter), 1); }

  void execute(HostInput signal, HostOutput out) override {
    const Source<C> source(signal);
    const Sink<C> sink(out);
    const std::int64_t blocks = filter_.blocks(), total = blocks * batch_;
    const std::int64_t each = std::clamp<std::int64_t>(total / (kTasksAThread * threads), 1, kBlocksTogether);
    const auto task = [&](std::int64_t i, int slot) {
      for (std::int64_t b = i * each; b < std::min(total, (i + 1) * each); ++b)
        filter_.run(source, sink, b / blocks, b % blocks, slot, 1);
    };
    parallel_for((total + each - 1) / each, threads, task);
  }

  std::size_t workspace_bytes() const override { return filter_.bytes(); }

 private:
  static constexpr std::int64_t kBlocksTogether = 16;  // neighbours prefetch each other
  static constexpr std::int64_t kTasksAThread = 8;     // so that no thread waits long for the last

  std::int64_t batch_;
  BlockFilter<C> filter_;
};

int threads_used(BlockChoice const& c, int threads) { return useful_threads(c.seconds, c.blocks, threads); }

std::unique_ptr<Executor> make(Geometry const& g, int threads) {
  const BlockChoice c = choose(g);
  return visit_floating(g.result_type, [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<OverlapSave<C>>(g, c.size, threads_used(c, threads));
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, int threads) {
  const BlockChoice c = choose(g);
  return "blocks of " + std::to_string(c.size) + ", " + cpu_text(threads_used(c, threads));
}

}  // namespace

const Solver cpu_overlap_save{Device::cpu, Method::overlap_save, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
