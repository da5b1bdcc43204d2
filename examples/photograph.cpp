// Edges, a blur and a search in a photograph: Sobel's slopes, a Gaussian, and the place in the blurred photograph that
// is most like a detail of the sharp one, by normalised cross-correlation. `./dev demo` runs it and draws what it
// writes.
#include "npy.hpp"

#include <gpuconv/gpuconv.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using gpuconv::HostView, gpuconv::Images;

constexpr double kSigma = 3;  // of the blur, in pixels

// The head of a man who climbs the stairs.
struct Detail {
  std::int64_t line = 240, column = 402, lines = 40, columns = 44;
};

// An image of float64 in memory.
struct Picture {
  std::int64_t lines, columns;
  std::vector<double> pixels = std::vector<double>(static_cast<std::size_t>(lines * columns));

  HostView<double> view() { return {pixels.data(), Images{.lines = lines, .columns = columns}}; }
  void write(std::filesystem::path const& path) const {
    npy::write(path, HostView(pixels.data(), {.rows = lines, .columns = columns}));
  }
};

npy::Array read_photograph(std::string const& path, Detail const& detail) {
  npy::Array array = npy::read(path);
  if (array.type() != gpuconv::Type::uint8 || array.shape().size() != 2)
    throw std::runtime_error(path + ": " + std::string(gpuconv::name(array.type())) + ", " +
                             std::to_string(array.shape().size()) + "-D; a photograph is uint8, 2-D");
  if (array.rows() < detail.line + detail.lines || array.columns() < detail.column + detail.columns)
    throw std::runtime_error(path + ": " + npy::to_string(array.shape()) + " pixels, which do not hold the detail");
  return array;
}

template <class F>
void timed(const char* what, F const& f) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  f();
  std::printf("  %-42s %6.2f ms\n", what, std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
}

void run(std::string const& path, std::filesystem::path const& folder) {
  const Detail detail;
  const npy::Array array = read_photograph(path, detail);
  const std::int64_t lines = array.rows(), columns = array.columns();
  const auto pixels = array.values<std::uint8_t>();
  const HostView photograph(pixels.data(), Images{.lines = lines, .columns = columns});
  // The detail is a part of the photograph, seen with its line stride: nothing is copied.
  const HostView pattern(pixels.data() + detail.line * columns + detail.column,
                         Images{.lines = detail.lines, .columns = detail.columns, .line_stride = columns});
  std::printf("%s: %lld x %lld pixels\n", path.c_str(), static_cast<long long>(lines), static_cast<long long>(columns));

  Picture edges{lines, columns}, blurred{lines, columns};
  Picture similarity{lines - detail.lines + 1, columns - detail.columns + 1};
  timed("Sobel, both slopes and their magnitude", [&] { gpuconv::recipes::sobel(photograph, edges.view()); });
  timed("Gaussian blur", [&] { gpuconv::recipes::gaussian_blur(photograph, blurred.view(), {.sigma = kSigma}); });
  timed("search for the detail in the blurred one",
        [&] { gpuconv::recipes::match_template(blurred.view(), pattern, similarity.view()); });

  const auto best = std::max_element(similarity.pixels.begin(), similarity.pixels.end());
  const std::int64_t at = best - similarity.pixels.begin();
  const Detail found{at / similarity.columns, at % similarity.columns, detail.lines, detail.columns};
  std::printf("The detail of line %lld, column %lld is found at line %lld, column %lld: correlation %.3f\n",
              static_cast<long long>(detail.line), static_cast<long long>(detail.column),
              static_cast<long long>(found.line), static_cast<long long>(found.column), *best);

  std::filesystem::create_directories(folder);
  edges.write(folder / "edges.npy");
  blurred.write(folder / "blurred.npy");
  similarity.write(folder / "similarity.npy");
  const auto place = [](Detail const& d) {
    return nlohmann::ordered_json{{"line", d.line}, {"column", d.column}, {"lines", d.lines}, {"columns", d.columns}};
  };
  const nlohmann::ordered_json report{
      {"sigma", kSigma}, {"detail", place(detail)}, {"found", place(found)}, {"correlation", *best}};
  std::ofstream file(folder / "photograph.json");
  file << report.dump(1) << '\n';
  file.close();
  if (!file) throw std::runtime_error((folder / "photograph.json").string() + ": cannot be written");
  std::printf("Written to %s\n", folder.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: photograph PHOTOGRAPH.npy FOLDER\n");
    return 2;
  }
  try {
    run(argv[1], argv[2]);
  } catch (std::exception const& error) {
    std::fprintf(stderr, "photograph: %s\n", error.what());
    return 1;
  }
}
