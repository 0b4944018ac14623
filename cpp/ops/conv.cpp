// Convolutions: data NHWC (n, h, w, channels), kernels HWIO (kh, kw, in, out), depthwise kernels
// (kh, kw, channels, multiplier). Correlation: the kernel is not flipped. Each op is bilinear, and
// the three of a family are each other's gradients.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

void check_attrs(const InferContext& ctx, const ConvAttrs& a) {
  for (const auto& [name, v] : {std::pair("strides", &a.strides), std::pair("dilation", &a.dilation)}) {
    if (v->size() != 2) ctx.fail("'", name, "' needs two numbers, got ", v->size());
    for (int64_t i : *v)
      if (i < 1) ctx.fail("'", name, "' must be at least 1, got ", i);
  }
  if (a.pads.size() != 4)
    ctx.fail("'pads' needs four numbers (top, bottom, left, right), got ", a.pads.size());
  for (int64_t i : a.pads)
    if (i < 0) ctx.fail("'pads' must not be negative, got ", i);
}

// Size of the output along one spatial axis (0: height, 1: width).
int64_t output_size(const InferContext& ctx, const ConvAttrs& a, int axis, int64_t n, int64_t kernel) {
  if (n == kUnknown || kernel == kUnknown) return kUnknown;
  if (kernel < 1) ctx.fail("the kernel has no cells: its size is ", kernel);
  const int64_t out = conv_window(a, axis, n, kernel).out;
  if (out < 1 && n > 0)
    ctx.fail("the input is too small: ", axis ? "width " : "height ", n, " for a kernel of ", kernel,
             a.dilation[axis] > 1 ? cat(" dilated by ", a.dilation[axis]) : "",
             "; pad the input, use padding='same' or a smaller kernel");
  return out;
}

// The output of x and k, with the checks; the channels of a depthwise output are in × multiplier.
Shape conv_output(const InferContext& ctx, const Shape& x, const Shape& k, bool depthwise) {
  const auto& a = ctx.attrs.as<ConvAttrs>();
  check_attrs(ctx, a);
  if (x.rank() != 4) ctx.fail("the input must have 4 dimensions (batch, height, width, channels), got ", x);
  if (k.rank() != 4) ctx.fail("the kernel must have 4 dimensions, got ", k);
  const int64_t channels = merge_dim(ctx, x[3], k[2], "the input's channels and the kernel's differ");
  return {x[0], output_size(ctx, a, 0, x[1], k[0]), output_size(ctx, a, 1, x[2], k[1]),
          depthwise ? times(channels, k[3]) : k[3]};
}

template <bool depthwise>
Types forward(const InferContext& ctx) {
  ctx.same_dtypes();
  ctx.want_float(0);
  return type_of(ctx.dtype(0), conv_output(ctx, ctx.shape(0), ctx.shape(1), depthwise));
}

// g must look like the output of x and k.
void check_gradient(const InferContext& ctx, const Shape& g, const Shape& x, const Shape& k, bool depthwise) {
  ctx.same_dtypes();
  ctx.want_float(0);
  const Shape want = conv_output(ctx, x, k, depthwise);
  if (!compatible(g, want))
    ctx.fail("the convolution of ", x, " with kernel ", k, " gives ", want, ", not ", g);
}

template <bool depthwise>
Types input_grad(const InferContext& ctx) {
  check_gradient(ctx, ctx.shape(0), ctx.shape(2), ctx.shape(1), depthwise);
  return type_of(ctx.dtype(0), ctx.shape(2));
}

template <bool depthwise>
Types kernel_grad(const InferContext& ctx) {
  check_gradient(ctx, ctx.shape(1), ctx.shape(0), ctx.shape(2), depthwise);
  return type_of(ctx.dtype(0), ctx.shape(2));
}

struct Names {
  const char *forward, *input_grad, *kernel_grad;
};
constexpr Names kConv{"conv2d", "conv2d_input_grad", "conv2d_kernel_grad"};
constexpr Names kDepthwise{"depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_kernel_grad"};

template <const Names& name>
Values forward_vjp(Ctx c) {
  const Value &x = c.x(0), &k = c.x(1);
  return {call(name.input_grad, {c.g(), k, x}, c.node->attrs),
          call(name.kernel_grad, {x, c.g(), k}, c.node->attrs)};
}
template <const Names& name>
Values input_grad_vjp(Ctx c) {
  const Value &g = c.x(0), &k = c.x(1);
  return {call(name.forward, {c.g(), k}, c.node->attrs), call(name.kernel_grad, {c.g(), g, k}, c.node->attrs),
          Value()};
}
template <const Names& name>
Values kernel_grad_vjp(Ctx c) {
  const Value &x = c.x(0), &g = c.x(1);
  return {call(name.input_grad, {g, c.g(), x}, c.node->attrs), call(name.forward, {x, c.g()}, c.node->attrs),
          Value()};
}

const OpBuilder conv2d_op =
    op<ConvAttrs>(kConv.forward).arity(2).infer(forward<false>).vjp(forward_vjp<kConv>);
const OpBuilder conv2d_input_grad_op = op<ConvAttrs>(kConv.input_grad)
                                           .arity(3)
                                           .infer(input_grad<false>)
                                           .shape_only(2)
                                           .vjp(input_grad_vjp<kConv>);
const OpBuilder conv2d_kernel_grad_op = op<ConvAttrs>(kConv.kernel_grad)
                                            .arity(3)
                                            .infer(kernel_grad<false>)
                                            .shape_only(2)
                                            .vjp(kernel_grad_vjp<kConv>);

const OpBuilder depthwise_op =
    op<ConvAttrs>(kDepthwise.forward).arity(2).infer(forward<true>).vjp(forward_vjp<kDepthwise>);
const OpBuilder depthwise_input_grad_op = op<ConvAttrs>(kDepthwise.input_grad)
                                              .arity(3)
                                              .infer(input_grad<true>)
                                              .shape_only(2)
                                              .vjp(input_grad_vjp<kDepthwise>);
const OpBuilder depthwise_kernel_grad_op = op<ConvAttrs>(kDepthwise.kernel_grad)
                                               .arity(3)
                                               .infer(kernel_grad<true>)
                                               .shape_only(2)
                                               .vjp(kernel_grad_vjp<kDepthwise>);

}  // namespace
}  // namespace pk
