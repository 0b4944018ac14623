#include "cpu/conv.h"

#include <algorithm>
#include <numeric>

#include "cpu/gemm.h"
#include "cpu/gemm_block.h"

namespace pk::cpu {
namespace {

// A kernel whose rows are short is read in place: a block of it stays in the cache.
template <class T>
bool reads_in_place(int64_t columns) {
  return columns * int64_t(sizeof(T)) <= 2048;
}

TapGrid forward_grid(const ConvShape& s) {
  return {s.h, s.w, s.c, s.oh, s.ow, s.sh, s.sw, -s.top, -s.left, s.kh, s.kw, s.dh, s.dw};
}

// Which of the direct kernels fits: neighbouring pixels' patches lie a few elements apart, so a tile's rows
// are displacements of one pointer and nothing is copied. -1: none.
template <class T>
int direct_index(const ConvShape& s) {
  if (sizeof(T) != 4 || s.dw != 1 || s.kh * s.kw * s.c > kBlockK<T>) return -1;
  for (int i = 0; i < kDirect; ++i)
    if (kDirectStrides[i] == s.sw * s.c) return i;
  return -1;
}

// Where the rows of a tile go: out + image*on + y*oy + x*ox for pixel (image, y, x) of the grid.
struct OutMap {
  int64_t on, oy, ox;
  bool dense;
};

template <class T>
void tap_conv(ThreadPool& pool, const TapGrid& grid, int64_t batch, const T* x, const BSource<T>& b,
              int64_t columns, const Epilogue<T>& epilogue, T* out, const OutMap& map) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const int64_t m = batch * grid.oh * grid.ow, k = grid.th * grid.tw * grid.c;
  if (m == 0 || columns == 0) return;
  const int64_t panels = (columns + g.nr - 1) / g.nr, work = m * columns * std::max<int64_t>(k, 1);
  const BlockSplit split = split_work(pool.size(), m, panels, work, g.mr, std::max<int64_t>(512 / g.nr, 1));
  for_each_block(pool, split, m, panels, work, [&](int64_t m0, int64_t m1, int64_t p0, int64_t p1) {
    int64_t offsets[kMaxMr];
    const auto fill = [&](int64_t i0, int64_t rows, int64_t k0, int64_t kc, T* to, TileArgs<T>& t) {
      t.a = to;
      if (kc > 0) pack_patches(x, grid, i0, rows, k0, kc, to, kRowStride<T>);
      return false;
    };
    const auto place = [&](int64_t i0, int64_t rows, TileArgs<T>& t) {
      if (map.dense) {
        t.c = out + i0 * columns;
        t.ldc = columns;
        return;
      }
      int64_t px = i0 % grid.ow, py = i0 / grid.ow % grid.oh, image = i0 / grid.ow / grid.oh;
      for (int64_t i = 0; i < rows; ++i) {
        offsets[i] = image * map.on + py * map.oy + px * map.ox;
        if (++px == grid.ow) {
          px = 0;
          if (++py == grid.oh) py = 0, ++image;
        }
      }
      t.c = out;
      t.c_off = offsets;
    };
    gemm_block(g, m0, m1, p0, p1, columns, k, b, epilogue, fill, place);
  });
}

// The direct path: tiles of mr neighbouring pixels of one output row; pixels that see the padding, and rows
// too short for a tile, are copied as elsewhere. The sums are the same chains of fma either way.
template <class T>
void direct_conv(ThreadPool& pool, const ConvShape& s, int direct, const T* x, const T* packed, const T* bias,
                 const ActSpec& act, T* y) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const TapGrid grid = forward_grid(s);
  const int64_t k = s.kh * s.kw * s.c, panels = (s.co + g.nr - 1) / g.nr, rows = s.n * s.oh;
  // Columns whose patches lie inside the image.
  const int64_t left = std::min(s.ow, (s.left + s.sw - 1) / s.sw);
  const int64_t room = s.w + s.left - s.kw;
  const int64_t right = std::max(left, room < 0 ? 0 : std::min(s.ow, room / s.sw + 1));
  const BSource<T> b{packed, 0, true};
  const Epilogue<T> epilogue{bias, act};
  const auto edge = [&](int64_t m0, int64_t m1) {
    gemm_block(
        g, m0, m1, 0, panels, s.co, k, b, epilogue,
        [&](int64_t i0, int64_t n, int64_t k0, int64_t kc, T* to, TileArgs<T>& t) {
          t.a = to;
          pack_patches(x, grid, i0, n, k0, kc, to, kRowStride<T>);
          return false;
        },
        [&](int64_t i0, int64_t, TileArgs<T>& t) {
          t.c = y + i0 * s.co;
          t.ldc = s.co;
        });
  };
  const auto run_rows = [&](int64_t r0, int64_t r1) {
    TileArgs<T> t = {};
    t.nrun = s.kh;
    t.run = s.kw * s.c;
    t.a_run = s.dh * s.w * s.c;
    t.ldc = s.co;
    t.relu = act.act == 1;
    int64_t pending = r0 * s.ow;  // pixels up to here are done
    for (int64_t r = r0; r < r1; ++r) {
      const int64_t image = r / s.oh, iy = r % s.oh * s.sh - s.top;
      if (right - left < g.mr || iy < 0 || iy + (s.kh - 1) * s.dh >= s.h) continue;
      if (pending < r * s.ow + left) edge(pending, r * s.ow + left);
      for (int64_t q = left; q < right; q += g.mr) {
        // The last tile of a row begins early rather than run short: some pixels are computed twice, alike.
        const int64_t px = std::min<int64_t>(q, right - g.mr);
        t.a = x + ((image * s.h + iy) * s.w + px * s.sw - s.left) * s.c;
        for (int64_t p = 0; p < panels; ++p) {
          const int64_t j0 = p * g.nr, w = std::min<int64_t>(g.nr, s.co - j0);
          const int vectors = w <= g.vl ? 1 : 2;
          t.b = packed + j0 * k;
          t.ldb = vectors * g.vl;
          t.b_run = t.run * t.ldb;
          t.c = y + (r * s.ow + px) * s.co + j0;
          t.n = w;
          t.bias = bias ? bias + j0 : nullptr;
          g.direct[direct][vectors - 1](t);
          if (act.act > 1) g.activate(t.c, t.ldc, nullptr, g.mr, w, act);
        }
      }
      pending = r * s.ow + right;
    }
    if (pending < r1 * s.ow) edge(pending, r1 * s.ow);
  };
  if (s.macs() < kSerialWork) return run_rows(0, rows);
  const int64_t per_task =
      std::max<int64_t>(1, std::max(rows / (8 * pool.size()), kSerialWork / 4 * rows / s.macs()));
  pool.for_each((rows + per_task - 1) / per_task,
                [&](int64_t i) { run_rows(i * per_task, std::min(rows, (i + 1) * per_task)); });
}

