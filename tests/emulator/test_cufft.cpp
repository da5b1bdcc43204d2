// The stand-in for cuFFT, against the definition of the transform in long double.
#include <cufft.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "control.hpp"
#include "device_array.hpp"

namespace {

using simt_test::DeviceArray;

/// As the library finds cuFFT: by its name, when the program runs.
class Cufft {
 public:
  Cufft() : library_(dlopen(("libcufft.so." + std::to_string(CUFFT_VER_MAJOR)).c_str(), RTLD_NOW)) {
    EXPECT_NE(library_, nullptr) << dlerror();
  }
  template <class Function>
  Function* find(const char* name) const {
    void* const p = dlsym(library_, name);
    EXPECT_NE(p, nullptr) << name;
    return reinterpret_cast<Function*>(p);
  }

 private:
  void* library_;
};
#define CUFFT(name) (*cufft().find<decltype(name)>(#name))

const Cufft& cufft() {
  static const Cufft instance;
  return instance;
}

bool real_in(cufftType type) { return type == CUFFT_R2C || type == CUFFT_D2Z; }
bool real_out(cufftType type) { return type == CUFFT_C2R || type == CUFFT_Z2D; }
bool in_doubles(cufftType type) { return type == CUFFT_D2Z || type == CUFFT_Z2D || type == CUFFT_Z2Z; }

struct Case {
  cufftType type;
  long long size;
  long long batch = 1, in_stride = 1, out_stride = 1, gap = 0;
  bool in_place = false;
  int sign = CUFFT_FORWARD;

  long long in_elements() const { return real_out(type) ? size / 2 + 1 : size; }
  long long out_elements() const { return real_in(type) ? size / 2 + 1 : size; }
  long long in_distance() const {
    return in_place && real_in(type) ? 2 * (size / 2 + 1) : (in_elements() - 1) * in_stride + 1 + gap;
  }
  long long out_distance() const {
    return in_place && real_out(type) ? 2 * (size / 2 + 1) : (out_elements() - 1) * out_stride + 1 + gap;
  }
  int direction() const { return real_in(type) ? CUFFT_FORWARD : real_out(type) ? CUFFT_INVERSE : sign; }
};

std::ostream& operator<<(std::ostream& os, const Case& c) {
  return os << "type " << std::hex << c.type << std::dec << " size " << c.size << " batch " << c.batch << " strides "
            << c.in_stride << ' ' << c.out_stride << " gap " << c.gap << (c.in_place ? " in place" : "");
}

cufftHandle make_plan(const Case& c, std::size_t& work_bytes) {
  cufftHandle plan = 0;
  EXPECT_EQ(CUFFT(cufftCreate)(&plan), CUFFT_SUCCESS);
  EXPECT_EQ(CUFFT(cufftSetAutoAllocation)(plan, 0), CUFFT_SUCCESS);
  long long size = c.size;
  EXPECT_EQ(CUFFT(cufftMakePlanMany64)(plan, 1, &size, &size, c.in_stride, c.in_distance(), &size, c.out_stride,
                                       c.out_distance(), c.type, c.batch, &work_bytes),
            CUFFT_SUCCESS);
  return plan;
}

cufftResult exec(const Case& c, cufftHandle plan, void* in, void* out) {
  switch (c.type) {
    case CUFFT_R2C:
      return CUFFT(cufftExecR2C)(plan, static_cast<float*>(in), static_cast<float2*>(out));
    case CUFFT_C2R:
      return CUFFT(cufftExecC2R)(plan, static_cast<float2*>(in), static_cast<float*>(out));
    case CUFFT_C2C:
      return CUFFT(cufftExecC2C)(plan, static_cast<float2*>(in), static_cast<float2*>(out), c.sign);
    case CUFFT_D2Z:
      return CUFFT(cufftExecD2Z)(plan, static_cast<double*>(in), static_cast<double2*>(out));
    case CUFFT_Z2D:
      return CUFFT(cufftExecZ2D)(plan, static_cast<double2*>(in), static_cast<double*>(out));
    case CUFFT_Z2Z:
      return CUFFT(cufftExecZ2Z)(plan, static_cast<double2*>(in), static_cast<double2*>(out), c.sign);
  }
  return CUFFT_INVALID_TYPE;
}

struct Wide {
  long double re, im;
};

/// One side's elements within an array of T.
template <class T>
struct Side {
  T* data;
  bool real;
  long long stride, distance;

