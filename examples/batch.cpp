// A batch: a million rows through one plan, with one filter for all of them.
#include <gpuconv/gpuconv.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <vector>

int main() {
  using namespace gpuconv;

  constexpr std::int64_t rows = 1'000'000, samples = 64;
  const std::vector<float> filter{0.25, 0.5, 0.25};
  Plan plan({.signal = samples, .filter = std::ssize(filter), .batch = rows, .mode = Mode::valid});
  plan.set_filter(filter);

  std::vector<float> signals(rows * samples), out(static_cast<std::size_t>(rows * plan.output_length()));
  for (std::size_t i = 0; i < signals.size(); ++i) signals[i] = static_cast<float>(i / samples % 7);  // constant rows

  const auto start = std::chrono::steady_clock::now();
  plan.execute(HostView(signals.data(), {.rows = rows, .columns = samples}),
               HostView(out.data(), {.rows = rows, .columns = plan.output_length()}));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  // The filter's taps sum to 1, so a constant row keeps its value.
  const auto columns = static_cast<std::size_t>(plan.output_length());
  std::int64_t right = 0;
  for (std::size_t i = 0; i < out.size(); ++i) right += out[i] == static_cast<float>(i / columns % 7);
  std::cout << rows << " rows of " << samples << ": " << right << " of " << out.size() << " outputs are right\n"
            << plan.describe() << '\n'
            << static_cast<std::int64_t>(1e-6 * rows * samples / seconds.count()) << " million samples a second\n";
}
