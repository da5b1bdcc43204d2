// What a plan holds: an executor with the memory around it, for arrays in one kind of memory.
#pragma once

#include "solver.hpp"

#include <atomic>

namespace gpuconv::detail {

/// Shapes and types of the views are checked before these are called; the calls for the other memory throw
/// InvalidArgument.
class Runner {
 public:
  Runner() = default;
  Runner(Runner const&) = delete;
  Runner& operator=(Runner const&) = delete;
  virtual ~Runner() = default;

  virtual void set_filter(HostInput filter);
  virtual void execute(HostInput signal, HostOutput out);

  virtual void set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch);
  virtual void set_filter(HostInput filter, Stream stream, DeviceBytes scratch);
  virtual void execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch);

  virtual std::size_t workspace_bytes() const = 0;
  virtual std::size_t scratch_bytes() const { return 0; }

  // Filled in by the planner.
  Problem problem;
  Work work;
  Solver const* solver = nullptr;
  double seconds = 0;
  Parameters parameters;
  Memory arrays_in = Memory::host;

  bool has_filter = false;
  Wrapping wrapping = Wrapping::unknown;  // with that filter
  std::atomic_flag in_use;                // by a call

  /// The filter as executors take it: that of a correlation from its last tap to the first, conjugated.
  Input filter_of(Input const& filter) const {
    if (problem.operation == Operation::convolve) return filter;
    Input out = upside_down(reversed(filter, work.axis.filter), work.lines.filter);
    out.conjugated = is_complex(filter.type);
    return out;
  }

 protected:
  /// The signal as executors take it: with what is beyond its ends.
  Input signal_of(Input signal) const {
    signal.extension = work.extension;
    return signal;
  }
  /// The rows of a bank's filters follow each other within those of the batch.
  Output out_of(Output out) const {
    if (work.saturated)
      out.saturation =
          is_signed(work.signal_type) || is_signed(work.filter_type) ? Saturation::of_signed : Saturation::of_unsigned;
    if (work.loops.inner.count > 1) out.inner = out.outer, out.outer *= work.loops.inner.count;
    return out;
  }
};

/// The solver's executor for arrays in the memory that `r` names.
std::unique_ptr<Runner> make_cpu_runner(Work const& work, Resources const& r, Answer const& offer);
std::unique_ptr<Runner> make_cuda_runner(Work const& work, Resources const& r, Answer const& offer);

/// Rows of a caller's array: one loop.
template <class Void>
Access<Void> access_of(AnyRowsView<Void> const& v) {
  return {
      .data = v.data(), .type = v.type(), .outer = v.stride(), .stride = v.element_stride(), .line = v.line_stride()};
}

}  // namespace gpuconv::detail
