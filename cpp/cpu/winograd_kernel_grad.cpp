// The gradient of the kernel by Winograd's products: dk = Gᵀ[Σ (A g Aᵀ) ⊙ (Bᵀ d B)]G over all patches.
#include <algorithm>

#include "cpu/carver.h"
#include "cpu/gemm_types.h"
#include "cpu/parallel.h"
#include "cpu/pool_types.h"
#include "cpu/winograd.h"
#include "cpu/winograd_types.h"

namespace pk::cpu {
namespace {

constexpr int kPoints = kWinogradPoints;
constexpr int64_t kTiles = 48;   // patches per pass
constexpr int64_t kMostIn = 70;  // channels of x in one part

// The products are dealt out by channels in and out, so each sum is one thread's and stays in its cache from
// the first patch to the last; each part transforms the channels it needs.
template <class T>
struct Parts {
  int64_t rows, columns, all;      // patches of an image, and of the batch
  int64_t in, out;                 // channels of one part
  int64_t in_parts, out_parts;     // how many
  int64_t v_step, w_step, u_step;  // elements from one point to the next
  int64_t lanes;                   // parts under way at once

  Parts(const WinogradShape& s, int threads) {
    const GemmKernels<T>& g = gemm_kernels<T>();
    constexpr int64_t kLine = 64 / int64_t(sizeof(T));
    rows = (s.oh + 1) / 2;
    columns = (s.ow + 1) / 2;
    all = s.n * rows * columns;
    // Sums of a part stay in the second-level cache; every part more transforms some channels once more.
    const int64_t widest = std::max<int64_t>(512 / int64_t(sizeof(T)), g.nr);
    in_parts = (s.c + kMostIn - 1) / kMostIn;
    out_parts = (s.co + widest - 1) / widest;
    while (in_parts * out_parts < threads && s.c / in_parts >= 32) in_parts *= 2;
    while (in_parts * out_parts < threads && s.co / out_parts >= 2 * g.nr) out_parts *= 2;
    in = (s.c + in_parts - 1) / in_parts;
    out = std::min(s.co, ((s.co + out_parts - 1) / out_parts + g.nr - 1) / g.nr * g.nr);
    in_parts = (s.c + in - 1) / in;
    out_parts = (s.co + out - 1) / out;
    v_step = (kTiles * in + kLine - 1) / kLine * kLine + kLine;
    w_step = (kTiles * out + kLine - 1) / kLine * kLine + kLine;
    u_step = (in * out + kLine - 1) / kLine * kLine + kLine;
    lanes = std::min<int64_t>(threads, in_parts * out_parts);
  }
  size_t bytes(int64_t step) const { return round64(static_cast<size_t>(kPoints * step) * sizeof(T)); }
  size_t lane_bytes() const { return bytes(v_step) + bytes(w_step) + bytes(u_step); }
};

template <class T>
class KernelGrad {
 public:
  KernelGrad(const WinogradShape& s, const Parts<T>& parts, const T* x, const T* grad, T* dk, const T* zeros)
      : g_(gemm_kernels<T>()), s_(s), p_(parts), x_(x), grad_(grad), dk_(dk), zeros_(zeros) {}

  void run(int64_t part, char* room) const {
    const int64_t c0 = part % p_.in_parts * p_.in, c1 = std::min(s_.c, c0 + p_.in);
    const int64_t j0 = part / p_.in_parts * p_.out, j1 = std::min(s_.co, j0 + p_.out);
    T* const v = reinterpret_cast<T*>(room);
    T* const w = reinterpret_cast<T*>(room + p_.bytes(p_.v_step));
    T* const u = reinterpret_cast<T*>(room + p_.bytes(p_.v_step) + p_.bytes(p_.w_step));
    for (int64_t t0 = 0; t0 < p_.all; t0 += kTiles) {
      const int64_t count = std::min(kTiles, p_.all - t0);
      for (int64_t t = 0; t < count; ++t) {
        gather(t0 + t, c0, c1, v + t * p_.in);
        gather_gradients(t0 + t, j0, j1, w + t * p_.out);
      }
      for (int point = 0; point < kPoints; ++point)
        multiply(v + point * p_.v_step, w + point * p_.w_step, u + point * p_.u_step, count, c1 - c0, j1 - j0,
                 t0 > 0);
    }
    for (int64_t c = c0; c < c1; ++c) {
      T* taps[9];
      for (int t = 0; t < 9; ++t) taps[t] = dk_ + (t * s_.c + c) * s_.co + j0;
      PK_TYPED(winograd_weights_adjoint, T)
      (static_cast<const T*>(u + (c - c0) * p_.out), p_.u_step, j1 - j0, static_cast<T* const*>(taps));
    }
  }

