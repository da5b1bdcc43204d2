#include "command.hpp"

#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>

namespace tool {
namespace {

struct Explain {
  Request request;
  std::int64_t signal = 0, filter = 0;
  gpuconv::Options options;
};

CLI::Option* add_size(CLI::App& app, std::string const& flag, std::int64_t& size, std::string const& help) {
  return add_count(
      app, flag, 1, std::numeric_limits<std::int64_t>::max(), [&](std::int64_t given) { size = given; }, help);
}

void run(Explain const& explain) {
  const gpuconv::Problem problem = explain.request.of(explain.signal, explain.filter);
  std::cout << gpuconv::explain(problem, explain.options);
  const auto all = gpuconv::estimates(problem, explain.options);
  if (all.empty() || !all.front().refusal.empty())
    throw Failure(Exit::unsupported, "no solver applies with this --method and --device");
}

}  // namespace

void add_explain(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("explain", "Say which solver would run, what each would cost, or why it cannot");
  const auto explain = std::make_shared<Explain>();
  gpuconv::Problem& problem = explain->request.problem;
  add_size(*command, "--signal", explain->signal, "Samples per row")->required();
  add_size(*command, "--filter", explain->filter, "Taps of the filter")->required();
  add_size(*command, "--batch", problem.batch, "Rows of the signal (1)");
  command->add_flag_callback(
      "--correlate", [&problem] { problem.operation = gpuconv::Operation::correlate; }, "Correlate, do not convolve");
  add_output_options(*command, explain->request, true);
  add_choice<gpuconv::Type>(
      *command, "--type", all_types(), [&](gpuconv::Type type) { problem.type = type; },
      "Element type of signal and filter (float32)");
  add_solver_options(*command, explain->options);
  command->callback([explain] { run(*explain); });
  command->footer("Example: gpuconv explain --signal 1000000 --filter 257 --batch 64 --mode same");
}

}  // namespace tool
