// What the process around the library does: forks, exits while plans are in use, moves plans away, asks for absurd
// numbers of threads.
#include "core/thread_pool.hpp"
#include "support/scale.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <latch>
#include <limits>
#include <thread>
#include <vector>

namespace gpuconv {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kForks = false;
#else
constexpr bool kForks = true;
#endif

// Large enough for several threads.
bool convolves(Method method) {
  const std::vector<float> signal(1 << 18, 1), filter(257, 1);
  Plan plan({.signal = 1 << 18, .filter = 257, .mode = Mode::valid}, {.method = method, .threads = 4});
  plan.set_filter(filter);
  std::vector<float> out(static_cast<std::size_t>(plan.output_length()));
  plan.execute(signal, out);
  return std::all_of(out.begin(), out.end(), [](float y) { return std::abs(y - 257) < 1e-2F; });
}

// Plans of many sizes and both types, with tables and workers.
template <class T>
bool convolves_size(std::int64_t step) {
  const std::int64_t taps = std::int64_t{40} << (step % 6);
  const std::vector<T> signal(static_cast<std::size_t>(3 * taps), 1), filter(static_cast<std::size_t>(taps), 1);
  const CallOptions how{.mode = Mode::valid,
                        .method = step % 2 ? Method::overlap_save : Method::fft,
                        .device = Device::cpu,
                        .threads = 3};
  const auto out = convolve(signal, filter, how);
  return std::all_of(out.begin(), out.end(), [&](T y) { return std::lround(y) == taps; });
}
bool convolves_sizes(std::int64_t from, std::int64_t to) {
  for (std::int64_t step = from; step < to; ++step)
    if (!convolves_size<float>(step) || !convolves_size<double>(step + 3)) return false;
  return true;
}

// How a child ended that runs `body`: its exit status, or minus the signal; SIGALRM where it took more than 20 s.
template <class Body>
int status_of_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

struct ConvolvesWhenDestroyed {
  ~ConvolvesWhenDestroyed() {
    if (!convolves(Method::direct) || !convolves(Method::overlap_save)) std::_Exit(1);
  }
};

TEST(Process, AForkedChildConvolvesAndExits) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
  ASSERT_TRUE(convolves(Method::overlap_save));  // the parent has workers, the child will not
  EXPECT_EXIT(std::exit(0), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(convolves(Method::overlap_save) && convolves(Method::direct) ? 0 : 1),
              testing::ExitedWithCode(0), "");
  EXPECT_TRUE(convolves(Method::direct));
}

TEST(Process, PlansWorkWhileTheProgramExits) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
  const auto exits = [] {
    static const ConvolvesWhenDestroyed late;  // made before the library's own statics
    std::exit(convolves(Method::overlap_save) ? 0 : 1);
  };
  EXPECT_EXIT(exits(), testing::ExitedWithCode(0), "");
}

TEST(Process, ForksWhileOtherThreadsMakePlansLeaveNothingLocked) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer's own malloc does not survive a fork";
#endif
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> others;
    for (int t = 0; t < 2; ++t)
      others.emplace_back([&, t] {
        for (std::int64_t step = t; !stop; ++step)
          if (!convolves_sizes(step, step + 1)) ++wrong;
      });
    for (std::int64_t i = 0; i < test::cases(2000) && !testing::Test::HasFailure(); ++i)
      EXPECT_EQ(status_of_child([&] { return convolves_sizes(i, i + 1); }), 0) << "child " << i;
    stop = true;
  }
  EXPECT_EQ(wrong, 0);
}

// Tables and answers that are not there yet when the process forks are looked for by several threads at once.
TEST(Process, ForksAtTheFirstUseOfEverythingLeaveNothingLocked) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer's own malloc does not survive a fork";
#endif
  const auto forks_at_once = [](std::int64_t i) {  // in a child, whose sizes are new
    std::latch start(3);
    std::vector<std::jthread> others;
    for (int t = 0; t < 2; ++t)
      others.emplace_back([&] {
        start.arrive_and_wait();
        convolves_sizes(i, i + 2);
      });
    start.arrive_and_wait();
    std::this_thread::sleep_for(std::chrono::microseconds(20 * (i % 50)));
    return status_of_child([&] { return !devices().empty() && convolves_sizes(i, i + 2); }) == 0;
  };
  for (std::int64_t i = 0; i < test::cases(200) && !testing::Test::HasFailure(); ++i)
    EXPECT_EQ(status_of_child([&] { return forks_at_once(i); }), 0) << "child " << i;
}

