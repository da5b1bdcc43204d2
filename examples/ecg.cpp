#include "ecg.hpp"

#include "peaks.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

namespace ecg {
namespace {

using gpuconv::DeviceBuffer, gpuconv::DeviceView, gpuconv::HostView, gpuconv::Mode, gpuconv::Operation;

// Convolves through a plan, and notes the solver and its time. Plans on device memory have their arrays copied there
// and back, which the time leaves out.
class Convolver {
 public:
  explicit Convolver(gpuconv::Options const& options) : options_(options) {}

  std::vector<double> operator()(const char* name, std::span<const double> signal, std::span<const double> filter,
                                 Mode mode, std::int64_t rows = 1, Operation operation = Operation::convolve) {
    const std::int64_t columns = std::ssize(signal) / rows;
    gpuconv::Plan plan({.signal = columns,
                        .filter = std::ssize(filter),
                        .batch = rows,
                        .mode = mode,
                        .type = gpuconv::Type::float64,
                        .operation = operation},
                       options_);
    std::vector<double> out(static_cast<std::size_t>(rows * plan.output_length()));
    const gpuconv::Rows shape{.rows = rows, .columns = columns},
        out_shape{.rows = rows, .columns = plan.output_length()};
    double seconds = 0;
    if (options_.memory == gpuconv::Memory::host) {
      plan.set_filter(filter);
      seconds = timed([&] { plan.execute(HostView(signal.data(), shape), HostView(out.data(), out_shape)); });
    } else {
      plan.set_filter(filter, kStream);
      DeviceBuffer<double> device_signal(std::ssize(signal)), device_out(std::ssize(out));
      gpuconv::copy(signal, device_signal);
      seconds = timed([&] {
        plan.execute(DeviceView(device_signal.data(), shape), DeviceView(device_out.data(), out_shape), kStream);
        gpuconv::synchronize(kStream);
      });
      gpuconv::copy(device_out, out);
    }
    steps.push_back({name, plan.problem(), plan.describe(), seconds});
    return out;
  }

  std::vector<Step> steps;

 private:
  static constexpr gpuconv::Stream kStream{};

