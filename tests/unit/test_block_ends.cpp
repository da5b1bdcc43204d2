// Rows that end one sample before, at and one after the last sample of a block, for every size of block that a solver
// has, with garbage in front of and behind each row. Plans choose the size of their blocks, and rarely a row that fits
// it.
//
// The garbage is of two kinds. A NaN in a sum of products stays one, but a block that it gets into is computed again,
// and is then right. A large number that is finite is never looked at again: it is an output that is far off, or spoils
// the digits of a whole block.
#include "problem.hpp"
#include "runner.hpp"
#include "support/scale.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include "cpu/aligned.hpp"
#include "cpu/transform_tables.hpp"

#include "../../kernels/fused_shapes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace gpuconv::test {
namespace {

using namespace detail;
using Blocks = Parameters::Blocks;

constexpr Mode kModes[] = {Mode::full, Mode::same, Mode::valid};

/// Element types of a signal and of its filter.
struct Types {
  Type signal, filter;
};

enum class Surroundings { garbage, zeros };

/// Fills all that is around the rows.
void surround(Array& array, Surroundings with) {
  visit_part(array.type(), [&]<class T>(std::type_identity<T>) {
    const T loud = std::is_integral_v<T> ? T(std::numeric_limits<T>::max() / T(2)) : T(1 << 20);
    const T not_a_number = std::is_integral_v<T> ? std::numeric_limits<T>::max() : std::numeric_limits<T>::quiet_NaN();
    T* const all = reinterpret_cast<T*>(array.storage().data());
    const std::int64_t parts = test::parts_of(array.type()), bytes = parts * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t count = std::ssize(array.storage()) / bytes,
                       first = static_cast<std::int64_t>(array.begin()) / bytes;
    const std::int64_t half_gap = (array.stride() - array.columns()) / 2;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = std::max<std::int64_t>(0, i - first + half_gap) / array.stride();  // the nearest
      const std::int64_t column = i - first - row * array.stride();
      if (column >= 0 && column < array.columns() && row < array.rows()) continue;
      std::fill_n(all + i * parts, parts, with == Surroundings::zeros ? T(0) : row % 2 == 1 ? not_a_number : loud);
    }
  });
}

void set(Array& array, std::int64_t row, std::int64_t i, double value) {
  visit_type(array.type(), [&]<class T>(std::type_identity<T>) {
    if constexpr (!std::is_integral_v<T>)
      array.row<T>(row)[static_cast<std::size_t>(i)] = static_cast<T>(static_cast<float>(value));
  });
}

class BlockEnds : public SolverTest {
 protected:
  bool on_device() const { return solver()->device == Device::cuda; }
  Resources resources() const { return {.threads = 2, .memory = on_device() ? Memory::device : Memory::host}; }
  Answer answer(Problem const& p) const { return solver()->consider(check(p), resources()); }

  /// Three rows: loud garbage around the first, NaN around the second, loud garbage around the third, which has an
  /// infinite sample just before those that its last outputs see: its last block is repaired.
  Workload surrounded(Problem const& p) {
    const Layouts layouts{{.offset = pick(rng_, 0, 7), .gap = pick(rng_, 8, 15)}, {}, {}};
    Workload w = empty_workload(p, layouts);
    fill_random(w.signal, rng_);
    fill_random(w.filter, rng_);
    surround(w.signal, Surroundings::garbage);
    set(w.signal, 2, std::max<std::int64_t>(0, p.signal - p.filter - 1), std::numeric_limits<double>::infinity());
    return w;
  }
  static Problem problem(std::int64_t n, std::int64_t m, Mode mode, Types const& types) {
    return {.signal = n, .filter = m, .batch = 3, .mode = mode, .type = types.signal, .filter_type = types.filter};
  }

