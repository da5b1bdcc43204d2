// PNG in a build without libpng.
#include "pictures.hpp"

#include "npy.hpp"

namespace picture {
namespace {

[[noreturn]] void refuse(std::string const& name) {
  throw npy::Unsupported(name,
                         "this build of gpuconv has no PNG (GPUCONV_PNG, libpng-dev); .pgm, .ppm or .npy is expected");
}

}  // namespace

Picture read_png(std::span<std::byte const>, std::string const& name) { refuse(name); }
npy::Buffer png_of(View const&, std::string const& name) { refuse(name); }

}  // namespace picture
