// Numbers in the text of options.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace tool {

/// All of the text as a number, decimal and without spaces; nothing where it is none or `Number` cannot hold it.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return {};
  return value;
}

}  // namespace tool
