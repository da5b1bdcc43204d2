#include "jobs.hpp"

#include "events.hpp"

#include "problem.hpp"
#include "solver.hpp"
#include "support/accuracy.hpp"
#include "support/data.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/plan.hpp>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace gpuconv::bench {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostSets = 64;  // problems of less than a few MB find their data in the cache
constexpr std::int64_t kAlignment = 256;
std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

template <class Enum>
Enum by_name(std::string const& wanted, int count) {
  for (int i = 0; i < count; ++i)
    if (name(static_cast<Enum>(i)) == wanted) return static_cast<Enum>(i);
  throw InvalidArgument("unknown name " + wanted);
}

json json_of(Spread const& s) {
  return {{"median", s.median}, {"lower", s.lower}, {"upper", s.upper}, {"least", s.least}, {"samples", s.samples}};
}

/// Who takes part: a record that grows, and the call to be timed.
struct Contestant {
  json record;
  std::function<void()> call;
  std::unique_ptr<Plan> plan;
};

std::string title(detail::Solver const& s) { return std::string(name(s.device)) + ' ' + std::string(name(s.method)); }

/// Why the solver is left out; empty where it is not.
std::string why_not(detail::Solver const& s, Job const& job) {
  if (s.device != Device::cuda && job.memory == Memory::device) return "works on host memory";
  const double products = static_cast<double>(job.problem.batch) * static_cast<double>(job.problem.signal) *
                          static_cast<double>(job.problem.filter);
  if (s.method == Method::direct && job.most_products > 0 && products > job.most_products)
    return "a direct sum of so many products takes too long";
  const detail::Work work = detail::check(job.problem);
  const detail::Answer answer = s.consider(work, {.memory = job.memory});
  return answer.refusal ? answer.refusal(work) : "";
}

/// Makes a contestant of each solver but the reference: `enter(contestant)` sets its filter, its call and its errors.
template <class Enter>
void enter_solvers(Job const& job, std::vector<Contestant>& out, json& left_out, Enter enter) {
  for (detail::Solver const* const s : detail::solvers()) {
    if (s->method == Method::reference || (s->device != Device::cuda && job.memory == Memory::device)) continue;
    std::string why = why_not(*s, job);
    if (why.empty()) try {
        const Options options{.method = s->method, .device = s->device, .memory = job.memory};
        Contestant c{.record = {{"contestant", title(*s)}, {"library", "gpuconv"}},
                     .call = {},
                     .plan = std::make_unique<Plan>(job.problem, options)};
        c.record["detail"] = c.plan->describe();
        c.record["estimate"] =
            s->consider(detail::check(job.problem), {.threads = c.plan->threads(), .memory = job.memory}).seconds;
        c.record["scratch_bytes"] = c.plan->scratch_bytes() + c.plan->workspace_bytes();
        enter(c);
        out.push_back(std::move(c));
        continue;
      } catch (OutOfMemory const& error) {
        why = error.what();
      }
    left_out.push_back({{"contestant", title(*s)}, {"library", "gpuconv"}, {"skipped", why}});
  }
}

/// The solver that the planner takes; null where its memory is taken by those that are timed.
json chosen_for(Job const& job) try {
  const Device device = job.memory == Memory::device ? Device::cuda : Device::automatic;
  const Plan plan(job.problem, {.device = device, .memory = job.memory});
  return std::string(name(plan.device())) + ' ' + std::string(name(plan.method()));
} catch (OutOfMemory const&) {
  return nullptr;
}

json finish(Job const& job, std::vector<Contestant> const& ready, std::vector<Spread> const& times, json left_out) {
  json contestants = json::array();
  for (std::size_t i = 0; i < ready.size(); ++i) {
    contestants.push_back(ready[i].record);
    if (i < times.size()) contestants.back()["seconds"] = json_of(times[i]);
  }
  for (json& c : left_out) contestants.push_back(std::move(c));
  return {{"chosen", chosen_for(job)}, {"contestants", std::move(contestants)}};
}

