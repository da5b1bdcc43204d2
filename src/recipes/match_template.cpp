// The correlation coefficient of a template with every window of an image, a band of lines at a time: as in one
// dimension (match.cpp), with moments of windows of a line that are merged down the lines.
#include "../text.hpp"
#include "../view_checks.hpp"
#include "checks.hpp"
#include "moments.hpp"
#include "pattern.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpuconv::recipes {

using namespace gpuconv::detail;

namespace {

// Lines of outputs in a band: enough that its overlap with the next one costs little.
constexpr std::int64_t kLeastLines = 64, kPatternsInABand = 4;

class ImageMatcher {
 public:
  ImageMatcher(HostInput const& images, HostInput const& pattern, HostOutput const& out, Options const& options)
      : images_(images),
        out_(out),
        pattern_(pattern_of(pattern)),
        m_(pattern.lines()),
        n_(pattern.columns()),
        outputs_(std::min(out.lines(), std::max(kLeastLines, saturating_multiply(kPatternsInABand, m_)))),
        lines_(outputs_ + m_ - 1),
        plan_({.signal = images.columns(),
               .filter = n_,
               .mode = Mode::valid,
               .type = Type::float64,
               .operation = Operation::correlate,
               .lines = {.signal = lines_, .filter = m_}},
              options),
        of_a_line_(n_),
        down_(m_, n_, out.columns()),
        samples_(zeros<double>(saturating_multiply(lines_, images.columns()))),
        products_(zeros<double>(saturating_multiply(outputs_, out.columns()))),
        moments_(zeros<Moments>(saturating_multiply(lines_, out.columns()))),
        window_(zeros<double>(m_ * n_)) {
    plan_.set_filter(HostView(pattern_.numbers.data(), Images{.lines = m_, .columns = n_}));
  }

  void run() {
    for (std::int64_t image = 0; image < images_.rows(); ++image)
      for (std::int64_t first = 0; first < out_.lines(); first += outputs_)
        band(image, first, std::min(outputs_, out_.lines() - first));
  }

 private:
  // Lines `first` to `first` + `count` of an image's outputs.
  void band(std::int64_t image, std::int64_t first, std::int64_t count) {
    const std::int64_t width = images_.columns(), used = (count + m_ - 1) * width;
    for (std::int64_t i = 0; i < count + m_ - 1; ++i)
      read(line_of(images_, image, first + i), 0, 0, width, samples_.data() + i * width);
    const double norm = prepare(samples_.data(), used);
    std::fill(samples_.begin() + used, samples_.end(), 0.0);
    plan_.execute(HostView(samples_.data(), Images{.lines = lines_, .columns = width}),
                  HostView(products_.data(), Images{.lines = outputs_, .columns = out_.columns()}));
    for (std::int64_t i = 0; i < count + m_ - 1; ++i)
      of_a_line_(samples_.data() + i * width, out_.columns(), moments_.data() + i * out_.columns());
    down_(moments_.data(), count);
    for (std::int64_t i = 0; i < count; ++i) {
      const HostOutput line = line_of(out_, image, first + i);
      for (std::int64_t k = 0; k < out_.columns(); ++k) {
        const double result = score(image, first, i, k, norm);
        if (out_.type() == Type::float32) element<float>(line, 0, k) = static_cast<float>(result);
        else element<double>(line, 0, k) = result;
      }
    }
  }

  // Of output k of line i of the band.
  double score(std::int64_t image, std::int64_t first, std::int64_t i, std::int64_t k, double norm) {
    const auto at = static_cast<std::size_t>(i * out_.columns() + k);
    Moments const& moments = moments_[at];
    if (!std::isfinite(moments.squares)) return std::numeric_limits<double>::quiet_NaN();
    if (moments.squares == 0) return 0;
    const double deviation = std::sqrt(moments.squares);
    if (deviation > kDrowned * norm) return clamped((products_[at] - moments.mean * pattern_.sum) / deviation);
    for (std::int64_t l = 0; l < m_; ++l)
      read(line_of(images_, image, first + i + l), 0, k, n_, window_.data() + l * n_);
    return score_by_itself(pattern_, window_.data());
  }

  HostInput images_;
  HostOutput out_;
  Pattern pattern_;
  std::int64_t m_, n_, outputs_, lines_;  // of the pattern; of a band
  Plan plan_;
  WindowMoments of_a_line_;
  MergedMoments down_;
  std::vector<double> samples_, products_;  // of a band
  std::vector<Moments> moments_;
  std::vector<double> window_;
};

}  // namespace

void match_template(HostInput images, HostInput pattern, HostOutput out, Options const& options) {
  guarded([&] {
    const std::int64_t columns = match_length(images.columns(), pattern.columns());
    const std::int64_t lines = match_length(images.lines(), pattern.lines());
    if (is_complex(images.type()) || is_complex(pattern.type()) || is_complex(out.type()))
      throw InvalidArgument("complex numbers have no correlation coefficient here");
    check_result_type(out.type());
    if (images.rows() < 1) throw InvalidArgument("there are no images");
    check_view(images, "image", images.rows(), images.lines(), images.columns(), images.type());
    check_view(pattern, "template", 1, pattern.lines(), pattern.columns(), pattern.type());
    check_view(out, "output", images.rows(), lines, columns, out.type());
    check_apart(images, out);
    ImageMatcher(images, pattern, out, options).run();
  });
}

}  // namespace gpuconv::recipes
