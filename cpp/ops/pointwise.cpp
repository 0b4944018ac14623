// Pointwise ops: element by element, with NumPy broadcasting where there are several operands.
#include "kernels/functors.h"
#include "ops/rules.h"

namespace pk {
namespace {

// --- shape rules

Types number_unary(const InferContext& ctx) {
  if (ctx.dtype(0) == DType::boolean) ctx.fail("needs numbers, got bool; convert it with K.cast");
  return {ctx.in[0]};
}

Types bool_unary(const InferContext& ctx) {
  if (ctx.dtype(0) != DType::boolean) ctx.fail("needs a bool input, got ", ctx.dtype(0));
  return {ctx.in[0]};
}

Shape broadcast_all(const InferContext& ctx) {
  Shape out = ctx.shape(0);
  for (int i = 1; i < ctx.n_in(); ++i) out = broadcast_shapes(out, ctx.shape(i));
  return out;
}

Types number_binary(const InferContext& ctx) {
  ctx.same_dtypes();
  if (ctx.dtype(0) == DType::boolean) ctx.fail("needs numbers, got bool; convert them with K.cast");
  return type_of(ctx.dtype(0), broadcast_all(ctx));
}

Types float_binary(const InferContext& ctx) {
  ctx.same_dtypes();
  ctx.want_float(0);
  return type_of(ctx.dtype(0), broadcast_all(ctx));
}

Types comparison(const InferContext& ctx) {
  ctx.same_dtypes();
  return type_of(DType::boolean, broadcast_all(ctx));
}

Types logical(const InferContext& ctx) {
  for (int i = 0; i < 2; ++i)
    if (ctx.dtype(i) != DType::boolean) ctx.fail("needs bool inputs, got ", ctx.dtype(i));
  return type_of(DType::boolean, broadcast_all(ctx));
}

Types select_type(const InferContext& ctx) {
  if (ctx.dtype(0) != DType::boolean) ctx.fail("the condition must be bool, got ", ctx.dtype(0));
  if (ctx.dtype(1) != ctx.dtype(2))
    ctx.fail("both choices must have one dtype, got ", ctx.dtype(1), " and ", ctx.dtype(2));
  return type_of(ctx.dtype(1), broadcast_all(ctx));
}

Types clip_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<ClipAttrs>();
  if (a.min > a.max) ctx.fail("min must not be above max, got ", a.min, " and ", a.max);
  return number_unary(ctx);
}

Types gradient_helper(const InferContext& ctx) {
  ctx.same_dtypes();
  ctx.want_float(0);
  return type_of(ctx.dtype(0), merged_shape(ctx));
}

// --- records

template <class A = NoAttrs>
OpBuilder unary(const char* name, PointwiseCode code, InferRule rule = like_float_input) {
  OpBuilder b = op<A>(name);
  b.arity(1).infer(rule).pointwise(static_cast<int>(code));
  return b;
}

OpBuilder binary(const char* name, PointwiseCode code, InferRule rule = number_binary) {
  OpBuilder b = op<>(name);
  b.arity(2).infer(rule).pointwise(static_cast<int>(code));
  return b;
}

template <class A = NoAttrs>
OpBuilder helper(const char* name, PointwiseCode code) {
  OpBuilder b = op<A>(name);
  b.arity(2).infer(gradient_helper).pointwise(static_cast<int>(code));
  return b;
}

constexpr const char* kStep = "piecewise constant: its gradient is zero wherever there is one";
constexpr const char* kBool = "the output is not a number";

using C = PointwiseCode;
using Ctx = const VjpContext&;

const OpBuilder neg_op = unary("neg", C::neg, number_unary).vjp([](Ctx c) -> Values { return {-c.g()}; });
const OpBuilder abs_op =
    unary("abs", C::abs, number_unary).vjp([](Ctx c) -> Values { return {c.g() * call("sign", {c.x(0)})}; });
const OpBuilder sign_op = unary("sign", C::sign, number_unary).no_grad(kStep);
const OpBuilder exp_op = unary("exp", C::exp).vjp([](Ctx c) -> Values { return {c.g() * c.y()}; });
const OpBuilder log_op = unary("log", C::log).vjp([](Ctx c) -> Values { return {c.g() / c.x(0)}; });
const OpBuilder log1p_op =
    unary("log1p", C::log1p).vjp([](Ctx c) -> Values { return {c.g() / (c.x(0) + scalar(1, c.x(0)))}; });
const OpBuilder expm1_op =
    unary("expm1", C::expm1).vjp([](Ctx c) -> Values { return {c.g() * (c.y() + scalar(1, c.x(0)))}; });
const OpBuilder sqrt_op =
    unary("sqrt", C::sqrt).vjp([](Ctx c) -> Values { return {c.g() * scalar(0.5, c.x(0)) / c.y()}; });
const OpBuilder rsqrt_op = unary("rsqrt", C::rsqrt).vjp([](Ctx c) -> Values {
  return {c.g() * scalar(-0.5, c.x(0)) * (c.y() * c.y() * c.y())};
});
const OpBuilder square_op = unary("square", C::square, number_unary).vjp([](Ctx c) -> Values {
  return {c.g() * (scalar(2, c.x(0)) * c.x(0))};
});
const OpBuilder reciprocal_op =
    unary("reciprocal", C::reciprocal).vjp([](Ctx c) -> Values { return {-(c.g() * c.y() * c.y())}; });
const OpBuilder sin_op =
    unary("sin", C::sin).vjp([](Ctx c) -> Values { return {c.g() * call("cos", {c.x(0)})}; });
const OpBuilder cos_op =
    unary("cos", C::cos).vjp([](Ctx c) -> Values { return {-(c.g() * call("sin", {c.x(0)}))}; });
const OpBuilder tanh_op =
    unary("tanh", C::tanh).vjp([](Ctx c) -> Values { return {call("tanh_grad", {c.g(), c.y()})}; });
const OpBuilder sigmoid_op =
    unary("sigmoid", C::sigmoid).vjp([](Ctx c) -> Values { return {call("sigmoid_grad", {c.g(), c.y()})}; });
const OpBuilder softplus_op = unary("softplus", C::softplus).vjp([](Ctx c) -> Values {
  return {call("softplus_grad", {c.g(), c.x(0)})};
});
const OpBuilder softsign_op = unary("softsign", C::softsign).vjp([](Ctx c) -> Values {
  return {call("softsign_grad", {c.g(), c.x(0)})};
});
const OpBuilder erf_op = unary("erf", C::erf).vjp([](Ctx c) -> Values {
  const double two_over_sqrt_pi = 1.1283791670955126;
  return {c.g() * (scalar(two_over_sqrt_pi, c.x(0)) * call("exp", {-call("square", {c.x(0)})}))};
});
const OpBuilder round_op = unary("round", C::round).no_grad(kStep);
const OpBuilder floor_op = unary("floor", C::floor).no_grad(kStep);
const OpBuilder ceil_op = unary("ceil", C::ceil).no_grad(kStep);
const OpBuilder relu_op = unary("relu", C::relu, number_unary).vjp([](Ctx c) -> Values {
  return {call("relu_grad", {c.g(), c.y()})};
});
const OpBuilder hard_sigmoid_op = unary("hard_sigmoid", C::hard_sigmoid).vjp([](Ctx c) -> Values {
  return {call("hard_sigmoid_grad", {c.g(), c.y()})};
});
const OpBuilder leaky_relu_op = unary<AlphaAttrs>("leaky_relu", C::leaky_relu).vjp([](Ctx c) -> Values {
  return {call("leaky_relu_grad", {c.g(), c.x(0)}, c.node->attrs)};
});
const OpBuilder elu_op = unary<AlphaAttrs>("elu", C::elu).vjp([](Ctx c) -> Values {
  const double alpha = c.attr<AlphaAttrs>().alpha;
  if (alpha > 0) return {call("elu_grad", {c.g(), c.y()}, c.node->attrs)};
  // The output tells the two branches apart only where alpha is positive.
  const Value slope = scalar(alpha, c.g()) * call("exp", {call("minimum", {c.x(0), scalar(0, c.g())})});
  return {select(less(c.x(0), scalar(0, c.g())), c.g() * slope, c.g())};
});
const OpBuilder clip_op = unary<ClipAttrs>("clip", C::clip, clip_type).vjp([](Ctx c) -> Values {
  return {call("clip_grad", {c.g(), c.x(0)}, c.node->attrs)};
});
const OpBuilder logical_not_op = unary("logical_not", C::logical_not, bool_unary).no_grad(kBool);
const OpBuilder is_finite_op = unary("is_finite", C::is_finite, [](const InferContext& ctx) {
                                 ctx.want_float(0);
                                 return type_of(DType::boolean, ctx.shape(0));
                               }).no_grad(kBool);

const OpBuilder identity_op =
    op<>("identity").arity(1).infer(like_input).may_alias(0).vjp([](Ctx c) -> Values { return {c.g()}; });
const OpBuilder stop_gradient_op =
    op<>("stop_gradient").arity(1).infer(like_input).may_alias(0).no_grad("its purpose");
const OpBuilder cast_op =
    op<CastAttrs>("cast")
        .arity(1)
        .infer([](const InferContext& ctx) { return type_of(ctx.attrs.as<CastAttrs>().dtype, ctx.shape(0)); })
        .vjp([](Ctx c) -> Values {
          if (!is_float(c.x(0).dtype()) || !is_float(c.g().dtype())) return {Value()};
          return {cast(c.g(), c.x(0).dtype())};
        });

const OpBuilder add_op = binary("add", C::add).vjp([](Ctx c) -> Values {
  return {sum_to_like(c.g(), c.x(0)), sum_to_like(c.g(), c.x(1))};
});
const OpBuilder sub_op = binary("sub", C::sub).vjp([](Ctx c) -> Values {
  return {sum_to_like(c.g(), c.x(0)), sum_to_like(-c.g(), c.x(1))};
});
const OpBuilder mul_op = binary("mul", C::mul).vjp([](Ctx c) -> Values {
  return {sum_to_like(c.g() * c.x(1), c.x(0)), sum_to_like(c.g() * c.x(0), c.x(1))};
});
const OpBuilder div_op = binary("div", C::div, float_binary).vjp([](Ctx c) -> Values {
  return {sum_to_like(c.g() / c.x(1), c.x(0)), sum_to_like(-(c.g() * c.y() / c.x(1)), c.x(1))};
});
Values pow_vjp(const VjpContext& c) {
  const Value &base = c.x(0), &exponent = c.x(1);
  const Value zero = scalar(0, base), one = scalar(1, base);
  if (is_op(exponent, "constant") && exponent.rank() == 0) {  // x ** 3
    const HostTensor& data = exponent.node->constant;
    const double p = base.dtype() == DType::f64 ? *data.as<double>() : static_cast<double>(*data.as<float>());
    if (p == 0) return {zeros_like(base), Value()};
    return {c.g() * (exponent * call("pow", {base, scalar(p - 1, base)})), Value()};
  }
  // 0 · 0^-1 would be NaN where base and exponent are both 0; the derivative there is 0.
  const Value both_zero = call("logical_and", {equal(base, zero), equal(exponent, zero)});
  const Value lower = select(both_zero, one, exponent - one);
  const Value d_base = sum_to_like(c.g() * (exponent * call("pow", {base, lower})), base);
  if (is_op(exponent, "constant")) return {d_base, Value()};
  // log of a base that is not positive: taken as 0, as x^p is only differentiable in p above 0.
  const Value safe = select(less(zero, base), base, one);
  return {d_base, sum_to_like(c.g() * (c.y() * call("log", {safe})), exponent)};
}
const OpBuilder pow_op = binary("pow", C::pow, float_binary).vjp(pow_vjp);

// The gradient goes to the operand that was chosen, on a tie to the first.
Values extremum_vjp(const VjpContext& c, const Value& first_wins) {
  const Value zero = scalar(0, c.g());
  return {sum_to_like(select(first_wins, c.g(), zero), c.x(0)),
          sum_to_like(select(first_wins, zero, c.g()), c.x(1))};
}
const OpBuilder maximum_op = binary("maximum", C::maximum).vjp([](Ctx c) -> Values {
  return extremum_vjp(c, call("greater_equal", {c.x(0), c.x(1)}));
});
const OpBuilder minimum_op = binary("minimum", C::minimum).vjp([](Ctx c) -> Values {
  return extremum_vjp(c, call("less_equal", {c.x(0), c.x(1)}));
});
const OpBuilder floor_mod_op = binary("floor_mod", C::floor_mod).vjp([](Ctx c) -> Values {
  const Value quotient = call("floor", {c.x(0) / c.x(1)});
  return {sum_to_like(c.g(), c.x(0)), sum_to_like(-(c.g() * quotient), c.x(1))};
});

const OpBuilder equal_op = binary("equal", C::equal, comparison).no_grad(kBool);
const OpBuilder not_equal_op = binary("not_equal", C::not_equal, comparison).no_grad(kBool);
const OpBuilder less_op = binary("less", C::less, comparison).no_grad(kBool);
const OpBuilder less_equal_op = binary("less_equal", C::less_equal, comparison).no_grad(kBool);
const OpBuilder greater_op = binary("greater", C::greater, comparison).no_grad(kBool);
const OpBuilder greater_equal_op = binary("greater_equal", C::greater_equal, comparison).no_grad(kBool);
const OpBuilder logical_and_op = binary("logical_and", C::logical_and, logical).no_grad(kBool);
const OpBuilder logical_or_op = binary("logical_or", C::logical_or, logical).no_grad(kBool);

const OpBuilder select_op = op<>("select")
                                .arity(3)
                                .infer(select_type)
                                .pointwise(static_cast<int>(C::select))
                                .dispatch(1)
                                .vjp([](Ctx c) -> Values {
                                  const Value zero = scalar(0, c.g());
                                  return {Value(), sum_to_like(select(c.x(0), c.g(), zero), c.x(1)),
                                          sum_to_like(select(c.x(0), zero, c.g()), c.x(2))};
                                });

// --- gradient helpers: (gradient of the output, y or x); see kernels/functors.h. With gg the
// gradient of their output: linear in the first operand, so that one's gradient is the op on gg.

const OpBuilder relu_grad_op = helper("relu_grad", C::relu_grad).vjp([](Ctx c) -> Values {
  return {call("relu_grad", {c.g(), c.x(1)}), Value()};
});
const OpBuilder leaky_relu_grad_op =
    helper<AlphaAttrs>("leaky_relu_grad", C::leaky_relu_grad).vjp([](Ctx c) -> Values {
      return {call("leaky_relu_grad", {c.g(), c.x(1)}, c.node->attrs), Value()};
    });
const OpBuilder elu_grad_op = helper<AlphaAttrs>("elu_grad", C::elu_grad).vjp([](Ctx c) -> Values {
  const Value zero = scalar(0, c.g());
  return {call("elu_grad", {c.g(), c.x(1)}, c.node->attrs), select(less(c.x(1), zero), c.g() * c.x(0), zero)};
});
const OpBuilder tanh_grad_op = helper("tanh_grad", C::tanh_grad).vjp([](Ctx c) -> Values {
  return {call("tanh_grad", {c.g(), c.x(1)}), c.g() * c.x(0) * (scalar(-2, c.g()) * c.x(1))};
});
const OpBuilder sigmoid_grad_op = helper("sigmoid_grad", C::sigmoid_grad).vjp([](Ctx c) -> Values {
  return {call("sigmoid_grad", {c.g(), c.x(1)}),
          c.g() * c.x(0) * (scalar(1, c.g()) - scalar(2, c.g()) * c.x(1))};
});
const OpBuilder hard_sigmoid_grad_op =
    helper("hard_sigmoid_grad", C::hard_sigmoid_grad).vjp([](Ctx c) -> Values {
      return {call("hard_sigmoid_grad", {c.g(), c.x(1)}), Value()};
    });
const OpBuilder softplus_grad_op = helper("softplus_grad", C::softplus_grad).vjp([](Ctx c) -> Values {
  return {call("softplus_grad", {c.g(), c.x(1)}),
          call("sigmoid_grad", {c.g() * c.x(0), call("sigmoid", {c.x(1)})})};
});
const OpBuilder softsign_grad_op = helper("softsign_grad", C::softsign_grad).vjp([](Ctx c) -> Values {
  const Value d = scalar(1, c.g()) + call("abs", {c.x(1)});
  return {call("softsign_grad", {c.g(), c.x(1)}),
          c.g() * c.x(0) * (scalar(-2, c.g()) * call("sign", {c.x(1)})) / (d * d * d)};
});
const OpBuilder clip_grad_op = helper<ClipAttrs>("clip_grad", C::clip_grad).vjp([](Ctx c) -> Values {
  return {call("clip_grad", {c.g(), c.x(1)}, c.node->attrs), Value()};
});

}  // namespace
}  // namespace pk
