// A plugin that holds the library: what its host calls, and a plan in the destructor of a static object, which runs
// when the plugin is unloaded.
#include <gpuconv/gpuconv.hpp>

#include <cmath>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::int64_t kSamples = 1 << 20, kTaps = 257;

bool convolves(gpuconv::Method method) {
  const std::vector<float> signal(kSamples, 1), filter(kTaps, 1);
  gpuconv::Plan plan({.signal = kSamples, .filter = kTaps, .mode = gpuconv::Mode::valid},
                     {.method = method, .device = gpuconv::Device::cpu, .threads = 4});
  if (plan.threads() != 4) return false;
  plan.set_filter(filter);
  std::vector<float> out(static_cast<std::size_t>(plan.output_length()));
  plan.execute(signal, out);
  for (float const y : out)
    if (std::abs(y - kTaps) > 0.01F) return false;
  return true;
}

struct ConvolvesWhenDestroyed {
  ~ConvolvesWhenDestroyed() {
    if (!convolves(gpuconv::Method::direct)) std::_Exit(3);
  }
};
const ConvolvesWhenDestroyed late;

}  // namespace

extern "C" [[gnu::visibility("default")]] int plugin_convolves() {
  return convolves(gpuconv::Method::overlap_save) && convolves(gpuconv::Method::direct);
}
