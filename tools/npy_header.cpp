// The header of a .npy file: a Python dictionary literal, which may come from anywhere and say anything.
#include "npy.hpp"
#include "npy_types.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace npy {

using gpuconv::Type;

namespace {

// Text from a file as it may appear in an error: printable and short.
std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string out = "'";
  for (const char c : text.substr(0, kLongest)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kLongest ? "...'" : "'");
}

class Parser {
 public:
  Parser(std::string_view text, int version, std::string const& file) : text_(text), version_(version), file_(file) {}

  Header parse() {
    skip_first_lines();
    if (!accept('{')) fail("the header starts with " + given() + "; a dictionary is expected");
    while (!next_is('}')) {
      entry();
      if (!accept(',') && !next_is('}')) fail(given() + " in the header; ',' or '}' is expected");
    }
    expect('}');
    skip_space();
    if (at_ != text_.size()) fail("the header's dictionary is followed by " + given() + "; nothing is expected");
    if (!has_descr_) missing("descr");
    if (!has_order_) missing("fortran_order");
    if (!has_shape_) missing("shape");
    return header_;
  }

 private:
  void entry() {
    const std::string_view key = string("a key of the header");
    expect(':');
    if (key == "descr") first(has_descr_, key), element();
    else if (key == "fortran_order") first(has_order_, key), header_.fortran_order = boolean();
    else if (key == "shape") first(has_shape_, key), shape();
    else fail("the header has the key " + quoted(key) + "; " + expected_keys());
  }

  [[noreturn]] void missing(std::string const& key) const {
    fail("the header has no key '" + key + "'; " + expected_keys());
  }
  static std::string expected_keys() { return "'descr', 'fortran_order' and 'shape' are expected, and no others"; }

  // Python takes the last one; a file that says two things is no file to convolve.
  void first(bool& seen, std::string_view key) {
    if (seen) fail("the header has the key " + quoted(key) + " twice");
    seen = true;
  }

  void element() {
    if (next_is('[')) throw Unsupported(file_, "the element type is a structure; " + expected_types());
    if (next_is('(')) throw Unsupported(file_, "the element type is a subarray; " + expected_types());
    const std::string_view descr = string("'descr'");
    const std::optional<ElementType> element = element_type(descr);
    if (!element)
      throw Unsupported(file_, "the element type is " + quoted(descr) + " (" + std::string(foreign_type(descr)) +
                                   "); " + expected_types());
    header_.type = element->type;
    header_.swapped = element->swapped;
    header_.logical = element->logical;
  }

  static std::string expected_types() {
    std::string types;
    for (int i = 0; i < gpuconv::type_count; ++i)
      if (const auto type = static_cast<Type>(i); is_in_numpy(type)) types += std::string(name(type)) + ", ";
    return types + "or bool is expected";
  }

  bool boolean() {
    skip_space();
    for (const bool value : {true, false})
      if (word() == (value ? "True" : "False")) return at_ += word().size(), value;
    fail("'fortran_order' is " + given() + "; True or False is expected");
  }

  void shape() {
    if (!accept('(')) fail("'shape' is " + given() + "; " + expected_shape());
    bool comma = true;
    while (!next_is(')')) {
      if (!comma) fail(given() + " in the shape; ',' or ')' is expected");
      header_.shape.push_back(dimension());
      comma = accept(',');
    }
    expect(')');
    if (header_.shape.size() == 1 && !comma) fail("'shape' is a number in parentheses; " + expected_shape());
  }

  static std::string expected_shape() { return "a tuple such as (), (3,) or (3, 4) is expected"; }

  std::int64_t dimension() {
    skip_space();
    const std::string given_here = given();
    const bool negative = text_.substr(at_, 1) == "-";
    if (negative || text_.substr(at_, 1) == "+") ++at_;
    const std::string_view digits = word().substr(0, word().find_first_not_of("0123456789"));
    const std::size_t end = at_ += digits.size();
    if (!digits.empty() && next_is('L') && word() == "L" && on_one_line(end, at_)) python2_long();
    const bool leading_zero = digits.starts_with('0') && digits.find_first_not_of('0') != digits.npos;
    if (digits.empty() || leading_zero || !word().empty())
      fail("a dimension of the shape is " + given_here + "; a decimal number is expected");
    std::int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc())
      fail("a dimension of the shape overflows 64 bits: " + given_here);
    if (negative && value != 0) fail("a dimension of the shape is negative: " + given_here);
    return value;
  }

  bool on_one_line(std::size_t begin, std::size_t end) const {
    return text_.substr(begin, end - begin).find_first_of("\r\n") == text_.npos;
  }

  // The L of 5L, as Python 2 wrote long integers; version 3.0 is younger than that.
  void python2_long() {
    if (version_ > 2)
      fail("a long integer of Python 2 in a header of version 3.0; it is expected in 1.0 and 2.0 alone");
    ++at_;
  }

  // The text between quotes. Escapes would have to be understood, and nobody writes them.
  std::string_view string(std::string const& what) {
    skip_space();
    const std::size_t start = at_;
    if (word().size() == 1 && std::string_view("uUrR").find(word()[0]) != std::string_view::npos) ++at_;
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') at_ = start, fail(what + " is " + given() + "; a string is expected");
    const std::size_t begin = at_ + 1, end = text_.find(quote, begin);
    if (end == std::string_view::npos) fail("a string of the header is not closed");
    const std::string_view content = text_.substr(begin, end - begin);
    if (content.find_first_of("\\\r\n") != content.npos)
      fail(what + " is " + quoted(content) + "; a string without escapes is expected");
    at_ = end + 1;
    return content;
  }

  // As in Python: spaces may precede the dictionary on the first line, and nothing may on a later one.
  void skip_first_lines() {
    at_ = std::min(text_.find_first_not_of(" \t"), text_.size());
    const std::size_t begin = at_;
    skip_space();
    if (at_ > begin && (text_[at_ - 1] == ' ' || text_[at_ - 1] == '\t'))
      fail("the header's dictionary is indented on a line of its own; it is expected at the line's start");
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n\f", at_), text_.size()); }
  bool next_is(char c) {
    skip_space();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool accept(char c) { return next_is(c) && ++at_; }
  void expect(char c) {
    if (!accept(c)) fail(given() + " in the header; '" + c + "' is expected");
  }

  // The letters, digits, underscores and dots that come next.
  std::string_view word() const {
    std::size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
  }

  // The next characters, for the text of an error.
  std::string given() {
    skip_space();
    if (at_ == text_.size()) return "its end";
    return quoted(text_.substr(at_, text_.find_first_of(",:)]}\n", at_ + 1) - at_));
  }
  [[noreturn]] void fail(std::string const& cause) const { throw Malformed(file_, cause); }

  std::string_view text_;
  int version_;
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

Header parse_header(std::string_view dictionary, int version, std::string const& file) {
  Header header = Parser(dictionary, version, file).parse();
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

std::string format_header(std::string_view descr, Shape const& shape) {
  std::string dictionary =
      "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': " + to_string(shape) + ", }";
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
