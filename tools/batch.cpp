#include "batch.hpp"

#include "command.hpp"
#include "elements.hpp"
#include "layout.hpp"
#include "pieces.hpp"
#include "progress.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace tool {

using gpuconv::Filters, gpuconv::Plan, gpuconv::Problem, gpuconv::Type;

namespace {

void check_not_empty(npy::Reader const& file, const char* what) {
  if (file.rows() == 0 || file.columns() == 0)
    throw npy::Error(file.name(),
                     std::string("the ") + what + " is empty, its shape is " + npy::to_string(file.shape()));
}

// NumPy's bool with bool is bool, by logical or: whether any of the products is not zero.
bool is_logical(npy::Reader const& signal, npy::Reader const& filter, Job const& job) {
  return signal.logical() && filter.logical() && !job.request.problem.result_type;
}

Problem problem_of(npy::Reader const& signal, npy::Reader const& filter, Layout const& layout, Job const& job) {
  Problem p = job.request.of(layout.samples, layout.taps);
  p.batch = layout.rows;
  p.filters = layout.filters == FilterRows::one    ? Filters::shared
              : layout.filters == FilterRows::bank ? Filters::bank
                                                   : Filters::per_row;
  p.bank = layout.bank;
  p.type = signal.type();
  p.filter_type = filter.type();
  if (is_logical(signal, filter, job)) p.result_type = Type::uint64;
  return p;
}

void check_result_size(Problem const& p) {
  auto bytes = static_cast<std::int64_t>(size_of(result_type(p)));
  const auto overflows = [&](std::int64_t factor) { return __builtin_mul_overflow(bytes, factor, &bytes); };
  if (overflows(output_slice(p).length) || overflows(p.batch) || overflows(p.filters == Filters::bank ? p.bank : 1))
    throw gpuconv::InvalidArgument("the result of " + to_string(p) + " overflows 64-bit sizes");
}

// Elements from the first to the last of `turns` of a loop.
std::int64_t reach(std::int64_t turns, std::int64_t step) { return (turns - 1) * step; }

class Batch {
 public:
  Batch(npy::Reader& signal, npy::Reader& filter, Job const& job)
      : options_(job.options),
        signal_type_(signal.type()),
        filter_type_(filter.type()),
        logical_(is_logical(signal, filter, job)),
        layout_(layout_of(signal, filter, job.axis, job.bank)),
        problem_(problem_of(signal, filter, layout_, job)),
        signal_(signal),
        filter_(filter) {
    check_result_size(problem_);
    outputs_ = output_slice(problem_).length;
    piece_ = piece_outputs(problem_, layout_.inner_rows);
    arrange_loops();
    const bool again = piece_ < outputs_ && (problem_.boundary != gpuconv::Boundary::zero || layout_.bank > 1);
    if (!layout_.signal_in_order || again) signal_.allow_any_order();
    if (!layout_.filter_in_order) filter_.allow_any_order();
    next_plan(piece_of(problem_, 0, piece_));
  }

  void run(npy::OutputFile& file) {
    npy::Writer writer(file, logical_ ? std::string(npy::kBoolDescr) : npy::descr_of(result_type(problem_)),
                       layout_.out_shape(outputs_));
    const bool whole = piece_ == outputs_;
    Progress progress(results_ * (whole ? 1 : outputs_), whole ? "rows" : "outputs");
    each_turn(outer_, {}, [&](Offsets at) {
      for (std::int64_t row = 0; row < rows_.count; row += rows_once_)
        for (std::int64_t output = 0; output < outputs_; output += piece_) {
          progress.update(done_);
          const std::int64_t rows = std::min(rows_once_, rows_.count - row);
          const std::int64_t outputs = std::min(piece_, outputs_ - output);
          compute(at, row, output, outputs);
          write(rows, outputs, writer);
          done_ += (whole ? 1 : outputs) * rows * results_each_row();
        }
    });
    const Stopwatch time(report_.writing);
    file.commit();
  }

  Report report() const {
    Report report = report_;
    report.problem = to_string(problem_);
    report.solver = plan_->describe();
    report.type = problem_.type, report.result_type = result_type(problem_);
    report.samples = problem_.batch * problem_.signal;
    report.rows = problem_.batch;
    report.rows_at_once = plan_->problem().batch;
    report.outputs = outputs_, report.outputs_at_once = piece_;
    report.plan_bytes = plan_->workspace_bytes();
    return report;
  }

 private:
  bool is_inside() const { return !layout_.inner.empty(); }
  // The plan applies a bank where the results of a row follow each other in the file.
  bool plan_has_bank() const { return layout_.filters == FilterRows::bank && !is_inside() && piece_ == outputs_; }
  std::int64_t results_each_row() const { return (plan_has_bank() ? layout_.bank : 1) * layout_.inner_rows; }

  // One loop is the plan's: rows behind each other, some at a time or, behind the axis, all of the last dimension.
  void arrange_loops() {
    outer_ = layout_.outer, inner_ = layout_.inner;
    results_ = layout_.rows * layout_.bank;
    std::vector<Loop>& from = is_inside() ? inner_ : outer_;
    Loop rows;
    if (!from.empty() && (is_inside() || piece_ == outputs_)) rows = from.back(), from.pop_back();
    if (layout_.filters == FilterRows::bank && !plan_has_bank())
      add_loop(outer_, {.count = layout_.bank, .step = {.filter = layout_.bank_stride}});
    if (is_inside()) inside_ = rows;
    else rows_ = rows;
    rows_once_ = rows_at_once(problem_, rows_.count, layout_.signal_stride > 1);
  }

