// The element types of gpuconv: the one table, their names, and the result type of a pair.
#pragma once

#include <gpuconv/export.hpp>
#include <gpuconv/half.hpp>

#include <complex>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

// The one table of element types: NumPy's name, the C++ type and the kind of number. Names, sizes and every choice by
// type in the library follow from it.
#define GPUCONV_ELEMENTS(row)                                                                                  \
  row(int8, std::int8_t, signed_integer) row(int16, std::int16_t, signed_integer)                              \
      row(int32, std::int32_t, signed_integer) row(int64, std::int64_t, signed_integer)                        \
          row(uint8, std::uint8_t, unsigned_integer) row(uint16, std::uint16_t, unsigned_integer)              \
              row(uint32, std::uint32_t, unsigned_integer) row(uint64, std::uint64_t, unsigned_integer)        \
                  row(float32, float, floating) row(float64, double, floating) row(float16, float16, floating) \
                      row(bfloat16, bfloat16, floating) row(complex64, std::complex<float>, complex)           \
                          row(complex128, std::complex<double>, complex)

namespace gpuconv {

#define GPUCONV_NAME(name, element, kind) name,
/// Element types, in the order of the table.
enum class Type : std::uint8_t { GPUCONV_ELEMENTS(GPUCONV_NAME) };
#undef GPUCONV_NAME

#define GPUCONV_ONE(name, element, kind) +1
inline constexpr int type_count = 0 GPUCONV_ELEMENTS(GPUCONV_ONE);
#undef GPUCONV_ONE

namespace detail {

enum class Kind : std::uint8_t { signed_integer, unsigned_integer, floating, complex };

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, bool> || std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

// A 16-bit type of another library or of the compiler, as the one of the table with the same bits.
template <class T>
struct Stored : std::type_identity<T> {};
template <>
struct Stored<::__half> : std::type_identity<float16> {};
template <>
struct Stored<::__nv_bfloat16> : std::type_identity<bfloat16> {};
#ifdef __STDCPP_FLOAT16_T__
template <>
struct Stored<_Float16> : std::type_identity<float16> {};
#endif
#ifdef __STDCPP_BFLOAT16_T__
template <>
struct Stored<decltype(0.0bf16)> : std::type_identity<bfloat16> {};
#endif

// The same type, or one of the same width, signedness and kind: `long long` and `long` are one element type.
template <class A, class B>
constexpr bool same_element() {
  if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
    return sizeof(A) == sizeof(B) && std::is_signed_v<A> == std::is_signed_v<B> &&
           std::is_floating_point_v<A> == std::is_floating_point_v<B>;
  else return std::is_same_v<A, B>;
}

// The row of T in the table, or -1.
template <class T>
constexpr int element_index() {
  using S = typename Stored<T>::type;
  if constexpr (!is_character<S>) {
#define GPUCONV_COMPARE(name, element, kind) \
  if (same_element<S, element>()) return static_cast<int>(Type::name);
    GPUCONV_ELEMENTS(GPUCONV_COMPARE)
#undef GPUCONV_COMPARE
  }
  return -1;
}

}  // namespace detail

/// A C++ type that gpuconv convolves: float, double, std::complex of either, the integers of 8 to 64 bits (not bool or
/// characters), and of 16 bits float16, bfloat16, CUDA's __half and __nv_bfloat16, and std::float16_t and
/// std::bfloat16_t where the compiler has them.
template <class T>
concept Element = (detail::element_index<std::remove_cv_t<T>>() >= 0);

/// The `Type` of a C++ element type.
template <Element T>
inline constexpr Type type_of = static_cast<Type>(detail::element_index<std::remove_cv_t<T>>());

/// Calls `f(std::type_identity<T>{})` with the C++ type of `type`.
template <class F>
constexpr decltype(auto) visit_type(Type type, F&& f) {
  switch (type) {
#define GPUCONV_CASE(name, element, kind) \
  case Type::name:                        \
    return f(std::type_identity<element>{});
    GPUCONV_ELEMENTS(GPUCONV_CASE)
#undef GPUCONV_CASE
  }
  __builtin_unreachable();
}

/// NumPy's name of the type: "int8" ... "complex128". "bfloat16" is that of the package ml_dtypes.
GPUCONV_API std::string_view name(Type type) noexcept;

namespace detail {

// Also asked of values beyond the table, before they are refused.
constexpr Kind kind_of(Type type) noexcept {
#define GPUCONV_KIND(name, element, kind) Kind::kind,
  constexpr Kind kinds[] = {GPUCONV_ELEMENTS(GPUCONV_KIND)};
#undef GPUCONV_KIND
  return static_cast<int>(type) < type_count ? kinds[static_cast<int>(type)] : Kind::floating;
}

template <Type type>
struct ElementOf;
#define GPUCONV_ELEMENT_OF(name, element, kind) \
  template <>                                   \
  struct ElementOf<Type::name> : std::type_identity<element> {};
GPUCONV_ELEMENTS(GPUCONV_ELEMENT_OF)
#undef GPUCONV_ELEMENT_OF

}  // namespace detail

constexpr bool is_complex(Type type) noexcept { return detail::kind_of(type) == detail::Kind::complex; }
/// Whether a real type has a floating point.
constexpr bool is_floating(Type type) noexcept { return detail::kind_of(type) == detail::Kind::floating; }
constexpr bool is_integer(Type type) noexcept { return !is_floating(type) && !is_complex(type); }
constexpr bool is_signed(Type type) noexcept { return detail::kind_of(type) != detail::Kind::unsigned_integer; }

/// Bytes of one element.
constexpr std::size_t size_of(Type type) noexcept {
  return visit_type(type, []<class T>(std::type_identity<T>) { return sizeof(T); });
}

/// The type of an element's real part: that of the complex ones' parts, any other one itself.
constexpr Type part_type(Type type) noexcept {
  return type == Type::complex64 ? Type::float32 : type == Type::complex128 ? Type::float64 : type;
}

namespace detail {

// The least floating precision, in bytes of its type, that holds the values of `type` or comes closest. Also asked of
// values beyond the table, before they are refused.
constexpr int precision(Type type) noexcept {
  if (static_cast<int>(type) >= type_count) return 8;
  if (!is_integer(type)) return static_cast<int>(size_of(part_type(type)));
  return size_of(type) == 1 ? 2 : size_of(type) == 2 ? 4 : 8;
}

}  // namespace detail

/// Type of the result when the caller names none. As `numpy.result_type`, except that integers are widened so that
/// narrow ones cannot overflow silently: int64 if either is signed, else uint64 (int64 with uint64 stays int64, where
/// NumPy goes to float64). float16 with bfloat16 gives float32.
constexpr Type default_result(Type signal, Type filter) noexcept {
  if (is_integer(signal) && is_integer(filter))
    return is_signed(signal) || is_signed(filter) ? Type::int64 : Type::uint64;
  const int a = detail::precision(signal), b = detail::precision(filter), bytes = a > b ? a : b;
  if (is_complex(signal) || is_complex(filter)) return bytes == 8 ? Type::complex128 : Type::complex64;
  if (bytes == 8) return Type::float64;
  const auto is_or_integer = [](Type type, Type half) { return type == half || is_integer(type); };
  for (const Type half : {Type::float16, Type::bfloat16})
    if (bytes == 2 && is_or_integer(signal, half) && is_or_integer(filter, half)) return half;
  return Type::float32;
}

namespace detail {

// Whether T is the C++ type of a real floating element.
template <class T>
inline constexpr bool is_floating_element = is_floating(type_of<T>);

// As visit_type, with the C++ type of an element's parts.
template <class F>
constexpr decltype(auto) visit_part(Type type, F&& f) {
  return visit_type(type, [&]<class T>(std::type_identity<T> element) -> decltype(auto) {
    if constexpr (is_complex(type_of<T>)) return f(std::type_identity<typename T::value_type>{});
    else return f(element);
  });
}

}  // namespace detail

/// C++ type of the result when the caller names none.
template <Element A, Element B>
using result_t = typename detail::ElementOf<default_result(type_of<A>, type_of<B>)>::type;

}  // namespace gpuconv
