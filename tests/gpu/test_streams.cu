// Many threads, each with plans and a stream of its own, at once: everyone gets what it gets alone.
#include "gpu.cuh"

#include <thread>

namespace gpuconv::test {
namespace {

constexpr int kThreads = 16, kRounds = 20;

class Streams : public GpuSolverTest {
 protected:
  // A problem of its own for every thread.
  static Problem problem_of(int thread) { return {.signal = 100003 + 1009 * thread, .filter = 33 + 8 * thread}; }

  void run(Plan& plan, DeviceBuffer<float> const& signal, DeviceBuffer<float>& out, Stream stream) const {
    EXPECT_EQ(cudaMemsetAsync(out.data(), 0xFF, static_cast<std::size_t>(out.size()) * sizeof(float), stream.handle()),
              cudaSuccess);
    plan.execute(signal, out, stream);
  }
};

TEST_P(Streams, ManyThreadsAtOnce) {
  std::vector<DeviceBuffer<float>> alone;
  for (int t = 0; t < kThreads; ++t) {
    const Problem p = problem_of(t);
    Plan plan(p, options());
    plan.set_filter(taps<float>(p.filter), Stream{});
    const DeviceBuffer<float> signal = samples<float>(p.signal);
    alone.emplace_back(output_slice(p).length);
    run(plan, signal, alone.back(), Stream{});
    synchronize({});
    ASSERT_LE(judge(alone.back().data(), p).largest, exact() ? 0.0 : 1e-2);
  }
  std::vector<int> wrong(kThreads, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      try {
        const Problem p = problem_of(t);
        const OwnStream stream;
        const DeviceBuffer<float> signal = samples<float>(p.signal);
        DeviceBuffer<float> out(output_slice(p).length);
        synchronize({});
        for (int round = 0; round < kRounds; ++round) {
          Plan plan(p, options());  // made and destroyed while others run
          plan.set_filter(taps<float>(p.filter), stream.get());
          for (int i = 0; i < 5; ++i) {
            run(plan, signal, out, stream.get());
            wrong[static_cast<std::size_t>(t)] += !same_bits(alone[static_cast<std::size_t>(t)], out, stream.get());
          }
        }
      } catch (std::exception const& error) {
        ADD_FAILURE() << "thread " << t << ": " << error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < kThreads; ++t) EXPECT_EQ(wrong[static_cast<std::size_t>(t)], 0) << "thread " << t;
}

TEST_P(Streams, OnePlanInManyStreamsOrderedByEvents) {
  const Problem p = problem_of(3);
  Plan plan(p, options());
  plan.set_filter(taps<float>(p.filter), Stream{});
  const DeviceBuffer<float> signal = samples<float>(p.signal);
  const std::int64_t length = output_slice(p).length;
  DeviceBuffer<float> right(length);
  run(plan, signal, right, Stream{});
  synchronize({});
  const std::vector<OwnStream> streams(8);
  std::vector<DeviceBuffer<float>> outs;
  for (std::size_t i = 0; i < streams.size(); ++i) outs.emplace_back(length);
  synchronize({});
  cudaEvent_t done;
  ASSERT_EQ(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), cudaSuccess);
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const cudaStream_t stream = streams[i].get();
      if (round > 0 || i > 0) {
        ASSERT_EQ(cudaStreamWaitEvent(stream, done, 0), cudaSuccess);
      }
      run(plan, signal, outs[i], stream);
      ASSERT_EQ(cudaEventRecord(done, stream), cudaSuccess);
    }
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  cudaEventDestroy(done);
  for (auto const& out : outs) EXPECT_TRUE(same_bits(right, out));
}
GPUCONV_OVER_GPU_SOLVERS(Streams);

}  // namespace
}  // namespace gpuconv::test
