// Depthwise convolution and its gradients: every channel by itself, vectors over channels.
#include "cpu/pool_types.h"
#include "cpu/simd.h"

namespace pk::cpu::PK_ISA {
namespace {

struct Span {
  int64_t lo, hi;
};
// Taps i of window `out` whose cell lies inside.
PK_INLINE Span taps_inside(int64_t out, int64_t stride, int64_t before, int64_t kernel, int64_t dilation,
                           int64_t size) {
  const int64_t start = out * stride - before;
  const int64_t lo = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const int64_t hi = size - start <= 0 ? 0 : (size - start - 1) / dilation + 1;
  return {lo, hi < kernel ? hi : kernel};
}
// Windows whose tap at `offset` (from the window's begin, less the padding) lies inside.
PK_INLINE Span windows_inside(int64_t out, int64_t size, int64_t stride, int64_t offset) {
  const int64_t lo = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int64_t hi = size - offset <= 0 ? 0 : (size - offset - 1) / stride + 1;
  return {lo, hi < out ? hi : out};
}

// P neighbouring windows, one vector of channels, the taps [i] x [j].
template <class T, int P>
PK_INLINE void pixels(const WindowGrid& w, const T* x, const T* k, int64_t k_step, T* y, Span i, Span j,
                      int lanes) {
  typename Simd<T>::vec acc[P];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) acc[p] = typename Simd<T>::vec{};
  for (int64_t a = i.lo; a < i.hi; ++a)
    for (int64_t b = j.lo; b < j.hi; ++b) {
      const auto weight = get(k + (a * w.kw + b) * k_step, lanes);
      const T* from = x + (a * w.dh * w.w + b * w.dw) * w.c;
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) acc[p] = fma(get(from + p * w.sw * w.c, lanes), weight, acc[p]);
    }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) put(y + p * w.c, acc[p], lanes);
}

template <class T>
PK_INLINE void row_channels(const WindowGrid& w, const T* x, const T* k, int64_t k_step, T* y, int64_t oy,
                            int lanes) {
  constexpr int P = 6;
  const Span i = taps_inside(oy, w.sh, w.top, w.kh, w.dh, w.h);
  const Span all = {0, w.kw};
  const T* row = x + (oy * w.sh - w.top) * w.w * w.c;
  // Windows that see only the inside go P at a time.
  Span u = {(w.left + w.sw - 1) / w.sw, 0};
  const int64_t room = w.w + w.left - (w.kw - 1) * w.dw - 1;
  u.hi = room < 0 ? 0 : room / w.sw + 1;
  if (u.hi > w.ow) u.hi = w.ow;
  for (int64_t ox = 0; ox < w.ow;) {
    const T* from = row + (ox * w.sw - w.left) * w.c;
    if (ox >= u.lo && ox + P <= u.hi) {
      pixels<T, P>(w, from, k, k_step, y + ox * w.c, i, all, lanes);
      ox += P;
    } else {
      pixels<T, 1>(w, from, k, k_step, y + ox * w.c, i, taps_inside(ox, w.sw, w.left, w.kw, w.dw, w.w),
                   lanes);
      ++ox;
    }
  }
}

template <class T>
void forward(const WindowGrid& w, const T* x, const T* k, int64_t k_step, T* y, int64_t r0, int64_t r1) {
  constexpr int VL = Simd<T>::n;
  for (int64_t r = r0; r < r1; ++r) {
    const T* image = x + r / w.oh * w.h * w.w * w.c;
    T* out = y + r * w.ow * w.c;
    int64_t c = 0;
    for (; c + VL <= w.c; c += VL) row_channels(w, image + c, k + c, k_step, out + c, r % w.oh, VL);
    if (c < w.c) row_channels(w, image + c, k + c, k_step, out + c, r % w.oh, (int)(w.c - c));
  }
}

// Each cell gathers from the windows that saw it: a cell at distance d from a window's begin was under tap d
// / dilation.
template <class T>
void input_grad(const WindowGrid& w, const T* g, const T* k, T* dx, int64_t r0, int64_t r1) {
  constexpr int VL = Simd<T>::n;
  for (int64_t r = r0; r < r1; ++r) {
    const int64_t iy = r % w.h + w.top;
    const T* image = g + r / w.h * w.oh * w.ow * w.c;
    for (int64_t px = 0; px < w.w; ++px) {
      const int64_t ix = px + w.left;
      T* out = dx + (r * w.w + px) * w.c;
      for (int64_t c = 0; c < w.c; c += VL) {
        const int lanes = w.c - c < VL ? (int)(w.c - c) : VL;
        typename Simd<T>::vec acc = {};
        for (int64_t i = 0; i < w.kh; ++i) {
          const int64_t y = iy - i * w.dh;
          if (y < 0 || y % w.sh != 0 || y / w.sh >= w.oh) continue;
          for (int64_t j = 0; j < w.kw; ++j) {
            const int64_t x = ix - j * w.dw;
            if (x < 0 || x % w.sw != 0 || x / w.sw >= w.ow) continue;
            const auto weight = get(k + (i * w.kw + j) * w.c + c, lanes);
            acc = fma(get(image + (y / w.sh * w.ow + x / w.sw) * w.c + c, lanes), weight, acc);
          }
        }
        put(out + c, acc, lanes);
      }
    }
  }
}

