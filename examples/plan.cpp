// A plan: choose once, prepare the filter once, convolve as often as you like without allocating.
#include <gpuconv/gpuconv.hpp>

#include <cstdint>
#include <iomanip>
#include <iostream>
#include <vector>

int main() {
  using namespace gpuconv;

  const Problem problem{.signal = 1 << 20, .filter = 257, .mode = Mode::same};
  Plan plan(problem);
  std::cout << "chosen: " << plan.describe() << '\n' << explain(problem);

  const std::vector<float> average(257, 1.0F / 257);
  plan.set_filter(average);
  std::cout << std::setprecision(3);

  std::vector<float> signal(1 << 20), out(static_cast<std::size_t>(plan.output_length()));
  for (int chunk = 1; chunk <= 3; ++chunk) {
    signal.assign(signal.size(), static_cast<float>(chunk));
    plan.execute(signal, out);
    std::cout << "chunk " << chunk << ": " << out[out.size() / 2] << " inside, " << out.front() << " at the edge\n";
  }

  // A method that is forced is taken or refused, never replaced.
  try {
    const Plan on_gpu(problem, {.device = Device::cuda});
    std::cout << "on a GPU: " << on_gpu.describe() << '\n';
  } catch (Unsupported const& error) {
    std::cout << "no GPU: " << error.what() << '\n';
  }
}