  T* at(long long row, long long k) const { return data + (row * distance + k * stride) * (real ? 1 : 2); }
};

/// Element k of a row's spectrum or samples, the mirrored half of a half spectrum included.
template <class T>
Wide element(const Case& c, const Side<const T>& side, long long row, long long k) {
  const long long stored = k < c.in_elements() ? k : c.size - k;
  const T* const p = side.at(row, stored);
  const long double im = side.real ? 0.0L : static_cast<long double>(p[1]);
  return {static_cast<long double>(p[0]), stored == k ? im : -im};
}

template <class T>
void check(const Case& c) {
  SCOPED_TRACE(testing::Message() << c);
  const auto reals = [&c](long long distance, bool real) {
    return static_cast<std::size_t>(c.batch * distance * (real ? 1 : 2));
  };
  std::size_t in_size = reals(c.in_distance(), real_in(c.type)), out_size = reals(c.out_distance(), real_out(c.type));
  if (c.in_place) in_size = out_size = std::max(in_size, out_size);
  std::mt19937 random(static_cast<unsigned>(c.size));
  std::vector<T> values(in_size);
  for (T& value : values) value = std::uniform_real_distribution<T>(-1, 1)(random);
  const Side<const T> in{values.data(), real_in(c.type), c.in_stride, c.in_distance()};
  if (real_out(c.type))  // a spectrum of real samples
    for (long long row = 0; row < c.batch; ++row)
      for (const long long k : {0LL, c.size / 2})
        if (2 * k % c.size == 0) const_cast<T*>(in.at(row, k))[1] = 0;

  const DeviceArray<T> device_in(values), other(out_size);
  const DeviceArray<T>& device_out = c.in_place ? device_in : other;
  std::size_t work_bytes = 0;
  const cufftHandle plan = make_plan(c, work_bytes);
  const DeviceArray<char> work(work_bytes);
  ASSERT_EQ(CUFFT(cufftSetWorkArea)(plan, work.data()), CUFFT_SUCCESS);
  ASSERT_EQ(exec(c, plan, device_in.data(), device_out.data()), CUFFT_SUCCESS);
  const std::vector<T> result = device_out.download();
  const Side<const T> out{result.data(), real_out(c.type), c.out_stride, c.out_distance()};
  const long double tolerance = 4 * std::numeric_limits<T>::epsilon() * std::sqrt(static_cast<long double>(c.size));
  for (long long row = 0; row < c.batch; ++row)
    for (long long k = 0; k < c.out_elements(); ++k) {
      Wide sum{0, 0};
      for (long long j = 0; j < c.size; ++j) {
        const long double turns =
            static_cast<long double>(c.direction() * (j * k % c.size)) / static_cast<long double>(c.size);
        const long double angle = 2 * std::numbers::pi_v<long double> * turns;
        const Wide x = element(c, in, row, j), w{std::cos(angle), std::sin(angle)};
        sum = {sum.re + x.re * w.re - x.im * w.im, sum.im + x.re * w.im + x.im * w.re};
      }
      const long double error_im = out.real ? 0.0L : out.at(row, k)[1] - sum.im;
      ASSERT_LE(std::hypot(out.at(row, k)[0] - sum.re, error_im), tolerance) << "row " << row << " k " << k;
    }
  if (!c.in_place) {
    const std::vector<T> after = device_in.download();
    EXPECT_TRUE(real_out(c.type) ? std::isnan(after[0]) : after == values);
  }
  EXPECT_EQ(work.download(), std::vector<char>(work_bytes, static_cast<char>(0xff)));
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_SUCCESS);
}

class CufftTest : public testing::TestWithParam<cufftType> {
 protected:
  CufftTest() { standin::reset(); }
  static void check(const Case& c) { in_doubles(c.type) ? ::check<double>(c) : ::check<float>(c); }
};
INSTANTIATE_TEST_SUITE_P(Types, CufftTest,
                         testing::Values(CUFFT_R2C, CUFFT_C2R, CUFFT_C2C, CUFFT_D2Z, CUFFT_Z2D, CUFFT_Z2Z),
                         [](const auto& type) {
                           const std::string number = in_doubles(type.param) ? "Z" : "C";
                           const std::string real = in_doubles(type.param) ? "D" : "R";
                           return (real_in(type.param) ? real : number) + "2" + (real_out(type.param) ? real : number);
                         });

