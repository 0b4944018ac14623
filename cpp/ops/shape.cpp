// Ops that read shapes, undo or do broadcasting, or make data from a shape alone; and phase_select.
#include <cmath>

#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

constexpr const char* kShapeOnly = "depends on a shape only";
constexpr const char* kNoInput = "has no differentiable input";

Types sum_to_like_type(const InferContext& ctx) {
  const Shape &g = ctx.shape(0), &x = ctx.shape(1);
  if (!broadcasts_to(x, g)) ctx.fail("a tensor of shape ", x, " does not broadcast to ", g);
  return type_of(ctx.dtype(0), x);
}

// g has x's shape without `axes`, or with ones there.
Types broadcast_like_type(const InferContext& ctx) {
  const Ints& axes = ctx.attrs.as<AxesAttrs>().axes;
  check_axes(ctx, 1, axes);
  const Shape &g = ctx.shape(0), &x = ctx.shape(1);
  const bool keep = g.rank() == x.rank();
  if (!compatible(g, reduced(x, axes, keep)))
    ctx.fail("expected the shape of input 1 without the reduced axes, ", reduced(x, axes, keep), ", got ", g);
  Shape out = x;
  for (int i = 0, j = 0; i < x.rank(); ++i) {
    const bool gone = axes.contains(i);
    if (!gone && out[i] == kUnknown) out[i] = g[j];
    if (!gone || keep) ++j;
  }
  return type_of(ctx.dtype(0), out);
}

// The dimensions are those of a shape tensor, once its numbers are known, else those of the attribute.
Types fill_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<FillAttrs>();
  Shape want(a.shape.begin(), a.shape.end());
  if (ctx.n_in() == 1) {
    ctx.want_rank(0, 1);
    if (ctx.dtype(0) != DType::i32 && ctx.dtype(0) != DType::i64)
      ctx.fail("the shape must be int32 or int64, got ", ctx.dtype(0));
    const int64_t rank = ctx.shape(0)[0];
    if (rank != kUnknown && rank != want.rank())
      ctx.fail("the shape tensor has ", rank, " entries, the attribute ", want.rank());
    const auto dims = ctx.integers(0);
    if (!dims) return type_of(a.dtype, want);
    want = Shape(*dims);
  }
  for (int64_t d : want)
    if (d < 0) ctx.fail("every dimension of 'shape' must be known and not negative, got ", want);
  return type_of(a.dtype, want);
}

Types range_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<RangeAttrs>();
  if (a.step == 0) ctx.fail("the step must not be 0");
  if (a.dtype == DType::boolean) ctx.fail("a range needs a number dtype, got bool");
  const double n = std::ceil((a.stop - a.start) / a.step);
  if (!(n < 9e15)) ctx.fail("the range from ", a.start, " to ", a.stop, " by ", a.step, " has no end");
  return type_of(a.dtype, {n > 0 ? static_cast<int64_t>(n) : 0});
}

const OpBuilder sum_to_like_op =
    op<>("sum_to_like").arity(2).infer(sum_to_like_type).shape_only(1).vjp([](Ctx c) -> Values {
      return {c.g() + zeros_like(c.x(0)), Value()};  // broadcast again
    });
const OpBuilder broadcast_like_op =
    op<AxesAttrs>("broadcast_like")
        .arity(2)
        .infer(broadcast_like_type)
        .shape_only(1)
        .vjp([](Ctx c) -> Values {
          return {sum(c.g(), c.attr<AxesAttrs>().axes, c.x(0).rank() == c.x(1).rank()), Value()};
        });
const OpBuilder axis_size_op = op<AxisSizeAttrs>("axis_size")
                                   .arity(1)
                                   .infer([](const InferContext& ctx) {
                                     const auto& a = ctx.attrs.as<AxisSizeAttrs>();
                                     check_axes(ctx, 0, a.axes);
                                     return type_of(a.dtype, {});
                                   })
                                   .shape_only(0)
                                   .dispatch(-1)
                                   .no_grad(kShapeOnly);
const OpBuilder shape_op =
    op<>("shape")
        .arity(1)
        .infer([](const InferContext& ctx) { return type_of(DType::i32, {ctx.shape(0).rank()}); })
        .shape_only(0)
        .dispatch(-1)
        .no_grad(kShapeOnly);
const OpBuilder fill_op = op<FillAttrs>("fill").arity(0, 1).infer(fill_type).dispatch(-1).no_grad(kShapeOnly);
const OpBuilder fill_like_op =
    op<FillAttrs>("fill_like")
        .arity(1)
        .infer([](const InferContext& ctx) { return type_of(ctx.attrs.as<FillAttrs>().dtype, ctx.shape(0)); })
        .shape_only(0)
        .dispatch(-1)
        .no_grad(kShapeOnly);
const OpBuilder range_op = op<RangeAttrs>("range").arity(0).infer(range_type).dispatch(-1).no_grad(kNoInput);
const OpBuilder eye_op = op<EyeAttrs>("eye")
                             .arity(0)
                             .infer([](const InferContext& ctx) {
                               const auto& a = ctx.attrs.as<EyeAttrs>();
                               if (a.n < 0 || a.m < 0)
                                 ctx.fail("sizes must not be negative, got ", a.n, " and ", a.m);
                               return type_of(a.dtype, {a.n, a.m});
                             })
                             .dispatch(-1)
                             .no_grad(kNoInput);

// Input 0 in the plan for training, input 1 in the other.
const OpBuilder phase_select_op =
    op<>("phase_select")
        .arity(2)
        .infer([](const InferContext& ctx) {
          ctx.same_dtypes();
          Shape out = ctx.shape(0);
          if (out.rank() != ctx.shape(1).rank())
            ctx.fail("the values for training and for testing must have equal ranks, got ", out, " and ",
                     ctx.shape(1));
          // Two plans may well have two shapes: what differs is not known before one is chosen.
          for (int i = 0; i < out.rank(); ++i)
            if (out[i] != ctx.shape(1)[i]) out[i] = kUnknown;
          return type_of(ctx.dtype(0), out);
        })
        .no_kernel("resolved when a function is specialised for a learning phase")
        .vjp([](Ctx c) -> Values {
          const Value zero = zeros_like(c.g());
          return {call("phase_select", {c.g(), zero}), call("phase_select", {zero, c.g()})};
        });

}  // namespace
}  // namespace pk
