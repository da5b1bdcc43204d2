#include "filters.hpp"

#include "numbers.hpp"

#include <gpuconv/gpuconv.hpp>

#include <cmath>

namespace tool {
namespace {

// The parts of a text between separators.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return parts;
}

std::string_view without_spaces_around(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Refuses so many taps along each axis before there is even one of them.
void check_memory(double side) {
  if (side * side * sizeof(double) > static_cast<double>(gpuconv::machine_memory()))
    throw gpuconv::OutOfMemory("a filter that large is more than the memory that this process may use", 0);
}

// A column of taps times a row of the same.
Taps product(std::vector<double> const& taps) {
  Taps out{.lines = std::ssize(taps), .columns = std::ssize(taps), .values = {}};
  out.values.reserve(taps.size() * taps.size());
  for (const double line : taps)
    for (const double column : taps) out.values.push_back(line * column);
  return out;
}

}  // namespace

std::optional<Taps> taps_of(std::string_view text) {
  Taps taps;
  for (std::string_view const line : split(text, ';')) {
    for (std::string_view const tap : split(line, ',')) {
      const std::optional<double> value = number<double>(without_spaces_around(tap));
      if (!value || !std::isfinite(*value)) return {};
      taps.values.push_back(*value);
    }
    ++taps.lines;
    if (taps.lines == 1) taps.columns = std::ssize(taps.values);
    if (std::ssize(taps.values) != taps.lines * taps.columns) return {};
  }
  return taps;
}

std::vector<Taps> named_filters(std::string_view text) {
  const Taps down{3, 3, {1, 2, 1, 0, 0, 0, -1, -2, -1}}, across{3, 3, {1, 0, -1, 2, 0, -2, 1, 0, -1}};
  if (text == "sobel") return {down, across};
  if (text == "sobel:0") return {down};
  if (text == "sobel:1") return {across};
  if (text == "laplacian") return {{3, 3, {0, 1, 0, 1, -4, 1, 0, 1, 0}}};
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (name == "gaussian") {
    if (const auto sigma = number<double>(value)) {
      check_memory(8 * *sigma);  // four sigma on either side
      return {product(gpuconv::recipes::gaussian_taps(*sigma))};
    }
  }
  if (name == "box") {
    if (const auto size = number<std::int64_t>(value)) {
      check_memory(static_cast<double>(*size));
      return {product(gpuconv::recipes::box_taps(*size))};
    }
  }
  return {};
}

}  // namespace tool
