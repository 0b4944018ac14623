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
      for (int64_t i = 0; i < n; ++i) a.out[0].as<To>()[i] = converted<To>(x[i]);
    });
  });
}

template <class Fn, class P = None>
void add_float_unary(KernelTable& t, const char* name) {
  t.add(name, DType::f32, unary<Fn, float, float, P>);
  t.add(name, DType::f64, unary<Fn, double, double, P>);
}
template <class Fn, class P = None>
void add_int_unary(KernelTable& t, const char* name) {
  t.add(name, DType::i32, unary<Fn, int32_t, int32_t, P>);
  t.add(name, DType::i64, unary<Fn, int64_t, int64_t, P>);
  t.add(name, DType::u8, unary<Fn, uint8_t, uint8_t, P>);
}
template <class Fn, class P = None>
void add_float_binary(KernelTable& t, const char* name) {
  t.add(name, DType::f32, binary<Fn, float, float, P>);
  t.add(name, DType::f64, binary<Fn, double, double, P>);
}
template <class Fn>
void add_int_binary(KernelTable& t, const char* name) {
  t.add(name, DType::i32, binary<Fn, int32_t, int32_t, None>);
  t.add(name, DType::i64, binary<Fn, int64_t, int64_t, None>);
  t.add(name, DType::u8, binary<Fn, uint8_t, uint8_t, None>);
}
template <class Fn>
void add_comparison(KernelTable& t, const char* name) {
  t.add(name, DType::f32, binary<Fn, float, uint8_t, None>);
  t.add(name, DType::f64, binary<Fn, double, uint8_t, None>);
  t.add(name, DType::i32, binary<Fn, int32_t, uint8_t, None>);
  t.add(name, DType::i64, binary<Fn, int64_t, uint8_t, None>);
  t.add(name, DType::u8, binary<Fn, uint8_t, uint8_t, None>);
  t.add(name, DType::boolean, binary<Fn, uint8_t, uint8_t, None>);
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  add_float_unary<F_neg>(t, "neg");
  add_float_unary<F_abs>(t, "abs");
  add_float_unary<F_sign>(t, "sign");
  add_float_unary<F_exp>(t, "exp");
  add_float_unary<F_log>(t, "log");
  add_float_unary<F_log1p>(t, "log1p");
  add_float_unary<F_expm1>(t, "expm1");
  add_float_unary<F_sqrt>(t, "sqrt");
  add_float_unary<F_rsqrt>(t, "rsqrt");
  add_float_unary<F_square>(t, "square");
  add_float_unary<F_reciprocal>(t, "reciprocal");
  add_float_unary<F_sin>(t, "sin");
  add_float_unary<F_cos>(t, "cos");
  add_float_unary<F_tanh>(t, "tanh");
  add_float_unary<F_sigmoid>(t, "sigmoid");
  add_float_unary<F_softplus>(t, "softplus");
  add_float_unary<F_softsign>(t, "softsign");
  add_float_unary<F_erf>(t, "erf");
  add_float_unary<F_round>(t, "round");
  add_float_unary<F_floor>(t, "floor");
  add_float_unary<F_ceil>(t, "ceil");
  add_float_unary<F_relu>(t, "relu");
  add_float_unary<F_hard_sigmoid>(t, "hard_sigmoid");
  add_float_unary<F_leaky_relu, Alpha>(t, "leaky_relu");
  add_float_unary<F_elu, Alpha>(t, "elu");
  add_float_unary<F_clip, Clip>(t, "clip");
  add_int_unary<F_neg>(t, "neg");
  add_int_unary<F_abs>(t, "abs");
  add_int_unary<F_sign>(t, "sign");
  add_int_unary<F_square>(t, "square");
  add_int_unary<F_relu>(t, "relu");
  add_int_unary<F_clip, Clip>(t, "clip");
  t.add("logical_not", DType::boolean, unary<F_logical_not, uint8_t, uint8_t, None>);
  t.add("is_finite", DType::f32, unary<F_is_finite, float, uint8_t, None>);
  t.add("is_finite", DType::f64, unary<F_is_finite, double, uint8_t, None>);

  add_float_binary<F_add>(t, "add");
  add_float_binary<F_sub>(t, "sub");
  add_float_binary<F_mul>(t, "mul");
  add_float_binary<F_div>(t, "div");
  add_float_binary<F_pow>(t, "pow");
  add_float_binary<F_maximum>(t, "maximum");
  add_float_binary<F_minimum>(t, "minimum");
  add_float_binary<F_floor_mod>(t, "floor_mod");
  add_int_binary<F_add>(t, "add");
  add_int_binary<F_sub>(t, "sub");
  add_int_binary<F_mul>(t, "mul");
  add_int_binary<F_maximum>(t, "maximum");
  add_int_binary<F_minimum>(t, "minimum");
  add_int_binary<F_floor_mod_int>(t, "floor_mod");
  add_comparison<F_equal>(t, "equal");
  add_comparison<F_not_equal>(t, "not_equal");
  add_comparison<F_less>(t, "less");
  add_comparison<F_less_equal>(t, "less_equal");
  add_comparison<F_greater>(t, "greater");
  add_comparison<F_greater_equal>(t, "greater_equal");
  t.add("logical_and", DType::boolean, binary<F_logical_and, uint8_t, uint8_t, None>);
  t.add("logical_or", DType::boolean, binary<F_logical_or, uint8_t, uint8_t, None>);
  add_float_binary<F_relu_grad>(t, "relu_grad");
  add_float_binary<F_leaky_relu_grad, Alpha>(t, "leaky_relu_grad");
  add_float_binary<F_elu_grad, Alpha>(t, "elu_grad");
  add_float_binary<F_tanh_grad>(t, "tanh_grad");
  add_float_binary<F_sigmoid_grad>(t, "sigmoid_grad");
  add_float_binary<F_hard_sigmoid_grad>(t, "hard_sigmoid_grad");
  add_float_binary<F_softplus_grad>(t, "softplus_grad");
  add_float_binary<F_softsign_grad>(t, "softsign_grad");
  add_float_binary<F_clip_grad, Clip>(t, "clip_grad");

  PK_ADD_TYPES(t, "select", select);
  PK_ADD_TYPES(t, "identity", copy);
  PK_ADD_TYPES(t, "stop_gradient", copy);
  t.add_all("cast", cast);
});

}  // namespace
}  // namespace pk::reference
