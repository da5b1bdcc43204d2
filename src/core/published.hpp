// What is found or made when first wanted and then kept for the life of the process, without a lock. A process may fork
// while another of its threads holds a lock; the child has no such thread, and would wait for it without end. That
// holds for a function's static variable that is initialised at run time, and for std::call_once, as well as for a
// mutex.
#pragma once

#include <atomic>
#include <memory>

namespace gpuconv::detail {

/// A value other than T{}, looked for when it is first asked for. Threads that ask at the same time may each look; the
/// first one's answer is the one that all get.
template <class T>
class FoundOnce {
 public:
  /// `find`: returns the value.
  template <class Find>
  T get(Find find) {
    T kept = value_.load(std::memory_order_acquire);
    if (kept != T{}) return kept;
    const T found = find();
    const bool first =
        value_.compare_exchange_strong(kept, found, std::memory_order_acq_rel, std::memory_order_acquire);
    return first ? found : kept;
  }

 private:
  std::atomic<T> value_{};
};

/// An object made when it is first asked for, and never destroyed: plans may be used while the program exits. Threads
/// that ask at the same time may each make one; the first one's is the one that all get, the others are deleted.
template <class T>
class MadeOnce {
 public:
  /// `make`: returns a std::unique_ptr<const T>, and may throw.
  template <class Make>
  T const& get(Make make) {
    const T* kept = object_.load(std::memory_order_acquire);
    if (kept) return *kept;
    std::unique_ptr<const T> made = make();
    if (!object_.compare_exchange_strong(kept, made.get(), std::memory_order_acq_rel, std::memory_order_acquire))
      return *kept;
    return *made.release();
  }

 private:
  std::atomic<const T*> object_{nullptr};
};

}  // namespace gpuconv::detail
