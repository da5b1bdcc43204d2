// Images for tests: somewhere in memory, with what is around them, and what their convolution is by its definition, in
// long double or modulo 2^64. Knows nothing of the library but its slicing rule.
#pragma once

#include "core/access.hpp"
#include "support/array.hpp"
#include "support/compare.hpp"
#include "support/placed.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace gpuconv::test {

using std::int64_t;

// ---- operands -----------------------------------------------------------------------------------------------------
// How images lie in memory: one after the other, as a crop, upside down and from right to left, or as the channels of
// a photograph.
enum Placing { dense, crop, turned, interleaved, placings };

// Images of any type, somewhere in memory; what is around them is never written.
class Pictures {
 public:
  Pictures(Type type, int64_t images, int64_t lines, int64_t columns, Placing placing)
      : type_(type), shape_(shape_of(images, lines, columns, placing)), bytes_(room(), std::byte{0xFF}) {}

  int64_t images() const { return shape_.images; }
  int64_t lines() const { return shape_.lines; }
  int64_t columns() const { return shape_.columns; }
  Type type() const { return type_; }
  HostInput input() const { return {const_cast<Pictures*>(this)->at(0, 0, 0), type_, shape_}; }
  HostOutput output() { return {at(0, 0, 0), type_, shape_}; }

  // Copies in device memory, and what became of them.
  DeviceBuffer<std::uint8_t> upload() const { return uploaded(bytes_); }
  void download(DeviceBuffer<std::uint8_t> const& buffer) { test::download(buffer, bytes_); }
  DeviceInput input(DeviceBuffer<std::uint8_t> const& buffer) const { return {buffer.data() + first(), type_, shape_}; }
  DeviceOutput output(DeviceBuffer<std::uint8_t>& buffer) const { return {buffer.data() + first(), type_, shape_}; }

  std::byte* at(int64_t image, int64_t line, int64_t column) {
    const int64_t i = image * *shape_.stride + line * *shape_.line_stride + column * shape_.element_stride - lowest_;
    return bytes_.data() + (kGuard + i) * size();
  }
  // The part of an element as R.
  template <class R>
  R get(int64_t image, int64_t line, int64_t column, int part) const {
    return visit_part(type_, [&]<class E>(std::type_identity<E>) {
      E value;
      std::memcpy(&value, const_cast<Pictures*>(this)->at(image, line, column) + part * static_cast<int>(sizeof(E)),
                  sizeof(E));
      if constexpr (sizeof(E) == 2 && detail::is_floating_element<E>) return static_cast<R>(static_cast<float>(value));
      else return static_cast<R>(value);
    });
  }
  void set(int64_t image, int64_t line, int64_t column, int part, double to) {
    visit_part(type_, [&]<class E>(std::type_identity<E>) {
      const auto value = static_cast<E>(to);
      std::memcpy(at(image, line, column) + part * static_cast<int>(sizeof(E)), &value, sizeof(E));
    });
  }
  void fill(Rng& rng) {
    const bool whole = is_integer(type_);
    each([&](int64_t b, int64_t l, int64_t c) {
      for (int p = 0; p < parts_of(type_); ++p)
        set(b, l, c, p,
            whole ? static_cast<double>(pick(rng, is_signed(type_) ? -9 : 0, 9))
                  : static_cast<double>(pick(rng, -512, 512)) / 256);
    });
  }
  template <class F>
  void each(F f) const {
    for (int64_t b = 0; b < images(); ++b)
      for (int64_t l = 0; l < lines(); ++l)
        for (int64_t c = 0; c < columns(); ++c) f(b, l, c);
  }
  // The elements alone, image by image, line by line.
  std::vector<std::byte> elements() const {
    std::vector<std::byte> out;
    each([&](int64_t b, int64_t l, int64_t c) {
      const std::byte* const from = const_cast<Pictures*>(this)->at(b, l, c);
      out.insert(out.end(), from, from + size());
    });
    return out;
  }
  bool rest_is_untouched() const {
    Pictures copy = *this;
    copy.each([&](int64_t b, int64_t l, int64_t c) {
      std::fill_n(copy.at(b, l, c), static_cast<std::size_t>(size()), std::byte{0xFF});
    });
    return std::ranges::all_of(copy.bytes_, [](std::byte v) { return v == std::byte{0xFF}; });
  }

