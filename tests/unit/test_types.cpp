// The type list, the result types as numpy.result_type has them, and what must or must not compile.
#include <gpuconv/gpuconv.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <list>
#include <span>
#include <string>
#include <vector>

namespace gpuconv {
namespace {

// ---- element types ------------------------------------------------------------------------------------------------
static_assert(type_count == 14);
static_assert(Element<float> && Element<double> && Element<const float>);
static_assert(Element<std::int8_t> && Element<std::uint8_t> && Element<short> && Element<unsigned>);
static_assert(Element<long> && Element<long long> && Element<unsigned long long>);
static_assert(type_of<long> == Type::int64 && type_of<long long> == Type::int64 &&
              type_of<unsigned long long> == Type::uint64);
static_assert(type_of<signed char> == Type::int8 && type_of<unsigned char> == Type::uint8);
static_assert(type_of<const double> == Type::float64);
static_assert(!Element<bool> && !Element<char> && !Element<wchar_t> && !Element<char8_t> && !Element<char16_t> &&
              !Element<char32_t>);
static_assert(type_of<float16> == Type::float16 && type_of<bfloat16 const> == Type::bfloat16);
static_assert(type_of<::__half> == Type::float16 && type_of<::__nv_bfloat16> == Type::bfloat16);
static_assert(type_of<std::complex<float>> == Type::complex64 && type_of<std::complex<double>> == Type::complex128);
static_assert(!Element<std::complex<int>> && !Element<std::complex<long double>>);
static_assert(!Element<long double> && !Element<void*> && !Element<std::string> && !Element<float*>);

template <std::size_t... I>
constexpr bool types_have_elements(std::index_sequence<I...>) {
  return (visit_type(static_cast<Type>(I),
                     []<class T>(std::type_identity<T>) {
                       return type_of<T> == static_cast<Type>(I) && size_of(static_cast<Type>(I)) == sizeof(T);
                     }) &&
          ...);
}
static_assert(types_have_elements(std::make_index_sequence<type_count>{}));

TEST(Types, HaveNumPysNames) {
  const char* names[] = {"int8",   "int16",   "int32",   "int64",   "uint8",    "uint16",    "uint32",
                         "uint64", "float32", "float64", "float16", "bfloat16", "complex64", "complex128"};
  for (int t = 0; t < type_count; ++t) EXPECT_EQ(name(static_cast<Type>(t)), names[t]);
}

// ---- result types -------------------------------------------------------------------------------------------------
// numpy.result_type, but for pairs of integers, which are widened to 64 bits: I int64, U uint64, f float32, d float64,
// h float16, b bfloat16 (its promotions are those of the package ml_dtypes, but for float16), c complex64, z
// complex128. Rows are the signal's type, columns the filter's, both in the order of the table.
constexpr const char* kResultTypes[type_count] = {
    "IIIIIIIIfdhbcz",  // int8
    "IIIIIIIIfdffcz",  // int16
    "IIIIIIIIddddzz",  // int32
    "IIIIIIIIddddzz",  // int64
    "IIIIUUUUfdhbcz",  // uint8
    "IIIIUUUUfdffcz",  // uint16
    "IIIIUUUUddddzz",  // uint32
    "IIIIUUUUddddzz",  // uint64
    "ffddffddfdffcz",  // float32
    "ddddddddddddzz",  // float64
    "hfddhfddfdhfcz",  // float16
    "bfddbfddfdfbcz",  // bfloat16
    "cczzcczzczcccz",  // complex64
    "zzzzzzzzzzzzzz",  // complex128
};
constexpr Type from_letter(char c) {
  switch (c) {
    case 'I':
      return Type::int64;
    case 'U':
      return Type::uint64;
    case 'f':
      return Type::float32;
    case 'd':
      return Type::float64;
    case 'h':
      return Type::float16;
    case 'b':
      return Type::bfloat16;
    case 'c':
      return Type::complex64;
    default:
      return Type::complex128;
  }
}
constexpr bool default_results_are_the_tables() {
  for (int s = 0; s < type_count; ++s)
    for (int f = 0; f < type_count; ++f)
      if (default_result(static_cast<Type>(s), static_cast<Type>(f)) != from_letter(kResultTypes[s][f])) return false;
  return true;
}
static_assert(default_results_are_the_tables());
static_assert(std::is_same_v<result_t<std::int8_t, std::uint8_t>, std::int64_t>);
static_assert(std::is_same_v<result_t<std::uint8_t, std::uint32_t>, std::uint64_t>);
static_assert(std::is_same_v<result_t<std::int64_t, std::uint64_t>, std::int64_t>);
static_assert(std::is_same_v<result_t<float, std::int16_t>, float>);
static_assert(std::is_same_v<result_t<float, std::int32_t>, double>);
static_assert(std::is_same_v<result_t<float, double>, double>);
static_assert(std::is_same_v<result_t<std::complex<float>, float>, std::complex<float>>);
static_assert(std::is_same_v<result_t<std::complex<float>, int>, std::complex<double>>);
static_assert(std::is_same_v<result_t<float16, float16>, float16>);

// ---- numbers of 16 bits ---------------------------------------------------------------------------------------------
// Every value, by the definition of the format: sign, exponent and fraction.
double value_of(unsigned bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits & ((1u << exponent_bits) - 1));
  const int fraction = static_cast<int>(bits & ((1u << fraction_bits) - 1));
  const double sign = bits & 0x8000u ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction ? std::nan("") : sign * HUGE_VAL;
  const int whole = exponent ? 1 << fraction_bits : 0;
  return sign * std::ldexp(whole + fraction, std::max(exponent, 1) - bias - fraction_bits);
}

template <class Half>
void expect_rounds(int exponent_bits) {
  for (unsigned bits = 0; bits < 0x10000u; ++bits) {
    Half half;
    half.bits = static_cast<std::uint16_t>(bits);
    const double value = value_of(bits, exponent_bits);
    const auto same = [](double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b; };
    ASSERT_TRUE(same(static_cast<float>(half), value)) << bits;
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(static_cast<float>(Half(static_cast<float>(half))))) << bits;
      continue;
    }
    ASSERT_EQ(Half(static_cast<float>(value)).bits, bits);
    ASSERT_EQ(Half(value).bits, bits);
    if (!std::isfinite(value) || bits & 0x8000u) continue;
    // Half way to the next one, which is infinite at last, ties go to the even one; a trifle beyond decides else.
    double next = value_of(bits + 1, exponent_bits);
    if (std::isinf(next)) next = 2 * value - value_of(bits - 1, exponent_bits);
    const double middle = (value + next) / 2;
    const unsigned even = bits % 2 ? bits + 1 : bits;
    ASSERT_EQ(Half(middle).bits, even) << middle;
    ASSERT_EQ(Half(static_cast<float>(middle)).bits, even) << middle;
    ASSERT_EQ(Half(-middle).bits, even | 0x8000u) << middle;
    ASSERT_EQ(Half(std::nextafter(middle, 0.0)).bits, bits) << middle;
    ASSERT_EQ(Half(std::nextafter(middle, HUGE_VAL)).bits, bits + 1) << middle;
    ASSERT_EQ(Half(std::nextafter(static_cast<float>(middle), 0.0F)).bits, bits) << middle;
    ASSERT_EQ(Half(std::nextafter(static_cast<float>(middle), HUGE_VALF)).bits, bits + 1) << middle;
  }
}
TEST(Types, RoundToFloat16) { expect_rounds<float16>(5); }
TEST(Types, RoundToBfloat16) { expect_rounds<bfloat16>(8); }

