// Integers: exact modulo 2^64, widened by default, wrapped to a narrow type only where it is named.
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <type_traits>

namespace gpuconv::test {
namespace {

// Memory that begins or ends where a page begins that cannot be read.
class GuardedPages {
 public:
  GuardedPages(std::size_t bytes, bool at_end) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), held = (bytes + page - 1) / page * page;
    size_ = held + 2 * page;
    void* const all = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::bad_alloc();
    all_ = static_cast<std::byte*>(all);
    mprotect(all_, page, PROT_NONE);
    mprotect(all_ + page + held, page, PROT_NONE);
    data_ = all_ + page + (at_end ? held - bytes : 0);
  }
  GuardedPages(GuardedPages const&) = delete;
  GuardedPages& operator=(GuardedPages const&) = delete;
  ~GuardedPages() { munmap(all_, size_); }
  std::byte* data() const { return data_; }

 private:
  std::size_t size_;
  std::byte *all_, *data_;
};

using testing::ElementsAre;
using I64 = std::vector<std::int64_t>;
using U64 = std::vector<std::uint64_t>;

class Integers : public SolverTest {
 protected:
  void SetUp() override {
    if (takes({.signal = 5, .filter = 5, .type = Type::int64})) return;
    EXPECT_THROW(Plan({.signal = 5, .filter = 5, .type = Type::int64}, options()), Unsupported);
    refuses_ = true;
  }
  template <class A, class B>
  auto conv(std::vector<A> const& a, std::vector<B> const& b) const {
    return convolve(a, b, call(Mode::full));
  }
  bool refuses_ = false;  // as transforms do: they are not exact
};

TEST_P(Integers, ExactAtTheExtremes) {
  if (refuses_) return;
  EXPECT_THAT(conv(I64{INT64_MIN, INT64_MAX}, I64{1}), ElementsAre(INT64_MIN, INT64_MAX));
  EXPECT_THAT(conv(I64{INT64_MIN}, I64{-1}), ElementsAre(INT64_MIN));  // 2^63 modulo 2^64
  EXPECT_THAT(conv(I64{INT64_MAX, 1}, I64{1, 1}), ElementsAre(INT64_MAX, INT64_MIN, 1));
  EXPECT_THAT(conv(I64{INT64_MAX}, I64{INT64_MAX}), ElementsAre(1));
  EXPECT_THAT(conv(U64{UINT64_MAX}, U64{UINT64_MAX}), ElementsAre(1u));
  EXPECT_THAT(conv(U64{UINT64_MAX, 1}, U64{1, 1}), ElementsAre(UINT64_MAX, 0u, 1u));
}

TEST_P(Integers, NarrowTypesDoNotOverflow) {
  if (refuses_) return;
  const std::vector<std::int8_t> a(1000, -128);
  const auto result = conv(a, a);
  static_assert(std::is_same_v<decltype(result)::value_type, std::int64_t>);
  EXPECT_EQ(*std::max_element(result.begin(), result.end()), 1000 * 128 * 128);
  const std::vector<std::uint32_t> b(3, UINT32_MAX);
  EXPECT_THAT(conv(b, std::vector<std::uint8_t>{255}), ElementsAre(1095216660225u, 1095216660225u, 1095216660225u));
}

TEST_P(Integers, SignedWithUnsigned) {
  if (refuses_) return;
  EXPECT_THAT(conv(std::vector<std::int8_t>{-1, 2}, std::vector<std::uint8_t>{255}), ElementsAre(-255, 510));
  EXPECT_THAT(conv(std::vector<std::uint16_t>{65535}, std::vector<std::int32_t>{INT32_MIN}),
              ElementsAre(-140735340871680));
}

TEST_P(Integers, UnsignedWithSigned64StaysAnInteger) {
  if (refuses_) return;
  const auto result = conv(U64{UINT64_MAX, std::uint64_t{1} << 63}, I64{-1});
  static_assert(std::is_same_v<decltype(result)::value_type, std::int64_t>);
  EXPECT_THAT(result, ElementsAre(1, INT64_MIN));
}

