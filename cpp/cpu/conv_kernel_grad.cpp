// Kernel gradient: dk(tap, c, co) = sum over pixels of x(pixel + tap, c) * g(pixel, co), a product whose long
// side, the pixels, is summed. Both operands are read where they lie.
#include <algorithm>
#include <utility>

#include "cpu/conv.h"
#include "cpu/gemm_block.h"
#include "cpu/winograd.h"

namespace pk::cpu {
namespace {

// Pixels per pass: the rows of x and g that they cover stay in the second-level cache while all tiles pass
// by.
constexpr int64_t kGroupPixels = 384;

// Below this many channels a tile of one tap would be too low: patches are gathered then.
constexpr int64_t kFewChannels = 8;
constexpr int64_t kPatchRoom = 16384;  // values of a block of patches, on the stack

bool gathers_patches(const ConvShape& s) {
  return s.c < kFewChannels && s.taps() > 1 && s.taps() * s.c <= kPatchRoom / 16;
}

// Parts whose sums are joined in order, so that few-channel gradients (a small product over many pixels) can
// use several threads: their number depends on the shape alone.
int64_t patch_parts(const ConvShape& s) {
  return std::min<int64_t>(std::max<int64_t>(s.macs() >> 20, 1), 16);
}

// Output positions along one axis whose input cell under tap `i` lies inside the image.
struct Range {
  int64_t begin, end;
};
Range inside(int64_t out, int64_t size, int64_t stride, int64_t offset) {
  const int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int64_t end = size - offset <= 0 ? 0 : (size - offset - 1) / stride + 1;
  return {std::min(begin, out), std::max(std::min(begin, out), std::min(end, out))};
}

template <class T>
void channel_tiles(ThreadPool& pool, const ConvShape& s, const T* x, const T* grad, T* dk) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  // A single output channel would fill one lane: then x takes the part of g, and g that of x.
  const bool swapped = s.co == 1;
  const int64_t columns = swapped ? s.c : s.co;
  const int64_t low = swapped ? 1 : (s.c + g.mr - 1) / g.mr;  // tiles over the channels, of even heights
  const int64_t panels = (columns + g.nr - 1) / g.nr, tiles = s.taps() * low * panels;
  const bool flat = s.is_matmul();
  const int64_t pixels = s.pixels();
  // A group is a band of rows of one plane, or a few small planes of one image.
  const int64_t group_rows = std::min(s.oh, std::max<int64_t>(1, (kGroupPixels + s.ow - 1) / s.ow));
  const int64_t group_planes =
      group_rows < s.oh ? 1 : std::clamp<int64_t>(kGroupPixels / (s.oh * s.ow), 1, s.od);
  const int64_t bands = (s.oh + group_rows - 1) / group_rows;
  const int64_t per_image = bands * ((s.od + group_planes - 1) / group_planes);
  const int64_t groups = flat ? (pixels + kGroupPixels - 1) / kGroupPixels : s.n * per_image;
  const auto run = [&](int64_t t0, int64_t t1) {
    TileArgs<T> t = {};
    t.ldb = s.co;
    t.ldc = s.co;
    t.a_ks = s.sw * s.c;
    t.a_run = s.sh * s.w * s.c;
    t.b_run = s.ow * s.co;
    t.a_plane = s.sd * s.h * s.w * s.c;
    t.b_plane = s.oh * s.ow * s.co;
    if (swapped) {
      std::swap(t.a_ks, t.ldb);
      std::swap(t.a_run, t.b_run);
      std::swap(t.a_plane, t.b_plane);
    }
    for (int64_t group = 0; group < groups; ++group) {
      t.add = group > 0;
      for (int64_t tile = t0; tile < t1; ++tile) {
        const int64_t panel = tile % panels, part = tile / panels % low, tap = tile / panels / low;
        const int64_t c0 = s.c * part / low, rows = swapped ? 1 : s.c * (part + 1) / low - c0;
        const int64_t j0 = panel * g.nr;
        if (flat) {
          const int64_t first = group * kGroupPixels;
          t.nrun = 1;
          t.run = std::min(kGroupPixels, pixels - first);
          t.a = x + first * s.c + c0;
          t.b = grad + first * s.co;
        } else {
          const int64_t image = group / per_image;
          const int64_t z0 = group % per_image / bands * group_planes, y0 = group % bands * group_rows;
          const int64_t dz = tap / s.kw / s.kh * s.dd - s.front, dy = tap / s.kw % s.kh * s.dh - s.top;
          const int64_t dx = tap % s.kw * s.dw - s.left;
          const Range q = inside(s.od, s.d, s.sd, dz), v = inside(s.oh, s.h, s.sh, dy),
                      u = inside(s.ow, s.w, s.sw, dx);
          const int64_t za = std::max(q.begin, z0), zb = std::min(q.end, std::min(s.od, z0 + group_planes));
          const int64_t ya = std::max(v.begin, y0), yb = std::min(v.end, std::min(s.oh, y0 + group_rows));
          t.planes = std::max<int64_t>(zb - za, 0);
          t.nrun = std::max<int64_t>(yb - ya, 0);
          t.run = u.end - u.begin;
          if (t.planes == 0 || t.nrun == 0 || t.run == 0) {
            if (t.add) continue;
            t.planes = 0;
            t.a = x;
            t.b = grad;
          } else {
            const int64_t plane = image * s.d + za * s.sd + dz;
            t.a = x + ((plane * s.h + ya * s.sh + dy) * s.w + u.begin * s.sw + dx) * s.c + c0;
            t.b = grad + (((image * s.od + za) * s.oh + ya) * s.ow + u.begin) * s.co;
          }
        }
        if (swapped) std::swap(t.a, t.b);
        t.b += j0;
        t.c = dk + (tap * s.c + c0) * s.co + j0;
        t.n = std::min<int64_t>(g.nr, columns - j0);
        g.col[t.n % g.vl != 0][t.n <= g.vl ? 0 : 1][rows](t);
      }
    }
  };
  if (s.macs() < kSerialWork || pool.size() == 1) return run(0, tiles);
  const int64_t tasks = std::min<int64_t>(tiles, 2 * pool.size());
  pool.for_each(tasks, [&](int64_t i) { run(tiles * i / tasks, tiles * (i + 1) / tasks); });
}

template <class T>
void patch_parts_sum(ThreadPool& pool, const ConvShape& s, const T* x, const T* grad, T* dk, T* workspace) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const TapGrid grid = forward_grid(s);
  const int64_t m = s.taps() * s.c, stride = m, block = std::min<int64_t>(kPatchRoom / stride, 256);
  const int64_t pixels = s.pixels(), parts = patch_parts(s), panels = (s.co + g.nr - 1) / g.nr;
  const auto run = [&](int64_t part) {
    alignas(64) T patches[kPatchRoom];
    T* to = parts == 1 ? dk : workspace + part * m * s.co;
    TileArgs<T> t = {};
    t.nrun = 1;
    t.ldb = s.co;
    t.ldc = s.co;
    t.a_ks = stride;
    const int64_t begin = pixels * part / parts, end = pixels * (part + 1) / parts;
    for (int64_t first = begin; first == begin || first < end; first += block) {
      t.run = std::min(block, end - first);
      t.add = first > begin;
      if (t.run > 0) pack_patches(x, grid, first, t.run, 0, m, patches, stride);
      for (int64_t i0 = 0; i0 < m; i0 += g.mr) {
        for (int64_t p = 0; p < panels; ++p) {
          t.a = patches + i0;
          t.b = grad + first * s.co + p * g.nr;
          t.c = to + i0 * s.co + p * g.nr;
          t.n = std::min<int64_t>(g.nr, s.co - p * g.nr);
          g.col[t.n % g.vl != 0][t.n <= g.vl ? 0 : 1][std::min<int64_t>(g.mr, m - i0)](t);
        }
      }
    }
  };
  if (s.macs() < kSerialWork)
    for (int64_t p = 0; p < parts; ++p) run(p);
  else
    pool.for_each(parts, run);
  if (parts == 1) return;
  for (int64_t i = 0; i < m * s.co; ++i) {
    T sum = workspace[i];
    for (int64_t p = 1; p < parts; ++p) sum += workspace[p * m * s.co + i];
    dk[i] = sum;
  }
}

}  // namespace

