#include "cpu/winograd.h"

#include <algorithm>

#include "cpu/carver.h"
#include "cpu/gemm.h"
#include "cpu/gemm_block.h"
#include "cpu/parallel.h"
#include "cpu/winograd_patches.h"

namespace pk::cpu {
namespace {

constexpr int kPoints = kWinogradPoints;
// What the patches and the sums of one block may take: together they stay in the second-level cache.
constexpr int64_t kPatchBytes = 320 << 10, kSumBytes = 512 << 10;

// How the patches are dealt out: blocks of `tiles` patches, whose products are made for `panels` panels of
// output channels at a time. Each block is one thread's.
template <class T>
struct Blocks {
  int64_t all;                        // patches
  int64_t tiles, panels;              // of one block
  int64_t tile_blocks, panel_blocks;  // how many
  int64_t v_stride, m_stride;         // elements from one patch to the next
  int64_t v_step, m_step;             // elements from one point to the next
  int64_t lanes;                      // blocks under way at once

  Blocks(const WinogradShape& s, int threads) {
    const GemmKernels<T>& g = gemm_kernels<T>();
    all = s.patches();
    v_stride = spreads<T>(s.c) ? s.c : s.c + 64 / int64_t(sizeof(T));
    const int64_t all_panels = (s.co + g.nr - 1) / g.nr;
    const int64_t per_tile = kPoints * v_stride * int64_t(sizeof(T));
    tiles = std::clamp<int64_t>(kPatchBytes / per_tile / g.mr, 1, 4) * g.mr;
    panels = std::clamp<int64_t>(kSumBytes / (kPoints * tiles * g.nr * int64_t(sizeof(T))), 1, all_panels);
    m_stride = std::min(panels * g.nr, s.co);
    v_step = winograd_step<T>(tiles * v_stride);
    m_step = winograd_step<T>(tiles * m_stride);
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
  Winograd(const WinogradShape& s, const Blocks<T>& blocks, const T* u, const WinogradPatches<T>& patches)
      : g_(gemm_kernels<T>()),
        s_(s),
        b_(blocks),
        patches_(patches),
        u_(u),
        u_step_(winograd_weight_step<T>(s)) {}

  // Patches [t0, t1), panels [p0, p1).
  void run(int64_t t0, int64_t t1, int64_t p0, int64_t p1, char* room) const {
    T* const v = reinterpret_cast<T*>(room);
    T* const m = reinterpret_cast<T*>(room + round64(static_cast<size_t>(b_.v_elements()) * sizeof(T)));
    for (int64_t t = t0; t < t1; ++t) patches_.gather(t, v + (t - t0) * b_.v_stride, b_.v_step);
    for (int64_t p = p0; p < p1; p += b_.panels) {
      const int64_t q = std::min(p1, p + b_.panels);
      const int64_t j0 = p * g_.nr, j1 = std::min(s_.co, q * g_.nr);
      for (int point = 0; point < kPoints; ++point) multiply(point, t1 - t0, p, q, v, m - j0);
      for (int64_t t = t0; t < t1; ++t) patches_.scatter(t, j0, j1, m + (t - t0) * b_.m_stride, b_.m_step);
    }
  }

 private:
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
    gemm_block(g_, 0, rows, p0, p1, s_.co, s_.c, BSource<T>{u_ + point * u_step_, 0, true}, Epilogue<T>{},
               fill, place);
  }

  const GemmKernels<T>& g_;
  const WinogradShape& s_;
  const Blocks<T>& b_;
  const WinogradPatches<T>& patches_;
  const T* const u_;
  const int64_t u_step_;
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
  return static_cast<size_t>(kPoints * winograd_weight_step<T>(s)) * sizeof(T);
}

template <class T>
void winograd_weights(ThreadPool& pool, const WinogradShape& s, const T* k, bool gradient, T* u) {
  const int64_t nr = gemm_kernels<T>().nr, panels = (s.co + nr - 1) / nr;
  const auto one = [&](int64_t p) {
    winograd_panel_weights(s, k, gradient, p, 0, s.c, u + p * nr * s.c, winograd_weight_step<T>(s));
  };
  if (s.c * s.co < (1 << 12))
    for (int64_t p = 0; p < panels; ++p) one(p);
  else
    pool.for_each(panels, one);
}

template <class T>
size_t winograd_workspace(const ThreadPool& pool, const WinogradShape& s, bool packed) {
  if (winograd_by_pieces(s)) return winograd_pieces_workspace<T>(pool, s);
  const Blocks<T> blocks(s, pool.size());
  return static_cast<size_t>(blocks.lanes) * blocks.lane_bytes() +
         round64(static_cast<size_t>(s.c) * sizeof(T)) + (packed ? 0 : winograd_weight_bytes<T>(s));
}

template <class T>
void winograd(ThreadPool& pool, const WinogradShape& s, const T* x, const WinogradKernel<T>& kernel,
              const T* bias, const ActSpec& act, T* y, void* workspace) {
  if (winograd_by_pieces(s)) return winograd_pieces(pool, s, x, kernel, bias, act, y, workspace);
  const Blocks<T> blocks(s, pool.size());
  if (blocks.all == 0) return;
  const T* u = kernel.packed;
  if (!u) {
    T* const to = static_cast<T*>(workspace);
    winograd_weights(pool, s, kernel.k, kernel.gradient, to);
    workspace = reinterpret_cast<char*>(to) + winograd_weight_bytes<T>(s);
    u = to;
  }
  T* const zeros = static_cast<T*>(workspace);
  std::fill_n(zeros, s.c, T(0));
  char* const room = static_cast<char*>(workspace) + round64(static_cast<size_t>(s.c) * sizeof(T));
  const WinogradPatches<T> patches(s, x, bias, act, y, zeros);
  const Winograd<T> job(s, blocks, u, patches);
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
  template size_t winograd_workspace<T>(const ThreadPool&, const WinogradShape&, bool);                   \
  template void winograd(ThreadPool&, const WinogradShape&, const T*, const WinogradKernel<T>&, const T*, \
                         const ActSpec&, T*, void*);
PK_INSTANTIATE(float)
PK_INSTANTIATE(double)

}  // namespace pk::cpu
