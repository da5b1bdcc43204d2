// Who does a work: made by a solver for one work, below everything that knows where the caller's arrays come from.
#pragma once

#include "core/access.hpp"

#include <gpuconv/device.hpp>

#include <cstddef>
#include <cstdint>

namespace gpuconv::detail {

/// The memory and the stream that a run is given besides its arrays.
struct Means {
  void* scratch = nullptr;  // scratch_bytes() of memory that the executor's device works in
  Stream stream = {};       // on the GPU
};

/// Does one work, or any part of it. All memory that it needs for good is allocated by its constructor: neither
/// function below allocates, waits for the GPU or throws for anything but what CUDA says. On the GPU both only enqueue,
/// in the order of `means.stream`. Runs that share scratch memory must follow each other, and so must all runs of an
/// executor with exchanged operands, which prepares the signals in memory of its own.
class Executor {
 public:
  Executor() = default;
  Executor(Executor const&) = delete;
  Executor& operator=(Executor const&) = delete;
  virtual ~Executor() = default;

  /// Bytes of the executor's own: prepared filters, tables.
  virtual std::size_t own_bytes() const = 0;
  /// Bytes of scratch memory that each call needs, aligned to a page on the CPU, to 256 bytes on the GPU.
  virtual std::size_t scratch_bytes() const = 0;

  /// Prepares filters [0, count) of the work; `filter` lies as `work.loops` number them, filter f at f * outer.
  virtual void set_filter(Input const& filter, std::int64_t count, Means const& means) = 0;
  /// Computes a part of the work. `signal` and `out` are those of the whole work: row r of the part is row
  /// part.row + r of both, output 0 of a row in memory is the part's first.
  virtual void run(Input const& signal, Output const& out, Part const& part, Means const& means) = 0;
};

}  // namespace gpuconv::detail