template <class T>
Gemm<T> pointwise_product(const ConvShape& s, const T* x, const T* k, T* y) {
  Gemm<T> g;
  g.m = s.n * s.h * s.w;
  g.n = s.co;
  g.k = s.c;
  g.a = x;
  g.lda = s.c;
  g.b = k;
  g.ldb = s.co;
  g.c = y;
  g.ldc = s.co;
  return g;
}

// One phase of the input gradient along one axis: the cells at `phase` modulo the stride see the taps
// first, first + step, …, first + (count-1)·step, the last of them on the lowest row of g.
struct Phase {
  int64_t cells, first, step, count, start, spacing;
};
Phase phase_of(int64_t phase, int64_t size, int64_t kernel, int64_t stride, int64_t dilation,
               int64_t before) {
  Phase p = {};
  p.cells = phase < size ? (size - phase + stride - 1) / stride : 0;
  p.step = stride / std::gcd(stride, dilation);
  p.spacing = p.step * dilation / stride;
  for (int64_t i = 0; i < std::min(kernel, p.step); ++i) {
    if ((phase + before - i * dilation) % stride != 0) continue;
    p.first = i;
    p.count = (kernel - i + p.step - 1) / p.step;
    p.start = (phase + before - (i + (p.count - 1) * p.step) * dilation) / stride;
    break;
  }
  return p;
}

}  // namespace

template <class T>
size_t conv_workspace(const ConvShape& s) {
  const int64_t k = s.kh * s.kw * s.c;
  if (s.is_matmul()) return gemm_workspace<T>(s.n * s.h * s.w, s.co, k, false, false);
  return direct_index<T>(s) < 0 && reads_in_place<T>(s.co) ? 0 : packed_b_bytes<T>(k, s.co);
}