std::vector<std::function<void()>> calls_of(std::vector<Contestant> const& ready) {
  std::vector<std::function<void()>> out;
  for (Contestant const& c : ready) out.push_back(c.call);
  return out;
}

void add_errors(json& record, Errors const& e) {
  record["max_error"] = e.max;
  record["relative_l2"] = e.relative_l2;
}

// ---- arrays in device memory -------------------------------------------------------------------------------------

/// Signals and outputs in device memory, sets of them, more than the L2 holds, used in turn; and what a copy needs that
/// reads and writes as many bytes altogether.
class DeviceSets {
 public:
  DeviceSets(Problem const& p, HostInput signal, std::int64_t outputs)
      : type_(p.type),
        result_(result_type(p)),
        in_{.rows = p.batch, .columns = p.signal},
        out_{.rows = p.batch, .columns = outputs} {
    const std::int64_t in = p.batch * p.signal * static_cast<std::int64_t>(size_of(type_));
    out_bytes_ = p.batch * outputs * static_cast<std::int64_t>(size_of(result_));
    copy_bytes_ = (in + out_bytes_) / 2;
    in_stride_ = aligned(std::max(in, copy_bytes_)), out_stride_ = aligned(out_bytes_);
    int device = 0;
    check(cudaGetDevice(&device), "cudaGetDevice");
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    sets_ = std::clamp<std::int64_t>(2 * std::int64_t{properties.l2CacheSize} / (in + out_bytes_) + 1, 2, kMostSets);
    signals_ = DeviceBuffer<std::uint8_t>(sets_ * in_stride_);
    outs_ = DeviceBuffer<std::uint8_t>(sets_ * out_stride_);
    copies_ = DeviceBuffer<std::uint8_t>(sets_ * aligned(copy_bytes_));
    for (std::int64_t i = 0; i < sets_; ++i) copy(signal, DeviceOutput(signals_.data() + i * in_stride_, type_, in_));
  }

  DeviceInput signal(std::int64_t i) const { return {signals_.data() + i % sets_ * in_stride_, type_, in_}; }
  DeviceOutput out(std::int64_t i) { return {outs_.data() + i % sets_ * out_stride_, result_, out_}; }
  DeviceInput result() const { return {outs_.data(), result_, out_}; }
  std::int64_t copy_bytes() const { return copy_bytes_; }

  /// All bits of the first output: a NaN, which shows what nobody writes.
  void spoil() { check(cudaMemset(outs_.data(), 0xFF, static_cast<std::size_t>(out_bytes_)), "cudaMemset"); }
  void copy_one(std::int64_t i) {
    check(cudaMemcpyAsync(copies_.data() + i % sets_ * aligned(copy_bytes_), signals_.data() + i % sets_ * in_stride_,
                          static_cast<std::size_t>(copy_bytes_), cudaMemcpyDeviceToDevice, nullptr),
          "cudaMemcpyAsync");
  }

 private:
  Type type_, result_;
  Rows in_, out_;
  std::int64_t out_bytes_, copy_bytes_, in_stride_, out_stride_, sets_;
  DeviceBuffer<std::uint8_t> signals_, outs_, copies_;
};

json run_on_device(Job const& job, bool timed) {
  const Problem& p = job.problem;
  const std::int64_t outputs = output_slice(p).length;
  const Array filter(filter_type(p), {.columns = p.filter}, 1);
  const Array signal(p.type, {.rows = p.batch, .columns = p.signal}, 2);
  Array result(result_type(p), {.rows = p.batch, .columns = outputs}, 3);
  DeviceSets sets(p, signal.input(), outputs);

  std::vector<Contestant> ready;
  json left_out = json::array();
  ready.push_back({.record = {{"contestant", "copy"}, {"library", "copy"}, {"bytes", 2 * sets.copy_bytes()}},
                   .call = [&sets, i = std::int64_t{0}]() mutable { sets.copy_one(i++); },
                   .plan = nullptr});
  enter_solvers(job, ready, left_out, [&](Contestant& c) {
    c.plan->set_filter(filter.input(), Stream{});
    sets.spoil();
    c.plan->execute(sets.signal(0), sets.out(0), Stream{});
    copy(sets.result(), result.output());
    add_errors(c.record, errors(p, signal.input(), filter.input(), result.output()));
    c.call = [&sets, plan = c.plan.get(), i = std::int64_t{0}]() mutable {
      plan->execute(sets.signal(i), sets.out(i), Stream{});
      ++i;
    };
  });
  std::vector<Spread> times;
  if (timed) times = measure_on_device(nullptr, calls_of(ready), job.budget);
  return finish(job, ready, times, std::move(left_out));
}

