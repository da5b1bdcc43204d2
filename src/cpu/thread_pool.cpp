#include "thread_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

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

class Pool {
 public:
  static Pool& get() {
    static Pool pool;
    return pool;
  }

  void run(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      *tail() = &job;
    }
    wake_.notify_all();
    job.work(0);
    std::unique_lock lock(mutex_);
    unlink(job);
    done_.wait(lock, [&] { return job.active == 0; });
  }

  void start(int workers) noexcept {
    const std::lock_guard lock(mutex_);
    try {
      threads_.reserve(static_cast<std::size_t>(workers));
      while (static_cast<int>(threads_.size()) < workers) threads_.emplace_back([this] { loop(); });
    } catch (std::system_error const&) {  // the system has no more threads: fewer will do
    } catch (std::bad_alloc const&) {
    }
  }

 private:
  Pool() = default;
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : threads_) t.join();
  }

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
    std::unique_lock lock(mutex_);
    for (;;) {
      Job* job = nullptr;
      wake_.wait(lock, [&] { return stopping_ || (job = find()); });
      if (stopping_) return;
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
  std::vector<std::thread> threads_;
  bool stopping_ = false;
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
