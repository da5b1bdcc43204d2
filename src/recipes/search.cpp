// Matched filters, and the places of matches.
#include "../text.hpp"
#include "checks.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

// The pattern with an energy of 1.
template <class R>
std::vector<R> taps_of(HostInput const& pattern) {
  std::vector<R> taps = zeros<R>(pattern.columns());
  read(pattern, 0, 0, pattern.columns(), taps.data());
  long double energy = 0;
  for (R const& v : taps) energy += std::norm(std::complex<long double>(v));
  if (!(energy > 0) || !std::isfinite(energy))
    throw InvalidArgument("the pattern has no energy, or what is not finite: no filter matches it");
  const std::complex<long double> root = std::sqrt(energy);
  for (R& v : taps)
    if constexpr (is_complex(type_of<R>)) v = R(std::complex<long double>(v) / root);
    else v = static_cast<double>(v / root.real());
  return taps;
}

// Rounds the taps, complex or real, to the type of the output's parts and correlates.
template <class R>
void correlate_valid(HostInput const& signal, std::vector<R> const& taps, HostOutput const& out,
                     Options const& options) {
  visit_result(is_complex(type_of<R>) ? out.type() : part_type(out.type()), [&]<class Tap>(std::type_identity<Tap>) {
    if constexpr (is_complex(type_of<R>) && !is_complex(type_of<Tap>)) {
      throw InvalidArgument(text("the pattern is complex, the output ", name(out.type())));
    } else {
      Plan plan({.signal = signal.columns(),
                 .filter = std::ssize(taps),
                 .batch = signal.rows(),
                 .mode = Mode::valid,
                 .type = signal.type(),
                 .filter_type = type_of<Tap>,
                 .result_type = out.type(),
                 .operation = Operation::correlate},
                options);
      plan.set_filter(std::vector<Tap>(taps.begin(), taps.end()));
      plan.execute(signal, out);
    }
  });
}

// The places of scores that are no less than the threshold, the best first, but for those close to a better one.
std::vector<Found> best_apart(std::vector<double> const& scores, double threshold, std::int64_t apart) {
  std::vector<Found> good;
  for (std::size_t k = 0; k < scores.size(); ++k)
    if (scores[k] >= threshold) good.push_back({static_cast<std::int64_t>(k), scores[k]});
  std::stable_sort(good.begin(), good.end(), [](Found const& a, Found const& b) { return a.score > b.score; });
  std::set<std::int64_t> kept;
  const auto is_taken = [&](Found const& f) {
    const auto next = kept.lower_bound(f.index);
    return (next != kept.end() && *next - f.index < apart) ||
           (next != kept.begin() && f.index - *std::prev(next) < apart);
  };
  std::erase_if(good, [&](Found const& f) { return is_taken(f) || !kept.insert(f.index).second; });
  std::sort(good.begin(), good.end(), [](Found const& a, Found const& b) { return a.index < b.index; });
  return good;
}

}  // namespace

std::int64_t match_length(std::int64_t samples, std::int64_t pattern) {
  if (pattern < 1 || samples < pattern)
    throw InvalidArgument(text("a pattern of ", pattern, " samples does not fit into a signal of ", samples));
  return samples - pattern + 1;
}

void matched_filter(HostInput signal, HostInput pattern, HostOutput out, Options const& options) {
  guarded([&] {
    match_length(signal.columns(), pattern.columns());
    check_result_type(out.type());
    if (pattern.rows() != 1 || !pattern.data())
      throw InvalidArgument(text("the pattern has ", pattern.rows(), " rows, one is expected"));
    if (is_complex(pattern.type())) correlate_valid(signal, taps_of<std::complex<double>>(pattern), out, options);
    else correlate_valid(signal, taps_of<double>(pattern), out, options);
  });
}

std::vector<Found> find(HostInput signal, HostInput pattern, Find const& how) {
  return guarded([&] {
    if (std::isnan(how.threshold)) throw InvalidArgument("the threshold is NaN");
    const std::int64_t apart = how.apart.value_or(pattern.columns());
    if (how.apart && apart < 1)
      throw InvalidArgument(text("matches are ", apart, " samples apart, at least 1 is expected"));
    if (signal.rows() != 1) throw InvalidArgument(text("the signal has ", signal.rows(), " rows, one is expected"));
    std::vector<double> scores = zeros<double>(match_length(signal.columns(), pattern.columns()));
    match(signal, pattern, scores, how.options);
    return best_apart(scores, how.threshold, apart);
  });
}

}  // namespace gpuconv::recipes
