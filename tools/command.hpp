// Common ground of the tool's commands: exit codes, failures and options that name a value of the library's.
#pragma once

#include "request.hpp"

#include <gpuconv/gpuconv.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace tool {

/// Exit codes of the tool; part of its interface.
enum class Exit : int {
  done = 0,
  failed = 1,       ///< the work failed
  usage = 2,        ///< the command line is wrong
  unsupported = 3,  ///< the forced method or device does not apply to this problem
};

/// Ends the tool with an exit code and one line on standard error.
struct Failure : std::runtime_error {
  Failure(Exit e, std::string const& text) : std::runtime_error(text), exit(e) {}
  Exit exit;
};

/// Runs f; what the library throws ends the tool with a line that begins with `files`, as it is then.
template <class F>
void with_failures(std::string const& files, F f) {
  try {
    f();
  } catch (gpuconv::Unsupported const& error) {
    throw Failure(Exit::unsupported, files + error.what());
  } catch (gpuconv::Error const& error) {
    throw Failure(Exit::failed, files + error.what());
  } catch (std::bad_alloc const&) {
    throw Failure(Exit::failed, files + "out of memory");
  }
}

/// Each adds one command to the tool; parsing the command line runs it. Convolve and correlate are one.
void add_convolve(CLI::App& app, gpuconv::Operation operation);
/// The same for images, in two dimensions.
void add_convolve_images(CLI::App& app, gpuconv::Operation operation);
void add_explain(CLI::App& app);
void add_info(CLI::App& app);

/// An option that takes the name of one of `choices`.
template <class Value, class Assign>
CLI::Option* add_choice(CLI::App& app, std::string const& flag, std::vector<Value> const& choices, Assign assign,
                        std::string const& help) {
  std::vector<std::string> names;
  for (const Value choice : choices) names.emplace_back(name(choice));
  const auto set = [choices, assign](std::string const& given) {
    for (const Value choice : choices)
      if (name(choice) == given) assign(choice);
  };
  return app.add_option_function<std::string>(flag, set, help)->check(CLI::IsMember(names))->option_text([&] {
    std::string text;
    for (std::string const& choice : names) text += (text.empty() ? "" : "|") + choice;
    return text;
  }());
}

/// An option that takes a decimal number from `least` to `most`. (CLI11's own saturate and read 010 as 8.)
CLI::Option* add_count(CLI::App& app, std::string const& flag, std::int64_t least, std::int64_t most,
                       std::function<void(std::int64_t)> assign, std::string const& help);

/// --mode, --same and --boundary: the same for every command that has a problem; and --lags where `lags` says so.
void add_output_options(CLI::App& app, Request& request, bool lags);
/// --method, --device, --threads.
void add_solver_options(CLI::App& app, gpuconv::Options& options);
/// --dtype, the type of a result in a file.
void add_result_type(CLI::App& app, gpuconv::Problem& problem);
/// Refuses one stream for both inputs, and a terminal as the output. Throws CLI::ValidationError.
void check_streams(std::string const& signal, std::string const& filter, std::string const& output);
/// Every element type.
std::vector<gpuconv::Type> all_types();

}  // namespace tool
