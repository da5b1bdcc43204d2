// One-shot calls: numpy.convolve and numpy.correlate for C++ ranges.
#pragma once

#include <gpuconv/export.hpp>
#include <gpuconv/plan.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace gpuconv {

/// Which outputs a call wants: those of a mode, or of mode same by somebody's convention. Converts from either.
struct CallMode {
  constexpr CallMode(Mode m = Mode::full) noexcept : mode(m) {}
  constexpr CallMode(Same s) noexcept : mode(Mode::same), same(s) {}

  Mode mode;
  Same same = Same::numpy;
};

/// How one call convolves or correlates. Where a mode says it all, the mode alone will do: `convolve(x, h,
/// Mode::same)`, `convolve(x, h, Same::matlab)`, `convolve(x, h, {.mode = Mode::valid, .method = Method::direct})`.
struct CallOptions {
  CallMode mode = {};
  Method method = Method::automatic;  ///< forced, as in `Options`
  Device device = Device::automatic;  ///< forced, as in `Options`
  int threads = 0;                    ///< as in `Options`
  /// Where a call on the GPU gets its device memory from; none: CUDA's own pool.
  DeviceAllocator* allocator = nullptr;
  Boundary boundary = Boundary::zero;     ///< as in `Problem`
  double constant = 0;                    ///< as in `Problem`
  std::optional<Slice> window = {};       ///< as in `Problem`; `lag_window` makes one of lags
  std::optional<Slice> line_window = {};  ///< of images, as `Lines::window`
  bool saturate = false;                  ///< as in `Problem`
  /// As `Lines::separable`, of filters in device memory: those in host memory are looked at.
  bool separable = false;
};

namespace detail {

// The types that the last parameter of a call may have.
template <class T>
concept CallLike = std::same_as<T, CallOptions> || std::convertible_to<T, CallMode>;

template <CallLike How>
constexpr CallOptions call_options(How const& how) noexcept {
  if constexpr (std::same_as<How, CallOptions>) return how;
  else return {.mode = how};
}

// Gives the result `length` elements, once all else is known to be right.
using Allocate = HostOutput (*)(void* result, std::int64_t length);

GPUCONV_API void run(Operation, HostInput signal, HostInput filter, HostOutput out, CallOptions const& how);
GPUCONV_API void run(Operation, HostInput signal, HostInput filter, Type result_type, Allocate allocate, void* result,
                     CallOptions const& how);
GPUCONV_API void run(Operation, DeviceInput signal, DeviceInput filter, DeviceOutput out, CallOptions const& how,
                     Stream stream);

template <class R>
HostOutput resized(void* result, std::int64_t length) {
  auto& out = *static_cast<std::vector<R>*>(result);
  out.resize(static_cast<std::size_t>(length));  // what this throws, the library catches: no try with -fno-exceptions
  return out;
}

template <class R, class S, class F>
using OneShotResult = typename std::conditional_t<
    std::is_void_v<R>, std::type_identity<result_t<std::ranges::range_value_t<S>, std::ranges::range_value_t<F>>>,
    std::type_identity<R>>::type;

template <class R, class S, class F>
auto vector_of(Operation operation, S const& signal, F const& filter, CallOptions const& how) {
  using Result = OneShotResult<R, S, F>;
  std::vector<Result> out;
  run(operation, HostInput(signal), HostInput(filter), type_of<Result>, resized<Result>, &out, how);
  return out;
}

}  // namespace detail

/// Convolves every row of `signal` with `filter` (one row, one per row of the signal, or a bank) into `out`, whose
/// element type names the result type. Returns when `out` is written. Shapes: signal `[batch][n]`, filter `[m]` or
/// `[batch][m]`, out `[batch][output_slice(n, m, mode).length]`; of a bank, filter `[bank][m]` and out
/// `[batch][bank][...]`, which its rows tell, batch times bank; ranges are single rows. `how`: a Mode, a Same or
/// CallOptions. Throws as `Plan`.
template <detail::CallLike How = CallOptions>
void convolve(HostInput signal, HostInput filter, HostOutput out, How const& how = {}) {
  detail::run(Operation::convolve, signal, filter, out, detail::call_options(how));
}

