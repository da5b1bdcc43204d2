// Filters with given taps, aligned with what they filter.
#include "../text.hpp"
#include "checks.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

// How far designed taps may be from symmetric, relative to the largest: some roundings of their type.
double symmetry_tolerance(Type type) {
  return is_integer(type) ? 0
                          : 64 * (part_type(type) == Type::float64 ? 0x1p-53
                                  : size_of(part_type(type)) == 4  ? 0x1p-24
                                                                   : 0x1p-8);
}

// Whether the taps are the same backwards, up to their sign or conjugated.
bool is_linear_phase(std::vector<std::complex<double>> const& taps, double tolerance) {
  double largest = 0;
  for (auto const& tap : taps) largest = std::max(largest, std::abs(tap));
  const auto mirrored = [&](auto const& image) {
    for (std::size_t i = 0; i < taps.size(); ++i)
      if (!(std::abs(taps[i] - image(taps[taps.size() - 1 - i])) <= tolerance * largest)) return false;
    return true;
  };
  using Tap = std::complex<double>;
  return mirrored([](Tap t) { return t; }) || mirrored([](Tap t) { return -t; }) ||
         mirrored([](Tap t) { return std::conj(t); }) || mirrored([](Tap t) { return -std::conj(t); });
}

std::int64_t group_delay(HostInput const& taps) {
  const std::int64_t m = taps.columns();
  if (m % 2 == 0)
    throw InvalidArgument(text("a linear-phase filter of ", m, " taps delays by ", m / 2 - 1,
                               " samples and a half: name the delay that is to be taken off"));
  std::vector<std::complex<double>> values = zeros<std::complex<double>>(m);
  read(taps, 0, 0, m, values.data());
  if (!is_linear_phase(values, symmetry_tolerance(taps.type())))
    throw InvalidArgument(
        "the taps are not the same backwards, so that the delay depends on the frequency: name the "
        "one that is to be taken off");
  return (m - 1) / 2;
}

}  // namespace

std::int64_t fir_length(std::int64_t samples, Fir const& how) {
  return guarded([&] {
    if (how.step < 1) throw InvalidArgument(text("the step is ", how.step, ", at least 1 is expected"));
    return samples / how.step + (samples % how.step != 0);
  });
}

void fir(HostInput signal, HostInput taps, HostOutput out, Fir const& how) {
  guarded([&] {
    if (taps.rows() != 1 || taps.columns() < 1 || !taps.data())
      throw InvalidArgument(text("the taps are ", taps.rows(), " x ", taps.columns(), ", one row is expected"));
    const Slice window{how.delay ? *how.delay : group_delay(taps), fir_length(signal.columns(), how), how.step};
    Plan plan({.signal = signal.columns(),
               .filter = taps.columns(),
               .batch = signal.rows(),
               .type = signal.type(),
               .filter_type = taps.type(),
               .result_type = out.type(),
               .boundary = how.boundary,
               .constant = how.constant,
               .window = window},
              how.options);
    plan.set_filter(taps);
    plan.execute(signal, out);
  });
}

}  // namespace gpuconv::recipes
