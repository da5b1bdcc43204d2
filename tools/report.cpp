#include "report.hpp"

#include "units.hpp"

#include <sys/resource.h>

#include <fstream>
#include <sstream>
#include <utility>

namespace tool {
namespace {

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

}  // namespace

std::string stats_text(Report const& r) {
  std::ostringstream out;
  out << "problem     " << r.problem;
  out << "\nmethod      " << r.solver;
  if (r.outputs_at_once < r.outputs) out << " for " << r.outputs_at_once << " outputs, which go at a time";
  else if (r.rows_at_once < r.rows) out << " for " << r.rows_at_once << " rows, which go at a time";
  if (is_integer(r.result_type))
    out << "\nsums        "
        << (r.wrapping == gpuconv::Wrapping::never      ? "exact, whatever"
            : r.wrapping == gpuconv::Wrapping::possible ? "wrap with some"
                                                        : "may wrap with some")
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

}  // namespace tool
