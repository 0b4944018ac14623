// Matrix micro-kernels and packing, for the type that gemm_f32.cpp or gemm_f64.cpp names.
//
// Every tile kernel computes each element as one chain of fma in ascending k, from zero: that, and blocks of
// k of one size, is what makes a row's bits independent of its place, its batch and the kernel that took it.
#pragma once

#include "cpu/gemm_types.h"
#include "cpu/shuffle.h"
#include "cpu/simd_math.h"

namespace pk::cpu::PK_ISA {
namespace {

// Tile sizes that fill the register file: MR*2 accumulators, two vectors of b, one broadcast.
#if defined(__AVX512F__)
constexpr int kMr = 14;
#elif defined(__AVX2__)
constexpr int kMr = 6;
#elif defined(__aarch64__)
constexpr int kMr = 8;
#else
constexpr int kMr = 4;
#endif

constexpr int kAhead = 8;  // how many k the prefetches run ahead: b is in the second-level cache, or further

#if defined(__aarch64__)
constexpr bool kLaneFma = true;  // fma takes one lane of a vector for all of another's
#else
constexpr bool kLaneFma = false;
#endif
// Does a row's vector v start a cache line, where four make one?
constexpr bool starts_line(int v) { return PK_VBYTES != 16 || v % 4 == 0; }

enum Layout { kCol = 0, kStrided = -1 };  // or kRowStride, which the compiler then knows

template <class T, int MR, int NV, int RS, bool Masked>
void tile(const TileArgs<T>& t) {
  using S = Simd<T>;
  using V = typename S::vec;
  constexpr int VL = S::n, kGroups = (MR + 2) / 3;
  const int last = (int)(t.n - (NV - 1) * VL);  // columns of the last vector
  V acc[MR][NV];
#pragma GCC unroll 14
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) acc[i][v] = V{};
  const int64_t ldb = t.ldb, aks = t.a_ks, pieces = t.planes * t.nrun;
  // The tile of c is far away by now, mostly; it comes while the sums are made.
  if (pieces * t.run >= 32) {
#pragma GCC unroll 14
    for (int i = 0; i < MR; ++i) {
      const T* c = t.c + (t.c_off ? t.c_off[i] : i * t.ldc);
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v)
        if (starts_line(v)) __builtin_prefetch(c + v * VL, 1);
    }
  }
  const T *a_plane = t.a, *b_plane = t.b;  // less what the pieces before them take
  for (int64_t r = 0, plane_end = t.nrun; r < pieces; ++r) {
    if (__builtin_expect(r == plane_end, 0)) {
      plane_end += t.nrun;
      a_plane += t.a_plane - t.nrun * t.a_run;
      b_plane += t.b_plane - t.nrun * t.b_run;
    }
    const T* a = a_plane + r * t.a_run;
    const T* b = b_plane + r * t.b_run;
    // One pointer for three rows: base, base + stride, base + 2*stride are addresses an instruction can form.
    const T* group[kGroups];
#pragma GCC unroll 5
    for (int i = 0; i < kGroups; ++i) group[i] = a + 3 * i * aks;
    const auto row_of_b = [&](V* bv) __attribute__((always_inline)) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v)
        bv[v] = Masked && v == NV - 1 ? load_part(b + v * VL, last) : load(b + v * VL);
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v)
        if (starts_line(v)) __builtin_prefetch(b + kAhead * ldb + v * VL);
      b += ldb;
    };
    int64_t k = t.run;
    // With rows of A as vectors of k, a quarter of the loads do: a core with one load a cycle waits for them.
    if (kLaneFma && RS != kCol) {
      for (; k >= VL; k -= VL) {
        V av[MR];
#pragma GCC unroll 14
        for (int i = 0; i < MR; ++i) av[i] = load(RS == kStrided ? group[i / 3] + i % 3 * aks : a + i * RS);
#pragma GCC unroll 4
        for (int j = 0; j < VL; ++j) {
          V bv[NV];
          row_of_b(bv);
#pragma GCC unroll 14
          for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) acc[i][v] = fma_lane(av[i], j, bv[v], acc[i][v]);
        }
#pragma GCC unroll 5
        for (int i = 0; i < kGroups; ++i) group[i] += VL;
        a += VL;
      }
    }
    for (; k > 0; --k) {
      V bv[NV], columns[MR / VL + 1] = {};
      row_of_b(bv);
      if (RS == kCol) __builtin_prefetch(a + kAhead * aks);
      if (kLaneFma && RS == kCol)
#pragma GCC unroll 4
        for (int i = 0; i < MR / VL; ++i) columns[i] = load(a + i * VL);
#pragma GCC unroll 14
      for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) {
          if (kLaneFma && RS == kCol && i < MR / VL * VL)
            acc[i][v] = fma_lane(columns[i / VL], i % VL, bv[v], acc[i][v]);
          else
            acc[i][v] = fma(set1(RS == kStrided ? group[i / 3][i % 3 * aks]
                                 : RS == kCol   ? a[i]
                                                : a[i * RS]),
                            bv[v], acc[i][v]);
        }
      }
      if (RS == kStrided) {
#pragma GCC unroll 5
        for (int i = 0; i < kGroups; ++i) ++group[i];
      }
      a += RS == kCol ? aks : 1;
    }
  }
  V bias[NV];
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) bias[v] = V{};
  if (t.bias) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v)
      bias[v] = v == NV - 1 && last < VL ? load_part(t.bias + v * VL, last) : load(t.bias + v * VL);
  }
  const bool part = last < VL, add = t.add, has_bias = t.bias != nullptr, relu = t.relu;
