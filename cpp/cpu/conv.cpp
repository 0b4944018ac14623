#include "cpu/conv.h"

#include <algorithm>
#include <numeric>

#include "cpu/conv_narrow.h"
#include "cpu/gemm.h"
#include "cpu/gemm_block.h"
#include "cpu/winograd.h"

namespace pk::cpu {
namespace {

// A kernel whose rows are short is read in place: a block of it stays in the cache.
template <class T>
bool reads_in_place(int64_t columns) {
  return columns * int64_t(sizeof(T)) <= 2048;
}

// Where the results go: out + image*on + z*oz + y*oy + x*ox for pixel (image, z, y, x) of the grid.
struct OutMap {
  int64_t on, oz, oy, ox;
  bool dense;  // one pixel after the other
};

// The general path: patches are copied, a tile at a time.
template <class T>
void gather_conv(ThreadPool& pool, const TapGrid& grid, int64_t batch, const T* x, const BSource<T>& b,
                 int64_t columns, const Epilogue<T>& epilogue, T* out, const OutMap& map) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const int64_t m = batch * grid.od * grid.oh * grid.ow, k = grid.td * grid.th * grid.tw * grid.c;
  const int64_t panels = (columns + g.nr - 1) / g.nr, work = m * columns * std::max<int64_t>(k, 1);
  const BlockSplit split = split_work(pool.size(), m, panels, work, g.mr, std::max<int64_t>(512 / g.nr, 1));
  for_each_block(pool, split, m, panels, work, [&](int64_t m0, int64_t m1, int64_t p0, int64_t p1) {
    int64_t offsets[kMaxMr];
    const auto fill = [&](int64_t i0, int64_t rows, int64_t k0, int64_t kc, T* to, TileArgs<T>& t) {
      t.a = to;
      if (kc > 0) pack_patches(x, grid, i0, rows, k0, kc, to, kRowStride<T>);
      return Rows::packed;
    };
    const auto place = [&](int64_t i0, int64_t rows, TileArgs<T>& t) {
      if (map.dense) {
        t.c = out + i0 * columns;
        t.ldc = columns;
        return;
      }
      int64_t px = i0 % grid.ow, py = i0 / grid.ow % grid.oh, plane = i0 / grid.ow / grid.oh;
      for (int64_t i = 0; i < rows; ++i) {
        offsets[i] = plane / grid.od * map.on + plane % grid.od * map.oz + py * map.oy + px * map.ox;
        if (++px == grid.ow) {
          px = 0;
          if (++py == grid.oh) py = 0, ++plane;
        }
      }
      t.c = out;
      t.c_off = offsets;
    };
    gemm_block(g, m0, m1, p0, p1, columns, k, b, epilogue, fill, place);
  });
}

// The taps of a grid along one axis, and which windows see all of them.
struct Axis {
  int64_t size, out, stride, start, taps, spacing;
  int64_t lo, hi;  // windows [lo, hi) see the image under every tap

