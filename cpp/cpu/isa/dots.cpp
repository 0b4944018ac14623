// Convolutions with one output channel: a dot product per pixel, vectors along the channels, where a matrix
// product would leave all lanes but one idle.
#include "cpu/conv_types.h"
#include "cpu/simd.h"

namespace pk::cpu::PK_ISA {
namespace {

struct Taps {  // of one window along one axis: [lo, hi) lie inside
  int64_t lo, hi;
};
PK_INLINE Taps taps(int64_t start, int64_t spacing, int64_t count, int64_t size) {
  Taps t = {0, count};
  while (t.lo < count && start + t.lo * spacing < 0) ++t.lo;
  while (t.hi > t.lo && start + (t.hi - 1) * spacing >= size) --t.hi;
  return t;
}

// Four partial sums, so that the additions do not wait for each other; joined in one order.
template <class T>
struct Sums {
  typename Simd<T>::vec s[4] = {};
};

template <class T>
PK_INLINE void add_dot(Sums<T>& sums, const T* x, const T* b, int64_t n) {
  constexpr int VL = Simd<T>::n;
  auto& s = sums.s;
  int64_t i = 0;
  for (; i + 4 * VL <= n; i += 4 * VL)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) s[v] = fma(load(x + i + v * VL), load(b + i + v * VL), s[v]);
  if (i + VL <= n) s[0] = fma(load(x + i), load(b + i), s[0]), i += VL;
  if (i + VL <= n) s[1] = fma(load(x + i), load(b + i), s[1]), i += VL;
  if (i + VL <= n) s[2] = fma(load(x + i), load(b + i), s[2]), i += VL;
  if (i < n) s[3] = fma(load_part(x + i, (int)(n - i)), load_part(b + i, (int)(n - i)), s[3]);
}

template <class T>
PK_INLINE T total(const Sums<T>& sums) {
  T lanes[Simd<T>::n];
  store(lanes, (sums.s[0] + sums.s[1]) + (sums.s[2] + sums.s[3]));
  for (int half = Simd<T>::n / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

template <class T>
void dots(const T* x, const TapGrid& g, int64_t first, int64_t count, const T* b, T* out) {
  const int64_t row = g.w * g.c, plane = g.h * row, b_row = g.tw * g.c;
  for (int64_t p = first; p < first + count; ++p) {
    const int64_t px = p % g.ow, py = p / g.ow % g.oh, number = p / g.ow / g.oh;
    const int64_t z = number % g.od * g.sd + g.z0, y = py * g.sh + g.y0, left = px * g.sw + g.x0;
    const T* image = x + number / g.od * g.d * plane;
    const Taps q = taps(z, g.tz, g.td, g.d), v = taps(y, g.ty, g.th, g.h), u = taps(left, g.tx, g.tw, g.w);
    Sums<T> sums;
    for (int64_t l = q.lo; l < q.hi; ++l)
      for (int64_t i = v.lo; i < v.hi; ++i) {
        const T* from = image + (z + l * g.tz) * plane + (y + i * g.ty) * row + left * g.c;
        const T* weights = b + (l * g.th + i) * b_row;
        if (g.tx == 1 && u.lo < u.hi)
          add_dot(sums, from + u.lo * g.c, weights + u.lo * g.c, (u.hi - u.lo) * g.c);
        else
          for (int64_t j = u.lo; j < u.hi; ++j) add_dot(sums, from + j * g.tx * g.c, weights + j * g.c, g.c);
      }
    out[p - first] = total(sums);
  }
}

}  // namespace

void patch_dots_f32(const float* x, const TapGrid& g, int64_t first, int64_t count, const float* b,
                    float* out) {
  dots(x, g, first, count, b, out);
}
void patch_dots_f64(const double* x, const TapGrid& g, int64_t first, int64_t count, const double* b,
                    double* out) {
  dots(x, g, first, count, b, out);
}

}  // namespace pk::cpu::PK_ISA
