#include "batch.hpp"
#include "command.hpp"

#include <iostream>
#include <memory>
#include <string>

namespace tool {
namespace {

constexpr std::int64_t kMostAxes = 64;  // of an array of NumPy's

struct Convolve {
  Job job;
  bool stats = false;
};

void run(Convolve const& convolve) {
  check_streams(convolve.job.signal, convolve.job.filter, convolve.job.output);
  const Report report = convolve_files(convolve.job);
  if (convolve.stats) std::cerr << stats_text(report);
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
  add_result_type(*command, job.request.problem);
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
