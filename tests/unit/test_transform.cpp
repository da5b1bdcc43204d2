// The right-angle transform by itself: the convolution it computes is negacyclic (what wraps changes its sign), for
// every size, any number of threads, streamed or not.
#include "cpu/aligned.hpp"
#include "cpu/transform_tables.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace gpuconv::detail {
namespace {

template <class T>
AlignedBuffer<T> random_samples(std::int64_t size, test::Rng& rng) {
  AlignedBuffer<T> out(size);
  for (std::int64_t i = 0; i < size; ++i) out[i] = std::uniform_real_distribution<T>(-1, 1)(rng);
  return out;
}

// Output k of the negacyclic convolution, in long double.
template <class T>
long double negacyclic(AlignedBuffer<T> const& x, AlignedBuffer<T> const& h, std::int64_t k) {
  const std::int64_t n = x.size();
  long double sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t i = k - j;
    sum += static_cast<long double>(h[j]) * static_cast<long double>(i >= 0 ? x[i] : -x[i + n]);
  }
  return sum;
}

// Points of transforms from `smallest` to `largest`: powers of two and, half way between them, three times one.
std::vector<std::int64_t> sizes_from(std::int64_t smallest, std::int64_t largest) {
  std::vector<std::int64_t> out;
  for (std::int64_t points = smallest; points <= largest; points *= 2) {
    out.push_back(points);
    if (points / 2 * 3 <= largest) out.push_back(points / 2 * 3);
  }
  return out;
}

template <class T>
class TransformTest : public testing::Test {
 protected:
  using Transform = RightAngleTransform<T>;

  struct Convolved {
    AlignedBuffer<T> y;
    bool finite;
  };

  Convolved convolve(Transform const& t, AlignedBuffer<T> const& x, AlignedBuffer<T> const& h, std::int64_t drop = 0,
                     bool stream = false, int threads = 1) const {
    AlignedBuffer<T> work(t.work_size()), spectrum(t.spectrum_size());
    t.spectrum(h.data(), work.data(), spectrum.data(), threads);
    Convolved out{AlignedBuffer<T>(x.size()), false};
    const T largest = t.convolve(x.data(), spectrum.data(), out.y.data(), drop, work.data(), nullptr, stream, threads);
    out.finite = std::isfinite(largest);
    return out;
  }

