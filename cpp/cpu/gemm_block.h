// The loops around the matrix micro-kernels, shared by the matrix product and the convolutions, which differ
// only in how they fill a tile of A and where its rows go.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/thread_pool.h"
#include "cpu/gemm_types.h"

namespace pk::cpu {

// B as the kernels read it: packed in panels, or in place.
template <class T>
struct BSource {
  const T* data = nullptr;
  int64_t ld = 0;  // of the rows, in place
  bool packed = false;
};

template <class T>
struct Epilogue {
  const T* bias = nullptr;
  ActSpec act;
};

// Room for one packed tile of A in either layout: rows of kRowStride, or kBlockK columns of kMaxVl.
template <class T>
struct alignas(64) TileBuffer {
  static constexpr int64_t kSize = std::max<int64_t>(kMaxMr * kRowStride<T>, kBlockK<T>* kMaxVl);
  T data[kSize];
};

// c(rows [m0, m1), panels [p0, p1) of n columns) = A·B over all k.
// fill(i0, rows, k0, kc, buffer, t): sets t.a (and t.a_ks), copying the tile to the buffer if need be;
// returns whether it is in columns. place(i0, rows, t): sets t.c, t.ldc, t.c_off for column 0.
template <class T, class Fill, class Place>
void gemm_block(const GemmKernels<T>& g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, int64_t n, int64_t k,
                const BSource<T>& b, const Epilogue<T>& epilogue, Fill&& fill, Place&& place) {
  TileBuffer<T> buffer;
  const int64_t nr = g.nr, vl = g.vl;
  TileArgs<T> t = {};
  t.nrun = 1;
  for (int64_t k0 = 0; k0 == 0 || k0 < k; k0 += kBlockK<T>) {
    const int64_t kc = std::min(kBlockK<T>, k - k0);
    const bool last = k0 + kc == k;
    t.run = kc;
    t.add = k0 > 0;
    t.relu = last && epilogue.act.act == 1;
    for (int64_t i0 = m0; i0 < m1; i0 += g.mr) {
      const int64_t rows = std::min<int64_t>(g.mr, m1 - i0);
      const Rows layout = fill(i0, rows, k0, kc, buffer.data, t);
      const auto& tiles = layout == Rows::strided ? g.strided : layout == Rows::columns ? g.col : g.row;
      place(i0, rows, t);
      T* const c = t.c;
      for (int64_t p = p0; p < p1; ++p) {
        const int64_t j0 = p * nr, w = std::min(nr, n - j0);
        const int vectors = w <= vl ? 1 : 2;
        bool masked = false;
        if (b.packed) {
          t.ldb = vectors * vl;
          t.b = b.data + j0 * k + k0 * t.ldb;
        } else {
          t.ldb = b.ld;
          t.b = b.data + k0 * b.ld + j0;
          masked = w % vl != 0;
        }
        t.c = c + j0;
        t.n = w;
        t.bias = last && epilogue.bias ? epilogue.bias + j0 : nullptr;
        tiles[masked][vectors - 1][rows](t);
        if (last && epilogue.act.act > 1) g.activate(t.c, t.ldc, t.c_off, rows, w, epilogue.act);
      }
    }
  }
}

// How the rows and panels of a product are dealt out. A task's size matters for speed alone: no result
// depends on it.
struct BlockSplit {
  int64_t rows, panels;            // of one task
  int64_t row_tasks, panel_tasks;  // how many
};

// Work below this many multiply-adds is done by the caller: waking a thread costs about as much.
constexpr int64_t kSerialWork = 1 << 20;

inline BlockSplit split_work(int threads, int64_t m, int64_t panels, int64_t work, int mr,
                             int64_t max_panels) {
  int64_t row_tiles = std::max<int64_t>((m + mr - 1) / mr, 1);
  int64_t rt = std::min<int64_t>(row_tiles, std::max<int64_t>(112 / mr, 1));
  int64_t pt = std::min(panels, max_panels);
  const auto tasks = [&] { return ((row_tiles + rt - 1) / rt) * ((panels + pt - 1) / pt); };
  if (threads == 1 || work < kSerialWork) {
    rt = row_tiles;
  } else {
    // Enough tasks that the last ones to finish do not leave the others waiting, of not too little work each.
    const int64_t wanted = std::min<int64_t>(4 * threads, work / (kSerialWork / 4));
    while (tasks() < wanted && rt > 2) rt = (rt + 1) / 2;
    while (tasks() < wanted && pt > 1) pt = (pt + 1) / 2;
    while (tasks() < wanted && rt > 1) rt = (rt + 1) / 2;
  }
  return {rt * mr, pt, (row_tiles + rt - 1) / rt, (panels + pt - 1) / pt};
}

// run(m0, m1, p0, p1) for every task; neighbours share panels of b. Serially where there is one thread's
// work.
template <class F>
void for_each_block(ThreadPool& pool, const BlockSplit& s, int64_t m, int64_t panels, int64_t work, F&& run) {
  const int64_t tasks = s.row_tasks * s.panel_tasks;
  const auto one = [&](int64_t task) {
    const int64_t p = task / s.row_tasks, r = task % s.row_tasks;
    run(r * s.rows, std::min(m, (r + 1) * s.rows), p * s.panels, std::min(panels, (p + 1) * s.panels));
  };
  if (work < kSerialWork)
    for (int64_t t = 0; t < tasks; ++t) one(t);
  else
    pool.for_each(tasks, one);
}

}  // namespace pk::cpu
