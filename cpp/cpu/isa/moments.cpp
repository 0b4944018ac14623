// Sums of batch normalisation, a few rows at a time: these stay in the cache for the second look at them, and
// their float sums are short; what is joined over the blocks is double.
#include "cpu/moments.h"

#include "cpu/isa/fold.h"

namespace pk::cpu::PK_ISA {
namespace {

constexpr int64_t kRows = 64;
constexpr int64_t kLine = 2048;

// Joins the moments of a block of n elements to those of the `before` elements in front of it (Chan, Golub,
// LeVeque 1979).
struct Joint {
  double share, weight;
  Joint(double before, double n) : share(n / (before + n)), weight(before * n / (before + n)) {}
  void join(double& mean, double& squares, double block_mean, double block_squares) const {
    const double delta = block_mean - mean;
    mean += delta * share;
    squares += block_squares + delta * delta * weight;
  }
};

// Calls f(column, lanes, load) for each vector of columns; `load(p)` reads one, the last one in part.
template <class T, class F>
inline __attribute__((always_inline)) void each_vector(int64_t channels, F f) {
  constexpr int L = Simd<T>::n;
  int64_t c = 0;
  for (; c + L <= channels; c += L) f(c, L, [](const T* p) { return load(p); });
  if (c < channels) {
    const int m = static_cast<int>(channels - c);
    f(c, m, [m](const T* p) { return load_part(p, m); });
  }
}

template <class T>
void column_moments(const T* x, int64_t rows, int64_t channels, double* mean, double* squares) {
  using V = typename Simd<T>::vec;
  for (int64_t c = 0; c < channels; ++c) mean[c] = squares[c] = 0;
  for (int64_t r0 = 0; r0 < rows; r0 += kRows, x += kRows * channels) {
    const int64_t n = rows - r0 < kRows ? rows - r0 : kRows;
    const double count = static_cast<double>(n), one = 1 / count;
    const Joint joint(static_cast<double>(r0), count);
    const T share = T(1) / static_cast<T>(n);
    each_vector<T>(channels, [&](int64_t c, int m, auto get) {
      V s0 = {}, s1 = {};
      const T* p = x + c;
      int64_t r = 0;
      for (; r + 2 <= n; r += 2, p += 2 * channels) s0 += get(p), s1 += get(p + channels);
      if (r < n) s0 += get(p);
      const V about = (s0 + s1) * share;
      // Deviations from the rounded mean, and their own sum, which mends the rounding.
      V d0 = {}, q0 = {}, d1 = {}, q1 = {};
      p = x + c;
      for (r = 0; r + 2 <= n; r += 2, p += 2 * channels) {
        const V a = get(p) - about, b = get(p + channels) - about;
        d0 += a, d1 += b;
        q0 = fma(a, a, q0), q1 = fma(b, b, q1);
      }
      if (r < n) {
        const V a = get(p) - about;
        d0 += a;
        q0 = fma(a, a, q0);
      }
      const V d = d0 + d1, q = q0 + q1;
      for (int l = 0; l < m; ++l) {
        const double off = static_cast<double>(d[l]) * one;
        joint.join(mean[c + l], squares[c + l], static_cast<double>(about[l]) + off,
                   static_cast<double>(q[l]) - off * off * count);
      }
    });
  }
}

template <class T>
void line_moments(const T* x, int64_t n, double* mean, double* squares) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  *mean = *squares = 0;
  for (int64_t i0 = 0; i0 < n; i0 += kLine, x += kLine) {
    const int64_t m = n - i0 < kLine ? n - i0 : kLine;
    const T about = static_cast<T>(fold<T, Sum>(x, m) / static_cast<double>(m));
    V d = {}, q = {};
    int64_t i = 0;
    for (; i + L <= m; i += L) {
      const V a = load(x + i) - about;
      d += a;
      q = fma(a, a, q);
    }
    double off = 0, block = 0;
    for (; i < m; ++i) {
      const double a = static_cast<double>(x[i] - about);
      off += a;
      block += a * a;
    }
    for (int l = 0; l < L; ++l) {
      off += static_cast<double>(d[l]);
      block += static_cast<double>(q[l]);
    }
    const double count = static_cast<double>(m);
    off /= count;
    Joint(static_cast<double>(i0), count)
        .join(*mean, *squares, static_cast<double>(about) + off, block - off * off * count);
  }
}

template <class T>
void column_products(const T* g, const T* x, const T* mean, int64_t rows, int64_t channels, double* sum,
                     double* products) {
  using V = typename Simd<T>::vec;
  for (int64_t c = 0; c < channels; ++c) sum[c] = products[c] = 0;
  for (int64_t r0 = 0; r0 < rows; r0 += kRows, x += kRows * channels, g += kRows * channels) {
    const int64_t n = rows - r0 < kRows ? rows - r0 : kRows;
    each_vector<T>(channels, [&](int64_t c, int m, auto get) {
      const V centre = get(mean + c);
      V s0 = {}, p0 = {}, s1 = {}, p1 = {};
      const T *xp = x + c, *gp = g + c;
      int64_t r = 0;
      for (; r + 2 <= n; r += 2, xp += 2 * channels, gp += 2 * channels) {
        const V a = get(gp), b = get(gp + channels);
        s0 += a, s1 += b;
        p0 = fma(a, get(xp) - centre, p0), p1 = fma(b, get(xp + channels) - centre, p1);
      }
      if (r < n) {
        const V a = get(gp);
        s0 += a;
        p0 = fma(a, get(xp) - centre, p0);
      }
      const V s = s0 + s1, p = p0 + p1;
      for (int l = 0; l < m && l < Simd<T>::n; ++l) {  // the second bound is for the compiler to see
        sum[c + l] += static_cast<double>(s[l]);
        products[c + l] += static_cast<double>(p[l]);
      }
    });
  }
}

template <class T>
void line_products(const T* g, const T* x, T mean, int64_t n, double* sum, double* products) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  *sum = *products = 0;
  for (int64_t i0 = 0; i0 < n; i0 += kLine, x += kLine, g += kLine) {
    const int64_t m = n - i0 < kLine ? n - i0 : kLine;
    V s = {}, p = {};
    int64_t i = 0;
    for (; i + L <= m; i += L) {
      const V a = load(g + i);
      s += a;
      p = fma(a, load(x + i) - mean, p);
    }
    for (; i < m; ++i) {
      *sum += static_cast<double>(g[i]);
      *products += static_cast<double>(g[i]) * static_cast<double>(x[i] - mean);
    }
    for (int l = 0; l < L; ++l) {
      *sum += static_cast<double>(s[l]);
      *products += static_cast<double>(p[l]);
    }
  }
}

}  // namespace

#define PK_MOMENTS(T, t)                                                                               \
  void column_moments_##t(const T* x, int64_t rows, int64_t channels, double* mean, double* squares) { \
    column_moments(x, rows, channels, mean, squares);                                                  \
  }                                                                                                    \
  void line_moments_##t(const T* x, int64_t n, double* mean, double* squares) {                        \
    line_moments(x, n, mean, squares);                                                                 \
  }                                                                                                    \
  void column_products_##t(const T* g, const T* x, const T* mean, int64_t rows, int64_t channels,      \
                           double* sum, double* products) {                                            \
    column_products(g, x, mean, rows, channels, sum, products);                                        \
  }                                                                                                    \
  void line_products_##t(const T* g, const T* x, T mean, int64_t n, double* sum, double* products) {   \
    line_products(g, x, mean, n, sum, products);                                                       \
  }
PK_MOMENTS(float, f32)
PK_MOMENTS(double, f64)
#undef PK_MOMENTS

}  // namespace pk::cpu::PK_ISA
