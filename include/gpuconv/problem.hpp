// A problem: shapes, element types and mode, without data. Also the one rule that says which part of the full
// convolution or correlation a mode keeps.
#pragma once

#include <gpuconv/export.hpp>
#include <gpuconv/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuconv {

/// What is computed of a signal x of n samples and a filter h of m taps, for k from 0 to n + m - 2:
/// convolve: full[k] = sum over j of x[k - j] * h[j];
/// correlate: full[k] = sum over j of x[k - (m - 1) + j] * h[j], the one at lag k - (m - 1).
enum class Operation : std::uint8_t { convolve, correlate };

/// Which part of the full result is wanted; see `output_slice`.
enum class Mode : std::uint8_t { full, same, valid };

/// Whose `same`: NumPy's has the length of the longer operand, SciPy's and MATLAB's the length of the signal.
enum class Same : std::uint8_t { numpy, scipy, matlab };

/// What the samples beyond the ends of a signal `abcd` are, as scipy.ndimage names it: 0 (`000|abcd|000`), a value that
/// the problem names, the nearest sample (`aaa|abcd|ddd`), the signal mirrored about its ends (`cba|abcd|dcb`) or about
/// its first and last sample (`dcb|abcd|cba`), or the signal again (`bcd|abcd|abc`).
enum class Boundary : std::uint8_t { zero, constant, nearest, reflect, mirror, wrap };

/// One filter for every row of the batch, one per row, or a bank: every filter on every row.
enum class Filters : std::uint8_t { shared, per_row, bank };

/// How a convolution is computed. `reference` is the oracle: plain loops, one precision up, never fast.
enum class Method : std::uint8_t { automatic, reference, direct, overlap_save, fft };

/// Where a convolution is computed.
enum class Device : std::uint8_t { automatic, cpu, cuda };

/// Where the arrays of a call lie. Arrays in host memory may be convolved on either device.
enum class Memory : std::uint8_t { host, device };

GPUCONV_API std::string_view name(Operation) noexcept;
GPUCONV_API std::string_view name(Mode) noexcept;
GPUCONV_API std::string_view name(Same) noexcept;
GPUCONV_API std::string_view name(Boundary) noexcept;
GPUCONV_API std::string_view name(Filters) noexcept;
GPUCONV_API std::string_view name(Method) noexcept;  ///< "auto", "reference", "direct", "overlap-save", "fft"
GPUCONV_API std::string_view name(Device) noexcept;  ///< "auto", "cpu", "cuda"
GPUCONV_API std::string_view name(Memory) noexcept;

/// Part of the full result: `length` outputs of it, from index `first` on, `step` apart.
struct Slice {
  std::int64_t first;
  std::int64_t length;
  std::int64_t step = 1;

  bool operator==(Slice const&) const = default;
};

/// The second axis of a problem, that of images: how many lines signals and filters have. Each line of an image has
/// `Problem::signal` samples, each of a filter `Problem::filter` taps, and full[l][k] = sum over i and j of
/// x[l - i][k - j] * h[i][j]. Mode, `same` and boundary hold along both axes.
struct Lines {
  std::int64_t signal = 1;           ///< lines of an image, at least 1
  std::int64_t filter = 1;           ///< lines of a filter, at least 1; may exceed `signal`
  std::optional<Slice> window = {};  ///< these lines of the result in place of the mode's, as `Problem::window`
  /// Filters are products of a column and a row (`is_separable`): the solver is chosen for two passes of one dimension.
  /// Others are convolved rightly too, though not by the cheapest solver; and a plan that has chosen direct sums on the
  /// CPU makes two passes of every filter that is such a product, whatever this says. On the GPU, where filters may lie
  /// in memory that nobody reads before they are set, there are two passes only where this says so.
  bool separable = false;

  bool operator==(Lines const&) const = default;
};

