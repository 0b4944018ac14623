// Pointwise ops: the formulas of kernels/functors.h, one element after the other.
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/functors.h"
#include "reference/common.h"

namespace pk::reference {
namespace {

struct Params {
  double p = 0, q = 0;
};

// What an op's attributes give to its formula.
struct None {
  static Params of(const KernelArgs&) { return {}; }
};
struct Alpha {
  static Params of(const KernelArgs& a) { return {a.attr<AlphaAttrs>().alpha, 0}; }
};
struct Clip {
  static Params of(const KernelArgs& a) { return {a.attr<ClipAttrs>().min, a.attr<ClipAttrs>().max}; }
};

// A bound beyond what a whole-number type holds is no bound.
template <class T>
T param(double p) {
  if (std::is_integral_v<T>) {
    const double low = static_cast<double>(std::numeric_limits<T>::min());
    const double high = static_cast<double>(std::numeric_limits<T>::max());
    if (p <= low) return std::numeric_limits<T>::min();
    if (p >= high) return std::numeric_limits<T>::max();
  }
  return static_cast<T>(p);
}

// T is the type of the operands, R that of the result.
template <class Fn, class T, class R, class P>
void unary(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  R* y = a.out[0].as<R>();
  const Params params = P::of(a);
  const T p = param<T>(params.p), q = param<T>(params.q);
  for (int64_t i = 0; i < a.out[0].size; ++i) y[i] = static_cast<R>(Fn::f(x[i], p, q));
}

template <class Fn, class T, class R, class P>
void binary(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *z = a.in[1].as<T>();
  R* y = a.out[0].as<R>();
  const Params params = P::of(a);
  const T p = param<T>(params.p), q = param<T>(params.q);
  const Shape& shape = a.out[0].shape();
  walk(
      shape, [&](int64_t i, int64_t ix, int64_t iz) { y[i] = static_cast<R>(Fn::f(x[ix], z[iz], p, q)); },
      broadcast(a.in[0].shape(), shape), broadcast(a.in[1].shape(), shape));
}

template <class T>
void select(Context&, const KernelArgs& a) {
  const uint8_t* c = a.in[0].as<uint8_t>();
  const T *x = a.in[1].as<T>(), *z = a.in[2].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& shape = a.out[0].shape();
  walk(
      shape, [&](int64_t i, int64_t ic, int64_t ix, int64_t iz) { y[i] = c[ic] ? x[ix] : z[iz]; },
      broadcast(a.in[0].shape(), shape), broadcast(a.in[1].shape(), shape),
      broadcast(a.in[2].shape(), shape));
}

// The formulas as types, so that they can be template arguments.
#define X(name)                                 \
  struct F_##name {                             \
    template <class T>                          \
    static T f(T x, T p, T q) {                 \
      return static_cast<T>(fn::name(x, p, q)); \
    }                                           \
  };
PK_UNARY_OPS(X)
#undef X
#define X(name)                                    \
  struct F_##name {                                \
    template <class T>                             \
    static T f(T a, T b, T p, T q) {               \
      return static_cast<T>(fn::name(a, b, p, q)); \
    }                                              \
  };
PK_BINARY_OPS(X)
#undef X

// Whole numbers have their own remainder: exact, and 0 for a divisor of 0.
struct F_floor_mod_int {
  template <class T>
  static T f(T a, T b, T, T) {
    if (b == 0) return 0;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;  // min % -1 would trap
    const T r = static_cast<T>(a % b);
    return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  }
};

template <class T>
void copy(Context&, const KernelArgs& a) {
  if (a.out[0].data != a.in[0].data)
    std::memcpy(a.out[0].data, a.in[0].data, static_cast<size_t>(a.out[0].size) * sizeof(T));
}

// To bool: not zero. Floats to whole numbers: towards zero.
void cast(Context&, const KernelArgs& a) {
  with_type(a.in[0].dtype(), [&](auto from) {
    using From = decltype(from);
    const From* x = a.in[0].as<From>();
    const int64_t n = a.out[0].size;
    if (a.out[0].dtype() == DType::boolean) {
      for (int64_t i = 0; i < n; ++i) a.out[0].as<uint8_t>()[i] = x[i] != From(0);
      return;
    }
    with_type(a.out[0].dtype(), [&](auto to) {
      using To = decltype(to);
      for (int64_t i = 0; i < n; ++i) a.out[0].as<To>()[i] = static_cast<To>(x[i]);
    });
  });
}

#define ADD_UNARY(name, T, D, R, P) t.add(#name, DType::D, unary<F_##name, T, R, P>)
#define ADD_BINARY(name, F, T, D, R) t.add(#name, DType::D, binary<F_##F, T, R, None>)

