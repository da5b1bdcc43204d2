// Numbers of 16 bits as floats, and back: by the machine's own instructions where the target has them, else by the
// formulas of gpuconv/half.hpp, a vector at a time. The bits are the same, but for what is not a number.
// Only for kernels.cpp: everything here lives in the target's own namespace.
#pragma once

#include "vector.hpp"

#include <cstdint>

namespace gpuconv::detail::GPUCONV_SIMD_TARGET {
namespace {

// As many as a vector has floats.
typedef std::uint16_t Halves __attribute__((vector_size(kBytes / 2)));
typedef std::uint16_t UnalignedHalves __attribute__((vector_size(kBytes / 2), aligned(2), may_alias));
using Words = Vector<std::int32_t>;      // compared, which is fastest with a sign
using Unsigned = Vector<std::uint32_t>;  // added: sums that are not used may wrap

GPUCONV_INLINE Halves load_halves(const std::uint16_t* p) { return *reinterpret_cast<const UnalignedHalves*>(p); }
GPUCONV_INLINE void store_halves(std::uint16_t* p, Halves v) { *reinterpret_cast<UnalignedHalves*>(p) = v; }

// Where `which` is all ones a, else b.
GPUCONV_INLINE Words select(Words which, Words a, Words b) { return (which & a) | (~which & b); }

struct Float16 {
#if defined(__AVX512F__)
  // All lanes are asked for by a mask, as in vector.hpp.
  GPUCONV_INLINE static Vector<float> value(Halves h) {
    return reinterpret_cast<Vector<float>>(_mm512_maskz_cvtph_ps(0xffff, reinterpret_cast<__m256i>(h)));
  }
  GPUCONV_INLINE static Halves bits(Vector<float> x) {
    return reinterpret_cast<Halves>(
        _mm512_maskz_cvtps_ph(0xffff, reinterpret_cast<__m512>(x), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#elif defined(__F16C__)
  GPUCONV_INLINE static Vector<float> value(Halves h) {
    return reinterpret_cast<Vector<float>>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(h)));
  }
  GPUCONV_INLINE static Halves bits(Vector<float> x) {
    return reinterpret_cast<Halves>(
        _mm256_cvtps_ph(reinterpret_cast<__m256>(x), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#else
  GPUCONV_INLINE static Vector<float> value(Halves h) {
    const Words all = __builtin_convertvector(h, Words), size = all & 0x7fff, shifted = size << 13;
    const Vector<float> scaled = reinterpret_cast<Vector<float>>(shifted) * 0x1p112f;
    const Words number = select(size >= 0x7c00, shifted | 0x7f800000, reinterpret_cast<Words>(scaled));
    return reinterpret_cast<Vector<float>>((all & 0x8000) << 16 | number);
  }
  GPUCONV_INLINE static Halves bits(Vector<float> x) {
    const Words all = reinterpret_cast<Words>(x), size = all & 0x7fffffff;
    const Vector<float> sum = reinterpret_cast<Vector<float>>(size) + 0.5f;
    const Unsigned bits = reinterpret_cast<Unsigned>(size);
    const Unsigned normal = (bits - (0x38000000 - 0xfff) + (bits >> 13 & 1)) >> 13;
    const Unsigned denormal = reinterpret_cast<Unsigned>(sum) - 0x3f000000;
    Words number = select(size < 0x38800000, reinterpret_cast<Words>(denormal), reinterpret_cast<Words>(normal));
    number = select(size >= 0x477ff000, Words{} + 0x7c00, number);
    number = select(size > 0x7f800000, 0x7e00 | (size >> 13 & 0x1ff), number);
    return __builtin_convertvector((all >> 16 & 0x8000) | number, Halves);
  }
#endif
};

struct Bfloat16 {
  GPUCONV_INLINE static Vector<float> value(Halves h) {
    return reinterpret_cast<Vector<float>>(__builtin_convertvector(h, Words) << 16);
  }
  GPUCONV_INLINE static Halves bits(Vector<float> x) {
    const Words all = reinterpret_cast<Words>(x);
    const Unsigned bits = reinterpret_cast<Unsigned>(x), rounded = bits + 0x7fff + (bits >> 16 & 1);
    const Words number = select((all & 0x7fffffff) > 0x7f800000, reinterpret_cast<Words>(bits >> 16 | 0x40),
                                reinterpret_cast<Words>(rounded >> 16));
    return __builtin_convertvector(number, Halves);
  }
};

// The last vector overlaps with the one before it; fewer elements than a vector has are copied.
template <class Format>
void load_halves(const std::uint16_t* from, float* to, std::int64_t count) {
  constexpr int V = kLanes<float>;
  if (count < V) {
    std::uint16_t halves[V] = {};
    float values[V];
    for (int i = 0; i < count; ++i) halves[i] = from[i];
    store(values, Format::value(load_halves(halves)));
    for (int i = 0; i < count; ++i) to[i] = values[i];
    return;
  }
  for (std::int64_t i = 0; i < count - V; i += V) store(to + i, Format::value(load_halves(from + i)));
  store(to + count - V, Format::value(load_halves(from + count - V)));
}

template <class Format>
void store_halves(const float* from, std::uint16_t* to, std::int64_t count) {
  constexpr int V = kLanes<float>;
  if (count < V) {
    float values[V] = {};
    std::uint16_t halves[V];
    for (int i = 0; i < count; ++i) values[i] = from[i];
    store_halves(halves, Format::bits(load(values)));
    for (int i = 0; i < count; ++i) to[i] = halves[i];
    return;
  }
  for (std::int64_t i = 0; i < count - V; i += V) store_halves(to + i, Format::bits(load(from + i)));
  store_halves(to + count - V, Format::bits(load(from + count - V)));
}

}  // namespace
}  // namespace gpuconv::detail::GPUCONV_SIMD_TARGET
