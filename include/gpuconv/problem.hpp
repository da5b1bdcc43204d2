// A problem: shapes, element types and mode, without data. Also the one rule that says which part of the full
// convolution a mode keeps.
#pragma once

#include <gpuconv/export.hpp>
#include <gpuconv/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuconv {

/// Which part of the full convolution is wanted; see `output_slice`.
enum class Mode : std::uint8_t { full, same, valid };

/// Whose `same`: NumPy's has the length of the longer operand, SciPy's and MATLAB's the length of the signal.
enum class Same : std::uint8_t { numpy, scipy, matlab };

/// One filter for every row of the batch, or one per row.
enum class Filters : std::uint8_t { shared, per_row };

/// How a convolution is computed. `reference` is the oracle: plain loops, one precision up, never fast.
enum class Method : std::uint8_t { automatic, reference, direct, overlap_save, fft };

/// Where a convolution is computed.
enum class Device : std::uint8_t { automatic, cpu, cuda };

/// Where the arrays of a call lie. Arrays in host memory may be convolved on either device.
enum class Memory : std::uint8_t { host, device };

GPUCONV_API std::string_view name(Mode) noexcept;
GPUCONV_API std::string_view name(Same) noexcept;
GPUCONV_API std::string_view name(Filters) noexcept;
GPUCONV_API std::string_view name(Method) noexcept;  ///< "auto", "reference", "direct", "overlap-save", "fft"
GPUCONV_API std::string_view name(Device) noexcept;  ///< "auto", "cpu", "cuda"
GPUCONV_API std::string_view name(Memory) noexcept;

/// Shapes, element types and mode. Fields are meant for designated initialisers:
/// `Problem{.signal = 1 << 20, .filter = 257, .mode = Mode::same}`.
struct Problem {
  std::int64_t signal = 0;            ///< samples per row, at least 1
  std::int64_t filter = 0;            ///< taps, at least 1; may exceed `signal`
  std::int64_t batch = 1;             ///< rows
  Filters filters = Filters::shared;  ///< one filter, or one per row
  Mode mode = Mode::full;
  Same same = Same::numpy;               ///< read only where mode is same
  Type type = Type::float32;             ///< of the signal
  std::optional<Type> filter_type = {};  ///< none: that of the signal
  std::optional<Type> result_type = {};  ///< none: `default_result`. A narrow integer wraps, by being named
};

/// Part of the full convolution: `length` outputs from index `first` of it.
struct Slice {
  std::int64_t first;
  std::int64_t length;
};

/// The slicing rule. With L = min(signal, filter): full is all signal+filter-1 outputs; same starts at (L-1)/2 with
/// max(signal, filter) outputs (`Same::numpy`), or has `signal` outputs from (filter-1)/2 (`Same::scipy`) or filter/2
/// (`Same::matlab`); valid starts at L-1 with |signal-filter|+1 outputs. Source: numpy.convolve, scipy.signal.convolve
/// and MATLAB's conv. Throws InvalidArgument for sizes below 1 or whose sum overflows 64 bits.
GPUCONV_API Slice output_slice(std::int64_t signal, std::int64_t filter, Mode mode, Same same = Same::numpy);
inline Slice output_slice(Problem const& p) { return output_slice(p.signal, p.filter, p.mode, p.same); }

/// Element type of the filter and of the result, with the defaults filled in.
constexpr Type filter_type(Problem const& p) noexcept { return p.filter_type.value_or(p.type); }
constexpr Type result_type(Problem const& p) noexcept {
  return p.result_type.value_or(default_result(p.type, filter_type(p)));
}

/// "4 x 1048576 float32 * 257 float32 -> same 1048576 float32".
GPUCONV_API std::string to_string(Problem const& problem);

}  // namespace gpuconv