 private:
  static constexpr int64_t kGuard = 32;
  int64_t size() const { return static_cast<int64_t>(size_of(type_)); }
  int64_t first() const { return (kGuard - lowest_) * size(); }  // bytes
  static Images shape_of(int64_t images, int64_t lines, int64_t columns, Placing placing) {
    Images s{.images = images, .lines = lines, .columns = columns, .stride = lines * columns, .line_stride = columns};
    if (placing == crop) s.line_stride = columns + 5, s.stride = lines * (columns + 5) + 3;
    if (placing == turned) s.element_stride = -1, s.line_stride = -columns - 2, s.stride = lines * (columns + 2) + 1;
    if (placing == interleaved) s.stride = 1, s.element_stride = images + 1, s.line_stride = columns * (images + 1) + 4;
    return s;
  }
  std::size_t room() {
    int64_t highest = 0;
    for (auto const& [count, stride] : {std::pair{shape_.images, *shape_.stride},
                                        {shape_.lines, *shape_.line_stride},
                                        {shape_.columns, shape_.element_stride}}) {
      lowest_ += std::min<int64_t>(0, (count - 1) * stride), highest += std::max<int64_t>(0, (count - 1) * stride);
    }
    return static_cast<std::size_t>((highest - lowest_ + 1 + 2 * kGuard) * size());
  }

  Type type_;
  Images shape_;
  int64_t lowest_ = 0;
  std::vector<std::byte> bytes_;
};

struct Placings {
  Placing signal = dense, filter = dense, out = dense;
};

struct Scene {
  Problem problem;
  Pictures signal, filter, out;

  Scene(Problem const& p, Rng& rng, Placings const& how = {})
      : problem(p),
        signal(p.type, p.batch, p.lines.signal, p.signal, how.signal),
        filter(filter_type(p), filter_rows(p), p.lines.filter, p.filter, how.filter),
        out(result_type(p), result_rows(p), line_slice(p).length, output_slice(p).length, how.out) {
    signal.fill(rng), filter.fill(rng);
  }
  std::string run(Options const& options) {
    Plan plan(problem, options);
    EXPECT_EQ(plan.output_lines(), out.lines());
    EXPECT_EQ(plan.output_length(), out.columns());
    if (options.memory == Memory::device) {
      const auto x = signal.upload(), h = filter.upload();
      auto y = out.upload();
      plan.set_filter(filter.input(h), Stream{});
      plan.execute(signal.input(x), out.output(y), Stream{});
      out.download(y);
    } else {
      plan.set_filter(filter.input());
      plan.execute(signal.input(), out.output());
    }
    return to_string(problem) + "\n  by " + plan.describe();
  }
};

// ---- what is right ------------------------------------------------------------------------------------------------
// A sum over i and j of x[l - i][k - j] * h[i][j], and what its bound is made of.
template <class R>
struct Sum {
  R value{};
  long double magnitude = 0;
  int64_t terms = 0;
};

// All values of images as R, image by image, line by line, part by part.
template <class R>
class Values {
 public:
  explicit Values(Pictures const& of) : lines_(of.lines()), columns_(of.columns()), parts_(parts_of(of.type())) {
    of.each([&](int64_t b, int64_t l, int64_t c) {
      for (int p = 0; p < parts_; ++p) all_.push_back(of.get<R>(b, l, c, p));
    });
  }
  R at(int64_t image, int64_t line, int64_t column, int part) const {
    return all_[static_cast<std::size_t>(((image * lines_ + line) * columns_ + column) * parts_ + part)];
  }

 private:
  int64_t lines_, columns_, parts_;
  std::vector<R> all_;
};

// What outputs are: by their definition. R: long double, or uint64 modulo 2^64.
template <class R>
class Sums {
 public:
  explicit Sums(Scene const& s) : p_(s.problem), signal_(s.signal), filter_(s.filter) {}

  // One part of output (l, k) of the full convolution of a row.
  Sum<R> of(int64_t row, int64_t l, int64_t k, int part) const {
    const int64_t image = p_.filters == Filters::bank ? row / p_.bank : row;
    const int64_t f = p_.filters == Filters::bank ? row % p_.bank : p_.filters == Filters::per_row ? row : 0;
    Sum<R> out;
    for (int64_t i = 0; i < p_.lines.filter; ++i)
      for (int64_t j = 0; j < p_.filter; ++j) {
        const int64_t y = l - i, x = k - j;
        const bool beyond = y < 0 || y >= p_.lines.signal || x < 0 || x >= p_.signal;
        if (beyond && p_.boundary == Boundary::zero) continue;
        for (int a = 0; a < parts_of(p_.type); ++a)
          if (const int b = a ^ part; b < parts_of(filter_type(p_)))
            add(out, sample(image, y, x, a), tap(f, i, j, b), a == 1 && b == 1);
      }
    return out;
  }

