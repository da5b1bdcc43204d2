// Recipes against what SciPy, NumPy, astropy and scikit-image make of small inputs (tests/golden/recipes.py).
#include "unit/recipes.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <map>

namespace gpuconv::test {
namespace {

using Json = nlohmann::json;
using Numbers = std::vector<double>;

Numbers numbers(Json const& values) {
  Numbers out;
  for (Json const& v : values) out.push_back(v.is_null() ? std::numeric_limits<double>::quiet_NaN() : v.get<double>());
  return out;
}

std::optional<Boundary> boundary_of(Json const& c) {
  if (!c.contains("boundary")) return {};
  for (const Boundary b :
       {Boundary::zero, Boundary::constant, Boundary::nearest, Boundary::reflect, Boundary::mirror, Boundary::wrap})
    if (name(b) == c["boundary"].get<std::string>()) return b;
  throw std::runtime_error("unknown boundary in the golden file");
}

Numbers gaussian(Json const& c, Numbers const& x) {
  return recipes::gaussian(x, {.sigma = c["sigma"],
                               .order = c["order"],
                               .truncate = c["truncate"],
                               .boundary = *boundary_of(c),
                               .constant = c["constant"]});
}

Numbers moving_average(Json const& c, Numbers const& x) {
  return recipes::moving_average(
      x, {.window = c["window"], .boundary = boundary_of(c), .constant = c.value("constant", 0.0)});
}

Numbers gradient(Json const& c, Numbers const& x) {
  return recipes::gradient(x, {.spacing = c["spacing"], .edge_order = c["edge_order"]});
}

Numbers savitzky_golay(Json const& c, Numbers const& x) {
  return recipes::savitzky_golay(x, {.window = c["window"],
                                     .degree = c["degree"],
                                     .derivative = c["derivative"],
                                     .spacing = c["spacing"],
                                     .boundary = boundary_of(c),
                                     .constant = c.value("constant", 0.0)});
}

Numbers savgol_taps(Json const& c, Numbers const&) {
  return recipes::savgol_taps(c["window"], c["degree"], c["derivative"], c["spacing"], c["position"]);
}

Numbers fir(Json const& c, Numbers const& x) {
  recipes::Fir how{.step = c.value("step", 1)};
  if (c.contains("delay")) how.delay = c["delay"].get<std::int64_t>();
  return recipes::fir(x, numbers(c["taps"]), how);
}

Numbers match(Json const& c, Numbers const& x) { return recipes::match(x, numbers(c["pattern"])); }

Numbers gaps(Json const& c, Numbers const& x) {
  const std::vector<std::uint8_t> mask = c.value("mask", std::vector<std::uint8_t>{});
  recipes::Gaps how{.missing = c["missing"] == "fill" ? recipes::Missing::fill : recipes::Missing::interpolate,
                    .fill = c["fill"],
                    .normalise = c["normalise"],
                    .keep = c["keep"],
                    .boundary = *boundary_of(c),
                    .constant = c["constant"]};
  if (!mask.empty()) how.mask = mask;
  return recipes::convolve_gaps(x, numbers(c["taps"]), how);
}

// Of an image, an output of so many lines and columns less.
template <class F>
Numbers of_image(Json const& c, Numbers const& x, F const& recipe, std::int64_t less_lines = 0,
                 std::int64_t less_columns = 0) {
  const std::int64_t lines = c["lines"], columns = std::ssize(x) / lines;
  const Images shape{.lines = lines - less_lines, .columns = columns - less_columns};
  Numbers out(static_cast<std::size_t>(shape.lines * shape.columns));
  recipe(HostView(x.data(), Images{.lines = lines, .columns = columns}), HostView(out.data(), shape));
  return out;
}

Numbers sobel(Json const& c, Numbers const& x) {
  recipes::Sobel how{.boundary = *boundary_of(c), .constant = c["constant"]};
  if (c.contains("axis")) how.axis = c["axis"].get<int>();
  return of_image(c, x, [&](HostInput in, HostOutput out) { recipes::sobel(in, out, how); });
}

Numbers laplacian(Json const& c, Numbers const& x) {
  const recipes::Laplacian how{.boundary = *boundary_of(c), .constant = c["constant"]};
  return of_image(c, x, [&](HostInput in, HostOutput out) { recipes::laplacian(in, out, how); });
}

Numbers gaussian_blur(Json const& c, Numbers const& x) {
  const recipes::GaussianBlur how{
      .sigma = c["sigma"], .truncate = c["truncate"], .boundary = *boundary_of(c), .constant = c["constant"]};
  return of_image(c, x, [&](HostInput in, HostOutput out) { recipes::gaussian_blur(in, out, how); });
}

Numbers unsharp_mask(Json const& c, Numbers const& x) {
  const recipes::UnsharpMask how{.sigma = c["sigma"], .amount = c["amount"]};
  return of_image(c, x, [&](HostInput in, HostOutput out) { recipes::unsharp_mask(in, out, how); });
}

Numbers match_template(Json const& c, Numbers const& x) {
  const Numbers pattern = numbers(c["pattern"]);
  const std::int64_t lines = c["pattern_lines"], columns = std::ssize(pattern) / lines;
  const HostView shaped(pattern.data(), Images{.lines = lines, .columns = columns});
  return of_image(
      c, x, [&](HostInput in, HostOutput out) { recipes::match_template(in, shaped, out); }, lines - 1, columns - 1);
}

using Recipe = Numbers (*)(Json const& how, Numbers const& x);
const std::map<std::string, Recipe> kRecipes{{"gaussian", gaussian},
                                             {"moving_average", moving_average},
                                             {"gradient", gradient},
                                             {"savitzky_golay", savitzky_golay},
                                             {"savgol_taps", savgol_taps},
                                             {"fir", fir},
                                             {"match", match},
                                             {"gaps", gaps},
                                             {"sobel", sobel},
                                             {"laplacian", laplacian},
                                             {"gaussian_blur", gaussian_blur},
                                             {"unsharp_mask", unsharp_mask},
                                             {"match_template", match_template}};

TEST(GoldenRecipes, AsSciPyNumPyAstropyAndScikitImage) {
  const char* const elsewhere = std::getenv("GPUCONV_GOLDEN_RECIPES");
  std::ifstream file(elsewhere ? elsewhere : GPUCONV_GOLDEN_RECIPES);
  const Json json = Json::parse(file);
  std::map<std::string, int> seen;
  for (Json const& c : json["cases"]) {
    const std::string recipe = c["recipe"];
    ++seen[recipe];
    // SciPy solves least squares of a high degree; scikit-image scores flat windows by what rounding leaves of them.
    const double room = recipe.starts_with("sav")    ? 1e7
                        : recipe != "match_template" ? 1e3
                        : c.contains("by")           ? 2e8
                                                     : 1e5;
    const Numbers x = numbers(c["x"]);
    double size = 0;  // sums of samples that cancel are as far off as these are large
    for (const double v : x) size = std::max(size, std::isnan(v) ? 0 : std::abs(v));
    const bool cancels = recipe == "sobel" || recipe == "laplacian";
    EXPECT_TRUE(is_near(kRecipes.at(recipe)(c, x), numbers(c["y"]), room, cancels ? size : 0)) << c;
  }
  for (auto const& [recipe, call] : kRecipes) EXPECT_GT(seen[recipe], 0) << recipe;
}

}  // namespace
}  // namespace gpuconv::test
