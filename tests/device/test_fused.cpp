// Overlap-save in one kernel, for every shape of block: plans choose among them, and would leave most of them untested.
#include "cuda/fused.hpp"
#include "problem.hpp"
#include "runner.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

namespace gpuconv::test {
namespace {

using kernels::FusedShape;

class FusedShapes : public testing::TestWithParam<Type> {
 protected:
  void SetUp() override {
    if (const DeviceInfo cuda = detail::cuda_device_info(); !cuda.available) GTEST_SKIP() << cuda.detail;
  }
  /// The shapes that this device's shared memory holds.
  static Type part() { return part_type(GetParam()); }
  static std::int64_t size_of(FusedShape const& shape) { return detail::fused_block(shape, GetParam()); }
  static detail::Cut cut_of(FusedShape const& shape, std::int64_t taps) {
    return detail::fused_cut(shape, GetParam(), taps);
  }
  static std::vector<FusedShape const*> shapes() {
    std::vector<FusedShape const*> out;
    for (FusedShape const& shape : kernels::fused_shapes(part()))
      if (static_cast<std::int64_t>(kernels::fused_shared_bytes(part(), shape)) <=
          detail::current_device().shared_memory)
        out.push_back(&shape);
    return out;
  }

  /// The result of blocks of `shape` for rows [first, first + rows) of the workload.
  static Outcome run_rows(FusedShape const& shape, Workload const& w, std::int64_t first, std::int64_t rows,
                          std::int64_t most = kernels::kMostFusedBlocks) {
    const detail::Work work = detail::check(w.problem);
    const detail::Cut cut = cut_of(shape, work.axis.filter);
    const auto executor = detail::make_fused(work, cut, detail::current_device(), nullptr, most);
    EXPECT_EQ(executor->scratch_bytes(), 0u);
    const DeviceArray signal(w.signal), filter(w.filter);
    Outcome outcome{Array(result_type(w.problem), rows, work.axis.outputs),
                    "blocks of " + std::to_string(size_of(shape)) + ", fused", Method::overlap_save, size_of(shape)};
    DeviceArray out(outcome.out);
    executor->set_filter(detail::access_of(filter.input()), work.filters(), {});
    detail::Part part = detail::whole(work);
    part.row = first, part.rows = rows;
    const detail::Output to = detail::access_of(out.output());
    executor->run(detail::access_of(signal.input()), detail::advanced(to, -first * to.outer), part, {});
    synchronize(Stream{});
    out.copy_to(outcome.out);
    return outcome;
  }
  static void set(Array& array, std::int64_t row, std::size_t i, double value) {
    detail::visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
      array.parts<T>(row)[i * static_cast<std::size_t>(parts_of(array.type()))] = static_cast<T>(value);
    });
  }
  static void scale(Array& array, int exponent) {
    detail::visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_floating_point_v<T>)
        for (T& x : array.parts<T>(0)) x = std::ldexp(x, exponent);
    });
  }
  static Outcome run_all(FusedShape const& shape, Workload const& w) { return run_rows(shape, w, 0, w.problem.batch); }
};

// Filters around the steps of 32 in which blocks overlap, up to the longest; signals that end just before, with and
// after a block, in rows that start anywhere.
TEST_P(FusedShapes, AreRight) {
  Rng rng = test_rng();
  Thinned thinned;
  int turn = 0;
  for (FusedShape const* const shape : shapes()) {
    const std::int64_t size = size_of(*shape);
    for (std::int64_t const filter : {std::int64_t{1}, std::int64_t{2}, std::int64_t{32}, std::int64_t{33},
                                      std::int64_t{34}, size / 2, size / 2 + 2, size - 32, size - 31}) {
      const std::int64_t step = cut_of(*shape, filter).step;
      for (std::int64_t const signal : {std::int64_t{1}, step - 1, step, step + 1, 2 * step + 50}) {
        if (signal * filter > 2 * kOracleProducts || !thinned.takes_next()) continue;
        const Mode mode = std::array{Mode::full, Mode::same, Mode::valid}[static_cast<std::size_t>(turn++ % 3)];
        const Problem p{.signal = signal,
                        .filter = filter,
                        .batch = turn % 4 == 0 ? 3 : 1,
                        .filters = turn % 8 == 0 ? Filters::per_row : Filters::shared,
                        .mode = mode,
                        .type = GetParam()};
        const Layout moved{.offset = pick(rng, 0, 7), .gap = pick(rng, 0, 3)};
        const Workload w = random_workload(p, rng, {moved, {}, {}});
        ASSERT_TRUE(Oracle(w).accepts(run_all(*shape, w)));
      }
    }
  }
}

TEST_P(FusedShapes, TakeSamplesOfOtherTypes) {
  Rng rng = test_rng();
  const Type widest = part() == Type::float32 ? Type::uint16 : Type::uint64;  // whose products are of this type
  for (FusedShape const* const shape : shapes())
    for (Type const type : {Type::int8, widest}) {
      const Workload w =
          random_workload({.signal = 3 * size_of(*shape), .filter = 5, .type = type, .filter_type = GetParam()}, rng);
      ASSERT_TRUE(Oracle(w).accepts(run_all(*shape, w)));
    }
}

