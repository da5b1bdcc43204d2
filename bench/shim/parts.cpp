// Parts of the CPU solvers by themselves, for bench/calibrate.py: blocks of a size that no solver would choose, and
// workers that are woken. They see src/, so that only the library's own revision has them.
#include "shim.hpp"

#include "support/problem.hpp"

#include "core/thread_pool.hpp"
#include "cpu/block_executor.hpp"
#include "problem.hpp"
#include "runner.hpp"

#include <memory>
#include <thread>

using namespace gpuconv;
using namespace gpuconv::bench;

namespace {

/// A filter on blocks of one size, run block after block over the rows of a problem.
struct Blocks {
  Problem problem;
  detail::Work work;
  detail::Cut cut;
  std::unique_ptr<detail::Executor> executor;
  detail::AlignedBuffer<char> scratch;

  detail::Means means() { return {.scratch = scratch.data()}; }
};

HostInput row(const void* data, Type type, std::int64_t size) { return {data, type, Rows{.columns = size}}; }

template <class T>
std::unique_ptr<Blocks> blocks(Problem const& problem, std::int64_t size, int threads) {
  const detail::Work work = detail::check(problem);
  const detail::Cut cut = detail::overlapping(size, problem.filter, detail::simd_target().kernels<T>().lanes);
  auto executor = std::make_unique<detail::BlockExecutor<T>>(work, cut, threads);
  detail::AlignedBuffer<char> scratch(static_cast<std::int64_t>(executor->scratch_bytes()));
  return std::unique_ptr<Blocks>(new Blocks{problem, work, cut, std::move(executor), std::move(scratch)});
}

void spin(double seconds) {
  for (const double end = now() + seconds; now() < end;) {
  }
}

}  // namespace

/// The smallest block, and the largest that stays in the cache, of float32 or float64.
SHIM_EXPORT void gpuconv_bench_block_sizes(int is_double, std::int64_t* smallest, std::int64_t* in_cache) {
  const auto sizes = [&]<class T>(std::type_identity<T>) {
    *smallest = 2 * detail::RightAngleTransform<T>::smallest();
    *in_cache = 2 * detail::RightAngleTransform<T>::largest_in_cache();
  };
  if (is_double) sizes(std::type_identity<double>{});
  else sizes(std::type_identity<float>{});
}
SHIM_EXPORT int gpuconv_bench_blocks(const char* problem, std::int64_t size, int threads, const void* taps,
                                     Blocks** made) {
  return guarded([&] {
    const Problem p = problem_of(nlohmann::json::parse(problem));
    auto out = p.type == Type::float64 ? blocks<double>(p, size, threads) : blocks<float>(p, size, threads);
    out->executor->set_filter(detail::access_of(row(taps, p.type, p.filter)), 1, out->means());
    *made = out.release();
  });
}
SHIM_EXPORT void gpuconv_bench_blocks_destroy(Blocks* made) { delete made; }
SHIM_EXPORT std::int64_t gpuconv_bench_blocks_count(Blocks const* made) {
  return made->cut.blocks(made->work.axis.outputs);
}
SHIM_EXPORT int gpuconv_bench_blocks_time(Blocks* made, const void* signal, void* out, std::int64_t repeats,
                                          double* seconds) {
  return guarded([&] {
    Problem const& p = made->problem;
    const HostOutput result(out, result_type(p), Rows{.columns = output_slice(p).length});
    *seconds = seconds_of(repeats, [&] {
      made->executor->run(detail::access_of(row(signal, p.type, p.signal)), detail::access_of(result),
                          detail::whole(made->work), made->means());
    });
  });
}

/// Seconds that a parallel_for of one task for each thread takes beyond the task of `task` seconds. Workers that have
/// just worked may still be awake; after a pause they sleep.
SHIM_EXPORT int gpuconv_bench_wake(int threads, double task, int asleep, std::int64_t repeats, double* seconds) {
  return guarded([&] {
    detail::start_workers(threads);
    *seconds = 0;
    for (std::int64_t i = 0; i < repeats; ++i) {
      if (asleep) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      const double begin = now();
      detail::parallel_for(threads, threads, [&](std::int64_t, int) { spin(task); });
      *seconds += (now() - begin - task) / static_cast<double>(repeats);
    }
  });
}
