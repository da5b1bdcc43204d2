// Chooses a solver, checks what callers pass and turns allocation failures into OutOfMemory.
#include "solver.hpp"
#include "text.hpp"

#include <gpuconv/convolve.hpp>
#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <new>
#include <utility>
#include <vector>

namespace gpuconv {

using namespace detail;

namespace {

struct Candidate {
  Solver const* solver;
  std::string refusal;  // empty: it applies
  double seconds;
};

std::string refusal(Solver const& s, Geometry const& g, Options const& o) {
  if (o.device != Device::automatic && o.device != s.device) return text("device ", name(o.device), " is forced");
  if (o.method != Method::automatic && o.method != s.method) return text("method ", name(o.method), " is forced");
  std::string why = s.refusal(g);
  if (why.empty() && !s.automatic && o.method == Method::automatic) why = "only where it is forced";
  return why;
}

std::string explain_line(Candidate const& c, Geometry const& g, int threads) {
  const std::string what = c.refusal.empty()
                               ? text(c.solver->parameters(g, threads), ", about ", seconds_text(c.seconds))
                               : "no: " + c.refusal;
  return text("  ", std::left, std::setw(5), name(c.solver->device), std::setw(13), name(c.solver->method), what, '\n');
}

void check_options(Options const& o) {
  if (static_cast<int>(o.method) > 4 || static_cast<int>(o.device) > 2)
    throw InvalidArgument("unknown method or device");
  if (o.threads < 0) throw InvalidArgument(text("threads is ", o.threads, ", at least 1 or 0 (all) is expected"));
}

// More threads than this only wait for each other, and stay in the pool for the life of the process.
int most_threads() { return std::max(64, 4 * hardware_threads()); }

int threads_of(Options const& o) { return o.threads ? std::min(o.threads, most_threads()) : hardware_threads(); }

[[noreturn]] void refuse(Geometry const& g, Options const& o) {
  if (o.device == Device::cuda) throw Unsupported("device cuda: this build of gpuconv has no CUDA device");
  for (Solver const* s : solvers())
    if (s->method == o.method)
      throw Unsupported(text("method ", name(o.method), " on device ", name(s->device), ": ", s->refusal(g)));
  throw Unsupported("no solver takes this problem");
}

Candidate choose(Geometry const& g, Options const& o) {
  Candidate best{nullptr, {}, 0};
  for (Solver const* s : solvers()) {
    const bool allowed = (o.device == Device::automatic || o.device == s->device) &&
                         (o.method == Method::automatic ? s->automatic : o.method == s->method);
    if (!allowed || !s->refusal(g).empty()) continue;
    const double seconds = s->seconds(g, threads_of(o));
    if (!best.solver || seconds < best.seconds) best = {s, {}, seconds};
  }
  if (!best.solver) refuse(g, o);
  return best;
}

struct Bytes {
  std::uintptr_t begin, end;
};

template <class Void>
Bytes extent(AnyHostView<Void> v) {
  const auto begin = reinterpret_cast<std::uintptr_t>(v.data());
  const auto elements = static_cast<std::uintptr_t>((v.rows() - 1) * v.stride() + v.columns());
  return {begin, begin + elements * size_of(v.type())};
}

template <class Void>
void check_view(AnyHostView<Void> v, const char* what, std::int64_t rows, std::int64_t columns, Type type) {
  if (v.type() != type)
    throw InvalidArgument(text("the ", what, " is ", name(v.type()), ", the plan expects ", name(type)));
  if (v.rows() != rows || v.columns() != columns)
    throw InvalidArgument(
        text("the ", what, " is ", v.rows(), " x ", v.columns(), ", the plan expects ", rows, " x ", columns));
  if (!v.data()) throw InvalidArgument(text("the ", what, " is a null pointer"));
  if (reinterpret_cast<std::uintptr_t>(v.data()) % size_of(type) != 0)
    throw InvalidArgument(text("the ", what, " is not aligned to its element type ", name(type)));
  // Rows that are read may overlap (windows of one signal), rows that are written may not.
  const std::int64_t smallest = std::is_const_v<Void> ? 1 : columns;
  if (rows > 1 && v.stride() < smallest)
    throw InvalidArgument(
        text("the ", what, " has a row stride of ", v.stride(), ", at least ", smallest, " is expected"));
  std::int64_t last;
  if (__builtin_mul_overflow(rows - 1, v.stride(), &last) || __builtin_add_overflow(last, columns, &last) ||
      __builtin_mul_overflow(last, static_cast<std::int64_t>(size_of(type)), &last))
    throw InvalidArgument(text("the ", what, " with a row stride of ", v.stride(), " overflows 64-bit sizes"));
}

Problem problem_of(HostInput signal, HostInput filter, HostOutput out, Mode mode, Same same) {
  if (filter.rows() != 1 && filter.rows() != signal.rows())
    throw InvalidArgument(
        text("the filter has ", filter.rows(), " rows, 1 or the signal's ", signal.rows(), " are expected"));
  return {.signal = signal.columns(),
          .filter = filter.columns(),
          .batch = signal.rows(),
          .filters = filter.rows() == 1 ? Filters::shared : Filters::per_row,
          .mode = mode,
          .same = same,
          .type = signal.type(),
          .filter_type = filter.type(),
          .result_type = out.type()};
}

void convolve_once(HostInput signal, HostInput filter, HostOutput out, Mode mode, Same same, Options const& options) {
  Plan plan(problem_of(signal, filter, out, mode, same), options);
  plan.set_filter(filter);
  plan.execute(signal, out);
}

}  // namespace

std::int64_t detail::check_call(Problem const& problem, Options const& options) {
  return guarded([&] {
    check_options(options);
    const Geometry g = check(problem);
    if (options.method != Method::automatic || options.device != Device::automatic) choose(g, options);
    return g.length;
  });
}

Plan::Plan(Problem const& problem, Options const& options) {
  guarded([&] {
    check_options(options);
    const Geometry g = check(problem);
    const Candidate chosen = choose(g, options);
    executor_ = chosen.solver->make(g, threads_of(options));
    executor_->problem = problem;
    executor_->geometry = g;
    executor_->solver = chosen.solver;
    executor_->seconds = chosen.seconds;
  });
}
detail::Executor& Plan::executor() const {
  if (!executor_) throw InvalidArgument("the plan was moved from");
  return *executor_;
}

Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;
Plan::~Plan() = default;

Problem const& Plan::problem() const noexcept { return executor_->problem; }
Method Plan::method() const noexcept { return executor_->solver->method; }
Device Plan::device() const noexcept { return executor_->solver->device; }
int Plan::threads() const noexcept { return executor_->threads; }
std::int64_t Plan::output_length() const noexcept { return executor_->geometry.length; }
std::size_t Plan::workspace_bytes() const noexcept { return executor_->workspace_bytes(); }

std::string Plan::describe() const {
  return guarded([&] {
    const Executor& e = executor();
    return text(name(device()), ' ', name(method()), ", ", e.solver->parameters(e.geometry, e.threads), ", about ",
                seconds_text(e.seconds));
  });
}

void Plan::set_filter(HostInput filter) {
  guarded([&] {
    Executor& e = executor();
    const Geometry& g = e.geometry;
    e.has_filter = false;
    check_view(filter, "filter", g.filters, g.filter, g.filter_type);
    e.set_filter(filter);
    e.has_filter = true;
  });
}

void Plan::execute(HostInput signal, HostOutput out) {
  guarded([&] {
    Executor& e = executor();
    const Geometry& g = e.geometry;
    if (!e.has_filter) throw InvalidArgument("execute before set_filter");
    check_view(signal, "signal", g.batch, g.signal, g.signal_type);
    check_view(out, "output", g.batch, g.length, g.result_type);
    const Bytes in = extent(signal), result = extent(out);
    if (in.begin < result.end && result.begin < in.end)
      throw InvalidArgument("the address ranges of signal and output overlap");
    e.execute(signal, out);
  });
}

std::string explain(Problem const& problem, Options const& options) {
  return guarded([&] {
    check_options(options);
    const Geometry g = check(problem);
    std::vector<Candidate> candidates;
    for (Solver const* s : solvers()) {
      const bool applies = s->refusal(g).empty();
      candidates.push_back({s, refusal(*s, g, options), applies ? s->seconds(g, threads_of(options)) : 0});
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](Candidate const& a, Candidate const& b) {
      return std::pair(!a.refusal.empty(), a.seconds) < std::pair(!b.refusal.empty(), b.seconds);
    });
    std::string lines = to_string(problem) + '\n';
    for (Candidate const& c : candidates) lines += explain_line(c, g, threads_of(options));
    if (options.device != Device::cpu) lines += "  cuda              no: this build of gpuconv has no CUDA device\n";
    return lines;
  });
}

void convolve(HostInput signal, HostInput filter, HostOutput out, Mode mode, Options const& options) {
  guarded([&] { convolve_once(signal, filter, out, mode, Same::numpy, options); });
}
void convolve(HostInput signal, HostInput filter, HostOutput out, Same same, Options const& options) {
  guarded([&] { convolve_once(signal, filter, out, Mode::same, same, options); });
}

}  // namespace gpuconv
