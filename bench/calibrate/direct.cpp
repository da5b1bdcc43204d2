// The direct solver's cost: on one thread, by element type, taps and length of the row.
#include "sections.hpp"

#include "../support/data.hpp"
#include "../support/fit.hpp"

#include <gpuconv/plan.hpp>

namespace gpuconv::bench {
namespace {

Spread time_direct(Problem const& problem, Budget budget) {
  Data data(problem);
  Plan plan(problem, {.method = Method::direct, .threads = 1});
  plan.set_filter(data.filter());
  std::size_t set = 0;
  return measure(
      [&] {
        plan.execute(data.signal(set), data.out(set));
        if (++set == data.sets()) set = 0;
      },
      budget);
}

struct Shape {
  std::int64_t signal, batch;
};

void add_type(Type type, Settings const& s, Table& times, Table& fits) {
  const std::vector<std::int64_t> taps = s.quick
                                             ? std::vector<std::int64_t>{1, 8, 64}
                                             : std::vector<std::int64_t>{1, 2, 3, 4, 8, 16, 17, 32, 64, 128, 257, 512};
  const std::vector<Shape> shapes =
      s.quick ? std::vector<Shape>{{256, 64}, {16384, 1}, {1 << 22, 1}}
              : std::vector<Shape>{{64, 256}, {256, 64}, {2048, 8}, {16384, 1}, {1 << 17, 1}, {1 << 22, 1}};
  std::vector<Observation> observations;
  for (Shape const shape : shapes)
    for (std::int64_t const m : taps) {
      if (m > shape.signal) continue;
      const Spread t = time_direct(
          {.signal = shape.signal, .filter = m, .batch = shape.batch, .mode = Mode::same, .type = type}, s.budget);
      const auto rows = static_cast<double>(shape.batch), samples = rows * static_cast<double>(shape.signal),
                 seconds = t.least;
      observations.push_back({{rows, samples, samples * static_cast<double>(m)}, seconds});
      times.rows.push_back({name(type), shape.signal, shape.batch, m, seconds / samples * 1e9,
                            seconds / samples / static_cast<double>(m) * 1e9, (t.upper - t.lower) / t.median});
    }
  const Fit f = fit(observations);
  fits.rows.push_back({name(type), f.coefficients[0], f.coefficients[1], f.coefficients[2], f.worst});
}

}  // namespace

std::vector<Table> calibrate_direct(Settings const& s) {
  Table times{"direct",
              "one thread, mode same, least times; spread is the distance of the quartiles over the median",
              {"type", "signal", "batch", "taps", "ns/sample", "ns/sample/tap", "spread"},
              {}};
  Table fits{"direct_fit",
             "seconds = batch * (row + samples * (sample + taps * multiply_add)), relative least squares",
             {"type", "row", "sample", "multiply_add", "worst_error"},
             {}};
  for (const Type type : {Type::float32, Type::float64, Type::uint64}) add_type(type, s, times, fits);
  return {times, fits};
}

}  // namespace gpuconv::bench
