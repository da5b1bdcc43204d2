// Prints what every solver of the linked library makes of generated problems, a line for each run: two revisions
// compute the same where their lines are the same, which `diff` tells. Of outputs a line has a hash of all bits and,
// for those that differ only in their last ones, their 2-norm. Uses public calls that older revisions have, too, and
// neither a row stride of 0 nor the estimates, whose meaning may differ between them.
//
// Usage: revision_record [SEED [COUNT [LONGEST [PRODUCTS]]]]: operands of LONGEST samples at most; direct sums of more
// than PRODUCTS multiply-adds are left out.
#include <gpuconv/device.hpp>
#include <gpuconv/error.hpp>
#include <gpuconv/gpuconv.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace gpuconv;

/// SplitMix64 (Steele, Lea and Flood, 2014): the same with every compiler and library.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [low, high], low and high included.
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(std::int64_t n) { return pick(1, n) == 1; }
  template <class T>
  T any_of(std::initializer_list<T> values) {
    return values.begin()[pick(0, static_cast<std::int64_t>(values.size()) - 1)];
  }

 private:
  std::uint64_t state_;
};

// ---- problems ----

/// A number up to `longest`, every order of magnitude equally likely: around a power of two, around a multiple of a
/// vector, a prime, or any.
std::int64_t any_size(Rng& rng, std::int64_t longest) {
  const auto magnitude = rng.pick(0, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(longest))) - 1);
  const std::int64_t power = std::int64_t{1} << magnitude, any = power + rng.pick(0, power - 1);
  const std::int64_t prime = rng.any_of<std::int64_t>({2, 3, 5, 7, 13, 31, 61, 127, 251, 509, 1021, 4093, 8191, 65521});
  const std::int64_t around_vectors = any / 8 * 8 + rng.pick(-1, 1), around_power = power + rng.pick(-1, 1);
  return std::clamp<std::int64_t>(rng.any_of({around_power, around_power, around_vectors, prime, any, any}), 1,
                                  longest);
}

