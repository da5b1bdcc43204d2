// Finds the heartbeats in an electrocardiogram, on every device there is, then filters thousands of overlapping windows
// of it as one batch. `./dev demo` runs it and draws what it writes.
#include "ecg.hpp"

#include "npy.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace {

using gpuconv::DeviceInfo;
using gpuconv::HostView;
using gpuconv::Mode;

constexpr int kRuns = 25;  // of which the median counts

// Median of what `seconds_of_run` returns.
template <class F>
double median_of_runs(F&& seconds_of_run) {
  std::array<double, kRuns> seconds;
  std::generate(seconds.begin(), seconds.end(), seconds_of_run);
  std::nth_element(seconds.begin(), seconds.begin() + kRuns / 2, seconds.end());
  return seconds[kRuns / 2];
}

std::string label(gpuconv::Device device) { return std::string(gpuconv::name(device)); }

npy::Array read_recording(std::string const& path) {
  npy::Array array = npy::read(path);
  if (array.type() != gpuconv::Type::int16 || array.shape().size() != 1)
    throw ecg::Error(path + ": " + std::string(gpuconv::name(array.type())) + ", " +
                     std::to_string(array.shape().size()) + "-D; a recording is int16, 1-D");
  return array;
}

double convolution_seconds(ecg::Analysis const& analysis) {
  double sum = 0;
  for (ecg::Step const& step : analysis.steps) sum += step.seconds;
  return sum;
}

ecg::Analysis analyse_on(DeviceInfo const& info, std::span<const std::int16_t> adc, ecg::Settings const& settings) {
  const gpuconv::Options options{.device = info.device};
  ecg::Analysis analysis = ecg::analyse(adc, settings, options);
  const double seconds = median_of_runs([&] { return convolution_seconds(ecg::analyse(adc, settings, options)); });
  std::printf("\nOn %s (%s), in float64\n", label(info.device).c_str(), info.detail.c_str());
  for (ecg::Step const& step : analysis.steps) {
    const gpuconv::Problem& p = step.problem;
    std::printf("  %-16s %lld x %lld * %-3lld %-5s  %s\n", step.name.c_str(), static_cast<long long>(p.batch),
                static_cast<long long>(p.signal), static_cast<long long>(p.filter),
                std::string(gpuconv::name(p.mode)).c_str(), step.solver.c_str());
  }
  std::printf("  these %zu convolutions took %.2f ms (median of %d runs) and find %zu beats\n", analysis.steps.size(),
              seconds * 1e3, kRuns, analysis.beats.size());
  return analysis;
}

void print_beats(ecg::Analysis const& analysis, ecg::Settings const& settings) {
  std::printf("\nBeats: %zu", analysis.beats.size());
  for (std::size_t p = 0; p < settings.patterns.size(); ++p)
    std::printf(
        "%s %td most like the %s pattern", p ? "," : ";",
        std::count_if(analysis.beats.begin(), analysis.beats.end(), [&](auto const& b) { return b.pattern == p; }),
        settings.patterns[p].name);
  const ecg::HeartRate rate = ecg::heart_rate(analysis.beats, settings);
  std::printf("\nMean heart rate: %.1f a minute; %zu gaps of more than %g s are left out, where the signal was lost\n",
              rate.mean, rate.gaps, settings.longest_interval);
}

// Largest difference between the batch's rows and the same outputs over the whole recording.
double largest_difference(std::span<const float> rows, std::span<const float> whole, std::int64_t columns,
                          std::int64_t hop) {
  double largest = 0;
  for (std::int64_t i = 0; i < std::ssize(rows); ++i) {
    const std::int64_t at = i / columns * hop + i % columns;
    const float difference = rows[static_cast<std::size_t>(i)] - whole[static_cast<std::size_t>(at)];
    largest = std::max(largest, static_cast<double>(std::abs(difference)));
  }
  return largest;
}

