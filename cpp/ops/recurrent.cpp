// LSTM and GRU over a whole sequence. Each is defined here once more as a scan of simple ops, by
// which its gradient is differentiated and its kernels are tested.
//
// Time comes first: xp is the input product x·W + b for all steps, (T, B, gates·H), in Keras's order
// of gates. Where a mask is false a step keeps the state of the one before.
#include "graph/autodiff.h"
#include "graph/scan.h"
#include "ops/rules.h"

namespace pk {
namespace {

int n_gates(const InferContext& ctx) { return ctx.op.name.rfind("lstm", 0) == 0 ? 4 : 3; }

// Common checks; xp, u and h0 are inputs x, x + 1 and x + 2. Returns (T, B, H).
Shape sizes(const InferContext& ctx, int x) {
  const auto& a = ctx.attrs.as<RnnAttrs>();
  ctx.want_float(x);
  ctx.want_rank(x, 3);
  ctx.want_rank(x + 1, 2);
  ctx.want_rank(x + 2, 2);
  const int gates = n_gates(ctx);
  int64_t units =
      merge_dim(ctx, ctx.shape(x + 1)[0], ctx.shape(x + 2)[1], "the units of weights and state differ");
  merge_dim(ctx, ctx.shape(x + 1)[1], units == kUnknown ? kUnknown : gates * units,
            "the recurrent weights must have ", gates, " times as many columns as rows");
  merge_dim(ctx, ctx.shape(x)[2], ctx.shape(x + 1)[1], "the gates of input and recurrent weights differ");
  const int64_t batch =
      merge_dim(ctx, ctx.shape(x)[1], ctx.shape(x + 2)[0], "the batches of input and state differ");
  if (a.masked) {
    const int m = ctx.n_in() - 1;
    ctx.want_rank(m, 2);
    if (ctx.dtype(m) != DType::boolean) ctx.fail("the mask must be of dtype bool, got ", ctx.dtype(m));
    merge_dim(ctx, ctx.shape(m)[0], ctx.shape(x)[0], "the steps of mask and input differ");
    merge_dim(ctx, ctx.shape(m)[1], batch, "the batches of mask and input differ");
  }
  return {ctx.shape(x)[0], batch, units};
}

Shape with_last(Shape s, int64_t n) {
  s[s.rank() - 1] = n;
  return s;
}

void want_inputs(const InferContext& ctx, int n) {
  const auto& a = ctx.attrs.as<RnnAttrs>();
  const bool gru = n_gates(ctx) == 3;
  const int want = n + (gru && a.reset_after) + a.masked;
  if (ctx.n_in() != want) ctx.fail("takes ", want, " inputs with these attributes, got ", ctx.n_in());
}

// lstm(xp, u, h0, c0[, mask]) → h of all steps, last c[, c of all steps, gates i f g o after activation]
Types lstm_types(const InferContext& ctx) {
  want_inputs(ctx, 4);
  const Shape s = sizes(ctx, 0);
  const DType d = ctx.dtype(0);
  ctx.want_rank(3, 2);
  const Shape state{s[1], s[2]};
  Types out{{d, s}, {d, state}};
  if (ctx.attrs.as<RnnAttrs>().save) {
    out.push_back({d, s});
    out.push_back({d, with_last(s, ctx.shape(0)[2])});
  }
  return out;
}

// lstm_grad(dh, dc_last, xp, u, h0, c0, h, c, gates[, mask]) → dxp, du, dh0, dc0
Types lstm_grad_types(const InferContext& ctx) {
  want_inputs(ctx, 9);
  sizes(ctx, 2);
  return {ctx.in[2], ctx.in[3], ctx.in[4], ctx.in[5]};
}

// gru(xp, u, h0[, recurrent bias][, mask]) → h of all steps[, gates z r g after activation, and with
// reset_after the recurrent part of g before the reset]
Types gru_types(const InferContext& ctx) {
  want_inputs(ctx, 3);
  const auto& a = ctx.attrs.as<RnnAttrs>();
  const Shape s = sizes(ctx, 0);
  if (a.reset_after) {
    ctx.want_rank(3, 1);
    merge_dim(ctx, ctx.shape(3)[0], ctx.shape(1)[1], "the recurrent bias and the gates differ");
  }
  Types out{{ctx.dtype(0), s}};
  const int64_t saved = s[2] == kUnknown ? kUnknown : (a.reset_after ? 4 : 3) * s[2];
  if (a.save) out.push_back({ctx.dtype(0), with_last(s, saved)});
  return out;
}

// gru_grad(dh, xp, u, h0[, recurrent bias], h, gates[, mask]) → dxp, du, dh0[, dbias]
Types gru_grad_types(const InferContext& ctx) {
  want_inputs(ctx, 6);
  sizes(ctx, 1);
  Types out{ctx.in[1], ctx.in[2], ctx.in[3]};
  if (ctx.attrs.as<RnnAttrs>().reset_after) out.push_back(ctx.in[4]);
  return out;
}

Value or_zeros(const Value& g, const Value& like) { return g ? g : zeros_like(like); }

Values lstm_vjp(const VjpContext& c) {
  Values in{or_zeros(c.g(0), c.y(0)),
            or_zeros(c.g(1), c.y(1)),
            c.x(0),
            c.x(1),
            c.x(2),
            c.x(3),
            c.y(0),
            c.y(2),
            c.y(3)};
  if (c.attr<RnnAttrs>().masked) in.push_back(c.x(4));
  return call_all("lstm_grad", in, c.attr<RnnAttrs>());
}

Values gru_vjp(const VjpContext& c) {
  const auto& a = c.attr<RnnAttrs>();
  Values in{or_zeros(c.g(0), c.y(0)), c.x(0), c.x(1), c.x(2)};
  if (a.reset_after) in.push_back(c.x(3));
  in.push_back(c.y(0));
  in.push_back(c.y(1));
  if (a.masked) in.push_back(c.x(c.n_in() - 1));
  return call_all("gru_grad", in, a);
}

// ---- the same in simple ops

Value activated(Act act, const Value& x) {
  switch (act) {
    case Act::none:
      return x;
    case Act::relu:
      return call("relu", {x});
    case Act::sigmoid:
      return call("sigmoid", {x});
    case Act::tanh:
      return call("tanh", {x});
    case Act::hard_sigmoid:
      return call("hard_sigmoid", {x});
    case Act::softplus:
      return call("softplus", {x});
    case Act::softsign:
      return call("softsign", {x});
    case Act::exp:
      return call("exp", {x});
    case Act::elu: {
      AlphaAttrs a;
      a.alpha = 1;
      return call("elu", {x}, a);
    }
    case Act::leaky_relu:
    case Act::clip:
      break;
  }
  throw ValueError("this activation is not one of a recurrent op's");
}

// Columns [k·n, (k+1)·n) of a matrix.
Value columns(const Value& x, int64_t k, int64_t n, int64_t count = 1) {
  SliceAttrs s;
  s.begin = {0, k * n};
  s.end = {0, (k + count) * n};
  s.strides = {1, 1};
  s.begin_mask = {1, 0};
  s.end_mask = {1, 0};
  return call("slice", {x}, s);
}

Value join(const Values& parts) {
  AxisAttrs last;
  last.axis = 1;
  return call("concat", parts, last);
}

Value element(const Value& sequence) {
  Shape s = sequence.shape();
  s.erase(0);
  return make_placeholder({sequence.dtype(), s}, "element");
}

Value like(const Value& v) { return make_placeholder(v.type(), "state"); }

Value masked_or(const Value& mask, const Value& fresh, const Value& old) {
  if (!mask) return fresh;
  AxisAttrs last;
  last.axis = 1;
  return select(call("expand_dims", {mask}, last), fresh, old);
}

// Units, from whichever of weights and state tells.
int64_t units_of(const Value& u, const Value& h0, int64_t gates) {
  if (h0.shape()[1] != kUnknown) return h0.shape()[1];
  if (u.shape()[0] != kUnknown) return u.shape()[0];
  if (u.shape()[1] != kUnknown) return u.shape()[1] / gates;
  throw ValueError("the number of units must be known to differentiate a recurrent op twice");
}

// h of all steps, last c, c of all steps, gates.
Values lstm_as_scan(const RnnAttrs& a, const Value& xp, const Value& u, const Value& h0, const Value& c0,
                    const Value& mask) {
  const int64_t n = units_of(u, h0, 4);
  const Value h = like(h0), c = like(c0), x = element(xp), m = mask ? element(mask) : Value{};
  const Value z = x + call("matmul", {h, u}, MatmulAttrs{});
  const Value i = activated(a.rec_act, columns(z, 0, n)), f = activated(a.rec_act, columns(z, 1, n));
  const Value g = activated(a.act, columns(z, 2, n)), o = activated(a.rec_act, columns(z, 3, n));
  const Value new_c = f * c + i * g;
  const Value next_c = masked_or(m, new_c, c);
  const Value next_h = masked_or(m, o * activated(a.act, new_c), h);
  Values elements{x}, sequences{xp};
  if (mask) elements.push_back(m), sequences.push_back(mask);
  const Values r = make_scan({h, c}, elements, {next_h, next_c}, {next_h, next_c, join({i, f, g, o})},
                             {h0, c0}, sequences, a.reverse, current_scope(), h.node->id);
  return {r[2], r[1], r[3], r[4]};
}

// h of all steps, gates.
Values gru_as_scan(const RnnAttrs& a, const Value& xp, const Value& u, const Value& h0, const Value& bias,
                   const Value& mask) {
  const int64_t n = units_of(u, h0, 3);
  const Value h = like(h0), x = element(xp), m = mask ? element(mask) : Value{};
  Value z, r, g;
  Values gates;
  if (a.reset_after) {
    const Value p = call("matmul", {h, u}, MatmulAttrs{}) + bias;
    z = activated(a.rec_act, columns(x, 0, n) + columns(p, 0, n));
    r = activated(a.rec_act, columns(x, 1, n) + columns(p, 1, n));
    const Value pg = columns(p, 2, n);
    g = activated(a.act, columns(x, 2, n) + r * pg);
    gates = {z, r, g, pg};
  } else {
    const Value p = call("matmul", {h, columns(u, 0, n, 2)}, MatmulAttrs{});
    z = activated(a.rec_act, columns(x, 0, n) + columns(p, 0, n));
    r = activated(a.rec_act, columns(x, 1, n) + columns(p, 1, n));
    g = activated(a.act, columns(x, 2, n) + call("matmul", {r * h, columns(u, 2, n)}, MatmulAttrs{}));
    gates = {z, r, g};
  }
  const Value next = masked_or(m, z * h + (g - z * g), h);
  Values elements{x}, sequences{xp};
  if (mask) elements.push_back(m), sequences.push_back(mask);
  const Values out = make_scan({h}, elements, {next}, {next, join(gates)}, {h0}, sequences, a.reverse,
                               current_scope(), h.node->id);
  return {out[1], out[2]};
}

Value mask_of(const NodePtr& node) {
  return node->attrs.as<RnnAttrs>().masked ? node->inputs.back() : Value{};
}

Values lstm_decompose(const NodePtr& node) {
  const auto& in = node->inputs;
  return lstm_as_scan(node->attrs.as<RnnAttrs>(), in[0], in[1], in[2], in[3], mask_of(node));
}

Values lstm_grad_decompose(const NodePtr& node) {
  const auto& in = node->inputs;
  const Values y = lstm_as_scan(node->attrs.as<RnnAttrs>(), in[2], in[3], in[4], in[5], mask_of(node));
  Values g = gradients({y[0], y[1]}, {in[2], in[3], in[4], in[5]}, {in[0], in[1]});
  for (size_t i = 0; i < g.size(); ++i) g[i] = or_zeros(g[i], in[2 + i]);
  return g;
}

Values gru_decompose(const NodePtr& node) {
  const auto& in = node->inputs;
  const auto& a = node->attrs.as<RnnAttrs>();
  return gru_as_scan(a, in[0], in[1], in[2], a.reset_after ? in[3] : Value{}, mask_of(node));
}

Values gru_grad_decompose(const NodePtr& node) {
  const auto& in = node->inputs;
  const auto& a = node->attrs.as<RnnAttrs>();
  Values xs{in[1], in[2], in[3]};
  if (a.reset_after) xs.push_back(in[4]);
  const Values y = gru_as_scan(a, in[1], in[2], in[3], a.reset_after ? in[4] : Value{}, mask_of(node));
  Values g = gradients({y[0]}, xs, {in[0]});
  for (size_t i = 0; i < g.size(); ++i) g[i] = or_zeros(g[i], xs[i]);
  return g;
}

const OpBuilder lstm_op =
    op<RnnAttrs>("lstm").arity(4, 5).outputs(-1).infer(lstm_types).vjp(lstm_vjp).decompose(lstm_decompose);
const OpBuilder lstm_grad_op = op<RnnAttrs>("lstm_grad")
                                   .arity(9, 10)
                                   .outputs(4)
                                   .infer(lstm_grad_types)
                                   .symbolic(2)
                                   .decompose(lstm_grad_decompose);
const OpBuilder gru_op =
    op<RnnAttrs>("gru").arity(3, 5).outputs(-1).infer(gru_types).vjp(gru_vjp).decompose(gru_decompose);
const OpBuilder gru_grad_op = op<RnnAttrs>("gru_grad")
                                  .arity(6, 8)
                                  .outputs(-1)
                                  .infer(gru_grad_types)
                                  .symbolic(1)
                                  .decompose(gru_grad_decompose);

}  // namespace
}  // namespace pk
