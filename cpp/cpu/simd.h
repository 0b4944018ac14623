// Vectors of float and double for the per-ISA sources: one spelling, 64, 32 or 16 bytes wide.
//
// Include only from cpp/cpu/isa/*.cpp: all names live in the namespace PK_ISA, so no wide instruction can
// leak into code that runs on a plain CPU. Arithmetic and comparisons are the operators of the GCC/Clang
// vector extension; a comparison gives an integer vector (0 or -1 per lane) that `select` takes.
#pragma once

#include <stdint.h>
#include <string.h>

#ifndef PK_ISA
#error "PK_ISA must name the instruction set's namespace"
#endif
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define PK_INLINE static inline __attribute__((always_inline))

namespace pk::cpu::PK_ISA {

#if defined(__AVX512F__)
#define PK_VBYTES 64
#elif defined(__AVX2__)
#define PK_VBYTES 32
#else
#define PK_VBYTES 16
#endif

typedef float vf32 __attribute__((vector_size(PK_VBYTES)));
typedef double vf64 __attribute__((vector_size(PK_VBYTES)));
typedef int32_t vi32 __attribute__((vector_size(PK_VBYTES)));
typedef int64_t vi64 __attribute__((vector_size(PK_VBYTES)));

template <class T>
struct Simd;
template <>
struct Simd<float> {
  using vec = vf32;
  using ivec = vi32;
  using ielem = int32_t;
  static constexpr int n = PK_VBYTES / 4;
};
template <>
struct Simd<double> {
  using vec = vf64;
  using ivec = vi64;
  using ielem = int64_t;
  static constexpr int n = PK_VBYTES / 8;
};

// memcpy keeps unaligned access defined; it compiles to one unaligned move.
PK_INLINE vf32 load(const float* p) {
  vf32 v;
  memcpy(&v, p, sizeof v);
  return v;
}
PK_INLINE vf64 load(const double* p) {
  vf64 v;
  memcpy(&v, p, sizeof v);
  return v;
}
PK_INLINE void store(float* p, vf32 v) { memcpy(p, &v, sizeof v); }
PK_INLINE void store(double* p, vf64 v) { memcpy(p, &v, sizeof v); }

PK_INLINE vf32 set1(float x) { return x - vf32{}; }
PK_INLINE vf64 set1(double x) { return x - vf64{}; }

#if PK_VBYTES == 16
// Up to three lanes. A memcpy of n bytes would be a call, and a call in a loop makes it spill every vector.
PK_INLINE vf32 load_three(const float* p, int n) {
  if (!(n & 2)) return n & 1 ? vf32{p[0]} : vf32{};
  double two;
  memcpy(&two, p, sizeof two);
  vf32 v = (vf32)vf64{two};
  if (n & 1) v[2] = p[2];
  return v;
}
#endif

// The first n lanes (0 <= n <= lanes); the others read as zero and their memory is not touched.
PK_INLINE vf32 load_part(const float* p, int n) {
#if defined(__AVX512F__)
  return (vf32)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1u), p);
#elif defined(__AVX2__)
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return (vf32)_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
#else
  return n & 4 ? load(p) : load_three(p, n);
#endif
}
PK_INLINE vf64 load_part(const double* p, int n) {
#if defined(__AVX512F__)
  return (vf64)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1u), p);
#elif defined(__AVX2__)
  const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
  return (vf64)_mm256_maskload_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane));
#else
  if (n & 2) return load(p);
  return n & 1 ? vf64{p[0]} : vf64{};
#endif
}
PK_INLINE void store_part(float* p, vf32 v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1u), (__m512)v);
#elif defined(__AVX2__)
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane), (__m256)v);
#else
  if (n & 4) return store(p, v);
  if (n & 2) memcpy(p, &v, 8);
  if (n & 1) p[n & 2] = n & 2 ? v[2] : v[0];
#endif
}
PK_INLINE void store_part(double* p, vf64 v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1u), (__m512d)v);
#elif defined(__AVX2__)
  const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
  _mm256_maskstore_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane), (__m256d)v);
#else
  if (n & 2) return store(p, v);
  if (n & 1) p[0] = v[0];
#endif
}