  /// The result of an offer's executor for the workload, in memory of the solver's device.
  Outcome outcome_of(Workload const& w, Answer const& offer, Layout const& layout) const {
    const Work work = check(w.problem);
    const auto executor = offer.executor(work, resources());
    const auto scratch_bytes = static_cast<std::int64_t>(executor->scratch_bytes());
    const auto run = [&](auto const& signal, auto const& filter, auto&& out, void* scratch) {
      executor->set_filter(access_of(filter.input()), work.filters(), {.scratch = scratch});
      executor->run(access_of(signal.input()), access_of(out.output()), whole(work), {.scratch = scratch});
    };
    Outcome outcome{Array(result_type(w.problem), work.rows(), work.axis.outputs, layout),
                    "blocks of " + std::to_string(offer.parameters.cut.size), solver()->method,
                    offer.parameters.cut.size};
    if (on_device()) {
      const DeviceArray signal(w.signal), filter(w.filter);
      DeviceArray out(outcome.out);
      DeviceBuffer<std::uint8_t> scratch(scratch_bytes);
      run(signal, filter, out, scratch.data());
      synchronize({});
      out.copy_to(outcome.out);
    } else {
      AlignedBuffer<char> scratch(scratch_bytes);
      run(w.signal, w.filter, outcome.out, scratch.data());
    }
    EXPECT_TRUE(outcome.out.guards_intact());
    return outcome;
  }
  /// The bits are those of the same rows among zeros, and right where the oracle is quick.
  testing::AssertionResult is_right(Problem const& p, Answer const& offer) {
    Workload w = surrounded(p);
    const Layout layout{.offset = pick(rng_, 0, 7), .gap = pick(rng_, 0, 7)};
    const Outcome outcome = outcome_of(w, offer, layout);
    if (p.signal * p.filter <= kOracleProducts / 8)
      if (const auto result = Oracle(w).accepts(outcome); !result) return result;
    if (kThreadSanitizer) return testing::AssertionSuccess();  // which sees races, and no race is among the bits
    surround(w.signal, Surroundings::zeros);
    if (outcome_of(w, offer, layout).out == outcome.out) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "what is around the rows has changed the bits of " << to_string(p) << ", "
                                       << outcome.plan;
  }

  Rng rng_ = test_rng();
};

// ---- blocks that are transformed ---------------------------------------------------------------------------------
/// A kind of block, whose outputs start at a multiple of `aligned` samples.
struct BlockSize {
  Blocks blocks;
  std::int64_t size, aligned;
};

template <class C>
std::vector<BlockSize> cpu_block_sizes(Method method) {
  const std::int64_t aligned = detail::simd_target().kernels<C>().lanes;
  const std::int64_t in_cache = 2 * RightAngleTransform<C>::largest_in_cache();
  // All threads work on one block, of a power of two samples or three times one.
  if (method == Method::fft) return {{Blocks::on_cpu, 2 * in_cache, aligned}, {Blocks::on_cpu, 3 * in_cache, aligned}};
  std::vector<BlockSize> out;
  for (std::int64_t size = 2 * RightAngleTransform<C>::smallest(); size <= in_cache; size *= 2)
    out.push_back({Blocks::on_cpu, size, aligned});
  return out;
}

std::vector<BlockSize> cuda_block_sizes(Type compute) {
  std::vector<BlockSize> out;
  for (kernels::FusedShape const& shape : kernels::fused_shapes(compute))
    out.push_back({Blocks::fused, shape.size(), 32});
  for (std::int64_t const size : {256, 1024, 4096}) out.push_back({Blocks::by_cufft, size, 1});
  return out;
}

/// The block sizes that the solver can be made to take. Of complex samples a block has half as many.
std::vector<BlockSize> block_sizes(SolverPointer solver, Types const& types) {
  const bool complex = is_complex(types.signal) || is_complex(types.filter);
  const Type compute = part_type(types.filter);
  std::vector<BlockSize> out;
  if (solver->device == Device::cuda) {
    if (solver->method == Method::overlap_save) out = cuda_block_sizes(compute);
  } else if (solver->method == Method::overlap_save || solver->method == Method::fft) {
    out = compute == Type::float32 ? cpu_block_sizes<float>(solver->method) : cpu_block_sizes<double>(solver->method);
  }
  for (BlockSize& block : out) block.size /= complex ? 2 : 1;
  return out;
}

constexpr std::int64_t kLarge = 2048;  // samples of a block: of larger ones fewer cases are tried

/// Filters with which blocks of a valid convolution start a sample before the row, at its first sample and one after:
/// their outputs start where vectors do, or whole warps.
std::vector<std::int64_t> filters_for(BlockSize const& block) {
  if (kSlowdown > 1) return {33};
  if (block.size > kLarge) return {32, 33};
  return {2, 32, 33, 34};
}

/// Lengths of rows that end one sample before, at and one after the last sample of one of the first blocks. The
/// filter is not the longer operand.
std::set<std::int64_t> lengths_around(Cut const& cut, std::int64_t taps, Mode mode) {
  const std::int64_t first = output_slice(taps, taps, mode).first;
  std::set<std::int64_t> out;
  for (std::int64_t const block : {0, 1})
    for (std::int64_t const off : {-1, 0, 1})
      if (const std::int64_t n = cut.origin(first, block) + cut.size + off; n >= taps) out.insert(n);
  return out;
}

