// Ops that only rewrite passes make, out of several simpler ones.
#include "ops/rules.h"

namespace pk {
namespace {

constexpr const char* kLate = "made after differentiation";

Types program_type(const InferContext& ctx) {
  const auto& program = ctx.attrs.as<PointwiseProgram>();
  Shape shape;
  for (int i = 0; i < ctx.n_in(); ++i) shape = broadcast_shapes(shape, ctx.shape(i));
  Types out;
  for (const DType t : program.output_dtypes) out.push_back({t, shape});
  return out;
}

// The bias, input 2, has one number per output channel.
void check_bias(const InferContext& ctx, int64_t channels) {
  if (ctx.n_in() < 3) return;
  ctx.want_rank(2, 1);
  merge_dim(ctx, ctx.shape(2)[0], channels, "the bias and the output channels differ");
}

// act(x(…, k) · w + b).
Types dense_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<DenseAttrs>();
  ctx.same_dtypes();
  ctx.want_float(0);
  ctx.want_rank(1, 2);
  const Shape &x = ctx.shape(0), &w = ctx.shape(1);
  if (x.rank() < 1) ctx.fail("the input must not be a scalar");
  merge_dim(ctx, x.back(), w[a.trans_b ? 1 : 0], "the inner sizes differ");
  Shape out = x;
  out[out.rank() - 1] = w[a.trans_b ? 0 : 1];
  check_bias(ctx, out.back());
  return type_of(ctx.dtype(0), out);
}

// The convolution's own rule, and the bias.
Types fused_conv_type(const InferContext& ctx, const char* conv) {
  const Types parts{ctx.in[0], ctx.in[1]};
  const std::vector<const HostTensor*> known{nullptr, nullptr};
  const InferContext plain{get_op(conv), parts, ctx.attrs, ctx.scope, known};
  Types out = plain.op.infer(plain);
  check_bias(ctx, out[0].shape.back());
  return out;
}

const OpBuilder fused_pointwise_op = op<PointwiseProgram>("fused_pointwise")
                                         .arity(1, -1)
                                         .outputs(-1)
                                         .infer(program_type)
                                         .no_grad(kLate)
                                         .in_place();
const OpBuilder dense_op = op<DenseAttrs>("dense").arity(2, 3).infer(dense_type).no_grad(kLate);
const OpBuilder conv2d_fused_op =
    op<ConvAttrs>("conv2d_fused")
        .arity(2, 3)
        .infer([](const InferContext& ctx) { return fused_conv_type(ctx, "conv2d"); })
        .no_grad(kLate);
const OpBuilder conv3d_fused_op =
    op<Conv3DAttrs>("conv3d_fused")
        .arity(2, 3)
        .infer([](const InferContext& ctx) { return fused_conv_type(ctx, "conv3d"); })
        .no_grad(kLate);

}  // namespace
}  // namespace pk
