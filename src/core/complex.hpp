// Complex numbers in registers, of any real type with + - and * by a scalar: a number or a vector. Shared by the CPU's
// and the GPU's transforms: who includes this says how functions are inlined (GPUCONV_INLINE) and in which namespace,
// so that code of one target never serves another.
#pragma once

#ifndef GPUCONV_TRANSFORM_NAMESPACE
#define GPUCONV_TRANSFORM_NAMESPACE detail
#endif

namespace gpuconv::GPUCONV_TRANSFORM_NAMESPACE {

template <class V>
struct Complex {
  V re, im;
};

template <class V>
GPUCONV_INLINE Complex<V> operator+(Complex<V> a, Complex<V> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class V>
GPUCONV_INLINE Complex<V> operator-(Complex<V> a, Complex<V> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class V, class W>
GPUCONV_INLINE Complex<V> multiply(Complex<V> a, W re, W im) {
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
/// a times the conjugate of (re, im).
template <class V, class W>
GPUCONV_INLINE Complex<V> multiply_conjugate(Complex<V> a, W re, W im) {
  return {a.re * re + a.im * im, a.im * re - a.re * im};
}

/// cos(pi k / 64), k = 0 ... 32.
template <class T>
inline constexpr T kCosine64[33] = {T(1.0L),
                                    T(.99879545620517239271L),
                                    T(.99518472667219688624L),
                                    T(.98917650996478097345L),
                                    T(.98078528040323044913L),
                                    T(.97003125319454399260L),
                                    T(.95694033573220886494L),
                                    T(.94154406518302077841L),
                                    T(.92387953251128675613L),
                                    T(.90398929312344333159L),
                                    T(.88192126434835502971L),
                                    T(.85772861000027206990L),
                                    T(.83146961230254523708L),
                                    T(.80320753148064490981L),
                                    T(.77301045336273696081L),
                                    T(.74095112535495909118L),
                                    T(.70710678118654752440L),
                                    T(.67155895484701840063L),
                                    T(.63439328416364549822L),
                                    T(.59569930449243334347L),
                                    T(.55557023301960222474L),
                                    T(.51410274419322172659L),
                                    T(.47139673682599764856L),
                                    T(.42755509343028209432L),
                                    T(.38268343236508977173L),
                                    T(.33688985339222005069L),
                                    T(.29028467725446236764L),
                                    T(.24298017990326388995L),
                                    T(.19509032201612826785L),
                                    T(.14673047445536175166L),
                                    T(.09801714032956060199L),
                                    T(.04906767432741801425L),
                                    T(0.0L)};

/// cos(pi k / 64) for any k; only while compiling, since device code cannot read the table.
template <class T>
consteval T cosine64(int k) {
  k &= 127;
  if (k > 64) k = 128 - k;
  return k > 32 ? -kCosine64<T>[64 - k] : kCosine64<T>[k];
}

}  // namespace gpuconv::GPUCONV_TRANSFORM_NAMESPACE
