// log, log1p, erf, sin, cos, pow and rounding on vectors; continues simd_math.h (same rules).
// float: within 4 units in the last place everywhere. double: log and log1p likewise, the rest is the C
// library's.
#pragma once

#include <math.h>

#include "cpu/simd_math.h"

namespace pk::cpu::PK_ISA {

template <class T>
struct FloatConst;
template <>
struct FloatConst<float> {
  static constexpr float tiny = 1.17549435e-38f, scale = 8388608.0f;  // smallest normal; 2^23
  static constexpr int32_t sqrt_half = 0x3f3504f3, mantissa_bits = 0x7fffff, sign = INT32_MIN;
};
template <>
struct FloatConst<double> {
  static constexpr double tiny = 2.2250738585072014e-308, scale = 4503599627370496.0;  // 2^52
  static constexpr int64_t sqrt_half = 0x3fe6a09e667f3bcd, mantissa_bits = 0xfffffffffffff, sign = INT64_MIN;
};

// |x| with the sign of s.
template <class V>
PK_INLINE V with_sign(V x, V s) {
  using T = typename ElemOf<V>::type;
  return from_bits((bits(x) & ~FloatConst<T>::sign) | (bits(s) & FloatConst<T>::sign));
}

// To the nearest whole number, ties to even. From 2^23 (2^52) on every number is whole.
template <class V>
PK_INLINE V vround(V x) {
  using T = typename ElemOf<V>::type;
  const V a = vabs(x);
  const V r = (a + FloatConst<T>::scale) - FloatConst<T>::scale;
  return select(a < FloatConst<T>::scale, with_sign(r, x), x);
}
template <class V>
PK_INLINE V vfloor(V x) {
  using T = typename ElemOf<V>::type;
  const V r = vround(x);
  return select(r > x, r - T(1), r);
}
template <class V>
PK_INLINE V vceil(V x) {
  using T = typename ElemOf<V>::type;
  const V r = vround(x);
  return select(r < x, with_sign(r + T(1), x), r);
}

// One lane after the other through a function of the C library.
template <class V, class F>
PK_INLINE V lanes(V x, F f) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(x[0]); ++i) x[i] = f(x[i]);
  return x;
}

// log(x) for finite x > 0, plus `low`, a correction that is small beside it.
template <int kTerms, class V>
PK_INLINE V log_finite(V x, V low) {
  using T = typename ElemOf<V>::type;
  using C = ExpConst<T>;
  using K = FloatConst<T>;
  // x = m·2^k with m in [sqrt(1/2), sqrt(2))
  const auto above = bits(x) - K::sqrt_half;
  const V m = from_bits(K::sqrt_half + (above & K::mantissa_bits));
  // k as a number, by placing it in the low bits of a big one
  const V n = from_bits((above >> C::mantissa) + bits(set1(C::magic))) - C::magic;
  // log(1 + f) = f - (h - s(h + R)), h = f²/2, s = f/(2 + f), R the rest of atanh's series in z = s²
  const V f = m - T(1);
  const V s = f / (f + T(2)), z = s * s;
  V p = set1(T(2) / T(2 * kTerms + 1));
#pragma GCC unroll 11
  for (int i = kTerms - 1; i >= 1; --i) p = fma(p, z, set1(T(2) / T(2 * i + 1)));
  const V r = z * p, h = f * f * T(0.5);
  const V rest = fma(n, set1(C::ln2_lo), low);
  return fma(n, set1(C::ln2_hi), f - (h - fma(s, h + r, rest)));
}
template <class T>
constexpr int kLogTerms = sizeof(T) == 4 ? 5 : 11;

// log of what may also be 0, infinite, negative or NaN; `y` is right elsewhere.
template <class V>
PK_INLINE V log_limits(V x, V y) {
  using T = typename ElemOf<V>::type;
  const V inf = set1(T(__builtin_inf()));
  const V none = select(x == T(0), -inf, set1(T(__builtin_nan(""))));
  return select(x > T(0), select(x < inf, y, x), none);
}

template <class V>
PK_INLINE V vlog(V x) {
  using T = typename ElemOf<V>::type;
  using K = FloatConst<T>;
  // Numbers below the normal ones are scaled up; what has no logarithm must not upset the integers.
  const auto small = x < set1(K::tiny);
  const V y = select(x > T(0), select(small, x * K::scale, x), set1(T(1)));
  const V shift = select(small, set1(T(ExpConst<T>::mantissa) * T(-0.693147180559945309)), V{});
  return log_limits(x, log_finite<kLogTerms<T>>(y, V{}) + shift);
}
template <class V>
PK_INLINE V vlog1p(V x) {
  using T = typename ElemOf<V>::type;
  const V u = x + T(1), inf = set1(T(__builtin_inf()));
  const V y = select((u > T(0)) & (u < inf), u, set1(T(1)));
  // What 1 + x lost, to first order.
  const V lost = select(x < T(1), x - (y - T(1)), T(1) - (y - x));
  return log_limits(u, log_finite<kLogTerms<T>>(y, lost / y));
}

