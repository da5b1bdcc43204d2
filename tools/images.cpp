#include "images.hpp"

#include "batch.hpp"
#include "command.hpp"
#include "npy.hpp"
#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace tool {

using gpuconv::HostInput, gpuconv::HostOutput, gpuconv::Plan, gpuconv::Problem, gpuconv::Type;

namespace {

constexpr double kLargestWholeTap = 0x1p53;  // up to which each whole number is a double

// An array of images: [...][lines][columns], each of the first axes a part of the batch, or [lines][columns][channels].
struct Image {
  std::string name;
  Type type = Type::float64;
  bool logical = false;  // NumPy's bool
  npy::Shape shape;
  bool has_channels = false;
  npy::Buffer data;
  std::optional<npy::FileId> id;

  std::int64_t axis(std::size_t from_the_end) const { return shape[shape.size() - from_the_end]; }
  std::int64_t lines() const { return has_channels ? axis(3) : axis(2); }
  std::int64_t columns() const { return has_channels ? axis(2) : axis(1); }
};

Image read_image(std::string const& path) {
  std::unique_ptr<npy::Source> source = npy::open_source(path);
  Image image{.name = source->name(), .shape = {}, .data = {}, .id = source->id()};
  if (const auto format = picture::format_of(path)) {
    picture::Picture picture = picture::read(*source, *format);
    image.type = picture.type;
    image.shape = {picture.lines, picture.columns};
    image.has_channels = picture.channels > 1;
    if (image.has_channels) image.shape.push_back(picture.channels);
    image.data = std::move(picture.data);
    return image;
  }
  npy::Reader reader(std::move(source));
  image.type = reader.type(), image.logical = reader.logical(), image.shape = reader.shape();
  reader.read_rows(reader.rows(), image.data);
  return image;
}

void check_shape(Image const& image, const char* what, std::size_t least, std::size_t most, const char* expected) {
  const std::string given = std::string("the ") + what + " has the shape " + npy::to_string(image.shape);
  if (image.shape.size() < least || image.shape.size() > most) throw npy::Error(image.name, given + "; " + expected);
  if (std::find(image.shape.begin(), image.shape.end(), 0) != image.shape.end())
    throw npy::Error(image.name, given + ", which is empty");
}

Image read_signal(ImageJob const& job) {
  Image signal = read_image(job.signal);
  signal.has_channels = signal.has_channels || job.channels;
  if (job.channels && picture::format_of(job.signal) && signal.shape.size() == 2) signal.shape.push_back(1);
  if (signal.has_channels) check_shape(signal, "signal", 3, 3, "lines, columns and channels are expected");
  else check_shape(signal, "signal", 2, std::numeric_limits<std::size_t>::max(), "lines and columns are expected");
  return signal;
}

Image read_filter(std::string const& path) {
  Image filter = read_image(path);
  check_shape(filter, "filter", 2, 2, "lines and columns of one channel are expected");
  return filter;
}

template <class T>
void fill(Image& image, std::vector<double> const& values) {
  image.data.resize(values.size() * sizeof(T));
  std::transform(values.begin(), values.end(), reinterpret_cast<T*>(image.data.data()),
                 [](double value) { return static_cast<T>(value); });
}

// Taps of the command line: whole numbers where the signal has whole numbers, so that sums are exact; else floats that
// hold the signal's numbers.
Image filter_of(Taps const& taps, Type signal, bool whole_allowed) {
  Image filter{.name = "the taps", .shape = {taps.lines, taps.columns}, .data = {}, .id = {}};
  const bool whole = std::all_of(taps.values.begin(), taps.values.end(),
                                 [](double v) { return v == std::trunc(v) && std::abs(v) <= kLargestWholeTap; });
  const Type floating = gpuconv::part_type(default_result(signal, Type::float32));
  filter.type = whole && whole_allowed && is_integer(signal) ? Type::int64 : floating;
  if (filter.type == Type::int64) fill<std::int64_t>(filter, taps.values);
  else if (filter.type == Type::float32) fill<float>(filter, taps.values);
  else fill<double>(filter, taps.values);
  return filter;
}

// How the images of an array lie: one behind the other, or channels that alternate.
gpuconv::Images images_of(npy::Shape const& shape, bool has_channels) {
  const std::size_t axes = shape.size();
  if (has_channels) {
    const std::int64_t channels = shape[axes - 1];
    return {.images = channels,
            .lines = shape[axes - 3],
            .columns = shape[axes - 2],
            .stride = 1,
            .line_stride = shape[axes - 2] * channels,
            .element_stride = channels};
  }
  std::int64_t images = 1;
  for (std::size_t d = 0; d + 2 < axes; ++d) images *= shape[d];
  return {.images = images, .lines = shape[axes - 2], .columns = shape[axes - 1]};
}

// One filter, or the two whose results a magnitude is of.
std::vector<Image> filters_of(ImageJob const& job, Type signal) {
  std::vector<Image> filters;
  if (job.taps.empty()) filters.push_back(read_filter(job.filter));
  for (Taps const& taps : job.taps) filters.push_back(filter_of(taps, signal, job.taps.size() == 1));
  return filters;
}

// What is written: none where that is the plan's own default.
std::optional<Type> written_type(ImageJob const& job, Image const& signal) {
  Problem const& p = job.request.problem;
  if (p.result_type) return p.result_type;
  if (picture::format_of(job.output)) return picture::can_hold(signal.type) ? signal.type : Type::uint8;
  if (p.saturate && is_integer(signal.type)) return signal.type;
  if (p.saturate)
    throw Failure(Exit::usage, signal.name + ": --saturate needs --dtype to name a type of integers, the signal is " +
                                   std::string(name(signal.type)));
  return {};
}

// The magnitude of two results is computed in float64 and stored as what it would be by a recipe, or saturated.
Type magnitude_type(std::optional<Type> wanted, bool saturate, Type signal) {
  if (is_complex(signal)) throw gpuconv::InvalidArgument("the magnitude of two slopes is that of real numbers");
  const Type least = default_result(signal, Type::float32);
  if (!wanted) return least;
  if (*wanted == least || *wanted == Type::float64 || (saturate && is_integer(*wanted))) return *wanted;
  throw gpuconv::InvalidArgument("a magnitude is " + std::string(name(least)) +
                                 ", float64 or a saturated integer, not " + std::string(name(*wanted)));
}

// `value` as an element of T: rounded and clamped where that is an integer.
template <class T>
T stored(double value) {
  if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(value)) return 0;
    if (value <= static_cast<double>(Limits::min())) return Limits::min();
    return value >= std::ldexp(1.0, Limits::digits) - 1 ? Limits::max() : static_cast<T>(std::nearbyint(value));
  } else {
    return static_cast<T>(value);
  }
}

