#include "batch.hpp"

#include "command.hpp"
#include "npy.hpp"
#include "progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <vector>

namespace tool {

using gpuconv::Filters, gpuconv::Plan, gpuconv::Problem, gpuconv::Type;

namespace {

// Signal, filter and result of the rows convolved at once: they stay in the cache between reading, convolving and
// writing. 300,000 rows of 100 samples with 31 taps to /dev/null (Xeon, 2 threads): 70 ms with 2 or 4 MiB, 190 ms with
// 16 or 64 MiB.
constexpr double kChunkBytes = 4 << 20;

// Adds its lifetime to a sum of seconds.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum) {}
  Stopwatch(Stopwatch const&) = delete;
  Stopwatch& operator=(Stopwatch const&) = delete;
  ~Stopwatch() { sum_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  double& sum_;
  Clock::time_point start_ = Clock::now();
};

void check_not_empty(npy::Reader const& file, const char* what) {
  if (file.rows() == 0 || file.columns() == 0)
    throw npy::Error(file.name(),
                     std::string("the ") + what + " is empty, its shape is " + npy::to_string(file.shape()));
}

void check_filter_rows(npy::Reader const& signal, npy::Reader const& filter) {
  if (filter.rows() == 1 || filter.rows() == signal.rows()) return;
  throw npy::Error(filter.name(), "the filter has " + std::to_string(filter.rows()) + " rows, 1 or the " +
                                      std::to_string(signal.rows()) + " of " + signal.name() + " are expected");
}

Problem problem_of(npy::Reader const& signal, npy::Reader const& filter, Job const& job) {
  return {.signal = signal.columns(),
          .filter = filter.columns(),
          .batch = signal.rows(),
          .filters = filter.rows() == 1 ? Filters::shared : Filters::per_row,
          .mode = job.mode,
          .same = job.same,
          .type = signal.type(),
          .filter_type = filter.type(),
          .result_type = job.result_type};
}

void check_result_size(Problem const& p) {
  auto bytes = static_cast<std::int64_t>(size_of(result_type(p)));
  if (__builtin_mul_overflow(bytes, output_slice(p).length, &bytes) || __builtin_mul_overflow(bytes, p.batch, &bytes))
    throw gpuconv::InvalidArgument("the result of " + to_string(p) + " overflows 64-bit sizes");
}

// Rows that go through the plan at a time: about as many each time.
std::int64_t chunk_rows(Problem const& p) {
  const auto bytes = [](std::int64_t count, Type type) {
    return static_cast<double>(count) * static_cast<double>(size_of(type));
  };
  const double row = bytes(p.signal, p.type) + bytes(output_slice(p).length, result_type(p)) +
                     (p.filters == Filters::per_row ? bytes(p.filter, filter_type(p)) : 0);
  const auto most = std::clamp<std::int64_t>(static_cast<std::int64_t>(kChunkBytes / row), 1, p.batch);
  const std::int64_t chunks = (p.batch - 1) / most + 1;
  return (p.batch - 1) / chunks + 1;
}

class Batch {
 public:
  Batch(npy::Reader& signal, npy::Reader& filter, Job const& job)
      : signal_(signal), filter_(filter), problem_(problem_of(signal, filter, job)), plan_(make_plan(job.options)) {
    if (problem_.filters == Filters::shared) next_filters(1);
  }

  void run(npy::OutputFile& file) {
    npy::Writer writer(file, type(), shape());
    Progress progress(problem_.batch);
    const std::int64_t most = plan_.problem().batch;
    for (std::int64_t done = 0; done < problem_.batch; done += most) {
      const std::int64_t count = std::min(most, problem_.batch - done);
      progress.update(done);
      read(count);
      convolve();
      write(count, writer);
    }
    const Stopwatch time(report_.writing);
    file.commit();
  }

  Report report() const {
    Report report = report_;
    report.problem = to_string(problem_);
    report.solver = plan_.describe();
    report.samples = problem_.batch * problem_.signal;
    report.rows = problem_.batch;
    report.rows_at_once = plan_.problem().batch;
    report.plan_bytes = plan_.workspace_bytes();
    return report;
  }

 private:
  Type type() const { return result_type(problem_); }

  npy::Shape shape() const {
    const std::int64_t length = plan_.output_length();
    return signal_.shape().size() < 2 ? npy::Shape{length} : npy::Shape{problem_.batch, length};
  }

  Plan make_plan(gpuconv::Options const& options) {
    check_result_size(problem_);
    Problem chunk = problem_;
    chunk.batch = chunk_rows(problem_);
    const Stopwatch time(report_.convolving);
    return Plan(chunk, options);
  }

  void next_filters(std::int64_t count) {
    {
      const Stopwatch time(report_.reading);
      filter_.read_rows(count, taps_);
    }
    const Stopwatch time(report_.convolving);
    const std::int64_t rows = plan_.problem().filters == Filters::shared ? 1 : plan_.problem().batch;
    taps_.resize(static_cast<std::size_t>(rows * filter_.row_bytes()));
    plan_.set_filter({taps_.data(), filter_.type(), {.rows = rows, .columns = problem_.filter}});
  }

  void read(std::int64_t count) {
    if (problem_.filters == Filters::per_row) next_filters(count);
    const Stopwatch time(report_.reading);
    signal_.read_rows(count, in_);
  }

  // The last rows may be fewer than the plan's: those of the time before, still in the buffers, fill it up. One plan
  // for all of them keeps a row's bits independent of its place.
  void convolve() {
    const Stopwatch time(report_.convolving);
    const std::int64_t rows = plan_.problem().batch, length = plan_.output_length();
    in_.resize(static_cast<std::size_t>(rows * signal_.row_bytes()));
    out_.resize(static_cast<std::size_t>(rows * length) * size_of(type()));
    plan_.execute({in_.data(), signal_.type(), {.rows = rows, .columns = problem_.signal}},
                  {out_.data(), type(), {.rows = rows, .columns = length}});
  }

  void write(std::int64_t count, npy::Writer& writer) {
    const Stopwatch time(report_.writing);
    writer.write({out_.data(), type(), {.rows = count, .columns = plan_.output_length()}});
  }

  npy::Reader& signal_;
  npy::Reader& filter_;
  Problem problem_;
  Report report_;
  Plan plan_;
  npy::Buffer in_, taps_, out_;
};

Report convolve(npy::Reader& signal, npy::Reader& filter, Job const& job) {
  Batch batch(signal, filter, job);
  std::vector<npy::FileId> inputs;
  for (npy::Reader const* input : {&signal, &filter})
    if (const auto id = input->id()) inputs.push_back(*id);
  npy::OutputFile file(job.output, inputs);
  batch.run(file);
  return batch.report();
}

}  // namespace

Report convolve_files(Job const& job) {
  double total = 0;
  Report report;
  {
    const Stopwatch time(total);
    npy::Reader signal(job.signal);
    check_not_empty(signal, "signal");
    npy::Reader filter(job.filter);
    check_not_empty(filter, "filter");
    check_filter_rows(signal, filter);
    const std::string files = signal.name() + " with " + filter.name() + ": ";
    try {
      report = convolve(signal, filter, job);
    } catch (gpuconv::Unsupported const& error) {
      throw Failure(Exit::unsupported, files + error.what());
    } catch (gpuconv::Error const& error) {
      throw Failure(Exit::failed, files + error.what());
    } catch (std::bad_alloc const&) {
      throw Failure(Exit::failed, files + "out of memory");
    }
  }
  report.total = total;
  return report;
}

}  // namespace tool
