// Draws sizes where the code has edges: vectors, blocks and tiles, one less and one more, primes, 1.
#include "problems.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace gpuconv::revisions {
namespace {

// A number up to `longest`: around a power of two, around a multiple of a vector, a prime, or any, every order of
// magnitude equally likely.
std::int64_t any_size(Rng& rng, std::int64_t longest) {
  static constexpr std::array<std::int64_t, 16> primes{2,  3,   5,   7,   11,   13,   17,   31,
                                                       61, 127, 251, 509, 1021, 4093, 8191, 65521};
  const int magnitudes = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(longest)));
  const auto magnitude = rng.pick(0, magnitudes - 1);
  const std::int64_t power = std::int64_t{1} << magnitude;
  std::int64_t size = power + rng.pick(0, power - 1);
  switch (rng.pick(0, 6)) {
    case 0:
    case 1:
      size = power + rng.pick(-1, 1);
      break;
    case 2:
      size = size / 8 * 8 + rng.pick(-1, 1);
      break;
    case 3:
      size = primes[static_cast<std::size_t>(rng.pick(0, 15))];
      break;
    default:
      break;
  }
  return std::clamp<std::int64_t>(size, 1, longest);
}

Type any_type(Rng& rng) { return static_cast<Type>(rng.pick(0, type_count - 1)); }

// A result type that the operands allow.
std::optional<Type> any_result(Rng& rng, Type signal, Type filter) {
  if (!rng.one_in(4)) return std::nullopt;
  if (is_floating(signal) || is_floating(filter)) return Type::float64;
  return any_type(rng);
}

void draw_types(Rng& rng, Problem& p) {
  const std::int64_t kind = rng.pick(0, 9);
  p.type = kind < 5 ? Type::float32 : kind < 7 ? Type::float64 : any_type(rng);
  if (rng.one_in(4)) p.filter_type = any_type(rng);
  p.result_type = any_result(rng, p.type, filter_type(p));
}

Values any_values(Rng& rng) {
  static constexpr std::array kinds{Values::small, Values::wide, Values::tiny, Values::huge, Values::not_finite};
  const auto kind = static_cast<std::size_t>(rng.pick(0, 15));
  return kind < kinds.size() ? kinds[kind] : Values::plain;
}

// Signal and filter with `longest` elements at most; the filter is the longer one in a third of the problems.
void draw_sizes(Rng& rng, Problem& p, std::int64_t longest) {
  p.signal = any_size(rng, longest);
  p.filter = any_size(rng, std::min(longest, rng.any_of<std::int64_t>({32, 300, longest, longest})));
  if (rng.one_in(4)) std::swap(p.signal, p.filter);
}

void draw_batch(Rng& rng, Problem& p, std::int64_t elements) {
  p.filters = rng.any_of({Filters::shared, Filters::per_row});
  if (rng.one_in(2)) return;
  p.batch = std::clamp<std::int64_t>(elements / (p.signal + p.filter), 1, rng.pick(1, 20));
}

// Enough outputs that they are written around the cache, by few taps and by many.
void draw_streamed(Rng& rng, Problem& p) {
  p.signal = rng.pick(100'000, 180'000);
  p.filter = any_size(rng, rng.any_of<std::int64_t>({20, 2000}));
  p.batch = 1'300'000 / p.signal + 1;
}

// Rows that are only read may overlap.
Place any_place(Rng& rng, std::int64_t columns, bool may_overlap) {
  Place place{.offset = rng.pick(0, 17), .stride = columns};
  if (may_overlap && rng.one_in(8)) place.stride = rng.pick(1, columns);
  else if (rng.one_in(2)) place.stride += rng.pick(1, 40);
  return place;
}

}  // namespace

std::string_view name(Values values) noexcept {
  static constexpr std::array<std::string_view, 6> names{"plain", "small", "wide", "tiny", "huge", "not finite"};
  return names[static_cast<std::size_t>(values)];
}

std::int64_t products(Problem const& p) { return p.batch * std::min(p.signal, p.filter) * output_slice(p).length; }

Case make_case(Rng& rng, std::int64_t number, std::int64_t longest) {
  constexpr std::int64_t small = 2500, medium = 20'000, every = 400;
  Case c;
  Problem& p = c.problem;
  c.values = any_values(rng);
  c.first_operand = rng.one_in(2);
  p.mode = rng.any_of({Mode::full, Mode::same, Mode::valid});
  p.same = rng.any_of({Same::numpy, Same::scipy, Same::matlab});
  draw_types(rng, p);
  const std::int64_t size = rng.pick(0, 19);
  // What overflows or is not finite is summed directly, which would take too long at larger sizes.
  const bool summed = c.values == Values::huge || c.values == Values::not_finite;
  if (number % every == every - 1 && longest >= 180'000) {
    c.values = Values::plain;
    draw_streamed(rng, p);
  } else {
    const std::int64_t largest = summed || size > 8 ? small : size > 2 ? medium : longest;
    draw_sizes(rng, p, std::min(largest, longest));
    draw_batch(rng, p, largest == longest ? 2 * largest : 8 * largest);
  }
  c.signal = any_place(rng, p.signal, true);
  c.filter = any_place(rng, p.filter, true);
  c.out = any_place(rng, output_slice(p).length, false);
  return c;
}

}  // namespace gpuconv::revisions
