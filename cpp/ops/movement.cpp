// Ops that move elements without computing with them (tile and repeat gradients add them up).
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

// --- reshaping: the same elements in the same order, so no kernel runs

int64_t known_product(const Shape& s, int* unknowns) {
  int64_t n = 1;
  *unknowns = 0;
  for (int64_t d : s) {
    if (d == kUnknown)
      ++*unknowns;
    else
      n *= d;
  }
  return n;
}

// The wanted dimensions: those of a shape tensor that is known by now, else the attribute.
Types reshape_type(const InferContext& ctx) {
  const Ints& attr = ctx.attrs.as<ShapeAttrs>().shape;
  Shape want(attr.begin(), attr.end());
  bool open = false;  // a shape tensor will say what the -1 are
  if (ctx.n_in() == 2) {
    ctx.want_rank(1, 1);
    if (ctx.dtype(1) != DType::i32 && ctx.dtype(1) != DType::i64)
      ctx.fail("the shape must be int32 or int64, got ", ctx.dtype(1));
    const int64_t rank = ctx.shape(1)[0];
    if (const auto dims = ctx.integers(1)) {
      want = Shape(*dims);
      for (int i = 0; i < std::min(attr.size(), want.rank()); ++i)
        if (attr[i] >= 0 && want[i] >= 0 && attr[i] != want[i])
          ctx.fail("stated to be of shape ", Shape(attr.begin(), attr.end()), ", got ", want);
    } else {
      open = true;
      if (want.rank() == 0) {
        if (rank == kUnknown) ctx.fail("the rank of the result must be known");
        for (int64_t i = 0; i < rank; ++i) want.push_back(kUnknown);
      } else if (rank != kUnknown && rank != want.rank()) {
        ctx.fail("the shape tensor has ", rank, " entries, the attribute ", want.rank());
      }
    }
  }
  int in_unknown = 0, out_unknown = 0;
  const int64_t in_size = known_product(ctx.shape(0), &in_unknown);
  const int64_t out_size = known_product(want, &out_unknown);
  for (int64_t d : want)
    if (d < kUnknown) ctx.fail("dimensions must be -1 or more, got ", d);
  if (!open && out_unknown > 1) ctx.fail("at most one dimension of the new shape may be -1, got ", want);
  if (in_unknown) return type_of(ctx.dtype(0), want);
  if (out_unknown == 0 && in_size != out_size)
    ctx.fail("cannot reshape ", in_size, " elements of shape ", ctx.shape(0), " into shape ", want);
  if (out_unknown == 1) {
    if (out_size == 0 ? in_size != 0 : in_size % out_size != 0)
      ctx.fail("cannot reshape ", in_size, " elements of shape ", ctx.shape(0), " into shape ", want);
    for (int i = 0; i < want.rank(); ++i)
      if (want[i] == kUnknown) want[i] = out_size ? in_size / out_size : 0;
  }
  return type_of(ctx.dtype(0), want);
}

Types reshape_like_type(const InferContext& ctx) {
  const Shape &x = ctx.shape(0), &ref = ctx.shape(1);
  if (x.known() && ref.known() && x.size() != ref.size())
    ctx.fail("cannot reshape ", x.size(), " elements of shape ", x, " into shape ", ref);
  return type_of(ctx.dtype(0), ref);
}

Types flatten_type(const InferContext& ctx) {
  const int64_t axis = ctx.attrs.as<AxisAttrs>().axis;
  const Shape& x = ctx.shape(0);
  if (axis < 0 || axis > x.rank())
    ctx.fail("axis ", axis, " is out of range for an input of ", x.rank(), " dimensions");
  Shape out(x.begin(), x.begin() + axis);
  int64_t last = 1;
  for (int i = static_cast<int>(axis); i < x.rank(); ++i) last = times(last, x[i]);
  out.push_back(last);
  return type_of(ctx.dtype(0), out);
}

