// What the process around the library does: forks, exits while plans are in use, moves plans away, asks for absurd
// numbers of threads.
#include <gpuconv/gpuconv.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
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

TEST(Process, ThreadsAreCapped) {
  const Plan plan({.signal = 1 << 22, .filter = 300, .batch = 100}, {.threads = std::numeric_limits<int>::max()});
  EXPECT_LE(plan.threads(), std::max(64, 4 * hardware_threads()));
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