// ---- what one-shot calls take -------------------------------------------------------------------------------------
template <class S, class F>
concept Convolvable = requires(S const& s, F const& f) {
  gpuconv::convolve(s, f);
};

static_assert(Convolvable<std::vector<float>, std::vector<float>>);
static_assert(Convolvable<std::vector<float>, std::array<double, 3>>);
static_assert(Convolvable<std::span<float>, std::span<const float>>);
static_assert(Convolvable<float[4], int[3]>);
static_assert(!Convolvable<std::vector<bool>, std::vector<float>>);
static_assert(!Convolvable<std::vector<float>, std::vector<bool>>);
static_assert(!Convolvable<std::vector<char>, std::vector<float>>);
static_assert(!Convolvable<std::string, std::vector<float>>);
static_assert(!Convolvable<std::list<float>, std::vector<float>>);
static_assert(!Convolvable<std::vector<long double>, std::vector<long double>>);
static_assert(!Convolvable<float, std::vector<float>>);
static_assert(!Convolvable<const float*, std::vector<float>>);

template <class S, class F, class R = void>
using ConvolveResult = decltype(gpuconv::convolve<R>(std::declval<S const&>(), std::declval<F const&>()));
static_assert(std::is_same_v<ConvolveResult<std::vector<int>, std::vector<int>>, std::vector<std::int64_t>>);
static_assert(std::is_same_v<ConvolveResult<std::vector<float>, std::vector<int>>, std::vector<double>>);
static_assert(
    std::is_same_v<ConvolveResult<std::vector<int>, std::vector<int>, std::int8_t>, std::vector<std::int8_t>>);

// ---- views --------------------------------------------------------------------------------------------------------
static_assert(std::is_constructible_v<HostInput, std::vector<float>&>);
static_assert(std::is_constructible_v<HostInput, std::vector<float> const&>);
static_assert(std::is_constructible_v<HostInput, std::vector<float>>);  // a temporary lives until the call returns
static_assert(std::is_constructible_v<HostInput, std::span<const int>>);
static_assert(std::is_constructible_v<HostInput, const float (&)[3]>);
static_assert(std::is_constructible_v<HostInput, HostView<const float>>);
static_assert(std::is_constructible_v<HostInput, HostView<float>>);
static_assert(!std::is_constructible_v<HostInput, std::vector<bool>&>);
static_assert(!std::is_constructible_v<HostInput, std::list<float>&>);
static_assert(!std::is_constructible_v<HostInput, std::string&>);
static_assert(!std::is_constructible_v<HostInput, float*>);

