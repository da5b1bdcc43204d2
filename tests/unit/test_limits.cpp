// Sizes that are wrong, overflow or exceed the machine: refused with a typed error before anything is allocated.
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
  EXPECT_THROW(Plan(with([](Problem& p) { p.filters = static_cast<Filters>(2); })), InvalidArgument);
  EXPECT_THROW(Plan(with([](Problem& p) { p.type = static_cast<Type>(10); })), InvalidArgument);
  EXPECT_THROW(Plan(with([](Problem& p) { p.filter_type = static_cast<Type>(10); })), InvalidArgument);
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
  const std::int64_t samples = machine_memory() / 4 + 1;
  expect_out_of_memory({.signal = samples, .filter = 3}, machine_memory());
  expect_out_of_memory({.signal = 3, .filter = samples}, machine_memory());
  expect_out_of_memory({.signal = 1 << 10, .filter = 3, .batch = samples / 1024 + 1}, machine_memory());
  expect_out_of_memory(
      {.signal = kHuge / 4, .filter = 5, .mode = Mode::valid, .type = Type::int8, .result_type = Type::int8},
      kHuge / 4);
}
GPUCONV_OVER_SOLVERS(LargerThanMemory);

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
