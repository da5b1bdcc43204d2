// Sizes that are wrong, overflow or exceed what there is, in the machine or in a container: refused with a typed error
// before anything is allocated.
#include "support/scale.hpp"
#include "support/solvers.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gtest/gtest.h>

namespace gpuconv::test {
namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

TEST(Limits, NegativeAndZeroSizes) {
  for (std::int64_t const wrong : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    EXPECT_THROW(Plan({.signal = wrong, .filter = 3}), InvalidArgument) << wrong;
    EXPECT_THROW(Plan({.signal = 3, .filter = wrong}), InvalidArgument) << wrong;
    EXPECT_THROW(Plan({.signal = 3, .filter = 3, .batch = wrong}), InvalidArgument) << wrong;
    EXPECT_THROW(explain({.signal = wrong, .filter = 3}), InvalidArgument) << wrong;
  }
}

TEST(Limits, SizesThatOverflow) {
  for (Type const type : {Type::int8, Type::float32, Type::float64})
    for (Mode const mode : {Mode::full, Mode::same, Mode::valid}) {
      EXPECT_THROW(Plan({.signal = INT64_MAX, .filter = 2, .mode = mode, .type = type}), InvalidArgument);
      EXPECT_THROW(Plan({.signal = kHuge, .filter = kHuge, .batch = 8, .mode = mode, .type = type}), InvalidArgument);
      EXPECT_THROW(Plan({.signal = 1 << 20, .filter = 2, .batch = kHuge, .mode = mode, .type = type}), InvalidArgument);
      EXPECT_THROW(Plan({.signal = INT64_MAX, .filter = 1, .batch = INT64_MAX, .mode = mode, .type = type}),
                   InvalidArgument);
    }
}

TEST(Limits, EnumsOutOfRange) {
  const auto with = [](auto change) {
    Problem p{.signal = 9, .filter = 3};
    change(p);
    return p;
  };
  EXPECT_THROW(Plan(with([](Problem& p) { p.mode = static_cast<Mode>(3); })), InvalidArgument);
  EXPECT_THROW(Plan(with([](Problem& p) { p.same = static_cast<Same>(3); })), InvalidArgument);
  EXPECT_THROW(Plan(with([](Problem& p) { p.filters = static_cast<Filters>(3); })), InvalidArgument);
  EXPECT_THROW(Plan(with([](Problem& p) { p.type = static_cast<Type>(type_count); })), InvalidArgument);
  EXPECT_THROW(Plan(with([](Problem& p) { p.filter_type = static_cast<Type>(type_count); })), InvalidArgument);
  EXPECT_THROW(Plan(with([](Problem& p) { p.result_type = static_cast<Type>(255); })), InvalidArgument);
}

TEST(Limits, ResultTypesThatCannotHoldTheResult) {
  EXPECT_THROW(Plan({.signal = 9, .filter = 3, .result_type = Type::int64}), InvalidArgument);
  EXPECT_THROW(Plan({.signal = 9, .filter = 3, .type = Type::float64, .result_type = Type::float32}), InvalidArgument);
  EXPECT_THROW(Plan({.signal = 9, .filter = 3, .filter_type = Type::int32, .result_type = Type::float32}),
               InvalidArgument);
  EXPECT_NO_THROW(Plan({.signal = 9, .filter = 3, .result_type = Type::float64}));
  EXPECT_NO_THROW(Plan({.signal = 9, .filter = 3, .type = Type::int64, .result_type = Type::int8}));
  EXPECT_NO_THROW(Plan({.signal = 9, .filter = 3, .type = Type::int64, .result_type = Type::float32}));
}

class LargerThanMemory : public SolverTest {
 protected:
  void expect_out_of_memory(Problem const& p, std::int64_t at_least) const {
    try {
      const Plan plan(p, options());
      ADD_FAILURE() << to_string(p) << " was accepted: " << plan.describe();
    } catch (OutOfMemory const& e) {
      EXPECT_GE(e.bytes(), at_least) << e.what();
      EXPECT_NE(std::string(e.what()).find(std::to_string(e.bytes())), std::string::npos) << e.what();
    } catch (Unsupported const&) {
    }
  }
};

TEST_P(LargerThanMemory, IsRefusedWithTheBytesNeeded) {
  // The filters are the plan's own. No GPU has 16 TiB.
  const std::int64_t memory = solver()->device == Device::cuda ? std::int64_t{1} << 44 : machine_memory();
  const std::int64_t taps = memory / 4 + 1;
  expect_out_of_memory({.signal = 3, .filter = taps}, memory);
  expect_out_of_memory({.signal = 3, .filter = 1 << 10, .batch = taps / 1024 + 1, .filters = Filters::per_row}, memory);
}

// Arrays that callers pass are there already: mapped files, overlapping rows, rows with a stride of 0.
TEST_P(LargerThanMemory, ArraysOfCallersAreNotCounted) {
  if (solver()->device == Device::cuda) GTEST_SKIP() << "a GPU's memory is another matter";
  const bool whole_rows = solver()->method == Method::reference;
  const std::int64_t samples = machine_memory() / 4 + 1;
  EXPECT_NO_THROW(Plan({.signal = 1 << 10, .filter = 3, .batch = samples / 1024 + 1}, options()));
  const Problem longest{
      .signal = kHuge / 4, .filter = 5, .mode = Mode::valid, .type = Type::int8, .result_type = Type::int8};
  if (whole_rows) {
    expect_out_of_memory(longest, kHuge / 4);
    return;
  }
  EXPECT_NO_THROW(Plan({.signal = samples, .filter = 3}, options()));
  if (takes(longest)) {
    EXPECT_NO_THROW(Plan(longest, options()));
  }
}
GPUCONV_OVER_SOLVERS(LargerThanMemory);

// Every window of one recording: its rows span more than the machine has, where there are few samples.
TEST(Limits, WindowsOfOneRecordingAreConvolved) {
  if (kSlowdown > 1) GTEST_SKIP() << "takes minutes in this build";
  constexpr std::int64_t window = 1 << 12;
  const std::int64_t windows = machine_memory() / (4 * window) + 2;
  if (windows > std::int64_t{1} << 22) GTEST_SKIP() << "too many windows for a test";
  const std::vector<float> recording(static_cast<std::size_t>(window + windows - 1), 1);
  const std::vector<float> filter(window, 0.5F);
  std::vector<float> out(static_cast<std::size_t>(windows));
  convolve(HostView(recording.data(), {.rows = windows, .columns = window, .stride = 1}), filter,
           HostView(out.data(), {.rows = windows, .columns = 1}),
           CallOptions{.mode = Mode::valid, .device = Device::cpu});
  EXPECT_EQ(out.front(), 0.5F * window);
  EXPECT_EQ(out.back(), 0.5F * window);
}

TEST(Limits, OneShotCallsRefuseTheResultBeforeAllocatingIt) {
  // Spans that claim more than there is: never read, the result's size alone is refused.
  const float sample = 1;
  const std::span<float const> claimed(&sample, static_cast<std::size_t>(machine_memory()) / 2);
  try {
    convolve(claimed, std::vector<float>{1});
    FAIL() << "accepted";
  } catch (OutOfMemory const& e) {
    EXPECT_GE(e.bytes(), machine_memory());
  }
}

}  // namespace
}  // namespace gpuconv::test
