// Finds the heartbeats in an electrocardiogram, on every device there is, then filters thousands of overlapping windows
// of it as one batch; on a GPU both with the transfers from and to host memory and without. `./dev demo` runs it and
// draws what it writes.
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

using gpuconv::DeviceBuffer, gpuconv::DeviceView, gpuconv::HostView, gpuconv::Mode;

constexpr int kMostRuns = 25;
constexpr double kMostSeconds = 2;  // after which no more runs begin

struct Median {
  double seconds;
  int runs;
};

// The median of the seconds that `seconds_of_run` returns.
template <class F>
Median median_of_runs(F&& seconds_of_run) {
  std::vector<double> seconds;
  const auto begin = std::chrono::steady_clock::now();
  do seconds.push_back(seconds_of_run());
  while (std::ssize(seconds) < kMostRuns &&
         std::chrono::steady_clock::now() - begin < std::chrono::duration<double>(kMostSeconds));
  const auto middle = seconds.begin() + std::ssize(seconds) / 2;
  std::nth_element(seconds.begin(), middle, seconds.end());
  return {*middle, static_cast<int>(seconds.size())};
}

// Where something is computed, and where its arrays lie.
struct Place {
  std::string name;
  std::string detail;
  gpuconv::Options options;
};

// Says which devices are missing, and why.
std::vector<Place> places() {
  using gpuconv::Device, gpuconv::Memory;
  std::vector<Place> found;
  for (gpuconv::DeviceInfo const& d : gpuconv::devices()) {
    const std::string device(gpuconv::name(d.device));
    if (!d.available) {
      std::printf("Not on %s: %s\n", device.c_str(), d.detail.c_str());
    } else if (d.device == Device::cpu) {
      found.push_back({device, d.detail, {.device = d.device}});
    } else {
      found.push_back({device + ", with transfers", d.detail, {.device = d.device}});
      found.push_back({device + ", without transfers", d.detail, {.device = d.device, .memory = Memory::device}});
    }
  }
  return found;
}

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

ecg::Analysis analyse_at(Place const& place, std::span<const std::int16_t> adc, ecg::Settings const& settings) {
  ecg::Analysis analysis = ecg::analyse(adc, settings, place.options);
  const Median median = median_of_runs([&] { return convolution_seconds(ecg::analyse(adc, settings, place.options)); });
  std::printf("\nOn %s (%s), in float64\n", place.name.c_str(), place.detail.c_str());
  for (ecg::Step const& step : analysis.steps) {
    const gpuconv::Problem& p = step.problem;
    std::printf("  %-16s %lld x %lld * %-3lld %-5s  %s\n", step.name.c_str(), static_cast<long long>(p.batch),
                static_cast<long long>(p.signal), static_cast<long long>(p.filter),
                std::string(gpuconv::name(p.mode)).c_str(), step.solver.c_str());
  }
  std::printf("  these %zu convolutions took %.2f ms (median of %d runs) and find %zu beats\n", analysis.steps.size(),
              median.seconds * 1e3, median.runs, analysis.beats.size());
  return analysis;
}

// The beats must not depend on where they were computed.
void compare_beats(Place const& place, ecg::Analysis const& analysis, ecg::Analysis const& first) {
  double largest = 0;
  const bool same = std::equal(analysis.beats.begin(), analysis.beats.end(), first.beats.begin(), first.beats.end(),
                               [&](ecg::Beat const& a, ecg::Beat const& b) {
                                 largest = std::max(largest, std::abs(a.similarity - b.similarity));
                                 return a.sample == b.sample && a.pattern == b.pattern;
                               });
  if (!same) throw ecg::Error("the beats found on " + place.name + " differ from those found on the CPU");
  std::printf("  they are those found on the CPU; their similarities differ by %.1g at most\n", largest);
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
void filter_windows(Place const& place, ecg::Analysis const& analysis, ecg::Settings const& settings) {
  const std::vector<float> signal(analysis.smoothed.begin(), analysis.smoothed.end());
  const std::vector<double> taps = ecg::pattern_filter(analysis.smoothed, settings.patterns.front());
  const std::vector<float> filter(taps.begin(), taps.end());

  const std::int64_t window = std::llround(2 * settings.rate), hop = std::llround(settings.rate / 30);
  const std::int64_t rows = (std::ssize(signal) - window) / hop + 1;
  gpuconv::Plan plan({.signal = window,
                      .filter = std::ssize(filter),
                      .batch = rows,
                      .mode = Mode::valid,
                      .operation = gpuconv::Operation::correlate},
                     place.options);
  std::vector<float> out(static_cast<std::size_t>(rows * plan.output_length()));
  const gpuconv::Rows windows{.rows = rows, .columns = window, .stride = hop};
  const gpuconv::Rows results{.rows = rows, .columns = plan.output_length()};
  Median median{};
  if (place.options.memory == gpuconv::Memory::host) {
    plan.set_filter(filter);
    median = median_of_runs([&] {
      return ecg::timed([&] { plan.execute(HostView(signal.data(), windows), HostView(out.data(), results)); });
    });
  } else {
    constexpr gpuconv::Stream stream;
    plan.set_filter(filter, stream);
    DeviceBuffer<float> device_signal(std::ssize(signal)), device_out(std::ssize(out));
    gpuconv::copy(signal, device_signal);
    median = median_of_runs([&] {
      return ecg::timed([&] {
        plan.execute(DeviceView(device_signal.data(), windows), DeviceView(device_out.data(), results), stream);
        gpuconv::synchronize(stream);
      });
    });
    gpuconv::copy(device_out, out);
  }

  const double difference =
      largest_difference(out, gpuconv::correlate(signal, filter, {.mode = Mode::valid, .device = gpuconv::Device::cpu}),
                         plan.output_length(), hop);
  std::printf("  on %s: %s\n", place.name.c_str(), plan.describe().c_str());
  std::printf("  %lld windows of %lld samples in %.2f ms (median of %d runs): %.0f million samples a second\n",
              static_cast<long long>(rows), static_cast<long long>(window), median.seconds * 1e3, median.runs,
              static_cast<double>(rows * window) / median.seconds / 1e6);
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

  const std::vector<Place> everywhere = places();
  std::vector<ecg::Analysis> analyses;
  for (Place const& place : everywhere) {
    analyses.push_back(analyse_at(place, adc, settings));
    if (analyses.size() > 1) compare_beats(place, analyses.back(), analyses.front());
  }
  print_beats(analyses.front(), settings);
  std::printf("\nWindows of 2 s, 30 a second, as a batch, in float32\n");
  for (Place const& place : everywhere) filter_windows(place, analyses.front(), settings);
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