Types expand_type(const InferContext& ctx) {
  const int64_t given = ctx.attrs.as<AxisAttrs>().axis;
  const int rank = ctx.shape(0).rank();
  const int64_t axis = normal_axis(given, rank + 1);
  if (axis < 0 || axis > rank)
    ctx.fail("axis ", given, " is out of range for a result of ", rank + 1, " dimensions");
  Shape out = ctx.shape(0);
  out.insert(static_cast<int>(axis), 1);
  return type_of(ctx.dtype(0), out);
}

Types squeeze_type(const InferContext& ctx) {
  const int axis = static_cast<int>(ctx.axis(0, ctx.attrs.as<AxisAttrs>().axis));
  Shape out = ctx.shape(0);
  if (out[axis] != 1 && out[axis] != kUnknown)
    ctx.fail("axis ", axis, " has size ", out[axis], ", not 1: cannot squeeze it");
  out.erase(axis);
  return type_of(ctx.dtype(0), out);
}

Values back_to_input(Ctx c) {
  Values out(c.node->inputs.size());
  out[0] = call("reshape_like", {c.g(), c.x(0)});
  return out;
}

const OpBuilder reshape_op =
    op<ShapeAttrs>("reshape").arity(1, 2).infer(reshape_type).may_alias(0).vjp(back_to_input);
const OpBuilder reshape_like_op =
    op<>("reshape_like").arity(2).infer(reshape_like_type).may_alias(0).shape_only(1).vjp(back_to_input);
const OpBuilder flatten_from_op =
    op<AxisAttrs>("flatten_from").arity(1).infer(flatten_type).may_alias(0).vjp(back_to_input);
const OpBuilder expand_dims_op =
    op<AxisAttrs>("expand_dims").arity(1).infer(expand_type).may_alias(0).vjp(back_to_input);
const OpBuilder squeeze_op =
    op<AxisAttrs>("squeeze").arity(1).infer(squeeze_type).may_alias(0).vjp(back_to_input);

// --- permuting, repeating

Types transpose_type(const InferContext& ctx) {
  const Ints& perm = ctx.attrs.as<PermAttrs>().perm;
  want_per_axis(ctx, "perm", perm);
  Shape out = ctx.shape(0);
  for (int i = 0; i < perm.size(); ++i) {
    if (!perm.contains(i)) ctx.fail("'perm' must name every axis from 0 to ", perm.size() - 1, " once");
    out[i] = ctx.shape(0)[static_cast<int>(perm[i])];
  }
  return type_of(ctx.dtype(0), out);
}

// -1 keeps the input's own size on that axis.
Types broadcast_to_type(const InferContext& ctx) {
  const Ints& shape = ctx.attrs.as<ShapeAttrs>().shape;
  const Shape& x = ctx.shape(0);
  Shape out(shape.begin(), shape.end());
  const int extra = out.rank() - x.rank();
  for (int i = 0; i < out.rank(); ++i)
    if (out[i] == kUnknown) {
      if (i < extra) ctx.fail("a new leading dimension needs a size, got -1");
      out[i] = x[i - extra];
    }
  if (!broadcasts_to(x, out)) ctx.fail("shape ", x, " does not broadcast to ", out);
  return type_of(ctx.dtype(0), out);
}

Types tile_type(const InferContext& ctx) {
  const Ints& reps = ctx.attrs.as<TileAttrs>().reps;
  want_per_axis(ctx, "reps", reps);
  Shape out = ctx.shape(0);
  for (int i = 0; i < out.rank(); ++i) {
    if (reps[i] < 0) ctx.fail("repetitions must not be negative, got ", reps[i]);
    out[i] = times(out[i], reps[i]);
  }
  return type_of(ctx.dtype(0), out);
}

Types repeat_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<RepeatAttrs>();
  const int axis = static_cast<int>(ctx.axis(0, a.axis));
  if (a.n < 0) ctx.fail("repetitions must not be negative, got ", a.n);
  Shape out = ctx.shape(0);
  out[axis] = times(out[axis], a.n);
  return type_of(ctx.dtype(0), out);
}

const OpBuilder transpose_op =
    op<PermAttrs>("transpose").arity(1).infer(transpose_type).vjp([](Ctx c) -> Values {
      const Ints& perm = c.attr<PermAttrs>().perm;
      PermAttrs back;
      back.perm = perm;
      for (int i = 0; i < perm.size(); ++i) back.perm[static_cast<int>(perm[i])] = i;
      return {call("transpose", {c.g()}, back)};
    });