// a*b + c, rounded once where the ISA has FMA. Spelled out, not left to contraction, so that every kernel
// that must agree bit for bit with another does.
PK_INLINE vf32 fma(vf32 a, vf32 b, vf32 c) {
#if defined(__AVX512F__)
  return (vf32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (vf32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (vf32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}
PK_INLINE vf64 fma(vf64 a, vf64 b, vf64 c) {
#if defined(__AVX512F__)
  return (vf64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__AVX2__)
  return (vf64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__)
  return (vf64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
  return a * b + c;
#endif
}

// a[lane]*b + c, for code that unrolls over the lanes. ARM has it as one instruction; `a[lane]` in an array
// of vectors would make GCC take them apart in the other registers.
PK_INLINE vf32 fma_lane(vf32 a, int lane, vf32 b, vf32 c) {
#if defined(__aarch64__)
  const float32x4_t x = (float32x4_t)a, y = (float32x4_t)b, z = (float32x4_t)c;
  return (vf32)(lane == 0   ? vfmaq_laneq_f32(z, y, x, 0)
                : lane == 1 ? vfmaq_laneq_f32(z, y, x, 1)
                : lane == 2 ? vfmaq_laneq_f32(z, y, x, 2)
                            : vfmaq_laneq_f32(z, y, x, 3));
#else
  return fma(set1(a[lane]), b, c);
#endif
}
PK_INLINE vf64 fma_lane(vf64 a, int lane, vf64 b, vf64 c) {
#if defined(__aarch64__)
  const float64x2_t x = (float64x2_t)a, y = (float64x2_t)b, z = (float64x2_t)c;
  return (vf64)(lane == 0 ? vfmaq_laneq_f64(z, y, x, 0) : vfmaq_laneq_f64(z, y, x, 1));
#else
  return fma(set1(a[lane]), b, c);
#endif
}

PK_INLINE vf32 select(vi32 m, vf32 a, vf32 b) { return m ? a : b; }
PK_INLINE vf64 select(vi64 m, vf64 a, vf64 b) { return m ? a : b; }

// A NaN in `x` is kept (the instructions give their second operand then), which is what relu and clip want.
PK_INLINE vf32 at_least(vf32 x, vf32 lo) {
#if defined(__AVX512F__)
  return (vf32)_mm512_maskz_max_ps((__mmask16)-1, (__m512)lo, (__m512)x);
#elif defined(__AVX2__)
  return (vf32)_mm256_max_ps((__m256)lo, (__m256)x);
#elif defined(__SSE2__)
  return (vf32)_mm_max_ps((__m128)lo, (__m128)x);
#else
  return select(x < lo, lo, x);
#endif
}
PK_INLINE vf32 at_most(vf32 x, vf32 hi) {
#if defined(__AVX512F__)
  return (vf32)_mm512_maskz_min_ps((__mmask16)-1, (__m512)hi, (__m512)x);
#elif defined(__AVX2__)
  return (vf32)_mm256_min_ps((__m256)hi, (__m256)x);
#elif defined(__SSE2__)
  return (vf32)_mm_min_ps((__m128)hi, (__m128)x);
#else
  return select(x > hi, hi, x);
#endif
}
PK_INLINE vf64 at_least(vf64 x, vf64 lo) { return select(x < lo, lo, x); }
PK_INLINE vf64 at_most(vf64 x, vf64 hi) { return select(x > hi, hi, x); }

// The lanes of a and, numbered on, of b in the order of `from`, which must be known when this is compiled.
template <class V, class I>
PK_INLINE V shuffle(V a, V b, I from) {
#if defined(__clang__)
  constexpr int n = sizeof(V) / sizeof(a[0]);
  V v{};
#pragma GCC unroll 16
  for (int l = 0; l < n; ++l) v[l] = int(from[l]) < n ? a[int(from[l])] : b[int(from[l]) - n];
  return v;
#else
  return __builtin_shuffle(a, b, from);
#endif
}

PK_INLINE vi32 bits(vf32 x) { return (vi32)x; }
PK_INLINE vi64 bits(vf64 x) { return (vi64)x; }
PK_INLINE vf32 from_bits(vi32 x) { return (vf32)x; }
PK_INLINE vf64 from_bits(vi64 x) { return (vf64)x; }

PK_INLINE vf32 vabs(vf32 x) { return from_bits(bits(x) & 0x7fffffff); }
PK_INLINE vf64 vabs(vf64 x) { return from_bits(bits(x) & 0x7fffffffffffffffLL); }

// Whole vectors and the rest: f(first, lanes) over n values, with a constant number of lanes where a whole
// vector fits, so that get and put then are plain moves.
template <class T, class F>
PK_INLINE void vectors(int64_t n, F f) {
  constexpr int VL = Simd<T>::n;
  int64_t i = 0;
  for (; i + VL <= n; i += VL) f(i, VL);
  if (i < n) f(i, (int)(n - i));
}
template <class T>
PK_INLINE typename Simd<T>::vec get(const T* p, int lanes) {
  return lanes == Simd<T>::n ? load(p) : load_part(p, lanes);
}
template <class T>
PK_INLINE void put(T* p, typename Simd<T>::vec v, int lanes) {
  if (lanes == Simd<T>::n)
    store(p, v);
  else
    store_part(p, v, lanes);
}

}  // namespace pk::cpu::PK_ISA
