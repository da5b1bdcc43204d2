// A plan: a problem with its chosen solver, the prepared filter and the workspace.
#pragma once

#include <gpuconv/export.hpp>
#include <gpuconv/problem.hpp>
#include <gpuconv/view.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace gpuconv {

/// What the caller forces. Whoever forces a method or device gets it or an `Unsupported` error, never another.
struct Options {
  Method method = Method::automatic;
  Device device = Device::automatic;
  int threads =
      0;  ///< CPU threads at most; 0: as many as the machine runs at once; never more than 4 times that, or 64
};

namespace detail {
class Executor;
}

/// A problem with its chosen solver. Everything is allocated by the constructor and by `set_filter`; `execute`
/// allocates nothing. One plan serves one thread at a time; different plans run freely side by side. Move-only; a plan
/// that was moved from can only be assigned to or destroyed, and says so where it can throw.
class GPUCONV_API Plan {
 public:
  /// Chooses the solver with the lowest estimate among those that `options` allow.
  /// Throws InvalidArgument (a wrong problem), Unsupported (forced method or device), OutOfMemory.
  explicit Plan(Problem const& problem, Options const& options = {});
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;
  ~Plan();

  Problem const& problem() const noexcept;
  Method method() const noexcept;  ///< never `automatic`
  Device device() const noexcept;  ///< never `automatic`
  int threads() const noexcept;    ///< threads that `execute` uses at most

  /// Outputs a row.
  std::int64_t output_length() const noexcept;

  /// Bytes this plan uses: prepared filters, workspace, and tables (which plans of the same block size share).
  std::size_t workspace_bytes() const noexcept;

  /// The solver, its parameters and the estimated time.
  std::string describe() const;

  /// Prepares `filter`: `[taps]`, or `[batch][taps]` where the problem has a filter a row. The data is copied.
  /// Comes before the first `execute`; may be called again. Throws InvalidArgument (shape or type), OutOfMemory; after
  /// an error the plan has no filter.
  void set_filter(HostInput filter);

  /// Convolves `signal` `[batch][signal]` into `out` `[batch][output_length]`; both may have row strides, and the
  /// address ranges they span must not overlap. Returns when `out` is written. Throws InvalidArgument, before anything
  /// is written.
  void execute(HostInput signal, HostOutput out);

 private:
  detail::Executor& executor() const;

  std::unique_ptr<detail::Executor> executor_;
};

/// Every solver with its estimated time, or the reason why it does not apply, one a line, the fastest first.
/// Throws InvalidArgument for a wrong problem.
GPUCONV_API std::string explain(Problem const& problem, Options const& options = {});

}  // namespace gpuconv