 private:
  void gather(int64_t t, int64_t c0, int64_t c1, T* v) const {
    const int64_t image = t / p_.columns / p_.rows, y = t / p_.columns % p_.rows * 2 - s_.top,
                  x = t % p_.columns * 2 - s_.left;
    const T* pixels[kPoints];
    for (int i = 0; i < kPoints; ++i) {
      const int64_t row = y + i / 4, column = x + i % 4;
      const bool inside = row >= 0 && row < s_.h && column >= 0 && column < s_.w;
      pixels[i] = inside ? x_ + ((image * s_.h + row) * s_.w + column) * s_.c + c0 : zeros_;
    }
    PK_TYPED(winograd_input, T)(static_cast<const T* const*>(pixels), c1 - c0, v, p_.v_step);
  }

  void gather_gradients(int64_t t, int64_t j0, int64_t j1, T* w) const {
    const int64_t image = t / p_.columns / p_.rows, y = t / p_.columns % p_.rows * 2, x = t % p_.columns * 2;
    const T* gradients[4];
    for (int k = 0; k < 4; ++k) {
      const int64_t row = y + k / 2, column = x + k % 2;
      const bool inside = row < s_.oh && column < s_.ow;
      gradients[k] = inside ? grad_ + ((image * s_.oh + row) * s_.ow + column) * s_.co + j0 : zeros_;
    }
    PK_TYPED(winograd_output_adjoint, T)
    (static_cast<const T* const*>(gradients), j1 - j0, w, p_.w_step);
  }

  // u (+)= vᵀ·w: v (count, in), w (count, out)
  void multiply(const T* v, const T* w, T* u, int64_t count, int64_t in, int64_t out, bool add) const {
    TileArgs<T> t = {};
    t.nrun = 1;
    t.run = count;
    t.a_ks = p_.in;
    t.ldb = t.ldc = p_.out;
    t.add = add;
    const int64_t low = (in + g_.mr - 1) / g_.mr;  // tiles of even heights
    for (int64_t j = 0; j < out; j += g_.nr) {
      t.n = std::min<int64_t>(g_.nr, out - j);
      t.b = w + j;
      for (int64_t k = 0; k < low; ++k) {
        const int64_t i = in * k / low;
        t.a = v + i;
        t.c = u + i * p_.out + j;
        g_.col[t.n % g_.vl != 0][t.n <= g_.vl ? 0 : 1][in * (k + 1) / low - i](t);
      }
    }
  }

  const GemmKernels<T>& g_;
  const WinogradShape& s_;
  const Parts<T>& p_;
  const T *const x_, *const grad_;
  T* const dk_;
  const T* const zeros_;
};

}  // namespace

template <class T>
size_t winograd_kernel_grad_workspace(const ThreadPool& pool, const WinogradShape& s) {
  const Parts<T> parts(s, pool.size());
  return static_cast<size_t>(parts.lanes) * parts.lane_bytes() +
         round64(static_cast<size_t>(std::max(s.c, s.co)) * sizeof(T));
}

template <class T>
void winograd_kernel_grad(ThreadPool& pool, const WinogradShape& s, const T* x, const T* g, T* dk,
                          void* workspace) {
  const Parts<T> parts(s, pool.size());
  const int64_t longest = std::max(s.c, s.co);
  T* const zeros = static_cast<T*>(workspace);
  std::fill_n(zeros, longest, T(0));
  char* const room = static_cast<char*>(workspace) + round64(static_cast<size_t>(longest) * sizeof(T));
  const KernelGrad<T> job(s, parts, x, g, dk, zeros);
  in_lanes(pool, parts.lanes, parts.in_parts * parts.out_parts, [&](int64_t i, int64_t lane) {
    job.run(i, room + static_cast<size_t>(lane) * parts.lane_bytes());
  });
}

template size_t winograd_kernel_grad_workspace<float>(const ThreadPool&, const WinogradShape&);
template size_t winograd_kernel_grad_workspace<double>(const ThreadPool&, const WinogradShape&);
template void winograd_kernel_grad(ThreadPool&, const WinogradShape&, const float*, const float*, float*,
                                   void*);
template void winograd_kernel_grad(ThreadPool&, const WinogradShape&, const double*, const double*, double*,
                                   void*);

}  // namespace pk::cpu
