// The direct kernel in every shape that a launch may have: which one a plan takes depends on the device, the bits do
// not.
#include "../../kernels/launch.hpp"

#include "runner.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace gpuconv::test {
namespace {

using detail::Tile;

/// A problem to compute, from which rows to which.
struct Case {
  Type signal, filter, out;
  std::int64_t rows, signal_columns, filter_columns, first, length;
  Layout signal_at{}, filter_at{}, out_at{};
  bool shared_filter = true;
};

Type compute_type(Case const& c) { return detail::compute_type(c.signal, c.filter, c.out); }
int terms_of(Case const& c) { return detail::term_count(is_complex(c.signal), is_complex(c.filter)); }

std::string to_string(Case const& c, Tile const& s) {
  std::ostringstream out;
  out << c.rows << " rows of " << c.signal_columns << " by " << c.filter_columns << ", " << c.length << " outputs from "
      << c.first << "; " << s.outputs << " outputs, " << s.lanes << " lanes, " << s.groups << " groups; offsets "
      << c.signal_at.offset << " and " << c.out_at.offset << ", gaps " << c.signal_at.gap << " and " << c.out_at.gap;
  return out.str();
}

/// Shapes of a few lanes, of lanes that leave some of a warp idle, of whole warps.
std::vector<Tile> shapes(Case const& c) {
  const Type compute = compute_type(c);
  const std::size_t element = size_of(compute);
  std::vector<Tile> out;
  for (int const outputs : {kernels::direct_outputs(element), kernels::direct_few_outputs(element)})
    for (int const lanes : {1, 2, 3, 5, 8, 11, 16, 21, 31, 32})
      for (int const groups : std::set{1, 32 / lanes})
        if (const Tile s{outputs, lanes, groups};
            kernels::direct_shared_bytes(s, c.filter_columns, terms_of(c), compute) <= 48 << 10)
          out.push_back(s);
  return out;
}

class DirectKernel : public testing::Test {
 protected:
  void SetUp() override {
    if (const DeviceInfo cuda = detail::cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  }

  static Array run(Case const& c, Array const& signal, Array const& filter, Tile tile, std::int64_t blocks) {
    Array out(c.out, c.rows, c.length, c.out_at);
    const DeviceArray signal_there(signal), filter_there(filter);
    DeviceArray out_there(out);
    // Taps come to the kernel in the type that it computes in.
    const int signal_parts = parts_of(c.signal), filter_parts = parts_of(c.filter);
    DeviceBuffer<std::uint64_t> taps(filter.rows() * c.filter_columns * filter_parts);
    const kernels::Filters filters{taps.data(),   nullptr,          nullptr,     nullptr,
                                   filter.rows(), c.filter_columns, filter_parts};
    EXPECT_EQ(kernels::convert_filters(detail::access_of(filter_there.input()), filter.rows(), filters, compute_type(c),
                                       3, nullptr),
              cudaSuccess);
    const kernels::Direct problem{
        .operands =
            {.signal = detail::in_parts(detail::access_of(signal_there.input())),
             .out = detail::in_parts(detail::access_of(out_there.output())),
             .loops = {.outer = {.count = c.rows, .signal_moves = true, .filter_moves = !c.shared_filter}, .inner = {}},
             .part = {.row = 0, .rows = c.rows, .samples = c.signal_columns, .first = c.first, .outputs = c.length}},
        .taps = taps.data(),
        .taps_count = c.filter_columns,
        .signal_parts = signal_parts,
        .filter_parts = filter_parts};
    EXPECT_EQ(kernels::direct(problem, compute_type(c), tile, blocks, nullptr), cudaSuccess);
    synchronize({});
    out_there.copy_to(out);
    EXPECT_TRUE(out.guards_intact()) << to_string(c, tile);
    return out;
  }

  /// All shapes give what plain sums of small integers give, exactly, and the same bits for random numbers.
  static void expect_right(Case const& c, Rng& rng) {
    Array signal(c.signal, c.rows, c.signal_columns, c.signal_at);
    Array filter(c.filter, c.shared_filter ? 1 : c.rows, c.filter_columns, c.filter_at);
    fill_small(signal, rng), fill_small(filter, rng);
    const std::vector<Tile> all = shapes(c);
    for (Tile const& shape : all) {
      if (!thinned_.takes_next()) continue;
      const Array out = run(c, signal, filter, shape, pick(rng, 1, 40));
      for (std::int64_t r = 0; r < c.rows; ++r)
        ASSERT_EQ(numbers(out, r), sums(c, signal, filter, r)) << "row " << r << " of " << to_string(c, shape);
    }
    if (is_integer(c.out) || kSlowdown > 1) return;  // bits are not what sanitizers look at
    fill_random(signal, rng), fill_random(filter, rng);
    const Array first = run(c, signal, filter, all.back(), 3);
    for (Tile const& shape : all)
      ASSERT_TRUE(run(c, signal, filter, shape, pick(rng, 1, 40)) == first) << to_string(c, shape);
  }

 private:
  static inline Thinned thinned_;

  // A row as small integers, two for each complex element.
  static std::vector<std::int64_t> numbers(Array const& array, std::int64_t row) {
    std::vector<std::int64_t> out;
    detail::visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
      for (const T x : array.parts<T>(row)) out.push_back(static_cast<std::int64_t>(x));
    });
    return out;
  }