TEST_P(Integers, WrapOnlyIntoATypeThatIsNamed) {
  if (refuses_) return;
  const std::vector<std::int8_t> a{100, 100}, b{2, 3};
  EXPECT_THAT(conv(a, b), ElementsAre(200, 500, 300));
  EXPECT_THAT(convolve<std::int8_t>(a, b, call(Mode::full)), ElementsAre(-56, -12, 44));
  EXPECT_THAT(convolve<std::uint8_t>(a, b, call(Mode::full)), ElementsAre(200, 244, 44));
  EXPECT_THAT(convolve<std::int16_t>(a, b, call(Mode::full)), ElementsAre(200, 500, 300));
}

TEST_P(Integers, EveryResultTypeAtFullRange) {
  if (refuses_) return;
  Rng rng = test_rng();
  for (int s = 0; s < 8; ++s)
    for (int r = 0; r < 8; ++r) {
      const Problem p{.signal = 300, .filter = 40, .type = static_cast<Type>(s), .result_type = static_cast<Type>(r)};
      EXPECT_TRUE(is_right(random_workload(p, rng), options()));
    }
}

// Narrow operands are multiplied by other instructions, which one depends on both types.
TEST_P(Integers, EveryPairOfTypesAtFullRange) {
  if (refuses_) return;
  Rng rng = test_rng();
  for (int s = 0; s < 8; ++s)
    for (int f = 0; f < 8; ++f)
      for (auto const& [n, m] : {std::pair{1100, 37}, std::pair{37, 1100}, std::pair{200, 1}}) {
        const Problem p{.signal = n, .filter = m, .type = static_cast<Type>(s), .filter_type = static_cast<Type>(f)};
        EXPECT_TRUE(is_right(random_workload(p, rng), options())) << to_string(p);
      }
}

// Where sums of products are largest: 16-bit products are added in pairs and in pieces of 256 taps in 32 bits, of whole
// taps where their magnitudes add up to less than 2^16, else of digits.
TEST_P(Integers, ExtremesAroundPiecesOfTaps) {
  if (refuses_) return;
  for (std::int64_t const m : {1, 2, 3, 4, 255, 256, 257, 258, 259, 511, 512, 513, 770})
    for (int const sample : {-32768, 32767})
      for (int const tap : {-32768, -32767, -129, -128, -1, 127, 128, 255, 256, 32767}) {
        Workload w = empty_workload({.signal = m + 70, .filter = m, .type = Type::int16});
        std::ranges::fill(w.signal.row<std::int16_t>(0), static_cast<std::int16_t>(sample));
        std::ranges::fill(w.filter.row<std::int16_t>(0), static_cast<std::int16_t>(tap));
        ASSERT_TRUE(is_right(w, options())) << m << " taps of " << tap;
      }
}

// Taps of wide types are multiplied as narrower ones where the values of the filter that is set fit those.
TEST_P(Integers, TapsOfAWideTypeWithValuesOfAnyWidth) {
  if (refuses_ || solver()->device != Device::cpu) return;
  Rng rng = test_rng();
  for (Type const signal : {Type::int8, Type::uint8, Type::int16, Type::uint16, Type::int32, Type::uint32, Type::int64})
    for (Type const filter : {Type::uint16, Type::int32, Type::int64, Type::uint64})
      for (auto const& [n, m] : {std::pair{1100, 37}, std::pair{3000, 3}, std::pair{37, 200}}) {
        const Problem p{
            .signal = n, .filter = m, .batch = 2, .filters = Filters::per_row, .type = signal, .filter_type = filter};
        Workload w = random_workload(p, rng);
        Plan plan(p, options());
        for (std::int64_t const widest :
             {100L, 32767L, -32768L, 32768L, -32769L, 2147483647L, -2147483648L, 2147483648L, 7L}) {
          visit_type(filter, [&]<class T>(std::type_identity<T>) {
            if constexpr (std::is_integral_v<T>) {
              for (std::int64_t f = 0; f < 2; ++f)
                for (T& tap : w.filter.row<T>(f)) tap = static_cast<T>(pick(rng, std::is_signed_v<T> ? -99 : 0, 99));
              w.filter.row<T>(1)[1] = static_cast<T>(widest);
            }
          });
          Outcome outcome{Array(result_type(p), 2, plan.output_length()), plan.describe(), plan.method()};
          plan.set_filter(w.filter.input());
          plan.execute(w.signal.input(), outcome.out.output());
          ASSERT_TRUE(Oracle(w).accepts(outcome)) << to_string(p) << ", a tap of " << widest;
        }
      }
}