/// The same for arrays in device memory, in the order of `stream`; returns when `out` is written. A program that
/// convolves more than once with a filter makes a Plan, whose calls are asynchronous.
template <detail::CallLike How = CallOptions>
void convolve(DeviceInput signal, DeviceInput filter, DeviceOutput out, How const& how = {}, Stream stream = {}) {
  detail::run(Operation::convolve, signal, filter, out, detail::call_options(how), stream);
}

/// `numpy.convolve(signal, filter, mode)` of two contiguous ranges, as a vector. Integers give int64 or uint64, exact
/// modulo 2^64; `convolve<std::int8_t>(a, b)` names a narrower, wrapping result. `how`: a Mode, a
/// Same or CallOptions. Throws as `Plan`, and OutOfMemory where the result and the memory that it takes to compute it
/// are together more than `machine_memory()`, before the result is allocated.
template <class R = void, detail::ElementRange S, detail::ElementRange F, detail::CallLike How = CallOptions>
auto convolve(S const& signal, F const& filter, How const& how = {}) {
  return detail::vector_of<R>(Operation::convolve, signal, filter, detail::call_options(how));
}

/// Correlates every row of `signal` with `filter`, all else as `convolve` does. The mode is full where none is given
/// (numpy.correlate's own default is valid). `correlation_lags` gives the lag of each output; a `lag_window` in `how`
/// computes some lags alone.
template <detail::CallLike How = CallOptions>
void correlate(HostInput signal, HostInput filter, HostOutput out, How const& how = {}) {
  detail::run(Operation::correlate, signal, filter, out, detail::call_options(how));
}
/// For arrays in device memory, as `convolve`.
template <detail::CallLike How = CallOptions>
void correlate(DeviceInput signal, DeviceInput filter, DeviceOutput out, How const& how = {}, Stream stream = {}) {
  detail::run(Operation::correlate, signal, filter, out, detail::call_options(how), stream);
}
/// As a vector, as `convolve`.
template <class R = void, detail::ElementRange S, detail::ElementRange F, detail::CallLike How = CallOptions>
auto correlate(S const& signal, F const& filter, How const& how = {}) {
  return detail::vector_of<R>(Operation::correlate, signal, filter, detail::call_options(how));
}

/// Convolves every image of `signal` with `filter` (one, one per image, or a bank) into `out`. Shapes: signal
/// `[batch][lines][columns]`, filter `[m][n]`, `[batch][m][n]` or of a bank `[bank][m][n]`, out `[batch][...]` or of a
/// bank `[batch][bank][...]`, with `output_slice` lines by `output_slice` columns; views of them are made of `Images`.
/// As scipy.signal.convolve2d(signal, filter, mode, "fill") with `Same::scipy`; docs/boundaries.md says which `Same`
/// and `Boundary` others have. Where a filter is one line or one column this costs what one dimension costs; where it
/// is `is_separable`, two passes of that, if it is in host memory or `CallOptions::separable` says so. `how`: a Mode, a
/// Same or CallOptions. Throws as `Plan`.
template <detail::CallLike How = CallOptions>
void convolve2d(HostInput signal, HostInput filter, HostOutput out, How const& how = {}) {
  detail::run(Operation::convolve, signal, filter, out, detail::call_options(how));
}
/// For arrays in device memory, as `convolve`.
template <detail::CallLike How = CallOptions>
void convolve2d(DeviceInput signal, DeviceInput filter, DeviceOutput out, How const& how = {}, Stream stream = {}) {
  detail::run(Operation::convolve, signal, filter, out, detail::call_options(how), stream);
}

/// Correlates every image of `signal` with `filter`: out at lags (l, k) is the sum over i and j of
/// signal[l + i][k + j] * filter[i][j], of complex filters conjugated. All else as `convolve2d`.
template <detail::CallLike How = CallOptions>
void correlate2d(HostInput signal, HostInput filter, HostOutput out, How const& how = {}) {
  detail::run(Operation::correlate, signal, filter, out, detail::call_options(how));
}
/// For arrays in device memory, as `convolve`.
template <detail::CallLike How = CallOptions>
void correlate2d(DeviceInput signal, DeviceInput filter, DeviceOutput out, How const& how = {}, Stream stream = {}) {
  detail::run(Operation::correlate, signal, filter, out, detail::call_options(how), stream);
}

}  // namespace gpuconv