  static std::vector<std::int64_t> sums(Case const& c, Array const& signal, Array const& filter, std::int64_t row) {
    using Complex = std::complex<std::int64_t>;
    const std::vector<std::int64_t> x = numbers(signal, row), h = numbers(filter, c.shared_filter ? 0 : row);
    const auto element = [](std::vector<std::int64_t> const& numbers, std::int64_t i, Type type) {
      const auto at = static_cast<std::size_t>(i * parts_of(type));
      return Complex(numbers[at], is_complex(type) ? numbers[at + 1] : 0);
    };
    std::vector<std::int64_t> out;
    for (std::int64_t o = 0; o < c.length; ++o) {
      Complex sum = 0;
      for (std::int64_t j = 0; j < c.filter_columns; ++j)
        if (const std::int64_t i = c.first + o - j; i >= 0 && i < c.signal_columns)
          sum += element(x, i, c.signal) * element(h, j, c.filter);
      out.push_back(sum.real());
      if (is_complex(c.out)) out.push_back(sum.imag());
    }
    return out;
  }
};

// Aligned or not, signal and output alike or differently, rows at strides of whole accesses and at others.
TEST_F(DirectKernel, cuda_EveryAlignment) {
  Rng rng = test_rng();
  for (Type const type : {Type::float32, Type::float64, Type::uint64})
    for (std::int64_t offset = 0; offset < 4; ++offset)
      for (std::int64_t out_offset = 0; out_offset < 4; ++out_offset) {
        const std::int64_t gap = pick(rng, 0, 4), taps = pick(rng, 1, 9);
        expect_right({.signal = type,
                      .filter = type,
                      .out = type,
                      .rows = 2,
                      .signal_columns = 1300,
                      .filter_columns = taps,
                      .first = pick(rng, 0, taps - 1),
                      .length = 1300,
                      .signal_at = {offset, gap},
                      .out_at = {out_offset, pick(rng, 0, 4)}},
                     rng);
        if (HasFailure()) return;
      }
}

// The same of numbers of 16 bits, of which an access has more, and lengths around tiles. Rows of whole tiles have a
// kernel of their own.
TEST_F(DirectKernel, cuda_EveryAlignmentOfHalves) {
  Rng rng = test_rng();
  for (Type const type : {Type::float16, Type::bfloat16})
    for (std::int64_t offset = 0; offset < 8; ++offset)
      for (std::int64_t const out_offset : {std::int64_t{0}, pick(rng, 1, 7)}) {
        const std::int64_t taps = pick(rng, 1, 9);
        expect_right({.signal = type,
                      .filter = pick(rng, 0, 1) ? type : Type::float32,
                      .out = type,
                      .rows = 2,
                      .signal_columns = 1900 + pick(rng, 0, 40),
                      .filter_columns = taps,
                      .first = pick(rng, 0, taps - 1),
                      .length = 1900,
                      .signal_at = {offset, 8 * pick(rng, 0, 1) + pick(rng, 0, 3)},
                      .out_at = {out_offset, pick(rng, 0, 8)},
                      .shared_filter = pick(rng, 0, 1) == 0},
                     rng);
        if (HasFailure()) return;
      }
}

