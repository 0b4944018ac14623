// Softmax and batch normalisation.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

Types softmax_type(const InferContext& ctx) {
  ctx.want_float(0);
  ctx.axis(0, ctx.attrs.as<AxisAttrs>().axis);
  return {ctx.in[0]};
}

Ints softmax_axis(Ctx c) { return {normal_axis(c.attr<AxisAttrs>().axis, c.x(0).rank())}; }

const OpBuilder softmax_op =
    op<AxisAttrs>("softmax").arity(1).infer(softmax_type).in_place().vjp([](Ctx c) -> Values {
      return {c.y() * (c.g() - sum(c.g() * c.y(), softmax_axis(c), true))};
    });
const OpBuilder log_softmax_op =
    op<AxisAttrs>("log_softmax").arity(1).infer(softmax_type).in_place().vjp([](Ctx c) -> Values {
      return {c.g() - call("exp", {c.y()}) * sum(c.g(), softmax_axis(c), true)};
    });

// --- batch normalisation: statistics per index of `axis`, over all other axes

Ints other_axes(int64_t axis, int rank) {
  Ints axes;
  for (int i = 0; i < rank; ++i)
    if (i != normal_axis(axis, rank)) axes.push_back(i);
  return axes;
}

// The parameters (inputs from `first` on) are vectors with one number per channel.
int64_t channels(const InferContext& ctx, int input, int first, int end) {
  ctx.same_dtypes();
  ctx.want_float(0);
  const int axis = static_cast<int>(ctx.axis(input, ctx.attrs.as<NormAttrs>().axis));
  int64_t n = ctx.shape(input)[axis];
  for (int i = first; i < end; ++i) {
    ctx.want_rank(i, 1);
    n = merge_dim(ctx, n, ctx.shape(i)[0], "input ", i, " needs one number for each of axis ", axis,
                  "'s channels");
  }
  return n;
}

Types batch_norm_type(const InferContext& ctx) {
  const int64_t n = channels(ctx, 0, 1, 3);
  const TensorType vector{ctx.dtype(0), {n}};
  return {ctx.in[0], vector, vector};
}

Types batch_norm_grad_type(const InferContext& ctx) {
  if (!compatible(ctx.shape(0), ctx.shape(1)))
    ctx.fail("the gradient must have the input's shape, ", ctx.shape(1), ", got ", ctx.shape(0));
  const int64_t n = channels(ctx, 1, 2, 5);
  const TensorType vector{ctx.dtype(0), {n}};
  return {ctx.in[1], vector, vector};
}

// The same in simple ops.
struct BatchNorm {
  Ints axes;
  Value x;
  double epsilon;

  BatchNorm(const Value& input, const NormAttrs& a)
      : axes(other_axes(a.axis, input.rank())), x(input), epsilon(a.epsilon) {}

  Value wide(const Value& v) const { return broadcast_like(v, x, axes); }
  Value count() const {
    AxisSizeAttrs n;
    n.axes = axes;
    n.dtype = x.dtype();
    return call("axis_size", {x}, n);
  }
  Value mean_of(const Value& v) const {
    ReduceAttrs a;
    a.axes = axes;
    return call("mean", {v}, a);
  }
  Value inverse_deviation(const Value& var) const { return call("rsqrt", {var + scalar(epsilon, var)}); }
};

Values decompose_batch_norm(const NodePtr& node) {
  const Value &x = node->inputs[0], &gamma = node->inputs[1], &beta = node->inputs[2];
  const BatchNorm bn(x, node->attrs.as<NormAttrs>());
  const Value mean = bn.mean_of(x);
  const Value centred = x - bn.wide(mean);
  const Value var = bn.mean_of(call("square", {centred}));
  return {centred * bn.wide(bn.inverse_deviation(var) * gamma) + bn.wide(beta), mean, var};
}

// dx = γ/σ · (g - mean(g) - x̂ · mean(g·x̂)), dγ = Σ g·x̂, dβ = Σ g.
Values decompose_batch_norm_grad(const NodePtr& node) {
  const Value &g = node->inputs[0], &x = node->inputs[1], &gamma = node->inputs[2];
  const Value &mean = node->inputs[3], &var = node->inputs[4];
  const BatchNorm bn(x, node->attrs.as<NormAttrs>());
  const Value inverse = bn.inverse_deviation(var), n = bn.count();
  const Value normed = (x - bn.wide(mean)) * bn.wide(inverse);
  const Value d_beta = sum(g, bn.axes), d_gamma = sum(g * normed, bn.axes);
  const Value dx = bn.wide(gamma * inverse) * (g - bn.wide(d_beta / n) - normed * bn.wide(d_gamma / n));
  return {dx, d_gamma, d_beta};
}

Values batch_norm_vjp(Ctx c) {
  const Value &x = c.x(0), &gamma = c.x(1);
  const BatchNorm bn(x, c.attr<NormAttrs>());
  Values out(3);
  if (c.g(0)) out = call_all("batch_norm_train_grad", {c.g(0), x, gamma, c.y(1), c.y(2)}, c.node->attrs);
  const auto add = [&out](const Value& more) { out[0] = out[0] ? out[0] + more : more; };
  if (c.g(1)) add(bn.wide(c.g(1) / bn.count()));
  if (c.g(2)) add(bn.wide(scalar(2, x) * c.g(2) / bn.count()) * (x - bn.wide(c.y(1))));
  return out;
}

const OpBuilder batch_norm_train_op = op<NormAttrs>("batch_norm_train")
                                          .arity(3)
                                          .outputs(3)
                                          .infer(batch_norm_type)
                                          .vjp(batch_norm_vjp)
                                          .decompose(decompose_batch_norm);
const OpBuilder batch_norm_train_grad_op = op<NormAttrs>("batch_norm_train_grad")
                                               .arity(5)
                                               .outputs(3)
                                               .infer(batch_norm_grad_type)
                                               .decompose(decompose_batch_norm_grad);

}  // namespace
}  // namespace pk
