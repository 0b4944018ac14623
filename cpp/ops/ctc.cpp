// Connectionist temporal classification: loss and decoding. Inputs are logarithms of probabilities, shape
// (batch, time, classes), whose last class is the blank; the lengths say how much of them counts.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

void want_lengths(const InferContext& ctx, int input, int64_t& batch) {
  ctx.want_rank(input, 1);
  want_indices(ctx, input);
  batch = merge_dim(ctx, batch, ctx.shape(input)[0], "needs one length per sample");
}

// The batch of log probabilities x(batch, time, classes) and lengths.
int64_t sequences(const InferContext& ctx, int x, int lengths) {
  ctx.want_rank(x, 3);
  int64_t batch = ctx.shape(x)[0];
  if (ctx.shape(x)[2] == 0) ctx.fail("needs classes, the last of which is the blank");
  want_lengths(ctx, lengths, batch);
  return batch;
}

// (log_probs, labels (batch, n), input_length, label_length)
int64_t loss_batch(const InferContext& ctx, int first) {
  int64_t batch = sequences(ctx, first, first + 2);
  ctx.want_rank(first + 1, 2);
  want_indices(ctx, first + 1);
  batch = merge_dim(ctx, batch, ctx.shape(first + 1)[0], "needs one row of labels per sample");
  want_lengths(ctx, first + 3, batch);
  return batch;
}

Types loss_type(const InferContext& ctx) {
  ctx.want_float(0);
  return type_of(ctx.dtype(0), {loss_batch(ctx, 0)});
}

Types loss_grad_type(const InferContext& ctx) {
  ctx.want_float(0);
  ctx.want_dtype(1, ctx.dtype(0));
  ctx.want_rank(0, 1);
  Shape out = ctx.shape(1);
  out[0] = merge_dim(ctx, ctx.shape(0)[0], loss_batch(ctx, 1), "needs one gradient per sample");
  return type_of(ctx.dtype(0), out);
}

Types greedy_type(const InferContext& ctx) {
  ctx.want_float(0);
  const int64_t batch = sequences(ctx, 0, 1);
  return {{DType::i64, {batch, ctx.shape(0)[1]}}, {ctx.dtype(0), {batch, 1}}};
}

Types beam_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<CtcBeamAttrs>();
  ctx.want_float(0);
  const int64_t batch = sequences(ctx, 0, 1);
  if (a.width < 1) ctx.fail("the beam must be at least 1 wide, got ", a.width);
  if (a.paths < 1 || a.paths > a.width)
    ctx.fail("the number of paths must be in [1, ", a.width, "], the width of the beam, got ", a.paths);
  Types types;
  for (int64_t i = 0; i < a.paths; ++i) types.push_back({DType::i64, {batch, ctx.shape(0)[1]}});
  types.push_back({ctx.dtype(0), {batch, a.paths}});
  return types;
}

// −log of the probability of the labels, summed over all ways to spread them over the frames; inf where
// there is none, with gradient 0.
const OpBuilder loss_op = op<>("ctc_loss").arity(4).infer(loss_type).vjp([](Ctx c) -> Values {
  return {call("ctc_loss_grad", {c.g(), c.x(0), c.x(1), c.x(2), c.x(3)}), Value(), Value(), Value()};
});
// (g, log_probs, labels, input_length, label_length)
const OpBuilder loss_grad_op = op<>("ctc_loss_grad")
                                   .arity(5)
                                   .infer(loss_grad_type)
                                   .grad_error("the CTC loss has first derivatives only");

constexpr const char* kChoice = "what it finds is a choice, not a quantity";

// → labels (batch, time), −1 behind the last one, and −Σ of the greatest log probabilities (batch, 1).
const OpBuilder greedy_op = op<>("ctc_greedy").arity(2).outputs(2).infer(greedy_type).no_grad(kChoice);
// → the likeliest label sequences, one output each as above, and their log probabilities (batch, paths).
const OpBuilder beam_op =
    op<CtcBeamAttrs>("ctc_beam_search").arity(2).outputs(-1).infer(beam_type).no_grad(kChoice);

}  // namespace
}  // namespace pk
