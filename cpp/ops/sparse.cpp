// Sparse matrices. Each is four inputs in a row: data (n,), indices (n,) int32 and indptr (rows + 1,) int64,
// compressed rows as SciPy has them, and ~width (0, columns), which holds nothing and has the number of
// columns as its shape. n may be more than the elements: then batches with about as many share one plan.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

constexpr int kParts = 4;

// The shape of the matrix that begins at input i.
Shape matrix(const InferContext& ctx, int i) {
  for (int k = 0; k < 3; ++k) ctx.want_rank(i + k, 1);
  ctx.want_rank(i + 3, 2);
  if (ctx.dtype(i + 1) != DType::i32 || ctx.dtype(i + 2) != DType::i64)
    ctx.fail("a sparse matrix has int32 columns and int64 row bounds, got ", ctx.dtype(i + 1), " and ",
             ctx.dtype(i + 2));
  merge_dim(ctx, ctx.shape(i)[0], ctx.shape(i + 1)[0], "needs one column per element");
  const int64_t bounds = ctx.shape(i + 2)[0];
  if (bounds == 0) ctx.fail("a sparse matrix has one row bound more than rows, got none");
  return {bounds == kUnknown ? kUnknown : bounds - 1, ctx.shape(i + 3)[1]};
}

Types packed(DType dtype, int64_t size, int64_t rows) {
  return {{dtype, {size}}, {DType::i32, {size}}, {DType::i64, {plus(rows, 1)}}};
}

Types matmul_type(const InferContext& ctx) {
  const Shape x = matrix(ctx, 0);
  ctx.want_float(0);
  ctx.want_rank(4, 2);
  ctx.want_dtype(4, ctx.dtype(0));
  merge_dim(ctx, x[1], ctx.shape(4)[0], "the inner sizes differ");
  return type_of(ctx.dtype(0), {x[0], ctx.shape(4)[1]});
}

Types matmul_grad_type(const InferContext& ctx) {
  const Shape x = matrix(ctx, 0);
  ctx.want_float(0);
  ctx.want_rank(4, 2);
  ctx.want_dtype(4, ctx.dtype(0));
  merge_dim(ctx, x[0], ctx.shape(4)[0], "needs one gradient per row");
  return type_of(ctx.dtype(0), {x[1], ctx.shape(4)[1]});
}

Types concat_type(const InferContext& ctx) {
  const int64_t axis = ctx.attrs.as<AxisAttrs>().axis;
  const Shape x = matrix(ctx, 0), y = matrix(ctx, kParts);
  ctx.want_dtype(kParts, ctx.dtype(0));
  if (axis != 0 && axis != 1) ctx.fail("sparse matrices have the axes 0 and 1, got ", axis);
  const int other = axis == 0 ? 1 : 0;
  merge_dim(ctx, x[other], y[other], "matrices of ", x, " and ", y, " cannot be joined along axis ", axis);
  return packed(ctx.dtype(0), plus(ctx.shape(0)[0], ctx.shape(kParts)[0]),
                axis == 0 ? plus(x[0], y[0]) : merge_dim(ctx, x[0], y[0]));
}

Types rows_type(const InferContext& ctx) {
  ctx.want_rank(0, 2);
  ctx.want_rank(1, 1);
  want_indices(ctx, 1);
  const Shape& x = ctx.shape(0);
  const int64_t rows = merge_dim(ctx, x[0], ctx.shape(1)[0], "needs one length per row");
  return packed(ctx.dtype(0), times(rows, x[1]), rows);
}

constexpr const char* kFed = "the elements of sparse matrices are fed, and pass no gradient on";

// x · w
const OpBuilder matmul_op =
    op<>("sparse_matmul").arity(5).infer(matmul_type).shape_only(3).vjp([](Ctx c) -> Values {
      Values dx(kParts);
      dx.push_back(call("sparse_matmul_grad", {c.x(0), c.x(1), c.x(2), c.x(3), c.g()}));
      return dx;
    });
// xᵀ · g
const OpBuilder matmul_grad_op =
    op<>("sparse_matmul_grad").arity(5).infer(matmul_grad_type).shape_only(3).vjp([](Ctx c) -> Values {
      Values dx(kParts);
      dx.push_back(call("sparse_matmul", {c.x(0), c.x(1), c.x(2), c.x(3), c.g()}));
      return dx;
    });
const OpBuilder to_dense_op =
    op<>("sparse_to_dense")
        .arity(4)
        .infer([](const InferContext& ctx) { return type_of(ctx.dtype(0), matrix(ctx, 0)); })
        .shape_only(3)
        .no_grad(kFed);
// Two matrices → data, indices and indptr of the joined one.
const OpBuilder concat_op = op<AxisAttrs>("sparse_concat")
                                .arity(2 * kParts)
                                .outputs(3)
                                .infer(concat_type)
                                .shape_only(3)
                                .shape_only(kParts + 3)
                                .no_grad(kFed);
// x (rows, n) and how many elements at the beginning of each row count → data, indices and indptr.
const OpBuilder rows_op = op<>("sparse_rows").arity(2).outputs(3).infer(rows_type).no_grad(kFed);

}  // namespace
}  // namespace pk
