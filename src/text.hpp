// What every public call runs in, and the texts of errors and descriptions.
#pragma once

#include "core/float_environment.hpp"

#include <cstdint>
#include <new>
#include <sstream>
#include <string>
#include <utility>

namespace gpuconv::detail {

/// Throws OutOfMemory, without allocating. `bytes`: those that were wanted, 0 where that is not known.
[[noreturn]] void throw_out_of_memory(std::int64_t bytes);

/// Runs `f` in the library's floating-point environment; an allocation that fails inside becomes OutOfMemory.
template <class F>
decltype(auto) guarded(F&& f) {
  const FloatEnvironment environment;
  try {
    return f();
  } catch (std::bad_alloc const&) {
    throw_out_of_memory(0);
  }
}

/// The parts, one after the other. Throws OutOfMemory.
template <class... Parts>
std::string text(Parts const&... parts) {
  return guarded([&] {
    std::ostringstream out;
    out.exceptions(std::ios::badbit);  // or a failed allocation would cut the text, without a word
    (out << ... << parts);
    return std::move(out).str();
  });
}

/// "1.5 KiB", "3.2 GiB".
std::string bytes_text(double bytes);
/// "310 us", "1.2 s".
std::string seconds_text(double seconds);

}  // namespace gpuconv::detail
