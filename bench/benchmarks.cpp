// Every method on every device, on the same problems: gpuconv_bench, by Google Benchmark, for those who change one.
//
//   gpuconv_bench --benchmark_filter='cpu/direct/float32/.*'
//
// A name is device/method/type/problem: "1x1048576*65" is a batch of one signal and its filter, "image 1024x1024*7x7"
// one image. Arrays are warm, on a GPU in its memory, and a turn there is 16 calls and waiting for them. Comparisons
// with others, and times for documents, are bench/run.py's.
#include <gpuconv/device.hpp>
#include <gpuconv/plan.hpp>

#include "problem.hpp"
#include "solver.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace gpuconv;

Problem row(std::int64_t batch, std::int64_t signal, std::int64_t taps) {
  return {.signal = signal, .filter = taps, .batch = batch};
}
Problem image(std::int64_t side, std::int64_t filter_side) {
  return {.signal = side, .filter = filter_side, .mode = Mode::same, .lines = {.signal = side, .filter = filter_side}};
}
const Problem kProblems[] = {row(1, 64, 5),         row(1, 1000, 50),    row(1, 1 << 20, 17), row(1, 1 << 20, 257),
                             row(1, 1 << 20, 4097), row(1000, 1000, 65), image(1024, 7),      image(1024, 31)};
constexpr Type kTypes[] = {Type::float32, Type::float64, Type::int32, Type::complex64, Type::float16};

std::string text_of(Problem const& p) {
  const auto x = [](std::int64_t a, std::int64_t b) { return std::to_string(a) + 'x' + std::to_string(b); };
  if (p.lines.signal == 1) return x(p.batch, p.signal) + '*' + std::to_string(p.filter);
  return "image " + x(p.lines.signal, p.signal) + '*' + x(p.lines.filter, p.filter);
}

std::vector<std::uint8_t> ones(Type type, std::int64_t elements) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(elements) * size_of(type));
  visit_type(type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < elements; ++i) reinterpret_cast<T*>(out.data())[i] = T(1.0F);
  });
  return out;
}

/// The arrays of a problem, and a plan whose filter is set.
struct Setting {
  Images in, out;
  Type type, result;
  std::vector<std::uint8_t> samples, results;
  Plan plan;

  Setting(Problem const& p, Options const& how)
      : in{.images = p.batch, .lines = p.lines.signal, .columns = p.signal},
        out{},
        type(p.type),
        result(result_type(p)),
        samples(ones(p.type, p.batch * p.lines.signal * p.signal)),
        plan(p, how) {
    out = {.images = p.batch, .lines = plan.output_lines(), .columns = plan.output_length()};
    results.resize(static_cast<std::size_t>(outputs()) * size_of(result));
    const std::vector<std::uint8_t> taps = ones(p.type, p.lines.filter * p.filter);
    plan.set_filter(HostInput(taps.data(), type, Images{.lines = p.lines.filter, .columns = p.filter}));
  }
  std::int64_t outputs() const { return out.images * out.lines * out.columns; }

  void count(benchmark::State& state, std::int64_t calls) const {
    const auto bytes = static_cast<std::int64_t>(samples.size() + results.size());
    state.SetItemsProcessed(state.iterations() * calls * outputs());
    state.SetBytesProcessed(state.iterations() * calls * bytes);
    state.SetLabel(plan.describe());
  }
};

void on_host(benchmark::State& state, Problem const& p, Options const& how) {
  Setting s(p, how);
  for (auto _ : state)
    s.plan.execute(HostInput(s.samples.data(), s.type, s.in), HostOutput(s.results.data(), s.result, s.out));
  s.count(state, 1);
}

void on_device(benchmark::State& state, Problem const& p, Options const& how) {
  constexpr int kCalls = 16;
  Setting s(p, how);
  DeviceBuffer<std::uint8_t> x(std::ssize(s.samples)), y(std::ssize(s.results));
  copy(s.samples, x);
  for (auto _ : state) {
    for (int i = 0; i < kCalls; ++i)
      s.plan.execute(DeviceInput(x.data(), s.type, s.in), DeviceOutput(y.data(), s.result, s.out), Stream{});
    synchronize(Stream{});
  }
  s.count(state, kCalls);
}

void add_all() {
  for (detail::Solver const* const solver : detail::solvers()) {
    if (solver->method == Method::reference) continue;  // the oracle is not meant to be fast
    const bool cuda = solver->device == Device::cuda;
    if (cuda && !detail::cuda_device_info().available) continue;
    const Options how{
        .method = solver->method, .device = solver->device, .memory = cuda ? Memory::device : Memory::host};
    for (const Type type : kTypes)
      for (Problem p : kProblems) {
        p.type = type;
        if (solver->consider(detail::check(p), {.memory = how.memory}).refusal) continue;
        const std::string name = std::string(gpuconv::name(solver->device)) + '/' +
                                 std::string(gpuconv::name(solver->method)) + '/' + std::string(gpuconv::name(type)) +
                                 '/' + text_of(p);
        benchmark::RegisterBenchmark(name.c_str(), cuda ? on_device : on_host, p, how)->UseRealTime();
      }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  add_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
