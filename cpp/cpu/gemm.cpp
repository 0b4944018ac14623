#include "cpu/gemm.h"

#include <algorithm>

#include "cpu/gemm_block.h"

namespace pk::cpu {
namespace {

template <class T>
constexpr int64_t kPanelRound = 128 / int64_t(sizeof(T));  // columns of the widest ISA's panel

// Rows from which copying b into panels pays: below, it is read in place. In place also where its rows are so
// short that a block of them stays in the cache.
constexpr int64_t kInPlaceRows = 48;
constexpr int64_t kInPlaceBytes = 2048;

template <class T>
bool reads_in_place(int64_t m, int64_t n, bool trans_b) {
  return !trans_b && (m <= kInPlaceRows || n * int64_t(sizeof(T)) <= kInPlaceBytes);
}

// At most four rows: a read in place, several vectors of b at a time so that the chains of fma overlap.
template <class T>
void small_rows(const GemmKernels<T>& g, const Gemm<T>& x, int64_t j0, int64_t j1) {
  const int rows = static_cast<int>(x.m);
  TileArgs<T> t = {};
  t.nrun = 1;
  t.ldb = x.ldb;
  t.ldc = x.ldc;
  t.a_ks = x.lda;
  for (int64_t k0 = 0; k0 == 0 || k0 < x.k; k0 += kBlockK<T>) {
    t.run = std::min(kBlockK<T>, x.k - k0);
    const bool last = k0 + t.run == x.k;
    t.a = x.a + k0;
    t.add = k0 > 0;
    t.relu = last && x.act.act == 1;
    for (int64_t j = j0; j < j1;) {
      int wide = 3;  // log2 of the vectors
      while (wide > 0 && (!g.small[wide][rows] || (g.vl << wide) > j1 - j)) --wide;
      t.n = std::min<int64_t>(j1 - j, g.vl << wide);
      t.b = x.b + k0 * x.ldb + j;
      t.c = x.c + j;
      t.bias = last && x.bias ? x.bias + j : nullptr;
      (t.n < g.vl ? g.small_part[rows] : g.small[wide][rows])(t);
      j += t.n;
    }
  }
  if (x.act.act > 1) g.activate(x.c + j0, x.ldc, nullptr, rows, j1 - j0, x.act);
}

}  // namespace

template <class T>
size_t packed_b_bytes(int64_t k, int64_t n) {
  return static_cast<size_t>((n + kPanelRound<T> - 1) / kPanelRound<T> * kPanelRound<T> * k) * sizeof(T);
}

template <class T>
void pack_b_whole(ThreadPool& pool, const T* b, int64_t ldb, bool trans_b, int64_t k, int64_t n, T* to) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const int64_t panels = (n + g.nr - 1) / g.nr;
  if (k * n < (1 << 16)) return g.pack_b(b, ldb, trans_b, k, n, 0, panels, to, k, 0);
  pool.for_each(panels, [&](int64_t p) { g.pack_b(b, ldb, trans_b, k, n, p, p + 1, to, k, 0); });
}

template <class T>
size_t gemm_workspace(int64_t m, int64_t n, int64_t k, bool, bool trans_b) {
  return reads_in_place<T>(m, n, trans_b) ? 0 : packed_b_bytes<T>(k, n);
}

template <class T>
void gemm(ThreadPool& pool, const Gemm<T>& x, void* workspace) {
  if (x.m == 0 || x.n == 0) return;
  const GemmKernels<T>& g = gemm_kernels<T>();
  const int64_t work = x.m * x.n * std::max<int64_t>(x.k, 1);
  if (x.m <= 4 && !x.trans_a && !x.trans_b && !x.packed_b) {
    if (work < kSerialWork) return small_rows(g, x, 0, x.n);
    const int64_t wide = 8 * g.vl,
                  columns = std::max(wide, (1 << 18) / std::max<int64_t>(x.k, 1) / wide * wide);
    return pool.for_each((x.n + columns - 1) / columns,
                         [&](int64_t i) { small_rows(g, x, i * columns, std::min(x.n, (i + 1) * columns)); });
  }
  BSource<T> b;
  if (x.packed_b) {
    b = {x.packed_b, 0, true};
  } else if (reads_in_place<T>(x.m, x.n, x.trans_b)) {
    b = {x.b, x.ldb, false};
  } else {
    pack_b_whole(pool, x.b, x.ldb, x.trans_b, x.k, x.n, static_cast<T*>(workspace));
    b = {static_cast<const T*>(workspace), 0, true};
  }
  const Epilogue<T> epilogue{x.bias, x.act};
  const bool in_place = spreads<T>(x.lda);
  const auto fill = [&](int64_t i0, int64_t rows, int64_t k0, int64_t kc, T* to, TileArgs<T>& t) {
    t.a = to;
    t.a_ks = kMaxVl;
    if (x.trans_a) {
      g.pack_cols(x.a + k0 * x.lda + i0, x.lda, rows, kc, to);
      return Rows::columns;
    }
    if (in_place || rows == 1) {
      t.a = x.a + i0 * x.lda + k0;
      t.a_ks = x.lda;
      return Rows::strided;
    }
    g.pack_rows(x.a + i0 * x.lda + k0, x.lda, rows, kc, to);
    return Rows::packed;
  };
  const auto place = [&](int64_t i0, int64_t, TileArgs<T>& t) {
    t.c = x.c + i0 * x.ldc;
    t.ldc = x.ldc;
  };
  const int64_t panels = (x.n + g.nr - 1) / g.nr;
  // A block of b of this width stays in the second-level cache while the rows of a pass by.
  const BlockSplit split = split_work(pool.size(), x.m, panels, work, g.mr, std::max<int64_t>(512 / g.nr, 1));
  for_each_block(pool, split, x.m, panels, work, [&](int64_t m0, int64_t m1, int64_t p0, int64_t p1) {
    gemm_block(g, m0, m1, p0, p1, x.n, x.k, b, epilogue, fill, place);
  });
}

template size_t packed_b_bytes<float>(int64_t, int64_t);
template size_t packed_b_bytes<double>(int64_t, int64_t);
template void pack_b_whole(ThreadPool&, const float*, int64_t, bool, int64_t, int64_t, float*);
template void pack_b_whole(ThreadPool&, const double*, int64_t, bool, int64_t, int64_t, double*);
template size_t gemm_workspace<float>(int64_t, int64_t, int64_t, bool, bool);
template size_t gemm_workspace<double>(int64_t, int64_t, int64_t, bool, bool);
template void gemm(ThreadPool&, const Gemm<float>&, void*);
template void gemm(ThreadPool&, const Gemm<double>&, void*);

}  // namespace pk::cpu
