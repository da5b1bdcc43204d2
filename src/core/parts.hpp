// Complex numbers by their parts: an operand of them is two operands of real numbers, which every loader and storer can
// read and write, and each part of an output is a sum of real convolutions.
#pragma once

#include "access.hpp"

#include <array>

namespace gpuconv::detail {

/// Parts of an element: the real one is 0, the imaginary one, where there is one, 1.
constexpr int parts_of(Type type) { return is_complex(type) ? 2 : 1; }

/// Complex elements as their real parts, which say where the imaginary ones are; real elements as they are.
template <class Void>
constexpr Access<Void> in_parts(Access<Void> access) {
  const Type type = part_type(access.type);
  if (type == access.type) return access;
  access.type = type, access.imaginary = 1;
  access.outer *= 2, access.inner *= 2, access.stride *= 2, access.line *= 2;
  return access;
}

/// The elements' part `part`, as elements of their own. A conjugated operand's imaginary part is not negated yet.
template <class Void>
constexpr Access<Void> part_of(Access<Void> const& access, int part) {
  Access<Void> out = in_parts(access);
  if (part == 1) out = advanced(out, out.imaginary), out.extension.constant = 0;
  out.imaginary = 0;
  return out;
}

/// One of the real convolutions that add up to a part of the outputs, or are taken from it.
struct Term {
  int signal, filter;  // the operands' parts
  bool minus;
};

/// The terms of one part: one, or two.
struct Terms {
  std::array<Term, 2> term;
  int count;

  constexpr Term const* begin() const { return term.data(); }
  constexpr Term const* end() const { return term.data() + count; }
};

/// Of the sums that add up to part `part`: term `i`. (a + ib)(c + id) = ac - bd + i (bc + ad)
constexpr Term term_of(bool complex_signal, bool complex_filter, int part, int i) {
  if (complex_signal && complex_filter) return {part ^ i, i, part == 0 && i == 1};
  return complex_signal ? Term{part, 0, false} : Term{0, part, false};
}
constexpr int term_count(bool complex_signal, bool complex_filter) { return complex_signal && complex_filter ? 2 : 1; }

constexpr int term_count(Work const& w) { return term_count(is_complex(w.signal_type), is_complex(w.filter_type)); }
constexpr Terms terms_of(Work const& w, int part) {
  const bool signal = is_complex(w.signal_type), filter = is_complex(w.filter_type);
  return {{term_of(signal, filter, part, 0), term_of(signal, filter, part, 1)}, term_count(w)};
}

}  // namespace gpuconv::detail
