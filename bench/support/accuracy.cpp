#include "accuracy.hpp"

#include <gpuconv/plan.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <vector>

namespace gpuconv::bench {
namespace {

constexpr std::int64_t kProducts = std::int64_t{1} << 22;  // of the reference, for each stretch

struct Sums {
  long double max = 0, difference = 0, norm = 0;
};

// Compares outputs [begin, begin + count) of one row with the reference, whose result has one precision more.
template <class T>
void add_stretch(Problem const& p, HostInput signal, HostInput filter, HostOutput out, std::int64_t row,
                 std::int64_t begin, std::int64_t count, Sums& sums) {
  constexpr bool complex = is_complex(type_of<T>);
  using R =
      std::conditional_t<complex, std::complex<double>, std::conditional_t<detail::is_floating_element<T>, double, T>>;
  using Wide = std::conditional_t<complex, std::complex<long double>, long double>;
  Problem stretch = p;
  stretch.batch = 1, stretch.result_type = type_of<R>, stretch.window = Slice{begin, count};
  Plan plan(stretch, {.method = Method::reference});
  std::vector<R> expected(static_cast<std::size_t>(count));
  const auto* const samples = static_cast<std::byte const*>(signal.data());
  plan.set_filter({filter.data(), filter.type(), {.columns = p.filter}});
  plan.execute({samples + row * signal.stride() * static_cast<std::int64_t>(size_of(p.type)),
                p.type,
                {.columns = p.signal, .element_stride = signal.element_stride()}},
               expected);
  T const* const outputs = static_cast<T const*>(out.data()) + row * out.stride();
  for (std::int64_t i = 0; i < count; ++i) {
    const Wide e = static_cast<Wide>(expected[static_cast<std::size_t>(i)]);
    const Wide actual = static_cast<Wide>(outputs[(begin + i) * out.element_stride()]);
    const long double difference = std::abs(actual - e);
    sums.max = std::max(sums.max, difference);
    sums.difference += difference * difference;
    sums.norm += std::norm(e);
  }
}

}  // namespace

Errors errors(Problem const& p, HostInput signal, HostInput filter, HostOutput out) {
  const std::int64_t outputs = output_slice(p).length;
  const std::int64_t count = std::min(outputs, std::clamp<std::int64_t>(kProducts / p.filter, 16, 1024));
  Sums sums;
  visit_type(result_type(p), [&]<class T>(std::type_identity<T>) {
    for (const std::int64_t row : {std::int64_t{0}, p.batch - 1})
      for (const std::int64_t begin : {std::int64_t{0}, (outputs - count) / 2, outputs - count})
        add_stretch<T>(p, signal, filter, out, row, begin, count, sums);
  });
  return {static_cast<double>(sums.max),
          static_cast<double>(std::sqrt(sums.difference / std::max(sums.norm, 1e-300L)))};
}

}  // namespace gpuconv::bench
