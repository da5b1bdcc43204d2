// Overlap-save: blocks that fit into a core's cache, each transformed, filtered and transformed back by one thread.
#include "block_filter.hpp"
#include "cost.hpp"
#include "thread_pool.hpp"

#include "../solver.hpp"

#include <bit>
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
  const std::int64_t longest = (g.result_type == Type::float32 ? largest_block<float>() : largest_block<double>()) / 2;
  if (g.filter > longest) return "the filter is longer than " + std::to_string(longest) + " taps, half a block that fits into the cache";
  return {};
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Measured, float32: a point costs per level of its transform, and more where the block leaves L1.
constexpr double kPoint = 5e-11, kPointLevel = 2.2e-11, kPointOutsideL1 = 6e-11, kBlock = 1e-7, kOutput = 5e-11;
constexpr double kDouble = 2.1;  // times the float32 cost
constexpr std::int64_t kL1Points = 2048;

double block_seconds(std::int64_t size, Type type) {
  const double points = static_cast<double>(size) / 2;
  const double point = kPoint + kPointLevel * std::log2(points) + (size / 2 > kL1Points ? kPointOutsideL1 : 0);
  return kBlock + points * point * (type == Type::float64 ? kDouble : 1);
}

struct Choice {
  std::int64_t size, tasks;
  double seconds;  // on one thread
};

template <class C>
Choice choose(Geometry const& g) {
  const std::int64_t lanes = simd_target().kernels<C>().lanes;
  Choice best{0, 0, 0};
  for (std::int64_t size = 2 * RightAngleTransform<C>::smallest(); size <= largest_block<C>(); size *= 2) {
    const BlockShape shape = BlockShape::of(size, g.filter, lanes);
    if (shape.step <= 0) continue;
    const std::int64_t blocks = shape.blocks(g.length);
    const double seconds = static_cast<double>(g.batch) * (static_cast<double>(blocks) * block_seconds(size, g.result_type) +
                                                           static_cast<double>(g.length) * kOutput);
    if (!best.size || seconds < best.seconds) best = {size, saturating_multiply(blocks, g.batch), seconds};
    if (blocks == 1) break;  // larger ones only cost more
  }
  return best;
}

Choice choose(Geometry const& g) { return g.result_type == Type::float32 ? choose<float>(g) : choose<double>(g); }

double seconds(Geometry const& g, int threads) {
  const Choice c = choose(g);
  return parallel_seconds(c.seconds, c.tasks, threads);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
template <class C>
class OverlapSave final : public Executor {
 public:
  OverlapSave(Geometry const& g, Choice const& choice, int max_threads)
      : g_(g), choice_(choice), filter_(g, choice.size, useful_threads(choice.seconds, choice.tasks, max_threads)) {
    threads = useful_threads(choice.seconds, choice.tasks, max_threads);
    start_workers(threads);
  }

  void set_filter(HostInput filter) override { filter_.set_filter(Source<C>(filter), 1); }

  void execute(HostInput signal, HostOutput out) override {
    const Source<C> source(signal);
    const Sink<C> sink(out);
    const std::int64_t blocks = filter_.blocks(), total = blocks * g_.batch;
    const std::int64_t each = std::clamp<std::int64_t>(total / (8 * threads), 1, kBlocksTogether);
    const auto task = [&](std::int64_t i, int slot) {
      for (std::int64_t b = i * each; b < std::min(total, (i + 1) * each); ++b)
        filter_.run(source, sink, b / blocks, b % blocks, slot, 1);
    };
    parallel_for((total + each - 1) / each, threads, task);
  }

  std::size_t workspace_bytes() const override { return filter_.bytes(); }

  // ---- how it prints itself --------------------------------------------------------------------------------------
  std::string parameters() const override {
    return "blocks of " + std::to_string(choice_.size) + ", " + simd_target().name +
           (threads > 1 ? ", " + std::to_string(threads) + " threads" : ", 1 thread");
  }

 private:
  static constexpr std::int64_t kBlocksTogether = 16;  // neighbours prefetch each other

  Geometry g_;
  Choice choice_;
  BlockFilter<C> filter_;
};

std::unique_ptr<Executor> make(Geometry const& g, int threads) {
  const Choice c = choose(g);
  if (g.result_type == Type::float32) return std::make_unique<OverlapSave<float>>(g, c, threads);
  return std::make_unique<OverlapSave<double>>(g, c, threads);
}

}  // namespace

const Solver cpu_overlap_save{Device::cpu, Method::overlap_save, true, refusal, seconds, make};

}  // namespace gpuconv::detail