// A real number leaves the imaginary part out.
template <class T>
T whole(std::int64_t re, [[maybe_unused]] std::int64_t im) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<T>(re);
  else return {static_cast<typename T::value_type>(re), static_cast<typename T::value_type>(im)};
}

// Few taps are not zero, and all values small whole numbers.
template <class T>
void expect_right_with(std::int64_t filter, std::int64_t signal, Rng& rng, auto run) {
  const Problem p{.signal = signal, .filter = filter, .type = type_of<T>};
  Workload w = empty_workload(p);
  const auto x = w.signal.row<T>(0), h = w.filter.row<T>(0);
  for (T& sample : x) sample = whole<T>(pick(rng, -4, 4), pick(rng, -4, 4));
  std::ranges::fill(h, T(0));
  const std::array<std::int64_t, 3> taps{0, filter / 3, filter - 1};
  for (std::int64_t const tap : taps) h[static_cast<std::size_t>(tap)] = whole<T>(3, -2);
  const Outcome outcome = run(w);
  const auto y = outcome.out.template row<T>(0);
  for (std::int64_t k = 0; k < outcome.out.columns(); ++k) {
    T expected = 0;
    for (std::int64_t const tap : taps)
      if (k >= tap && k - tap < signal) expected += whole<T>(3, -2) * x[static_cast<std::size_t>(k - tap)];
    ASSERT_LT(std::abs(y[static_cast<std::size_t>(k)] - expected), 1e-3)
        << "output " << k << ", " << filter << " taps, " << outcome.plan;
  }
}

// Filters as long as blocks allow, over several blocks.
TEST_P(FusedShapes, LongFilters) {
  Rng rng = test_rng();
  for (FusedShape const* const shape : shapes())
    for (std::int64_t const filter : {size_of(*shape) / 2 + 2, size_of(*shape) - 31}) {
      const std::int64_t signal = 5 * cut_of(*shape, filter).step / 2;
      const auto run = [&](Workload const& w) { return run_all(*shape, w); };
      visit_type(GetParam(), [&]<class T>(std::type_identity<T>) {
        if constexpr (detail::is_floating_element<T> || is_complex(type_of<T>))
          if constexpr (sizeof(T) > 2) expect_right_with<T>(filter, signal, rng, run);
      });
    }
}

// Rows share blocks of threads, warps even, and launches; not their bits, and not their infinities. Of long rows some
// blocks are read from the edge of a row while their neighbours are not.
TEST_P(FusedShapes, RowsDoNotKnowTheirNeighbours) {
  Rng rng = test_rng();
  for (FusedShape const* const shape : shapes())
    for (int const blocks : {1, 3}) {
      const std::int64_t rows = size_of(*shape) < 4096 ? 11 : 3;
      const Problem p{.signal = blocks * (size_of(*shape) - 32) - 40,
                      .filter = 9,
                      .batch = rows,
                      .filters = Filters::per_row,
                      .type = GetParam()};
      Workload w = random_workload(p, rng);
      set(w.signal, 1, 7, std::numeric_limits<double>::infinity());
      set(w.signal, 2, 3, 1e30);
      const Outcome together = run_all(*shape, w);
      ASSERT_TRUE(Oracle(w).accepts(together));
      const Outcome in_launches = run_rows(*shape, w, 0, rows, 5);
      for (std::int64_t row = 0; row < rows; ++row) {
        const Outcome alone = run_rows(*shape, w, row, 1);
        EXPECT_TRUE(std::ranges::equal(alone.out.bytes(0), together.out.bytes(row)))
            << "row " << row << ", blocks of " << size_of(*shape);
        EXPECT_TRUE(std::ranges::equal(in_launches.out.bytes(row), together.out.bytes(row)))
            << "row " << row << ", blocks of " << size_of(*shape);
      }
    }
}

// Magnitudes near the ends of the exponent's range, of either operand.
TEST_P(FusedShapes, ScaleFilters) {
  Rng rng = test_rng();
  const int most = part() == Type::float32 ? 120 : 1000;
  for (FusedShape const* const shape : shapes())
    for (int const exponent : {-most, -40, 40, most}) {
      const Problem p{.signal = 600, .filter = 40, .type = GetParam()};
      Workload w = random_workload(p, rng);
      scale(w.filter, exponent), scale(w.signal, -exponent);
      ASSERT_TRUE(Oracle(w).accepts(run_all(*shape, w))) << "2^" << exponent;
    }
}

INSTANTIATE_TEST_SUITE_P(cuda, FusedShapes,
                         testing::Values(Type::float32, Type::float64, Type::complex64, Type::complex128),
                         [](auto const& type) { return std::string(name(type.param)); });

}  // namespace
}  // namespace gpuconv::test
