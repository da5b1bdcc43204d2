#include "transform_tables.hpp"

#include "../core/thread_pool.hpp"

#include "../core/published.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>
#include <numbers>
#include <type_traits>
#include <utility>
#include <vector>

namespace gpuconv::detail {
namespace {

template <class T>
TransformKernels<T> const& kernels() {
  return simd_target().kernels<T>().transform;
}

constexpr std::int64_t kCacheBytes = 512 << 10;       // of a work array: half a core's L2 on current machines
constexpr std::int64_t kLargestTableBytes = 1 << 20;  // of one level; beyond it twiddles are factored
constexpr int kKeptLog2 = 16;                         // tables up to this size are kept

int log2_of(std::int64_t power_of_two) { return std::countr_zero(static_cast<std::uint64_t>(power_of_two)); }

// exp(-2 pi i p / order) for any p, as the product of two tabulated roots, in more precision than T has.
template <class T>
class Roots {
  using W = std::conditional_t<std::is_same_v<T, float>, double, long double>;

 public:
  explicit Roots(std::int64_t order)
      : order_(order), bits_((static_cast<int>(std::bit_width(static_cast<std::uint64_t>(order))) - 1) / 2) {
    const std::int64_t fine = std::int64_t{1} << bits_;
    for (std::int64_t p = 0; p < fine; ++p) fine_.push_back(root(p));
    for (std::int64_t p = 0; p < order; p += fine) coarse_.push_back(root(p));
  }

  std::array<T, 2> operator()(std::int64_t p) const {
    p %= order_;
    if (p < 0) p += order_;
    const auto a = coarse_[static_cast<std::size_t>(p >> bits_)];
    const auto b = fine_[static_cast<std::size_t>(p & ((std::int64_t{1} << bits_) - 1))];
    return {static_cast<T>(a[0] * b[0] - a[1] * b[1]), static_cast<T>(a[0] * b[1] + a[1] * b[0])};
  }

 private:
  std::array<W, 2> root(std::int64_t p) const {
    const W angle = -2 * std::numbers::pi_v<W> * static_cast<W>(p) / static_cast<W>(order_);
    return {std::cos(angle), std::sin(angle)};
  }

