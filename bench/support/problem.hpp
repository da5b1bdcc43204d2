// Problems and choices of a plan from JSON, by the names that the library prints:
// {"type": "float32", "batch": 8, "signal": 1000, "taps": 50, "mode": "same", "method": "fft", "threads": 2}.
#pragma once

#include <gpuconv/plan.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace gpuconv::bench {

/// The value with this name. Throws std::invalid_argument.
template <class Enum>
Enum by_name(std::string const& wanted) {
  constexpr int most = std::is_same_v<Enum, Type> ? int{type_count} : std::is_same_v<Enum, Method> ? 5 : 3;
  for (int i = 0; i < most; ++i)
    if (name(static_cast<Enum>(i)) == wanted) return static_cast<Enum>(i);
  throw std::invalid_argument("unknown name " + wanted);
}

/// The number, the named value or the yes or no at `key`; nothing where there is none.
template <class T>
std::optional<T> read(nlohmann::json const& from, const char* key) {
  if (!from.contains(key)) return {};
  if constexpr (std::is_enum_v<T>) return by_name<T>(from.at(key));
  else return from.at(key).get<T>();
}

/// Signal and taps are needed; what else is not there is as in a `Problem`.
inline Problem problem_of(nlohmann::json const& from) {
  Problem p{.signal = from.at("signal"), .filter = from.at("taps")};
  p.batch = read<std::int64_t>(from, "batch").value_or(p.batch);
  p.type = read<Type>(from, "type").value_or(p.type);
  p.filter_type = read<Type>(from, "filter_type");
  p.result_type = read<Type>(from, "result_type");
  p.mode = read<Mode>(from, "mode").value_or(p.mode);
  p.same = read<Same>(from, "same").value_or(p.same);
  p.filters = read<Filters>(from, "filters").value_or(p.filters);
  p.lines.signal = read<std::int64_t>(from, "lines").value_or(p.lines.signal);
  p.lines.filter = read<std::int64_t>(from, "filter_lines").value_or(p.lines.filter);
  p.lines.separable = read<bool>(from, "separable").value_or(p.lines.separable);
  return p;
}

inline Options options_of(nlohmann::json const& from) {
  Options o;
  o.method = read<Method>(from, "method").value_or(o.method);
  o.device = read<Device>(from, "device").value_or(o.device);
  o.threads = read<int>(from, "threads").value_or(o.threads);
  if (from.value("memory", "host") == "device") o.memory = Memory::device, o.device = Device::cuda;
  return o;
}

}  // namespace gpuconv::bench
