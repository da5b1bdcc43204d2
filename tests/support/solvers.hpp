// The solver table as a test parameter: a solver is tested the day it is added to the table.
#pragma once

#include "problem.hpp"
#include "solver.hpp"

#include <gpuconv/convolve.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpuconv::detail {
// GoogleTest's way to print a parameter.
inline void PrintTo(Solver const* solver, std::ostream* out) {
  *out << name(solver->device) << ' ' << name(solver->method);
}
}  // namespace gpuconv::detail

namespace gpuconv::test {

using SolverPointer = detail::Solver const*;

inline std::vector<SolverPointer> solver_table() { return detail::solvers(); }

inline std::vector<SolverPointer> cuda_solver_table() {
  const auto table = detail::cuda_solvers();
  return {table.begin(), table.end()};
}

inline std::string solver_name(testing::TestParamInfo<SolverPointer> const& info) {
  std::string out = std::string(name(info.param->device)) + '_' + std::string(name(info.param->method));
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

/// Where solvers that have the choice find their arrays: GPUCONV_TEST_MEMORY, "host" or "device".
inline Memory suite_memory() {
  const char* const chosen = std::getenv("GPUCONV_TEST_MEMORY");
  return chosen && std::string_view(chosen) == "device" ? Memory::device : Memory::host;
}

/// The bits of a row of a batch are those of the row alone. NVIDIA promises that for one plan of cuFFT, and these are
/// of two: where they differ, a note says so. Whether either is right is for other tests. `plans`: their descriptions.
inline testing::AssertionResult are_same_bits(std::span<std::byte const> together, std::span<std::byte const> alone,
                                              std::string const& plans) {
  if (std::ranges::equal(together, alone)) return testing::AssertionSuccess();
  if (plans.find("by cuFFT") == std::string::npos) return testing::AssertionFailure() << plans;
  std::printf("[ NOTE     ] cuFFT's bits depend on the batch: %s\n", plans.c_str());
  return testing::AssertionSuccess();
}

/// Whether the solver takes the problem.
inline bool takes(SolverPointer solver, Problem const& problem) {
  return !solver
              ->consider(detail::check(problem),
                         {.memory = solver->device == Device::cuda ? suite_memory() : Memory::host})
              .refusal;
}

/// Options that force this solver.
inline Options forced(SolverPointer solver, int threads = 0) {
  const Memory memory = solver->device == Device::cuda ? suite_memory() : Memory::host;
  return {.method = solver->method,
          .device = solver->device,
          .threads = threads,
          .memory = memory,
          .across = memory == Memory::device};  // as rows often lie in tests
}

/// Tests over the solver table: `class Name : public SolverTest {}`, then GPUCONV_OVER_SOLVERS(Name).
class SolverTest : public testing::TestWithParam<SolverPointer> {
 protected:
  void SetUp() override {
    if (const std::string why = why_absent(); !why.empty()) GTEST_SKIP() << why;
  }
  /// Why the solver's device is not there; empty where it is.
  std::string why_absent() const {
    if (GetParam()->device != Device::cuda) return {};
    const DeviceInfo cuda = detail::cuda_device_info();
    return cuda.available ? std::string() : cuda.detail;
  }
  SolverPointer solver() const { return GetParam(); }
  Options options(int threads = 0) const { return forced(GetParam(), threads); }
  /// The same for a one-shot call.
  CallOptions call(CallMode mode = {}, int threads = 0) const {
    return {.mode = mode, .method = GetParam()->method, .device = GetParam()->device, .threads = threads};
  }
  bool takes(Problem const& problem) const { return test::takes(GetParam(), problem); }
};

#define GPUCONV_OVER_SOLVERS(suite) \
  INSTANTIATE_TEST_SUITE_P(Solvers, suite, testing::ValuesIn(gpuconv::test::solver_table()), gpuconv::test::solver_name)

}  // namespace gpuconv::test
