#include "support/random.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

namespace gpuconv::test {

std::uint64_t suite_seed() {
  static const std::uint64_t seed = [] {
    const char* named = std::getenv("GPUCONV_TEST_SEED");
    if (!named) return std::uint64_t{20240229};
    if (std::string_view(named) == "random") return std::uint64_t{std::random_device{}()};
    return static_cast<std::uint64_t>(std::strtoull(named, nullptr, 10));
  }();
  return seed;
}

Rng test_rng() {
  // The name's hash is spelled out: std::hash may differ from one library to the next.
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  for (char const c : std::string(info->test_suite_name()) + '.' + info->name())
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return Rng(hash ^ suite_seed());
}

std::int64_t pick(Rng& rng, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(rng);
}

std::int64_t pick_size(Rng& rng, std::int64_t low, std::int64_t high) {
  const double lowest = std::log(static_cast<double>(low)), highest = std::log(static_cast<double>(high) + 1);
  const double size = std::exp(std::uniform_real_distribution<double>(lowest, highest)(rng));
  return std::clamp(static_cast<std::int64_t>(size), low, high);
}

void fill_random(Array& array, Rng& rng) {
  visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t r = 0; r < array.rows(); ++r)
      for (T& v : array.parts<T>(r)) {
        if constexpr (std::is_floating_point_v<T>) v = std::uniform_real_distribution<T>(-1, 1)(rng);
        else if constexpr (detail::is_floating_element<T>) v = T(std::uniform_real_distribution<float>(-1, 1)(rng));
        else v = static_cast<T>(rng());
      }
  });
}

void fill_small(Array& array, Rng& rng) {
  visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t r = 0; r < array.rows(); ++r)
      for (T& v : array.parts<T>(r)) v = static_cast<T>(pick(rng, is_signed(array.type()) ? -5 : 0, 5));
  });
}

}  // namespace gpuconv::test
