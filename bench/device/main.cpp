// Times every solver of the table on a GPU, one problem after the other.
//
//   gpuconv_bench_device --info     what GPU there is, as JSON; exit status 0 also where there is none
//   gpuconv_bench_device            reads a problem (JSON, see jobs.hpp) from each line of stdin and answers each with
//   a
//                                   line: {"record": {...}} or {"error": "..."}
//
// Exit status 77 where there is no GPU. On the emulated GPU everything is computed and nothing timed.
#include "info.hpp"
#include "jobs.hpp"

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  using namespace gpuconv;
  using nlohmann::json;
  const json info = bench::device_info();
  if (argc == 2 && std::string_view(argv[1]) == "--info") {
    std::puts(info.dump(1).c_str());
    return 0;
  }
  if (argc > 1) {
    std::fputs("usage: gpuconv_bench_device [--info] < problems\n", stderr);
    return 2;
  }
  if (!info["available"].get<bool>()) {
    std::fprintf(stderr, "no GPU: %s\n", info["detail"].get<std::string>().c_str());
    return 77;
  }
  const bool timed = !bench::is_emulated();
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      answer["record"] = bench::run(bench::job_from(json::parse(line)), timed);
    } catch (std::exception const& error) {
      answer["error"] = error.what();
    }
    std::puts(answer.dump().c_str());
    std::fflush(stdout);
  }
  return 0;
}
