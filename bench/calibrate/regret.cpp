// How much slower the planner's choice is than the fastest solver. All solvers of a problem are timed in turn.
#include "sections.hpp"

#include "../support/data.hpp"

#include "problem.hpp"
#include "solver.hpp"

#include <algorithm>
#include <iomanip>
#include <set>
#include <sstream>
#include <string>

namespace gpuconv::bench {
namespace {

// A solver is not run where its estimate is this many times the best one and the run would take long: a cost model
// that is wrong by more shows at smaller sizes.
constexpr double kHopeless = 30, kLong = 0.02;

struct Result {
  Problem problem;
  std::string chosen, best, times;
  double regret;        // of the medians
  double least_regret;  // of the least times: what remains of it on a busy machine
};

struct Contender {
  detail::Solver const* solver;
  detail::Answer offer;
};

// The planner's choice first, then the others worth a run.
std::vector<Contender> contenders(detail::Work const& work, Method chosen, int threads) {
  std::vector<Contender> out;
  for (auto const* s : detail::solvers())
    if (const detail::Answer answer = s->consider(work, {.threads = threads}); s->automatic && !answer.refusal)
      out.push_back({s, answer});
  std::stable_partition(out.begin(), out.end(), [&](Contender const& c) { return c.solver->method == chosen; });
  double best = 1e300;
  for (Contender const& c : out) best = std::min(best, c.offer.seconds);
  // Overlap-save and fft with the same blocks run the same code: one of them takes part.
  std::set<std::int64_t> seen;
  std::erase_if(out, [&](Contender const& c) {
    const bool same = c.solver->method != Method::direct && !seen.insert(c.offer.parameters.cut.size).second;
    return same || c.offer.seconds > std::max(kHopeless * best, kLong);
  });
  return out;
}

Result measure_problem(Problem const& problem, Settings const& s) {
  Data data(problem);
  const detail::Work work = detail::check(problem);
  const Method chosen = Plan(problem, {.threads = s.threads}).method();
  const auto solvers = contenders(work, chosen, s.threads);
  std::vector<Plan> plans;
  std::vector<std::function<void()>> calls;
  plans.reserve(solvers.size());
  std::size_t set = 0;
  for (Contender const& c : solvers) {
    Plan& plan =
        plans.emplace_back(problem, Options{.method = c.solver->method, .device = c.solver->device, .threads = s.threads});
    plan.set_filter(data.filter());
    calls.emplace_back([&plan, &data, &set] {
      plan.execute(data.signal(set), data.out(set));
      if (++set == data.sets()) set = 0;
    });
  }
  const std::vector<Spread> times = measure(calls, s.budget);
  const auto fastest = [&](double Spread::*time) {
    return std::min_element(times.begin(), times.end(),
                            [&](auto const& a, auto const& b) { return a.*time < b.*time; });
  };
  const auto best = fastest(&Spread::median), least = fastest(&Spread::least);
  Result out{problem, std::string(name(chosen)),           {},
             {},      times.front().median / best->median, times.front().least / least->least};
  for (std::size_t i = 0; i < solvers.size(); ++i) {
    std::ostringstream text;
    text << (i ? "; " : "") << name(solvers[i].solver->method) << std::setprecision(3) << ' ' << times[i].median << ", least "
         << times[i].least << " (estimate " << solvers[i].offer.seconds << ", " << plans[i].describe() << ')';
    out.times += text.str();
  }
  out.best = name(solvers[static_cast<std::size_t>(least - times.begin())].solver->method);
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

Table summarize(std::vector<Result> const& results) {
  Table out{"regret_summary",
            "time of the planner's choice over the fastest solver's, by the medians and by the least times",
            {"of", "problems", "median", "95%", "worst", "over 1.25"},
            {}};
  const auto add = [&](const char* of, double Result::*regret) {
    std::vector<double> sorted;
    for (Result const& r : results) sorted.push_back(r.*regret);
    std::sort(sorted.begin(), sorted.end());
    const auto at = [&](double share) {
      return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
    };
    out.rows.push_back({of, sorted.size(), at(0.5), at(0.95), sorted.back(),
                        std::count_if(sorted.begin(), sorted.end(), [](double r) { return r > 1.25; })});
  };
  add("medians", &Result::regret);
  add("least times", &Result::least_regret);
  return out;
}

}  // namespace

std::vector<Table> measure_regret(Settings const& s) {
  std::vector<Result> results;
  for (Problem const& p : grid(s.quick)) results.push_back(measure_problem(p, s));
  std::stable_sort(results.begin(), results.end(),
                   [](auto const& a, auto const& b) { return a.least_regret > b.least_regret; });

  Table worst{"regret_worst",
              "the problems with the largest regret by the least times (seconds: medians measured, and estimates)",
              {"problem", "regret", "by least", "chosen", "best", "times"},
              {}};
  Table all{"regret",
            "every problem of the grid, mode same",
            {"type", "signal", "taps", "batch", "regret", "by least", "chosen", "best"},
            {}};
  for (Result const& r : results) {
    Problem const& p = r.problem;
    if (worst.rows.size() < 25)
      worst.rows.push_back({to_string(p), r.regret, r.least_regret, r.chosen, r.best, r.times});
    all.rows.push_back({name(p.type), p.signal, p.filter, p.batch, r.regret, r.least_regret, r.chosen, r.best});
  }
  return {summarize(results), worst, all};
}

}  // namespace gpuconv::bench