// Filters of one piece and of two; infinite taps meet no samples beyond the ends of rows.
TEST_F(DirectKernel, cuda_HalvesByAnyKernelAreTheSame) {
  Rng rng = test_rng();
  for (Type const type : {Type::float16, Type::bfloat16})
    for (std::int64_t const taps : {40, 511, 512, 513})
      for (bool const infinite : {false, true}) {
        const Case c{.signal = type,
                     .filter = type,
                     .out = type,
                     .rows = 1,
                     .signal_columns = 1500,
                     .filter_columns = taps,
                     .first = 0,
                     .length = 1500 + taps - 1,
                     .signal_at = {3, 0},
                     .out_at = {5, 0}};
        Array signal(type, 1, c.signal_columns, c.signal_at), filter(type, 1, taps);
        fill_random(signal, rng), fill_random(filter, rng);
        if (infinite) filter.row<std::uint16_t>(0)[2] = type == Type::float16 ? 0x7c00 : 0x7f80;
        const Array first = run(c, signal, filter, {kernels::direct_outputs(sizeof(float)), 32, 1}, 3);
        for (const std::int64_t o : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1502}, c.length - 1})
          EXPECT_TRUE(std::isfinite(first.as<float>(0)[static_cast<std::size_t>(o)])) << o << " of " << taps;
        EXPECT_EQ(std::isfinite(first.as<float>(0)[2]), !infinite) << taps;
        for (Tile const& shape : {Tile{kernels::direct_outputs(sizeof(float)), 31, 1},
                                  Tile{kernels::direct_few_outputs(sizeof(float)), 32, 1}})
          ASSERT_TRUE(run(c, signal, filter, shape, 5) == first) << to_string(c, shape);
      }
}

// Around an access, a lane's run, groups of lanes and a warp; more rows than a warp has room for, and fewer.
TEST_F(DirectKernel, cuda_ShortRows) {
  Rng rng = test_rng();
  for (std::int64_t const edge : {1, 4, 16, 20, 32, 100, 128, 160, 420, 640})
    for (std::int64_t const length : {edge - 1, edge, edge + 1})
      for (bool const shared : {true, false}) {
        if (length < 1 || pick(rng, 1, kSlowdown) > 1) continue;
        const std::int64_t taps = pick(rng, 1, std::min<std::int64_t>(length, 40));
        const Type type = pick(rng, 0, 3) ? Type::float32 : Type::float64;
        expect_right({.signal = type,
                      .filter = type,
                      .out = type,
                      .rows = pick(rng, 1, 3) * 400 / (edge + 30) + 1,
                      .signal_columns = length,
                      .filter_columns = taps,
                      .first = (taps - 1) / 2,
                      .length = length,
                      .signal_at = {pick(rng, 0, 3), pick(rng, 0, 1) * pick(rng, 0, 5)},
                      .filter_at = {pick(rng, 0, 3), pick(rng, 0, 3)},
                      .out_at = {pick(rng, 0, 3), pick(rng, 0, 1) * pick(rng, 0, 5)},
                      .shared_filter = shared},
                     rng);
        if (HasFailure()) return;
      }
}

// Whole and partial accesses of taps before, at and after the ring of the window and the taps in shared memory.
TEST_F(DirectKernel, cuda_EveryNumberOfTaps) {
  Rng rng = test_rng();
  for (std::int64_t const taps :
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 23, 24, 25, 31, 32, 33, 64, 255, 256, 257, 511, 512, 513, 1029})
    for (Type const type : {Type::float32, Type::float64}) {
      if (taps > 100 && kSlowdown > 4) continue;
      expect_right({.signal = type,
                    .filter = type,
                    .out = type,
                    .rows = 1,
                    .signal_columns = 700,
                    .filter_columns = taps,
                    .first = pick(rng, 0, 3),
                    .length = 690 + taps,
                    .signal_at = {pick(rng, 0, 3)},
                    .out_at = {pick(rng, 0, 3)}},
                   rng);
      if (HasFailure()) return;
    }
}