  Axis(int64_t size_, int64_t out_, int64_t stride_, int64_t start_, int64_t taps_, int64_t spacing_)
      : size(size_), out(out_), stride(stride_), start(start_), taps(taps_), spacing(spacing_) {
    const int64_t room = size - 1 - (taps - 1) * spacing - start;
    lo = std::min(out, start >= 0 ? 0 : (-start + stride - 1) / stride);
    hi = std::max(lo, room < 0 ? 0 : std::min(out, room / stride + 1));
  }
  bool inside(int64_t window) const { return window >= lo && window < hi; }
  // The taps [first, last) under which window o sees the image.
  int64_t first_tap(int64_t o) const {
    const int64_t at = o * stride + start;
    return std::min(taps, at >= 0 ? 0 : (-at + spacing - 1) / spacing);
  }
  int64_t last_tap(int64_t o) const {
    if (inside(o)) return taps;  // the usual case, without the divisions
    const int64_t room = size - 1 - (o * stride + start);
    return std::max(first_tap(o), room < 0 ? 0 : std::min(taps, room / spacing + 1));
  }
};

// The direct path. Pixels of one output row that see no padding, or of one column that see the same part of
// it, lie a constant stride apart in the image, and the taps of a kernel row are one piece of memory: a tile
// reads its operand in place, and the taps that would meet padding are left out. Which pixels share a tile
// depends on the shape of one image alone. All of this happens within one plane of the output.
template <class T>
class DirectConv {
 public:
  DirectConv(const TapGrid& grid, const T* x, const BSource<T>& b, int64_t columns,
             const Epilogue<T>& epilogue, T* out, const OutMap& map)
      : g_(gemm_kernels<T>()),
        grid_(grid),
        x_(x),
        b_(b),
        columns_(columns),
        epilogue_(epilogue),
        out_(out),
        map_(map),
        depth_(grid.d, grid.od, grid.sd, grid.z0, grid.td, grid.tz),
        rows_(grid.h, grid.oh, grid.sh, grid.y0, grid.th, grid.ty),
        cols_(grid.w, grid.ow, grid.sw, grid.x0, grid.tw, 1),
        piece_(grid.tw * grid.c),
        panels_((columns + g_.nr - 1) / g_.nr) {
    // k is cut where a block of b still fits into the second-level cache: whole kernel planes or rows, or
    // parts of a row.
    const int64_t limit =
        std::clamp<int64_t>((1 << 19) / int64_t(sizeof(T)) / columns, 1024 / sizeof(T), 3072 / sizeof(T));
    block_planes_ = std::max<int64_t>(1, limit / (grid.th * piece_));
    block_rows_ = block_planes_ > 1 ? grid.th : std::max<int64_t>(1, limit / piece_);
    parts_ = (piece_ + limit - 1) / limit;
  }

  static bool suits(const TapGrid& g, int mr) {
    if (g.td * g.th * g.tw * g.c == 0 || (g.tw > 1 && g.tx != 1) || !spreads<T>(g.sw * g.c)) return false;
    const Axis rows(g.h, g.oh, g.sh, g.y0, g.th, g.ty), cols(g.w, g.ow, g.sw, g.x0, g.tw, 1);
    const int64_t wide = cols.hi - cols.lo, tiles = (wide + mr - 1) / mr;
    const int64_t alone = (g.ow - wide) * (g.oh - (rows.hi - rows.lo));
    return wide >= std::min(4, mr) * tiles && tiles > 0 && alone * 4 <= g.oh * g.ow;
  }

  void run(ThreadPool& pool, int64_t batch) const {
    const int64_t planes = batch * grid_.od, plane = grid_.oh * grid_.ow;
    const int64_t work = planes * plane * columns_ * grid_.td * grid_.th * piece_;
    // A task takes a band of rows of one plane, or several small planes, and some panels of b: enough pixels
    // to make use of a block of b while it is in the cache.
    const int64_t enough = 32 * g_.mr;
    int64_t band = std::min(grid_.oh, (enough + grid_.ow - 1) / grid_.ow);
    int64_t group = std::clamp<int64_t>(enough / plane, 1, planes);
    int64_t part = std::min<int64_t>(panels_, std::max(512 / g_.nr, 1));
    const auto bands = [&] { return (grid_.oh + band - 1) / band; };
    const auto groups = [&] { return (planes + group - 1) / group; };
    const auto parts = [&] { return (panels_ + part - 1) / part; };
    if (pool.size() > 1 && work >= kSerialWork) {
      const int64_t wanted = std::min<int64_t>(4 * pool.size(), work / (kSerialWork / 4));
      const auto few = [&] { return groups() * bands() * parts() < wanted; };
      while (few() && part > 4) part = (part + 1) / 2;
      while (few() && group > 1) group = (group + 1) / 2;
      while (few() && band * grid_.ow > 2 * g_.mr && band > 1) band = (band + 1) / 2;
      while (few() && part > 1) part = (part + 1) / 2;
    }
    const int64_t nb = bands(), per_panel = groups() * nb, tasks = per_panel * parts();
    const auto one = [&](int64_t task) {
      const int64_t p0 = task / per_panel * part, z0 = task % per_panel / nb * group, y0 = task % nb * band;
      run_band(z0, std::min(planes, z0 + group), y0, std::min(grid_.oh, y0 + band), p0,
               std::min(panels_, p0 + part));
    };
    if (work < kSerialWork)
      for (int64_t t = 0; t < tasks; ++t) one(t);
    else
      pool.for_each(tasks, one);
  }

