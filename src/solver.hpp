// The solver table: one entry for each method on each device. Plans, `explain`, tests and benchmarks iterate over it.
//
// A solver is one function, which refuses a work or makes an offer. To add one, write a file with that function,
// declare it below and add its line to the table.
#pragma once

#include "core/cut.hpp"
#include "executor.hpp"

#include <gpuconv/info.hpp>
#include <gpuconv/plan.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gpuconv::detail {

/// The resources that a solver may use.
struct Resources {
  int threads = 1;  // of the CPU, at most; 0: as many as run at once
  Memory memory = Memory::host;
  DeviceAllocator* allocator = nullptr;
  bool caller_scratch = false;
  bool across = false;  // rows may lie across device memory

  /// The threads, as a number. To find out how many run at once reads files: only work that is worth it may ask.
  int most_threads() const { return threads ? threads : hardware_threads(); }
};

/// The numbers that an offer is made with: blocks, threads, tiles.
struct Parameters {
  enum class Blocks : std::uint8_t { none, on_cpu, fused, by_cufft, whole_rows_by_cufft };

  int threads = 1;  // of the CPU
  Blocks blocks = Blocks::none;
  Cut cut = {};            // where there are blocks
  Tile tile = {};          // of direct on the GPU
  int tile_lines = 0;      // the same, of images
  std::int64_t rows = 0;   // per run at most, where arrays in host memory come to the GPU in pieces; 0: all
  bool dots = false;       // each output is a dot product along the taps
  bool passes = false;     // images in two passes
  std::int64_t pitch = 0;  // samples of a line, of blocks of two dimensions
  bool exchanged = false;  // the operands have each other's part
};

/// Makes the text of a refusal, only for those who show it.
using Refusal = std::string (*)(Work const&);

/// What is done with a step between outputs: the solver takes it, computes what it passes over as well, or is run for
/// each output by itself.
enum class Steps : std::uint8_t { taken, filled, apart };

/// A solver's answer to a work: a refusal or an offer.
struct Answer {
  Refusal refusal = nullptr;  // null: the solver takes the work, and what follows is its offer
  double seconds = 0;         // estimate for one run of the whole work, transfers included
  Parameters parameters = {};
  std::unique_ptr<Executor> (*make)(Work const&, Resources const&, Parameters const&) = nullptr;
  Steps steps = Steps::taken;
  bool without_lines = false;  // the offer is for the work's lines as rows (lines.hpp)
  bool folds_taps = false;     // the offer is for as many taps as samples (fold.hpp)

  /// The executor that `make` makes for the work: the one that was asked about, or one made of it. Throws as Plan.
  std::unique_ptr<Executor> executor(Work const& work, Resources const& r) const;
};

struct Solver {
  Device device;
  Method method;
  bool automatic = false;  // may be chosen without being forced
  Answer (*answer)(Work const&, Resources const&);
  bool takes_steps = false;  // or it is asked about works without steps between their outputs alone
  bool takes_lines = false;  // images; or it is asked about those alone whose lines are rows of one dimension
  bool folds_taps = false;   // taps that meet the same sample are added up where there are many

  /// Neither allocates nor measures; asked once for a plan.
  Answer consider(Work const& work, Resources const& r) const;
};

/// What `solver` says of the work's lines as rows of one dimension, as an offer for the work; or a refusal.
Answer with_lines_as_rows(Solver const& solver, Work const& work, Resources const& r);

/// What `answer` says of the work without steps, as an offer for the work: all outputs are computed, and some kept, or
/// where that is estimated to be faster each is computed by itself.
Answer without_steps(Answer (*answer)(Work const&, Resources const&), Work const& work, Resources const& r);

extern const Solver cpu_reference, cpu_direct, cpu_overlap_save, cpu_fft;
extern const Solver cuda_direct, cuda_overlap_save, cuda_fft;  // only in builds with CUDA

/// All of them: the CPU's, then the GPU's.
std::span<Solver const* const> cpu_solvers() noexcept;
std::vector<Solver const*> solvers();

/// The part of the table that a build with CUDA adds; empty in one without.
std::span<Solver const* const> cuda_solvers() noexcept;
/// The current CUDA device, or why there is none. Never throws but OutOfMemory.
DeviceInfo cuda_device_info();

}  // namespace gpuconv::detail
