// One pool of worker threads, started when the first parallel job needs it and joined when the code that they run is
// unloaded: at the end of the program, or of the plugin that it is linked into.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace gpuconv::detail {

/// A function that is called, not owned: `void(std::int64_t task, int slot)`.
class TaskRef {
 public:
  template <class F>
  requires(!std::is_same_v<F, TaskRef>) TaskRef(F const& f)
  noexcept  // NOLINT(google-explicit-constructor): a parameter type only
      : object_(std::addressof(f)),
        call_([](const void* o, std::int64_t task, int slot) { (*static_cast<const F*>(o))(task, slot); }) {}
  void operator()(std::int64_t task, int slot) const { call_(object_, task, slot); }

 private:
  const void* object_;
  void (*call_)(const void*, std::int64_t, int);
};

/// Calls `task(i, slot)` for every i in [0, tasks), on the calling thread and on up to `threads` - 1 workers; `slot`
/// in [0, threads) is held by one thread at a time and names its workspace. Returns when all are done. Tasks must not
/// throw. Fewer workers than asked for (the system refuses more threads) only make it slower.
/// Allocates nothing once its workers run; may be called from any number of threads at once.
void parallel_for(std::int64_t tasks, int threads, TaskRef task);

/// Starts the workers that `parallel_for` with this many threads will want, so that it need not.
void start_workers(int threads) noexcept;

/// Waits until all workers have ended; from then on jobs are done by their callers alone. For good: this is for when
/// the library is unloaded, which calls it.
void stop_workers() noexcept;

}  // namespace gpuconv::detail
