// Philox on vectors of counters, and what the draws make of its words.
#include "cpu/draws.h"

#include "cpu/simd_special.h"

namespace pk::cpu::PK_ISA {
namespace {

typedef uint32_t vu32 __attribute__((vector_size(PK_VBYTES)));
typedef uint64_t vu64 __attribute__((vector_size(PK_VBYTES)));
constexpr int kLanes = PK_VBYTES / 8;   // blocks of Philox made at once
constexpr int64_t kGroup = 4 * kLanes;  // elements made at once
constexpr int64_t kBlock = 512;         // elements whose words are kept on the stack

// Products of the low halves of the 64-bit lanes.
PK_INLINE vu64 mul_low(vu64 a, vu64 b) {
#if defined(__AVX512F__)
  return (vu64)_mm512_maskz_mul_epu32((__mmask8)-1, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (vu64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (vu64)_mm_mul_epu32((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
  return (vu64)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

// Words of kLanes blocks from `block` on, in the low halves of 64-bit lanes; what the upper halves hold never
// gets down. Block i is in lane 2i, block i + kLanes/2 in lane 2i + 1: then interleaving within 128 bits puts
// them in order.
PK_INLINE void philox(uint64_t seed, uint64_t step, uint64_t block, vu64 w[4]) {
  vu64 lane{};
#pragma GCC unroll 8
  for (unsigned l = 0; l < kLanes; ++l) lane[l] = l / 2 + (l % 2 ? kLanes / 2 : 0);
  vu64 c0 = lane + block;
  vu64 c1 = c0 >> 32, c2 = vu64{} + step, c3 = vu64{} + (step >> 32);
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const vu64 p0 = mul_low(c0, vu64{} + 0xD2511F53u), p1 = mul_low(c2, vu64{} + 0xCD9E8D57u);
    c0 = (p1 >> 32) ^ c1 ^ k0;
    c2 = (p0 >> 32) ^ c3 ^ k1;
    c1 = p1;
    c3 = p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  w[0] = c0, w[1] = c1, w[2] = c2, w[3] = c3;
}

// The lower or the upper 64 bits of each 128, of a and b in turns.
template <bool kUpper>
PK_INLINE vu64 interleave(vu64 a, vu64 b) {
  vu64 mask{};
#pragma GCC unroll 8
  for (unsigned i = 0; i < kLanes; ++i) mask[i] = (i % 2 ? kLanes + i - 1 : i) + kUpper;
  return shuffle(a, b, mask);
}

// The words' upper 24 bits, in the order of the elements; n is rounded up to whole groups.
PK_INLINE void words24(uint64_t seed, uint64_t step, int64_t from, int64_t n, int32_t* out) {
  for (int64_t i = 0; i < n; i += kGroup, out += kGroup) {
    vu64 w[4];
    philox(seed, step, static_cast<uint64_t>((from + i) / 4), w);
    const vu64 first = (w[0] & 0xffffffffu) | (w[1] << 32), last = (w[2] & 0xffffffffu) | (w[3] << 32);
    const vu32 ordered[2] = {(vu32)interleave<false>(first, last) >> 8,
                             (vu32)interleave<true>(first, last) >> 8};
    memcpy(out, ordered, sizeof ordered);
  }
}

// An element is kept if word24·2^-24 >= rate, that is from this whole number on.
int32_t threshold(float rate) {
  const double t = static_cast<double>(rate) * 16777216.0;
  const int32_t whole = static_cast<int32_t>(t);
  return static_cast<double>(whole) < t ? whole + 1 : whole;
}

template <class T>
void dropout(uint64_t seed, uint64_t step, float rate, T scale, int64_t from, int64_t n, const T* x, T* y) {
  int32_t word[kBlock];
  const int32_t least = threshold(rate);
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t m = n - i < kBlock ? n - i : kBlock;
    words24(seed, step, from + i, m, word);
    for (int64_t k = 0; k < m; ++k) {
      const T kept = x[i + k] * scale;
      y[i + k] = word[k] >= least ? kept : T(0);
    }
  }
}

// Two normals of each pair of words, for the lanes of two vectors of whole numbers below 2^24.
template <class V>
PK_INLINE void box_muller(V w0, V w1, V& first, V& second) {
  using T = typename ElemOf<V>::type;
  const V u = (w0 + T(1)) * T(0x1p-24);
  const V angle = w1 * (T(6.283185307179586) * T(0x1p-24));
  const V radius = vsqrt(vlog(u) * T(-2));
  first = radius * sine_small(angle, 1);
  second = radius * sine_small(angle, 0);
}

// See truncated_normal01 of kernels/random.h for the formula.
template <class V>
PK_INLINE V truncated(V w24) {
  using T = typename ElemOf<V>::type;
  const V v = (w24 * T(2) + T(1 - (1 << 24))) * T(0x1p-24) * T(0.9544997361036416);
  const V w = -vlog((T(1) - v) * (T(1) + v)) - T(2.5);
  V p = set1(T(2.81022636e-08));
  p = fma(p, w, set1(T(3.43273939e-07)));
  p = fma(p, w, set1(T(-3.5233877e-06)));
  p = fma(p, w, set1(T(-4.39150654e-06)));
  p = fma(p, w, set1(T(0.00021858087)));
  p = fma(p, w, set1(T(-0.00125372503)));
  p = fma(p, w, set1(T(-0.00417768164)));
  p = fma(p, w, set1(T(0.246640727)));
  p = fma(p, w, set1(T(1.50140941)));
  return p * v * T(1.4142135623730951);
}

// Turns n words (padded to whole vectors) into draws, in y.
template <class T>
void draw_block(const DrawPlan& plan, const int32_t* word, int64_t n, T* y) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  const T a = static_cast<T>(plan.a), b = static_cast<T>(plan.b);
  switch (plan.what) {
    case Draw::uniform:  // two loops: a fused multiply-add would give other bits where T is double
      if (sizeof(T) == 8) {
        for (int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(word[i]) * T(0x1p-24) * b;
        for (int64_t i = 0; i < n; ++i) y[i] += a;
        return;
      }
      for (int64_t i = 0; i < n; ++i)
        y[i] = static_cast<T>(static_cast<double>(a) +
                              static_cast<double>(word[i]) * 0x1p-24 * static_cast<double>(b));
      return;
    case Draw::binomial: {
      const int32_t below = threshold(static_cast<float>(plan.a));
      for (int64_t i = 0; i < n; ++i) y[i] = word[i] < below ? T(1) : T(0);
      return;
    }
    case Draw::normal:
      for (int64_t i = 0; i < n; i += 2 * L) {
        T even[L], odd[L];
        for (int l = 0; l < L; ++l) {
          even[l] = static_cast<T>(word[i + 2 * l]);
          odd[l] = static_cast<T>(word[i + 2 * l + 1]);
        }
        V first, second;
        box_muller(load(even), load(odd), first, second);
        store(even, fma(first, set1(b), set1(a)));
        store(odd, fma(second, set1(b), set1(a)));
        for (int l = 0; l < L; ++l) {
          y[i + 2 * l] = even[l];
          y[i + 2 * l + 1] = odd[l];
        }
      }
      return;
    case Draw::truncated_normal:
      for (int64_t i = 0; i < n; i += L) {
        T w[L];
        for (int l = 0; l < L; ++l) w[l] = static_cast<T>(word[i + l]);
        store(y + i, fma(truncated(load(w)), set1(b), set1(a)));
      }
      return;
  }
}

template <class T>
void draw(const DrawPlan& plan, int64_t from, int64_t n, T* y) {
  int32_t word[kBlock];
  T block[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t m = n - i < kBlock ? n - i : kBlock;
    words24(plan.seed, plan.step, from + i, m, word);
    const int64_t padded = (m + kGroup - 1) / kGroup * kGroup;
    draw_block(plan, word, padded, block);
    memcpy(y + i, block, static_cast<size_t>(m) * sizeof(T));
  }
}

}  // namespace

void draw_f32(const DrawPlan& plan, int64_t from, int64_t n, float* y) { draw(plan, from, n, y); }
void draw_f64(const DrawPlan& plan, int64_t from, int64_t n, double* y) { draw(plan, from, n, y); }
void dropout_f32(uint64_t seed, uint64_t step, float rate, double scale, int64_t from, int64_t n,
                 const float* x, float* y) {
  dropout(seed, step, rate, static_cast<float>(scale), from, n, x, y);
}
void dropout_f64(uint64_t seed, uint64_t step, float rate, double scale, int64_t from, int64_t n,
                 const double* x, double* y) {
  dropout(seed, step, rate, scale, from, n, x, y);
}
void dropout_mask(uint64_t seed, uint64_t step, float rate, int64_t from, int64_t n, uint8_t* y) {
  int32_t word[kBlock];
  const int32_t least = threshold(rate);
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t m = n - i < kBlock ? n - i : kBlock;
    words24(seed, step, from + i, m, word);
    for (int64_t k = 0; k < m; ++k) y[i + k] = word[k] >= least;
  }
}

}  // namespace pk::cpu::PK_ISA
