// The oracle: plain loops, accumulated one precision up. Never optimised.
#include "convert.hpp"

#include "../solver.hpp"

#include <algorithm>
#include <vector>

namespace gpuconv::detail {
namespace {

// ---- which problems it takes -------------------------------------------------------------------------------------
std::string refusal(Geometry const&) { return {}; }

// ---- what it costs -----------------------------------------------------------------------------------------------
double seconds(Geometry const& g, Resources const&) {
  constexpr double kMultiplyAdd = 1.5e-9;  // one thread, scalar, double
  return kMultiplyAdd * static_cast<double>(g.batch) * static_cast<double>(g.length) *
         static_cast<double>(std::min(g.signal, g.filter));
}

// ---- how it is made and runs -------------------------------------------------------------------------------------
template <class C>
using Wider =
    std::conditional_t<std::is_same_v<C, float>, double, std::conditional_t<std::is_same_v<C, double>, long double, C>>;

template <class C>
class Reference final : public Executor {
 public:
  explicit Reference(Geometry const& g) : g_(g) {
    const double elements = static_cast<double>(g.filters) * static_cast<double>(g.filter) +
                            static_cast<double>(g.signal) + static_cast<double>(g.length);
    check_fits(g.bytes + elements * sizeof(C));
    filters_.resize(static_cast<std::size_t>(g.filters * g.filter));
    signal_.resize(static_cast<std::size_t>(g.signal));
    out_.resize(static_cast<std::size_t>(g.length));
  }

  void set_filter(HostInput filter) override {
    const Source<C> source(filter);
    for (std::int64_t r = 0; r < g_.filters; ++r) source.load(r, 0, g_.filter, filters_.data() + r * g_.filter);
  }

  void execute(HostInput signal, HostOutput out) override {
    const Source<C> source(signal);
    const Sink<C> sink(out);
    for (std::int64_t r = 0; r < g_.batch; ++r) {
      source.load(r, 0, g_.signal, signal_.data());
      const C* filter = filters_.data() + g_.filter_row(r) * g_.filter;
      for (std::int64_t o = 0; o < g_.length; ++o) out_[static_cast<std::size_t>(o)] = output(filter, g_.first + o);
      sink.store(r, 0, g_.length, out_.data());
    }
  }

  std::size_t workspace_bytes() const override { return (filters_.size() + signal_.size() + out_.size()) * sizeof(C); }

 private:
  // full[k] = sum over j of signal[k-j] * filter[j]
  C output(const C* filter, std::int64_t k) const {
    Wider<C> sum{};
    const std::int64_t begin = std::max<std::int64_t>(0, k - g_.signal + 1), end = std::min(g_.filter, k + 1);
    for (std::int64_t j = begin; j < end; ++j)
      sum += static_cast<Wider<C>>(signal_[static_cast<std::size_t>(k - j)]) * static_cast<Wider<C>>(filter[j]);
    return static_cast<C>(sum);
  }

  Geometry g_;
  std::vector<C> filters_, signal_, out_;
};

std::unique_ptr<Executor> make(Geometry const& g, Resources const&) {
  return visit_compute(g.compute_type(), [&]<class C>(std::type_identity<C>) -> std::unique_ptr<Executor> {
    return std::make_unique<Reference<C>>(g);
  });
}

// ---- how it prints itself ----------------------------------------------------------------------------------------
std::string parameters(Geometry const&, Resources const&) { return "plain loops, 1 thread"; }

}  // namespace

const Solver cpu_reference{Device::cpu, Method::reference, false, refusal, seconds, make, parameters};

}  // namespace gpuconv::detail