#define FLOAT_UNARY(name, P)             \
  ADD_UNARY(name, float, f32, float, P); \
  ADD_UNARY(name, double, f64, double, P);
#define INT_UNARY(name, P)                   \
  ADD_UNARY(name, int32_t, i32, int32_t, P); \
  ADD_UNARY(name, int64_t, i64, int64_t, P); \
  ADD_UNARY(name, uint8_t, u8, uint8_t, P);

#define FLOAT_BINARY(name)                   \
  ADD_BINARY(name, name, float, f32, float); \
  ADD_BINARY(name, name, double, f64, double);
#define INT_BINARY(name, F)                   \
  ADD_BINARY(name, F, int32_t, i32, int32_t); \
  ADD_BINARY(name, F, int64_t, i64, int64_t); \
  ADD_BINARY(name, F, uint8_t, u8, uint8_t);
#define COMPARISON(name)                         \
  ADD_BINARY(name, name, float, f32, uint8_t);   \
  ADD_BINARY(name, name, double, f64, uint8_t);  \
  ADD_BINARY(name, name, int32_t, i32, uint8_t); \
  ADD_BINARY(name, name, int64_t, i64, uint8_t); \
  ADD_BINARY(name, name, uint8_t, u8, uint8_t);  \
  ADD_BINARY(name, name, uint8_t, boolean, uint8_t);

#define HELPER(name, P)                                        \
  t.add(#name, DType::f32, binary<F_##name, float, float, P>); \
  t.add(#name, DType::f64, binary<F_##name, double, double, P>);

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  FLOAT_UNARY(neg, None)
  FLOAT_UNARY(abs, None) FLOAT_UNARY(sign, None) FLOAT_UNARY(exp, None) FLOAT_UNARY(log, None)
      FLOAT_UNARY(log1p, None) FLOAT_UNARY(expm1, None) FLOAT_UNARY(sqrt, None) FLOAT_UNARY(rsqrt, None)
          FLOAT_UNARY(square, None) FLOAT_UNARY(reciprocal, None) FLOAT_UNARY(sin, None)
              FLOAT_UNARY(cos, None) FLOAT_UNARY(tanh, None) FLOAT_UNARY(sigmoid, None)
                  FLOAT_UNARY(softplus, None) FLOAT_UNARY(softsign, None) FLOAT_UNARY(erf, None)
                      FLOAT_UNARY(round, None) FLOAT_UNARY(floor, None) FLOAT_UNARY(ceil, None)
                          FLOAT_UNARY(relu, None) FLOAT_UNARY(hard_sigmoid, None)
                              FLOAT_UNARY(leaky_relu, Alpha) FLOAT_UNARY(elu, Alpha) FLOAT_UNARY(clip, Clip)
                                  INT_UNARY(neg, None) INT_UNARY(abs, None) INT_UNARY(sign, None)
                                      INT_UNARY(square, None) INT_UNARY(relu, None) INT_UNARY(clip, Clip)
                                          ADD_UNARY(logical_not, uint8_t, boolean, uint8_t, None);
  ADD_UNARY(is_finite, float, f32, uint8_t, None);
  ADD_UNARY(is_finite, double, f64, uint8_t, None);

  FLOAT_BINARY(add)
  FLOAT_BINARY(sub) FLOAT_BINARY(mul) FLOAT_BINARY(div) FLOAT_BINARY(pow) FLOAT_BINARY(maximum)
      FLOAT_BINARY(minimum) FLOAT_BINARY(floor_mod) INT_BINARY(add, add) INT_BINARY(sub, sub)
          INT_BINARY(mul, mul) INT_BINARY(maximum, maximum) INT_BINARY(minimum, minimum)
              INT_BINARY(floor_mod, floor_mod_int) COMPARISON(equal) COMPARISON(not_equal) COMPARISON(less)
                  COMPARISON(less_equal) COMPARISON(greater) COMPARISON(greater_equal)
                      ADD_BINARY(logical_and, logical_and, uint8_t, boolean, uint8_t);
  ADD_BINARY(logical_or, logical_or, uint8_t, boolean, uint8_t);
  HELPER(relu_grad, None)
  HELPER(leaky_relu_grad, Alpha) HELPER(elu_grad, Alpha) HELPER(tanh_grad, None) HELPER(sigmoid_grad, None)
      HELPER(hard_sigmoid_grad, None) HELPER(softplus_grad, None) HELPER(softsign_grad, None)
          HELPER(clip_grad, Clip)

              PK_ADD_TYPES(t, "select", select);
  PK_ADD_TYPES(t, "identity", copy);
  PK_ADD_TYPES(t, "stop_gradient", copy);
  t.add_all("cast", cast);
});

}  // namespace
}  // namespace pk::reference
