// The oracle: plain loops, accumulated one precision up. Never optimised.
#include "rows.hpp"

#include "../core/long_sum.hpp"
#include "../problem.hpp"
#include "../solver.hpp"

#include <algorithm>

namespace gpuconv::detail {
namespace {

// ---- the executor ------------------------------------------------------------------------------------------------
template <class C>
using Wider =
    std::conditional_t<std::is_same_v<C, float>, double, std::conditional_t<std::is_same_v<C, double>, long double, C>>;

template <class C>
class Reference final : public Executor {
 public:
  explicit Reference(Work const& w)
      : work_(w), filters_(w.filters(), w.axis.filter, parts_of(w.filter_type), w.lines.filter) {}

  static double elements(Work const& w) {
    const auto count = [](std::int64_t n) { return static_cast<double>(n); };
    return count(w.axis.signal) * count(w.lines.signal) * parts_of(w.signal_type) + count(w.axis.filter) +
           count(w.axis.outputs);
  }

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(elements(work_)) * sizeof(C); }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const Memory memory(work_, part, means.scratch);
    for (std::int64_t row = part.row; row < part.row + part.rows; ++row) {
      for (int p = 0; p < parts_of(work_.signal_type); ++p)
        if (signal.extension.is_zero())
          for (std::int64_t y = 0; y < work_.lines.signal; ++y)
            Source<C>(at_line(part_of(signal, p), y), work_.loops)
                .load(row, 0, part.samples, memory.samples[p] + y * part.samples);
      for (int p = 0; p < parts_of(work_.result_type); ++p)
        for (std::int64_t y = 0; y < work_.lines.outputs; ++y) {
          const std::int64_t line = work_.lines.first + y * work_.lines.step;
          for (std::int64_t o = 0; o < part.outputs; ++o)
            memory.outputs[o] =
                output(signal, part, row, line, part.first + o * work_.axis.step, terms_of(work_, p), memory);
          Sink<C>(at_line(part_of(out, p), y), work_.loops).store(row, 0, part.outputs, memory.outputs);
        }
    }
  }

 private:
  struct Memory {
    Memory(Work const& w, Part const& part, void* scratch) : outputs(static_cast<C*>(scratch)) {
      window = outputs + part.outputs;
      samples[0] = window + w.axis.filter;
      samples[1] = samples[0] + part.samples * w.lines.signal;
    }
    C *outputs, *window, *samples[2];
  };

  // Output `k` of line `l` of the full convolution: its sums along the filter are one precision up.
  C output(Input const& signal, Part const& part, std::int64_t row, std::int64_t l, std::int64_t k, Terms const& terms,
           Memory const& memory) const {
    Wider<C> sum = 0;
    for (Term const& term : terms) {
      const C* const h = filters_.part(work_.loops.filter_of(row), term.filter);
      LongSum<Wider<C>> lines;
      for (std::int64_t i = 0; i < work_.lines.filter; ++i)
        lines.add(line_sum(signal, part, row, l - i, k, term, h + i * work_.axis.filter, memory));
      const Wider<C> products = lines.value();
      sum = &term == terms.begin() ? products : term.minus ? sum - products : sum + products;
    }
    return static_cast<C>(sum);
  }

  // The products with line `y` of the signal, which may be beyond its ends, and the line `h` of the filter.
  Wider<C> line_sum(Input const& signal, Part const& part, std::int64_t row, std::int64_t y, std::int64_t k,
                    Term const& term, const C* h, Memory const& memory) const {
    const std::int64_t taps = work_.axis.filter;
    if (signal.extension.is_zero())
      return y < 0 || y >= work_.lines.signal
                 ? Wider<C>(0)
                 : sum_of(memory.samples[term.signal] + y * part.samples, part.samples, h, k);
    load_extended_line(part_of(signal, term.signal), work_.loops, row, work_.lines.signal, y, part.samples,
                       k - (taps - 1), taps, memory.window);
    return sum_of(memory.window, taps, h, taps - 1);
  }

  // sum over j of x[k-j] * h[j]
  Wider<C> sum_of(const C* x, std::int64_t samples, const C* h, std::int64_t k) const {
    const std::int64_t begin = std::max<std::int64_t>(0, k - samples + 1), end = std::min(work_.axis.filter, k + 1);
    return long_sum<Wider<C>>(end - begin, 0, [&](std::int64_t i) {
      return static_cast<Wider<C>>(x[k - begin - i]) * static_cast<Wider<C>>(h[begin + i]);
    });
  }

  Work work_;
  KeptFilters<C> filters_;
};

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const&) {
  return visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    const double kept = static_cast<double>(w.filters()) * static_cast<double>(w.taps()) * parts_of(w.filter_type);
    check_fits((kept + Reference<C>::elements(w)) * sizeof(C));
    return std::make_unique<Reference<C>>(w);
  });
}

// ---- what it costs -----------------------------------------------------------------------------------------------
constexpr double kMultiplyAdd = 1.5e-9;  // one thread, scalar, double

Answer consider(Work const& w, Resources const&) {
  return {.seconds = kMultiplyAdd * static_cast<double>(w.rows()) * static_cast<double>(w.outputs()) *
                     static_cast<double>(w.products()) * term_count(w) * parts_of(w.result_type),
          .make = make};
}

}  // namespace

const Solver cpu_reference{
    .device = Device::cpu, .method = Method::reference, .answer = consider, .takes_steps = true, .takes_lines = true};

}  // namespace gpuconv::detail