// Conversions as samples are loaded; results of a narrower type than what they are computed in.
TEST_F(DirectKernel, cuda_EveryTypeInEveryShape) {
  Rng rng = test_rng();
  for (Type const in : {Type::int8, Type::uint16, Type::int32, Type::uint64})
    for (Type const out : {Type::int16, Type::int32, Type::int64, Type::float32, Type::float64}) {
      expect_right({.signal = in,
                    .filter = in == Type::int8 ? Type::int32 : Type::uint8,
                    .out = out,
                    .rows = 3,
                    .signal_columns = 333,
                    .filter_columns = 6,
                    .first = 2,
                    .length = 336,
                    .signal_at = {1, 1},
                    .out_at = {3, 2}},
                   rng);
      if (HasFailure()) return;
    }
}

// Parts are sums of one term or of two, which make pieces where their taps together are many.
TEST_F(DirectKernel, cuda_ComplexNumbersInEveryShape) {
  Rng rng = test_rng();
  for (auto const& [in, taps_in, out] : {std::array{Type::complex64, Type::complex64, Type::complex64},
                                         {Type::complex64, Type::float32, Type::complex64},
                                         {Type::float32, Type::complex64, Type::complex64},
                                         {Type::int8, Type::complex128, Type::complex128},
                                         {Type::complex128, Type::complex64, Type::complex128}})
    for (std::int64_t const taps : {1, 5, 140, 300}) {
      if (taps > 100 && kSlowdown > 4) continue;
      expect_right({.signal = in,
                    .filter = taps_in,
                    .out = out,
                    .rows = 3,
                    .signal_columns = 333,
                    .filter_columns = taps,
                    .first = pick(rng, 0, taps - 1),
                    .length = 333,
                    .signal_at = {pick(rng, 0, 3), pick(rng, 0, 3)},
                    .out_at = {pick(rng, 0, 3), pick(rng, 0, 3)},
                    .shared_filter = taps != 5},
                   rng);
      if (HasFailure()) return;
    }
}

// A tap that is not finite meets no zero beside a row; which rows share a warp with it does not matter.
TEST_F(DirectKernel, cuda_InfiniteTapsOfSomeRows) {
  Rng rng = test_rng();
  const Case c{.signal = Type::float32,
               .filter = Type::float32,
               .out = Type::float32,
               .rows = 40,
               .signal_columns = 50,
               .filter_columns = 7,
               .first = 0,
               .length = 56,
               .shared_filter = false};
  Array signal(c.signal, c.rows, c.signal_columns), filter(c.filter, c.rows, c.filter_columns);
  fill_random(signal, rng), fill_random(filter, rng);
  for (std::int64_t r = 0; r < c.rows; r += 3)
    filter.row<float>(r)[static_cast<std::size_t>(r % 7)] = std::numeric_limits<float>::infinity();
  for (Tile const& shape : shapes(c)) {
    const Array out = run(c, signal, filter, shape, 5);
    for (std::int64_t r = 0; r < c.rows; ++r)
      for (std::int64_t o = 0; o < c.length; ++o) {
        const bool meets = r % 3 == 0 && o - r % 7 >= 0 && o - r % 7 < c.signal_columns;
        const float y = out.row<float>(r)[static_cast<std::size_t>(o)];
        ASSERT_EQ(class_of(y) == finite, !meets) << "output " << o << " of row " << r << ", " << to_string(c, shape);
        ASSERT_NE(class_of(y), nan) << "output " << o << " of row " << r << ", " << to_string(c, shape);
      }
  }
}

// Products that underflow to -0, in a piece of the taps that some shapes' tiles have no samples for: the sum is 0 in
// all.
TEST_F(DirectKernel, cuda_ZerosHaveOneSign) {
  const Case c{.signal = Type::float32,
               .filter = Type::float32,
               .out = Type::float32,
               .rows = 1,
               .signal_columns = 1000,
               .filter_columns = 1029,
               .first = 0,
               .length = 2028};
  Array signal(c.signal, 1, c.signal_columns), filter(c.filter, 1, c.filter_columns);
  std::ranges::fill(signal.row<float>(0), 1e-30f);
  std::ranges::fill(filter.row<float>(0), 1.0f);
  std::ranges::fill(filter.row<float>(0).subspan(1024), -1e-30f);
  const auto all = shapes(c);
  const Array expected = run(c, signal, filter, all.front(), 5);
  for (Tile const& shape : all)
    EXPECT_TRUE(std::ranges::equal(run(c, signal, filter, shape, 5).bytes(0), expected.bytes(0)))
        << to_string(c, shape);
}

}  // namespace
}  // namespace gpuconv::test