// One window row, one vector of channels, J taps of kernel row i from column j on.
template <class T, int J>
PK_INLINE void tap_sums(const WindowGrid& w, const T* x, const T* g, T* dk, int64_t j0, int lanes) {
  typename Simd<T>::vec acc[J];
  Span both = {0, w.ow};
#pragma GCC unroll 4
  for (int j = 0; j < J; ++j) {
    acc[j] = get(dk + (j0 + j) * w.c, lanes);
    const Span s = windows_inside(w.ow, w.w, w.sw, (j0 + j) * w.dw - w.left);
    if (s.lo > both.lo) both.lo = s.lo;
    if (s.hi < both.hi) both.hi = s.hi;
  }
  const auto one = [&](int j, int64_t ox) __attribute__((always_inline)) {
    const T* from = x + (ox * w.sw - w.left + (j0 + j) * w.dw) * w.c;
    acc[j] = fma(get(from, lanes), get(g + ox * w.c, lanes), acc[j]);
  };
  if (both.hi < both.lo) both.hi = both.lo;
  for (int64_t ox = both.lo; ox < both.hi; ++ox)
#pragma GCC unroll 4
    for (int j = 0; j < J; ++j) one(j, ox);
#pragma GCC unroll 4
  for (int j = 0; j < J; ++j) {
    const Span s = windows_inside(w.ow, w.w, w.sw, (j0 + j) * w.dw - w.left);
    for (int64_t ox = s.lo; ox < s.hi && ox < both.lo; ++ox) one(j, ox);
    for (int64_t ox = s.lo > both.hi ? s.lo : both.hi; ox < s.hi; ++ox) one(j, ox);
    put(dk + (j0 + j) * w.c, acc[j], lanes);
  }
}

template <class T>
void kernel_grad(const WindowGrid& w, const T* x, const T* g, T* dk, int64_t r0, int64_t r1) {
  constexpr int VL = Simd<T>::n;
  for (int64_t r = r0; r < r1; ++r) {
    const int64_t oy = r % w.oh;
    const Span i = taps_inside(oy, w.sh, w.top, w.kh, w.dh, w.h);
    const T* grad = g + r * w.ow * w.c;
    for (int64_t c = 0; c < w.c; c += VL) {
      const int lanes = w.c - c < VL ? (int)(w.c - c) : VL;
      for (int64_t a = i.lo; a < i.hi; ++a) {
        const T* row = x + ((r / w.oh * w.h + oy * w.sh - w.top + a * w.dh) * w.w) * w.c + c;
        T* to = dk + a * w.kw * w.c + c;
        int64_t j = 0;
        if (lanes == VL) {
          for (; j + 3 <= w.kw; j += 3) tap_sums<T, 3>(w, row, grad + c, to, j, VL);
          for (; j < w.kw; ++j) tap_sums<T, 1>(w, row, grad + c, to, j, VL);
        } else {
          for (; j < w.kw; ++j) tap_sums<T, 1>(w, row, grad + c, to, j, lanes);
        }
      }
    }
  }
}

}  // namespace

#define PK_DEFINE(T, suffix)                                                                             \
  void depthwise_##suffix(const WindowGrid& w, const T* x, const T* k, int64_t k_step, T* y, int64_t r0, \
                          int64_t r1) {                                                                  \
    forward(w, x, k, k_step, y, r0, r1);                                                                 \
  }                                                                                                      \
  void depthwise_input_grad_##suffix(const WindowGrid& w, const T* g, const T* k, T* dx, int64_t r0,     \
                                     int64_t r1) {                                                       \
    input_grad(w, g, k, dx, r0, r1);                                                                     \
  }                                                                                                      \
  void depthwise_kernel_grad_##suffix(const WindowGrid& w, const T* x, const T* g, T* dk, int64_t r0,    \
                                      int64_t r1) {                                                      \
    kernel_grad(w, x, g, dk, r0, r1);                                                                    \
  }
PK_DEFINE(float, f32)
PK_DEFINE(double, f64)

}  // namespace pk::cpu::PK_ISA
