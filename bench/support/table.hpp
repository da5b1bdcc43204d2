// A table of measurements, printed for people and kept as JSON for programs.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace gpuconv::bench {

struct Table {
  std::string name;
  std::string note;  // what was measured, and how
  std::vector<std::string> columns;
  std::vector<std::vector<nlohmann::json>> rows;

  void print() const;
  nlohmann::json json() const;
};

}  // namespace gpuconv::bench