PK_INLINE vf32 verf(vf32 x) {
  const vf32 a = at_most(vabs(x), set1(4.1f));
  // Below 1 the Taylor series, 2/sqrt(pi)·sum (-1)^n x^(2n+1) / (n! (2n+1)).
  const vf32 z = a * a;
  vf32 p = set1(1.4807193e-8f);
  p = fma(p, z, set1(-1.6365844e-7f));
  p = fma(p, z, set1(1.6462114e-6f));
  p = fma(p, z, set1(-1.4925651e-5f));
  p = fma(p, z, set1(1.2055332e-4f));
  p = fma(p, z, set1(-8.5483270e-4f));
  p = fma(p, z, set1(5.2239776e-3f));
  p = fma(p, z, set1(-2.6866171e-2f));
  p = fma(p, z, set1(1.1283792e-1f));
  p = fma(p, z, set1(-3.7612639e-1f));
  const vf32 near = fma(a * z, p, a * 1.1283791671f);
  // From 1 on 1 - exp(q(a - 1)), q fitted to log erfc for the smallest error of the result.
  const vf32 d = a - 1.0f;
  vf32 q = set1(1.8557495420638725e-4f);
  q = fma(q, d, set1(-1.8261665930592308e-3f));
  q = fma(q, d, set1(9.89089614675371e-3f));
  q = fma(q, d, set1(-4.1500690533082106e-2f));
  q = fma(q, d, set1(-8.431183359145111e-1f));
  q = fma(q, d, set1(-2.6389668159689252f));
  q = fma(q, d, set1(-1.8496055164801755f));
  const vf32 far = 1.0f - vexp(q);
  return select(x == x, with_sign(select(a < 1.0f, near, far), x), x);
}
PK_INLINE vf64 verf(vf64 x) {
  return lanes(x, [](double v) { return ::erf(v); });
}

// sin(x + quarter·pi/2). Past 8192 quarter turns (x about 12800) the reduction would lose digits: the C
// library does those lanes.
PK_INLINE vf32 sine(vf32 x, int quarter) {
  const vf32 magic = set1(ExpConst<float>::magic);
  const vf32 t = fma(x, set1(0.63661977236758134f), magic);
  const vf32 n = t - magic;
  // pi/2 in pieces of 11 bits, so that each product is exact
  vf32 r = fma(n, set1(-1.5703125f), x);
  r = fma(n, set1(-4.837512969970703e-4f), r);
  r = fma(n, set1(-7.549533620476723e-8f), r);
  r = fma(n, set1(-2.5632829192545614e-12f), r);
  r = fma(n, set1(-6.123233601181349e-17f), r);
  const vi32 k = (bits(t) & 3) + quarter;
  const vf32 z = r * r;
  vf32 s = set1(1.0f / 362880);
  s = fma(s, z, set1(-1.0f / 5040));
  s = fma(s, z, set1(1.0f / 120));
  s = fma(s, z, set1(-1.0f / 6));
  s = fma(s * z, r, r);
  vf32 c = set1(-1.0f / 3628800);
  c = fma(c, z, set1(1.0f / 40320));
  c = fma(c, z, set1(-1.0f / 720));
  c = fma(c, z, set1(1.0f / 24));
  c = fma(c, z, set1(-0.5f));
  c = fma(c, z, set1(1.0f));
  const vf32 y = select((k & 1) != 0, c, s);
  return from_bits(bits(y) ^ ((k & 2) << 30));
}
// Is any lane of a comparison's result set?
PK_INLINE bool any_lane(vi32 m) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask((__m512i)m) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps((__m256)m) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_ps((__m128)m) != 0;
#elif defined(__aarch64__)
  return vmaxvq_u32((uint32x4_t)m) != 0;
#else
  bool any = false;
  for (int i = 0; i < Simd<float>::n; ++i) any |= m[i] != 0;
  return any;
#endif
}
PK_INLINE bool any_lane(vi64 m) { return any_lane((vi32)m); }
PK_INLINE vf32 sine_or_lib(vf32 x, int quarter) {
  vf32 y = sine(x, quarter);
  if (any_lane(~(vabs(x) < 12800.0f)))
    for (int i = 0; i < Simd<float>::n; ++i)
      if (!(fabsf(x[i]) < 12800.0f)) y[i] = quarter ? ::cosf(x[i]) : ::sinf(x[i]);
  return y;
}
PK_INLINE vf64 sine_or_lib(vf64 x, int quarter) {
  return quarter ? lanes(x, [](double v) { return ::cos(v); }) : lanes(x, [](double v) { return ::sin(v); });
}