  Loop const& plan_rows() const { return is_inside() ? inside_ : rows_; }

  void next_plan(Piece const& piece) {
    Problem p = piece.problem;
    p.batch = is_inside() ? inside_.count : rows_once_;
    p.filters = plan_has_bank() ? Filters::bank : plan_rows().step.filter != 0 ? Filters::per_row : Filters::shared;
    if (plan_ && plan_->problem() == p) return;
    const Stopwatch time(report_.convolving);
    plan_.reset();
    plan_.emplace(p, options_);
    filter_set_.reset();
  }

  void compute(Offsets at, std::int64_t row, std::int64_t output, std::int64_t outputs) {
    const Piece piece = piece_of(problem_, output, outputs);
    next_plan(piece);
    // The last rows may be fewer than the plan's: those before them are computed once more. One plan for all of them
    // keeps a row's bits independent of its place.
    const std::int64_t turn = std::min(row, rows_.count - rows_once_);
    skipped_ = row - turn;
    at.signal += turn * rows_.step.signal, at.filter += turn * rows_.step.filter;
    std::byte const* const signal = read(at.signal + piece.first_sample * layout_.signal_stride, piece.problem.signal);
    resize_out(outputs);
    Offsets const first = at;
    each_turn(inner_, at, [&](Offsets const& now) {
      set_filter(now.filter);
      execute(signal + (now.signal - first.signal) * bytes(signal_type_), now.out);
    });
  }

  static std::int64_t bytes(Type type) { return static_cast<std::int64_t>(size_of(type)); }

  // The elements of all rows that are computed together.
  std::byte const* read(std::int64_t first, std::int64_t samples) {
    const Stopwatch time(report_.reading);
    std::int64_t last = reach(samples, layout_.signal_stride) + reach(plan_->problem().batch, plan_rows().step.signal);
    for (Loop const& loop : inner_) last += reach(loop.count, loop.step.signal);
    return signal_.range(first, last + 1);
  }

  void set_filter(std::int64_t first) {
    if (filter_set_ == first) return;
    const std::int64_t rows = filter_rows(plan_->problem());
    const std::int64_t stride = plan_has_bank() ? layout_.bank_stride : plan_rows().step.filter;
    std::byte const* taps = nullptr;
    {
      const Stopwatch time(report_.reading);
      taps = filter_.range(first, reach(rows, stride) + reach(layout_.taps, layout_.filter_stride) + 1);
    }
    const Stopwatch time(report_.convolving);
    const gpuconv::Rows shape{
        .rows = rows, .columns = layout_.taps, .stride = stride, .element_stride = layout_.filter_stride};
    plan_->set_filter({taps, filter_type_, shape});
    filter_set_ = first;
    if (plan_->wrapping() != gpuconv::Wrapping::never) report_.wrapping = plan_->wrapping();
  }

  void resize_out(std::int64_t outputs) {
    out_.resize(static_cast<std::size_t>(rows_once_ * results_each_row() * outputs * bytes(result_type(problem_))));
  }

  void execute(std::byte const* signal, std::int64_t out) {
    const Stopwatch time(report_.convolving);
    Problem const& p = plan_->problem();
    const Type type = result_type(p);
    const gpuconv::Rows in_shape{.rows = p.batch,
                                 .columns = p.signal,
                                 .stride = plan_rows().step.signal,
                                 .element_stride = layout_.signal_stride};
    gpuconv::Rows out_shape{.rows = result_rows(p), .columns = plan_->output_length()};
    if (is_inside()) out_shape.stride = inside_.step.out, out_shape.element_stride = layout_.inner_rows;
    plan_->execute({signal, signal_type_, in_shape}, {out_.data() + out * bytes(type), type, out_shape});
  }

  void write(std::int64_t rows, std::int64_t outputs, npy::Writer& writer) {
    const Stopwatch time(report_.writing);
    const Type type = result_type(problem_);
    const std::int64_t each = results_each_row() * outputs, length = rows * each;
    std::byte* const out = out_.data() + skipped_ * each * bytes(type);
    if (logical_) make_logical(out, length);
    writer.write({out, logical_ ? Type::uint8 : type, {.columns = length}});
  }

  gpuconv::Options options_;
  Type signal_type_, filter_type_;
  bool logical_;  // the result is NumPy's bool
  Layout layout_;
  Problem problem_;  // of all rows
  npy::Elements signal_, filter_;
  std::int64_t outputs_ = 0, piece_ = 0;  // of a row, and of those how many are computed at once
  std::vector<Loop> outer_, inner_;
  Loop rows_, inside_;  // the plan's loop: rows behind each other, or one behind the axis
  std::int64_t rows_once_ = 1, results_ = 0, done_ = 0;
  std::int64_t skipped_ = 0;  // rows that are computed once more
  std::optional<Plan> plan_;
  std::optional<std::int64_t> filter_set_;
  npy::Buffer out_;
  Report report_;
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

void make_logical(std::byte* counts, std::int64_t length) {
  for (std::int64_t i = 0; i < length; ++i) {
    std::uint64_t count = 0;
    std::memcpy(&count, counts + i * std::int64_t{sizeof count}, sizeof count);
    counts[i] = std::byte{count != 0};
  }
}

Report convolve_files(Job const& job) {
  double total = 0;
  Report report;
  {
    const Stopwatch time(total);
    npy::Reader signal(job.signal);
    check_not_empty(signal, "signal");
    npy::Reader filter(job.filter);
    check_not_empty(filter, "filter");
    with_failures(signal.name() + " with " + filter.name() + ": ", [&] { report = convolve(signal, filter, job); });
  }
  report.total = total;
  return report;
}

}  // namespace tool
