// Loops of the reductions and of the running sums; cpu/reduce.cpp divides the work.
#include "cpu/isa/fold.h"
#include "cpu/simd_special.h"

namespace pk::cpu::PK_ISA {
namespace {

template <class T>
void rows_impl(Red op, const T* x, int64_t rows, int64_t n, double divisor, T* out) {
  with_op(op, [&](auto o) {
    using Op = decltype(o);
    for (int64_t r = 0; r < rows; ++r, x += n) out[r] = static_cast<T>(fold<T, Op>(x, n) / divisor);
  });
}

template <class T>
void partials_impl(Red op, const T* x, int64_t n, double* partials) {
  with_op(op, [&](auto o) {
    for (int64_t i = 0; i < n; i += kRowChunk)
      *partials++ = chunk<T, decltype(o)>(x + i, n - i < kRowChunk ? n - i : kRowChunk);
  });
}

// A few rows at a time are folded in vectors, then joined to the doubles.
template <class T, class Op>
void cols_wide(const T* x, int64_t rows, int64_t width, int64_t stride, double* acc) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  constexpr int64_t kRows = 64;
  const V start = set1(T(1)) * T(Op::start);
  T lane[4 * L];
  for (int64_t r0 = 0; r0 < rows; r0 += kRows, x += kRows * stride) {
    const int64_t n = rows - r0 < kRows ? rows - r0 : kRows;
    int64_t c = 0;
    for (; c + 4 * L <= width; c += 4 * L) {
      V a0 = start, a1 = start, a2 = start, a3 = start;
      const T* p = x + c;
      for (int64_t r = 0; r < n; ++r, p += stride) {
        a0 = Op::f(a0, load(p));
        a1 = Op::f(a1, load(p + L));
        a2 = Op::f(a2, load(p + 2 * L));
        a3 = Op::f(a3, load(p + 3 * L));
      }
      store(lane, a0);
      store(lane + L, a1);
      store(lane + 2 * L, a2);
      store(lane + 3 * L, a3);
      for (int l = 0; l < 4 * L; ++l) acc[c + l] = Op::s(acc[c + l], static_cast<double>(lane[l]));
    }
    for (; c < width; c += L) {
      const int m = width - c < L ? static_cast<int>(width - c) : L;
      V a = start;
      const T* p = x + c;
      if (m == L) {
        for (int64_t r = 0; r < n; ++r, p += stride) a = Op::f(a, load(p));
      } else {
        for (int64_t r = 0; r < n; ++r, p += stride) a = Op::f(a, load_part(p, m));
      }
      store(lane, a);
      for (int l = 0; l < m; ++l) acc[c + l] = Op::s(acc[c + l], static_cast<double>(lane[l]));
    }
  }
}

// Wide rows: four at a time are added to a line of sums that stays in L1, so that memory is read in long
// runs.
template <class T, class Op>
void cols_long(const T* x, int64_t rows, int64_t width, int64_t stride, double* acc) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  constexpr int64_t kRows = 64, kWidth = 1024;
  const V start = set1(T(1)) * T(Op::start);
  T line[kWidth];
  for (int64_t c = 0; c < width; c += kWidth) {
    const int64_t w = (width - c < kWidth ? width - c : kWidth) / L * L;
    for (int64_t r0 = 0; r0 < rows; r0 += kRows) {
      const int64_t n = rows - r0 < kRows ? rows - r0 : kRows;
      const T* p = x + r0 * stride + c;
      for (int64_t i = 0; i < w; i += L) store(line + i, start);
      int64_t r = 0;
      for (; r + 4 <= n; r += 4, p += 4 * stride)
        for (int64_t i = 0; i < w; i += L) {
          const V a = Op::f(load(p + i), load(p + stride + i));
          const V b = Op::f(load(p + 2 * stride + i), load(p + 3 * stride + i));
          store(line + i, Op::f(load(line + i), Op::f(a, b)));
        }
      for (; r < n; ++r, p += stride)
        for (int64_t i = 0; i < w; i += L) store(line + i, Op::f(load(line + i), load(p + i)));
      for (int64_t i = 0; i < w; ++i) acc[c + i] = Op::s(acc[c + i], static_cast<double>(line[i]));
    }
    const int64_t rest = c + w;
    if (rest < width && c + kWidth >= width)
      cols_wide<T, Op>(x + rest, rows, width - rest, stride, acc + rest);
  }
}

template <class T>
void cols_impl(Red op, const T* x, int64_t rows, int64_t width, int64_t stride, double* acc) {
  with_op(op, [&](auto o) {
    using Op = decltype(o);
    constexpr int64_t kGroup = 16;
    // Narrow rows: several of them side by side make one wide row, whose columns are folded at the end.
    if (width < kGroup && stride == width && rows >= 4 * kGroup) {
      double wide[kGroup * kGroup];
      const int64_t n = kGroup * width, groups = rows / kGroup;
      for (int64_t i = 0; i < n; ++i) wide[i] = Op::start;
      cols_wide<T, Op>(x, groups, n, n, wide);
      for (int64_t i = 0; i < n; ++i) acc[i % width] = Op::s(acc[i % width], wide[i]);
      x += groups * n;
      rows -= groups * kGroup;
    }
    (width >= 16 * Simd<T>::n ? cols_long<T, Op> : cols_wide<T, Op>)(x, rows, width, stride, acc);
  });
}

template <class T>
inline bool better(bool max, T x, T best) {
  return max ? x > best : x < best;
}

