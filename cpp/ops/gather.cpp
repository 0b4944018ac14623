// Ops that choose elements by whole numbers.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

// Rows of params (axis 0).
Types gather_type(const InferContext& ctx) {
  want_indices(ctx, 1);
  const Shape& params = ctx.shape(0);
  if (params.rank() == 0) ctx.fail("cannot choose rows of a scalar");
  Shape out = ctx.shape(1);
  for (int i = 1; i < params.rank(); ++i) out.push_back(params[i]);
  return type_of(ctx.dtype(0), out);
}

Types gather_grad_type(const InferContext& ctx) {
  want_indices(ctx, 1);
  return type_of(ctx.dtype(0), ctx.shape(2));
}

Types one_hot_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<OneHotAttrs>();
  if (ctx.dtype(0) != DType::u8) want_indices(ctx, 0);
  if (a.n < 0) ctx.fail("the number of classes must not be negative, got ", a.n);
  Shape out = ctx.shape(0);
  out.push_back(a.n);
  return type_of(a.dtype, out);
}

// x(…, c) and one index for each of its lines.
void check_pick(const InferContext& ctx, const Shape& x, const Shape& index) {
  if (x.rank() == 0) ctx.fail("cannot pick from a scalar");
  const Shape lines(x.begin(), x.end() - 1);
  if (!compatible(lines, index))
    ctx.fail("needs indices of shape ", lines, " for an input of shape ", x, ", got ", index);
}

Types pick_type(const InferContext& ctx) {
  want_indices(ctx, 1);
  check_pick(ctx, ctx.shape(0), ctx.shape(1));
  Shape out = ctx.shape(1);
  for (int i = 0; i < out.rank(); ++i)
    if (out[i] == kUnknown) out[i] = ctx.shape(0)[i];
  return type_of(ctx.dtype(0), out);
}

Types pick_grad_type(const InferContext& ctx) {
  want_indices(ctx, 1);
  check_pick(ctx, ctx.shape(2), ctx.shape(1));
  return type_of(ctx.dtype(0), ctx.shape(2));
}

Types top_k_type(const InferContext& ctx) {
  ctx.want_float(0);
  want_indices(ctx, 1);
  ctx.want_rank(0, 2);
  ctx.want_rank(1, 1);
  return type_of(DType::boolean,
                 {merge_dim(ctx, ctx.shape(0)[0], ctx.shape(1)[0], "needs one target for each prediction")});
}

const OpBuilder gather_op = op<>("gather").arity(2).infer(gather_type).vjp([](Ctx c) -> Values {
  return {call("gather_grad", {c.g(), c.x(1), c.x(0)}), Value()};
});
const OpBuilder gather_grad_op =
    op<>("gather_grad").arity(3).infer(gather_grad_type).shape_only(2).vjp([](Ctx c) -> Values {
      return {call("gather", {c.g(), c.x(1)}), Value(), Value()};
    });
const OpBuilder one_hot_op = op<OneHotAttrs>("one_hot")
                                 .arity(1)
                                 .infer(one_hot_type)
                                 .no_grad("its input is a position, not a quantity");
const OpBuilder pick_op = op<>("pick").arity(2).infer(pick_type).vjp(
    [](Ctx c) -> Values { return {call("pick_grad", {c.g(), c.x(1), c.x(0)}), Value()}; });
const OpBuilder pick_grad_op =
    op<>("pick_grad").arity(3).infer(pick_grad_type).shape_only(2).vjp([](Ctx c) -> Values {
      return {call("pick", {c.g(), c.x(1)}), Value(), Value()};
    });
const OpBuilder in_top_k_op =
    op<TopKAttrs>("in_top_k").arity(2).infer(top_k_type).no_grad("the output is not a number");

}  // namespace
}  // namespace pk
