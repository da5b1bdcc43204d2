// Properties that need no oracle: linearity, impulse, shift, commutation, associativity, and modes as slices of full.
// Bounds are those of double, relative to the largest sum that the operands allow.
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numeric>

namespace gpuconv::test {
namespace {

using Values = std::vector<double>;

constexpr std::int64_t kShapes[][2] = {{1, 1}, {5, 3}, {3, 5}, {16, 16}, {100, 33}, {33, 100}, {1000, 129}, {5000, 20}};

double largest(Values const& v) {
  double out = 0;
  for (double const e : v) out = std::max(out, std::abs(e));
  return out;
}
double sum_of_magnitudes(Values const& v) {
  return std::accumulate(v.begin(), v.end(), 0.0, [](double s, double e) { return s + std::abs(e); });
}

using Complex = std::vector<std::complex<double>>;

Complex complex_of(Values const& re, Values const& im) {
  Complex out;
  for (std::size_t i = 0; i < re.size(); ++i) out.emplace_back(re[i], im[i]);
  return out;
}

// Equal within some hundred roundings of `scale`.
void expect_equal(Values const& a, Values const& b, double scale, const char* what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-13 * scale) << what << ", output " << i;
}

class Properties : public SolverTest {
 protected:
  Values random(std::int64_t size) {
    Values v(static_cast<std::size_t>(size));
    for (double& e : v) e = std::uniform_real_distribution<double>(-1, 1)(rng_);
    return v;
  }
  Values conv(Values const& x, Values const& h, Mode mode = Mode::full) const { return convolve(x, h, call(mode)); }

  template <class Each>
  void each_shape(Each each) {
    for (auto const& [n, m] : kShapes) {
      SCOPED_TRACE(to_string(Problem{.signal = n, .filter = m, .type = Type::float64}));
      each(random(n), random(m));
      if (HasFatalFailure()) return;
    }
  }