// A row that fits into a vector: the least number of a lane that holds the best.
template <class T, class Op>
int64_t arg_short(const T* x, int n) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  V lane;
#pragma GCC unroll 16
  for (int l = 0; l < L; ++l) lane[l] = static_cast<T>(l);
  const V v = load_rest<Op>(x, n), best = fold_lanes<Op, L / 2>(v);
  const V first = fold_lanes<Min, L / 2>(select((v == best) | (v != v), lane, set1(T(L))));
  return static_cast<int64_t>(first[0]);
}

template <class T>
void arg_row(bool max, const T* x, int64_t n, int64_t* out) {
  if (n <= Simd<T>::n) {
    *out = max ? arg_short<T, Max>(x, static_cast<int>(n)) : arg_short<T, Min>(x, static_cast<int>(n));
    return;
  }
  // The value, then its first position: by stretches, then within one. A NaN is best where there is one.
  constexpr int L = Simd<T>::n;
  constexpr int64_t kStretch = 64;
  const double best = max ? fold<T, Max>(x, n) : fold<T, Min>(x, n);
  const typename Simd<T>::vec value = set1(static_cast<T>(best));
  int64_t i = 0;
  for (; i + kStretch < n; i += kStretch) {
    typename Simd<T>::ivec found = {};
    for (int64_t k = 0; k < kStretch; k += L) {
      const typename Simd<T>::vec v = load(x + i + k);
      found |= (v == value) | (v != v);
    }
    if (any_lane(found)) break;
  }
  while (i + 1 < n && !(x[i] == static_cast<T>(best) || x[i] != x[i])) ++i;
  *out = i;
}

template <class T>
void arg_impl(bool max, const T* x, int64_t outer, int64_t n, int64_t inner, int64_t* out) {
  constexpr int64_t kTile = 64;
  T best[kTile];
  for (int64_t o = 0; o < outer; ++o, x += n * inner, out += inner) {
    if (inner == 1) {
      arg_row(max, x, n, out);
      continue;
    }
    for (int64_t c = 0; c < inner; c += kTile) {
      const int64_t m = inner - c < kTile ? inner - c : kTile;
      for (int64_t i = 0; i < m; ++i) best[i] = x[c + i], out[c + i] = 0;
      for (int64_t k = 1; k < n; ++k) {
        const T* p = x + k * inner + c;
        for (int64_t i = 0; i < m; ++i)
          if (better(max, p[i], best[i]) || (p[i] != p[i] && best[i] == best[i]))
            best[i] = p[i], out[c + i] = k;
      }
    }
  }
}

template <class T>
void running_impl(bool prod, bool exclusive, bool reverse, const T* x, int64_t outer, int64_t n,
                  int64_t inner, T* y) {
  constexpr int64_t kTile = 64;
  T acc[kTile];
  const int64_t step = reverse ? -inner : inner, first = reverse ? (n - 1) * inner : 0;
  for (int64_t o = 0; o < outer; ++o, x += n * inner, y += n * inner)
    for (int64_t c = 0; c < inner; c += kTile) {
      const int64_t m = inner - c < kTile ? inner - c : kTile;
      for (int64_t i = 0; i < m; ++i) acc[i] = prod ? T(1) : T(0);
      int64_t at = first + c;
      for (int64_t k = 0; k < n; ++k, at += step)
        for (int64_t i = 0; i < m; ++i) {
          const T before = acc[i], after = prod ? before * x[at + i] : before + x[at + i];
          acc[i] = after;
          y[at + i] = exclusive ? before : after;
        }
    }
}

template <class T>
void scan_impl(bool reverse, const T* a, const T* b, int64_t outer, int64_t n, int64_t inner, T* y) {
  const int64_t step = reverse ? -inner : inner, first = reverse ? (n - 1) * inner : 0;
  for (int64_t o = 0; o < outer; ++o, a += n * inner, b += n * inner, y += n * inner) {
    int64_t at = first;
    for (int64_t k = 0; k < n; ++k, at += step)
      for (int64_t i = 0; i < inner; ++i)
        y[at + i] = k ? a[at + i] * y[at - step + i] + b[at + i] : b[at + i];
  }
}

}  // namespace

#define PK_REDUCE(T, t)                                                                                \
  void red_rows_##t(Red op, const T* x, int64_t rows, int64_t n, double divisor, T* out) {             \
    rows_impl(op, x, rows, n, divisor, out);                                                           \
  }                                                                                                    \
  void red_partials_##t(Red op, const T* x, int64_t n, double* partials) {                             \
    partials_impl(op, x, n, partials);                                                                 \
  }                                                                                                    \
  void red_cols_##t(Red op, const T* x, int64_t rows, int64_t width, int64_t stride, double* acc) {    \
    cols_impl(op, x, rows, width, stride, acc);                                                        \
  }                                                                                                    \
  void arg_extremum_##t(bool max, const T* x, int64_t outer, int64_t n, int64_t inner, int64_t* out) { \
    arg_impl(max, x, outer, n, inner, out);                                                            \
  }                                                                                                    \
  void running_##t(bool prod, bool exclusive, bool reverse, const T* x, int64_t outer, int64_t n,      \
                   int64_t inner, T* y) {                                                              \
    running_impl(prod, exclusive, reverse, x, outer, n, inner, y);                                     \
  }                                                                                                    \
  void linear_scan_##t(bool reverse, const T* a, const T* b, int64_t outer, int64_t n, int64_t inner,  \
                       T* y) {                                                                         \
    scan_impl(reverse, a, b, outer, n, inner, y);                                                      \
  }
PK_REDUCE(float, f32)
PK_REDUCE(double, f64)
#undef PK_REDUCE

}  // namespace pk::cpu::PK_ISA
