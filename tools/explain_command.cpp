#include "command.hpp"

#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>

namespace tool {
namespace {

struct Explain {
  gpuconv::Problem problem;
  gpuconv::Options options;
};

CLI::Option* add_size(CLI::App& app, std::string const& flag, std::int64_t& size, std::string const& help) {
  return add_count(
      app, flag, 1, std::numeric_limits<std::int64_t>::max(), [&](std::int64_t given) { size = given; }, help);
}

// Whether one of the lines after the first, the problem, is a solver that would run: the others say "no: ", and why.
bool something_applies(std::string const& text) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line))
    if (line.find(" no: ") == std::string::npos) return true;
  return false;
}

void run(Explain const& explain) {
  const std::string text = gpuconv::explain(explain.problem, explain.options);
  std::cout << text;
  if (!something_applies(text)) throw Failure(Exit::unsupported, "no solver applies with this --method and --device");
}

}  // namespace

void add_explain(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("explain", "Say which solver would run, what each would cost, or why it cannot");
  const auto explain = std::make_shared<Explain>();
  gpuconv::Problem& problem = explain->problem;
  add_size(*command, "--signal", problem.signal, "Samples a row")->required();
  add_size(*command, "--filter", problem.filter, "Taps of the filter")->required();
  add_size(*command, "--batch", problem.batch, "Rows of the signal (1)");
  add_mode_options(*command, problem);
  add_choice<gpuconv::Type>(
      *command, "--type", all_types(), [&](gpuconv::Type type) { problem.type = type; },
      "Element type of signal and filter (float32)");
  add_solver_options(*command, explain->options);
  command->callback([explain] { run(*explain); });
  command->footer("Example: gpuconv explain --signal 1000000 --filter 257 --batch 64 --mode same");
}

}  // namespace tool
