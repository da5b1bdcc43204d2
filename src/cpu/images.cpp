// Direct convolution of images: how it is made and what it costs.
#include "images.hpp"

#include "cost.hpp"
#include "image_sums.hpp"
#include "narrow_integers.hpp"

#include "../problem.hpp"

#include <algorithm>

namespace gpuconv::detail {
namespace {

template <class C, class T>
std::unique_ptr<Executor> make_sums(Work const& w, int threads) {
  check_fits(ImageSums<C, T>::bytes(w, threads));
  return std::make_unique<ImageSums<C, T>>(w, threads);
}
std::unique_ptr<Executor> make_of(Work const& w, int threads) {
  return visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C>) {
    if constexpr (std::is_integral_v<C>)
      return visit_integers(w, [&]<class T>(std::type_identity<T>) { return make_sums<C, T>(w, threads); });
    else return make_sums<C, C>(w, threads);
  });
}
std::unique_ptr<Executor> make(Work const& w, Resources const&, Parameters const& p) {
  const Work narrow = with_narrow_taps(w);
  if (p.passes || operand_type(narrow) == operand_type(w)) return make_of(w, p.threads);
  return std::make_unique<NarrowIntegers>(w, make_of(narrow, p.threads), make_of(w, p.threads));
}

// ---- what it costs -----------------------------------------------------------------------------------------------
// Per output and tap, per output of four bytes, per line of a segment and tile.
constexpr ByWidth<double> kProduct{4e-11, 2e-11, 1.25e-11};  // of float32
// The share of that where lines are summed together (measured on an Intel Xeon of family 6, model 207, on 2026-11-27,
// with 3 to 15 taps in a line).
constexpr ByWidth<double> kTogether{0.95, 0.67, 0.66};
constexpr double kOutput = 2.9e-10, kPassedOutput = 4e-10, kLine = 3e-8;

bool in_two_passes(Work const& w) { return w.separable && pays_in_two_passes(w); }

double seconds_of_a_product(Work const& w, bool passes, bool together) {
  const Type compute = w.compute_type();
  if (!is_floating(compute)) return product_seconds(passes ? compute : operand_type(w));
  return kProduct.here() * (together ? kTogether.here() : 1) * static_cast<double>(size_of(compute)) / 4;
}

double one_thread(Work const& w, ImageLayout const& layout) {
  const double size = static_cast<double>(size_of(w.compute_type())) / 4, outputs = static_cast<double>(w.outputs());
  const double tile = kTileVectors * simd_target().bits / 8.0 / (4 * size);
  const double computed = static_cast<double>(w.lines.outputs) * std::max(static_cast<double>(w.axis.outputs), tile);
  const bool passes = in_two_passes(w), together = !passes && layout.together > 1;
  const double products = passes ? static_cast<double>(w.axis.filter + w.lines.filter)
                                 : static_cast<double>(w.products()) * term_count(w) * parts_of(w.result_type);
  return static_cast<double>(w.rows()) *
             (outputs * (passes ? kPassedOutput : kOutput) * size * parts_of(w.result_type) +
              static_cast<double>(w.lines.outputs) * kLine +
              computed * products * seconds_of_a_product(w, passes, together)) +
         converting_seconds(w, is_floating(w.compute_type()) ? w.compute_type() : operand_type(w));
}

}  // namespace

Answer consider_images(Work const& w, Resources const& r) {
  const ImageLayout layout =
      visit_compute(w.compute_type(), [&]<class C>(std::type_identity<C>) { return ImageLayout::of<C>(w); });
  const double one = one_thread(w, layout);
  const int threads = useful_threads(one, saturating_multiply(layout.strips(w), w.rows()), r.threads);
  return {.seconds = parallel_seconds(one, threads),
          .parameters = {.threads = threads, .passes = in_two_passes(w)},
          .make = make};
}

}  // namespace gpuconv::detail
