// A plan: a problem with its chosen solver, the prepared filter and the workspace.
#pragma once

#include <gpuconv/device.hpp>
#include <gpuconv/export.hpp>
#include <gpuconv/problem.hpp>
#include <gpuconv/view.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gpuconv {

/// The caller's choices. Whoever forces a method or device gets it or an `Unsupported` error, never another.
struct Options {
  Method method = Method::automatic;
  Device device = Device::automatic;
  /// CPU threads at most; 0: `hardware_threads()`; never more than 4 times that, or 64.
  int threads = 0;
  /// Where signal and output lie. Arrays in device memory are convolved there; for arrays in host memory the transfers
  /// count, so that small problems stay on the CPU.
  Memory memory = Memory::host;
  /// Where a plan on the GPU gets its device memory from; none: CUDA's own pool. Must outlive the plan.
  DeviceAllocator* allocator = nullptr;
  /// Device memory only: the plan has no scratch memory of its own; every call brings `Plan::scratch_bytes()`.
  bool caller_scratch = false;
  /// Device memory only: the rows of signals or outputs may lie across memory, such as the columns of a matrix or
  /// channels that alternate, and the plan has scratch memory to move some of them to where they lie one behind the
  /// other: half of the GPU's second-level cache as a rule, up to 256 MiB where rows are long. Without it such rows are
  /// right too, but each of their samples costs a sector of memory, 32 bytes. The bits are the same.
  bool across = false;
};

/// Whether integer sums can wrap: whether some signal of the plan's type has an output that the result type cannot
/// hold.
enum class Wrapping : std::uint8_t {
  never,     ///< no signal has one: every output is the exact sum
  possible,  ///< some signal has one
  unknown,   ///< neither is known: see Plan::wrapping
};
GPUCONV_API std::string_view name(Wrapping) noexcept;  ///< "never", "possible", "unknown"

namespace detail {
class Runner;
}

/// A problem with its chosen solver. Everything is allocated by the constructor and by `set_filter`; `execute`
/// allocates nothing. One plan serves one thread at a time, and a second one that calls meanwhile is told so by an
/// InvalidArgument; different plans run freely side by side. Move-only; a plan that was moved from can only be assigned
/// to or destroyed, and says so where it can throw.
///
/// Calls compute in one floating-point environment (to nearest, denormals kept, nothing trapped), whatever the caller's
/// is, and leave that as it was, the flags of exceptions included.
///
/// A plan on the GPU belongs to the device that is current when it is made, whichever is current later. Its destructor
/// waits for that device, as cudaFree does.
class GPUCONV_API Plan {
 public:
  /// Chooses the solver with the lowest estimate among those that `options` allow. With no device forced, the GPU is
  /// asked for only where the CPU would take milliseconds, and the CPU serves where the GPU's memory is taken. Throws
  /// InvalidArgument (a wrong problem), Unsupported (a forced method or device, or arrays in device memory, that
  /// nothing here can serve), OutOfMemory (the plan's own memory, its filters and workspaces, is more than
  /// `machine_memory()`: arrays that callers pass are not counted), CudaError, CufftError.
  explicit Plan(Problem const& problem, Options const& options = {});
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;
  ~Plan();

  Problem const& problem() const noexcept;
  Method method() const noexcept;  ///< never `automatic`
  Device device() const noexcept;  ///< never `automatic`
  int threads() const noexcept;    ///< threads that `execute` uses at most
  /// Samples per block; 0 for methods without blocks.
  std::int64_t block() const noexcept;

  /// Outputs per row; of images, per line.
  std::int64_t output_length() const noexcept;
  /// Lines of a row's outputs: 1 unless rows are images.
  std::int64_t output_lines() const noexcept;

  /// Bytes this plan uses, on the host or on the GPU: prepared filters, workspace, and tables (which plans of the same
  /// block size share).
  std::size_t workspace_bytes() const noexcept;
  /// Bytes of device memory, aligned to 256, that calls on device memory need besides: the plan's own, or the caller's
  /// (`Options::caller_scratch`). 0 for plans on host memory.
  std::size_t scratch_bytes() const noexcept;

  /// The solver, its parameters and the estimated time.
  std::string describe() const;

