// One-shot convolution: numpy.convolve for C++ ranges.
#pragma once

#include <gpuconv/export.hpp>
#include <gpuconv/plan.hpp>

#include <new>
#include <type_traits>
#include <vector>

namespace gpuconv {

/// Convolves every row of `signal` with `filter` (one row, or one a row of the signal) into `out`, whose element type
/// names the result type. Returns when `out` is written. Shapes: signal `[batch][n]`, filter `[m]` or `[batch][m]`,
/// out `[batch][output_slice(n, m, mode).length]`; ranges are single rows. Throws as `Plan`.
GPUCONV_API void convolve(HostInput signal, HostInput filter, HostOutput out, Mode mode = Mode::full,
                          Options const& options = {});
/// The same in mode same, by another convention than NumPy's.
GPUCONV_API void convolve(HostInput signal, HostInput filter, HostOutput out, Same same, Options const& options = {});

/// The same for arrays in device memory, in the order of `stream`; returns when `out` is written. A program that
/// convolves more than once with a filter makes a Plan, whose calls are asynchronous.
GPUCONV_API void convolve(DeviceInput signal, DeviceInput filter, DeviceOutput out, Mode mode = Mode::full,
                          Stream stream = {}, Options const& options = {});
GPUCONV_API void convolve(DeviceInput signal, DeviceInput filter, DeviceOutput out, Same same, Stream stream = {},
                          Options const& options = {});

namespace detail {

template <class R, class S, class F>
using OneShotResult = typename std::conditional_t<
    std::is_void_v<R>, std::type_identity<result_t<std::ranges::range_value_t<S>, std::ranges::range_value_t<F>>>,
    std::type_identity<R>>::type;

/// Throws what a call for `problem` would throw; returns the outputs a row.
GPUCONV_API std::int64_t check_call(Problem const& problem, Options const& options);
[[noreturn]] GPUCONV_API void throw_out_of_memory(std::int64_t bytes);

// The result is allocated once all else is known to be right.
template <class R>
std::vector<R> make_result(Problem const& problem, Options const& options) {
  const std::int64_t length = check_call(problem, options);
  try {
    return std::vector<R>(static_cast<std::size_t>(length));
  } catch (std::bad_alloc const&) {
    throw_out_of_memory(length * static_cast<std::int64_t>(sizeof(R)));
  }
}

template <class R, class S, class F>
auto make_result(HostView<S> signal, HostView<F> filter, Mode mode, Same same, Options const& options) {
  return make_result<R>({.signal = signal.columns(),
                         .filter = filter.columns(),
                         .mode = mode,
                         .same = same,
                         .type = type_of<S>,
                         .filter_type = type_of<F>,
                         .result_type = type_of<R>},
                        options);
}

}  // namespace detail

/// `numpy.convolve(signal, filter, mode)` of two contiguous ranges, as a vector. Integers give int64 or uint64 so that
/// they cannot overflow silently; `convolve<std::int8_t>(a, b)` names a narrower, wrapping result. Throws as `Plan`.
template <class R = void, detail::ElementRange S, detail::ElementRange F>
auto convolve(S const& signal, F const& filter, Mode mode = Mode::full, Options const& options = {}) {
  const HostView s(signal), f(filter);
  auto out = detail::make_result<detail::OneShotResult<R, S, F>>(s, f, mode, Same::numpy, options);
  convolve(HostInput(s), HostInput(f), HostOutput(out), mode, options);
  return out;
}

/// The same in mode same, by another convention than NumPy's.
template <class R = void, detail::ElementRange S, detail::ElementRange F>
auto convolve(S const& signal, F const& filter, Same same, Options const& options = {}) {
  const HostView s(signal), f(filter);
  auto out = detail::make_result<detail::OneShotResult<R, S, F>>(s, f, Mode::same, same, options);
  convolve(HostInput(s), HostInput(f), HostOutput(out), same, options);
  return out;
}

}  // namespace gpuconv
