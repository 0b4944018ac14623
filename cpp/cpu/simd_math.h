// exp, expm1, tanh, sigmoid, softplus on vectors (see simd.h; include only from cpp/cpu/isa/*.cpp).
// Within 2-3 units in the last place of the true value; NaN goes through, ±inf give the limits.
#pragma once

#include "cpu/simd.h"

namespace pk::cpu::PK_ISA {

template <class T>
struct ExpConst;
template <>
struct ExpConst<float> {
  static constexpr float log2e = 1.44269504088896341f, ln2_hi = 0.693359375f, ln2_lo = -2.12194440e-4f;
  static constexpr float magic = 12582912.0f;  // 1.5·2^23: adding it rounds to a whole number
  static constexpr float lo = -104.0f, hi = 89.0f;
  static constexpr int bias = 127, mantissa = 23;
  static constexpr float tanh_hi = 10.0f;
};
template <>
struct ExpConst<double> {
  static constexpr double log2e = 1.4426950408889634074, ln2_hi = 6.93145751953125e-1,
                          ln2_lo = 1.42860682030941723212e-6;
  static constexpr double magic = 6755399441055744.0;  // 1.5·2^52
  static constexpr double lo = -746.0, hi = 710.0;
  static constexpr int bias = 1023, mantissa = 52;
  static constexpr double tanh_hi = 22.0;
};

// exp(r) - 1 for |r| <= ln2/2, as r + r²·p(r): Taylor's series, long enough for the type.
PK_INLINE vf32 expm1_reduced(vf32 r) {
  vf32 p = set1(1.0f / 5040);
  p = fma(p, r, set1(1.0f / 720));
  p = fma(p, r, set1(1.0f / 120));
  p = fma(p, r, set1(1.0f / 24));
  p = fma(p, r, set1(1.0f / 6));
  p = fma(p, r, set1(0.5f));
  return fma(r * r, p, r);
}
PK_INLINE vf64 expm1_reduced(vf64 r) {
  vf64 p = set1(1.0 / 6227020800.0);
  p = fma(p, r, set1(1.0 / 479001600.0));
  p = fma(p, r, set1(1.0 / 39916800.0));
  p = fma(p, r, set1(1.0 / 3628800.0));
  p = fma(p, r, set1(1.0 / 362880.0));
  p = fma(p, r, set1(1.0 / 40320.0));
  p = fma(p, r, set1(1.0 / 5040.0));
  p = fma(p, r, set1(1.0 / 720.0));
  p = fma(p, r, set1(1.0 / 120.0));
  p = fma(p, r, set1(1.0 / 24.0));
  p = fma(p, r, set1(1.0 / 6.0));
  p = fma(p, r, set1(0.5));
  return fma(r * r, p, r);
}

// exp(x) = 2^n·(1 + q), n whole; x within the constants' limits, or NaN (then q is, and n is anything).
template <class T>
PK_INLINE void exp_parts(typename Simd<T>::vec x, typename Simd<T>::vec& q, typename Simd<T>::vec& n,
                         typename Simd<T>::ivec& n_bits) {
  using C = ExpConst<T>;
  using V = typename Simd<T>::vec;
  const V t = fma(x, set1(C::log2e), set1(C::magic));
  n = t - set1(C::magic);
  V r = fma(n, set1(-C::ln2_hi), x);
  r = fma(n, set1(-C::ln2_lo), r);
  q = expm1_reduced(r);
  n_bits = bits(t) - bits(set1(C::magic));
}

template <class V>
struct ElemOf;
template <>
struct ElemOf<vf32> {
  using type = float;
};
template <>
struct ElemOf<vf64> {
  using type = double;
};

// v·2^n; n may lie outside the range of a float's exponent.
PK_INLINE vf32 scale_by_power(vf32 v, vf32 n, vi32 n_bits) {
#if defined(__AVX512F__)
  (void)n_bits;
  return (vf32)_mm512_maskz_scalef_ps((__mmask16)-1, (__m512)v, (__m512)n);
#else
  (void)n;
  const vi32 half = n_bits >> 1;
  return v * from_bits((half + 127) << 23) * from_bits((n_bits - half + 127) << 23);
#endif
}
PK_INLINE vf64 scale_by_power(vf64 v, vf64 n, vi64 n_bits) {
#if defined(__AVX512F__)
  (void)n_bits;
  return (vf64)_mm512_maskz_scalef_pd((__mmask8)-1, (__m512d)v, (__m512d)n);
#else
  (void)n;
  const vi64 half = n_bits >> 1;
  return v * from_bits((half + 1023) << 52) * from_bits((n_bits - half + 1023) << 52);
#endif
}

template <class V>
PK_INLINE V vexp(V x) {
  using T = typename ElemOf<V>::type;
  using C = ExpConst<T>;
  V q, n;
  typename Simd<T>::ivec n_bits;
  exp_parts<T>(at_most(at_least(x, set1(C::lo)), set1(C::hi)), q, n, n_bits);
  return scale_by_power(q + T(1), n, n_bits);
}

// 2·(h·q + (h - 1/2)) with h = 2^(n-1): it cancels nowhere (for n = 0 it is q itself), and h is finite to the
// end.
template <class T>
PK_INLINE typename Simd<T>::vec expm1_within(typename Simd<T>::vec x) {
  using C = ExpConst<T>;
  using V = typename Simd<T>::vec;
  V q, n;
  typename Simd<T>::ivec n_bits;
  exp_parts<T>(x, q, n, n_bits);
  const V h = from_bits((n_bits + typename Simd<T>::ielem(C::bias - 1)) << C::mantissa);
  const V half = fma(h, q, h - T(0.5));
  return half + half;
}

template <class V>
PK_INLINE V vexpm1(V x) {
  using T = typename ElemOf<V>::type;
  return expm1_within<T>(at_most(at_least(x, set1(T(-40))), set1(ExpConst<T>::hi)));
}

template <class V>
PK_INLINE V vtanh(V x) {
  using T = typename ElemOf<V>::type;
  const V hi = set1(ExpConst<T>::tanh_hi);
  const V c = at_most(at_least(x, -hi), hi);
  const V e = expm1_within<T>(c + c);
  return e / (e + T(2));
}

template <class V>
PK_INLINE V vsigmoid(V x) {
  using T = typename ElemOf<V>::type;
  const V e = vexp(-vabs(x));
  return select(x < T(0), e, set1(T(1))) / (e + T(1));
}

// log1p(t) for 0 <= t <= 1: 2·atanh(t / (2 + t)), the series in s² <= 1/9.
template <class V>
PK_INLINE V log1p_unit(V t) {
  using T = typename ElemOf<V>::type;
  constexpr int terms = sizeof(T) == 4 ? 8 : 17;
  const V s = t / (t + T(2)), z = s * s;
  V p = set1(T(1) / T(2 * terms + 1));
#pragma GCC unroll 17
  for (int i = terms - 1; i >= 1; --i) p = fma(p, z, set1(T(1) / T(2 * i + 1)));
  return (s + s) + (s + s) * z * p;
}

template <class V>
PK_INLINE V vsoftplus(V x) {
  using T = typename ElemOf<V>::type;
  const V e = vexp(select(x > T(0), -x, x));
  return select(x > T(0), x, set1(T(0))) + select(x == x, log1p_unit(e), x);
}

}  // namespace pk::cpu::PK_ISA
