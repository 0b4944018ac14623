// The pointwise formulas on vectors, one struct per PointwiseCode; kernels/functors.h is their definition.
#pragma once

#include "cpu/simd_special.h"

namespace pk::cpu::PK_ISA {

#define PK_V1(name, expr)                        \
  struct F_##name {                              \
    template <class V>                           \
    static PK_INLINE_MEMBER V f(V x, V p, V q) { \
      using T = typename ElemOf<V>::type;        \
      (void)p, (void)q, (void)sizeof(T);         \
      return expr;                               \
    }                                            \
  };
#define PK_V2(name, expr)                             \
  struct F_##name {                                   \
    template <class V>                                \
    static PK_INLINE_MEMBER V f(V a, V b, V p, V q) { \
      using T = typename ElemOf<V>::type;             \
      (void)p, (void)q, (void)sizeof(T);              \
      return expr;                                    \
    }                                                 \
  };
#define PK_INLINE_MEMBER inline __attribute__((always_inline))

template <class V, class M>
PK_INLINE V one_if(M m) {
  using T = typename ElemOf<V>::type;
  return select(m, set1(T(1)), V{});
}

PK_V1(neg, -x)
PK_V1(abs, vabs(x))
PK_V1(sign, select(x > T(0), set1(T(1)), select(x < T(0), set1(T(-1)), select(x == x, V{}, x))))
PK_V1(exp, vexp(x))
PK_V1(log, vlog(x))
PK_V1(log1p, vlog1p(x))
PK_V1(expm1, vexpm1(x))
PK_V1(sqrt, vsqrt(x))
PK_V1(rsqrt, T(1) / vsqrt(x))
PK_V1(square, x* x)
PK_V1(reciprocal, T(1) / x)
PK_V1(sin, sine_or_lib(x, 0))
PK_V1(cos, sine_or_lib(x, 1))
PK_V1(tanh, vtanh(x))
PK_V1(sigmoid, vsigmoid(x))
PK_V1(softplus, vsoftplus(x))
PK_V1(softsign, x / (vabs(x) + T(1)))
PK_V1(erf, verf(x))
PK_V1(round, vround(x))
PK_V1(floor, vfloor(x))
PK_V1(ceil, vceil(x))
PK_V1(relu, at_least(x, V{}))
PK_V1(hard_sigmoid, at_most(at_least(x* T(0.2) + T(0.5), V{}), set1(T(1))))
PK_V1(leaky_relu, select(x < T(0), p* x, x))
PK_V1(elu, select(x < T(0), p* vexpm1(x), x))
PK_V1(clip, at_most(at_least(x, p), q))
PK_V1(logical_not, one_if<V>(x == T(0)))
PK_V1(is_finite, one_if<V>(x - x == T(0)))

PK_V2(add, a + b)
PK_V2(sub, a - b)
PK_V2(mul, a* b)
PK_V2(div, a / b)
PK_V2(pow, vpow(a, b))
PK_V2(maximum, select((a > b) | (a != a), a, b))
PK_V2(minimum, select((a < b) | (a != a), a, b))
PK_V2(floor_mod, a - vfloor(a / b) * b)
PK_V2(equal, one_if<V>(a == b))
PK_V2(not_equal, one_if<V>(a != b))
PK_V2(less, one_if<V>(a < b))
PK_V2(less_equal, one_if<V>(a <= b))
PK_V2(greater, one_if<V>(a > b))
PK_V2(greater_equal, one_if<V>(a >= b))
PK_V2(logical_and, one_if<V>((a != T(0)) & (b != T(0))))
PK_V2(logical_or, one_if<V>((a != T(0)) | (b != T(0))))
PK_V2(relu_grad, select(b > T(0), a, V{}))
PK_V2(leaky_relu_grad, select(b > T(0), a, p* a))
PK_V2(elu_grad, select(b < T(0), a*(b + p), a))
PK_V2(tanh_grad, a*(T(1) - b * b))
PK_V2(sigmoid_grad, a * b * (T(1) - b))
PK_V2(hard_sigmoid_grad, select((b > T(0)) & (b < T(1)), a* T(0.2), V{}))
PK_V2(softplus_grad, a* vsigmoid(b))
PK_V2(softsign_grad, a / ((vabs(b) + T(1)) * (vabs(b) + T(1))))
PK_V2(clip_grad, select((b >= p) & (b <= q), a, V{}))

#undef PK_V1
#undef PK_V2

}  // namespace pk::cpu::PK_ISA