// Correlates windows of two seconds, one every thirtieth of a second, with the normal beat. The rows of the batch are
// views of one recording: their stride is the hop, so nothing is copied.
void filter_windows(DeviceInfo const& info, ecg::Analysis const& analysis, ecg::Settings const& settings) {
  const std::vector<float> signal(analysis.smoothed.begin(), analysis.smoothed.end());
  const std::vector<double> taps = ecg::matched_filter(analysis.smoothed, settings.patterns.front());
  const std::vector<float> filter(taps.begin(), taps.end());

  const std::int64_t window = std::llround(2 * settings.rate), hop = std::llround(settings.rate / 30);
  const std::int64_t rows = (std::ssize(signal) - window) / hop + 1;
  gpuconv::Plan plan({.signal = window, .filter = std::ssize(filter), .batch = rows, .mode = Mode::valid},
                     {.device = info.device});
  plan.set_filter(filter);
  std::vector<float> out(static_cast<std::size_t>(rows * plan.output_length()));
  const HostView windows(signal.data(), {.rows = rows, .columns = window, .stride = hop});
  const HostView results(out.data(), {.rows = rows, .columns = plan.output_length()});
  const double seconds = median_of_runs([&] {
    const auto start = std::chrono::steady_clock::now();
    plan.execute(windows, results);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  });

  const double difference =
      largest_difference(out, gpuconv::convolve(signal, filter, Mode::valid), plan.output_length(), hop);
  std::printf("  on %s: %s\n", label(info.device).c_str(), plan.describe().c_str());
  std::printf("  %lld windows of %lld samples in %.2f ms (median of %d runs): %.0f million samples a second\n",
              static_cast<long long>(rows), static_cast<long long>(window), seconds * 1e3, kRuns,
              static_cast<double>(rows * window) / seconds / 1e6);
  std::printf("  largest difference from the recording filtered as one row: %.1g mV\n", difference);
}

nlohmann::ordered_json to_json(ecg::Analysis const& analysis, ecg::Settings const& settings) {
  nlohmann::ordered_json json;
  json["rate"] = settings.rate;
  json["adc_zero"] = settings.adc_zero;
  json["adc_per_millivolt"] = settings.adc_per_millivolt;
  json["smoothing"] = settings.smoothing;
  json["threshold"] = settings.threshold;
  json["energy_floor"] = settings.energy_floor;
  json["refractory"] = settings.refractory;
  json["longest_interval"] = settings.longest_interval;
  for (ecg::Pattern const& p : settings.patterns)
    json["patterns"].push_back({{"name", p.name}, {"begin", p.begin}, {"beat", p.beat}, {"end", p.end}});
  json["mean_heart_rate"] = ecg::heart_rate(analysis.beats, settings).mean;
  json["beats"] = nlohmann::ordered_json::array();
  for (ecg::Beat const& b : analysis.beats)
    json["beats"].push_back({{"sample", b.sample}, {"pattern", b.pattern}, {"similarity", b.similarity}});
  return json;
}

void write_results(std::filesystem::path const& folder, ecg::Analysis const& analysis, ecg::Settings const& settings) {
  std::filesystem::create_directories(folder);
  npy::write(folder / "millivolts.npy", analysis.millivolts);
  npy::write(folder / "smoothed.npy", analysis.smoothed);
  npy::write(folder / "derivative.npy", analysis.derivative);
  for (std::size_t p = 0; p < settings.patterns.size(); ++p)
    npy::write(folder / (std::string("similarity_") + settings.patterns[p].name + ".npy"), analysis.similarity[p]);

  const std::filesystem::path path = folder / "heartbeats.json";
  std::ofstream file(path);
  file << to_json(analysis, settings).dump(1) << '\n';
  file.close();
  if (!file) throw ecg::Error(path.string() + ": cannot be written");
  std::printf("\nWritten to %s\n", folder.c_str());
}

void run(std::string const& recording, std::filesystem::path const& folder) {
  const ecg::Settings settings;
  const npy::Array array = read_recording(recording);
  const std::span<const std::int16_t> adc = array.values<std::int16_t>();
  std::printf("%s: %zu samples, %.0f s at %g samples a second\n", recording.c_str(), adc.size(),
              static_cast<double>(adc.size()) / settings.rate, settings.rate);

  std::vector<DeviceInfo> devices = gpuconv::devices();
  const auto missing =
      std::stable_partition(devices.begin(), devices.end(), [](DeviceInfo const& d) { return d.available; });
  for (auto d = missing; d != devices.end(); ++d)
    std::printf("Not on %s: %s\n", label(d->device).c_str(), d->detail.c_str());
  devices.erase(missing, devices.end());

  std::vector<ecg::Analysis> analyses;
  for (DeviceInfo const& device : devices) analyses.push_back(analyse_on(device, adc, settings));
  print_beats(analyses.front(), settings);
  std::printf("\nWindows of 2 s, 30 a second, as a batch\n");
  for (DeviceInfo const& device : devices) filter_windows(device, analyses.front(), settings);
  write_results(folder, analyses.front(), settings);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: heartbeats RECORDING.npy FOLDER\n");
    return 2;
  }
  try {
    run(argv[1], argv[2]);
  } catch (std::exception const& error) {
    std::fprintf(stderr, "heartbeats: %s\n", error.what());
    return 1;
  }
}
