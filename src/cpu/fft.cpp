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
// Measured, float32, one thread, padding and copying included: a complex point costs this for each level of a
// transform in the cache, and this once passes go to memory.
constexpr double kBlock = 1e-7, kPointLevel = 1.65e-10, kPointLevelInMemory = 4e-10, kDouble = 2.1;
constexpr std::int64_t kCacheBytes = std::int64_t{4} << 20;  // of a block's samples
constexpr double kShare = 0.75;                              // of the threads' work that is not waiting for memory

template <class C>
double block_seconds(std::int64_t size) {
  const double points = static_cast<double>(size) / 2;
  const double level = size <= kCacheBytes / static_cast<std::int64_t>(sizeof(C)) ? kPointLevel : kPointLevelInMemory;
  return kBlock + points * std::log2(points) * level * (sizeof(C) == 8 ? kDouble : 1);
}

BlockChoice choose(Geometry const& g) {
  return visit_floating(g.result_type, [&]<class C>(std::type_identity<C>) {
    return choose_block<C>(g, kLargestBlock, block_seconds<C>);
  });
}

int threads_used(Geometry const& g, BlockChoice const& c, int threads) {
  const std::int64_t in_cache = visit_floating(
      g.result_type, []<class C>(std::type_identity<C>) { return RightAngleTransform<C>::largest_in_cache(); });
  return c.size / 2 > in_cache ? useful_threads(c.seconds, c.size, threads) : 1;
}

double seconds(Geometry const& g, int threads) {
  const BlockChoice c = choose(g);
  const int used = threads_used(g, c, threads);
  return used == 1 ? kCallSeconds + c.seconds : parallel_seconds(c.seconds / kShare, c.size, used);
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
template <class C>
class Fft final : public Executor {
 public:
  Fft(Geometry const& g, std::int64_t block_size, int used_threads) : batch_(g.batch), filter_(g, block_size, 1) {
    threads = used_threads;
    start_workers(threads);
  }

  void set_filter(HostInput filter) override { filter_.set_filter(Source<C>(filter), threads); }

  void execute(HostInput signal, HostOutput out) override {
    const Source<C> source(signal);
    const Sink<C> sink(out);
    for (std::int64_t row = 0; row < batch_; ++row)
      for (std::int64_t b = 0; b < filter_.blocks(); ++b) filter_.run(source, sink, row, b, 0, threads);
  }

  std::size_t workspace_bytes() const override { return filter_.bytes(); }

 private:
  std::int64_t batch_;
  BlockFilter<C> filter_;
};

std::unique_ptr<Executor> make(Geometry const& g, int threads) {
  const BlockChoice c = choose(g);
  return visit_floating(g.result_type, [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<Fft<C>>(g, c.size, threads_used(g, c, threads));
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const& g, int threads) {
  const BlockChoice c = choose(g);
  return "blocks of " + std::to_string(c.size) + ", " + cpu_text(threads_used(g, c, threads));
}

}  // namespace

const Solver cpu_fft{Device::cpu, Method::fft, true, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