  test::Rng rng_ = test::test_rng();
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(TransformTest, Types);

TYPED_TEST(TransformTest, IsNegacyclicConvolutionAtEverySize) {
  using T = TypeParam;
  const long double unit = std::numeric_limits<T>::epsilon() / 2;
  const std::int64_t largest =
      (std::int64_t{1} << 20) / test::kSlowdown;  // past the cache, where levels split among threads
  for (std::int64_t const points : sizes_from(RightAngleTransform<T>::smallest(), largest)) {
    const std::int64_t size = 2 * points;
    const auto t = RightAngleTransform<T>::get(points);
    EXPECT_EQ(t->points(), points);
    const auto x = random_samples<T>(size, this->rng_), h = random_samples<T>(size, this->rng_);
    const auto out = this->convolve(*t, x, h);
    EXPECT_TRUE(out.finite);
    // Norms of uniform numbers in [-1, 1] are about sqrt(size / 3).
    const long double bound = unit * std::log2(static_cast<long double>(size)) * static_cast<long double>(size) / 3;
    const std::int64_t step = size <= 2048 ? 1 : size / 61;  // a prime number of outputs of a large one
    for (std::int64_t k = 0; k < size; k += step)
      ASSERT_NEAR(static_cast<double>(out.y[k]), static_cast<double>(negacyclic(x, h, k)), static_cast<double>(bound))
          << "output " << k << " of " << size;
  }
}

TYPED_TEST(TransformTest, AnImpulseReturnsTheSamples) {
  using T = TypeParam;
  for (std::int64_t const points : sizes_from(RightAngleTransform<T>::smallest(), 1 << 15)) {
    const std::int64_t size = 2 * points;
    const auto x = random_samples<T>(size, this->rng_);
    for (std::int64_t const at : {std::int64_t{0}, std::int64_t{1}, points, size - 1}) {
      AlignedBuffer<T> impulse(size);
      std::fill_n(impulse.data(), size, T(0));
      impulse[at] = 1;
      const auto out = this->convolve(*RightAngleTransform<T>::get(points), x, impulse);
      for (std::int64_t k = 0; k < size; ++k) {
        const T expected = k >= at ? x[k - at] : -x[k - at + size];
        ASSERT_NEAR(out.y[k], expected, 40 * std::numeric_limits<T>::epsilon() * std::sqrt(static_cast<T>(size)))
            << k << " of " << size << ", impulse at " << at;
      }
    }
  }
}

// To arrays of any alignment, in and around the cache, for every radix of the last level.
TYPED_TEST(TransformTest, DropsLeadingOutputsAndWritesNoOthers) {
  using T = TypeParam;
  constexpr std::int64_t kGuard = 16;
  for (const std::int64_t factor : {2, 3, 8, 12, 64, 128, 512}) {
    const std::int64_t points = factor * RightAngleTransform<T>::smallest() / 2, size = 2 * points;
    const auto t = RightAngleTransform<T>::get(points);
    const auto x = random_samples<T>(size, this->rng_), h = random_samples<T>(size, this->rng_);
    const auto whole = this->convolve(*t, x, h);
    AlignedBuffer<T> work(t->work_size()), spectrum(t->spectrum_size()), out(size + 2 * kGuard);
    t->spectrum(h.data(), work.data(), spectrum.data(), 1);
    const std::int64_t step = factor == 8 ? 16 : size / 16 - 16;  // multiples of 16: whole vectors of every target
    for (std::int64_t drop = 0; drop < size; drop += std::max<std::int64_t>(step, 16))
      for (std::int64_t offset = 0; offset < kGuard; offset += factor <= 3 ? 1 : 5)
        for (bool const stream : {false, true}) {
          std::fill_n(out.data(), out.size(), T(77));
          T* const y = out.data() + kGuard - offset;
          t->convolve(x.data(), spectrum.data(), y, drop, work.data(), x.data(), stream, 1);
          const auto expected = [&](std::int64_t k) { return k < 0 || k >= size - drop ? T(77) : whole.y[k + drop]; };
          for (std::int64_t k = offset - kGuard; k < size + offset; ++k)
            ASSERT_EQ(y[k], expected(k)) << points << ' ' << drop << ' ' << offset << ' ' << k
                                         << (stream ? " streamed" : "");
        }
  }
}

TYPED_TEST(TransformTest, ThreadsChangeNoBit) {
  using T = TypeParam;
  const std::int64_t in_cache = RightAngleTransform<T>::largest_in_cache();
  for (std::int64_t const points : sizes_from(in_cache / 2, 4 * in_cache)) {
    const auto t = RightAngleTransform<T>::get(points);
    const auto x = random_samples<T>(2 * points, this->rng_), h = random_samples<T>(2 * points, this->rng_);
    const auto one = this->convolve(*t, x, h, 16, false, 1);
    for (int const threads : {2, 3, 8}) {
      const auto many = this->convolve(*t, x, h, 16, true, threads);
      EXPECT_EQ(std::memcmp(one.y.data(), many.y.data(), static_cast<std::size_t>(2 * points - 16) * sizeof(T)), 0)
          << points << ' ' << threads;
    }
  }
}

TYPED_TEST(TransformTest, SaysWhenResultsAreNotFinite) {
  using T = TypeParam;
  for (std::int64_t const points : sizes_from(RightAngleTransform<T>::smallest(), 1 << 12)) {
    const auto t = RightAngleTransform<T>::get(points);
    const auto h = random_samples<T>(2 * points, this->rng_);
    for (T const value :
         {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(), std::numeric_limits<T>::max()})
      for (std::int64_t const at : {std::int64_t{0}, points + 3, 2 * points - 1}) {
        auto x = random_samples<T>(2 * points, this->rng_);
        x[at] = value;
        if (value == std::numeric_limits<T>::max()) x[0] = x[1] = x[points] = value;
        const auto out = this->convolve(*t, x, h);
        const bool finite =
            std::all_of(out.y.data(), out.y.data() + out.y.size(), [](T v) { return std::isfinite(v); });
        EXPECT_EQ(out.finite, finite) << value << " at " << at << " of " << 2 * points;
        if (!std::isfinite(value)) {
          EXPECT_FALSE(finite);
        }
      }
  }
}

TYPED_TEST(TransformTest, ScalingIsThatOfConvolution) {
  using T = TypeParam;
  // A constant times an impulse of 2: every output is exact in any precision but for rounding.
  const std::int64_t points = RightAngleTransform<T>::smallest(), size = 2 * points;
  AlignedBuffer<T> x(size), h(size);
  std::fill_n(x.data(), size, T(1));
  std::fill_n(h.data(), size, T(0));
  h[0] = 2;
  const auto out = this->convolve(*RightAngleTransform<T>::get(points), x, h);
  for (std::int64_t k = 0; k < size; ++k) EXPECT_NEAR(out.y[k], T(2), 100 * std::numeric_limits<T>::epsilon());
}

}  // namespace
}  // namespace gpuconv::detail
