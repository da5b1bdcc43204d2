// Many threads at once: plans side by side, one-shot calls, and calls from within the caller's own threads.
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace gpuconv::test {
namespace {

constexpr int kThreads = 8;

// Runs `body(thread)` on as many threads, all started before any goes on.
template <class Body>
void on_threads(int count, Body body) {
  std::latch start(count);
  std::vector<std::jthread> threads;
  for (int t = 0; t < count; ++t)
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      body(t);
    });
}

class Threads : public SolverTest {
 protected:
  // Large enough that a plan wants workers of its own.
  Problem problem_{
      .signal = solver()->method == Method::reference ? 3000 : 200000, .filter = 101, .batch = 2, .mode = Mode::same};
  Rng rng_ = test_rng();
};

TEST_P(Threads, PlansRunSideBySide) {
  const Workload w = random_workload(problem_, rng_);
  const Outcome expected = run(w, options());
  std::atomic<int> wrong{0};
  on_threads(kThreads, [&](int t) {
    Plan plan(problem_, options(1 + t % 4));
    plan.set_filter(w.filter.input());
    for (int i = 0; i < 3; ++i) {
      Array out(Type::float32, 2, plan.output_length());
      plan.execute(w.signal.input(), out.output());
      if (!(out == expected.out)) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST_P(Threads, OneShotCallsOfManySizes) {
  std::atomic<int> wrong{0};
  on_threads(kThreads, [&](int t) {
    for (int i = 0; i < 12; ++i) {
      const std::vector<float> x(static_cast<std::size_t>(100 + 700 * ((t + i) % 5)), 1),
          h(static_cast<std::size_t>(1 + 30 * (i % 4)), 1);
      const auto y = convolve(x, h, call(Mode::valid, 2));
      for (float const v : y)
        if (std::lround(v) != std::ssize(h)) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

// Tables are made on first use: let all threads ask for the same new sizes at once.
TEST_P(Threads, FirstUseOfTables) {
  std::atomic<int> wrong{0};
  for (int round = 0; round < 6; ++round) {
    const std::int64_t taps = 5 << (2 * round);
    on_threads(4, [&](int) {
      const std::vector<double> x(static_cast<std::size_t>(3 * taps), 1), h(static_cast<std::size_t>(taps), 1);
      if (std::lround(convolve(x, h, call(Mode::valid))[0]) != taps) ++wrong;
    });
  }
  EXPECT_EQ(wrong, 0);
}

TEST_P(Threads, PlansMoveBetweenThreads) {
  const Workload w = random_workload(problem_, rng_);
  const Outcome expected = run(w, options());
  Plan plan(problem_, options());
  std::jthread([&] { plan.set_filter(w.filter.input()); }).join();
  Array out(Type::float32, 2, plan.output_length());
  std::jthread([&] { plan.execute(w.signal.input(), out.output()); }).join();
  EXPECT_TRUE(out == expected.out);
}

// Two threads at once would work in the same memory: each call is right or refused.
TEST_P(Threads, OnePlanInTwoThreadsIsRefusedNotWrong) {
  problem_.signal = 3000;
  const Workload w = random_workload(problem_, rng_);
  const Outcome expected = run(w, options(1));
  Plan plan(problem_, options(1));
  plan.set_filter(w.filter.input());
  const int calls = solver()->device == Device::cuda ? 10 : 200;
  std::atomic<int> wrong{0}, done{0}, refused{0};
  on_threads(2, [&](int) {
    for (int i = 0; i < calls; ++i) {
      Array out(Type::float32, 2, plan.output_length());
      try {
        plan.execute(w.signal.input(), out.output());
        ++done;
        if (!(out == expected.out)) ++wrong;
      } catch (InvalidArgument const&) {
        ++refused;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(done, 0);
  EXPECT_EQ(done + refused, 2 * calls);
}

GPUCONV_OVER_SOLVERS(Threads);

}  // namespace
}  // namespace gpuconv::test
