// Convolutions: data NHWC (n, h, w, channels), kernels HWIO (kh, kw, in, out), depthwise kernels
// (kh, kw, channels, multiplier); of volumes: NDHWC and DHWIO. Correlation: the kernel is not flipped. Each
// op is bilinear, and the three of a family are each other's gradients.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

// What the shape rules of a family need to know.
struct Kind {
  int axes;  // 2: images, 3: volumes
  bool depthwise;
};
constexpr const char* kAxes[] = {"depth", "height", "width"};

void check_attrs(const InferContext& ctx, const ConvAttrs& a, int axes) {
  const char* count = axes == 2 ? "two" : "three";
  for (const auto& [name, v] : {std::pair("strides", &a.strides), std::pair("dilation", &a.dilation)}) {
    if (v->size() != axes) ctx.fail("'", name, "' needs ", count, " numbers, got ", v->size());
    for (int64_t i : *v)
      if (i < 1) ctx.fail("'", name, "' must be at least 1, got ", i);
  }
  if (a.pads.size() != 2 * axes)
    ctx.fail("'pads' needs ", axes == 2 ? "four numbers (" : "six numbers (front, back, ",
             "top, bottom, left, right), got ", a.pads.size());
  for (int64_t i : a.pads)
    if (i < 0) ctx.fail("'pads' must not be negative, got ", i);
}

// Size of the output along spatial axis `axis` of `axes`.
int64_t output_size(const InferContext& ctx, const ConvAttrs& a, int axis, int axes, int64_t n,
                    int64_t kernel) {
  if (n == kUnknown || kernel == kUnknown) return kUnknown;
  if (kernel < 1) ctx.fail("the kernel has no cells: its size is ", kernel);
  const int64_t out = conv_window(a, axis, n, kernel).out;
  if (out < 1 && n > 0)
    ctx.fail("the input is too small: ", kAxes[3 - axes + axis], " ", n, " for a kernel of ", kernel,
             a.dilation[axis] > 1 ? cat(" dilated by ", a.dilation[axis]) : "",
             "; pad the input, use padding='same' or a smaller kernel");
  return out;
}

// The output of x and k, with the checks; the channels of a depthwise output are in × multiplier.
Shape conv_output(const InferContext& ctx, const Shape& x, const Shape& k, const Kind& kind) {
  const auto& a = ctx.attrs.as<ConvAttrs>();
  const int axes = kind.axes;
  check_attrs(ctx, a, axes);
  if (x.rank() != axes + 2)
    ctx.fail("the input must have ", axes + 2, " dimensions (batch, ", axes == 3 ? "depth, " : "",
             "height, width, channels), got ", x);
  if (k.rank() != axes + 2) ctx.fail("the kernel must have ", axes + 2, " dimensions, got ", k);
  const int64_t channels = merge_dim(ctx, x.back(), k[axes], "the input's channels and the kernel's differ");
  Shape out = x;
  for (int i = 0; i < axes; ++i) out[i + 1] = output_size(ctx, a, i, axes, x[i + 1], k[i]);
  out[axes + 1] = kind.depthwise ? times(channels, k.back()) : k.back();
  return out;
}

struct Family {
  Kind kind;
  const char *forward, *input_grad, *kernel_grad;
};
constexpr Family kConv2D{{2, false}, "conv2d", "conv2d_input_grad", "conv2d_kernel_grad"};
constexpr Family kConv3D{{3, false}, "conv3d", "conv3d_input_grad", "conv3d_kernel_grad"};
constexpr Family kDepthwise{
    {2, true}, "depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_kernel_grad"};

template <const Family& family>
Types forward(const InferContext& ctx) {
  ctx.same_dtypes();
  ctx.want_float(0);
  return type_of(ctx.dtype(0), conv_output(ctx, ctx.shape(0), ctx.shape(1), family.kind));
}

// g must look like the output of x and k.
void check_gradient(const InferContext& ctx, const Shape& g, const Shape& x, const Shape& k,
                    const Kind& kind) {
  ctx.same_dtypes();
  ctx.want_float(0);
  const Shape want = conv_output(ctx, x, k, kind);
  if (!compatible(g, want))
    ctx.fail("the convolution of ", x, " with kernel ", k, " gives ", want, ", not ", g);
}

template <const Family& family>
Types input_grad(const InferContext& ctx) {
  check_gradient(ctx, ctx.shape(0), ctx.shape(2), ctx.shape(1), family.kind);
  return type_of(ctx.dtype(0), ctx.shape(2));
}

template <const Family& family>
Types kernel_grad(const InferContext& ctx) {
  check_gradient(ctx, ctx.shape(1), ctx.shape(0), ctx.shape(2), family.kind);
  return type_of(ctx.dtype(0), ctx.shape(2));
}

template <const Family& family>
Values forward_vjp(Ctx c) {
  const Value &x = c.x(0), &k = c.x(1);
  return {call(family.input_grad, {c.g(), k, x}, c.node->attrs),
          call(family.kernel_grad, {x, c.g(), k}, c.node->attrs)};
}
template <const Family& family>
Values input_grad_vjp(Ctx c) {
  const Value &g = c.x(0), &k = c.x(1);
  return {call(family.forward, {c.g(), k}, c.node->attrs),
          call(family.kernel_grad, {c.g(), g, k}, c.node->attrs), Value()};
}
template <const Family& family>
Values kernel_grad_vjp(Ctx c) {
  const Value &x = c.x(0), &g = c.x(1);
  return {call(family.input_grad, {g, c.g(), x}, c.node->attrs),
          call(family.forward, {x, c.g()}, c.node->attrs), Value()};
}

template <const Family& family, class A>
bool add_family() {
  op<A>(family.forward).arity(2).infer(forward<family>).vjp(forward_vjp<family>);
  op<A>(family.input_grad).arity(3).infer(input_grad<family>).shape_only(2).vjp(input_grad_vjp<family>);
  op<A>(family.kernel_grad).arity(3).infer(kernel_grad<family>).shape_only(2).vjp(kernel_grad_vjp<family>);
  return true;
}
[[maybe_unused]] const bool added = add_family<kConv2D, ConvAttrs>() && add_family<kConv3D, Conv3DAttrs>() &&
                                    add_family<kDepthwise, ConvAttrs>();

}  // namespace
}  // namespace pk