TEST_P(BlockEnds, AreRightWithinAnyRow) {
  for (Types const types : {Types{Type::float32, Type::float32},
                            {Type::float64, Type::float64},
                            {Type::int16, Type::float32},
                            {Type::complex64, Type::complex64},
                            {Type::complex128, Type::float64},
                            {Type::float32, Type::complex64}})
    for (BlockSize const& block : block_sizes(solver(), types)) {
      if (types.signal != types.filter && block.size > kLarge) continue;
      if (kSlowdown > 1 && block.size > 4 * kLarge) continue;
      for (std::int64_t const taps : filters_for(block))
        for (Mode const mode : kModes) {
          const Cut cut = overlapping(block.size, taps, block.aligned);
          if (cut.step <= 0) continue;
          for (std::int64_t const n : lengths_around(cut, taps, mode)) {
            const Problem p = problem(n, taps, mode, types);
            Answer offer = answer(p);
            if (offer.refusal) continue;
            offer.parameters.blocks = block.blocks;
            offer.parameters.cut = cut;
            offer.parameters.exchanged = false;
            ASSERT_TRUE(is_right(p, offer));
          }
        }
    }
}

// Rows that fill the one block that holds them, or nearly so: what wraps around has to be zeros. The longer the filter,
// the more wraps.
TEST_P(BlockEnds, WholeRowsInOneBlockAreRight) {
  if (on_device()) GTEST_SKIP() << "the CPU's alone are aligned so";
  for (Types const types : {Types{Type::float32, Type::float32},
                            {Type::float64, Type::float64},
                            {Type::complex64, Type::complex64},
                            {Type::complex128, Type::float64}})
    for (BlockSize const& block : block_sizes(solver(), types))
      for (std::int64_t const taps : {std::min<std::int64_t>(34, block.size / 4), block.size / 3, block.size / 2})
        for (Mode const mode : kModes) {
          if (block.size > kLarge && (taps > 34 || kSlowdown > 1)) continue;
          bool fitted = false;
          for (std::int64_t const off : {-17, -16, -1, 0, 1}) {
            const std::int64_t n = block.size - (taps - 1) + output_slice(taps, taps, mode).first + off;
            const Problem p = problem(std::max(taps, n), taps, mode, types);
            Answer offer = answer(p);
            offer.parameters.cut = whole_row(block.size, check(p).axis, block.aligned);
            if (offer.refusal || offer.parameters.cut.step <= 0) continue;
            fitted = true;
            offer.parameters.blocks = block.blocks;
            offer.parameters.exchanged = false;
            ASSERT_TRUE(is_right(p, offer));
          }
          EXPECT_TRUE(fitted) << block.size << ' ' << taps;
        }
}

TEST(WholeRows, BeyondTheCacheMayTakeThreeTimesAPowerOfTwo) {
  constexpr std::int64_t size = 1 << 18;
  const auto block = [](std::int64_t n) {
    return Plan({.signal = n, .filter = n}, {.method = Method::fft, .device = Device::cpu}).block();
  };
  EXPECT_EQ(block(size / 2), size);
  EXPECT_EQ(block(size / 2 + 1), size / 2 * 3);
  EXPECT_EQ(block(size / 4 * 3), size / 2 * 3);
  EXPECT_EQ(block(size / 4 * 3 + 1), 2 * size);
}

// ---- everything else ---------------------------------------------------------------------------------------------
// Vectors and their tiles, segments of 8192 outputs (pieces of 2048 complex ones), short rows of 768; tiles on the GPU;
// whole rows by cuFFT.
TEST_P(BlockEnds, OfTilesAreRightWithinAnyRow) {
  std::set<std::int64_t> widths{4, 8, 16, 32, 64, 128, 256, 640, 768};
  if (!on_device()) widths.merge(std::set<std::int64_t>{2048, 8192});
  for (Types const types : {Types{Type::float32, Type::float32},
                            {Type::float64, Type::float64},
                            {Type::int16, Type::int16},
                            {Type::uint64, Type::uint64},
                            {Type::int16, Type::float32},
                            {Type::complex64, Type::complex64},
                            {Type::complex128, Type::float64}})
    for (std::int64_t const taps : kSlowdown > 1 ? std::set<std::int64_t>{33} : std::set<std::int64_t>{1, 4, 33})
      for (Mode const mode : kModes)
        for (std::int64_t const width : widths)
          for (std::int64_t const off : {-1, 0, 1})
            // Samples, outputs of a full convolution or outputs with whole windows end there.
            for (std::int64_t const n : {width, width - taps + 1, width + taps - 1}) {
              const Problem p = problem(n + off, taps, mode, types);
              if (p.signal < taps || !takes(p)) continue;
              ASSERT_TRUE(is_right(p, answer(p)));
            }
}

GPUCONV_OVER_SOLVERS(BlockEnds);

}  // namespace
}  // namespace gpuconv::test
