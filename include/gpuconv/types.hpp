// The element types of gpuconv: the one table, their names, and the result type of a pair.
#pragma once

#include <gpuconv/export.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

// The one table of element types: NumPy's name, the C++ type, the kind of number, and the type that sums are computed
// in. Names, sizes and every choice by type in the library follow from it. Integers of either kind are computed modulo
// 2^64 in uint64.
#define GPUCONV_ELEMENTS(row)                                                                                     \
  row(int8, std::int8_t, signed_integer, uint64) row(int16, std::int16_t, signed_integer, uint64)                 \
      row(int32, std::int32_t, signed_integer, uint64) row(int64, std::int64_t, signed_integer, uint64)           \
          row(uint8, std::uint8_t, unsigned_integer, uint64) row(uint16, std::uint16_t, unsigned_integer, uint64) \
              row(uint32, std::uint32_t, unsigned_integer, uint64)                                                \
                  row(uint64, std::uint64_t, unsigned_integer, uint64) row(float32, float, floating, float32)     \
                      row(float64, double, floating, float64)

namespace gpuconv {

#define GPUCONV_NAME(name, element, kind, sum) name,
/// Element types, in the order of the table.
enum class Type : std::uint8_t { GPUCONV_ELEMENTS(GPUCONV_NAME) };
#undef GPUCONV_NAME

#define GPUCONV_ONE(name, element, kind, sum) +1
inline constexpr int type_count = 0 GPUCONV_ELEMENTS(GPUCONV_ONE);
#undef GPUCONV_ONE

namespace detail {

enum class Kind : std::uint8_t { signed_integer, unsigned_integer, floating };

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, bool> || std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

// Same width, signedness and kind: `long long` and `long` are one element type.
template <class A, class B>
inline constexpr bool same_element =
    sizeof(A) == sizeof(B) && std::pair(std::is_signed_v<A>,
                                        std::is_floating_point_v<A>) == std::pair(std::is_signed_v<B>,
                                                                                  std::is_floating_point_v<B>);

// The row of T in the table, or -1.
template <class T>
constexpr int element_index() {
  if constexpr (std::is_arithmetic_v<T> && !is_character<T>) {
#define GPUCONV_COMPARE(name, element, kind, sum) \
  if (same_element<T, element>) return static_cast<int>(Type::name);
    GPUCONV_ELEMENTS(GPUCONV_COMPARE)
#undef GPUCONV_COMPARE
  }
  return -1;
}

}  // namespace detail

/// A C++ type that gpuconv convolves: float, double and the integers of 8 to 64 bits (not bool or characters).
template <class T>
concept Element = (detail::element_index<std::remove_cv_t<T>>() >= 0);

/// The `Type` of a C++ element type.
template <Element T>
inline constexpr Type type_of = static_cast<Type>(detail::element_index<std::remove_cv_t<T>>());

/// Calls `f(std::type_identity<T>{})` with the C++ type of `type`.
template <class F>
constexpr decltype(auto) visit_type(Type type, F&& f) {
  switch (type) {
#define GPUCONV_CASE(name, element, kind, sum) \
  case Type::name:                             \
    return f(std::type_identity<element>{});
    GPUCONV_ELEMENTS(GPUCONV_CASE)
#undef GPUCONV_CASE
  }
  __builtin_unreachable();
}

/// NumPy's name of the type: "int8" ... "float64".
GPUCONV_API std::string_view name(Type type) noexcept;

namespace detail {

// Also asked of values beyond the table, before they are refused.
constexpr Kind kind_of(Type type) noexcept {
#define GPUCONV_KIND(name, element, kind, sum) Kind::kind,
  constexpr Kind kinds[] = {GPUCONV_ELEMENTS(GPUCONV_KIND)};
#undef GPUCONV_KIND
  return static_cast<int>(type) < type_count ? kinds[static_cast<int>(type)] : Kind::floating;
}

template <Type type>
struct ElementOf;
#define GPUCONV_ELEMENT_OF(name, element, kind, sum) \
  template <>                                        \
  struct ElementOf<Type::name> : std::type_identity<element> {};
GPUCONV_ELEMENTS(GPUCONV_ELEMENT_OF)
#undef GPUCONV_ELEMENT_OF

}  // namespace detail

constexpr bool is_floating(Type type) noexcept { return detail::kind_of(type) == detail::Kind::floating; }
constexpr bool is_signed(Type type) noexcept { return detail::kind_of(type) != detail::Kind::unsigned_integer; }

/// Bytes of one element.
constexpr std::size_t size_of(Type type) noexcept {
  return visit_type(type, []<class T>(std::type_identity<T>) { return sizeof(T); });
}

/// Type of the result when the caller names none. As `numpy.result_type`, except that integers are widened so that
/// narrow ones cannot overflow silently: int64 if either is signed, else uint64 (int64 with uint64 stays int64, where
/// NumPy goes to float64).
constexpr Type default_result(Type signal, Type filter) noexcept {
  if (!is_floating(signal) && !is_floating(filter))
    return is_signed(signal) || is_signed(filter) ? Type::int64 : Type::uint64;
  if (signal == Type::float64 || filter == Type::float64) return Type::float64;
  const auto needs_double = [](Type t) { return !is_floating(t) && size_of(t) >= 4; };
  return needs_double(signal) || needs_double(filter) ? Type::float64 : Type::float32;
}

/// C++ type of the result when the caller names none.
template <Element A, Element B>
using result_t = typename detail::ElementOf<default_result(type_of<A>, type_of<B>)>::type;

}  // namespace gpuconv
