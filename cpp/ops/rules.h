// Shape rules that several families share. Private to cpp/ops.
#pragma once

#include <vector>

#include "graph/build.h"
#include "graph/op.h"
#include "kernels/geometry.h"

namespace pk {

using Types = std::vector<TensorType>;
using Values = std::vector<Value>;

inline Types type_of(DType dtype, const Shape& shape) { return {TensorType{dtype, shape}}; }

// Output like input 0.
inline Types like_input(const InferContext& ctx) { return {ctx.in[0]}; }
inline Types like_float_input(const InferContext& ctx) {
  ctx.want_float(0);
  return {ctx.in[0]};
}

// Dtype of input 0, shape of input I: gradients "back to the shape of ~x".
template <int I>
Types grad_like(const InferContext& ctx) {
  return type_of(ctx.dtype(0), ctx.shape(I));
}

// What is known of one size that two sources describe; fails with `what` when they disagree.
template <class... What>
int64_t merge_dim(const InferContext& ctx, int64_t a, int64_t b, What&&... what) {
  if (a == kUnknown) return b;
  if (b != kUnknown && a != b) ctx.fail(what..., ": ", a, " and ", b);
  return a;
}

// One shape that all inputs from `first` on describe; fails when two disagree.
inline Shape merged_shape(const InferContext& ctx, int first = 0) {
  Shape out = ctx.shape(first);
  for (int i = first + 1; i < ctx.n_in(); ++i) {
    const Shape& s = ctx.shape(i);
    if (!compatible(out, s)) ctx.fail("shapes must be equal, got ", ctx.shape(first), " and ", s);
    for (int d = 0; d < s.rank(); ++d)
      if (out[d] == kUnknown) out[d] = s[d];
  }
  return out;
}

// Can a tensor of shape `from` be repeated, as NumPy does, to fill `to`?
inline bool broadcasts_to(const Shape& from, const Shape& to) {
  const int extra = to.rank() - from.rank();
  if (extra < 0) return false;
  for (int i = 0; i < from.rank(); ++i) {
    const int64_t a = from[i], b = to[i + extra];
    if (a != b && a != 1 && a != kUnknown && b != kUnknown) return false;
  }
  return true;
}

inline void want_indices(const InferContext& ctx, int input) {
  const DType t = ctx.dtype(input);
  if (t != DType::i32 && t != DType::i64)
    ctx.fail("indices must be int32 or int64, got ", t, "; convert them with K.cast");
}

// Reduction axes must lie in the input, ascending, each once.
inline void check_axes(const InferContext& ctx, int input, const Ints& axes) {
  const int rank = ctx.shape(input).rank();
  for (int i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= rank)
      ctx.fail("axis ", axes[i], " is out of range for an input of ", rank, " dimensions");
    if (i && axes[i] <= axes[i - 1]) ctx.fail("axes must be ascending and each be named once");
  }
}

inline Shape reduced(const Shape& s, const Ints& axes, bool keepdims) {
  Shape out;
  for (int i = 0; i < s.rank(); ++i) {
    if (!axes.contains(i))
      out.push_back(s[i]);
    else if (keepdims)
      out.push_back(1);
  }
  return out;
}

// Sum of sizes; unknown when one of them is.
inline int64_t plus(int64_t a, int64_t b) { return a == kUnknown || b == kUnknown ? kUnknown : a + b; }
inline int64_t times(int64_t a, int64_t b) {
  if (a == 0 || b == 0) return 0;
  return a == kUnknown || b == kUnknown ? kUnknown : a * b;
}

// One number per axis of input 0.
inline void want_per_axis(const InferContext& ctx, const char* name, const Ints& v) {
  if (v.size() != ctx.shape(0).rank())
    ctx.fail("'", name, "' needs one number per dimension (", ctx.shape(0).rank(), "), got ", v.size());
}

inline Ints all_axes(int rank) {
  Ints axes;
  for (int i = 0; i < rank; ++i) axes.push_back(i);
  return axes;
}

// Unary and binary calls by name, for gradient rules.
inline Value equal(const Value& a, const Value& b) { return call("equal", {a, b}); }
inline Value less(const Value& a, const Value& b) { return call("less", {a, b}); }

}  // namespace pk
