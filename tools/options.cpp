#include "command.hpp"
#include "npy_types.hpp"
#include "numbers.hpp"
#include "paths.hpp"

#include <unistd.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

using gpuconv::Boundary, gpuconv::Device, gpuconv::Method, gpuconv::Mode, gpuconv::Same, gpuconv::Type;

namespace {

std::optional<std::int64_t> decimal(std::string_view text) { return number<std::int64_t>(text); }

constexpr Boundary kBoundaries[] = {Boundary::zero,    Boundary::constant, Boundary::nearest,
                                    Boundary::reflect, Boundary::mirror,   Boundary::wrap};

// Reads "KIND" or "constant=VALUE"; returns whether that is what the text says.
bool read_boundary(std::string_view text, gpuconv::Problem& problem) {
  const std::size_t equals = text.find('=');
  const std::string_view kind = text.substr(0, equals);
  for (Boundary const b : kBoundaries) {
    if (name(b) != kind) continue;
    problem.boundary = b;
    if (equals == std::string_view::npos) return true;
    const std::optional<double> value = number<double>(text.substr(equals + 1));
    problem.constant = value.value_or(0);
    return value && b == Boundary::constant;
  }
  return false;
}

// Reads "FIRST:LAST" or "FIRST:LAST:STEP".
std::optional<Lags> lags_of(std::string_view text) {
  std::vector<std::optional<std::int64_t>> numbers;
  for (std::size_t colon = 0; colon != std::string_view::npos;) {
    colon = text.find(':');
    numbers.push_back(decimal(text.substr(0, colon)));
    text.remove_prefix(colon == std::string_view::npos ? text.size() : colon + 1);
  }
  if (numbers.size() == 2) numbers.emplace_back(1);
  if (numbers.size() != 3 || !numbers[0] || !numbers[1] || !numbers[2]) return {};
  if (*numbers[1] < *numbers[0] || *numbers[2] < 1) return {};
  return Lags{*numbers[0], *numbers[1], *numbers[2]};
}

// The descriptor that a path stands for, if it does.
std::optional<int> stream(std::string const& path, int standard) {
  return path == "-" ? standard : npy::resolve(path).descriptor;
}

std::string stream_name(int descriptor) {
  if (descriptor == STDIN_FILENO) return "standard input";
  if (descriptor == STDOUT_FILENO) return "standard output";
  return "descriptor " + std::to_string(descriptor);
}

std::vector<gpuconv::Type> file_types() {
  std::vector<gpuconv::Type> types = all_types();
  std::erase_if(types, [](gpuconv::Type type) { return !npy::is_in_numpy(type); });
  return types;
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

void add_output_options(CLI::App& app, Request& request, bool has_lags) {
  gpuconv::Problem& problem = request.problem;
  CLI::Option* const mode = add_choice<Mode>(
      app, "--mode", {Mode::full, Mode::same, Mode::valid}, [&](Mode m) { problem.mode = m; },
      "Which outputs to keep, as in numpy.convolve (full)");
  CLI::Option* const same = add_choice<Same>(
      app, "--same", {Same::numpy, Same::scipy, Same::matlab}, [&](Same convention) { problem.same = convention; },
      "Whose convention --mode same follows (" + std::string(name(problem.same)) + ")");
  app.add_option_function<std::string>(
         "--boundary",
         [&problem](std::string const& text) {
           if (!read_boundary(text, problem))
             throw CLI::ValidationError("--boundary", "'" + text +
                                                          "' is not zero, constant, constant=VALUE, nearest, reflect, "
                                                          "mirror or wrap");
         },
         "What is beyond the ends of the signal, as scipy.ndimage names it (zero)")
      ->option_text("KIND[=VALUE]");
  if (has_lags)
    app.add_option_function<std::string>(
           "--lags",
           [&request](std::string const& text) {
             request.lags = lags_of(text);
             if (!request.lags)
               throw CLI::ValidationError(
                   "--lags",
                   "'" + text + "' is not FIRST:LAST or FIRST:LAST:STEP, with FIRST up to LAST and STEP from 1 on");
           },
           "Only the outputs at these lags, in place of a mode")
        ->option_text("FIRST:LAST[:STEP]")
        ->excludes(mode, same);
  // Options that a mode would silently ignore are refused. Runs before the command does.
  app.parse_complete_callback([same, &request, has_lags] {
    gpuconv::Problem const& p = request.problem;
    if (same->count() > 0 && p.mode != Mode::same) throw CLI::ValidationError("--same", "needs --mode same");
    if (p.boundary != Boundary::zero && p.mode != Mode::same && !request.lags)
      throw CLI::ValidationError("--boundary", has_lags ? "needs --mode same or --lags" : "needs --mode same");
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

void add_result_type(CLI::App& app, gpuconv::Problem& problem) {
  add_choice<Type>(
      app, "--dtype", file_types(), [&](Type type) { problem.result_type = type; },
      "Type of the result (that of numpy.result_type, integers widened to 64 bits); a narrow "
      "integer wraps around");
}

void check_streams(std::string const& signal, std::string const& filter, std::string const& output) {
  const auto read = stream(signal, STDIN_FILENO);
  if (read && read == stream(filter, STDIN_FILENO))
    throw CLI::ValidationError("SIGNAL and FILTER", "only one of them can be " + stream_name(*read));
  const auto written = stream(output, STDOUT_FILENO);
  if (written && isatty(*written))
    throw CLI::ValidationError("--output", stream_name(*written) + " is a terminal, and a .npy file is not text");
}

std::vector<Type> all_types() {
  std::vector<Type> types;
  for (int i = 0; i < gpuconv::type_count; ++i) types.push_back(static_cast<Type>(i));
  return types;
}

}  // namespace tool
