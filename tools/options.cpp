#include "command.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace tool {

using gpuconv::Device, gpuconv::Method, gpuconv::Mode, gpuconv::Same, gpuconv::Type;

namespace {

std::optional<std::int64_t> decimal(std::string const& text) {
  std::int64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return {};
  return value;
}

}  // namespace

CLI::Option* add_count(CLI::App& app, std::string const& flag, std::int64_t least, std::int64_t most,
                       std::function<void(std::int64_t)> assign, std::string const& help) {
  const auto refusal = [least, most](std::string const& text) -> std::string {
    const auto value = decimal(text);
    if (value && *value >= least && *value <= most) return {};
    return "'" + text + "' is not a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  };
  const auto set = [assign = std::move(assign)](std::string const& text) { assign(*decimal(text)); };
  return app.add_option_function<std::string>(flag, set, help)->check(refusal)->option_text("N");
}

void add_mode_options(CLI::App& app, gpuconv::Problem& problem) {
  add_choice<Mode>(
      app, "--mode", {Mode::full, Mode::same, Mode::valid}, [&](Mode mode) { problem.mode = mode; },
      "Which outputs to keep, as in numpy.convolve (full)");
  CLI::Option* const same = add_choice<Same>(
      app, "--same", {Same::numpy, Same::scipy, Same::matlab}, [&](Same convention) { problem.same = convention; },
      "Whose convention --mode same follows (numpy)");
  // Another mode would silently ignore it. Runs before the command does.
  app.parse_complete_callback([same, &problem] {
    if (same->count() > 0 && problem.mode != Mode::same) throw CLI::ValidationError("--same", "needs --mode same");
  });
}

void add_solver_options(CLI::App& app, gpuconv::Options& options) {
  constexpr int kMostThreads = 1024;
  add_choice<Method>(
      app, "--method", {Method::automatic, Method::direct, Method::overlap_save, Method::fft},
      [&](Method method) { options.method = method; }, "Force a method (auto: the fastest)");
  add_choice<Device>(
      app, "--device", {Device::automatic, Device::cpu, Device::cuda}, [&](Device device) { options.device = device; },
      "Force a device (auto: the fastest)");
  add_count(
      app, "--threads", 0, kMostThreads, [&](std::int64_t threads) { options.threads = static_cast<int>(threads); },
      "CPU threads at most (0: as many as the machine runs at once)");
}

std::vector<Type> all_types() {
  std::vector<Type> types;
  for (int i = 0; i < gpuconv::type_count; ++i) types.push_back(static_cast<Type>(i));
  return types;
}

}  // namespace tool
