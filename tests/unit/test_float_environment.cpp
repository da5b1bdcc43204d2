// Whatever floating-point environment a caller has, results have the same bits, and the caller finds it as it was.
#include "core/thread_pool.hpp"
#include "support/float_registers.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

namespace gpuconv::test {
namespace {

template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

class FloatEnvironments : public SolverTest {
 protected:
  // A plan is made and used where `how` says; the results are those of another one outside.
  template <class S, class T>
  void expect_same(Problem const& problem, std::vector<S> const& signal, std::vector<T> const& filter) {
    if (!takes(problem)) return;
    using R = result_t<S, T>;
    const auto length = static_cast<std::size_t>(output_slice(problem).length);
    const Rows shape{.rows = problem.batch, .columns = problem.signal};
    const auto convolve_all = [&](std::vector<R>& out) {
      Plan plan(problem, options(2));
      plan.set_filter(filter);
      plan.execute(HostView<const S>(signal.data(), shape),
                   HostView<R>(out.data(), {.rows = problem.batch, .columns = plan.output_length()}));
    };
    const std::size_t total = static_cast<std::size_t>(problem.batch) * length;
    std::vector<R> expected(total);
    convolve_all(expected);
    for (const Floats how : kAllFloats) {
      std::vector<R> out(total);
      FloatRegisters before{}, after{};
      {
        const ChangedFloats floats(how);
        before = float_registers();
        convolve_all(out);
        after = float_registers();
      }
      EXPECT_TRUE(same_bits(out, expected)) << how << ", " << to_string(problem);
      EXPECT_EQ(after, before) << how << ", " << to_string(problem);
    }
  }

  // A row of common magnitudes, one of denormals and one between.
  template <class T>
  void expect_same(std::int64_t samples, std::int64_t taps) {
    std::vector<T> signal(static_cast<std::size_t>(3 * samples)), filter(static_cast<std::size_t>(taps));
    std::uniform_real_distribution<T> uniform(-1, 1);
    for (std::size_t i = 0; i < signal.size(); ++i) {
      const std::size_t row = i / static_cast<std::size_t>(samples);
      signal[i] = uniform(rng_) * (row == 0 ? 1 : std::numeric_limits<T>::min() * (row == 1 ? T(0.01) : 100));
    }
    for (T& tap : filter) tap = uniform(rng_);
    expect_same({.signal = samples, .filter = taps, .batch = 3, .mode = Mode::same, .type = type_of<T>}, signal,
                filter);
  }

  bool slow() const { return solver()->method == Method::reference; }
  Rng rng_ = test_rng();
};

TEST_P(FloatEnvironments, GiveTheSameBitsInSinglePrecision) { expect_same<float>(slow() ? 500 : 60000, 101); }
TEST_P(FloatEnvironments, GiveTheSameBitsInDoublePrecision) { expect_same<double>(slow() ? 500 : 60000, 101); }

// Tables of this size are made anew for each plan.
TEST_P(FloatEnvironments, GiveTheSameBitsWithTablesOfTheirOwn) {
  if (solver()->method != Method::fft) return;
  expect_same<float>(200000, 70000);
  expect_same<double>(200000, 70000);
}

TEST_P(FloatEnvironments, GiveTheSameBitsFromIntegersThatHaveToBeRounded) {
  std::vector<std::int64_t> signal(3000);
  std::vector<std::uint64_t> wide(3000);
  for (auto& x : signal) x = static_cast<std::int64_t>(rng_());
  for (auto& x : wide) x = static_cast<std::uint64_t>(rng_()) * 0x9E3779B97F4A7C15u;
  const std::vector<double> filter{0.1, -0.7, 0.3};
  Problem problem{.signal = 3000, .filter = 3, .type = Type::int64, .filter_type = Type::float64};
  expect_same(problem, signal, filter);
  problem.type = Type::uint64;
  expect_same(problem, wide, filter);
}

// What is not finite and what overflows is computed again, in code of its own.
TEST_P(FloatEnvironments, GiveTheSameBitsWhereSumsOverflow) {
  std::vector<double> signal(3000, 1e308);
  const std::vector<double> filter(64, 0.3);
  signal[17] = std::numeric_limits<double>::infinity(), signal[2000] = std::numeric_limits<double>::quiet_NaN();
  expect_same({.signal = 3000, .filter = 64, .type = Type::float64}, signal, filter);
}

TEST_P(FloatEnvironments, AreAsTheyWereAfterAnError) {
  const std::vector<float> signal(100, 0.1F), filter(5, 0.3F), other(7);
  std::vector<float> out(104);
  Plan plan({.signal = 100, .filter = 5}, options());
  plan.set_filter(filter);
  for (const Floats how : kAllFloats) {
    int errors = 0;
    FloatRegisters before{}, after{};
    {
      const ChangedFloats floats(how);
      before = float_registers();
      const auto fails = [&](auto call) {
        try {
          call();
        } catch (InvalidArgument const&) {
          ++errors;
        }
      };
      fails([&] { plan.execute(other, out); });
      fails([&] { plan.set_filter(other); });
      fails([&] { Plan({.signal = 0, .filter = 5}); });
      after = float_registers();
    }
    EXPECT_EQ(errors, 3);
    EXPECT_EQ(after, before) << how;
    plan.set_filter(filter);
  }
}

std::vector<SolverPointer> cpu_solvers() {
  std::vector<SolverPointer> all = solver_table();
  std::erase_if(all, [](SolverPointer s) { return s->device != Device::cpu; });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Solvers, FloatEnvironments, testing::ValuesIn(cpu_solvers()), solver_name);

// Estimates are sums of doubles: the choice among solvers may not depend on how they are rounded.
TEST(FloatEnvironment, DoesNotChangeWhatIsPlanned) {
  const Problem problem{.signal = 123457, .filter = 321, .batch = 3};
  const auto all = [&] {
    std::string lines = explain(problem, {.device = Device::cpu}) + Plan(problem, {.device = Device::cpu}).describe();
    for (DeviceInfo const& d : devices()) lines += d.detail;
    const std::vector<float> x{0.1F, 0.2F, 0.3F}, h{0.7F, 0.9F};
    for (float const y : convolve(x, h)) lines.append(reinterpret_cast<const char*>(&y), sizeof y);
    return lines;
  };
  const std::string expected = all();
  for (const Floats how : kAllFloats) {
    std::string lines;
    {
      const ChangedFloats floats(how);
      lines = all();
    }
    EXPECT_EQ(lines, expected) << how;
  }
}

// All workers and the caller together: tasks wait for each other.
bool every_thread_has(FloatRegisters const& control, int threads) {
  std::atomic<int> arrived{0}, others{0};
  detail::parallel_for(threads, threads, [&](std::int64_t, int) {
    if (float_control() != control) ++others;
    ++arrived;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (arrived < threads && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  });
  return arrived == threads && others == 0;
}

TEST(FloatEnvironment, OfWorkersIsNotThatOfWhoeverStartedThem) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer does not follow a fork";
#endif
  for (const Floats how : kAllFloats) {
    const auto workers_are_right = [&] {  // in a child, which has no workers yet
      {
        const ChangedFloats floats(how);
        const Plan plan({.signal = 1 << 22, .filter = 33}, {.device = Device::cpu, .threads = 4});
        if (plan.threads() != 4) return false;
      }
      return every_thread_has(float_control(), 4);
    };
    EXPECT_EXIT(std::exit(workers_are_right() ? 0 : 1), testing::ExitedWithCode(0), "") << how;
  }
}

}  // namespace
}  // namespace gpuconv::test
