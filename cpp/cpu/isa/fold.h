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
    case Red::sum: return f(Sum());
    case Red::prod: return f(Prod());
    case Red::max: return f(Max());
    case Red::min: return f(Min());
  }
}

template <class T, class Op>
double chunk(const T* x, int64_t n) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  if (n < L) {
    double acc = Op::start;
    for (int64_t i = 0; i < n; ++i) acc = Op::s(acc, static_cast<double>(x[i]));
    return acc;
  }
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
  if (i < n) {
    T rest[L];
    store(rest, start);
    for (int64_t k = i; k < n; ++k) rest[k - i] = x[k];
    a1 = Op::f(a1, load(rest));
  }
  T lane[L];
  store(lane, Op::f(Op::f(a0, a1), Op::f(a2, a3)));
  double acc = static_cast<double>(lane[0]);
  for (int l = 1; l < L; ++l) acc = Op::s(acc, static_cast<double>(lane[l]));
  return acc;
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
