// matmul, batch_matmul and dense on the CPU.
#include <algorithm>

#include "cpu/gemm.h"
#include "cpu/packed.h"
#include "kernels/table.h"

namespace pk::cpu {
namespace {

template <class T>
Gemm<T> product(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b) {
  Gemm<T> g;
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a;
  g.lda = trans_a ? m : k;
  g.trans_a = trans_a;
  g.b = b;
  g.ldb = trans_b ? k : n;
  g.trans_b = trans_b;
  g.c = c;
  g.ldc = n;
  return g;
}

// The product of a matmul or dense step; leading dimensions of a dense input count as rows.
template <class T>
Gemm<T> whole(const KernelArgs& a, bool trans_a, bool trans_b) {
  const Shape &x = a.in[0].shape(), &w = a.in[1].shape();
  const int64_t k = w[trans_b ? 1 : 0], n = w[trans_b ? 0 : 1];
  int64_t m = trans_a ? x[1] : 1;
  if (!trans_a)
    for (int i = 0; i + 1 < x.rank(); ++i) m *= x[i];
  return product(a.in[0].as<T>(), a.in[1].as<T>(), a.out[0].as<T>(), m, n, k, trans_a, trans_b);
}

template <class T>
Gemm<T> matmul_of(const KernelArgs& a) {
  const auto& t = a.attr<MatmulAttrs>();
  return whole<T>(a, t.trans_a, t.trans_b);
}
template <class T>
Gemm<T> dense_of(const KernelArgs& a) {
  const auto& t = a.attr<DenseAttrs>();
  Gemm<T> g = whole<T>(a, false, t.trans_b);
  g.bias = a.n_in > 2 ? a.in[2].as<T>() : nullptr;
  g.act = act_spec(t.act, t.alpha, t.beta);
  return g;
}

template <class T, Gemm<T> (*Of)(const KernelArgs&)>
Kernel product_kernel() {
  Kernel k;
  k.run = [](Context& ctx, const KernelArgs& a) {
    Gemm<T> g = Of(a);
    g.packed_b = unpack_header<T>(a.prepared);
    gemm(ctx.pool, g, a.workspace);
  };
  k.workspace = [](const Context&, const KernelArgs& a) {
    const Gemm<T> g = Of(a);
    return a.keeps_prepared ? 0 : gemm_workspace<T>(g.m, g.n, g.k, g.trans_a, g.trans_b);
  };
  // Where b is read in place anyway there is nothing to gain.
  k.prepare_input = 1;
  k.prepared_bytes = [](const KernelArgs& a) {
    const Gemm<T> g = Of(a);
    const size_t bytes = gemm_workspace<T>(g.m, g.n, g.k, g.trans_a, g.trans_b);
    return bytes ? bytes + kPackedHeader : 0;
  };
  k.prepare = [](Context& ctx, const KernelArgs& a, void* to) {
    const Gemm<T> g = Of(a);
    pack_b_whole(ctx.pool, g.b, g.ldb, g.trans_b, g.k, g.n, write_header<T>(to));
  };
  return k;
}

// How many matrices of a batch are multiplied at once, each by one task with room of its own for the packed
// b.
template <class T>
struct BatchPlan {
  int64_t batches = 1, m, n, k, at_once;
  size_t room;  // bytes of each, a multiple of 64

  explicit BatchPlan(const KernelArgs& a) {
    const auto& t = a.attr<MatmulAttrs>();
    const Shape &x = a.in[0].shape(), &w = a.in[1].shape();
    const int r = x.rank();
    for (int i = 0; i < r - 2; ++i) batches *= x[i];
    m = x[t.trans_a ? r - 1 : r - 2];
    k = x[t.trans_a ? r - 2 : r - 1];
    n = w[t.trans_b ? r - 2 : r - 1];
    room = (gemm_workspace<T>(m, n, k, t.trans_a, t.trans_b) + 63) / 64 * 64;
    constexpr size_t kMost = size_t{1} << 26;
    at_once = std::max<int64_t>(1, std::min(batches, room ? static_cast<int64_t>(kMost / room) : batches));
  }
};

template <class T>
void batch_matmul(Context& ctx, const KernelArgs& a) {
  const auto& t = a.attr<MatmulAttrs>();
  const BatchPlan<T> p(a);
  const auto run = [&](int64_t i, char* room) {
    const Gemm<T> g = product<T>(a.in[0].as<T>() + i * p.m * p.k, a.in[1].as<T>() + i * p.k * p.n,
                                 a.out[0].as<T>() + i * p.m * p.n, p.m, p.n, p.k, t.trans_a, t.trans_b);
    gemm(ctx.pool, g, room);
  };
  char* const room = static_cast<char*>(a.workspace);
  // A few large products are split themselves; many small ones are dealt out whole.
  if (p.batches < 2 * ctx.pool.size() || p.at_once < 2 * ctx.pool.size() ||
      p.batches * p.m * p.n * p.k < (1 << 20)) {
    for (int64_t i = 0; i < p.batches; ++i) run(i, room);
    return;
  }
  for (int64_t first = 0; first < p.batches; first += p.at_once)
    ctx.pool.for_each(std::min(p.at_once, p.batches - first), [&](int64_t i) {
      run(first + i, room ? room + static_cast<size_t>(i) * p.room : nullptr);
    });
}

template <class T>
Kernel batch_kernel() {
  Kernel k;
  k.run = batch_matmul<T>;
  k.workspace = [](const Context&, const KernelArgs& a) {
    const BatchPlan<T> p(a);
    return static_cast<size_t>(p.at_once) * p.room;
  };
  return k;
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  t.add("matmul", DType::f32, product_kernel<float, matmul_of<float>>());
  t.add("matmul", DType::f64, product_kernel<double, matmul_of<double>>());
  t.add("dense", DType::f32, product_kernel<float, dense_of<float>>());
  t.add("dense", DType::f64, product_kernel<double, dense_of<double>>());
  t.add("batch_matmul", DType::f32, batch_kernel<float>());
  t.add("batch_matmul", DType::f64, batch_kernel<double>());
});

}  // namespace
}  // namespace pk::cpu
