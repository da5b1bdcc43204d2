#include "command.hpp"
#include "images.hpp"
#include "pictures.hpp"

#include <iostream>
#include <memory>
#include <string>

namespace tool {
namespace {

struct ConvolveImages {
  ImageJob job;
  bool stats = false;
};

void check(ImageJob const& job) {
  if (job.filter.empty() && job.taps.empty())
    throw CLI::ValidationError("FILTER", "a file, --taps or --named is expected");
  gpuconv::Problem const& p = job.request.problem;
  if (picture::format_of(job.output) && p.result_type && !picture::can_hold(*p.result_type))
    throw CLI::ValidationError("--dtype", "a picture holds uint8 or uint16");
  if (p.saturate && p.result_type && !is_integer(*p.result_type))
    throw CLI::ValidationError("--saturate", "the type of --dtype is not one of integers");
  check_streams(job.signal, job.filter, job.output);
}

void run(ConvolveImages const& convolve) {
  check(convolve.job);
  const Report report = convolve_images(convolve.job);
  if (convolve.stats) std::cerr << stats_text(report);
}

void add_filter_options(CLI::App& command, ImageJob& job, bool convolves) {
  CLI::Option* const file =
      command.add_option("FILTER", job.filter, "A .npy file or a picture of one channel; or --taps")->option_text(" ");
  CLI::Option* const taps =
      command
          .add_option_function<std::string>(
              "--taps",
              [&job](std::string const& text) {
                const std::optional<Taps> given = taps_of(text);
                if (!given)
                  throw CLI::ValidationError(
                      "--taps", "'" + text + "' is not lines of as many numbers each, as in 1,2,1;2,4,2;1,2,1");
                job.taps = {*given};
              },
              "The filter's taps in place of a file, its lines separated by ;")
          ->option_text("T,T;T,T")
          ->excludes(file);
  if (!convolves) return;
  command
      .add_option_function<std::string>(
          "--named",
          [&job](std::string const& text) {
            try {
              job.taps = named_filters(text);
            } catch (gpuconv::InvalidArgument const& error) {
              throw CLI::ValidationError("--named", "'" + text + "': " + error.what());
            }
            if (job.taps.empty())
              throw CLI::ValidationError(
                  "--named", "'" + text + "' is not sobel, sobel:AXIS, laplacian, gaussian:SIGMA or box:SIZE");
          },
          "A recipe's filter in place of a file: sobel (both slopes' magnitude), sobel:0 (from line to line), sobel:1, "
          "laplacian, gaussian:SIGMA, box:SIZE")
      ->option_text("NAME[:NUMBER]")
      ->excludes(file, taps);
}

}  // namespace

void add_convolve_images(CLI::App& app, gpuconv::Operation operation) {
  const bool convolves = operation == gpuconv::Operation::convolve;
  CLI::App* const command = app.add_subcommand(std::string(name(operation)) + "2d",
                                               convolves ? "Convolve images with a filter of two dimensions"
                                                         : "Correlate images with a filter of two dimensions");
  const auto convolve = std::make_shared<ConvolveImages>();
  ImageJob& job = convolve->job;
  gpuconv::Problem& problem = job.request.problem;
  problem.operation = operation;
  // As scipy.signal's functions of these names.
  problem.same = convolves ? gpuconv::Same::scipy : gpuconv::Same::matlab;
  command
      ->add_option("SIGNAL", job.signal,
                   "Images: a .npy file, [lines][columns] or more axes before these, or a picture; - is standard input")
      ->required()
      ->option_text(" ");
  add_filter_options(*command, job, convolves);
  command
      ->add_option(
          "-o,--output", job.output,
          "The file to write, a picture if it ends in .png, .pgm, .ppm or .pnm, else .npy; - is standard output")
      ->required()
      ->option_text("OUT");
  add_output_options(*command, job.request, false);
  add_result_type(*command, problem);
  command->add_flag("--saturate", problem.saturate,
                    "Round and clamp results to the integers of --dtype, or of the signal's type; pictures always are");
  command->add_flag("--channels", job.channels,
                    "SIGNAL is [lines][columns][channels]: each channel by itself; pictures with colours always are");
  command->add_flag("--separable", job.separable,
                    "Refuse a filter that is not the product of a column and a row, for two passes of one dimension");
  add_solver_options(*command, job.options);
  command->add_flag("--stats", convolve->stats, "Print method, time, throughput and memory to standard error");
  command->callback([convolve] { run(*convolve); });
  command->footer(
      "Pixels are the numbers that a picture stores, of 8 bits (uint8) or 16 (uint16): nothing is scaled, no gamma\n"
      "applied. Whole taps on whole numbers give exact integers, other taps floats. Images are held in memory whole.\n"
      "Examples:\n" +
      std::string(
          convolves
              ? "  gpuconv convolve2d photo.png --named gaussian:2 --mode same --boundary reflect -o blurred.png\n"
                "  gpuconv convolve2d photo.ppm --named sobel --mode same --boundary reflect -o edges.ppm\n"
                "  gpuconv convolve2d frames.npy --taps '1,2,1;2,4,2;1,2,1' --mode valid -o smooth.npy"
              : "  gpuconv correlate2d photo.npy detail.npy --mode valid -o products.npy"));
}

}  // namespace tool
