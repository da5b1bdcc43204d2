// execute in a CUDA graph: captured once, replayed on new data, the same bits as a call.
#include "gpu.cuh"

#include <complex>

namespace gpuconv::test {
namespace {

constexpr int kReplays = 100;

/// The work that `enqueue` enqueues on `stream`, as a graph that can be launched.
class Graph {
 public:
  template <class F>
  Graph(cudaStream_t stream, F enqueue) {
    EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    try {
      enqueue();
    } catch (Error const& error) {
      ADD_FAILURE() << "while capturing: " << error.what();
    }
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph_), cudaSuccess);
    if (graph_) EXPECT_EQ(cudaGraphInstantiate(&executable_, graph_, 0), cudaSuccess);
    static_cast<void>(cudaGetLastError());
  }
  ~Graph() {
    if (executable_) cudaGraphExecDestroy(executable_);
    if (graph_) cudaGraphDestroy(graph_);
  }
  Graph(Graph const&) = delete;
  Graph& operator=(Graph const&) = delete;

  void launch(cudaStream_t stream) const { ASSERT_EQ(cudaGraphLaunch(executable_, stream), cudaSuccess); }
  std::size_t nodes() const {
    std::size_t count = 0;
    if (graph_) EXPECT_EQ(cudaGraphGetNodes(graph_, nullptr, &count), cudaSuccess);
    return count;
  }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

class Graphs : public GpuSolverTest {
 protected:
  template <class T>
  void expect_replays(Problem const& p) {
    if (!takes(p)) GTEST_SKIP() << "the solver does not take the problem";
    const OwnStream stream;
    Plan plan(p, options());
    plan.set_filter(taps<T>(p.filter), stream.get());
    DeviceBuffer<T> signal = samples<T>(p.signal);
    DeviceBuffer<T> called(output_slice(p).length), replayed(output_slice(p).length);
    synchronize({});
    const Graph graph(stream.get(), [&] { plan.execute(signal, replayed, stream.get()); });
    if (HasFailure()) return;
    ASSERT_GT(graph.nodes(), 0U);
    note(plan.describe(), ": ", graph.nodes(), " nodes");
    for (int i = 0; i < kReplays; ++i) {
      if (i % 10 == 0) {  // other data in the same place: a piece of it is moved
        ASSERT_EQ(
            cudaMemcpyAsync(signal.data(), signal.data() + p.signal / 2 + i,
                            static_cast<std::size_t>(p.signal / 4) * sizeof(T), cudaMemcpyDeviceToDevice, stream.get()),
            cudaSuccess);
        plan.execute(signal, called, stream.get());
      }
      ASSERT_EQ(
          cudaMemsetAsync(replayed.data(), 0xFF, static_cast<std::size_t>(replayed.size()) * sizeof(T), stream.get()),
          cudaSuccess);
      graph.launch(stream.get());
      ASSERT_TRUE(same_bits(called, replayed, stream.get())) << "replay " << i;
    }
    synchronize(stream.get());
  }
};

TEST_P(Graphs, Floats) { expect_replays<float>({.signal = 1000003, .filter = 513}); }
TEST_P(Graphs, Doubles) { expect_replays<double>({.signal = 200003, .filter = 129, .type = Type::float64}); }
TEST_P(Graphs, ComplexNumbers) {
  expect_replays<std::complex<float>>({.signal = 200003, .filter = 129, .type = Type::complex64});
}
TEST_P(Graphs, ABlockWithNaN) {
  // The repair of blocks is part of the graph: whether it has work to do is decided on the device.
  const Problem p{.signal = 100003, .filter = 65};
  const OwnStream stream;
  Plan plan(p, options());
  plan.set_filter(taps<float>(p.filter), stream.get());
  DeviceBuffer<float> signal = samples<float>(p.signal);
  DeviceBuffer<float> called(output_slice(p).length), replayed(output_slice(p).length);
  synchronize({});
  const Graph graph(stream.get(), [&] { plan.execute(signal, replayed, stream.get()); });
  if (HasFailure()) return;
  ASSERT_EQ(cudaMemsetAsync(signal.data() + p.signal / 2, 0xFF, sizeof(float), stream.get()), cudaSuccess);
  plan.execute(signal, called, stream.get());
  graph.launch(stream.get());
  EXPECT_TRUE(same_bits(called, replayed, stream.get()));
  std::vector<float> host(static_cast<std::size_t>(called.size()));
  copy(DeviceInput(replayed), HostOutput(host), stream.get());
  std::int64_t not_finite = 0;
  for (float const value : host) not_finite += !std::isfinite(value);
  EXPECT_EQ(not_finite, p.filter);
}
GPUCONV_OVER_GPU_SOLVERS(Graphs);

}  // namespace
}  // namespace gpuconv::test
