// Products of sparse matrices in compressed rows. (Making and joining them costs nothing beside it: that is
// left to the plain kernels.)
#include "kernels/sparse.h"

#include "cpu/copy.h"
#include "cpu/parallel.h"
#include "cpu/sparse_types.h"

namespace pk::cpu {
namespace {

template <class T>
SparseProduct<T> product_of(const Csr<T>& x, const KernelArgs& a) {
  return {x.data, x.indices, x.indptr, a.in[4].as<T>(), a.out[0].as<T>(), a.out[0].shape()[1]};
}

// (data, indices, indptr, ~width, w (columns, n)) → (rows, n)
template <class T>
void matmul(Context& ctx, const KernelArgs& a) {
  const Csr<T> x = csr<T>(a, "sparse_matmul");
  const SparseProduct<T> p = product_of(x, a);
  if (x.rows == 0 || p.n == 0) return;
  const auto rows = PK_PICK_T(T, sparse_product);
  parallel(ctx, Split(x.rows, (x.indptr[x.rows] / x.rows + 1) * p.n), x.rows,
           [&](int64_t begin, int64_t end, int64_t) { rows(p, begin, end); });
}

// (data, indices, indptr, ~width, g (rows, n)) → (columns, n). A task takes some columns of g through all
// elements: every sum has one order, however many tasks there are.
template <class T>
void matmul_grad(Context& ctx, const KernelArgs& a) {
  const Csr<T> x = csr<T>(a, "sparse_matmul_grad");
  const SparseProduct<T> p = product_of(x, a);
  fill_zero(ctx, p.out, a.out[0].type.bytes());
  if (p.n == 0) return;
  const auto columns = PK_PICK_T(T, sparse_transposed);
  constexpr int64_t kLine = 64 / sizeof(T);  // of memory: no two tasks write to one
  Split split(p.n, x.indptr[x.rows], kLine);
  if (split.tasks > 8) {  // each task reads all places
    split.step = ((p.n + 7) / 8 + kLine - 1) / kLine * kLine;
    split.tasks = (p.n + split.step - 1) / split.step;
  }
  parallel(ctx, split, p.n, [&](int64_t begin, int64_t end, int64_t) { columns(p, x.rows, begin, end); });
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  t.add("sparse_matmul", DType::f32, matmul<float>);
  t.add("sparse_matmul", DType::f64, matmul<double>);
  t.add("sparse_matmul_grad", DType::f32, matmul_grad<float>);
  t.add("sparse_matmul_grad", DType::f64, matmul_grad<double>);
});

}  // namespace
}  // namespace pk::cpu
