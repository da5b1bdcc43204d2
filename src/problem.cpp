#include "problem.hpp"

#include "text.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>
#include <gpuconv/plan.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>

namespace gpuconv {

using detail::text;

std::string_view name(Type type) noexcept {
#define GPUCONV_TEXT(name, element, kind) #name,
  static constexpr std::string_view names[] = {GPUCONV_ELEMENTS(GPUCONV_TEXT)};
#undef GPUCONV_TEXT
  return static_cast<int>(type) < type_count ? names[static_cast<std::size_t>(type)] : "unknown";
}
std::string_view name(Operation operation) noexcept {
  return operation == Operation::convolve ? "convolve" : "correlate";
}
std::string_view name(Mode mode) noexcept {
  return mode == Mode::full ? "full" : mode == Mode::same ? "same" : "valid";
}
std::string_view name(Same same) noexcept {
  return same == Same::numpy ? "numpy" : same == Same::scipy ? "scipy" : "matlab";
}
std::string_view name(Boundary boundary) noexcept {
  static constexpr std::array<std::string_view, 6> names{"zero", "constant", "nearest", "reflect", "mirror", "wrap"};
  return static_cast<std::size_t>(boundary) < names.size() ? names[static_cast<std::size_t>(boundary)] : "unknown";
}
std::string_view name(Filters filters) noexcept {
  return filters == Filters::shared ? "shared" : filters == Filters::per_row ? "one per row" : "bank";
}
std::string_view name(Method method) noexcept {
  static constexpr std::array<std::string_view, 5> names{"auto", "reference", "direct", "overlap-save", "fft"};
  return static_cast<std::size_t>(method) < names.size() ? names[static_cast<std::size_t>(method)] : "unknown";
}
std::string_view name(Device device) noexcept {
  return device == Device::automatic ? "auto" : device == Device::cpu ? "cpu" : "cuda";
}
std::string_view name(Memory memory) noexcept { return memory == Memory::host ? "host" : "device"; }
std::string_view name(Wrapping wrapping) noexcept {
  return wrapping == Wrapping::never ? "never" : wrapping == Wrapping::possible ? "possible" : "unknown";
}

Slice output_slice(std::int64_t n, std::int64_t m, Mode mode, Same same, Operation operation) {
  if (n < 1) throw InvalidArgument(n == 0 ? "the signal is empty" : text("the signal has ", n, " samples"));
  if (m < 1) throw InvalidArgument(m == 0 ? "the filter is empty" : text("the filter has ", m, " taps"));
  std::int64_t full;
  if (__builtin_add_overflow(n, m - 1, &full))
    throw InvalidArgument(text("a signal of ", n, " samples and a filter of ", m, " taps overflow 64-bit sizes"));
  const std::int64_t shorter = std::min(n, m), longer = std::max(n, m);
  switch (mode) {
    case Mode::full:
      return {0, full};
    case Mode::valid:
      return {shorter - 1, longer - shorter + 1};
    case Mode::same:
      break;
  }
  switch (same) {
    case Same::scipy:
      return {(m - 1) / 2, n};
    case Same::matlab:
      return {m / 2, n};
    default:
      // NumPy correlates the longer operand with the shorter one, and reverses what comes out.
      return {operation == Operation::correlate && m > n ? shorter / 2 : (shorter - 1) / 2, longer};
  }
}

namespace {

// That of one axis: `of_mode`, or the window.
Slice window_slice(Slice const& of_mode, std::optional<Slice> const& window, std::int64_t signal, std::int64_t filter) {
  if (!window) return of_mode;
  Slice const& w = *window;
  if (w.length < 1 || w.step < 1)
    throw InvalidArgument(
        text("a window of ", w.length, " outputs, ", w.step, " apart: both numbers have to be at least 1"));
  // So far from the signal nothing that is computed from an index overflows.
  constexpr std::int64_t kFurthest = std::int64_t{1} << 61;
  std::int64_t last;
  if (__builtin_mul_overflow(w.length - 1, w.step, &last) || __builtin_add_overflow(last, w.first, &last) ||
      w.first < -kFurthest || last > std::max(kFurthest, signal + (filter - 1)))
    throw InvalidArgument(
        text("a window of ", w.length, " outputs from ", w.first, " on, ", w.step, " apart, overflows 64-bit sizes"));
  return w;
}

// "480 x 640", or the columns alone where there are no lines.
std::string shape_text(Problem const& p, std::int64_t lines, std::int64_t columns) {
  return is_image(p) ? text(lines, " x ", columns) : text(columns);
}

}  // namespace

Slice output_slice(Problem const& p) {
  return window_slice(output_slice(p.signal, p.filter, p.mode, p.same, p.operation), p.window, p.signal, p.filter);
}

Slice line_slice(Problem const& p) {
  if (!is_image(p)) return {0, 1};
  Lines const& l = p.lines;
  if (l.signal < 1) throw InvalidArgument(text("the signal has ", l.signal, " lines, at least 1 is expected"));
  if (l.filter < 1) throw InvalidArgument(text("the filter has ", l.filter, " lines, at least 1 is expected"));
  const bool contained =
      (p.filter <= p.signal && l.filter <= l.signal) || (p.filter >= p.signal && l.filter >= l.signal);
  if (p.mode == Mode::valid && !(p.window && l.window) && !contained)
    throw InvalidArgument(text("mode valid: neither the signal of ", l.signal, " x ", p.signal, " nor the filter of ",
                               l.filter, " x ", p.filter, " holds the other one"));
  return window_slice(output_slice(l.signal, l.filter, p.mode, p.same, p.operation), l.window, l.signal, l.filter);
}

Slice lag_window(std::int64_t first, std::int64_t last, std::int64_t filter, std::int64_t step) {
  if (filter < 1) throw InvalidArgument(text("the filter has ", filter, " taps"));
  if (step < 1) throw InvalidArgument(text("the lags have a step of ", step, ", at least 1 is expected"));
  if (last < first) throw InvalidArgument(text("the lags from ", first, " to ", last, " are none"));
  std::int64_t span, at;
  if (__builtin_sub_overflow(last, first, &span) || __builtin_add_overflow(first, filter - 1, &at) || span == INT64_MAX)
    throw InvalidArgument(text("the lags from ", first, " to ", last, " overflow 64-bit sizes"));
  return {at, span / step + 1, step};
}

std::vector<std::int64_t> correlation_lags(std::int64_t n, std::int64_t m, Mode mode, Same same) {
  return detail::guarded([&] {
    const Slice slice = output_slice(n, m, mode, same, Operation::correlate);
    detail::check_fits(static_cast<double>(slice.length) * sizeof(std::int64_t));
    std::vector<std::int64_t> lags(static_cast<std::size_t>(slice.length));
    std::iota(lags.begin(), lags.end(), slice.first - (m - 1));
    return lags;
  });
}

std::string to_string(Problem const& p) {
  const Slice slice = output_slice(p), lines = line_slice(p);
  std::string outputs(name(p.mode));
  if (p.lines.window) outputs = text("from ", lines.first, ", ", slice.first, " on");
  else if (p.window) outputs = text("from ", slice.first, " on");
  else if (p.mode == Mode::same && p.same != Same::numpy) outputs = text(outputs, " (", name(p.same), ')');
  if (lines.step != 1) outputs = text(outputs, " every ", lines.step, ", ", slice.step);
  else if (slice.step != 1) outputs = text(outputs, " every ", slice.step);
  const std::string bank = p.filters == Filters::bank ? text(p.bank, " x ") : "";
  const std::string beyond = p.boundary == Boundary::zero ? "" : text(" (", name(p.boundary), ')');
  return text(p.batch, " x ", shape_text(p, p.lines.signal, p.signal), ' ', name(p.type), beyond,
              p.operation == Operation::correlate ? " (*) " : " * ", bank, shape_text(p, p.lines.filter, p.filter), ' ',
              name(filter_type(p)), p.filters == Filters::per_row ? " per row" : "", " -> ", outputs, ' ',
              shape_text(p, lines.length, slice.length), ' ', p.saturate ? "saturated " : "", name(result_type(p)));
}

namespace detail {
namespace {

std::int64_t bytes_of(std::int64_t rows, std::int64_t lines, std::int64_t columns, Type type, const char* what) {
  std::int64_t bytes;
  if (__builtin_mul_overflow(rows, columns, &bytes) || __builtin_mul_overflow(bytes, lines, &bytes) ||
      __builtin_mul_overflow(bytes, static_cast<std::int64_t>(size_of(type)), &bytes))
    throw InvalidArgument(text("the ", what, " of ", rows, " x ", lines == 1 ? "" : text(lines, " x "), columns, ' ',
                               name(type), " overflows 64-bit sizes"));
  return bytes;
}

// Below this no machine needs to be asked how much memory it has: that reads files.
constexpr double kSurelyFits = 64 << 20;

void check_types(Problem const& p) {
  const Type filter = filter_type(p), result = result_type(p);
  for (const Type t : {p.type, filter, result})
    if (static_cast<int>(t) >= type_count) throw InvalidArgument(text("unknown element type ", static_cast<int>(t)));
  const Type least = default_result(p.type, filter);
  if (p.saturate) {
    if (!is_integer(result) || is_complex(least))
      throw InvalidArgument(text("saturate is for integer results of real operands, the result of ", name(p.type),
                                 " with ", name(filter), " is ", name(result)));
    return;
  }
  const auto refuse = [&](const char* why) {
    throw InvalidArgument(
        text("a result of ", name(result), ' ', why, ' ', name(p.type), " with ", name(filter), ", ", name(least)));
  };
  if (is_complex(result) && !is_complex(least)) refuse("is complex, that of");
  if (is_integer(least)) return;
  if (is_integer(result) || (is_complex(least) && !is_complex(result))) refuse("cannot hold that of");
  if (precision(result) < precision(least)) refuse("is narrower than that of");
  if (precision(result) == precision(least) && part_type(result) != part_type(least)) refuse("cannot hold that of");
}

// Whether an element can be `value`; floating-point ones round it, complex ones have it as their real part.
bool is_element(double value, Type type) {
  return visit_type(part_type(type), [&]<class T>(std::type_identity<T>) {
    if constexpr (is_floating_element<T>) {
      constexpr double half = 65504, bfloat = 0x1.fep127;  // the largest ones
      const double largest = sizeof(T) > 2                         ? static_cast<double>(std::numeric_limits<T>::max())
                             : std::is_same_v<T, gpuconv::float16> ? half
                                                                   : bfloat;
      return !std::isfinite(value) || std::abs(value) <= largest;
    } else if constexpr (is_integer(type_of<T>)) {
      using Limits = std::numeric_limits<T>;
      return value == std::trunc(value) && value >= static_cast<double>(Limits::min()) &&
             value < std::ldexp(1.0, Limits::digits);
    } else {
      return false;
    }
  });
}

void check_boundary(Problem const& p) {
  if (p.boundary == Boundary::zero) return;
  if (p.mode != Mode::same && !p.window && !p.lines.window)
    throw InvalidArgument(
        text("boundary ", name(p.boundary), " needs mode same or a window, the mode is ", name(p.mode)));
  if (p.boundary == Boundary::constant && !is_element(p.constant, p.type))
    throw InvalidArgument(text("the constant ", p.constant, " beyond the ends is no ", name(p.type)));
}

}  // namespace

Work check(Problem const& p) {
  const auto in_range = [](auto value, int count) { return static_cast<int>(value) < count; };
  if (!in_range(p.mode, 3) || !in_range(p.same, 3) || !in_range(p.filters, 3) || !in_range(p.operation, 2) ||
      !in_range(p.boundary, 6))
    throw InvalidArgument("unknown mode, same, filters, operation or boundary in the problem");
  check_types(p);
  check_boundary(p);
  const Slice slice = output_slice(p), lines = line_slice(p);
  if (p.batch < 1) throw InvalidArgument(text("the batch has ", p.batch, " rows, at least 1 is expected"));
  const bool per_row = p.filters == Filters::per_row, bank = p.filters == Filters::bank;
  if (bank && p.bank < 1) throw InvalidArgument(text("the bank has ", p.bank, " filters, at least 1 is expected"));
  const std::int64_t filters_each = bank ? p.bank : 1;
  std::int64_t rows;
  if (__builtin_mul_overflow(p.batch, filters_each, &rows))
    throw InvalidArgument(text("a batch of ", p.batch, " rows with ", p.bank, " filters overflows 64-bit sizes"));
  const Work work{.axis = {.signal = p.signal,
                           .filter = p.filter,
                           .first = slice.first,
                           .outputs = slice.length,
                           .step = slice.step},
                  .lines = {.signal = p.lines.signal,
                            .filter = p.lines.filter,
                            .first = lines.first,
                            .outputs = lines.length,
                            .step = lines.step},
                  .separable = p.lines.separable,
                  .extension = {p.boundary, p.boundary == Boundary::constant ? p.constant : 0.0},
                  .loops = {.outer = {.count = p.batch, .signal_moves = true, .filter_moves = per_row},
                            .inner = {.count = filters_each, .filter_moves = bank}},
                  .signal_type = p.type,
                  .filter_type = filter_type(p),
                  .result_type = result_type(p),
                  .saturated = p.saturate};
  const std::int64_t parts[] = {bytes_of(p.batch, p.lines.signal, p.signal, p.type, "signal"),
                                bytes_of(filter_rows(p), p.lines.filter, p.filter, work.filter_type, "filter"),
                                bytes_of(rows, lines.length, slice.length, work.result_type, "result")};
  std::int64_t total = 0;
  for (const std::int64_t part : parts)
    if (__builtin_add_overflow(total, part, &total))
      throw InvalidArgument(text("signal, filter and result together overflow 64-bit sizes"));
  return work;
}

void check_fits(double bytes) {
  if (bytes <= kSurelyFits || bytes <= static_cast<double>(machine_memory())) return;
  const auto needed = static_cast<std::int64_t>(std::min(bytes, 9e18));
  throw OutOfMemory(text(needed, " bytes are needed; this process may use ", machine_memory()), needed);
}

void check_device_bytes(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(INT64_MAX))
    throw InvalidArgument("the size of a device buffer is negative or overflows 64-bit sizes");
}

std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

}  // namespace detail
}  // namespace gpuconv