// The root of the sum of the squares of two results, as elements of `type`.
npy::Buffer magnitude(npy::Buffer const& down, npy::Buffer const& across, Type type) {
  const std::size_t count = down.size() / sizeof(double);
  auto const* const a = reinterpret_cast<double const*>(down.data());
  auto const* const b = reinterpret_cast<double const*>(across.data());
  npy::Buffer out;
  out.resize(count * size_of(type));
  gpuconv::visit_type(type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_arithmetic_v<T>) {
      auto* const elements = reinterpret_cast<T*>(out.data());
      for (std::size_t i = 0; i < count; ++i) elements[i] = stored<T>(std::hypot(a[i], b[i]));
    }
  });
  return out;
}

Problem problem_of(ImageJob const& job, Image const& signal, Image const& filter) {
  Problem p = job.request.of(signal.columns(), filter.columns());
  p.batch = images_of(signal.shape, signal.has_channels).images;
  p.lines = {.signal = signal.lines(), .filter = filter.lines()};
  p.type = signal.type, p.filter_type = filter.type;
  return p;
}

HostInput filter_view(Image const& filter) {
  return {filter.data.data(), filter.type, gpuconv::Images{.lines = filter.lines(), .columns = filter.columns()}};
}

npy::Shape out_shape(Image const& signal, Plan const& plan) {
  npy::Shape shape = signal.shape;
  const std::size_t lines = shape.size() - (signal.has_channels ? 3 : 2);
  shape[lines] = plan.output_lines(), shape[lines + 1] = plan.output_length();
  return shape;
}

// The result of every filter.
std::vector<npy::Buffer> execute(Plan& plan, Image const& signal, std::vector<Image> const& filters, Report& report) {
  const npy::Shape shape = out_shape(signal, plan);
  auto bytes = static_cast<std::int64_t>(size_of(result_type(plan.problem())));
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      throw gpuconv::InvalidArgument("the result of " + to_string(plan.problem()) + " overflows 64-bit sizes");
  std::vector<npy::Buffer> results;
  for (Image const& filter : filters) {
    npy::Buffer& out = results.emplace_back();
    out.resize(static_cast<std::size_t>(bytes));
    plan.set_filter(filter_view(filter));
    if (plan.wrapping() != gpuconv::Wrapping::never) report.wrapping = plan.wrapping();
    plan.execute(HostInput(signal.data.data(), signal.type, images_of(signal.shape, signal.has_channels)),
                 HostOutput(out.data(), result_type(plan.problem()), images_of(shape, signal.has_channels)));
  }
  return results;
}

