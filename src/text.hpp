// Builds the texts of errors and descriptions.
#pragma once

#include <sstream>
#include <string>

namespace gpuconv::detail {

template <class... Parts>
std::string text(Parts const&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

/// "1.5 KiB", "3.2 GiB".
std::string bytes_text(double bytes);
/// "310 us", "1.2 s".
std::string seconds_text(double seconds);

}  // namespace gpuconv::detail
