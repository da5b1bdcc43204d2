#include "npy_types.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>

namespace npy {

using gpuconv::Type;

namespace {

constexpr bool kBigEndian = std::endian::native == std::endian::big;

// C's types differ between machines, and their names mean those of the machine that reads, as in NumPy.
template <class T>
constexpr Type kOfC = gpuconv::type_of<T>;

struct Name {
  std::string_view name;
  Type type;
};

// The letters of NumPy's types; the sign of a byte order may precede them, as it may the codes of descr_of.
constexpr std::array kLetters{
    Name{"b", kOfC<signed char>},
    Name{"h", kOfC<short>},
    Name{"i", kOfC<int>},
    Name{"l", kOfC<long>},
    Name{"q", kOfC<long long>},
    Name{"p", kOfC<std::intptr_t>},
    Name{"B", kOfC<unsigned char>},
    Name{"H", kOfC<unsigned short>},
    Name{"I", kOfC<unsigned int>},
    Name{"L", kOfC<unsigned long>},
    Name{"Q", kOfC<unsigned long long>},
    Name{"P", kOfC<std::uintptr_t>},
    Name{"e", Type::float16},
    Name{"f", Type::float32},
    Name{"d", Type::float64},
    Name{"F", Type::complex64},
    Name{"D", Type::complex128},
};

// Names of numpy.sctypeDict beside those that the types have here. They stand alone.
constexpr std::array kNames{
    Name{"byte", kOfC<signed char>},
    Name{"short", kOfC<short>},
    Name{"intc", kOfC<int>},
    Name{"int", kOfC<long>},
    Name{"int_", kOfC<long>},
    Name{"long", kOfC<long>},
    Name{"longlong", kOfC<long long>},
    Name{"intp", kOfC<std::intptr_t>},
    Name{"int0", kOfC<std::intptr_t>},
    Name{"ubyte", kOfC<unsigned char>},
    Name{"ushort", kOfC<unsigned short>},
    Name{"uintc", kOfC<unsigned int>},
    Name{"uint", kOfC<unsigned long>},
    Name{"ulong", kOfC<unsigned long>},
    Name{"ulonglong", kOfC<unsigned long long>},
    Name{"uintp", kOfC<std::uintptr_t>},
    Name{"uint0", kOfC<std::uintptr_t>},
    Name{"half", Type::float16},
    Name{"single", Type::float32},
    Name{"float", Type::float64},
    Name{"float_", Type::float64},
    Name{"double", Type::float64},
    Name{"csingle", Type::complex64},
    Name{"singlecomplex", Type::complex64},
    Name{"cdouble", Type::complex128},
    Name{"cfloat", Type::complex128},
    Name{"complex", Type::complex128},
    Name{"complex_", Type::complex128},
};

constexpr std::array<std::string_view, 3> kBoolNames{"bool", "bool_", "bool8"};

template <class Names>
std::optional<Type> find(Names const& names, std::string_view wanted) {
  for (const Name entry : names)
    if (entry.name == wanted) return entry.type;
  return {};
}

// The type of this library's table of which `text` is what it is wanted to be.
template <class Text>
std::optional<Type> find_by(Text const& text, std::string_view wanted) {
  for (int i = 0; i < gpuconv::type_count; ++i)
    if (const auto type = static_cast<Type>(i); is_in_numpy(type) && text(type) == wanted) return type;
  return {};
}

// The kind of number and its bytes: "i2", "c16".
std::string code_of(Type type) {
  const char kind = is_complex(type) ? 'c' : is_floating(type) ? 'f' : is_signed(type) ? 'i' : 'u';
  return kind + std::to_string(size_of(type));
}

struct Foreign {
  std::string_view start, what;
};

// By how their names start, for the last word on a type that is refused anyway.
constexpr std::array kForeignNames{
    Foreign{"float", "floating point of this size"},
    Foreign{"longdouble", "floating point of this size"},
    Foreign{"longfloat", "floating point of this size"},
    Foreign{"complex", "complex of this size"},
    Foreign{"clong", "complex of this size"},
    Foreign{"longcomplex", "complex of this size"},
    Foreign{"bytes", "byte strings"},
    Foreign{"string", "byte strings"},
    Foreign{"str", "Unicode strings"},
    Foreign{"unicode", "Unicode strings"},
    Foreign{"object", "pickled Python objects"},
    Foreign{"datetime64", "dates"},
    Foreign{"timedelta64", "time differences"},
    Foreign{"void", "raw bytes"},
};

// Codes such as "<c8" and "M8[ns]" have one letter, a size, a unit.
constexpr std::array kForeignCodes{
    Foreign{"f", "floating point of this size"},
    Foreign{"g", "floating point of this size"},
    Foreign{"c", "complex of this size"},
    Foreign{"G", "complex of this size"},
    Foreign{"S", "byte strings"},
    Foreign{"a", "byte strings"},
    Foreign{"U", "Unicode strings"},
    Foreign{"O", "pickled Python objects"},
    Foreign{"M", "dates"},
    Foreign{"m", "time differences"},
    Foreign{"V", "raw bytes"},
};

}  // namespace

bool is_in_numpy(Type type) { return type != Type::bfloat16; }

std::string descr_of(Type type) {
  if (!is_in_numpy(type)) throw gpuconv::InvalidArgument("NumPy has no type " + std::string(name(type)));
  return (size_of(type) == 1 ? '|' : kBigEndian ? '>' : '<') + code_of(type);
}

std::optional<ElementType> element_type(std::string_view name) {
  if (std::find(kBoolNames.begin(), kBoolNames.end(), name) != kBoolNames.end())
    return ElementType{.type = Type::uint8, .logical = true};
  if (const auto type = find_by([](Type t) { return gpuconv::name(t); }, name)) return ElementType{*type};
  if (const auto type = find(kNames, name)) return ElementType{*type};
  char order = '=';
  if (!name.empty() && std::string_view("<>=|").find(name[0]) != name.npos) order = name[0], name.remove_prefix(1);
  if (name == "b1" || name == "?") return ElementType{.type = Type::uint8, .logical = true};
  auto type = find_by(code_of, name);
  if (!type) type = find(kLetters, name);
  if (!type) return {};
  const bool ordered = size_of(*type) > 1 && (order == '<' || order == '>');
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