#pragma GCC unroll 14
  for (int i = 0; i < MR; ++i) {
    T* c = t.c + (t.c_off ? t.c_off[i] : i * t.ldc);
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) {
      V x = acc[i][v];
      const bool p = part && v == NV - 1;
      if (add) x = (p ? load_part(c + v * VL, last) : load(c + v * VL)) + x;
      if (has_bias) x = x + bias[v];
      if (relu) x = at_least(x, V{});
      if (p)
        store_part(c + v * VL, x, last);
      else
        store(c + v * VL, x);
    }
  }
}

template <class T>
PK_INLINE void copy(T* to, const T* from, int64_t n) {
  constexpr int VL = Simd<T>::n;
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store(to + i, load(from + i));
  if (i < n) store_part(to + i, load_part(from + i, (int)(n - i)), (int)(n - i));
}

template <class T>
void pack_rows(const T* a, int64_t ld, int64_t rows, int64_t k, T* to) {
  for (int64_t i = 0; i < rows; ++i) copy(to + i * kRowStride<T>, a + i * ld, k);
}

template <class T>
void pack_cols(const T* a, int64_t ld, int64_t cols, int64_t k, T* to) {
  for (int64_t i = 0; i < k; ++i) copy(to + i * kMaxVl, a + i * ld, cols);
}

// Transposes a block of 4x4 from rows ld apart to rows ldt apart, with 16-byte vectors that every ISA has.
typedef float q4 __attribute__((vector_size(16)));

PK_INLINE void transpose4(const float* a, int64_t ld, float* to, int64_t ldt) {
  q4 r0, r1, r2, r3;
  memcpy(&r0, a, 16), memcpy(&r1, a + ld, 16), memcpy(&r2, a + 2 * ld, 16), memcpy(&r3, a + 3 * ld, 16);
  const q4 s0 = PK_SHUFFLE4(r0, r1, 0, 4, 1, 5), s1 = PK_SHUFFLE4(r2, r3, 0, 4, 1, 5);
  const q4 s2 = PK_SHUFFLE4(r0, r1, 2, 6, 3, 7), s3 = PK_SHUFFLE4(r2, r3, 2, 6, 3, 7);
  r0 = PK_SHUFFLE4(s0, s1, 0, 1, 4, 5), r1 = PK_SHUFFLE4(s0, s1, 2, 3, 6, 7);
  r2 = PK_SHUFFLE4(s2, s3, 0, 1, 4, 5), r3 = PK_SHUFFLE4(s2, s3, 2, 3, 6, 7);
  memcpy(to, &r0, 16), memcpy(to + ldt, &r1, 16), memcpy(to + 2 * ldt, &r2, 16),
      memcpy(to + 3 * ldt, &r3, 16);
}
PK_INLINE void transpose4(const double* a, int64_t ld, double* to, int64_t ldt) {
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) to[j * ldt + i] = a[i * ld + j];
}

template <class T>
void pack_b(const T* b, int64_t ld, bool trans, int64_t k, int64_t n, int64_t p0, int64_t p1, T* to,
            int64_t k_total, int64_t k_at) {
  constexpr int VL = Simd<T>::n, NR = 2 * VL;
  for (int64_t p = p0; p < p1; ++p) {
    const int64_t j0 = p * NR, w = n - j0 < NR ? n - j0 : NR, width = w <= VL ? VL : NR;
    T* panel = to + j0 * k_total + k_at * width;
    if (!trans) {
      for (int64_t i = 0; i < k; ++i) {
        T* row = panel + i * width;
        if (w == NR) {
          store(row, load(b + i * ld + j0));
          store(row + VL, load(b + i * ld + j0 + VL));
        } else {
          copy(row, b + i * ld + j0, w);
          for (int64_t j = w; j < width; ++j) row[j] = T(0);
        }
      }
      continue;
    }
    const T* src = b + j0 * ld;
    const int64_t k4 = k / 4 * 4, w4 = w / 4 * 4;
    for (int64_t i = 0; i < k4; i += 4)
      for (int64_t j = 0; j < w4; j += 4) transpose4(src + j * ld + i, ld, panel + i * width + j, width);
    for (int64_t i = k4; i < k; ++i)
      for (int64_t j = 0; j < w4; ++j) panel[i * width + j] = src[j * ld + i];
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t j = w4; j < w; ++j) panel[i * width + j] = src[j * ld + i];
      for (int64_t j = w; j < width; ++j) panel[i * width + j] = T(0);
    }
  }
}

