// Pooling of NHWC and NDHWC data, resizing of NHWC data. Padded cells take no part: neither in a maximum nor
// in a mean.
#include "reference/common.h"

namespace pk::reference {
namespace {

template <class T>
void zero(const TensorArg& t) {
  for (int64_t i = 0; i < t.size; ++i) t.as<T>()[i] = T(0);
}

// Calls start(y, real cells of its window) for every output element, then cell(y, x) for those cells in
// row-major order.
template <class S, class F>
void windows(const PoolAttrs& a, const Shape& x, S&& start, F&& cell) {
  const auto [d, h, w] = pool_space(a, x);
  struct Cells {
    int64_t begin, end;
    int64_t count() const { return end - begin; }
  };
  const auto cells = [](const SpaceAxis& s, int64_t o) {
    const int64_t first = o * s.stride - s.before;
    return Cells{std::max<int64_t>(first, 0), std::min(first + s.kernel, s.size)};
  };
  const int64_t channels = x.back();
  int64_t iy = 0;
  for (int64_t n = 0; n < x[0]; ++n)
    for (int64_t od = 0; od < d.out; ++od)
      for (int64_t oh = 0; oh < h.out; ++oh)
        for (int64_t ow = 0; ow < w.out; ++ow)
          for (int64_t c = 0; c < channels; ++c, ++iy) {
            const Cells q = cells(d, od), v = cells(h, oh), u = cells(w, ow);
            start(iy, q.count() * v.count() * u.count());
            for (int64_t k = q.begin; k < q.end; ++k)
              for (int64_t i = v.begin; i < v.end; ++i)
                for (int64_t j = u.begin; j < u.end; ++j)
                  cell(iy, (((n * d.size + k) * h.size + i) * w.size + j) * channels + c);
          }
}

// NaN wins, as in the other maxima.
template <class T>
void max_pool(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  bool first = true;
  windows(
      a.attr<PoolAttrs>(), a.in[0].shape(), [&](int64_t, int64_t) { first = true; },
      [&](int64_t iy, int64_t ix) {
        if (first || x[ix] > y[iy] || x[ix] != x[ix]) y[iy] = x[ix];
        first = false;
      });
}

// (g, x, y) → dx: each g goes to the first cell of its window that holds the maximum.
template <class T>
void max_pool_grad(Context&, const KernelArgs& a) {
  const T *g = a.in[0].as<T>(), *x = a.in[1].as<T>(), *y = a.in[2].as<T>();
  T* dx = a.out[0].as<T>();
  zero<T>(a.out[0]);
  bool found = false;
  windows(
      a.attr<PoolAttrs>(), a.in[1].shape(), [&](int64_t, int64_t) { found = false; },
      [&](int64_t iy, int64_t ix) {
        if (!found && x[ix] == y[iy]) {
          dx[ix] += g[iy];
          found = true;
        }
      });
}

// (gg, x, y) → the elements of gg at the maxima.
template <class T>
void max_pool_pick(Context&, const KernelArgs& a) {
  const T *gg = a.in[0].as<T>(), *x = a.in[1].as<T>(), *y = a.in[2].as<T>();
  T* out = a.out[0].as<T>();
  bool found = false;
  windows(
      a.attr<PoolAttrs>(), a.in[1].shape(),
      [&](int64_t iy, int64_t) {
        found = false;
        out[iy] = T(0);
      },
      [&](int64_t iy, int64_t ix) {
        if (!found && x[ix] == y[iy]) {
          out[iy] = gg[ix];
          found = true;
        }
      });
}

template <class T>
void avg_pool(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  int64_t cells = 0, met = 0;
  windows(
      a.attr<PoolAttrs>(), a.in[0].shape(),
      [&](int64_t iy, int64_t count) {
        y[iy] = T(0);
        cells = count;
        met = 0;
      },
      [&](int64_t iy, int64_t ix) {
        y[iy] += x[ix];
        if (++met == cells) y[iy] /= static_cast<T>(cells);
      });
}

// (g, ~x)
template <class T>
void avg_pool_grad(Context&, const KernelArgs& a) {
  const T* g = a.in[0].as<T>();
  T* dx = a.out[0].as<T>();
  zero<T>(a.out[0]);
  T share = 0;
  windows(
      a.attr<PoolAttrs>(), a.out[0].shape(),
      [&](int64_t iy, int64_t count) { share = g[iy] / static_cast<T>(count); },
      [&](int64_t, int64_t ix) { dx[ix] += share; });
}

// --- resizing

template <class T>
void resize_nearest(Context&, const KernelArgs& a) {
  const Ints& f = a.attr<ResizeAttrs>().factors;
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const Shape &xs = a.in[0].shape(), &ys = a.out[0].shape();
  for (int64_t n = 0; n < ys[0]; ++n)
    for (int64_t h = 0; h < ys[1]; ++h)
      for (int64_t w = 0; w < ys[2]; ++w)
        for (int64_t c = 0; c < ys[3]; ++c) *y++ = x[((n * xs[1] + h / f[0]) * xs[2] + w / f[1]) * xs[3] + c];
}

// Calls f(large, small, weight) for the four small cells that each element of the large side mixes.
template <class F>
void mixtures(const ResizeAttrs& a, const Shape& small, F&& f) {
  const int64_t height = small[1] * a.factors[0], width = small[2] * a.factors[1];
  int64_t large = 0;
  for (int64_t n = 0; n < small[0]; ++n)
    for (int64_t h = 0; h < height; ++h)
      for (int64_t w = 0; w < width; ++w) {
        const Lerp v = lerp_at(h, a.factors[0], small[1], a.half_pixel);
        const Lerp u = lerp_at(w, a.factors[1], small[2], a.half_pixel);
        for (int64_t c = 0; c < small[3]; ++c, ++large) {
          const auto at = [&](int64_t y, int64_t x) {
            return ((n * small[1] + y) * small[2] + x) * small[3] + c;
          };
          f(large, at(v.low, u.low), (1 - v.t) * (1 - u.t));
          f(large, at(v.low, u.high), (1 - v.t) * u.t);
          f(large, at(v.high, u.low), v.t * (1 - u.t));
          f(large, at(v.high, u.high), v.t * u.t);
        }
      }
}

template <class T>
void resize_bilinear(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  zero<T>(a.out[0]);
  mixtures(a.attr<ResizeAttrs>(), a.in[0].shape(), [&](int64_t large, int64_t small, double weight) {
    y[large] += static_cast<T>(weight) * x[small];
  });
}
template <class T>
void resize_bilinear_grad(Context&, const KernelArgs& a) {
  const T* g = a.in[0].as<T>();
  T* dx = a.out[0].as<T>();
  zero<T>(a.out[0]);
  mixtures(a.attr<ResizeAttrs>(), a.out[0].shape(), [&](int64_t large, int64_t small, double weight) {
    dx[small] += static_cast<T>(weight) * g[large];
  });
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "max_pool2d", max_pool);
  PK_ADD_FLOATS(t, "max_pool2d_grad", max_pool_grad);
  PK_ADD_FLOATS(t, "max_pool2d_pick", max_pool_pick);
  PK_ADD_FLOATS(t, "avg_pool2d", avg_pool);
  PK_ADD_FLOATS(t, "avg_pool2d_grad", avg_pool_grad);
  PK_ADD_FLOATS(t, "max_pool3d", max_pool);
  PK_ADD_FLOATS(t, "max_pool3d_grad", max_pool_grad);
  PK_ADD_FLOATS(t, "max_pool3d_pick", max_pool_pick);
  PK_ADD_FLOATS(t, "avg_pool3d", avg_pool);
  PK_ADD_FLOATS(t, "avg_pool3d_grad", avg_pool_grad);
  PK_ADD_TYPES(t, "resize_nearest", resize_nearest);
  PK_ADD_FLOATS(t, "resize_bilinear", resize_bilinear);
  PK_ADD_FLOATS(t, "resize_bilinear_grad", resize_bilinear_grad);
});

}  // namespace
}  // namespace pk::reference