TEST(Process, ExitsWhileOtherThreadsConvolve) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
  const auto exits = [] {
    for (int t = 0; t < 3; ++t)
      std::thread([] {
        while (convolves(Method::overlap_save) && convolves(Method::direct)) {
        }
        std::_Exit(1);
      }).detach();
    if (!convolves(Method::direct)) std::_Exit(1);
    std::exit(0);
  };
  for (int i = 0; i < 20; ++i) EXPECT_EXIT(exits(), testing::ExitedWithCode(0), "");
}

// One of the four threads that are at a job ends the program: its caller, or a worker.
TEST(Process, ExitsFromTheMiddleOfAJob) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
  for (const bool caller : {true, false}) {
    const auto exits = [&] {
      alarm(20);
      std::atomic<int> arrived{0};
      const auto me = std::this_thread::get_id();
      std::atomic<bool> ends{false};
      detail::parallel_for(4, 4, [&](std::int64_t, int) {
        ++arrived;
        while (arrived < 4) std::this_thread::yield();
        if ((std::this_thread::get_id() == me) == caller && !ends.exchange(true)) std::exit(3);
      });
      if (ends) pause();  // the program is about to end
    };
    EXPECT_EXIT(exits(), testing::ExitedWithCode(3), "") << caller;
  }
}

TEST(Process, EndsQuicklyWithWorkers) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
  EXPECT_EXIT(std::quick_exit(convolves(Method::direct) ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST(Process, JobsAreDoneWithoutTheWorkersThatHaveLeft) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
  const auto works = [] {
    if (!convolves(Method::direct)) return false;
    detail::stop_workers();
    detail::stop_workers();
    return convolves(Method::direct) && convolves(Method::overlap_save);
  };
  EXPECT_EXIT(std::exit(works() ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST(Process, ThreadsAreCapped) {
  const Plan plan({.signal = 1 << 22, .filter = 300, .batch = 100}, {.threads = std::numeric_limits<int>::max()});
  EXPECT_LE(plan.threads(), std::max(64, 4 * hardware_threads()));
}

// The number of threads is kept once it has been found: a later change of the affinity shows whether it had been.
TEST(Process, SmallCallsDoNotAskHowManyThreadsThereAre) {
  if (!kForks) GTEST_SKIP() << "the thread sanitizer does not follow a fork";
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "a single CPU";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process in which nobody has asked
  const auto asked = [&] {
    convolve(std::vector<float>(32, 1), std::vector<float>(5, 1));
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &all) && CPU_COUNT(&one) == 0) CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) != 0 || hardware_threads() != 1;
  };
  EXPECT_EXIT(std::exit(asked() ? 1 : 0), testing::ExitedWithCode(0), "");
  GTEST_FLAG_SET(death_test_style, "fast");
}

TEST(Process, APlanThatWasMovedFromSaysSo) {
  Plan plan({.signal = 10, .filter = 3});
  const std::vector<float> signal(10), filter(3);
  std::vector<float> out(12);
  const Plan taken = std::move(plan);
  EXPECT_THROW(plan.set_filter(filter), InvalidArgument);
  EXPECT_THROW(plan.execute(signal, out), InvalidArgument);
  EXPECT_THROW(static_cast<void>(plan.describe()), InvalidArgument);
  plan = Plan({.signal = 10, .filter = 3});
  EXPECT_NO_THROW(plan.set_filter(filter));
}

// Sums that overflow on their last product cannot stop early: one for each output would take minutes here.
TEST(Process, OverflowEverywhereIsNotSummedOutputByOutput) {
  constexpr std::int64_t n = 1 << 17, m = 1 << 15;
  const std::vector<float> signal(n, 3.4e38F);
  std::vector<float> filter(m, 0.9F / m);
  filter.back() = 1;
  Plan plan({.signal = n, .filter = m, .mode = Mode::valid}, {.method = Method::fft});
  plan.set_filter(filter);
  std::vector<float> out(static_cast<std::size_t>(plan.output_length()));
  const auto start = std::chrono::steady_clock::now();
  plan.execute(signal, out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](float y) { return y == std::numeric_limits<float>::infinity(); }));
}

}  // namespace
}  // namespace gpuconv
