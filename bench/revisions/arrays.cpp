// Fills arrays with values that are exact on every machine: no function of the mathematical library rounds on the way.
#include "arrays.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <new>

namespace gpuconv::revisions {
namespace {

constexpr std::size_t kGuard = 512;
constexpr std::align_val_t kAlignment{64};

// Powers of two in which values of one array differ, and of the middle of those near an end of the exponent's range.
template <class T>
constexpr int kWide = sizeof(T) == 4 ? 40 : 300;

template <class T>
T value(Rng& rng, Values values, int exponent) {
  if (values == Values::small) return static_cast<T>(rng.pick(-8, 8));
  const T plain = static_cast<T>(rng.uniform());
  if (values == Values::wide) return std::ldexp(plain, static_cast<int>(rng.pick(-kWide<T>, kWide<T>)));
  return exponent ? std::ldexp(plain, exponent) : plain;
}

// The power of two that makes an array tiny or huge.
template <class T>
int exponent(Rng& rng, Values values) {
  using Limits = std::numeric_limits<T>;
  if (values == Values::tiny) return Limits::min_exponent + static_cast<int>(rng.pick(-16, 8));
  if (values == Values::huge) return Limits::max_exponent - static_cast<int>(rng.pick(0, 4));
  return 0;
}

template <class T>
void plant(Rng& rng, std::span<T> row) {
  using Limits = std::numeric_limits<T>;
  for (std::int64_t count = rng.pick(0, 3); count > 0; --count)
    row[static_cast<std::size_t>(rng.pick(0, std::ssize(row) - 1))] =
        rng.any_of({Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()});
}

void fill(Array& array, Rng& rng, Values values, bool chosen) {
  if (!chosen && (values == Values::tiny || values == Values::huge)) values = Values::plain;
  visit_type(array.type(), [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_floating_point_v<T>) {
      const int power = exponent<T>(rng, values);
      for (std::int64_t r = 0; r < array.shape().rows; ++r) {
        for (T& e : array.row<T>(r)) e = value<T>(rng, values, power);
        if (values == Values::not_finite && (chosen || rng.one_in(4))) plant(rng, array.row<T>(r));
      }
    } else {
      for (std::int64_t r = 0; r < array.shape().rows; ++r)
        for (T& e : array.row<T>(r)) e = static_cast<T>(values == Values::small ? rng.bits() % 8 : rng.bits());
    }
  });
}

}  // namespace

void Array::Free::operator()(std::byte* p) const { ::operator delete(p, kAlignment); }

Array::Array(Type type, std::int64_t rows, std::int64_t columns, Place place)
    : type_(type),
      shape_{.rows = rows, .columns = columns, .stride = place.stride},
      stride_(place.stride),
      begin_(kGuard + static_cast<std::size_t>(place.offset) * size_of(type)),
      size_(begin_ + static_cast<std::size_t>((rows - 1) * place.stride + columns) * size_of(type) + kGuard),
      storage_(static_cast<std::byte*>(::operator new(size_, kAlignment))) {
  std::memset(storage_.get(), 0xFF, size_);
}

std::vector<std::byte> Array::packed() const {
  const std::size_t element = size_of(type_), row = static_cast<std::size_t>(shape_.columns) * element;
  std::vector<std::byte> bytes(static_cast<std::size_t>(shape_.rows) * row);
  for (std::int64_t r = 0; r < shape_.rows; ++r)
    std::memcpy(bytes.data() + static_cast<std::size_t>(r) * row,
                data() + static_cast<std::size_t>(r * stride_) * element, row);
  return bytes;
}

bool Array::guards_intact() const {
  const std::size_t element = size_of(type_), row = static_cast<std::size_t>(shape_.columns) * element;
  std::size_t begin = 0;
  for (std::int64_t r = 0; r <= shape_.rows; ++r) {
    const std::size_t end = r == shape_.rows ? size_ : begin_ + static_cast<std::size_t>(r * stride_) * element;
    for (std::size_t i = begin; i < end; ++i)
      if (storage_.get()[i] != std::byte{0xFF}) return false;
    begin = end + row;
  }
  return true;
}

std::uint64_t Array::hash() const {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::byte const b : storage()) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
  return hash;
}

long double Array::norm(std::int64_t r) const {
  return visit_type(type_, [&]<class T>(std::type_identity<T>) {
    long double sum = 0;
    for (T const e : row<T>(r))
      if (const auto v = static_cast<long double>(e); std::isfinite(v)) sum += v * v;
    return std::sqrt(sum);
  });
}

Data make_data(Case const& c, Rng& rng) {
  Problem const& p = c.problem;
  Data data{Array(p.type, p.batch, p.signal, c.signal),
            Array(filter_type(p), p.filters == Filters::per_row ? p.batch : 1, p.filter, c.filter)};
  fill(data.signal, rng, c.values, c.first_operand);
  fill(data.filter, rng, c.values, !c.first_operand);
  return data;
}

}  // namespace gpuconv::revisions