// With signs that make every sum as large as the filter allows, either side of where taps are cut into digits.
TEST_P(Integers, MagnitudesAroundTwoToThe16) {
  if (refuses_) return;
  Rng rng = test_rng();
  for (std::int64_t const m : {3, 4, 16, 255, 256})
    for (int const total : {65534, 65535, 65536, 65537}) {
      Workload w = empty_workload({.signal = 2 * m, .filter = m, .mode = Mode::valid, .type = Type::int16});
      const auto taps = w.filter.row<std::int16_t>(0), signal = w.signal.row<std::int16_t>(0);
      for (std::int64_t left = total, j = 0; j < m; ++j) {
        const std::int64_t magnitude = std::min<std::int64_t>(32768, (left + m - j - 1) / (m - j));
        left -= magnitude;
        const bool negative = magnitude == 32768 || pick(rng, 0, 1) == 1;
        taps[static_cast<std::size_t>(j)] = static_cast<std::int16_t>(negative ? -magnitude : magnitude);
        signal[static_cast<std::size_t>(m - 1 - j)] = negative ? std::int16_t{32767} : std::int16_t{-32768};
      }
      ASSERT_TRUE(is_right(w, options())) << m << " taps, magnitudes of " << total;
      for (std::int16_t& x : signal) x = static_cast<std::int16_t>(~x);
      ASSERT_TRUE(is_right(w, options())) << m << " taps, magnitudes of " << total;
    }
}

// Between two pages that nobody may touch.
TEST_P(Integers, NothingIsReadAroundTheSignal) {
  if (refuses_ || solver()->device != Device::cpu) return;
  Rng rng = test_rng();
  for (Type const type : {Type::int16, Type::int32, Type::uint32})
    for (std::int64_t const m : {1, 2, 3, 31, 32, 256, 257})
      for (bool const at_end : {false, true}) {
        const Workload w = random_workload({.signal = 1500, .filter = m, .mode = Mode::valid, .type = type}, rng);
        const GuardedPages pages(static_cast<std::size_t>(w.signal.columns()) * size_of(type), at_end);
        std::ranges::copy(w.signal.bytes(0), pages.data());
        Plan plan(w.problem, options());
        Outcome outcome{Array(result_type(w.problem), 1, plan.output_length()), plan.describe(), plan.method()};
        plan.set_filter(w.filter.input());
        plan.execute({pages.data(), type, {.columns = w.signal.columns()}}, outcome.out.output());
        EXPECT_TRUE(Oracle(w).accepts(outcome)) << to_string(w.problem);
      }
}
GPUCONV_OVER_SOLVERS(Integers);

class IntegersAsFloats : public SolverTest {};

TEST_P(IntegersAsFloats, WhereAFloatingResultIsNamed) {
  Rng rng = test_rng();
  for (int s = 0; s < 8; ++s)
    for (Type const result : {Type::float32, Type::float64}) {
      const Problem p{.signal = 500, .filter = 30, .type = static_cast<Type>(s), .result_type = result};
      if (!takes(p)) continue;
      EXPECT_TRUE(is_right(random_workload(p, rng), options()));
    }
}

