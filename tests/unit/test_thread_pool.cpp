// The thread pool: every task once, slots that nobody shares, nesting, many callers at once.
#include "core/thread_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace gpuconv::detail {
namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (std::int64_t const tasks : {0, 1, 2, 3, 7, 1000})
    for (int const threads : {1, 2, 3, 8, 100}) {
      std::vector<std::atomic<int>> count(static_cast<std::size_t>(tasks));
      parallel_for(tasks, threads, [&](std::int64_t i, int) { ++count[static_cast<std::size_t>(i)]; });
      for (std::atomic<int> const& c : count) EXPECT_EQ(c, 1) << tasks << " tasks, " << threads << " threads";
    }
}

TEST(ThreadPool, OneThreadStaysOnTheCallersThreadInOrder) {
  std::vector<std::int64_t> order;
  const auto caller = std::this_thread::get_id();
  parallel_for(50, 1, [&](std::int64_t i, int slot) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(slot, 0);
    order.push_back(i);
  });
  std::vector<std::int64_t> expected(50);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST(ThreadPool, ASlotIsHeldByOneThreadAtATime) {
  constexpr int kThreads = 6;
  std::atomic<int> held[kThreads] = {};
  std::atomic<int> wrong{0};
  for (int round = 0; round < 50; ++round)
    parallel_for(200, kThreads, [&](std::int64_t, int slot) {
      if (slot < 0 || slot >= kThreads || held[slot].exchange(1) != 0) ++wrong;
      held[slot < 0 ? 0 : slot] = 0;
    });
  EXPECT_EQ(wrong, 0);
}

TEST(ThreadPool, WorkersHelp) {
  // Tasks wait for each other: with one thread they never would.
  std::atomic<int> arrived{0};
  start_workers(4);
  parallel_for(4, 4, [&](std::int64_t, int) {
    ++arrived;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (arrived < 4 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 4);
}

TEST(ThreadPool, Nests) {
  std::atomic<int> sum{0};
  parallel_for(8, 4, [&](std::int64_t, int) {
    parallel_for(8, 4, [&](std::int64_t, int) { parallel_for(4, 2, [&](std::int64_t, int) { ++sum; }); });
  });
  EXPECT_EQ(sum, 8 * 8 * 4);
}

TEST(ThreadPool, ServesManyCallersAtOnce) {
  std::atomic<int> sum{0};
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 8; ++t)
      callers.emplace_back([&] {
        for (int i = 0; i < 100; ++i) parallel_for(20, 1 + i % 5, [&](std::int64_t, int) { ++sum; });
      });
  }
  EXPECT_EQ(sum, 8 * 100 * 20);
}

TEST(ThreadPool, WhatTasksWroteIsSeenByTheCaller) {
  std::vector<std::int64_t> values(10000);
  for (int round = 0; round < 20; ++round) {
    parallel_for(std::ssize(values), 4, [&](std::int64_t i, int) { values[static_cast<std::size_t>(i)] += i; });
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], static_cast<std::int64_t>(i) * (round + 1));
  }
}

}  // namespace
}  // namespace gpuconv::detail