TEST_P(CufftTest, TransformsEverySize) {
  for (const long long size : {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 60, 97, 256, 1000})
    check({.type = GetParam(), .size = size});
}

TEST_P(CufftTest, TransformsBatchesWithStrides) {
  for (const long long size : {1, 6, 17})
    for (const long long in_stride : {1, 3})
      for (const long long out_stride : {1, 2})
        for (const long long gap : {0, 5})
          check({.type = GetParam(),
                 .size = size,
                 .batch = 3,
                 .in_stride = in_stride,
                 .out_stride = out_stride,
                 .gap = gap});
}

TEST_P(CufftTest, TransformsInPlace) {
  for (const long long size : {1, 2, 7, 60})
    for (const long long batch : {1, 3}) check({.type = GetParam(), .size = size, .batch = batch, .in_place = true});
}

TEST(CufftSigns, AreTheCallersForComplexTransforms) {
  check<float>({.type = CUFFT_C2C, .size = 60, .sign = CUFFT_INVERSE});
  check<double>({.type = CUFFT_Z2Z, .size = 60, .sign = CUFFT_INVERSE});
}

TEST(CufftCalls, AnswerMistakes) {
  constexpr cufftHandle none = 12345;
  std::size_t work_bytes = 0;
  cufftHandle plan = make_plan({.type = CUFFT_R2C, .size = 8}, work_bytes);
  EXPECT_GT(work_bytes, 0u);
  std::size_t same = 0;
  EXPECT_EQ(CUFFT(cufftGetSize)(plan, &same), CUFFT_SUCCESS);
  EXPECT_EQ(same, work_bytes);
  const DeviceArray<float> in(std::vector<float>(9)), out(10);
  auto* const spectrum = reinterpret_cast<float2*>(out.data());
  EXPECT_EQ(CUFFT(cufftExecR2C)(none, in.data(), spectrum), CUFFT_INVALID_PLAN);
  EXPECT_EQ(CUFFT(cufftExecC2R)(plan, spectrum, in.data()), CUFFT_INVALID_TYPE);
  EXPECT_EQ(CUFFT(cufftExecR2C)(plan, in.data(), spectrum), CUFFT_NO_WORKSPACE);
  const DeviceArray<char> work(work_bytes);
  EXPECT_EQ(CUFFT(cufftSetWorkArea)(plan, work.data()), CUFFT_SUCCESS);
  EXPECT_EQ(CUFFT(cufftExecR2C)(plan, in.data() + 1, spectrum), CUFFT_SUCCESS);
  EXPECT_EQ(CUFFT(cufftExecR2C)(plan, in.data(), reinterpret_cast<float2*>(out.data() + 1)), CUFFT_INVALID_VALUE);
  EXPECT_EQ(CUFFT(cufftSetStream)(plan, reinterpret_cast<cudaStream_t>(0x1234)), CUFFT_INVALID_VALUE);
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_SUCCESS);
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_INVALID_PLAN);
  EXPECT_EQ(CUFFT(cufftCreate)(&plan), CUFFT_SUCCESS);
  EXPECT_EQ(CUFFT(cufftExecR2C)(plan, in.data(), spectrum), CUFFT_INVALID_PLAN);
  long long size = 0;
  EXPECT_EQ(CUFFT(cufftMakePlanMany64)(plan, 1, &size, nullptr, 1, 1, nullptr, 1, 1, CUFFT_C2C, 1, &work_bytes),
            CUFFT_INVALID_SIZE);
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_SUCCESS);
}

TEST(CufftCalls, AllocateByThemselvesUnlessTold) {
  const DeviceArray<float> data(std::vector<float>{1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0});
  const std::int64_t before = standin::live_allocations();
  cufftHandle plan = 0;
  long long size = 4;
  std::size_t work_bytes = 0;
  ASSERT_EQ(CUFFT(cufftCreate)(&plan), CUFFT_SUCCESS);
  ASSERT_EQ(CUFFT(cufftMakePlanMany64)(plan, 1, &size, nullptr, 1, 0, nullptr, 1, 0, CUFFT_C2C, 2, &work_bytes),
            CUFFT_SUCCESS);
  EXPECT_EQ(standin::live_allocations(), before + 1);
  auto* const values = reinterpret_cast<float2*>(data.data());
  EXPECT_EQ(CUFFT(cufftExecC2C)(plan, values, values, CUFFT_FORWARD), CUFFT_SUCCESS);
  EXPECT_EQ(data.download(), (std::vector<float>{4, 0, 0, 0, 0, 0, 0, 0, 2, 0, -2, 0, 2, 0, -2, 0}));
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_SUCCESS);
  EXPECT_EQ(standin::live_allocations(), before);
}

