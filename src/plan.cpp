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

constexpr std::string_view kForDevice = "this plan is for arrays in device memory, as Options::memory said";
constexpr std::string_view kForHost =
    "this plan is for arrays in host memory: make it with Options::memory = Memory::device";

struct Candidate {
  Solver const* solver = nullptr;
  double seconds = 0;
};

std::string refusal(Solver const& s, Geometry const& g, Options const& o) {
  if (o.memory == Memory::device && s.device != Device::cuda) return "the arrays are in device memory";
  if (o.device != Device::automatic && o.device != s.device) return text("device ", name(o.device), " is forced");
  if (o.method != Method::automatic && o.method != s.method) return text("method ", name(o.method), " is forced");
  std::string why = s.refusal(g);
  if (why.empty() && !s.automatic && o.method == Method::automatic) why = "only where it is forced";
  return why;
}

std::string explain_line(Estimate const& e) {
  const std::string what =
      e.refusal.empty() ? text(e.parameters, ", about ", seconds_text(e.seconds)) : "no: " + e.refusal;
  return text("  ", std::left, std::setw(5), name(e.device), std::setw(13), name(e.method), what, '\n');
}

void check_options(Options const& o) {
  if (o.method > Method::fft || o.device > Device::cuda || o.memory > Memory::device)
    throw InvalidArgument("unknown method, device or memory");
  if (o.memory == Memory::device && o.device == Device::cpu)
    throw InvalidArgument("device cpu cannot convolve arrays in device memory");
  if (o.memory == Memory::host && o.caller_scratch)
    throw InvalidArgument("caller_scratch is for arrays in device memory");
  if (o.threads < 0) throw InvalidArgument(text("threads is ", o.threads, ", at least 1 or 0 (all) is expected"));
}

// More threads than this only wait for each other, and stay in the pool for the life of the process.
int most_threads() { return std::max(64, 4 * hardware_threads()); }

int threads_of(Options const& o) { return o.threads ? std::min(o.threads, most_threads()) : hardware_threads(); }

Resources resources_of(Options const& o) { return {threads_of(o), o.memory, o.allocator, o.caller_scratch}; }

// The device that only a solver of its own can serve.
Device device_of(Options const& o) { return o.memory == Memory::device ? Device::cuda : o.device; }

[[noreturn]] void refuse(Geometry const& g, Options const& o) {
  const Device device = device_of(o);
  if (device == Device::cuda)
    if (const DeviceInfo cuda = cuda_device_info(); !cuda.available) throw Unsupported("device cuda: " + cuda.detail);
  for (Solver const* s : solvers())
    if (s->method == o.method && (device == Device::automatic || s->device == device))
      throw Unsupported(text("method ", name(o.method), " on device ", name(s->device), ": ", s->refusal(g)));
  if (o.method != Method::automatic)
    throw Unsupported(text("there is no method ", name(o.method), " on device ", name(device)));
  throw Unsupported(text("no solver takes this problem on device ", name(device)));
}

// Asking for a GPU takes a process a good part of a second the first time: what the CPU does sooner than this stays
// there.
constexpr double kWorthAskingForGpu = 5e-3;

Candidate choose(Geometry const& g, Options const& o) {
  const Device device = device_of(o);
  const Resources resources = resources_of(o);
  Candidate best;
  const auto consider = [&](Device on) {
    for (Solver const* s : solvers()) {
      if (s->device != on || !(o.method == Method::automatic ? s->automatic : o.method == s->method)) continue;
      if (!s->refusal(g).empty()) continue;
      const double seconds = s->seconds(g, resources);
      if (!best.solver || seconds < best.seconds) best = {s, seconds};
    }
  };
  if (device != Device::cuda) consider(Device::cpu);
  const bool slow_on_cpu = !best.solver || best.seconds > kWorthAskingForGpu;
  if (device == Device::cuda || (device == Device::automatic && slow_on_cpu && cuda_device_info().available))
    consider(Device::cuda);
  if (!best.solver) refuse(g, o);
  return best;
}

