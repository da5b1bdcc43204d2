// gpuconv_bench: measurements for the cost models of the CPU solvers (src/cpu/cost.hpp and the cost sections of
// src/cpu/*.cpp), by Google Benchmark, whose options it takes: direct sums, overlap-save blocks below the solvers that
// choose their size, calls, waking workers, moving bytes, rows that lie across memory; and all solvers of many
// problems, to see how good the planner's choices are. Mode same, one thread where nothing else is said. Names are
// taken apart by bench/calibrate.py.
#include "support/copy.hpp"
#include "support/data.hpp"

#include "core/thread_pool.hpp"
#include "cpu/block_executor.hpp"
#include "problem.hpp"
#include "runner.hpp"
#include "solver.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/info.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gpuconv::bench {
namespace {

using benchmark::State;
using detail::RightAngleTransform;

/// "calibrate/direct/float32/batch:1/signal:1048576/taps:16/cpu direct": what is measured, the problem and who computes
/// it.
std::string title(std::string_view what, Problem const& p, std::string_view who) {
  return "calibrate/" + std::string(what) + '/' + std::string(name(p.type)) + "/batch:" + std::to_string(p.batch) +
         "/signal:" + std::to_string(p.signal) + "/taps:" + std::to_string(p.filter) + '/' + std::string(who);
}

/// A benchmark whose body may throw, and then fails alone. `timed`: the body says itself how long it took.
void add(std::string const& name, std::function<void(State&)> body, bool timed = false) {
  auto* const made = benchmark::RegisterBenchmark(name.c_str(), [body = std::move(body)](State& state) {
    try {
      body(state);
    } catch (std::exception const& e) {
      state.SkipWithError(e.what());
    }
  });
  if (timed) made->UseManualTime();
  else made->UseRealTime();
}

struct Planned {
  Planned(Problem const& p, Options const& options, bool across = false) : data(p, across), plan(p, options) {
    plan.set_filter(data.filter());
  }
  Data data;
  Plan plan;
};

/// `across`: rows are the columns of a matrix.
void time_plan(State& state, Problem const& p, Options const& options, bool across = false) {
  Planned made(p, options, across);
  std::size_t set = 0;
  for ([[maybe_unused]] auto _ : state) {
    made.plan.execute(made.data.signal(set), made.data.out(set));
    if (++set == made.data.sets()) set = 0;
  }
  state.SetLabel(made.plan.describe());
}

// ---- direct sums ----

void register_direct() {
  struct Shape {
    std::int64_t signal, batch;
  };
  for (const Type type : {Type::float32, Type::float64, Type::uint64})
    for (Shape const shape : {Shape{64, 256}, {256, 64}, {2048, 8}, {16384, 1}, {1 << 17, 1}, {1 << 22, 1}})
      for (std::int64_t const m : {1, 2, 3, 4, 8, 16, 17, 32, 64, 128, 257, 512}) {
        const Problem p{.signal = shape.signal, .filter = m, .batch = shape.batch, .mode = Mode::same, .type = type};
        if (m > p.signal) continue;
        add(title("direct", p, "cpu direct"),
            [=](State& state) { time_plan(state, p, {.method = Method::direct, .threads = 1}); });
      }
}

// ---- blocks ----

/// A filter of `taps` on blocks of `size`, run block after block over rows that rotate past the cache.
template <class T>
void time_blocks(State& state, Problem const& problem, std::int64_t size, int threads) {
  Data data(problem);
  const detail::Work work = detail::check(problem);
  const detail::Cut cut = detail::overlapping(size, problem.filter, detail::simd_target().kernels<T>().lanes);
  detail::BlockExecutor<T> executor(work, cut, threads);
  detail::AlignedBuffer<char> scratch(static_cast<std::int64_t>(executor.scratch_bytes()));
  executor.set_filter(detail::access_of(data.filter()), 1, {.scratch = scratch.data()});
  std::size_t set = 0;
  for ([[maybe_unused]] auto _ : state) {
    executor.run(detail::access_of(data.signal(set)), detail::access_of(data.out(set)), detail::whole(work),
                 {.scratch = scratch.data()});
    if (++set == data.sets()) set = 0;
  }
  state.counters["blocks"] = static_cast<double>(cut.blocks(work.axis.outputs));
  state.counters["step"] = static_cast<double>(size - problem.filter);
  state.counters["in_cache"] = size <= 2 * RightAngleTransform<T>::largest_in_cache();
}

template <class T>
void add_blocks(std::int64_t size, std::int64_t taps, std::int64_t signal, int threads) {
  const Problem p{.signal = signal, .filter = taps, .mode = Mode::same, .type = type_of<T>};
  add(title("blocks", p, "size:" + std::to_string(size) + "/threads:" + std::to_string(threads)),
      [=](State& state) { time_blocks<T>(state, p, size, threads); });
}

/// In the cache, many blocks in a row; beyond it one at a time, with all threads on its transform.
template <class T>
void register_blocks() {
  const std::int64_t smallest = 2 * RightAngleTransform<T>::smallest();
  for (std::int64_t size = smallest; size <= 8 * RightAngleTransform<T>::largest_in_cache(); size *= 2)
    for (std::int64_t const taps : {size / 8, size / 2}) add_blocks<T>(size, taps, 1 << 22, 1);
  for (std::int64_t size = smallest; size <= 1 << 24; size *= 2) {
    add_blocks<T>(size, size / 2, size / 2, 1);
    if (hardware_threads() > 1) add_blocks<T>(size, size / 2, size / 2, hardware_threads());
  }
}

// ---- calls, workers, bytes ----

template <class Body>
void time_body(State& state, Body body) {
  for ([[maybe_unused]] auto _ : state) body();
}

void register_calls() {
  for (const Type type : {Type::float32, Type::float64, Type::int32})
    for (auto const& [n, m] : {std::pair{1, 1}, {16, 4}, {100, 50}, {1000, 50}})
      for (detail::Solver const* const s : detail::solvers()) {
        const Problem p{.signal = n, .filter = m, .type = type};
        if (s->device != Device::cpu || s->consider(detail::check(p), {}).refusal) continue;
        const Options options{.method = s->method, .device = s->device};
        const std::string key = title("calls", p, std::string(name(s->method)) + '/');
        add(key + "execute", [=](State& state) { time_plan(state, p, options); });
        add(key + "set_filter", [=](State& state) {
          Planned made(p, options);
          time_body(state, [&] { made.plan.set_filter(made.data.filter()); });
        });
        add(key + "plan", [=](State& state) { time_body(state, [&] { Plan plan(p, options); }); });
        add(key + "one-shot", [=](State& state) {
          Data data(p);
          const CallOptions how{.mode = p.mode, .method = s->method, .device = s->device};
          time_body(state, [&] { convolve(data.signal(0), data.filter(), data.out(0), how); });
        });
      }
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
void spin(double seconds) {
  for (const double end = now() + seconds; now() < end;) {
  }
}

/// What a parallel_for of one task for each thread takes beyond the task. Workers that have just worked may still be
/// awake; after a pause they sleep.
void time_wake(State& state, int threads, double task, bool asleep) {
  detail::start_workers(threads);
  for ([[maybe_unused]] auto _ : state) {
    if (asleep) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const double begin = now();
    detail::parallel_for(threads, threads, [&](std::int64_t, int) { spin(task); });
    state.SetIterationTime(now() - begin - task);
  }
}

void register_threads() {
  for (int threads = 1; threads <= hardware_threads(); threads *= 2) {
    const std::string suffix = "/threads:" + std::to_string(threads);
    add("calibrate/copy" + suffix, [=](State& state) {  // 256 MiB read, as many written
      Copy copy(std::int64_t{256} << 20, 1);
      time_body(state, [&] { copy.run(threads); });
      state.counters["bytes"] = static_cast<double>(2 * copy.bytes());
    });
    if (threads == 1) continue;
    for (const int task_us : {0, 20, 100})
      for (const bool asleep : {false, true})
        add(
            "calibrate/wake" + suffix + "/task_us:" + std::to_string(task_us) + (asleep ? "/asleep" : "/busy"),
            [=](State& state) { time_wake(state, threads, task_us * 1e-6, asleep); }, true);
  }
}

// ---- rows across memory ----

/// Rows by themselves and as the columns of a matrix, and two channels that alternate.
void register_across() {
  for (const std::int64_t m : {3, 17, 65, 257})
    for (Problem const& p : {Problem{.signal = 1 << 10, .filter = m, .batch = 1 << 12},
                             Problem{.signal = 1 << 20, .filter = m, .batch = 2}})
      for (const Method method : {Method::direct, Method::overlap_save, Method::fft})
        for (const bool across : {false, true})
          add(title(across ? "columns" : "rows", p, name(method)),
              [=](State& state) { time_plan(state, p, {.method = method, .device = Device::cpu}, across); });
}

// ---- the planner's choices ----

// A solver is not run where its estimate is this many times the best one and the run would take long: a cost model
// that is wrong by more shows at smaller sizes.
constexpr double kHopeless = 30, kLong = 0.02;

void add_choices(Problem const& p) {
  const detail::Work work = detail::check(p);
  const Method chosen = Plan(p, {.device = Device::cpu}).method();
  double best = 1e300;
  std::vector<std::pair<detail::Solver const*, double>> offers;
  for (auto const* s : detail::solvers())
    if (const auto answer = s->consider(work, {.threads = hardware_threads()});
        s->device == Device::cpu && s->automatic && !answer.refusal)
      offers.emplace_back(s, answer.seconds), best = std::min(best, answer.seconds);
  for (auto const& [solver, seconds] : offers) {
    if (seconds > std::max(kHopeless * best, kLong) && solver->method != chosen) continue;
    const Method method = solver->method;
    add(title("regret", p, name(method)), [=, estimate = seconds](State& state) {
      time_plan(state, p, {.method = method, .device = Device::cpu});
      state.counters["estimate"] = estimate;
      state.counters["chosen"] = method == chosen;
    });
  }
}

// Integers have one method on the CPU: what is wanted of them is whether its estimate holds, which a GPU's is compared
// with. Products of a problem, at most.
constexpr Type kRegretTypes[] = {Type::float32, Type::float64, Type::int8, Type::int16, Type::int32, Type::int64};
constexpr std::int64_t kLongestIntegerSum = std::int64_t{1} << 30;

void register_regret() {
  for (int log_n = 4; log_n <= 24; log_n += 2)
    for (int log_m = 0; log_m <= std::min(log_n, 20); ++log_m) {
      // Not powers of two themselves: those are special to transforms.
      const std::int64_t n = (std::int64_t{1} << log_n) + (log_n > 6 ? 37 : 0),
                         m = (std::int64_t{1} << log_m) + (log_m > 3 ? 1 : 0);
      if (m > n) continue;
      for (const Type type : kRegretTypes)
        for (const std::int64_t batch : {std::int64_t{1}, (std::int64_t{1} << 20) / n})
          if ((batch == 1 || log_n <= 14) &&
              (is_floating(type) || n * m * std::max<std::int64_t>(1, batch) <= kLongestIntegerSum))
            add_choices({.signal = n,
                         .filter = m,
                         .batch = std::max<std::int64_t>(1, batch),
                         .mode = Mode::same,
                         .type = type});
    }
}

}  // namespace
}  // namespace gpuconv::bench

int main(int argc, char** argv) {
  using namespace gpuconv;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    bench::register_direct();
    bench::register_blocks<float>();
    bench::register_blocks<double>();
    bench::register_calls();
    bench::register_threads();
    bench::register_across();
    bench::register_regret();
  } catch (std::exception const& e) {
    std::fprintf(stderr, "gpuconv_bench: %s\n", e.what());
    return 1;
  }
  benchmark::AddCustomContext("gpuconv", std::string(version()));
  benchmark::AddCustomContext("simd_target", std::string(simd_target()));
  benchmark::AddCustomContext("threads", std::to_string(hardware_threads()));
  return benchmark::RunSpecifiedBenchmarks() > 0 ? 0 : 1;
}
