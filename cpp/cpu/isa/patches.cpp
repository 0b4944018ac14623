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

// Images take the code without depth, which costs them a sixth of the time.
template <class T, bool Deep>
void pack_rows(const T* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0, int64_t kc, T* to,
               int64_t stride) {
  // Taps that touch in memory are copied in one piece: a row of taps, or a single one where columns are
  // skipped.
  const bool rows = g.tx == 1;
  const int64_t piece = rows ? g.tw * g.c : g.c, across = rows ? 1 : g.tw;  // pieces of a row of taps
  const int64_t row = g.w * g.c, plane = g.h * row;
  const int64_t p0 = k0 / piece, o0 = k0 - p0 * piece;
  const int64_t j0 = p0 % across, i0 = p0 / across % g.th, l0 = p0 / across / g.th;  // the first tap
  int64_t px = first % g.ow, py = first / g.ow % g.oh, pz = first / g.ow / g.oh % g.od;
  const T* image = x + first / g.ow / g.oh / g.od * g.d * plane;
  for (int64_t pixel = 0; pixel < count; ++pixel, to += stride) {
    const int64_t iz = Deep ? pz * g.sd + g.z0 : 0, iy = py * g.sh + g.y0, ix = px * g.sw + g.x0;
    const bool inside = ix >= 0 && ix + (g.tw - 1) * g.tx < g.w && iy >= 0 && iy + (g.th - 1) * g.ty < g.h &&
                        (!Deep || (iz >= 0 && iz + (g.td - 1) * g.tz < g.d));
    int64_t o = o0, i = i0, l = l0;
    if (inside && rows) {
      const T* from = image + (iz + l * g.tz) * plane + (iy + i * g.ty) * row + ix * g.c;
      for (int64_t k = 0; k < kc; from += g.ty * row, o = 0) {
        const int64_t n = piece - o < kc - k ? piece - o : kc - k;
        copy(to + k, from + o, n);
        k += n;
        if (Deep && ++i == g.th) i = 0, from += g.tz * plane - g.th * g.ty * row;
      }
    } else {
      for (int64_t k = 0, j = j0; k < kc; o = 0) {
        const int64_t n = piece - o < kc - k ? piece - o : kc - k;
        const int64_t z = iz + l * g.tz, y = iy + i * g.ty;
        const int64_t e = (ix + j * g.tx) * g.c + o;  // first element within the image row
        int64_t lo = e < 0 ? -e : 0, hi = row - e < n ? row - e : n;
        if (z < 0 || z >= g.d || y < 0 || y >= g.h || hi <= lo) lo = hi = n;
        if (lo > n) lo = n;
        zero(to + k, lo);
        if (lo < hi) copy(to + k + lo, image + z * plane + y * row + e + lo, hi - lo);
        zero(to + k + hi, n - hi);
        k += n;
        if (++j < across) continue;
        j = 0;
        if (++i == g.th) i = 0, ++l;
      }
    }
    if (++px < g.ow) continue;
    px = 0;
    if (++py < g.oh) continue;
    py = 0;
    if (++pz < g.od) continue;
    pz = 0;
    image += g.d * plane;
  }
}

template <class T>
void pack(const T* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0, int64_t kc, T* to,
          int64_t stride) {
  if (g.d > 1 || g.td > 1 || g.od > 1 || g.z0 != 0)
    pack_rows<T, true>(x, g, first, count, k0, kc, to, stride);
  else
    pack_rows<T, false>(x, g, first, count, k0, kc, to, stride);
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
