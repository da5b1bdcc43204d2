#include "planner.hpp"

#include "problem.hpp"
#include "text.hpp"

#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <iomanip>
#include <utility>

namespace gpuconv {
namespace detail {
namespace {

// So many threads are given to whoever asks. Of those beyond, and beyond four for each that runs at once, most only
// wait for each other, and stay in the pool for the life of the process.
constexpr int kModestThreads = 64;

// 0, all that run at once, stays 0: they are counted where the work is worth it.
int threads_of(Options const& o) {
  if (o.threads <= kModestThreads) return o.threads;
  return std::min(o.threads, std::max(kModestThreads, 4 * hardware_threads()));
}

Resources resources_of(Options const& o) { return {threads_of(o), o.memory, o.allocator, o.caller_scratch, o.across}; }

// The device that alone can serve, or `automatic`: arrays in device memory leave no choice.
Device device_of(Options const& o) { return o.memory == Memory::device ? Device::cuda : o.device; }

// Asking for a GPU takes a process a good part of a second the first time: what the CPU does sooner than this stays
// there.
constexpr double kWorthAskingForGpu = 5e-3;

// The seconds of a call and of a block without any samples, and of an output in the cheapest of blocks, which have so
// many at least (cpu/cost.hpp, cpu/blocks.cpp). A direct sum that takes less, the first of the table, is not compared
// with blocks: that would take as long as the sum.
constexpr double kCallAndBlock = 9e-8, kLeastOutput = 3e-10;
constexpr std::int64_t kLeastOutputs = 128;

bool no_block_is_faster(Work const& w, Answer const& direct) {
  if (w.has_lines()) return false;
  const double outputs = static_cast<double>(w.rows()) * static_cast<double>(std::max(w.axis.outputs, kLeastOutputs));
  return direct.parameters.threads == 1 && direct.seconds < kCallAndBlock + outputs * kLeastOutput;
}

// Why the options leave the solver out; empty where they do not.
std::string ruled_out(Solver const& s, Options const& o) {
  if (o.memory == Memory::device && s.device != Device::cuda) return "the arrays are in device memory";
  if (o.device != Device::automatic && o.device != s.device) return text("device ", name(o.device), " is forced");
  if (o.method != Method::automatic && o.method != s.method) return text("method ", name(o.method), " is forced");
  return {};
}

// The offer for people: "blocks of 4096, avx512, 2 threads".
std::string text_of(Solver const& s, Parameters const& p, Memory memory) {
  if (s.method == Method::reference) return "plain loops, 1 thread";
  const char* blocks = "";
  switch (p.blocks) {
    case Parameters::Blocks::fused:
      blocks = ", fused";
      break;
    case Parameters::Blocks::by_cufft:
      blocks = " by cuFFT";
      break;
    case Parameters::Blocks::whole_rows_by_cufft:
      blocks = p.pitch > 0 ? " by cuFFT, one per image" : " by cuFFT, one per row";
      break;
    default:
      break;
  }
  std::string out;
  if (p.cut.size > 0) out = text("blocks of ", p.cut.size, blocks);
  if (p.pitch > 0) out = text("blocks of ", p.cut.size / p.pitch, " x ", p.pitch, blocks);
  if (p.dots) out = "dot products";
  if (p.passes) out = "two passes";
  if (p.tile.lanes > 0) out = text("tiles of ", p.tile.width());
  if (p.tile_lines > 0) out = text("tiles of ", p.tile_lines, " x ", p.tile.width());
  if (s.device == Device::cpu)
    return text(out, out.empty() ? "" : ", ", simd_target(), ", ", p.threads, p.threads == 1 ? " thread" : " threads");
  return out + (memory == Memory::host ? ", with transfers" : "");
}

[[noreturn]] void refuse(Work const& w, Options const& o, std::span<Solver const* const> cpu,
                         std::span<Solver const* const> cuda) {
  const Device device = device_of(o);
  if (device == Device::cuda)
    if (const DeviceInfo info = cuda_device_info(); !info.available) throw Unsupported("device cuda: " + info.detail);
  for (auto const table : {cpu, cuda})
    for (Solver const* s : table) {
      if (s->method != o.method || (device != Device::automatic && s->device != device)) continue;
      if (const Answer answer = s->consider(w, resources_of(o)); answer.refusal)
        throw Unsupported(text("method ", name(o.method), " on device ", name(s->device), ": ", answer.refusal(w)));
    }
  if (o.method != Method::automatic)
    throw Unsupported(text("there is no method ", name(o.method), " on device ", name(device)));
  throw Unsupported(text("no solver takes this problem on device ", name(device)));
}

std::unique_ptr<Runner> make(Work const& w, Resources const& r, Chosen const& chosen) {
  return chosen.solver->device == Device::cpu ? make_cpu_runner(w, r, chosen.offer)
                                              : make_cuda_runner(w, r, chosen.offer);
}

std::string explain_line(Estimate const& e) {
  const std::string what =
      e.refusal.empty() ? text(e.parameters, ", about ", seconds_text(e.seconds)) : "no: " + e.refusal;
  return text("  ", std::left, std::setw(5), name(e.device), std::setw(13), name(e.method), what, '\n');
}

Estimate estimate(Solver const& s, Work const& w, Options const& o) {
  Estimate e{.device = s.device, .method = s.method, .refusal = ruled_out(s, o), .parameters = {}};
  if (!e.refusal.empty()) return e;
  const Answer answer = s.consider(w, resources_of(o));
  if (answer.refusal) e.refusal = answer.refusal(w);
  else if (!s.automatic && o.method == Method::automatic) e.refusal = "only where it is forced";
  if (!e.refusal.empty()) return e;
  e.seconds = answer.seconds;
  e.block = answer.parameters.cut.size;
  e.threads = s.device == Device::cpu ? answer.parameters.threads : 0;
  e.parameters = text_of(s, answer.parameters, o.memory);
  return e;
}

}  // namespace

void check_options(Options const& o) {
  if (o.method > Method::fft || o.device > Device::cuda || o.memory > Memory::device)
    throw InvalidArgument("unknown method, device or memory");
  if (o.memory == Memory::device && o.device == Device::cpu)
    throw InvalidArgument("device cpu cannot convolve arrays in device memory");
  if (o.memory == Memory::host && o.caller_scratch)
    throw InvalidArgument("caller_scratch is for arrays in device memory");
  if (o.memory == Memory::host && o.across) throw InvalidArgument("across is for arrays in device memory");
  if (o.threads < 0) throw InvalidArgument(text("threads is ", o.threads, ", at least 1 or 0 (all) is expected"));
}

Chosen choose(Work const& w, Options const& o, std::span<Solver const* const> cpu,
              std::span<Solver const* const> cuda) {
  const Device device = device_of(o);
  const Resources resources = resources_of(o);
  Chosen best;
  const auto ask = [&](std::span<Solver const* const> table) {
    for (Solver const* s : table) {
      if (best.solver && no_block_is_faster(w, best.offer)) return;
      if (!(o.method == Method::automatic ? s->automatic : o.method == s->method)) continue;
      const Answer answer = s->consider(w, resources);
      if (!answer.refusal && (!best.solver || answer.seconds < best.offer.seconds)) best = {s, answer};
    }
  };
  if (device != Device::cuda) ask(cpu);
  const bool slow_on_cpu = !best.solver || best.offer.seconds > kWorthAskingForGpu;
  if (device == Device::cuda || (device == Device::automatic && slow_on_cpu && cuda_device_info().available)) ask(cuda);
  if (!best.solver) refuse(w, o, cpu, cuda);
  return best;
}

std::unique_ptr<Runner> make_runner(Problem const& problem, Options const& o) {
  check_options(o);
  const Work work = check(problem);
  Chosen chosen = choose(work, o, cpu_solvers(), cuda_solvers());
  std::unique_ptr<Runner> runner;
  try {
    runner = make(work, resources_of(o), chosen);
  } catch (OutOfMemory const&) {
    // Where nobody asked for the GPU, one whose memory is taken is no reason to fail.
    if (device_of(o) != Device::automatic || chosen.solver->device != Device::cuda) throw;
    chosen = choose(work, o, cpu_solvers(), {});
    runner = make(work, resources_of(o), chosen);
  }
  runner->problem = problem;
  runner->work = work;
  runner->solver = chosen.solver;
  runner->seconds = chosen.offer.seconds;
  runner->parameters = chosen.offer.parameters;
  if (chosen.solver->device == Device::cuda && o.memory == Memory::host)
    runner->parameters.threads = resources_of(o).most_threads();  // which copy to and from pinned memory
  runner->arrays_in = o.memory;
  return runner;
}

std::string describe(Runner const& r) {
  return text(name(r.solver->device), ' ', name(r.solver->method), ", ", text_of(*r.solver, r.parameters, r.arrays_in),
              ", about ", seconds_text(r.seconds));
}

}  // namespace detail

using namespace detail;

std::vector<Estimate> estimates(Problem const& problem, Options const& options) {
  return guarded([&] {
    check_options(options);
    const Work work = check(problem);
    std::vector<Estimate> all;
    for (Solver const* s : cpu_solvers()) all.push_back(estimate(*s, work, options));
    const bool fast_on_cpu = device_of(options) == Device::automatic && std::ranges::any_of(all, [](Estimate const& e) {
                               return e.refusal.empty() && e.seconds <= kWorthAskingForGpu;
                             });
    if (cuda_device_info().available)
      for (Solver const* s : cuda_solvers()) {
        Estimate e = estimate(*s, work, options);
        if (fast_on_cpu && e.refusal.empty())
          e = {.device = e.device,
               .method = e.method,
               .refusal = text("the CPU is done within ", seconds_text(kWorthAskingForGpu)),
               .parameters = {}};
        all.push_back(std::move(e));
      }
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

}  // namespace gpuconv
