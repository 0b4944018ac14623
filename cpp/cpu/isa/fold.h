// Folds of a line of numbers by an operation; shared by the per-ISA sources that reduce.
#pragma once

#include "cpu/reduce.h"
#include "cpu/simd_math.h"

namespace pk::cpu::PK_ISA {
namespace {

struct Sum {
  template <class V>
  static inline __attribute__((always_inline)) V f(V a, V b) {
    return a + b;
  }
  static double s(double a, double b) { return a + b; }
  static constexpr double start = 0;
};
struct Prod {
  template <class V>
  static inline __attribute__((always_inline)) V f(V a, V b) {
    return a * b;
  }
  static double s(double a, double b) { return a * b; }
  static constexpr double start = 1;
};
// NaN in either operand gives NaN.
struct Max {
  template <class V>
  static inline __attribute__((always_inline)) V f(V a, V b) {
    return select((b > a) | (b != b), b, a);
  }
  static double s(double a, double b) { return b > a || b != b ? b : a; }
  static constexpr double start = -__builtin_inf();
};
struct Min {
  template <class V>
  static inline __attribute__((always_inline)) V f(V a, V b) {
    return select((b < a) | (b != b), b, a);
  }
  static double s(double a, double b) { return b < a || b != b ? b : a; }
  static constexpr double start = __builtin_inf();
};

// Calls f with the struct of an op.
template <class F>
inline void with_op(Red op, F&& f) {
  switch (op) {
    case Red::sum:
      return f(Sum());
    case Red::prod:
      return f(Prod());
    case Red::max:
      return f(Max());
    case Red::min:
      return f(Min());
  }
}

// All lanes folded to one, by halves.
template <class Op, int kWidth, class V>
inline __attribute__((always_inline)) V fold_lanes(V v) {
  if constexpr (kWidth == 0) {
    return v;
  } else {
    typename Simd<typename ElemOf<V>::type>::ivec other;
#pragma GCC unroll 16
    for (int l = 0; l < Simd<typename ElemOf<V>::type>::n; ++l) other[l] = l ^ kWidth;
    return fold_lanes<Op, kWidth / 2>(Op::f(v, shuffle(v, v, other)));
  }
}

// The n elements at x, and the start value in the lanes behind them.
template <class Op, class T>
inline __attribute__((always_inline)) typename Simd<T>::vec load_rest(const T* x, int n) {
  const typename Simd<T>::vec v = load_part(x, n);
  if (Op::start == 0) return v;
  typename Simd<T>::ivec lane;
#pragma GCC unroll 16
  for (int l = 0; l < Simd<T>::n; ++l) lane[l] = l;
  return select(lane < static_cast<typename Simd<T>::ielem>(n), v, set1(T(1)) * T(Op::start));
}

template <class T, class Op>
inline double chunk(const T* x, int64_t n) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  if (n <= L) return static_cast<double>(fold_lanes<Op, L / 2>(load_rest<Op>(x, static_cast<int>(n)))[0]);
  const V start = set1(T(1)) * T(Op::start);
  V a0 = start, a1 = start, a2 = start, a3 = start;
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    a0 = Op::f(a0, load(x + i));
    a1 = Op::f(a1, load(x + i + L));
    a2 = Op::f(a2, load(x + i + 2 * L));
    a3 = Op::f(a3, load(x + i + 3 * L));
  }
  for (; i + L <= n; i += L) a0 = Op::f(a0, load(x + i));
  if (i < n) a1 = Op::f(a1, load_rest<Op>(x + i, static_cast<int>(n - i)));
  return static_cast<double>(fold_lanes<Op, L / 2>(Op::f(Op::f(a0, a1), Op::f(a2, a3)))[0]);
}

// The whole line, piece by piece: what parallel callers get by joining chunks in order.
template <class T, class Op>
double fold(const T* x, int64_t n) {
  double acc = Op::start;
  for (int64_t i = 0; i < n; i += kRowChunk)
    acc = Op::s(acc, chunk<T, Op>(x + i, n - i < kRowChunk ? n - i : kRowChunk));
  return acc;
}

}  // namespace
}  // namespace pk::cpu::PK_ISA
