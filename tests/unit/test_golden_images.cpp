// What SciPy's convolve2d, correlate2d, correlate and ndimage make of small images (tests/golden/generate.py), by every
// solver.
#include "support/solvers.hpp"

#include <gpuconv/error.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <complex>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gpuconv::test {
namespace {

using Json = nlohmann::json;

std::vector<Json> const& golden_images() {
  static const std::vector<Json> all = [] {
    const char* const elsewhere = std::getenv("GPUCONV_GOLDEN_FILE");  // on a machine that did not build this
    const std::filesystem::path beside = elsewhere ? elsewhere : GPUCONV_GOLDEN_FILE;
    std::ifstream file(beside.parent_path() / "images.json");
    return Json::parse(file)["cases"].get<std::vector<Json>>();
  }();
  return all;
}

template <class E>
E named(std::string const& wanted, std::initializer_list<E> values) {
  for (E const v : values)
    if (name(v) == wanted) return v;
  throw std::runtime_error("unknown name in the golden file: " + wanted);
}

template <class T>
std::vector<T> values_of(Json const& values) {
  std::vector<T> out;
  for (Json const& v : values)
    if constexpr (is_complex(type_of<T>)) out.emplace_back(v[0].get<double>(), v[1].get<double>());
    else out.push_back(v.get<T>());
  return out;
}

Images shape_of(Json const& shape) { return {.lines = shape[0], .columns = shape[1]}; }

template <class T>
void expect_agrees(Json const& c, CallOptions const& how) {
  const std::vector<T> x = values_of<T>(c["x"]), h = values_of<T>(c["h"]), want = values_of<T>(c["y"]);
  std::vector<T> got(want.size());
  const HostView signal(x.data(), shape_of(c["x_shape"])), filter(h.data(), shape_of(c["h_shape"]));
  const HostView out(got.data(), shape_of(c["y_shape"]));
  if (c["operation"] == "convolve") convolve2d(signal, filter, out, how);
  else correlate2d(signal, filter, out, how);
  double largest = 1;
  for (T const& v : want) largest = std::max(largest, static_cast<double>(std::abs(v)));
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_LE(std::abs(got[i] - want[i]), is_integer(type_of<T>) ? 0.0 : 1e-14 * largest)
        << c["group"] << ' ' << c["mode"] << ' ' << c["boundary"] << " output " << i << " of " << c["x_shape"]
        << " with " << c["h_shape"];
}

class GoldenImages : public SolverTest {
 protected:
  void expect_group(std::string const& group) const {
    std::int64_t found = 0;
    for (Json const& c : golden_images()) {
      if (c["group"] != group) continue;
      ++found;
      CallOptions how = call();
      how.mode.mode = named(c["mode"], {Mode::full, Mode::same, Mode::valid});
      how.mode.same = named(c["same"], {Same::numpy, Same::scipy, Same::matlab});
      how.boundary = named(c["boundary"], {Boundary::zero, Boundary::constant, Boundary::nearest, Boundary::reflect,
                                           Boundary::mirror, Boundary::wrap});
      how.constant = c["constant"];
      const bool integers = c["x_type"] == "int64", complex = c["x_type"] == "complex128";
      try {
        if (integers) expect_agrees<std::int64_t>(c, how);
        else if (complex) expect_agrees<std::complex<double>>(c, how);
        else expect_agrees<double>(c, how);
      } catch (Unsupported const&) {
        EXPECT_NE(solver()->method, Method::reference) << c;
        EXPECT_NE(solver()->device == Device::cpu ? solver()->method : Method::fft, Method::direct) << c;
      }
      if (HasFailure()) return;
    }
    EXPECT_GT(found, 0);
  }
};

TEST_P(GoldenImages, AsConvolve2d) { expect_group("convolve2d"); }
TEST_P(GoldenImages, AsCorrelate2d) { expect_group("correlate2d"); }
TEST_P(GoldenImages, AsCorrelate) { expect_group("correlate"); }
TEST_P(GoldenImages, AsNdimage) { expect_group("ndimage"); }
GPUCONV_OVER_SOLVERS(GoldenImages);

}  // namespace
}  // namespace gpuconv::test