 private:
  struct Block {  // of k: kernel planes [l0, l1), rows [i0, i1), elements [q0, q1) of their taps and channels
    int64_t l0, l1, i0, i1, q0, q1;
    bool first, last;
  };

  // Planes [z0, z1), counted over the batch.
  void run_band(int64_t z0, int64_t z1, int64_t y0, int64_t y1, int64_t p0, int64_t p1) const {
    for (int64_t l = 0; l < grid_.td; l += block_planes_)
      for (int64_t i = 0; i < grid_.th; i += block_rows_)
        for (int64_t part = 0; part < parts_; ++part) {
          const Block k = {
              l,
              std::min(grid_.td, l + block_planes_),
              i,
              std::min(grid_.th, i + block_rows_),
              piece_ * part / parts_,
              piece_ * (part + 1) / parts_,
              l == 0 && i == 0 && part == 0,
              l + block_planes_ >= grid_.td && i + block_rows_ >= grid_.th && part + 1 == parts_};
          for (int64_t z = z0; z < z1; ++z) run_plane(k, z, y0, y1, p0, p1);
        }
  }

  struct Plane {  // of the output, and the block's kernel planes under which it sees the image
    int64_t image, z, l0, l1;
  };

  void run_plane(const Block& k, int64_t number, int64_t y0, int64_t y1, int64_t p0, int64_t p1) const {
    const int64_t z = number % grid_.od;
    const Plane plane = {number / grid_.od, z, std::max(k.l0, depth_.first_tap(z)),
                         std::min(k.l1, depth_.last_tap(z))};
    const int64_t wide = cols_.hi - cols_.lo, tiles = (wide + g_.mr - 1) / g_.mr;
    for (int64_t y = y0; y < y1; ++y)
      for (int64_t t = 0; t < tiles; ++t) {
        const int64_t from = cols_.lo + wide * t / tiles, to = cols_.lo + wide * (t + 1) / tiles;
        run_tile(k, plane, y, from, to - from, false, p0, p1);
      }
    for (int64_t x = 0; x < grid_.ow; ++x) {
      if (x == cols_.lo) x = cols_.hi;
      if (x >= grid_.ow) break;
      for (int64_t y = y0; y < y1;) {
        const int64_t end = rows_.inside(y) ? std::min({y1, rows_.hi, y + g_.mr}) : y + 1;
        run_tile(k, plane, y, x, end - y, true, p0, p1);
        y = end;
      }
    }
  }

