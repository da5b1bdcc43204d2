#include "thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

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
  bool wants_help() const { return taken < slots && next.load(std::memory_order_relaxed) < tasks; }
};

// All signals blocked while it lives, for threads to inherit: handlers of the program belong on its own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(SignalsBlocked const&) = delete;
  SignalsBlocked& operator=(SignalsBlocked const&) = delete;

 private:
  sigset_t before_;
};

// Never destroyed: plans may be used while the program exits. A forked child has none of the workers and starts over.
class Pool {
 public:
  static Pool& get() {
    alignas(Pool) static std::byte storage[sizeof(Pool)];
    static const bool made = [] {
      new (storage) Pool;
      pthread_atfork(nullptr, nullptr, [] { new (storage) Pool; });
      return true;
    }();
    static_cast<void>(made);
    return *std::launder(reinterpret_cast<Pool*>(storage));
  }

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
    while (workers_.load(std::memory_order_relaxed) < std::min(workers, limit_)) {
      try {
        std::thread([this] { loop(); }).detach();
        workers_.fetch_add(1, std::memory_order_relaxed);
      } catch (std::exception const&) {  // the system has no more threads, or memory for them: fewer will do
        limit_ = workers_.load(std::memory_order_relaxed);
      }
    }
  }

 private:
  Pool() = default;

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

  [[noreturn]] void loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      Job* job = nullptr;
      wake_.wait(lock, [&] { return (job = find()) != nullptr; });
      const int slot = job->taken++;
      ++job->active;
      lock.unlock();
      job->work(slot);
      lock.lock();
      if (--job->active == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job* jobs_ = nullptr;
  std::atomic<int> workers_{0};
  int limit_ = INT_MAX;  // workers the system allowed; guarded by mutex_
};

}  // namespace

void start_workers(int threads) noexcept {
  if (threads > 1) Pool::get().start(threads - 1);
}

void parallel_for(std::int64_t tasks, int threads, TaskRef task) {
  if (threads > tasks) threads = static_cast<int>(tasks);
  Job job{.task = task, .tasks = tasks, .slots = threads};
  if (threads <= 1) return job.work(0);
  start_workers(threads);
  Pool::get().run(job);
}

}  // namespace gpuconv::detail
