#include "cpu/winograd.h"

#include <algorithm>

#include "cpu/carver.h"
#include "cpu/gemm.h"
#include "cpu/gemm_block.h"
#include "cpu/parallel.h"
#include "cpu/pool_types.h"
#include "cpu/winograd_types.h"

namespace pk::cpu {
namespace {

constexpr int kPoints = kWinogradPoints;

// What the patches and the sums of one block may take: together they stay in the second-level cache.
constexpr int64_t kPatchBytes = 320 << 10, kSumBytes = 512 << 10;

// How the patches are dealt out: blocks of `tiles` patches, whose products are made for `panels` panels of
// output channels at a time. Each block is one thread's.
template <class T>
struct Blocks {
  int64_t rows, columns, all;         // patches of an image, and of the batch
  int64_t tiles, panels;              // of one block
  int64_t tile_blocks, panel_blocks;  // how many
  int64_t v_stride, m_stride;         // elements from one patch to the next
  int64_t v_step, m_step;             // elements from one point to the next
  int64_t lanes;                      // blocks under way at once

  Blocks(const WinogradShape& s, int threads) {
    const GemmKernels<T>& g = gemm_kernels<T>();
    rows = (s.oh + 1) / 2;
    columns = (s.ow + 1) / 2;
    all = s.n * rows * columns;
    v_stride = spreads<T>(s.c) ? s.c : s.c + 64 / int64_t(sizeof(T));
    const int64_t all_panels = (s.co + g.nr - 1) / g.nr;
    const int64_t per_tile = kPoints * v_stride * int64_t(sizeof(T));
    tiles = std::clamp<int64_t>(kPatchBytes / per_tile / g.mr, 1, 4) * g.mr;
    panels = std::clamp<int64_t>(kSumBytes / (kPoints * tiles * g.nr * int64_t(sizeof(T))), 1, all_panels);
    m_stride = std::min(panels * g.nr, s.co);
    // A line more: the 16 points of a patch, which are written together, then fall into different cache sets.
    constexpr int64_t kLine = 64 / int64_t(sizeof(T));
    v_step = tiles * v_stride + kLine;
    m_step = (tiles * m_stride + kLine - 1) / kLine * kLine + kLine;
    tile_blocks = (all + tiles - 1) / tiles;
    panel_blocks = 1;
    // Few patches: the channels are shared out as well, though each thread then transforms the patches anew.
    while (threads > 1 && tile_blocks * panel_blocks < 2 * threads && panel_blocks * 4 <= all_panels)
      panel_blocks *= 2;
    lanes = std::min<int64_t>(threads, tile_blocks * panel_blocks);
  }
  int64_t v_elements() const { return kPoints * v_step; }
  int64_t m_elements() const { return kPoints * m_step; }
  size_t lane_bytes() const {
    return round64(static_cast<size_t>(v_elements()) * sizeof(T)) +
           round64(static_cast<size_t>(m_elements()) * sizeof(T));
  }
};

template <class T>
class Winograd {
 public:
  Winograd(const WinogradShape& s, const Blocks<T>& blocks, const T* x, const T* u, const T* bias,
           const ActSpec& act, T* y, const T* zeros)
      : g_(gemm_kernels<T>()), s_(s), b_(blocks), x_(x), u_(u), bias_(bias), act_(act), y_(y), zeros_(zeros) {
    all_panels_ = (s.co + g_.nr - 1) / g_.nr;
    point_ = static_cast<int64_t>(packed_b_bytes<T>(s.c, s.co) / sizeof(T));
  }

  // Patches [t0, t1), panels [p0, p1).
  void run(int64_t t0, int64_t t1, int64_t p0, int64_t p1, char* room) const {
    T* const v = reinterpret_cast<T*>(room);
    T* const m = reinterpret_cast<T*>(room + round64(static_cast<size_t>(b_.v_elements()) * sizeof(T)));
    for (int64_t t = t0; t < t1; ++t) gather(t, v + (t - t0) * b_.v_stride);
    for (int64_t p = p0; p < p1; p += b_.panels) {
      const int64_t q = std::min(p1, p + b_.panels);
      const int64_t j0 = p * g_.nr, j1 = std::min(s_.co, q * g_.nr);
      for (int point = 0; point < kPoints; ++point) multiply(point, t1 - t0, p, q, v, m - j0);
      for (int64_t t = t0; t < t1; ++t) scatter(t, j0, j1, m + (t - t0) * b_.m_stride);
    }
  }

