// Records what every solver of the linked library makes of generated problems, so that compare.py can prove that
// another revision makes the same of them. Uses nothing but public calls that both revisions have, and neither a row
// stride of 0 nor `Estimate::parameters`, whose meaning may differ between them.
#include "solvers.hpp"

#include <gpuconv/info.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gpuconv::revisions {
namespace {

constexpr std::string_view kUsage =
    "usage: revision_record OUT_FILE [--seed S] [--count N] [--longest SAMPLES] [--products MULTIPLY_ADDS]\n"
    "Writes OUT_FILE.jsonl and OUT_FILE.bin. Operands have --longest samples at most; direct sums of more than\n"
    "--products multiply-adds are left out.\n";

struct Arguments {
  std::string path;
  std::uint64_t seed = 20261125;
  std::int64_t count = 2000, longest = 200'000, products = std::int64_t{1} << 27;
};

Arguments parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option.substr(0, 2) != "--") {
      if (!out.path.empty()) throw std::invalid_argument("two files");
      out.path = option;
      continue;
    }
    if (++i == argc) throw std::invalid_argument(std::string(option) + " without a number");
    const std::uint64_t number = std::stoull(argv[i]);
    if (option == "--seed") out.seed = number;
    else if (number < 1 || number > (std::uint64_t{1} << 40)) throw std::invalid_argument(argv[i]);
    else if (option == "--count") out.count = static_cast<std::int64_t>(number);
    else if (option == "--longest") out.longest = static_cast<std::int64_t>(number);
    else if (option == "--products") out.products = static_cast<std::int64_t>(number);
    else throw std::invalid_argument(std::string(option));
  }
  if (out.path.empty()) throw std::invalid_argument("no file");
  return out;
}

std::string header(Arguments const& a) {
  std::vector<std::string> names;
  for (const Device device : available_devices()) names.push_back(quoted(name(device)));
  return "{\"record\":\"gpuconv revisions\",\"format\":1,\"version\":" + quoted(version()) +
         ",\"seed\":" + quoted(std::to_string(a.seed)) + ",\"count\":" + std::to_string(a.count) +
         ",\"longest\":" + std::to_string(a.longest) + ",\"products\":" + std::to_string(a.products) +
         ",\"simd\":" + quoted(simd_target()) + ",\"devices\":" + list(names) + '}';
}

void record_all(Arguments const& a) {
  const auto begin = std::chrono::steady_clock::now();
  RecordFile file(a.path);
  file.line(header(a));
  std::printf("seed %llu, %lld problems\n", static_cast<unsigned long long>(a.seed), static_cast<long long>(a.count));
  std::fflush(stdout);
  Counts counts;
  for (std::int64_t number = 0; number < a.count; ++number) {
    // Each problem has a generator of its own: none depends on how many come before it.
    Rng rng(Rng(a.seed).bits() + static_cast<std::uint64_t>(number) * 0xd1342543de82ef95u);
    const Case c = make_case(rng, number, a.longest);
    const Data data = make_data(c, rng);
    try {
      file.line(record(number, c, data, a.products, file, counts));
    } catch (std::exception const& e) {
      throw std::runtime_error("problem " + std::to_string(number) + ", " + to_string(c.problem) + ": " + e.what());
    }
  }
  file.finish();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%lld runs, %lld refused, %lld left out; %.1f MB of outputs, %.1f s\n",
              static_cast<long long>(counts.runs), static_cast<long long>(counts.refused),
              static_cast<long long>(counts.left_out), static_cast<double>(file.size()) / 1e6, seconds.count());
}

}  // namespace
}  // namespace gpuconv::revisions

int main(int argc, char** argv) {
  using namespace gpuconv::revisions;
  Arguments arguments;
  try {
    arguments = parse(argc, argv);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "revision_record: %s\n%.*s", e.what(), static_cast<int>(kUsage.size()), kUsage.data());
    return 2;
  }
  try {
    record_all(arguments);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "revision_record: %s\n", e.what());
    return 1;
  }
}