  std::int64_t order_;
  int bits_;
  std::vector<std::array<W, 2>> coarse_, fine_;
};

// Radices of the levels above the innermost transforms: a factor 3, then powers of two, as few as possible, as even as
// possible, small ones first.
std::vector<int> radices(std::int64_t points, int lanes, int max_radix_log2) {
  if (points % 3 == 0) {
    std::vector<int> out = radices(points / 3, lanes, max_radix_log2);
    out.insert(out.begin(), 3);
    return out;
  }
  const int bits = log2_of(points / lanes);
  const int levels = (bits + max_radix_log2 - 1) / max_radix_log2;
  std::vector<int> out;
  for (int l = 0; l < levels; ++l) out.push_back(1 << (bits * (l + 1) / levels - bits * l / levels));
  std::sort(out.begin(), out.end());
  return out;
}

template <class T>
bool is_factored(std::int64_t size) {
  return 2 * size * static_cast<std::int64_t>(sizeof(T)) > kLargestTableBytes;
}

}  // namespace

template <class T>
std::int64_t RightAngleTransform<T>::smallest() {
  const std::int64_t lanes = simd_target().kernels<T>().lanes;
  return 2 * lanes * lanes;
}

template <class T>
std::int64_t RightAngleTransform<T>::largest_in_cache() {
  return kCacheBytes / static_cast<std::int64_t>(2 * sizeof(T));
}

template <class T>
std::shared_ptr<const RightAngleTransform<T>> RightAngleTransform<T>::get(std::int64_t points) {
  static constinit std::array<MadeOnce<RightAngleTransform>, kKeptLog2 + 1> kept;
  const auto log2 = static_cast<std::size_t>(log2_of(points));
  if (log2 >= kept.size() || !std::has_single_bit(static_cast<std::uint64_t>(points)))
    return std::make_shared<const RightAngleTransform>(points);
  RightAngleTransform const& one = kept[log2].get([&] { return std::make_unique<const RightAngleTransform>(points); });
  return {std::shared_ptr<const void>(), &one};  // which owns nothing
}

template <class T>
RightAngleTransform<T>::RightAngleTransform(std::int64_t points) : lanes_(simd_target().kernels<T>().lanes) {
  const std::vector<int> radix = radices(points, lanes_, kernels<T>().max_radix_log2);
  view_.points = points;
  view_.levels = static_cast<int>(radix.size());
  // Level 0 has `radix` twiddles a butterfly, the others one fewer; factored tables are smaller by the lanes.
  std::int64_t total = 0, size = points;
  for (int const r : radix) {
    total += is_factored<T>(size) ? 2 * size / lanes_ + 2 * lanes_ * r : 2 * size;
    size /= r;
  }
  tables_ = AlignedBuffer<T>(total);
  size = points;
  for (int l = 0; l < view_.levels; ++l) {
    if (size > largest_in_cache()) outer_levels_ = l + 1;
    add_level(l, size, radix[static_cast<std::size_t>(l)]);
    size = view_.level[l].step;
  }
}

template <class T>
void RightAngleTransform<T>::add_level(int l, std::int64_t size, int radix) {
  Level<T>& level = view_.level[l];
  level = {.radix = radix,
           .factored = is_factored<T>(size),
           .size = size,
           .step = size / radix,
           .offset = {},
           .twiddles = {},
           .lane_twiddles = {}};
  for (int j = 0; j < radix; ++j) level.offset[j] = work_offset<T>(j * level.step, lanes_);

  // Twiddle f of index k: exp(-2 pi i f k / size); at level 0 times the weight exp(i pi k / 2 size). Both are roots
  // of order 4 size.
  const Roots<T> roots(4 * size);
  const int first = l == 0 ? 0 : 1;
  const auto twiddle = [&](int f, std::int64_t k) { return roots((4 * f - (l == 0 ? 1 : 0)) * k); };
  const auto append = [&](int lanes, std::int64_t k, auto lane_of) {
    T* const table = tables_.data() + table_used_;
    for (int f = first; f < radix; ++f)
      for (int lane = 0; lane < lanes; ++lane) {
        const auto w = twiddle(f, lane_of(k, lane));
        table[2 * lanes * (f - first) + lane] = w[0];
        table[2 * lanes * (f - first) + lanes + lane] = w[1];
      }
    table_used_ += 2 * lanes * (radix - first);
    return table;
  };
  const auto index = [](std::int64_t k, int lane) { return k + lane; };
  if (level.factored) level.lane_twiddles = append(lanes_, 0, index);
  level.twiddles = tables_.data() + table_used_;
  for (std::int64_t k = 0; k < level.step; k += lanes_) append(level.factored ? 1 : lanes_, k, index);
}

// Splits level `l` of the whole transform among threads: f(start of a sub-transform, first chunk, last chunk).
template <class T>
template <class F>
void RightAngleTransform<T>::split_level(int l, T* work, int threads, F f) const {
  constexpr std::int64_t kTask = 64;  // chunks a task
  const std::int64_t chunks = view_.level[l].step / lanes_, each = (chunks + kTask - 1) / kTask;
  const auto task = [&](std::int64_t i, int) {
    const std::int64_t begin = i % each * kTask;
    f(work + work_offset<T>(i / each * view_.level[l].size, lanes_), begin, std::min(begin + kTask, chunks));
  };
  parallel_for(view_.points / view_.level[l].size * each, threads, task);
}

// Forward down to transforms that fit into the cache, then f(start of one, its first point) for each.
template <class T>
template <class F>
void RightAngleTransform<T>::forward_outer(const T* x, T* work, int threads, F f) const {
  using Index = std::int64_t;
  split_level(0, work, threads, [&](T* at, Index begin, Index end) { kernels<T>().first(view_, x, at, begin, end); });
  for (int l = 1; l < outer_levels_; ++l)
    split_level(l, work, threads,
                [&](T* at, Index begin, Index end) { kernels<T>().forward(view_, l, at, begin, end); });
  const Index size = view_.level[outer_levels_ - 1].step;
  const auto task = [&](Index i, int) { f(work + work_offset<T>(i * size, lanes_), i * size); };
  parallel_for(view_.points / size, threads, task);
}

template <class T>
void RightAngleTransform<T>::spectrum(const T* x, T* work, T* spectrum, int threads) const {
  const T scale = T(1) / static_cast<T>(view_.points);
  if (outer_levels_ == 0) {
    kernels<T>().first(view_, x, work, 0, view_.level[0].step / lanes_);
    return kernels<T>().spectrum(view_, 1, work, view_.points, spectrum, scale);
  }
  const std::int64_t size = view_.level[outer_levels_ - 1].step;
  forward_outer(x, work, threads, [&](T* at, std::int64_t point) {
    kernels<T>().spectrum(view_, outer_levels_, at, size, spectrum + 2 * point, scale);
  });
}

template <class T>
T RightAngleTransform<T>::convolve(const T* x, const T* spectrum, T* y, std::int64_t drop, T* work, const T* next,
                                   bool stream, int threads) const {
  using Index = std::int64_t;
  if (outer_levels_ == 0) {
    const Index chunks = view_.level[0].step / lanes_;
    kernels<T>().first(view_, x, work, 0, chunks);
    kernels<T>().inner(view_, 1, work, view_.points, spectrum, next);
    return kernels<T>().last(view_, work, y, drop, stream, 0, chunks);
  }
  const Index size = view_.level[outer_levels_ - 1].step;
  forward_outer(x, work, threads, [&](T* at, Index point) {
    kernels<T>().inner(view_, outer_levels_, at, size, spectrum + 2 * point, nullptr);
  });
  for (int l = outer_levels_ - 1; l > 0; --l)
    split_level(l, work, threads,
                [&](T* at, Index begin, Index end) { kernels<T>().inverse(view_, l, at, begin, end); });
  std::atomic<T> largest{T(0)};
  split_level(0, work, threads, [&](T* at, Index begin, Index end) {
    const T part = kernels<T>().last(view_, at, y, drop, stream, begin, end);
    for (T so_far = largest.load(std::memory_order_relaxed);
         so_far < part && !largest.compare_exchange_weak(so_far, part, std::memory_order_relaxed);) {
    }
  });
  return largest.load(std::memory_order_relaxed);
}

template class RightAngleTransform<float>;
template class RightAngleTransform<double>;

}  // namespace gpuconv::detail
