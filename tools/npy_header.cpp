// The header of a .npy file: a Python dictionary literal, which may come from anywhere and say anything.
#include "npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

namespace npy {

using gpuconv::Type;

namespace {

constexpr bool kBigEndian = std::endian::native == std::endian::big;

// Text from a file as it may appear in an error: printable and short.
std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string out = "'";
  for (const char c : text.substr(0, kLongest)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kLongest ? "...'" : "'");
}

// What the elements of a NumPy kind are, where gpuconv has no such type.
std::string_view foreign_kind(char kind) {
  switch (kind) {
    case 'b':
    case '?':
      return "bool";
    case 'c':
      return "complex";
    case 'f':
      return "floating point of this size";
    case 'S':
    case 'a':
      return "byte strings";
    case 'U':
      return "Unicode strings";
    case 'O':
      return "pickled Python objects";
    case 'M':
      return "dates";
    case 'm':
      return "time differences";
    case 'V':
      return "raw bytes";
    default:
      return "unknown";
  }
}

std::optional<Type> element_type(std::string_view code) {
  for (int i = 0; i < gpuconv::type_count; ++i) {
    const auto type = static_cast<Type>(i);
    const char kind = gpuconv::is_floating(type) ? 'f' : gpuconv::is_signed(type) ? 'i' : 'u';
    if (code.size() == 2 && code[0] == kind && code[1] == static_cast<char>('0' + gpuconv::size_of(type))) return type;
  }
  return {};
}

class Parser {
 public:
  Parser(std::string_view text, std::string const& file) : text_(text), file_(file) {}

  Header parse() {
    expect('{');
    while (!next_is('}')) {
      entry();
      if (!accept(',') && !next_is('}')) fail("',' or '}' expected in the header");
    }
    expect('}');
    skip_space();
    if (at_ != text_.size()) fail("text after the header's dictionary");
    if (!has_descr_ || !has_order_ || !has_shape_)
      fail(std::string("the header has no ") + (!has_descr_ ? "'descr'" : !has_order_ ? "'fortran_order'" : "'shape'"));
    return header_;
  }

 private:
  void entry() {
    const std::string_view key = string();
    expect(':');
    if (key == "descr") first(has_descr_, key), element();
    else if (key == "fortran_order") first(has_order_, key), header_.fortran_order = boolean();
    else if (key == "shape") first(has_shape_, key), shape();
    else skip_value(0);
  }

  void first(bool& seen, std::string_view key) {
    if (seen) fail("the header has " + quoted(key) + " twice");
    seen = true;
  }

  void element() {
    if (next_is('[')) throw Unsupported(file_, "the element type is a structure; " + expected_types());
    if (next_is('(')) throw Unsupported(file_, "the element type is a subarray; " + expected_types());
    const std::string_view descr = string();
    std::string_view code = descr;
    char order = '=';
    if (!code.empty() && std::string_view("<>=|").find(code[0]) != code.npos) order = code[0], code.remove_prefix(1);
    const std::optional<Type> type = element_type(code);
    if (!type) {
      const std::string_view kind = code.empty() ? "unknown" : foreign_kind(code[0]);
      throw Unsupported(file_,
                        "the element type is " + quoted(descr) + " (" + std::string(kind) + "); " + expected_types());
    }
    header_.type = *type;
    header_.swapped = gpuconv::size_of(*type) > 1 && (order == '<' || order == '>') && (order == '>') != kBigEndian;
  }

