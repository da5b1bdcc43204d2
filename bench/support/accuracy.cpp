#include "accuracy.hpp"

#include <gpuconv/convolve.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace gpuconv::bench {
namespace {

constexpr std::int64_t kProducts = std::int64_t{1} << 22;  // a stretch

template <class Void>
auto at(AnyHostView<Void> view, std::int64_t row, std::int64_t column) {
  const std::int64_t offset = (row * view.stride() + column) * static_cast<std::int64_t>(size_of(view.type()));
  using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
  return static_cast<Byte*>(view.data()) + offset;
}

// Outputs [begin, begin + count) of the full convolution of one row, with one precision more than its result has.
template <class R>
std::vector<R> reference(HostInput signal, HostInput filter, std::int64_t row, std::int64_t begin, std::int64_t count) {
  const std::int64_t first = std::max<std::int64_t>(0, begin - filter.columns() + 1);
  const std::int64_t end = std::min(signal.columns(), begin + count);
  const HostInput window(at(signal, row, first), signal.type(), {.columns = end - first});
  std::vector<R> full(static_cast<std::size_t>(end - first + filter.columns() - 1));
  convolve(window, filter, HostOutput(full), {.method = Method::reference});
  return {full.begin() + (begin - first), full.begin() + (begin - first + count)};
}

struct Sums {
  long double max = 0, difference = 0, norm = 0;
};

template <class T>
void add_stretch(HostInput signal, HostInput filter, HostOutput out, std::int64_t row, std::int64_t begin,
                 std::int64_t count, Sums& sums) {
  using R = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  const std::vector<R> expected = reference<R>(signal, filter, row, begin, count);
  const T* const actual = reinterpret_cast<const T*>(at(out, row, begin));
  for (std::int64_t i = 0; i < count; ++i) {
    const R e = expected[static_cast<std::size_t>(i)];
    const long double difference = std::abs(static_cast<long double>(actual[i]) - static_cast<long double>(e));
    sums.max = std::max(sums.max, difference);
    sums.difference += difference * difference;
    sums.norm += static_cast<long double>(e) * static_cast<long double>(e);
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
        add_stretch<T>(signal, filter, out, row, begin, count, sums);
  });
  return {static_cast<double>(sums.max),
          static_cast<double>(std::sqrt(sums.difference / std::max(sums.norm, 1e-300L)))};
}

}  // namespace gpuconv::bench
