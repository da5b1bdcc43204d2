// Costs besides the arithmetic: a call, a plan, waking workers, moving bytes.
#include "sections.hpp"

#include "../support/copy.hpp"
#include "../support/data.hpp"

#include "core/thread_pool.hpp"
#include "problem.hpp"
#include "solver.hpp"

#include <gpuconv/convolve.hpp>

#include <chrono>
#include <thread>

namespace gpuconv::bench {
namespace {

Table calls(Settings const& s) {
  Table out{"calls",
            "whole calls on tiny warm problems, mode full; one-shot makes the plan too and allocates the result",
            {"type", "signal", "taps", "method", "execute ns", "set_filter ns", "plan ns", "one-shot ns"},
            {}};
  struct Shape {
    std::int64_t signal, taps;
  };
  for (const Type type : {Type::float32, Type::float64, Type::int32})
    for (Shape const shape : {Shape{1, 1}, Shape{16, 4}, Shape{100, 50}, Shape{1000, 50}}) {
      const Problem problem{.signal = shape.signal, .filter = shape.taps, .type = type};
      Data data(problem);
      for (detail::Solver const* const solver : detail::solvers()) {
        if (solver->consider(detail::check(problem), {}).refusal) continue;
        const Options options{.method = solver->method, .device = solver->device};
        const CallOptions how{.mode = problem.mode, .method = solver->method, .device = solver->device};
        Plan plan(problem, options);
        plan.set_filter(data.filter());
        const std::function<void()> parts[] = {
            [&] { plan.execute(data.signal(0), data.out(0)); }, [&] { plan.set_filter(data.filter()); },
            [&] { Plan made(problem, options); },
            [&] { convolve(data.signal(0), data.filter(), data.out(0), how); }};
        const std::vector<Spread> t = measure(parts, s.budget);
        out.rows.push_back({name(type), shape.signal, shape.taps, name(solver->method), t[0].median * 1e9,
                            t[1].median * 1e9, t[2].median * 1e9, t[3].median * 1e9});
      }
    }
  return out;
}

void spin(double seconds) {
  const double end = now() + seconds;
  while (now() < end) {
  }
}

// Workers that have just worked may still be awake; after a pause they sleep.
Spread time_wake(int threads, double work, bool asleep, Budget budget) {
  std::vector<double> times;
  const double end = now() + budget.seconds;
  detail::start_workers(threads);
  while (now() < end || static_cast<int>(times.size()) < budget.least) {
    if (asleep) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const double begin = now();
    detail::parallel_for(threads, threads, [&](std::int64_t, int) { spin(work); });
    times.push_back(now() - begin - work);
  }
  return summarize(std::move(times));
}

Table waking(Settings const& s) {
  Table out{
      "wake",
      "time of a parallel_for of one task a thread beyond the task's own; below the wake time one thread does both",
      {"threads", "task us", "workers", "extra us", "upper quartile us"},
      {}};
  for (int threads = 2; threads <= s.threads; threads *= 2)
    for (const double work : {0.0, 2e-5, 1e-4})
      for (const bool asleep : {false, true}) {
        const Spread t = time_wake(threads, work, asleep, {.seconds = 4 * s.budget.seconds, .least = 20});
        out.rows.push_back({threads, work * 1e6, asleep ? "asleep" : "busy", t.median * 1e6, t.upper * 1e6});
      }
  return out;
}

Table copying(Settings const& s) {
  Table out{
      "copy", "streaming copy of 256 MiB: bytes read plus bytes written", {"threads", "GB/s", "ns/byte moved"}, {}};
  Copy copy(std::int64_t{256} << 20, 1);
  for (int threads = 1; threads <= s.threads; threads *= 2) {
    const Spread t = measure([&] { copy.run(threads); }, s.budget);
    const auto moved = static_cast<double>(2 * copy.bytes());
    out.rows.push_back({threads, moved / t.median * 1e-9, t.median / moved * 1e9});
  }
  return out;
}

}  // namespace

std::vector<Table> calibrate_overhead(Settings const& s) { return {calls(s), waking(s), copying(s)}; }

}  // namespace gpuconv::bench
