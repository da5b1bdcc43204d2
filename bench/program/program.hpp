// The parts of gpuconv_bench: each registers its benchmarks with Google Benchmark, under names that scripts take apart:
// "host/float32/batch:1/signal:1048576/taps:16/cpu direct" is where the arrays are, the problem and who computes it;
// "rows" and "columns" are in host memory too, those of a matrix.
#pragma once

#include "support/accuracy.hpp"

#include "problem.hpp"
#include "solver.hpp"

#include <gpuconv/plan.hpp>

#include <benchmark/benchmark.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gpuconv::bench {

/// Arrays in host memory, by every solver of the table.
void register_host();
/// Arrays in device memory, by every solver that works there, beside a copy; and transfers, beside those of
/// register_host. Nothing without a GPU; only in a build with CUDA.
void register_device();
/// What the cost models of the CPU need: bench/calibrate.py.
void register_calibration();

/// The build and its GPU, as JSON: see info.cpp.
std::string about_json();
/// Whether the GPU is the emulator of tests/emulator, whose times mean nothing: they are recorded as 0.
bool is_emulated();

/// Products of the longest direct sums that are timed: more would take too long.
inline constexpr double kMostProductsOnDevice = 0x1p40, kMostProductsOnHost = 0x1p36;

std::string title(std::string_view where, Problem const& problem, std::string_view who);
std::string title(detail::Solver const& solver);

/// Whether the solver takes the problem on arrays in that memory, in a time worth waiting for.
bool is_timed(detail::Solver const& solver, Problem const& problem, Memory memory);

/// A benchmark whose body may throw. It is skipped where memory is short, and fails with any other error.
void add(std::string const& name, std::function<void(benchmark::State&)> body, bool device_clock = false);

/// A plan with its filter set, and how wrong its first result was.
struct Entry {
  Plan plan;
  Errors errors;
  std::size_t next_set = 0;
};

/// What the contestants of one problem share.
struct Arrays {
  virtual ~Arrays() = default;
  std::map<detail::Solver const*, std::unique_ptr<Entry>> entries;
};

/// Those of the latest problem, which alone are kept, by its name; main drops them before the program ends: at its exit
/// CUDA may be gone before what lives in its memory.
inline std::pair<std::string, std::unique_ptr<Arrays>> latest;
template <class Made>
Made& shared(std::string const& problem, auto const&... arguments) {
  if (latest.first != problem || !latest.second) {
    latest = {problem, nullptr};  // the memory of the last one first
    latest.second = std::make_unique<Made>(arguments...);
  }
  return static_cast<Made&>(*latest.second);
}

/// Counters and label of a solver: rates, errors, the planner's estimate, and whether it is the planner's choice.
void report(benchmark::State& state, Entry const& entry, detail::Solver const& solver, Memory memory);
void report_rate(benchmark::State& state, Problem const& problem);

}  // namespace gpuconv::bench