 private:
  struct Tile {
    int64_t image, y, x;  // of its first output pixel
  };
  Tile tile(int64_t t) const {
    return {t / b_.columns / b_.rows, t / b_.columns % b_.rows * 2, t % b_.columns * 2};
  }

  void gather(int64_t t, T* v) const {
    const Tile at = tile(t);
    const T* pixels[kPoints];
    for (int i = 0; i < 4; ++i) {
      const int64_t row = at.y - s_.top + i;
      for (int j = 0; j < 4; ++j) {
        const int64_t column = at.x - s_.left + j;
        const bool inside = row >= 0 && row < s_.h && column >= 0 && column < s_.w;
        pixels[4 * i + j] = inside ? x_ + ((at.image * s_.h + row) * s_.w + column) * s_.c : zeros_;
      }
    }
    PK_TYPED(winograd_input, T)(static_cast<const T* const*>(pixels), s_.c, v, b_.v_step);
  }

  void multiply(int point, int64_t rows, int64_t p0, int64_t p1, const T* v, T* m) const {
    v += point * b_.v_step;
    m += point * b_.m_step;
    const auto fill = [&](int64_t i0, int64_t, int64_t k0, int64_t, T*, TileArgs<T>& t) {
      t.a = v + i0 * b_.v_stride + k0;
      t.a_ks = b_.v_stride;
      return Rows::strided;
    };
    const auto place = [&](int64_t i0, int64_t, TileArgs<T>& t) {
      t.c = m + i0 * b_.m_stride;
      t.ldc = b_.m_stride;
    };
    gemm_block(g_, 0, rows, p0, p1, s_.co, s_.c, BSource<T>{u_ + point * point_, 0, true}, Epilogue<T>{},
               fill, place);
  }

  void scatter(int64_t t, int64_t j0, int64_t j1, const T* m) const {
    const Tile at = tile(t);
    T* outputs[4];
    for (int k = 0; k < 4; ++k) {
      const int64_t row = at.y + k / 2, column = at.x + k % 2;
      const bool inside = row < s_.oh && column < s_.ow;
      outputs[k] = inside ? y_ + ((at.image * s_.oh + row) * s_.ow + column) * s_.co + j0 : nullptr;
    }
    PK_TYPED(winograd_output, T)
    (m, b_.m_step, j1 - j0, bias_ ? bias_ + j0 : static_cast<const T*>(nullptr), act_.act == 1,
     static_cast<T* const*>(outputs));
    if (act_.act > 1)
      for (T* to : outputs)
        if (to) g_.activate(to, 0, nullptr, 1, j1 - j0, act_);
  }

