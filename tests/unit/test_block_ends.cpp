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
  visit_type(array.type(), [&]<class T>(std::type_identity<T>) {
    const T loud = std::is_integral_v<T> ? std::numeric_limits<T>::max() / 2 : T(1 << 20);
    const T not_a_number = std::is_integral_v<T> ? std::numeric_limits<T>::max() : std::numeric_limits<T>::quiet_NaN();
    T* const all = reinterpret_cast<T*>(array.storage().data());
    const auto count = static_cast<std::int64_t>(array.storage().size() / sizeof(T)),
               first = static_cast<std::int64_t>(array.begin() / sizeof(T));
    const std::int64_t half_gap = (array.stride() - array.columns()) / 2;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = std::max<std::int64_t>(0, i - first + half_gap) / array.stride();  // the nearest
      const std::int64_t column = i - first - row * array.stride();
      if (column >= 0 && column < array.columns() && row < array.rows()) continue;
      all[i] = with == Surroundings::zeros ? T(0) : row % 2 == 1 ? not_a_number : loud;
    }
  });
}

void set(Array& array, std::int64_t row, std::int64_t i, double value) {
  visit_type(array.type(), [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_floating_point_v<T>) array.row<T>(row)[static_cast<std::size_t>(i)] = static_cast<T>(value);
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

  /// What an offer makes of the workload, in memory of the solver's device.
  Outcome outcome_of(Workload const& w, Answer const& offer, Layout const& layout) const {
    const Work work = check(w.problem);
    const auto executor = offer.make(work, resources(), offer.parameters);
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
  if (method == Method::fft) return {{Blocks::on_cpu, 2 * in_cache, aligned}};  // all threads work on one block
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

/// Those that the solver can be made to take.
std::vector<BlockSize> block_sizes(SolverPointer solver, Type compute) {
  if (solver->device == Device::cuda)
    return solver->method == Method::overlap_save ? cuda_block_sizes(compute) : std::vector<BlockSize>{};
  if (solver->method != Method::overlap_save && solver->method != Method::fft) return {};
  return compute == Type::float32 ? cpu_block_sizes<float>(solver->method) : cpu_block_sizes<double>(solver->method);
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
  for (Types const types :
       {Types{Type::float32, Type::float32}, {Type::float64, Type::float64}, {Type::int16, Type::float32}})
    for (BlockSize const& block : block_sizes(solver(), types.filter)) {
      if (types.signal != types.filter && block.size > kLarge) continue;
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

// ---- everything else ---------------------------------------------------------------------------------------------
// Vectors and their tiles, segments of 8192 outputs, short rows of 768; tiles on the GPU; whole rows by cuFFT.
TEST_P(BlockEnds, OfTilesAreRightWithinAnyRow) {
  std::set<std::int64_t> widths{4, 8, 16, 32, 64, 128, 256, 640, 768};
  if (!on_device()) widths.insert(8192);
  for (Types const types : {Types{Type::float32, Type::float32},
                            {Type::float64, Type::float64},
                            {Type::int16, Type::int16},
                            {Type::uint64, Type::uint64},
                            {Type::int16, Type::float32}})
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
