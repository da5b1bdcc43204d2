// The loader and the storer for rows of real or complex numbers by their parts, which lie apart in memory of ours: rows
// of real numbers have one part and pass as they do without this.
#pragma once

#include "rows.hpp"
#include "simd_target.hpp"

#include <complex>
#include <optional>

namespace gpuconv::detail {

// Where a row lies as complex numbers of the computed type, or null where it does not.
template <class C, class Void>
auto complex_row(Access<Void> const& access, Loops const& loops, std::int64_t row) {
  using Scalar = std::conditional_t<std::is_const_v<Void>, const C, C>;
  if constexpr (std::is_floating_point_v<C>)
    if (access.template is_array_of<std::complex<C>>())
      return static_cast<Scalar*>(access.data) + 2 * access.offset(loops, row);
  return static_cast<Scalar*>(nullptr);
}

// Those of the real parts, made without a copy where rows are real.
template <class Rows, class Void>
Rows real_parts(Access<Void> const& access, Loops const& loops) {
  if (is_complex(access.type)) return Rows(part_of(access, 0), loops);
  return Rows(access, loops);
}

/// Rows of real or complex numbers, read by their parts as `C`. Access and loops have to live as long.
template <class C>
class PartSource {
 public:
  PartSource(Input const& access, Loops const& loops)
      : access_(access), loops_(loops), re_(real_parts<Source<C>>(access, loops)) {
    if (is_complex(access.type)) im_.emplace(part_of(access, 1), loops);
  }

  /// That of the real parts.
  Source<C> const& re() const { return re_; }
  bool is_extended() const { return re_.is_extended(); }
  int parts() const { return im_ ? 2 : 1; }
  Source<C> const& part(int p) const { return p == 0 ? re_ : *im_; }

  /// `count` elements of `row` from `first` on: the real parts into `to`, the imaginary ones `step` elements behind.
  void load(std::int64_t row, std::int64_t first, std::int64_t count, C* to, std::int64_t step) const {
    if constexpr (std::is_floating_point_v<C>)
      if (const C* const pairs = complex_row<C>(access_, loops_, row))
        return simd_target().kernels<C>().split(pairs + 2 * first, to, to + step, count);
    for (int p = 0; p < parts(); ++p) part(p).load(row, first, count, to + p * step);
  }

  /// The same of the row as it goes on for ever, as Source::load_extended.
  void load_extended(std::int64_t row, std::int64_t size, std::int64_t first, std::int64_t count, C* to,
                     std::int64_t step) const {
    if (!im_) return re_.load_extended(row, size, first, count, to);
    const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, count);
    const std::int64_t end = std::clamp<std::int64_t>(size - first, begin, count);
    if (end > begin) load(row, first + begin, end - begin, to + begin, step);
    for (int p = 0; p < 2; ++p) {
      if (begin > 0) part(p).load_extended(row, size, first, begin, to + p * step);
      if (end < count) part(p).load_extended(row, size, first + end, count - end, to + p * step + end);
    }
  }

  /// Where the row lies as complex numbers of the computed type, or null.
  const C* pairs(std::int64_t row) const { return complex_row<C>(access_, loops_, row); }

 private:
  Input const& access_;
  Loops const& loops_;
  Source<C> re_;
  std::optional<Source<C>> im_;
};

/// Elements of line `y` of an image as it goes on for ever along both axes, as load_extended_line and by their parts,
/// of `lines` x `size` samples.
template <class C>
void load_extended_parts(Input const& images, Loops const& loops, std::int64_t row, std::int64_t lines, std::int64_t y,
                         std::int64_t size, std::int64_t first, std::int64_t count, C* to, std::int64_t step) {
  const std::int64_t there = extended_index(images.extension.boundary, y, lines);
  if (there >= 0) {
    const Input line = at_line(images, there);
    return PartSource<C>(line, loops).load_extended(row, size, first, count, to, step);
  }
  for (int p = 0; p < parts_of(images.type); ++p)
    Source<C>(part_of(images, p), loops).fill_beyond(count, to + p * step);
}

/// Rows of real or complex numbers, written by their parts from `C`. Access and loops have to live as long.
template <class C>
class PartSink {
 public:
  PartSink(Output const& access, Loops const& loops)
      : access_(access), loops_(loops), re_(real_parts<Sink<C>>(access, loops)) {
    if (is_complex(access.type)) im_.emplace(part_of(access, 1), loops);
  }

  /// That of the real parts.
  Sink<C> const& re() const { return re_; }

  /// `count` outputs from `first` on: real parts at `from`, imaginary ones `step` elements behind. `stream`: around the
  /// cache, where that can be.
  void store(std::int64_t row, std::int64_t first, std::int64_t count, const C* from, std::int64_t step,
             bool stream) const {
    if (!im_) return re_.store(row, first, count, from);
    if constexpr (std::is_floating_point_v<C>)
      if (C* const pairs = complex_row<C>(access_, loops_, row))
        return simd_target().kernels<C>().join(from, from + step, pairs + 2 * first, count, stream);
    re_.store(row, first, count, from);
    im_->store(row, first, count, from + step);
  }

 private:
  Output const& access_;
  Loops const& loops_;
  Sink<C> re_;
  std::optional<Sink<C>> im_;
};

/// Filters that take the part of the signal (exchange.hpp): one after the other, converted, complex ones as complex
/// numbers.
template <class C>
class KeptSignals {
 public:
  /// Throws std::bad_alloc.
  KeptSignals(std::int64_t count, std::int64_t elements, int parts)
      : data_(count * elements * parts), elements_(elements), parts_(parts) {}

  void set(Input const& filter, std::int64_t count, Means const&) { set(filter, count, 0, elements_); }
  /// Elements [at, at + some) of each, to as many that `filter` has.
  void set(Input const& filter, std::int64_t count, std::int64_t at, std::int64_t some) {
    if (parts_ == 1) return Source<C>(filter, {}).load_rows(0, count, some, data_.data() + at, elements_);
    for (int p = 0; p < parts_; ++p) {
      const Source<C> from(part_of(filter, p), {});
      const C sign = filter.conjugated && p == 1 ? C(-1) : C(1);
      for (std::int64_t f = 0; f < count; ++f) set_part(from, f, p, sign, at, some);
    }
  }
  void clear() { std::fill_n(data_.data(), data_.bytes() / sizeof(C), C(0)); }

  Input access() const {
    Input out{.data = data_.data(), .type = type_of<C>, .outer = elements_};
    if constexpr (std::is_floating_point_v<C>)
      if (parts_ == 2) out.type = type_of<std::complex<C>>;
    return out;
  }
  std::size_t bytes() const { return data_.bytes(); }

 private:
  void set_part(Source<C> const& from, std::int64_t f, int p, C sign, std::int64_t at, std::int64_t elements) {
    constexpr std::int64_t kTogether = 512;
    C some[kTogether];
    for (std::int64_t i = 0; i < elements; i += kTogether) {
      const std::int64_t count = std::min(kTogether, elements - i);
      from.load(f, i, count, some);
      C* const to = data_.data() + 2 * (f * elements_ + at + i) + p;
      for (std::int64_t k = 0; k < count; ++k) to[2 * k] = sign * some[k];
    }
  }

  AlignedBuffer<C> data_;
  std::int64_t elements_;
  int parts_;
};

}  // namespace gpuconv::detail
