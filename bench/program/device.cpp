// Every solver on arrays in device memory, beside a copy of as many bytes; and for arrays in host memory the transfers
// alone, which no GPU can leave out. Times are the device's own. Short calls are replayed from a graph: else they would
// be as long as the host takes to launch them.
#include "program.hpp"

#include "cuda.hpp"
#include "support/data.hpp"

#include <gpuconv/device.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <cstring>

namespace gpuconv::bench {
namespace {

constexpr double kShort = 5e-5;  // seconds of a call that is replayed from a graph
// Seconds: events count in half microseconds, and starting the first kernel takes a few.
constexpr double kShortestSample = 1e-3;
constexpr std::int64_t kInGraph = 20, kMostCalls = 1000;
constexpr std::int64_t kMostSets = 64;  // problems of less than a few MB find their data in the cache

using Bytes = DeviceBuffer<std::uint8_t>;

/// Calls of `enqueue(i)` for i = 0, 1, 2 and so on, as they are timed: so many of them that the clock is fine enough.
class Sample {
 public:
  Sample(cudaStream_t stream, std::function<void(std::int64_t)> enqueue)
      : stream_(stream), enqueue_(std::move(enqueue)) {
    double once = time([&] { enqueue_(next_++); });
    for (int i = 0; i < 4; ++i) once = std::min(once, time([&] { enqueue_(next_++); }));
    if (is_emulated()) once = kShort / 2;  // to have the graph as well
    calls_ = std::clamp(static_cast<std::int64_t>(kShortestSample / std::max(once, 1e-7)), std::int64_t{1}, kMostCalls);
    if (is_emulated()) calls_ = kInGraph;
    if (once >= kShort) return;
    calls_ = (calls_ + kInGraph - 1) / kInGraph * kInGraph;
    graph_ = record(stream_, [&] {
      for (std::int64_t i = 0; i < kInGraph; ++i) enqueue_(i);
    });
  }

  void run(benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state) {
      const double seconds = time([&] {
        for (std::int64_t done = 0; done < calls_; done += graph_ ? kInGraph : 1)
          if (graph_) check_cuda(cudaGraphLaunch(graph_.get(), stream_), "cudaGraphLaunch");
          else enqueue_(next_++);
      });
      state.SetIterationTime(is_emulated() ? 0 : seconds);
    }
    state.counters["calls"] = static_cast<double>(calls_);
    state.counters["replayed"] = graph_ != nullptr;
  }

 private:
  double time(auto const& work) {
    watch_.begin(stream_);
    work();
    return watch_.end(stream_);
  }

  cudaStream_t stream_;
  std::function<void(std::int64_t)> enqueue_;
  Graph graph_;
  Stopwatch watch_;
  std::int64_t calls_ = 1, next_ = 0;
};

template <class View>
View on_device(Bytes& bytes, HostInput like) {
  return {bytes.data(), like.type(), {.rows = like.rows(), .columns = like.columns()}};
}

/// Signals and outputs in device memory, sets of them, more than the L2 holds, used in turn; and what a copy needs that
/// reads and writes as many bytes altogether.
class DeviceArrays : public Arrays {
 public:
  explicit DeviceArrays(Problem const& p)
      : problem_(p),
        filter_(filter_type(p), {.columns = p.filter}, 1),
        signal_(p.type, {.rows = p.batch, .columns = p.signal}, 2),
        result_(result_type(p), {.rows = p.batch, .columns = output_slice(p).length}, 3),
        copy_bytes_((signal_.bytes() + result_.bytes()) / 2) {
    const auto sets = std::clamp<std::int64_t>(detail::current_device().l2_cache / copy_bytes_ + 1, 2, kMostSets);
    for (std::int64_t i = 0; i < sets; ++i) {
      signals_.emplace_back(std::max(signal_.bytes(), copy_bytes_));
      outs_.emplace_back(result_.bytes());
      copies_.emplace_back(copy_bytes_);
      copy(signal_.input(), on_device<DeviceOutput>(signals_.back(), signal_.input()));
    }
  }

  void time(benchmark::State& state, detail::Solver const& solver) {
    Entry& e = entry(solver);
    Sample(stream_.get(), [&](std::int64_t i) { execute(e.plan, i); }).run(state);
    report(state, e, solver, Memory::device);
  }
  void time_copy(benchmark::State& state) {
    const auto enqueue = [&](std::int64_t i) {
      check_cuda(cudaMemcpyAsync(of_set(copies_, i).data(), of_set(signals_, i).data(),
                                 static_cast<std::size_t>(copy_bytes_), cudaMemcpyDeviceToDevice, stream_.get()),
                 "cudaMemcpyAsync");
    };
    Sample(stream_.get(), enqueue).run(state);
    report_rate(state, problem_);
  }

