#include "units.hpp"

#include <array>
#include <cstdio>
#include <span>

namespace tool {
namespace {

std::string scaled(double value, double step, std::span<const char* const> units) {
  std::size_t unit = 0;
  while (value >= step && unit + 1 < units.size()) value /= step, ++unit;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), value < 10 ? "%.2g %s" : "%.0f %s", value, units[unit]);
  return text.data();
}

}  // namespace

std::string seconds_text(double seconds) {
  static constexpr std::array units{"ns", "us", "ms", "s"};
  constexpr double kMinute = 60;
  if (seconds >= 2 * kMinute) return scaled(seconds / kMinute, 60, std::array{"min", "h"});
  return scaled(seconds * 1e9, 1000, units);
}

std::string bytes_text(double bytes) {
  static constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB"};
  return scaled(bytes, 1024, units);
}

std::string rate_text(double samples_per_second) {
  static constexpr std::array units{"sample/s", "ksample/s", "Msample/s", "Gsample/s"};
  return scaled(samples_per_second, 1000, units);
}

}  // namespace tool
