// Google Benchmark over the solver table: every solver on every problem it takes, at the sizes of the project's goals.
//
// A plan is made once, its output is allocated beforehand, data rotate past the cache. Counters: samples and bytes a
// second, the largest and the relative L2 error against the reference. `--benchmark_format=json` gives JSON.
#include "support/accuracy.hpp"
#include "support/data.hpp"

#include "problem.hpp"
#include "solver.hpp"

#include <gpuconv/info.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

using namespace gpuconv;

constexpr double kLongest = 1.0;  // seconds of one execute by the solver's estimate; longer ones are left out

void run(benchmark::State& state, Problem const& problem, Options const& options) try {
  bench::Data data(problem);
  Plan plan(problem, options);
  plan.set_filter(data.filter());
  plan.execute(data.signal(0), data.out(0));  // warm-up, and what the errors are taken of
  const bench::Errors errors = bench::errors(problem, data.signal(0), data.filter(), data.out(0));
  std::size_t set = 0;
  for ([[maybe_unused]] auto _ : state) {
    plan.execute(data.signal(set), data.out(set));
    if (++set == data.sets()) set = 0;
  }
  const std::int64_t samples = problem.batch * problem.signal, outputs = problem.batch * plan.output_length();
  const auto bytes = samples * static_cast<std::int64_t>(size_of(problem.type)) +
                     outputs * static_cast<std::int64_t>(size_of(result_type(problem)));
  state.counters["samples/s"] =
      benchmark::Counter(static_cast<double>(samples), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes/s"] =
      benchmark::Counter(static_cast<double>(bytes), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["max_error"] = errors.max;
  state.counters["relative_l2"] = errors.relative_l2;
  state.SetLabel(plan.describe());
} catch (std::exception const& e) {
  state.SkipWithError(e.what());
}

std::vector<Problem> problems() {
  std::vector<Problem> out;
  const auto add = [&](std::int64_t n, std::int64_t m, std::int64_t batch, Type type) {
    out.push_back({.signal = n, .filter = m, .batch = batch, .type = type});
  };
  for (const std::int64_t n : {1 << 20, 1 << 24})
    for (const std::int64_t m : {16, 32, 64, 257, 1025, 4097, 8192, 1 << 15, 1 << 17}) add(n, m, 1, Type::float32);
  for (const std::int64_t row : {256, 512, 1024, 2048, 4096, 8192})
    for (const std::int64_t m : {16, 64, 257})
      if (m <= row) add(row, m, (std::int64_t{1} << 22) / row, Type::float32);
  for (const Type type : {Type::float64, Type::int32})
    for (const std::int64_t m : {16, 64, 1025, 8192}) add(1 << 20, m, 1, type);
  return out;
}

std::string title(detail::Solver const& solver, Problem const& p) {
  return std::string(name(solver.device)) + '/' + std::string(name(solver.method)) + '/' + std::string(name(p.type)) +
         "/batch:" + std::to_string(p.batch) + "/signal:" + std::to_string(p.signal) +
         "/taps:" + std::to_string(p.filter);
}

// Returns how many were left out because they would take too long.
int register_all() {
  int left_out = 0;
  for (Problem const& p : problems()) {
    const detail::Work work = detail::check(p);
    for (detail::Solver const* const s : detail::solvers()) {
      const detail::Answer answer = s->consider(work, {.threads = hardware_threads()});
      if (answer.refusal) continue;
      if (answer.seconds > kLongest) {
        ++left_out;
        continue;
      }
      const Options options{.method = s->method, .device = s->device};
      benchmark::RegisterBenchmark(title(*s, p).c_str(), [=](benchmark::State& state) {
        run(state, p, options);
      })->UseRealTime();
    }
  }
  return left_out;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    const int left_out = register_all();
    std::fprintf(stderr, "%d combinations of solver and problem left out: over %g s by their estimates\n", left_out,
                 kLongest);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "gpuconv_bench: %s\n", e.what());
    return 1;
  }
  benchmark::AddCustomContext("gpuconv", std::string(version()));
  benchmark::AddCustomContext("simd_target", std::string(simd_target()));
  benchmark::AddCustomContext("threads", std::to_string(hardware_threads()));
  return benchmark::RunSpecifiedBenchmarks() > 0 ? 0 : 1;
}