template <class T>
void conv(ThreadPool& pool, const ConvShape& s, const T* x, const T* k, const T* packed_k, const T* bias,
          const ActSpec& act, T* y, void* workspace) {
  if (s.is_matmul()) {
    Gemm<T> g = pointwise_product(s, x, k, y);
    g.packed_b = packed_k;
    g.bias = bias;
    g.act = act;
    return gemm(pool, g, workspace);
  }
  const int64_t depth = s.kh * s.kw * s.c;
  const int direct = direct_index<T>(s);
  BSource<T> b{k, s.co, false};
  if (packed_k) {
    b = {packed_k, 0, true};
  } else if (direct >= 0 || !reads_in_place<T>(s.co)) {
    pack_b_whole(pool, k, s.co, false, depth, s.co, static_cast<T*>(workspace));
    b = {static_cast<const T*>(workspace), 0, true};
  }
  if (direct >= 0) return direct_conv(pool, s, direct, x, b.data, bias, act, y);
  tap_conv(pool, forward_grid(s), s.n, x, b, s.co, Epilogue<T>{bias, act}, y, OutMap{0, 0, 0, true});
}

template <class T>
size_t conv_input_grad_workspace(const ConvShape& s) {
  return packed_b_bytes<T>(s.kh * s.kw * s.co, s.c);
}

template <class T>
void conv_input_grad(ThreadPool& pool, const ConvShape& s, const T* grad, const T* k, T* dx,
                     void* workspace) {
  if (s.is_matmul()) {
    Gemm<T> x = pointwise_product(s, grad, k, dx);
    x.n = s.c;
    x.k = x.lda = x.ldb = s.co;
    x.trans_b = true;
    x.ldc = s.c;
    return gemm(pool, x, workspace);
  }
  const GemmKernels<T>& kernels = gemm_kernels<T>();
  const int64_t panels = (s.c + kernels.nr - 1) / kernels.nr;
  const int64_t panel_round = 128 / int64_t(sizeof(T)),
                room = (s.c + panel_round - 1) / panel_round * panel_round;
  T* to = static_cast<T*>(workspace);
  for (int64_t ph = 0; ph < s.sh; ++ph) {
    const Phase v = phase_of(ph, s.h, s.kh, s.sh, s.dh, s.top);
    for (int64_t pw = 0; pw < s.sw; ++pw) {
      const Phase u = phase_of(pw, s.w, s.kw, s.sw, s.dw, s.left);
      const int64_t taps = v.count * u.count, depth = taps * s.co;
      const auto pack = [&](int64_t task) {
        const int64_t tap = task % taps, p = task / taps;
        const int64_t i = v.first + (v.count - 1 - tap / u.count) * v.step;
        const int64_t j = u.first + (u.count - 1 - tap % u.count) * u.step;
        kernels.pack_b(k + (i * s.kw + j) * s.c * s.co, s.co, true, s.co, s.c, p, p + 1, to, depth,
                       tap * s.co);
      };
      if (depth * s.c < (1 << 16))
        for (int64_t t = 0; t < taps * panels; ++t) pack(t);
      else
        pool.for_each(taps * panels, pack);
      const TapGrid grid = {s.oh,    s.ow,    s.co,    v.cells, u.cells,   1,        1,
                            v.start, u.start, v.count, u.count, v.spacing, u.spacing};
      const OutMap map = {s.h * s.w * s.c, s.sh * s.w * s.c, s.sw * s.c, s.sh == 1 && s.sw == 1};
      tap_conv(pool, grid, s.n, grad, BSource<T>{to, 0, true}, s.c, Epilogue<T>{}, dx + (ph * s.w + pw) * s.c,
               map);
      to += depth * room;
    }
  }
}

template size_t conv_workspace<float>(const ConvShape&);
template size_t conv_workspace<double>(const ConvShape&);
template void conv(ThreadPool&, const ConvShape&, const float*, const float*, const float*, const float*,
                   const ActSpec&, float*, void*);
template void conv(ThreadPool&, const ConvShape&, const double*, const double*, const double*, const double*,
                   const ActSpec&, double*, void*);
template size_t conv_input_grad_workspace<float>(const ConvShape&);
template size_t conv_input_grad_workspace<double>(const ConvShape&);
template void conv_input_grad(ThreadPool&, const ConvShape&, const float*, const float*, float*, void*);
template void conv_input_grad(ThreadPool&, const ConvShape&, const double*, const double*, double*, void*);

}  // namespace pk::cpu