// ---- arrays in host memory ---------------------------------------------------------------------------------------

/// Both directions of a problem's transfers one after the other, from and to pinned memory: what a plan on the GPU for
/// arrays in host memory cannot leave out, though it overlaps them.
class Transfers {
 public:
  Transfers(std::int64_t in, std::int64_t out)
      : in_(static_cast<std::size_t>(in)), out_(static_cast<std::size_t>(out)), device_(std::max(in, out)) {
    check(cudaHostAlloc(&host_, std::max(in_, out_), cudaHostAllocDefault), "cudaHostAlloc");
    std::memset(host_, 1, std::max(in_, out_));
  }
  ~Transfers() { cudaFreeHost(host_); }
  Transfers(Transfers const&) = delete;
  Transfers& operator=(Transfers const&) = delete;

  void run() {
    check(cudaMemcpy(device_.data(), host_, in_, cudaMemcpyHostToDevice), "cudaMemcpy");
    check(cudaMemcpy(host_, device_.data(), out_, cudaMemcpyDeviceToHost), "cudaMemcpy");
  }

 private:
  std::size_t in_, out_;
  void* host_ = nullptr;
  DeviceBuffer<std::uint8_t> device_;
};

json run_on_host(Job const& job, bool timed) {
  const Problem& p = job.problem;
  Data data(p);
  const auto bytes = [&](std::int64_t columns, Type type) {
    return p.batch * columns * static_cast<std::int64_t>(size_of(type));
  };
  const std::int64_t in = bytes(p.signal, p.type), out = bytes(output_slice(p).length, result_type(p));
  Transfers transfers(in, out);

  std::vector<Contestant> ready;
  json left_out = json::array();
  ready.push_back({.record = {{"contestant", "transfers"}, {"library", "copy"}, {"bytes", in + out}},
                   .call = [&] { transfers.run(); },
                   .plan = nullptr});
  enter_solvers(job, ready, left_out, [&](Contestant& c) {
    c.plan->set_filter(data.filter());
    std::memset(data.out(0).data(), 0xFF, static_cast<std::size_t>(out));
    c.plan->execute(data.signal(0), data.out(0));
    add_errors(c.record, errors(p, data.signal(0), data.filter(), data.out(0)));
    c.call = [&data, plan = c.plan.get(), set = std::size_t{0}]() mutable {
      plan->execute(data.signal(set), data.out(set));
      set = (set + 1) % data.sets();
    };
  });
  std::vector<Spread> times;
  if (timed) times = measure(calls_of(ready), job.budget);
  return finish(job, ready, times, std::move(left_out));
}

}  // namespace

Job job_from(json const& f) try {
  return {.problem = {.signal = f.at("signal"),
                      .filter = f.at("taps"),
                      .batch = f.value("batch", std::int64_t{1}),
                      .type = by_name<Type>(f.at("type"), type_count)},
          .memory = by_name<Memory>(f.value("memory", "device"), 2),
          .budget = {.seconds = f.value("seconds", 0.1), .least = f.value("least", 7)},
          .most_products = f.value("most_products", 0.0)};
} catch (json::exception const& error) {
  throw InvalidArgument(std::string("a job is wrong: ") + error.what());
}

json run(Job const& job, bool timed) {
  return job.memory == Memory::device ? run_on_device(job, timed) : run_on_host(job, timed);
}

}  // namespace gpuconv::bench