template <class V, class F>
PK_INLINE void for_rows(typename ElemOf<V>::type* c, int64_t ldc, const int64_t* c_off, int64_t rows,
                        int64_t n, F f) {
  constexpr int VL = Simd<typename ElemOf<V>::type>::n;
  if (!c_off && ldc == n) n *= rows, rows = 1;  // rows that touch are one: short ones would leave lanes idle
  for (int64_t i = 0; i < rows; ++i) {
    auto* row = c + (c_off ? c_off[i] : i * ldc);
    int64_t j = 0;
    for (; j + VL <= n; j += VL) store(row + j, f(load(row + j)));
    if (j < n) store_part(row + j, f(load_part(row + j, (int)(n - j))), (int)(n - j));
  }
}

// The numbers are those of Act in kernels/attrs.h; the driver checks that they agree.
template <class T>
void activate(T* c, int64_t ldc, const int64_t* c_off, int64_t rows, int64_t n, const ActSpec& spec) {
  using V = typename Simd<T>::vec;
  const T alpha = (T)spec.alpha, beta = (T)spec.beta;
  switch (spec.act) {
    case 1:
      return for_rows<V>(c, ldc, c_off, rows, n, [](V x) { return at_least(x, V{}); });
    case 2:
      return for_rows<V>(c, ldc, c_off, rows, n, [=](V x) { return select(x < T(0), x * alpha, x); });
    case 3:
      return for_rows<V>(c, ldc, c_off, rows, n, [=](V x) { return select(x < T(0), vexpm1(x) * alpha, x); });
    case 4:
      return for_rows<V>(c, ldc, c_off, rows, n, [](V x) { return vsigmoid(x); });
    case 5:
      return for_rows<V>(c, ldc, c_off, rows, n, [](V x) { return vtanh(x); });
    case 6:
      return for_rows<V>(c, ldc, c_off, rows, n, [](V x) {
        return at_most(at_least(fma(x, set1(T(0.2)), set1(T(0.5))), V{}), set1(T(1)));
      });
    case 7:
      return for_rows<V>(c, ldc, c_off, rows, n, [](V x) { return vsoftplus(x); });
    case 8:
      return for_rows<V>(c, ldc, c_off, rows, n, [](V x) { return x / (vabs(x) + T(1)); });
    case 9:
      return for_rows<V>(c, ldc, c_off, rows, n, [](V x) { return vexp(x); });
    case 10:
      return for_rows<V>(c, ldc, c_off, rows, n,
                         [=](V x) { return at_most(at_least(x, set1(alpha)), set1(beta)); });
    default:
      return;
  }
}

// Fills row[…][…][1 … kMr] and col likewise.
template <class T, int MR>
void fill_tiles(GemmKernels<T>& g) {
  constexpr int RS = (int)kRowStride<T>;
  g.row[0][0][MR] = tile<T, MR, 1, RS, false>;
  g.row[0][1][MR] = tile<T, MR, 2, RS, false>;
  g.row[1][0][MR] = tile<T, MR, 1, RS, true>;
  g.row[1][1][MR] = tile<T, MR, 2, RS, true>;
  g.col[0][0][MR] = tile<T, MR, 1, kCol, false>;
  g.col[0][1][MR] = tile<T, MR, 2, kCol, false>;
  g.col[1][0][MR] = tile<T, MR, 1, kCol, true>;
  g.col[1][1][MR] = tile<T, MR, 2, kCol, true>;
  g.strided[0][0][MR] = tile<T, MR, 1, kStrided, false>;
  g.strided[0][1][MR] = tile<T, MR, 2, kStrided, false>;
  g.strided[1][0][MR] = tile<T, MR, 1, kStrided, true>;
  g.strided[1][1][MR] = tile<T, MR, 2, kStrided, true>;
  if constexpr (MR > 1) fill_tiles<T, MR - 1>(g);
}

template <class T, int MR>
void fill_small(GemmKernels<T>& g) {
  g.small[0][MR] = tile<T, MR, 1, kStrided, false>;
  g.small_part[MR] = tile<T, MR, 1, kStrided, true>;
  g.small[1][MR] = tile<T, MR, 2, kStrided, false>;
#if PK_VBYTES == 64 || defined(__aarch64__)
  constexpr int wide = 4;
#else
  constexpr int wide = MR <= 2 ? 4 : 2;
#endif
  g.small[2][MR] = wide == 4 ? tile<T, MR, wide, kStrided, false> : nullptr;
  if constexpr (MR == 1) {
    g.small[3][MR] = tile<T, MR, 8, kStrided, false>;
  }
  if constexpr (MR > 1) fill_small<T, MR - 1>(g);
}

template <class T>
GemmKernels<T> make_gemm() {
  GemmKernels<T> g = {};
  g.mr = kMr;
  g.vl = Simd<T>::n;
  g.nr = 2 * g.vl;
  fill_tiles<T, kMr>(g);
  fill_small<T, 4>(g);
  g.pack_b = pack_b<T>;
  g.pack_rows = pack_rows<T>;
  g.pack_cols = pack_cols<T>;
  g.activate = activate<T>;
  return g;
}

}  // namespace
}  // namespace pk::cpu::PK_ISA
