// Softmax and its logarithm. Each line is shifted by its largest element, so that exp cannot overflow.
#include "cpu/softmax.h"

#include <math.h>

#include "cpu/isa/fold.h"
#include "cpu/simd_special.h"

namespace pk::cpu::PK_ISA {
namespace {

constexpr int64_t kBlock = 2048;  // elements of scratch on the stack

// y = f(x), vector by vector; y may be x.
template <class T, class F>
inline __attribute__((always_inline)) void map(const T* x, T* y, int64_t n, F f) {
  constexpr int L = Simd<T>::n;
  int64_t i = 0;
  for (; i + L <= n; i += L) store(y + i, f(load(x + i)));
  if (i < n) store_part(y + i, f(load_part(x + i, static_cast<int>(n - i))), static_cast<int>(n - i));
}
template <class T>
void shift(const T* x, T* y, int64_t n, T by) {
  const typename Simd<T>::vec v = set1(by);
  map(x, y, n, [v](auto a) { return a - v; });
}
template <class T>
void scale(T* y, int64_t n, T by) {
  const typename Simd<T>::vec v = set1(by);
  map(y, y, n, [v](auto a) { return a * v; });
}
template <class T>
void exp_block(T* y, int64_t n) {
  map(y, y, n, [](auto a) { return vexp(a); });
}

// Lines that fit into a vector each.
template <class T>
void short_rows(bool log, const T* x, int64_t count, int n, T* y) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  for (int64_t r = 0; r < count; ++r, x += n, y += n) {
    const V v = load_rest<Max>(x, n);
    const V shifted = v - fold_lanes<Max, L / 2>(v);
    const V e = vexp(shifted);  // 0 in the lanes behind the line
    const V total = fold_lanes<Sum, L / 2>(e);
    store_part(y, log ? shifted - vlog(total) : e / total, n);
  }
}

// The lines follow each other: several short ones share a block, so that exp runs on long stretches.
template <class T>
void rows(bool log, const T* x, int64_t count, int64_t n, T* y) {
  if (n <= Simd<T>::n) return short_rows(log, x, count, static_cast<int>(n), y);
  T block[kBlock];
  if (n > kBlock) {
    for (int64_t r = 0; r < count; ++r, x += n, y += n) {
      const T top = static_cast<T>(fold<T, Max>(x, n));
      double total = 0;
      for (int64_t i = 0; i < n; i += kBlock) {
        const int64_t m = n - i < kBlock ? n - i : kBlock;
        T* to = log ? block : y + i;
        shift(x + i, to, m, top);
        exp_block(to, m);
        total += fold<T, Sum>(to, m);
      }
      if (log) {
        shift(x, y, n, top);
        shift(y, y, n, static_cast<T>(::log(total)));
      } else {
        scale(y, n, static_cast<T>(1 / total));
      }
    }
    return;
  }
  const int64_t together = kBlock / n;
  for (int64_t r = 0; r < count; r += together, x += together * n, y += together * n) {
    const int64_t m = count - r < together ? count - r : together;
    for (int64_t k = 0; k < m; ++k)
      shift(x + k * n, y + k * n, n, static_cast<T>(fold<T, Max>(x + k * n, n)));
    T* e = log ? block : y;
    if (log) memcpy(block, y, static_cast<size_t>(m * n) * sizeof(T));
    exp_block(e, m * n);
    for (int64_t k = 0; k < m; ++k) {
      const double total = fold<T, Sum>(e + k * n, n);
      if (log)
        shift(y + k * n, y + k * n, n, static_cast<T>(::log(total)));
      else
        scale(y + k * n, n, static_cast<T>(1 / total));
    }
  }
}

// Lines that run across memory: a tile of neighbouring ones at a time.
template <class T>
void columns(bool log, const T* x, int64_t n, int64_t inner, T* y) {
  constexpr int64_t kTile = 64;
  T top[kTile], total[kTile], e[kTile];
  for (int64_t c = 0; c < inner; c += kTile) {
    const int64_t m = inner - c < kTile ? inner - c : kTile;
    memcpy(top, x + c, static_cast<size_t>(m) * sizeof(T));
    for (int64_t k = 1; k < n; ++k) {
      const T* p = x + k * inner + c;
      for (int64_t i = 0; i < m; ++i) top[i] = p[i] > top[i] || p[i] != p[i] ? p[i] : top[i];
    }
    for (int64_t i = 0; i < m; ++i) total[i] = 0;
    for (int64_t k = 0; k < n; ++k) {
      const int64_t at = k * inner + c;
      for (int64_t i = 0; i < m; ++i) e[i] = x[at + i] - top[i];
      if (log) memcpy(y + at, e, static_cast<size_t>(m) * sizeof(T));
      exp_block(e, m);
      for (int64_t i = 0; i < m; ++i) total[i] += e[i];
      if (!log) memcpy(y + at, e, static_cast<size_t>(m) * sizeof(T));
    }
    if (log) map(total, total, m, [](auto a) { return vlog(a); });
    for (int64_t k = 0; k < n; ++k) {
      T* p = y + k * inner + c;
      for (int64_t i = 0; i < m; ++i) p[i] = log ? p[i] - total[i] : p[i] / total[i];
    }
  }
}

template <class T>
void softmax(bool log, const T* x, int64_t outer, int64_t n, int64_t inner, T* y) {
  if (inner == 1) return rows(log, x, outer, n, y);
  for (int64_t o = 0; o < outer; ++o) columns(log, x + o * n * inner, n, inner, y + o * n * inner);
}

}  // namespace

void softmax_f32(bool log, const float* x, int64_t outer, int64_t n, int64_t inner, float* y) {
  softmax(log, x, outer, n, inner, y);
}
void softmax_f64(bool log, const double* x, int64_t outer, int64_t n, int64_t inner, double* y) {
  softmax(log, x, outer, n, inner, y);
}

}  // namespace pk::cpu::PK_ISA
