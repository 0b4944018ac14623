// Rows of the patch matrix of a convolution, straight from the image: the A operand of the implicit product.
#include "cpu/conv_types.h"
#include "cpu/simd.h"

namespace pk::cpu::PK_ISA {
namespace {

template <class T>
PK_INLINE void copy(T* to, const T* from, int64_t n) {
  constexpr int VL = Simd<T>::n;
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store(to + i, load(from + i));
#if defined(__AVX2__)
  if (i < n) store_part(to + i, load_part(from + i, (int)(n - i)), (int)(n - i));
#else
  for (; i < n; ++i) to[i] = from[i];
#endif
}

template <class T>
PK_INLINE void zero(T* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = T(0);
}

template <class T>
void pack(const T* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0, int64_t kc, T* to,
          int64_t stride) {
  // Taps that touch in memory are copied in one piece: a row of taps, or a single one where columns are
  // skipped.
  const bool rows = g.tx == 1;
  const int64_t piece = rows ? g.tw * g.c : g.c;
  const int64_t row = g.w * g.c;
  const int64_t p0 = k0 / piece, o0 = k0 - p0 * piece;
  int64_t px = first % g.ow, py = first / g.ow % g.oh;
  const T* image = x + first / g.ow / g.oh * g.h * row;
  for (int64_t i = 0; i < count; ++i, to += stride) {
    const int64_t iy = py * g.sh + g.y0, ix = px * g.sw + g.x0;
    const bool inside = ix >= 0 && ix + (g.tw - 1) * g.tx < g.w && iy >= 0 && iy + (g.th - 1) * g.ty < g.h;
    int64_t o = o0;
    if (inside && rows) {
      const T* from = image + (iy + p0 * g.ty) * row + ix * g.c;
      for (int64_t k = 0; k < kc; from += g.ty * row, o = 0) {
        const int64_t n = piece - o < kc - k ? piece - o : kc - k;
        copy(to + k, from + o, n);
        k += n;
      }
    } else {
      for (int64_t k = 0, p = p0; k < kc; ++p, o = 0) {
        const int64_t n = piece - o < kc - k ? piece - o : kc - k;
        const int64_t y = iy + (rows ? p : p / g.tw) * g.ty;
        const int64_t e = (rows ? ix : ix + p % g.tw * g.tx) * g.c + o;  // first element within the image row
        int64_t lo = e < 0 ? -e : 0, hi = row - e < n ? row - e : n;
        if (y < 0 || y >= g.h || hi <= lo) lo = hi = n;
        if (lo > n) lo = n;
        zero(to + k, lo);
        if (lo < hi) copy(to + k + lo, image + y * row + e + lo, hi - lo);
        zero(to + k + hi, n - hi);
        k += n;
      }
    }
    if (++px == g.ow) {
      px = 0;
      if (++py == g.oh) {
        py = 0;
        image += g.h * row;
      }
    }
  }
}

}  // namespace

void pack_patches_f32(const float* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0, int64_t kc,
                      float* to, int64_t stride) {
  pack(x, g, first, count, k0, kc, to, stride);
}

void pack_patches_f64(const double* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0, int64_t kc,
                      double* to, int64_t stride) {
  pack(x, g, first, count, k0, kc, to, stride);
}

}  // namespace pk::cpu::PK_ISA
