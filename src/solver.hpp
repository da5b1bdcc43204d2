// The solver table: one entry for each method on each device. Plans, `explain`, tests and benchmarks iterate over it.
//
// To add a solver, write one file with the sections of the others in their order (which problems it takes, what it
// costs, how it is made and runs, how it prints itself), declare it below and add its line to the table.
#pragma once

#include "problem.hpp"

#include <gpuconv/plan.hpp>

#include <memory>
#include <span>
#include <string>

namespace gpuconv::detail {

struct Solver;

/// A solver made for one problem. Shapes and types of the views are checked before these are called.
class Executor {
 public:
  Executor() = default;
  Executor(Executor const&) = delete;
  Executor& operator=(Executor const&) = delete;
  virtual ~Executor() = default;

  virtual void set_filter(HostInput filter) = 0;
  virtual void execute(HostInput signal, HostOutput out) = 0;
  virtual std::size_t workspace_bytes() const = 0;

  // Filled in by the planner.
  Problem problem;
  Geometry geometry{};
  Solver const* solver = nullptr;
  double seconds = 0;
  bool has_filter = false;
  int threads = 1;  // that execute uses at most; set by the solver
};

struct Solver {
  Device device;
  Method method;
  bool automatic;  // may be chosen without being forced
  /// Why the solver does not take the problem; empty if it does.
  std::string (*refusal)(Geometry const&);
  /// Estimated time of one execute.
  double (*seconds)(Geometry const&, int threads);
  std::unique_ptr<Executor> (*make)(Geometry const&, int threads);
  /// What it would run with, "blocks of 4096, avx512, 2 threads".
  std::string (*parameters)(Geometry const&, int threads);
};

extern const Solver cpu_reference, cpu_direct, cpu_overlap_save, cpu_fft;

std::span<Solver const* const> solvers() noexcept;

}  // namespace gpuconv::detail
