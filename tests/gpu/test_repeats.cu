// The same bits in every run, in whichever stream.
#include "gpu.cuh"

namespace gpuconv::test {
namespace {

constexpr int kRepeats = 100;

class Repeats : public GpuSolverTest {
 protected:
  template <class T, class R>
  void expect_same(Problem const& p) {
    if (!takes(p)) GTEST_SKIP() << "the solver does not take the problem";
    Plan plan(p, options());
    plan.set_filter(taps<T>(p.filter), Stream{});
    const std::int64_t length = output_slice(p).length;
    const Rows in{.rows = p.batch, .columns = p.signal}, out{.rows = p.batch, .columns = length};
    const DeviceBuffer<T> signal = samples<T>(p.batch * p.signal);
    DeviceBuffer<R> first(p.batch * length), again(p.batch * length);
    plan.execute(DeviceView<T const>(signal.data(), in), DeviceView<R>(first.data(), out), Stream{});
    synchronize({});
    ASSERT_LE(judge(first.data(), p).largest, exact() ? 0.0 : 1e-2);
    const OwnStream own;
    for (int i = 0; i < kRepeats; ++i) {
      const cudaStream_t stream = i % 2 ? own.get() : nullptr;
      ASSERT_EQ(cudaMemsetAsync(again.data(), 0xFF, static_cast<std::size_t>(again.size()) * sizeof(R), stream),
                cudaSuccess);
      plan.execute(DeviceView<T const>(signal.data(), in), DeviceView<R>(again.data(), out), stream);
      ASSERT_TRUE(same_bits(first, again, stream)) << "repeat " << i << " of " << plan.describe();
      synchronize(stream);
    }
  }
};

TEST_P(Repeats, Floats) { expect_same<float, float>({.signal = 1000003, .filter = 257, .batch = 3}); }
TEST_P(Repeats, Doubles) { expect_same<double, double>({.signal = 300007, .filter = 1025, .type = Type::float64}); }
TEST_P(Repeats, Integers) {
  expect_same<std::int32_t, std::int64_t>({.signal = 500009, .filter = 65, .type = Type::int32});
}
TEST_P(Repeats, ShortRows) { expect_same<float, float>({.signal = 301, .filter = 17, .batch = 5003}); }
GPUCONV_OVER_GPU_SOLVERS(Repeats);

}  // namespace
}  // namespace gpuconv::test
