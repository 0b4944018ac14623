// The pointwise formulas, once, for host and device. `p` and `q` are the op's parameters
// (alpha; min and max). Booleans are 0 and 1.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/philox.h"

namespace pk {

// clang-format off: it lays these lists out differently at every run
// X(name): one operand.
#define PK_UNARY_OPS(X)                                                                             \
  X(neg) X(abs) X(sign) X(exp) X(log) X(log1p) X(expm1) X(sqrt) X(rsqrt) X(square) X(reciprocal)    \
  X(sin) X(cos) X(tanh) X(sigmoid) X(softplus) X(softsign) X(erf) X(round) X(floor) X(ceil)         \
  X(relu) X(hard_sigmoid) X(leaky_relu) X(elu) X(clip) X(logical_not) X(is_finite)
// Two operands.
#define PK_BINARY_OPS(X)                                                                            \
  X(add) X(sub) X(mul) X(div) X(pow) X(maximum) X(minimum) X(floor_mod) X(equal) X(not_equal)       \
  X(less) X(less_equal) X(greater) X(greater_equal) X(logical_and) X(logical_or) X(relu_grad)       \
  X(leaky_relu_grad) X(elu_grad) X(tanh_grad) X(sigmoid_grad) X(hard_sigmoid_grad)                  \
  X(softplus_grad) X(softsign_grad) X(clip_grad)
// Three operands.
#define PK_TERNARY_OPS(X) X(select)
// clang-format on

enum class PointwiseCode : uint8_t {
#define X(name) name,
  PK_UNARY_OPS(X) PK_BINARY_OPS(X) PK_TERNARY_OPS(X)
#undef X
      count
};

// A number as another type, as C has it. A fraction goes to bytes by way of a whole number, so that what is
// below 0 or above 255 wraps: straight to a byte C leaves it open, and machines differ.
template <class To, class From>
inline To converted(From x) {
  if constexpr (sizeof(To) == 1 && From(0.5) != From(0))
    return static_cast<To>(static_cast<int32_t>(x));
  else
    return static_cast<To>(x);
}

namespace fn {

#define PK_FN1(name) \
  template <class T> \
  PK_HOST_DEVICE inline T name(T x, T p, T q)
#define PK_FN2(name) \
  template <class T> \
  PK_HOST_DEVICE inline T name(T a, T b, T p, T q)
#define PK_UNUSED (void)p, (void)q

PK_FN1(neg) { return PK_UNUSED, -x; }
PK_FN1(abs) { return PK_UNUSED, x < T(0) ? -x : x == T(0) ? T(0) : x; }
PK_FN1(sign) { return PK_UNUSED, x > T(0) ? T(1) : x < T(0) ? T(-1) : x == x ? T(0) : x; }
PK_FN1(exp) { return PK_UNUSED, std::exp(x); }
PK_FN1(log) { return PK_UNUSED, std::log(x); }
PK_FN1(log1p) { return PK_UNUSED, std::log1p(x); }
PK_FN1(expm1) { return PK_UNUSED, std::expm1(x); }
PK_FN1(sqrt) { return PK_UNUSED, std::sqrt(x); }
PK_FN1(rsqrt) { return PK_UNUSED, T(1) / std::sqrt(x); }
PK_FN1(square) { return PK_UNUSED, x * x; }
PK_FN1(reciprocal) { return PK_UNUSED, T(1) / x; }
PK_FN1(sin) { return PK_UNUSED, std::sin(x); }
PK_FN1(cos) { return PK_UNUSED, std::cos(x); }
PK_FN1(tanh) { return PK_UNUSED, std::tanh(x); }
// exp of a negative number only: no overflow on either side.
PK_FN1(sigmoid) {
  const T e = std::exp(x < T(0) ? x : -x);
  return PK_UNUSED, (x < T(0) ? e : T(1)) / (T(1) + e);
}
PK_FN1(softplus) { return PK_UNUSED, (x > T(0) ? x : T(0)) + std::log1p(std::exp(x > T(0) ? -x : x)); }
PK_FN1(softsign) { return PK_UNUSED, x / (T(1) + (x < T(0) ? -x : x)); }
PK_FN1(erf) { return PK_UNUSED, std::erf(x); }
PK_FN1(round) { return PK_UNUSED, std::nearbyint(x); }  // half to even
PK_FN1(floor) { return PK_UNUSED, std::floor(x); }
PK_FN1(ceil) { return PK_UNUSED, std::ceil(x); }
// NaN goes through all of these: a broken loss must show.
PK_FN1(relu) { return PK_UNUSED, x < T(0) ? T(0) : x; }
PK_FN1(hard_sigmoid) {
  const T y = T(0.2) * x + T(0.5);
  return PK_UNUSED, y < T(0) ? T(0) : y > T(1) ? T(1) : y;
}
PK_FN1(leaky_relu) { return (void)q, x < T(0) ? p * x : x; }
PK_FN1(elu) { return (void)q, x < T(0) ? p * std::expm1(x) : x; }
PK_FN1(clip) { return x < p ? p : x > q ? q : x; }
PK_FN1(logical_not) { return PK_UNUSED, x == T(0) ? T(1) : T(0); }
PK_FN1(is_finite) { return PK_UNUSED, x - x == T(0) ? T(1) : T(0); }

PK_FN2(add) { return PK_UNUSED, a + b; }
PK_FN2(sub) { return PK_UNUSED, a - b; }
PK_FN2(mul) { return PK_UNUSED, a * b; }
PK_FN2(div) { return PK_UNUSED, a / b; }
PK_FN2(pow) { return PK_UNUSED, std::pow(a, b); }
// NaN in either operand gives NaN.
PK_FN2(maximum) { return PK_UNUSED, a > b || a != a ? a : b; }
PK_FN2(minimum) { return PK_UNUSED, a < b || a != a ? a : b; }
PK_FN2(floor_mod) { return PK_UNUSED, a - std::floor(a / b) * b; }  // the sign of the divisor
PK_FN2(equal) { return PK_UNUSED, a == b ? T(1) : T(0); }
PK_FN2(not_equal) { return PK_UNUSED, a != b ? T(1) : T(0); }
PK_FN2(less) { return PK_UNUSED, a < b ? T(1) : T(0); }
PK_FN2(less_equal) { return PK_UNUSED, a <= b ? T(1) : T(0); }
PK_FN2(greater) { return PK_UNUSED, a > b ? T(1) : T(0); }
PK_FN2(greater_equal) { return PK_UNUSED, a >= b ? T(1) : T(0); }
PK_FN2(logical_and) { return PK_UNUSED, a != T(0) && b != T(0) ? T(1) : T(0); }
PK_FN2(logical_or) { return PK_UNUSED, a != T(0) || b != T(0) ? T(1) : T(0); }
// Gradients: a is the gradient of the output; b the output y, or the input x where said.
PK_FN2(relu_grad) { return PK_UNUSED, b > T(0) ? a : T(0); }
PK_FN2(leaky_relu_grad) { return (void)q, b > T(0) ? a : p * a; }  // b = x
PK_FN2(elu_grad) { return (void)q, b < T(0) ? a * (b + p) : a; }   // needs alpha >= 0
PK_FN2(tanh_grad) { return PK_UNUSED, a * (T(1) - b * b); }
PK_FN2(sigmoid_grad) { return PK_UNUSED, a * b * (T(1) - b); }
PK_FN2(hard_sigmoid_grad) { return PK_UNUSED, b > T(0) && b < T(1) ? a * T(0.2) : T(0); }
PK_FN2(softplus_grad) { return a * sigmoid(b, p, q); }  // b = x
PK_FN2(softsign_grad) {                                 // b = x
  const T d = T(1) + (b < T(0) ? -b : b);
  return PK_UNUSED, a / (d * d);
}
PK_FN2(clip_grad) { return b >= p && b <= q ? a : T(0); }  // b = x

template <class T>
PK_HOST_DEVICE inline T select(T c, T a, T b) {
  return c != T(0) ? a : b;
}

#undef PK_FN1
#undef PK_FN2
#undef PK_UNUSED

}  // namespace fn
}  // namespace pk
