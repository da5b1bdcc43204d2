// Each output is kept with the text of its plan. Of what the comparison needs to judge a difference only the bounds are
// computed here, where the data are at hand.
#include "solvers.hpp"

#include <gpuconv/device.hpp>
#include <gpuconv/error.hpp>
#include <gpuconv/info.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace gpuconv::revisions {
namespace {

constexpr int kThreads[] = {1, 2};

std::string number_text(long double v) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6Lg", v);
  return text;
}
std::string number_text(std::int64_t v) { return std::to_string(v); }

std::string solver_name(Solver const& s) {
  return std::string(name(s.device)) + ' ' + std::string(name(s.method)) +
         (s.memory == Memory::device ? ", device memory" : "");
}

// A copy of an array in device memory, with the same guards and the same alignment.
class DeviceArray {
 public:
  explicit DeviceArray(Array const& array)
      : bytes_(std::ssize(array.storage())), begin_(array.begin()), type_(array.type()), shape_(array.shape()) {
    copy(HostInput(HostView(reinterpret_cast<std::uint8_t const*>(array.storage().data()), row())),
         DeviceView(bytes_.data(), row()));
  }
  DeviceInput input() const { return {bytes_.data() + begin_, type_, shape_}; }
  DeviceOutput output() { return {bytes_.data() + begin_, type_, shape_}; }
  void copy_to(Array& array) const {
    copy(DeviceView(bytes_.data(), row()),
         HostOutput(HostView(reinterpret_cast<std::uint8_t*>(array.storage().data()), row())));
  }

 private:
  Rows row() const { return {.rows = 1, .columns = bytes_.size(), .stride = bytes_.size()}; }

  mutable DeviceBuffer<std::uint8_t> bytes_;
  std::size_t begin_;
  Type type_;
  Rows shape_;
};

void execute(Plan& plan, Memory memory, Data const& data, Array& out) {
  if (memory == Memory::host) {
    plan.set_filter(data.filter.input());
    plan.execute(data.signal.input(), out.output());
    return;
  }
  DeviceArray signal(data.signal), filter(data.filter), result(out);
  plan.set_filter(filter.input(), Stream{});
  plan.execute(signal.input(), result.output(), Stream{});
  result.copy_to(out);
}

bool is_block_method(Method method) { return method == Method::overlap_save || method == Method::fft; }

// One run as JSON.
std::string run(Solver const& s, int threads, Case const& c, Data const& data, bool affordable, RecordFile& file,
                Counts& counts) {
  std::string json = "{\"solver\":" + quoted(solver_name(s)) + ",\"threads\":" + std::to_string(threads);
  try {
    Plan plan(c.problem, {.method = s.method, .device = s.device, .threads = threads, .memory = s.memory});
    json += ",\"plan\":" + quoted(plan.describe());
    if (!affordable && !is_block_method(s.method)) return ++counts.left_out, json + ",\"left_out\":true}";
    Array out(result_type(c.problem), c.problem.batch, plan.output_length(), c.out);
    execute(plan, s.memory, data, out);
    ++counts.runs;
    return json + ",\"guards\":" + (out.guards_intact() ? "true" : "false") +
           ",\"at\":" + number_text(file.keep(out.packed())) + '}';
  } catch (Unsupported const& e) {
    ++counts.refused;
    return json + ",\"refused\":" + quoted(e.what()) + '}';
  }
}

std::string choice(Problem const& p, Device device, int threads) {
  const Plan plan(p, {.device = device, .threads = threads});
  return "{\"device\":" + quoted(name(device)) + ",\"threads\":" + std::to_string(threads) +
         ",\"method\":" + quoted(name(plan.method())) + ",\"plan\":" + quoted(plan.describe()) + '}';
}

// For each row, what an output by blocks may be off at most, as in tests/support/tolerance.hpp with c = 1, but relative
// to the whole row, which holds for blocks of any size and place: u log2(N) |h| |x| and what underflow loses. And the
// rows whose sums may overflow on the way, where the order decides what comes out.
std::string bounds(Problem const& p, Data const& data) {
  const bool single = result_type(p) == Type::float32;
  const long double unit = single ? 0x1p-24L : 0x1p-53L, smallest = single ? 0x1p-149L : 0x1p-1074L;
  const long double largest = single ? static_cast<long double>(std::numeric_limits<float>::max())
                                     : static_cast<long double>(std::numeric_limits<double>::max());
  const auto full = static_cast<std::uint64_t>(p.signal + p.filter - 1);
  const long double block = static_cast<long double>(std::max<std::uint64_t>(1024, 2 * std::bit_ceil(full)));
  std::vector<std::string> bound, may_overflow;
  for (std::int64_t r = 0; r < p.batch; ++r) {
    const long double x = data.signal.norm(r), h = data.filter.norm(p.filters == Filters::per_row ? r : 0);
    bound.push_back(number_text(unit * std::log2(block) * h * x + block * smallest * (1 + std::max(h, x))));
    may_overflow.push_back(h * x >= largest / 2 ? "true" : "false");
  }
  return "\"bounds\":" + list(bound) + ",\"may_overflow\":" + list(may_overflow);
}

std::string place_text(Place const& place) { return list({number_text(place.offset), number_text(place.stride)}); }

}  // namespace

std::vector<Device> available_devices() {
  std::vector<Device> out;
  for (DeviceInfo const& info : devices())
    if (info.available) out.push_back(info.device);
  return out;
}

std::vector<Solver> all_solvers() {
  std::vector<Solver> out;
  for (const Device device : available_devices())
    for (const Memory memory : {Memory::host, Memory::device})
      for (const Method method : {Method::reference, Method::direct, Method::overlap_save, Method::fft})
        if (memory == Memory::host || device == Device::cuda) out.push_back({device, memory, method});
  return out;
}

std::string record(std::int64_t number, Case const& c, Data const& data, std::int64_t most_products, RecordFile& file,
                   Counts& counts) {
  Problem const& p = c.problem;
  std::vector<std::string> explanations, choices, runs;
  for (const int threads : kThreads) {
    explanations.push_back(quoted(explain(p, {.threads = threads})));
    for (const Device device : available_devices()) choices.push_back(choice(p, device, threads));
  }
  file.next_problem();
  const bool affordable = products(p) <= most_products;
  for (Solver const& s : all_solvers())
    for (const int threads : kThreads)
      if (threads == 1 || s.memory == Memory::host)  // the threads of the CPU copy to the device, and nothing else
        runs.push_back(run(s, threads, c, data, affordable, file, counts));
  std::string json = "{\"problem\":" + number_text(number) + ",\"text\":" + quoted(to_string(p)) +
                     ",\"values\":" + quoted(name(c.values)) +
                     ",\"swapped\":" + (p.filter > p.signal ? "true" : "false");
  json += ",\"type\":" + quoted(name(result_type(p))) + ",\"rows\":" + number_text(p.batch) +
          ",\"columns\":" + number_text(output_slice(p).length);
  json += ",\"places\":" + list({place_text(c.signal), place_text(c.filter), place_text(c.out)}) + ",\"inputs\":" +
          list({quoted(std::to_string(data.signal.hash())), quoted(std::to_string(data.filter.hash()))});
  return json + ',' + bounds(p, data) + ",\"explain\":" + list(explanations) + ",\"choices\":" + list(choices) +
         ",\"runs\":" + list(runs) + '}';
}

}  // namespace gpuconv::revisions
