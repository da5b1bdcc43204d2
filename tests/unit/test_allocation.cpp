// Every allocation fails in turn: a typed error, nothing leaked, the next call works. And execute allocates nothing,
// and what does not fit is refused before anything is allocated.
#include "support/allocations.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

namespace gpuconv::test {
namespace {

using Then = FailingAllocation::Then;

// Calls `call` with allocation 0, 1, 2 and so on failing until none is left to fail. Each failure must show as an
// OutOfMemory, or not at all (the library may do without); nothing must be left behind. Returns the failures seen.
template <class Call>
std::int64_t fail_each_allocation(Call call, Then then = Then::succeed) {
  call();  // fills caches, starts workers
  const std::int64_t before = live_allocations();
  std::int64_t errors = 0;
  for (std::int64_t k = 0; k < 100000; ++k) {
    bool out_of_memory = false, another_error = false, happened = false;
    {
      FailingAllocation failing(k, then);
      try {
        call();
      } catch (OutOfMemory const&) {
        out_of_memory = true;
      } catch (...) {
        another_error = true;
      }
      happened = failing.happened();
    }
    EXPECT_FALSE(another_error) << "allocation " << k << " failed: not OutOfMemory";
    EXPECT_EQ(live_allocations(), before) << "allocation " << k << " failed: leak";
    errors += out_of_memory;
    if (!happened || testing::Test::HasFailure()) break;
  }
  call();
  return errors;
}

class FailedAllocations : public SolverTest {
 protected:
  static Problem problem_of(Filters filters) {
    return {.signal = 3000, .filter = 65, .batch = 3, .filters = filters, .mode = Mode::same};
  }
  Rng rng_ = test_rng();
};

TEST_P(FailedAllocations, WhileAPlanIsMade) {
  for (Filters const filters : {Filters::shared, Filters::per_row})
    for (int const threads : {1, 4}) {
      const std::int64_t errors = fail_each_allocation([&] { Plan(problem_of(filters), options(threads)); });
      EXPECT_GE(errors, 3);  // a plan has a filter, a workspace and itself
    }
}

TEST_P(FailedAllocations, WhileEveryAllocationFromThenOnFails) {
  const std::int64_t errors = fail_each_allocation([&] { Plan(problem_of(Filters::per_row), options()); }, Then::fail);
  EXPECT_GE(errors, 3);
}

TEST_P(FailedAllocations, WhileAFilterIsSet) {
  Workload w = random_workload(problem_of(Filters::per_row), rng_);
  w.filter.row<float>(1)[3] = std::numeric_limits<float>::quiet_NaN();  // solvers may keep lists of these
  const HostInput filter = w.filter.input();
  EXPECT_GE(fail_each_allocation([&] {
              Plan plan(w.problem, options());
              plan.set_filter(filter);
              plan.set_filter(filter);
            }),
            3);
}

TEST_P(FailedAllocations, LeaveAPlanWithoutFilter) {
  Workload w = random_workload(problem_of(Filters::per_row), rng_);
  for (float& tap : w.filter.row<float>(2)) tap = std::numeric_limits<float>::infinity();
  Plan plan(w.problem, options());
  Array out(Type::float32, 3, 3000);
  for (std::int64_t k = 0; k < 100; ++k) {
    bool failed = false;
    {
      FailingAllocation failing(k);
      try {
        plan.set_filter(w.filter.input());
      } catch (OutOfMemory const&) {
        failed = true;
      }
    }
    if (!failed) break;
    EXPECT_THROW(plan.execute(w.signal.input(), out.output()), InvalidArgument);
  }
  plan.set_filter(w.filter.input());
  EXPECT_NO_THROW(plan.execute(w.signal.input(), out.output()));
}

TEST_P(FailedAllocations, InOneShotCalls) {
  const std::vector<float> x(2000, 1), h(33, 1);
  const auto one_shot = [&] { EXPECT_EQ(std::lround(convolve(x, h, call(Mode::valid, 2))[100]), 33); };
  EXPECT_GE(fail_each_allocation(one_shot), 4);
}

TEST_P(FailedAllocations, InOneShotCallsIntoTheCallersMemory) {
  const std::vector<double> x(2000, 1), h(33, 1);
  std::vector<double> out(2000);
  EXPECT_GE(fail_each_allocation([&] { convolve(x, h, out, call(Same::scipy, 2)); }), 3);
}

// Caches are cold: tables of a size that nothing else here uses. What was half made must be thrown away, not kept.
TEST_P(FailedAllocations, WhileTablesAreMade) {
  for (std::int64_t taps = 700; taps <= 90000; taps *= 5) {
    const std::vector<double> x(static_cast<std::size_t>(taps), 1), h(static_cast<std::size_t>(taps), 1);
    for (std::int64_t k = 0; k < 1000; ++k) {
      bool failed = false;
      {
        FailingAllocation failing(k);
        try {
          const Plan plan({.signal = taps, .filter = taps, .type = Type::float64}, options());
        } catch (OutOfMemory const&) {
          failed = true;
        } catch (Unsupported const&) {
          return;
        }
      }
      if (!failed) break;
    }
    EXPECT_EQ(std::lround(convolve(x, h, call(Mode::valid))[0]), taps);
  }
}

TEST_P(FailedAllocations, InDescribe) {
  const Plan plan(problem_of(Filters::shared), options());
  const std::string expected = plan.describe();
  bool complete = true;
  EXPECT_GE(fail_each_allocation([&] { complete &= plan.describe() == expected; }), 1);
  EXPECT_TRUE(complete) << "a text was cut where memory was short";
}

// ---- execute allocates nothing ------------------------------------------------------------------------------------
TEST_P(FailedAllocations, CannotHappenInExecute) {
  for (int const threads : {1, 4})
    for (bool const spoilt : {false, true})
      for (Type const type : {Type::float32, Type::float64, Type::int16, Type::complex64}) {
        const Problem p{.signal = solver()->method == Method::reference ? 5000 : 200000,
                        .filter = 301,
                        .batch = 2,
                        .mode = Mode::same,
                        .type = type};
        if (!takes(p)) continue;
        Workload w = random_workload(p, rng_);
        if (spoilt && part_type(type) == Type::float32) {
          w.signal.parts<float>(0)[77] = std::numeric_limits<float>::quiet_NaN();
          w.signal.parts<float>(1)[99] = std::numeric_limits<float>::infinity();
          w.filter.parts<float>(0)[1] = std::numeric_limits<float>::infinity();
        }
        Plan plan(p, options(threads));
        plan.set_filter(w.filter.input());
        Array out(result_type(p), 2, plan.output_length());
        const HostInput in = w.signal.input();
        const HostOutput to = out.output();
        const std::int64_t before = total_allocations();
        plan.execute(in, to);
        EXPECT_EQ(total_allocations(), before) << to_string(p) << ", " << plan.describe();
      }
}
GPUCONV_OVER_SOLVERS(FailedAllocations);

// ---- errors that are made while memory is short -------------------------------------------------------------------
template <class Call>
void expect_only_typed_errors(Call call) {
  for (Then const then : {Then::succeed, Then::fail})
    for (std::int64_t k = 0; k < 50; ++k) {
      bool typed = false, happened = false;
      {
        FailingAllocation failing(k, then);
        try {
          call();
          typed = true;
        } catch (Error const&) {
          typed = true;
        } catch (...) {
        }
        happened = failing.happened();
      }
      EXPECT_TRUE(typed) << "allocation " << k << " failed: not a gpuconv::Error";
      if (!happened || !typed) break;
    }
}

TEST(ErrorsWhenMemoryIsShort, OfWrongSizes) {
  const std::vector<float> none, one{1};
  expect_only_typed_errors([&] { convolve(none, one); });
  expect_only_typed_errors([&] { convolve(one, none, Same::matlab); });
  expect_only_typed_errors([&] { output_slice(-5, 3, Mode::full); });
  expect_only_typed_errors([&] { output_slice(INT64_MAX, 3, Mode::full); });
  expect_only_typed_errors([&] { Plan({.signal = -5, .filter = 3}); });
}

TEST(ErrorsWhenMemoryIsShort, OfProblemsLargerThanMemory) {
  const float sample = 1;
  const std::span<float const> claimed(&sample, static_cast<std::size_t>(machine_memory()));
  const std::vector<float> one{1};
  expect_only_typed_errors([&] { convolve(claimed, one); });
  expect_only_typed_errors([&] { Plan({.signal = machine_memory(), .filter = 3}); });
}

TEST(ErrorsWhenMemoryIsShort, OfForcedMethods) {
  expect_only_typed_errors([] { Plan({.signal = 9, .filter = 3, .type = Type::int8}, {.method = Method::fft}); });
  expect_only_typed_errors([] { Plan({.signal = 9, .filter = 3}, {.device = Device::cuda}); });
}

TEST(ErrorsWhenMemoryIsShort, OfTexts) {
  const Problem p{.signal = 900, .filter = 33, .batch = 1000};
  const std::string text = to_string(p), table = explain(p);
  bool complete = true;
  expect_only_typed_errors([&] { complete &= to_string(p) == text; });
  expect_only_typed_errors([&] { complete &= explain(p) == table; });
  expect_only_typed_errors([] { devices(); });
  EXPECT_TRUE(complete) << "a text was cut where memory was short";
}

// ---- nothing is allocated for what is refused ---------------------------------------------------------------------
constexpr std::size_t kLittle = 1 << 20;

template <class Call>
void expect_out_of_memory_without_allocating(Call call) {
  forget_largest();
  set_request_limit(std::size_t{1} << 30);  // should the library try, it must not get it
  EXPECT_THROW(call(), OutOfMemory);
  set_request_limit(0);
  EXPECT_LE(largest_request(), kLittle);
}

class RefusedBeforeAllocating : public SolverTest {
 protected:
  // Whether the solver takes this problem but for its size.
  bool takes_small(Problem p) const {
    p.signal = std::min<std::int64_t>(p.signal, 1000), p.filter = std::min<std::int64_t>(p.filter, 1000), p.batch = 1;
    return takes(p);
  }
};

TEST_P(RefusedBeforeAllocating, PlansLargerThanMemory) {
  const std::int64_t memory = machine_memory();
  for (Problem const& p :
       {Problem{.signal = 9, .filter = memory / 3}, Problem{.signal = 9, .filter = memory / 7, .type = Type::complex64},
        Problem{
            .signal = 9, .filter = 900, .batch = memory / 3000, .filters = Filters::per_row, .mode = Mode::valid}}) {
    if (takes_small(p)) expect_out_of_memory_without_allocating([&] { Plan(p, options()); });
  }
}

// Samples of one byte are computed in four or eight: the workspace may exceed the memory where the data do not.
TEST_P(RefusedBeforeAllocating, WorkspacesLargerThanMemory) {
  // Filters of three quarters of the memory in bytes: they are kept in 16 bits at least.
  const Problem p{.signal = 1,
                  .filter = 1000,
                  .batch = machine_memory() / 4000 * 3,
                  .filters = Filters::per_row,
                  .mode = Mode::valid,
                  .type = Type::int8,
                  .result_type = Type::int8};
  if (takes(p)) expect_out_of_memory_without_allocating([&] { Plan(p, options()); });
}

// One row of a tenth of the memory, as bytes: the reference computes it in 64 bits.
TEST_P(RefusedBeforeAllocating, WorkspacesOfOneLongRow) {
  const Problem p{.signal = machine_memory() / 5, .filter = 3, .type = Type::int8, .result_type = Type::int8};
  if (!takes(p)) return;
  forget_largest();
  set_request_limit(std::size_t{1} << 30);
  try {
    const Plan plan(p, options());  // a solver that works piece by piece may well serve it
  } catch (OutOfMemory const& e) {
    EXPECT_GT(e.bytes(), machine_memory());
  }
  set_request_limit(0);
  EXPECT_LE(largest_request(), std::size_t{1} << 26);
}

TEST_P(RefusedBeforeAllocating, OneShotCalls) {
  // Spans that claim more than there is; never read.
  const std::int64_t memory = machine_memory();
  const std::int8_t sample = 1;
  const std::span<std::int8_t const> claimed(&sample, static_cast<std::size_t>(memory / 10 * 11));
  const std::vector<std::int8_t> one{1};
  if (takes_small({.signal = 9, .filter = 1, .type = Type::int8}))
    expect_out_of_memory_without_allocating([&] { convolve<std::int8_t>(claimed, one, call(Mode::full)); });
}
GPUCONV_OVER_SOLVERS(RefusedBeforeAllocating);

TEST(Explaining, AllocatesNothingForTheProblem) {
  forget_largest();
  explain({.signal = machine_memory() / 10, .filter = 1000});
  EXPECT_LE(largest_request(), kLittle);
}

// ---- the tool itself ----------------------------------------------------------------------------------------------
// Not `delete new int`, which the compiler may leave out.
bool allocation_works() {
  try {
    ::operator delete(::operator new(8));
    return true;
  } catch (std::bad_alloc const&) {
    return false;
  }
}

TEST(FailingAllocationTool, FailsTheChosenOneOnly) {
  FailingAllocation failing(1);
  const bool first = allocation_works(), happened_early = failing.happened();
  const bool second = allocation_works(), happened = failing.happened();
  const bool third = allocation_works();
  EXPECT_TRUE(first && !happened_early && !second && happened && third);
}

TEST(FailingAllocationTool, FailsAllThatFollowIfSoWanted) {
  bool works[3];
  {
    FailingAllocation failing(1, Then::fail);
    for (bool& w : works) w = allocation_works();
  }
  EXPECT_TRUE(works[0] && !works[1] && !works[2] && allocation_works());
}

struct alignas(256) Aligned {
  char bytes[256];
};

TEST(FailingAllocationTool, CountsWhatIsAlive) {
  const std::int64_t live = live_allocations(), total = total_allocations();
  {
    const std::vector<int> v(10);
    const auto aligned = std::make_unique<Aligned>();
    EXPECT_EQ(live_allocations(), live + 2);
  }
  EXPECT_EQ(live_allocations(), live);
  EXPECT_EQ(total_allocations(), total + 2);
}

}  // namespace
}  // namespace gpuconv::test