static_assert(std::is_constructible_v<HostOutput, std::vector<float>&>);
static_assert(std::is_constructible_v<HostOutput, std::span<float>>);
static_assert(std::is_constructible_v<HostOutput, HostView<float>>);
static_assert(!std::is_constructible_v<HostOutput, std::vector<float> const&>);
static_assert(!std::is_constructible_v<HostOutput, std::span<const float>>);
static_assert(!std::is_constructible_v<HostOutput, HostView<const float>>);
static_assert(!std::is_constructible_v<HostOutput, const float (&)[3]>);
static_assert(!std::is_constructible_v<HostOutput, std::vector<bool>&>);
static_assert(!std::is_constructible_v<HostOutput, HostInput>);

static_assert(std::is_convertible_v<std::vector<float>&, HostView<const float>>);
static_assert(!std::is_constructible_v<HostView<float>, std::vector<float> const&>);
static_assert(!std::is_constructible_v<HostView<float>, std::vector<double>&>);
static_assert(!std::is_constructible_v<HostView<double>, float*, std::int64_t>);

TEST(Views, OfRangesAreOneRow) {
  std::vector<float> v{1, 2, 3};
  const HostView view(v);
  static_assert(std::is_same_v<decltype(view), const HostView<float>>);
  EXPECT_EQ(view.data(), v.data());
  EXPECT_EQ(view.rows(), 1);
  EXPECT_EQ(view.columns(), 3);

  const std::array<std::int16_t, 2> a{1, 2};
  const HostInput input(a);
  EXPECT_EQ(input.data(), a.data());
  EXPECT_EQ(input.type(), Type::int16);
  EXPECT_EQ(input.columns(), 2);
}

TEST(Views, HaveAStride) {
  std::vector<double> v(12);
  const HostView<double> packed(v.data(), Rows{.rows = 3, .columns = 4});
  EXPECT_EQ(packed.stride(), 4);
  EXPECT_EQ(packed.row(2), v.data() + 8);
  const HostView<double> apart(v.data(), Rows{.rows = 2, .columns = 4, .stride = 6});
  EXPECT_EQ(apart.row(1), v.data() + 6);
  const HostOutput output(apart);
  EXPECT_EQ(output.type(), Type::float64);
  EXPECT_EQ(output.stride(), 6);
}

// ---- one-shot calls -----------------------------------------------------------------------------------------------
TEST(OneShot, TakesEveryContiguousRange) {
  const std::vector<std::int64_t> expected{1, 4, 7, 6};
  const std::vector<int> v{1, 2, 3};
  const int c[] = {1, 2};
  EXPECT_EQ(convolve(v, c), expected);
  EXPECT_EQ(convolve(std::span(v), std::array{1, 2}), expected);
  EXPECT_EQ(convolve(std::vector{1, 2, 3}, std::span(c)), expected);
  EXPECT_EQ(convolve(std::array<long long, 3>{1, 2, 3}, std::vector<long>{1, 2}), expected);
}

TEST(OneShot, WritesIntoTheCallersMemory) {
  const std::vector<float> x{1, 2, 3}, h{1, 1};
  std::array<float, 6> out{9, 9, 9, 9, 9, 9};
  convolve(x, h, std::span(out).subspan(1, 4));
  EXPECT_EQ(out, (std::array<float, 6>{9, 1, 3, 5, 3, 9}));
  std::array<double, 3> same{};
  convolve(x, h, same, Same::matlab);
  EXPECT_EQ(same, (std::array<double, 3>{3, 5, 3}));
}

TEST(OneShot, ConvolvesABatchWithOneFilterARow) {
  const std::vector<float> x{1, 2, 3, 4}, h{1, 10};
  std::vector<float> out(4);
  convolve(HostView(x.data(), Rows{.rows = 2, .columns = 2}), HostView(h.data(), Rows{.rows = 2, .columns = 1}),
           HostView(out.data(), Rows{.rows = 2, .columns = 2}));
  EXPECT_EQ(out, (std::vector<float>{1, 2, 30, 40}));
}

TEST(OneShot, RefusesShapesThatDoNotFit) {
  const std::vector<float> x{1, 2, 3}, h{1, 1};
  std::vector<float> out(3);
  EXPECT_THROW(convolve(x, h, out), InvalidArgument);
  EXPECT_THROW(convolve(HostView(x.data(), Rows{.rows = 3, .columns = 1}),
                        HostView(h.data(), Rows{.rows = 2, .columns = 1}), out),
               InvalidArgument);
  std::vector<std::int32_t> integers(4);
  EXPECT_THROW(convolve(x, h, integers), InvalidArgument);  // floats into integers
  std::vector<double> doubles{1, 2};
  std::vector<float> narrow(4);
  EXPECT_THROW(convolve(x, doubles, narrow), InvalidArgument);  // would lose what double holds
}

}  // namespace
}  // namespace gpuconv