// The sum is made in a type that holds the operands, and the result rounded once: to the nearest float.
TEST_P(IntegersAsFloats, DigitsThatAFloatLacksAreInTheSum) {
  const auto middle = [&]<class A, class B>(std::vector<A> const& a, std::vector<B> const& b) {
    if (!takes({.signal = 2, .filter = 2, .type = type_of<A>, .filter_type = type_of<B>, .result_type = Type::float32}))
      return 1.0f;
    const std::vector<float> out = convolve<float>(a, b, call(Mode::full));
    EXPECT_THAT(out, testing::SizeIs(3));
    return out[1];
  };
  constexpr std::int32_t odd = (1 << 24) + 1, even = -(1 << 24);
  EXPECT_EQ(middle(std::vector{odd, even}, std::vector{1, 1}), 1.0f);
  EXPECT_EQ(middle(std::vector{1, 1}, std::vector{odd, even}), 1.0f);
  EXPECT_EQ(middle(std::vector{odd, even}, std::vector<std::int8_t>{1, 1}), 1.0f);
  EXPECT_EQ(middle(std::vector<std::int16_t>{1, 1}, std::vector<std::int64_t>{odd, even}), 1.0f);
  EXPECT_EQ(middle(std::vector<std::uint32_t>{odd, 1u << 24}, std::vector<std::int16_t>{-1, 1}), 1.0f);
  EXPECT_EQ(middle(std::vector<std::int8_t>{-1, 1}, std::vector<std::uint32_t>{odd, 1u << 24}), 1.0f);
  EXPECT_EQ(middle(std::vector<std::uint64_t>{odd, 1u << 24}, std::vector<std::int32_t>{-1, 1}), 1.0f);
}

TEST_P(IntegersAsFloats, EveryPairOfTypes) {
  Rng rng = test_rng();
  for (int s = 0; s < 8; ++s)
    for (int f = 0; f < 8; ++f)
      for (auto const& [n, m] : {std::pair{700, 30}, std::pair{30, 700}}) {
        const Problem p{.signal = n,
                        .filter = m,
                        .type = static_cast<Type>(s),
                        .filter_type = static_cast<Type>(f),
                        .result_type = Type::float32};
        if (!takes(p)) continue;
        EXPECT_TRUE(is_right(random_workload(p, rng), options()));
      }
}

// Sums that a float cannot hold, in rows that are not next to each other and in the middle of many.
TEST_P(IntegersAsFloats, OverflowIsInfiniteWhereItHappens) {
  Rng rng = test_rng();
  const Problem p{.signal = 3000, .filter = 40, .batch = 3, .type = Type::int64, .result_type = Type::float32};
  if (!takes(p)) return;
  Workload w = empty_workload(p, {.signal = {.gap = 3}, .filter = {}, .out = {}});
  fill_small(w.signal, rng), fill_small(w.filter, rng);
  for (std::int64_t& tap : w.filter.row<std::int64_t>(0)) tap = INT64_MAX / 40 - tap;
  for (std::int64_t i = 1000; i < 1100; ++i) w.signal.row<std::int64_t>(1)[static_cast<std::size_t>(i)] = INT64_MIN;
  EXPECT_TRUE(is_right(w, options(), {.offset = 1, .gap = 5}));
  for (std::int64_t& tap : w.filter.row<std::int64_t>(0)) tap *= 39;
  EXPECT_TRUE(is_right(w, options(), {.offset = 1, .gap = 5}));
}

// A transform rounds, but small integers come out exact once rounded.
TEST_P(IntegersAsFloats, SmallIntegersAreExactOnceRounded) {
  Rng rng = test_rng();
  for (Type const type : {Type::float32, Type::float64}) {
    Workload w = empty_workload({.signal = 5000, .filter = 64, .type = type});
    fill_small(w.signal, rng);
    fill_small(w.filter, rng);
    Workload exact = empty_workload({.signal = 5000, .filter = 64, .type = Type::int64});
    std::ranges::copy(w.signal.as<std::int64_t>(0), exact.signal.row<std::int64_t>(0).begin());
    std::ranges::copy(w.filter.as<std::int64_t>(0), exact.filter.row<std::int64_t>(0).begin());
    const auto want = run(exact, {}).out.as<double>(0), got = run(w, options()).out.as<double>(0);
    for (std::size_t i = 0; i < want.size(); ++i) ASSERT_EQ(std::round(got[i]), want[i]) << i;
  }
}
GPUCONV_OVER_SOLVERS(IntegersAsFloats);

}  // namespace
}  // namespace gpuconv::test
