// Rows that lie across device memory, such as the columns of a matrix: a plan that is told of them moves some at a time
// to where they lie one behind the other, and nobody can tell from the bits.
#include "cuda/across.hpp"
#include "lines.hpp"
#include "problem.hpp"
#include "runner.hpp"
#include "support/pictures.hpp"
#include "support/placed.hpp"
#include "support/solvers.hpp"
#include "support/workload.hpp"

#include <gpuconv/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace gpuconv::test {
namespace {

using detail::AcrossChunk;

constexpr std::int64_t kBudget = 32 << 10;  // bytes of a chunk

class AcrossDevice : public SolverTest {
 protected:
  static constexpr detail::Resources kOnDevice{.memory = Memory::device};

  bool takes(Problem const& p) const { return !solver()->consider(detail::check(p), kOnDevice).refusal; }

  AcrossChunk chunk_of(Problem const& p) const { return chunk_of(detail::check(p)); }
  AcrossChunk chunk_of(detail::Work const& work) const {
    return detail::across_chunk(work, solver()->consider(work, kOnDevice).parameters, kBudget);
  }

  // The results for operands that lie so, with room for a chunk of kBudget bytes.
  Array result(Workload const& w, Placement signals, Placement outputs) const {
    const detail::Work work = detail::check(w.problem);
    const auto executor =
        detail::make_across(work, chunk_of(w.problem), solver()->consider(work, kOnDevice).executor(work, kOnDevice));
    DeviceBuffer<std::uint8_t> scratch(static_cast<std::int64_t>(executor->scratch_bytes()));
    const detail::Means means{.scratch = scratch.data()};
    const DeviceArray filter(w.filter);
    executor->set_filter(detail::access_of(filter.input()), work.filters(), means);

    Array out(work.result_type, work.rows(), work.axis.outputs);
    const Placed signal_there(w.signal, signals);
    Placed out_there(out, outputs);
    const DeviceBuffer<std::uint8_t> x = signal_there.upload();
    DeviceBuffer<std::uint8_t> y = out_there.upload();
    detail::Input from = detail::access_of(signal_there.input(x));
    from.extension = work.extension;
    detail::Output to = detail::access_of(out_there.output(y));
    if (work.loops.inner.count > 1) to.inner = to.outer, to.outer *= work.loops.inner.count;
    executor->run(from, to, detail::whole(work), means);
    synchronize({});
    out_there.download(y);
    EXPECT_TRUE(out_there.rest_is_untouched());
    out_there.take_out(out);
    return out;
  }