const OpBuilder broadcast_to_op =
    op<ShapeAttrs>("broadcast_to").arity(1).infer(broadcast_to_type).vjp([](Ctx c) -> Values {
      return {sum_to_like(c.g(), c.x(0))};
    });
const OpBuilder tile_op = op<TileAttrs>("tile").arity(1).infer(tile_type).vjp(
    [](Ctx c) -> Values { return {call("tile_grad", {c.g(), c.x(0)}, c.node->attrs)}; });
const OpBuilder tile_grad_op =
    op<TileAttrs>("tile_grad").arity(2).infer(grad_like<1>).shape_only(1).vjp([](Ctx c) -> Values {
      return {call("tile", {c.g()}, c.node->attrs), Value()};
    });
const OpBuilder repeat_op = op<RepeatAttrs>("repeat").arity(1).infer(repeat_type).vjp([](Ctx c) -> Values {
  return {call("repeat_grad", {c.g(), c.x(0)}, c.node->attrs)};
});
const OpBuilder repeat_grad_op =
    op<RepeatAttrs>("repeat_grad").arity(2).infer(grad_like<1>).shape_only(1).vjp([](Ctx c) -> Values {
      return {call("repeat", {c.g()}, c.node->attrs), Value()};
    });
const OpBuilder reverse_op =
    op<AxesAttrs>("reverse")
        .arity(1)
        .infer([](const InferContext& ctx) {
          check_axes(ctx, 0, ctx.attrs.as<AxesAttrs>().axes);
          return like_input(ctx);
        })
        .vjp([](Ctx c) -> Values { return {call("reverse", {c.g()}, c.node->attrs)}; });

// --- joining and cutting

Types concat_type(const InferContext& ctx) {
  ctx.same_dtypes();
  const int axis = static_cast<int>(ctx.axis(0, ctx.attrs.as<AxisAttrs>().axis));
  Shape out = ctx.shape(0);
  for (int i = 1; i < ctx.n_in(); ++i) {
    const Shape& s = ctx.shape(i);
    if (s.rank() != out.rank()) ctx.fail("inputs must have equal ranks, got ", ctx.shape(0), " and ", s);
    for (int d = 0; d < out.rank(); ++d)
      out[d] = d == axis ? plus(out[d], s[d]) : merge_dim(ctx, out[d], s[d], "sizes of axis ", d, " differ");
  }
  return type_of(ctx.dtype(0), out);
}

Types concat_part_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<ConcatPartAttrs>();
  if (a.index < 0 || a.index + 1 >= ctx.n_in()) ctx.fail("there is no part ", a.index);
  const int part = static_cast<int>(a.index) + 1, axis = static_cast<int>(ctx.axis(0, a.axis));
  if (ctx.shape(part).rank() != ctx.shape(0).rank()) ctx.fail("inputs must have equal ranks");
  Shape out = ctx.shape(part);
  for (int d = 0; d < out.rank(); ++d)
    if (d != axis) out[d] = merge_dim(ctx, out[d], ctx.shape(0)[d], "sizes of axis ", d, " differ");
  return type_of(ctx.dtype(0), out);
}

// The bounds are those of a tensor, which specialising turns into attributes, or the attributes.
Types slice_type(const InferContext& ctx) {
  SliceAttrs a = ctx.attrs.as<SliceAttrs>();
  for (const Ints* v : {&a.begin, &a.end, &a.strides, &a.begin_mask, &a.end_mask})
    want_per_axis(ctx, "begin, end, strides, begin_mask, end_mask", *v);
  Shape out = ctx.shape(0);
  bool open = false;  // the bounds are not known yet
  if (ctx.n_in() == 2) {
    if (ctx.dtype(1) != DType::i64 || ctx.shape(1) != Shape{2 * out.rank()})
      ctx.fail("the bounds must be ", 2 * out.rank(), " numbers of int64");
    if (const auto bounds = ctx.integers(1))
      a = with_bounds(a, *bounds);
    else
      open = true;
  }
  for (int i = 0; i < out.rank(); ++i) {
    if (a.strides[i] == 0) ctx.fail("the stride of axis ", i, " is 0");
    const bool whole = a.begin_mask[i] && a.end_mask[i] && (a.strides[i] == 1 || a.strides[i] == -1);
    if (out[i] != kUnknown && !whole && !open)
      out[i] = slice_range(a, i, out[i]).count;
    else if (!whole)
      out[i] = kUnknown;
  }
  return type_of(ctx.dtype(0), out);
}

