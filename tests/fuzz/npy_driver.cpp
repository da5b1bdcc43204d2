// Feeds the .npy reader mutated files, the same ones for the same seed, so that every run of the suite fuzzes a little.
// Usage: npy_driver [SEED [ITERATIONS]]. libFuzzer (npy_fuzzer) goes deeper.
#include "npy_fuzzer.hpp"

#include "npy.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  // A valid file of a random type, shape, order and version, as NumPy writes it or as others do.
  std::string file() {
    const auto type = static_cast<gpuconv::Type>(below(gpuconv::type_count));
    const std::size_t version = 1 + below(3);
    const bool python2 = version < 3 && below(4) == 0;
    std::vector<std::size_t> shape(below(3));
    std::size_t count = 1;
    for (std::size_t& dimension : shape) count *= dimension = below(9);
    const std::string u = python2 ? "u" : "";
    const std::string dictionary = "{" + u + "'descr': " + u + "'" + name(type) + "', " + u +
                                   "'fortran_order': " + (below(2) ? "True" : "False") + ", " + u +
                                   "'shape': " + text(shape, python2 ? "L" : "") + ", }\n";
    std::string out = preamble(version, dictionary.size()) + dictionary;
    for (std::size_t i = 0; i < count * size_of(type); ++i) out += static_cast<char>(below(256));
    return out;
  }

  void mutate(std::string& bytes) {
    for (std::size_t n = below(4); n > 0; --n) change(bytes);
  }

 private:
  static constexpr std::array<std::string_view, 3> kBools{"|b1", "?", "bool"};
  static constexpr std::array<std::string_view, 5> kOrders{"<", ">", "|", "=", ""};
  static constexpr auto kWords = std::to_array<std::string_view>({"True",
                                                                  "False",
                                                                  "(",
                                                                  ")",
                                                                  ",",
                                                                  ":",
                                                                  "'",
                                                                  "\"",
                                                                  "\\",
                                                                  "{",
                                                                  "}",
                                                                  "[",
                                                                  "]",
                                                                  "0",
                                                                  "-1",
                                                                  "9223372036854775807",
                                                                  "18446744073709551616",
                                                                  "4294967296",
                                                                  "'descr'",
                                                                  "'shape'",
                                                                  "'fortran_order'",
                                                                  "<f8",
                                                                  ">i2",
                                                                  "|O",
                                                                  "L",
                                                                  "u",
                                                                  "5L",
                                                                  "+3",
                                                                  "03",
                                                                  "u'shape'",
                                                                  "float64",
                                                                  "uint16",
                                                                  "=l",
                                                                  " \n",
                                                                  "()"});

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  template <class List>
  std::string_view pick(List const& list) {
    return list[below(list.size())];
  }

  // One of the names that NumPy has for the type, or for bool, which is read as uint8.
  std::string name(gpuconv::Type type) {
    if (type == gpuconv::Type::uint8 && below(4) == 0) return std::string(pick(kBools));
    if (!npy::is_in_numpy(type) || below(4) == 0) return std::string(gpuconv::name(type));
    return std::string(pick(kOrders)) + npy::descr_of(type).substr(1);
  }

  static std::string text(std::vector<std::size_t> const& shape, std::string const& suffix) {
    std::string out = "(";
    for (const std::size_t dimension : shape)
      out += std::to_string(dimension) + suffix + (shape.size() == 1 ? "," : ", ");
    return out + ")";
  }

  static std::string preamble(std::size_t version, std::size_t length) {
    std::string out = "\x93NUMPY";
    out += static_cast<char>(version);
    out += '\0';
    for (std::size_t i = 0; i < (version == 1 ? 2u : 4u); ++i) out += static_cast<char>(length >> (8 * i) & 0xff);
    return out;
  }

  void change(std::string& bytes) {
    const std::size_t at = below(bytes.size() + 1);
    switch (below(6)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(at, pick(kWords));
        break;
      case 2:
        bytes.replace(at, below(8), pick(kWords));
        break;
      case 3:
        bytes.erase(at, 1 + below(8));
        break;
      case 4:
        bytes.insert(at, bytes.substr(below(bytes.size() + 1), below(32)));
        break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
    }
  }

  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 1;
  const std::uint64_t iterations = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 30000;
  std::printf("seed %llu, %llu files\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(iterations));
  std::fflush(stdout);
  Mutator mutator(seed);
  for (std::uint64_t i = 0; i < iterations; ++i) {
    std::string bytes = mutator.file();
    mutator.mutate(bytes);
    LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size());
  }
  const std::uint64_t read = arrays_read();
  std::printf("%llu read, %llu refused\n", static_cast<unsigned long long>(read),
              static_cast<unsigned long long>(iterations - read));
  // About a quarter is not mutated at all and has to be read; most mutations hurt and have to be refused.
  const bool plausible = read > iterations / 4 && read < iterations * 3 / 4;
  if (!plausible) std::puts("implausible: the reader takes or refuses too many");
  return plausible ? EXIT_SUCCESS : EXIT_FAILURE;
}