TEST(CufftCalls, RunInTheirStream) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  const Case c{.type = CUFFT_C2C, .size = 2};
  std::size_t work_bytes = 0;
  const cufftHandle plan = make_plan(c, work_bytes);
  const DeviceArray<char> work(work_bytes);
  const DeviceArray<float> data(std::vector<float>{1, 0, 1, 0});
  auto* const values = reinterpret_cast<float2*>(data.data());
  ASSERT_EQ(CUFFT(cufftSetWorkArea)(plan, work.data()), CUFFT_SUCCESS);
  ASSERT_EQ(CUFFT(cufftSetStream)(plan, stream), CUFFT_SUCCESS);
  ASSERT_EQ(CUFFT(cufftExecC2C)(plan, values, values, CUFFT_FORWARD), CUFFT_SUCCESS);
  EXPECT_EQ(standin::pending_operations(), 1);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(data.download(), (std::vector<float>{2, 0, 0, 0}));
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_SUCCESS);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

TEST(CufftCalls, FailWhenATestSaysSo) {
  const std::int64_t before = standin::live_handles();
  cufftHandle plan = 0;
  standin::fail_call(1);
  EXPECT_EQ(CUFFT(cufftCreate)(&plan), CUFFT_ALLOC_FAILED);
  standin::fail_call(1, "cufftCreate", CUFFT_INTERNAL_ERROR);
  int device = 0;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(CUFFT(cufftCreate)(&plan), CUFFT_INTERNAL_ERROR);
  standin::set_machine(standin::Machine::no_driver);
  EXPECT_EQ(CUFFT(cufftCreate)(&plan), CUFFT_INTERNAL_ERROR);
  int version = 0;
  EXPECT_EQ(CUFFT(cufftGetVersion)(&version), CUFFT_SUCCESS);
  EXPECT_EQ(version, CUFFT_VERSION);
  standin::reset();
  EXPECT_EQ(standin::live_handles(), before);
}

TEST(CufftDeathTest, DiagnosesMemoryThatIsTooSmall) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::size_t work_bytes = 0;
  const cufftHandle plan = make_plan({.type = CUFFT_R2C, .size = 8}, work_bytes);
  const DeviceArray<char> work(work_bytes), little_work(work_bytes - 1);
  const DeviceArray<float> in(8), little_in(7), out(10), little_out(9);
  static float host[8];
  const auto run = [plan](float* from, float* to, void* area) {
    CUFFT(cufftSetWorkArea)(plan, area);
    CUFFT(cufftExecR2C)(plan, from, reinterpret_cast<float2*>(to));
  };
  run(in.data(), out.data(), work.data());
  const char* const expected = "cufftExecR2C is given memory that is not the device's, or too little of it";
  EXPECT_DEATH(run(little_in.data(), out.data(), work.data()), expected);
  EXPECT_DEATH(run(in.data(), little_out.data(), work.data()), expected);
  EXPECT_DEATH(run(in.data(), out.data(), little_work.data()), expected);
  EXPECT_DEATH(run(host, out.data(), work.data()), expected);
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_SUCCESS);
}

TEST(CufftSpeed, ALongTransformTakesNoTime) {
  const Case c{.type = CUFFT_R2C, .size = 1 << 17};
  std::size_t work_bytes = 0;
  const cufftHandle plan = make_plan(c, work_bytes);
  const DeviceArray<char> work(work_bytes);
  std::vector<float> impulse(1 << 17);
  impulse[0] = 1.0f;
  const DeviceArray<float> in(impulse), out((1 << 17) + 2);
  ASSERT_EQ(CUFFT(cufftSetWorkArea)(plan, work.data()), CUFFT_SUCCESS);
  ASSERT_EQ(CUFFT(cufftExecR2C)(plan, in.data(), reinterpret_cast<float2*>(out.data())), CUFFT_SUCCESS);
  const std::vector<float> spectrum = out.download();
  for (std::size_t i = 0; i < spectrum.size(); i += 2) ASSERT_EQ(spectrum[i], 1.0f);
  EXPECT_EQ(CUFFT(cufftDestroy)(plan), CUFFT_SUCCESS);
}

}  // namespace
