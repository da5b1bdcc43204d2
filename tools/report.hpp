// What a command has done and how fast, for --stats.
#pragma once

#include <gpuconv/gpuconv.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tool {

/// The work that was done, and how fast.
struct Report {
  std::string problem, solver;
  std::int64_t samples = 0;  ///< of the signal, over all rows
  std::int64_t rows_at_once = 0, rows = 0;
  std::int64_t outputs_at_once = 0, outputs = 0;  ///< of a row
  std::size_t plan_bytes = 0;
  gpuconv::Type type = {}, result_type = {};
  gpuconv::Wrapping wrapping = gpuconv::Wrapping::never;       ///< with any of the filters
  double reading = 0, convolving = 0, writing = 0, total = 0;  ///< seconds
};

/// Adds its lifetime to a sum of seconds.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum) {}
  Stopwatch(Stopwatch const&) = delete;
  Stopwatch& operator=(Stopwatch const&) = delete;
  ~Stopwatch() { sum_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  double& sum_;
  Clock::time_point start_ = Clock::now();
};

/// The report as lines for people.
std::string stats_text(Report const& report);

}  // namespace tool
