// The correlation coefficient of a pattern with every window of a signal.
//
// A row is cut into stretches. Each is brought to numbers about 1 and about its own mean, so that neither a large
// offset nor a slow drift costs digits; a plan correlates a batch of them with the pattern, and the windows' moments
// turn its sums into scores.
#include "../core/thread_pool.hpp"
#include "../problem.hpp"
#include "../text.hpp"
#include "../view_checks.hpp"
#include "checks.hpp"
#include "moments.hpp"
#include "pattern.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

constexpr std::int64_t kBatchBytes = 16 << 20;  // of a batch of stretches

// The samples of a stretch as they are, and how many up to each are equal; read when they are first wanted.
struct Plain {
  std::vector<double> samples;
  std::vector<std::int64_t> equal;
  bool is_read = false;

  void make(HostInput const& signal, std::int64_t row, std::int64_t first, std::int64_t count) {
    read(signal, row, first, count, samples.data());
    equal[0] = 1;
    for (std::size_t i = 1; i < static_cast<std::size_t>(count); ++i)
      equal[i] = samples[i] == samples[i - 1] ? equal[i - 1] + 1 : 1;
    is_read = true;
  }
};

class Matcher {
 public:
  Matcher(HostInput const& signal, Pattern pattern, HostOutput const& out, Options const& options)
      : signal_(signal),
        out_(out),
        pattern_(std::move(pattern)),
        m_(std::ssize(pattern_.numbers)),
        stretches_(out, m_),
        outputs_(stretches_.outputs()),
        samples_(outputs_ + m_ - 1),
        batch_(std::clamp<std::int64_t>(kBatchBytes / (8 * samples_), 1, stretches_.count())),
        plan_({.signal = samples_,
               .filter = m_,
               .batch = batch_,
               .mode = Mode::valid,
               .type = Type::float64,
               .operation = Operation::correlate},
              options),
        samples_of_(zeros<double>(batch_ * samples_)),
        products_(zeros<double>(batch_ * outputs_)),
        norms_(zeros<double>(batch_)) {
    plan_.set_filter(pattern_.numbers);
    const int threads = static_cast<int>(std::min<std::int64_t>(plan_.threads(), batch_));
    for (int t = 0; t < std::max(threads, 1); ++t)
      workspaces_.push_back({WindowMoments(m_),
                             zeros<Moments>(outputs_),
                             {.samples = zeros<double>(samples_), .equal = zeros<std::int64_t>(samples_)}});
  }

  void run() {
    const auto for_each = [&](std::int64_t first, auto const& task) {
      parallel_for(std::min(batch_, stretches_.count() - first), static_cast<int>(workspaces_.size()),
                   [&](std::int64_t i, int slot) { task(i, slot); });
    };
    for (std::int64_t first = 0; first < stretches_.count(); first += batch_) {
      for_each(first, [&](std::int64_t i, int) { load(first + i, i); });
      plan_.execute(HostView(samples_of_.data(), {.rows = batch_, .columns = samples_}),
                    HostView(products_.data(), {.rows = batch_, .columns = outputs_}));
      for_each(first, [&](std::int64_t i, int slot) { store(first + i, i, slot); });
    }
  }

 private:
  struct Workspace {
    WindowMoments of_windows;
    std::vector<Moments> moments;
    Plain plain;
  };

  // The last stretch of a row may be shorter; what the plan makes of the rest is not looked at.
  void load(std::int64_t number, std::int64_t i) {
    const RowStretch s = stretches_[number];
    const std::int64_t count = s.outputs + m_ - 1;
    double* const to = samples_of_.data() + i * samples_;
    read(signal_, s.row, s.first, count, to);
    norms_[static_cast<std::size_t>(i)] = prepare(to, count);
    std::fill(to + count, to + samples_, 0.0);
  }

  void store(std::int64_t number, std::int64_t i, int slot) {
    const RowStretch s = stretches_[number];
    Workspace& w = workspaces_[static_cast<std::size_t>(slot)];
    w.plain.is_read = false;
    w.of_windows(samples_of_.data() + i * samples_, s.outputs, w.moments.data());
    const auto store_as = [&]<class R>(std::type_identity<R>) {
      for (std::int64_t k = 0; k < s.outputs; ++k)
        element<R>(out_, s.row, s.first + k) = static_cast<R>(score(w, s, i, k));
    };
    out_.type() == Type::float32 ? store_as(std::type_identity<float>{}) : store_as(std::type_identity<double>{});
  }

  // Of output k of the stretch that is number i of the batch.
  double score(Workspace& w, RowStretch const& s, std::int64_t i, std::int64_t k) const {
    Moments const& moments = w.moments[static_cast<std::size_t>(k)];
    if (!std::isfinite(moments.squares)) return std::numeric_limits<double>::quiet_NaN();
    const double deviation = std::sqrt(moments.squares);
    if (deviation > kDrowned * norms_[static_cast<std::size_t>(i)]) {
      const double product = products_[static_cast<std::size_t>(i * outputs_ + k)];
      return clamped((product - moments.mean * pattern_.sum) / deviation);
    }
    if (!w.plain.is_read) w.plain.make(signal_, s.row, s.first, s.outputs + m_ - 1);
    if (w.plain.equal[static_cast<std::size_t>(k + m_ - 1)] >= m_) return 0;
    return score_by_itself(pattern_, w.plain.samples.data() + k);
  }

  HostInput signal_;
  HostOutput out_;
  Pattern pattern_;
  std::int64_t m_;  // samples of the pattern
  RowStretches stretches_;
  std::int64_t outputs_, samples_, batch_;  // of a stretch; stretches of a batch
  Plan plan_;
  std::vector<double> samples_of_, products_, norms_;  // of a batch of stretches
  std::vector<Workspace> workspaces_;                  // one a thread
};

}  // namespace

void match(HostInput signal, HostInput pattern, HostOutput out, Options const& options) {
  guarded([&] {
    const std::int64_t outputs = match_length(signal.columns(), pattern.columns());
    if (pattern.lines() != 1) throw InvalidArgument("the pattern is an image: match_template takes it");
    if (is_complex(signal.type()) || is_complex(pattern.type()) || is_complex(out.type()))
      throw InvalidArgument("complex numbers have no correlation coefficient here; matched_filter takes them");
    check_result_type(out.type());
    if (signal.rows() < 1)
      throw InvalidArgument(text("the signal has ", signal.rows(), " rows, at least 1 is expected"));
    check_view(signal, "signal", signal.rows(), 1, signal.columns(), signal.type());
    check_view(out, "output", signal.rows(), 1, outputs, out.type());
    check_apart(signal, out);
    Matcher(signal, pattern_of(pattern), out, options).run();
  });
}

}  // namespace gpuconv::recipes
