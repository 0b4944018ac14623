// Matrix products.
#include "ops/rules.h"

namespace pk {
namespace {

using Ctx = const VjpContext&;

Types matmul_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<MatmulAttrs>();
  ctx.same_dtypes();
  ctx.want_float(0);
  ctx.want_rank(0, 2);
  ctx.want_rank(1, 2);
  const Shape &x = ctx.shape(0), &w = ctx.shape(1);
  merge_dim(ctx, x[a.trans_a ? 0 : 1], w[a.trans_b ? 1 : 0], "the inner sizes differ");
  return type_of(ctx.dtype(0), {x[a.trans_a ? 1 : 0], w[a.trans_b ? 0 : 1]});
}

Types batch_matmul_type(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<MatmulAttrs>();
  ctx.same_dtypes();
  ctx.want_float(0);
  const Shape &x = ctx.shape(0), &w = ctx.shape(1);
  const int r = x.rank();
  if (r < 2 || w.rank() != r) ctx.fail("inputs must have equal ranks of at least 2, got ", x, " and ", w);
  Shape out;
  for (int i = 0; i < r - 2; ++i)
    out.push_back(merge_dim(ctx, x[i], w[i], "the leading sizes of axis ", i, " differ"));
  merge_dim(ctx, x[a.trans_a ? r - 2 : r - 1], w[a.trans_b ? r - 1 : r - 2], "the inner sizes differ");
  out.push_back(x[a.trans_a ? r - 1 : r - 2]);
  out.push_back(w[a.trans_b ? r - 2 : r - 1]);
  return type_of(ctx.dtype(0), out);
}

// C = op(A) op(B): the gradients are products again, of C's with the other factor.
Values matmul_vjp(Ctx c) {
  const auto& t = c.attr<MatmulAttrs>();
  const std::string& name = c.node->op->name;
  const auto product = [&](const Value& a, const Value& b, bool trans_a, bool trans_b) {
    MatmulAttrs m;
    m.trans_a = trans_a;
    m.trans_b = trans_b;
    return call(name, {a, b}, m);
  };
  const Value &a = c.x(0), &b = c.x(1), &g = c.g();
  return {t.trans_a ? product(b, g, t.trans_b, true) : product(g, b, false, !t.trans_b),
          t.trans_b ? product(g, a, true, t.trans_a) : product(a, g, !t.trans_a, false)};
}

const OpBuilder matmul_op = op<MatmulAttrs>("matmul").arity(2).infer(matmul_type).vjp(matmul_vjp);
const OpBuilder batch_matmul_op =
    op<MatmulAttrs>("batch_matmul").arity(2).infer(batch_matmul_type).vjp(matmul_vjp);

}  // namespace
}  // namespace pk
