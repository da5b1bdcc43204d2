// The contract of Plan: what it refuses and with which error, what it is after an error, moves, forced methods, texts.
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace gpuconv::test {
namespace {

class PlanTest : public SolverTest {
 protected:
  Problem problem_{.signal = 300, .filter = 21, .batch = 3, .mode = Mode::same};
  Rng rng_ = test_rng();
  Workload workload_ = random_workload(problem_, rng_);
  Plan plan_{problem_, why_absent().empty() ? options() : Options{}};  // without the device, SetUp will skip
  Array out_{Type::float32, 3, 300, {.offset = 1, .gap = 2}};

  void expect_works() {
    plan_.set_filter(workload_.filter.input());
    plan_.execute(workload_.signal.input(), out_.output());
    EXPECT_TRUE(Oracle(workload_).accepts({out_, plan_.describe(), plan_.method(), plan_.block()}));
  }
  // Throws InvalidArgument, writes nothing, and leaves the plan as it was.
  void expect_refused(HostInput signal, HostOutput out) {
    const Array before = out_;
    EXPECT_THROW(plan_.execute(signal, out), InvalidArgument);
    EXPECT_TRUE(out_ == before);
    plan_.execute(workload_.signal.input(), out_.output());
    EXPECT_TRUE(Oracle(workload_).accepts({out_, plan_.describe(), plan_.method(), plan_.block()}));
  }
};

TEST_P(PlanTest, SaysWhatItIs) {
  EXPECT_EQ(plan_.method(), solver()->method);
  EXPECT_EQ(plan_.device(), solver()->device);
  EXPECT_EQ(plan_.output_length(), 300);
  EXPECT_EQ(plan_.problem().signal, 300);
  EXPECT_EQ(plan_.problem().mode, Mode::same);
  EXPECT_GE(plan_.threads(), 1);
  EXPECT_GE(plan_.workspace_bytes(), 21 * sizeof(float));  // the filter, at the least
  const std::string text = plan_.describe();
  EXPECT_NE(text.find(name(plan_.device())), std::string::npos) << text;
  EXPECT_NE(text.find(name(plan_.method())), std::string::npos) << text;
}

TEST_P(PlanTest, ExecutesAnyNumberOfTimes) {
  for (int i = 0; i < 3; ++i) expect_works();
}

TEST_P(PlanTest, NeedsAFilterFirst) {
  EXPECT_THROW(plan_.execute(workload_.signal.input(), out_.output()), InvalidArgument);
  expect_works();
}

TEST_P(PlanTest, TakesAnotherFilter) {
  expect_works();
  fill_random(workload_.filter, rng_);
  expect_works();
}

TEST_P(PlanTest, KeepsItsOwnCopyOfTheFilter) {
  plan_.set_filter(workload_.filter.input());
  Workload changed = workload_;
  std::ranges::fill(workload_.filter.row<float>(0), std::numeric_limits<float>::quiet_NaN());
  plan_.execute(workload_.signal.input(), out_.output());
  EXPECT_TRUE(Oracle(changed).accepts({out_, plan_.describe(), plan_.method(), plan_.block()}));
}

TEST_P(PlanTest, ForgetsANonFiniteFilter) {
  std::ranges::fill(workload_.filter.row<float>(0), std::numeric_limits<float>::infinity());
  expect_works();
  fill_random(workload_.filter, rng_);
  expect_works();
}

TEST_P(PlanTest, KeepsItsFilterWhereAWrongOneIsRefused) {
  expect_works();
  const std::vector<float> wrong(20);
  EXPECT_THROW(plan_.set_filter(wrong), InvalidArgument);
  plan_.execute(workload_.signal.input(), out_.output());
  EXPECT_TRUE(Oracle(workload_).accepts({out_, plan_.describe(), plan_.method(), plan_.block()}));
}

TEST_P(PlanTest, RefusesWrongFilters) {
  const std::vector<double> doubles(21);
  const std::vector<float> floats(63);
  EXPECT_THROW(plan_.set_filter(doubles), InvalidArgument);
  EXPECT_THROW(plan_.set_filter(floats), InvalidArgument);
  EXPECT_THROW(plan_.set_filter(HostView(floats.data(), gpuconv::Rows{.rows = 3, .columns = 21})), InvalidArgument);
  EXPECT_THROW(plan_.set_filter(HostView<const float>(nullptr, 21)), InvalidArgument);
  EXPECT_THROW(plan_.set_filter(HostView(floats.data(), std::int64_t{-21})), InvalidArgument);
  expect_works();
}

TEST_P(PlanTest, RefusesWrongSignalsAndOutputs) {
  expect_works();
  const HostInput signal = workload_.signal.input();
  const HostOutput out = out_.output();
  Array doubles(Type::float64, 3, 300), longer(Type::float32, 3, 301), fewer(Type::float32, 2, 300);
  expect_refused(doubles.input(), out);
  expect_refused(longer.input(), out);
  expect_refused(fewer.input(), out);
  expect_refused(signal, doubles.output());
  expect_refused(signal, longer.output());
  expect_refused(signal, fewer.output());
  expect_refused({nullptr, Type::float32, {.rows = 3, .columns = 300}}, out);
  expect_refused(signal, {nullptr, Type::float32, {.rows = 3, .columns = 300}});
}

TEST_P(PlanTest, RefusesStridesThatMakeOutputRowsOverlapOrSizesOverflow) {
  expect_works();
  const auto strided = [&](std::int64_t stride) {
    return HostOutput(const_cast<void*>(out_.input().data()), Type::float32,
                      {.rows = 3, .columns = 300, .stride = stride});
  };
  for (std::int64_t const stride :
       {std::int64_t{299}, std::int64_t{1}, std::int64_t{0}, std::int64_t{-299}, INT64_MIN, INT64_MAX, INT64_MAX / 2})
    expect_refused(workload_.signal.input(), strided(stride));
}

TEST_P(PlanTest, RefusesMisalignedPointers) {
  expect_works();
  const gpuconv::Rows shape{.rows = 3, .columns = 300};
  const auto shifted = [](HostInput v) { return static_cast<const char*>(v.data()) + 1; };
  expect_refused({shifted(workload_.signal.input()), Type::float32, shape}, out_.output());
  expect_refused(workload_.signal.input(), {const_cast<char*>(shifted(out_.input())), Type::float32, shape});
  EXPECT_THROW(plan_.set_filter({shifted(workload_.filter.input()), Type::float32, {.columns = 21}}), InvalidArgument);
}

TEST_P(PlanTest, RefusesInPlaceAndOverlapping) {
  plan_.set_filter(workload_.filter.input());
  std::vector<float> buffer(3 * 300 * 2);
  const gpuconv::Rows shape{.rows = 3, .columns = 300};
  for (std::int64_t const at : {0, 1, 300, 899})
    EXPECT_THROW(plan_.execute(HostView(buffer.data(), shape), HostView(buffer.data() + at, shape)), InvalidArgument)
        << at;
  EXPECT_THROW(plan_.execute(HostView(buffer.data() + 899, shape), HostView(buffer.data(), shape)), InvalidArgument);
  EXPECT_NO_THROW(plan_.execute(HostView(buffer.data(), shape), HostView(buffer.data() + 900, shape)));
  EXPECT_NO_THROW(plan_.execute(HostView(buffer.data() + 900, shape), HostView(buffer.data(), shape)));
}

TEST_P(PlanTest, Moves) {
  static_assert(!std::is_copy_constructible_v<Plan> && !std::is_copy_assignable_v<Plan>);
  static_assert(std::is_nothrow_move_constructible_v<Plan> && std::is_nothrow_move_assignable_v<Plan>);
  plan_.set_filter(workload_.filter.input());
  Plan moved(std::move(plan_));
  moved.execute(workload_.signal.input(), out_.output());
  EXPECT_TRUE(Oracle(workload_).accepts({out_, moved.describe(), moved.method(), moved.block()}));
  plan_ = Plan({.signal = 5, .filter = 5}, options());
  EXPECT_EQ(plan_.output_length(), 9);
  plan_ = std::move(moved);
  plan_.execute(workload_.signal.input(), out_.output());
  EXPECT_EQ(plan_.output_length(), 300);
  Plan& self = plan_;
  plan_ = std::move(self);
  EXPECT_EQ(plan_.output_length(), 300);
}

TEST_P(PlanTest, UsesAtMostTheThreadsItMay) {
  for (int const threads : {1, 2, 7}) {
    const Plan plan({.signal = 1 << 20, .filter = 200, .batch = 2}, options(threads));
    EXPECT_LE(plan.threads(), threads) << plan.describe();
    EXPECT_GE(plan.threads(), 1);
  }
}

TEST_P(PlanTest, OneShotCallsObeyTheForcedMethod) {
  const std::vector<float> x(100, 1), h(10, 1);
  EXPECT_EQ(std::lround(convolve(x, h, call(Mode::valid))[0]), 10);
  const std::vector<int> ints(100, 1);
  if (takes({.signal = 100, .filter = 100, .type = Type::int32})) {
    EXPECT_EQ(convolve(ints, ints, call(Mode::valid))[0], 100);
  } else {
    EXPECT_THROW(convolve(ints, ints, call(Mode::valid)), Unsupported);
  }
}
GPUCONV_OVER_SOLVERS(PlanTest);

// ---- choice -------------------------------------------------------------------------------------------------------
std::string unsupported_text(Problem const& p, Options const& o) {
  try {
    const Plan plan(p, o);
    return "accepted: " + plan.describe();
  } catch (Unsupported const& e) {
    return e.what();
  }
}

TEST(Choice, IsNeverAutomaticNorTheReference) {
  for (std::int64_t const n : {1, 100, 100000})
    for (std::int64_t const m : {1, 100, 100000})
      for (Type const type : {Type::int8, Type::float32, Type::float64}) {
        const Plan plan({.signal = n, .filter = m, .type = type});
        EXPECT_NE(plan.method(), Method::automatic);
        EXPECT_NE(plan.method(), Method::reference);
        EXPECT_NE(plan.device(), Device::automatic);
      }
}

// Transforms round where direct sums of small integers do not: what is small must not go through one.
TEST(Choice, SmallFloatingProblemsAreExact) {
  Rng rng = test_rng();
  for (std::int64_t n = 1; n <= 12; ++n)
    for (std::int64_t m = 1; m <= 12; ++m)
      for (Type const type : {Type::float32, Type::float64}) {
        Workload w = empty_workload({.signal = n, .filter = m, .type = type});
        fill_small(w.signal, rng);
        fill_small(w.filter, rng);
        const Outcome automatic = run(w, {}), exact = run(w, {.method = Method::reference});
        EXPECT_EQ(automatic.out.as<double>(0), exact.out.as<double>(0))
            << to_string(w.problem) << ", " << automatic.plan;
      }
}

TEST(Choice, AForcedMethodThatDoesNotApplySaysWhy) {
  const Problem integers{.signal = 10, .filter = 3, .type = Type::int32};
  for (Method const method : {Method::overlap_save, Method::fft}) {
    const std::string text = unsupported_text(integers, {.method = method});
    EXPECT_NE(text.find(name(method)), std::string::npos) << text;
    EXPECT_NE(text.find("integers"), std::string::npos) << text;
  }
  const std::string text = unsupported_text({.signal = 1 << 22, .filter = 1 << 22}, {.method = Method::overlap_save});
  EXPECT_NE(text.find("longer"), std::string::npos) << text;
}

TEST(Choice, AForcedDeviceThatIsNotThereSaysWhy) {
  for (DeviceInfo const& info : devices())
    if (!info.available) {
      const std::string text = unsupported_text({.signal = 10, .filter = 3}, {.device = info.device});
      EXPECT_NE(text.find(name(info.device)), std::string::npos) << text;
    }
}

TEST(Choice, RefusesOptionsThatAreNone) {
  const Problem p{.signal = 10, .filter = 3};
  EXPECT_THROW(Plan(p, {.threads = -1}), InvalidArgument);
  EXPECT_THROW(Plan(p, {.method = static_cast<Method>(77)}), InvalidArgument);
  EXPECT_THROW(Plan(p, {.device = static_cast<Device>(77)}), InvalidArgument);
  EXPECT_THROW(explain(p, {.threads = -1}), InvalidArgument);
}

// ---- explain ------------------------------------------------------------------------------------------------------
std::string line_with(std::string const& text, std::string_view word) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find(word) != std::string::npos) return line;
  return {};
}

