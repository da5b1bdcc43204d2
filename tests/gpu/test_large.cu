// More than 2^31 elements, and more rows than a grid has blocks: every output is checked on the device.
#include "gpu.cuh"

namespace gpuconv::test {
namespace {

constexpr std::int64_t kBeyond = (std::int64_t{1} << 31) + 4099;

class Large : public GpuSolverTest {
 protected:
  template <class T, class R>
  void expect_right(Problem const& p) {
    if (!takes(p)) GTEST_SKIP() << "the solver does not take the problem";
    const std::int64_t in = p.batch * p.signal, out = p.batch * output_slice(p).length;
    const std::size_t needed = static_cast<std::size_t>(in) * sizeof(T) + static_cast<std::size_t>(out) * sizeof(R);
    if (const std::size_t free = free_memory(); needed + needed / 8 > free)
      GTEST_SKIP() << "needs " << (needed >> 30) << " GiB of device memory and more, free are " << (free >> 30);
    try {
      Plan plan(p, options());
      plan.set_filter(taps<T>(p.filter), Stream{});
      const DeviceBuffer<T> signal = samples<T>(in);
      DeviceBuffer<R> result(out);
      ASSERT_EQ(cudaMemset(result.data(), 0xFF, static_cast<std::size_t>(out) * sizeof(R)), cudaSuccess);
      const Rows rows_in{.rows = p.batch, .columns = p.signal}, rows_out{.rows = p.batch, .columns = out / p.batch};
      plan.execute(DeviceView<T const>(signal.data(), rows_in), DeviceView<R>(result.data(), rows_out), Stream{});
      synchronize({});
      const Difference d = judge(result.data(), p);
      note(plan.describe(), ": largest error ", d.largest, ", relative L2 ", d.relative_l2());
      EXPECT_LE(d.largest, exact() ? 0.0 : 1e-2);
      EXPECT_LE(d.relative_l2(), exact() ? 0.0 : 2e-6);
    } catch (OutOfMemory const& error) {
      GTEST_SKIP() << error.what();
    }
  }
};

TEST_P(Large, OneRowOfFloats) { expect_right<float, float>({.signal = kBeyond, .filter = 65, .mode = Mode::same}); }
TEST_P(Large, OneRowOfBytes) {
  expect_right<std::int8_t, std::int64_t>({.signal = kBeyond, .filter = 9, .mode = Mode::same, .type = Type::int8});
}
TEST_P(Large, ManyRowsOfFloats) {
  expect_right<float, float>({.signal = 2053, .filter = 33, .batch = kBeyond / 2053 + 1, .mode = Mode::same});
}
TEST_P(Large, MoreRowsThanAGridHasBlocks) {
  expect_right<float, float>({.signal = 37, .filter = 5, .batch = 3000001, .mode = Mode::full});
}
TEST_P(Large, LongRowsOfDoubles) {
  expect_right<double, double>({.signal = (1 << 26) + 1, .filter = 4097, .mode = Mode::valid, .type = Type::float64});
}
GPUCONV_OVER_GPU_SOLVERS(Large);

}  // namespace
}  // namespace gpuconv::test