 private:
  R sample(int64_t image, int64_t y, int64_t x, int part) const {
    const int64_t line = detail::extended_index(p_.boundary, y, p_.lines.signal),
                  column = detail::extended_index(p_.boundary, x, p_.signal);
    if (line < 0 || column < 0) return part == 0 ? static_cast<R>(static_cast<int64_t>(p_.constant)) : R{};
    return signal_.at(image, line, column, part);
  }
  R tap(int64_t f, int64_t i, int64_t j, int part) const {
    if (p_.operation == Operation::convolve) return filter_.at(f, i, j, part);
    const R tap = filter_.at(f, p_.lines.filter - 1 - i, p_.filter - 1 - j, part);
    return part == 1 ? R{} - tap : tap;
  }
  static void add(Sum<R>& to, R sample, R tap, bool minus) {
    const R product = sample * tap;
    to.value = minus ? to.value - product : to.value + product;
    ++to.terms;
    if constexpr (std::is_same_v<R, long double>) to.magnitude += std::isfinite(product) ? std::abs(product) : 0;
  }

  Problem const& p_;
  Values<R> signal_, filter_;
};

// Transforms are off by a multiple of the norms of the operands, of all that a block may hold.
inline long double norm(Pictures const& of) {
  long double sum = 0;
  of.each([&](int64_t b, int64_t l, int64_t c) {
    for (int p = 0; p < parts_of(of.type()); ++p) {
      const auto v = of.get<long double>(b, l, c, p);
      sum += std::isfinite(v) ? v * v : 0;
    }
  });
  return std::sqrt(sum);
}

template <class T>
testing::AssertionResult integers_are_right(Scene const& s) {
  const Sums<std::uint64_t> sums(s);
  std::vector<T> got, want;
  const Slice columns = output_slice(s.problem), lines = line_slice(s.problem);
  s.out.each([&](int64_t r, int64_t l, int64_t c) {
    got.push_back(s.out.get<T>(r, l, c, 0));
    const auto sum = sums.of(r, lines.first + l * lines.step, columns.first + c * columns.step, 0);
    want.push_back(static_cast<T>(sum.value));
  });
  return is_equal(std::span<T const>(got), std::span<T const>(want));
}

inline testing::AssertionResult numbers_are_right(Scene const& s, bool transforms) {
  const Slice columns = output_slice(s.problem), lines = line_slice(s.problem);
  const Type sums = sum_type(s.problem), type = result_type(s.problem);
  const long double norms = transforms ? norm(s.signal) * norm(s.filter) : 0;
  const Sums<long double> exact(s);
  std::vector<long double> got;
  std::vector<Expected> want;
  s.out.each([&](int64_t r, int64_t l, int64_t c) {
    for (int p = 0; p < parts_of(type); ++p) {
      got.push_back(s.out.get<long double>(r, l, c, p));
      const auto sum = exact.of(r, lines.first + l * lines.step, columns.first + c * columns.step, p);
      long double bound = direct_bound(sums, sum.terms, sum.magnitude);
      if (transforms) bound += tolerance(sums).unit * 64 * (norms + 1);
      want.push_back(
          {.value = sum.value, .bound = rounded_bound(type, sum.value, bound), .classes = class_of(sum.value)});
    }
  });
  return is_close(std::span<long double const>(got), std::span<Expected const>(want));
}

// Every output is right; of a method that transforms, within its bound.
inline testing::AssertionResult is_right(Scene const& s, bool transforms) {
  if (!s.out.rest_is_untouched()) return testing::AssertionFailure() << "more was written than the output";
  return visit_part(result_type(s.problem), [&]<class T>(std::type_identity<T>) -> testing::AssertionResult {
    if constexpr (is_integer(type_of<T>)) return integers_are_right<T>(s);
    else return numbers_are_right(s, transforms);
  });
}

// Makes samples, unless they are integers, such that products and sums are rounded: the order of a sum shows in its
// bits.
inline void round_sums(Scene& s, Rng& rng) {
  if (is_integer(s.signal.type())) return;
  s.signal.each([&](int64_t b, int64_t l, int64_t c) {
    s.signal.set(b, l, c, 0, static_cast<double>(pick(rng, -30'000, 30'000)) / 9973);
  });
}

// Makes filter `f` the product of a column and a row, rounded to its type.
inline void make_product(Scene& s, int64_t f, Rng& rng) {
  std::vector<double> row;
  const bool whole = is_integer(s.filter.type());
  const auto tap = [&] {
    return whole ? static_cast<double>(pick(rng, 0, 3)) : static_cast<double>(pick(rng, 1, 99)) / 70;
  };
  for (int64_t j = 0; j < s.filter.columns(); ++j) row.push_back(tap());
  row[0] = 1;
  for (int64_t i = 0; i < s.filter.lines(); ++i) {
    const double column = i == 0 ? 1 : tap();
    for (int64_t j = 0; j < s.filter.columns(); ++j)
      s.filter.set(f, i, j, 0, column * row[static_cast<std::size_t>(j)]);
  }
}

}  // namespace gpuconv::test
