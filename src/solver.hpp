// The solver table: one entry for each method on each device. Plans, `explain`, tests and benchmarks iterate over it.
//
// To add a solver, write one file with the sections of the others in their order (which problems it takes, what it
// costs, how it is made and runs, how it prints itself), declare it below and add its line to the table.
#pragma once

#include "problem.hpp"

#include <gpuconv/info.hpp>
#include <gpuconv/plan.hpp>

#include <memory>
#include <span>
#include <string>

namespace gpuconv::detail {

struct Solver;

/// What a solver may use.
struct Resources {
  int threads = 1;  // of the CPU
  Memory memory = Memory::host;
  DeviceAllocator* allocator = nullptr;
  bool caller_scratch = false;
};

/// A solver made for one problem, on arrays in the memory that `Resources` name. Shapes and types of the views are
/// checked before these are called; the calls for the other memory throw InvalidArgument.
class Executor {
 public:
  Executor() = default;
  Executor(Executor const&) = delete;
  Executor& operator=(Executor const&) = delete;
  virtual ~Executor() = default;

  virtual void set_filter(HostInput filter);
  virtual void execute(HostInput signal, HostOutput out);

  virtual void set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch);
  virtual void set_filter(HostInput filter, Stream stream, DeviceBytes scratch);
  virtual void execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch);

  virtual std::size_t workspace_bytes() const = 0;
  virtual std::size_t scratch_bytes() const { return 0; }

  // Filled in by the planner.
  Problem problem;
  Geometry geometry{};
  Solver const* solver = nullptr;
  double seconds = 0;
  bool has_filter = false;
  Resources resources;
  int threads = 1;  // that execute uses at most; set by the solver
};

struct Solver {
  Device device;
  Method method;
  bool automatic;  // may be chosen without being forced
  /// Why the solver does not take the problem; empty if it does.
  std::string (*refusal)(Geometry const&);
  /// Estimated time of one execute.
  double (*seconds)(Geometry const&, Resources const&);
  std::unique_ptr<Executor> (*make)(Geometry const&, Resources const&);
  /// What it would run with, "blocks of 4096, avx512, 2 threads".
  std::string (*parameters)(Geometry const&, Resources const&);
};

extern const Solver cpu_reference, cpu_direct, cpu_overlap_save, cpu_fft;
extern const Solver cuda_direct, cuda_overlap_save, cuda_fft;  // only in builds with CUDA

std::span<Solver const* const> solvers() noexcept;

/// The part of the table that a build with CUDA adds; empty in one without.
std::span<Solver const* const> cuda_solvers() noexcept;
/// The current CUDA device, or why there is none. Never throws but OutOfMemory.
DeviceInfo cuda_device_info();

}  // namespace gpuconv::detail
