#include "batch.hpp"
#include "command.hpp"
#include "npy_types.hpp"
#include "paths.hpp"
#include "units.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

namespace tool {
namespace {

constexpr std::int64_t kMostAxes = 64;  // of an array of NumPy's

struct Convolve {
  Job job;
  bool stats = false;
};

// The most memory this process has held. getrusage would count its parent's, until it was replaced by this program.
double peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string field; status >> field;) {
    double kib = 0;
    if (field == "VmHWM:" && status >> kib) return kib * 1024;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

std::string stats_text(Report const& r) {
  std::ostringstream out;
  out << "problem     " << r.problem;
  out << "\nmethod      " << r.solver;
  if (r.outputs_at_once < r.outputs) out << " for " << r.outputs_at_once << " outputs, which go at a time";
  else if (r.rows_at_once < r.rows) out << " for " << r.rows_at_once << " rows, which go at a time";
  if (is_integer(r.result_type))
    out << "\nsums        " << (r.wrapping == gpuconv::Wrapping::never ? "exact, whatever" : "wrap with some")
        << " signal of " << name(r.type) << " is convolved with the filter";
  out << "\ntime        " << seconds_text(r.total) << ": reading " << seconds_text(r.reading) << ", convolving "
      << seconds_text(r.convolving) << ", writing " << seconds_text(r.writing);
  const auto samples = static_cast<double>(r.samples);
  out << "\nthroughput  " << rate_text(samples / r.convolving) << " convolving, " << rate_text(samples / r.total)
      << " with files";
  out << "\nmemory      plan " << bytes_text(static_cast<double>(r.plan_bytes)) << ", peak "
      << bytes_text(peak_resident_bytes()) << " resident\n";
  return std::move(out).str();
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

void check_streams(Job const& job) {
  const auto signal = stream(job.signal, STDIN_FILENO), filter = stream(job.filter, STDIN_FILENO);
  if (signal && signal == filter)
    throw CLI::ValidationError("SIGNAL and FILTER", "only one of them can be " + stream_name(*signal));
  const auto output = stream(job.output, STDOUT_FILENO);
  if (output && isatty(*output))
    throw CLI::ValidationError("--output", stream_name(*output) + " is a terminal, and a .npy file is not text");
}

void run(Convolve const& convolve) {
  check_streams(convolve.job);
  const Report report = convolve_files(convolve.job);
  if (convolve.stats) std::cerr << stats_text(report);
}

std::vector<gpuconv::Type> file_types() {
  std::vector<gpuconv::Type> types = all_types();
  std::erase_if(types, [](gpuconv::Type type) { return !npy::is_in_numpy(type); });
  return types;
}

}  // namespace

void add_convolve(CLI::App& app, gpuconv::Operation operation) {
  const bool correlates = operation == gpuconv::Operation::correlate;
  CLI::App* command =
      app.add_subcommand(std::string(name(operation)), correlates ? "Correlate the rows of a .npy file with a filter"
                                                                  : "Convolve the rows of a .npy file with a filter");
  const auto convolve = std::make_shared<Convolve>();
  Job& job = convolve->job;
  job.request.problem.operation = operation;
  command->add_option("SIGNAL", job.signal, "A .npy file: signals along one axis of an array; - is standard input")
      ->required()
      ->option_text(" ");
  command
      ->add_option("FILTER", job.filter,
                   "A .npy file: one filter, one per row of SIGNAL along the same axis, or a bank")
      ->required()
      ->option_text(" ");
  command->add_option("-o,--output", job.output, "The .npy file to write; - is standard output")
      ->required()
      ->option_text("OUT");
  add_output_options(*command, job.request, correlates);
  add_choice<gpuconv::Type>(
      *command, "--dtype", file_types(), [&](gpuconv::Type type) { job.request.problem.result_type = type; },
      "Type of the result (that of numpy.result_type, integers widened to 64 bits); a narrow "
      "integer wraps around");
  add_count(
      *command, "--axis", -kMostAxes, kMostAxes - 1, [&job](std::int64_t axis) { job.axis = axis; },
      "The axis of SIGNAL that is convolved; the others are the batch (-1: the last one)");
  command->add_flag("--bank", job.bank,
                    "Apply every row of FILTER to every row of SIGNAL: in OUT the filters are an axis before the "
                    "convolved one, as in (rows, filters, outputs)");
  add_solver_options(*command, job.options);
  command->add_flag("--stats", convolve->stats, "Print method, time, throughput and memory to standard error");
  command->callback([convolve] { run(*convolve); });
  command->footer(
      "An output appears only when it is complete, and replaces an older one then. Where the folder lets no file be\n"
      "replaced (no permission to write there, a mount point, somebody else's file in a sticky folder), the older file "
      "is\n"
      "written in place: a run that is interrupted or fails leaves a part of the result and nothing of the older one.\n"
      "An output that is an input as well is never written in place. Streams (-, /dev/stdout, /dev/fd/N) are read and\n"
      "written from where they stand; what other programs wrote there stays.\n"
      "Rows go some at a time, and long ones in pieces of some 64 MiB, so that memory stays small. Only the filter is "
      "held\n"
      "whole and, of a pipe or in the other byte order, what is not used in the order of the file: Fortran order, a "
      "long\n"
      "row with a boundary or a bank.\n"
      "Element types: bool, int8 to int64, uint8 to uint64, float16 to float64, complex64, complex128; either byte\n"
      "order, C or Fortran order. Of bool with bool the result is bool, by logical or, unless --dtype names a type.\n"
      "Examples:\n"
      "  gpuconv convolve signal.npy taps.npy -o smooth.npy --mode same --boundary reflect\n"
      "  gpuconv correlate signal.npy pattern.npy -o match.npy --lags -100:100\n"
      "  gpuconv convolve frames_by_channels.npy taps.npy -o out.npy --axis 0\n"
      "  gpuconv convolve batch.npy taps.npy -o out.npy --method overlap-save --threads 4 --stats\n"
      "  make-signal | gpuconv convolve - taps.npy -o - | use-result");
}

}  // namespace tool
