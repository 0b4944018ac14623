// Winograd's convolution with large kernels, whose points do not stay in the cache: one panel of output
// channels and one block of input channels at a time, by which many patches pass. A kernel that is not kept
// in the form of the products (in training, and in gradients) is brought into it piece by piece, and so is
// never written to memory.
#include <algorithm>

#include "cpu/carver.h"
#include "cpu/parallel.h"
#include "cpu/winograd_patches.h"

namespace pk::cpu {
namespace {

constexpr int kPoints = kWinogradPoints;
constexpr int64_t kMostPatches = 256;  // of one pass: their sums for a panel stay in the second-level cache
constexpr int64_t kPatchesOfTask = 8;

template <class T>
class Pieces {
 public:
  Pieces(const WinogradShape& s, int threads) : g_(gemm_kernels<T>()), s_(s) {
    passes_ = (s.patches() + kMostPatches - 1) / kMostPatches;
    patches_ = passes_ ? (s.patches() + passes_ - 1) / passes_ : 0;
    panels_ = (s.co + g_.nr - 1) / g_.nr;
    v_stride_ = spreads<T>(s.c) ? s.c : s.c + 64 / int64_t(sizeof(T));
    v_step_ = winograd_step<T>(patches_ * v_stride_);
    u_step_ = winograd_step<T>(std::min(kBlockK<T>, s.c) * g_.nr);
    m_step_ = winograd_step<T>(patches_ * g_.nr);
    lanes_ = std::min<int64_t>(threads, panels_);
  }

  size_t bytes() const { return Rooms(*this, nullptr).used; }

  void run(ThreadPool& pool, const T* x, const WinogradKernel<T>& kernel, const T* bias, const ActSpec& act,
           T* y, void* workspace) const {
    const Rooms rooms(*this, workspace);
    std::fill_n(rooms.zeros, s_.c, T(0));
    const WinogradPatches<T> patches(s_, x, bias, act, y, rooms.zeros);
    for (int64_t pass = 0; pass < passes_; ++pass) {
      const int64_t t0 = pass * patches_, count = std::min(patches_, s_.patches() - t0);
      pool.for_each((count + kPatchesOfTask - 1) / kPatchesOfTask, [&](int64_t task) {
        const int64_t end = std::min(count, (task + 1) * kPatchesOfTask);
        for (int64_t t = task * kPatchesOfTask; t < end; ++t)
          patches.gather(t0 + t, rooms.v + t * v_stride_, v_step_);
      });
      in_lanes(pool, lanes_, panels_, [&](int64_t p, int64_t lane) {
        T* const m = rooms.m + lane * kPoints * m_step_;
        panel(kernel, p, count, rooms.v, rooms.u + lane * kPoints * u_step_, m);
        for (int64_t t = 0; t < count; ++t)
          patches.scatter(t0 + t, p * g_.nr, std::min(s_.co, (p + 1) * g_.nr), m + t * g_.nr, m_step_);
      });
    }
  }

 private:
  struct Rooms {  // in the workspace: the patches, and each lane's piece of the kernel and sums
    T *zeros, *v, *u, *m;
    size_t used;
    Rooms(const Pieces& p, void* workspace) {
      Carver carver(workspace);
      zeros = carver.take<T>(p.s_.c);
      v = carver.take<T>(kPoints * p.v_step_);
      u = carver.take<T>(p.lanes_ * kPoints * p.u_step_);
      m = carver.take<T>(p.lanes_ * kPoints * p.m_step_);
      used = carver.used();
    }
  };

  // m = the sums of panel p for all patches in v; `room` for a piece of the kernel.
  void panel(const WinogradKernel<T>& kernel, int64_t p, int64_t count, const T* v, T* room, T* m) const {
    const int64_t n = std::min<int64_t>(g_.nr, s_.co - p * g_.nr), width = n <= g_.vl ? g_.vl : g_.nr;
    const int64_t u_step = kernel.packed ? winograd_weight_step<T>(s_) : u_step_;
    for (int64_t k0 = 0; k0 < s_.c; k0 += kBlockK<T>) {
      const int64_t k1 = std::min(s_.c, k0 + kBlockK<T>);
      const T* const u = kernel.packed ? kernel.packed + p * g_.nr * s_.c + k0 * width : room;
      if (!kernel.packed) winograd_panel_weights(s_, kernel.k, kernel.gradient, p, k0, k1, room, u_step);
      TileArgs<T> t = {};
      t.nrun = 1;
      t.run = k1 - k0;
      t.a_ks = v_stride_;
      t.ldb = width;
      t.ldc = g_.nr;
      t.n = n;
      t.add = k0 > 0;
      const int64_t tiles = (count + g_.mr - 1) / g_.mr;
      for (int point = 0; point < kPoints; ++point)
        for (int64_t tile = 0; tile < tiles; ++tile) {
          const int64_t i = count * tile / tiles;
          t.a = v + point * v_step_ + i * v_stride_ + k0;
          t.b = u + point * u_step;
          t.c = m + point * m_step_ + i * g_.nr;
          g_.strided[0][n > g_.vl][count * (tile + 1) / tiles - i](t);
        }
    }
  }

  const GemmKernels<T>& g_;
  const WinogradShape& s_;
  int64_t passes_, patches_, panels_;  // patches of one pass; panels of output channels
  int64_t v_stride_;                   // elements from one patch to the next
  int64_t v_step_, u_step_, m_step_;   // from one point to the next
  int64_t lanes_;                      // panels under way at once
};

}  // namespace

bool winograd_by_pieces(const WinogradShape& s) {
  const int64_t size = s.c * s.co;
  return size >= 1 << 17 || (size >= 1 << 15 && s.patches() <= kMostPatches / 2);
}

template <class T>
size_t winograd_pieces_workspace(const ThreadPool& pool, const WinogradShape& s) {
  return Pieces<T>(s, pool.size()).bytes();
}

template <class T>
void winograd_pieces(ThreadPool& pool, const WinogradShape& s, const T* x, const WinogradKernel<T>& kernel,
                     const T* bias, const ActSpec& act, T* y, void* workspace) {
  Pieces<T>(s, pool.size()).run(pool, x, kernel, bias, act, y, workspace);
}

#define PK_INSTANTIATE(T)                                                                              \
  template size_t winograd_pieces_workspace<T>(const ThreadPool&, const WinogradShape&);               \
  template void winograd_pieces(ThreadPool&, const WinogradShape&, const T*, const WinogradKernel<T>&, \
                                const T*, const ActSpec&, T*, void*);
PK_INSTANTIATE(float)
PK_INSTANTIATE(double)

}  // namespace pk::cpu
