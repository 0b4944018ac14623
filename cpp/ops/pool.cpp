// Pooling of NHWC and NDHWC data; resizing of NHWC data.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

template <int axes>
Shape pool_output(const InferContext& ctx, const Shape& x) {
  const auto& a = ctx.attrs.as<PoolAttrs>();
  ctx.want_float(0);
  if (x.rank() != axes + 2)
    ctx.fail("the input must have ", axes + 2, " dimensions (batch, ", axes == 3 ? "depth, " : "",
             "height, width, channels), got ", x);
  if (a.padding == Padding::explicit_) ctx.fail("pooling pads by 'valid' or 'same'");
  for (const auto& [name, v] : {std::pair("pool", &a.pool), std::pair("strides", &a.strides)}) {
    if (v->size() != axes)
      ctx.fail("'", name, "' needs ", axes == 2 ? "two" : "three", " numbers, got ", v->size());
    for (int64_t i : *v)
      if (i < 1) ctx.fail("'", name, "' must be at least 1, got ", i);
  }
  constexpr const char* kAxes[] = {"depth ", "height ", "width "};
  Shape out = x;
  for (int axis = 0; axis < axes; ++axis) {
    const int64_t n = x[axis + 1];
    if (n == kUnknown) continue;
    out[axis + 1] = pool_window(a, axis, n).out;
    if (out[axis + 1] < 1 && n > 0)
      ctx.fail("the input is too small: ", kAxes[3 - axes + axis], n, " for a window of ", a.pool[axis]);
  }
  return out;
}

template <int axes>
Types pool_type(const InferContext& ctx) {
  return type_of(ctx.dtype(0), pool_output<axes>(ctx, ctx.shape(0)));
}

// (g, x, y) → the shape of x.
template <int axes>
Types max_grad_type(const InferContext& ctx) {
  ctx.same_dtypes();
  const Shape want = pool_output<axes>(ctx, ctx.shape(1));
  for (int i : {0, 2})
    if (!compatible(ctx.shape(i), want)) ctx.fail("input ", i, " must have the pooled shape ", want);
  return type_of(ctx.dtype(0), ctx.shape(1));
}

// (gg, x, y) → the shape of y.
template <int axes>
Types max_pick_type(const InferContext& ctx) {
  ctx.same_dtypes();
  const Shape want = pool_output<axes>(ctx, ctx.shape(1));
  if (!compatible(ctx.shape(0), ctx.shape(1))) ctx.fail("inputs 0 and 1 must have one shape");
  if (!compatible(ctx.shape(2), want)) ctx.fail("input 2 must have the pooled shape ", want);
  return type_of(ctx.dtype(0), want);
}

template <int axes>
Types average_grad_type(const InferContext& ctx) {
  const Shape want = pool_output<axes>(ctx, ctx.shape(1));
  if (!compatible(ctx.shape(0), want)) ctx.fail("input 0 must have the pooled shape ", want);
  return type_of(ctx.dtype(0), ctx.shape(1));
}

struct Family {
  int axes;  // 2: images, 3: volumes
  const char *max, *max_grad, *max_pick, *avg, *avg_grad;
};
constexpr Family kPool2D{
    2, "max_pool2d", "max_pool2d_grad", "max_pool2d_pick", "avg_pool2d", "avg_pool2d_grad"};
constexpr Family kPool3D{
    3, "max_pool3d", "max_pool3d_grad", "max_pool3d_pick", "avg_pool3d", "avg_pool3d_grad"};

template <const Family& f, class A>
bool add_family() {
  constexpr int axes = f.axes;
  op<A>(f.max).arity(1).infer(pool_type<axes>).vjp([](Ctx c) -> Values {
    return {call(f.max_grad, {c.g(), c.x(0), c.y()}, c.node->attrs)};
  });
  // Scatter to the maxima and gather from them: adjoint to each other, and the maxima do not move
  // under a small change of x.
  op<A>(f.max_grad).arity(3).infer(max_grad_type<axes>).vjp([](Ctx c) -> Values {
    return {call(f.max_pick, {c.g(), c.x(1), c.x(2)}, c.node->attrs), Value(), Value()};
  });
  op<A>(f.max_pick).arity(3).infer(max_pick_type<axes>).vjp([](Ctx c) -> Values {
    return {call(f.max_grad, {c.g(), c.x(1), c.x(2)}, c.node->attrs), Value(), Value()};
  });
  op<A>(f.avg).arity(1).infer(pool_type<axes>).vjp([](Ctx c) -> Values {
    return {call(f.avg_grad, {c.g(), c.x(0)}, c.node->attrs)};
  });
  op<A>(f.avg_grad).arity(2).infer(average_grad_type<axes>).shape_only(1).vjp([](Ctx c) -> Values {
    return {call(f.avg, {c.g()}, c.node->attrs), Value()};
  });
  return true;
}
[[maybe_unused]] const bool added = add_family<kPool2D, PoolAttrs>() && add_family<kPool3D, Pool3DAttrs>();

// --- resizing by whole factors

Shape resized(const InferContext& ctx, const Shape& x) {
  const Ints& f = ctx.attrs.as<ResizeAttrs>().factors;
  if (x.rank() != 4) ctx.fail("the input must have 4 dimensions (batch, height, width, channels), got ", x);
  if (f.size() != 2 || f[0] < 1 || f[1] < 1) ctx.fail("'factors' needs two numbers of at least 1");
  return {x[0], times(x[1], f[0]), times(x[2], f[1]), x[3]};
}

Types nearest_type(const InferContext& ctx) { return type_of(ctx.dtype(0), resized(ctx, ctx.shape(0))); }

Types bilinear_type(const InferContext& ctx) {
  ctx.want_float(0);
  return nearest_type(ctx);
}

Types bilinear_grad_type(const InferContext& ctx) {
  ctx.want_float(0);
  const Shape want = resized(ctx, ctx.shape(1));
  if (!compatible(ctx.shape(0), want)) ctx.fail("input 0 must have the resized shape ", want);
  return type_of(ctx.dtype(0), ctx.shape(1));
}

const OpBuilder resize_nearest_op =
    op<ResizeAttrs>("resize_nearest").arity(1).infer(nearest_type).vjp([](Ctx c) -> Values {
      // The sum over each cell's copies: their mean times their number.
      PoolAttrs a;
      a.pool = a.strides = c.attr<ResizeAttrs>().factors;
      const double copies = static_cast<double>(a.pool[0] * a.pool[1]);
      return {call("avg_pool2d", {c.g()}, a) * scalar(copies, c.g())};
    });
const OpBuilder resize_bilinear_op =
    op<ResizeAttrs>("resize_bilinear").arity(1).infer(bilinear_type).vjp([](Ctx c) -> Values {
      return {call("resize_bilinear_grad", {c.g(), c.x(0)}, c.node->attrs)};
    });
const OpBuilder resize_bilinear_grad_op =
    op<ResizeAttrs>("resize_bilinear_grad")
        .arity(2)
        .infer(bilinear_grad_type)
        .shape_only(1)
        .vjp([](Ctx c) -> Values { return {call("resize_bilinear", {c.g()}, c.node->attrs), Value()}; });

}  // namespace
}  // namespace pk
