#include "problem.hpp"

#include "text.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace gpuconv {

using detail::text;

std::string_view name(Type type) noexcept {
#define GPUCONV_TEXT(name, element, kind, sum) #name,
  static constexpr std::string_view names[] = {GPUCONV_ELEMENTS(GPUCONV_TEXT)};
#undef GPUCONV_TEXT
  return static_cast<int>(type) < type_count ? names[static_cast<std::size_t>(type)] : "unknown";
}
std::string_view name(Mode mode) noexcept {
  return mode == Mode::full ? "full" : mode == Mode::same ? "same" : "valid";
}
std::string_view name(Same same) noexcept {
  return same == Same::numpy ? "numpy" : same == Same::scipy ? "scipy" : "matlab";
}
std::string_view name(Filters filters) noexcept { return filters == Filters::shared ? "shared" : "one a row"; }
std::string_view name(Method method) noexcept {
  static constexpr std::array<std::string_view, 5> names{"auto", "reference", "direct", "overlap-save", "fft"};
  return static_cast<std::size_t>(method) < names.size() ? names[static_cast<std::size_t>(method)] : "unknown";
}
std::string_view name(Device device) noexcept {
  return device == Device::automatic ? "auto" : device == Device::cpu ? "cpu" : "cuda";
}
std::string_view name(Memory memory) noexcept { return memory == Memory::host ? "host" : "device"; }

Slice output_slice(std::int64_t n, std::int64_t m, Mode mode, Same same) {
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
      return {(shorter - 1) / 2, longer};
  }
}

std::string to_string(Problem const& p) {
  const bool other_same = p.mode == Mode::same && p.same != Same::numpy;
  return text(p.batch, " x ", p.signal, ' ', name(p.type), " * ", p.filter, ' ', name(filter_type(p)),
              p.filters == Filters::per_row ? " a row" : "", " -> ", name(p.mode), other_same ? " (" : "",
              other_same ? name(p.same) : "", other_same ? ") " : " ", output_slice(p).length, ' ',
              name(result_type(p)));
}

namespace detail {
namespace {

std::int64_t bytes_of(std::int64_t rows, std::int64_t columns, Type type, const char* what) {
  std::int64_t bytes;
  if (__builtin_mul_overflow(rows, columns, &bytes) ||
      __builtin_mul_overflow(bytes, static_cast<std::int64_t>(size_of(type)), &bytes))
    throw InvalidArgument(text("the ", what, " of ", rows, " x ", columns, ' ', name(type), " overflows 64-bit sizes"));
  return bytes;
}

// Below this no machine needs to be asked how much memory it has: that reads files.
constexpr double kSurelyFits = 64 << 20;

void check_types(Problem const& p) {
  const Type filter = filter_type(p), result = result_type(p);
  for (const Type t : {p.type, filter, result})
    if (static_cast<int>(t) >= type_count) throw InvalidArgument(text("unknown element type ", static_cast<int>(t)));
  const bool floating = is_floating(p.type) || is_floating(filter);
  if (floating && !is_floating(result))
    throw InvalidArgument(
        text("a result of ", name(result), " cannot hold the convolution of ", name(p.type), " with ", name(filter)));
  if (floating && size_of(result) < size_of(default_result(p.type, filter)))
    throw InvalidArgument(text("a result of ", name(result), " is narrower than that of ", name(p.type), " with ",
                               name(filter), ", ", name(default_result(p.type, filter))));
}

}  // namespace

Work check(Problem const& p) {
  const auto in_range = [](auto value, int count) { return static_cast<int>(value) < count; };
  if (!in_range(p.mode, 3) || !in_range(p.same, 3) || !in_range(p.filters, 2))
    throw InvalidArgument("unknown mode, same or filters in the problem");
  check_types(p);
  const Slice slice = output_slice(p);
  if (p.batch < 1) throw InvalidArgument(text("the batch has ", p.batch, " rows, at least 1 is expected"));
  const bool per_row = p.filters == Filters::per_row;
  const Work work{.axis = {.signal = p.signal, .filter = p.filter, .first = slice.first, .outputs = slice.length},
                  .loops = {.outer = {.count = p.batch, .signal_moves = true, .filter_moves = per_row}, .inner = {}},
                  .signal_type = p.type,
                  .filter_type = filter_type(p),
                  .result_type = result_type(p)};
  const std::int64_t parts[] = {bytes_of(p.batch, p.signal, p.type, "signal"),
                                bytes_of(per_row ? p.batch : 1, p.filter, work.filter_type, "filter"),
                                bytes_of(p.batch, slice.length, work.result_type, "result")};
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
