// Reductions and running sums and products along an axis.
#include "ops/rules.h"

namespace pk {
namespace {

Types reduce_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<ReduceAttrs>();
  check_axes(ctx, 0, a.axes);
  return type_of(ctx.dtype(0), reduced(ctx.shape(0), a.axes, a.keepdims));
}

Types number_reduce(const InferContext& ctx) {
  if (ctx.dtype(0) == DType::boolean) ctx.fail("needs numbers, got bool; convert it with K.cast");
  return reduce_type(ctx);
}

Types float_reduce(const InferContext& ctx) {
  ctx.want_float(0);
  return reduce_type(ctx);
}

Types bool_reduce(const InferContext& ctx) {
  if (ctx.dtype(0) != DType::boolean) ctx.fail("needs a bool input, got ", ctx.dtype(0));
  return reduce_type(ctx);
}

Types extremum_reduce(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<ReduceAttrs>();
  const Types out = number_reduce(ctx);
  for (int64_t axis : a.axes)
    if (ctx.shape(0)[static_cast<int>(axis)] == 0) ctx.fail("axis ", axis, " is empty and has no extremum");
  return out;
}

Types arg_type(const InferContext& ctx) {
  const int64_t axis = ctx.axis(0, ctx.attrs.as<AxisAttrs>().axis);
  if (ctx.shape(0)[static_cast<int>(axis)] == 0) ctx.fail("axis ", axis, " is empty and has no extremum");
  Shape s = ctx.shape(0);
  s.erase(static_cast<int>(axis));
  return type_of(DType::i64, s);
}

Types cumulative_type(const InferContext& ctx) {
  ctx.axis(0, ctx.attrs.as<CumAttrs>().axis);
  if (ctx.dtype(0) == DType::boolean) ctx.fail("needs numbers, got bool; convert it with K.cast");
  return {ctx.in[0]};
}

Types scan_type(const InferContext& ctx) {
  ctx.same_dtypes();
  ctx.want_float(0);
  ctx.axis(0, ctx.attrs.as<CumAttrs>().axis);
  return type_of(ctx.dtype(0), merged_shape(ctx));
}

// Moves x by one along an axis, towards its end or its start; zeros come in.
Value shift(const Value& x, int64_t axis, bool towards_end) {
  const int at = static_cast<int>(normal_axis(axis, x.rank()));
  PadAttrs pad, crop;
  for (int i = 0; i < x.rank(); ++i) {
    pad.before.push_back(0);
    pad.after.push_back(0);
  }
  crop = pad;
  (towards_end ? pad.before : pad.after)[at] = 1;
  (towards_end ? crop.after : crop.before)[at] = 1;
  return call("crop", {call("pad", {x}, pad)}, crop);
}

Value cumulative(const char* name, const Value& x, int64_t axis, bool exclusive, bool reverse) {
  CumAttrs a;
  a.axis = axis;
  a.exclusive = exclusive;
  a.reverse = reverse;
  return call(name, {x}, a);
}

// y_k = a_k · y_(k-1) + b_k along the axis, from its end if reverse.
Value linear_scan(const Value& a, const Value& b, int64_t axis, bool reverse) {
  CumAttrs attrs;
  attrs.axis = axis;
  attrs.reverse = reverse;
  return call("linear_scan", {a, b}, attrs);
}

using Ctx = const VjpContext&;

// Each element's derivative is the product of all others, right also where some are zero: running
// products from both ends, over the reduced axes brought to the back and made one.
Values prod_vjp(Ctx c) {
  const auto& a = c.attr<ReduceAttrs>();
  const Value& x = c.x(0);
  const Value g = broadcast_like(c.g(), x, a.axes);
  if (a.axes.size() == 0) return {g};
  PermAttrs there, back;
  for (int i = 0; i < x.rank(); ++i)
    if (!a.axes.contains(i)) there.perm.push_back(i);
  AxisAttrs last;
  last.axis = there.perm.size();
  for (int64_t i : a.axes) there.perm.push_back(i);
  back.perm = there.perm;
  for (int i = 0; i < x.rank(); ++i) back.perm[static_cast<int>(there.perm[i])] = i;
  const Value moved = call("transpose", {x}, there);
  const Value flat = call("flatten_from", {moved}, last);
  const Value others = cumulative("cumprod", flat, last.axis, true, false) *
                       cumulative("cumprod", flat, last.axis, true, true);
  return {g * call("transpose", {call("reshape_like", {others, moved})}, back)};
}

// Shared equally among the elements that attain the extremum.
Values extremum_vjp(Ctx c) {
  const auto& a = c.attr<ReduceAttrs>();
  const Value& x = c.x(0);
  const Value hit = cast(equal(x, broadcast_like(c.y(), x, a.axes)), x.dtype());
  const Value share = c.g() / sum(hit, a.axes, a.keepdims);
  return {hit * broadcast_like(share, x, a.axes)};
}

// With P the running product before k, dx_k = P_k · S_k and S_k = g_k + x_(k+1) · S_(k+1): no
// division, so zeros are no trouble. Exclusive: output k+1 is the first that holds x_k.
Values cumprod_vjp(Ctx c) {
  const auto& a = c.attr<CumAttrs>();
  const Value before = cumulative("cumprod", c.x(0), a.axis, true, a.reverse);
  const Value next_x = shift(c.x(0), a.axis, a.reverse);
  const Value g = a.exclusive ? shift(c.g(), a.axis, a.reverse) : c.g();
  return {before * linear_scan(next_x, g, a.axis, !a.reverse)};
}

// The adjoint runs the other way: λ_k = g_k + a_(k+1) · λ_(k+1); db = λ, da_k = λ_k · y_(k-1).
Values linear_scan_vjp(Ctx c) {
  const auto& a = c.attr<CumAttrs>();
  const Value lambda = linear_scan(shift(c.x(0), a.axis, a.reverse), c.g(), a.axis, !a.reverse);
  return {lambda * shift(c.y(), a.axis, !a.reverse), lambda};
}

constexpr const char* kIndex = "the output is a position, not a quantity";
constexpr const char* kBool = "the output is not a number";

const OpBuilder sum_op = op<ReduceAttrs>("sum").arity(1).infer(number_reduce).vjp([](Ctx c) -> Values {
  return {broadcast_like(c.g(), c.x(0), c.attr<ReduceAttrs>().axes)};
});
const OpBuilder mean_op = op<ReduceAttrs>("mean").arity(1).infer(float_reduce).vjp([](Ctx c) -> Values {
  AxisSizeAttrs n;
  n.axes = c.attr<ReduceAttrs>().axes;
  n.dtype = c.g().dtype();
  return {broadcast_like(c.g() / call("axis_size", {c.x(0)}, n), c.x(0), n.axes)};
});
const OpBuilder prod_op = op<ReduceAttrs>("prod").arity(1).infer(number_reduce).vjp(prod_vjp);
const OpBuilder max_op = op<ReduceAttrs>("max").arity(1).infer(extremum_reduce).vjp(extremum_vjp);
const OpBuilder min_op = op<ReduceAttrs>("min").arity(1).infer(extremum_reduce).vjp(extremum_vjp);
const OpBuilder any_op = op<ReduceAttrs>("any").arity(1).infer(bool_reduce).no_grad(kBool);
const OpBuilder all_op = op<ReduceAttrs>("all").arity(1).infer(bool_reduce).no_grad(kBool);
const OpBuilder argmax_op = op<AxisAttrs>("argmax").arity(1).infer(arg_type).no_grad(kIndex);
const OpBuilder argmin_op = op<AxisAttrs>("argmin").arity(1).infer(arg_type).no_grad(kIndex);

const OpBuilder cumsum_op = op<CumAttrs>("cumsum").arity(1).infer(cumulative_type).vjp([](Ctx c) -> Values {
  const auto& a = c.attr<CumAttrs>();
  return {cumulative("cumsum", c.g(), a.axis, a.exclusive, !a.reverse)};
});
const OpBuilder cumprod_op = op<CumAttrs>("cumprod").arity(1).infer(cumulative_type).vjp(cumprod_vjp);
const OpBuilder linear_scan_op = op<CumAttrs>("linear_scan").arity(2).infer(scan_type).vjp(linear_scan_vjp);

}  // namespace
}  // namespace pk