  const GemmKernels<T>& g_;
  const WinogradShape& s_;
  const Blocks<T>& b_;
  const T *const x_, *const u_, *const bias_;
  const ActSpec& act_;
  T* const y_;
  const T* const zeros_;
  int64_t all_panels_, point_;
};

std::optional<WinogradShape> faster(const ConvShape& s, const WinogradShape& w) {
  if (s.d != 1 || s.kd != 1 || s.od != 1 || s.kh != 3 || s.kw != 3 || s.sh != 1 || s.sw != 1 || s.dh != 1 ||
      s.dw != 1)
    return std::nullopt;
  // With fewer channels the transforms cost what the products save.
  if (w.c < 32 || w.co < 32) return std::nullopt;
  // Patches stick out of small images, and the direct way leaves out the taps that meet padding.
  const int64_t products = kPoints * ((w.oh + 1) / 2) * ((w.ow + 1) / 2);
  const auto taps = [](int64_t size, int64_t out, int64_t before) {
    return 3 * out - std::max<int64_t>(0, before) - std::max<int64_t>(0, out + 2 - before - size);
  };
  if (products * 4 > taps(w.h, w.oh, w.top) * taps(w.w, w.ow, w.left) * 3) return std::nullopt;
  return w;
}

}  // namespace

std::optional<WinogradShape> winograd_forward(const ConvShape& s) {
  return faster(s, {s.n, s.h, s.w, s.c, s.oh, s.ow, s.co, s.top, s.left});
}
std::optional<WinogradShape> winograd_input_grad(const ConvShape& s) {
  return faster(s, {s.n, s.oh, s.ow, s.co, s.h, s.w, s.c, 2 - s.top, 2 - s.left});
}
std::optional<WinogradShape> winograd_kernel_grad(const ConvShape& s) {
  // The sums are turned into taps once, which few patches do not pay for.
  if (s.pixels() < 256) return std::nullopt;
  return winograd_forward(s);
}

template <class T>
size_t winograd_weight_bytes(const WinogradShape& s) {
  return kPoints * packed_b_bytes<T>(s.c, s.co);
}

template <class T>
void winograd_weights(ThreadPool& pool, const WinogradShape& s, const T* k, bool gradient, T* u) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const int64_t size = static_cast<int64_t>(packed_b_bytes<T>(s.c, s.co) / sizeof(T));
  const int64_t panels = (s.co + g.nr - 1) / g.nr;
  constexpr int64_t kRows = 8;  // of a panel at a time: the taps, packed, and the points made of them
  const auto one = [&](int64_t p) {
    T taps[9 * kRows * kMaxNr], points[kPoints * kRows * kMaxNr];
    const int64_t width = s.co - p * g.nr <= g.vl ? g.vl : g.nr;
    T* to = u + p * g.nr * s.c;
    for (int64_t row = 0; row < s.c; row += kRows) {
      const int64_t rows = std::min(kRows, s.c - row), n = rows * width;
      for (int t = 0; t < 9; ++t) {
        const T* from = k + (gradient ? 8 - t : t) * s.c * s.co + (gradient ? row : row * s.co);
        g.pack_b(from, gradient ? s.c : s.co, gradient, rows, s.co, p, p + 1, taps + t * n, 0, 0);
      }
      PK_TYPED(winograd_weights, T)(static_cast<const T*>(taps), n, static_cast<T*>(points));
      for (int q = 0; q < kPoints; ++q) std::copy_n(points + q * n, n, to + q * size + row * width);
    }
  };
  if (s.c * s.co < (1 << 12))
    for (int64_t p = 0; p < panels; ++p) one(p);
  else
    pool.for_each(panels, one);
}

template <class T>
size_t winograd_workspace(const ThreadPool& pool, const WinogradShape& s) {
  const Blocks<T> blocks(s, pool.size());
  return static_cast<size_t>(blocks.lanes) * blocks.lane_bytes() +
         round64(static_cast<size_t>(s.c) * sizeof(T));
}

template <class T>
void winograd(ThreadPool& pool, const WinogradShape& s, const T* x, const T* u, const T* bias,
              const ActSpec& act, T* y, void* workspace) {
  const Blocks<T> blocks(s, pool.size());
  if (blocks.all == 0) return;
  T* const zeros = static_cast<T*>(workspace);
  std::fill_n(zeros, s.c, T(0));
  char* const room = static_cast<char*>(workspace) + round64(static_cast<size_t>(s.c) * sizeof(T));
  const Winograd<T> job(s, blocks, x, u, bias, act, y, zeros);
  const int64_t panels = (s.co + gemm_kernels<T>().nr - 1) / gemm_kernels<T>().nr;
  const int64_t total = blocks.tile_blocks * blocks.panel_blocks;
  in_lanes(pool, blocks.lanes, total, [&](int64_t i, int64_t lane) {
    const int64_t t0 = i % blocks.tile_blocks * blocks.tiles, q = i / blocks.tile_blocks;
    job.run(t0, std::min(blocks.all, t0 + blocks.tiles), panels * q / blocks.panel_blocks,
            panels * (q + 1) / blocks.panel_blocks, room + static_cast<size_t>(lane) * blocks.lane_bytes());
  });
}

#define PK_INSTANTIATE(T)                                                                                 \
  template size_t winograd_weight_bytes<T>(const WinogradShape&);                                         \
  template void winograd_weights(ThreadPool&, const WinogradShape&, const T*, bool, T*);                  \
  template size_t winograd_workspace<T>(const ThreadPool&, const WinogradShape&);                         \
  template void winograd(ThreadPool&, const WinogradShape&, const T*, const T*, const T*, const ActSpec&, \
                         T*, void*);
PK_INSTANTIATE(float)
PK_INSTANTIATE(double)

}  // namespace pk::cpu
