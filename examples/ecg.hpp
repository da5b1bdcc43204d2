// What `heartbeats` computes from an electrocardiogram. Every filter in here is a convolution through gpuconv's public
// interface; the rest is arithmetic sample by sample.
#pragma once

#include <gpuconv/gpuconv.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace ecg {

/// A piece [begin, end) of the recording that shows one shape of heartbeat, with its R peak at `beat`. In samples.
struct Pattern {
  const char* name;
  std::int64_t begin, beat, end;
};

/// Chosen for record 208 of the MIT-BIH Arrhythmia Database, whose heart beats in three shapes: narrow normal beats,
/// wide ventricular ectopic ones, and fusions of the two. With a pattern for each shape, thresholds from 0.75 to 0.85
/// find 501 to 496 beats. The normal pattern alone has no such plateau: from 0.5 to 0.7 it goes from 70 beats too many
/// to 85 too few. A beat's pattern is the one that it resembles most, which is not a diagnosis.
struct Settings {
  double rate = 360;       ///< samples per second
  double adc_zero = 1024;  ///< ADC value of 0 mV
  double adc_per_millivolt = 200;
  std::int64_t smoothing = 5;  ///< taps of the moving average, odd
  std::array<Pattern, 3> patterns{Pattern{"normal", 99456, 99492, 99528}, Pattern{"ventricular", 98952, 99006, 99078},
                                  Pattern{"fusion", 67470, 67524, 67596}};
  double threshold = 0.8;        ///< similarity from which on a peak is a beat
  double energy_floor = 0.25;    ///< of the pattern's energy: quieter windows are scored as if they had this much
  std::int64_t refractory = 72;  ///< samples from one beat to the next at least: 200 ms
  double longest_interval = 2;   ///< seconds; longer intervals are lost signal, not heart rate
};

struct Beat {
  std::int64_t sample;
  std::size_t pattern;  ///< index of the most similar one
  double similarity;
};

/// One convolution as it was done.
struct Step {
  std::string name;
  gpuconv::Problem problem;
  std::string solver;
  double seconds;
};

struct Analysis {
  std::vector<double> millivolts, smoothed;
  std::vector<double> derivative;               ///< of `smoothed`, in millivolts a second
  std::vector<std::vector<double>> similarity;  ///< one row a pattern
  std::vector<Beat> beats;
  std::vector<Step> steps;
};

/// Thrown for a recording that the settings do not fit.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Seconds that `work` takes.
template <class Work>
double timed(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The whole computation on one device, which `options` name; with `Memory::device`, each convolution's arrays are on
/// the GPU before its time begins. Throws ecg::Error and what gpuconv::Plan throws.
Analysis analyse(std::span<const std::int16_t> adc, Settings const& settings, gpuconv::Options const& options);

/// The pattern without its mean, scaled to energy 1, to correlate with.
std::vector<double> pattern_filter(std::span<const double> signal, Pattern const& pattern);

struct HeartRate {
  double mean;       ///< beats a minute
  std::size_t gaps;  ///< intervals left out because they are over `longest_interval`
};
/// 0 beats a minute where no two beats are close enough.
HeartRate heart_rate(std::span<const Beat> beats, Settings const& settings);

}  // namespace ecg