  // `count` pixels from (y, x) on, to the right or down, which all see the same taps.
  void run_tile(const Block& k, const Plane& plane, int64_t y, int64_t x, int64_t count, bool down,
                int64_t p0, int64_t p1) const {
    const TapGrid& g = grid_;
    const auto [image, z, l0, l1] = plane;
    const int64_t i0 = std::max(k.i0, rows_.first_tap(y)), i1 = std::min(k.i1, rows_.last_tap(y));
    const int64_t q0 = std::max(k.q0, cols_.first_tap(x) * g.c), q1 = std::min(k.q1, cols_.last_tap(x) * g.c);
    const bool empty = l1 <= l0 || i1 <= i0 || q1 <= q0;
    if (empty && !k.first && !k.last) return;
    TileArgs<T> t = {};
    int64_t b_row = 0;
    t.a = x_;
    if (!empty) {
      t.planes = l1 - l0;
      t.nrun = i1 - i0;
      t.run = q1 - q0;
      const int64_t from = image * g.d + z * g.sd + g.z0 + l0 * g.tz;
      t.a = x_ + ((from * g.h + y * g.sh + g.y0 + i0 * g.ty) * g.w + x * g.sw + g.x0) * g.c + q0;
      t.a_ks = down ? g.sh * g.w * g.c : g.sw * g.c;
      t.a_run = g.ty * g.w * g.c;
      t.a_plane = g.tz * g.h * g.w * g.c;
      b_row = (l0 * g.th + i0) * piece_ + q0;
    }
    t.ldc = down ? map_.oy : map_.ox;
    t.add = !k.first;
    t.relu = k.last && epilogue_.act.act == 1;
    T* const c = out_ + image * map_.on + z * map_.oz + y * map_.oy + x * map_.ox;
    const int64_t depth = g.td * g.th * piece_;
    for (int64_t p = p0; p < p1; ++p) {
      const int64_t j0 = p * g_.nr;
      t.n = std::min<int64_t>(g_.nr, columns_ - j0);
      const int vectors = t.n <= g_.vl ? 1 : 2;
      t.ldb = b_.packed ? vectors * g_.vl : b_.ld;
      t.b = b_.data + (b_.packed ? j0 * depth : j0) + b_row * t.ldb;
      t.b_run = piece_ * t.ldb;
      t.b_plane = g.th * t.b_run;
      t.c = c + j0;
      t.bias = k.last && epilogue_.bias ? epilogue_.bias + j0 : nullptr;
      g_.strided[!b_.packed && t.n % g_.vl != 0][vectors - 1][count](t);
      if (k.last && epilogue_.act.act > 1) g_.activate(t.c, t.ldc, nullptr, count, t.n, epilogue_.act);
    }
  }

