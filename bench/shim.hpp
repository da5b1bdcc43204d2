// What the parts of the shim share: how functions are exported, and how errors cross the C boundary.
#pragma once

#include <gpuconv/plan.hpp>

#include <exception>
#include <memory>
#include <string>

#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))

namespace gpuconv::bench {

/// What is to be computed, with its names resolved.
struct Request {
  Problem problem;
  Options options;
};

inline thread_local std::string error_text;

/// 0, or -1 with the exception's text in error_text.
template <class F>
int guarded(F&& f) noexcept {
  try {
    f();
    return 0;
  } catch (std::exception const& e) {
    error_text = e.what();
    return -1;
  }
}

}  // namespace gpuconv::bench