  /// Whether sums can wrap with the filter that was set (saturated ones: 64-bit sums, before they are stored); of
  /// several filters, with any of them. `never` for floating results. Exact, with every value of the signal's type, the
  /// most negative one included: `possible` says that there is such a signal. `unknown` where the types alone do not
  /// rule it out and the filter lies in device memory, which is not read, or where no output meets all taps with
  /// samples of the signal alone and the signal goes on beyond its ends or is an image. Throws InvalidArgument before
  /// `set_filter`.
  Wrapping wrapping() const;

  /// Prepares `filter`: `[taps]`, `[batch][taps]` where the problem has a filter per row, `[bank][taps]` of a bank. The
  /// data is copied; of images `[...][lines][taps]`. Comes before the first `execute`; may be called again. A plan on
  /// device memory takes it on the default stream. Throws InvalidArgument (shape or type), which leaves the filter that
  /// was there; OutOfMemory, CudaError, CufftError, after which the plan has none.
  void set_filter(HostInput filter);

  /// Convolves `signal` `[batch][signal]` into `out` `[batch][output_length]`, of a bank `[batch * bank]
  /// [output_length]`; of images `[batch][lines][signal]` into `[batch * bank][output_lines][output_length]`. Both may
  /// have strides, and the address ranges they span must not overlap. Returns when `out` is
  /// written. Throws InvalidArgument, before anything is written.
  void execute(HostInput signal, HostOutput out);

  /// The same for a plan on device memory (`Options::memory`). The calls are asynchronous: they check, enqueue on
  /// `stream` and return; `execute` neither allocates nor synchronises, and may be captured in a CUDA graph. The calls
  /// of one plan must follow each other, in one stream or ordered by events, because they share the prepared filter and
  /// the scratch memory; the arrays and `scratch` must stay as they are until the work is done. `scratch`: only for
  /// plans with `Options::caller_scratch`. Throws InvalidArgument (also for pointers that the device cannot reach),
  /// CudaError, CufftError, before or while enqueuing; what fails later is CUDA's to report.
  void set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch = {});
  /// From host memory: waits until the filter has been copied, and so for what is enqueued on `stream` before it; for a
  /// moment it takes device memory for the copy. Not for graphs.
  void set_filter(HostInput filter, Stream stream, DeviceBytes scratch = {});
  void execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch = {});

 private:
  detail::Runner& runner() const;
  template <class View, class... Where>
  void prepare(View const& filter, Where const&... where);

  std::unique_ptr<detail::Runner> runner_;
};

/// Whether an array in device memory, a signal of the problem or where its outputs go, lies so that a plan for it gains
/// by `Options::across`.
GPUCONV_API bool lies_across(DeviceInput array, Problem const& problem) noexcept;

/// Whether every filter of a view of images is the product of a column and a row, so that direct sums make two passes
/// of it (on the GPU where `Lines::separable` says so): floating-point taps within 4 units of rounding of the type that
/// is computed in (float32 also for 16 bits) of a product, integers exactly modulo 2^64. Complex filters are not looked
/// at: false. Throws InvalidArgument for views without elements, OutOfMemory.
GPUCONV_API bool is_separable(HostInput filter);

/// What one solver would do with a problem.
struct Estimate {
  Device device;
  Method method;
  std::string refusal;  ///< why it does not apply, or is not allowed; empty where it may run
  // Where it may run:
  double seconds = 0;      ///< of one execute
  std::int64_t block = 0;  ///< samples per block; 0 for methods without blocks
  int threads = 0;         ///< of the CPU, at most; 0 on the GPU
  std::string parameters;  ///< the same for people: "blocks of 4096, avx512, 2 threads"
};

/// Every solver's: those that may run first, the fastest before the others; the first is what a plan takes. Solvers on
/// the GPU are left out where there is none (`devices()` says why). Throws InvalidArgument for a wrong problem.
GPUCONV_API std::vector<Estimate> estimates(Problem const& problem, Options const& options = {});

/// The same as text, a line per solver, and a line that says why there is no GPU.
GPUCONV_API std::string explain(Problem const& problem, Options const& options = {});

}  // namespace gpuconv
