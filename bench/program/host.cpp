// Every solver on arrays in host memory, at the sizes of the project's goals: on the CPU, and from end to end on the
// GPU. A plan is made once, its output is allocated beforehand, data rotate past the cache.
#include "program.hpp"

#include "support/data.hpp"

#include <cstring>

namespace gpuconv::bench {
namespace {

struct HostArrays : Arrays {
  HostArrays(Problem const& problem, bool across) : data(problem, across) {}

  Entry& entry(detail::Solver const& solver, Problem const& problem) {
    std::unique_ptr<Entry>& entry = entries[&solver];
    if (entry) return *entry;
    Plan plan(problem, {.method = solver.method, .device = solver.device});
    plan.set_filter(data.filter());
    const HostOutput out = data.out(0);
    std::memset(out.data(), 0xFF, static_cast<std::size_t>(out.rows() * out.columns()) * size_of(out.type()));
    plan.execute(data.signal(0), out);
    const Errors found = errors(problem, data.signal(0), data.filter(), out);
    entry = std::make_unique<Entry>(std::move(plan), found);
    return *entry;
  }

  Data data;
};

void run(benchmark::State& state, std::string const& problem_name, Problem const& problem, bool across,
         detail::Solver const& solver) {
  auto& arrays = shared<HostArrays>(problem_name, problem, across);
  Entry& entry = arrays.entry(solver, problem);
  for ([[maybe_unused]] auto _ : state) {
    entry.plan.execute(arrays.data.signal(entry.next_set), arrays.data.out(entry.next_set));
    if (++entry.next_set == arrays.data.sets()) entry.next_set = 0;
    if (is_emulated()) state.SetIterationTime(0);
  }
  report(state, entry, solver, Memory::host);
}

std::vector<Problem> problems() {
  std::vector<Problem> out;
  const auto add = [&](std::int64_t n, std::int64_t m, std::int64_t batch, Type type) {
    out.push_back({.signal = n, .filter = m, .batch = batch, .type = type});
  };
  for (const std::int64_t n : {1 << 20, 1 << 24})
    for (const std::int64_t m : {16, 32, 64, 257, 1025, 4097, 8192, 1 << 15, 1 << 17}) add(n, m, 1, Type::float32);
  for (const std::int64_t row : {256, 512, 1024, 2048, 4096, 8192})
    for (const std::int64_t m : {16, 64, 257})
      if (m <= row) add(row, m, (std::int64_t{1} << 22) / row, Type::float32);
  for (const Type type : {Type::float64, Type::int32, Type::complex64})
    for (const std::int64_t m : {16, 64, 1025, 8192}) add(1 << 20, m, 1, type);
  for (const std::int64_t n : {1 << 14, 1 << 17, 1 << 26}) add(n, 257, 1, Type::float32);
  return out;
}

// Rows by themselves and as the columns of a matrix, and two channels that alternate.
std::vector<Problem> problems_across() {
  std::vector<Problem> out;
  for (const std::int64_t m : {3, 17, 65, 257}) {
    out.push_back({.signal = 1 << 10, .filter = m, .batch = 1 << 12});
    out.push_back({.signal = 1 << 20, .filter = m, .batch = 2});
  }
  return out;
}

void add_problem(std::string_view where, Problem const& p, bool across) {
  for (detail::Solver const* const s : detail::solvers()) {
    if (!is_timed(*s, p, Memory::host)) continue;
    const std::string problem_name = title(where, p, "");
    add(problem_name + title(*s), [=](benchmark::State& state) { run(state, problem_name, p, across, *s); });
  }
}

}  // namespace

void register_host() {
  for (Problem const& p : problems()) add_problem("host", p, false);
  for (Problem const& p : problems_across()) {
    add_problem("rows", p, false);
    add_problem("columns", p, true);
  }
}

}  // namespace gpuconv::bench
