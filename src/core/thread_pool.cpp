#include "thread_pool.hpp"

#include "../core/float_environment.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <mutex>
#include <new>
#include <type_traits>

namespace gpuconv::detail {
namespace {

// One parallel_for in progress; lives on its caller's stack and is linked into the pool's list.
struct Job {
  TaskRef task;
  std::int64_t tasks;
  int slots;
  std::atomic<std::int64_t> next{0};
  int taken = 1;   // slots given out, the caller's included; guarded by the pool's mutex
  int active = 0;  // workers inside; guarded by the pool's mutex
  Job* later = nullptr;

  void work(int slot) {
    for (std::int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) task(i, slot);
  }
  // The same, but for tasks that nobody has begun when `stop` becomes true.
  void work(int slot, std::atomic<bool> const& stop) {
    while (!stop.load(std::memory_order_relaxed)) {
      const std::int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= tasks) return;
      task(i, slot);
    }
  }
  bool wants_help() const { return taken < slots && next.load(std::memory_order_relaxed) < tasks; }
};

// Signals blocked while it lives, for threads to inherit: handlers of the program belong on its own threads. All but
// those that a thread raises itself: blocked, a mapped file that has become shorter would end the program without its
// handler.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t blocked;
    sigfillset(&blocked);
    for (int const own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL}) sigdelset(&blocked, own);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(SignalsBlocked const&) = delete;
  SignalsBlocked& operator=(SignalsBlocked const&) = delete;

 private:
  sigset_t before_;
};

// std::condition_variable, but initialised when it is compiled: see Pool.
class Condition {
 public:
  template <class Predicate>
  void wait(std::unique_lock<std::mutex>& lock, Predicate holds) {
    while (!holds()) pthread_cond_wait(&condition_, lock.mutex()->native_handle());
  }
  void notify_one() noexcept { pthread_cond_signal(&condition_); }
  void notify_all() noexcept { pthread_cond_broadcast(&condition_); }

 private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
};

// More threads than plans ask for on the largest machine whose processors cpu_set_t can name.
constexpr int kMostWorkers = 4 * CPU_SETSIZE;
constinit pthread_t worker_threads[kMostWorkers] = {};

// Neither made nor destroyed at run time: plans are used before main and while the program exits, and another thread
// may fork in the middle of anything.
class Pool {
 public:
  constexpr Pool() = default;

  void run(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      *tail() = &job;
    }
    for (int i = 1; i < job.slots; ++i) wake_.notify_one();
    job.work(0);
    std::unique_lock lock(mutex_);
    unlink(job);
    done_.wait(lock, [&] { return job.active == 0; });
  }

  void start(int workers) noexcept {
    if (workers <= workers_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    const SignalsBlocked blocked;
    const auto run = [](void* pool) -> void* {
      static_cast<Pool*>(pool)->loop();
      return nullptr;
    };
    for (int w; !stop_ && (w = workers_.load(std::memory_order_relaxed)) < std::min(workers, limit_);) {
      if (pthread_create(&worker_threads[w], nullptr, run, this) == 0) {
        process_ = getpid();
        workers_.store(w + 1, std::memory_order_relaxed);
      } else {  // the system has no more threads, or memory for them: fewer will do
        limit_ = w;
      }
    }
  }

  // Workers leave after the task that they are at; from then on callers do all tasks themselves.
  void stop() noexcept {
    int workers = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stop_.exchange(true)) return;
      workers = workers_.load(std::memory_order_relaxed);
      wake_.notify_all();
    }
    // A copy of the process that was made without fork's handlers has no workers either.
    if (workers == 0 || process_ != getpid()) return;
    // Where a worker ends the program, others may wait for it.
    const auto is_this_thread = [](pthread_t worker) { return pthread_equal(worker, pthread_self()) != 0; };
    if (std::any_of(worker_threads, worker_threads + workers, is_this_thread)) return;
    for (int w = 0; w < workers; ++w) pthread_join(worker_threads[w], nullptr);
  }

 private:
  Job** tail() {
    Job** p = &jobs_;
    while (*p) p = &(*p)->later;
    return p;
  }
  void unlink(Job& job) {
    Job** p = &jobs_;
    while (*p != &job) p = &(*p)->later;
    *p = job.later;
  }
  Job* find() const {
    Job* job = jobs_;
    while (job && !job->wants_help()) job = job->later;
    return job;
  }

  void loop() {
    const FloatEnvironment environment;  // a new thread has that of the thread that started it
    std::unique_lock lock(mutex_);
    for (;;) {
      Job* job = nullptr;
      wake_.wait(lock, [&] { return stop_ || (job = find()) != nullptr; });
      if (stop_) return;
      const int slot = job->taken++;
      ++job->active;
      lock.unlock();
      job->work(slot, stop_);
      lock.lock();
      if (--job->active == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  Condition wake_, done_;
  Job* jobs_ = nullptr;
  std::atomic<bool> stop_{false};
  std::atomic<int> workers_{0};
  int limit_ = kMostWorkers;  // workers the system allowed; guarded by mutex_
  pid_t process_ = 0;         // that the workers are of
};
static_assert(std::is_trivially_destructible_v<Pool>);

constinit Pool pool;
constinit bool survives_forks = false;

// These two come before and after all constructors and destructors of the program or shared library that this code is
// linked into: the first when it is loaded, the second when the program exits or the library is unloaded.
[[gnu::constructor(101)]] void loaded() noexcept {
  // A child has none of the workers, and the mutex may be held by a thread that it has not either: it starts over.
  survives_forks = pthread_atfork(nullptr, nullptr, [] { new (&pool) Pool; }) == 0;
}
[[gnu::destructor(101)]] void unloaded() noexcept { stop_workers(); }

}  // namespace

void start_workers(int threads) noexcept {
  if (threads > 1 && survives_forks) pool.start(threads - 1);
}

void stop_workers() noexcept { pool.stop(); }

void parallel_for(std::int64_t tasks, int threads, TaskRef task) {
  if (threads > tasks) threads = static_cast<int>(tasks);
  Job job{.task = task, .tasks = tasks, .slots = threads};
  if (threads <= 1 || !survives_forks) return job.work(0);
  start_workers(threads);
  pool.run(job);
}

}  // namespace gpuconv::detail