  void expect_same_bits(Problem const& p) const {
    Rng rng = test_rng();
    Workload w = random_workload(p, rng);
    if (p.filters == Filters::bank) {  // whose filters are those of as many rows
      Problem rows = p;
      rows.filters = Filters::per_row, rows.batch = p.bank;
      w.filter = random_workload(rows, rng).filter;
    }
    const Array expected = result(w, Placement::side_by_side, Placement::side_by_side);
    const auto columns = Placement::columns, rows = Placement::gaps;
    for (auto const& [signals, outputs] : {std::pair{columns, columns}, {columns, rows}, {rows, columns}})
      ASSERT_TRUE(result(w, signals, outputs) == expected)
          << to_string(p) << ", signals as " << kPlacements[static_cast<int>(signals)] << ", outputs as "
          << kPlacements[static_cast<int>(outputs)];
  }
};

TEST_P(AcrossDevice, HaveTheBitsOfRowsOneBehindTheOther) {
  const bool cuts = solver()->method != Method::fft;
  const auto check = [&](Type type, Boundary boundary) {
    const Problem p{.signal = cuts ? 1001 : 301,
                    .filter = 70,
                    .batch = 37,
                    .mode = Mode::same,
                    .same = Same::scipy,
                    .type = type,
                    .boundary = boundary,
                    .constant = 3};
    if (!takes(p)) return;
    const AcrossChunk chunk = chunk_of(p);
    EXPECT_NE(chunk.whole_rows, cuts) << "rows are longer than a chunk";
    EXPECT_LT(chunk.rows, p.batch);
    expect_same_bits(p);
  };
  for (Type const type : {Type::int8, Type::float16, Type::float32, Type::float64, Type::complex128})
    check(type, Boundary::zero);
  for (Boundary const boundary : {Boundary::constant, Boundary::mirror, Boundary::wrap})
    if (cuts) check(boundary == Boundary::constant ? Type::complex64 : Type::float32, boundary);
}

// Two channels that alternate, more taps than samples, banks, windows beyond the ends, outputs with steps.
TEST_P(AcrossDevice, ShapesOfAllKinds) {
  const Problem plain{.signal = 900, .filter = 33, .batch = 5, .mode = Mode::full};
  std::vector<Problem> all(9, plain);
  all[0].batch = 2, all[0].signal = 20'000;
  all[1].filter = 2500;
  all[2].filters = Filters::per_row;
  all[3].filters = Filters::bank, all[3].bank = 3;
  all[4].filters = Filters::bank, all[4].bank = 40, all[4].batch = 2;  // some filters of a signal at a time
  all[5].window = Slice{-700, 4000};
  all[5].boundary = Boundary::mirror;
  all[6].window = Slice{10, 200, 4};
  all[7].window = Slice{890, 500};
  all[8].signal = 40'000, all[8].filter = 39'990, all[8].mode = Mode::valid;
  for (Problem const& p : all)
    if (takes(p) && (solver()->method != Method::fft || p.signal < 10'000)) expect_same_bits(p);  // for the time
}

TEST_P(AcrossDevice, InfinitiesAndNaNsStayWhereTheyAre) {
  Rng rng = test_rng();
  const Problem p{.signal = 3001, .filter = 70, .batch = 33, .mode = Mode::full};
  Workload w = random_workload(p, rng);
  w.signal.row<float>(3)[0] = std::numeric_limits<float>::infinity();
  w.signal.row<float>(7)[1500] = std::numeric_limits<float>::quiet_NaN();
  w.filter.row<float>(0)[69] = -std::numeric_limits<float>::infinity();
  const Array expected = result(w, Placement::side_by_side, Placement::side_by_side);
  EXPECT_TRUE(result(w, Placement::columns, Placement::columns) == expected);
}

TEST_P(AcrossDevice, APlanHasTheMemoryOnlyWhereItIsTold) {
  const Problem p{.signal = 3000, .filter = 65, .batch = 300};
  Options o = options();
  o.memory = Memory::device, o.across = false;
  const Plan plain(p, o);
  o.across = true;
  const Plan across(p, o);
  const std::size_t arrays = 300 * (3008 + 3072) * sizeof(float);
  EXPECT_EQ(across.scratch_bytes(), plain.scratch_bytes() + arrays);
  EXPECT_EQ(across.method(), plain.method());
  o.memory = Memory::host;
  EXPECT_THROW(Plan(p, o), InvalidArgument);
}

TEST_P(AcrossDevice, RowsTooLongToBeMovedStayWhereTheyAre) {
  Problem p{.signal = std::int64_t{1} << 31, .filter = (std::int64_t{1} << 31) - 9, .batch = 8, .mode = Mode::valid};
  if (takes(p)) {
    EXPECT_EQ(chunk_of(p).rows, 0);
  }
  p.batch = 1;
  if (takes(p)) {
    EXPECT_EQ(chunk_of(p).rows, 0) << "a row without neighbours";
  }
}

// Images with filters of one column, or of one line: their columns, or lines, are the rows.
class AcrossImages : public AcrossDevice {
 protected:
  detail::Work rows_of(Problem const& p) const { return *detail::lines_as_rows(detail::check(p), true); }

  // Computes the scene's outputs, with room for a chunk of kBudget bytes or without. Returns whether the room was used,
  // which begins with signals.
  bool run(Scene& s, bool with_room) const {
    const detail::Work work = detail::check(s.problem), rows = rows_of(s.problem);
    auto inner = solver()->consider(rows, kOnDevice).executor(rows, kOnDevice);
    if (with_room) inner = detail::make_across(rows, chunk_of(rows), std::move(inner));
    detail::LinesExecutor executor(work, true, std::move(inner));
    std::vector<std::byte> room(executor.scratch_bytes(), std::byte{0xA5});
    DeviceBuffer<std::uint8_t> scratch = uploaded(room);
    const DeviceBuffer<std::uint8_t> x = s.signal.upload(), h = s.filter.upload();
    DeviceBuffer<std::uint8_t> y = s.out.upload();
    detail::Input from = detail::access_of(s.signal.input(x));
    from.extension = work.extension;
    detail::Output to = detail::access_of(s.out.output(y));
    if (work.loops.inner.count > 1) to.inner = to.outer, to.outer *= work.loops.inner.count;
    const detail::Means means{.scratch = scratch.data()};
    executor.set_filter(detail::access_of(s.filter.input(h)), work.filters(), means);
    executor.run(from, to, detail::whole(work), means);
    synchronize({});
    s.out.download(y);
    download(scratch, room);
    const auto first = std::span(room).first(with_room ? 64 : 0);
    return std::ranges::any_of(first, [](std::byte b) { return b != std::byte{0xA5}; });
  }

  // Whether rows that are moved have the bits of those that are not, however the images lie.
  void expect_same_bits(Problem const& p) const {
    const auto scene = [&](Placings const& how) {
      Rng rng = test_rng();
      return Scene(p, rng, how);
    };
    Scene plain = scene({});
    run(plain, false);
    for (auto const& [signal, out] : {std::pair{dense, dense},
                                      {crop, crop},
                                      {turned, turned},
                                      {interleaved, interleaved},
                                      {dense, crop},
                                      {interleaved, dense}}) {
      Scene moved = scene({.signal = signal, .out = out});
      const bool used = run(moved, true);
      EXPECT_TRUE(used || signal == interleaved) << to_string(p) << ", images placed as " << signal;
      EXPECT_TRUE(moved.out.rest_is_untouched());
      ASSERT_TRUE(moved.out.elements() == plain.out.elements())
          << to_string(p) << ", images placed as " << signal << ", outputs as " << out;
    }
  }
};

TEST_P(AcrossImages, HaveTheBitsOfImagesThatStay) {
  const bool cuts = solver()->method != Method::fft;
  const Problem few{.signal = 3, .filter = 1, .batch = 4, .mode = Mode::same, .lines = {.signal = 120, .filter = 30}};
  std::vector<Problem> all(10, few);
  all[0].signal = 40;                                                 // some columns of an image at a time
  all[1].batch = 60, all[1].lines.signal = 20;                        // some images at a time
  all[2].signal = 33, all[2].lines.signal = cuts ? 1001 : 160;        // pieces of columns
  all[3].batch = 1, all[3].filters = Filters::bank, all[3].bank = 5;  // a bank on the columns of one image
  all[4].filters = Filters::per_row;
  all[5].lines.window = Slice{10, 25, 4}, all[5].window = Slice{1, 2};
  all[6].type = Type::complex64, all[6].boundary = Boundary::mirror;
  all[7] = all[2], all[7].type = Type::int16, all[7].boundary = Boundary::wrap;
  all[8].signal = 12, all[8].lines.signal = 25, all[8].lines.filter = 200, all[8].same = Same::scipy;
  all[9] = all[2], all[9].boundary = Boundary::constant, all[9].constant = 2, all[9].type = Type::float64;
  std::int64_t taken = 0;
  for (Problem const& p : all) {
    if (solver()->consider(rows_of(p), kOnDevice).refusal) continue;
    ++taken;
    expect_same_bits(p);
  }
  EXPECT_GT(taken, 4);
  const detail::Work columns = rows_of(all[0]), images = rows_of(all[1]), pieces = rows_of(all[2]);
  EXPECT_LT(chunk_of(columns).rows, 40);
  EXPECT_GT(chunk_of(images).rows, 3);
  EXPECT_LT(chunk_of(images).rows, 180);
  EXPECT_NE(chunk_of(pieces).whole_rows, cuts);
}

INSTANTIATE_TEST_SUITE_P(Solvers, AcrossImages, testing::ValuesIn(cuda_solver_table()), solver_name);
INSTANTIATE_TEST_SUITE_P(Solvers, AcrossDevice, testing::ValuesIn(cuda_solver_table()), solver_name);

}  // namespace
}  // namespace gpuconv::test
