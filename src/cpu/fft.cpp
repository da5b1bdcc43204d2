// FFT convolution for filters of any length: transforms beyond the cache, all threads on one block at a time.
#include "block_filter.hpp"
#include "cost.hpp"
#include "thread_pool.hpp"

#include "../solver.hpp"

#include <cmath>

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
// Measured, float32, one thread: passes over memory dominate; they grow with the levels of the transform.
constexpr double kSampleLevel = 1.6e-10, kBlock = 2e-6, kDouble = 2.0;

struct Choice {
  std::int64_t size, blocks;
  double seconds;  // on one thread
};

Choice choose(Geometry const& g) {
  const bool single = g.result_type == Type::float32;
  const std::int64_t smallest = 2 * (single ? RightAngleTransform<float>::smallest() : RightAngleTransform<double>::smallest());
  const std::int64_t lanes = single ? simd_target().float32.lanes : simd_target().float64.lanes;
  Choice best{0, 0, 0};
  for (std::int64_t size = smallest; size <= kLargestBlock; size *= 2) {
    const BlockShape shape = BlockShape::of(size, g.filter, lanes);
    if (shape.step <= 0) continue;
    const std::int64_t blocks = shape.blocks(g.length);
    const double block = kBlock + static_cast<double>(size) * std::log2(static_cast<double>(size)) * kSampleLevel / 4;
    const double seconds = static_cast<double>(g.batch) * static_cast<double>(blocks) * block * (single ? 1 : kDouble);
    if (!best.size || seconds < best.seconds) best = {size, blocks, seconds};
    if (blocks == 1) break;
  }
  return best;
}

double seconds(Geometry const& g, int threads) {
  const Choice c = choose(g);
  return parallel_seconds(c.seconds, c.size, threads);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
template <class C>
class Fft final : public Executor {
 public:
  Fft(Geometry const& g, Choice const& choice, int max_threads) : g_(g), choice_(choice), filter_(g, choice.size, 1) {
    threads = choice.size / 2 > RightAngleTransform<C>::largest_in_cache() ? max_threads : 1;
    start_workers(threads);
  }

  void set_filter(HostInput filter) override { filter_.set_filter(Source<C>(filter), threads); }

  void execute(HostInput signal, HostOutput out) override {
    const Source<C> source(signal);
    const Sink<C> sink(out);
    for (std::int64_t row = 0; row < g_.batch; ++row)
      for (std::int64_t b = 0; b < filter_.blocks(); ++b) filter_.run(source, sink, row, b, 0, threads);
  }

  std::size_t workspace_bytes() const override { return filter_.bytes(); }

  // ---- how it prints itself --------------------------------------------------------------------------------------
  std::string parameters() const override {
    return "blocks of " + std::to_string(choice_.size) + ", " + simd_target().name +
           (threads > 1 ? ", " + std::to_string(threads) + " threads" : ", 1 thread");
  }

 private:
  Geometry g_;
  Choice choice_;
  BlockFilter<C> filter_;
};

std::unique_ptr<Executor> make(Geometry const& g, int threads) {
  const Choice c = choose(g);
  if (g.result_type == Type::float32) return std::make_unique<Fft<float>>(g, c, threads);
  return std::make_unique<Fft<double>>(g, c, threads);
}

}  // namespace

const Solver cpu_fft{Device::cpu, Method::fft, true, refusal, seconds, make};

}  // namespace gpuconv::detail
