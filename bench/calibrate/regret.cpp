// How much slower the planner's choice is than the fastest solver. All solvers of a problem are timed in turn.
#include "sections.hpp"

#include "../support/data.hpp"

#include "solver.hpp"

#include <algorithm>
#include <string>

namespace gpuconv::bench {
namespace {

// A solver is not run where its estimate is this many times the best one and the run would take long: a cost model
// that is wrong by more shows at smaller sizes.
constexpr double kHopeless = 30, kLong = 0.02;

struct Result {
  Problem problem;
  std::string chosen, best, times;
  double regret;
};

std::vector<detail::Solver const*> contenders(detail::Geometry const& g, int threads) {
  std::vector<detail::Solver const*> out;
  double best = 1e300;
  for (auto const* s : detail::solvers()) {
    if (!s->automatic || !s->refusal(g).empty()) continue;
    out.push_back(s);
    best = std::min(best, s->seconds(g, threads));
  }
  std::erase_if(out, [&](auto const* s) { return s->seconds(g, threads) > std::max(kHopeless * best, kLong); });
  return out;
}

Result measure_problem(Problem const& problem, Settings const& s) {
  Data data(problem);
  const detail::Geometry g = detail::check(problem);
  const Method chosen = Plan(problem, {.threads = s.threads}).method();
  const auto solvers = contenders(g, s.threads);
  std::vector<Plan> plans;
  std::vector<std::function<void()>> calls;
  plans.reserve(solvers.size());
  std::size_t set = 0;
  for (auto const* solver : solvers) {
    Plan& plan =
        plans.emplace_back(problem, Options{.method = solver->method, .device = solver->device, .threads = s.threads});
    plan.set_filter(data.filter());
    calls.emplace_back([&plan, &data, &set] {
      plan.execute(data.signal(set), data.out(set));
      if (++set == data.sets()) set = 0;
    });
  }
  const std::vector<Spread> times = measure(calls, s.budget);
  const auto best =
      std::min_element(times.begin(), times.end(), [](auto const& a, auto const& b) { return a.median < b.median; });
  Result out{problem, std::string(name(chosen)), {}, {}, 0};
  for (std::size_t i = 0; i < solvers.size(); ++i) {
    char text[96];
    std::snprintf(text, sizeof text, "%s%.*s %.3g (est. %.3g)", i ? ", " : "",
                  static_cast<int>(name(solvers[i]->method).size()), name(solvers[i]->method).data(), times[i].median,
                  solvers[i]->seconds(g, s.threads));
    out.times += text;
    if (solvers[i]->method == chosen) out.regret = times[i].median / best->median;
  }
  out.best = name(solvers[static_cast<std::size_t>(best - times.begin())]->method);
  return out;
}

std::vector<Problem> grid(bool quick) {
  std::vector<Problem> out;
  const auto add = [&](std::int64_t n, std::int64_t m, std::int64_t batch) {
    for (const Type type : {Type::float32, Type::float64})
      out.push_back({.signal = n, .filter = m, .batch = batch, .mode = Mode::same, .type = type});
  };
  for (int log_n = 4; log_n <= (quick ? 20 : 24); log_n += quick ? 4 : 2)
    for (int log_m = 0; log_m <= std::min(log_n, 20); log_m += quick ? 3 : 1) {
      // Not powers of two themselves: those are special to transforms.
      const std::int64_t n = (std::int64_t{1} << log_n) + (log_n > 6 ? 37 : 0),
                         m = (std::int64_t{1} << log_m) + (log_m > 3 ? 1 : 0);
      if (m > n) continue;
      add(n, m, 1);
      if (log_n <= 14) add(n, m, (std::int64_t{1} << 20) / n);
    }
  return out;
}

}  // namespace

std::vector<Table> measure_regret(Settings const& s) {
  std::vector<Result> results;
  for (Problem const& p : grid(s.quick)) results.push_back(measure_problem(p, s));
  std::stable_sort(results.begin(), results.end(), [](auto const& a, auto const& b) { return a.regret > b.regret; });

  Table worst{"regret_worst",
              "the problems with the largest regret (seconds measured, and estimated)",
              {"problem", "regret", "chosen", "best", "times"},
              {}};
  Table all{"regret",
            "every problem of the grid, mode same",
            {"type", "signal", "taps", "batch", "regret", "chosen", "best"},
            {}};
  std::vector<double> regrets;
  for (Result const& r : results) {
    if (worst.rows.size() < 25) worst.rows.push_back({to_string(r.problem), r.regret, r.chosen, r.best, r.times});
    all.rows.push_back(
        {name(r.problem.type), r.problem.signal, r.problem.filter, r.problem.batch, r.regret, r.chosen, r.best});
    regrets.push_back(r.regret);
  }
  Table summary{"regret_summary",
                "time of the planner's choice over the fastest solver's",
                {"problems", "median", "95%", "worst", "over 1.25"},
                {}};
  const auto from_worst = [&](double share) {
    return regrets[static_cast<std::size_t>(share * static_cast<double>(regrets.size() - 1))];
  };
  summary.rows.push_back({regrets.size(), from_worst(0.5), from_worst(0.05), regrets.front(),
                          std::count_if(regrets.begin(), regrets.end(), [](double r) { return r > 1.25; })});
  return {summary, worst, all};
}

}  // namespace gpuconv::bench
