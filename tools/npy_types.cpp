#include "npy_types.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <type_traits>

namespace npy {

using gpuconv::Type;

namespace {

constexpr bool kBigEndian = std::endian::native == std::endian::big;

struct Name {
  std::string_view name;
  Type type;
};

// C's types differ between machines, and their names mean those of the machine that reads, as in NumPy.
template <class T>
constexpr Type integer() {
  switch (sizeof(T)) {
    case 1:
      return std::is_signed_v<T> ? Type::int8 : Type::uint8;
    case 2:
      return std::is_signed_v<T> ? Type::int16 : Type::uint16;
    case 4:
      return std::is_signed_v<T> ? Type::int32 : Type::uint32;
    default:
      return std::is_signed_v<T> ? Type::int64 : Type::uint64;
  }
}

// Codes, which a byte order may precede.
constexpr std::array kCodes{
    Name{"i1", Type::int8},
    Name{"i2", Type::int16},
    Name{"i4", Type::int32},
    Name{"i8", Type::int64},
    Name{"u1", Type::uint8},
    Name{"u2", Type::uint16},
    Name{"u4", Type::uint32},
    Name{"u8", Type::uint64},
    Name{"f4", Type::float32},
    Name{"f8", Type::float64},
    Name{"b", integer<signed char>()},
    Name{"h", integer<short>()},
    Name{"i", integer<int>()},
    Name{"l", integer<long>()},
    Name{"q", integer<long long>()},
    Name{"p", integer<std::intptr_t>()},
    Name{"B", integer<unsigned char>()},
    Name{"H", integer<unsigned short>()},
    Name{"I", integer<unsigned int>()},
    Name{"L", integer<unsigned long>()},
    Name{"Q", integer<unsigned long long>()},
    Name{"P", integer<std::uintptr_t>()},
    Name{"f", Type::float32},
    Name{"d", Type::float64},
};

// Names of numpy.sctypeDict, which stand alone.
constexpr std::array kNames{
    Name{"int8", Type::int8},
    Name{"int16", Type::int16},
    Name{"int32", Type::int32},
    Name{"int64", Type::int64},
    Name{"uint8", Type::uint8},
    Name{"uint16", Type::uint16},
    Name{"uint32", Type::uint32},
    Name{"uint64", Type::uint64},
    Name{"float32", Type::float32},
    Name{"float64", Type::float64},
    Name{"byte", integer<signed char>()},
    Name{"short", integer<short>()},
    Name{"intc", integer<int>()},
    Name{"int", integer<long>()},
    Name{"int_", integer<long>()},
    Name{"long", integer<long>()},
    Name{"longlong", integer<long long>()},
    Name{"intp", integer<std::intptr_t>()},
    Name{"int0", integer<std::intptr_t>()},
    Name{"ubyte", integer<unsigned char>()},
    Name{"ushort", integer<unsigned short>()},
    Name{"uintc", integer<unsigned int>()},
    Name{"uint", integer<unsigned long>()},
    Name{"ulong", integer<unsigned long>()},
    Name{"ulonglong", integer<unsigned long long>()},
    Name{"uintp", integer<std::uintptr_t>()},
    Name{"uint0", integer<std::uintptr_t>()},
    Name{"single", Type::float32},
    Name{"float", Type::float64},
    Name{"float_", Type::float64},
    Name{"double", Type::float64},
};

template <class Names>
std::optional<Type> find(Names const& names, std::string_view wanted) {
  for (const Name entry : names)
    if (entry.name == wanted) return entry.type;
  return {};
}

struct Foreign {
  std::string_view start, what;
};

// By how their names start, for the last word on a type that is refused anyway.
constexpr std::array kForeignNames{
    Foreign{"bool", "bool"},
    Foreign{"float", "floating point of this size"},
    Foreign{"half", "floating point of this size"},
    Foreign{"longdouble", "floating point of this size"},
    Foreign{"longfloat", "floating point of this size"},
    Foreign{"complex", "complex"},
    Foreign{"csingle", "complex"},
    Foreign{"cdouble", "complex"},
    Foreign{"cfloat", "complex"},
    Foreign{"clong", "complex"},
    Foreign{"longcomplex", "complex"},
    Foreign{"singlecomplex", "complex"},
    Foreign{"bytes", "byte strings"},
    Foreign{"string", "byte strings"},
    Foreign{"str", "Unicode strings"},
    Foreign{"unicode", "Unicode strings"},
    Foreign{"object", "pickled Python objects"},
    Foreign{"datetime64", "dates"},
    Foreign{"timedelta64", "time differences"},
    Foreign{"void", "raw bytes"},
};

// Of codes such as "<c8" and "M8[ns]": one letter, a size, a unit.
constexpr std::array kForeignCodes{
    Foreign{"b", "bool"},
    Foreign{"?", "bool"},
    Foreign{"e", "floating point of this size"},
    Foreign{"f", "floating point of this size"},
    Foreign{"g", "floating point of this size"},
    Foreign{"c", "complex"},
    Foreign{"F", "complex"},
    Foreign{"D", "complex"},
    Foreign{"G", "complex"},
    Foreign{"S", "byte strings"},
    Foreign{"a", "byte strings"},
    Foreign{"U", "Unicode strings"},
    Foreign{"O", "pickled Python objects"},
    Foreign{"M", "dates"},
    Foreign{"m", "time differences"},
    Foreign{"V", "raw bytes"},
};

}  // namespace

std::optional<ElementType> element_type(std::string_view name) {
  if (const auto type = find(kNames, name)) return ElementType{*type};
  char order = '=';
  if (!name.empty() && std::string_view("<>=|").find(name[0]) != name.npos) order = name[0], name.remove_prefix(1);
  const auto type = find(kCodes, name);
  if (!type) return {};
  const bool ordered = gpuconv::size_of(*type) > 1 && (order == '<' || order == '>');
  return ElementType{*type, ordered && (order == '>') != kBigEndian};
}

std::string_view foreign_type(std::string_view name) {
  for (const Foreign entry : kForeignNames)
    if (name.starts_with(entry.start)) return entry.what;
  if (!name.empty() && std::string_view("<>=|").find(name[0]) != name.npos) name.remove_prefix(1);
  const std::string_view size = name.substr(name.empty() ? 0 : 1);
  if (size.substr(0, size.find('[')).find_first_not_of("0123456789") != size.npos) return "unknown";
  for (const Foreign entry : kForeignCodes)
    if (name.starts_with(entry.start)) return entry.what;
  return "unknown";
}

}  // namespace npy