  Rng rng_ = test_rng();
};

TEST_P(Properties, LinearInTheSignal) {
  each_shape([&](Values const& x, Values const& h) {
    const Values y = random(std::ssize(x));
    Values mixed = x;
    for (std::size_t i = 0; i < x.size(); ++i) mixed[i] = 3 * x[i] - 0.5 * y[i];
    const Values cx = conv(x, h), cy = conv(y, h);
    Values expected = cx;
    for (std::size_t i = 0; i < cx.size(); ++i) expected[i] = 3 * cx[i] - 0.5 * cy[i];
    expect_equal(conv(mixed, h), expected, 4 * sum_of_magnitudes(h), "linearity");
  });
}

TEST_P(Properties, LinearInTheFilter) {
  each_shape([&](Values const& x, Values const& h) {
    const Values g = random(std::ssize(h));
    Values mixed = h;
    for (std::size_t i = 0; i < h.size(); ++i) mixed[i] = h[i] + 2 * g[i];
    const Values ch = conv(x, h), cg = conv(x, g);
    Values expected = ch;
    for (std::size_t i = 0; i < ch.size(); ++i) expected[i] = ch[i] + 2 * cg[i];
    expect_equal(conv(x, mixed), expected, 4 * static_cast<double>(h.size()), "linearity");
  });
}

TEST_P(Properties, AnImpulseGivesTheFilterWhereItStands) {
  each_shape([&](Values const& x, Values const& h) {
    for (std::size_t const at : {std::size_t{0}, x.size() / 2, x.size() - 1}) {
      Values impulse(x.size());
      impulse[at] = 1;
      Values expected(x.size() + h.size() - 1);
      std::copy(h.begin(), h.end(), expected.begin() + static_cast<std::ptrdiff_t>(at));
      expect_equal(conv(impulse, h), expected, std::sqrt(static_cast<double>(h.size())), "impulse");
    }
  });
}

TEST_P(Properties, AnImpulseAsFilterShifts) {
  each_shape([&](Values const& x, Values const& h) {
    for (std::size_t const at : {std::size_t{0}, h.size() / 2, h.size() - 1}) {
      Values impulse(h.size());
      impulse[at] = 1;
      Values expected(x.size() + h.size() - 1);
      std::copy(x.begin(), x.end(), expected.begin() + static_cast<std::ptrdiff_t>(at));
      expect_equal(conv(x, impulse), expected, std::sqrt(static_cast<double>(x.size())), "impulse");
    }
  });
}

TEST_P(Properties, ShiftingTheSignalShiftsTheResult) {
  each_shape([&](Values const& x, Values const& h) {
    for (std::size_t const shift : {1u, 13u, 300u}) {
      Values moved(shift);
      moved.insert(moved.end(), x.begin(), x.end());
      Values expected(shift);
      const Values y = conv(x, h);
      expected.insert(expected.end(), y.begin(), y.end());
      expect_equal(conv(moved, h), expected, static_cast<double>(h.size()), "shift");
    }
  });
}

TEST_P(Properties, Commutes) {
  each_shape([&](Values const& x, Values const& h) {
    for (Mode const mode : {Mode::full, Mode::same, Mode::valid})  // NumPy's same commutes too
      expect_equal(conv(x, h, mode), conv(h, x, mode), sum_of_magnitudes(h), "commutation");
  });
}

TEST_P(Properties, Associates) {
  each_shape([&](Values const& x, Values const& h) {
    const Values g = random(17);
    expect_equal(conv(conv(x, h), g), conv(x, conv(h, g)), 20 * largest(x) * sum_of_magnitudes(h), "associativity");
  });
}

TEST_P(Properties, TheSumIsTheProductOfTheSums) {
  each_shape([&](Values const& x, Values const& h) {
    const auto sum = [](Values const& v) { return std::accumulate(v.begin(), v.end(), 0.0); };
    EXPECT_NEAR(sum(conv(x, h)), sum(x) * sum(h), 1e-13 * sum_of_magnitudes(x) * sum_of_magnitudes(h));
  });
}

TEST_P(Properties, SameAndValidAreSlicesOfFull) {
  each_shape([&](Values const& x, Values const& h) {
    const Values full = conv(x, h);
    const auto n = std::ssize(x), m = std::ssize(h);
    const auto slice = [&](Slice s) { return Values(full.begin() + s.first, full.begin() + s.first + s.length); };
    const double scale = static_cast<double>(h.size());
    for (Mode const mode : {Mode::same, Mode::valid})
      expect_equal(conv(x, h, mode), slice(output_slice(n, m, mode)), scale, "slice");
    for (Same const same : {Same::numpy, Same::scipy, Same::matlab})
      expect_equal(convolve(x, h, call(same)), slice(output_slice(n, m, Mode::same, same)), scale, "slice");
  });
}

// (x + iy) * (h + ig) = x * h - y * g + i (y * h + x * g); a correlation is with the conjugate, from its last tap on.
TEST_P(Properties, AComplexConvolutionIsFourRealOnes) {
  each_shape([&](Values const& x, Values const& h) {
    if (!takes({.signal = std::ssize(x), .filter = std::ssize(h), .type = Type::complex128})) return;
    const Values y = random(std::ssize(x)), g = random(std::ssize(h));
    const Values xh = conv(x, h), yg = conv(y, g), yh = conv(y, h), xg = conv(x, g);
    const Complex z = complex_of(x, y), f = complex_of(h, g);
    const double scale = 2 * static_cast<double>(h.size());
    const auto expect = [&](Complex const& got, auto re, auto im, const char* what) {
      Values want_re, want_im, got_re, got_im;
      for (std::size_t i = 0; i < got.size(); ++i) {
        want_re.push_back(re(i)), want_im.push_back(im(i));
        got_re.push_back(got[i].real()), got_im.push_back(got[i].imag());
      }
      expect_equal(got_re, want_re, scale, what), expect_equal(got_im, want_im, scale, what);
    };
    expect(
        convolve(z, f, call()), [&](std::size_t i) { return xh[i] - yg[i]; },
        [&](std::size_t i) { return yh[i] + xg[i]; }, "complex by complex");
    expect(
        convolve(z, h, call()), [&](std::size_t i) { return xh[i]; }, [&](std::size_t i) { return yh[i]; },
        "complex by real");
    expect(
        convolve(x, f, call()), [&](std::size_t i) { return xh[i]; }, [&](std::size_t i) { return xg[i]; },
        "real by complex");
    Complex mirrored(f.rbegin(), f.rend());
    for (std::complex<double>& tap : mirrored) tap = std::conj(tap);
    expect(
        correlate(z, mirrored, call()), [&](std::size_t i) { return xh[i] - yg[i]; },
        [&](std::size_t i) { return yh[i] + xg[i]; }, "correlation");
  });
}
GPUCONV_OVER_SOLVERS(Properties);

// ---- the slicing rule itself --------------------------------------------------------------------------------------
TEST(OutputSlice, AsTheTableOfModes) {
  const auto expect = [](Slice s, std::int64_t first, std::int64_t length) {
    EXPECT_EQ(s.first, first);
    EXPECT_EQ(s.length, length);
  };
  for (std::int64_t n = 1; n <= 20; ++n)
    for (std::int64_t m = 1; m <= 20; ++m) {
      const std::int64_t shorter = std::min(n, m);
      expect(output_slice(n, m, Mode::full), 0, n + m - 1);
      expect(output_slice(n, m, Mode::same), (shorter - 1) / 2, std::max(n, m));
      expect(output_slice(n, m, Mode::same, Same::scipy), (m - 1) / 2, n);
      expect(output_slice(n, m, Mode::same, Same::matlab), m / 2, n);
      expect(output_slice(n, m, Mode::valid), shorter - 1, std::abs(n - m) + 1);
    }
}

TEST(OutputSlice, LiesWithinFull) {
  for (std::int64_t n = 1; n <= 20; ++n)
    for (std::int64_t m = 1; m <= 20; ++m)
      for (Mode const mode : {Mode::full, Mode::same, Mode::valid})
        for (Same const same : {Same::numpy, Same::scipy, Same::matlab}) {
          const Slice s = output_slice(n, m, mode, same);
          EXPECT_GE(s.first, 0);
          EXPECT_LE(s.first + s.length, n + m - 1) << n << ' ' << m;
        }
}

TEST(OutputSlice, RefusesSizesThatAreNone) {
  EXPECT_THROW(output_slice(0, 1, Mode::full), InvalidArgument);
  EXPECT_THROW(output_slice(1, 0, Mode::same), InvalidArgument);
  EXPECT_THROW(output_slice(-1, 1, Mode::valid), InvalidArgument);
  EXPECT_THROW(output_slice(1, INT64_MIN, Mode::full), InvalidArgument);
  EXPECT_THROW(output_slice(INT64_MAX, 2, Mode::full), InvalidArgument);
  EXPECT_EQ(output_slice(INT64_MAX, 1, Mode::full).length, INT64_MAX);
}

}  // namespace
}  // namespace gpuconv::test
