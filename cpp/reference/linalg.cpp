// Matrix products: three loops.
#include "reference/common.h"

namespace pk::reference {
namespace {

// c(m, n) = op(a)(m, k) · op(b)(k, n), row major.
template <class T>
void product(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      T acc = 0;
      for (int64_t p = 0; p < k; ++p)
        acc += (trans_a ? a[p * m + i] : a[i * k + p]) * (trans_b ? b[j * k + p] : b[p * n + j]);
      c[i * n + j] = acc;
    }
}

// matmul, and batch_matmul over all leading indices.
template <class T>
void matmul(Context&, const KernelArgs& a) {
  const auto& t = a.attr<MatmulAttrs>();
  const Shape &x = a.in[0].shape(), &y = a.out[0].shape();
  const int r = x.rank();
  const int64_t m = y[r - 2], n = y[r - 1], k = t.trans_a ? x[r - 2] : x[r - 1];
  int64_t batches = 1;
  for (int i = 0; i < r - 2; ++i) batches *= x[i];
  for (int64_t b = 0; b < batches; ++b)
    product(a.in[0].as<T>() + b * m * k, a.in[1].as<T>() + b * k * n, a.out[0].as<T>() + b * m * n, m, n, k,
            t.trans_a, t.trans_b);
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "matmul", matmul);
  PK_ADD_FLOATS(t, "batch_matmul", matmul);
});

}  // namespace
}  // namespace pk::reference
