#include "command.hpp"

namespace tool {

using gpuconv::Device, gpuconv::Method, gpuconv::Mode, gpuconv::Same, gpuconv::Type;

void add_mode_options(CLI::App& app, gpuconv::Problem& problem) {
  add_choice<Mode>(
      app, "--mode", {Mode::full, Mode::same, Mode::valid}, [&](Mode mode) { problem.mode = mode; },
      "Which outputs to keep, as in numpy.convolve (full)");
  add_choice<Same>(
      app, "--same", {Same::numpy, Same::scipy, Same::matlab}, [&](Same same) { problem.same = same; },
      "Whose convention --mode same follows (numpy)");
}

void add_solver_options(CLI::App& app, gpuconv::Options& options) {
  constexpr int kMostThreads = 1024;
  add_choice<Method>(
      app, "--method", {Method::automatic, Method::direct, Method::overlap_save, Method::fft},
      [&](Method method) { options.method = method; }, "Force a method (auto: the fastest)");
  add_choice<Device>(
      app, "--device", {Device::automatic, Device::cpu, Device::cuda}, [&](Device device) { options.device = device; },
      "Force a device (auto: the fastest)");
  app.add_option("--threads", options.threads, "CPU threads at most (0: as many as the machine runs at once)")
      ->check(CLI::Range(0, kMostThreads))
      ->option_text("N");
}

std::vector<Type> all_types() {
  std::vector<Type> types;
  for (int i = 0; i < gpuconv::type_count; ++i) types.push_back(static_cast<Type>(i));
  return types;
}

}  // namespace tool
