// What the kernels of a plan do to memory, on the emulated GPU.
//
// Reads a problem from each line of stdin, as bench/support/problem.hpp has them, executes a plan for it and answers
// with a line: {"plan", "outputs", "kernels": {NAME: {...}}}.
#include "accesses.hpp"
#include "control.hpp"
#include "support/problem.hpp"

#include <gpuconv/device.hpp>
#include <gpuconv/plan.hpp>

#include <nlohmann/json.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using nlohmann::json;
using namespace gpuconv;

json json_of(const accesses::Kernel& kernel) {
  json counts = json::array();
  for (const auto& [kind, n] : kernel.counts)
    counts.push_back({{"space", kind.shared ? "shared" : "global"},
                      {"write", kind.write},
                      {"async", kind.async},
                      {"bytes", kind.bytes},
                      {"lanes", n.lanes},
                      {"requests", n.requests},
                      {"wavefronts", n.wavefronts},
                      {"ideal_wavefronts", n.ideal_wavefronts},
                      {"sectors", n.sectors}});
  return {{"launches", kernel.launches},
          {"threads", kernel.threads},
          {"shared_bytes", kernel.shared_bytes},
          {"sectors_read", kernel.sectors_read},
          {"sectors_written", kernel.sectors_written},
          {"sectors_common", kernel.sectors_common},
          {"common_requests", kernel.common_requests},
          {"counts", counts}};
}

template <class T>
json count(const Problem& problem, Method method) {
  Plan plan(problem, {.method = method, .device = Device::cuda, .memory = Memory::device});
  // Ones: uninitialised memory is NaN, which would have to be repaired.
  const Images image{.images = problem.batch, .lines = problem.lines.signal, .columns = problem.signal};
  const Images result{.images = problem.batch, .lines = plan.output_lines(), .columns = plan.output_length()};
  const Images filter{.lines = problem.lines.filter, .columns = problem.filter};
  const auto size = [](const Images& i) { return i.images * i.lines * i.columns; };
  const std::vector<T> taps(static_cast<std::size_t>(size(filter)), T(1.0F));
  const std::vector<T> samples(static_cast<std::size_t>(size(image)), T(1.0F));
  plan.set_filter(HostView<const T>(taps.data(), filter), Stream{});
  DeviceBuffer<T> signal(size(image)), out(size(result));
  copy(samples, signal);
  accesses::start();
  plan.execute(DeviceView<const T>(signal.data(), image), DeviceView<T>(out.data(), result), Stream{});
  synchronize(Stream{});
  json kernels = json::object();
  for (const auto& [kernel, counts] : accesses::stop()) kernels[kernel] = json_of(counts);
  return {{"plan", plan.describe()}, {"outputs", size(result)}, {"kernels", kernels}};
}

json answer(const json& job) {
  const Problem problem = bench::problem_of(job);
  const Method method = bench::options_of(job).method;
  if (problem.type == Type::float32) return count<float>(problem, method);
  if (problem.type == Type::float64) return count<double>(problem, method);
  if (problem.type == Type::float16) return count<float16>(problem, method);
  throw std::invalid_argument("float16, float32 and float64 only");
}

}  // namespace

int main() try {
  standin::set_multiprocessors(1);  // a few tiles fill it
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(json::parse(line)).dump() << std::endl;
  return 0;
} catch (const std::exception& error) {
  std::cerr << "count_accesses: " << error.what() << '\n';
  return 1;
}