// The chosen solver's executor. Where nobody asked for the GPU, one whose memory is taken is no reason to fail.
std::unique_ptr<Executor> make_executor(Geometry const& g, Options const& o, Candidate& chosen) {
  try {
    return chosen.solver->make(g, resources_of(o));
  } catch (OutOfMemory const&) {
    if (device_of(o) != Device::automatic || chosen.solver->device != Device::cuda) throw;
  }
  Options on_cpu = o;
  on_cpu.device = Device::cpu;
  chosen = choose(g, on_cpu);
  return chosen.solver->make(g, resources_of(o));
}

struct Bytes {
  std::uintptr_t begin, end;
};

template <class Void>
Bytes extent(AnyRowsView<Void> const& v) {
  const auto begin = reinterpret_cast<std::uintptr_t>(v.data());
  const auto elements = static_cast<std::uintptr_t>((v.rows() - 1) * v.stride() + v.columns());
  return {begin, begin + elements * size_of(v.type())};
}

template <class Void>
void check_view(AnyRowsView<Void> const& v, const char* what, std::int64_t rows, std::int64_t columns, Type type) {
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

void check_filter(Executor const& e, AnyRowsView<void const> const& filter) {
  check_view(filter, "filter", e.geometry.filters, e.geometry.filter, e.geometry.filter_type);
}

void check_arrays(Executor const& e, AnyRowsView<void const> const& signal, AnyRowsView<void> const& out) {
  Geometry const& g = e.geometry;
  if (!e.has_filter) throw InvalidArgument("execute before set_filter");
  check_view(signal, "signal", g.batch, g.signal, g.signal_type);
  check_view(out, "output", g.batch, g.length, g.result_type);
  const Bytes in = extent(signal), result = extent(out);
  if (in.begin < result.end && result.begin < in.end)
    throw InvalidArgument("the address ranges of signal and output overlap");
}

Problem problem_of(AnyRowsView<void const> const& signal, AnyRowsView<void const> const& filter,
                   AnyRowsView<void> const& out, Mode mode, Same same) {
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

void convolve_once(DeviceInput signal, DeviceInput filter, DeviceOutput out, Mode mode, Same same, Stream stream,
                   Options options) {
  options.memory = Memory::device;
  Plan plan(problem_of(signal, filter, out, mode, same), options);
  plan.set_filter(filter, stream);
  plan.execute(signal, out, stream);
  synchronize(stream);
}

}  // namespace

void Executor::set_filter(HostInput) { throw InvalidArgument(kForDevice); }
void Executor::execute(HostInput, HostOutput) { throw InvalidArgument(kForDevice); }
void Executor::set_filter(DeviceInput, Stream, DeviceBytes) { throw InvalidArgument(kForHost); }
void Executor::set_filter(HostInput, Stream, DeviceBytes) { throw InvalidArgument(kForHost); }
void Executor::execute(DeviceInput, DeviceOutput, Stream, DeviceBytes) { throw InvalidArgument(kForHost); }

std::int64_t detail::check_call(Problem const& problem, Options const& options) {
  return guarded([&] {
    check_options(options);
    const Geometry g = check(problem);
    if (options.memory != Memory::host) throw InvalidArgument("the arrays of this call are in host memory");
    check_fits(g.bytes);
    if (options.method != Method::automatic || options.device != Device::automatic) choose(g, options);
    return g.length;
  });
}

Plan::Plan(Problem const& problem, Options const& options) {
  guarded([&] {
    check_options(options);
    const Geometry g = check(problem);
    if (options.memory == Memory::host) check_fits(g.bytes);
    Candidate chosen = choose(g, options);
    executor_ = make_executor(g, options, chosen);
    executor_->problem = problem;
    executor_->resources = resources_of(options);
    executor_->resources.threads = executor_->threads;
    executor_->geometry = g;
    executor_->solver = chosen.solver;
    executor_->seconds = chosen.seconds;
  });
}
detail::Executor& Plan::executor() const {
  if (!executor_) throw InvalidArgument("the plan was moved from");
  return *executor_;
}

// After an error the plan has no filter.
template <class F>
void Plan::prepare(F set_filter) {
  guarded([&] {
    executor().has_filter = false;
    set_filter(executor());
    executor().has_filter = true;
  });
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
std::size_t Plan::scratch_bytes() const noexcept { return executor_->scratch_bytes(); }

std::string Plan::describe() const {
  return guarded([&] {
    const Executor& e = executor();
    return text(name(device()), ' ', name(method()), ", ", e.solver->parameters(e.geometry, e.resources), ", about ",
                seconds_text(e.seconds));
  });
}

void Plan::set_filter(HostInput filter) {
  prepare([&](Executor& e) { check_filter(e, filter), e.set_filter(filter); });
}
void Plan::set_filter(DeviceInput filter, Stream stream, DeviceBytes scratch) {
  prepare([&](Executor& e) { check_filter(e, filter), e.set_filter(filter, stream, scratch); });
}
void Plan::set_filter(HostInput filter, Stream stream, DeviceBytes scratch) {
  prepare([&](Executor& e) { check_filter(e, filter), e.set_filter(filter, stream, scratch); });
}

void Plan::execute(HostInput signal, HostOutput out) {
  guarded([&] {
    check_arrays(executor(), signal, out);
    executor().execute(signal, out);
  });
}
void Plan::execute(DeviceInput signal, DeviceOutput out, Stream stream, DeviceBytes scratch) {
  guarded([&] {
    check_arrays(executor(), signal, out);
    executor().execute(signal, out, stream, scratch);
  });
}

std::vector<Estimate> estimates(Problem const& problem, Options const& options) {
  return guarded([&] {
    check_options(options);
    const Geometry g = check(problem);
    const Resources resources = resources_of(options);
    const bool gpu = cuda_device_info().available;
    std::vector<Estimate> all;
    for (Solver const* s : solvers()) {
      if (s->device == Device::cuda && !gpu) continue;
      Estimate e{s->device, s->method, refusal(*s, g, options), 0, {}};
      if (e.refusal.empty()) e.seconds = s->seconds(g, resources), e.parameters = s->parameters(g, resources);
      all.push_back(std::move(e));
    }
    const bool fast_on_cpu = device_of(options) == Device::automatic && std::ranges::any_of(all, [](Estimate const& e) {
                               return e.device == Device::cpu && e.refusal.empty() && e.seconds <= kWorthAskingForGpu;
                             });
    for (Estimate& e : all)
      if (fast_on_cpu && e.device == Device::cuda && e.refusal.empty())
        e = {e.device, e.method, text("the CPU is done within ", seconds_text(kWorthAskingForGpu)), 0, {}};
    std::stable_sort(all.begin(), all.end(), [](Estimate const& a, Estimate const& b) {
      return std::pair(!a.refusal.empty(), a.seconds) < std::pair(!b.refusal.empty(), b.seconds);
    });
    return all;
  });
}

std::string explain(Problem const& problem, Options const& options) {
  return guarded([&] {
    const std::vector<Estimate> all = estimates(problem, options);
    std::string lines = to_string(problem) + '\n';
    for (Estimate const& e : all) lines += explain_line(e);
    if (const DeviceInfo cuda = cuda_device_info(); !cuda.available)
      lines += text("  ", std::left, std::setw(18), name(Device::cuda), "no: ", cuda.detail, '\n');
    return lines;
  });
}

void convolve(HostInput signal, HostInput filter, HostOutput out, Mode mode, Options const& options) {
  guarded([&] { convolve_once(signal, filter, out, mode, Same::numpy, options); });
}
void convolve(HostInput signal, HostInput filter, HostOutput out, Same same, Options const& options) {
  guarded([&] { convolve_once(signal, filter, out, Mode::same, same, options); });
}
void convolve(DeviceInput signal, DeviceInput filter, DeviceOutput out, Mode mode, Stream stream,
              Options const& options) {
  guarded([&] { convolve_once(signal, filter, out, mode, Same::numpy, stream, options); });
}
void convolve(DeviceInput signal, DeviceInput filter, DeviceOutput out, Same same, Stream stream,
              Options const& options) {
  guarded([&] { convolve_once(signal, filter, out, Mode::same, same, stream, options); });
}

}  // namespace gpuconv
