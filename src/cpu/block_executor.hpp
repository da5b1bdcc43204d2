// Runs the blocks of a problem: what the solvers overlap_save and fft have in common.
#pragma once

#include "block_filter.hpp"
#include "cost.hpp"
#include "thread_pool.hpp"

#include "../solver.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

namespace gpuconv::detail {

/// Blocks that fit into a core's cache are shared out among the threads; all threads work on one larger block.
template <class C>
class BlockExecutor final : public Executor {
 public:
  BlockExecutor(Geometry const& g, std::int64_t block_size, int used_threads)
      : batch_(g.batch),
        shared_out_(RightAngleTransform<C>::block_in_cache(block_size)),
        filter_(g, block_size, shared_out_ ? used_threads : 1) {
    threads = used_threads;
    start_workers(threads);
  }

  void set_filter(HostInput filter) override { filter_.set_filter(Source<C>(filter), threads); }

  void execute(HostInput signal, HostOutput out) override {
    const Source<C> source(signal);
    const Sink<C> sink(out);
    const std::int64_t blocks = filter_.blocks(), total = blocks * batch_;
    const auto run = [&](std::int64_t b, int slot, int together) {
      filter_.run(source, sink, b / blocks, b % blocks, slot, together);
    };
    if (!shared_out_) {
      for (std::int64_t b = 0; b < total; ++b) run(b, 0, threads);
      return;
    }
    const std::int64_t each = std::clamp<std::int64_t>(total / (kTasksAThread * threads), 1, kBlocksTogether);
    const auto task = [&](std::int64_t i, int slot) {
      for (std::int64_t b = i * each; b < std::min(total, (i + 1) * each); ++b) run(b, slot, 1);
    };
    parallel_for((total + each - 1) / each, threads, task);
  }

  std::size_t workspace_bytes() const override { return filter_.bytes(); }

 private:
  static constexpr std::int64_t kBlocksTogether = 16;  // neighbours prefetch each other
  static constexpr std::int64_t kTasksAThread = 8;     // so that no thread waits long for the last

  std::int64_t batch_;
  bool shared_out_;
  BlockFilter<C> filter_;
};

inline std::unique_ptr<Executor> make_block_executor(Geometry const& g, std::int64_t block_size, int threads) {
  return visit_floating(g.result_type, [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<BlockExecutor<C>>(g, block_size, threads);
  });
}

/// "blocks of 4096, avx512, 2 threads".
inline std::string block_text(std::int64_t block_size, int threads) {
  return "blocks of " + std::to_string(block_size) + ", " + cpu_text(threads);
}

}  // namespace gpuconv::detail