// The same for arguments that are known to be small.
PK_INLINE vf32 sine_small(vf32 x, int quarter) { return sine(x, quarter); }
PK_INLINE vf64 sine_small(vf64 x, int quarter) { return sine_or_lib(x, quarter); }

typedef float half_f32 __attribute__((vector_size(PK_VBYTES / 2)));

// |a|^b by double precision: exp(b log a) has digits to spare for a float there, so the series are short.
PK_INLINE vf64 pow_half(vf64 a, vf64 b) {
  const vf64 inf = set1(__builtin_inf());
  const vf64 l = log_finite<6>(select((a > 0.0) & (a < inf), a, set1(1.0)), vf64{});
  const vf64 x = log_limits(a, l) * b;
  vf64 t = at_most(at_least(x, set1(-200.0)), set1(200.0));
  using C = ExpConst<double>;
  const vf64 k = fma(t, set1(C::log2e), set1(C::magic)), n = k - C::magic;
  t = fma(n, set1(-C::ln2_lo), fma(n, set1(-C::ln2_hi), t));
  vf64 p = set1(1.0 / 40320);
  p = fma(p, t, set1(1.0 / 5040));
  p = fma(p, t, set1(1.0 / 720));
  p = fma(p, t, set1(1.0 / 120));
  p = fma(p, t, set1(1.0 / 24));
  p = fma(p, t, set1(1.0 / 6));
  p = fma(p, t, set1(0.5));
  p = fma(p, t * t, t + 1.0);
  return p * from_bits((bits(k) - bits(set1(C::magic)) + int64_t{1023}) << 52);
}
PK_INLINE vf32 pow_magnitude(vf32 a, vf32 b) {
  half_f32 ah[2], bh[2], yh[2];
  memcpy(ah, &a, sizeof a);
  memcpy(bh, &b, sizeof b);
  for (int i = 0; i < 2; ++i)
    yh[i] = __builtin_convertvector(
        pow_half(__builtin_convertvector(ah[i], vf64), __builtin_convertvector(bh[i], vf64)), half_f32);
  vf32 y;
  memcpy(&y, yh, sizeof y);
  return y;
}
PK_INLINE vf32 vpow(vf32 a, vf32 b) {
  const vf32 one = set1(1.0f), m = vabs(a);
  vf32 y = pow_magnitude(m, b);
  // A negative base: odd whole exponents give a negative result, fractions none at all. The sign bit itself
  // is asked, because -0 counts too; infinite exponents are even.
  const vi32 whole = vround(b) == b, odd = whole & (vround(b * 0.5f) != b * 0.5f);
  const vi32 negative = bits(a) < 0;
  y = select(negative & odd, -y, y);
  y = select((a < 0.0f) & ~whole & (m < set1(__builtin_inff())), set1(__builtin_nanf("")), y);
  y = select((a == a) & (b == b), y, a + b);
  return select((b == 0.0f) | (a == one) | ((m == one) & (vabs(b) == set1(__builtin_inff()))), one, y);
}
PK_INLINE vf64 vpow(vf64 a, vf64 b) {
  for (int i = 0; i < Simd<double>::n; ++i) a[i] = ::pow(a[i], b[i]);
  return a;
}

PK_INLINE vf32 vsqrt(vf32 x) {
#if defined(__AVX512F__)
  return (vf32)_mm512_maskz_sqrt_ps((__mmask16)-1, (__m512)x);
#elif defined(__AVX2__)
  return (vf32)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (vf32)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  return (vf32)vsqrtq_f32((float32x4_t)x);
#else
  return lanes(x, [](float v) { return ::sqrtf(v); });
#endif
}
PK_INLINE vf64 vsqrt(vf64 x) {
#if defined(__AVX512F__)
  return (vf64)_mm512_maskz_sqrt_pd((__mmask8)-1, (__m512d)x);
#elif defined(__AVX2__)
  return (vf64)_mm256_sqrt_pd((__m256d)x);
#elif defined(__SSE2__)
  return (vf64)_mm_sqrt_pd((__m128d)x);
#elif defined(__aarch64__)
  return (vf64)vsqrtq_f64((float64x2_t)x);
#else
  return lanes(x, [](double v) { return ::sqrt(v); });
#endif
}

}  // namespace pk::cpu::PK_ISA