/// Shapes, element types and mode. Fields are meant for designated initialisers:
/// `Problem{.signal = 1 << 20, .filter = 257, .mode = Mode::same}`.
struct Problem {
  std::int64_t signal = 0;            ///< samples per row, at least 1
  std::int64_t filter = 0;            ///< taps, at least 1; may exceed `signal`
  std::int64_t batch = 1;             ///< rows
  Filters filters = Filters::shared;  ///< one filter, one per row, or a bank of them
  Mode mode = Mode::full;
  Same same = Same::numpy;               ///< read only where mode is same
  Type type = Type::float32;             ///< of the signal
  std::optional<Type> filter_type = {};  ///< none: that of the signal
  /// None: `default_result`. A narrow integer wraps, by being named. Of integers of 32 bits and more a floating result
  /// is summed in double and rounded once; integers beyond 2^53 are rounded to double first.
  std::optional<Type> result_type = {};
  Operation operation = Operation::convolve;
  /// Beyond the ends of the signal. Needs mode same or windows: full and valid have no use for another one than zero.
  Boundary boundary = Boundary::zero;
  double constant = 0;  ///< the value there, one of the signal's type; read only where the boundary is `constant`
  /// These outputs in place of the mode's. They may lie before the full result and behind it, where the boundary says
  /// what is summed.
  std::optional<Slice> window = {};
  std::int64_t bank = 1;  ///< filters of the bank; read only where `filters` is `bank`
  /// For integer results: what lies beyond the result type's range is its nearest value in place of wrapping, as pixels
  /// are stored. Operands may be floating then: their sums are rounded to the nearest integer, halves to the even one,
  /// and NaN is 0. Sums of integers are exact up to 64 bits, beyond which they wrap before.
  bool saturate = false;
  /// Images: `Problem{.signal = 640, .filter = 5, .lines = {.signal = 480, .filter = 5}}`. A row of the batch is an
  /// image, of a filter or a bank a filter of two dimensions.
  Lines lines = {};

  /// All fields, those that are not read too.
  bool operator==(Problem const&) const = default;
};

/// Rows of the filter: 1, one per row of the signal, or those of the bank.
constexpr std::int64_t filter_rows(Problem const& p) noexcept {
  return p.filters == Filters::shared ? 1 : p.filters == Filters::per_row ? p.batch : p.bank;
}
/// Rows of the result: those of the signal or, with a bank, as many for each of its filters: `[batch][bank]` of them.
constexpr std::int64_t result_rows(Problem const& p) noexcept {
  return p.filters == Filters::bank ? p.batch * p.bank : p.batch;
}

/// The slicing rule. With L = min(signal, filter): full is all signal+filter-1 outputs; same starts at (L-1)/2 with
/// max(signal, filter) outputs (`Same::numpy`; a correlation whose filter is the longer one starts at L/2), or has
/// `signal` outputs from (filter-1)/2 (`Same::scipy`) or filter/2 (`Same::matlab`); valid starts at L-1 with
/// |signal-filter|+1 outputs. Source: numpy.convolve and correlate, scipy.signal.convolve and correlate, MATLAB's conv.
/// Throws InvalidArgument for sizes below 1 or whose sum overflows 64 bits.
GPUCONV_API Slice output_slice(std::int64_t signal, std::int64_t filter, Mode mode, Same same = Same::numpy,
                               Operation operation = Operation::convolve);
/// That of a problem, or its window. Throws InvalidArgument for a window that holds nothing or overflows 64 bits.
GPUCONV_API Slice output_slice(Problem const& problem);
/// The lines of the result, by the same rule. Throws as that, and InvalidArgument in mode valid where the filter has
/// more taps in a line than the signal has samples but fewer lines, or the other way round.
GPUCONV_API Slice line_slice(Problem const& problem);

/// Whether signals or filters are images: have more than one line, or the result has.
constexpr bool is_image(Problem const& p) noexcept {
  return p.lines.signal != 1 || p.lines.filter != 1 || p.lines.window.has_value();
}

/// The window of a correlation with `filter` taps at the lags `first`, `first` + `step` and so on to `last` at most:
/// the output at lag l is the sum over j of signal[l + j] * filter[j]. Throws InvalidArgument for a step below 1, a
/// `last` before `first`, and what overflows 64 bits.
GPUCONV_API Slice lag_window(std::int64_t first, std::int64_t last, std::int64_t filter, std::int64_t step = 1);

/// The lag of every output of a correlation. As scipy.signal.correlation_lags for full and valid, and for same where
/// that one agrees with scipy.signal.correlate. Throws as `output_slice`, and OutOfMemory.
GPUCONV_API std::vector<std::int64_t> correlation_lags(std::int64_t signal, std::int64_t filter, Mode mode = Mode::full,
                                                       Same same = Same::numpy);

/// Element type of the filter and of the result, with the defaults filled in.
constexpr Type filter_type(Problem const& p) noexcept { return p.filter_type.value_or(p.type); }
constexpr Type result_type(Problem const& p) noexcept {
  return p.result_type.value_or(default_result(p.type, filter_type(p)));
}

/// "4 x 1048576 float32 * 257 float32 -> same 1048576 float32"; a correlation is written (*). Of images
/// "4 x 480 x 640 uint8 * 5 x 5 float32 -> same 480 x 640 float32".
GPUCONV_API std::string to_string(Problem const& problem);

}  // namespace gpuconv
