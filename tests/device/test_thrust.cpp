// Views of thrust::device_vector: what converts, what must not, and that plans take the memory of one. Compiled by the
// C++ compiler with Thrust's C++ backend: the vector's allocator takes memory from the emulated GPU.
#include <gpuconv/gpuconv.hpp>

#include <cuda_runtime_api.h>
#include <thrust/copy.h>
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>
#include <thrust/iterator/counting_iterator.h>

#include <gmock/gmock.h>

#include <complex>
#include <type_traits>

namespace gpuconv {
namespace {

using testing::ElementsAre;

template <class From, class To>
constexpr bool converts = std::is_convertible_v<From, To>;

using Vector = thrust::device_vector<float>;

static_assert(converts<Vector&, DeviceInput> && converts<Vector const&, DeviceInput> &&
              converts<Vector&, DeviceOutput>);
static_assert(converts<Vector&, DeviceView<float>> && converts<Vector&, DeviceView<float const>>);
static_assert(converts<Vector const&, DeviceView<float const>>);

static_assert(!converts<Vector const&, DeviceOutput> && !converts<Vector const&, DeviceView<float>>, "const is kept");
static_assert(!converts<Vector, DeviceInput> && !converts<Vector, DeviceOutput>, "a temporary's view would dangle");
static_assert(!converts<Vector&, DeviceView<double>>, "types are not converted");
static_assert(!converts<thrust::device_vector<bool>&, DeviceInput>, "bool is no element");
static_assert(!converts<thrust::device_vector<std::pair<float, float>>&, DeviceInput>, "nor are structures");

static_assert(!converts<Vector&, HostInput> && !converts<Vector&, HostOutput>, "device memory is not host memory");
static_assert(!converts<thrust::host_vector<float>&, DeviceInput>, "nor the other way round");
static_assert(!converts<std::vector<float>&, DeviceInput> && !converts<float*, DeviceInput>);

template <class R>
using view_of = decltype(DeviceView(std::declval<R>()));
static_assert(std::is_same_v<view_of<Vector&>, DeviceView<float>>);
static_assert(std::is_same_v<view_of<Vector const&>, DeviceView<float const>>);

// An allocator of the emulated GPU's memory, where Thrust would take the host's.
template <class T>
struct DeviceMemory : thrust::device_allocator<T> {
  template <class U>
  struct rebind {
    using other = DeviceMemory<U>;
  };
  thrust::device_ptr<T> allocate(std::size_t n) {
    void* memory = nullptr;
    if (cudaMalloc(&memory, n * sizeof(T)) != cudaSuccess) throw std::bad_alloc();
    return thrust::device_pointer_cast(static_cast<T*>(memory));
  }
  void deallocate(thrust::device_ptr<T> memory, std::size_t) { static_cast<void>(cudaFree(memory.get())); }
};

TEST(Thrust, PlansTakeDeviceVectors) {
  const std::vector<float> host{1, 2, 3, 4, 5};
  const thrust::device_vector<float, DeviceMemory<float>> signal(host.begin(), host.end());
  thrust::device_vector<float, DeviceMemory<float>> filter(3, 1.0F), out(7);

  Plan plan({.signal = 5, .filter = 3}, {.memory = Memory::device});
  plan.set_filter(filter, Stream());
  plan.execute(signal, out, Stream());
  synchronize({});
  EXPECT_THAT((std::vector<float>(out.begin(), out.end())), ElementsAre(1, 3, 6, 9, 12, 9, 5));

  convolve(signal, filter, DeviceView(out.data().get(), 3), Mode::valid);
  std::vector<float> valid(3);
  copy(DeviceView(out.data().get(), 3), valid);
  EXPECT_THAT(valid, ElementsAre(6, 9, 12));
}

// As examples/cuda/pattern_search.cu, which needs a GPU.
TEST(Thrust, FindsAPattern) {
  const std::vector<int> sequence{0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0}, reversed{0, 1, 1};
  const thrust::device_vector<int, DeviceMemory<int>> signal(sequence.begin(), sequence.end());
  thrust::device_vector<std::int64_t, DeviceMemory<std::int64_t>> scores(13), matches(13);
  Plan plan({.signal = 15, .filter = 3, .mode = Mode::valid, .type = Type::int32}, {.memory = Memory::device});
  plan.set_filter(reversed, Stream());
  plan.execute(signal, scores, Stream());
  synchronize({});

  const auto place = thrust::make_counting_iterator<std::int64_t>(0);
  const auto end = thrust::copy_if(place, place + 13, scores.begin(), matches.begin(),
                                   [](std::int64_t score) { return score >= 2; });
  EXPECT_THAT((std::vector<std::int64_t>(scores.begin(), scores.end())),
              ElementsAre(1, 1, 0, 1, 2, 1, 0, 0, 1, 2, 1, 1, 1));
  EXPECT_THAT((std::vector<std::int64_t>(matches.begin(), end)), ElementsAre(4, 9));
}

// A vector in host memory, whatever it is called, is refused rather than read.
TEST(Thrust, AVectorThatIsNotInDeviceMemoryIsRefused) {
  thrust::device_vector<float> signal(5), out(7);
  Plan plan({.signal = 5, .filter = 3}, {.memory = Memory::device});
  plan.set_filter(std::vector<float>(3), Stream());
  EXPECT_THROW(plan.execute(signal, out, Stream()), InvalidArgument);
}

}  // namespace
}  // namespace gpuconv