Types pad_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<PadAttrs>();
  want_per_axis(ctx, "before", a.before);
  want_per_axis(ctx, "after", a.after);
  Shape out = ctx.shape(0);
  for (int i = 0; i < out.rank(); ++i) {
    if (a.before[i] < 0 || a.after[i] < 0)
      ctx.fail("padding must not be negative, got ", a.before[i], " and ", a.after[i]);
    out[i] = plus(out[i], a.before[i] + a.after[i]);
  }
  return type_of(ctx.dtype(0), out);
}

Types crop_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<PadAttrs>();
  want_per_axis(ctx, "before", a.before);
  want_per_axis(ctx, "after", a.after);
  Shape out = ctx.shape(0);
  for (int i = 0; i < out.rank(); ++i) {
    if (a.before[i] < 0 || a.after[i] < 0)
      ctx.fail("cropping must not be negative, got ", a.before[i], " and ", a.after[i]);
    if (out[i] == kUnknown) continue;
    out[i] -= a.before[i] + a.after[i];
    if (out[i] < 0) ctx.fail("cannot crop ", a.before[i], " + ", a.after[i], " elements from axis ", i);
  }
  return type_of(ctx.dtype(0), out);
}

const OpBuilder concat_op = op<AxisAttrs>("concat").arity(1, -1).infer(concat_type).vjp([](Ctx c) -> Values {
  Values parts{c.g()}, out;
  parts.insert(parts.end(), c.node->inputs.begin(), c.node->inputs.end());
  ConcatPartAttrs a;
  a.axis = c.attr<AxisAttrs>().axis;
  for (int i = 0; i < c.n_in(); ++i) {
    a.index = i;
    out.push_back(call("concat_part", parts, a));
  }
  return out;
});
const OpBuilder concat_part_op =
    op<ConcatPartAttrs>("concat_part")
        .arity(2, -1)
        .infer(concat_part_type)
        .shape_only_from(1)
        .vjp([](Ctx c) -> Values {
          const auto& a = c.attr<ConcatPartAttrs>();
          Values parts;
          for (int i = 1; i < c.n_in(); ++i)
            parts.push_back(i == a.index + 1 ? c.g() : cast(zeros_like(c.x(i)), c.g().dtype()));
          AxisAttrs axis;
          axis.axis = a.axis;
          Values out(static_cast<size_t>(c.n_in()));
          out[0] = call("concat", parts, axis);
          return out;
        });
const OpBuilder slice_op = op<SliceAttrs>("slice").arity(1, 2).infer(slice_type).vjp([](Ctx c) -> Values {
  Values in = c.node->inputs, out(in.size());
  in.insert(in.begin(), c.g());
  out[0] = call("slice_grad", in, c.node->attrs);
  return out;
});
const OpBuilder slice_grad_op =
    op<SliceAttrs>("slice_grad").arity(2, 3).infer(grad_like<1>).shape_only(1).vjp([](Ctx c) -> Values {
      Values in = c.node->inputs, out(in.size());
      in.erase(in.begin());
      in[0] = c.g();
      out[0] = call("slice", in, c.node->attrs);
      return out;
    });
const OpBuilder pad_op = op<PadAttrs>("pad").arity(1).infer(pad_type).vjp(
    [](Ctx c) -> Values { return {call("crop", {c.g()}, c.node->attrs)}; });
const OpBuilder crop_op = op<PadAttrs>("crop").arity(1).infer(crop_type).vjp([](Ctx c) -> Values {
  PadAttrs a = c.attr<PadAttrs>();
  a.value = 0;
  return {call("pad", {c.g()}, a)};
});

}  // namespace
}  // namespace pk