  gpuconv::Options options_;
};

void check(std::span<const std::int16_t> adc, Settings const& settings) {
  for (Pattern const& p : settings.patterns) {
    if (p.end > std::ssize(adc))
      throw Error("the recording has " + std::to_string(adc.size()) + " samples, at least " + std::to_string(p.end) +
                  " are expected: the " + p.name + " pattern is cut from there");
    const auto [low, high] = std::minmax_element(adc.begin() + p.begin, adc.begin() + p.end);
    if (*low == *high)
      throw Error(std::string("the recording is flat where the ") + p.name + " pattern is cut from it");
  }
}

std::vector<double> millivolts(std::span<const std::int16_t> adc, Settings const& s) {
  std::vector<double> out(adc.size());
  std::transform(adc.begin(), adc.end(), out.begin(), [&](double v) { return (v - s.adc_zero) / s.adc_per_millivolt; });
  return out;
}

// Beyond the ends the signal counts as zero, which drags the average there towards zero. The same average of ones is
// the share of the window that lies inside: dividing by it gives the mean of the samples that exist.
std::vector<double> moving_average(Convolver& convolve, std::span<const double> signal, std::int64_t taps) {
  const std::vector<double> mean(static_cast<std::size_t>(taps), 1.0 / static_cast<double>(taps)),
      ones(signal.size(), 1.0);
  std::vector<double> out = convolve("smoothing", signal, mean, Mode::same);
  const std::vector<double> share = convolve("edge correction", ones, mean, Mode::same);
  std::transform(out.begin(), out.end(), share.begin(), out.begin(), std::divides());
  return out;
}

// Central differences (x[i+1] - x[i-1]) / (2 dx). Convolution reverses its filter, so the taps start with +1. The first
// and last sample, which lack a neighbour, take the one-sided difference.
std::vector<double> derivative(Convolver& convolve, std::span<const double> signal, double rate) {
  const std::array<double, 3> central{rate / 2, 0, -rate / 2};
  const std::vector<double> inner = convolve("derivative", signal, central, Mode::valid);
  std::vector<double> out(signal.size());
  std::copy(inner.begin(), inner.end(), out.begin() + 1);
  out.front() = (signal[1] - signal[0]) * rate;
  out.back() = (signal.back() - signal[signal.size() - 2]) * rate;
  return out;
}

double energy(std::span<const double> x) {
  const double n = static_cast<double>(x.size()), mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  return std::accumulate(x.begin(), x.end(), 0.0, [&](double sum, double v) { return sum + (v - mean) * (v - mean); });
}

std::span<const double> cut(std::span<const double> signal, Pattern const& p) {
  return signal.subspan(static_cast<std::size_t>(p.begin), static_cast<std::size_t>(p.end - p.begin));
}

// Normalised cross-correlation, -1 to 1: the product of pattern and window, both without their means, over the root of
// their energies. Sums over windows are convolutions with ones: of the signal and its square, as a batch of two rows.
// Zero where the window does not lie inside the recording.
std::vector<double> similarity(Convolver& convolve, std::span<const double> signal, std::span<const double> squares,
                               Pattern const& p, double energy_floor) {
  std::vector<double> both(signal.begin(), signal.end());
  both.insert(both.end(), squares.begin(), squares.end());
  const std::vector<double> ones(static_cast<std::size_t>(p.end - p.begin), 1.0);
  const std::vector<double> product =
      convolve("correlation", signal, pattern_filter(signal, p), Mode::valid, 1, Operation::correlate);
  const std::vector<double> sums = convolve("sums of windows", both, ones, Mode::valid, 2);

  const double taps = static_cast<double>(ones.size()), least = energy_floor * energy(cut(signal, p));
  std::vector<double> out(signal.size());
  for (std::size_t i = 0; i < product.size(); ++i) {
    const double window_energy = sums[product.size() + i] - sums[i] * sums[i] / taps;
    out[i + static_cast<std::size_t>(p.beat - p.begin)] = product[i] / std::sqrt(std::max(window_energy, least));
  }
  return out;
}

// On the device that convolves.
std::vector<Peak> peaks_of(std::vector<std::vector<double>> const& similarity, double threshold,
                           gpuconv::Device device) {
  std::vector<double> rows;
  for (std::vector<double> const& row : similarity) rows.insert(rows.end(), row.begin(), row.end());
  const gpuconv::Rows shape{.rows = std::ssize(similarity), .columns = std::ssize(similarity[0])};
  if (device != gpuconv::Device::cuda) return find_peaks(HostView<double const>(rows.data(), shape), threshold);
  DeviceBuffer<double> on_device(std::ssize(rows));
  gpuconv::copy(rows, on_device);
  return find_peaks(DeviceView<double const>(on_device.data(), shape), threshold);
}

// Peaks of the highest similarity, the highest first, each silencing its refractory period on both sides.
std::vector<Beat> find_beats(std::vector<Peak> const& peaks, Settings const& s) {
  const auto earlier = [](Beat const& a, Beat const& b) { return a.sample < b.sample; };
  std::set<Beat, decltype(earlier)> beats(earlier);
  for (Peak const& p : peaks) {
    const Beat peak{p.index, static_cast<std::size_t>(p.row), p.score};
    const auto next = beats.lower_bound(peak);
    if (next != beats.end() && next->sample - peak.sample < s.refractory) continue;
    if (next != beats.begin() && peak.sample - std::prev(next)->sample < s.refractory) continue;
    beats.insert(next, peak);
  }
  return {beats.begin(), beats.end()};
}

}  // namespace

std::vector<double> pattern_filter(std::span<const double> signal, Pattern const& pattern) {
  const std::span<const double> shape = cut(signal, pattern);
  const double mean = std::accumulate(shape.begin(), shape.end(), 0.0) / static_cast<double>(shape.size());
  const double norm = std::sqrt(energy(shape));
  std::vector<double> out(shape.begin(), shape.end());
  for (double& v : out) v = (v - mean) / norm;
  return out;
}

Analysis analyse(std::span<const std::int16_t> adc, Settings const& settings, gpuconv::Options const& options) {
  check(adc, settings);
  Analysis a;
  Convolver convolve(options);
  a.millivolts = millivolts(adc, settings);
  a.smoothed = moving_average(convolve, a.millivolts, settings.smoothing);
  a.derivative = derivative(convolve, a.smoothed, settings.rate);
  std::vector<double> squares(a.smoothed);
  for (double& v : squares) v *= v;
  for (Pattern const& p : settings.patterns)
    a.similarity.push_back(similarity(convolve, a.smoothed, squares, p, settings.energy_floor));
  a.beats = find_beats(peaks_of(a.similarity, settings.threshold, options.device), settings);
  a.steps = std::move(convolve.steps);
  return a;
}

HeartRate heart_rate(std::span<const Beat> beats, Settings const& settings) {
  double seconds = 0, intervals = 0;
  std::size_t gaps = 0;
  for (std::size_t i = 1; i < beats.size(); ++i) {
    const double interval = static_cast<double>(beats[i].sample - beats[i - 1].sample) / settings.rate;
    if (interval > settings.longest_interval) ++gaps;
    else seconds += interval, ++intervals;
  }
  return {intervals > 0 ? 60 * intervals / seconds : 0, gaps};
}

}  // namespace ecg