template <class T>
size_t conv_kernel_grad_workspace(const ThreadPool& pool, const ConvShape& s) {
  if (const auto w = winograd_kernel_grad(s)) return winograd_kernel_grad_workspace<T>(pool, *w);
  if (!gathers_patches(s) || patch_parts(s) == 1) return 0;
  return static_cast<size_t>(patch_parts(s) * s.taps() * s.c * s.co) * sizeof(T);
}

template <class T>
void conv_kernel_grad(ThreadPool& pool, const ConvShape& s, const T* x, const T* g, T* dk, void* workspace) {
  const int64_t size = s.taps() * s.c * s.co;
  if (size == 0) return;
  if (s.pixels() == 0) return std::fill(dk, dk + size, T(0));
  if (const auto w = winograd_kernel_grad(s)) return winograd_kernel_grad(pool, *w, x, g, dk, workspace);
  if (gathers_patches(s)) return patch_parts_sum(pool, s, x, g, dk, static_cast<T*>(workspace));
  channel_tiles(pool, s, x, g, dk);
}

template size_t conv_kernel_grad_workspace<float>(const ThreadPool&, const ConvShape&);
template size_t conv_kernel_grad_workspace<double>(const ThreadPool&, const ConvShape&);
template void conv_kernel_grad(ThreadPool&, const ConvShape&, const float*, const float*, float*, void*);
template void conv_kernel_grad(ThreadPool&, const ConvShape&, const double*, const double*, double*, void*);

}  // namespace pk::cpu
