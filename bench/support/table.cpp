#include "table.hpp"

#include <algorithm>
#include <cstdio>

namespace gpuconv::bench {
namespace {

std::string cell(nlohmann::json const& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.is_null() ? "-" : value.dump();
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value.get<double>());
  return text;
}

}  // namespace

void Table::print() const {
  std::vector<std::size_t> widths;
  for (auto const& c : columns) widths.push_back(c.size());
  for (auto const& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], cell(row[i]).size());

  std::printf("\n## %s\n%s\n", name.c_str(), note.c_str());
  const auto line = [&](auto const& row, auto text) {
    for (std::size_t i = 0; i < row.size(); ++i)
      std::printf("%*s  ", static_cast<int>(widths[i]), text(row[i]).c_str());
    std::printf("\n");
  };
  line(columns, [](std::string const& s) { return s; });
  for (auto const& row : rows) line(row, cell);
  std::fflush(stdout);
}

nlohmann::json Table::json() const { return {{"name", name}, {"note", note}, {"columns", columns}, {"rows", rows}}; }

}  // namespace gpuconv::bench
