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
  explicit Reference(Work const& w) : work_(w), filters_(w.filters(), w.axis.filter) {}

  std::size_t own_bytes() const override { return filters_.bytes(); }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(work_.axis.signal + work_.axis.outputs) * sizeof(C);
  }

  void set_filter(Input const& filter, std::int64_t count, Means const& means) override {
    filters_.set(filter, count, means);
  }

  void run(Input const& signal, Output const& out, Part const& part, Means const& means) override {
    const Source<C> source(signal, work_.loops);
    const Sink<C> sink(out, work_.loops);
    C* const x = static_cast<C*>(means.scratch);
    C* const y = x + part.samples;
    for (std::int64_t row = part.row; row < part.row + part.rows; ++row) {
      source.load(row, 0, part.samples, x);
      const C* const h = filters_[work_.loops.filter_of(row)];
      for (std::int64_t o = 0; o < part.outputs; ++o)
        y[o] = output(x, part.samples, h, part.first + o * work_.axis.step);
      sink.store(row, 0, part.outputs, y);
    }
  }

 private:
  // full[k] = sum over j of signal[k-j] * filter[j]
  C output(const C* x, std::int64_t samples, const C* h, std::int64_t k) const {
    const std::int64_t begin = std::max<std::int64_t>(0, k - samples + 1), end = std::min(work_.axis.filter, k + 1);
    return static_cast<C>(long_sum<Wider<C>>(end - begin, 0, [&](std::int64_t i) {
      return static_cast<Wider<C>>(x[k - begin - i]) * static_cast<Wider<C>>(h[begin + i]);
    }));
  }

  Work work_;
  KeptFilters<C> filters_;
};

std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const&) {
  return visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    const double elements = static_cast<double>(w.filters()) * static_cast<double>(w.axis.filter) +
                            static_cast<double>(w.axis.signal) + static_cast<double>(w.axis.outputs);
    check_fits(elements * sizeof(C));
    return std::make_unique<Reference<C>>(w);
  });
}

// ---- what it costs -----------------------------------------------------------------------------------------------
constexpr double kMultiplyAdd = 1.5e-9;  // one thread, scalar, double

Answer consider(Work const& w, Resources const&) {
  return {.seconds = kMultiplyAdd * static_cast<double>(w.rows()) * static_cast<double>(w.axis.outputs) *
                     static_cast<double>(std::min(w.axis.signal, w.axis.filter)),
          .make = make};
}

}  // namespace

const Solver cpu_reference{Device::cpu, Method::reference, false, consider};

}  // namespace gpuconv::detail