  static std::string expected_types() { return "integers of 8 to 64 bits, float32 or float64 are expected"; }

  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) == word) return at_ += word.size(), value;
    }
    fail("'fortran_order' is neither True nor False");
  }

  void shape() {
    if (!accept('(')) fail("'shape' is not a tuple");
    bool comma = true;
    while (!next_is(')')) {
      if (!comma) fail("',' or ')' expected in the shape");
      header_.shape.push_back(dimension());
      comma = accept(',');
    }
    expect(')');
    if (header_.shape.size() == 1 && !comma) fail("'shape' is not a tuple");
  }

  std::int64_t dimension() {
    skip_space();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) fail("a dimension of the shape overflows 64 bits");
    if (error != std::errc()) fail("a dimension of the shape is not an integer");
    if (value < 0) fail("a dimension of the shape is negative: " + std::to_string(value));
    at_ = static_cast<std::size_t>(end - text_.data());
    accept('L');  // a long integer, as Python 2 wrote them
    return value;
  }

  // A value that does not matter, of an unknown key.
  void skip_value(int depth) {
    constexpr int kDeepest = 32;
    if (depth > kDeepest) fail("the header is nested too deeply");
    skip_space();
    if (next_is('\'') || next_is('"')) return void(string());
    for (const std::string_view brackets : {"()", "[]", "{}"})
      if (accept(brackets[0])) return skip_items(brackets[1], depth);
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view(",:)]} \t\r\n\f\v'\"([{").find(text_[at_]) == std::string_view::npos)
      ++at_;
    if (at_ == begin) fail("a value is missing in the header");
  }

  void skip_items(char close, int depth) {
    while (!accept(close)) {
      skip_value(depth + 1);
      if (!accept(',') && !accept(':') && !next_is(close)) fail("a bracket is not closed in the header");
    }
  }

  // The text between quotes, with its escapes left as they are.
  std::string_view string() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a string is expected in the header");
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) at_ += text_[at_] == '\\' ? 2u : 1u;
    if (at_ >= text_.size()) fail("a string of the header is not closed");
    return text_.substr(begin, at_++ - begin);
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n\f\v").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool next_is(char c) {
    skip_space();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool accept(char c) { return next_is(c) && ++at_; }
  void expect(char c) {
    if (!accept(c)) fail(std::string("'") + c + "' expected in the header");
  }
  [[noreturn]] void fail(std::string const& cause) const { throw Malformed(file_, cause); }

  std::string_view text_;
  std::string const& file_;
  std::size_t at_ = 0;
  Header header_;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

// Dimensions of zero are left out, so that any product of some of them fits as well.
void check_size(Header const& header, std::string const& file) {
  auto bytes = static_cast<std::int64_t>(gpuconv::size_of(header.type));
  for (const std::int64_t dimension : header.shape)
    if (dimension != 0 && __builtin_mul_overflow(bytes, dimension, &bytes))
      throw Malformed(file, "the shape " + to_string(header.shape) + " overflows 64-bit sizes");
}

}  // namespace

Header parse_header(std::string_view dictionary, std::string const& file) {
  Header header = Parser(dictionary, file).parse();
  check_size(header, file);
  return header;
}

std::string to_string(Shape const& shape) {
  constexpr std::size_t kLongest = 8;
  std::string out = "(";
  for (std::size_t i = 0; i < std::min(shape.size(), kLongest); ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(shape[i]);
  }
  if (shape.size() > kLongest) out += ", ...";
  return out + (shape.size() == 1 ? ",)" : ")");
}

std::string format_header(Type type, Shape const& shape) {
  const std::size_t size = gpuconv::size_of(type);
  const char order = size == 1 ? '|' : kBigEndian ? '>' : '<';
  const char kind = gpuconv::is_floating(type) ? 'f' : gpuconv::is_signed(type) ? 'i' : 'u';
  std::string dictionary = std::string("{'descr': '") + order + kind + std::to_string(size) +
                           "', 'fortran_order': False, 'shape': " + to_string(shape) + ", }";
  constexpr std::size_t kBeforeDictionary = 10, kAlignment = 64;
  const std::size_t used = kBeforeDictionary + dictionary.size() + 1;
  dictionary.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(dictionary.size() & 0xff);
  out += static_cast<char>(dictionary.size() >> 8);
  return out + dictionary;
}

}  // namespace npy