/// Enough outputs that they are written around the cache every 400th time. One filter may be for all rows or for each
/// its own; the filter is the longer operand in a third of the problems.
Problem any_problem(Rng& rng, std::int64_t number, std::int64_t longest) {
  // Older revisions have no others.
  const auto any_type = [&] { return static_cast<Type>(rng.pick(0, static_cast<int>(Type::float64))); };
  Problem p;
  p.mode = rng.any_of({Mode::full, Mode::same, Mode::valid});
  p.same = rng.any_of({Same::numpy, Same::scipy, Same::matlab});
  p.type = rng.any_of({Type::float32, Type::float32, Type::float64, any_type()});
  if (rng.one_in(4)) p.filter_type = any_type();
  const bool floating = is_floating(p.type) || is_floating(filter_type(p));
  if (rng.one_in(4)) p.result_type = floating ? Type::float64 : any_type();
  const std::int64_t largest = std::min(longest, rng.any_of<std::int64_t>({2500, 2500, 2500, 20'000, longest}));
  p.signal = any_size(rng, largest);
  p.filter = any_size(rng, std::min(largest, rng.any_of<std::int64_t>({32, 300, longest, longest})));
  if (rng.one_in(4)) std::swap(p.signal, p.filter);
  p.filters = rng.any_of({Filters::shared, Filters::per_row});
  if (rng.one_in(2)) p.batch = std::clamp<std::int64_t>(8 * largest / (p.signal + p.filter), 1, rng.pick(1, 20));
  if (number % 400 == 399 && longest >= 180'000) {
    p.signal = rng.pick(100'000, 180'000), p.filter = any_size(rng, rng.any_of<std::int64_t>({20, 2000}));
    p.batch = 1'300'000 / p.signal + 1;
  }
  return p;
}

// ---- arrays ----

enum class Values { plain, small, wide, tiny, huge, not_finite };
constexpr const char* kNames[] = {"plain", "small", "wide", "tiny", "huge", "not finite"};

template <class T>
T any_value(Rng& rng, Values values) {
  using Limits = std::numeric_limits<T>;
  if constexpr (!std::is_floating_point_v<T>)
    return static_cast<T>(values == Values::small ? rng.bits() % 8 : rng.bits());
  else {
    const T plain = static_cast<T>(static_cast<double>(static_cast<std::int64_t>(rng.bits()) >> 11) * 0x1p-52);
    switch (values) {
      case Values::small:
        return static_cast<T>(rng.pick(-8, 8));  // sums are exact
      case Values::wide:
        return std::ldexp(plain, static_cast<int>(rng.pick(-40, 40)));
      case Values::tiny:
        return std::ldexp(plain, Limits::min_exponent);
      case Values::huge:
        return std::ldexp(plain, Limits::max_exponent - 1);  // sums overflow
      case Values::not_finite:
        if (rng.one_in(200)) return rng.any_of({Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()});
        break;
      case Values::plain:
        break;
    }
    return plain;
  }
}

/// Rows at any place past an alignment, with any stride, among bytes 0xFF: a NaN, or -1, to those who read there.
class Array {
 public:
  Array(Rng& rng, Type type, std::int64_t rows, std::int64_t columns, bool may_overlap)
      : type_(type), shape_{.rows = rows, .columns = columns, .stride = columns} {
    std::int64_t stride = columns;
    if (may_overlap && rng.one_in(8)) stride = rng.pick(1, columns);
    else if (rng.one_in(2)) stride += rng.pick(1, 40);
    shape_.stride = stride_ = stride;
    begin_ = (64 + static_cast<std::size_t>(rng.pick(0, 17))) * size_of(type);
    bytes_.assign(begin_ + (static_cast<std::size_t>((rows - 1) * stride + columns) + 64) * size_of(type), 0xFF);
  }

  void fill(Rng& rng, Values values) {
    detail::visit_part(type_, [&]<class T>(std::type_identity<T>) {
      for (std::int64_t r = 0; r < shape_.rows; ++r)
        for (std::int64_t i = 0; i < shape_.columns; ++i) at<T>(r)[i] = any_value<T>(rng, values);
    });
  }
  template <class T>
  T* at(std::int64_t r) {
    return reinterpret_cast<T*>(bytes_.data() + begin_) + r * stride_;
  }
  HostInput input() const { return {bytes_.data() + begin_, type_, shape_}; }
  HostOutput output() { return {bytes_.data() + begin_, type_, shape_}; }
  std::vector<std::uint8_t>& bytes() { return bytes_; }
  std::size_t begin() const { return begin_; }
  Rows shape() const { return shape_; }
  Type type() const { return type_; }

  /// FNV-1a of all bytes, those around the rows as well, every NaN as the same one; and the 2-norm of finite elements.
  std::string summary() {
    long double sum = 0;
    detail::visit_part(type_, [&]<class T>(std::type_identity<T>) {
      for (std::int64_t r = 0; r < shape_.rows; ++r)
        for (std::int64_t i = 0; i < shape_.columns; ++i) {
          T& e = at<T>(r)[i];
          const auto wide = static_cast<long double>(e);
          if (std::isfinite(wide)) sum += wide * wide;
          if constexpr (std::is_floating_point_v<T>)
            if (std::isnan(e)) e = std::numeric_limits<T>::quiet_NaN();
        }
    });
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (std::uint8_t const b : bytes_) hash = (hash ^ b) * 0x100000001b3u;
    char text[80];
    std::snprintf(text, sizeof text, "norm %.4Le, bits %016llx", std::sqrt(sum), static_cast<unsigned long long>(hash));
    return text;
  }

 private:
  Type type_;
  Rows shape_;
  std::int64_t stride_;  // that of the shape, whose own type is not the same in all revisions
  std::size_t begin_;
  std::vector<std::uint8_t> bytes_;
};

/// A copy of an array in device memory, with the same bytes around its rows.
struct DeviceArray {
  explicit DeviceArray(Array& array) : from(array), bytes(std::ssize(array.bytes())) {
    copy(HostInput(HostView<std::uint8_t const>(array.bytes().data(), row())),
         DeviceOutput(bytes.data(), Type::uint8, row()));
  }
  Rows row() const { return {.rows = 1, .columns = std::ssize(from.bytes())}; }
  DeviceInput input() { return {bytes.data() + from.begin(), from.type(), from.shape()}; }
  DeviceOutput output() { return {bytes.data() + from.begin(), from.type(), from.shape()}; }
  void copy_back() {
    copy(DeviceInput(bytes.data(), Type::uint8, row()), HostOutput(HostView<std::uint8_t>(from.bytes().data(), row())));
  }

  Array& from;
  DeviceBuffer<std::uint8_t> bytes;
};

// ---- runs ----

/// Without the estimated time.
std::string text_of(Plan const& plan) {
  const std::string text = plan.describe();
  return text.substr(0, text.find(", about "));
}

std::string run(Problem const& p, Options const& options, Array& signal, Array& filter, Array out, bool affordable) {
  try {
    Plan plan(p, options);
    if (!affordable && (options.method == Method::direct || options.method == Method::reference)) return "left out";
    if (options.memory == Memory::device) {
      DeviceArray on_device(signal), taps(filter), result(out);
      plan.set_filter(taps.input(), Stream{});
      plan.execute(on_device.input(), result.output(), Stream{});
      result.copy_back();
    } else {
      plan.set_filter(filter.input());
      plan.execute(signal.input(), out.output());
    }
    return text_of(plan) + ", " + out.summary();
  } catch (Unsupported const& e) {
    return std::string("refused: ") + e.what();
  }
}

void record(std::int64_t number, std::uint64_t seed, std::int64_t longest, std::int64_t most_products) {
  Rng rng(Rng(seed).bits() + static_cast<std::uint64_t>(number) * 0xd1342543de82ef95u);  // none depends on those before
  const Problem p = any_problem(rng, number, longest);
  auto values = static_cast<Values>(std::max<std::int64_t>(0, rng.pick(-10, 5)));
  const std::int64_t products = p.batch * std::min(p.signal, p.filter) * output_slice(p).length;
  // Blocks that overflow or are not finite are summed directly, which takes too long at larger sizes.
  if (values >= Values::huge && products > most_products / 16) values = Values::plain;
  const bool first = rng.one_in(2);  // the operand that is tiny, huge or not finite
  Array signal(rng, p.type, p.batch, p.signal, true);
  Array filter(rng, filter_type(p), p.filters == Filters::per_row ? p.batch : 1, p.filter, true);
  const Array out(rng, result_type(p), p.batch, output_slice(p).length, false);
  signal.fill(rng, first || values < Values::tiny ? values : Values::plain);
  filter.fill(rng, !first || values < Values::tiny ? values : Values::plain);
  const std::string key = std::to_string(number) + ", " + to_string(p) + ", " + kNames[static_cast<int>(values)] + ": ";
  for (DeviceInfo const& info : devices()) {
    if (!info.available) continue;
    std::printf("%schosen on the %s: %s\n", key.c_str(), std::string(name(info.device)).c_str(),
                text_of(Plan(p, {.device = info.device, .threads = 2})).c_str());
    for (const Memory memory : {Memory::host, Memory::device})
      for (const Method method : {Method::reference, Method::direct, Method::overlap_save, Method::fft})
        for (const int threads : {1, 2}) {
          if (memory == Memory::device && (info.device != Device::cuda || threads > 1)) continue;
          const Options options{.method = method, .device = info.device, .threads = threads, .memory = memory};
          const std::string what = run(p, options, signal, filter, out, products <= most_products);
          std::printf("%s%s %s%s, %d threads: %s\n", key.c_str(), std::string(name(info.device)).c_str(),
                      std::string(name(method)).c_str(), memory == Memory::device ? ", device memory" : "", threads,
                      what.c_str());
        }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t arguments[] = {20261125, 2000, 200'000, std::int64_t{1} << 27};
  try {
    if (argc > 5) throw std::invalid_argument("too many arguments");
    for (int i = 1; i < argc; ++i)
      if ((arguments[i - 1] = std::stoll(argv[i])) < 1) throw std::invalid_argument(argv[i]);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "usage: revision_record [SEED [COUNT [LONGEST [PRODUCTS]]]]: %s\n", e.what());
    return 2;
  }
  try {
    const auto [seed, count, longest, products] = arguments;
    std::printf("seed %lld, %s\n", static_cast<long long>(seed), std::string(simd_target()).c_str());
    for (std::int64_t number = 0; number < count; ++number)
      record(number, static_cast<std::uint64_t>(seed), longest, products);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "revision_record: %s\n", e.what());
    return 1;
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
