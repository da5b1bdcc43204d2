// What the functions of the C face have in common. They return 0, or, with the reason in gpuconv_bench_error(), 1 where
// gpuconv refuses what it is asked for or memory is short and -1 after any other error. Texts that they return are
// valid until the next one on the same thread.
#pragma once

#include <gpuconv/error.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>

#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))

namespace gpuconv::bench {

inline thread_local std::string error_text, result_text;

template <class F>
int guarded(F&& f) noexcept {
  int status = 1;
  try {
    f();
    return 0;
  } catch (Unsupported const& e) {
    error_text = e.what();
  } catch (OutOfMemory const& e) {
    error_text = e.what();
  } catch (std::exception const& e) {
    error_text = e.what(), status = -1;
  }
  return status;
}

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Of one of `repeats` calls.
template <class F>
double seconds_of(std::int64_t repeats, F&& call) {
  const double begin = now();
  for (std::int64_t i = 0; i < repeats; ++i) call();
  return (now() - begin) / static_cast<double>(repeats);
}

}  // namespace gpuconv::bench