TEST(Explain, ListsEverySolver) {
  for (Type const type : {Type::float32, Type::int16}) {
    const Problem p{.signal = 1000, .filter = 30, .type = type};
    const std::string text = explain(p);
    EXPECT_EQ(text.find(to_string(p)), 0u) << text;
    for (auto const* solver : detail::solvers()) {
      if (solver->device == Device::cuda && !detail::cuda_device_info().available) continue;  // a line for the device
      const std::string line =
          line_with(text, std::string(name(solver->device)) + "  " + std::string(name(solver->method)));
      const bool applies = takes(solver, p) && solver->automatic;
      EXPECT_EQ(line.find("no: ") == std::string::npos, applies) << text;
      EXPECT_EQ(line.find("about ") != std::string::npos, applies) << text;
    }
  }
}

TEST(Explain, PutsWhatAPlanWouldChooseFirst) {
  for (std::int64_t const m : {3, 300, 300000}) {
    const Problem p{.signal = 400000, .filter = m};
    const std::string text = explain(p), first = line_with(text, "about");
    EXPECT_NE(first.find(name(Plan(p).method())), std::string::npos) << text;
  }
}

TEST(Explain, NamesTheMissingDevice) {
  for (DeviceInfo const& info : devices()) {
    EXPECT_FALSE(info.detail.empty());
    if (info.available) continue;
    EXPECT_NE(explain({.signal = 10, .filter = 3}).find(name(info.device)), std::string::npos);
  }
}

TEST(Texts, OfProblems) {
  EXPECT_EQ(to_string({.signal = 8, .filter = 3}), "1 x 8 float32 * 3 float32 -> full 10 float32");
  EXPECT_EQ(to_string({.signal = 8,
                       .filter = 3,
                       .batch = 4,
                       .filters = Filters::per_row,
                       .mode = Mode::same,
                       .same = Same::matlab,
                       .type = Type::int8,
                       .filter_type = Type::uint8,
                       .result_type = Type::int16}),
            "4 x 8 int8 * 3 uint8 per row -> same (matlab) 8 int16");
}

TEST(Texts, OfErrorsAreCutNotOverrun) {
  const std::string longer(2000, 'x');
  EXPECT_EQ(InvalidArgument(longer).what(), std::string(511, 'x'));
  EXPECT_STREQ(Unsupported("").what(), "");
  EXPECT_EQ(OutOfMemory("text", 7).bytes(), 7);
}

}  // namespace
}  // namespace gpuconv::test
