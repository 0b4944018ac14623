// Draws of random numbers: by seed, position and the run number of the function (kernels/random.h).
#include "ops/rules.h"

namespace pk {
namespace {

// RandomAttrs under the names that each distribution gives its two parameters; no fields are added,
// so kernels read all of them as RandomAttrs.
struct UniformAttrs : RandomAttrs {
  template <class V>
  void visit(V&& v) {
    v("shape", shape);
    v("min", a);
    v("max", b);
    v("seed", seed);
    v("dtype", dtype);
  }
};
struct NormalAttrs : RandomAttrs {
  template <class V>
  void visit(V&& v) {
    v("shape", shape);
    v("mean", a);
    v("stddev", b);
    v("seed", seed);
    v("dtype", dtype);
  }
};
struct BinomialAttrs : RandomAttrs {
  template <class V>
  void visit(V&& v) {
    v("shape", shape);
    v("p", a);
    v("seed", seed);
    v("dtype", dtype);
  }
};

// The shape is that of ~x where there is an input, else the attribute's.
Types draw_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<RandomAttrs>();
  if (!is_float(a.dtype)) ctx.fail("draws float numbers, not ", a.dtype);
  if (ctx.n_in() == 1) return type_of(a.dtype, ctx.shape(0));
  const Shape shape(a.shape.begin(), a.shape.end());
  for (int64_t d : shape)
    if (d < 0) ctx.fail("every dimension of 'shape' must be known and not negative, got ", shape);
  return type_of(a.dtype, shape);
}

Types dropout_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<DropoutAttrs>();
  ctx.want_float(0);
  if (!(a.rate >= 0 && a.rate < 1)) ctx.fail("the rate must be in [0, 1), got ", a.rate);
  const Shape& x = ctx.shape(0);
  if (a.noise_shape.size() && a.noise_shape.size() != x.rank())
    ctx.fail("'noise_shape' needs one number per dimension of the input (", x.rank(), "), got ",
             a.noise_shape.size());
  for (int i = 0; i < a.noise_shape.size(); ++i) {
    const int64_t n = a.noise_shape[i];
    if (n != kUnknown && n != 1 && x[i] != kUnknown && n != x[i])
      ctx.fail("'noise_shape' has ", n, " on axis ", i, ", which must be 1 or ", x[i]);
  }
  return {ctx.in[0]};
}

template <class A>
OpBuilder draw(const char* name) {
  OpBuilder b = op<A>(name);
  b.arity(0, 1).infer(draw_type).shape_only(0).dispatch(-1).random().no_grad("a draw depends on no data");
  return b;
}

const OpBuilder random_uniform_op = draw<UniformAttrs>("random_uniform");
const OpBuilder random_normal_op = draw<NormalAttrs>("random_normal");
const OpBuilder truncated_normal_op = draw<NormalAttrs>("truncated_normal");
const OpBuilder random_binomial_op = draw<BinomialAttrs>("random_binomial");

// The mask is a function of seed, position and run number, so the gradient draws the same one.
const OpBuilder dropout_op =
    op<DropoutAttrs>("dropout")
        .arity(1)
        .infer(dropout_type)
        .random()
        .in_place()
        .vjp([](const VjpContext& c) -> Values { return {call("dropout", {c.g()}, c.node->attrs)}; });

}  // namespace
}  // namespace pk
