// The element types of gpuconv: the one list, their names, and the result type of a pair.
#pragma once

#include <gpuconv/export.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace gpuconv {

/// Element types, in the order of `Elements`.
enum class Type : std::uint8_t { int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64 };

/// The one list of C++ element types; `Type` numbers its entries.
using Elements = std::tuple<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                            std::uint32_t, std::uint64_t, float, double>;

inline constexpr int type_count = static_cast<int>(std::tuple_size_v<Elements>);

namespace detail {

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, bool> || std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

// Same width, signedness and kind: maps `long long` and `long` to the same entry.
template <class A, class B>
inline constexpr bool same_element =
    sizeof(A) == sizeof(B) && std::is_signed_v<A> == std::is_signed_v<B>&& std::is_floating_point_v<A> ==
                                  std::is_floating_point_v<B>;

template <class T, std::size_t I = 0>
constexpr int element_index() {
  if constexpr (!std::is_arithmetic_v<T> || is_character<T> || I == std::tuple_size_v<Elements>) return -1;
  else if constexpr (same_element<T, std::tuple_element_t<I, Elements>>) return static_cast<int>(I);
  else return element_index<T, I + 1>();
}

}  // namespace detail

/// A C++ type that gpuconv convolves: float, double and the integers of 8 to 64 bits (not bool or characters).
template <class T>
concept Element = detail::element_index<std::remove_cv_t<T>>()
>= 0;

/// The `Type` of a C++ element type.
template <Element T>
inline constexpr Type type_of = static_cast<Type>(detail::element_index<std::remove_cv_t<T>>());

/// Calls `f(std::type_identity<T>{})` with the C++ type of `type`.
template <class F>
constexpr decltype(auto) visit_type(Type type, F&& f) {
  switch (type) {
    case Type::int8:
      return f(std::type_identity<std::int8_t>{});
    case Type::int16:
      return f(std::type_identity<std::int16_t>{});
    case Type::int32:
      return f(std::type_identity<std::int32_t>{});
    case Type::int64:
      return f(std::type_identity<std::int64_t>{});
    case Type::uint8:
      return f(std::type_identity<std::uint8_t>{});
    case Type::uint16:
      return f(std::type_identity<std::uint16_t>{});
    case Type::uint32:
      return f(std::type_identity<std::uint32_t>{});
    case Type::uint64:
      return f(std::type_identity<std::uint64_t>{});
    case Type::float32:
      return f(std::type_identity<float>{});
    default:
      return f(std::type_identity<double>{});
  }
}

/// NumPy's name of the type: "int8" ... "float64".
GPUCONV_API std::string_view name(Type type) noexcept;

constexpr bool is_floating(Type type) noexcept { return type >= Type::float32; }
constexpr bool is_signed(Type type) noexcept { return type <= Type::int64 || is_floating(type); }

/// Bytes of one element.
constexpr std::size_t size_of(Type type) noexcept {
  return visit_type(type, []<class T>(std::type_identity<T>) { return sizeof(T); });
}

/// Type of the result when the caller names none. As `numpy.result_type`, except that integers are widened so that
/// they cannot overflow silently: int64 if either is signed, else uint64 (int64 with uint64 stays int64, where NumPy
/// goes to float64).
constexpr Type default_result(Type signal, Type filter) noexcept {
  if (!is_floating(signal) && !is_floating(filter))
    return is_signed(signal) || is_signed(filter) ? Type::int64 : Type::uint64;
  if (signal == Type::float64 || filter == Type::float64) return Type::float64;
  const auto needs_double = [](Type t) { return !is_floating(t) && size_of(t) >= 4; };
  return needs_double(signal) || needs_double(filter) ? Type::float64 : Type::float32;
}

/// C++ type of the result when the caller names none.
template <Element A, Element B>
using result_t = std::tuple_element_t<static_cast<std::size_t>(default_result(type_of<A>, type_of<B>)), Elements>;

}  // namespace gpuconv
