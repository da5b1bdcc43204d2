// The command line tool: numpy.convolve for .npy files, and convolution of images.
#include "command.hpp"
#include "files.hpp"

#include <csignal>
#include <iostream>
#include <new>

namespace {

using tool::Exit;

// One line, whatever a file is called.
Exit fail(std::string text, Exit exit = Exit::failed) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  std::cerr << "gpuconv: " << text << '\n';
  return exit;
}

void build(CLI::App& app) {
  app.name("gpuconv");
  app.set_version_flag("--version", "gpuconv " + std::string(gpuconv::version()));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  gpuconv convolve signal.npy taps.npy -o smooth.npy --mode same --stats\n"
      "  gpuconv convolve2d photo.png --named sobel --mode same --boundary reflect -o edges.png\n"
      "  gpuconv explain --signal 1000000 --filter 257\n"
      "Exit status: 0 done, 1 the work failed, 2 wrong usage, 3 the forced method or device does not apply.");
  tool::add_convolve(app, gpuconv::Operation::convolve);
  tool::add_convolve(app, gpuconv::Operation::correlate);
  tool::add_convolve_images(app, gpuconv::Operation::convolve);
  tool::add_convolve_images(app, gpuconv::Operation::correlate);
  tool::add_explain(app);
  tool::add_info(app);
}

Exit run(int argc, char** argv) {
  CLI::App app("Convolve and correlate .npy files exactly as numpy.convolve and numpy.correlate do, and images, fast.");
  build(app);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    if (app.exit(error) != 0) return Exit::usage;
  }
  if (!std::cout.flush()) return fail("standard output: cannot be written");
  return Exit::done;
}

Exit guarded_run(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (tool::Failure const& error) {
    return fail(error.what(), error.exit);
  } catch (gpuconv::Unsupported const& error) {
    return fail(error.what(), Exit::unsupported);
  } catch (std::bad_alloc const&) {
    return fail("out of memory");
  } catch (std::exception const& error) {
    return fail(error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that went away, or a limit on file sizes, is an error to report.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  npy::remove_unfinished_output_on_signals();
  npy::explain_files_cut_short();
  return static_cast<int>(guarded_run(argc, argv));
}
