// The transforms around the products of Winograd's convolution F(2x2, 3x3), vectors over channels.
// S. Winograd's minimal filtering as A. Lavin and S. Gray use it (arXiv 1509.09308): y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d
// B)]A.
#include "cpu/simd.h"
#include "cpu/winograd_types.h"

namespace pk::cpu::PK_ISA {
namespace {

// (Bᵀ d) of one column of four.
template <class V>
PK_INLINE void to_points(V a, V b, V c, V d, V* out, int step) {
  out[0] = a - c;
  out[step] = b + c;
  out[2 * step] = c - b;
  out[3 * step] = b - d;
}

template <class T>
void weights(const T* taps, int64_t apart, int64_t n, T* u, int64_t step) {
  using V = typename Simd<T>::vec;
  vectors<T>(n, [&](int64_t i, int lanes) __attribute__((always_inline)) {
    V rows[4][3];  // G g
    for (int j = 0; j < 3; ++j) {
      const V a = get(taps + j * apart + i, lanes), b = get(taps + (3 + j) * apart + i, lanes),
              c = get(taps + (6 + j) * apart + i, lanes), sum = a + c;
      rows[0][j] = a;
      rows[1][j] = (sum + b) * T(0.5);
      rows[2][j] = (sum - b) * T(0.5);
      rows[3][j] = c;
    }
    for (int r = 0; r < 4; ++r) {
      const V a = rows[r][0], b = rows[r][1], c = rows[r][2], sum = a + c;
      T* to = u + 4 * r * step + i;
      put(to, a, lanes);
      put(to + step, (sum + b) * T(0.5), lanes);
      put(to + 2 * step, (sum - b) * T(0.5), lanes);
      put(to + 3 * step, c, lanes);
    }
  });
}

template <class T>
void input(const T* const* pixels, int64_t c, T* v, int64_t step) {
  using V = typename Simd<T>::vec;
  vectors<T>(c, [&](int64_t i, int lanes) __attribute__((always_inline)) {
    V rows[16];  // Bᵀ d
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      to_points(get(pixels[j] + i, lanes), get(pixels[4 + j] + i, lanes), get(pixels[8 + j] + i, lanes),
                get(pixels[12 + j] + i, lanes), rows + j, 4);
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      V points[4];
      to_points(rows[4 * r], rows[4 * r + 1], rows[4 * r + 2], rows[4 * r + 3], points, 1);
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) put(v + (4 * r + p) * step + i, points[p], lanes);
    }
  });
}

template <class T>
void output(const T* m, int64_t step, int64_t n, const T* bias, bool relu, T* const* outputs) {
  using V = typename Simd<T>::vec;
  vectors<T>(n, [&](int64_t i, int lanes) __attribute__((always_inline)) {
    V top[4], low[4];  // Aᵀ m
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const V b = get(m + (4 + j) * step + i, lanes), c = get(m + (8 + j) * step + i, lanes);
      top[j] = get(m + j * step + i, lanes) + b + c;
      low[j] = b - c - get(m + (12 + j) * step + i, lanes);
    }
    V y[4] = {top[0] + top[1] + top[2], top[1] - top[2] - top[3], low[0] + low[1] + low[2],
              low[1] - low[2] - low[3]};
    const V add = bias ? get(bias + i, lanes) : V{};
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      if (!outputs[k]) continue;
      V x = y[k];
      if (bias) x = x + add;
      if (relu) x = at_least(x, V{});
      put(outputs[k] + i, x, lanes);
    }
  });
}

// (A g) of one column of two.
template <class V>
PK_INLINE void from_outputs(V a, V b, V* out, int step) {
  out[0] = a;
  out[step] = a + b;
  out[2 * step] = a - b;
  out[3 * step] = -b;
}

template <class T>
void output_adjoint(const T* const* gradients, int64_t n, T* w, int64_t step) {
  using V = typename Simd<T>::vec;
  vectors<T>(n, [&](int64_t i, int lanes) __attribute__((always_inline)) {
    V rows[8];
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j)
      from_outputs(get(gradients[j] + i, lanes), get(gradients[2 + j] + i, lanes), rows + j, 2);
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      V points[4];
      from_outputs(rows[2 * r], rows[2 * r + 1], points, 1);
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) put(w + (4 * r + p) * step + i, points[p], lanes);
    }
  });
}

// (Gᵀ u) of one column of four.
template <class T, class V = typename Simd<T>::vec>
PK_INLINE void to_taps(V a, V b, V c, V d, V* out, int step) {
  const V half = (b + c) * T(0.5);
  out[0] = a + half;
  out[step] = (b - c) * T(0.5);
  out[2 * step] = half + d;
}

template <class T>
void weights_adjoint(const T* u, int64_t step, int64_t n, T* const* taps) {
  using V = typename Simd<T>::vec;
  vectors<T>(n, [&](int64_t i, int lanes) __attribute__((always_inline)) {
    V rows[12];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      to_taps<T>(get(u + j * step + i, lanes), get(u + (4 + j) * step + i, lanes),
                 get(u + (8 + j) * step + i, lanes), get(u + (12 + j) * step + i, lanes), rows + j, 4);
#pragma GCC unroll 3
    for (int r = 0; r < 3; ++r) {
      V three[3];
      to_taps<T>(rows[4 * r], rows[4 * r + 1], rows[4 * r + 2], rows[4 * r + 3], three, 1);
#pragma GCC unroll 3
      for (int t = 0; t < 3; ++t) put(taps[3 * r + t] + i, three[t], lanes);
    }
  });
}

}  // namespace

#define PK_DEFINE(T, suffix)                                                                        \
  void winograd_weights_##suffix(const T* taps, int64_t apart, int64_t n, T* u, int64_t step) {     \
    weights(taps, apart, n, u, step);                                                               \
  }                                                                                                 \
  void winograd_input_##suffix(const T* const* pixels, int64_t c, T* v, int64_t step) {             \
    input(pixels, c, v, step);                                                                      \
  }                                                                                                 \
  void winograd_output_##suffix(const T* m, int64_t step, int64_t n, const T* bias, bool relu,      \
                                T* const* outputs) {                                                \
    output(m, step, n, bias, relu, outputs);                                                        \
  }                                                                                                 \
  void winograd_output_adjoint_##suffix(const T* const* gradients, int64_t n, T* w, int64_t step) { \
    output_adjoint(gradients, n, w, step);                                                          \
  }                                                                                                 \
  void winograd_weights_adjoint_##suffix(const T* u, int64_t step, int64_t n, T* const* taps) {     \
    weights_adjoint(u, step, n, taps);                                                              \
  }
PK_DEFINE(float, f32)
PK_DEFINE(double, f64)

}  // namespace pk::cpu::PK_ISA
