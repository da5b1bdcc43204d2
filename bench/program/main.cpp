// gpuconv_bench: Google Benchmark over the solver table, on arrays in host and in device memory, and the measurements
// behind the cost models. Its options are Google Benchmark's; --about describes the build and its GPU and ends.
#include "program.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <cstdio>
#include <cstring>
#include <exception>

namespace gpuconv::bench {

std::string title(std::string_view where, Problem const& p, std::string_view who) {
  return std::string(where) + '/' + std::string(name(p.type)) + "/batch:" + std::to_string(p.batch) +
         "/signal:" + std::to_string(p.signal) + "/taps:" + std::to_string(p.filter) + '/' + std::string(who);
}

std::string title(detail::Solver const& solver) {
  return std::string(name(solver.device)) + ' ' + std::string(name(solver.method));
}

bool is_timed(detail::Solver const& solver, Problem const& problem, Memory memory) {
  if (solver.method == Method::reference || (memory == Memory::device && solver.device != Device::cuda)) return false;
  const double products =
      static_cast<double>(problem.batch) * static_cast<double>(problem.signal) * static_cast<double>(problem.filter);
  const double most = memory == Memory::device ? kMostProductsOnDevice : kMostProductsOnHost;
  if (solver.method == Method::direct && products > most) return false;
  return !solver.consider(detail::check(problem), {.memory = memory}).refusal;
}

void add(std::string const& name, std::function<void(benchmark::State&)> body, bool device_clock) {
  auto* const made = benchmark::RegisterBenchmark(name.c_str(), [body = std::move(body)](benchmark::State& state) {
    try {
      body(state);
    } catch (OutOfMemory const& e) {
      state.SkipWithError((std::string("skipped: ") + e.what()).c_str());
    } catch (std::exception const& e) {
      state.SkipWithError(e.what());
    }
  });
  if (is_emulated()) made->Iterations(1)->UseManualTime();
  else if (device_clock) made->UseManualTime();
  else made->UseRealTime();
}

void report_rate(benchmark::State& state, Problem const& p) {
  using benchmark::Counter;
  const double samples = static_cast<double>(p.batch * p.signal);
  const double calls = state.counters.contains("calls") ? state.counters.at("calls").value : 1;  // in an iteration
  state.counters["samples/s"] = Counter(samples * calls, Counter::kIsIterationInvariantRate);
}

void report(benchmark::State& state, Entry const& entry, detail::Solver const& solver, Memory memory) {
  Problem const& p = entry.plan.problem();
  report_rate(state, p);
  state.counters["max_error"] = entry.errors.max;
  state.counters["relative_l2"] = entry.errors.relative_l2;
  state.counters["estimate"] =
      solver.consider(detail::check(p), {.threads = entry.plan.threads(), .memory = memory}).seconds;
  const Device device = memory == Memory::device ? Device::cuda : Device::automatic;
  state.counters["chosen"] = [&] {
    try {
      const Plan plan(p, {.device = device, .memory = memory});
      return plan.device() == solver.device && plan.method() == solver.method;
    } catch (OutOfMemory const&) {  // taken by those that are timed
      return false;
    }
  }();
  state.SetLabel(entry.plan.describe());
}

}  // namespace gpuconv::bench

int main(int argc, char** argv) {
  using namespace gpuconv;
  if (argc == 2 && std::strcmp(argv[1], "--about") == 0) {
    std::puts(bench::about_json().c_str());
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    bench::register_host();
#ifdef GPUCONV_BENCH_CUDA
    bench::register_device();
#endif
    bench::register_calibration();
  } catch (std::exception const& e) {
    std::fprintf(stderr, "gpuconv_bench: %s\n", e.what());
    return 1;
  }
  benchmark::AddCustomContext("gpuconv", std::string(version()));
  benchmark::AddCustomContext("simd_target", std::string(simd_target()));
  benchmark::AddCustomContext("threads", std::to_string(hardware_threads()));
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  bench::latest = {};
  return ran > 0 ? 0 : 1;
}