  const GemmKernels<T>& g_;
  const TapGrid& grid_;
  const T* const x_;
  const BSource<T>& b_;
  const int64_t columns_;
  const Epilogue<T>& epilogue_;
  T* const out_;
  const OutMap& map_;
  const Axis depth_, rows_, cols_;
  const int64_t piece_, panels_;
  int64_t block_planes_ = 1, block_rows_ = 1, parts_ = 1;
};

// One output channel: a dot product per pixel, which pays where a row of taps is some vectors long.
bool suits_dots(const TapGrid& g, int64_t columns) {
  return columns == 1 && (g.tx == 1 ? g.tw * g.c : g.c) >= 48;
}

template <class T>
void dot_conv(ThreadPool& pool, const TapGrid& grid, int64_t batch, const T* x, const T* b,
              const Epilogue<T>& epilogue, T* out, const OutMap& map) {
  constexpr int64_t kPixels = 128;  // of one task
  const int64_t image = grid.od * grid.oh * grid.ow, pixels = batch * image;
  const auto run = [&](int64_t task) {
    const int64_t first = task * kPixels, count = std::min(kPixels, pixels - first);
    T sums[kPixels];
    patch_dots(x, grid, first, count, b, map.dense ? out + first : sums);
    if (!map.dense) {
      for (int64_t i = 0; i < count; ++i) {
        const int64_t p = first + i, place = p % image;
        out[p / image * map.on + place / (grid.oh * grid.ow) * map.oz + place / grid.ow % grid.oh * map.oy +
            place % grid.ow * map.ox] = sums[i];
      }
      return;  // only gradients, which have no epilogue
    }
    if (epilogue.bias)
      for (int64_t i = 0; i < count; ++i) out[first + i] += epilogue.bias[0];
    if (epilogue.act.act) gemm_kernels<T>().activate(out + first, count, nullptr, 1, count, epilogue.act);
  };
  const int64_t tasks = (pixels + kPixels - 1) / kPixels,
                work = pixels * grid.td * grid.th * grid.tw * grid.c;
  if (work < kSerialWork)
    for (int64_t t = 0; t < tasks; ++t) run(t);
  else
    pool.for_each(tasks, run);
}

template <class T>
void tap_conv(ThreadPool& pool, const TapGrid& grid, int64_t batch, const T* x, const BSource<T>& b,
              int64_t columns, const Epilogue<T>& epilogue, T* out, const OutMap& map) {
  if (batch * grid.od * grid.oh * grid.ow * columns == 0) return;
  if (!b.packed && suits_dots(grid, columns))
    dot_conv(pool, grid, batch, x, b.data, epilogue, out, map);
  else if (DirectConv<T>::suits(grid, gemm_kernels<T>().mr))
    DirectConv<T>(grid, x, b, columns, epilogue, out, map).run(pool, batch);
  else
    gather_conv(pool, grid, batch, x, b, columns, epilogue, out, map);
}

template <class T>
Gemm<T> pointwise_product(const ConvShape& s, const T* x, const T* k, T* y) {
  Gemm<T> g;
  g.m = s.pixels();
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
size_t conv_packed_bytes(const ConvShape& s) {
  if (s.is_matmul()) return gemm_workspace<T>(s.pixels(), s.co, s.c, false, false);
  if (const auto w = winograd_forward(s)) return winograd_weight_bytes<T>(*w);
  if (const auto narrow = narrow_forward<T>(s)) return narrow_weight_bytes<T>(*narrow);
  return reads_in_place<T>(s.co) ? 0 : packed_b_bytes<T>(s.taps() * s.c, s.co);
}

template <class T>
void conv_pack(ThreadPool& pool, const ConvShape& s, const T* k, T* to) {
  if (const auto w = winograd_forward(s))
    winograd_weights(pool, *w, k, false, to);
  else if (const auto narrow = narrow_forward<T>(s))
    narrow_weights(*narrow, k, false, to);
  else
    pack_b_whole(pool, k, s.co, false, s.taps() * s.c, s.co, to);
}

template <class T>
size_t conv_workspace(const ThreadPool& pool, const ConvShape& s, bool packed) {
  const size_t kernel = packed ? 0 : conv_packed_bytes<T>(s);
  if (s.is_matmul()) return kernel;
  if (const auto w = winograd_forward(s)) return winograd_workspace<T>(pool, *w, packed);
  if (const auto narrow = narrow_forward<T>(s)) return kernel + narrow_workspace<T>(pool, *narrow);
  return kernel;
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
  if (const auto w = winograd_forward(s))
    return winograd(pool, *w, x, WinogradKernel<T>{packed_k, k}, bias, act, y, workspace);
  const auto narrow = narrow_forward<T>(s);
  if (!packed_k && (narrow || !reads_in_place<T>(s.co))) {
    T* const to = static_cast<T*>(workspace);
    conv_pack(pool, s, k, to);
    workspace = reinterpret_cast<char*>(to) + conv_packed_bytes<T>(s);
    packed_k = to;
  }
  if (narrow) return narrow_conv(pool, *narrow, x, packed_k, bias, act, y, workspace);
  const BSource<T> b = packed_k ? BSource<T>{packed_k, 0, true} : BSource<T>{k, s.co, false};
  tap_conv(pool, forward_grid(s), s.n, x, b, s.co, Epilogue<T>{bias, act}, y,
           OutMap{s.od * s.oh * s.ow * s.co, s.oh * s.ow * s.co, s.ow * s.co, s.co, true});
}

template <class T>
size_t conv_input_grad_workspace(const ThreadPool& pool, const ConvShape& s) {
  if (const auto w = winograd_input_grad(s)) return winograd_workspace<T>(pool, *w, false);
  if (const auto narrow = narrow_input_grad<T>(s))
    return narrow_weight_bytes<T>(*narrow) + narrow_workspace<T>(pool, *narrow);
  return packed_b_bytes<T>(s.taps() * s.co, s.c);
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
  if (const auto w = winograd_input_grad(s))
    return winograd(pool, *w, grad, WinogradKernel<T>{nullptr, k, true}, static_cast<const T*>(nullptr),
                    ActSpec{}, dx, workspace);
  if (const auto narrow = narrow_input_grad<T>(s)) {
    T* const weights = static_cast<T*>(workspace);
    narrow_weights(*narrow, k, true, weights);
    return narrow_conv(pool, *narrow, grad, static_cast<const T*>(weights), static_cast<const T*>(nullptr),
                       ActSpec{}, dx, reinterpret_cast<char*>(weights) + narrow_weight_bytes<T>(*narrow));
  }
  const GemmKernels<T>& kernels = gemm_kernels<T>();
  const int64_t panels = (s.c + kernels.nr - 1) / kernels.nr;
  const int64_t panel_round = 128 / int64_t(sizeof(T)),
                room = (s.c + panel_round - 1) / panel_round * panel_round;
  T* to = static_cast<T*>(workspace);
  const OutMap map = {s.d * s.h * s.w * s.c, s.sd * s.h * s.w * s.c, s.sh * s.w * s.c, s.sw * s.c,
                      s.sd * s.sh * s.sw == 1};
  for (int64_t phase = 0; phase < s.sd * s.sh * s.sw; ++phase) {
    const int64_t pd = phase / s.sw / s.sh, ph = phase / s.sw % s.sh, pw = phase % s.sw;
    const Phase d = phase_of(pd, s.d, s.kd, s.sd, s.dd, s.front);
    const Phase v = phase_of(ph, s.h, s.kh, s.sh, s.dh, s.top);
    const Phase u = phase_of(pw, s.w, s.kw, s.sw, s.dw, s.left);
    const int64_t taps = d.count * v.count * u.count, depth = taps * s.co;
    const auto pack = [&](int64_t task) {
      const int64_t tap = task % taps, p = task / taps;
      const int64_t l = d.first + (d.count - 1 - tap / u.count / v.count) * d.step;
      const int64_t i = v.first + (v.count - 1 - tap / u.count % v.count) * v.step;
      const int64_t j = u.first + (u.count - 1 - tap % u.count) * u.step;
      const T* from = k + ((l * s.kh + i) * s.kw + j) * s.c * s.co;
      if (s.c == 1)
        std::copy_n(from, s.co, to + tap * s.co);
      else
        kernels.pack_b(from, s.co, true, s.co, s.c, p, p + 1, to, depth, tap * s.co);
    };
    if (depth * s.c < (1 << 16))
      for (int64_t t = 0; t < taps * panels; ++t) pack(t);
    else
      pool.for_each(taps * panels, pack);
    const TapGrid grid = {s.od,    s.oh,    s.ow,      s.co,      d.cells,  v.cells, u.cells,
                          1,       1,       1,         d.start,   v.start,  u.start, d.count,
                          v.count, u.count, d.spacing, v.spacing, u.spacing};
    const BSource<T> b{to, 1, s.c > 1};
    tap_conv(pool, grid, s.n, grad, b, s.c, Epilogue<T>{}, dx + ((pd * s.h + ph) * s.w + pw) * s.c, map);
    to += depth * room;
  }
}

#define PK_INSTANTIATE(T)                                                                                   \
  template size_t conv_packed_bytes<T>(const ConvShape&);                                                   \
  template void conv_pack(ThreadPool&, const ConvShape&, const T*, T*);                                     \
  template size_t conv_workspace<T>(const ThreadPool&, const ConvShape&, bool);                             \
  template void conv(ThreadPool&, const ConvShape&, const T*, const T*, const T*, const T*, const ActSpec&, \
                     T*, void*);                                                                            \
  template size_t conv_input_grad_workspace<T>(const ThreadPool&, const ConvShape&);                        \
  template void conv_input_grad(ThreadPool&, const ConvShape&, const T*, const T*, T*, void*);
PK_INSTANTIATE(float)
PK_INSTANTIATE(double)

}  // namespace pk::cpu