struct Result {
  Type type = {};
  bool logical = false;
  npy::Shape shape;
  bool has_channels = false;
  npy::Buffer data;
};

picture::View picture_of(Result const& result, std::string const& file) {
  if (result.shape.size() != (result.has_channels ? 3u : 2u))
    throw npy::Unsupported(file, "a picture holds one image, the result has the shape " + npy::to_string(result.shape));
  return {result.type, result.shape[0], result.shape[1], result.has_channels ? result.shape[2] : 1, result.data.data()};
}

Result compute(ImageJob const& job, Image const& signal, std::vector<Image> const& filters, Report& report) {
  Problem p = problem_of(job, signal, filters[0]);
  const bool separable = is_separable(filter_view(filters[0]));
  if (job.separable && !separable)
    throw gpuconv::Unsupported("--separable: the filter is not the product of a column and a row");
  p.lines.separable = separable && p.lines.filter > 1 && p.filter > 1;
  p.saturate = p.saturate || picture::format_of(job.output);
  p.result_type = written_type(job, signal);
  Result result{.type = result_type(p), .shape = {}, .has_channels = signal.has_channels, .data = {}};
  result.logical = signal.logical && filters[0].logical && !p.result_type;
  const bool is_magnitude = filters.size() == 2;
  if (is_magnitude) {
    result.type = magnitude_type(p.result_type, p.saturate, signal.type);
    p.saturate = false, p.result_type = Type::float64;
  }
  if (result.logical) p.result_type = Type::uint64, result.type = Type::uint8;

  Plan plan(p, job.options);
  result.shape = out_shape(signal, plan);
  if (const auto format = picture::format_of(job.output))
    check_format(picture_of(result, job.output), *format, job.output);
  std::vector<npy::Buffer> results = execute(plan, signal, filters, report);
  result.data = is_magnitude ? magnitude(results[0], results[1], result.type) : std::move(results[0]);
  if (result.logical) make_logical(result.data.data(), static_cast<std::int64_t>(result.data.size() / 8));

  report.problem = to_string(p);
  report.solver = plan.describe();
  report.type = p.type;
  report.result_type = p.saturate ? default_result(p.type, filters[0].type) : result_type(p);  // of the sums
  report.samples = p.batch * p.lines.signal * p.signal;
  report.plan_bytes = plan.workspace_bytes();
  return result;
}

void write(Result const& result, ImageJob const& job, std::initializer_list<Image const*> read) {
  std::vector<npy::FileId> inputs;
  for (Image const* const input : read)
    if (input->id) inputs.push_back(*input->id);
  npy::OutputFile file(job.output, inputs);
  if (const auto format = picture::format_of(job.output)) {
    picture::write(file, picture_of(result, job.output), *format);
  } else {
    npy::Writer writer(file, result.logical ? std::string(npy::kBoolDescr) : npy::descr_of(result.type), result.shape);
    std::int64_t elements = 1;
    for (const std::int64_t extent : result.shape) elements *= extent;
    writer.write({result.data.data(), result.type, gpuconv::Rows{.columns = elements}});
  }
  file.commit();
}

// `files`: those that an error concerns, as its text begins.
void convolve(ImageJob const& job, std::string& files, Report& report) {
  Image signal;
  std::vector<Image> filters;
  {
    const Stopwatch time(report.reading);
    signal = read_signal(job);
    files = signal.name + ": ";
    filters = filters_of(job, signal.type);
    files = signal.name + " with " + filters[0].name + ": ";
  }
  Result result;
  {
    const Stopwatch time(report.convolving);
    result = compute(job, signal, filters, report);
  }
  const Stopwatch time(report.writing);
  write(result, job, {&signal, &filters[0]});
}

}  // namespace

Report convolve_images(ImageJob const& job) {
  double total = 0;
  Report report;
  std::string files;
  with_failures(files, [&] {
    const Stopwatch time(total);
    convolve(job, files, report);
  });
  report.total = total;
  return report;
}

}  // namespace tool
