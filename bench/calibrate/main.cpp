// Measures what the cost models of the CPU solvers need (src/cpu/cost.hpp and the cost sections of src/cpu/*.cpp) and
// how good the planner's choices are.
#include "sections.hpp"

#include <gpuconv/info.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <map>
#include <set>

int main(int argc, char** argv) {
  using namespace gpuconv::bench;
  CLI::App app("Measures the constants of gpuconv's cost models, and the regret of its planner.");
  const std::map<std::string, std::function<std::vector<Table>(Settings const&)>> sections{
      {"direct", calibrate_direct},
      {"blocks", calibrate_blocks},
      {"overhead", calibrate_overhead},
      {"regret", measure_regret}};
  std::set<std::string> names, wanted;
  for (auto const& [name, section] : sections) names.insert(name);
  bool quick = false;
  int threads = gpuconv::hardware_threads();
  std::string json_path;
  app.add_option("sections", wanted, "what to measure; everything if none is named")->check(CLI::IsMember(names));
  app.add_flag("--quick", quick, "fewer sizes, shorter measurements");
  app.add_option("--threads", threads, "CPU threads at most")->check(CLI::PositiveNumber);
  app.add_option("--json", json_path, "write the tables here too");
  CLI11_PARSE(app, argc, argv);

  try {
    const Settings settings{quick, threads, {.seconds = quick ? 0.01 : 0.05, .least = quick ? 3 : 7}};
    nlohmann::json tables = nlohmann::json::array();
    std::printf("gpuconv %s, %s, %d threads%s\n", std::string(gpuconv::version()).c_str(),
                std::string(gpuconv::simd_target()).c_str(), threads, quick ? ", quick" : "");
    for (auto const& [name, section] : sections) {
      if (!wanted.empty() && !wanted.contains(name)) continue;
      for (Table const& table : section(settings)) {
        if (table.rows.size() < 200) table.print();
        tables.push_back(table.json());
      }
    }
    if (json_path.empty()) return 0;
    std::ofstream file(json_path);
    file << tables.dump(1) << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + json_path);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "gpuconv_calibrate: %s\n", e.what());
    return 1;
  }
}
