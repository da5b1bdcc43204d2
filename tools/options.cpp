#include "command.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

using gpuconv::Boundary, gpuconv::Device, gpuconv::Method, gpuconv::Mode, gpuconv::Same, gpuconv::Type;

namespace {

// All of the text as a number.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return {};
  return value;
}
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
      "Whose convention --mode same follows (numpy)");
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

std::vector<Type> all_types() {
  std::vector<Type> types;
  for (int i = 0; i < gpuconv::type_count; ++i) types.push_back(static_cast<Type>(i));
  return types;
}

}  // namespace tool
