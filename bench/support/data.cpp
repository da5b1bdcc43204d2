#include "data.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <new>
#include <type_traits>

namespace gpuconv::bench {
namespace {

constexpr std::align_val_t kAlignment{64};

// SplitMix64 (Steele, Lea and Flood, 2014): fast enough to fill gigabytes.
struct Random {
  std::uint64_t state;
  std::uint64_t operator()() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
};

template <class T>
T element(std::uint64_t bits) {
  if constexpr (detail::is_floating_element<T>)
    return static_cast<T>(static_cast<double>(static_cast<std::int64_t>(bits)) * 0x1p-63);
  else return static_cast<T>(bits);
}

}  // namespace

std::int64_t cache_bytes() {
  // Linux knows this machine's cache; in a virtual one the C library's answer is the whole host's.
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index3/size");
  if (std::int64_t kibibytes; file >> kibibytes && kibibytes > 0) return kibibytes << 10;
  const long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return bytes > 0 ? bytes : std::int64_t{32} << 20;
}

Array::Array(Type type, Rows shape, std::uint64_t seed) : type_(type), shape_(shape) {
  data_.reset(static_cast<std::byte*>(::operator new(static_cast<std::size_t>(bytes()), kAlignment)));
  detail::visit_part(type, [&]<class T>(std::type_identity<T>) {
    Random random{seed};
    T* const to = reinterpret_cast<T*>(data_.get());
    for (std::int64_t i = 0; i < bytes() / std::int64_t{sizeof(T)}; ++i) to[i] = element<T>(random());
  });
}

std::int64_t Array::bytes() const { return shape_.rows * shape_.columns * static_cast<std::int64_t>(size_of(type_)); }

void Array::Free::operator()(std::byte* p) const { ::operator delete(p, kAlignment); }

Data::Data(Problem const& p, bool across, std::uint64_t seed)
    : filter_(filter_type(p), {.rows = p.filters == Filters::shared ? 1 : p.batch, .columns = p.filter}, seed) {
  Rows in{.rows = p.batch, .columns = p.signal}, out{.rows = p.batch, .columns = output_slice(p).length};
  if (across)
    for (Rows* const rows : {&in, &out}) rows->stride = 1, rows->element_stride = rows->rows;
  const auto add = [&] {
    signals_.emplace_back(p.type, in, ++seed);
    outs_.emplace_back(result_type(p), out, seed);
    return signals_.back().bytes() + outs_.back().bytes();
  };
  const std::int64_t bytes = add();
  if (bytes < kColdBytes) return;
  const std::int64_t sets = std::max<std::int64_t>(2, 2 * cache_bytes() / bytes + 1);
  while (static_cast<std::int64_t>(signals_.size()) < sets) add();
}

}  // namespace gpuconv::bench