 private:
  Entry& entry(detail::Solver const& solver) {
    std::unique_ptr<Entry>& entry = entries[&solver];
    if (entry) return *entry;
    const gpuconv::Stream stream{stream_.get()};
    Plan plan(problem_, {.method = solver.method, .device = Device::cuda, .memory = Memory::device});
    plan.set_filter(filter_.input(), stream);
    // All bits of the output: a NaN, which shows what nobody writes.
    check_cuda(cudaMemsetAsync(outs_[0].data(), 0xFF, static_cast<std::size_t>(result_.bytes()), stream_.get()),
               "cudaMemset");
    execute(plan, 0);
    check_cuda(cudaStreamSynchronize(stream_.get()), "cudaStreamSynchronize");
    copy(on_device<DeviceInput>(outs_[0], result_.input()), result_.output());
    const Errors found = errors(problem_, signal_.input(), filter_.input(), result_.output());
    entry = std::make_unique<Entry>(std::move(plan), found);
    return *entry;
  }
  void execute(Plan& plan, std::int64_t i) {
    plan.execute(on_device<DeviceInput>(of_set(signals_, i), signal_.input()),
                 on_device<DeviceOutput>(of_set(outs_, i), result_.input()), gpuconv::Stream{stream_.get()});
  }
  static Bytes& of_set(std::vector<Bytes>& sets, std::int64_t i) {
    return sets[static_cast<std::size_t>(i) % sets.size()];
  }

  Problem problem_;
  Array filter_, signal_, result_;
  std::int64_t copy_bytes_;
  std::vector<Bytes> signals_, outs_, copies_;
  detail::OwnStream stream_;
};

/// As many bytes as a problem's arrays in host memory have, to the device and back by way of pinned memory.
void transfer(benchmark::State& state, Problem const& p) {
  const std::int64_t in = p.batch * p.signal * static_cast<std::int64_t>(size_of(p.type)),
                     out = p.batch * output_slice(p).length * static_cast<std::int64_t>(size_of(result_type(p)));
  Bytes device(std::max(in, out));
  const detail::PinnedMemory pinned(static_cast<std::size_t>(std::max(in, out)));
  std::memset(pinned.data(), 1, pinned.bytes());
  for ([[maybe_unused]] auto _ : state) {
    check_cuda(cudaMemcpy(device.data(), pinned.data(), static_cast<std::size_t>(in), cudaMemcpyHostToDevice),
               "cudaMemcpy");
    check_cuda(cudaMemcpy(pinned.data(), device.data(), static_cast<std::size_t>(out), cudaMemcpyDeviceToHost),
               "cudaMemcpy");
    if (is_emulated()) state.SetIterationTime(0);
  }
  report_rate(state, p);
}

/// The sizes of the project's goals first. On the emulated GPU few and small ones, for the tests.
std::vector<Problem> problems() {
  if (is_emulated())
    return {{.signal = 3000, .filter = 65},
            {.signal = 2000, .filter = 300, .type = Type::float64},
            {.signal = 100, .filter = 5, .batch = 7, .type = Type::int16}};
  constexpr std::int64_t plenty = 1 << 26;
  std::vector<Problem> out;
  const auto add = [&](std::int64_t n, std::initializer_list<std::int64_t> taps, Type type = Type::float32,
                       std::int64_t batch = 1) {
    for (std::int64_t const m : taps)
      if (m <= n) out.push_back({.signal = n, .filter = m, .batch = batch, .type = type});
  };
  add(plenty, {3, 16, 32, 64, 128, 257, 512, 1024, 2048, 4096, 8192, 1 << 15, 1 << 17, 1 << 20});
  add(1 << 20, {16, 64, 257, 1024, 4096, 1 << 15});
  for (std::int64_t const row : {256, 512, 1024, 2048, 4096, 8192})
    add(row, {16, 64, 257}, Type::float32, plenty / row);
  add(1 << 24, {3, 16, 64, 257, 1024, 8192, 1 << 17}, Type::float64);
  for (Type const type : {Type::int32, Type::int8}) add(1 << 24, {16, 64, 257, 1024}, type);
  add(1 << 24, {16, 64, 257, 1024, 4096, 1 << 15});
  add(std::int64_t{1} << 28, {16, 64, 257, 1024, 8192, 1 << 20});
  return out;
}

}  // namespace

void register_device() {
  const auto known = devices();
  if (!std::ranges::find(known, Device::cuda, &DeviceInfo::device)->available) return;
  for (Problem const& p : problems()) {
    const std::string key = title("device", p, "");
    const auto arrays = [=]() -> DeviceArrays& { return shared<DeviceArrays>(key, p); };
    add(
        key + "copy", [=](benchmark::State& state) { arrays().time_copy(state); }, true);
    for (detail::Solver const* const s : detail::solvers())
      if (is_timed(*s, p, Memory::device))
        add(
            key + title(*s), [=](benchmark::State& state) { arrays().time(state, *s); }, true);
  }
  for (std::int64_t const n : {1 << 14, 1 << 17, 1 << 20, 1 << 24, 1 << 26}) {
    const Problem p{.signal = n, .filter = 257};
    add(title("host", p, "transfers"), [=](benchmark::State& state) { transfer(state, p); });
  }
}

}  // namespace gpuconv::bench
